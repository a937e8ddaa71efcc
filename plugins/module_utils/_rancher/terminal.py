# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The websocket that a command's output comes through: text frames, each the base64 of what a terminal would show.

The API gives no exit code. So the command is run by a shell in the container, which writes the code behind the output,
between two copies of a word that nobody can know beforehand. PRIVATE.
"""

from __future__ import annotations

import re
import secrets
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from .._clock import Deadline
from .._errors import AnswerLostError, WaitTimeoutError
from .._http import HttpSettings
from .websockets import connect, websocket_address

WRAPPER = '"$@" </dev/null; printf "%s%s%s" "$0" "$?" "$0"'
QUIET_SECONDS = 0.5  # how long at most a signal that ends the run is not seen
MOST_BYTES = 4 * 2**20  # of what a command says, the last
LONGEST_END = 100  # an exit code with its marks


@dataclass(frozen=True)
class Command:
    """A command as it is run.

    Attributes:
        words: as the user gave them.
        mark: the word that the exit code stands between.
    """

    words: Sequence[str]
    mark: str

    @property
    def end(self) -> re.Pattern[bytes]:
        """The exit code. Behind it may be what the command has left running in the background, and writes on."""
        return re.compile(rb"%b(\d+)%b" % (self.mark.encode(), self.mark.encode()))

    @classmethod
    def of(cls, words: Sequence[str]) -> Command:
        """A command with a mark of its own."""
        return cls(words, secrets.token_hex(16))

    def body(self) -> dict[str, Any]:
        """As the action ``execute`` takes it. Without a terminal, output would come in Docker's own framing."""
        wrapped = ["/bin/sh", "-c", WRAPPER, self.mark, *self.words]
        return {"attachStdin": True, "attachStdout": True, "tty": True, "command": wrapped}

    def result(self, output: bytes) -> tuple[str, int | None]:
        """The output and the exit code; without one if the command did not come to its end. Pure."""
        found = self.end.search(output)
        text = output[: found.start()] if found else output
        return text.decode("utf-8", "replace").replace("\r\n", "\n"), int(found[1]) if found else None


def socket_address(server: str, access: dict[str, Any]) -> str:
    """Where to connect to: the path that was given, at the address that the server is known by. Pure."""
    return websocket_address(server, f"{urlsplit(str(access['url'])).path}?{urlencode({'token': access['token']})}")


def read_all(
    settings: HttpSettings, access: dict[str, Any], deadline: Deadline, output: bytearray, end: re.Pattern[bytes]
) -> None:
    """Take what comes through until the command's end, or the connection's: all of it, or the last ``MOST_BYTES``.

    Docker keeps the connection for as long as anything has the terminal that the command has left in the background.

    Args:
        output: where to put it; what came so far is there, too, if this fails.
        end: what the command ends with.

    Raises:
        WaitTimeoutError: it did not, in time.
        SchedulersError: the connection could not be made, or broke.
    """
    import websocket  # noqa: PLC0415 - only those who run commands pay for the library

    # base64 needs no look at each of its bytes, which the library would take in Python
    connection = connect(settings, socket_address(settings.url, access), skip_utf8_validation=True)
    try:
        while True:
            if deadline.passed():
                raise WaitTimeoutError(
                    f"the command was not done after {deadline.seconds:.0f} seconds; it may still run"
                )
            connection.settimeout(min(QUIET_SECONDS, max(0.01, deadline.left())))
            try:
                frame = connection.recv()
                piece = b64decode(frame)
            except websocket.WebSocketTimeoutException:
                continue
            except websocket.WebSocketConnectionClosedException:
                return
            except (websocket.WebSocketException, OSError, ValueError) as error:  # the last is no base64
                raise AnswerLostError(f"the connection broke: {error}") from error
            if not frame and not connection.connected:
                return
            output += piece
            del output[:-MOST_BYTES]
            if end.search(output, max(0, len(output) - len(piece) - LONGEST_END)):
                return
    finally:
        connection.close(timeout=0)
