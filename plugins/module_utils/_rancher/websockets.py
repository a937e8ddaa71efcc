# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""WebSockets of a Rancher server: what a command prints comes through one, and so do events. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from .._errors import SchedulersError, UnreachableError
from .._http import Http, HttpSettings
from .._websockets import open_websocket

SCHEMES = {"http": "ws", "https": "wss"}


def websocket_address(server: str, path: str) -> str:
    """A path with its query at the address that the server is known by. Pure."""
    base, asked = urlsplit(server), urlsplit(path)
    return urlunsplit((SCHEMES[base.scheme], base.netloc, asked.path, asked.query, ""))


def connect(settings: HttpSettings, address: str, headers: Mapping[str, str] | None = None, **options: Any) -> Any:
    """A connection of the library websocket-client.

    Args:
        options: more of what the library takes.

    Raises:
        SchedulersError: the server does not open one.
    """
    import websocket  # noqa: PLC0415 - only those who need it pay for the library

    where = urlsplit(address).netloc
    connection = Http(settings).connected()
    try:
        return open_websocket(address, connection, header=dict(headers or {}), enable_multithread=False, **options)
    except websocket.WebSocketBadStatusException as error:
        raise SchedulersError(f"{where} refuses the connection (HTTP {error.status_code})") from error
    except (OSError, websocket.WebSocketException) as error:
        raise UnreachableError(f"{where} cannot be reached: {error}") from error
