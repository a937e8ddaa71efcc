# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""convoy-agent: the volume driver of a stack. It works as long as the Gluster service that it is linked to does,
and has a volume of the name that it was told; then there is a storage pool, and containers can have such volumes.
"""

from __future__ import annotations

from lab.containers import Page
from lab.rancher.images import image_of
from lab.rancher.runtime import Running
from lab.rancher.server import RancherServer
from lab.rancher.store import Resource

_IMAGE = "rancher/convoy-agent"
_PORT = 10241
_POOL_AGENT = "storagepool-agent"


def install(server: RancherServer) -> Convoy:
    convoy = Convoy(server)
    server.on_step(convoy.step)
    return convoy


class Convoy:
    """All convoy agents of one server."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server

    def equip(self, instance: Resource, running: Running) -> None:
        """The agent's health check says whether it has its volume."""
        if image_of(instance.fields).startswith(_IMAGE) and _POOL_AGENT not in (instance["command"] or ()):
            running.responders[_PORT] = lambda _visit: self._health(instance)

    def _health(self, instance: Resource) -> Page:
        problem = self._problem(instance)
        return Page(503, f"{problem}\n", "text/plain") if problem else Page(200, "OK\n", "text/plain")

    def _problem(self, instance: Resource) -> str | None:
        network = self._server.parts["instances"].network
        service = self._server.store.get("service", instance["serviceId"])
        gluster = network.named(instance, "glusterfs")
        if service is None or gluster is None or not network.addresses(gluster):
            return "no server of the Gluster volume answers"
        wanted = (service["metadata"] or {}).get("volume_pool")
        if wanted != (gluster["metadata"] or {}).get("volume_name"):
            return f"there is no Gluster volume {wanted}"
        return None

    def step(self) -> None:
        """Announce the storage pools of stacks whose agents all work, and take back those of stacks that are gone."""
        store, volumes = self._server.store, self._server.parts["volumes"]
        for pool in store.live("storagePool"):
            if pool["convoyStack"] and store.need("environment", pool["convoyStack"]).gone:
                self._server.parts["cleaner"].remove(pool)
        for service in store.live("service"):
            config = service["launchConfig"] or {}
            if not image_of(config).startswith(_IMAGE) or _POOL_AGENT not in (config.get("command") or ()):
                continue
            stack = store.need("environment", service["environmentId"])
            if service.state == "active" and self._server.parts["services"].health.of_stack(stack) == "healthy":
                volumes.announce(str(stack.project), stack.name, stack.id)
