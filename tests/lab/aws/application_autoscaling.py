# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Application Auto Scaling: a policy needs its target, and goes with it.

Nothing scales by load: there is none here. What a range alone moves is in ``ecs/scaling.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.applicationautoscaling.models import ApplicationAutoscalingBackend, FakeApplicationAutoscalingPolicy
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.exceptions import ServiceException

from lab.aws.patching import AwsError, adds, aws_error, replaces
from lab.world import World

Original = Callable[..., Any]
_SERVICE = "application-autoscaling"


def install(world: World) -> None:
    _targets()
    _policies()
    _tags()

    @adds(ApplicationAutoScalingResponse, "describe_scaling_activities")
    def describe_scaling_activities(_response: Any) -> str:
        return json.dumps({"ScalingActivities": []})


def invalid(message: str) -> AwsError:
    return aws_error(_SERVICE, "ValidationException", message)


def not_found(namespace: str, resource: str, dimension: str) -> AwsError:
    message = (
        f"No scalable target registered for service namespace: {namespace}, resource ID: {resource}, "
        f"scalable dimension: {dimension}"
    )
    return aws_error(_SERVICE, "ObjectNotFoundException", message)


def _targets() -> None:
    @replaces(ApplicationAutoscalingBackend, "register_scalable_target")
    def _register_scalable_target(
        original: Original, backend: Any, namespace: str, r_id: str, dimension: str, **options: Any
    ) -> Any:
        known = backend.targets.get(dimension, {}).get(r_id)
        least, most = (
            given
            if (given := options.get(f"{name}_capacity")) is not None
            else getattr(known, f"{name}_capacity", None)
            for name in ("min", "max")
        )
        if least is None or most is None:
            raise invalid("Minimum capacity and maximum capacity must be given when a scalable target is registered")
        if least > most:
            raise invalid("Maximum capacity cannot be less than minimum capacity")
        try:
            return original(backend, namespace, r_id, dimension, **options)
        except ServiceException as error:  # ECS speaks of an unknown cluster in its own words
            raise invalid(f"ECS service doesn't exist: {r_id}") from error

    @replaces(ApplicationAutoscalingBackend, "deregister_scalable_target")
    def _deregister_scalable_target(original: Original, backend: Any, namespace: str, r_id: str, dimension: str) -> Any:
        if r_id not in backend.targets.get(dimension, {}):
            raise not_found(namespace, r_id, dimension)
        for key, policy in list(backend.policies.items()):
            if (policy.resource_id, policy.scalable_dimension) == (r_id, dimension):
                policy.delete_alarms(backend.account_id, backend.region_name)
                del backend.policies[key]
        return original(backend, namespace, r_id, dimension)


def _policies() -> None:
    @replaces(ApplicationAutoscalingBackend, "put_scaling_policy")
    def _put_scaling_policy(original: Original, backend: Any, **options: Any) -> Any:
        names = ("service_namespace", "resource_id", "scalable_dimension")
        namespace, resource, dimension = (options[name] for name in names)
        if resource not in backend.targets.get(dimension, {}):
            raise not_found(namespace, resource, dimension)
        key = FakeApplicationAutoscalingPolicy.formulate_key(namespace, resource, dimension, options["policy_name"])
        former = backend.policies.get(key)
        policy = original(backend, **options)
        if former is not None:
            former.delete_alarms(backend.account_id, backend.region_name)
            policy.policy_arn = former.policy_arn
        return policy


def _tags() -> None:
    @replaces(ApplicationAutoScalingResponse, "register_scalable_target")
    def _register_scalable_target_2(original: Original, response: Any) -> Any:
        tags = response._get_param("Tags") or {}
        resource, dimension = response._get_param("ResourceId"), response._get_param("ScalableDimension")
        if tags and resource in response.applicationautoscaling_backend.targets.get(dimension, {}):
            message = "The scalable target that you tried to tag already exists."
            raise invalid(f"{message} To update tags on an existing scalable target, use the TagResource API.")
        if not all(value.strip() for value in tags.values()):
            raise invalid("Tag values cannot be empty or blank")
        answer = original(response)
        _target(response, json.loads(answer)["ScalableTargetARN"]).__dict__.setdefault("lab_tags", {}).update(tags)
        return answer

    @adds(ApplicationAutoScalingResponse, "list_tags_for_resource")
    def list_tags_for_resource(response: Any) -> str:
        return json.dumps({"Tags": _tags_of(response)})

    @adds(ApplicationAutoScalingResponse, "tag_resource")
    def tag_resource(response: Any) -> str:
        _tags_of(response).update(response._get_param("Tags") or {})
        return "{}"

    @adds(ApplicationAutoScalingResponse, "untag_resource")
    def untag_resource(response: Any) -> str:
        for key in response._get_param("TagKeys") or []:
            _tags_of(response).pop(key, None)
        return "{}"


def _tags_of(response: Any) -> dict[str, str]:
    target = _target(response, response._get_param("ResourceARN"))
    tags: dict[str, str] = target.__dict__.setdefault("lab_tags", {})
    return tags


def _target(response: Any, arn: str) -> Any:
    for targets in response.applicationautoscaling_backend.targets.values():
        for target in targets.values():
            if target.arn == arn:
                return target
    raise aws_error(_SERVICE, "ResourceNotFoundException", f"The resource {arn} does not exist")
