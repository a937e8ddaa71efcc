# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What DigitalOcean and the HTTP library say when something goes wrong, as errors of our family. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .._errors import (
    AnswerLostError,
    AuthError,
    BusyError,
    ConflictError,
    NotFoundError,
    SchedulersError,
    ThrottledError,
)
from .._http import not_trusted
from .._proxy import Proxy, not_reached, through
from .._urllib3 import reason, untrusted, was_sent

NOT_ITS_WORDS = "the answer is not what DigitalOcean writes"
CHECK_URL = "Is api_url right, and does no proxy and no login page of a network answer in its place?"
NOT_FOUND = "not_found"
BUSY_WORDS = ("pending event", "attached volume", "has members", "with members", "with resources")
TAKEN_WORDS = ("already in use", "duplicate name", "already exists", "has already been taken")
LONGEST_RESET = 60.0


def from_answer(
    status: int, document: Any, headers: Mapping[str, str], doing: str, *, now: float = 0.0
) -> SchedulersError:
    """The error that an answer stands for. Pure.

    Args:
        document: the body, None if it is no JSON.
        headers: with names in lower case.
        now: seconds since the epoch, for a limit that says when it ends.
    """
    code, message = _said(document)
    text = message or f"HTTP {status}"
    number = document.get("request_id") if isinstance(document, Mapping) else None
    details = {"request_id": str(number or headers.get("x-request-id"))} if number or "x-request-id" in headers else {}
    if status == 429:
        return ThrottledError(text, retry_after=_pause(headers, now), code=code, doing=doing)
    if status >= 500 and status != 501:
        return AnswerLostError(f"{text} (HTTP {status})", code=code, doing=doing, details=details)
    # gone is only what DigitalOcean calls so: a gateway on the way has words of its own for what it does not know
    if not code or (status == 404 and code != NOT_FOUND):
        return SchedulersError(f"{NOT_ITS_WORDS} (HTTP {status})", hint=CHECK_URL, doing=doing)
    if status == 401:
        hint = "Is it complete, not expired, and of this team?"
        return AuthError("DigitalOcean does not accept the api_token", hint=hint, code=code, doing=doing)
    if status == 403:
        hint = "The token needs further scopes; the notes of the module list them."
        return AuthError(text, hint=hint, code=code, doing=doing, details=details)
    return _family(status, text)(text, code=code, doing=doing, details=details)


def _said(document: Any) -> tuple[str, str]:
    if not isinstance(document, Mapping):
        return "", ""
    code, message = document.get("id"), document.get("message")
    return (code, str(message or code)) if isinstance(code, str) and code else ("", str(message or ""))


def _family(status: int, message: str) -> type[SchedulersError]:
    words = message.lower()
    if status == 404:
        return NotFoundError
    if status == 412 or any(one in words for one in BUSY_WORDS):
        return BusyError
    if status == 409 or any(one in words for one in TAKEN_WORDS):
        return ConflictError
    return SchedulersError


def _pause(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait: what the burst limit says, or until the oldest request of the hour expires."""
    try:
        if "retry-after" in headers:
            return float(headers["retry-after"])
        if "ratelimit-reset" in headers:
            return min(LONGEST_RESET, max(1.0, float(headers["ratelimit-reset"]) - now))
    except ValueError:
        pass
    return None


@contextmanager
def translated(doing: str, where: str, proxy: Proxy | None) -> Iterator[None]:
    """Turns what requests raises into our errors.

    Args:
        where: the server that is asked.
        proxy: the way to it.

    Raises:
        SchedulersError: whether the request surely did not arrive, or may have been carried out.
    """
    try:
        yield
    except OSError as error:  # all of requests' are; a file of CA certificates that is not there is no more than that
        raise from_library(error, doing, where, proxy) from error


def from_library(
    error: Exception, doing: str, where: str = "DigitalOcean", proxy: Proxy | None = None
) -> SchedulersError:
    """Our error for one of requests', by the names of its classes and of what is inside. Pure."""
    names = {one.__name__ for one in type(error).__mro__}
    if names & {"InvalidURL", "MissingSchema", "InvalidSchema", "InvalidHeader"}:
        return SchedulersError(_first_line(error), hint=CHECK_URL, doing=doing)
    if "RequestException" not in names:
        hint = "Do REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE name files that are there?"
        return SchedulersError(_first_line(error), hint=hint, doing=doing)
    certificate = untrusted(error)
    if certificate:
        usual = "Is the CA that it is signed by in the file of REQUESTS_CA_BUNDLE?"
        failure = not_trusted(where, certificate, usual)
    elif "ConnectTimeout" in names or not was_sent(error):
        failure = not_reached(where, reason(error), proxy, "Are api_url and proxy right?")
    else:
        failure = AnswerLostError(f"no answer came{through(proxy)}: {_first_line(error)}")
    failure.doing = doing
    return failure


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).split("\n", 1)[0]
