# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often a token may ask: 5,000 times an hour, 250 times a minute, and the list of keys 10 times a minute."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from lab.digitalocean.errors import too_many_requests
from lab.world import World

HOUR, MINUTE = 3600.0, 60.0
KEY_LISTS_A_MINUTE = 10


@dataclass
class Counter:
    """When a token has asked, in simulated seconds, oldest first."""

    asked: deque[float] = field(default_factory=deque)
    key_lists: deque[float] = field(default_factory=deque)


class Limits:
    """The counters of all tokens."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._counters: dict[str, Counter] = {}

    def reset(self) -> None:
        self._counters.clear()

    def count(self, token: str, action: str) -> dict[str, str]:
        """Let a request in, and say so in the headers that every answer has.

        Raises:
            DigitalOceanError: 429.
        """
        now, settings = self._world.clock.now(), self._world.settings
        counter = self._counters.setdefault(token, Counter())
        _drop(counter.asked, now - HOUR)
        _drop(counter.key_lists, now - MINUTE)
        hour, minute = settings.digitalocean_hour_limit, settings.digitalocean_minute_limit
        headers = self._headers(counter, now, hour)
        if hour and len(counter.asked) >= hour:
            raise too_many_requests("API rate limit exceeded.", headers)
        lately = [at for at in counter.asked if at > now - MINUTE]
        if minute and len(lately) >= minute:
            raise _burst(headers, lately[0] + MINUTE - now)
        if action == "ListSshKeys" and minute:
            if len(counter.key_lists) >= KEY_LISTS_A_MINUTE:
                raise _burst(headers, counter.key_lists[0] + MINUTE - now)
            counter.key_lists.append(now)
        counter.asked.append(now)
        return self._headers(counter, now, hour)

    def _headers(self, counter: Counter, now: float, hour: int) -> dict[str, str]:
        oldest = counter.asked[0] if counter.asked else now
        reset = self._world.clock.utc().timestamp() + (oldest + HOUR - now)
        remaining = max(0, hour - len(counter.asked))
        return {
            "ratelimit-limit": str(hour),
            "ratelimit-remaining": str(remaining),
            "ratelimit-reset": str(int(reset)),
        }


def _burst(headers: dict[str, str], seconds: float) -> Exception:
    return too_many_requests("API rate limit exceeded.", {**headers, "retry-after": str(max(1, round(seconds)))})


def _drop(times: deque[float], before: float) -> None:
    while times and times[0] <= before:
        times.popleft()
