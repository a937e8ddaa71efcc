# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a flow is: one task under test with what comes before and after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from faults.laboratory import Call
from faults.programs import Task


@dataclass(frozen=True)
class Flow:
    """One task under test.

    Attributes:
        act: the task, which is disturbed.
        base: tasks whose work is shared by the cases of a batch.
        before: tasks that come before each case.
        undo: tasks after which only the base is there.
        raze: tasks after which not even that is; empty: the lab is reset.
        settings: the lab's own, where the flow needs other than its fastest ones, or another server.
        injections: which ones make sense here; empty: all.
        picks: at which of the calls of the flow.
        optional: steps that a disturbed run and the next one may tell or not: what a controller of the provider carries
            out by itself if it is given the time, and how the next run calls the rest of a step.
        needless: calls that a run may succeed without, and say nothing of it, as patterns: they tell why something does
            not work, or what was seen already.
        unsteady: calls that write, and that undisturbed runs make a different number of times, as patterns: a case that
            does not come to one of them is counted as not reached, and does not fail. Why is said where they stand.
        renewed: what holds data and is another one afterwards, on purpose, as patterns of the inventory's words.
        budget: how many calls an undisturbed run may make, and the one after it; empty: not counted.
        permissions: the files that list those that it needs; empty: not looked at.
    """

    act: Task
    base: tuple[Task, ...] = ()
    before: tuple[Task, ...] = ()
    undo: tuple[Task, ...] = ()
    raze: tuple[Task, ...] = ()
    settings: Mapping[str, float | str] = field(default_factory=dict)
    injections: tuple[str, ...] = ()
    picks: Callable[[Sequence[Call]], Sequence[Call]] = list
    optional: frozenset[str] = frozenset()
    needless: tuple[str, ...] = ()
    unsteady: tuple[str, ...] = ()
    renewed: tuple[str, ...] = ()
    budget: tuple[int, ...] = ()
    permissions: tuple[str, ...] = ()


def first_and_last(calls: Sequence[Call]) -> list[Call]:
    """Of calls of one name only these: for flows that take long."""
    last = {call.name: call for call in calls}
    return [call for call in calls if call.nth == 1 or call == last[call.name]]


def writes(calls: Sequence[Call]) -> list[Call]:
    """Only calls that change something, and of one name only the first and the last."""
    return first_and_last([call for call in calls if call.is_write])


def module(program: str, /, **options: Any) -> Task:
    """A call of one of the collection's modules."""
    return Task(f"ansible_collections.container.schedulers.plugins.modules.{program}", options)
