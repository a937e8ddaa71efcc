# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP answer that has to be complete in time. A socket's own time-out begins anew with every byte. PRIVATE."""

from __future__ import annotations

import io
import socket
import time
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from typing import Any


def answer_within(connection: HTTPConnection, seconds: float) -> None:
    """Give the answer to the next request, or the one of a proxy to CONNECT, so many seconds in all.

    An answer that is read as it comes is given its time by ``without_end`` once it has begun.
    """
    connection.response_class = partial(_TimelyResponse, until=time.monotonic() + seconds)  # type: ignore[assignment]
    if connection.sock is not None:
        connection.sock.settimeout(seconds)


def without_end(response: HTTPResponse, seconds: float) -> None:
    """Let the rest of the answer come whenever it does, with so many seconds of silence at most."""
    if isinstance(response, _TimelyResponse):
        response.raw.until = None
        response.raw.sock.settimeout(seconds)


class _TimelyResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, until: float, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.raw = _Timely(sock, until)
        self.fp = io.BufferedReader(self.raw)


class _Timely(io.RawIOBase):
    def __init__(self, sock: socket.socket, until: float) -> None:
        self.sock = sock
        self.until: float | None = until
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.until is not None:
            left = self.until - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self.sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
