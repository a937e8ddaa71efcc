# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which a run is disturbed at one of its API calls, as data: what the lab does, what is done to the run."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from faults.laboratory import Call, Laboratory
from faults.programs import SECONDS, Outcome, Running, Task

_LOOK_SECONDS = 0.01


@dataclass(frozen=True)
class Scene:
    """Where an injection takes place: a lab that has the fault set, and the task to run in it."""

    laboratory: Laboratory
    task: Task

    def start(self) -> Running:
        return Running(self.task, self.laboratory.exports)

    def start_until_held(self) -> Running:
        """A run that has come to the call, or to its end if it never makes that call."""
        run = self.start()
        _wait(lambda: self.laboratory.holds() or run.has_ended())
        return run


Where = Callable[[Sequence[Call]], list[Call]]
"""At which of a flow's calls."""
Happening = Callable[[Scene], list[Outcome]]
Judgement = Callable[[Sequence[Outcome]], str]
"""What is wrong with how the disturbed runs ended, or nothing."""


def _wait(happened: Callable[[], bool]) -> None:
    """Until it has happened, or a run takes longer than any may."""
    deadline = time.monotonic() + SECONDS
    while not (happened() or time.monotonic() > deadline):
        time.sleep(_LOOK_SECONDS)


def _at_every(calls: Sequence[Call]) -> list[Call]:
    return list(calls)


def _at_writes(calls: Sequence[Call]) -> list[Call]:
    """Elsewhere the account would be left as another injection leaves it."""
    return [call for call in calls if call.is_write]


def _at_even_writes(calls: Sequence[Call]) -> list[Call]:
    return _at_writes(calls)[::2]


def _at_odd_writes(calls: Sequence[Call]) -> list[Call]:
    return _at_writes(calls)[1::2]


def _three_times(_calls: Sequence[Call]) -> list[Call]:
    return [Call("anywhere", nth, is_write=True) for nth in (1, 2, 3)]


def _endure(scene: Scene) -> list[Outcome]:
    return [scene.start().outcome()]


def _kill(scene: Scene) -> list[Outcome]:
    run = scene.start_until_held()
    run.send(signal.SIGKILL)
    return [run.outcome()]


def _interrupted_by(number: signal.Signals) -> Happening:
    def interrupt(scene: Scene) -> list[Outcome]:
        run = scene.start_until_held()
        run.send(number)
        _wait(lambda: run.has_noted(number))
        time.sleep(10 * _LOOK_SECONDS)  # the run acts on the signal before it gets its answer
        scene.laboratory.release()
        return [run.outcome()]

    return interrupt


def _overtake(scene: Scene) -> list[Outcome]:
    """A second run does all of its work while the first one is about to make the call."""
    slow = scene.start_until_held()
    fast = scene.start().outcome()
    scene.laboratory.release()
    return [slow.outcome(), fast]


def _together(scene: Scene) -> list[Outcome]:
    both = [scene.start(), scene.start()]
    return [one.outcome() for one in both]


def _says_why(outcomes: Sequence[Outcome]) -> str:
    """Success, or one sentence; never a traceback, never silence."""
    for one in outcomes:
        if one.result is None:
            return str(one)
        if "exception" in one.result:
            return f"a traceback: {one.result['exception']}"
    return ""


def _is_killed(_outcomes: Sequence[Outcome]) -> str:
    return ""


def _says_what_was_done(outcomes: Sequence[Outcome]) -> str:
    (one,) = outcomes
    missing = {"steps_done", "step_failed"} - set(one.result or ())
    if one.ok:
        return "the signal did not end it"
    return _says_why(outcomes) or (f"the result lacks {', '.join(sorted(missing))}: {one}" if missing else "")


def _says_what_is_missing(words: re.Pattern[str]) -> Judgement:
    """One sentence with these words, at once. To do without is a decision: then a warning tells what was not seen."""

    def judge(outcomes: Sequence[Outcome]) -> str:
        (one,) = outcomes
        trouble = _says_why(outcomes)
        if not trouble and not words.search(one.told):
            trouble = f"it does not say what it lacks: {one}"
        if not trouble and _WAITED.search(one.told):
            trouble = f"it waited for what it may not see: {one}"
        return trouble

    return judge


def _one_succeeds(outcomes: Sequence[Outcome]) -> str:
    if not any(one.ok for one in outcomes):
        return "neither of the two runs succeeded: " + " / ".join(map(str, outcomes))
    return _says_why(outcomes)


@dataclass(frozen=True)
class Injection:
    """One way.

    Attributes:
        meaning: in words, for the help text.
        fault: what the lab does at the call; empty: nothing.
        happening: what is done to the run meanwhile.
        judgement: what its end has to look like.
        options: module options that the injection needs.
        where: at which calls.
        reruns: afterwards the task is run again; otherwise all is taken down as it is.
        tells_steps: what the run says it did, and what the next one says, together are all the steps of the flow.
    """

    meaning: str
    fault: Mapping[str, Any] = field(default_factory=dict)
    happening: Happening = _endure
    judgement: Judgement = _says_why
    options: Mapping[str, Any] = field(default_factory=dict)
    where: Where = _at_every
    reruns: bool = True
    tells_steps: bool = False


_INTERNAL_ERROR = {"kind": "error", "status": 500, "code": "InternalFailure", "message": "An internal error occurred."}
_UNAVAILABLE = {"kind": "error", "status": 503, "code": "ServiceUnavailable", "message": "Service Unavailable."}
_DENIED = re.compile(r"not authorized|forbidden|does not allow this", re.IGNORECASE)
_EXPIRED = re.compile(r"have expired|does not accept", re.IGNORECASE)
_WAITED = re.compile(r"not ready after")
_BEFORE = {"kind": "pause_before"}
_AFTER = {"kind": "pause_after"}

INJECTIONS: Mapping[str, Injection] = {
    "kill-before": Injection("killed just before the call", _BEFORE, _kill, _is_killed),
    "kill-after": Injection("killed after the work, before the answer", _AFTER, _kill, _is_killed),
    "abandon": Injection(
        "killed after the work, and taken down without another run",
        _AFTER,
        _kill,
        _is_killed,
        where=_at_writes,
        reruns=False,
    ),
    "throttle": Injection("the service throttles the call", {"kind": "throttle"}),
    "error-500": Injection("the call fails with status 500", _INTERNAL_ERROR),
    "error-503": Injection("the call fails with status 503", _UNAVAILABLE),
    "cut-before": Injection("connection cut, nothing done", {"kind": "reset_before"}),
    "cut-after": Injection("connection cut after the work was done", {"kind": "reset_after"}),
    "late": Injection(
        "the work is done, the answer comes after the time-out",
        {"kind": "delay", "seconds": 2.5},
        options={"request_timeout": 2},
    ),
    "sigint": Injection(
        "Ctrl-C during the call (SIGTERM at every other one)",
        _BEFORE,
        _interrupted_by(signal.SIGINT),
        _says_what_was_done,
        where=_at_even_writes,
        tells_steps=True,
    ),
    "sigterm": Injection(
        "SIGTERM during the call",
        _BEFORE,
        _interrupted_by(signal.SIGTERM),
        _says_what_was_done,
        where=_at_odd_writes,
        tells_steps=True,
    ),
    "overtaken": Injection(
        "a second run does everything just before the call", _BEFORE, _overtake, _one_succeeds, where=_at_writes
    ),
    "denied": Injection(
        "the right to the call is missing from here on",
        {"kind": "deny", "times": 0},
        judgement=_says_what_is_missing(_DENIED),
        tells_steps=True,
    ),
    "expired": Injection(
        "the credentials expire before the call",
        {"kind": "expire"},
        judgement=_says_what_is_missing(_EXPIRED),
        tells_steps=True,
    ),
    "together": Injection("two runs start at the same moment", {}, _together, _one_succeeds, where=_three_times),
}
