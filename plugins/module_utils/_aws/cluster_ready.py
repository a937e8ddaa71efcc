# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a cluster is ready: all instances that it should have are registered, active, and their agents connected.

One call a look while all goes well. From time to time, and at the end of a wait that fails, a second look finds out
why not: instances that could not be started, or instances that run and do not register. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._batches import batched
from .._errors import SchedulersError
from .._plan import Live
from .._wait import wait_until
from .api import Aws
from .run import Run
from .scaling_activities import activities_of, hopeless, sentences
from .scaling_groups import desired_count, members, read_scaling_group

CONNECTED = "agentConnected == true"
EXPLAIN_SECONDS = 20.0  # between two looks at why
GRACE_SECONDS = 300.0  # an instance that runs for so long should have registered
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
        return replace(standing, reason=reason, events=sentences(activities))

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
    for some in batched(arns, 100):
        request = {"cluster": cluster, "containerInstances": some}
        doing = f"describe the instances of cluster {cluster}"
        answer = aws.call("ecs", "DescribeContainerInstances", request, doing=doing)
        found.extend(answer["containerInstances"])
    return found
