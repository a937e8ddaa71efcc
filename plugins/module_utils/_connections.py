# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to one HTTP server, straight or through a proxy, kept for the requests to come. PRIVATE.

The standard library's: it is loaded in a quarter of the time of requests, is on every machine that has Python, and can
be told apart in its failures. A connection that was refused carried nothing; one that broke later may have carried
everything.
"""

from __future__ import annotations

import select
import ssl
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from urllib.parse import SplitResult

from ._proxy import PORTS, Proxy
from ._timely import answer_within

CONNECT_SECONDS = 10.0
IDLE_CONNECTIONS = 8
IDLE_SECONDS = 60.0  # what is silent for longer, a firewall may have forgotten without a word


class Connections:
    """The ways to one server. Threads may share them.

    Args:
        server: scheme, host and port.
        proxy: what is in between; None for nothing.
        seconds: within which there has to be a connection.
        trust: the TLS settings, made when first needed.
        name: what the server's certificate is issued to, if not to its host.
    """

    def __init__(
        self,
        server: SplitResult,
        proxy: Proxy | None,
        seconds: float,
        trust: Callable[[], ssl.SSLContext],
        name: str | None = None,
    ) -> None:
        self.proxy = proxy
        self._secure = server.scheme == "https"
        self._host = str(server.hostname)
        self._port = server.port or PORTS[server.scheme]
        self._seconds = min(CONNECT_SECONDS, seconds)
        self._trust = trust
        self._name = name
        self._lock = threading.Lock()
        self._idle: list[tuple[float, HTTPConnection]] = []
        self._tls: ssl.SSLContext | None = None

    def kept(self) -> HTTPConnection | None:
        """A connection that the server has not closed meanwhile: to write into such a one would lose the request."""
        while True:
            with self._lock:
                since, connection = self._idle.pop() if self._idle else (0.0, None)
            if connection is None or (time.monotonic() - since < IDLE_SECONDS and not _was_closed(connection)):
                return connection
            connection.close()

    def opened(self, *, tunnel: bool = False) -> HTTPConnection:
        """A new connection.

        Args:
            tunnel: through a proxy straight to the server, as TLS always goes.

        Raises:
            OSError: there is no way to the server (ssl.SSLError is one).
            HTTPException: the proxy speaks something else.
        """
        to = (self.proxy.host, self.proxy.port) if self.proxy else (self._host, self._port)
        connection: HTTPConnection = (
            _Secure(to, self._seconds, self._context(), self._name)
            if self._secure
            else HTTPConnection(*to, timeout=self._seconds)
        )
        if self.proxy and (self._secure or tunnel):
            connection.set_tunnel(self._host, self._port, self.proxy.headers())
            answer_within(connection, self._seconds)
        connection.connect()
        connection.sock.settimeout(self._seconds)
        return connection

    def keep(self, connection: HTTPConnection, answered: HTTPResponse) -> None:
        """Keep a connection whose answer is read, unless the server closes it."""
        if not answered.will_close:
            with self._lock:
                if len(self._idle) < IDLE_CONNECTIONS:
                    self._idle.append((time.monotonic(), connection))
                    return
        connection.close()

    def drop(self, connection: HTTPConnection) -> None:
        """Close a broken connection, and those that are kept: where one is dead, the next attempt needs a new one."""
        connection.close()
        self.close()

    def close(self) -> None:
        """Close the connections that are kept."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _since, connection in idle:
            connection.close()

    def _context(self) -> ssl.SSLContext:
        with self._lock:
            if self._tls is None:
                self._tls = self._trust()
            return self._tls


class _Secure(HTTPSConnection):
    """HTTPS whose certificate may be issued to another name than the one that was dialled."""

    def __init__(self, to: tuple[str, int], seconds: float, context: ssl.SSLContext, name: str | None) -> None:
        super().__init__(*to, timeout=seconds, context=context)
        self._name = name
        self._settings = context

    def connect(self) -> None:
        if not self._name:
            super().connect()
            return
        HTTPConnection.connect(self)
        self.sock = self._settings.wrap_socket(self.sock, server_hostname=self._name)


def _was_closed(connection: HTTPConnection) -> bool:
    """Whether the server has closed an idle connection, or said something that nobody asked for."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))
