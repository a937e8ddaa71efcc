# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules are run with in tests: all options of a module, as Ansible would fill them in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.container.schedulers.plugins.module_utils._argspec import STATE, ArgumentSpec, wait_options
from ansible_collections.container.schedulers.plugins.module_utils._k8s.options import CONNECTION
from ansible_collections.container.schedulers.plugins.module_utils._module import Context
from unit.small_cluster import SmallCluster


def filled(options: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """Options with their defaults, nested ones too, where they are given."""
    unknown = set(given) - set(options)
    assert not unknown, f"no such options: {unknown}"
    params: dict[str, Any] = {}
    for name, option in options.items():
        value = given.get(name, option.get("default"))
        if isinstance(value, Mapping) and option.get("options"):
            value = filled(option["options"], value)
        params[name] = value
    return params


def context(cluster: SmallCluster, spec: ArgumentSpec, *, check: bool = False, **given: Any) -> Context:
    """The context of one run on a cluster."""
    merged = spec.merge(STATE, wait_options(20), CONNECTION) if "state" not in spec.options else spec
    hidden: list[Any] = []

    def hide(secrets: Iterable[Any]) -> None:
        hidden.extend(secrets)

    return Context(filled(merged.options, {"host": cluster.url, **given}), check, lambda _text: None, hide=hide)
