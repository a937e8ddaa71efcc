# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Auto Scaling API: its limits and refusals, DescribeScalingActivities, instance refresh."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, InstanceState, autoscaling_backends
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from lab.aws import launch_templates
from lab.aws.autoscaling_groups import Keeper
from lab.aws.patching import AwsError, adds, aws_error, replaces
from lab.world import World

Original = Callable[..., Any]
_NEED_A_GROUP = (
    "set_desired_capacity",
    "suspend_processes",
    "resume_processes",
    "enable_metrics_collection",
    "put_lifecycle_hook",
    "attach_load_balancers",
    "detach_load_balancers",
    "describe_load_balancers",
    "attach_load_balancer_target_groups",
    "detach_load_balancer_target_groups",
    "describe_load_balancer_target_groups",
)


def install(world: World) -> None:
    keeper = Keeper(world)
    world.on_step(lambda: _tend_all(world, keeper))
    _groups(world)
    _capacity()
    _members(world, keeper)
    _load_balancers()
    _responses(world)
    _instance_refresh(world, keeper)


def invalid(message: str) -> AwsError:
    return aws_error("autoscaling", "ValidationError", message)


def _tend_all(world: World, keeper: Keeper) -> None:
    for backend in list(autoscaling_backends[world.account].values()):
        if backend.autoscaling_groups:
            keeper.tend(backend)


def _group(backend: Any, name: str) -> Any:
    """The group, if it exists and is not being deleted."""
    group = backend.autoscaling_groups.get(name)
    if group is None:
        raise invalid(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    if getattr(group, "lab_deleting", False):
        raise invalid(f"AutoScalingGroup '{name}' is pending delete and can not be changed")
    return group


def _check_bounds(desired: int | None, least: int | None, most: int | None) -> None:
    if least is not None and most is not None and least > most:
        raise invalid("Min bound, max bound, or desired capacity: MinSize must be less than or equal to MaxSize")
    if desired is None:
        return
    if most is not None and desired > most:
        raise invalid(f"New SetDesiredCapacity value {desired} is above max value {most} for the AutoScalingGroup.")
    if least is not None and desired < least:
        raise invalid(f"New SetDesiredCapacity value {desired} is below min value {least} for the AutoScalingGroup.")


def _groups(world: World) -> None:
    @replaces(AutoScalingBackend, "create_auto_scaling_group")
    def _create_auto_scaling_group(original: Original, backend: Any, name: str, *arguments: Any, **options: Any) -> Any:
        if name in backend.autoscaling_groups:
            message = f"AutoScalingGroup by this name already exists - A group with the name {name} already exists"
            raise aws_error("autoscaling", "AlreadyExists", message)
        numbers = [options.get(key) for key in ("desired_capacity", "min_size", "max_size")]
        _check_bounds(*[None if number is None else int(number) for number in numbers])
        _check_launch(backend, options)
        return original(backend, name, *arguments, **options)

    @replaces(AutoScalingBackend, "update_auto_scaling_group")
    def _update_auto_scaling_group(original: Original, backend: Any, name: str, *arguments: Any, **options: Any) -> Any:
        group = _group(backend, name)
        least = group.min_size if options.get("min_size") is None else options["min_size"]
        most = group.max_size if options.get("max_size") is None else options["max_size"]
        _check_bounds(options.get("desired_capacity"), least, most)
        _check_launch(backend, options)
        if options.get("mixed_instances_policy") is None:
            options["mixed_instances_policy"] = group.mixed_instances_policy
        group = original(backend, name, *arguments, **options)
        group.desired_capacity = min(max(int(group.desired_capacity or 0), int(least)), int(most))
        return group

    @replaces(AutoScalingResponse, "delete_auto_scaling_group")
    def _delete_auto_scaling_group(_original: Original, response: Any) -> Any:
        backend, name = response.autoscaling_backend, response._get_param("AutoScalingGroupName")
        group = _group(backend, name)
        if not response._get_bool_param("ForceDelete", False):
            if group.instance_states:
                message = (
                    "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance "
                    "request(s) still in the group."
                )
                raise aws_error("autoscaling", "ResourceInUse", message)
            del backend.autoscaling_groups[name]
            return EmptyResult()
        group.lab_deleting = True
        group.desired_capacity = group.min_size = 0
        group.status = "Delete in progress"
        return EmptyResult()


def _check_launch(backend: Any, options: dict[str, Any]) -> None:
    """The template must exist, and so must the subnets and target groups."""
    specification = options.get("launch_template")
    if specification:
        try:
            launch_templates.template_version(backend.ec2_backend, specification)
        except AwsError as error:
            raise invalid(f"You must use a valid fully-formed launch template. {error.message}") from error
    for arn in options.get("target_group_arns") or []:
        if arn not in backend.elbv2_backend.target_groups:
            raise invalid(f"Provided Target Groups may not be valid. Please ensure they exist and try again. ({arn})")
    for subnet in filter(None, (options.get("vpc_zone_identifier") or "").split(",")):
        if not any(subnet in subnets for subnets in backend.ec2_backend.subnets.values()):
            raise invalid(f"The subnet ID '{subnet}' does not exist")


def _capacity() -> None:
    @replaces(FakeAutoScalingGroup, "set_desired_capacity")
    def _set_desired_capacity(_original: Original, group: Any, new_capacity: int | None) -> None:
        """Only noted: the group's keeper sees to it."""
        group.desired_capacity = group.min_size if new_capacity is None else new_capacity

    @replaces(AutoScalingBackend, "set_desired_capacity")
    def _set_desired_capacity_2(original: Original, backend: Any, group_name: str, desired_capacity: int) -> Any:
        group = _group(backend, group_name)
        _check_bounds(desired_capacity, group.min_size, group.max_size)
        return original(backend, group_name, desired_capacity)

    @replaces(InstanceState, "launch_template")
    def _launch_template(original: Original, member: Any) -> Any:
        """The version the instance was launched from, not today's default."""
        return getattr(member, "lab_launch_template", None) or original(member)


def _members(world: World, keeper: Keeper) -> None:
    @replaces(AutoScalingBackend, "notify_terminate_instances")
    def _notify_terminate_instances(_original: Original, _backend: Any, _instance_ids: list[str]) -> None:
        """moto replaces at once; the keeper does when the loss is noticed."""

    @replaces(AutoScalingBackend, "terminate_instance")
    def _terminate_instance(_original: Original, backend: Any, instance_id: str, should_decrement: bool) -> Any:
        group, member = _member(backend, instance_id)
        before = int(group.desired_capacity or 0)
        if should_decrement:
            if before - 1 < int(group.min_size or 0):
                message = (
                    f"Currently, desiredSize equals minSize ({before}). Terminating instance without replacement will "
                )
                raise invalid(
                    message + "violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to "
                    "false or lower group's min size."
                )
            group.desired_capacity = before - 1
        shrinking = f", shrinking the capacity from {before} to {before - 1}" if should_decrement else ""
        cause = f"instance {instance_id} was taken out of service in response to a user request{shrinking}."
        return keeper.terminate(group, member, cause)

    @replaces(AutoScalingBackend, "set_instance_health")
    def _set_instance_health(original: Original, backend: Any, instance_id: str, health_status: str) -> Any:
        _member(backend, instance_id)
        return original(backend, instance_id, health_status)


def _member(backend: Any, instance_id: str) -> tuple[Any, Any]:
    for group in backend.autoscaling_groups.values():
        for member in group.instance_states:
            if member.instance_id == instance_id:
                return group, member
    raise invalid(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")


def _load_balancers() -> None:
    """moto attaches to what is gone without a word, or crashes."""
    for name in ("update_attached_elbs", "update_attached_target_groups"):

        @replaces(AutoScalingBackend, name)
        def _registered(original: Original, backend: Any, group_name: str) -> Any:
            group = backend.autoscaling_groups.get(group_name)
            if group is None:
                return None
            kept = group.target_group_arns
            group.target_group_arns = [arn for arn in kept or [] if arn in backend.elbv2_backend.target_groups]
            try:
                return original(backend, group_name)
            finally:
                group.target_group_arns = kept


def _responses(world: World) -> None:
    @replaces(AutoScalingResponse, "describe_scaling_activities")
    def _describe_scaling_activities(_original: Original, response: Any) -> Any:
        name = response._get_param("AutoScalingGroupName")
        wanted = response._get_param("ActivityIds", [])
        groups = (
            [response.autoscaling_backend.autoscaling_groups.get(name)]
            if name
            else list(response.autoscaling_backend.autoscaling_groups.values())
        )
        if groups == [None]:
            raise invalid(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
        found = [activity for group in groups for activity in getattr(group, "lab_activities", [])]
        return ActionResult({"Activities": [one for one in found if not wanted or one.activity_id in wanted]})

    for action in _NEED_A_GROUP:

        @replaces(AutoScalingResponse, action)
        def _registered_2(original: Original, response: Any) -> Any:
            _group(response.autoscaling_backend, response._get_param("AutoScalingGroupName"))
            return original(response)

    @replaces(AutoScalingBackend, "create_or_update_tags")
    def _create_or_update_tags(original: Original, backend: Any, tags: list[dict[str, str]]) -> Any:
        for tag in tags:
            _group(backend, tag["ResourceId"])
        return original(backend, tags)

    @adds(AutoScalingResponse, "disable_metrics_collection")
    def disable_metrics_collection(response: Any) -> Any:
        group = _group(response.autoscaling_backend, response._get_param("AutoScalingGroupName"))
        metrics = response._get_param("Metrics", [])
        group.metrics = [metric for metric in group.metrics if metrics and metric not in metrics]
        return EmptyResult()


def _instance_refresh(world: World, keeper: Keeper) -> None:
    @adds(AutoScalingResponse, "start_instance_refresh")
    def start_instance_refresh(response: Any) -> Any:
        group = _group(response.autoscaling_backend, response._get_param("AutoScalingGroupName"))
        refreshes = group.__dict__.setdefault("lab_refreshes", [])
        if any(refresh["Status"] == "InProgress" for refresh in refreshes):
            message = "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh."
            raise aws_error("autoscaling", "InstanceRefreshInProgress", message)
        old = [member for member in group.instance_states if member.lifecycle_state != "Terminating"]
        refresh = {
            "InstanceRefreshId": str(uuid.uuid4()),
            "AutoScalingGroupName": group.name,
            "Status": "InProgress",
            "StartTime": world.clock.utc(),
            "InstancesToUpdate": len(old),
            "PercentageComplete": 0,
        }
        refreshes.insert(0, refresh)
        group.lab_refresh = (refresh, old)
        return ActionResult({"InstanceRefreshId": refresh["InstanceRefreshId"]})

    @adds(AutoScalingResponse, "describe_instance_refreshes")
    def describe_instance_refreshes(response: Any) -> Any:
        group = _group(response.autoscaling_backend, response._get_param("AutoScalingGroupName"))
        wanted = response._get_param("InstanceRefreshIds", [])
        found = [one for one in getattr(group, "lab_refreshes", []) if not wanted or one["InstanceRefreshId"] in wanted]
        return ActionResult({"InstanceRefreshes": found})

    @adds(AutoScalingResponse, "cancel_instance_refresh")
    def cancel_instance_refresh(response: Any) -> Any:
        group = _group(response.autoscaling_backend, response._get_param("AutoScalingGroupName"))
        refresh, _unused = getattr(group, "lab_refresh", None) or (None, None)
        if refresh is None:
            message = "An instance refresh for this Auto Scaling group does not exist or is not in progress."
            raise aws_error("autoscaling", "ActiveInstanceRefreshNotFound", message)
        refresh["Status"], group.lab_refresh = "Cancelled", None
        return ActionResult({"InstanceRefreshId": refresh["InstanceRefreshId"]})

    def walk() -> None:
        for backend in list(autoscaling_backends[world.account].values()):
            for group in list(backend.autoscaling_groups.values()):
                if getattr(group, "lab_refresh", None):
                    _refresh_one(world, keeper, group)

    world.on_step(walk)


def _refresh_one(world: World, keeper: Keeper, group: Any) -> None:
    """One old member at a time, when the group is whole."""
    refresh, old = group.lab_refresh
    remaining = [
        member for member in old if member in group.instance_states and member.lifecycle_state != "Terminating"
    ]
    in_service = [member for member in group.instance_states if member.lifecycle_state == "InService"]
    whole = len(in_service) >= int(group.desired_capacity or 0)
    refresh["InstancesToUpdate"] = len(remaining)
    refresh["PercentageComplete"] = 100 - (100 * len(remaining) // len(old) if old else 0)
    if remaining and whole:
        keeper.terminate(
            group, remaining[0], "an instance was taken out of service in response to an instance refresh."
        )
    elif not remaining and whole:
        refresh.update(Status="Successful", EndTime=world.clock.utc())
        group.lab_refresh = None
