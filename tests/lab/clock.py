# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated time: everything in the lab that takes time on AWS is measured on this clock.

It runs `speed` times as fast as the real one and can be pushed forward by hand, so a test never has to sleep.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """Seconds since the lab started: real monotonic time x speed + what was added by hand."""

    def __init__(self, speed: float = 1.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._speed = speed
        self._monotonic = monotonic
        self._origin = monotonic()
        self._advanced = 0.0
        self._born = datetime.now(UTC)

    def now(self) -> float:
        return (self._monotonic() - self._origin) * self._speed + self._advanced

    def advance(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError(f"time only goes forward: advance({seconds})")
        self._advanced += seconds

    def utc(self) -> datetime:
        """The same moment as a date, for fields like createdAt."""
        return self._born + timedelta(seconds=self.now())
