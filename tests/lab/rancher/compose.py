# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compose files and stacks: a stack from files, an upgrade to other files, and files from a stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.rancher import compose_in, compose_out
from lab.rancher.compose_in import ComposeError, Link, Service
from lab.rancher.context import Caller, Context
from lab.rancher.errors import RancherError, invalid
from lab.rancher.ports import parse_all
from lab.rancher.processes import ProcessFailedError
from lab.rancher.server import RancherServer
from lab.rancher.store import Resource


def install(server: RancherServer) -> Compose:
    compose = Compose(server)
    server.on_action("environment", "exportconfig", compose.export, None)
    server.on_action("environment", "upgrade", compose.ask_upgrade, None)
    work = server.processes.on_work
    work("environment", "create", compose.build)
    work("environment", "upgrade", lambda _stack: False)
    work("environment", "finishupgrade", compose.finish)
    work("environment", "rollback", compose.roll_back)
    server.on_step(compose.step)
    return compose


class Compose:
    """What rancher-compose does inside the server."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server
        self._store = server.store

    # In

    def build(self, stack: Resource) -> bool:
        """Create: the services that the files ask for."""
        if stack["dockerCompose"] or stack["rancherCompose"]:
            for service in self._read(stack):
                self._create(stack, service)
            for service in self._read(stack):
                self._tie(stack, service)
        return True

    def _read(self, stack: Resource) -> list[Service]:
        try:
            return compose_in.read(stack["dockerCompose"], stack["rancherCompose"], self._answers(stack))
        except ComposeError as error:
            raise ProcessFailedError(str(error)) from error

    def _answers(self, stack: Resource) -> dict[str, Any]:
        """What was given, and what each stack knows of itself."""
        return {"stack_name": stack.name, **(stack["environment"] or {})}

    def _context(self, stack: Resource) -> Context:
        project = self._store.need("project", stack.project)
        return Context(self._server, "v1", "", Caller("project", project, project), project, in_path=True)

    def _create(self, stack: Resource, service: Service) -> Resource:
        fields = {
            **service.fields,
            "name": service.name,
            "environmentId": stack.id,
            "startOnCreate": bool(stack["startOnCreate"]),
        }
        fields["lbConfig"] = self._port_rules(stack, fields.get("lbConfig"))
        try:
            made: Resource = self._server.parts["services"].create(self._context(stack), service.kind, fields)
        except RancherError as error:
            raise ProcessFailedError(f"Service {service.name}: {error.code} {error.field or ''}".strip()) from error
        return made

    def _tie(self, stack: Resource, service: Service) -> None:
        """Links, and the services of port rules, once all services are there."""
        made = self._find(stack, service.name)
        if made is None:
            return
        for link in service.links:
            target = self._find(stack, link.service)
            if target is None:
                raise ProcessFailedError(f"Failed to find service {link.service}, which {service.name} links to")
            self._link(made, target, link)
        if made["lbConfig"]:
            made["lbConfig"] = self._port_rules(stack, made["lbConfig"])

    def _link(self, service: Resource, target: Resource, link: Link) -> None:
        name = link.name if service.kind != "loadBalancerService" else None
        ports = list(link.ports) if link.ports is not None else None
        self._server.parts["services"].link(service, target, name, ports)

    def _port_rules(self, stack: Resource, config: dict[str, Any] | None) -> dict[str, Any] | None:
        if config is None:
            return None
        rules: list[dict[str, Any]] = []
        for rule in config["portRules"]:
            target = self._find(stack, str(rule.get("service") or ""))
            rules.append({**rule, "serviceId": target.id if target else rule.get("serviceId")})
        return {"type": "lbConfig", **config, "portRules": rules}

    def _find(self, stack: Resource, name: str) -> Resource | None:
        path = name if "/" in name else f"{stack.name}/{name}"
        found: Resource | None = self._server.parts["services"].find(str(stack.project), path)
        return found

    # Upgrade

    def ask_upgrade(self, _context: Context, stack: Resource, body: dict[str, Any]) -> None:
        if not body.get("dockerCompose"):
            raise invalid("MissingRequired", "dockerCompose")
        names = ("dockerCompose", "rancherCompose", "environment", "externalId")
        stack["before"] = {name: stack[name] for name in names}
        stack["previousExternalId"], stack["previousEnvironment"] = stack["externalId"], stack["environment"]
        stack.fields.update({name: body[name] for name in names if body.get(name) is not None})
        self._server.processes.start(stack, "upgrade")
        stack["upgradeBegun"] = False

    def step(self) -> None:
        for stack in self._store.live("environment"):
            if stack.process == "upgrade":
                self._upgrade(stack)

    def _upgrade(self, stack: Resource) -> None:
        """Services that differ are upgraded, new ones made; it is done when all of them are."""
        if not stack["upgradeBegun"]:
            stack["upgradeBegun"] = True
            try:
                self._begin_upgrade(stack)
            except ProcessFailedError as failure:
                stack.fields.update(stack["before"])
                self._server.processes.fail(stack, str(failure))
                return
        services = self._server.parts["services"].of_stack(stack)
        if all(one.state in ("upgraded", "active", "inactive") for one in services):
            self._server.processes.finish(stack, "upgrade")

    def _begin_upgrade(self, stack: Resource) -> None:
        wanted = self._read(stack)
        for service in wanted:
            found = self._find(stack, service.name)
            if found is None:
                self._create(stack, service)
            elif _differs(found, service) and self._server.processes.find(found, "upgrade"):
                configs = {
                    "launchConfig": service.fields["launchConfig"],
                    "secondaryLaunchConfigs": service.fields.get("secondaryLaunchConfigs"),
                }
                self._server.parts["services"].upgrades.begin(found, configs)
            if found is not None:
                found.fields.update({k: v for k, v in service.fields.items() if k in ("scale", "metadata")})
        for service in wanted:
            self._tie(stack, service)

    def finish(self, stack: Resource) -> bool:
        return self._all(stack, "finishupgrade", ("upgraded", "finishing-upgrade"))

    def roll_back(self, stack: Resource) -> bool:
        if stack["before"]:
            stack.fields.update(stack["before"])
            stack["before"] = None
        return self._all(stack, "rollback", ("upgraded", "upgrading", "rolling-back"))

    def _all(self, stack: Resource, process: str, busy: tuple[str, ...]) -> bool:
        """The process for all services that were upgraded; looks again until none is busy.

        As the server's rancher-compose-executor: it gives no answer while a service still upgrades, so that the server
        asks it again, for ever if need be; a service whose upgrade was cancelled it passes over.
        """
        services = self._server.parts["services"].of_stack(stack)
        for service in services:
            if service.state == "upgraded" and self._server.processes.find(service, process):
                self._server.processes.start(service, process)
        if all(service.state not in busy for service in services):
            return True
        asked = stack.process

        def look() -> None:
            if stack.process == asked and self._all(stack, process, busy):
                self._server.processes.finish(stack, str(asked))

        self._server.agenda.after(0, look)
        return False

    # Out

    def export(self, context: Context, stack: Resource, body: dict[str, Any]) -> dict[str, Any]:
        services = self._server.parts["services"].of_stack(stack)
        wanted = [context.stored_id(str(one)) for one in body.get("serviceIds") or ()]
        chosen = [one for one in services if not wanted or one.id in wanted]
        docker, rancher = compose_out.write(self._server, chosen)
        return {
            "id": None,
            "type": "composeConfig",
            "links": {},
            "actions": {},
            "dockerComposeConfig": docker,
            "rancherComposeConfig": rancher,
        }


def _differs(service: Resource, wanted: Service) -> bool:
    """Do the files ask for other containers than the service has?"""
    if "launchConfig" not in wanted.fields:
        return False
    before = {one["name"]: one for one in service["secondaryLaunchConfigs"] or ()}
    after = {one["name"]: one for one in wanted.fields.get("secondaryLaunchConfigs") or ()}
    pairs = [(service["launchConfig"], wanted.fields["launchConfig"])]
    pairs += [(before.get(name) or {}, one) for name, one in after.items()]
    return before.keys() != after.keys() or any(_other(have, want) for have, want in pairs)


def _other(have: Mapping[str, Any], want: Mapping[str, Any]) -> bool:
    """A port that the files leave open is the same as whichever was picked."""
    if any((have.get(key) or None) != (value or None) for key, value in want.items() if key != "ports"):
        return True
    old, new = parse_all(have.get("ports")), parse_all(want.get("ports"))
    return len(old) != len(new) or any(
        (one.private, one.protocol) != (other.private, other.protocol) or (other.public and one.public != other.public)
        for one, other in zip(old, new, strict=True)
    )
