# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every request that reached the lab: what tests count and benchmarks compare."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lab.messages import Call


@dataclass
class Entry:
    """One request. `status` 0: no answer was sent (yet)."""

    number: int
    """Counts from 1 since the journal was cleared; the `call` of a fault rule."""
    at: float
    """Simulated seconds."""
    service: str
    action: str
    region: str
    attempt: int
    """1, or more for the client's own retries."""
    write: bool
    agent: str
    url: str
    """As it stands in every access log, and the query of a command with all its arguments."""
    status: int = 0
    error: str = ""
    fault: str = ""
    ms: float = 0.0


class Journal:
    """Thread-safe; kept in memory."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def begin(self, call: Call, at: float) -> Entry:
        with self._lock:
            entry = Entry(
                number=len(self._entries) + 1,
                at=round(at, 3),
                service=call.service,
                action=call.action,
                region=call.region,
                attempt=call.attempt,
                write=not call.is_read,
                agent=call.request.headers.get("user-agent", ""),
                url=f"{call.request.path}?{call.request.query}".rstrip("?"),
            )
            self._entries.append(entry)
            return entry

    def clear(self) -> None:
        with self._lock:
            self._entries = []

    def entries(self, since: int = 0, agent: str = "") -> list[dict[str, Any]]:
        """Those with a number above `since` whose caller's User-Agent contains `agent`."""
        return [dataclasses.asdict(entry) for entry in self._selected(since, agent)]

    def stats(self, since: int = 0, agent: str = "") -> dict[str, Any]:
        """Totals. `calls` are first attempts; the client's own retries are counted apart."""
        selected = list(self._selected(since, agent))
        first = [entry for entry in selected if entry.attempt == 1]
        return {
            "requests": len(selected),
            "calls": len(first),
            "retries": len(selected) - len(first),
            "writes": sum(entry.write for entry in first),
            "errors": sum(entry.status >= 400 for entry in selected),
            "faults": sum(bool(entry.fault) for entry in selected),
            "by_action": dict(sorted(Counter(f"{entry.service}.{entry.action}" for entry in first).items())),
            "last": selected[-1].number if selected else since,
        }

    def _selected(self, since: int, agent: str) -> Iterator[Entry]:
        with self._lock:
            entries = self._entries[max(since, 0) :]
        return (entry for entry in entries if agent in entry.agent)
