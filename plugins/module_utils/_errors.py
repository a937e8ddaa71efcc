# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One family of errors: what failed, while doing what, and what to try.

Code below ``_module.py`` only raises; the edge is the one place that turns an error into a failed task. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any


class SchedulersError(Exception):
    """Something went wrong that the user should read as one sentence.

    Args:
        message: what happened, in the provider's words where there are any.
        doing: what was being attempted, as a verb phrase ("create the VPC of cluster web").
        hint: what to try next.
        code: the provider's own error code, for code that has to tell errors apart.
        details: facts for the result of the failed task (JSON types only).

    Attributes:
        retry_after: seconds that the provider asks to wait before the next try, if it said so.
    """

    retry_after: float | None = None

    def __init__(
        self,
        message: str,
        *,
        doing: str = "",
        hint: str = "",
        code: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.doing = doing
        self.hint = hint
        self.code = code
        self.details: dict[str, Any] = dict(details or {})

    def sentence(self) -> str:
        """What failed, why, and what to try: the text a user sees."""
        text = f"Could not {self.doing}: {self.message}" if self.doing else self.message
        if self.hint:
            text = f"{text.rstrip('. ')}. {self.hint}"
        return text if text.endswith((".", "?", "!")) else f"{text}."

    def __str__(self) -> str:
        return self.sentence()


class InputError(SchedulersError):
    """An option has a value that cannot work. Raised before the first change."""


class AuthError(SchedulersError):
    """The provider does not accept the credentials, or they do not allow the call. Never retried."""


class NotFoundError(SchedulersError):
    """The thing that the call names does not exist. While deleting, this is success."""


class ConflictError(SchedulersError):
    """The thing exists already, or is in a state that does not allow the call."""


class NotOursError(ConflictError):
    """A thing of the wanted name exists and does not carry our mark."""


class BusyError(SchedulersError):
    """Refused for now: something still depends on the thing, or it is changing. Worth another try later."""


class ThrottledError(SchedulersError):
    """Refused because of too many requests; nothing was done.

    Args:
        message: the provider's words.
        retry_after: seconds that the provider asks to wait, if it said so.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, code: str = "", doing: str = "") -> None:
        super().__init__(message, code=code, doing=doing)
        self.retry_after = retry_after


class UnreachableError(SchedulersError):
    """The request surely did not arrive: no route, connection refused, name unknown."""


class AnswerLostError(SchedulersError):
    """The request may have been carried out, but no usable answer came: 5xx, a cut connection, a time-out."""


class StateFailedError(SchedulersError):
    """A wait ended early: the thing is in a state from which it can never become ready."""


class WaitTimeoutError(SchedulersError):
    """A wait ran into its deadline; the message says what was last seen."""


class InterruptedRunError(SchedulersError):
    """SIGINT or SIGTERM ended the run."""


class DefectError(SchedulersError):
    """A mistake in this collection: an exception that none of our code expects."""

    def __init__(self, error: Exception) -> None:
        super().__init__(
            f"Unexpected {type(error).__name__}: {error}",
            hint="This is a defect of container.schedulers; please report it, "
            "with what ANSIBLE_DISPLAY_TRACEBACK=error shows.",
        )


class Interruption(BaseException):
    """What a signal handler raises. No ``Exception``: botocore turns every one of those into an error worth a retry.

    Args:
        reason: what happened ("the run was ended by SIGTERM").
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def error(self) -> InterruptedRunError:
        """The same as an error that can be reported."""
        return InterruptedRunError(
            self.reason, hint="Run the same task again to converge, or with state: absent to remove what was made."
        )


def as_ours(error: BaseException) -> SchedulersError:
    """The error of our family that stands for any exception.

    Raises:
        BaseException: the exception itself, when it is none of our business (``SystemExit``).
    """
    if isinstance(error, SchedulersError):
        return error
    if isinstance(error, Interruption):
        return error.error()
    if isinstance(error, Exception):
        defect = DefectError(error)
        defect.__cause__ = error
        return defect
    raise error


@contextmanager
def telling(facts: Callable[[], Mapping[str, Any]]) -> Iterator[None]:
    """What fails within also tells these facts, as they are by then."""
    try:
        yield
    except SchedulersError as error:
        error.details = {**facts(), **error.details}
        raise
    except Interruption as interruption:
        ended = interruption.error()
        ended.details = dict(facts())
        raise ended from interruption


class PartialError(SchedulersError):
    """Some steps of a plan were carried out, one failed.

    Args:
        cause: the error of the step that failed.
        steps_done: descriptions of the steps that were carried out, in order.
        step_failed: description of the step that failed.
    """

    def __init__(self, cause: SchedulersError, *, steps_done: Sequence[str], step_failed: str) -> None:
        doing = cause.doing or ("" if isinstance(cause, InterruptedRunError) else step_failed)
        super().__init__(cause.message, doing=doing, hint=cause.hint, code=cause.code)
        self.cause: SchedulersError = cause.cause if isinstance(cause, PartialError) else cause
        # a run in several parts: what each of them did, and the innermost name for what failed
        done = [*steps_done, *(step for step in cause.details.get("steps_done", ()) if step not in steps_done)]
        self.details = {"step_failed": step_failed, **cause.details, "steps_done": done}
