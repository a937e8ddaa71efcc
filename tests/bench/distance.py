# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network in front of an API server: what passes takes its time, and arrives as it was sent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


@contextmanager
def distant(url: str, round_trip: float) -> Iterator[str]:
    """The address of a server for clients to whom it is so many seconds away, there and back."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    network = _Network(urlsplit(url).hostname or "", urlsplit(url).port or 0, round_trip)
    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(network.connected, "127.0.0.1", 0), loop).result()
    try:
        yield urlsplit(url)._replace(netloc=f"127.0.0.1:{server.sockets[0].getsockname()[1]}").geturl()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


class _Network:
    def __init__(self, host: str, port: int, round_trip: float) -> None:
        self._host, self._port, self._round_trip = host, port, round_trip

    async def connected(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self._round_trip)  # of the handshake, which the client has with this side at once
        server, to_server = await asyncio.open_connection(self._host, self._port)
        await asyncio.gather(self._carry(client, to_server), self._carry(server, to_client))
        to_server.close()
        to_client.close()

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        one_way, loop = self._round_trip / 2, asyncio.get_running_loop()
        with suppress(ConnectionError):  # it ends for the other side, too
            while data := await source.read(65536):
                loop.call_later(one_way, target.write, data)
        await asyncio.sleep(one_way)
        with suppress(OSError):
            target.write_eof()
