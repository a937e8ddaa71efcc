# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an error of Rancher's API means: its codes say more than its statuses. PRIVATE."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from .._errors import AuthError, ConflictError, SchedulersError, ThrottledError
from .._http import Answer

NOT_UNIQUE = "NotUnique"
WRONG_USER = "IncorrectPassword"  # of the account that a request names, which is not the one that makes it
_METHOD_WORDS = frozenset({"Method not allowed", "Method Not Allowed"})
# refused because of the state that the thing is in, which another look and another way may mend
STATE_CODES = _METHOD_WORDS | {"ActionNotAvailable", "InvalidState"}
# the state of the thing does not allow it, or no state would, to this API key
METHOD_CODES = _METHOD_WORDS | {"405"}
INVALID_ACTION = "InvalidAction"  # with the field "action": not one of those that this API key sees


def translate(answer: Answer) -> SchedulersError | None:
    """The error that an answer stands for; None for what its status alone says. Pure."""
    body = _body(answer)
    code = str(body.get("code") or "")
    message = _message(body) or answer.message()
    if answer.status in (401, 403, 404) and "html" in answer.headers.get("content-type", ""):
        return _page(answer)
    if answer.status in (401, 403) or (code == INVALID_ACTION and body.get("fieldName") == "action"):
        return _refused(answer, code, message)
    if answer.status == 409:
        # two changes met and this one was not made: Rancher's own clients send it again, too
        return ThrottledError(f"another change of the same thing was faster: {message}", code=code or "409")
    if code == NOT_UNIQUE or code in STATE_CODES or answer.status == 405:
        return ConflictError(message, code=code or str(answer.status))
    if code and 400 <= answer.status < 500 and answer.status not in (404, 429):
        return SchedulersError(message, code=code)
    return None


def _page(answer: Answer) -> SchedulersError:
    """The error for a web page: neither a refusal of the key, nor a thing that is gone."""
    return SchedulersError(
        f"the answer of {answer.url} is a web page (HTTP {answer.status}): {answer.message()}",
        code="NotJson" if answer.status == 404 else str(answer.status),
        hint="Does a proxy or a login page of a network answer in place of Rancher?",
    )


def _refused(answer: Answer, code: str, message: str) -> AuthError:
    if answer.status == 401:
        return _unauthorized(code, message)
    return denied(f"{message} ({urlsplit(answer.url).path})" if answer.url else message, code or "403")


def denied(message: str, code: str, *, doing: str = "") -> AuthError:
    """The API key is a good one, and not for this."""
    return AuthError(
        f"the API key does not allow this: {message}",
        code=code,
        doing=doing,
        hint="Use the key of an account that is an administrator or an owner of the environment.",
    )


def _unauthorized(code: str, message: str) -> AuthError:
    if code == WRONG_USER:
        return AuthError(
            f"the password is not that of the user: {message}",
            code=code,
            hint="Passwords are not changed here. Give the one that this user has, or another username.",
        )
    return AuthError(
        "Rancher does not accept the API key" + (f" ({code})" if code and code != "Unauthorized" else ""),
        code=code or "401",
        hint="Give access_key and secret_key of an API key of this server.",
    )


def _body(answer: Answer) -> Mapping[str, Any]:
    try:
        body = json.loads(answer.body)
    except ValueError:
        return {}
    return body if isinstance(body, Mapping) else {}


def _message(body: Mapping[str, Any]) -> str:
    """Rancher often leaves its message empty, and always names the code and, if it can, the field."""
    words = [str(body[name]) for name in ("code", "message", "detail") if body.get(name)]
    text = ": ".join(dict.fromkeys(words))
    return f"{text} (field {body['fieldName']})" if text and body.get("fieldName") else text
