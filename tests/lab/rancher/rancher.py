# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rancher in the lab: one server that is always there, and one more wherever rancher/server is run on a machine."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from lab.kubernetes import pki
from lab.machines import Container, Stop
from lab.messages import Answer, ConnectionCutError, Request
from lab.rancher import agent
from lab.rancher.backend import RancherBackend
from lab.rancher.server import RancherServer
from lab.world import Item, World

SERVICE = "rancher"
_PORT = 8080
_COUNTED = {
    "account": "environment",
    "environment": "stack",
    "service": "service",
    "instance": "container",
    "host": "host",
    "physicalHost": "machine",
    "volume": "volume",
    "credential": "api-key",
}
"""Base types that would be left over, and what the inventory calls them."""
_NOT_COUNTED = ("account", "registrationToken", "password", "physicalHost")


def install(world: World) -> None:
    rancher = Rancher(world)
    agent.install(world)
    world.backends[SERVICE] = rancher.main
    world.machines.on_image("rancher/server", rancher.start)
    world.on_step(rancher.step)
    world.on_reset(rancher.reset)
    world.on_stop(rancher.stop)
    world.on_inventory(rancher.inventory)
    world.on_control("POST", SERVICE, rancher.control)


class Rancher:
    """All Rancher servers of the lab."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tls = _certificate(world)
        world.tls[SERVICE] = self._tls
        self.main = RancherBackend(RancherServer(world, "stand-alone"))
        self._others: list[RancherBackend] = []

    def start(self, container: Container) -> Stop | None:
        """`docker run -p 8080:8080 rancher/server[:tag]` on a machine."""
        tag = container.image.partition("@")[0].rpartition("/")[2].partition(":")[2]
        server = RancherServer(self._world, container.machine.name, tag if tag[:1] == "v" else "")
        backend = RancherBackend(server)
        ready = self._world.clock.now() + self._world.settings.rancher_start_seconds
        self._others.append(backend)

        def respond(request: Request) -> Answer:
            if self._world.clock.now() < ready:
                raise ConnectionCutError  # docker's proxy listens, and nobody behind it yet
            return self._world.answer(backend, request)

        container.serve(_PORT, respond, self._tls)

        def stop() -> None:
            if backend in self._others:
                self._others.remove(backend)
                server.stop()

        return stop

    def servers(self) -> list[RancherServer]:
        return [self.main.server, *(backend.server for backend in self._others)]

    def step(self) -> None:
        for server in self.servers():
            server.step()

    def reset(self) -> None:
        for backend in self._others:
            backend.server.stop()
        self._others.clear()
        self.main.server.clear()

    def stop(self) -> None:
        for server in self.servers():
            server.stop()

    def control(self, request: Request) -> object:
        """POST /_lab/rancher/hosts {"name", "project", "labels"}: a machine of the lab that runs the agent.

        Without a project the host comes into the first one.
        """
        if not unquote(request.path).rstrip("/").endswith("/hosts"):
            raise ValueError("there is only /_lab/rancher/hosts")
        wanted: dict[str, Any] = json.loads(request.body or b"{}")
        server = self.main.server
        with self._world.lock:
            name = str(wanted.get("name") or "host")
            machine = self._world.machines.plug_in(f"lab-host-{name}")
            machine.switch_on()
            project = server.store.get("project", wanted.get("project")) or server.store.live("project")[0]
            labels = {str(key): str(value) for key, value in (wanted.get("labels") or {}).items()}
            host = server.parts["hosts"].add(project.id, machine, name, labels)
        return {"id": host.id, "address": machine.address, "project": project.id}

    def inventory(self) -> Iterator[Item]:
        """What somebody has made; not what each server has by itself."""
        for server in self.servers():
            for resource in server.store:
                if resource.base not in _COUNTED or resource.gone or resource.kind in _NOT_COUNTED:
                    continue
                if resource["system"] or resource["systemContainer"] or resource["uuid"] == "adminProject":
                    continue
                tags = {str(key): str(value) for key, value in (resource["labels"] or {}).items()}
                name = str(resource["hostname"] or resource.name) if resource.kind == "host" else resource.name
                yield Item(f"rancher-{_COUNTED[resource.base]}", f"{server.name} {resource.id}", name, tags)


def _certificate(world: World) -> ssl.SSLContext:
    """As the server in its container has one: made by itself, and trusted by nobody."""
    pair = pki.Authority(world.settings.scratch / "rancher" / "pki", "rancher").sign("server", "rancher")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    return context
