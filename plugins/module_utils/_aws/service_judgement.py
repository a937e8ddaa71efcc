# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a service is really up, or can never be: judged by a look at it. Pure.

"Running equals desired" is not it: the tasks may be of the deployment before, or fail their load balancer's checks. And
a deployment for which there is no room would be waited for until the deadline, though ECS says so within seconds.
``service_ready`` takes the looks. PRIVATE.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Service = Mapping[str, Any]  # as DescribeServices gives it
Deployment = Mapping[str, Any]

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
        or no_room(goal, look)
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


def no_room(goal: Goal, look: Look) -> str | None:
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


def replacements(service: Service, since: datetime) -> int:
    """How many tasks ECS has started since then in the place of others that had stopped. Pure."""
    found = (STARTED.search(one["message"]) for one in service.get("events", ()) if one["createdAt"] >= since)
    return max(0, sum(int(one[1]) for one in found if one) - int(service["desiredCount"]))
