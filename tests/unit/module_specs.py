# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All modules of the collection, and the options that each really takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

from ansible_collections.container.schedulers.plugins.module_utils._argspec import ArgumentSpec

PACKAGE = "ansible_collections.container.schedulers.plugins.modules"
FOLDER = Path(__file__).parents[2] / "plugins" / "modules"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def module_of(name: str) -> ModuleType:
    """The module."""
    return import_module(f"{PACKAGE}.{name}")


@cache
def spec_of(name: str) -> ArgumentSpec:
    """What its ``main`` tells Ansible of its options."""
    spec = _run_with(name)[0]
    assert isinstance(spec, ArgumentSpec)
    return spec


@cache
def name_of(run: Callable[..., Any]) -> str:
    """The module whose ``main`` runs a function, some of its arguments bound or not."""
    runs = {name: _run_with(name)[1] for name in NAMES}
    return next(name for name, one in runs.items() if getattr(one, "func", one) is run)


@cache
def _run_with(name: str) -> tuple[Any, ...]:
    module, told = module_of(name), mock.Mock()
    with mock.patch.object(module, "run_module", told):
        module.main()
    arguments: tuple[Any, ...] = told.call_args.args
    return arguments


def params_of(module: str, /, **given: Any) -> dict[str, Any]:
    """The options of a module as Ansible hands them on, most of them not given."""
    return {option: one.get("default") for option, one in spec_of(module).options.items()} | given
