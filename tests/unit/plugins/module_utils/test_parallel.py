# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Independent reads run at the same time; answers and errors keep the order in which they were asked for."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._parallel import gather


def test_nothing_to_read() -> None:
    assert gather({}) == {}


def test_reads_run_at_the_same_time() -> None:
    meeting = threading.Barrier(3, timeout=60)  # passes only if all three are inside at once

    def read(name: str) -> str:
        meeting.wait()
        return name

    answers = gather({name: partial(read, name) for name in "abc"})
    assert answers == {"a": "a", "b": "b", "c": "c"}
    assert list(answers) == ["a", "b", "c"]


def test_no_more_workers_than_allowed() -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def read() -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        threading.Event().wait(0.005)
        with lock:
            inside -= 1

    gather({str(number): read for number in range(10)}, workers=2)
    assert most <= 2


def test_the_first_error_in_the_order_given_is_raised_when_all_have_ended() -> None:
    ended: list[str] = []

    def fail(name: str) -> None:
        threading.Event().wait(0.01 if name == "first" else 0)
        ended.append(name)
        raise LookupError(name)

    with pytest.raises(LookupError, match="first"):
        gather({"first": lambda: fail("first"), "second": lambda: fail("second")})
    assert sorted(ended) == ["first", "second"]
