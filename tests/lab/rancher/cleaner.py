# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes things with what belongs to them, in whatever state they are: what a cascade does that no client may."""

from __future__ import annotations

from lab.rancher.server import RancherServer
from lab.rancher.store import Resource

_BY_PROCESS = ("instance", "service", "environment", "host", "physicalHost")
"""Base types whose end takes something along; all others are just gone."""


def install(server: RancherServer) -> Cleaner:
    for base in ("instance", "host", "volume", "credential"):
        server.processes.follow(base, "remove", "purge")
    return Cleaner(server)


class Cleaner:
    """Knows by which way a thing of any state goes."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server

    def remove(self, resource: Resource) -> None:
        processes = self._server.processes
        if resource.gone:
            return
        if resource.base == "instance" and processes.find(resource, "stop"):
            resource["removeWhenStopped"] = True
            processes.start(resource, "stop")
            return
        if resource.base == "host" and processes.find(resource, "deactivate"):
            processes.start(resource, "deactivate")
            processes.finish(resource, "deactivate")
        if resource.base in _BY_PROCESS and processes.find(resource, "remove"):
            processes.start(resource, "remove")
        elif resource.base not in _BY_PROCESS:
            self.forget(resource)

    def forget(self, resource: Resource) -> None:
        """Removed at once, whatever it was doing."""
        resource.state, resource.process = "removed", None
        resource.fields.update(self._server.store.stamp("removed"))
