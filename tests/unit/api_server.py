# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An API server as a script: a real HTTP server on loopback that gives the answers of a test, and notes who asked.

The calls of one method and path are answered in the order of the script; different ones may come in any order, as
independent reads run in parallel. A call too many or too few fails the test.

    with api_server(
        Call("GET", "/api/v1/namespaces/shop/pods", {"items": []}),
        Call("GET", "/api/v1/pods", Events(added(pod)), query={"watch": "1"}),
    ) as server: Api(Transport(server.login)) ...
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ansible_collections.container.schedulers.plugins.module_utils._k8s.api import Api
from ansible_collections.container.schedulers.plugins.module_utils._k8s.login import Login
from ansible_collections.container.schedulers.plugins.module_utils._k8s.transport import Transport
from ansible_collections.container.schedulers.plugins.module_utils._retry import RetryPolicy
from unit.clock import FakeClock


@dataclass(frozen=True)
class Status:
    """A refusal, as API servers write it."""

    code: int
    reason: str = ""
    message: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "code": self.code,
            "reason": self.reason,
            "message": self.message or self.reason,
            "details": dict(self.details),
        }


@dataclass(frozen=True)
class Events:
    """The answer to a watch: events, and then the end of the stream, or silence until the test ends."""

    events: tuple[Mapping[str, Any], ...] = ()
    hold: bool = True


@dataclass(frozen=True)
class Cut:
    """No answer: the connection is closed."""


@dataclass(frozen=True)
class Silence:
    """No answer until the test ends."""


@dataclass(frozen=True)
class Call:
    """One expected call.

    Attributes:
        query: the parameters that matter.
        body: the fields of the body that matter.
        times: how many such calls are expected; 0: any number.
    """

    method: str
    path: str
    answer: Any = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1


def events(*pairs: tuple[str, Mapping[str, Any]], hold: bool = True) -> Events:
    """Events of a watch from types and objects."""
    return Events(tuple({"type": kind, "object": thing} for kind, thing in pairs), hold)


class ScriptedServer:
    """The server of one test."""

    def __init__(self, calls: tuple[Call, ...]) -> None:
        self._script = [call for call in calls for _unused in range(max(1, call.times))]
        self._turn = threading.Lock()
        self.ended = threading.Event()
        self.made: list[tuple[str, str, dict[str, str], Any]] = []
        self.headers: list[dict[str, str]] = []
        self.unexpected: list[str] = []
        self.clock = FakeClock()
        server = self

        class Handler(_Handler):
            script = server

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def api(self, login: Login | None = None) -> Api:
        """A client of it, whose pauses take no time."""
        return Api(Transport(login or Login(self.url), 10.0), RetryPolicy(clock=self.clock, random=lambda: 0.0))

    def take(self, method: str, path: str, query: dict[str, str], body: Any) -> Call | None:
        """The scripted call for a request."""
        with self._turn:
            self.made.append((method, path, query, body))
            for index, call in enumerate(self._script):
                if (
                    (call.method, call.path) == (method, path)
                    and _within(call.query, query)
                    and _within(call.body, body)
                ):
                    if call.times:
                        del self._script[index]
                    return call
            self.unexpected.append(f"{method} {path} {query}")
        return None

    def paths(self, method: str) -> list[str]:
        """The paths that were asked for by a method, in order."""
        return [path for made, path, _query, _body in self.made if made == method]

    def close(self) -> None:
        self.ended.set()
        self._http.shutdown()
        self._http.server_close()

    def check(self) -> None:
        """Complain about calls that did not come, or should not have come."""
        missing = [f"{call.method} {call.path} {call.query}" for call in self._script if call.times]
        assert not self.unexpected, f"unexpected calls: {self.unexpected}"
        assert not missing, f"expected calls that were not made: {missing}"


def _within(expected: Any, found: Any) -> bool:
    if not isinstance(expected, Mapping):
        return bool(expected == found)
    there = found if isinstance(found, Mapping) else {}
    return all(_within(value, there.get(name)) for name, value in expected.items())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: ScriptedServer

    def do(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.script.headers.append(dict(self.headers.items()))
        call = self.script.take(self.command, parts.path, query, body)
        self._answer(call or Call("", "", Status(500, "Unexpected", f"unexpected {self.command} {self.path}")))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do  # noqa: N815

    def _answer(self, call: Call) -> None:
        if isinstance(call.answer, Silence):
            self.script.ended.wait(20)
        if isinstance(call.answer, (Cut, Silence)):
            self.close_connection = True
            return
        if isinstance(call.answer, Events):
            self._stream(call.answer)
            return
        status, body = call.status, call.answer
        if isinstance(body, Status):
            status, body = body.code, body.body()
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in call.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, answer: Events) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in answer.events:
            line = json.dumps(event).encode() + b"\n"
            self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        self.wfile.flush()
        if answer.hold:
            self.script.ended.wait(20)
        self.close_connection = True
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: pytest shows what fails."""


@contextmanager
def api_server(*calls: Call) -> Iterator[ScriptedServer]:
    """An API server for one test, which checks at its end that all calls came."""
    server = ScriptedServer(calls)
    try:
        yield server
    finally:
        server.close()
    server.check()


def thing(kind: str, name: str, namespace: str = "shop", *, api_version: str = "v1", **rest: Any) -> dict[str, Any]:
    """An object as a server gives it."""
    metadata = {"name": name, "uid": f"uid-{name}", "resourceVersion": "1", "generation": 1}
    if namespace:
        metadata["namespace"] = namespace
    extra = rest.pop("metadata", {})
    return {"apiVersion": api_version, "kind": kind, "metadata": {**metadata, **extra}, **rest}


def listing(*items: Mapping[str, Any], version: str = "10") -> dict[str, Any]:
    """A list as a server gives it."""
    return {"metadata": {"resourceVersion": version}, "items": list(items)}
