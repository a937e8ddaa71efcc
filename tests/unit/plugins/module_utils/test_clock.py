# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deadline is one moment for everything that waits for it."""

from __future__ import annotations

from ansible_collections.container.schedulers.plugins.module_utils._clock import Deadline, SystemClock
from unit.clock import FakeClock


def test_deadline_counts_from_its_making() -> None:
    clock = FakeClock(start=0.0)
    deadline = Deadline(clock, 10)
    assert (deadline.waited(), deadline.left(), deadline.passed()) == (0.0, 10.0, False)
    clock.sleep(4)
    assert (deadline.waited(), deadline.left(), deadline.passed()) == (4.0, 6.0, False)
    clock.sleep(7)
    assert (deadline.waited(), deadline.left(), deadline.passed()) == (11.0, 0.0, True)


def test_a_deadline_of_no_seconds_has_passed() -> None:
    assert Deadline(FakeClock(), 0).passed()


def test_a_deadline_can_start_earlier() -> None:
    assert Deadline(FakeClock(start=20.0), 10, started=15.0).left() == 5.0


def test_the_systems_clock_is_monotonic_and_sleeps() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0.001)
    assert clock.now() > before
