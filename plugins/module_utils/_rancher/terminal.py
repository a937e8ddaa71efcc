# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The websocket that a command's output comes through: text frames, each the base64 of what a terminal would show.

The API gives no exit code. So the command is run by a shell in the container, which writes the code behind the output,
between two copies of a word that nobody can know beforehand. PRIVATE.
"""

from __future__ import annotations

import re
import secrets
import ssl
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from .._clock import Deadline
from .._errors import AnswerLostError, SchedulersError, UnreachableError, WaitTimeoutError
from .._http import CONNECT_SECONDS, HttpSettings, tls_context

WRAPPER = '"$@" </dev/null; printf "%s%s%s" "$0" "$?" "$0"'
SCHEMES = {"http": "ws", "https": "wss"}
QUIET_SECONDS = 0.5  # how long at most a signal that ends the run is not seen


@dataclass(frozen=True)
class Command:
    """A command as it is run.

    Attributes:
        words: as the user gave them.
        mark: the word that the exit code stands between.
    """

    words: Sequence[str]
    mark: str

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
        text = output.decode("utf-8", "replace").replace("\r\n", "\n")
        found = re.search(rf"{self.mark}(\d+){self.mark}\s*\Z", text)
        return (text[: found.start()], int(found[1])) if found else (text, None)


def socket_address(server: str, access: dict[str, Any]) -> str:
    """Where to connect to: the path that was given, at the address that the server is known by. Pure."""
    base, said = urlsplit(server), urlsplit(str(access["url"]))
    query = urlencode({"token": access["token"]})
    return urlunsplit((SCHEMES[base.scheme], base.netloc, said.path, query, ""))


def read_all(settings: HttpSettings, access: dict[str, Any], deadline: Deadline) -> bytes:
    """What comes through until the other end closes.

    Raises:
        WaitTimeoutError: it did not, in time; its details have what came so far.
        SchedulersError: the connection could not be made, or broke.
    """
    import websocket  # noqa: PLC0415 - only those who run commands pay for the library

    output = bytearray()
    connection = _connected(settings, access)
    try:
        while True:
            connection.settimeout(min(QUIET_SECONDS, max(0.01, deadline.left())))
            try:
                frame = connection.recv()
            except websocket.WebSocketTimeoutException:
                if not deadline.passed():
                    continue
                raise WaitTimeoutError(
                    f"the command was not done after {deadline.seconds:.0f} seconds; it may still run",
                    details={"stdout": output.decode("utf-8", "replace")},
                ) from None
            except websocket.WebSocketConnectionClosedException:
                return bytes(output)
            except (websocket.WebSocketException, OSError) as error:
                raise AnswerLostError(f"the connection broke: {error}") from error
            if not frame and not connection.connected:
                return bytes(output)
            output += b64decode(frame)
    finally:
        connection.close(timeout=0)


def _connected(settings: HttpSettings, access: dict[str, Any]) -> Any:
    import websocket  # noqa: PLC0415

    address = socket_address(settings.url, access)
    where = urlsplit(address).netloc
    options = {"context": tls_context(settings)} if address.startswith("wss:") else {}
    try:
        return websocket.create_connection(
            address, timeout=min(CONNECT_SECONDS, settings.timeout), sslopt=options, enable_multithread=False
        )
    except ssl.SSLError as error:
        raise SchedulersError(
            f"{where} is not trusted: {error.reason or error}", code="CertificateNotTrusted"
        ) from error
    except websocket.WebSocketBadStatusException as error:
        raise SchedulersError(f"{where} refuses the connection (HTTP {error.status_code})") from error
    except (OSError, websocket.WebSocketException) as error:
        raise UnreachableError(f"{where} cannot be reached: {error}") from error
