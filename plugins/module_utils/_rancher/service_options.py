# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the services of a stack, read and checked before anything is asked for. Pure. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._errors import InputError
from .._texts import texts, words
from .launch_config import (
    IMAGE_PREFIX,
    LABEL_SETTERS,
    LAUNCH_FIELDS,
    canonical_image,
    canonical_port,
    canonical_volumes,
    health_check,
    refuse_less,
)
from .links import PROTOCOLS, Target, parsed_rules
from .names import checked_name, refuse_twice
from .veil import Veil

HEALTH_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "enabled": {"type": "bool", "default": True},
    "port": {"type": "int"},
    "path": {"type": "str"},
    "request_line": {"type": "str"},
    "interval": {"type": "int"},
    "response_timeout": {"type": "int"},
    "initializing_timeout": {"type": "int"},
    "reinitializing_timeout": {"type": "int"},
    "healthy_threshold": {"type": "int"},
    "unhealthy_threshold": {"type": "int"},
    "strategy": {"type": "str", "choices": ["none", "recreate", "recreateOnQuorum"]},
    "quorum": {"type": "int"},
}
LINK_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "service": {"type": "str", "required": True},
    "alias": {"type": "str"},
}
RULE_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "source_port": {"type": "int", "required": True},
    "service": {"type": "str", "required": True},
    "target_port": {"type": "int"},
    "protocol": {"type": "str", "choices": list(PROTOCOLS), "default": "http"},
    "hostname": {"type": "str"},
    "path": {"type": "str"},
}
SERVICE_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "name": {"type": "str", "required": True},
    "image": {"type": "str"},
    "description": {"type": "str"},
    "scale": {"type": "int"},
    "global": {"type": "bool"},
    "pull_always": {"type": "bool"},
    "ports": {"type": "list", "elements": "str"},
    "expose": {"type": "list", "elements": "str"},
    "environment": {"type": "dict"},
    "secret_environment": {"type": "dict", "no_log": True},
    "labels": {"type": "dict"},
    "command": {"type": "raw"},
    "entrypoint": {"type": "raw"},
    "volumes": {"type": "list", "elements": "str"},
    "volume_driver": {"type": "str"},
    "health_check": {"type": "dict", "options": HEALTH_OPTIONS},
    "links": {"type": "list", "elements": "dict", "options": LINK_OPTIONS},
    "load_balancer": {"type": "list", "elements": "dict", "options": RULE_OPTIONS},
    "metadata": {"type": "dict"},
    "retain_ip": {"type": "bool"},
    "network_mode": {"type": "str"},
    "hostname": {"type": "str"},
    "user": {"type": "str"},
    "working_dir": {"type": "str"},
    "memory_mib": {"type": "int"},
    "cpu_shares": {"type": "int"},
    "privileged": {"type": "bool"},
    "read_only": {"type": "bool"},
    "tty": {"type": "bool"},
    "stdin_open": {"type": "bool"},
    "restart_policy": {"type": "str", "choices": ["always", "on-failure", "unless-stopped", "no"]},
}
MIB = 1024 * 1024
LEAST = {"memory_mib": 0, "cpu_shares": 0}
ALIAS = re.compile(r"[A-Za-z0-9._-]+")
NAMES = {
    "hostname": re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,253}[A-Za-z0-9_])?"),
    "network_mode": re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*"),
}


@dataclass(frozen=True)
class Link:
    """A link to a service, by the name that the containers know it by."""

    target: Target
    alias: str


@dataclass(frozen=True)
class ServiceOptions:
    """One service as the options describe it.

    Attributes:
        spec: the fields that are managed, as they are compared.
        links: None if they are not managed.
        rules: those of a load balancer; None if it is none. Their ``service`` is a Target.
    """

    name: str
    spec: Mapping[str, Any]
    description: str | None = None
    links: tuple[Link, ...] | None = None
    rules: tuple[Mapping[str, Any], ...] | None = None

    @property
    def is_balancer(self) -> bool:
        """Whether it is a load balancer."""
        return self.rules is not None

    def targets(self) -> list[Target]:
        """All services that it leads to."""
        return [*(link.target for link in self.links or ()), *(rule["service"] for rule in self.rules or ())]


def read_services(stack: str, services: Sequence[Mapping[str, Any]], veil: Veil) -> tuple[ServiceOptions, ...]:
    """The services of the module's options.

    Raises:
        InputError: one of them cannot be.
    """
    found = tuple(read_service(stack, one, veil) for one in services)
    refuse_twice("services", (one.name for one in found))
    balancers = {one.name for one in found if one.is_balancer}
    for one in found:
        chained = [target.service for target in one.targets() if target.stack == stack and target.service in balancers]
        if one.is_balancer and chained:
            raise InputError(f"services: load balancer {one.name} cannot lead to load balancer {chained[0]}")
    return found


def read_service(stack: str, options: Mapping[str, Any], veil: Veil) -> ServiceOptions:
    """One service of the module's options.

    Raises:
        InputError: it cannot be.
    """
    name = checked_name("services", options["name"])
    where = f"services: {name}"
    rules = options.get("load_balancer")
    if rules is not None:
        _refuse_for_balancer(options, where)
    scale = options.get("scale")
    if scale is not None and (scale < 0 or options.get("global")):
        why = "has no scale, as it is global" if options.get("global") else f"cannot have scale {scale}"
        raise InputError(f"{where} {why}")
    try:
        spec = _spec(options, veil)
    except InputError as error:
        error.message = f"{where}: {error.message}"
        raise
    links = options.get("links")
    return ServiceOptions(
        name,
        spec,
        options.get("description"),
        None if links is None else tuple(_link(link, stack, f"{where}: links") for link in links),
        None if rules is None else parsed_rules(rules, stack, f"{where}: load_balancer"),
    )


def _refuse_for_balancer(options: Mapping[str, Any], where: str) -> None:
    for option in ("image", "ports", "links", "command", "entrypoint", "volumes"):
        if options.get(option) is not None:
            raise InputError(f"{where}: load_balancer and {option} exclude one another")
    if not options["load_balancer"]:
        raise InputError(f"{where}: load_balancer needs at least one rule")


def _link(link: Mapping[str, Any], stack: str, where: str) -> Link:
    target = Target.parse(where, link["service"], stack)
    alias = link.get("alias") or target.service
    if not ALIAS.fullmatch(alias):
        raise InputError(f"{where}: alias {alias!r} must have letters, digits, dots, hyphens and underscores only")
    return Link(target, alias)


def _refuse_own_labels(labels: Collection[str]) -> None:
    """Refuse labels that are compared as options: as labels they would be taken away again by each run."""
    for name, setter in LABEL_SETTERS.items():
        if name in labels:
            raise InputError(f"labels: {name} is set by {setter}")


def _refuse_fields(options: Mapping[str, Any]) -> None:
    """Refuse what Rancher takes, and no host can make a container of."""
    _refuse_own_labels(options.get("labels") or ())
    refuse_less(options, LEAST)
    for option, form in NAMES.items():
        if options.get(option) and not form.fullmatch(options[option]):
            raise InputError(f"{option}: {options[option]!r} is no name")


def _spec(options: Mapping[str, Any], veil: Veil) -> dict[str, Any]:
    _refuse_fields(options)
    spec = {name: value for name, value in options.items() if name in LAUNCH_FIELDS and value is not None}
    for option in ("command", "entrypoint"):
        if option in spec:
            spec[option] = words(option, spec[option])
    for option, form in FORMS.items():
        if option in spec:
            spec[option] = form(spec[option])
    if "labels" in spec:
        spec["labels"] = texts("labels", spec["labels"])
    if options.get("memory_mib") is not None:
        spec["memory"] = options["memory_mib"] * MIB
    plain, secret = options.get("environment"), options.get("secret_environment")
    if plain is not None or secret is not None:
        values = {**texts("environment", plain or {}), **texts("secret_environment", secret or {})}
        spec["environment"] = veil.hide_some(values, secret or ())
    more = {name: options[name] for name in ("scale", "metadata", "retain_ip") if options.get(name) is not None}
    return {**spec, **more}


def _ports(ports: Iterable[str]) -> list[str]:
    return sorted({canonical_port(port) for port in ports})


def _image(image: str) -> str:
    if not image.removeprefix(IMAGE_PREFIX).strip() or any(sign.isspace() for sign in image):
        raise InputError(f"image {image!r} is no image")
    return canonical_image(image)


# option -> the form in which it is compared
FORMS: Mapping[str, Callable[[Any], Any]] = {
    "ports": _ports,
    "expose": _ports,
    "volumes": canonical_volumes,
    "image": _image,
    "health_check": health_check,
}
