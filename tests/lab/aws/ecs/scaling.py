# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Application Auto Scaling asks ECS for the service of a scalable target, and moves it into its range a moment later.

That a service was made a moment ago is not known there yet, if reads lag behind (replica.py):
https://github.com/hashicorp/terraform-provider-aws/pull/11693, https://github.com/spinnaker/spinnaker/issues/4371

"If the specified resource is not active in the target service, this operation does not change the resource's current
capacity. Otherwise, it changes the resource's current capacity to a value that is inside of this range." (API
reference, RegisterScalableTarget)
"""

from __future__ import annotations

from typing import Any

from moto.applicationautoscaling.models import ApplicationAutoscalingBackend
from moto.ecs.models import ecs_backends

from lab.aws.ecs.calls import Original
from lab.aws.ecs.simulation import Simulation
from lab.aws.patching import aws_error, replaces

MOVING_SECONDS = 1.0
"""It is a scaling activity like any other: the call itself does not wait for it."""


def install(simulation: Simulation) -> None:
    @replaces(ApplicationAutoscalingBackend, "register_scalable_target")
    def _register_scalable_target(
        original: Original, backend: Any, namespace: str, r_id: str, dimension: str, **options: Any
    ) -> Any:
        service = _service(backend, r_id)
        if service is not None and simulation.replica.shown(service.arn, service) is None:
            raise aws_error("application-autoscaling", "ValidationException", f"ECS service doesn't exist: {r_id}")
        target = original(backend, namespace, r_id, dimension, **options)
        if namespace == "ecs":
            simulation.agenda.after(MOVING_SECONDS, lambda: _move(simulation, backend, r_id, dimension))
        return target


def _move(simulation: Simulation, backend: Any, resource: str, dimension: str) -> None:
    target, service = backend.targets.get(dimension, {}).get(resource), _service(backend, resource)
    if target is None or service is None or service.status != "ACTIVE":
        return
    desired = min(max(service.desired_count, target.min_capacity), target.max_capacity)
    if desired != service.desired_count:
        simulation.services.scale(service, desired)


def _service(backend: Any, resource: str) -> Any:
    """The service with that resource ID ("service/<cluster>/<name>"), or None."""
    known = ecs_backends[backend.account_id][backend.region_name].services
    return known.get(":".join(resource.split("/")[1:]))
