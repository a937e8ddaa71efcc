# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a service, and at what becomes of its tasks, until it is ready or never will be. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._batches import batched
from .._errors import AuthError, NotFoundError, NotOursError
from .._wait import wait_until
from .api import SETTLING_SECONDS
from .cluster_ready import connected_instances
from .names import ClusterNames, cluster_mark
from .run import Run
from .scaling_groups import desired_count, read_scaling_group
from .service_judgement import (
    UNPLACED,
    Goal,
    Health,
    Look,
    Service,
    describe,
    failed,
    latest_events,
    no_room,
    outdated,
    placed,
    ready,
    replacements,
)

TASKS_AT_ONCE = 100  # ARNs in one DescribeTasks
SCALED_IN = re.compile(r"^Scaling activity initiated by")
# stop codes of tasks that did nothing wrong
BLAMELESS = frozenset({"SpotInterruption", "TerminationNotice", "UserInitiated"})


class Watcher:
    """Takes looks at one service, each knowing how long nothing has moved.

    The load balancer is asked only when ECS has done its part, the stopped tasks only when there are more of them.

    Args:
        known: the service as it was read already, which spares the first call; or, of a goal that was started, as ECS
            answered to the change: so it is shown as long as ECS, for a moment, answers from before that.
        health: asks the load balancer.
    """

    def __init__(self, run: Run, goal: Goal, known: Service, *, health: Callable[[], Health] | None) -> None:
        self._run = run
        self._goal = goal
        self._known = known
        self._first = None if goal.started else known
        self._health = health
        self._seen: tuple[Any, ...] = ()
        self._begun = self._since = run.deadline.clock.now()
        self._looks = 0
        self._failures = 0
        self._stopped: tuple[str, ...] = ()

    def __call__(self) -> Look:
        """The next look."""
        service, self._first = self._first or self._describe(), None
        late = service is None
        service = service or self._known
        self._note_movement(service)
        self._note_failures(service)
        quiet = self._run.deadline.clock.now() - self._since
        look = Look(service, stopped=self._stopped, quiet_looks=self._looks, quiet_seconds=quiet, late=late)
        if no_room(self._goal, look) and self._instances_join():
            self._looks, self._since = 0, self._run.deadline.clock.now()
            return replace(look, joining=True)
        if self._health and placed(self._goal, look) and look.counts["desired"]:
            health = self._health()
            unreached = health.unreached(look.counts["desired"])
            return replace(look, healthy=health.healthy, unreached=unreached)
        return look

    def _describe(self) -> Service | None:
        """The service as ECS shows it; None: it answers from before the change.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html (eventual consistency)
        """
        goal = self._goal
        settling = goal.started and self._run.deadline.clock.now() - self._begun < SETTLING_SECONDS
        try:
            service = describe_service(self._run, goal.cluster, goal.name)
        except NotFoundError:
            if settling:
                return None
            raise
        return None if settling and outdated(goal, service) else service

    def _instances_join(self) -> bool:
        """Whether the cluster, if it is one of ours, has fewer instances than it should have: then more will come.

        Who may not see that is told what ECS says.
        """
        names = ClusterNames(self._goal.cluster, self._run.aws.region)
        of_cluster = replace(self._run, mark=cluster_mark(self._goal.cluster))
        try:
            group = read_scaling_group(of_cluster, names.auto_scaling_group)
            connected = connected_instances(self._run.aws, self._goal.cluster) if group else ()
        except (AuthError, NotOursError):
            return False
        return group is not None and len(connected) < desired_count(group)

    def _note_movement(self, service: Service) -> None:
        events = [one for one in service.get("events", ()) if not UNPLACED.search(one["message"])]
        newest = events[0]["createdAt"] if events else None
        seen = (service["runningCount"], service["pendingCount"], len(service.get("deployments", ())), newest)
        self._looks = self._looks + 1 if seen == self._seen else 0
        if seen != self._seen:
            self._since, self._seen = self._run.deadline.clock.now(), seen

    def _note_failures(self, service: Service) -> None:
        deployments = service.get("deployments", ())
        failures = sum(one.get("failedTasks", 0) for one in deployments if one["id"] == self._goal.deployment)
        # ECS counts no failure any more once a task has run, if only for a second
        failures += replacements(service, self._goal.since)
        if failures > self._failures:
            self._failures = failures
            self._stopped = stopped_reasons(self._run, self._goal)


def wait_ready(run: Run, goal: Goal, known: Service, *, health: Callable[[], Health] | None) -> Service:
    """Wait until the service is ready, and return it. The arguments are those of ``Watcher``.

    Raises:
        StateFailedError: it never will be.
        WaitTimeoutError: it was not within the time.
    """
    return wait_until(
        Watcher(run, goal, known, health=health),
        ready=lambda look: ready(goal, look),
        failed=lambda look: failed(goal, look),
        describe=lambda look: describe(goal, look),
        events=lambda look: latest_events(look.service),
        deadline=run.deadline,
        doing=f"wait for service {goal.name}",
        hint="Is there room for its tasks, and do they pass their health checks? See events of ecs_cluster_app_info.",
        pace=run.pace,
    ).service


def describe_service(run: Run, cluster: str, name: str) -> Service:
    """The service as it is now.

    Raises:
        NotFoundError: there is none.
    """
    doing = f"look at service {name}"
    request = {"cluster": cluster, "services": [name], "include": ["TAGS"]}
    services = run.aws.call("ecs", "DescribeServices", request, doing=doing)["services"]
    if not services:
        raise NotFoundError(f"service {name} of cluster {cluster} does not exist", doing=doing)
    found: Service = services[0]
    return found


def stopped_reasons(run: Run, goal: Goal) -> tuple[str, ...]:
    """Why the tasks of a deployment stopped, as far as ECS still knows (about an hour)."""
    doing = f"look at the stopped tasks of service {goal.name}"
    request = {"cluster": goal.cluster, "serviceName": goal.name, "desiredStatus": "STOPPED"}
    tasks = described_tasks(run, request, doing=doing)
    return tuple(reason_of(task) for task in tasks if task.get("startedBy") == goal.deployment and _to_blame(task))


def _to_blame(task: Mapping[str, Any]) -> bool:
    return task.get("stopCode") not in BLAMELESS and not SCALED_IN.search(task.get("stoppedReason") or "")


def described_tasks(run: Run, request: Mapping[str, Any], *, doing: str, settles: bool = False) -> list[dict[str, Any]]:
    """The tasks that a ListTasks brings, in full."""
    arns = run.aws.pages("ecs", "ListTasks", "taskArns", request, doing=doing, settles=settles)
    return tasks_in_full(run, request["cluster"], arns, doing=doing)


def tasks_in_full(run: Run, cluster: str, arns: Sequence[str], *, doing: str) -> list[dict[str, Any]]:
    """Those of the tasks that ECS still knows; one call for each hundred."""
    found: list[dict[str, Any]] = []
    for some in batched(arns, TASKS_AT_ONCE):
        found.extend(run.aws.call("ecs", "DescribeTasks", {"cluster": cluster, "tasks": some}, doing=doing)["tasks"])
    return found


def reason_of(task: Mapping[str, Any]) -> str:
    """Why a task stopped: its container's own words where there are any. Pure."""
    for container in task.get("containers", ()):
        if container.get("reason"):
            return str(container["reason"])
    codes = [str(one["exitCode"]) for one in task.get("containers", ()) if one.get("exitCode")]
    reason = task.get("stoppedReason") or "no reason given"
    return f"{reason} (exit code {', '.join(codes)})" if codes else str(reason)
