# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything in EC2 that carries a mark: what a teardown begins with, and the look that ends it. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any

from .._errors import ConflictError
from .._ownership import OWNER, PART
from .._parallel import gather
from .._plan import Live, Step
from .._wait import wait_until
from .api import SLOW_DELETES, tag_filter
from .launch_templates import INSTANCE
from .run import Run
from .scaling_groups import instances_alive

# EC2's word for a kind of resource -> ours; whatever else has our mark (volumes, network interfaces) goes with these
EC2_KINDS = {
    "vpc": "vpc",
    "internet-gateway": "internet_gateway",
    "subnet": "subnet",
    "security-group": "security_group",
    "launch-template": "launch_template",
    "instance": "instance",
}
GROUP_TAG = "aws:autoscaling:groupName"  # nobody can copy it: EC2 keeps tags that begin so to itself
# our word, or the end of it -> the call, and the fields of its answer
LOOKS = {
    "vpc": ("DescribeVpcs", "Vpcs", "VpcId"),
    "internet_gateway": ("DescribeInternetGateways", "InternetGateways", "InternetGatewayId"),
    "subnet": ("DescribeSubnets", "Subnets", "SubnetId"),
    "security_group": ("DescribeSecurityGroups", "SecurityGroups", "GroupId"),
    "launch_template": ("DescribeLaunchTemplates", "LaunchTemplates", "LaunchTemplateId"),
    "instance": ("DescribeInstances", "", ""),
    "control_plane": ("DescribeInstances", "", ""),
}


def marked_resources(run: Run, kinds: Mapping[str, str], parts: Mapping[str, str]) -> list[Live]:
    """What carries our mark in EC2: one call, whatever it is and wherever. Some of it may be gone.

    Args:
        kinds: EC2's words for the kinds to look for, with ours.
        parts: our words for what plays a certain part.
    """
    request = {"Filters": [{"Name": "key", "Values": [OWNER, PART, GROUP_TAG]}]}
    tags = run.aws.pages("ec2", "DescribeTags", "Tags", request, doing=f"look for all that belongs to {run.mark.owner}")
    types = {one["ResourceId"]: one["ResourceType"] for one in tags if run.mark.same_owner({one["Key"]: one["Value"]})}
    playing = {one["ResourceId"]: one["Value"] for one in tags if one["Key"] == PART}
    of_groups = {one["ResourceId"] for one in tags if one["Key"] == GROUP_TAG}
    vpcs = [one for one, kind in types.items() if kind == "vpc"]
    vpc_id = vpcs[0] if len(vpcs) == 1 else None  # of several, each gateway is asked for its own
    found = []
    for resource, kind in types.items():
        ours = parts.get(playing.get(resource, "")) or kinds.get(kind)
        if ours:
            spec: dict[str, Any] = {"part": playing.get(resource)}  # which of several it is, for the diff
            spec |= {"vpc_id": vpc_id} if ours == "internet_gateway" else {}
            spec |= {"of_group": resource in of_groups} if kind == "instance" else {}
            found.append(Live(resource, ours, resource, resource, spec))
    return found


def really_there(run: Run, marked: list[Live], *, known: Collection[str] = ()) -> list[Live]:
    """Without what is gone: EC2 says that tags of deleted resources stay visible for a while.

    Args:
        known: ids that need no look.
    """
    filters = {"Filters": tag_filter({OWNER: run.mark.owner})}
    doing = f"look for what is left of {run.mark.owner}"

    def look(operation: str, items: str, name: str) -> set[str]:
        if operation == "DescribeInstances":
            return {*instances_alive(run)}
        return {one[name] for one in run.aws.pages("ec2", operation, items, filters, doing=doing)}

    looks = {_look_of(one.kind) for one in marked if one.id not in known}
    answers = gather({one[0]: partial(look, *one) for one in sorted(looks)})
    there = {one for ids in answers.values() for one in ids}
    return [one for one in marked if one.id in there or one.id in known]


def refuse_copies(run: Run, marked: Iterable[Live]) -> None:
    """Refuse to end instances that somebody has started like one of ours, which gave them its tags.

    Raises:
        ConflictError: there are some. Those of a group have its tag.
    """
    copies = sorted(one.id for one in marked if not one.spec.get("of_group", True) and one.spec["part"] == INSTANCE)
    if copies:
        raise ConflictError(
            f"instances carry the mark of {run.mark.owner} that no auto scaling group has started: {', '.join(copies)}",
            hint=f"Terminate these copies, or take the tag {OWNER} away from them.",
        )


def _look_of(kind: str) -> tuple[str, str, str]:
    return next(look for word, look in LOOKS.items() if kind == word or kind.endswith(f"_{word}"))


def await_gone(run: Run, left: Callable[[], Collection[Live]], doing: str) -> None:
    """A look, and more of them while lists are behind.

    Args:
        left: what is still there.

    Raises:
        WaitTimeoutError: something is; the message says what.
    """
    wait_until(
        left,
        ready=lambda found: not found,
        describe=lambda found: "still there: " + ", ".join(_label(one) for one in found),
        deadline=run.deadline,
        doing=doing,
        hint=SLOW_DELETES,
        pace=run.pace,
    )


def _label(live: Live) -> str:
    return Step("delete", live.key, live.kind, live.name).label
