# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which request is sent again after what, after how long, and that a create makes one thing only."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    AnswerLostError,
    AuthError,
    BusyError,
    ConflictError,
    InputError,
    InterruptedRunError,
    NotFoundError,
    NotOursError,
    SchedulersError,
    ThrottledError,
    UnreachableError,
)
from ansible_collections.container.schedulers.plugins.module_utils._http import EFFECTS, Answer, failure
from ansible_collections.container.schedulers.plugins.module_utils._retry import (
    Effect,
    RetryPolicy,
    clamp_retry_after,
    create_once,
    may_repeat,
)
from unit.clock import FakeClock

ALWAYS = {Effect.READ, Effect.IDEMPOTENT, Effect.CREATE}
SAFE = {Effect.READ, Effect.IDEMPOTENT}
EVERY = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH")


def policy(clock: FakeClock | None = None, *, attempts: int = 6, total_seconds: float = 60.0) -> RetryPolicy:
    return RetryPolicy(attempts=attempts, total_seconds=total_seconds, clock=clock or FakeClock(), random=lambda: 1.0)


class Script:
    """A request that gives the outcomes of a list, one after the other."""

    def __init__(self, *outcomes: SchedulersError | str | None) -> None:
        self.outcomes = list(outcomes)
        self.sent = 0

    def __call__(self) -> str | None:
        outcome = self.outcomes[self.sent]
        self.sent += 1
        if isinstance(outcome, SchedulersError):
            raise outcome
        return outcome


@pytest.mark.parametrize(
    ("error", "effects"),
    [
        (ThrottledError("x"), ALWAYS),
        (UnreachableError("x"), ALWAYS),
        (AnswerLostError("x"), SAFE),
        (AuthError("x"), set()),
        (BusyError("x"), set()),
        (ConflictError("x"), set()),
        (NotOursError("x"), set()),
        (NotFoundError("x"), set()),
        (InputError("x"), set()),
        (InterruptedRunError("x"), set()),
        (SchedulersError("x"), set()),
    ],
)
def test_outcome_times_effect(error: SchedulersError, effects: set[Effect]) -> None:
    assert {effect for effect in Effect if may_repeat(error, effect)} == effects


@pytest.mark.parametrize(
    ("status", "methods"),
    [
        (429, {*EVERY}),
        *((status, {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}) for status in (500, 502, 503, 504)),
        *((status, set()) for status in (301, 400, 401, 403, 404, 409, 422, 501)),
    ],
)
def test_status_times_method(status: int, methods: set[str]) -> None:
    error = failure(Answer(status, {}, b""))
    assert {method for method in EVERY if may_repeat(error, EFFECTS.get(method, Effect.CREATE))} == methods


@pytest.mark.parametrize(
    ("asked", "waited"),
    [(-5, 1), (0, 1), (0.2, 1), (1, 1), (17.5, 17.5), (60, 60), (3600, 60), (float("inf"), 60), (float("nan"), 1)],
)
def test_retry_after_within_reason(asked: float, waited: float) -> None:
    assert clamp_retry_after(asked) == waited


def test_the_servers_wish_goes_before_the_back_off() -> None:
    clock = FakeClock()
    send = Script(ThrottledError("x", retry_after=7), ThrottledError("x", retry_after=0), "done")
    assert policy(clock).run(send, Effect.READ) == "done"
    assert clock.slept == [7, 1]


def test_back_off_doubles_up_to_its_cap() -> None:
    clock = FakeClock()
    send = Script(*[ThrottledError("x")] * 7, "done")
    assert policy(clock, attempts=8).run(send, Effect.CREATE) == "done"
    assert clock.slept == pytest.approx([0.3, 0.6, 1.2, 2.4, 4.8, 9.6, 10.0])


@pytest.mark.parametrize("chance", [0.0, 0.25, 1.0])
def test_jitter_is_between_half_and_all_of_the_pause(chance: float) -> None:
    some = RetryPolicy(random=lambda: chance)
    assert some.pause(3, ThrottledError("x")) == pytest.approx(1.2 * (0.5 + chance / 2))


def test_attempts_end() -> None:
    send = Script(*[UnreachableError("x")] * 10)
    with pytest.raises(UnreachableError):
        policy().run(send, Effect.READ)
    assert send.sent == 6


@pytest.mark.parametrize(("kind", "pauses"), [(UnreachableError, 2), (ThrottledError, 7)])
def test_time_ends(kind: type[SchedulersError], pauses: int) -> None:
    clock = FakeClock()
    error = kind("x")
    error.retry_after = 25
    with pytest.raises(kind):
        policy(clock).run(Script(*[error] * 10), Effect.READ)
    assert clock.slept == [25] * pauses  # another one would end after the 60 or the 180 seconds


def test_who_is_throttled_stands_back_as_often_as_it_takes() -> None:
    clock = FakeClock()
    send = Script(*[ThrottledError("x")] * 15, UnreachableError("x"), "done")
    assert policy(clock).run(send, Effect.CREATE) == "done"
    assert clock.time < 1000 + 180


def test_time_spent_in_the_request_counts() -> None:
    clock = FakeClock()

    def slow() -> str:
        clock.time += 40
        raise AnswerLostError("x")

    with pytest.raises(AnswerLostError):
        policy(clock).run(slow, Effect.READ)
    assert clock.time < 1000 + 90


def test_a_first_time_out_does_not_use_up_all_the_time() -> None:
    clock, sent = FakeClock(), iter([AnswerLostError("timed out"), None])

    def slow() -> str:
        clock.time += 60
        error = next(sent)
        if error:
            raise error
        return "done"

    assert policy(clock).run(slow, Effect.READ) == "done"


def test_a_long_pause_that_is_asked_for_counts_from_the_first_time() -> None:
    send = Script(ThrottledError("x", retry_after=60.0), "done")
    with pytest.raises(ThrottledError):
        RetryPolicy(throttled_seconds=30.0, clock=FakeClock()).run(send, Effect.READ)


def test_what_may_not_be_repeated_is_sent_once() -> None:
    send = Script(AnswerLostError("x"), "done")
    with pytest.raises(AnswerLostError):
        policy().run(send, Effect.CREATE)
    assert send.sent == 1


class Server:
    """Makes things; how each request to make one goes wrong is scripted, and so is how far lists are behind.

    Args:
        faults: for each request, None, an error before the work, or an error after it (in a tuple).
        behind: number of looks that do not show what was made.
    """

    def __init__(self, faults: list[SchedulersError | tuple[SchedulersError] | None], behind: int = 0) -> None:
        self.faults = faults
        self.behind = behind
        self.made: list[str] = []
        self.requests = 0

    def create(self) -> str:
        fault = self.faults[self.requests] if self.requests < len(self.faults) else None
        self.requests += 1
        if isinstance(fault, SchedulersError):
            raise fault
        self.made.append(f"thing-{len(self.made)}")
        if fault is not None:
            raise fault[0]
        return self.made[-1]

    def find(self) -> str | None:
        if self.made and self.behind:
            self.behind -= 1
            return None
        return self.made[0] if self.made else None


LOST = AnswerLostError("cut")
BEFORE: list[SchedulersError | tuple[SchedulersError] | None] = [
    None,
    ThrottledError("x"),
    UnreachableError("x"),
    LOST,
    (LOST,),
]


@pytest.mark.parametrize("faults", list(itertools.product(BEFORE, repeat=3)))
@pytest.mark.parametrize("behind", [0, 2])
def test_create_once_makes_one_thing_whatever_happens(
    faults: tuple[SchedulersError | tuple[SchedulersError] | None, ...], behind: int
) -> None:
    server = Server(list(faults), behind)
    assert create_once(server.create, server.find, policy()) == "thing-0"
    assert server.made == ["thing-0"]


def test_create_once_gives_up_when_nothing_is_ever_made() -> None:
    server = Server([LOST] * 100)
    with pytest.raises(AnswerLostError):
        create_once(server.create, server.find, policy(attempts=3))
    assert server.requests == 3


def test_create_once_uses_what_another_run_made() -> None:
    server = Server([ConflictError("exists")])
    server.made = ["theirs-and-ours"]
    assert create_once(server.create, server.find, policy()) == "theirs-and-ours"
    assert server.requests == 1


def test_create_once_does_not_insist_on_a_name_that_is_taken() -> None:
    clock = FakeClock()
    server = Server([ConflictError("exists")] * 9)
    with pytest.raises(ConflictError):
        create_once(server.create, server.find, policy(clock))
    assert server.requests == 1
    assert len(clock.slept) == 2  # three looks, no pause after the last one


@pytest.mark.parametrize("error", [NotOursError("not ours"), AuthError("denied")])
def test_create_once_lets_the_look_refuse(error: SchedulersError) -> None:
    def refuse() -> str | None:
        raise error

    create: Callable[[], str] = Server([ConflictError("exists")]).create
    with pytest.raises(type(error)):
        create_once(create, refuse, policy())
