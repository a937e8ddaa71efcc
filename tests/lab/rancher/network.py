# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network between containers, and from outside to them: who answers at an address, and what.

Containers have addresses in 10.42.0.0/16 that exist only here. Published ports are real: they listen on the host's own
loopback address, and pass requests on as docker's proxy does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from lab import containers
from lab.containers import Page
from lab.http_server import HttpServer
from lab.machines import Machine
from lab.messages import Answer, ConnectionCutError, Request
from lab.rancher.ports import Port, parse_all
from lab.rancher.runtime import Running, Visit, host_name
from lab.rancher.store import Resource

if TYPE_CHECKING:
    from lab.rancher.server import RancherServer


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

    def resolve(self, instance: Resource, name: str) -> list[str]:
        """What a container's DNS answers for a name: links, services of its stack, `service.stack`, containers."""
        name = name.lower().rstrip(".").removesuffix(".rancher.internal")
        if re.fullmatch(r"\d+\.\d+\.\d+\.\d+", name):
            return [name]
        if name in ("localhost", host_name(instance).lower()):
            return [str(instance["primaryIpAddress"] or "127.0.0.1")]
        service = self.named(instance, name)
        if service is not None:
            return self.addresses(service)
        found = [
            one for one in self._server.store.live("instance", accountId=instance.project) if one.name.lower() == name
        ]
        return [str(one["primaryIpAddress"]) for one in found if one["primaryIpAddress"]]

    def named(self, instance: Resource, name: str) -> Resource | None:
        """The service that a name means to this container."""
        services = self._server.parts["services"]
        own = self._server.store.get("service", instance["serviceId"])
        if own is None:
            return None
        for link in services.links_of(own):
            target = self._server.store.need("service", link["consumedServiceId"])
            if name == str(link["name"] or target.name).lower():
                return target
        stack = self._server.store.need("environment", own["environmentId"])
        path = "/".join(reversed(name.split("."))) if "." in name else f"{stack.name}/{name}"
        found: Resource | None = services.find(str(instance.project), path)
        return found

    def addresses(self, service: Resource) -> list[str]:
        """Of the containers behind a service, or of what an alias or an external service stands for."""
        if service.kind == "externalService":
            return [str(one) for one in service["externalIpAddresses"] or ()]
        if service.kind == "dnsService":
            links = self._server.parts["services"].links_of(service)
            return [
                one
                for link in links
                for one in self.addresses(self._server.store.need("service", link["consumedServiceId"]))
            ]
        return [
            str(one["primaryIpAddress"])
            for one in self._server.store.live("instance", serviceId=service.id)
            if one["managed"] and not one["unit"] and one["primaryIpAddress"] and self.alive(one)
        ]

    def reachable(self, address: str) -> bool:
        """Does anything answer a ping there?"""
        found = self.find(address)
        if found is not None:
            return self.alive(found)
        return self._server.world.machines.at(address) is not None

    def alive(self, instance: Resource) -> bool:
        """Does it run, and does its host?"""
        host = self._server.store.get("host", instance["hostId"])
        return (
            instance.id in self._running
            and host is not None
            and self._server.parts["hosts"].machine_of(host) is not None
        )

    def visit(self, instance: Resource, port: int, visit: Visit) -> Page | None:
        """What a container answers; None if the connection is refused."""
        running = self._running.get(instance.id)
        if running is None or not self.alive(instance) or not running.answers(port):
            return None
        page = running.page(port, visit)
        line = containers.access_line(visit.client, visit.method, visit.path, page)
        running.log.append((self._server.world.clock.utc(), line))
        return page

    def publish(self, instance: Resource) -> None:
        """Listen on the host's address for each published port.

        Rancher lets visitors in by the legacy iptables of its images. Where Docker keeps its rules in nftables, they
        still have to pass those, and Docker lets in nobody whom it does not know.
        """
        host = self._server.store.get("host", instance["hostId"])
        machine = self._server.parts["hosts"].machine_of(host) if host else None
        if machine is None or machine.iptables != "legacy":
            return
        for port in _outside(instance, machine):
            if port.protocol == "tcp":
                respond = partial(self._respond, instance, port.private)
                machine.listen(port.public, partial(HttpServer, respond, port.public))

    def withdraw(self, instance: Resource) -> None:
        host = self._server.store.get("host", instance["hostId"])
        machine = self._server.parts["hosts"].machine_of(host) if host else None
        if machine is not None and instance.id in self._running:
            machine.close([port.public for port in _outside(instance, machine)])

    def _respond(self, instance: Resource, port: int, request: Request) -> Answer:
        """A connection that comes in from outside; docker's proxy takes it, and drops it if nobody listens."""
        with self._server.world.lock:
            path = request.path + (f"?{request.query}" if request.query else "")
            page = self.visit(instance, port, Visit(path, request.method, request.headers, request.body))
        if page is None:
            raise ConnectionCutError
        return Answer(page.status, page.content, {"Content-Type": page.content_type, **dict(page.headers)})


def _outside(instance: Resource, machine: Machine) -> list[Port]:
    """The published ports that are at the machine's address, and not only at another one, such as 127.0.0.1."""
    addresses = (None, "0.0.0.0", machine.address)
    return [port for port in parse_all(instance["publishedPorts"]) if port.public and port.address in addresses]
