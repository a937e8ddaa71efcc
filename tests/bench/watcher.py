# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A look from beside at what a measured command makes, so that it can be told how late the command knows of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PAUSE_SECONDS = 0.1


class Watcher:
    """Looks all the time, in a thread of its own.

    Args:
        ready: one look.
    """

    def __init__(self, ready: Callable[[], bool]) -> None:
        self._ready = ready
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.not_ready_at = time.monotonic()
        """The last moment at which it was seen not to be ready. What follows is overstated by a pause at most."""

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            asked_at = time.monotonic()
            if not self._ready():
                self.not_ready_at = asked_at
