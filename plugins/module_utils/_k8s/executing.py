# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a command in a container: WebSocket with channels, as ``kubectl exec`` speaks it. PRIVATE."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from .._clock import Clock, Deadline, SystemClock
from .._errors import AnswerLostError, InputError, SchedulersError, UnreachableError, WaitTimeoutError
from .._websockets import open_websocket
from .api import Api
from .errors import translate
from .kinds import POD
from .transport import USER_AGENT

STDIN, STDOUT, STDERR, STATUS, CLOSE = 0, 1, 2, 3, 255
V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"  # only the newer one can say that there is no more input
PIECE = 32 * 1024
FRAME_SECONDS = 1.0


@dataclass
class Ran:
    """What a command has brought so far.

    Attributes:
        rc: its exit code; None while it runs.
        error: why it could not be run.
    """

    rc: int | None = None
    error: str = ""
    _out: list[bytes] = field(default_factory=list)
    _err: list[bytes] = field(default_factory=list)

    @property
    def stdout(self) -> str:
        """What it wrote to standard output."""
        return b"".join(self._out).decode(errors="replace")

    @property
    def stderr(self) -> str:
        """What it wrote to standard error."""
        return b"".join(self._err).decode(errors="replace")

    def take(self, frame: bytes) -> None:
        """One frame: a byte for the channel, and what was written to it."""
        if not frame:
            return
        channel, content = frame[0], frame[1:]
        if channel == STDOUT:
            self._out.append(content)
        elif channel == STDERR:
            self._err.append(content)
        elif channel == STATUS:
            self.rc, self.error = outcome_of(json.loads(content))


def outcome_of(status: Mapping[str, Any]) -> tuple[int | None, str]:
    """Exit code and error in the status that ends a command. Pure."""
    if status.get("status") == "Success":
        return 0, ""
    causes = (status.get("details") or {}).get("causes") or ()
    codes = [one["message"] for one in causes if one.get("reason") == "ExitCode"]
    if codes:
        return int(codes[0]), ""
    return None, str(status.get("message") or status.get("reason") or "it could not be run")


def execute(
    api: Api,
    pod: str,
    namespace: str,
    argv: Sequence[str],
    *,
    container: str = "",
    stdin: str | None = None,
    timeout: float = 60.0,
    option: str = "timeout",
    clock: Clock | None = None,
    ran: Ran | None = None,
) -> Ran:
    """Run a command in a container of a pod, to its end. Never repeated: nobody knows what doing it twice would do.

    Args:
        option: what the user gives the time with.
        ran: takes what the command brings, for those who want to know it whatever happens.

    Raises:
        WaitTimeoutError: it still runs after the time.
        SchedulersError: it could not be run.
    """
    doing = f"run {argv[0]} in Pod {namespace}/{pod}"
    ran, deadline = ran or Ran(), Deadline(clock or SystemClock(), timeout)
    with _connected(api, _path(pod, namespace, argv, container, stdin), doing) as socket:
        if stdin is not None:
            _write(socket, stdin.encode(), doing)
        while ran.rc is None and not ran.error:
            if deadline.passed():
                raise WaitTimeoutError(
                    f"it still runs after {timeout:.0f} seconds",
                    doing=doing,
                    hint=f"Raise {option}. The command goes on in the container.",
                )
            frame = _read(socket, min(FRAME_SECONDS, max(deadline.left(), 0.01)), doing)
            if frame is not None:
                ran.take(frame)
    if ran.error:
        raise SchedulersError(ran.error, doing=doing)
    return ran


def _path(pod: str, namespace: str, argv: Sequence[str], container: str, stdin: str | None) -> str:
    query = [("command", one) for one in argv]
    query += [("stdout", "1"), ("stderr", "1"), ("stdin", "0" if stdin is None else "1")]
    if container:
        query.append(("container", container))
    return f"{POD.path(namespace, pod, 'exec')}?{urlencode(query)}"


@contextmanager
def _connected(api: Api, path: str, doing: str) -> Iterator[Any]:
    socket = api.renewed(lambda: _open(api, path, doing))
    try:
        yield socket
    finally:
        socket.shutdown()


def _open(api: Api, path: str, doing: str) -> Any:
    import websocket  # noqa: PLC0415

    transport = api.transport
    login = transport.login
    agent = ("User-Agent", USER_AGENT)  # the API server's audit log names who ran what
    headers = [f"{name}: {value}" for name, value in (agent, *login.authorization().items(), *login.headers)]
    try:
        connection = transport.connected()
        return open_websocket(
            transport.address(path).replace("http", "ws", 1),
            connection,
            header=headers,
            subprotocols=[V5, V4],
            suppress_origin=True,
        )
    except websocket.WebSocketBadStatusException as error:
        body, headers_back = error.resp_body or b"", error.resp_headers or {}
        raise translate(error.status_code, body, headers_back, doing) from error
    except (OSError, websocket.WebSocketConnectionClosedException, websocket.WebSocketTimeoutException) as error:
        # what was asked for may have begun: only the word that it has did not come
        said = f"the connection to {transport.server} broke: {error}"
        raise AnswerLostError(said, doing=doing, hint="It may have run.") from error
    except websocket.WebSocketException as error:
        raise UnreachableError(f"{transport.server} does not answer: {error}", doing=doing) from error
    except SchedulersError as error:
        error.doing = error.doing or doing
        raise


def _write(socket: Any, content: bytes, doing: str) -> None:
    """Send input and say that it ends."""
    if socket.getsubprotocol() != V5:
        raise InputError("stdin needs an API server of Kubernetes 1.30 or newer", doing=doing)
    for start in range(0, len(content), PIECE):
        socket.send_binary(bytes([STDIN]) + content[start : start + PIECE])
    socket.send_binary(bytes([CLOSE, STDIN]))


def _read(socket: Any, seconds: float, doing: str) -> bytes | None:
    """The next frame; None if none came within the seconds."""
    import websocket  # noqa: PLC0415

    socket.settimeout(seconds)
    try:
        frame = socket.recv()
    except websocket.WebSocketTimeoutException:
        return None
    except (OSError, websocket.WebSocketException) as error:
        raise AnswerLostError(f"the connection broke: {error}", doing=doing, hint="It may still run.") from error
    if isinstance(frame, str):
        frame = frame.encode()
    if not frame and not socket.connected:
        raise AnswerLostError("the connection ended before the command did", doing=doing, hint="It may still run.")
    return bytes(frame)
