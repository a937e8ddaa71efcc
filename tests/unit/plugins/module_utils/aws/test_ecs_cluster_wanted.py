# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster as wanted resources: a table of what options and live resources make of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.ecs_cluster_options import ClusterOptions
from ansible_collections.container.schedulers.plugins.module_utils._aws.ecs_cluster_wanted import (
    GRAPH,
    RULES,
    Found,
    GivenNetwork,
    own_zones,
    sizes,
    subnet_ranges,
    wanted,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.images import Image
from ansible_collections.container.schedulers.plugins.module_utils._aws.vpcs import VPC
from ansible_collections.container.schedulers.plugins.module_utils._errors import InputError
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Ref, decide, dismantle
from unit.ecs_cluster import a_run, params
from unit.scripted import scripted

IMAGE = Image("ami-1", "x86_64", "/dev/xvda", 30)
FRESH = Found(zones=("eu-west-1a", "eu-west-1b", "eu-west-1c"), image=IMAGE)


def options(**given: Any) -> ClusterOptions:
    return ClusterOptions.from_params(params(**given))


def group(least: int = 2, most: int = 4, desired: int = 3, subnets: tuple[str, ...] = ()) -> Live:
    spec = {"min_size": least, "max_size": most, "desired_count": desired, "subnet_ids": list(subnets)}
    return Live("auto-scaling-group", "auto_scaling_group", "g", "g", spec)


def subnet(zone: str, cidr: str = "10.0.0.0/20") -> Live:
    return Live(f"subnet-{zone}", "subnet", zone, f"id-{zone}", {"zone": zone, "cidr": cidr})


@pytest.mark.parametrize(
    ("given", "live", "expected"),
    [
        ({}, None, (1, 1, 1)),
        ({"desired_count": 3}, None, (3, 3, 3)),
        ({"min_size": 2}, None, (2, 2, 2)),
        ({"max_size": 5}, None, (1, 5, 1)),
        ({"max_size": 0}, None, (0, 0, 0)),
        ({"min_size": 1, "desired_count": 2, "max_size": 5}, None, (1, 5, 2)),
        ({"desired_count": 0}, None, (0, 0, 0)),
        ({}, group(), (None, None, None)),
        ({"desired_count": 3}, group(), (2, 4, 3)),
        ({"desired_count": 6}, group(), (2, 6, 6)),
        ({"desired_count": 0}, group(), (0, 4, 0)),
        ({"max_size": 1}, group(), (1, 1, 1)),
        ({"min_size": 9}, group(), (9, 9, 9)),
        ({"min_size": 3}, group(), (3, 4, None)),
        ({"max_size": 0}, group(), (0, 0, 0)),
    ],
)
def test_sizes(given: dict[str, Any], live: Live | None, expected: tuple[int | None, ...]) -> None:
    assert tuple(sizes(options(**given), live).values()) == expected


@pytest.mark.parametrize(
    ("zones", "live", "expected"),
    [
        (["a", "b"], {}, {"a": "10.0.0.0/20", "b": "10.0.16.0/20"}),
        (["a", "b"], {"b": "10.0.0.0/20"}, {"a": "10.0.16.0/20", "b": "10.0.0.0/20"}),
        (["c"], {"a": "10.0.0.0/20", "b": "10.0.16.0/20"}, {"c": "10.0.32.0/20"}),
        (["a"], {"b": "10.0.0.0/18"}, {"a": "10.0.64.0/20"}),
    ],
)
def test_subnets_get_ranges_that_are_free(zones: list[str], live: dict[str, str], expected: dict[str, str]) -> None:
    assert subnet_ranges("10.0.0.0/16", zones, live) == expected


def test_a_full_vpc_is_said_to_be_full() -> None:
    with pytest.raises(InputError, match="no room for subnets in b"):
        subnet_ranges("10.0.0.0/24", ["b"], {"a": "10.0.0.0/24"})


def test_subnets_of_a_new_cluster_have_room_for_load_balancers() -> None:
    with scripted() as aws, pytest.raises(InputError, match=r"cidr: 10.0.0.0/24 is too small for a new cluster"):
        wanted(a_run(aws), options(cidr="10.0.0.0/24"), {}, FRESH)
    vpc = Live(VPC, "vpc", "ecs-web", "vpc-1", {"cidr": "10.0.0.0/24", "tags": {}})
    with scripted() as aws:
        wanted(a_run(aws), options(cidr="10.0.0.0/23"), {}, FRESH)
        wanted(a_run(aws), options(cidr="10.0.0.0/24"), {VPC: vpc}, FRESH)  # it is as it is


@pytest.mark.parametrize(
    ("given", "live", "expected"),
    [
        ({}, [], ["eu-west-1a", "eu-west-1b"]),
        ({}, [subnet("eu-west-1b")], ["eu-west-1a", "eu-west-1b"]),
        ({}, [subnet("eu-west-1b"), subnet("eu-west-1c")], ["eu-west-1b", "eu-west-1c"]),
        ({"zones": ["eu-west-1c"]}, [subnet("eu-west-1a")], ["eu-west-1c"]),
        ({}, [subnet("eu-west-1a"), subnet("eu-west-1c"), group(subnets=("id-eu-west-1c",))], ["eu-west-1c"]),
    ],
)
def test_zones_are_given_in_use_or_offered(given: dict[str, Any], live: list[Live], expected: list[str]) -> None:
    found = {one.key: one for one in live}
    assert own_zones(options(**given), found, FRESH.zones) == expected


def test_a_new_cluster_is_made_in_the_order_of_need() -> None:
    with scripted() as aws:
        plan = decide(wanted(a_run(aws), options(), {}, FRESH), {}, GRAPH, RULES)
    kinds = [step.kind for step in plan.steps]
    for first, then in [
        ("role", "vpc"),
        ("internet_gateway", "default_route"),
        ("instance_profile", "launch_template"),
        ("instance_security_group", "launch_template"),
    ]:
        assert kinds.index(first) < kinds.index(then)
    assert kinds[-1] == "auto_scaling_group"
    assert kinds.count("subnet") == 2
    # what refers to things that are not made yet can be printed all the same
    assert "known once it is made" in str(plan.diff())


def test_given_subnets_make_no_network() -> None:
    given = GivenNetwork("vpc-1", ("subnet-1", "subnet-2"), ("eu-west-1a",))
    with scripted() as aws:
        found = wanted(a_run(aws), options(), {}, Found(network=given, image=IMAGE))
    by_kind = {one.kind: one for one in found}
    assert not {"vpc", "subnet", "internet_gateway"} & {*by_kind}
    assert by_kind["instance_security_group"].spec["vpc_id"] == "vpc-1"
    assert by_kind["auto_scaling_group"].spec["subnet_ids"] == ["subnet-1", "subnet-2"]
    assert by_kind["launch_template"].spec["public_ip"] is False


def test_the_template_has_every_volume_of_the_image_and_one_that_is_kept_is_not_spoken_of() -> None:
    image = replace(IMAGE, more_volumes={"/dev/sdb": 20})
    for found, expected in ((replace(FRESH, image=image), {"/dev/sdb": 20}), (replace(FRESH, image=None), None)):
        with scripted() as aws:
            resources = {one.kind: one for one in wanted(a_run(aws), options(), {}, found)}
        assert resources["launch_template"].spec["more_volumes"] == expected


def test_instances_are_replaced_only_if_that_is_wanted() -> None:
    old = Live("i-1", "instance", "i-1", "i-1", {"template_version": "1"})
    with scripted() as aws:
        left = wanted(a_run(aws), options(), {"i-1": old}, FRESH)
        replaced = wanted(a_run(aws), options(replace_outdated=True), {"i-1": old}, FRESH)
    assert not [one for one in left if one.kind == "instance"]
    assert [one.spec for one in replaced if one.kind == "instance"] == [
        {"template_version": Ref("launch-template", "version")}
    ]


def test_everything_carries_the_users_tags_and_the_mark() -> None:
    with scripted() as aws:
        found = wanted(a_run(aws, team="blue"), options(), {}, FRESH)
    tags = [one.spec.get("tags") or one.spec.get("instance_tags") for one in found]
    tagged = [one for one in tags if one]
    assert len(tagged) == len(found) - 2  # the gateway is tagged when it is made, a route cannot be
    assert all(one["team"] == "blue" and one["container.schedulers/owner"] == "ecs/web" for one in tagged)


def test_a_teardown_goes_from_apps_to_instances_to_the_network() -> None:
    kinds = ["vpc", "role", "subnet", "service", "instance_security_group", "load_balancer_security_group"]
    kinds += ["auto_scaling_group", "cluster", "classic_load_balancer", "launch_template", "internet_gateway"]
    plan = dismantle([Live(kind, kind, kind, kind) for kind in kinds], GRAPH)
    needs = {step.kind: step.needs for step in plan.steps}
    assert "service" in needs["auto_scaling_group"] & needs["classic_load_balancer"] & needs["cluster"]
    assert "auto_scaling_group" in needs["cluster"] & needs["subnet"] & needs["internet_gateway"]
    assert "instance_security_group" in needs["load_balancer_security_group"]
    assert "classic_load_balancer" in needs["internet_gateway"]
    assert {"subnet", "internet_gateway", "load_balancer_security_group"} <= needs["vpc"]
    assert "vpc" in needs["role"]
