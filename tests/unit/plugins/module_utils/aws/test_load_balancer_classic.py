# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Classic load balancers: one's own is as the options say, a shared one is shared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.load_balancer_classic import (
    LOAD_BALANCER,
    ClassicLoadBalancers,
    health_behind_classic,
    instance_port,
    normalised,
    own_spec,
    read_classic,
    shared_spec,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.service_judgement import Health
from ansible_collections.container.schedulers.plugins.module_utils._compare import differences
from ansible_collections.container.schedulers.plugins.module_utils._errors import NotOursError
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Step
from unit.ecs_app import CLASSIC_ATTRIBUTES, a_run, classic, mark, options, upper_mark
from unit.scripted import Call, failure, scripted

TAGS = mark(LOAD_BALANCER)
ATTRIBUTES = CLASSIC_ATTRIBUTES["LoadBalancerAttributes"]
SPEC = normalised(classic(), ATTRIBUTES, TAGS)
WHEREABOUTS = {"address": "one-lb.elb.example", "zone_id": "Z1"}
LIVE = Live(LOAD_BALANCER, "classic_load_balancer", "one-lb", "one-lb", SPEC, WHEREABOUTS)
CREATE = Step("create", LOAD_BALANCER, "classic_load_balancer", "one-lb", SPEC)
NONE = Call("elb", "DescribeLoadBalancers", failure("LoadBalancerNotFound"))


def own(**given: Any) -> dict[str, Any]:
    balancer = options(load_balancer={"type": "classic", **given}).balancer
    assert balancer
    return own_spec(balancer, 80)


def looks(tags: list[dict[str, str]]) -> tuple[Call, ...]:
    return (
        Call("elb", "DescribeLoadBalancers", {"LoadBalancerDescriptions": [classic()]}),
        Call("elb", "DescribeTags", {"TagDescriptions": [{"Tags": tags}]}),
        Call("elb", "DescribeLoadBalancerAttributes", dict(CLASSIC_ATTRIBUTES)),
    )


def test_what_the_defaults_make_is_what_they_want() -> None:
    assert differences(own(), SPEC) == ()


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"listener_port": 8080}, "listeners.8080"),
        ({"health_check_path": "/ok"}, "health_check.target"),
        ({"interval": 20}, "health_check.interval"),
        ({"deregistration_delay": 0}, "draining_seconds"),
        ({"scheme": "internal"}, "scheme"),
    ],
)
def test_a_difference_is_seen_and_named(given: dict[str, Any], path: str) -> None:
    assert path in [one.path for one in differences(own(**given), SPEC)]


def test_the_listener_before_is_too_many_on_ones_own() -> None:
    assert [one.path for one in differences(own(listener_port=8080), SPEC)] == ["listeners.80", "listeners.8080"]


def test_the_listeners_of_others_stay_on_a_shared_one() -> None:
    spec = shared_spec(own(listener_port=8080), SPEC, 8080)
    assert [one.path for one in differences(spec, SPEC)] == ["listeners.8080"]


@pytest.mark.parametrize(
    ("target", "listeners", "managed"),
    [
        ("HTTP:80/", {"80": "HTTP to HTTP 80"}, True),  # the app's own port
        ("HTTP:9090/x", {"80": "HTTP to HTTP 80", "9090": "HTTP to HTTP 9090"}, False),  # another app's
        ("HTTP:9090/x", {"80": "HTTP to HTTP 80"}, True),  # that of an app which is gone
        ("TCP:9090", {"9090": "HTTP to HTTP 9090"}, False),
        ("HTTP:8080/", {"80": "HTTP to HTTP 8080"}, True),  # the port that the app itself had before
    ],
)
def test_a_shared_one_has_one_health_check_and_draining(target: str, listeners: dict[str, str], managed: bool) -> None:
    live = {**SPEC, "health_check": {**SPEC["health_check"], "target": target}, "listeners": listeners}
    shared = shared_spec(own(), live, 80)
    assert ("health_check" in shared) is ("draining_seconds" in shared) is managed


def test_a_new_shared_one_is_like_ones_own() -> None:
    assert shared_spec(own(), None, 80) == own()


@pytest.mark.parametrize(("text", "port"), [("HTTP:80/", 80), ("TCP:443", 443), ("HTTP to HTTP 8080", 8080)])
def test_the_port_of_the_instances(text: str, port: int) -> None:
    assert instance_port(text) == port


def test_it_is_read_with_tags_and_attributes() -> None:
    with scripted(*looks(upper_mark(LOAD_BALANCER))) as aws:
        assert read_classic(a_run(aws), "one-lb", adopt=False) == LIVE


def test_that_of_somebody_else_is_left_alone() -> None:
    with (
        scripted(*looks([])) as aws,
        pytest.raises(NotOursError, match="classic load balancer one-lb exists and was not"),
    ):
        read_classic(a_run(aws), "one-lb", adopt=False)


def test_there_may_be_none() -> None:
    with scripted(NONE) as aws:
        assert read_classic(a_run(aws), "one-lb", adopt=False) is None


SETTINGS = (Call("elb", "ModifyLoadBalancerAttributes"), Call("elb", "ConfigureHealthCheck"), looks([])[0])


@pytest.mark.parametrize(("scheme", "said"), [("internet-facing", None), ("internal", "internal")])
def test_it_is_made_with_its_mark(scheme: str, said: str | None) -> None:
    listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstanceProtocol": "HTTP", "InstancePort": 80}
    expected = {"Tags": upper_mark(LOAD_BALANCER), "Listeners": [listener], "Scheme": said}
    with scripted(Call("elb", "CreateLoadBalancer", {"DNSName": "one-lb.elb.example"}, expected), *SETTINGS) as aws:
        made = ClassicLoadBalancers(a_run(aws)).create(CREATE, {**SPEC, "scheme": scheme})
    assert made.attributes == WHEREABOUTS  # the answer to the creation does not have all of it


@pytest.mark.parametrize("code", ["DuplicateLoadBalancerName", "InternalFailure"])
def test_one_that_was_made_already_is_used(code: str) -> None:
    """By another run, or by a call whose answer was lost. It is looked at once."""
    refused = Call("elb", "CreateLoadBalancer", failure(code, status=500 if code == "InternalFailure" else 400))
    with scripted(refused, *looks(upper_mark(LOAD_BALANCER)), *SETTINGS[:2]) as aws:
        assert ClassicLoadBalancers(a_run(aws)).create(CREATE, SPEC).attributes == LIVE.attributes


def changed(**wanted: Any) -> Step:
    spec = {**SPEC, **wanted}
    return Step("update", LOAD_BALANCER, "classic_load_balancer", "one-lb", spec, LIVE, differences(wanted, SPEC))


@pytest.mark.parametrize(
    ("wanted", "calls"),
    [
        ({"health_check": {**SPEC["health_check"], "interval": 20}}, [Call("elb", "ConfigureHealthCheck")]),
        (
            {"draining_seconds": 0},
            [
                Call(
                    "elb",
                    "ModifyLoadBalancerAttributes",
                    {},
                    {
                        "LoadBalancerAttributes": {
                            "ConnectionDraining": {"Enabled": False},
                            "CrossZoneLoadBalancing": {"Enabled": True},
                        }
                    },
                )
            ],
        ),
        (
            {"listeners": {"8080": "HTTP to HTTP 80"}},
            [
                Call("elb", "DeleteLoadBalancerListeners", {}, {"LoadBalancerPorts": [80]}),
                Call("elb", "CreateLoadBalancerListeners"),
            ],
        ),
        ({"listeners": {}}, [Call("elb", "DeleteLoadBalancerListeners")]),
        (
            {"security_groups": ["sg-2"]},
            [Call("elb", "ApplySecurityGroupsToLoadBalancer", {}, {"SecurityGroups": ["sg-2"]})],
        ),
        ({"tags": {"a": "b"}}, [Call("elb", "AddTags", {}, {"Tags": [{"Key": "a", "Value": "b"}]})]),
    ],
)
def test_an_update_does_what_differs(wanted: dict[str, Any], calls: list[Call]) -> None:
    step = changed(**wanted)
    with scripted(*calls) as aws:
        ClassicLoadBalancers(a_run(aws)).update(step, step.spec, LIVE)


ATTACH, DETACH = "AttachLoadBalancerToSubnets", "DetachLoadBalancerFromSubnets"


@pytest.mark.parametrize(
    ("there", "wanted", "calls"),
    [
        ("a1 b1", "a1 c1", [(ATTACH, "c1"), (DETACH, "b1")]),
        ("a1 b1", "a2 b2", [(DETACH, "a1"), (ATTACH, "a2"), (DETACH, "b1"), (ATTACH, "b2")]),
        ("a1 b1", "a2", [(DETACH, "a1"), (ATTACH, "a2"), (DETACH, "b1")]),
        ("a1", "a2 b1", [(ATTACH, "b1"), (DETACH, "a1"), (ATTACH, "a2")]),
        ("a1", "a1 b1 c1", [(ATTACH, "b1 c1")]),
        ("a1 b1", "b1", [(DETACH, "a1")]),
    ],
)
def test_it_moves_zone_by_zone(there: str, wanted: str, calls: list[tuple[str, str]]) -> None:
    """It is in one subnet of a zone, and never in none; a subnet is named by its zone here."""
    before, after = there.split(), wanted.split()
    looks_at = [sorted({*after} - {*before}), sorted({*before} - {*after})]
    described = [
        Call("ec2", "DescribeSubnets", {"Subnets": [{"SubnetId": one, "AvailabilityZone": one[0]} for one in some]})
        for some in looks_at
        if some
    ]
    live = replace(LIVE, spec={**SPEC, "subnets": before})
    spec = {"subnets": after}
    step = Step("update", LIVE.key, LIVE.kind, LIVE.name, spec, live, differences(spec, live.spec))
    changes = [Call("elb", operation, {}, {"Subnets": subnets.split()}) for operation, subnets in calls]
    with scripted(*described, *changes) as aws:
        ClassicLoadBalancers(a_run(aws)).update(step, spec, live)


def test_draining_that_another_app_manages_stays_when_something_else_changes() -> None:
    there = Live(LIVE.key, LIVE.kind, LIVE.name, LIVE.id, {**SPEC, "draining_seconds": 300, "cross_zone": False})
    spec = {"cross_zone": True}
    step = Step("update", LIVE.key, LIVE.kind, LIVE.name, spec, there, differences(spec, there.spec))
    attributes = {
        "ConnectionDraining": {"Enabled": True, "Timeout": 300},
        "CrossZoneLoadBalancing": {"Enabled": True},
    }
    with scripted(Call("elb", "ModifyLoadBalancerAttributes", {}, {"LoadBalancerAttributes": attributes})) as aws:
        ClassicLoadBalancers(a_run(aws)).update(step, spec, there)


def test_it_is_deleted_by_name() -> None:
    step = Step("delete", LOAD_BALANCER, "classic_load_balancer", "one-lb", live=LIVE)
    with scripted(Call("elb", "DeleteLoadBalancer", {}, {"LoadBalancerName": "one-lb"})) as aws:
        ClassicLoadBalancers(a_run(aws)).delete(step, LIVE)


def test_instances_in_service_are_counted() -> None:
    states = [{"State": "InService"}, {"State": "OutOfService", "Description": "why"}, {"State": "InService"}]
    with scripted(Call("elb", "DescribeInstanceHealth", {"InstanceStates": states})) as aws:
        assert health_behind_classic(a_run(aws), "one-lb") == Health(2, ["why"])
