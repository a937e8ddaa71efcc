# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user may say about the load balancer of an app, and every reason to refuse it. Pure. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._checks import HIGHEST_PORT, between
from .._errors import InputError
from .limits import LARGEST_INTEGER, checked_range
from .names import LOAD_BALANCER_LIMIT, derived_name

LOAD_BALANCER_NAME = re.compile(r"(?!internal-)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")


@dataclass(frozen=True)
class Balancer:
    """The load balancer before the app.

    Attributes:
        type: classic, application, network, or none: there shall be none.
        shared: belongs to the cluster, serves several apps, and stays when one of them goes.
        allowed_cidrs: who may reach the listener.
        grace_period: seconds in which ECS ignores a new task's health; None: not managed.
    """

    type: str
    name: str
    shared: bool
    scheme: str
    listener_port: int
    container_port: int | None
    health_check_path: str
    healthy_threshold: int
    unhealthy_threshold: int
    interval: int
    timeout: int
    allowed_cidrs: tuple[str, ...]
    deregistration_delay: int
    subnets: tuple[str, ...]
    grace_period: int | None

    @property
    def classic(self) -> bool:
        return self.type == "classic"


def given_balancer(params: Mapping[str, Any]) -> Balancer | None:
    """The load balancer that the options of an app speak of.

    Raises:
        InputError: one of its options cannot work.
    """
    given = params["load_balancer"]
    if given is None:
        return None
    words = (params["cluster"],) if given["shared"] else (params["cluster"], params["name"])
    name = given["name"] or derived_name("ecs", *words, limit=LOAD_BALANCER_LIMIT, plain=True)
    if len(name) > LOAD_BALANCER_LIMIT or not LOAD_BALANCER_NAME.fullmatch(name):
        raise InputError(
            f"load_balancer: name {name!r} must be at most {LOAD_BALANCER_LIMIT} letters, digits and inner hyphens"
        )
    _check_balancer_numbers(given)
    return Balancer(
        name=name,
        allowed_cidrs=tuple(checked_range("load_balancer: allowed_cidrs", one) for one in given["allowed_cidrs"]),
        subnets=tuple(sorted({*(given["subnets"] or ())})),
        **{
            field: given[field]
            for field in Balancer.__dataclass_fields__
            if field not in ("name", "allowed_cidrs", "subnets")
        },
    )


def _check_balancer_numbers(given: Mapping[str, Any]) -> None:
    between("load_balancer: listener_port", given["listener_port"], 1, HIGHEST_PORT)
    between("load_balancer: healthy_threshold", given["healthy_threshold"], 2, 10)
    between("load_balancer: unhealthy_threshold", given["unhealthy_threshold"], 2, 10)
    between("load_balancer: interval", given["interval"], 5, 300)
    between("load_balancer: timeout", given["timeout"], 2, 60)
    between("load_balancer: deregistration_delay", given["deregistration_delay"], 0, 3600)
    if given["timeout"] >= given["interval"]:
        raise InputError(f"load_balancer: timeout {given['timeout']} must be less than interval {given['interval']}")
    if not given["health_check_path"].startswith("/"):
        raise InputError(f"load_balancer: health_check_path {given['health_check_path']!r} must begin with a slash")
    if given["grace_period"] is not None:
        if given["type"] == "none":
            raise InputError("load_balancer: grace_period: there is none without a load balancer")
        between("load_balancer: grace_period", given["grace_period"], 0, LARGEST_INTEGER)


def balanced_port(balancer: Balancer, ports: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The port mapping that the load balancer leads to.

    Raises:
        InputError: the container has no such port, or one that this type of load balancer cannot reach.
    """
    numbers = [port["container_port"] for port in ports]
    if balancer.container_port is None and len(ports) != 1:
        raise InputError(f"load_balancer: container_port must be one of ports, {_listed(numbers)}")
    chosen = [port for port in ports if balancer.container_port in (None, port["container_port"])]
    if not chosen:
        raise InputError(
            f"load_balancer: container_port {balancer.container_port} is not one of ports, {_listed(numbers)}"
        )
    port = chosen[0]
    if balancer.classic and not port["host_port"]:
        raise InputError(
            "load_balancer: type classic needs a fixed host_port; an application or network load balancer "
            "finds the ones that ECS picks"
        )
    if port["protocol"] != "tcp":
        raise InputError(f"load_balancer: container_port {port['container_port']} is {port['protocol']}, not tcp")
    return port


def _listed(numbers: Collection[int]) -> str:
    return ", ".join(str(number) for number in numbers) or "of which there are none"
