# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Placement by tables: what fits, what is preferred, what is said when nothing fits."""

from __future__ import annotations

import random
from typing import Any

import pytest
from lab.aws.ecs.query import ExpressionError, matches
from lab.aws.ecs.scheduler import Host, Needs, Placement, Refusal, Rule, choose, dynamic_port, next_to_stop

WEB = "service:web"


def host(name: str, **given: object) -> Host:
    values: dict[str, Any] = {"zone": "a", "cpu": 1024, "memory": 1000, **given}
    found = Host(name, **values)
    found.attributes.setdefault("ecs.availability-zone", found.zone)
    return found


@pytest.mark.parametrize(
    ("needs", "given", "verdict"),
    [
        (Needs(memory=1000), {}, None),
        (Needs(memory=1001), {}, "MEMORY"),
        (Needs(cpu=1025), {}, "CPU"),
        (Needs(ports=frozenset({(80, "tcp")})), {"ports": {(80, "tcp")}}, "PORTS"),
        (Needs(ports=frozenset({(80, "udp")})), {"ports": {(80, "tcp")}}, None),
        (Needs(attributes=frozenset({"gpu"})), {}, "ATTRIBUTE"),
        (Needs(attributes=frozenset({"gpu"})), {"attributes": {"gpu": None}}, None),
    ],
)
def test_what_fits(needs: Needs, given: dict[str, object], verdict: str | None) -> None:
    assert host("h", **given).fits(needs) == verdict


def test_without_a_strategy_zones_are_filled_evenly_and_then_hosts() -> None:
    hosts = [host("a1"), host("a2"), host("b1", zone="b")]
    chosen = []
    for _unused in range(6):
        found = choose(Needs(), hosts, WEB)
        assert isinstance(found, Host)
        found.groups[WEB] = found.groups.get(WEB, 0) + 1
        chosen.append(found.id)
    assert chosen == ["a1", "b1", "a2", "b1", "a1", "b1"]


@pytest.mark.parametrize(
    ("strategies", "expected"),
    [
        ((Rule("binpack", "memory"),), "full"),
        ((Rule("binpack", "cpu"),), "busy"),
        ((Rule("spread", "attribute:rack"), Rule("binpack", "memory")), "busy"),
        ((Rule("spread", "instanceId"),), "empty"),
    ],
)
def test_strategies(strategies: tuple[Rule, ...], expected: str) -> None:
    hosts = [
        host("full", memory=100, attributes={"rack": "1"}, groups={WEB: 1}),
        host("busy", cpu=10, attributes={"rack": "2"}, groups={WEB: 0.5}),
        host("empty", memory=5000, attributes={"rack": "1"}),
    ]
    found = choose(Needs(memory=50), hosts, WEB, Placement(strategies=strategies))
    assert isinstance(found, Host)
    assert found.id == expected


def test_random_takes_any_that_fits() -> None:
    hosts = [host(str(number)) for number in range(5)]
    placement = Placement(strategies=(Rule("random"),))
    found = {getattr(choose(Needs(), hosts, WEB, placement, random.Random(seed)), "id", "") for seed in range(30)}
    assert len(found) == 5


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        (Rule("distinctInstance"), "free"),
        (Rule("memberOf", "attribute:ecs.instance-type == t3.small"), "used"),
        (Rule("memberOf", "attribute:ecs.instance-type =~ m5.*"), "free"),
        (Rule("memberOf", "attribute:ecs.instance-type == c5.large"), None),
    ],
)
def test_constraints(constraint: Rule, expected: str | None) -> None:
    hosts = [
        host("used", attributes={"ecs.instance-type": "t3.small"}, groups={WEB: 1}),
        host("free", attributes={"ecs.instance-type": "m5.large"}, groups={"service:other": 3}),
    ]
    found = choose(Needs(), hosts, WEB, Placement(constraints=(constraint,)))
    assert (found.id if isinstance(found, Host) else None) == expected


def test_a_refusal_names_the_closest_host() -> None:
    hosts = [host("small", memory=1), host("taken", ports={(80, "tcp")})]
    assert choose(Needs(memory=10, ports=frozenset({(80, "tcp")})), hosts, WEB) == Refusal("taken", "PORTS")
    assert choose(Needs(memory=10), hosts[:1], WEB) == Refusal("small", "MEMORY")
    assert choose(Needs(), [], WEB) == Refusal()


def test_scaling_in_keeps_zones_and_hosts_balanced() -> None:
    tasks = {"1": ("a", "a1"), "2": ("a", "a1"), "3": ("a", "a2"), "4": ("b", "b1")}
    assert next_to_stop(tasks, 2) == ["1", "2"]
    assert next_to_stop(tasks, 3) == ["1", "2", "3"]
    assert next_to_stop(tasks, 9) == ["1", "2", "3", "4"]


def test_dynamic_ports_start_at_32768_and_go_round() -> None:
    assert dynamic_port(set(), "tcp") == 32768
    assert dynamic_port({(32768, "tcp")}, "tcp") == 32769
    assert dynamic_port({(32768, "tcp")}, "udp") == 32768
    assert dynamic_port(set(), "tcp", first=40000) == 40000


FACTS = {
    "ecs.instance-type": "t3.small",
    "stack": "prod",
    "agentConnected": "true",
    "runningTasksCount": "3",
    "flag": None,
}


@pytest.mark.parametrize(
    ("expression", "verdict"),
    [
        ("agentConnected == true", True),
        ("attribute:stack == prod and runningTasksCount >= 3", True),
        ("attribute:stack == prod and runningTasksCount > 3", False),
        ("attribute:stack != prod or attribute:ecs.instance-type =~ t3.*", True),
        ("attribute:ecs.instance-type in [t3.micro, t3.small]", True),
        ("attribute:ecs.instance-type not_in [t3.micro,t3.small]", False),
        ("not (attribute:stack == prod)", False),
        ("!(attribute:stack == prod)", False),
        ("attribute:flag exists && attribute:other not_exists", True),
        ('attribute:stack == "prod"', True),
        ("attribute:other =~ .*", False),
    ],
)
def test_the_query_language(expression: str, verdict: bool) -> None:
    assert matches(expression, FACTS) is verdict


@pytest.mark.parametrize(
    "expression", ["", "attribute:stack", "attribute:stack ==", "(a == b", "a == b c == d", "a ~ b"]
)
def test_what_is_not_in_the_query_language(expression: str) -> None:
    with pytest.raises(ExpressionError):
        matches(expression, FACTS)
