# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""WebSockets of the library websocket-client, whose headers go to the one server that they are meant for.

They speak through connections of ours: the library has its own reading of proxies in the environment. PRIVATE.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket


def open_websocket(address: str, connection: socket.socket, **options: Any) -> Any:
    """A WebSocket. Redirects are not followed, as they would carry credentials to wherever they lead.

    Args:
        connection: leads to the server, with TLS if it speaks that.

    Raises:
        websocket.WebSocketException: there is none; a redirect, too.
    """
    import websocket  # noqa: PLC0415 - only those who need it pay for the library

    try:
        opened = websocket.create_connection(address, redirect_limit=0, socket=connection, **options)
    except BaseException:
        connection.close()
        raise
    status = opened.getstatus()
    if status != HTTPStatus.SWITCHING_PROTOCOLS:  # older releases of the library take a redirect for a connection
        opened.shutdown()
        raise websocket.WebSocketException(f"it redirects to another address (HTTP {status})")
    return opened
