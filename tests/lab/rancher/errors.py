# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Rancher's API says no with: a status, a code, and for bad input the name of the field."""

from __future__ import annotations

import json
import uuid
from typing import Any

from lab.messages import Answer, json_answer

_REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method not allowed",
    409: "Conflict",
    429: "Too Many Requests",
    500: "Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}


class RancherError(Exception):
    """An error answer. `code` is the reason phrase where the API has no code of its own."""

    def __init__(
        self,
        status: int,
        code: str = "",
        message: str | None = None,
        field: str | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(f"{status} {code or _REASONS.get(status, '')}: {message}")
        self.status = status
        self.code = code or _REASONS.get(status, "Error")
        self.message = message
        self.field = field
        self.detail = detail

    def document(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "type": "error",
            "links": {},
            "actions": {},
            "status": self.status,
            "code": self.code,
            "message": self.message or self.code,
            "detail": self.detail,
            "baseType": "error",
        }
        if self.status == 422:
            body["fieldName"] = self.field
        return body


def invalid(code: str, field: str | None = None, message: str | None = None) -> RancherError:
    """422: the input (or the moment) does not fit."""
    return RancherError(422, code, message, field)


def not_found() -> RancherError:
    return RancherError(404)


def error_answer(error: RancherError, headers: dict[str, str] | None = None) -> Answer:
    answer = json_answer(error.document(), error.status)
    return Answer(answer.status, answer.body, {**answer.headers, **(headers or {})})


def code_of(answer: Answer) -> str:
    """The code in an error answer, "" if it is none."""
    if answer.status < 400:
        return ""
    try:
        document = json.loads(answer.body)
    except ValueError:
        return f"HTTP {answer.status}"
    return (
        str(document.get("code") or f"HTTP {answer.status}") if isinstance(document, dict) else f"HTTP {answer.status}"
    )
