# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pauses that end when something has changed; and waits without anybody who tells of it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from typing import cast

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._errors import AnswerLostError, UnreachableError
from ansible_collections.container.schedulers.plugins.module_utils._http import HttpSettings
from ansible_collections.container.schedulers.plugins.module_utils._rancher import events
from ansible_collections.container.schedulers.plugins.module_utils._rancher.events import (
    Changes,
    Stream,
    WakingClock,
    WakingPace,
    matters,
)
from unit.clock import FakeClock
from unit.plugins.module_utils.rancher.test_terminal import CLOSE, frame, terminal

LONG = 60.0


def event(kind: str, name: str = "resource.change") -> str:
    return json.dumps({"name": name, "resourceType": kind, "resourceId": "1s7", "data": {"resource": {}}})


@pytest.mark.parametrize(
    ("text", "wakes"),
    [
        (event("service"), True),
        (event("loadBalancerService"), True),
        (event("stack"), True),
        (event("environment"), True),
        (event("host"), True),
        (event("machine"), True),
        (event("project"), True),
        (event("container"), False),
        (event("volume"), False),
        (event("service", name="ping"), False),
        (json.dumps({"name": "resource.change"}), False),
        (json.dumps(["resource.change"]), False),
        ("no JSON", False),
        ("", False),
    ],
)
def test_what_matters(text: str, wakes: bool) -> None:
    assert matters(text) is wakes


class ScriptedStream:
    """Says what it is given, then nothing, or breaks."""

    def __init__(self, *said: str, breaks: bool = False) -> None:
        self.said = list(said)
        self.breaks = breaks

    def read(self, seconds: float) -> str:
        if self.said:
            return self.said.pop(0)
        if self.breaks:
            raise AnswerLostError("the event stream has ended")
        time.sleep(seconds)
        return ""


def told_by(stream: ScriptedStream) -> WakingClock:
    """A clock after its first pause, in which nothing was told."""
    silent = ScriptedStream()
    changes = Changes(lambda: cast("Stream", silent))
    clock = WakingClock(FakeClock(), changes)
    clock.sleep(0.0)
    silent.said, silent.breaks = stream.said, stream.breaks
    return clock


def slept(clock: WakingClock) -> list[float]:
    """The pauses that nothing could have ended."""
    return cast("FakeClock", clock.clock).slept


def test_the_first_pause_with_a_stream_is_a_short_one(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "monotonic", lambda: 100.0 + sum(waited))
    monkeypatch.setattr(time, "sleep", waited.append)
    clock = WakingClock(FakeClock(), Changes(lambda: cast("Stream", ScriptedStream())))
    clock.sleep(0.5)
    clock.sleep(4.0)
    assert waited == [pytest.approx(events.SETTLE_SECONDS), pytest.approx(4.0)]
    assert slept(clock) == []


def test_a_change_ends_the_pause_and_those_on_its_heels_are_of_the_same_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "monotonic", lambda: 100.0 + sum(waited))
    monkeypatch.setattr(time, "sleep", waited.append)
    stream = ScriptedStream(event("container"), event("service"), event("stack"))
    clock = told_by(stream)
    clock.sleep(LONG)
    assert stream.said == []
    assert waited == [pytest.approx(events.SETTLE_SECONDS)]
    assert slept(clock) == []


def test_without_a_change_the_pause_is_as_long_as_it_was_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "monotonic", lambda: 100.0 + sum(waited))
    stream = ScriptedStream(event("container"))
    monkeypatch.setattr(time, "sleep", waited.append)
    told_by(stream).sleep(4.0)
    assert waited == [4.0]


def test_a_stream_that_breaks_ends_the_pause_and_the_next_ones_are_usual() -> None:
    clock = told_by(ScriptedStream(breaks=True))
    clock.sleep(LONG)
    clock.sleep(1.0)
    clock.sleep(2.0)
    assert slept(clock) == [1.0, 2.0]


@pytest.mark.parametrize("error", [UnreachableError("refused"), ImportError("websocket")])
def test_a_stream_that_is_not_there_is_asked_for_once(error: Exception) -> None:
    asked: list[bool] = []

    def refuse() -> Stream:
        asked.append(True)
        raise error

    clock = WakingClock(FakeClock(), Changes(refuse))
    for seconds in (0.5, 0.75, 1.0):
        clock.sleep(seconds)
    assert slept(clock) == [0.5, 0.75, 1.0]
    assert len(asked) == 1


def test_pauses_are_long_only_while_somebody_tells() -> None:
    stream = ScriptedStream()
    changes = Changes(lambda: cast("Stream", stream))
    pace = WakingPace(cap=1.0, changes=changes)
    assert [pace.pause(look) for look in (1, 2, 3)] == [0.5, 0.75, 1.0]
    changes.wait(0.5)
    assert pace.pause(2) == events.LOOK_SECONDS
    stream.breaks = True
    changes.wait(0.5)
    assert pace.pause(3) == 1.0


def stream_of(url: str) -> Stream:
    return Stream.of(HttpSettings(url, {"Authorization": "Basic eDp5"}), "/v1/projects/1a5/subscribe")


def reads(script: Callable[[socket.socket], None]) -> tuple[Stream, list[str]]:
    with terminal(script) as (url, seen):
        return stream_of(url), seen


def test_messages_of_a_real_connection() -> None:
    def script(connection: socket.socket) -> None:
        connection.sendall(frame(event("host").encode()) + CLOSE)

    stream, seen = reads(script)
    assert stream.read(60) == event("host")
    with pytest.raises(AnswerLostError, match="has ended"):
        stream.read(60)
    assert seen == ["GET /v1/projects/1a5/subscribe?eventNames=resource.change HTTP/1.1"]


def test_a_connection_that_is_cut() -> None:
    stream, _seen = reads(lambda _connection: None)
    with pytest.raises(AnswerLostError, match="broke"):
        stream.read(60)


def test_silence_is_borne_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def silent(connection: socket.socket) -> None:
        connection.recv(1)  # until it hangs up

    with terminal(silent) as (url, _seen):
        stream = stream_of(url)
        assert stream.read(0.01) == ""
        now[0] += events.SILENT_SECONDS
        with pytest.raises(AnswerLostError, match="silent"):
            stream.read(0.01)
        del stream


def test_a_server_that_has_none() -> None:
    with terminal(lambda _connection: None, "404 Not Found") as (url, _seen):
        changes = Changes(lambda: stream_of(url))
        assert not changes.wait(0.5)
        assert not changes.told
