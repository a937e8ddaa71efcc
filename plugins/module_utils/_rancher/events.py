# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rancher's event stream, which ends a pause between two looks as soon as something has changed.

The stream never is believed: it only says when a look is worth while, and what there is to see is asked for as ever.
So an event too many costs a call, and one that is lost no more than the longest pause. Where there is no stream (a
proxy that lets no WebSocket through, a machine without the library), or none any more, waits look as often as
``wait_sleep`` says. PRIVATE.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .._clock import Clock
from .._errors import AnswerLostError, SchedulersError
from .._http import HttpSettings
from .._wait import Pace
from .websockets import connect, websocket_address

EVENT = "resource.change"
# what waits look at; containers, volumes and the like change far more often than they matter
KINDS = frozenset({"project", "environment", "stack", "host", "machine"})
LOOK_SECONDS = 5.0  # the longest pause while the stream is there
SETTLE_SECONDS = 0.2  # changes come several at once
SILENT_SECONDS = 30.0  # the server pings every five: it has gone without a word


class Changes:
    """The changes of one environment. Each thread that waits has a stream of its own, opened at its first pause.

    Args:
        connect: opens a stream.
    """

    def __init__(self, connect: Callable[[], Stream]) -> None:
        self._connect = connect
        self._refused = threading.Event()
        self._own = threading.local()

    @property
    def told(self) -> bool:
        """Whether this thread is told of changes."""
        return getattr(self._own, "stream", None) is not None

    def wait(self, seconds: float) -> bool:
        """Pause until something has changed, at most so long.

        The first pause opens the stream, and is a short one: the look that follows it sees what happened before that.

        Returns: False, at once, if nobody tells this thread of changes.
        """
        if not self.told:
            self._open()
            if not self.told:
                return False
            seconds = min(seconds, SETTLE_SECONDS)
        until = time.monotonic() + seconds
        while self.told and (left := until - time.monotonic()) > 0:
            if self._heard(left):
                until = min(until, time.monotonic() + SETTLE_SECONDS)
        return True

    def _open(self) -> None:
        if self._refused.is_set():
            return
        try:
            self._own.stream = self._connect()
        except (ImportError, SchedulersError):
            self._refused.set()

    def _heard(self, seconds: float) -> bool:
        """Whether a change was told of in this time."""
        try:
            return matters(self._own.stream.read(seconds))
        except AnswerLostError:
            self._own.stream = None
            self._refused.set()
            return False


class Stream:
    """One connection to the event stream.

    Args:
        connection: of the library websocket-client.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._heard_at = time.monotonic()

    @classmethod
    def of(cls, settings: HttpSettings, path: str) -> Stream:
        """The stream at this path of a server.

        Raises:
            ImportError: there is no library.
            SchedulersError: there is no stream.
        """
        return cls(connect(settings, websocket_address(settings.url, f"{path}?eventNames={EVENT}"), settings.headers))

    def read(self, seconds: float) -> str:
        """The next message, empty if none came in this time.

        Raises:
            AnswerLostError: none will come any more.
        """
        import websocket  # noqa: PLC0415 - there is a stream, so there is the library

        self._connection.settimeout(seconds)
        try:
            text = str(self._connection.recv())
        except websocket.WebSocketTimeoutException:
            if time.monotonic() - self._heard_at < SILENT_SECONDS:
                return ""
            raise AnswerLostError("the event stream is silent") from None
        except (websocket.WebSocketException, OSError) as error:
            raise AnswerLostError(f"the event stream broke: {error}") from error
        if not text:
            raise AnswerLostError("the event stream has ended")
        self._heard_at = time.monotonic()
        return text

    def __del__(self) -> None:
        self._connection.shutdown()


@dataclass(frozen=True)
class WakingClock:
    """A clock whose sleep ends when something has changed."""

    clock: Clock
    changes: Changes

    def now(self) -> float:
        return self.clock.now()

    def sleep(self, seconds: float) -> None:
        if not self.changes.wait(seconds):
            self.clock.sleep(seconds)


@dataclass(frozen=True)
class WakingPace(Pace):
    """The usual pauses while nobody tells of changes; long ones while somebody does."""

    changes: Changes | None = None

    def pause(self, look: int) -> float:
        usual = super().pause(look)
        return max(LOOK_SECONDS, usual) if self.changes and self.changes.told else usual


def matters(text: str) -> bool:
    """Whether a message tells of something that waits look at. Pure."""
    try:
        message = json.loads(text)
    except ValueError:
        return False
    if not isinstance(message, dict) or message.get("name") != EVENT:
        return False
    kind = str(message.get("resourceType") or "")
    return kind in KINDS or kind.lower().endswith("service")
