# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting: the first look before the first pause, an early end where there is no hope, a message that says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._clock import Deadline
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    NotFoundError,
    StateFailedError,
    WaitTimeoutError,
)
from ansible_collections.container.schedulers.plugins.module_utils._wait import (
    Acceptor,
    Pace,
    failure,
    success,
    wait_until,
)
from unit.clock import FakeClock


def answers(*values: Any) -> Callable[[], Any]:
    """A probe that gives these, and the last one for ever."""
    left = list(values)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def test_ready_at_once_costs_no_time() -> None:
    clock = FakeClock()
    answer = wait_until(answers("up"), ready=lambda a: a == "up", deadline=Deadline(clock, 0), doing="wait")
    assert (answer, clock.slept) == ("up", [])


def test_pauses_grow_and_are_capped() -> None:
    clock = FakeClock()
    wait_until(
        answers(*["down"] * 6, "up"),
        ready=lambda a: a == "up",
        deadline=Deadline(clock, 100),
        doing="wait",
        pace=Pace(first=1, factor=2, cap=5),
    )
    assert clock.slept == [1, 2, 4, 5, 5, 5]


@pytest.mark.parametrize("look", [1, 2, 100, 5_000, 10_000_000])
def test_a_pause_after_any_number_of_looks(look: int) -> None:
    assert 0.5 <= Pace().pause(look) <= 10.0


def test_the_last_look_is_at_the_deadline() -> None:
    clock = FakeClock()
    looks: list[float] = []

    def probe() -> str:
        looks.append(clock.now())
        return "down"

    with pytest.raises(WaitTimeoutError) as failed:
        wait_until(probe, ready=lambda _a: False, deadline=Deadline(clock, 12), doing="wait for web")
    assert looks[0] == 1000.0
    assert looks[-1] == 1012.0
    assert str(failed.value) == "Could not wait for web: not ready after 12 seconds; last seen: down."


def test_a_timeout_says_the_last_state_events_and_what_to_do() -> None:
    with pytest.raises(WaitTimeoutError) as failed:
        wait_until(
            answers({"running": 1}),
            ready=lambda _a: False,
            deadline=Deadline(FakeClock(), 3),
            doing="wait for web",
            describe=lambda a: f"{a['running']} of 3 run",
            events=lambda _a: ("newest", "older"),
            hint="See the logs.",
        )
    assert "last seen: 1 of 3 run; last event: newest. See the logs." in str(failed.value)
    assert failed.value.details == {"last_state": "1 of 3 run", "last_events": ["newest", "older"]}


def test_no_hope_ends_the_wait_at_once() -> None:
    clock = FakeClock()
    with pytest.raises(StateFailedError, match="image missing") as failed:
        wait_until(
            answers("broken"),
            ready=lambda _a: False,
            failed=lambda a: "image missing" if a == "broken" else None,
            deadline=Deadline(clock, 600),
            doing="wait",
        )
    assert clock.slept == []
    assert failed.value.details["last_state"] == "broken"


def test_ready_goes_before_failed_and_before_the_deadline() -> None:
    deadline = Deadline(FakeClock(), 0)
    assert wait_until(answers("x"), ready=lambda _a: True, failed=lambda _a: "no", deadline=deadline, doing="w")


def test_a_probe_may_raise() -> None:
    def gone() -> str:
        raise NotFoundError("gone")

    with pytest.raises(NotFoundError):
        wait_until(gone, ready=lambda _a: True, deadline=Deadline(FakeClock(), 5), doing="wait")


def test_judgements_as_data() -> None:
    acceptors = (
        Acceptor("state", "active"),
        Acceptor("state", "error", "failure"),
        Acceptor("length(tasks)", 0, "failure"),
        Acceptor("state", "lost", "failure", why="told || 'nobody knows'"),
        Acceptor("state", "late", "failure", why="told"),
    )
    ready, failed = success(acceptors), failure(acceptors)
    assert ready({"state": "active", "tasks": []})
    assert not ready({"state": "starting", "tasks": [1]})
    assert failed({"state": "error", "tasks": [1]}) == "state is 'error'"
    assert failed({"state": "starting", "tasks": []}) == "length(tasks) is 0"
    assert failed({"state": "active", "tasks": [1]}) is None
    assert failed({"state": "lost", "tasks": [1], "told": "no disk"}) == "no disk"
    assert failed({"state": "lost", "tasks": [1]}) == "nobody knows"
    assert failed({"state": "late", "tasks": [1]}) == "state is 'late'"
