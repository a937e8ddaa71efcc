# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VPC of an owner: one only, however many runs make it at the same moment.

EC2 gives a VPC neither a unique name nor a client token, so nothing keeps two runs from making one each. The run that
made the owner's role goes first, and others give it time. Whoever has made a VPC looks around before it puts anything
into it: if there are several, all runs keep the same one, and each deletes its own if that is another. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from .._clock import Deadline
from .._errors import ConflictError
from .._plan import Live, Spec, Step
from .._retry import create_once
from .._wait import Pace, wait_for
from .api import from_tags, tag_specifications
from .ec2 import NOT_ENDING, awaited, delete, describe_instances, marked, retag
from .run import Run

VPC = "vpc"  # key of a plan, and part in the mark
RIVAL_SECONDS = 10.0  # so long a run may take from its VPC to the first thing in it
RIVAL_PACE = Pace(first=0.5, cap=2.0)


def find_vpc(run: Run) -> Live | None:
    """Our VPC, by its mark. Of several, which runs that were killed have left, the one that is in use."""
    found = _ours(run)
    return kept(found, _in_use(run, found), run.mark.owner) if found else None


def kept(found: Sequence[Live], in_use: Collection[str], owner: str) -> Live:
    """Which one of several VPCs all runs keep: the one with something in it, else the first by id. Pure.

    Raises:
        ConflictError: several are in use; guessing which one is meant could destroy the wrong one.
    """
    used = sorted(one.id for one in found if one.id in in_use)
    if len(used) > 1:
        raise ConflictError(
            f"the VPC of {owner} is there {len(used)} times: {', '.join(used)}",
            hint="Delete those that are not in use, or remove their mark.",
        )
    chosen = used[0] if used else min(one.id for one in found)
    return next(one for one in found if one.id == chosen)


class Vpcs:
    """VPCs with spec ``{cidr, tags}``.

    Args:
        patience: seconds for which another run may still be making the VPC, asked when it is about to be made.
    """

    def __init__(self, run: Run, patience: Callable[[], float]) -> None:
        self._run = run
        self._patience = patience

    def create(self, step: Step, spec: Spec) -> Live:
        seconds = self._patience()  # none: nobody else makes it, and it was looked for before
        other = awaited(self._run, lambda: find_vpc(self._run), seconds, "VPC") if seconds else None
        return other or self._settled(step, self._created(step, spec))

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        retag(self._run, step, spec["tags"], live.id)
        return live

    def delete(self, step: Step, live: Live) -> None:
        delete(self._run, step, "DeleteVpc", {"VpcId": live.id})

    def _created(self, step: Step, spec: Spec) -> Live:
        request = {"CidrBlock": spec["cidr"], "TagSpecifications": tag_specifications("vpc", spec["tags"])}

        def create() -> Live:
            return _live(self._run.aws.call("ec2", "CreateVpc", request, doing=step.sentence)["Vpc"])

        return create_once(create, lambda: find_vpc(self._run), self._run.aws.policy)

    def _settled(self, step: Step, mine: Live) -> Live:
        """The VPC that is kept, once that is clear. A rival that has seen only its own may be about to use it."""
        rivals_until = Deadline(self._run.deadline.clock, RIVAL_SECONDS)

        def look() -> Live | None:
            found = _ours(self._run)
            if mine.id not in {one.id for one in found}:
                return None  # the list is behind, and what it lacks may be there
            in_use = _in_use(self._run, found)
            chosen = kept(found, in_use, self._run.mark.owner)
            alone = len(found) == 1
            return chosen if alone or in_use or chosen.id != mine.id or rivals_until.passed() else None

        chosen = wait_for(
            look,
            missing="it is not clear yet which one of several is kept",
            deadline=self._run.deadline,
            doing=step.sentence,
            pace=RIVAL_PACE,
        )
        if chosen.id != mine.id:
            delete(self._run, step, "DeleteVpc", {"VpcId": mine.id})
        return chosen


def _ours(run: Run) -> list[Live]:
    return [_live(one) for one in marked(run, "DescribeVpcs", "Vpcs", VPC)]


def _in_use(run: Run, vpcs: Collection[Live]) -> set[str]:
    """Those with something in them. One alone is not looked into: it is kept in any case."""
    if len(vpcs) < 2:
        return set()
    filters = [{"Name": "vpc-id", "Values": sorted(one.id for one in vpcs)}]
    doing = f"look which VPC of {run.mark.owner} is in use"
    subnets = run.aws.pages("ec2", "DescribeSubnets", "Subnets", {"Filters": filters}, doing=doing)
    return {one["VpcId"] for one in subnets}


def _live(vpc: Mapping[str, Any]) -> Live:
    tags = from_tags(vpc.get("Tags"))
    return Live(VPC, "vpc", tags.get("Name", vpc["VpcId"]), vpc["VpcId"], {"cidr": vpc["CidrBlock"], "tags": tags})


def refuse_foreign_instances(run: Run, vpc_id: str) -> None:
    """Refuse to take a network away from what is not ours.

    Raises:
        ConflictError: there are instances of others in the VPC.
    """
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}, NOT_ENDING]
    instances = describe_instances(run.aws, filters, f"look who is in {vpc_id}")
    foreign = sorted(one["InstanceId"] for one in instances if not run.mark.same_owner(from_tags(one.get("Tags"))))
    if foreign:
        raise ConflictError(
            f"the VPC of {run.mark.owner} has instances that are not the cluster's: {', '.join(foreign)}",
            hint="Terminate them or move them elsewhere first.",
        )
