# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an API server's refusal means in our family of errors. Pure. PRIVATE."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .._errors import (
    AnswerLostError,
    AuthError,
    BusyError,
    ConflictError,
    InputError,
    NotFoundError,
    SchedulersError,
    ThrottledError,
)
from .._http import LOST, TOO_MANY_REQUESTS, shortened

IN_BETWEEN = (
    "Is this the address of the API server, and does no proxy and no login page of a network answer in its place?"
)
UNAUTHORIZED = 401
FIELD_CONFLICT = "FieldManagerConflict"
MOVED = "Conflict"  # the object is no more what the write thought it was
_PAGE = re.compile(rb"\s*<[?!a-z]", re.IGNORECASE)
_MANAGER = re.compile(r'conflict with "(?P<manager>[^"]*)"')


class ExpiredError(SchedulersError):
    """What was asked for happened too long ago for the server to remember (410): list again."""


def translate(status: int, body: bytes, headers: Mapping[str, str], doing: str) -> SchedulersError:
    """The error that stands for an answer with a status of 400 or more.

    Args:
        status: the HTTP status.
        body: the answer, usually a ``Status`` object.
        headers: of the answer, by name in lower case.
        doing: verb phrase for the message.
    """
    answer = status_of(body)
    if not answer and status != TOO_MANY_REQUESTS and _PAGE.match(body):
        # what stands before an API server may ask for its credentials with a page
        kind = AnswerLostError if status in LOST else AuthError if status == UNAUTHORIZED else SchedulersError
        said = shortened(body.decode(errors="replace"))
        return kind(f"the answer is a web page (HTTP {status}): {said}", doing=doing, code=str(status), hint=IN_BETWEEN)
    message = str(answer.get("message") or body[:300].decode(errors="replace").strip() or f"HTTP {status}")
    reason = str(answer.get("reason") or "")
    causes = [one for one in (answer.get("details") or {}).get("causes") or () if isinstance(one, Mapping)]
    return _by_cause(causes, message, doing) or _by_status(status, message, reason, headers, doing)


def status_of(body: bytes) -> dict[str, Any]:
    """The ``Status`` object in an answer; empty if it is none (a proxy's page)."""
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def knows_no_apply(error: SchedulersError) -> bool:
    """Whether an apply may have been refused as the server is too old for it, or for its dry run."""
    return error.code in ("UnsupportedMediaType", "415") or "dryRun" in error.message


def _by_cause(causes: list[Mapping[str, Any]], message: str, doing: str) -> SchedulersError | None:
    """Some refusals are told apart only by what the details say."""
    kinds = {one.get("reason") for one in causes}
    if FIELD_CONFLICT in kinds:
        return _field_conflict(causes, doing)
    if "NamespaceTerminating" in kinds:
        return BusyError(message, doing=doing, code="NamespaceTerminating", hint="Wait until the namespace is gone.")
    if "DisruptionBudget" in kinds:
        return BusyError(message, doing=doing, code="DisruptionBudget")
    return None


def _field_conflict(causes: list[Mapping[str, Any]], doing: str) -> SchedulersError:
    """Server-side apply refuses to take a field from another manager: say which field, and whose it is."""
    conflicts = []
    for one in causes:
        found = _MANAGER.search(str(one.get("message", "")))
        manager = found["manager"] if found else str(one.get("message", "unknown"))
        conflicts.append({"field": str(one.get("field", "")).lstrip("."), "manager": manager})
    listed = ", ".join(f"{one['field']} belongs to {one['manager']}" for one in conflicts)
    return ConflictError(
        f"other managers own fields that have another value: {listed}",
        doing=doing,
        code=FIELD_CONFLICT,
        hint="Leave these fields out, or take them over with force_conflicts: true.",
        details={"conflicts": conflicts},
    )


def _by_status(status: int, message: str, reason: str, headers: Mapping[str, str], doing: str) -> SchedulersError:
    if status == 429:
        return ThrottledError(message, retry_after=_seconds(headers.get("retry-after")), code=reason, doing=doing)
    if status == 409 and reason == MOVED:
        # somebody wrote at the same moment, and nothing was done: a write that names no version may be repeated
        return ThrottledError(message, code=reason, doing=doing)
    if "failed to create typed patch object" in message:  # 500, but it is the manifest that has a field too many
        return InputError(message, code="Invalid", doing=doing)
    if status in LOST:
        return AnswerLostError(message, code=reason or str(status), doing=doing)
    kind, hint = _PLAIN.get(status, (SchedulersError, ""))
    if status == 403 and "exceeded quota" in message:
        kind, hint = SchedulersError, "Ask for less, or raise the ResourceQuota of the namespace."
    elif status == 403 and " is forbidden: " in message and " cannot " not in message:
        hint = ""  # not the user lacks a right: no user may have what is asked for
    return kind(message, code=reason or str(status), doing=doing, hint=hint)


_PLAIN: dict[int, tuple[type[SchedulersError], str]] = {
    400: (InputError, ""),
    401: (AuthError, "The API server does not accept these credentials; they may have expired."),
    403: (AuthError, "Give the user this right by a role, or use other credentials."),
    404: (NotFoundError, ""),
    409: (ConflictError, ""),
    410: (ExpiredError, ""),
    422: (InputError, ""),
}


def _seconds(value: str | None) -> float | None:
    try:
        return float(value) if value else None
    except ValueError:  # a date: let the policy decide
        return None
