# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to happen when: the lab's time passes only where the world's steps ask this list what is due."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

from lab.clock import Clock

Action = Callable[[], None]


class Agenda:
    """Actions in order of time. What is entered while the list is worked off waits for the next step."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._numbers = itertools.count()
        self._entries: list[tuple[float, int, Action]] = []

    def after(self, seconds: float, action: Action) -> None:
        heapq.heappush(self._entries, (self._clock.now() + seconds, next(self._numbers), action))

    def run_due(self) -> None:
        """Do what is due now."""
        now = self._clock.now()
        due: list[Action] = []
        while self._entries and self._entries[0][0] <= now:
            due.append(heapq.heappop(self._entries)[2])
        for action in due:
            action()

    def clear(self) -> None:
        self._entries.clear()
