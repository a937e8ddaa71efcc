# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an auto scaling group does by itself: it launches, spreads, replaces, and says why in its activities.

moto does all of it inside the request and always with success. Here a group only notes what is wanted; tend() brings
it nearer to that each time the simulation steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from moto.autoscaling.models import ASG_NAME_TAG, Activity, FakeAutoScalingGroup, InstanceState

from lab.aws.patching import AwsError
from lab.world import World

_RETRY_SECONDS = 15.0
"""A launch that failed is tried again after this, twice this, ... of simulated time."""
_RETRY_LIMIT = 600.0


class Keeper:
    """Tends all groups of one account."""

    def __init__(self, world: World) -> None:
        self._world = world

    def tend(self, backend: Any) -> None:
        for group in list(backend.autoscaling_groups.values()):
            self._settle(backend, group)
            if getattr(group, "lab_deleting", False):
                self._finish_delete(backend, group)
                continue
            self._replace_lost(group)
            self._fit(group)

    def _settle(self, backend: Any, group: Any) -> None:
        """A pending member whose instance runs is in service; one whose instance is gone leaves the group."""
        for member in list(group.instance_states):
            if member.lifecycle_state == "Pending" and member.instance.state == "running":
                member.lifecycle_state = "InService"
                member.lab_activity.finish("Successful", self._world)
                self._attach(backend, group)
            leaving = member.lifecycle_state == "Terminating" and member.instance.state == "terminated"
            if leaving and self._world.clock.now() >= member.lab_gone_at:
                group.instance_states.remove(member)
                member.lab_activity.finish("Successful", self._world)
                self._attach(backend, group)

    def _attach(self, backend: Any, group: Any) -> None:
        if "AddToLoadBalancer" in group._suspended_processes:
            return
        backend.update_attached_elbs(group.name)
        backend.update_attached_target_groups(group.name)

    def _replace_lost(self, group: Any) -> None:
        """Members that stopped, were terminated by somebody, or were called unhealthy; noticed after asg_seconds."""
        if {"HealthCheck", "ReplaceUnhealthy"} & set(group._suspended_processes):
            return
        for member in list(group.instance_states):
            lost = member.instance.state not in ("pending", "running")
            if member.lifecycle_state == "Terminating" or not (lost or member.health_status == "Unhealthy"):
                continue
            now = self._world.clock.now()
            member.lab_lost_at = getattr(member, "lab_lost_at", now)
            if now - member.lab_lost_at < self._world.settings.asg_seconds:
                continue
            member.health_status = "Unhealthy"
            why = f"EC2 health check indicating it has been {'terminated or stopped' if lost else 'marked unhealthy'}"
            self.terminate(group, member, f"an instance was taken out of service in response to an {why}.")

    def terminate(self, group: Any, member: Any, cause: str) -> Any:
        member.lifecycle_state = "Terminating"
        member.lab_gone_at = self._world.clock.now() + self._world.settings.asg_seconds
        text = f"Terminating EC2 instance: {member.instance_id}"
        member.lab_activity = record(self._world, group, text, cause)
        if member.instance.state != "terminated":
            member.instance.disable_api_termination = False  # does not protect from its own group
            group.ec2_backend.terminate_instances([member.instance_id])
        return member.lab_activity

    def _fit(self, group: Any) -> None:
        members = [member for member in group.instance_states if member.lifecycle_state in ("Pending", "InService")]
        missing = int(group.desired_capacity or 0) - len(members)
        if missing > 0 and "Launch" not in group._suspended_processes:
            self._launch(group, members, missing)
        elif missing < 0 and "Terminate" not in group._suspended_processes:
            for _unused in range(-missing):
                victim = _victim(members)
                if victim is None:
                    return
                members.remove(victim)
                cause = f"a user request changed the desired capacity to {group.desired_capacity}."
                self.terminate(group, victim, cause)

    def _launch(self, group: Any, members: list[Any], count: int) -> None:
        now = self._world.clock.now()
        if now < getattr(group, "lab_retry_at", 0.0):
            return
        for _unused in range(count):
            subnet = _emptiest_subnet(group, members)
            cause = (
                "an instance was started in response to a difference between desired and actual capacity, "
                f"increasing the capacity from {len(members)} to {len(members) + 1}."
            )
            try:
                member = self._launch_one(group, subnet)
            except Exception as error:
                if not isinstance(error, AwsError) and not hasattr(error, "code"):
                    raise
                failed = record(self._world, group, "Launching a new EC2 instance.", cause)
                failed.finish(
                    "Failed", self._world, f"{getattr(error, 'message', error)} Launching EC2 instance failed."
                )
                wait = min(2 * getattr(group, "lab_wait", _RETRY_SECONDS / 2), _RETRY_LIMIT)
                group.lab_wait, group.lab_retry_at = wait, now + wait
                return
            group.lab_wait = _RETRY_SECONDS / 2
            member.lab_activity = record(
                self._world, group, f"Launching a new EC2 instance: {member.instance_id}", cause
            )
            members.append(member)
            group.instance_states.append(member)

    def _launch_one(self, group: Any, subnet: str | None) -> Any:
        tags = {**group.instance_tags, **group.get_propagated_tags(), ASG_NAME_TAG: group.name}
        template = None
        if group.ec2_launch_template:
            template = {"LaunchTemplateId": group.ec2_launch_template.id, "Version": group.launch_template_version}
        configuration = group.launch_config
        reservation = group.ec2_backend.run_instances(
            configuration.image_id if configuration else None,
            1,
            configuration.user_data if configuration else None,
            configuration.security_groups if configuration else [],
            instance_type=configuration.instance_type if configuration else "",
            is_instance_type_default=configuration is None,
            tags={"instance": tags},
            launch_config=configuration,
            launch_template=template,
            associate_public_ip=configuration.associate_public_ip_address if configuration else None,
            subnet_id=subnet,
            placement=None if subnet else group.availability_zones[0],
            region_name=group.region,
        )
        instance = reservation.instances[0]
        instance.autoscaling_group = group
        protected = group.new_instances_protected_from_scale_in
        member = InstanceState(instance, lifecycle_state="Pending", protected_from_scale_in=protected)
        if template:
            number = group.ec2_launch_template.get_version(group.launch_template_version).number
            member.lab_launch_template = {
                **template,
                "LaunchTemplateName": group.ec2_launch_template.name,
                "Version": str(number),
            }
        return member

    def _finish_delete(self, backend: Any, group: Any) -> None:
        for member in group.instance_states:
            if member.lifecycle_state != "Terminating":
                self.terminate(group, member, "the Auto Scaling group is deleted with force.")
        self._settle(backend, group)
        if not group.instance_states and backend.autoscaling_groups.get(group.name) is group:
            del backend.autoscaling_groups[group.name]


def record(world: World, group: FakeAutoScalingGroup, description: str, cause: str) -> Any:
    """A new scaling activity, newest first in the group's list."""
    moment = world.clock.utc()
    activity = LabActivity(description, f"At {moment:%Y-%m-%dT%H:%M:%SZ} {cause}", group, start_time=moment)
    activity.end_time = None  # type: ignore[assignment]
    activities: list[LabActivity] = group.__dict__.setdefault("lab_activities", [])
    activities.insert(0, activity)
    return activity


class LabActivity(Activity):  # type: ignore[misc]  # moto is untyped here
    """A scaling activity that ends."""

    status_code: str
    status_message: str | None = None

    @property
    def auto_scaling_group_arn(self) -> str:
        return str(self.auto_scaling_group.arn)

    def finish(self, status: str, world: World, message: str | None = None) -> None:
        if self.status_code == "InProgress":
            self.status_code, self.status_message, self.progress = status, message, 100
            self.end_time = world.clock.utc()


def _emptiest_subnet(group: Any, members: list[Any]) -> str | None:
    subnets = group.vpc_zone_identifier.split(",") if group.vpc_zone_identifier else []
    used = Counter(member.instance.subnet_id for member in members)
    chooser: Callable[[str], int] = used.__getitem__
    return min(subnets, key=chooser, default=None)


def _victim(members: list[Any]) -> Any:
    """The oldest unprotected member of the zone with the most members."""
    zones = Counter(member.availability_zone for member in members)
    unprotected = [member for member in members if not member.protected_from_scale_in]
    return max(unprotected, key=lambda member: zones[member.availability_zone], default=None)
