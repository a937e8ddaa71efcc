# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network between containers, and from outside to them: who answers at an address, and what.

Containers have addresses in 10.42.0.0/16 that exist only here. Published ports are real: they listen on the host's own
loopback address, and pass requests on as docker's proxy does.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from lab import containers
from lab.containers import Page
from lab.http_server import HttpServer
from lab.messages import Answer, ConnectionCutError, Request
from lab.rancher.ports import parse_all
from lab.rancher.runtime import Running
from lab.rancher.store import Resource

if TYPE_CHECKING:
    from lab.rancher.server import RancherServer

_OUTSIDE = "203.0.113.250"


class Network:
    """Knows the containers that run."""

    def __init__(self, server: RancherServer, running: Mapping[str, Running]) -> None:
        self._server = server
        self._running = running

    def find(self, address: str) -> Resource | None:
        """The running container with this address."""
        for instance_id in self._running:
            instance = self._server.store.get("instance", instance_id)
            if instance is not None and instance["primaryIpAddress"] == address:
                return instance
        return None

    def alive(self, instance: Resource) -> bool:
        """Does it run, and does its host?"""
        host = self._server.store.get("host", instance["hostId"])
        return (
            instance.id in self._running
            and host is not None
            and self._server.parts["hosts"].machine_of(host) is not None
        )

    def visit(self, instance: Resource, port: int, method: str, path: str, host: str = "", client: str = _OUTSIDE) -> Page | None:
        """One HTTP request to a container; None if the connection is refused."""
        running = self._running.get(instance.id)
        if running is None or not self.alive(instance) or not running.answers(port):
            return None
        page = running.page(port, method, path, host)
        line = containers.access_line(client, method, path, page)
        running.log.append((self._server.world.clock.utc(), line))
        return page

    def publish(self, instance: Resource) -> None:
        """Listen on the host's address for each published port."""
        host = self._server.store.get("host", instance["hostId"])
        machine = self._server.parts["hosts"].machine_of(host) if host else None
        for port in parse_all(instance["publishedPorts"]):
            if machine is not None and port.public and port.protocol == "tcp":
                respond = partial(self._respond, instance, port.private)
                machine.listen(port.public, partial(HttpServer, respond, port.public))

    def withdraw(self, instance: Resource) -> None:
        host = self._server.store.get("host", instance["hostId"])
        machine = self._server.parts["hosts"].machine_of(host) if host else None
        if machine is not None and instance.id in self._running:
            machine.close([port.public for port in parse_all(instance["publishedPorts"]) if port.public])

    def _respond(self, instance: Resource, port: int, request: Request) -> Answer:
        """A connection that comes in from outside; docker's proxy takes it, and drops it if nobody listens."""
        with self._server.world.lock:
            path = request.path + (f"?{request.query}" if request.query else "")
            page = self.visit(instance, port, request.method, path, request.headers.get("host", ""))
        if page is None:
            raise ConnectionCutError
        return Answer(page.status, page.body.encode(), {"Content-Type": page.content_type})
