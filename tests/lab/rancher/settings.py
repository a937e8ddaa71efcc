# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the server, by name: `1as!api.host`. Any name can be asked for; unset ones have no value. All of them are
there for an administrator; for others there are those that the pages need, which are not the same at all times.
"""

from __future__ import annotations

from typing import Any

from lab.rancher.context import Context
from lab.rancher.server import RancherServer
from lab.rancher.store import Resource

_PREFIX = "1as!"
_DEFAULTS = {
    "api.host": None,
    "catalog.url": "{}",
    "docker.socket.proxy": None,
    "engine.install.url": "https://releases.rancher.com/install-docker/1.12.sh",
    "install.uuid": "00000000-0000-4000-8000-00000000001a",
    "lb.instance.image": "rancher/lb-service-haproxy:v0.9.14",
    "lb.instance.image.uuid": "docker:rancher/load-balancer-service",
    "telemetry.opt": "",
}
_PUBLIC = frozenset(
    {
        "api.ui.index", "cattle.version", "docker.machine.version", "go.machine.service.version",
        "rancher.compose.darwin.url", "rancher.compose.linux.url", "rancher.compose.version",
        "rancher.compose.windows.url", "rancher.server.image", "vm.enabled",
    }
)  # fmt: skip
_PUBLIC_LATER = _PUBLIC | {
    "account.version", "api.auth.local.validate.description", "api.host", "catalog.url", "engine.install.url",
    "lb.instance.image", "newest.docker.version", "project.template.default.name", "rancher.cli.darwin.url",
    "rancher.cli.linux.url", "rancher.cli.version", "rancher.cli.windows.url", "rancher.server.version",
    "supported.docker.range", "swarm.tls.port", "telemetry.opt", "ui.feedback.form", "ui.show.custom.host",
    "ui.show.system",
}  # fmt: skip


def install(server: RancherServer) -> ServerSettings:
    settings = ServerSettings(server)
    server.on_create("setting", settings.create)
    server.on_find("setting", settings.find)
    server.on_find("activeSetting", settings.find)
    server.on_delete("setting", settings.delete)
    server.on_show("setting", settings.show)
    return settings


class ServerSettings:
    """The values that were set, over those that the server has by itself."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server
        for name in sorted((*_DEFAULTS, "rancher.server.version", "rancher.server.image", "cattle.agent.image")):
            self._make(name)

    def value(self, name: str) -> str | None:
        found = self.find(name)
        return found["value"] if found["value"] is not None else self._builtin(name)

    def find(self, wanted: str) -> Resource:
        name = wanted.removeprefix(_PREFIX)
        found = self._server.store.get("setting", _PREFIX + name)
        return found if found is not None else self._make(name)

    def is_public(self, setting: Resource) -> bool:
        return setting.name in (_PUBLIC_LATER if self._server.era == "1.6" else _PUBLIC)

    def create(self, _context: Context, _kind: str, fields: dict[str, Any]) -> Resource:
        setting = self.find(str(fields["name"]))
        setting["value"] = fields["value"]
        return setting

    def delete(self, _context: Context, setting: Resource, _body: dict[str, Any]) -> None:
        setting["value"] = None

    def show(self, _context: Context, setting: Resource) -> dict[str, Any]:
        ours = setting["value"] is not None
        value = self.value(setting.name)
        source = "Database" if ours else "Code Packaged Defaults"
        return {"value": value, "activeValue": value, "inDb": ours, "source": source}

    def _make(self, name: str) -> Resource:
        return self._server.store.create("setting", resource_id=_PREFIX + name, name=name, value=None, state="active")

    def _builtin(self, name: str) -> str | None:
        computed = {
            "rancher.server.version": self._server.version,
            "rancher.server.image": self._server.version,
            "cattle.agent.image": agent_image(self._server),
        }
        return computed.get(name) or _DEFAULTS.get(name)


def agent_image(server: RancherServer) -> str:
    return "rancher/agent:v1.2.11" if server.era == "1.6" else "rancher/agent:v1.0.2"
