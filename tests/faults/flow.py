# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a flow is: one task under test with what comes before and after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
        settings: the lab's own, where the flow needs other than its fastest ones.
        injections: which ones make sense here; empty: all.
    """

    act: Task
    base: tuple[Task, ...] = ()
    before: tuple[Task, ...] = ()
    undo: tuple[Task, ...] = ()
    raze: tuple[Task, ...] = ()
    settings: Mapping[str, float] = field(default_factory=dict)
    injections: tuple[str, ...] = ()


def module(program: str, /, **options: Any) -> Task:
    """A call of one of the collection's modules."""
    return Task(f"ansible_collections.container.schedulers.plugins.modules.{program}", options)
