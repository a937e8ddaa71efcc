# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP API as a script: the requests that a test expects, with their answers. One too many or too few fails it.

Requests of the same method and path are answered in the order of the script; others may come in any order, as
independent reads run in parallel. The retries, paging and translation of errors are those of production.

    http = ScriptedHttp(
        Request("GET", "/v1/projects", collection(project())),
        Request("POST", "/v1/projects/1a5/services", service(state="registering"), {"name": "web"}),
    )
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from ansible_collections.container.schedulers.plugins.module_utils._http import Answer, Http, HttpSettings, Translate
from ansible_collections.container.schedulers.plugins.module_utils._retry import RetryPolicy
from unit.clock import FakeClock

Matcher = Mapping[str, Any] | Callable[[Any], bool] | None


@dataclass(frozen=True)
class Request:
    """One expected request.

    Attributes:
        answer: what comes back as JSON, or the exception of a connection that breaks.
        body: the fields that have to be in it, or a predicate over all of it.
        query: the parameters that have to be in the address.
        times: how many such requests are expected.
    """

    method: str
    path: str
    answer: Any = None
    body: Matcher = None
    query: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    times: int = 1

    def matches(self, method: str, path: str, query: Mapping[str, str], body: Any) -> bool:
        return (
            (self.method, self.path) == (method, path)
            and all(query.get(name) == value for name, value in self.query.items())
            and (
                self.body is None
                or (
                    self.body(body)
                    if callable(self.body)
                    else all((body or {}).get(name) == value for name, value in self.body.items())
                )
            )
        )


class ScriptedHttp(Http):
    """The real transport with scripted answers."""

    def __init__(
        self,
        *requests: Request,
        translate: Translate = lambda _answer: None,
        clock: FakeClock | None = None,
        url: str = "http://rancher.test:8080",
    ) -> None:
        self.clock = clock or FakeClock()
        super().__init__(HttpSettings(url), RetryPolicy(clock=self.clock, random=lambda: 0.0), translate)
        self._script = [one for one in requests for _again in range(one.times)]
        self._turn = threading.Lock()
        self.made: list[tuple[str, str, Any]] = []
        self.unexpected: list[str] = []

    def _exchange(self, method: str, path: str, payload: bytes | None, more: Mapping[str, str]) -> Answer:
        address, _mark, query = path.partition("?")
        body = json.loads(payload) if payload else None
        with self._turn:
            self.made.append((method, path, body))
            for index, one in enumerate(self._script):
                if one.matches(method, address, dict(parse_qsl(query)), body):
                    del self._script[index]
                    return self._said(one, address)
            self.unexpected.append(f"{method} {path} {body}")
        raise AssertionError(f"unexpected request {method} {path} {body}")

    def _said(self, one: Request, address: str) -> Answer:
        if isinstance(one.answer, Exception):
            raise one.answer
        text = b"" if one.answer is None else json.dumps(one.answer).encode()
        return Answer(one.status, {"content-type": "application/json"}, text, address)

    def finish(self) -> None:
        """Complain about requests that did not come, or should not have come."""
        missing = [f"{one.method} {one.path} {one.body}" for one in self._script]
        assert not self.unexpected, f"unexpected requests: {self.unexpected}"
        assert not missing, f"expected requests that were not made: {missing}"
