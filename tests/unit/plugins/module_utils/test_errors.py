# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user reads when something failed, and what the result of the failed task holds."""

from __future__ import annotations

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    AuthError,
    DefectError,
    InputError,
    InterruptedRunError,
    Interruption,
    PartialError,
    SchedulersError,
    ThrottledError,
    as_ours,
    telling,
)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (SchedulersError("no such zone"), "no such zone."),
        (SchedulersError("no such zone."), "no such zone."),
        (SchedulersError("really?"), "really?"),
        (SchedulersError("it is gone", doing="find the zone"), "Could not find the zone: it is gone."),
        (InputError("count is -1", hint="Give 0 or more."), "count is -1. Give 0 or more."),
        (InputError("count is -1. ", hint="Give 0 or more"), "count is -1. Give 0 or more."),
    ],
)
def test_sentence(error: SchedulersError, sentence: str) -> None:
    assert error.sentence() == sentence
    assert str(error) == sentence


def test_details_are_a_copy() -> None:
    given = {"ids": ["a"]}
    error = SchedulersError("x", details=given)
    error.details["more"] = 1
    assert given == {"ids": ["a"]}


def test_throttled_carries_the_wait() -> None:
    error = ThrottledError("slow down", retry_after=7.0, code="Throttling", doing="list zones")
    assert (error.retry_after, error.code, error.doing) == (7.0, "Throttling", "list zones")


def test_partial_says_what_was_done_and_what_failed() -> None:
    cause = AuthError("denied", hint="Ask.", code="AccessDenied", details={"arn": "a"})
    error = PartialError(cause, steps_done=("create vpc web",), step_failed="create role web")
    assert error.sentence() == "Could not create role web: denied. Ask."
    assert error.details == {"arn": "a", "steps_done": ["create vpc web"], "step_failed": "create role web"}
    assert error.code == "AccessDenied"
    assert error.cause is cause


def test_partial_keeps_the_causes_own_words_for_what_it_did() -> None:
    cause = SchedulersError("no", doing="attach the policy to role web")
    assert PartialError(cause, steps_done=(), step_failed="create role web").doing == "attach the policy to role web"


def test_partial_in_a_partial_forgets_nothing() -> None:
    cause = SchedulersError("no")
    inner = PartialError(cause, steps_done=("b", "c"), step_failed="d")
    outer = PartialError(inner, steps_done=("a", "b"), step_failed="wait for all")
    assert outer.cause is cause
    assert outer.details == {"steps_done": ["a", "b", "c"], "step_failed": "d"}
    assert outer.sentence() == "Could not d: no."


def test_an_interruption_is_not_called_a_failure_of_the_step() -> None:
    interruption = Interruption("the run was ended by SIGTERM")
    error = PartialError(interruption.error(), steps_done=(), step_failed="wait for service web")
    assert error.sentence().startswith("the run was ended by SIGTERM. Run the same task again")
    assert error.details["step_failed"] == "wait for service web"


def test_an_interruption_gets_through_code_that_catches_every_exception() -> None:
    assert not issubclass(Interruption, Exception)


def test_as_ours() -> None:
    ours = InputError("x")
    assert as_ours(ours) is ours
    assert isinstance(as_ours(Interruption("ended")), InterruptedRunError)
    cause = KeyError("vpc")
    defect = as_ours(cause)
    assert isinstance(defect, DefectError)
    assert defect.__cause__ is cause
    assert defect.sentence() == (
        "Unexpected KeyError: 'vpc'. This is a defect of container.schedulers; please report it, "
        "with what ANSIBLE_DISPLAY_TRACEBACK=error shows."
    )
    with pytest.raises(SystemExit):
        as_ours(SystemExit(1))


@pytest.mark.parametrize("failure", [SchedulersError("it broke", details={"b": 3}), Interruption("ended by SIGTERM")])
def test_facts_that_every_failure_tells_as_they_are_by_then(failure: BaseException) -> None:
    facts = {"a": 0, "b": 0}

    def work() -> None:
        with telling(lambda: facts):
            facts["a"] = 1
            raise failure

    with pytest.raises(SchedulersError) as caught:
        work()
    assert caught.value.details == {"a": 1, "b": 3 if caught.value is failure else 0}
