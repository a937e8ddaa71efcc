# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instance that a cluster's control plane runs on.

What the cluster was made with and can never change stands in its tags, so that it need not be said again. It is made
once, by its client token, as volumes are. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._clock import Deadline
from .._ownership import PREFIX, only_one
from .._plan import Live, Rule, Spec, Step
from .._wait import wait_until
from .api import from_tags, tag_filter
from .client_tokens import made_once
from .ec2 import NOT_ENDING, describe_instances, own_volumes, retag
from .launch_templates import template_data
from .run import Run
from .scaling_groups import await_terminated
from .user_data import packed

CONTROL_PLANE = "control-plane"  # key of a plan, and part in the mark
SETTINGS = ("version", "pod_network", "pod_cidr", "service_cidr")  # in its tags
FIXED = ("zone", "instance_type", *SETTINGS)
CONTROL_PLANE_RULE = Rule(immutable=frozenset(FIXED))
ENDING = frozenset({"shutting-down", "terminated"})
ENDING_SECONDS = 300.0  # within these an instance that is ending is gone, and its address free


def setting_tag(setting: str) -> str:
    """The key of the tag that holds a setting."""
    return f"{PREFIX}{setting.replace('_', '-')}"


def read_control_plane(run: Run) -> Live | None:
    """The instance, unless it is ending.

    Raises:
        ConflictError: there are several.
    """
    what = f"the control plane of {run.mark.owner}"
    found = describe_instances(run.aws, [*tag_filter(run.mark.tags(CONTROL_PLANE)), NOT_ENDING], f"look for {what}")
    by_id = {one["InstanceId"]: one for one in found}
    instance_id = only_one(by_id, what)
    return live_control_plane(by_id[instance_id]) if instance_id else None


def halted(live: Live | None) -> str | None:
    """Why a control plane cannot answer that somebody has stopped. Pure."""
    if live is None or live.attributes["state"] not in ("stopping", "stopped"):
        return None
    return f"its control plane, {live.id}, is {live.attributes['state']}. Start it, and run the task again"


def live_control_plane(instance: Mapping[str, Any]) -> Live:
    """An instance of DescribeInstances."""
    tags = from_tags(instance.get("Tags"))
    spec = {
        "zone": instance["Placement"]["AvailabilityZone"],
        "instance_type": instance["InstanceType"],
        **{setting: tags.get(setting_tag(setting)) for setting in SETTINGS},
        "tags": tags,
    }
    attributes = {
        "state": instance["State"]["Name"],
        "launched": instance.get("LaunchTime"),
        "private_ip": instance.get("PrivateIpAddress"),
        "public_ip": instance.get("PublicIpAddress"),
        "private_name": instance.get("PrivateDnsName"),
        "image_id": instance.get("ImageId"),
        "volumes": own_volumes(instance),
    }
    name, instance_id = tags.get("Name", instance["InstanceId"]), instance["InstanceId"]
    return Live(CONTROL_PLANE, "control_plane", name, instance_id, spec, attributes)


def run_request(spec: Spec, user_data: str) -> dict[str, Any]:
    """A spec as EC2 takes it. Pure."""
    data = template_data({**spec, "user_data": "", "instance_tags": spec["tags"]})
    interface = {**data["NetworkInterfaces"][0], "SubnetId": spec["subnet_id"], "PrivateIpAddress": spec["private_ip"]}
    # botocore encodes what RunInstances takes itself, unlike that of launch templates
    return {**data, "NetworkInterfaces": [interface], "UserData": packed(user_data), "MinCount": 1, "MaxCount": 1}


class ControlPlanes:
    """Instances with the spec of a launch template, and ``{zone, subnet_id, private_ip, address}``.

    Args:
        user_data: what the instance runs, once it is known by which address it is reached.
    """

    def __init__(self, run: Run, user_data: Callable[[str], str]) -> None:
        self._run = run
        self._user_data = user_data

    def create(self, step: Step, spec: Spec) -> Live:
        """Ends when the instance runs; what runs on it is waited for elsewhere."""
        run, script = self._run, self._user_data(spec["address"])
        request = run_request(spec, script)
        described = {**request, "UserData": script}

        def make(token: dict[str, str]) -> Live | None:
            answer = run.aws.call_when_free(
                "ec2",
                "RunInstances",
                {**request, **token},
                doing=step.sentence,
                # the private address of one that is ending is free once that is gone
                deadline=Deadline(run.deadline.clock, min(ENDING_SECONDS, run.deadline.left())),
                pace=run.pace,
                settles=True,
            )
            instance = self._running(step, answer["Instances"][0]["InstanceId"])
            return live_control_plane(instance) if instance else None

        return made_once(
            described, make, otherwise="EC2 answers with instances that are terminated", doing=step.sentence
        )

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        if live.attributes["volumes"]:  # first, as the instance is what tells whether this is done
            retag(self._run, step, self._run.tags, *live.attributes["volumes"])
        retag(self._run, step, spec["tags"], live.id)
        return Live(live.key, live.kind, live.name, live.id, {**live.spec, **spec}, live.attributes)

    def delete(self, step: Step, live: Live) -> None:
        run, request = self._run, {"InstanceIds": [live.id]}
        run.aws.delete("ec2", "TerminateInstances", request, doing=step.sentence, deadline=run.deadline)
        await_terminated(run, step.sentence, {live.id})

    def _running(self, step: Step, instance_id: str) -> Mapping[str, Any] | None:
        """The instance once it runs; None if it was made, and ended, by an earlier run with the same token."""
        looks = 0

        def look() -> Mapping[str, Any]:
            nonlocal looks
            looks += 1
            request = {"InstanceIds": [instance_id]}
            answer = self._run.aws.call("ec2", "DescribeInstances", request, doing=step.sentence, settles=True)
            instance: Mapping[str, Any] = answer["Reservations"][0]["Instances"][0]
            return instance

        instance = wait_until(
            look,
            ready=lambda one: one["State"]["Name"] == "running" or (looks == 1 and one["State"]["Name"] in ENDING),
            failed=_reason,
            describe=lambda one: f"{instance_id} is {one['State']['Name']}",
            deadline=self._run.deadline,
            doing=step.sentence,
            pace=self._run.pace,
        )
        return None if instance["State"]["Name"] in ENDING else instance


def _reason(instance: Mapping[str, Any]) -> str | None:
    """Why an instance will not run: EC2 gives up on some a moment after it has accepted them."""
    if instance["State"]["Name"] not in {*ENDING, "stopping", "stopped"}:
        return None
    told = instance.get("StateReason", {}).get("Message") or instance.get("StateTransitionReason") or "no reason given"
    return f"instance {instance['InstanceId']} is {instance['State']['Name']}: {told}"
