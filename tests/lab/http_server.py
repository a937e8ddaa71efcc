# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small HTTP/1.1 server: threads, keep-alive, and connections that can be cut as a network would cut them."""

from __future__ import annotations

import http.server
import logging
import os
import select
import socket
import ssl
import struct
from collections.abc import Callable, Mapping
from typing import Any

from lab.messages import Answer, ConnectionCutError, Request

log = logging.getLogger("lab")
Responder = Callable[[Request], Answer]
_TLS_HELLO = b"\x16"


def connection_handler(connection: socket.socket, respond: Responder) -> None:
    """Serve HTTP on a connection that came another way."""
    _Handler(connection, ("127.0.0.1", 0), _Responds(respond))  # type: ignore[arg-type]


class _Responds:
    """As much of a server as the handler looks at."""

    def __init__(self, respond: Responder) -> None:
        self.respond = respond
        self.tls = None


class HttpServer(http.server.ThreadingHTTPServer):
    """Listens on loopback; each connection has a thread, each request is given to `respond`.

    With `tls` it takes both on one port: who begins to talk TLS gets TLS.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self, respond: Responder, port: int = 0, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None
    ) -> None:
        self.respond = respond
        self.tls = tls
        super().__init__((address, port), _Handler)

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]!s}:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is nobody's error; anything else goes to the log, not to the terminal."""
        log.debug("connection from %s ended early", client_address, exc_info=True)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: HttpServer

    def setup(self) -> None:
        if self.server.tls is not None and self.request.recv(1, socket.MSG_PEEK) == _TLS_HELLO:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()
        if self.connection.family != socket.AF_UNIX:
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline:
            self.close_connection = True
            return
        if not self.parse_request():
            return
        try:
            self._send(self.server.respond(self._request()))
        except ConnectionCutError:
            self._cut()

    def _request(self) -> Request:
        path, _unused, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        if isinstance(self.connection, ssl.SSLSocket):
            headers.setdefault("x-forwarded-proto", "https")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = self._chunks()
            del headers["transfer-encoding"]  # undone here
        else:
            body = self.rfile.read(int(headers.get("content-length") or 0))
        return Request(self.command, path, query, headers, body, self._client_gone, self._peer())

    def _peer(self) -> Mapping[str, Any]:
        return (self.connection.getpeercert() or {}) if isinstance(self.connection, ssl.SSLSocket) else {}

    def handle_expect_100(self) -> bool:
        """The client waits for this line before it sends its body."""
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.wfile.flush()
        return True

    def _chunks(self) -> bytes:
        parts: list[bytes] = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def _send(self, answer: Answer) -> None:
        if answer.takeover is not None:
            self._hand_over(answer, answer.takeover)
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("content-length", "connection", "status"):
                self.send_header(name, str(value))
        no_body = self.command == "HEAD" or answer.status in (204, 304)
        length = next((v for n, v in answer.headers.items() if n.lower() == "content-length"), len(answer.body))
        self.send_header(
            "Content-Length", str(length if self.command == "HEAD" else 0 if no_body else len(answer.body))
        )
        self.end_headers()
        if not no_body:
            self.wfile.write(answer.body)
        self.wfile.flush()

    def _hand_over(self, answer: Answer, takeover: Callable[[socket.socket], None]) -> None:
        """The connection is no longer HTTP's, or its answer is written by somebody else."""
        self.close_connection = True
        if answer.status:
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.flush()
        takeover(self.connection)

    def _client_gone(self) -> bool:
        try:
            readable, _unused, _unused = select.select([self.connection], [], [], 0)
            with socket.socket(fileno=os.dup(self.connection.fileno())) as raw:  # there is no looking ahead in TLS
                return bool(readable) and not raw.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _cut(self) -> None:
        """Reset: with SO_LINGER 0, closing sends RST instead of FIN."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.wfile.close()
        self.connection.close()

    def finish(self) -> None:
        if not self.wfile.closed:
            super().finish()

    def log_message(self, *args: object) -> None:
        """The journal tells more."""
