# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""WebSockets of the library websocket-client, whose headers go to the one server that they are meant for. PRIVATE."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any


def open_websocket(address: str, **options: Any) -> Any:
    """A connection. Redirects are not followed, as they would carry credentials to wherever they lead.

    Raises:
        websocket.WebSocketException: there is none; a redirect, too.
    """
    import websocket  # noqa: PLC0415 - only those who need it pay for the library

    connection = websocket.create_connection(address, redirect_limit=0, **options)
    status = connection.getstatus()
    if status != HTTPStatus.SWITCHING_PROTOCOLS:  # older releases of the library take a redirect for a connection
        connection.shutdown()
        raise websocket.WebSocketException(f"it redirects to another address (HTTP {status})")
    return connection
