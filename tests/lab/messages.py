# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes in and out: an HTTP request, the call it turned out to be, an HTTP answer; and who answers it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from lab.faults import Rule


_READS = ("Describe", "List", "Get", "Head", "BatchGet", "Search", "Check", "Test", "Watch", "DryRun")


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
    peer: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """The client's TLS certificate, if it showed one that is trusted, as Python's ssl tells it."""


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
        return self.action.startswith(_READS)


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    takeover: Callable[[socket.socket], None] | None = None
    """What goes on on the connection instead of HTTP: after 101, or (status 0) from the first byte of the answer on."""
    unheard: Callable[[socket.socket], bytes] | None = None
    """The same as `takeover`, but what the client would hear at last is kept from it, and given back."""


class Backend(Protocol):
    """One provider: what a request means to it, what it answers, and how it says no."""

    alone: bool
    """Requests are carried out one at a time, under the lock: what they change is the lab's own memory."""

    def name(self, request: Request) -> Call:
        """Which call this is."""

    def work(self, call: Call) -> Answer:
        """Carry it out. The provider's own refusals are answers too."""

    def fault(self, call: Call, rule: Rule) -> Answer:
        """The answer that a rule asks for, of a kind that is one."""

    def broken(self, call: Call, code: str, message: str) -> Answer:
        """An answer 501, which clients do not try again: it is the lab that cannot."""

    def error_code(self, answer: Answer) -> str:
        """The provider's code of the error in an answer, "" if it is none."""


class ConnectionCutError(Exception):
    """The server resets the connection instead of answering."""


def json_answer(document: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(document, default=str).encode() + b"\n", {"Content-Type": "application/json"})
