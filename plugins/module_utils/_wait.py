# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting as a value: look, judge, look again, until ready, hopeless or out of time.

Besides ``_retry`` this is the only place that sleeps. A wait always looks before its first pause, ends at once in a
state that can never become ready, and says what it last saw when it gives up. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, cast

from ._clock import ENDING, Deadline
from ._errors import StateFailedError, WaitTimeoutError

T = TypeVar("T")


@dataclass(frozen=True)
class Pace:
    """Seconds between two looks: short at first, longer as the wait grows."""

    first: float = 0.5
    factor: float = 1.5
    cap: float = 10.0

    def pause(self, look: int) -> float:
        """Seconds to wait after look number ``look`` (from 1)."""
        # the exponent is bounded, as a long wait takes more looks than a float has powers
        return min(self.cap, self.first * self.factor ** min(look - 1, 64))


def wait_until(
    probe: Callable[[], T],
    *,
    ready: Callable[[T], bool],
    deadline: Deadline,
    doing: str,
    failed: Callable[[T], str | None] = lambda _answer: None,
    describe: Callable[[T], str] = str,
    events: Callable[[T], Sequence[str]] = lambda _answer: (),
    hint: str = "",
    pace: Pace | None = None,
) -> T:
    """Look until ``ready`` holds; the last answer.

    Args:
        probe: one look at the live thing.
        ready: whether it is usable now.
        deadline: shared by the whole task; at least one look is always taken.
        doing: verb phrase for messages ("wait for service web").
        failed: why it can never become ready, or None.
        describe: the state in a few words, for the message of a wait that fails.
        events: what the provider said lately, newest first.
        hint: what the user can do or look at.
        pace: seconds between looks.

    Raises:
        StateFailedError: ``failed`` gave a reason.
        WaitTimeoutError: the deadline passed; the message has the last state, ``details`` the last events.
        Interruption: the process shall end.
    """
    steps = pace or Pace()
    look = 1
    while True:
        answer = probe()
        if ready(answer):
            return answer
        details = {"last_state": describe(answer), "last_events": list(events(answer))}
        reason = failed(answer)
        if reason:
            raise StateFailedError(reason, doing=doing, hint=hint, details=details)
        if deadline.passed():
            message = f"not ready after {deadline.seconds:.0f} seconds; last seen: {details['last_state']}"
            if details["last_events"]:
                message += f"; last event: {details['last_events'][0]}"
            raise WaitTimeoutError(message, doing=doing, hint=hint, details=details)
        deadline.clock.sleep(min(steps.pause(look), deadline.left()))
        ENDING.check()  # not every clock sleeps by the system's
        look += 1


def wait_for(
    probe: Callable[[], T | None], *, missing: str, deadline: Deadline, doing: str, pace: Pace | None = None
) -> T:
    """Try until ``probe`` brings something.

    Args:
        probe: one attempt; None means "not yet".
        missing: what stands in the way as long as it brings nothing, for the message of a wait that fails.
        deadline, doing, pace: as in ``wait_until``.

    Raises:
        WaitTimeoutError: the deadline passed.
    """
    found = wait_until(
        probe,
        ready=lambda answer: answer is not None,
        describe=lambda _answer: missing,
        deadline=deadline,
        doing=doing,
        pace=pace,
    )
    return cast("T", found)


@dataclass(frozen=True)
class Acceptor:
    """A judgement as data: when ``path`` (JMESPath) over an answer is ``expected``, the wait has this ``verdict``.

    ``why`` (JMESPath too) is where the provider gives the reason of a failure.
    """

    path: str
    expected: Any
    verdict: str = "success"  # or "failure"
    why: str = ""

    def accepts(self, answer: Any) -> bool:
        """Whether the answer is the expected one."""
        return bool(_compiled(self.path).search(answer) == self.expected)

    def reason(self, answer: Any) -> str:
        """The provider's reason, or what was seen if it gives none."""
        told = _compiled(self.why).search(answer) if self.why else None
        return str(told or f"{self.path} is {self.expected!r}")


@lru_cache(maxsize=128)
def _compiled(path: str) -> Any:
    # Imported here: a module that waits for nothing does not pay for the import, and one without the library gets
    # the clear sentence of the edge instead of a traceback.
    import jmespath  # noqa: PLC0415

    return jmespath.compile(path)


def success(acceptors: Sequence[Acceptor]) -> Callable[[Any], bool]:
    """A ``ready`` predicate: any success acceptor holds."""
    return lambda answer: any(one.verdict == "success" and one.accepts(answer) for one in acceptors)


def failure(acceptors: Sequence[Acceptor]) -> Callable[[Any], str | None]:
    """A ``failed`` predicate: the first failure acceptor that holds, as a reason."""

    def reason(answer: Any) -> str | None:
        for one in acceptors:
            if one.verdict == "failure" and one.accepts(answer):
                return one.reason(answer)
        return None

    return reason
