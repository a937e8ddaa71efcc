# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real HTTP proxy on loopback, as a company has one; and its firewall, which forgets connections without a word.

Whatever name is asked for, the way leads to one port: no test needs a name that resolves.

with serving(Reply(), tls=context) as server, proxying(server.server_port, Manners(credentials="me:word")) as proxy:
    monkeypatch.setenv("https_proxy", proxy.url("me:word@"))
assert proxy.asked == ["CONNECT rancher.test:443 HTTP/1.1"]
"""

from __future__ import annotations

import select
import socket
import socketserver
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from unit.http_server import in_background

MOST = 65536


@dataclass(frozen=True)
class Manners:
    """How a proxy behaves.

    Attributes:
        credentials: user and password that it wants, with a colon between them.
        says: what it answers in place of a tunnel; the whole of it.
        silent: it never answers.
        transparent: it is none, but hands on what comes, as a firewall does.
        intercepts: TLS ends here, with a certificate of the company; what is behind speaks none.
    """

    credentials: str = ""
    says: bytes = b""
    silent: bool = False
    transparent: bool = False
    intercepts: ssl.SSLContext | None = None


class Proxy(socketserver.ThreadingTCPServer):
    """Hands on what comes to one port."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, target: int, manners: Manners) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.manners = manners
        self.asked: list[str] = []
        self.ended = threading.Event()
        self.generation = 0
        self.open: list[socket.socket] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def url(self, user: str = "") -> str:
        return f"http://{user}127.0.0.1:{self.port}"

    def forget(self) -> None:
        """Swallow whatever comes through the connections that there are. New ones work."""
        self.generation += 1

    def hang_up(self) -> None:
        for one in self.open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Connections that break are what the tests are about."""


class _Handler(socketserver.BaseRequestHandler):
    server: Proxy

    def handle(self) -> None:
        server, manners = self.server, self.server.manners
        server.open.append(self.request)
        generation, head = server.generation, b""
        if not manners.transparent:
            head = self._head()
            server.asked.append(head.split(b"\r\n", 1)[0].decode())
            if manners.silent:
                server.ended.wait()
                return
            refusal = manners.says or self._refusal(head)
            if refusal:
                self.request.sendall(refusal)
                return
            if head.startswith(b"CONNECT "):
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                head = b""
                if manners.intercepts:
                    self.request = manners.intercepts.wrap_socket(self.request, server_side=True)
        with socket.create_connection(("127.0.0.1", server.target)) as there:
            server.open.append(there)
            there.sendall(head)
            self._relay(there, generation)

    def _head(self) -> bytes:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = self.request.recv(MOST)
            if not piece:
                break
            head += piece
        return head

    def _refusal(self, head: bytes) -> bytes:
        wanted = self.server.manners.credentials
        if (
            not wanted
            or f"proxy-authorization: basic {b64encode(wanted.encode()).decode()}".lower() in head.decode().lower()
        ):
            return b""
        return (
            b"HTTP/1.1 407 Proxy Authentication Required\r\n"
            b'Proxy-Authenticate: Basic realm="company"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
        )

    def _relay(self, there: socket.socket, generation: int) -> None:
        ways = {self.request: there, there: self.request}
        while True:
            for one in select.select(list(ways), [], [])[0]:
                piece = one.recv(MOST)
                while isinstance(one, ssl.SSLSocket) and one.pending():
                    piece += one.recv(MOST)
                if generation != self.server.generation:
                    self.server.ended.wait()
                if not piece or self.server.ended.is_set():
                    return
                ways[one].sendall(piece)


@contextmanager
def proxying(target: int, manners: Manners | None = None) -> Iterator[Proxy]:
    """The proxy for one test."""
    proxy = Proxy(target, manners or Manners())
    with in_background(proxy, proxy.ended, proxy.hang_up):
        yield proxy
