# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports of hosts: each can be taken once on each host, and what finds none free is never started. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._errors import InputError
from .launch_config import host_port


@dataclass(frozen=True)
class Claim:
    """What a service wants of the hosts.

    Attributes:
        ports: those without a port of the host, or with an address, claim nothing.
        count: on how many hosts it runs; None for all of them.
        own: the ids of services whose ports are this one's already.
    """

    service: str
    ports: Collection[str]
    count: int | None = 1
    own: Collection[str] = ()

    def hosts(self, active: int) -> int:
        """On how many of the active hosts it runs."""
        return active if self.count is None else self.count

    @property
    def numbers(self) -> list[int]:
        """The ports of hosts that are claimed."""
        found = map(host_port, self.ports)
        return sorted({one[0] for one in found if one})


HINT = "Give another port, or let Rancher choose one by giving the port of the container alone."


def refuse_taken(claims: Sequence[Claim], hosts: Collection[Mapping[str, Any]]) -> None:
    """Refuse what finds too few hosts with its ports free.

    Raises:
        InputError: names the port, and the hosts' names or the other service.
    """
    active = [host for host in hosts if host.get("state") == "active"]
    if not active:
        return
    for number, claim in enumerate(claims):
        for port in claim.numbers:
            taken = [str(host.get("hostname") or host["id"]) for host in active if _is_taken(host, port, claim.own)]
            free, needed = len(active) - len(taken), claim.hosts(len(active))
            if taken and free < needed:
                where = f"{', '.join(sorted(taken))}; it is free on {free} of {len(active)}" if free else "all hosts"
                raise InputError(
                    f"services: {claim.service} wants port {port}, which is already used on {where}", hint=HINT
                )
            others = [one for one in claims[:number] if port in one.numbers]
            if others and free < needed + sum(one.hosts(len(active)) for one in others):
                names = " and ".join(one.service for one in (*others, claim))
                raise InputError(f"services: {names} want port {port}, for which there are {free} hosts", hint=HINT)


def _is_taken(host: Mapping[str, Any], port: int, own: Collection[str]) -> bool:
    return any(one.get("port") == port and one.get("serviceId") not in own for one in host.get("publicEndpoints") or ())
