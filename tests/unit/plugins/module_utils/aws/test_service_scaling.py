# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service auto scaling: a target and one policy."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.service_scaling import (
    METRIC,
    SCALING,
    ServiceScaling,
    find_scaling,
    read_scaling,
)
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Step
from unit.ecs_app import a_run, mark
from unit.scripted import Call, failure, scripted

API = "application-autoscaling"
RESOURCE = "service/one/web"
SPEC: dict[str, Any] = {"resource": RESOURCE, "min": 2, "max": 4, "cpu_percent": 60}
LIVE = Live(SCALING, "service_scaling", "of web", RESOURCE, SPEC)
TARGET = {"ResourceId": RESOURCE, "MinCapacity": 2, "MaxCapacity": 4}
POLICY = {
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 60.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": METRIC},
    }
}


def targets(*found: dict[str, Any]) -> Call:
    return Call(API, "DescribeScalableTargets", {"ScalableTargets": list(found)}, {"ServiceNamespace": "ecs"})


def test_target_and_policy_are_read_together() -> None:
    policies = Call(API, "DescribeScalingPolicies", {"ScalingPolicies": [{}, POLICY]}, {"ResourceId": RESOURCE})
    with scripted(targets(TARGET), policies) as aws:
        assert read_scaling(a_run(aws), "one", "web") == LIVE


def test_a_target_without_a_policy_is_incomplete() -> None:
    with scripted(targets(TARGET), Call(API, "DescribeScalingPolicies", {"ScalingPolicies": []})) as aws:
        found = read_scaling(a_run(aws), "one", "web")
    assert found
    assert found.spec["cpu_percent"] is None


def test_there_may_be_none() -> None:
    with scripted(targets()) as aws:
        assert read_scaling(a_run(aws), "one", "web") is None


def test_that_of_a_whole_cluster_is_told_from_that_of_others() -> None:
    with scripted(targets(TARGET, {**TARGET, "ResourceId": "service/one-more/web"})) as aws:
        assert [one.id for one in find_scaling(a_run(aws), "one")] == [RESOURCE]


def registered(tags: dict[str, str] | None) -> Call:
    return Call(API, "RegisterScalableTarget", {}, {"MinCapacity": 2, "MaxCapacity": 4, "Tags": tags})


PUT = Call(API, "PutScalingPolicy", {}, {"ResourceId": RESOURCE, "PolicyType": "TargetTrackingScaling"})


def test_it_is_made_with_its_mark() -> None:
    with scripted(registered(mark(SCALING)), PUT) as aws:
        assert (
            ServiceScaling(a_run(aws)).create(Step("create", SCALING, "service_scaling", "of web", SPEC), SPEC) == LIVE
        )


def test_registering_again_does_no_harm() -> None:
    lost = Call(API, "RegisterScalableTarget", failure("InternalServiceException", "oops", 500))
    with scripted(lost, registered(mark(SCALING)), PUT) as aws:
        ServiceScaling(a_run(aws)).create(Step("create", SCALING, "service_scaling", "of web", SPEC), SPEC)


@pytest.mark.parametrize("code", ["FailedResourceAccessException", "ConcurrentUpdateException"])
def test_the_first_of_an_account_waits_for_the_role_that_it_needs(code: str) -> None:
    early = Call(API, "PutScalingPolicy", failure(code, "Unable to retrieve alarms"))
    with scripted(registered(mark(SCALING)), early, PUT) as aws:
        ServiceScaling(a_run(aws)).create(Step("create", SCALING, "service_scaling", "of web", SPEC), SPEC)


def test_one_that_a_lost_answer_has_made_is_registered_without_its_tags() -> None:
    lost = Call(API, "RegisterScalableTarget", failure("InternalServiceException", "oops", 500))
    there = failure(
        "ValidationException", "The scalable target that you tried to tag already exists. To update tags ..."
    )
    again = Call(API, "RegisterScalableTarget", there, {"Tags": mark(SCALING)})
    with scripted(lost, again, registered(None), PUT) as aws:
        ServiceScaling(a_run(aws)).create(Step("create", SCALING, "service_scaling", "of web", SPEC), SPEC)


def test_a_tag_without_a_value_is_left_out() -> None:
    with scripted(registered({**mark(SCALING), "team": "a"}), PUT) as aws:
        run = a_run(aws, team="a", empty="", blank=" ")
        ServiceScaling(run).create(Step("create", SCALING, "service_scaling", "of web", SPEC), SPEC)


def test_an_update_registers_it_again() -> None:
    step = Step("update", SCALING, "service_scaling", "of web", SPEC, LIVE)
    with scripted(registered(None), PUT) as aws:
        ServiceScaling(a_run(aws)).update(step, SPEC, LIVE)


def test_its_policies_go_with_it() -> None:
    gone = Call(API, "DeregisterScalableTarget", failure("ObjectNotFoundException"), {"ResourceId": RESOURCE})
    with scripted(gone) as aws:
        ServiceScaling(a_run(aws)).delete(Step("delete", SCALING, "service_scaling", "of web", live=LIVE), LIVE)
