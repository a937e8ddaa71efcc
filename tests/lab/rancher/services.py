# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services: what may be asked of one, its links, its processes. How many containers it has is reconcile.py's."""

from __future__ import annotations

import random
from typing import Any

from lab.rancher.context import Context
from lab.rancher.errors import invalid
from lab.rancher.health import ServiceHealth
from lab.rancher.images import image_of
from lab.rancher.instances import check_image
from lab.rancher.placement import is_global
from lab.rancher.ports import Port, parse, parse_all
from lab.rancher.processes import Processes
from lab.rancher.reconcile import Reconciler
from lab.rancher.server import RancherServer
from lab.rancher.store import Resource
from lab.rancher.upgrade import Upgrades
from lab.rancher.validation import check_dns_name

_KINDS = ("service", "loadBalancerService", "dnsService", "externalService")
_BALANCER_CHECK = {
    "type": "instanceHealthCheck",
    "port": 42,
    "interval": 2000,
    "responseTimeout": 2000,
    "healthyThreshold": 2,
    "unhealthyThreshold": 3,
    "strategy": "recreate",
}
_MODES_OF_1_1 = ("managed", "host", "bridge", "none", "container")
NO_CONTAINERS = ("dnsService", "externalService")
_RANDOM_PORTS = (49153, 65535)


def install(server: RancherServer) -> Services:
    services = Services(server)
    for kind in _KINDS:
        server.on_create(kind, services.create)
    server.on_change("service", services.change)
    server.on_show("service", services.show)
    for name, act in (
        ("setservicelinks", services.set_links),
        ("addservicelink", services.add_link),
        ("removeservicelink", services.remove_link),
    ):
        server.on_action(
            "service",
            name,
            act,
            ("active", "inactive", "activating", "registering", "updating-active", "updating-inactive", "upgraded"),
        )
    server.on_action("service", "upgrade", services.upgrades.ask, None)
    server.on_link("service", "environment", services.stack_of)
    server.on_link("service", "stack", services.stack_of)
    server.on_link("service", "instances", services.instances_of)
    server.on_link("service", "consumedservices", services.consumed)
    server.on_link("service", "consumedbyservices", services.consumers)
    server.on_link(
        "service", "serviceExposeMaps", lambda _c, one: server.store.live("serviceExposeMap", serviceId=one.id)
    )
    work = server.processes.on_work
    work("service", "create", services.created)
    work("service", "activate", lambda service: service.kind in NO_CONTAINERS)
    work("service", "update", services.updated)
    work("service", "deactivate", services.reconciler.drain)
    work("service", "remove", services.reconciler.empty)
    work("service", "restart", services.reconciler.restart)
    services.upgrades.install()
    server.on_step(services.step)
    return services


class Services:
    """All services of one server."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server
        self._store = server.store
        self._processes: Processes = server.processes
        self.health = ServiceHealth(server)
        self.reconciler = Reconciler(server)
        self.upgrades = Upgrades(server, self.reconciler)
        self._random = random.Random(20160819)

    # Creating and changing

    def create(self, context: Context, kind: str, fields: dict[str, Any]) -> Resource:
        stack = self._stack(context, fields)
        self._check(kind, stack, fields)
        chosen = {name: value for name, value in fields.items() if value is not None}
        chosen.pop("environmentId", None)
        service = self._store.create(
            kind, **{**chosen, "accountId": stack.project, "environmentId": stack.id, "system": bool(stack["system"])}
        )
        service["createIndex"] = None
        if kind == "loadBalancerService":
            self._complete_balancer(service)
        self._processes.start(service, "create")
        return service

    def _stack(self, context: Context, fields: dict[str, Any]) -> Resource:
        stack = self._store.get("environment", fields.get("environmentId"))
        if stack is None:
            raise invalid("MissingRequired", context.shown_name("environmentId"))
        if stack.gone:
            raise invalid("InvalidState", context.shown_name("environmentId"))
        return stack

    def _check(self, kind: str, stack: Resource, fields: dict[str, Any]) -> None:
        check_dns_name(str(fields["name"]))
        if any(one.name.lower() == fields["name"].lower() for one in self.of_stack(stack)):
            raise invalid("NotUnique", "name")
        if kind in NO_CONTAINERS:
            return
        main = fields.get("launchConfig")
        if main is None:
            raise invalid("MissingRequired", "launchConfig")
        if kind == "loadBalancerService" and not main.get("imageUuid"):
            main["imageUuid"] = self._server.parts["settings"].value("lb.instance.image.uuid")
        rules = (fields.get("lbConfig") or {}).get("portRules") or ()
        if self._server.era == "1.6" and any(rule.get("sourcePort") == _BALANCER_CHECK["port"] for rule in rules):
            raise invalid("InvalidOption", "sourcePort", "Port 42 is reserved for service health check")
        seen = {str(fields["name"]).lower()}
        for config in [main, *(fields.get("secondaryLaunchConfigs") or [])]:
            check_launch_config(config)
            if config is not main and config["name"].lower() in seen:
                raise invalid("NotUnique", "name")
            seen.add(str(config.get("name", "")).lower())
        self._check_networks(fields)

    def _check_networks(self, fields: dict[str, Any]) -> None:
        """A network is shared inside of a service; before 1.2 its mode is one of a few, then it may be any name."""
        aides = fields.get("secondaryLaunchConfigs") or []
        names = {fields["name"], *(config["name"] for config in aides)}
        for config in (fields["launchConfig"], *aides):
            if config.get("networkLaunchConfig") not in (None, *names):
                raise invalid("InvalidReference", "LaunchConfigName")
            if self._server.era == "1.1" and config.get("networkMode") not in (None, *_MODES_OF_1_1):
                raise invalid("InvalidOption", "networkMode")

    def _complete_balancer(self, service: Resource) -> None:
        config = dict(service["launchConfig"])
        config.setdefault("healthCheck", dict(_BALANCER_CHECK))
        service["launchConfig"] = config
        if service["lbConfig"] is None and service["loadBalancerConfig"] is None:
            service["loadBalancerConfig"] = {"type": "loadBalancerConfig"}

    def change(self, _context: Context, service: Resource, changes: dict[str, Any]) -> None:
        if "name" in changes and changes["name"] != service.name:
            check_dns_name(str(changes["name"]))
            stack = self._store.need("environment", service["environmentId"])
            if any(one.name.lower() == changes["name"].lower() for one in self.of_stack(stack) if one is not service):
                raise invalid("NotUnique", "name")
        if "launchConfig" in changes:  # /v2-beta lets a load balancer's ports be changed, and nothing else of it
            ports = changes.pop("launchConfig").get("ports")
            if ports is not None:
                service["launchConfig"] = {**service["launchConfig"], "ports": ports}

    def created(self, service: Resource) -> None:
        """Ports that were left to the server are picked; then the service starts if it was told to."""
        for config in launch_configs(service):
            config["ports"] = [str(self._picked(service, port)) for port in parse_all(config.get("ports"))]
        self._server.agenda.after(0, lambda: self._start(service))

    def _start(self, service: Resource) -> None:
        if service["startOnCreate"] and self._processes.find(service, "activate"):
            self._processes.start(service, "activate")

    def _picked(self, service: Resource, port: Port) -> Port:
        if port.public or service.kind == "loadBalancerService":
            return Port(port.public or port.private, port.private, port.protocol, port.address)
        return Port(self.pick_port(str(service.project)), port.private, port.protocol, port.address)

    def pick_port(self, project_id: str) -> int:
        """A public port that no other service of the project has."""
        project = self._store.get("project", project_id)
        bounds = (project["servicesPortRange"] if project else None) or {}
        first, last = bounds.get("startPort", _RANDOM_PORTS[0]), bounds.get("endPort", _RANDOM_PORTS[1])
        taken = {
            parse(spec).public
            for service in self._store.live("service", accountId=project_id)
            for config in launch_configs(service)
            for spec in config.get("ports") or ()
        }
        return self._random.choice([port for port in range(first, last + 1) if port not in taken])

    def updated(self, service: Resource) -> bool:
        """Done at once for a service that is not to run."""
        return service.state == "updating-inactive" or service.kind in NO_CONTAINERS

    # Links

    def set_links(self, context: Context, service: Resource, body: dict[str, Any]) -> None:
        wanted = body.get("serviceLinks") or []
        for link in wanted:
            self._target(context, link)
        kept = {(self._id(context, link), link.get("name") or None) for link in wanted}
        for existing in self.links_of(service):
            if (existing["consumedServiceId"], existing["name"]) not in kept:
                self._server.parts["cleaner"].remove(existing)
        for link in wanted:
            self._link(context, service, link)

    def add_link(self, context: Context, service: Resource, body: dict[str, Any]) -> None:
        self._target(context, body["serviceLink"])
        self._link(context, service, body["serviceLink"])

    def remove_link(self, context: Context, service: Resource, body: dict[str, Any]) -> None:
        link = body["serviceLink"]
        for existing in self.links_of(service):
            if existing["consumedServiceId"] == self._id(context, link) and (
                not link.get("name") or existing["name"] == link["name"]
            ):
                self._server.parts["cleaner"].remove(existing)

    def _id(self, context: Context, link: dict[str, Any]) -> str:
        return context.stored_id(str(link["serviceId"]))

    def _target(self, context: Context, link: dict[str, Any]) -> Resource:
        found = self._store.get("service", self._id(context, link))
        if found is None or found.gone:
            raise invalid("InvalidReference", "serviceId")
        return found

    def _link(self, context: Context, service: Resource, link: dict[str, Any]) -> None:
        self.link(service, self._target(context, link), link.get("name") or None, link.get("ports"))

    def link(self, service: Resource, target: Resource, name: str | None, ports: list[str] | None = None) -> None:
        """One more link, unless it is there; ports of one that is there are replaced."""
        for existing in self.links_of(service):
            if (existing["consumedServiceId"], existing["name"]) == (target.id, name):
                existing["ports"] = ports if ports is not None else existing["ports"]
                return
        made = self._store.create(
            "serviceConsumeMap",
            accountId=service.project,
            serviceId=service.id,
            consumedServiceId=target.id,
            name=name,
            ports=ports or [],
        )
        self._processes.start(made, "create")

    def links_of(self, service: Resource) -> list[Resource]:
        return self._store.live("serviceConsumeMap", serviceId=service.id)

    # What is shown

    def show(self, context: Context, service: Resource) -> dict[str, Any]:
        instances = self.reconciler.instances(service)
        config = service["launchConfig"] or {}
        shown: dict[str, Any] = {
            "kind": service.kind,
            "healthState": self.health.of_service(service),
            "currentScale": sum(one.state == "running" and not one["unit"] for one in instances),
            "publicEndpoints": self._server.parts["instances"].endpoints(service=service) or None,
            "fqdn": service["fqdn"],
            "instanceIds": [one.id for one in instances],
            "linkedServices": self._linked_names(service),
            "assignServiceIpAddress": False,
            "createIndex": service["createIndex"],
        }
        if is_global(config):
            shown["scale"] = service["scale"] or 1
        return shown

    def _linked_names(self, service: Resource) -> dict[str, str] | None:
        found: dict[str, str] = {}
        for link in self.links_of(service):
            target = self._store.get("service", link["consumedServiceId"])
            if target is not None:
                found[link["name"] or target.name] = target.id
        return found or None

    def of_stack(self, stack: Resource) -> list[Resource]:
        return self._store.live("service", environmentId=stack.id)

    def stack_of(self, _context: Context, service: Resource) -> list[Resource]:
        found = self._store.get("environment", service["environmentId"])
        return [found] if found else []

    def instances_of(self, _context: Context, service: Resource) -> list[Resource]:
        return self.reconciler.instances(service)

    def consumed(self, _context: Context, service: Resource) -> list[Resource]:
        return [self._store.need("service", link["consumedServiceId"]) for link in self.links_of(service)]

    def consumers(self, _context: Context, service: Resource) -> list[Resource]:
        links = self._store.live("serviceConsumeMap", consumedServiceId=service.id)
        return [self._store.need("service", link["serviceId"]) for link in links]

    def find(self, project_id: str, path: str) -> Resource | None:
        """By `stack/service`, as answers of the catalog name one."""
        stack_name, _unused, service_name = path.partition("/")
        for stack in self._store.live("environment", accountId=project_id):
            if stack.name.lower() == stack_name.lower():
                return next((one for one in self.of_stack(stack) if one.name.lower() == service_name.lower()), None)
        return None

    def step(self) -> None:
        for service in self._store.live("service"):
            if service.kind not in NO_CONTAINERS:
                self.reconciler.step(service)
                self.upgrades.step(service)


def launch_configs(service: Resource) -> list[dict[str, Any]]:
    """The primary one and those of the sidekicks."""
    main = service["launchConfig"]
    return [*([main] if main else []), *(service["secondaryLaunchConfigs"] or [])]


def check_launch_config(config: dict[str, Any]) -> None:
    if image_of(config) or config.get("imageUuid") is not None:
        check_image(config.get("imageUuid"))
    elif str(config.get("imageUuid")) != "rancher/none":
        raise invalid("MissingRequired", "imageUuid")
    parse_all(config.get("ports"))
