# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a cluster is ready: all instances that it should have are registered, active, and their agents connected.

One call a look while all goes well. From time to time, and at the end of a wait that fails, a second look finds out
why not: instances that could not be started, or instances that run and do not register. PRIVATE.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

from .._errors import SchedulersError
from .._plan import Live
from .._wait import wait_until
from .api import Aws
from .errors import SETTLING_TEXT
from .run import Run
from .scaling_groups import desired_count, members, read_scaling_group

CONNECTED = "agentConnected == true"
EXPLAIN_SECONDS = 20.0  # between two looks at why
SKEW_SECONDS = 60.0  # how far our clock may be from that of AWS
GRACE_SECONDS = 300.0  # an instance that runs for so long should have registered
# another zone may have what this one lacks
PASSING = re.compile(
    r"insufficient.*capacity|not have sufficient .*capacity|not supported in your requested availability zone",
    re.IGNORECASE,
)
PASSING_FAILURES = 3  # as many in a row are not passing any more
# an instance was started, and ended before it was in service: somebody's doing, or its volume's key may not be used
ENDED_EARLY = re.compile(r"Termination Reason:")
CONSOLE_LINES = 8
NOT_REGISTERED_HINT = (
    "An instance registers if its subnet has a route to the internet (or to VPC endpoints of ECS), its profile "
    "may do ecs:RegisterContainerInstance, and its image runs the ECS agent with this cluster's name."
)


@dataclass(frozen=True)
class Standing:
    """What one look has shown.

    Attributes:
        wanted: how many instances there should be.
        arns: the container instances that are active and whose agents are connected.
        registered: the same in full, once there are enough of them.
        group: the auto scaling group, once there are enough of them.
        reason: why there will never be enough.
        events: what AWS says, newest first.
    """

    wanted: int
    arns: Sequence[str]
    registered: Sequence[dict[str, Any]] = ()
    group: Live | None = None
    reason: str | None = None
    events: Sequence[str] = ()

    @property
    def ready(self) -> bool:
        """Whether the group is complete and each of its members is connected. Others may be, too."""
        if self.group is None:
            return False
        ids = {one["instance_id"] for one in members(self.group)}
        return len(ids) == desired_count(self.group) and ids <= {one["ec2InstanceId"] for one in self.registered}

    def __str__(self) -> str:
        return f"{len(self.arns)} of {self.wanted} instances are registered with a connected agent"


class Readiness:
    """Looks at the instances of a cluster until they are ready.

    Args:
        cluster: the cluster's name.
        group: the auto scaling group, as it was read or made.
        fresh: whether nothing has changed since the group was read, so that it need not be read again.
    """

    def __init__(self, run: Run, cluster: str, group: Live, *, fresh: bool = False) -> None:
        self._run = run
        self._cluster = cluster
        self._group = group
        self._known = group if fresh else None
        self._begun = run.deadline.waited()
        self._explained = self._begun

    def await_ready(self) -> Standing:
        """What the look has shown that found them ready."""
        return wait_until(
            self._look,
            ready=lambda standing: standing.ready,
            failed=lambda standing: standing.reason,
            describe=str,
            events=lambda standing: standing.events,
            deadline=self._run.deadline,
            doing=f"wait for the instances of cluster {self._cluster}",
            hint=NOT_REGISTERED_HINT,
            pace=self._run.pace,
        )

    def _look(self) -> Standing:
        arns = connected_instances(self._run.aws, self._cluster, settles=True)
        standing = Standing(desired_count(self._group), arns)
        if len(standing.arns) >= standing.wanted:
            standing = self._in_full(standing)
        waited = self._run.deadline.waited()
        if standing.ready or not (waited - self._explained > EXPLAIN_SECONDS or self._run.deadline.passed()):
            return standing
        self._explained = waited
        return self._with_reason(standing)

    def _in_full(self, standing: Standing) -> Standing:
        registered = described_instances(self._run.aws, self._cluster, standing.arns)
        group, self._known = self._known or self._read_group(), None
        return replace(standing, registered=registered, group=group)

    def _with_reason(self, standing: Standing) -> Standing:
        activities = activities_of(self._run, self._group.id)
        reason = hopeless(activities)
        if not reason and self._grace_is_over():
            reason = self._unregistered(self._in_full(standing))
        return replace(standing, reason=reason, events=[sentence(one) for one in activities])

    def _grace_is_over(self) -> bool:
        deadline = self._run.deadline
        return deadline.passed() or deadline.waited() - self._begun > min(GRACE_SECONDS, deadline.seconds / 2)

    def _read_group(self) -> Live | None:
        return read_scaling_group(self._run, self._group.id, adopt=True)

    def _unregistered(self, standing: Standing) -> str | None:
        """The instances that are in service and did not register, with the end of one's console output."""
        there = members(standing.group) if standing.group else ()
        running = {one["instance_id"] for one in there if one["lifecycle"] == "InService"}
        missing = sorted(running - {one["ec2InstanceId"] for one in standing.registered})
        if not missing:
            return None
        console = self._console(missing[0])
        said = f"; the console of {missing[0]} ends with: {console}" if console else ""
        return f"instances run but do not register with cluster {self._cluster}: {', '.join(missing)}{said}"

    def _console(self, instance_id: str) -> str:
        try:
            doing = f"read the console of {instance_id}"
            answer = self._run.aws.call("ec2", "GetConsoleOutput", {"InstanceId": instance_id}, doing=doing)
        except SchedulersError:  # nice to have; the wait's own message must not be lost over it
            return ""
        return " | ".join(answer.get("Output", "").strip().splitlines()[-CONSOLE_LINES:])


def connected_instances(aws: Aws, cluster: str, *, settles: bool = False) -> list[str]:
    """ARNs of the container instances that take tasks.

    Args:
        settles: the cluster may have been made moments ago, and not be known everywhere yet.
    """
    request = {"cluster": cluster, "status": "ACTIVE", "filter": CONNECTED}
    doing = f"list the instances of cluster {cluster}"
    items = "containerInstanceArns"
    return aws.pages("ecs", "ListContainerInstances", items, request, doing=doing, settles=settles)


def described_instances(aws: Aws, cluster: str, arns: Sequence[str]) -> list[dict[str, Any]]:
    """Container instances in full; one call for each hundred."""
    found: list[dict[str, Any]] = []
    for start in range(0, len(arns), 100):
        request = {"cluster": cluster, "containerInstances": list(arns[start : start + 100])}
        doing = f"describe the instances of cluster {cluster}"
        answer = aws.call("ecs", "DescribeContainerInstances", request, doing=doing)
        found.extend(answer["containerInstances"])
    return found


def activities_of(run: Run, group: str) -> list[dict[str, Any]]:
    """What an auto scaling group has done since the run began, newest first: what failed before may be mended."""
    request = {"AutoScalingGroupName": group, "MaxRecords": 10}
    doing = f"read the activities of auto scaling group {group}"
    found = run.aws.call("autoscaling", "DescribeScalingActivities", request, doing=doing)["Activities"]
    begun = datetime.now(UTC) - timedelta(seconds=run.deadline.waited() + SKEW_SECONDS)
    return [one for one in found if one.get("StartTime", begun) >= begun]


def hopeless(activities: Sequence[Mapping[str, Any]]) -> str | None:
    """Why an auto scaling group starts no instances and never will, by its activities, newest first. Pure."""
    failures = [*takewhile(_failed, activities)]
    if not failures:
        return None
    message = failures[0].get("StatusMessage", "")
    passing = any(kind.search(message) for kind in (SETTLING_TEXT, PASSING, ENDED_EARLY))
    if passing and len(failures) < PASSING_FAILURES:
        return None
    return f"AWS does not start instances: {message or failures[0].get('Description', '')}"


def _failed(activity: Mapping[str, Any]) -> bool:
    early = activity["StatusCode"] == "Cancelled" and ENDED_EARLY.search(activity.get("StatusMessage", ""))
    return activity["StatusCode"] == "Failed" or bool(early)


def sentence(activity: Mapping[str, Any]) -> str:
    """An activity in words. Pure."""
    return f"{activity['StatusCode']}: {activity.get('StatusMessage') or activity.get('Description', '')}"
