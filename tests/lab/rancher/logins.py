# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access control: whether it is on, by which provider, and the tokens of those who have logged in."""

from __future__ import annotations

from lab.rancher.server import RancherServer
from lab.rancher.store import Resource


def install(server: RancherServer) -> Logins:
    return Logins(server)


class Logins:
    """Off at first: everybody is the administrator."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server
        self.provider: str | None = None

    @property
    def secure(self) -> bool:
        return self.provider is not None

    def account_of(self, token: str) -> Resource | None:
        return None
