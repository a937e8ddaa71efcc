# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a service is really up, or can never be.

"Running equals desired" is not it: the tasks may be of the deployment before, or fail their load balancer's checks. And
a deployment for which there is no room would be waited for until the deadline, though ECS says so within seconds. The
judgement is pure, over a ``Look``; ``wait_ready`` takes the looks. PRIVATE.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from .._errors import AuthError, NotFoundError, NotOursError
from .._wait import wait_until
from .api import SETTLING_SECONDS
from .cluster_ready import connected_instances
from .names import ClusterNames, cluster_mark
from .run import Run
from .scaling_groups import desired_count, read_scaling_group

Service = Mapping[str, Any]  # as DescribeServices gives it
Deployment = Mapping[str, Any]

TASKS_AT_ONCE = 100  # ARNs in one DescribeTasks
SHOWN_EVENTS = 5
GRACE_LOOKS = 5  # looks at the same trouble before it is believed: an instance may be about to join
PULL_FAILURES = 2
FEWEST_FAILURES = 3  # and half of the desired tasks, as ECS's own circuit breaker counts
ZONE_SECONDS = 60.0  # a load balancer is in a zone that it was given so soon
STOP_SECONDS = 45.0  # a task has 30 seconds to stop after its connections are drained; its port is taken until then

UNPLACED = re.compile(r"unable to place a task")
DEADLOCK = re.compile(r"unable to stop or start tasks during a deployment")
STOPPING = re.compile(r"has begun draining connections|has stopped \d+ running tasks?")
MOVING = re.compile(r"has started \d+ tasks?|has reached a steady state|deployment completed")
PORT_TAKEN = re.compile(r"already using a port")
# what an application or network load balancer says of a target, and a classic one of an instance
OTHER_ZONE = re.compile(r"Availability Zone (that is not enabled for the|for which) load ?balancer", re.IGNORECASE)
PULL_FAILED = re.compile(r"^CannotPull|pull image manifest", re.IGNORECASE)
STARTED = re.compile(r"has started (\d+) tasks?")
SCALED_IN = re.compile(r"^Scaling activity initiated by")
# stop codes of tasks that did nothing wrong
BLAMELESS = frozenset({"SpotInterruption", "TerminationNotice", "UserInitiated"})
MANUAL = re.compile(r"\s*For more information, see .*$")

ZONES_ADVICE = "Give load_balancer.subnets one subnet of each zone of the instances"
ADVICE = (
    (PORT_TAKEN, "Each task with a fixed host_port needs an instance of its own: use more instances, or host_port 0"),
    (re.compile("insufficient memory"), "Ask for less memory, or for more or larger instances"),
    (re.compile("insufficient CPU"), "Ask for less cpu, or for more or larger instances"),
    (re.compile("No Container Instances were found"), "No instance has joined the cluster: see ecs_cluster_info"),
    (re.compile("constraint|attribute"), "No instance has what placement_constraints or the task definition ask for"),
)


@dataclass(frozen=True)
class Goal:
    """What is waited for.

    Attributes:
        cluster, name: whose service.
        deployment: id of the deployment that has to complete.
        since: when it was started or last changed, on AWS's clock; older events are about something else.
        started: it was created or updated a moment ago, which ECS may not say everywhere yet.
        desired: the desired count that it was given then; None: it may be seen with any.
        balanced: the tasks have to be healthy at a load balancer.
        drain_seconds: how long a task that is stopped may keep its port.
        least, most: the desired count that Application Auto Scaling has yet to move the service to; None: no limit.
    """

    cluster: str
    name: str
    deployment: str
    since: datetime
    started: bool = False
    desired: int | None = None
    balanced: bool = False
    drain_seconds: float = 0.0
    least: int = 0
    most: int | None = None

    def in_range(self, desired: int) -> bool:
        """Whether the service has been moved into its range."""
        return self.least <= desired and (self.most is None or desired <= self.most)


@dataclass(frozen=True)
class Health:
    """What a load balancer says of the tasks behind it.

    Attributes:
        healthy: how many it finds healthy.
        others: what it says of the others.
    """

    healthy: int
    others: Sequence[str] = ()

    def unreached(self, wanted: int) -> str:
        """What it says of those in a zone where it is not, if so many can never be healthy for that; else empty."""
        elsewhere = [one for one in self.others if OTHER_ZONE.search(one)]
        possible = self.healthy + len(self.others) - len(elsewhere)
        return elsewhere[0] if elsewhere and possible < wanted else ""


@dataclass(frozen=True)
class Look:
    """One look at a service.

    Attributes:
        healthy: tasks that the load balancer finds healthy; None: not asked yet.
        stopped: why tasks of this deployment stopped, one text each.
        quiet_looks: how many looks before this one showed the same.
        quiet_seconds: for how long.
        joining: instances are about to join the cluster.
        late: ECS answered from before the change that is waited for: this is the service as the change left it.
        unreached: why the load balancer sends nothing to some of the tasks, and never will.
    """

    service: Service
    healthy: int | None = None
    stopped: tuple[str, ...] = ()
    quiet_looks: int = 0
    quiet_seconds: float = 0.0
    joining: bool = False
    late: bool = False
    unreached: str = ""
    counts: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        names = {"desired": "desiredCount", "running": "runningCount", "pending": "pendingCount"}
        object.__setattr__(self, "counts", {name: self.service[field] for name, field in names.items()})

    @property
    def deployments(self) -> Sequence[Deployment]:
        found: Sequence[Deployment] = self.service.get("deployments", ())
        return found

    @property
    def primary(self) -> Deployment:
        return primary_of(self.service)

    def deployment(self, identifier: str) -> Deployment | None:
        return next((one for one in self.deployments if one["id"] == identifier), None)

    def events(self, since: datetime) -> list[str]:
        """What ECS said since then, the latest first, without the service's name and the pointer to the manual."""
        return [_plain(one["message"]) for one in self.service.get("events", ()) if one["createdAt"] >= since]


def primary_of(service: Service) -> Deployment:
    """The deployment that a service is moving towards."""
    found: Deployment = next((one for one in service.get("deployments", ()) if one["status"] == "PRIMARY"), {})
    return found


def goal_of(cluster: str, service: Service, *, started: bool, drain_seconds: float) -> Goal:
    """The goal of waiting for a service as it is now.

    Args:
        started: it was created or updated a moment ago; else its deployment goes back to an earlier run.
    """
    primary = primary_of(service)
    since = primary["updatedAt" if started else "createdAt"]
    balanced = bool(service.get("loadBalancers"))
    name, desired = service["serviceName"], service["desiredCount"] if started else None
    return Goal(cluster, name, primary["id"], since, started, desired, balanced, drain_seconds)


def outdated(goal: Goal, service: Service) -> bool:
    """Whether ECS has answered from before the change that is waited for. Pure.

    What comes after it is never taken for that: the deployment of somebody else is newer than the goal's, and so is the
    last change of the goal's deployment if an autoscaler has moved the desired count.
    """
    ours = next((one for one in service.get("deployments", ()) if one["id"] == goal.deployment), None)
    if ours:
        return goal.desired not in (None, service["desiredCount"]) and bool(ours["updatedAt"] <= goal.since)
    primary = primary_of(service)
    return not primary or bool(primary["createdAt"] < goal.since)


def placed(goal: Goal, look: Look) -> bool:
    """Whether ECS has done its part: the right tasks run, and no others."""
    primary, counts = look.primary, look.counts
    others = [one for one in look.deployments if one is not primary]
    return (
        not look.late
        and look.service["status"] == "ACTIVE"
        and goal.in_range(counts["desired"])
        and primary.get("id") == goal.deployment
        and primary.get("rolloutState", "COMPLETED") == "COMPLETED"
        and counts["running"] == primary["runningCount"] == counts["desired"]
        and counts["pending"] == 0
        and not any(one["runningCount"] or one["pendingCount"] for one in others)
    )


def ready(goal: Goal, look: Look) -> bool:
    """Whether the service can be used: the right tasks run, and the load balancer finds enough of them healthy."""
    enough = not goal.balanced or look.counts["desired"] == 0 or (look.healthy or 0) >= look.counts["desired"]
    return placed(goal, look) and enough


def failed(goal: Goal, look: Look) -> str | None:
    """Why the service can never become ready, in one sentence; None while it still can. Pure."""
    return (
        _gone(look)
        or _given_up(goal, look)
        or _crashing(goal, look)
        or _deadlocked(goal, look)
        or _no_room(goal, look)
        or _unreached(look)
    )


def describe(goal: Goal, look: Look) -> str:
    """The state in a few words."""
    primary, counts = look.primary, look.counts
    text = f"{counts['running']} of {counts['desired']} tasks run, {counts['pending']} are pending"
    if look.healthy is not None:
        text += f", {look.healthy} are healthy at the load balancer"
    old = sum(one["runningCount"] for one in look.deployments if one is not primary)
    if old:
        text += f", {old} are of older deployments"
    return text if goal.in_range(counts["desired"]) else f"{text}, not scaled to {goal.least}-{goal.most} tasks yet"


def latest_events(service: Service) -> list[str]:
    """The last things that ECS said about a service, the latest first."""
    return [_plain(one["message"]) for one in service.get("events", ())[:SHOWN_EVENTS]]


def _plain(message: str) -> str:
    return MANUAL.sub("", re.sub(r"^\(service [^)]*\) ", "", message))


def _gone(look: Look) -> str | None:
    status = look.service["status"]
    return None if status == "ACTIVE" else f"the service is {status}: somebody else deletes it"


def _given_up(goal: Goal, look: Look) -> str | None:
    """The deployment failed, was rolled back, or another one took its place."""
    ours = look.deployment(goal.deployment)
    reasons = f": {look.stopped[0]}" if look.stopped else ""
    if ours and ours.get("rolloutState") == "FAILED":
        reason = ours.get("rolloutStateReason") or "ECS gives no reason"
        return f"the deployment failed: {reason}{reasons}{_of_zones(goal, look)}"
    if ours and ours["status"] == "PRIMARY":
        return None
    said = look.primary.get("rolloutStateReason", "")
    if "rolling back" in said or "rolled back" in said:
        return f"the deployment failed and was rolled back: {said}{reasons}{_of_zones(goal, look)}"
    other = look.primary.get("taskDefinition", "unknown").rpartition("/")[2]
    return f"another deployment took over, to task definition {other}"


def _crashing(goal: Goal, look: Look) -> str | None:
    """Tasks stop again and again for the same reason."""
    if not look.stopped:
        return None
    reason, times = Counter(_kind(one) for one in look.stopped).most_common(1)[0]
    enough = PULL_FAILURES if PULL_FAILED.search(reason) else max(FEWEST_FAILURES, _half(look.counts["desired"]))
    if times < enough:
        return None
    full = next(one for one in look.stopped if _kind(one) == reason)
    return f"{times} tasks stopped one after the other: {full}{_of_zones(goal, look)}"


def _of_zones(goal: Goal, look: Look) -> str:
    """What ECS only says in its events of tasks that it stops: the load balancer is not in their zone."""
    return f". {ZONES_ADVICE}" if any(OTHER_ZONE.search(event) for event in look.events(goal.since)) else ""


def _unreached(look: Look) -> str | None:
    """Tasks run where the load balancer is not; but a zone that it was given a moment ago takes a while."""
    if not look.unreached or look.quiet_seconds < ZONE_SECONDS:
        return None
    return f"the load balancer does not reach all tasks: {look.unreached.rstrip('.')}. {ZONES_ADVICE}"


def _kind(reason: str) -> str:
    """A reason without what differs from task to task."""
    return re.sub(r"[0-9a-f]{8,}", "", reason)


def _half(desired: int) -> int:
    return math.ceil(desired / 2)


def _deadlocked(goal: Goal, look: Look) -> str | None:
    if any(DEADLOCK.search(event) for event in look.events(goal.since)[:1]):
        return (
            f"the new tasks cannot replace the old ones: minimum_healthy_percent {_percent(look, 'minimumHealthy')} "
            f"and maximum_percent {_percent(look, 'maximum')} of {look.counts['desired']} tasks allow neither to stop "
            f"one nor to start one. Lower the first or raise the second"
        )
    return None


def _no_room(goal: Goal, look: Look) -> str | None:
    """No instance can take another task, and nothing that goes on now will change that."""
    events = look.events(goal.since)
    telling = [event for event in events if any(kind.search(event) for kind in (UNPLACED, STOPPING, MOVING))]
    if not telling or not UNPLACED.search(telling[0]) or look.quiet_looks < GRACE_LOOKS or look.joining:
        return None
    freeing = any(STOPPING.search(event) for event in telling)
    if freeing and look.quiet_seconds < goal.drain_seconds + STOP_SECONDS:
        return None
    return f"the service {telling[0].rstrip('.')}. {_advice(look, telling[0])}"


def _advice(look: Look, event: str) -> str:
    old = sum(one["runningCount"] for one in look.deployments if one is not look.primary)
    lowest = _percent(look, "minimumHealthy")
    fewest = math.ceil(look.counts["desired"] * lowest / 100)
    if PORT_TAKEN.search(event) and old and look.counts["running"] <= fewest:
        return (
            f"minimum_healthy_percent {lowest} keeps {fewest} of {look.counts['desired']} tasks running, and these "
            f"hold the host_port that the new ones need: lower it, use more instances, or host_port 0"
        )
    return next((advice for pattern, advice in ADVICE if pattern.search(event)), "Look at the events")


def _percent(look: Look, which: str) -> int:
    defaults = {"minimumHealthy": 100, "maximum": 200}
    return int(look.service.get("deploymentConfiguration", {}).get(f"{which}Percent", defaults[which]))


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
        if _no_room(self._goal, look) and self._instances_join():
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


def replacements(service: Service, since: datetime) -> int:
    """How many tasks ECS has started since then in the place of others that had stopped. Pure."""
    found = (STARTED.search(one["message"]) for one in service.get("events", ()) if one["createdAt"] >= since)
    return max(0, sum(int(one[1]) for one in found if one) - int(service["desiredCount"]))


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
    found: list[dict[str, Any]] = []
    for start in range(0, len(arns), TASKS_AT_ONCE):
        some = {"cluster": request["cluster"], "tasks": arns[start : start + TASKS_AT_ONCE]}
        found.extend(run.aws.call("ecs", "DescribeTasks", some, doing=doing)["tasks"])
    return found


def reason_of(task: Mapping[str, Any]) -> str:
    """Why a task stopped: its container's own words where there are any. Pure."""
    for container in task.get("containers", ()):
        if container.get("reason"):
            return str(container["reason"])
    codes = [str(one["exitCode"]) for one in task.get("containers", ()) if one.get("exitCode")]
    reason = task.get("stoppedReason") or "no reason given"
    return f"{reason} (exit code {', '.join(codes)})" if codes else str(reason)
