# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes in and out: an HTTP request, the AWS call it turned out to be, an HTTP answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """One HTTP request. Header names are in lower case; `path` is still percent-encoded."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    client_gone: Callable[[], bool] = field(default=lambda: False, compare=False)
    """Has the client hung up (or died) meanwhile?"""


@dataclass(frozen=True)
class Call:
    """A request understood: which operation of which service (named as boto3 names them), with which arguments."""

    service: str
    action: str
    region: str
    protocol: str
    params: Mapping[str, Any]
    """Query and EC2 protocols: flat, as on the wire (`Filter.1.Name`); JSON: the document; REST: empty."""
    attempt: int
    request: Request

    @property
    def name(self) -> str:
        return f"{self.service}.{self.action}"

    @property
    def is_read(self) -> bool:
        return self.action.startswith(("Describe", "List", "Get", "Head", "BatchGet", "Search", "Check", "Test"))


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class ConnectionCutError(Exception):
    """The server resets the connection instead of answering."""


def json_answer(document: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(document, default=str).encode() + b"\n", {"Content-Type": "application/json"})
