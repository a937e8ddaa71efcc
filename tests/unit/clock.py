# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A clock for tests: sleeping takes no time, and is noted."""

from __future__ import annotations

import math


class FakeClock:
    """Stands still but for what is slept.

    Attributes:
        slept: every sleep, in order.
    """

    def __init__(self, start: float = 1000.0) -> None:
        self.time = start
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time = max(self.time + seconds, math.nextafter(self.time, math.inf))  # goes on, however short the sleep
