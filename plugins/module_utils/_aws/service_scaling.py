# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service auto scaling: as many tasks as keep the service's CPU near a percentage, between two limits. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .._errors import SchedulersError
from .._plan import Live, Spec, Step
from .run import Run

SCALING_API = "application-autoscaling"
SCALING = "scaling"  # key in a plan, and part in the mark
POLICY = "cpu"
DIMENSION = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
METRIC = "ECSServiceAverageCPUUtilization"
THERE_ALREADY = re.compile(r"scalable target that you tried to tag already exists", re.IGNORECASE)


def resource_id(cluster: str, name: str) -> str:
    """What Application Auto Scaling calls a service."""
    return f"service/{cluster}/{name}"


def read_scaling(run: Run, cluster: str, name: str) -> Live | None:
    """The scaling of a service. It has no owner of its own: it is the service's."""
    resource = resource_id(cluster, name)
    targets = _targets(run, {"ResourceIds": [resource]})
    if not targets:
        return None
    request = {"ServiceNamespace": "ecs", "ResourceId": resource}
    doing = f"look at the scaling of service {name}"
    policies = run.aws.pages(SCALING_API, "DescribeScalingPolicies", "ScalingPolicies", request, doing=doing)
    return _live(targets[0], policies, SCALING)


def find_scaling(run: Run, cluster: str, name: str | None = None) -> list[Live]:
    """The scaling of one service, or of all services of the cluster, as far as a deletion has to know it."""
    request = {"ResourceIds": [resource_id(cluster, name)]} if name else {}
    prefix = resource_id(cluster, "")
    targets = [one for one in _targets(run, request) if one["ResourceId"].startswith(prefix)]
    return [_live(one, (), f"{SCALING}/{one['ResourceId']}") for one in targets]


def _targets(run: Run, request: Mapping[str, Any]) -> list[Any]:
    return run.aws.pages(
        SCALING_API,
        "DescribeScalableTargets",
        "ScalableTargets",
        {**DIMENSION, **request},
        doing="look for the scaling of services",
    )


def _live(target: Mapping[str, Any], policies: Iterable[Mapping[str, Any]], key: str) -> Live:
    percents = [
        tracking["TargetValue"]
        for tracking in (one.get("TargetTrackingScalingPolicyConfiguration", {}) for one in policies)
        if tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType") == METRIC
    ]
    spec = {
        "resource": target["ResourceId"],
        "min": target["MinCapacity"],
        "max": target["MaxCapacity"],
        "cpu_percent": int(percents[0]) if percents else None,
    }
    return Live(key, "service_scaling", f"of {spec['resource'].rpartition('/')[2]}", spec["resource"], spec)


class ServiceScaling:
    """Scaling with spec ``{resource, min, max, cpu_percent}``."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, step: Step, spec: Spec) -> Live:
        """Registering is as good as updating: it changes what is there, but for tags."""
        resource = {**DIMENSION, "ResourceId": spec["resource"]}
        target = {**resource, "MinCapacity": spec["min"], "MaxCapacity": spec["max"]}
        # no other service minds a tag without a value
        tags = {name: value for name, value in self._run.tags_for(SCALING).items() if value.strip()}
        first = {**target, "Tags": tags} if step.action == "create" else target
        try:
            self._call("RegisterScalableTarget", first, step)
        except SchedulersError as error:
            if not THERE_ALREADY.search(error.message):
                raise
            self._call("RegisterScalableTarget", target, step)  # made by a call whose answer was lost
        tracking = {
            "TargetValue": spec["cpu_percent"],
            "PredefinedMetricSpecification": {"PredefinedMetricType": METRIC},
        }
        policy = {
            **resource,
            "PolicyName": POLICY,
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": tracking,
        }
        self._call("PutScalingPolicy", policy, step)
        return Live(step.key, step.kind, step.name, spec["resource"], spec)

    def update(self, step: Step, spec: Spec, _live: Live) -> Live:
        return self.create(step, spec)

    def delete(self, step: Step, live: Live) -> None:
        """Its policies and alarms go with it."""
        request = {**DIMENSION, "ResourceId": live.id}
        deadline = self._run.deadline
        self._run.aws.delete(SCALING_API, "DeregisterScalableTarget", request, doing=step.sentence, deadline=deadline)

    def _call(self, operation: str, request: Mapping[str, Any], step: Step) -> None:
        self._run.aws.call(SCALING_API, operation, request, doing=step.sentence, settles=True)
