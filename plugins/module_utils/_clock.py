# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time as a value: everything that waits gets a clock, so that a test can give it one that does not. PRIVATE."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Protocol

from ._errors import Interruption

HEARTBEAT_SECONDS = 0.5  # who waits longer looks that often whether the process shall end


class Ending:
    """Whether the process was told to end, and why. A signal interrupts the main thread only; all others look here."""

    def __init__(self) -> None:
        # No event: a signal handler that sets one waits for ever if the thread that it interrupts is just asking it.
        self.reason = ""

    def tell(self, reason: str) -> None:
        """The process shall end; for signal handlers."""
        self.reason = reason

    def check(self) -> None:
        """Go on, unless the process shall end.

        Raises:
            Interruption: it shall.
        """
        if self.reason:
            raise Interruption(self.reason)


ENDING = Ending()


class Clock(Protocol):
    """What waiting needs of time. Seconds, monotonic."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's monotonic clock: a change of the wall clock neither shortens nor lengthens a wait."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Raises ``Interruption`` when the process shall end."""
        awake = time.monotonic() + seconds
        ENDING.check()
        while (left := awake - time.monotonic()) > 0:
            time.sleep(min(left, HEARTBEAT_SECONDS))
            ENDING.check()


@dataclass(frozen=True)
class Deadline:
    """A moment on a clock, shared by everything that one task waits for."""

    clock: Clock
    seconds: float
    started: float = field(default=-1.0)

    def __post_init__(self) -> None:
        if self.started < 0:
            object.__setattr__(self, "started", self.clock.now())

    def waited(self) -> float:
        """Seconds since the start."""
        return self.clock.now() - self.started

    def left(self) -> float:
        """Seconds that are left, never below zero."""
        return max(0.0, self.seconds - self.waited())

    def passed(self) -> bool:
        """Whether the time is up."""
        return self.left() <= 0.0
