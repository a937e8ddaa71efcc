# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EC2 takes only so much of at a time."""

from __future__ import annotations

from ansible_collections.container.schedulers.plugins.module_utils._aws.ec2 import instances_of, retag
from ansible_collections.container.schedulers.plugins.module_utils._plan import Step
from unit.ecs_cluster import a_run
from unit.scripted import Call, scripted

MANY = [f"i-{number}" for number in range(501)]


def test_a_filter_has_two_hundred_values() -> None:
    batches = (MANY[:200], MANY[200:400], MANY[400:])
    calls = [
        Call(
            "ec2",
            "DescribeInstances",
            {"Reservations": [{"Instances": [{"InstanceId": one} for one in batch]}]},
            {"Filters": [{"Name": "instance-id", "Values": batch}]},
        )
        for batch in batches
    ]
    with scripted(*calls) as aws:
        found = instances_of(aws, MANY, "look at them")
    assert [one["InstanceId"] for one in found] == MANY


def test_no_instance_is_asked_for_by_no_call() -> None:
    with scripted() as aws:
        assert instances_of(aws, [], "look at them") == []


def test_so_many_are_tagged_at_once() -> None:
    calls = [Call("ec2", "CreateTags", params={"Resources": batch}) for batch in (MANY[:500], MANY[500:])]
    with scripted(*calls) as aws:
        retag(a_run(aws), Step("update", "x", "launch_template", "x", {}), {"team": "web"}, *MANY)
