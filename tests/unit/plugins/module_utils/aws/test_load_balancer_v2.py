# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Application and network load balancers, the target group of an app, the listener that joins them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.load_balancer_classic import LOAD_BALANCER
from ansible_collections.container.schedulers.plugins.module_utils._aws.load_balancer_v2 import (
    DELAY,
    LISTENER,
    TARGET_GROUP,
    Listeners,
    LoadBalancers,
    TargetGroups,
    group_spec,
    health_in_group,
    live_balancer,
    live_group,
    live_listener,
    read_v2,
    refuse_to_move,
    tags_of,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.names import app_mark, cluster_mark
from ansible_collections.container.schedulers.plugins.module_utils._aws.service_judgement import Health
from ansible_collections.container.schedulers.plugins.module_utils._compare import differences
from ansible_collections.container.schedulers.plugins.module_utils._errors import InputError, NotOursError
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Step
from unit.ecs_app import a_run, mark, options, upper_mark
from unit.scripted import Call, failure, scripted

PREFIX = "arn:aws:elasticloadbalancing:eu-west-1:123456789012"
ABOVE: dict[str, Any] = {
    "LoadBalancerArn": f"{PREFIX}:loadbalancer/app/one-lb/1",
    "LoadBalancerName": "one-lb",
    "DNSName": "one-lb.elb.example",
    "CanonicalHostedZoneId": "Z2",
    "Type": "application",
    "Scheme": "internet-facing",
    "VpcId": "vpc-1",
    "AvailabilityZones": [{"SubnetId": "subnet-2"}, {"SubnetId": "subnet-1"}],
    "SecurityGroups": ["sg-lb"],
}
GROUP: dict[str, Any] = {
    "TargetGroupArn": f"{PREFIX}:targetgroup/one-web/1",
    "TargetGroupName": "one-web",
    "VpcId": "vpc-1",
    "Protocol": "HTTP",
    "HealthCheckProtocol": "HTTP",
    "HealthCheckPath": "/",
    "HealthCheckIntervalSeconds": 10,
    "HealthCheckTimeoutSeconds": 5,
    "HealthyThresholdCount": 2,
    "UnhealthyThresholdCount": 3,
    "LoadBalancerArns": [ABOVE["LoadBalancerArn"]],
}
ON_80: dict[str, Any] = {
    "ListenerArn": f"{PREFIX}:listener/app/one-lb/1/2",
    "LoadBalancerArn": ABOVE["LoadBalancerArn"],
    "Port": 80,
    "Protocol": "HTTP",
    "DefaultActions": [{"Type": "forward", "TargetGroupArn": GROUP["TargetGroupArn"]}],
}
BALANCER = live_balancer(ABOVE, mark(LOAD_BALANCER))
TARGETS = live_group(GROUP, {DELAY: "30"}, mark(TARGET_GROUP))
JOINT = live_listener(ON_80, "one-lb", mark(LISTENER))


def tagged(*pairs: tuple[dict[str, Any], list[dict[str, str]]]) -> Call:
    arns = ("LoadBalancerArn", "TargetGroupArn", "ListenerArn")
    descriptions = [
        {"ResourceArn": next(one[arn] for arn in reversed(arns) if arn in one), "Tags": tags} for one, tags in pairs
    ]
    return Call("elbv2", "DescribeTags", {"TagDescriptions": descriptions})


BALANCERS = Call("elbv2", "DescribeLoadBalancers", {"LoadBalancers": [ABOVE]})
GROUPS = Call("elbv2", "DescribeTargetGroups", {"TargetGroups": [GROUP]})
LISTENERS = Call("elbv2", "DescribeListeners", {"Listeners": [{**ON_80, "Port": 90}, ON_80]})
ATTRIBUTES = Call("elbv2", "DescribeTargetGroupAttributes", {"Attributes": [{"Key": DELAY, "Value": "30"}]})


def read(*calls: Call, shared: bool = False, adopt: bool = False) -> dict[str, Live]:
    balancer = options(load_balancer={"type": "application", "name": "one-lb", "shared": shared}).balancer
    assert balancer
    above = cluster_mark("one") if shared else app_mark("one", "web")
    with scripted(*calls) as aws:
        return read_v2(a_run(aws), balancer, "one-web", above, adopt=adopt)


def test_all_three_are_read() -> None:
    tags = tagged((ABOVE, upper_mark(LOAD_BALANCER)), (GROUP, upper_mark(TARGET_GROUP)), (ON_80, upper_mark(LISTENER)))
    found = read(BALANCERS, GROUPS, LISTENERS, ATTRIBUTES, tags)
    assert found == {LOAD_BALANCER: BALANCER, TARGET_GROUP: TARGETS, LISTENER: JOINT}


def test_none_of_them_may_be_there() -> None:
    none = (
        Call("elbv2", "DescribeLoadBalancers", failure("LoadBalancerNotFound")),
        Call("elbv2", "DescribeTargetGroups", failure("TargetGroupNotFound")),
    )
    assert read(*none) == {}


@pytest.mark.parametrize(
    ("above", "group", "listener", "shared", "sentence"),
    [
        ([], upper_mark(TARGET_GROUP), upper_mark(LISTENER), False, "load balancer one-lb exists"),
        (upper_mark(LOAD_BALANCER), [], upper_mark(LISTENER), False, "target group one-web exists"),
        (
            upper_mark(LOAD_BALANCER, ""),
            upper_mark(TARGET_GROUP),
            upper_mark(LISTENER, "other"),
            True,
            "listener 80 of load balancer one-lb exists and belongs to app other of ecs/one",
        ),
        (upper_mark(LOAD_BALANCER, ""), upper_mark(TARGET_GROUP), upper_mark(LISTENER), False, "belongs to ecs/one"),
    ],
)
def test_what_is_somebody_elses_is_left_alone(
    above: list[Any], group: list[Any], listener: list[Any], shared: bool, sentence: str
) -> None:
    tags = tagged((ABOVE, above), (GROUP, group), (ON_80, listener))
    with pytest.raises(NotOursError, match=sentence):
        read(BALANCERS, GROUPS, LISTENERS, ATTRIBUTES, tags, shared=shared)


def test_tags_are_asked_for_twenty_at_a_time() -> None:
    calls = [
        Call("elbv2", "DescribeTags", {"TagDescriptions": []}, lambda given: len(given["ResourceArns"]) == 20),
        Call("elbv2", "DescribeTags", {"TagDescriptions": []}, lambda given: len(given["ResourceArns"]) == 1),
    ]
    with scripted(*calls) as aws:
        assert tags_of(a_run(aws), [str(number) for number in range(21)]) == {}


def wanted(kind: str = "application", **given: Any) -> dict[str, Any]:
    balancer = options(load_balancer={"type": kind, **given}).balancer
    assert balancer
    return group_spec(balancer)


def test_what_the_defaults_make_is_what_they_want() -> None:
    assert differences(wanted(), TARGETS.spec) == ()


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"health_check_path": "/ok"}, "health_check.path"),
        ({"unhealthy_threshold": 5}, "health_check.unhealthy_threshold"),
        ({"deregistration_delay": 0}, "deregistration_delay"),
    ],
)
def test_a_difference_is_seen_and_named(given: dict[str, Any], path: str) -> None:
    assert [one.path for one in differences(wanted(**given), TARGETS.spec)] == [path]


def test_a_network_load_balancer_only_connects() -> None:
    assert wanted("network")["protocol"] == "TCP"
    assert "path" not in wanted("network")["health_check"]


def step(live: Live, **changes: Any) -> Step:
    spec = {**live.spec, **changes}
    return Step("update", live.key, live.kind, live.name, spec, live, differences(changes, live.spec))


def create(live: Live) -> Step:
    return Step("create", live.key, live.kind, live.name, live.spec)


def test_a_load_balancer_is_made_with_its_mark() -> None:
    expected = {"Name": "one-lb", "Type": "application", "SecurityGroups": ["sg-lb"], "Tags": upper_mark(LOAD_BALANCER)}
    with scripted(Call("elbv2", "CreateLoadBalancer", {"LoadBalancers": [ABOVE]}, expected)) as aws:
        assert LoadBalancers(a_run(aws)).create(create(BALANCER), BALANCER.spec) == BALANCER


LOST = failure("InternalFailure", "oops", 500)


def test_a_load_balancer_whose_answer_was_lost_is_looked_up() -> None:
    lost = Call("elbv2", "CreateLoadBalancer", LOST)
    with scripted(lost, BALANCERS, tagged((ABOVE, upper_mark(LOAD_BALANCER)))) as aws:
        assert LoadBalancers(a_run(aws)).create(create(BALANCER), BALANCER.spec) == BALANCER


def test_a_load_balancer_that_was_really_lost_is_made_again() -> None:
    calls = (
        Call("elbv2", "CreateLoadBalancer", LOST),
        Call("elbv2", "DescribeLoadBalancers", failure("LoadBalancerNotFound"), times=3),
        Call("elbv2", "CreateLoadBalancer", {"LoadBalancers": [ABOVE]}),
    )
    with scripted(*calls) as aws:
        assert LoadBalancers(a_run(aws)).create(create(BALANCER), BALANCER.spec) == BALANCER


@pytest.mark.parametrize(
    ("changes", "call"),
    [
        ({"security_groups": ["sg-2"]}, Call("elbv2", "SetSecurityGroups", {}, {"SecurityGroups": ["sg-2"]})),
        ({"subnets": ["subnet-3"]}, Call("elbv2", "SetSubnets", {}, {"Subnets": ["subnet-3"]})),
        ({"tags": {"a": "b"}}, Call("elbv2", "AddTags", {}, {"Tags": [{"Key": "a", "Value": "b"}]})),
    ],
)
def test_an_update_of_a_load_balancer_does_what_differs(changes: dict[str, Any], call: Call) -> None:
    doing = step(BALANCER, **changes)
    with scripted(call) as aws:
        LoadBalancers(a_run(aws)).update(doing, doing.spec, BALANCER)


DELAYED = Call("elbv2", "ModifyTargetGroupAttributes", {}, {"Attributes": [{"Key": DELAY, "Value": "30"}]})


def test_a_target_group_is_made_with_its_mark() -> None:
    expected = {"Name": "one-web", "TargetType": "instance", "HealthCheckPath": "/", "Tags": upper_mark(TARGET_GROUP)}
    with scripted(Call("elbv2", "CreateTargetGroup", {"TargetGroups": [GROUP]}, expected), DELAYED) as aws:
        assert TargetGroups(a_run(aws)).create(create(TARGETS), TARGETS.spec) == TARGETS


def test_a_target_group_that_another_run_has_made_is_used() -> None:
    taken = Call("elbv2", "CreateTargetGroup", failure("DuplicateTargetGroupName"))
    with scripted(taken, GROUPS, tagged((GROUP, upper_mark(TARGET_GROUP))), DELAYED) as aws:
        assert TargetGroups(a_run(aws)).create(create(TARGETS), TARGETS.spec) == TARGETS


@pytest.mark.parametrize(
    ("changes", "call"),
    [
        ({"deregistration_delay": 31}, Call("elbv2", "ModifyTargetGroupAttributes")),
        (
            {"health_check": {**TARGETS.spec["health_check"], "path": "/ok"}},
            Call("elbv2", "ModifyTargetGroup", {}, {"HealthCheckPath": "/ok"}),
        ),
        ({"tags": {"a": "b"}}, Call("elbv2", "AddTags")),
    ],
)
def test_an_update_of_a_target_group_does_what_differs(changes: dict[str, Any], call: Call) -> None:
    doing = step(TARGETS, **changes)
    with scripted(call) as aws:
        TargetGroups(a_run(aws)).update(doing, doing.spec, TARGETS)


def test_an_app_whose_target_group_has_the_name_of_anothers_is_told_to_take_another_name_itself() -> None:
    """App c of cluster a-b, and app b-c of cluster a: no option names the target group."""
    theirs = upper_mark(TARGET_GROUP, "other")
    tags = tagged((ABOVE, upper_mark(LOAD_BALANCER)), (GROUP, theirs), (ON_80, upper_mark(LISTENER)))
    with pytest.raises(NotOursError) as found:
        read(BALANCERS, GROUPS, LISTENERS, ATTRIBUTES, tags)
    taken = Call("elbv2", "CreateTargetGroup", failure("DuplicateTargetGroupName"))
    with scripted(taken, GROUPS, tagged((GROUP, theirs))) as aws, pytest.raises(NotOursError) as raced:
        TargetGroups(a_run(aws)).create(create(TARGETS), TARGETS.spec)

    for error in (found.value, raced.value):
        assert str(error.hint).startswith("Choose another name for the app: that of the target group is made of")


def test_a_listener_is_made_with_its_mark() -> None:
    expected = {"Port": 80, "DefaultActions": ON_80["DefaultActions"], "Tags": upper_mark(LISTENER)}
    with scripted(Call("elbv2", "CreateListener", {"Listeners": [ON_80]}, expected)) as aws:
        assert Listeners(a_run(aws)).create(create(JOINT), JOINT.spec).id == JOINT.id


def test_a_listener_that_another_run_has_made_is_used() -> None:
    taken = Call("elbv2", "CreateListener", failure("DuplicateListener"))
    with scripted(taken, LISTENERS, tagged((ON_80, upper_mark(LISTENER)))) as aws:
        assert Listeners(a_run(aws)).create(create(JOINT), JOINT.spec).id == JOINT.id


def test_a_listener_that_another_app_has_made_is_left_alone() -> None:
    taken = Call("elbv2", "CreateListener", failure("DuplicateListener"))
    with (
        scripted(taken, LISTENERS, tagged((ON_80, upper_mark(LISTENER, "other")))) as aws,
        pytest.raises(NotOursError, match="belongs to app other"),
    ):
        Listeners(a_run(aws)).create(create(JOINT), JOINT.spec)


def test_a_listener_that_was_really_lost_is_made_again() -> None:
    calls = (
        Call("elbv2", "CreateListener", LOST),
        Call("elbv2", "DescribeListeners", {"Listeners": []}, times=3),
        Call("elbv2", "CreateListener", {"Listeners": [ON_80]}),
    )
    with scripted(*calls) as aws:
        assert Listeners(a_run(aws)).create(create(JOINT), JOINT.spec).id == JOINT.id


@pytest.mark.parametrize(
    ("changes", "call"),
    [
        ({"target_group": "arn:2"}, Call("elbv2", "ModifyListener", {}, {"ListenerArn": JOINT.id})),
        ({"tags": {"a": "b"}}, Call("elbv2", "AddTags", {}, {"ResourceArns": [JOINT.id]})),
    ],
)
def test_an_update_of_a_listener_does_what_differs(changes: dict[str, Any], call: Call) -> None:
    doing = step(JOINT, **changes)
    with scripted(call) as aws:
        Listeners(a_run(aws)).update(doing, doing.spec, JOINT)


def test_all_are_deleted_by_arn() -> None:
    with scripted(
        Call("elbv2", "DeleteListener", {}, {"ListenerArn": JOINT.id}),
        Call("elbv2", "DeleteTargetGroup", {}, {"TargetGroupArn": TARGETS.id}),
        Call("elbv2", "DeleteLoadBalancer", {}, {"LoadBalancerArn": BALANCER.id}),
    ) as aws:
        run = a_run(aws)
        for handler, live in ((Listeners(run), JOINT), (TargetGroups(run), TARGETS), (LoadBalancers(run), BALANCER)):
            handler.delete(Step("delete", live.key, live.kind, live.name, live=live), live)


def test_healthy_targets_are_counted() -> None:
    states = [{"TargetHealth": {"State": state}} for state in ("healthy", "initial", "healthy")]
    unused = {"State": "unused", "Description": "Target is in another zone"}
    states.append({"TargetHealth": unused})
    with scripted(Call("elbv2", "DescribeTargetHealth", {"TargetHealthDescriptions": states})) as aws:
        assert health_in_group(a_run(aws), TARGETS.id) == Health(2, ["", unused["Description"]])


@pytest.mark.parametrize(
    ("above", "port", "why"),
    [
        (ABOVE, 80, ""),
        (ABOVE, 8080, "the app is at port 80, and cannot be moved to 8080"),
        (None, 80, "the app is behind one-lb, and cannot be moved to other-lb"),
        ({**ABOVE, "LoadBalancerArn": f"{PREFIX}:loadbalancer/app/other-lb/2"}, 80, "the app is behind one-lb"),
    ],
)
def test_an_app_stays_where_it_is(above: dict[str, Any] | None, port: int, why: str) -> None:
    """A target group can be behind one load balancer only, and who moves would leave a listener behind."""
    name = "one-lb" if above is ABOVE else "other-lb"
    balancer = options(load_balancer={"type": "application", "name": name, "listener_port": port}).balancer
    assert balancer
    listeners = [ON_80] if above is ABOVE else []
    if not why:
        refuse_to_move(balancer, above, GROUP, listeners)
        return
    with pytest.raises(InputError, match=why):
        refuse_to_move(balancer, above, GROUP, listeners)


def test_an_app_stays_behind_its_kind_of_load_balancer() -> None:
    balancer = options(load_balancer={"type": "network", "name": "one-lb"}).balancer
    assert balancer
    with pytest.raises(InputError, match=r"load_balancer.type: the app is behind one-lb, which is application"):
        refuse_to_move(balancer, ABOVE, GROUP, [ON_80])


def test_a_target_group_that_is_behind_none_yet_is_not_behind_a_strangers_of_another_kind() -> None:
    """That the load balancer is somebody else's is then said instead."""
    balancer = options(load_balancer={"type": "network", "name": "one-lb"}).balancer
    assert balancer
    refuse_to_move(balancer, ABOVE, {**GROUP, "LoadBalancerArns": []}, [])
