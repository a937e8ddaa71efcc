# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmark puts between a client and a server: time, and nothing else."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from bench.distance import distant

ROUND_TRIP = 0.05


class Echo(socketserver.StreamRequestHandler):
    """Says each line again, until the client has no more."""

    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(line)


@pytest.fixture
def echo() -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"https://localhost:{server.server_address[1]}/path"
        server.shutdown()
        thread.join()


def test_all_arrives_in_its_order_and_none_of_it_before_its_time(echo: str) -> None:
    with distant(echo, ROUND_TRIP) as url:
        address = urlsplit(url)
        assert (address.scheme, address.path, url != echo) == ("https", "/path", True)
        sent = [b"%d %s\n" % (number, b"x" * 5000) for number in range(200)]
        with socket.create_connection((address.hostname, address.port)) as client, client.makefile("rb") as answers:
            begun = time.monotonic()
            client.sendall(sent[0])
            assert answers.readline() == sent[0]
            assert time.monotonic() - begun >= 2 * ROUND_TRIP  # there and back, after the handshake
            for line in sent[1:]:
                client.sendall(line)
            client.shutdown(socket.SHUT_WR)
            assert answers.readlines() == sent[1:]
