# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load balancers: what a balancer's container answers is what one of the services behind it answers, turn by turn."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lab.containers import Page
from lab.rancher.images import is_balancer
from lab.rancher.ports import parse_all
from lab.rancher.runtime import Respond, Running, Visit
from lab.rancher.server import RancherServer
from lab.rancher.store import Resource

_UNAVAILABLE = Page(
    503,
    "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n",
)
_FINE = (None, "healthy", "updating-healthy")
_TARGET = re.compile(r"(?:(?P<host>[^:/=\d][^:/=]*|\*)?(?::(?P<source>\d+))?)?(?P<path>/[^=]*)?(?:=(?P<port>\d+))?")


def install(server: RancherServer) -> Balancing:
    return Balancing(server)


@dataclass(frozen=True)
class Rule:
    """Requests for this host and path, on this port, go to that port of a service."""

    source: int
    service: str
    port: int
    host: str = ""
    path: str = ""
    priority: int = 0

    def fits(self, port: int, host: str, path: str) -> bool:
        if port != self.source or not path.startswith(self.path):
            return False
        wanted = self.host.lower()
        if wanted.startswith("*"):
            return host.endswith(wanted[1:])
        return not wanted or host == wanted


class Balancing:
    """The balancers of one server."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server
        self._turns: dict[tuple[str, int], Iterator[int]] = {}

    def equip(self, instance: Resource, running: Running) -> None:
        """A balancer's container listens on its service's ports, and answers as its rules say."""
        if not is_balancer(running.program.image):
            return
        service = self._server.store.get("service", instance["serviceId"])
        if service is None:
            return
        ports = parse_all([*(instance["publishedPorts"] or ()), *(instance["expose"] or ())])
        running.ports = tuple(dict.fromkeys((*running.ports, *(port.private for port in ports))))
        for port in {port.private for port in ports}:
            running.responders[port] = self._responder(service, port)

    def _responder(self, service: Resource, port: int) -> Respond:
        return lambda visit: self._answer(service, port, visit)

    def rules(self, service: Resource) -> list[Rule]:
        """Of /v2-beta's port rules and of /v1's links, the more special ones first."""
        found = [self._port_rule(one) for one in (service["lbConfig"] or {}).get("portRules") or ()]
        for link in self._server.parts["services"].links_of(service):
            for target in link["ports"] or [""]:
                found += [self._link_rule(link, target, public, private) for public, private in _listening(service)]
        found = [rule for rule in found if rule.service]
        return sorted(found, key=lambda rule: (rule.priority, -len(rule.host), -len(rule.path)))

    def _port_rule(self, one: dict[str, Any]) -> Rule:
        return Rule(
            source=int(one["sourcePort"]),
            service=str(one.get("serviceId") or ""),
            port=int(one.get("targetPort") or one["sourcePort"]),
            host=one.get("hostname") or "",
            path=one.get("path") or "",
            priority=int(one.get("priority") or 0),
        )

    def _link_rule(self, link: Resource, target: str, public: int, private: int) -> Rule:
        """`[host][:source][/path][=port]`, `port:host/path` of old, or just a port."""
        old = re.fullmatch(r"(\d+)(?::(.*))?", target)
        if old:
            host, slash, path = (old[2] or "").partition("/")
            return Rule(public, str(link["consumedServiceId"]), int(old[1]), host, slash + path)
        found = _TARGET.fullmatch(target)
        if found is None or (found["source"] and int(found["source"]) != public):
            return Rule(0, "", 0)
        return Rule(
            public,
            str(link["consumedServiceId"]),
            int(found["port"] or private),
            found["host"] or "",
            found["path"] or "",
        )

    def _answer(self, service: Resource, port: int, visit: Visit) -> Page:
        source = {private: public for public, private in _listening(service)}.get(port, port)
        rule = next((one for one in self.rules(service) if one.fits(source, visit.host, visit.path)), None)
        targets = self.targets(rule.service, rule.port) if rule else []
        if rule is None or not targets:
            return _UNAVAILABLE
        turn = next(self._turns.setdefault((rule.service, rule.port), itertools.count()))
        target = targets[turn % len(targets)]
        passed_on = dataclasses.replace(visit, client="10.42.0.2")
        return self._server.parts["instances"].network.visit(target, rule.port, passed_on) or _UNAVAILABLE

    def targets(self, service_id: str, port: int) -> list[Resource]:
        """The healthy containers of a service that take connections; an alias stands for what it is linked to."""
        service = self._server.store.get("service", service_id)
        if service is None or service.gone:
            return []
        if service.kind == "dnsService":
            links = self._server.parts["services"].links_of(service)
            return [one for link in links for one in self.targets(str(link["consumedServiceId"]), port)]
        instances = self._server.parts["instances"]
        return [
            one
            for one in self._server.store.live("instance", serviceId=service_id)
            if one["managed"]
            and not one["unit"]
            and one.state == "running"
            and one["healthState"] in _FINE
            and instances.network.alive(one)
            and instances.running[one.id].answers(port)
        ]


def _listening(service: Resource) -> list[tuple[int, int]]:
    """The balancer's ports: as they are known outside, and in its container."""
    config = service["launchConfig"]
    ports = parse_all([*(config.get("ports") or ()), *(config.get("expose") or ())])
    return [(port.public or port.private, port.private) for port in ports]
