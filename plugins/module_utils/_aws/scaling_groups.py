# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto scaling groups: N instances of a launch template, over several subnets.

A group names the version of its template, not "$Latest": what is started at three in the morning is what a finished
run has decided on, not the newest thing that anyone has put into the template; and an instance is outdated when its
version is not the group's. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from .._errors import ConflictError
from .._ownership import OWNER, PART, PREFIX, require_ours
from .._plan import Live, Ref, Spec, Step, Wanted
from .._retry import create_once
from .._wait import wait_for, wait_until
from .api import from_tags
from .ec2 import describe_instances
from .launch_templates import LAUNCH_TEMPLATE
from .run import Run

SCALING_GROUP = "auto-scaling-group"  # key of a plan, and part in the mark
# a tag of the group, which is read anyway: the instance that a run has begun to drain. It stays when that one is gone,
# as it says nothing then, and another run may have noted the next one meanwhile
LEAVING_TAG = f"{PREFIX}leaving"
ALIVE = ["pending", "running", "shutting-down", "stopping", "stopped"]
LEAVING = ("Terminating", "Terminated", "Detach")
MENDED = {"boot": "done", "leaving": False}  # what a member should be, where its spec says that something is amiss
FIELDS = {"min_size": "MinSize", "max_size": "MaxSize", "desired_count": "DesiredCapacity"}


def read_scaling_group(run: Run, name: str, *, adopt: bool = False, departing: bool = False) -> Live | None:
    """The group, if it is there.

    Args:
        departing: whether a group that is being deleted counts as there.

    Raises:
        NotOursError: there is one of this name that is not ours.
    """
    request = {"AutoScalingGroupNames": [name]}
    doing = f"look for auto scaling group {name}"
    found = run.aws.pages("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroups", request, doing=doing)
    if not found or (found[0].get("Status") and not departing):
        return None
    require_ours(run.mark, from_tags(found[0].get("Tags")), f"auto scaling group {name}", adopt=adopt)
    return _live(found[0])


def members(group: Live) -> list[dict[str, Any]]:
    """The group's instances, without those that are on their way out."""
    return [one for one in group.attributes["instances"] if not one["lifecycle"].startswith(LEAVING)]


def wanted_members(staying: Iterable[Live], *, replace_outdated: bool) -> list[Wanted]:
    """The members that have to change: those with something amiss, and, if wanted, those of another version. Pure."""
    spec = {"template_version": Ref(LAUNCH_TEMPLATE, "version")} if replace_outdated else {}
    found = [
        Wanted(one.key, one.kind, one.name, {**spec, **{name: MENDED[name] for name in MENDED if name in one.spec}})
        for one in staying
    ]
    return [one for one in found if one.spec]


def only_stays(step: Step) -> bool:
    """Whether nothing is wrong with a member but that an earlier run has begun to take it away. Pure."""
    return {one.field for one in step.differences} == {"leaving"}


def note_leaving(run: Run, group: str, instance_id: str, doing: str) -> None:
    """Note which instance is being drained, or that none is: a run that is killed meanwhile leaves it without tasks."""
    tag = {"ResourceId": group, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": False}
    request = {"Tags": [{**tag, "Key": LEAVING_TAG, "Value": instance_id}]}
    run.aws.call("autoscaling", "CreateOrUpdateTags", request, doing=doing, settles=True)


def terminate_member(run: Run, instance_id: str, doing: str, *, replaced: bool) -> None:
    """End an instance of a group, as soon as the group has done what it is about.

    One that the group no longer has was ended already: the answer to that was lost, or another run was faster.

    Args:
        replaced: whether the group starts another one in its place.
    """
    run.aws.delete(
        "autoscaling",
        "TerminateInstanceInAutoScalingGroup",
        {"InstanceId": instance_id, "ShouldDecrementDesiredCapacity": not replaced},
        doing=doing,
        deadline=run.deadline,
        pace=run.pace,
    )


def desired_count(group: Live) -> int:
    """How many instances there should be; AWS moves the number between the limits when they change."""
    spec = group.spec
    return int(min(max(spec["desired_count"], spec["min_size"]), spec["max_size"]))


class ScalingGroups:
    """Groups with spec ``{min_size, max_size, desired_count, subnet_ids, template_id, template_version, tags}``."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, step: Step, spec: Spec) -> Live:
        request = {
            **_request(step.name, spec),
            "Tags": _tags(step.name, spec["tags"]),
            # those of an older version go first when the group shrinks
            "TerminationPolicies": ["OldestLaunchTemplate", "Default"],
        }

        def create() -> Live:
            self._call("CreateAutoScalingGroup", request, step)
            return Live(SCALING_GROUP, step.kind, step.name, step.name, spec, {"instances": ()})

        def attempt() -> Live | None:
            try:
                return create_once(create, lambda: read_scaling_group(self._run, step.name), self._run.aws.policy)
            except ConflictError:
                if read_scaling_group(self._run, step.name, departing=True):
                    return None  # its predecessor is still being deleted
                raise

        return wait_for(
            attempt,
            deadline=self._run.deadline,
            doing=step.sentence,
            missing="a group of this name is still being deleted",
            pace=self._run.pace,
        )

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        changed = {one.field for one in step.differences}
        if changed - {"tags"}:
            self._resize(step, spec)
        if "tags" in changed:
            self._call("CreateOrUpdateTags", {"Tags": _tags(live.id, spec["tags"])}, step)
        return Live(live.key, live.kind, live.name, live.id, {**live.spec, **spec}, live.attributes)

    def delete(self, step: Step, live: Live) -> None:
        """With its instances; ends when the last one is really terminated."""
        run = self._run
        request = {"AutoScalingGroupName": live.id, "ForceDelete": True}
        run.aws.delete(
            "autoscaling", "DeleteAutoScalingGroup", request, doing=step.sentence, deadline=run.deadline, pace=run.pace
        )
        await_terminated(run, f"wait for the instances of {live.name} to be terminated")

    def _resize(self, step: Step, spec: Spec) -> None:
        """Update, and again while another change of the group is under way."""
        run, request = self._run, _request(step.name, spec)
        run.aws.call_when_free(
            "autoscaling",
            "UpdateAutoScalingGroup",
            request,
            doing=step.sentence,
            deadline=run.deadline,
            pace=run.pace,
            settles=True,
        )

    def _call(self, operation: str, request: Mapping[str, Any], step: Step) -> dict[str, Any]:
        return self._run.aws.call("autoscaling", operation, request, doing=step.sentence, settles=True)


def instances_alive(run: Run) -> dict[str, Mapping[str, Any]]:
    """Our instances that are not terminated, by id."""
    filters = [
        {"Name": f"tag:{OWNER}", "Values": [run.mark.owner]},
        {"Name": "instance-state-name", "Values": ALIVE},
    ]
    found = describe_instances(run.aws, filters, f"look for the instances of {run.mark.owner}")
    return {one["InstanceId"]: one for one in found}


def await_terminated(run: Run, doing: str, only: Collection[str] = ()) -> None:
    """Until none of our instances is left, or none of the given ones."""
    wait_until(
        lambda: [one for one in instances_alive(run) if not only or one in only],
        ready=lambda alive: not alive,
        deadline=run.deadline,
        doing=doing,
        describe=lambda alive: f"{', '.join(alive)} not terminated yet",
        hint="An instance that shuts down slowly takes minutes. Run the same task again.",
        pace=run.pace,
    )


def _request(name: str, spec: Spec) -> dict[str, Any]:
    request: dict[str, Any] = {"AutoScalingGroupName": name}
    request |= {field: spec[size] for size, field in FIELDS.items() if size in spec}
    if "subnet_ids" in spec:
        request["VPCZoneIdentifier"] = ",".join(spec["subnet_ids"])
    if "template_version" in spec:
        request["LaunchTemplate"] = {"LaunchTemplateId": spec["template_id"], "Version": spec["template_version"]}
    return request


def _tags(name: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """Tags that instances get too, but for the part that the group itself plays."""
    group = {"ResourceId": name, "ResourceType": "auto-scaling-group"}
    return [{**group, "Key": key, "Value": value, "PropagateAtLaunch": key != PART} for key, value in tags.items()]


def _live(group: Mapping[str, Any]) -> Live:
    template = group.get("LaunchTemplate", {})
    spec = {
        **{name: group[field] for name, field in FIELDS.items()},
        "subnet_ids": sorted(one for one in group.get("VPCZoneIdentifier", "").split(",") if one),
        "template_id": template.get("LaunchTemplateId"),
        "template_version": template.get("Version"),
        "tags": from_tags(group.get("Tags")),
    }
    instances = tuple(_member(one) for one in group.get("Instances", ()))
    name = group["AutoScalingGroupName"]
    return Live(SCALING_GROUP, "auto_scaling_group", name, name, spec, {"instances": instances})


def _member(instance: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "instance_id": instance["InstanceId"],
        "zone": instance["AvailabilityZone"],
        "instance_type": instance.get("InstanceType"),
        "lifecycle": instance["LifecycleState"],
        "template_version": instance.get("LaunchTemplate", {}).get("Version"),
    }
