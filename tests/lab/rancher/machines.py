# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines: what the server makes by itself with a cloud's driver. In /v1 they are types of their own, in /v2-beta a
host is made with the driver's settings, and its machine is hidden behind it.
"""

from __future__ import annotations

import re
from typing import Any

from lab.machines import Container
from lab.rancher.context import Context
from lab.rancher.droplet_driver import Driver, DriverError
from lab.rancher.errors import RancherError, invalid
from lab.rancher.server import RancherServer
from lab.rancher.settings import agent_image
from lab.rancher.store import Resource

_DRIVERS = ("amazonec2Config", "digitaloceanConfig")
_SCRIPT = re.compile(r"/install-docker/(\d+)[.\d]*\.sh$")
_NEWEST_DOCKER, _LAST_DOCKER_FOR_DRIVERS = 29, 19
_NO_AUFS = (
    "Error creating machine: Error running provisioning: ssh command error: command: sudo systemctl -f start docker, "
    "err: exit status 1"
)
_DOCKER_TOO_NEW = (
    "Error creating machine: Error running provisioning: Unable to verify the Docker daemon is listening: "
    "Maximum number of retries (10) exceeded"
)


def install(server: RancherServer) -> Machines:
    machines = Machines(server)
    server.on_create("machine", machines.create)
    server.on_create("host", machines.create_host)
    server.on_delete("physicalHost", machines.delete)
    server.on_show("physicalHost", machines.show)
    for kind in ("machine", "physicalHost"):
        server.on_link(kind, "hosts", lambda _c, one: server.store.live("host", physicalHostId=one.id))
    server.processes.on_work("physicalHost", "create", machines.make, then="bootstrap")
    server.processes.on_work("physicalHost", "bootstrap", machines.bootstrap)
    server.processes.on_work("physicalHost", "remove", machines.unmake)
    server.processes.on_work("host", "provision", lambda _host: False)
    for number, name in enumerate(("digitalocean", "amazonec2"), start=1):
        server.store.create(
            "machineDriver", name=name, kind="machineDriver", state="active", builtin=True, url=f"local://{number}"
        )
    return machines


class Machines:
    """Physical hosts, and the cloud machines behind them."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server
        self._driver = Driver(server.world)

    def missing_types(self) -> frozenset[str]:
        """The drivers' types appear a while after the server answers."""
        late = self._server.world.clock.now() - self._server.born < self._server.world.settings.rancher_driver_seconds
        return frozenset((*_DRIVERS, "machine")) if late else frozenset()

    # Creating

    def create(self, context: Context, kind: str, fields: dict[str, Any]) -> Resource:
        machine = self._new(context, kind, fields)
        self._server.processes.start(machine, "create")
        return machine

    def create_host(self, context: Context, kind: str, fields: dict[str, Any]) -> Resource:
        """/v2-beta: the host is there at once, its machine follows."""
        if not fields.get("hostname"):
            raise invalid("MissingRequired", "hostname")
        machine = self._new(context, "machine", {**fields, "name": fields["hostname"]})
        chosen = {name: value for name, value in fields.items() if value is not None}
        host = self._server.store.create(
            kind,
            **{
                **chosen,
                "accountId": machine.project,
                "physicalHostId": machine.id,
                "driver": machine["driver"],
                "state": "inactive",
            },
        )
        self._server.processes.start(host, "provision")
        self._server.processes.start(machine, "create")
        return host

    def _new(self, context: Context, kind: str, fields: dict[str, Any]) -> Resource:
        given = [name for name in _DRIVERS if fields.get(name) is not None]
        if len(given) != 1:
            raise invalid("DriverConfigExactlyOneRequired", "driver")
        chosen = {name: value for name, value in fields.items() if value is not None}
        machine = self._server.store.create(
            kind, **{**chosen, "accountId": context.owner().id, "driver": given[0].removesuffix("Config")}
        )
        machine["externalId"] = machine["uuid"]
        return machine

    def make(self, machine: Resource) -> bool:
        """The driver works beside the server; what it finds out arrives under the world's lock."""
        config = machine["digitaloceanConfig"]
        if config is None:
            self._fail(machine, "Error creating machine: the lab has no such cloud")
            return False
        self._say(machine, "Contacting digitalocean")

        def said(text: str) -> None:
            with self._server.world.lock:
                self._say(machine, text)

        def made(droplet: dict[str, Any]) -> None:
            with self._server.world.lock:
                machine["droplet"] = droplet
                self._server.processes.finish(machine, "create")

        def failed(error: DriverError) -> None:
            with self._server.world.lock:
                machine["droplet"] = error.made
                self._fail(machine, str(error))

        self._driver.create(machine.name, config, said, made, failed)
        return False

    def bootstrap(self, machine: Resource) -> bool:
        """Docker is installed on the machine, and then the agent is started, which reports it as a host."""
        self._say(machine, "Installing Docker")
        self._server.agenda.after(
            self._server.world.settings.rancher_install_seconds, lambda: self._start_agent(machine)
        )
        return False

    def _start_agent(self, machine: Resource) -> None:
        if machine.process != "bootstrap":
            return
        found = self._server.world.machines.at(machine["droplet"]["address"])
        if found is None:
            self._fail(machine, f"Error creating machine: {machine.name} cannot be reached by SSH")
            return
        problem = _docker_problem(machine["engineInstallUrl"] or "", machine["engineStorageDriver"] or "aufs")
        if problem:
            self._fail(machine, problem)
            return
        self._say(machine, "Installing Rancher agent")
        hosts = self._server.parts["hosts"]
        # the driver runs inside the server: only the setting tells it under which address that is known outside
        url = hosts.registration_url(hosts.token_of(str(machine.project)), "http://localhost:8080")
        labels = "&".join(f"{name}={value}" for name, value in (machine["labels"] or {}).items())
        environment = {"CATTLE_HOST_LABELS": labels, "CATTLE_PHYSICAL_HOST_ID": machine.id}
        found.run(Container(found, agent_image(self._server), "rancher-agent", {}, environment, (url,)))
        self._server.processes.finish(machine, "bootstrap")
        for host in self._server.store.live("host", physicalHostId=machine.id):
            self._server.processes.finish(host, "provision")

    def _say(self, machine: Resource, text: str) -> None:
        if machine.process is not None:
            machine.message = text
        for host in self._server.store.live("host", physicalHostId=machine.id):
            if host.process == "provision":
                host.message = text

    def _fail(self, machine: Resource, message: str) -> None:
        if machine.process is None:
            return
        self._server.processes.fail(machine, message)
        for host in self._server.store.live("host", physicalHostId=machine.id):
            self._server.processes.fail(host, message)

    # Removing

    def delete(self, _context: Context, machine: Resource, _body: dict[str, Any]) -> None:
        """A machine takes its host along, active or not."""
        if not self._server.processes.find(machine, "remove"):
            raise RancherError(405)
        for host in self._server.store.live("host", physicalHostId=machine.id):
            self._server.parts["cleaner"].remove(host)
        if self._server.processes.find(machine, "remove"):
            self._server.processes.start(machine, "remove")

    def host_removed(self, host: Resource) -> None:
        machine = self._server.store.get("physicalHost", host["physicalHostId"])
        if machine is not None and not machine.gone and self._server.processes.find(machine, "remove"):
            self._server.processes.start(machine, "remove")

    def unmake(self, machine: Resource) -> bool | None:
        droplet = machine["droplet"]
        if not droplet:
            return None

        def unmade() -> None:
            with self._server.world.lock:
                self._server.processes.finish(machine, "remove")

        def failed(error: DriverError) -> None:
            with self._server.world.lock:
                machine.message = str(error)

        self._driver.remove(machine["digitaloceanConfig"], droplet, unmade, failed)
        return False

    def show(self, _context: Context, machine: Resource) -> dict[str, Any]:
        return {"kind": machine.kind}


def _docker_problem(script: str, storage: str) -> str | None:
    """Why the driver cannot set up the Docker that is installed: by the script, or the newest if there is none."""
    found = _SCRIPT.search(script)
    if int(found[1] if found else _NEWEST_DOCKER) > _LAST_DOCKER_FOR_DRIVERS:
        return _DOCKER_TOO_NEW
    return _NO_AUFS if storage == "aufs" else None
