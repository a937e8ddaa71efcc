# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service does next: which tasks to start and stop under minimum and maximum percent. Pure: it only decides."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lab.aws.ecs.scheduler import next_to_stop

BREAKER_MINIMUM = 3
BREAKER_MAXIMUM = 200


@dataclass(frozen=True)
class TaskView:
    """A task that is meant to run (it may still be starting)."""

    id: str
    deployment: str
    running: bool
    healthy: bool = True
    host: str = ""
    zone: str = ""
    evicted: bool = False
    """Its host is draining: it has to be replaced, like a task of an older deployment."""


@dataclass(frozen=True)
class Rules:
    """What the service's deployment configuration says."""

    desired: int
    minimum_percent: int = 100
    maximum_percent: int = 200

    @property
    def fewest(self) -> int:
        """Healthy tasks that must remain while tasks are replaced."""
        return math.ceil(self.desired * self.minimum_percent / 100)

    @property
    def most(self) -> int:
        """Tasks that may exist, starting or running."""
        return math.floor(self.desired * self.maximum_percent / 100)


@dataclass(frozen=True)
class Decision:
    """How many tasks of the primary deployment to start, and which tasks to stop."""

    start: int = 0
    stop: tuple[str, ...] = ()
    stuck: bool = False
    """Tasks are to be replaced, and the percents allow neither a start nor a stop."""


def decide(rules: Rules, primary: str, tasks: Sequence[TaskView], failed: bool = False) -> Decision:
    """The next move of a REPLICA service. `failed`: the primary deployment was given up, nothing moves towards it."""
    if failed:
        return Decision(stop=_surplus(rules, tasks))
    wanted = [task for task in tasks if task.deployment == primary and not task.evicted]
    outdated = [task for task in tasks if task.deployment != primary or task.evicted]
    start = max(0, min(rules.desired - len(wanted), rules.most - len(tasks)))
    stop = _stoppable(rules, wanted, outdated)
    extra = next_to_stop(
        {task.id: (task.zone, task.host) for task in _starting_first(wanted)}, len(wanted) - rules.desired
    )
    stuck = bool(outdated) and not start and not stop and all(task.running and task.healthy for task in tasks)
    return Decision(start, (*stop, *extra), stuck)


def decide_daemon(primary: str, hosts: Collection[str], tasks: Sequence[TaskView], failed: bool = False) -> Decision:
    """The next move of a DAEMON service: one task on each host; an old one goes before its successor comes."""
    if failed:
        return Decision()
    stop = [task.id for task in tasks if task.deployment != primary or task.evicted or task.host not in hosts]
    start = len(set(hosts) - {task.host for task in tasks})
    return Decision(start, tuple(stop))


def _stoppable(rules: Rules, wanted: Sequence[TaskView], outdated: Sequence[TaskView]) -> list[str]:
    """Of the outdated: those that serve nobody, and as many of the others as the minimum leaves."""
    useless = [task.id for task in outdated if not (task.running and task.healthy)]
    serving = [task for task in outdated if task.running and task.healthy]
    healthy = len(serving) + sum(task.running and task.healthy for task in wanted)
    spare = min(len(serving), max(0, healthy - rules.fewest))
    return [*useless, *next_to_stop({task.id: (task.zone, task.host) for task in serving}, spare)]


def _surplus(rules: Rules, tasks: Sequence[TaskView]) -> tuple[str, ...]:
    return tuple(next_to_stop({task.id: (task.zone, task.host) for task in tasks}, len(tasks) - rules.desired))


def _starting_first(tasks: Sequence[TaskView]) -> list[TaskView]:
    return sorted(tasks, key=lambda task: task.running)


def is_steady(desired: int, primary: str, tasks: Sequence[TaskView], stopping: int) -> bool:
    """Everything wanted runs, healthy and current, and nothing else is left."""
    current = all(task.deployment == primary and task.running and task.healthy and not task.evicted for task in tasks)
    return current and not stopping and len(tasks) == desired


def breaker_threshold(desired: int) -> int:
    """How many tasks may fail in a row before the circuit breaker gives a deployment up."""
    return min(BREAKER_MAXIMUM, max(BREAKER_MINIMUM, math.ceil(desired / 2)))


def delay_before_retry(failures: int, threshold: int) -> float:
    """Seconds to wait before the next start of a service whose tasks keep failing: none at first, then doubling."""
    return 0.0 if failures < threshold else float(min(2 ** (failures - threshold), 60))
