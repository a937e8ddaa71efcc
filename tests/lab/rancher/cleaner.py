# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes things with what belongs to them, in whatever state they are: what a cascade does that no client may."""

from __future__ import annotations

from lab.rancher.server import RancherServer
from lab.rancher.store import Resource


def install(server: RancherServer) -> Cleaner:
    for base in ("instance", "host", "volume", "credential"):
        server.processes.follow(base, "remove", "purge")
    return Cleaner(server)


class Cleaner:
    """Knows by which process a thing of any state is removed."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server

    def remove(self, resource: Resource) -> None:
        if resource.gone:
            return
        for process in ("remove", "deactivate", "stop"):
            if self._server.processes.find(resource, process):
                if process != "remove":
                    resource["removeWhenStopped"] = True
                self._server.processes.start(resource, process)
                return
        resource.state = "removed"
        resource.process = None
        resource.fields.update(self._server.store.stamp("removed"))
