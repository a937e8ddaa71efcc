# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public side of an instance: its public address is a loopback address of this machine, and something listens."""

from __future__ import annotations

import logging
import socket
import socketserver
import struct
import threading
from collections.abc import Callable

from lab.kubernetes.ec2.link import splice

log = logging.getLogger("lab")


class Front:
    """Passes connections to ADDRESS:PORT on to a port of 127.0.0.1, as far as `admits` lets them in."""

    def __init__(self, address: str, port: int, target: int, admits: Callable[[], bool]) -> None:
        self._server = _Server((address, port), target, admits)
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="lab-front", daemon=True).start()

    def close(self) -> None:
        threading.Thread(target=self._server.shutdown, daemon=True).start()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], target: int, admits: Callable[[], bool]) -> None:
        self.target = target
        self.admits = admits
        super().__init__(address, _Handler)


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.server.admits():
            splice(self.request, self.server.target)
        else:  # on AWS nothing would come back at all; a reset is the lab's way to say so at once
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
