# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's side of a WebSocket (RFC 6455): the handshake, text frames, ping, close."""

from __future__ import annotations

import base64
import hashlib
import socket
import struct
import threading
from collections.abc import Callable

from lab.messages import Answer, Request

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTINUED, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10
_LARGEST = 1 << 20


class WebSocket:
    """An open connection. Sending is safe from several threads; receiving belongs to one."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._closed = threading.Event()

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    def send(self, text: str) -> None:
        self._frame(_TEXT, text.encode())

    def receive(self) -> str | None:
        """The next message; None once the other side has closed, or is gone."""
        message = b""
        while True:
            try:
                final, kind, data = self._read_frame()
            except (OSError, EOFError):
                self._closed.set()
                return None
            if kind == _CLOSE:
                self.close()
                return None
            if kind == _PING:
                self._frame(_PONG, data)
            elif kind in (_TEXT, _BINARY, _CONTINUED):
                message += data
                if final:
                    return message.decode("utf-8", "replace")

    def close(self) -> None:
        if not self._closed.is_set():
            self._frame(_CLOSE, struct.pack("!H", 1000))
            self._closed.set()
            try:
                self._connection.shutdown(socket.SHUT_WR)
            except OSError:
                return

    def _frame(self, kind: int, data: bytes) -> None:
        size = len(data)
        if size < 126:
            head = struct.pack("!BB", 0x80 | kind, size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", 0x80 | kind, 126, size)
        else:
            head = struct.pack("!BBQ", 0x80 | kind, 127, size)
        with self._sending:
            try:
                self._connection.sendall(head + data)
            except OSError:
                self._closed.set()

    def _read_frame(self) -> tuple[bool, int, bytes]:
        first, second = self._exactly(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self._exactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._exactly(8))
        if size > _LARGEST:
            raise EOFError
        mask = self._exactly(4) if second & 0x80 else bytes(4)
        data = bytes(byte ^ mask[index % 4] for index, byte in enumerate(self._exactly(size)))
        return bool(first & 0x80), first & 0x0F, data

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._connection.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data


def accept(request: Request, talk: Callable[[WebSocket], None]) -> Answer:
    """The answer to a handshake; `talk` has the connection until it returns."""
    key = request.headers.get("sec-websocket-key")
    if request.headers.get("upgrade", "").lower() != "websocket" or not key:
        return Answer(400, b"Bad Request\n", {"Content-Type": "text/plain"})
    digest = base64.b64encode(hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()).decode()
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": digest}

    def takeover(connection: socket.socket) -> None:
        web_socket = WebSocket(connection)
        try:
            talk(web_socket)
        finally:
            web_socket.close()

    return Answer(101, b"", headers, takeover)
