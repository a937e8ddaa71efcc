# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP answer that has to come in time: a socket's own time-out begins anew with every byte. PRIVATE."""

from __future__ import annotations

import io
import socket
import time
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from typing import Any

SLOWEST = 4096  # bytes a second: what comes as fast, comes in time, however much it is


def answer_within(connection: HTTPConnection, seconds: float) -> None:
    """Give the answer to the next request, or the one of a proxy to CONNECT, so many seconds, and more as it grows.

    An answer that is read as it comes is given its time by ``without_end`` once it has begun.
    """
    until = time.monotonic() + seconds
    connection.response_class = partial(_TimelyResponse, seconds=seconds, until=until)  # type: ignore[assignment]
    if connection.sock is not None:
        connection.sock.settimeout(seconds)


def without_end(response: HTTPResponse, seconds: float) -> None:
    """Let the rest of the answer come whenever it does, with so many seconds of silence at most."""
    if isinstance(response, _TimelyResponse):
        response.raw.seconds, response.raw.until = seconds, None


class _TimelyResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, seconds: float, until: float, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.raw = _Timely(sock, seconds, until)
        self.fp = io.BufferedReader(self.raw)


class _Timely(io.RawIOBase):
    """What a socket receives.

    Attributes:
        seconds: of silence at most.
        until: when all of it has to be there, on the monotonic clock; None: whenever.
    """

    def __init__(self, sock: socket.socket, seconds: float, until: float) -> None:
        self.seconds = seconds
        self.until: float | None = until
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self.seconds if self.until is None else min(self.seconds, self.until - time.monotonic())
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        count = self._raw.readinto(buffer)
        if self.until is not None:
            self.until += (count or 0) / SLOWEST
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
