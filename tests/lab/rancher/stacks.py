# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stacks (`environment` in /v1): made, renamed, started and stopped, removed with all that is in them."""

from __future__ import annotations

from typing import Any

from lab.rancher.context import Context
from lab.rancher.errors import invalid
from lab.rancher.server import RancherServer
from lab.rancher.store import Resource
from lab.rancher.validation import check_dns_name


def install(server: RancherServer) -> Stacks:
    stacks = Stacks(server)
    server.on_create("environment", stacks.create)
    server.on_change("environment", stacks.change)
    server.on_show("environment", stacks.show)
    server.on_action("environment", "activateservices", stacks.activate_services, ["active"])
    server.on_action("environment", "deactivateservices", stacks.deactivate_services, ["active"])
    server.on_action("environment", "addoutputs", stacks.add_outputs, ["active", "activating"])
    server.on_link("environment", "services", lambda _context, stack: server.parts["services"].of_stack(stack))
    server.processes.on_work("environment", "remove", stacks.empty)
    return stacks


class Stacks:
    """All stacks of one server."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server

    def create(self, context: Context, kind: str, fields: dict[str, Any]) -> Resource:
        owner = context.owner().id
        self._check_name(owner, str(fields["name"]))
        chosen = {name: value for name, value in fields.items() if value is not None}
        stack = self._server.store.create(kind, **{**chosen, "accountId": owner})
        named = str(chosen.get("externalId") or "").startswith("system-catalog://")
        stack["system"] = named if self._server.era == "1.1" else bool(chosen.get("system"))
        self._server.processes.start(stack, "create")
        return stack

    def _check_name(self, project_id: str, name: str) -> None:
        check_dns_name(name)
        for stack in self._server.store.live("environment", accountId=project_id):
            if stack.name.lower() == name.lower():
                raise invalid("NotUnique", "name")

    def change(self, _context: Context, stack: Resource, changes: dict[str, Any]) -> None:
        name = changes.get("name")
        if name is not None and str(name).lower() != stack.name.lower():
            self._check_name(str(stack.project), str(name))

    def empty(self, stack: Resource) -> bool:
        """Remove: its services first."""
        services = [one for one in self._server.store.all("service") if one["environmentId"] == stack.id]
        for service in services:
            if self._server.processes.find(service, "remove"):
                self._server.processes.start(service, "remove")
        if all(one.fields.get("removed") for one in services):
            self._server.parts["volumes"].remove_those_of(stack)
            return True

        def look() -> None:
            if stack.process == "remove" and self.empty(stack):
                self._server.processes.finish(stack, "remove")

        self._server.agenda.after(0, look)
        return False

    def activate_services(self, _context: Context, stack: Resource, _body: dict[str, Any]) -> None:
        self._start_all(stack, "activate")

    def deactivate_services(self, _context: Context, stack: Resource, _body: dict[str, Any]) -> None:
        self._start_all(stack, "deactivate")

    def _start_all(self, stack: Resource, process: str) -> None:
        for service in self._server.parts["services"].of_stack(stack):
            if self._server.processes.find(service, process):
                self._server.processes.start(service, process)

    def add_outputs(self, _context: Context, stack: Resource, body: dict[str, Any]) -> None:
        stack["outputs"] = {**(stack["outputs"] or {}), **body["outputs"]}

    def show(self, _context: Context, stack: Resource) -> dict[str, Any]:
        services = self._server.parts["services"]
        return {
            "kind": "environment",
            "healthState": services.health.of_stack(stack),
            "serviceIds": [one.id for one in services.of_stack(stack)],
            "system": bool(stack["system"]),
        }
