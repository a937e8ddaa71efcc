# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the load balancer of an app can be."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.cluster_network import (
    check_balancer_subnets,
    instance_subnets,
    refuse_change_within_zone,
)
from ansible_collections.container.schedulers.plugins.module_utils._errors import InputError
from unit.ecs_app import options
from unit.scripted import Call, failure, scripted


def refusal(why: str) -> AbstractContextManager[Any]:
    """That something is refused for a reason, or not at all."""
    return pytest.raises(InputError, match=why) if why else nullcontext()


def subnet(number: int, zone: str, vpc: str = "vpc-1") -> dict[str, str]:
    return {"SubnetId": f"subnet-{number}", "AvailabilityZone": zone, "VpcId": vpc}


def of_cluster(*zones: str, text: str = "subnet-2, subnet-1") -> list[Call]:
    group = {"VPCZoneIdentifier": text}
    found = [subnet(number, zone) for number, zone in enumerate(zones, 1)]
    return [
        Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": [group]}),
        Call("ec2", "DescribeSubnets", {"Subnets": found}, {"SubnetIds": ["subnet-1", "subnet-2"]}),
    ]


@pytest.mark.parametrize("text", ["subnet-2, subnet-1", "subnet-1,subnet-2"])
def test_an_app_finds_the_subnets_of_its_cluster(text: str) -> None:
    with scripted(*of_cluster("b", "a", text=text)) as aws:
        assert instance_subnets(aws, "web", zones=2) == ("subnet-1", "subnet-2")


def test_of_two_subnets_in_a_zone_the_load_balancer_takes_one() -> None:
    with scripted(*of_cluster("a", "a")) as aws:
        assert instance_subnets(aws, "web", zones=1) == ("subnet-1",)


def test_a_cluster_in_one_zone_has_no_room_for_an_application_load_balancer() -> None:
    with (
        scripted(*of_cluster("a", "a")) as aws,
        pytest.raises(InputError, match="needs 2 zones, and the instances of cluster web are in 1"),
    ):
        instance_subnets(aws, "web", zones=2)


def test_a_cluster_without_instances_has_no_subnets() -> None:
    with (
        scripted(Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": []})) as aws,
        pytest.raises(InputError, match="has no auto scaling group ecs-web-instances"),
    ):
        instance_subnets(aws, "web", zones=1)


@pytest.mark.parametrize(
    ("answer", "zones", "why"),
    [
        ([subnet(1, "a"), subnet(2, "b")], 2, ""),
        ([subnet(1, "a")], 1, ""),
        ([subnet(1, "a")], 2, "needs 2 zones, and these are in 1"),
        ([subnet(1, "a"), subnet(2, "b", "vpc-2")], 2, "the instances are in vpc-1, but subnet-2 in vpc-2"),
        ([subnet(1, "a"), subnet(2, "a")], 1, "takes one of each zone, and of a there are more"),
        (failure("InvalidSubnetID.NotFound"), 1, "load_balancer.subnets: "),
    ],
)
def test_subnets_are_looked_at_before_anything_is_made(answer: Any, zones: int, why: str) -> None:
    calls = [Call("ec2", "DescribeSubnets", {"Subnets": answer} if isinstance(answer, list) else answer)]
    if not why:
        group = {"AvailabilityZones": ["b", "a"]}
        calls.append(Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": [group]}))
    with scripted(*calls) as aws, refusal(why):
        check_balancer_subnets(aws, "web", ["subnet-1"], "vpc-1", zones=zones)


@pytest.mark.parametrize(
    ("members", "others", "refused"),
    [
        (["i-1", "i-2"], {"containerInstanceArns": []}, True),
        ([], {"containerInstanceArns": []}, True),
        (["i-1", "i-2"], {"containerInstanceArns": ["arn"]}, False),  # which may be in any zone
        (["i-1", "i-2"], failure("AccessDeniedException"), False),
    ],
)
def test_zones_without_instances_are_refused_if_it_is_known_where_all_of_them_are(
    members: list[str], others: Any, refused: bool
) -> None:
    why = "these are in c, d, but the instances of cluster web in a, b"
    group = {"AvailabilityZones": ["b", "a"], "Instances": [{"InstanceId": one} for one in members]}
    besides = {"filter": "ec2InstanceId not_in [i-1, i-2]"} if members else {"filter": None}
    with (
        scripted(
            Call("ec2", "DescribeSubnets", {"Subnets": [subnet(1, "c"), subnet(2, "d")]}),
            Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": [group]}),
            Call("ecs", "ListContainerInstances", others, besides),
        ) as aws,
        refusal(why if refused else ""),
    ):
        check_balancer_subnets(aws, "web", ["subnet-1"], "vpc-1", zones=1)


def test_who_may_not_look_at_auto_scaling_groups_may_give_subnets() -> None:
    with scripted(
        Call("ec2", "DescribeSubnets", {"Subnets": [subnet(1, "c")]}),
        Call("autoscaling", "DescribeAutoScalingGroups", failure("AccessDenied", status=403)),
    ) as aws:
        check_balancer_subnets(aws, "web", ["subnet-1"], "vpc-1", zones=1)


@pytest.mark.parametrize(
    ("kind", "there", "wanted", "looks", "zones"),
    [
        ("classic", "a1", "a2", True, "a"),
        ("classic", "a1", "b1", True, ""),
        ("classic", "a1", "a2 b1", False, ""),
        ("classic", "a1 b1", "a2", False, ""),
        ("network", "a1 b1", "a2 b2", True, "a, b"),
        ("network", "a1 b1", "b1 c1", True, ""),
        ("network", "a1 b1", "a1", False, ""),
        ("application", "a1 b1", "a2 b2", False, ""),
    ],
)
def test_a_way_to_other_subnets_is_looked_for_before_any_change(
    kind: str, there: str, wanted: str, looks: bool, zones: str
) -> None:
    """A subnet is named by its zone here."""
    balancer = options(load_balancer={"type": kind, "subnets": wanted.split()}).balancer
    assert balancer
    found = [{"SubnetId": one, "AvailabilityZone": one[0]} for one in f"{there} {wanted}".split()]
    calls = [Call("ec2", "DescribeSubnets", {"Subnets": found})] if looks else []
    why = f"has to leave {zones} before it can be in another subnet there"
    with scripted(*calls) as aws, refusal(why if zones else ""):
        refuse_change_within_zone(aws, balancer, there.split())
