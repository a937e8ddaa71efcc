# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto scaling groups: made once, changed in one call, deleted with their instances."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.scaling_groups import (
    ScalingGroups,
    await_terminated,
    desired_count,
    members,
    read_scaling_group,
)
from ansible_collections.container.schedulers.plugins.module_utils._compare import Difference
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    ConflictError,
    NotOursError,
    WaitTimeoutError,
)
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Step
from unit.ecs_cluster import PART, a_run, marks
from unit.scripted import Call, failure, scripted

SPEC: dict[str, Any] = {
    "min_size": 1,
    "max_size": 3,
    "desired_count": 2,
    "subnet_ids": ["subnet-1", "subnet-2"],
    "template_id": "lt-1",
    "template_version": "1",
    "tags": {"a": "b", PART: "auto-scaling-group"},
}
STEP = Step("create", "auto-scaling-group", "auto_scaling_group", "g", SPEC)
GROUP: dict[str, Any] = {
    "AutoScalingGroupName": "g",
    "MinSize": 1,
    "MaxSize": 3,
    "DesiredCapacity": 2,
    "VPCZoneIdentifier": "subnet-2,subnet-1",
    "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "1"},
    "Tags": marks("auto-scaling-group"),
    "Instances": [
        {
            "InstanceId": "i-1",
            "AvailabilityZone": "eu-west-1a",
            "LifecycleState": "InService",
            "InstanceType": "t3.small",
        },
        {"InstanceId": "i-2", "AvailabilityZone": "eu-west-1b", "LifecycleState": "Terminating:Wait"},
    ],
}
LEAVING = {**GROUP, "Status": "Delete in progress"}


def described(*groups: dict[str, Any], times: int = 1) -> Call:
    return Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": groups}, times=times)


def alive(*ids: str) -> Call:
    return Call("ec2", "DescribeInstances", {"Reservations": [{"Instances": [{"InstanceId": one} for one in ids]}]})


def live_group() -> Live:
    with scripted(described(GROUP)) as aws:
        live = read_scaling_group(a_run(aws), "g")
    assert live is not None
    return live


def test_a_group_is_read_with_its_members() -> None:
    live = live_group()
    assert {name: live.spec[name] for name in SPEC if name != "tags"} == {
        name: value for name, value in SPEC.items() if name != "tags"
    }
    assert [one["instance_id"] for one in members(live)] == ["i-1"]


def test_a_group_that_is_being_deleted_counts_if_asked_for() -> None:
    with scripted(described(LEAVING, times=2)) as aws:
        assert read_scaling_group(a_run(aws), "g") is None
        assert read_scaling_group(a_run(aws), "g", departing=True)


def test_a_strangers_group_is_left_alone() -> None:
    with scripted(described({**GROUP, "Tags": []})) as aws, pytest.raises(NotOursError):
        read_scaling_group(a_run(aws), "g")


@pytest.mark.parametrize(("least", "most", "expected"), [(1, 3, 2), (3, 5, 3), (0, 1, 1)])
def test_the_number_stays_within_its_limits(least: int, most: int, expected: int) -> None:
    spec = {"min_size": least, "max_size": most, "desired_count": 2}
    assert desired_count(Live("g", "auto_scaling_group", "g", "g", spec)) == expected


def test_a_group_names_the_version_of_its_template() -> None:
    with scripted(Call("autoscaling", "CreateAutoScalingGroup")) as aws:
        ScalingGroups(a_run(aws)).create(STEP, SPEC)
        _operation, request = aws.made[0]
    assert request["LaunchTemplate"] == {"LaunchTemplateId": "lt-1", "Version": "1"}
    assert request["VPCZoneIdentifier"] == "subnet-1,subnet-2"
    assert {tag["Key"]: tag["PropagateAtLaunch"] for tag in request["Tags"]} == {"a": True, PART: False}


def test_a_profile_that_iam_does_not_know_yet_is_waited_for() -> None:
    settling = failure("ValidationError", "Invalid IAM Instance Profile name")
    with scripted(
        Call("autoscaling", "CreateAutoScalingGroup", settling), Call("autoscaling", "CreateAutoScalingGroup")
    ) as aws:
        ScalingGroups(a_run(aws)).create(STEP, SPEC)


def test_a_group_that_another_run_made_is_used() -> None:
    with scripted(Call("autoscaling", "CreateAutoScalingGroup", failure("AlreadyExists")), described(GROUP)) as aws:
        assert ScalingGroups(a_run(aws)).create(STEP, SPEC).id == "g"


def test_a_predecessor_that_is_being_deleted_is_waited_for() -> None:
    with scripted(
        Call("autoscaling", "CreateAutoScalingGroup", failure("AlreadyExists")),
        described(LEAVING, times=4),
        Call("autoscaling", "CreateAutoScalingGroup"),
    ) as aws:
        assert ScalingGroups(a_run(aws)).create(STEP, SPEC).id == "g"


def test_a_conflict_without_a_group_is_an_error() -> None:
    with (
        scripted(Call("autoscaling", "CreateAutoScalingGroup", failure("AlreadyExists")), described(times=4)) as aws,
        pytest.raises(ConflictError),
    ):
        ScalingGroups(a_run(aws)).create(STEP, SPEC)


def test_an_update_waits_for_its_turn() -> None:
    step = Step("update", STEP.key, STEP.kind, "g", SPEC, live_group(), (Difference("desired_count", 1, 2),))
    busy = failure("ScalingActivityInProgress")
    with scripted(
        Call("autoscaling", "UpdateAutoScalingGroup", busy), Call("autoscaling", "UpdateAutoScalingGroup")
    ) as aws:
        assert ScalingGroups(a_run(aws)).update(step, {"desired_count": 2}, live_group()).spec["max_size"] == 3
        assert aws.made[-1][1] == {"AutoScalingGroupName": "g", "DesiredCapacity": 2}


def test_new_tags_change_nothing_else() -> None:
    step = Step("update", STEP.key, STEP.kind, "g", SPEC, live_group(), (Difference("tags.a", 1, 2),))
    with scripted(Call("autoscaling", "CreateOrUpdateTags")) as aws:
        ScalingGroups(a_run(aws)).update(step, SPEC, live_group())


def test_a_group_is_gone_when_its_instances_are_terminated() -> None:
    with scripted(
        Call("autoscaling", "DeleteAutoScalingGroup", params={"ForceDelete": True}),
        alive("i-1", "i-2"),
        alive("i-2"),
        alive(),
    ) as aws:
        ScalingGroups(a_run(aws)).delete(STEP, live_group())


def test_what_is_not_terminated_is_named() -> None:
    with scripted(alive("i-1", "i-2")) as aws, pytest.raises(WaitTimeoutError, match="i-2 not terminated"):
        await_terminated(a_run(aws, seconds=0), "wait", {"i-2"})
