# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one socket between an instance and the lab: metadata, AWS's endpoints, the API server, and kubeadm."""

from __future__ import annotations

import json
import logging
import os
import socket
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.http_server import connection_handler
from lab.messages import Answer, Request

log = logging.getLogger("lab")
Port = Callable[[], int | None]
"""The port of 127.0.0.1 behind a name, or None if it cannot be reached now."""
Run = Callable[[dict[str, Any]], dict[str, Any]]


class Link:
    """Listens for one instance."""

    def __init__(self, path: Path, metadata: Callable[[Request], Answer], ports: dict[str, Port], run: Run) -> None:
        path.unlink(missing_ok=True)
        # The name of a socket may have 107 characters only: it is bound by way of its folder's descriptor.
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
        try:
            self._server = _Server(f"/proc/self/fd/{folder}/{path.name}", metadata, ports, run)
        finally:
            os.close(folder)
        self.path = path
        threading.Thread(target=self._server.serve_forever, args=(0.2,), name="lab-link", daemon=True).start()

    def close(self) -> None:
        """Not from the server's own thread."""
        threading.Thread(target=self._server.shutdown, daemon=True).start()
        self._server.server_close()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, path: str, metadata: Callable[[Request], Answer], ports: dict[str, Port], run: Run) -> None:
        self.metadata = metadata
        self.ports = ports
        self.run = run
        super().__init__(path, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("a connection from an instance ended early", exc_info=True)


class _Handler(socketserver.BaseRequestHandler):
    """Reads one line and not a byte more: the rest belongs to whom the line names."""

    server: _Server

    def handle(self) -> None:
        hello = json.loads(_line(self.request))
        name = hello.get("connect")
        if name == "metadata":
            connection_handler(self.request, self.server.metadata)
        elif name:
            port = self.server.ports[name]()
            if port is not None:
                splice(self.request, port)
        else:
            answer = self.server.run(hello)
            self.request.sendall(json.dumps(answer).encode() + b"\n")


def _line(connection: socket.socket) -> bytes:
    content = bytearray()
    while not content.endswith(b"\n") and (piece := connection.recv(1)):
        content += piece
    return bytes(content)


def splice(client: socket.socket, port: int, address: str = "127.0.0.1") -> None:
    """Pass bytes both ways until one side is done."""
    try:
        server = socket.create_connection((address, port), timeout=10)
    except OSError:
        return
    server.settimeout(None)
    with server:
        back = threading.Thread(target=_pass, args=(server, client), daemon=True)
        back.start()
        _pass(client, server)
        back.join()


def _pass(source: socket.socket, target: socket.socket) -> None:
    try:
        while content := source.recv(1 << 16):
            target.sendall(content)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
