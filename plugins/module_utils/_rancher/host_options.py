# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of rancher_hosts, read and checked before anything is asked for. Pure. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._argspec import ArgumentSpec
from .._errors import InputError
from .._texts import texts
from .names import checked_host, refuse_twice

CUSTOM = "custom"
NUMBER = "{n}"
# the drivers of Rancher 1.x cannot set up a newer Docker, and would install the newest; and would choose aufs, which
# kernels of clouds do not have
ENGINE_SCRIPT = "https://releases.rancher.com/install-docker/19.03.sh"
ENGINE_STORAGE = "overlay2"
HOSTS = ArgumentSpec(
    {
        "names": {"type": "list", "elements": "str"},
        "count": {"type": "int"},
        "pattern": {"type": "str", "default": f"node{NUMBER}"},
        "driver": {"type": "str", "default": "digitalocean"},
        "driver_config": {"type": "dict"},
        "driver_secrets": {"type": "dict", "no_log": True},
        "labels": {"type": "dict"},
        "active": {"type": "bool"},
        "engine_install_url": {"type": "str", "default": ENGINE_SCRIPT},
        "engine_storage_driver": {"type": "str", "default": ENGINE_STORAGE},
        "registration_url": {"type": "str"},
        "purge": {"type": "bool", "default": False},
        "remove_failed": {"type": "bool", "default": False},
        "adopt": {"type": "bool", "default": False},
    },
    mutually_exclusive=(("names", "count"),),
)


@dataclass(frozen=True)
class HostOptions:
    """Hosts as the options describe them.

    Attributes:
        names: in the order given.
        count, pattern: what they were numbered by; None if they were named.
        driver: of the machine driver, or custom for hosts that somebody else makes.
        config: the driver's settings by the API's names, without those that are secret.
        secrets: those that are.
        active: whether new containers may be put on them; None if it is not managed.
        engine: what the driver is told of Docker, by the API's names.
    """

    names: tuple[str, ...]
    driver: str = "digitalocean"
    config: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, Any] = field(default_factory=dict, repr=False)
    labels: Mapping[str, str] | None = None
    active: bool | None = None
    engine: Mapping[str, str] = field(default_factory=dict)
    registration_url: str | None = None
    purge: bool = False
    remove_failed: bool = False
    adopt: bool = False
    count: int | None = None
    pattern: str = ""

    @property
    def is_custom(self) -> bool:
        """Whether the hosts are made by somebody else, and only join."""
        return self.driver == CUSTOM

    def is_above(self, name: str) -> bool:
        """Whether the name is one of the pattern's, with a number above the count: from when there were to be more."""
        number = re.escape(NUMBER)
        shape = re.escape(self.pattern).replace(number, r"(\d+)", 1).replace(number, r"\1")
        found = re.fullmatch(shape, name) if self.count is not None else None
        return found is not None and int(found[1]) > (self.count or 0)

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> HostOptions:
        """The hosts of the module's options.

        Raises:
            InputError: they cannot be.
        """
        names = host_names(params)
        absent = params["state"] == "absent"
        if not names and not params["purge"] and (absent or params["driver"] != CUSTOM):
            raise InputError(
                "names or count is needed",
                hint="To remove all hosts that were made by this module, give purge: true." if absent else "",
            )
        if not names and params["purge"] and not absent and params["driver"] == CUSTOM:
            raise InputError(
                "purge: true with driver: custom needs names or count",
                hint="To remove all hosts that were made by this module, give state: absent.",
            )
        config, secrets = _given(params["driver_config"]), _given(params["driver_secrets"])
        both = sorted({*config} & {*secrets})
        if both:
            raise InputError(f"driver_config and driver_secrets both have {', '.join(both)}")
        labels = params["labels"]
        return cls(
            names,
            params["driver"],
            config,
            secrets,
            None if labels is None else texts("labels", labels),
            params["active"],
            _engine(params),
            (params["registration_url"] or "").rstrip("/") or None,
            bool(params["purge"]),
            bool(params["remove_failed"]),
            bool(params["adopt"]),
            None if params["names"] is not None else params["count"],
            params["pattern"],
        )


def _given(settings: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is null is a variable that nobody has set, and would be sent as the text None."""
    return {name: value for name, value in (settings or {}).items() if value is not None}


def _engine(params: Mapping[str, Any]) -> dict[str, str]:
    """What is said of Docker; the rest is left to the driver."""
    given = {
        "engineInstallUrl": params["engine_install_url"],
        "engineStorageDriver": params["engine_storage_driver"],
    }
    return {name: value for name, value in given.items() if value}


def host_names(params: Mapping[str, Any]) -> tuple[str, ...]:
    """The names that are given, or made of the pattern. Pure.

    Raises:
        InputError: one of them is no name.
    """
    if params["names"] is not None:
        names = [checked_host("names", name) for name in params["names"]]
        refuse_twice("names", names)
        return tuple(names)
    count = params["count"]
    if count is None:
        return ()
    if count < 0:
        raise InputError(f"count is {count}, but cannot be less than 0")
    pattern = params["pattern"]
    if NUMBER not in pattern:
        raise InputError(f"pattern: {pattern!r} has no {NUMBER} for the number of the host")
    return tuple(checked_host("pattern", pattern.replace(NUMBER, str(number))) for number in range(1, count + 1))
