# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers: placed on a host, pulled, started, stopped, removed; what they have for addresses and ports."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from lab import containers
from lab.rancher import runtime
from lab.rancher.context import Context
from lab.rancher.errors import RancherError, invalid
from lab.rancher.images import image_of, starts_once
from lab.rancher.network import Network
from lab.rancher.placement import Placement, PlacementError
from lab.rancher.ports import Port, parse_all
from lab.rancher.processes import ProcessFailedError
from lab.rancher.runtime import Running
from lab.rancher.server import RancherServer
from lab.rancher.store import Resource

_MODES = ("managed", "host", "bridge", "default", "none", "container")
_MANAGED_NETWORK = "10.42"
_SERVICE_FIELDS = (
    "type",
    "kind",
    "name",
    "labels",
    "healthCheck",
    "ports",
    "version",
    "vcpu",
    "dataVolumesFromLaunchConfigs",
    "networkLaunchConfig",
)


def install(server: RancherServer) -> Instances:
    instances = Instances(server)
    server.on_create("container", instances.create_alone)
    server.on_show("instance", instances.show)
    server.on_delete("instance", instances.delete)
    server.on_link("instance", "hosts", instances.hosts)
    server.on_link("instance", "ports", lambda _c, one: server.store.live("port", instanceId=one.id))
    server.on_link("instance", "services", instances.services)
    server.on_link(
        "instance", "serviceExposeMaps", lambda _c, one: server.store.live("serviceExposeMap", instanceId=one.id)
    )
    server.on_link("port", "instance", lambda _c, one: [server.store.need("instance", one["instanceId"])])
    work = server.processes.on_work
    work("instance", "create", instances.place, then="start")
    work("instance", "start", instances.start)
    work("instance", "stop", instances.stop)
    work("instance", "restart", instances.restart)
    work("instance", "remove", instances.remove)
    server.on_stop(instances.clear)
    return instances


class Instances:
    """All containers of one server."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server
        self._addresses = 0
        self._pulled: set[tuple[str, str]] = set()
        self.running: dict[str, Running] = {}
        self.placement = Placement(server)
        self.network = Network(server, self.running)

    # Making one

    def create_alone(self, context: Context, kind: str, fields: dict[str, Any]) -> Resource:
        """A container that belongs to no service."""
        check_image(fields.get("imageUuid"))
        parse_all(fields.get("ports"))
        chosen = {name: value for name, value in fields.items() if value is not None}
        instance = self._server.store.create(
            kind, **{**chosen, "accountId": context.owner().id, "publishedPorts": fields.get("ports") or []}
        )
        self._server.processes.start(instance, "create")
        return instance

    def create(self, project_id: str, name: str, config: Mapping[str, Any], **more: Any) -> Resource:
        """A container of a service. `more` holds what ties it to its unit."""
        kept = {key: value for key, value in config.items() if key not in _SERVICE_FIELDS and value is not None}
        labels = {**(config.get("labels") or {}), **more.pop("labels", {})}
        instance = self._server.store.create(
            "container",
            **kept,
            accountId=project_id,
            name=name,
            labels=labels,
            ports=list(config.get("ports") or ()),
            healthCheck=config.get("healthCheck"),
            **more,
        )
        self._server.processes.start(instance, "create")
        return instance

    def place(self, instance: Resource) -> bool:
        """Create: a host, an address, the image."""
        self._require_network(instance)
        try:
            host = self._host(instance)
        except PlacementError as error:
            if self._server.era == "1.6":
                raise ProcessFailedError(
                    f"Failed to allocate instance [container:{instance.id}]: Bad instance [container:{instance.id}] "
                    f"in state [error]: {error}"
                ) from error
            raise ProcessFailedError(str(error)) from error
        instance["hostId"] = host.id
        instance["primaryIpAddress"] = instance["requestedIpAddress"] or self._address(instance, host)
        image = image_of(instance.fields)
        instance.message = f"Pulling: {image}" if (host.id, image) not in self._pulled else "Creating container"
        pause = 0.0 if (host.id, image) in self._pulled else self._server.world.settings.rancher_pull_seconds
        self._server.agenda.after(pause, lambda: self._created(instance, host, image))
        return False

    def _created(self, instance: Resource, host: Resource, image: str) -> None:
        if instance.process != "create":
            return
        problem = containers.pull_error(image)
        if problem:
            self._server.processes.fail(instance, f"Image [{image}] failed to pull: {problem}")
            return
        self._pulled.add((host.id, image))
        try:
            self._server.parts["volumes"].attach(instance, host)
        except ProcessFailedError as failure:
            self._server.processes.fail(instance, str(failure))
            return
        instance["externalId"] = secrets.token_hex(32)
        self._make_ports(instance, host)
        self._server.processes.finish(instance, "create")

    def _require_network(self, instance: Resource) -> None:
        """Since 1.2 a mode may be the name of a network of the environment."""
        mode = str(instance["networkMode"] or "managed")
        networks = self._server.store.live("network", accountId=str(instance.project))
        if self._server.era == "1.6" and mode not in _MODES and mode not in {one.name for one in networks}:
            raise ProcessFailedError(f"Failed to find network for networkMode {mode}")

    def _host(self, instance: Resource) -> Resource:
        wanted = instance["hostId"] or instance["requestedHostId"]
        if wanted:
            host = self._server.store.get("host", wanted)
            if host is None or host not in self._server.parts["hosts"].usable(str(instance.project)):
                raise PlacementError(f"host {wanted} is not active")
            return host
        config = {"labels": instance["labels"], "ports": instance["publishedPorts"]}
        return self.placement.choose(str(instance.project), [config])

    def _address(self, instance: Resource, host: Resource) -> str | None:
        mode = instance["networkMode"] or "managed"
        if mode == "host":
            return str(self._server.parts["hosts"].address(host))
        if mode in ("none", "container"):
            return None
        self._addresses += 1
        spread = (self._addresses * 7919) % 64000 + 256
        return f"{_MANAGED_NETWORK}.{spread // 250}.{spread % 250 + 2}"

    def _make_ports(self, instance: Resource, host: Resource) -> None:
        address = next(iter(self._server.store.live("ipAddress", hostId=host.id)), None)
        for port in parse_all(instance["publishedPorts"]):
            self._server.store.create(
                "port",
                accountId=instance.project,
                instanceId=instance.id,
                privatePort=port.private,
                publicPort=port.public or None,
                protocol=port.protocol,
                bindAddress=port.address or "0.0.0.0",
                publicIpAddressId=address.id if address else None,
                state="active",
            )

    # Running

    def start(self, instance: Resource) -> None:
        now = self._server.world.clock.utc()
        running = runtime.begin(instance, now)
        for part in ("balancing", "convoy", "external_dns", "orchestration", "sites"):
            self._server.parts[part].equip(instance, running)
        self.running[instance.id] = running
        instance["startCount"] = int(instance["startCount"] or 0) + 1
        instance["firstRunning"] = instance["firstRunning"] or self._server.store.stamp("at")["at"]
        self.network.publish(instance)
        self._server.parts["health"].begin(instance)
        if starts_once(instance.fields) or containers.exit_code(running.program) is not None:
            self._server.agenda.after(0, lambda: self.ended(instance))

    def ended(self, instance: Resource) -> None:
        """Its main process has ended by itself."""
        if instance.state == "running" and instance.process is None:
            self._server.processes.start(instance, "stop", 0)

    def stop(self, instance: Resource) -> None:
        self._halt(instance)
        if instance["removeWhenStopped"]:
            self._server.agenda.after(0, lambda: self._server.parts["cleaner"].remove(instance))

    def restart(self, instance: Resource) -> None:
        self._halt(instance)
        self.start(instance)

    def _halt(self, instance: Resource) -> None:
        self.network.withdraw(instance)
        running = self.running.pop(instance.id, None)
        if running is not None:
            instance["lastLog"] = list(running.log)
        self._server.parts["health"].end(instance)

    # Ending

    def delete(self, _context: Context, instance: Resource, _body: dict[str, Any]) -> None:
        if not any(self._server.processes.find(instance, name) for name in ("remove", "stop")):
            raise RancherError(405)
        self.end(instance)

    def end(self, instance: Resource) -> None:
        """Stop it if it runs, then remove it."""
        self._server.parts["cleaner"].remove(instance)

    def remove(self, instance: Resource) -> None:
        self._halt(instance)
        for kind in ("port", "serviceExposeMap"):
            for one in self._server.store.live(kind, instanceId=instance.id):
                self._server.parts["cleaner"].remove(one)
        self._server.parts["volumes"].detach(instance)

    def vanish(self, instance: Resource) -> None:
        """Its host is gone, and it with that."""
        self.remove(instance)
        self._server.parts["cleaner"].forget(instance)

    def clear(self) -> None:
        for instance in self._server.store.all("instance"):
            self.network.withdraw(instance)
        self.running.clear()

    # What is shown

    def show(self, _context: Context, instance: Resource) -> dict[str, Any]:
        services = [one["serviceId"] for one in self._server.store.live("serviceExposeMap", instanceId=instance.id)]
        return {
            "kind": "container",
            "nativeContainer": False,
            "networkMode": instance["networkMode"] or "managed",
            "ports": [str(port) for port in parse_all(instance["publishedPorts"])] or instance["ports"],
            "serviceIds": services,
            "version": instance["version"] or "0",
            "system": is_system(instance),
        }

    def endpoints(self, host: Resource | None = None, service: Resource | None = None) -> list[dict[str, Any]]:
        """Where running containers can be reached from outside."""
        wanted = {"hostId": host.id} if host else {"serviceId": service.id} if service else {}
        return [
            {
                "type": "publicEndpoint",
                "hostId": instance["hostId"],
                "instanceId": instance.id,
                "ipAddress": self._endpoint(instance, port),
                "port": port.public,
                "serviceId": instance["serviceId"],
            }
            for instance in self._server.store.live("instance", state="running", **wanted)
            for port in parse_all(instance["publishedPorts"])
            if port.public
        ]

    def _endpoint(self, instance: Resource, port: Port) -> str:
        """What the port is bound to; the host's, if that is any."""
        host = self._server.store.need("host", instance["hostId"])
        bound = port.address not in (None, "0.0.0.0")
        return str(port.address if bound else self._server.parts["hosts"].address(host))

    def hosts(self, _context: Context, instance: Resource) -> list[Resource]:
        found = self._server.store.get("host", instance["hostId"])
        return [found] if found else []

    def services(self, _context: Context, instance: Resource) -> list[Resource]:
        found = self._server.store.get("service", instance["serviceId"])
        return [found] if found else []


def is_system(instance: Resource) -> bool:
    """Of what Rancher itself runs."""
    return bool(instance["system"] or instance["systemContainer"])


def check_image(image: object) -> None:
    text = str(image or "")
    if (
        not text.startswith("docker:")
        or containers.pull_error(text.removeprefix("docker:")) == "invalid reference format"
    ):
        raise invalid("InvalidReference", "imageUuid")
