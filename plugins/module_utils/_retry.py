# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a request may be sent again, and how long to wait before it is.

The question is never only "what came back" but "what came back to which kind of request": a read can always be
repeated; a create whose answer was lost may have worked, and is looked up before it is made again. PRIVATE.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from ._clock import Clock, SystemClock
from ._errors import (
    AnswerLostError,
    ConflictError,
    SchedulersError,
    ThrottledError,
    UnreachableError,
)
from ._wait import Pace

T = TypeVar("T")

RETRY_AFTER_LIMITS = (1.0, 60.0)
SETTLING_PACE = Pace(cap=5.0)


class Effect(Enum):
    """What a request does to the world, as far as repeating it is concerned."""

    READ = "read"
    IDEMPOTENT = "idempotent"  # twice is as good as once: PUT, DELETE, a create with a client token
    CREATE = "create"  # twice may be one too many


# Outcome x effect. Throttled and unreachable requests were surely not carried out, so they may always be repeated.
REPEATABLE: dict[type[SchedulersError], frozenset[Effect]] = {
    ThrottledError: frozenset(Effect),
    UnreachableError: frozenset(Effect),
    AnswerLostError: frozenset({Effect.READ, Effect.IDEMPOTENT}),
}


def may_repeat(error: SchedulersError, effect: Effect) -> bool:
    """Whether a request of this kind that ended in this error may simply be sent again."""
    return any(isinstance(error, kind) and effect in effects for kind, effects in REPEATABLE.items())


def clamp_retry_after(seconds: float) -> float:
    """A server's Retry-After within reason: 1 to 60 seconds."""
    low, high = RETRY_AFTER_LIMITS
    return min(high, max(low, seconds))


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long: exponential back-off with equal jitter (half of the pause is random), within a total
    number of seconds, but once at least.

    What is throttled is not counted: of many calls at a time, a few have to stand back again and again before it is
    their turn, and nothing is wrong with any of them.

    Attributes:
        throttled_seconds: in place of ``total_seconds``, where a call is throttled. A limit may ask for a minute's
            pause, and may do so again.
        looks: how many times to look for what a create may have made, before concluding that it made nothing. Where
            lists are behind, the pauses between all looks together have to be longer than they are.
    """

    attempts: int = 6
    looks: int = 3
    base_seconds: float = 0.3
    cap_seconds: float = 10.0
    total_seconds: float = 60.0
    throttled_seconds: float = 180.0
    clock: Clock = field(default_factory=SystemClock)
    random: Callable[[], float] = random.random

    def pause(self, attempt: int, error: SchedulersError) -> float:
        """Seconds to wait after attempt number ``attempt`` (from 1) ended in ``error``."""
        if error.retry_after is not None:
            return clamp_retry_after(error.retry_after)
        ceiling = min(self.cap_seconds, self.base_seconds * 2.0 ** (attempt - 1))
        return ceiling * (0.5 + 0.5 * self.random())

    def run(self, send: Callable[[], T], effect: Effect) -> T:
        """Send, and send again while that is both allowed and worth it.

        Raises:
            SchedulersError: the last one, when it may not be repeated or time and attempts are used up.
        """
        started = self.clock.now()
        attempt, failures, stood_back = 1, 0, 0.0
        while True:
            try:
                return send()
            except SchedulersError as error:
                pause = self.pause(attempt, error)
                spent, limit = self.clock.now() - started, self.throttled_seconds
                if isinstance(error, ThrottledError):
                    stood_back += pause
                else:
                    failures += 1
                    spent, limit = spent - stood_back, self.total_seconds
                # the first repetition is due unless a pause was asked for: a time-out alone may have taken all the
                # time, on a connection that a firewall had dropped without a word
                due = attempt == 1 and error.retry_after is None
                late = not due and spent + pause > limit
                if not may_repeat(error, effect) or failures >= self.attempts or late:
                    raise
                self.clock.sleep(pause)
                attempt += 1


def create_once(
    create: Callable[[], T],
    find: Callable[[], T | None],
    policy: RetryPolicy,
) -> T:
    """Create something that has no client token, and make it once only.

    After a lost answer, and when the name turns out to be taken, the thing is looked up first; a list may be a few
    seconds behind, so it is looked at several times before the thing is made again.

    Args:
        create: sends the request.
        find: returns the thing if it is there and ours, else None. May raise, e.g. when the name is taken by others.
        policy: pauses, number of attempts, and of looks.

    Raises:
        SchedulersError: the last error of ``create`` when nothing was found and attempts are used up.
    """
    attempt = 1
    while True:
        try:
            return policy.run(create, Effect.CREATE)
        except (AnswerLostError, ConflictError) as error:
            found = _look(find, policy, error)
            if found is not None:
                return found
            if isinstance(error, ConflictError) or attempt >= policy.attempts:
                raise
            attempt += 1


def _look(find: Callable[[], T | None], policy: RetryPolicy, error: SchedulersError) -> T | None:
    for look in range(1, policy.looks + 1):
        found = find()
        if found is not None:
            return found
        if look < policy.looks:
            policy.clock.sleep(policy.pause(look, error))
    return None


def until_settled(
    send: Callable[[], T], may_settle: Callable[[SchedulersError], bool], clock: Clock, seconds: float
) -> T:
    """Send, and send again while the refusal may only be the echo of a change that is not known everywhere yet.

    Raises:
        SchedulersError: the last one, when it is no such echo or the seconds are over.
    """
    started, look = clock.now(), 1
    while True:
        try:
            return send()
        except SchedulersError as error:
            if not may_settle(error) or clock.now() - started > seconds:
                raise
            clock.sleep(SETTLING_PACE.pause(look))
            look += 1
