# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real HTTP server on loopback that follows a script, its unpleasant moments included.

with serving(Reply(503, headers={"Retry-After": "2"}), Reply(200, {"name": "web"})) as server:
    Http(HttpSettings(server.url)).request("GET", "/things", doing="look")
assert server.seen == [...]
"""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """One answer.

    Attributes:
        body: sent as JSON, or as it is if it is a string.
        cut: what happens instead: the connection breaks before the first byte, or in the middle of the body; or the
            answer never comes.
        closes: the connection is closed after the answer, without a word.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: str = ""
    closes: bool = False


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    body: Any
    headers: Mapping[str, str]
    connection: int


class ScriptedServer(ThreadingHTTPServer):
    """Answers with the replies of the script, in order."""

    daemon_threads = True

    def __init__(self, replies: tuple[Reply, ...]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies = list(replies)
        self.seen: list[Seen] = []
        self.turn = threading.Lock()
        self.closed = threading.Event()  # a reply that closes has closed
        self.asked = threading.Event()  # the last reply is asked for
        self.ended = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ScriptedServer

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(length).decode()
        try:
            body = json.loads(text) if text else None
        except ValueError:  # a form
            body = text
        with self.server.turn:
            seen = Seen(self.command, self.path, body, dict(self.headers), self.client_address[1])
            self.server.seen.append(seen)
            reply = self.server.replies.pop(0)
            if not self.server.replies:
                self.server.asked.set()
        if reply.cut == "before":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif reply.cut == "never":
            self.server.ended.wait()
            self.close_connection = True
        else:
            self.say(reply)

    def say(self, reply: Reply) -> None:
        text = reply.body if isinstance(reply.body, str) else "" if reply.body is None else json.dumps(reply.body)
        payload = text.encode()
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload) + (10 if reply.cut == "within" else 0)))
        self.end_headers()
        self.wfile.write(payload)
        if reply.cut or reply.closes:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            self.server.closed.set()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - as the standard library wants it

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port where nobody listens: it is taken, as one that was let go may be another server's the next moment."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextmanager
def trickling(pieces: int = 100, *, body: bool = False, size: int = 1) -> Iterator[int]:
    """The port of a server that answers, or goes on after its headers, so slowly that no silence is ever long."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def trickle(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\n" + (b"\r\n" if body else b"Content-Length: 2\r\nX-Slow: "))
            for _piece in range(pieces):
                if ended.wait(0.02):
                    return
                connection.sendall(b"x" * size)
            connection.sendall(b"\r\n\r\n{}")

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _peer = listener.accept()
                threading.Thread(target=trickle, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@contextmanager
def in_background(
    server: socketserver.BaseServer, ended: threading.Event, hang_up: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Let a server serve.

    Args:
        ended: is set before it is shut down.
        hang_up: called then, for what it has open.
    """
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        hang_up()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def answering(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address of a server that answers as a test's own handler does."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    with in_background(server, threading.Event()):
        yield f"http://127.0.0.1:{server.server_port}"


@contextmanager
def serving(*replies: Reply, tls: Any = None) -> Iterator[ScriptedServer]:
    """The server for one test, which checks at its end that all replies were asked for."""
    server = ScriptedServer(replies)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    with in_background(server, server.ended):
        yield server
    assert not server.replies, f"replies that nobody asked for: {server.replies}"
