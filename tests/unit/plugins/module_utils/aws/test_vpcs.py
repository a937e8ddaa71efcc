# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One VPC for all runs, whichever of them was first, slow or killed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.ec2 import awaited
from ansible_collections.container.schedulers.plugins.module_utils._aws.vpcs import Vpcs, find_vpc, kept
from ansible_collections.container.schedulers.plugins.module_utils._errors import ConflictError
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Step
from unit.ecs_cluster import a_run, marks
from unit.scripted import Call, failure, scripted

SPEC = {"cidr": "10.0.0.0/16", "tags": {}}
STEP = Step("create", "vpc", "vpc", "ecs-web", {})


def vpc(vpc_id: str) -> dict[str, Any]:
    return {"VpcId": vpc_id, "CidrBlock": "10.0.0.0/16", "Tags": marks("vpc")}


def vpcs(*ids: str, times: int = 1) -> Call:
    return Call("ec2", "DescribeVpcs", {"Vpcs": [vpc(one) for one in ids]}, times=times)


def subnets(*in_use: str, times: int = 1) -> Call:
    return Call("ec2", "DescribeSubnets", {"Subnets": [{"VpcId": one} for one in in_use]}, times=times)


def created(vpc_id: str) -> Call:
    return Call("ec2", "CreateVpc", {"Vpc": vpc(vpc_id)}, {"CidrBlock": "10.0.0.0/16"})


def deleted(vpc_id: str) -> Call:
    return Call("ec2", "DeleteVpc", {}, {"VpcId": vpc_id})


@pytest.mark.parametrize(
    ("there", "in_use", "expected"),
    [
        (["vpc-2"], [], "vpc-2"),
        (["vpc-2", "vpc-1"], [], "vpc-1"),
        (["vpc-1", "vpc-2"], ["vpc-2"], "vpc-2"),
        (["vpc-1", "vpc-2"], ["vpc-2", "vpc-of-others"], "vpc-2"),
    ],
)
def test_which_one_is_kept(there: list[str], in_use: list[str], expected: str) -> None:
    assert kept([Live("vpc", "vpc", one, one) for one in there], in_use, "ecs/web").id == expected


@pytest.mark.parametrize(("seconds", "looks"), [(0.0, 1), (1.0, 2)])
def test_what_another_run_may_have_made_is_looked_for_once_at_least(seconds: float, looks: int) -> None:
    with scripted() as aws:
        answers = iter([None] * (looks - 1) + ["there"])
        assert awaited(a_run(aws), lambda: next(answers), seconds, "thing") == "there"
        assert awaited(a_run(aws), lambda: None, seconds, "thing") is None


def test_two_that_are_in_use_are_an_error_that_names_both() -> None:
    with (
        scripted(vpcs("vpc-2", "vpc-1"), subnets("vpc-1", "vpc-2")) as aws,
        pytest.raises(ConflictError, match=r"2 times: vpc-1, vpc-2"),
    ):
        find_vpc(a_run(aws))


def test_what_a_killed_run_has_left_is_not_mistaken_for_the_one_in_use() -> None:
    with scripted(vpcs("vpc-1", "vpc-2"), subnets("vpc-2")) as aws:
        found = find_vpc(a_run(aws))
    assert found
    assert found.id == "vpc-2"


def test_the_run_that_may_make_the_vpc_makes_it_at_once() -> None:
    with scripted(created("vpc-1"), vpcs("vpc-1")) as aws:
        made = Vpcs(a_run(aws), lambda: 0.0).create(STEP, SPEC)
        assert (made.id, aws.clock.slept) == ("vpc-1", [])


def test_another_run_is_given_time_to_make_the_vpc() -> None:
    with scripted(vpcs(times=2), vpcs("vpc-1")) as aws:
        assert Vpcs(a_run(aws), lambda: 10.0).create(STEP, SPEC).id == "vpc-1"


def test_when_the_other_run_is_dead_the_vpc_is_made() -> None:
    with scripted(vpcs(times=4), created("vpc-1"), vpcs("vpc-1")) as aws:
        assert Vpcs(a_run(aws), lambda: 3.0).create(STEP, SPEC).id == "vpc-1"
        assert sum(aws.clock.slept) == 3.0


def test_a_vpc_whose_answer_was_lost_is_found_again() -> None:
    lost = Call("ec2", "CreateVpc", failure("Unavailable", status=503))
    with scripted(lost, vpcs("vpc-1", times=2)) as aws:
        assert Vpcs(a_run(aws), lambda: 0.0).create(STEP, SPEC).id == "vpc-1"


def test_nothing_is_concluded_from_a_list_without_ones_own() -> None:
    with scripted(created("vpc-2"), vpcs(), vpcs("vpc-1"), vpcs("vpc-1", "vpc-2"), subnets(), deleted("vpc-2")) as aws:
        assert Vpcs(a_run(aws), lambda: 0.0).create(STEP, SPEC).id == "vpc-1"


def test_a_run_that_was_overtaken_uses_the_vpc_of_the_other() -> None:
    with scripted(created("vpc-1"), vpcs("vpc-1", "vpc-2"), subnets("vpc-2"), deleted("vpc-1")) as aws:
        assert Vpcs(a_run(aws), lambda: 0.0).create(STEP, SPEC).id == "vpc-2"


def test_the_first_by_id_waits_until_the_other_has_given_way() -> None:
    with scripted(created("vpc-1"), vpcs("vpc-1", "vpc-2", times=2), subnets(times=2), vpcs("vpc-1")) as aws:
        assert Vpcs(a_run(aws), lambda: 0.0).create(STEP, SPEC).id == "vpc-1"


def test_the_first_by_id_does_not_wait_for_a_dead_run() -> None:
    with scripted(created("vpc-1"), vpcs("vpc-1", "vpc-2", times=8), subnets(times=8)) as aws:
        assert Vpcs(a_run(aws), lambda: 0.0).create(STEP, SPEC).id == "vpc-1"
        assert 10.0 <= sum(aws.clock.slept) < 15.0
