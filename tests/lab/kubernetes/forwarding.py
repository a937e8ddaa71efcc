# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Handing requests on to an API server, and whatever comes after them: watches and commands are long talks."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterable

from lab.messages import Request

_CHUNK = 65536
_END_OF_HEAD = b"\r\n\r\n"
OF_A_CONNECTION = ("connection", "content-length", "host")
"""Headers that are about the way to the next one only."""


def headers_of(request: Request, hidden: Iterable[str] = ()) -> dict[str, str]:
    """Those that are handed on."""
    kept_back = {*OF_A_CONNECTION, *hidden}
    return {name: value for name, value in request.headers.items() if name not in kept_back}


def target_of(request: Request) -> str:
    """Path and query, as they came."""
    return f"{request.path}?{request.query}" if request.query else request.path


def whole(request: Request, path: str = "", hidden: Iterable[str] = (), added: Iterable[tuple[str, str]] = ()) -> bytes:
    """The request as bytes, for a connection of its own.

    Args:
        path: another one than it has.
        hidden: headers that are kept back.
        added: headers that it did not have.
    """
    upgrade = request.headers.get("upgrade")
    query = f"?{request.query}" if request.query else ""
    lines = [f"{request.method} {path or request.path}{query} HTTP/1.1", "Host: kubernetes"]
    lines += [f"{name}: {value}" for name, value in (*headers_of(request, hidden).items(), *added)]
    lines += [f"Content-Length: {len(request.body)}", f"Connection: {'Upgrade' if upgrade else 'close'}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + request.body


def relay(client: socket.socket, server: socket.socket) -> None:
    """Pass on what either says, until one of them has ended."""
    _exchange(client, server, client.sendall)


def relay_unheard(client: socket.socket, server: socket.socket) -> bytes:
    """The same, but of what the server says only the head is passed on; the rest, once it has ended."""
    said = bytearray()

    def listen(data: bytes) -> None:
        before = len(said)
        said.extend(data)
        end = said.find(_END_OF_HEAD)
        if end >= 0 and before < end + len(_END_OF_HEAD):
            client.sendall(said[: end + len(_END_OF_HEAD)])

    _exchange(client, server, listen)
    return bytes(said.partition(_END_OF_HEAD)[2])


def _exchange(client: socket.socket, server: socket.socket, listen: Callable[[bytes], None]) -> None:
    hearers = {client: server.sendall, server: listen}
    while True:
        waiting = [one for one in hearers if getattr(one, "pending", lambda: 0)()]
        for source in waiting or select.select(list(hearers), [], [])[0]:
            try:
                data = source.recv(_CHUNK)
                hearers[source](data)
            except OSError:
                return
            if not data:
                return
