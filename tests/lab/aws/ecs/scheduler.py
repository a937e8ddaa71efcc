# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a task goes: constraints first, then strategies, as ECS documents it. Pure: nothing is changed here."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lab.aws.ecs.query import matches

Port = tuple[int, str]
"""A host port with its protocol: (80, "tcp")."""
FIRST_DYNAMIC_PORT = 32768
LAST_DYNAMIC_PORT = 60999


@dataclass(frozen=True)
class Needs:
    """What a task asks of a host: CPU units, MiB (hard limit, else reservation), fixed host ports, attributes."""

    cpu: int = 0
    memory: int = 0
    ports: frozenset[Port] = frozenset()
    attributes: frozenset[str] = frozenset()


@dataclass
class Host:
    """A container instance as the scheduler sees it; what is free is kept up to date by whoever places tasks."""

    id: str
    zone: str = ""
    cpu: int = 0
    memory: int = 0
    ports: set[Port] = field(default_factory=set)
    """Ports taken."""
    attributes: dict[str, str | None] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    """Tasks here by task group (`service:NAME`)."""

    def fits(self, needs: Needs) -> str | None:
        """None, or what is wrong, as RunTask's failures name it (MEMORY, CPU, PORTS, ATTRIBUTE)."""
        if not needs.attributes <= self.attributes.keys():
            return "ATTRIBUTE"
        if needs.ports & self.ports:
            return "PORTS"
        if needs.memory > self.memory:
            return "MEMORY"
        if needs.cpu > self.cpu:
            return "CPU"
        return None


WORDS = {
    "ATTRIBUTE": "is missing an attribute required by your task",
    "PORTS": "is already using a port required by your task",
    "MEMORY": "has insufficient memory available",
    "CPU": "has insufficient CPU units available",
    "AGENT": "encountered error 'AGENT'",
    "CONSTRAINT": "does not satisfy a placement constraint",
}
"""The same in the words of a service event."""
_NEARNESS = ("PORTS", "CPU", "MEMORY", "ATTRIBUTE", "CONSTRAINT")


@dataclass(frozen=True)
class Refusal:
    """No host takes the task: why the closest one does not (host None: there is no host at all)."""

    host: str | None = None
    why: str = ""


@dataclass(frozen=True)
class Rule:
    """A placement constraint or strategy as the API has it: type and expression or field."""

    type: str
    field: str = ""


@dataclass(frozen=True)
class Placement:
    """How a service or task wants its hosts to be chosen."""

    constraints: tuple[Rule, ...] = ()
    strategies: tuple[Rule, ...] = ()


DEFAULT_STRATEGIES = (Rule("spread", "attribute:ecs.availability-zone"), Rule("spread", "instanceId"))


def choose(
    needs: Needs,
    hosts: Iterable[Host],
    group: str,
    placement: Placement = Placement(),
    chance: random.Random | None = None,
) -> Host | Refusal:
    """The host for one more task of `group`."""
    admitted: list[Host] = []
    refused: dict[str, Host] = {}
    for host in hosts:
        why = host.fits(needs) if meets(host, group, placement.constraints) else "CONSTRAINT"
        if why is None:
            admitted.append(host)
        else:
            refused.setdefault(why, host)
    if admitted:
        return _best(admitted, group, placement.strategies or DEFAULT_STRATEGIES, chance or random.Random(0))
    for why in _NEARNESS:
        if why in refused:
            return Refusal(refused[why].id, why)
    return Refusal()


def meets(host: Host, group: str, constraints: Sequence[Rule]) -> bool:
    """Does the host satisfy all constraints for one more task of the group?"""
    return all(
        not host.groups.get(group) if rule.type == "distinctInstance" else matches(rule.field, host.attributes)
        for rule in constraints
    )


def next_to_stop(tasks: Mapping[str, tuple[str, str]], count: int) -> list[str]:
    """Which of the tasks (id: (zone, host)) to stop when scaling in: fullest zone first, there the fullest host."""
    left = dict(tasks)
    chosen: list[str] = []
    for _unused in range(min(count, len(left))):
        zones = _count(zone for zone, _unused in left.values())
        hosts = _count(host for _unused, host in left.values())
        task = max(left, key=lambda task: (zones[left[task][0]], hosts[left[task][1]]))
        chosen.append(task)
        del left[task]
    return chosen


def dynamic_port(taken: Collection[Port], protocol: str, first: int = FIRST_DYNAMIC_PORT) -> int | None:
    """The next free port of the ephemeral range."""
    for port in itertools.chain(range(first, LAST_DYNAMIC_PORT + 1), range(FIRST_DYNAMIC_PORT, first)):
        if (port, protocol) not in taken:
            return port
    return None


def _best(hosts: list[Host], group: str, strategies: Sequence[Rule], chance: random.Random) -> Host:
    for rule in strategies:
        hosts = _prefer(hosts, rule, group, chance)
        if len(hosts) == 1:
            break
    return hosts[0]


def _prefer(hosts: list[Host], rule: Rule, group: str, chance: random.Random) -> list[Host]:
    if rule.type == "random":
        return [chance.choice(hosts)]
    rank: Callable[[Host], int]
    if rule.type == "binpack":
        rank = _memory_left if rule.field.lower() == "memory" else _cpu_left
    else:
        rank = _spread_rank(hosts, rule.field, group)
    best = min(map(rank, hosts))
    return [host for host in hosts if rank(host) == best]


def _memory_left(host: Host) -> int:
    return host.memory


def _cpu_left(host: Host) -> int:
    return host.cpu


def _spread_rank(hosts: list[Host], field_name: str, group: str) -> Callable[[Host], int]:
    name = field_name.removeprefix("attribute:")
    if name in ("instanceId", "host"):
        return lambda host: host.groups.get(group, 0)
    counts: dict[str | None, int] = {}
    for host in hosts:
        value = host.attributes.get(name)
        counts[value] = counts.get(value, 0) + host.groups.get(group, 0)
    return lambda host: counts[host.attributes.get(name)]


def _count(values: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return counts
