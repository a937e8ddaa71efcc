# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes: named ones outlive the containers that mount them."""

from __future__ import annotations

from lab.rancher.server import RancherServer
from lab.rancher.store import Resource


def install(server: RancherServer) -> Volumes:
    return Volumes(server)


class Volumes:
    """The volumes of one server."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server

    def attach(self, instance: Resource, host: Resource) -> None:
        pass

    def detach(self, instance: Resource) -> None:
        pass
