# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts: how they come (an agent registers), what is known of them, how they go."""

from __future__ import annotations

import base64
import json
from typing import Any

from lab.machines import Machine
from lab.messages import Answer, Request, json_answer
from lab.rancher import instances
from lab.rancher.context import Context
from lab.rancher.errors import RancherError, invalid
from lab.rancher.keys import random_text
from lab.rancher.server import RancherServer
from lab.rancher.settings import agent_image
from lab.rancher.store import Resource

_TOKEN_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789"
_DOCKER = {"1.1": "Docker version 1.10.3, build 20f81dd", "1.6": "Docker version 17.03.2-ce, build f5ec1e2"}


def install(server: RancherServer) -> Hosts:
    hosts = Hosts(server)
    server.on_create("registrationToken", hosts.create_token)
    server.on_show("credential", hosts.show_token)
    server.on_show("host", hosts.show)
    server.on_link("host", "instances", lambda _c, host: server.store.live("instance", hostId=host.id))
    server.on_link("host", "ipAddresses", lambda _c, host: server.store.live("ipAddress", hostId=host.id))
    server.on_link("host", "volumes", lambda _c, host: server.store.live("volume", hostId=host.id))
    server.on_link("host", "physicalHost", hosts.physical)
    server.on_link("ipAddress", "hosts", lambda _c, one: server.store.live("host", id=one["hostId"]))
    server.on_action("host", "dockersocket", hosts.docker_socket, ["active"])
    server.on_action("host", "evacuate", hosts.evacuate, ["active", "inactive"])
    server.on_route("/v1/scripts/", hosts.script)
    server.on_route("/v1/register", hosts.register)
    server.processes.follow("host", "create", "activate")
    server.processes.on_work("host", "remove", hosts.remove)
    server.on_stop(hosts.clear)
    return hosts


class Hosts:
    """The hosts of one server, and the lab's machines that they are."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server
        self._machines: dict[str, Machine] = {}

    # Registration

    def create_token(self, context: Context, kind: str, fields: dict[str, Any]) -> Resource:
        chosen = {name: value for name, value in fields.items() if value is not None}
        token = random_text(_TOKEN_LETTERS, 40)
        made = self._server.store.create(kind, **{**chosen, "accountId": context.owner().id, "secretValue": token})
        self._server.processes.start(made, "create")
        return made

    def show_token(self, context: Context, token: Resource) -> dict[str, Any]:
        if token.kind != "registrationToken" or token.state != "active":
            return {}
        url = self.registration_url(token, context.root)
        return {
            "token": _public(token),
            "registrationUrl": url,
            "image": agent_image(self._server),
            "command": "sudo docker run -d --privileged -v /var/run/docker.sock:/var/run/docker.sock "
            f"-v /var/lib/rancher:/var/lib/rancher {agent_image(self._server)} {url}",
        }

    def registration_url(self, token: Resource, root: str) -> str:
        return f"{self._server.parts['settings'].value('api.host') or root}/v1/scripts/{_public(token)}"

    def token_of(self, project_id: str) -> Resource:
        """The project's token for hosts that the server itself makes."""
        for token in self._server.store.live("credential", accountId=project_id):
            if token.kind == "registrationToken" and token.state == "active":
                return token
        secret = random_text(_TOKEN_LETTERS, 40)
        return self._server.store.create("registrationToken", accountId=project_id, secretValue=secret, state="active")

    def script(self, request: Request, rest: str) -> Answer:
        """What the agent's container fetches first: where to register, and with what."""
        token = self._token(rest.strip("/"))
        if token is None:
            raise RancherError(404)
        url = f"http://{request.headers.get('host', '')}/v1"
        lines = (
            "#!/bin/sh",
            f"CATTLE_URL={url}",
            f"CATTLE_REGISTRATION_ACCESS_KEY=registrationToken.{token.id}",
            f"CATTLE_REGISTRATION_SECRET_KEY={token['secretValue']}",
            "",
        )
        return Answer(200, "\n".join(lines).encode(), {"Content-Type": "text/plain"})

    def _token(self, public: str) -> Resource | None:
        for token in self._server.store.live("credential"):
            if token.kind == "registrationToken" and token.state == "active" and _public(token) == public:
                return token
        return None

    def register(self, request: Request, _rest: str) -> Answer:
        """An agent reports its host, with the key and secret of a registration token in it."""
        try:
            facts = json.loads(base64.b64decode(json.loads(request.body)["key"]))
        except (ValueError, KeyError, TypeError):
            raise invalid("MissingRequired", "key") from None
        token = self._server.store.get("registrationToken", facts["token"])
        machine = self._server.world.machines.at(facts["address"])
        if token is None or token["secretValue"] != facts["secret"] or machine is None:
            raise RancherError(401)
        host = self.add(str(token.project), machine, facts["hostname"], facts["labels"], facts.get("physicalHost"))
        document = {"type": "register", "links": {}, "actions": {}, "hostId": host.id, "state": "registering"}
        return json_answer(document, 201)

    def add(
        self, project_id: str, machine: Machine, hostname: str, labels: dict[str, str], physical: str | None = None
    ) -> Resource:
        store = self._server.store
        host = self._known(project_id, machine, physical) or store.create(
            "host", accountId=project_id, labels={}, physicalHostId=physical or self._custom(project_id)
        )
        host.fields.update(
            {
                "kind": "docker",
                "hostname": hostname,
                "agentIpAddress": machine.address,
                "agentState": None,
                "labels": {**self._builtin_labels(), **(host["labels"] or {}), **labels},
            }
        )
        self._machines[host.id] = machine
        if not store.live("ipAddress", hostId=host.id):
            store.create("ipAddress", accountId=project_id, address=machine.address, hostId=host.id, state="active")
        if host.state in ("requested", "provisioned", "inactive"):
            self._server.processes.start(host, "create" if host.state == "requested" else "activate")
        return host

    def _known(self, project_id: str, machine: Machine, physical: str | None) -> Resource | None:
        """The host that waits for its machine; or the one that this machine is already."""
        for one in self._server.store.live("host", accountId=project_id):
            if (physical and one["physicalHostId"] == physical) or self._machines.get(one.id) is machine:
                return one
        return None

    def _custom(self, project_id: str) -> str:
        """A machine that the server has not made is a physical host all the same."""
        made = self._server.store.create("physicalHost", accountId=project_id, state="active")
        return made.id

    def _builtin_labels(self) -> dict[str, str]:
        docker = _DOCKER[self._server.era].split()[2].rpartition(".")[0]
        return {
            "io.rancher.host.docker_version": docker,
            "io.rancher.host.linux_kernel_version": "4.4" if self._server.era == "1.6" else "3.13",
        }

    # What is known

    def machine_of(self, host: Resource) -> Machine | None:
        """The lab's machine, if it is still there."""
        machine = self._machines.get(host.id)
        return machine if machine and self._server.world.machines.at(machine.address) is machine else None

    def address(self, host: Resource) -> str:
        machine = self._machines.get(host.id)
        return machine.address if machine else ""

    def usable(self, project_id: str) -> list[Resource]:
        """Where containers can be put."""
        return [
            host
            for host in self._server.store.live("host", accountId=project_id)
            if host.state == "active" and self.machine_of(host) is not None
        ]

    def show(self, _context: Context, host: Resource) -> dict[str, Any]:
        shown: dict[str, Any] = {"publicEndpoints": self._server.parts["instances"].endpoints(host=host)}
        shown["instanceIds"] = [one.id for one in self._server.store.live("instance", hostId=host.id)]
        machine = self._machines.get(host.id)
        if machine is None:
            return shown
        alive = self.machine_of(host) is not None
        new = self._server.era == "1.6"
        return {
            **shown,
            # before 1.2, an agent that is gone is waited for without end
            "agentState": host["agentState"] if alive else "disconnected" if new else "reconnecting",
            "info": {
                "osInfo": {
                    "operatingSystem": "Ubuntu 16.04.7 LTS" if new else "Ubuntu 14.04.5 LTS",
                    "dockerVersion": _DOCKER[self._server.era],
                    "kernelVersion": "4.4.0" if new else "3.13.0",
                },
                "memoryInfo": {"memTotal": 994, "memFree": 512, "memAvailable": 640},
                "cpuInfo": {"count": 1, "mhz": 2400.0, "modelName": "lab"},
                "diskInfo": {"mountPoints": {}},
            },
        }

    def physical(self, _context: Context, host: Resource) -> list[Resource]:
        found = self._server.store.get("physicalHost", host["physicalHostId"])
        return [found] if found else []

    def docker_socket(self, context: Context, host: Resource, _body: dict[str, Any]) -> dict[str, Any]:
        url = context.root.replace("http", "ws", 1) + "/v1/dockersocket/"
        return {"type": "hostAccess", "links": {}, "actions": {}, "token": host["uuid"], "url": url}

    # The end

    def evacuate(self, _context: Context, host: Resource, _body: dict[str, Any]) -> None:
        """Only noted down: the host is answered as it is, and seen to later."""
        self._server.agenda.after(self._server.world.settings.rancher_process_seconds, lambda: self._empty(host))

    def _empty(self, host: Resource) -> None:
        """Switched off; then what runs there is stopped and removed, but for what Rancher itself needs."""
        if self._server.processes.find(host, "deactivate"):
            self._server.processes.start(host, "deactivate")
        for instance in self._server.store.live("instance", hostId=host.id):
            if not instances.is_system(instance) and self._server.processes.find(instance, "stop"):
                self._server.parts["instances"].end(instance)

    def remove(self, host: Resource) -> None:
        """Its containers are gone; the machine goes too if the server has made it."""
        for instance in self._server.store.live("instance", hostId=host.id):
            self._server.parts["instances"].vanish(instance)
        for address in self._server.store.live("ipAddress", hostId=host.id):
            self._server.parts["cleaner"].remove(address)
        self._server.parts["machines"].host_removed(host)
        machine = self._machines.pop(host.id, None)
        if machine is not None and machine.name.startswith("lab-host-"):
            self._server.world.machines.unplug(machine)

    def clear(self) -> None:
        self._machines.clear()


def _public(token: Resource) -> str:
    """What the registration URL ends with."""
    return f"{token['uuid'].replace('-', '')[:20].upper()}:{token['createdTS']}:{token['secretValue']}"
