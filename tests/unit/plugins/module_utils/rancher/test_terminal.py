# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands over a websocket of our own, which can be as unpleasant as needed."""

from __future__ import annotations

import base64
import hashlib
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._clock import Clock, Deadline, SystemClock
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    AnswerLostError,
    SchedulersError,
    UnreachableError,
    WaitTimeoutError,
)
from ansible_collections.container.schedulers.plugins.module_utils._http import HttpSettings
from ansible_collections.container.schedulers.plugins.module_utils._rancher import terminal as terminal_module
from ansible_collections.container.schedulers.plugins.module_utils._rancher.terminal import (
    Command,
    read_all,
    socket_address,
)
from ansible_collections.container.schedulers.plugins.module_utils._rancher.websockets import connect
from unit.http_server import Reply, deaf_port, serving
from unit.proxy import Manners, proxying

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
Script = Callable[[socket.socket], None]


def frame(payload: bytes, opcode: int = 1) -> bytes:
    length = bytes([len(payload)]) if len(payload) < 126 else bytes([126]) + struct.pack("!H", len(payload))
    return bytes([0x80 | opcode]) + length + payload


def shown(text: str) -> bytes:
    """A piece of a terminal, as Rancher sends it."""
    return frame(base64.b64encode(text.encode()))


CLOSE = frame(struct.pack("!H", 1000), 8)


@contextmanager
def terminal(script: Script, status: str = "101 Switching Protocols") -> Iterator[tuple[str, list[str]]]:
    """A server whose one connection follows the script; and the requests that it has seen."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen: list[str] = []

    def serve() -> None:
        connection, _peer = listener.accept()
        with connection:
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(4096)
            lines = request.decode().split("\r\n")
            seen.append(lines[0])
            key = next(line.split(": ", 1)[1] for line in lines if line.lower().startswith("sec-websocket-key"))
            accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
            head = f"HTTP/1.1 {status}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}"
            connection.sendall(f"{head}\r\n\r\n".encode())
            script(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
    finally:
        listener.close()
        thread.join(60)


def read(url: str, seconds: float = 60.0, clock: Clock | None = None, output: bytearray | None = None) -> bytes:
    access = {"url": "ws://rancher:8080/v1/exec/", "token": "a b"}
    came = bytearray() if output is None else output
    read_all(HttpSettings(url), access, Deadline(clock or SystemClock(), seconds), came, Command([], "MARK").end)
    return bytes(came)


class Listening(SystemClock):
    """Time that crawls until the first piece was read: a busy machine may need long to come to that."""

    def __init__(self) -> None:
        self.since = super().now()
        self.before: float | None = None

    def now(self) -> float:
        passed = super().now() - self.since
        return passed / 100 if self.before is None else self.before + passed

    def hear(self) -> None:
        if self.before is None:
            self.before, self.since = self.now(), super().now()


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> Listening:
    clock = Listening()

    def decode(piece: str | bytes) -> bytes:
        clock.hear()
        return base64.b64decode(piece)

    monkeypatch.setattr(terminal_module, "b64decode", decode)
    return clock


def test_output_comes_in_pieces_until_the_end() -> None:
    def script(connection: socket.socket) -> None:
        connection.sendall(shown("one\r\n") + shown("tw"))
        connection.sendall(shown("o\r\n") + CLOSE)

    with terminal(script) as (url, seen):
        assert read(url) == b"one\r\ntwo\r\n"
    assert seen == ["GET /v1/exec/?token=a+b HTTP/1.1"]


def test_output_comes_through_a_proxy_with_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with terminal(lambda connection: connection.sendall(shown("one") + CLOSE)) as (url, seen):
        target = int(url.rpartition(":")[2])
        with proxying(target, Manners(credentials="me:w@rd")) as proxy:
            monkeypatch.setenv("http_proxy", proxy.url("me:w%40rd@"))
            assert read("http://rancher.test:8080") == b"one"
    assert proxy.asked[0].startswith("CONNECT rancher.test:8080 ")
    assert seen == ["GET /v1/exec/?token=a+b HTTP/1.1"]


def test_what_is_left_in_the_background_keeps_nobody_waiting() -> None:
    """It has the terminal, which it writes to, and Docker the connection."""
    answered = threading.Event()

    def script(connection: socket.socket) -> None:
        connection.sendall(shown("started\r\nMAR") + shown("K0MA") + shown("RKand so on"))
        answered.wait(60)

    with terminal(script) as (url, _seen):
        output = read(url)
        answered.set()
    assert Command([], "MARK").result(output) == ("started\n", 0)


def test_bytes_that_are_no_text_are_brought_back_as_far_as_they_can_be() -> None:
    pieces = (b"a\xc3", b"\xa9\xff\x00\r\nMARK3", b"MARK")
    with terminal(lambda connection: connection.sendall(b"".join(frame(base64.b64encode(one)) for one in pieces))) as (
        url,
        _seen,
    ):
        assert Command([], "MARK").result(read(url)) == ("a\xe9\ufffd\x00\n", 3)


def test_a_connection_that_just_ends_is_an_end_too() -> None:
    with terminal(lambda connection: connection.sendall(shown("x"))) as (url, _seen):
        assert read(url) == b"x"


def test_a_command_that_is_not_done_in_time(listening: Listening) -> None:
    done = threading.Event()

    def script(connection: socket.socket) -> None:
        connection.sendall(shown("so far"))
        done.wait(60)

    output = bytearray()
    with terminal(script) as (url, _seen):
        with pytest.raises(WaitTimeoutError, match="it may still run"):
            read(url, 0.2, listening, output)
        done.set()
    assert output == b"so far"


@pytest.mark.parametrize("nonsense", [frame(b"", 7), frame(b"Error"), frame(b"\xff")])  # no such frame, no base64
def test_a_connection_that_breaks_keeps_what_came(nonsense: bytes) -> None:
    output = bytearray()
    with (
        terminal(lambda connection: connection.sendall(shown("so far") + nonsense)) as (url, _seen),
        pytest.raises(AnswerLostError, match="the connection broke"),
    ):
        read(url, output=output)
    assert output == b"so far"


def test_a_token_that_is_not_accepted() -> None:
    with (
        terminal(lambda _connection: None, "401 Unauthorized") as (url, _seen),
        pytest.raises(SchedulersError, match=r"refuses the connection \(HTTP 401\)"),
    ):
        read(url)


@pytest.mark.parametrize("known", [(302,), ()])  # older releases take a redirect for a connection
def test_a_redirect_does_not_get_the_key(monkeypatch: pytest.MonkeyPatch, known: tuple[int, ...]) -> None:
    monkeypatch.setattr("websocket._core.SUPPORTED_REDIRECT_STATUSES", known)
    with serving() as elsewhere:
        there = {"Location": elsewhere.url.replace("http", "ws")}
        with (
            serving(Reply(302, headers=there, closes=True)) as server,
            pytest.raises(UnreachableError, match=r"(?i)cannot be reached: .*redirect"),
        ):
            connect(HttpSettings(server.url), server.url.replace("http", "ws"), {"Authorization": "Basic secret"})
        assert server.seen[0].headers["Authorization"] == "Basic secret"
        assert elsewhere.seen == []


def test_where_nobody_listens() -> None:
    with deaf_port() as port, pytest.raises(UnreachableError, match="cannot be reached"):
        read(f"http://127.0.0.1:{port}")


def test_the_address_is_the_one_that_works() -> None:
    access = {"url": "ws://10.0.0.1:8080/v1/exec/", "token": "t=1"}
    assert socket_address("https://front.test", access) == "wss://front.test/v1/exec/?token=t%3D1"


@pytest.mark.parametrize(
    ("shell", "output", "code"),
    [
        ("a\r\nb\r\nMARK0MARK", "a\nb\n", 0),
        ("aMARK127MARK\r\n", "a", 127),
        ("MARK1MARK", "", 1),
        ("aMARK0MARK and on", "a", 0),
        ("sh MARK ps\r\n", "sh MARK ps\n", None),
        ("half of it", "half of it", None),
        ("", "", None),
    ],
)
def test_the_code_is_behind_the_output(shell: str, output: str, code: int | None) -> None:
    assert Command(["x"], "MARK").result(shell.encode()) == (output, code)


def test_a_real_shell_says_it_as_it_is_understood() -> None:
    command = Command.of(["/bin/sh", "-c", "echo 'a  b'; cat; exit 3"])
    body = command.body()
    assert body["tty"] is True
    done = subprocess.run(body["command"], check=False, capture_output=True, stdin=None)
    assert command.result(done.stdout) == ("a  b\n", 3)
    assert Command.of([]).mark != command.mark


def test_a_command_that_never_stops_talking_ends_in_time_and_only_its_last_words_are_kept(
    monkeypatch: pytest.MonkeyPatch, listening: Listening
) -> None:
    monkeypatch.setattr(terminal_module, "MOST_BYTES", 1000)

    def talk(connection: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection.sendall(shown("y\n" * 600))

    output = bytearray()
    with terminal(talk) as (url, _seen), pytest.raises(WaitTimeoutError, match="not done after"):
        read(url, 0.3, listening, output)
    assert len(output) == 1000
