# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks, in which version of the API and about which project; and how things are called there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lab.rancher.schema import V2, Schema, Types, types_of
from lab.rancher.store import Resource

if TYPE_CHECKING:
    from lab.rancher.server import RancherServer

_V2_NAMES = {"environment": "stack", "environmentId": "stackId", "environmentUpgrade": "stackUpgrade"}
_V1_NAMES = {new: old for old, new in _V2_NAMES.items()}


@dataclass(frozen=True)
class Caller:
    """An account with a role. Project keys are confined to `project`."""

    role: str
    """admin, user, project (a key of an environment) or token (not logged in)."""
    account: Resource | None = None
    project: Resource | None = None


@dataclass(frozen=True)
class Context:
    """One request's surroundings."""

    server: RancherServer
    version: str
    root: str
    """http://host:port, as the client wrote it."""
    caller: Caller
    project: Resource | None = None
    """The project in the path, the header or the key."""
    in_path: bool = False
    """Whether the project is part of the path, and therefore of all links."""

    @property
    def role(self) -> str:
        """Inside a project an administrator sees what its members see; some of these may do less than others."""
        if self.in_path and self.caller.role in ("admin", "user") and self.project:
            return str(self.server.parts["accounts"].role_in(self.caller, self.project.id))
        return self.caller.role

    @cached_property
    def types(self) -> Types:
        return types_of(self.version, self.role).without(self.server.parts["machines"].missing_types())

    @property
    def base(self) -> str:
        return f"{self.root}/{self.version}"

    def url(self, *parts: str) -> str:
        middle = f"/projects/{self.project.id}" if self.in_path and self.project else ""
        return "/".join([self.base + middle, *parts])

    def schema_of(self, resource: Resource) -> Schema | None:
        name = self.shown_name(resource.kind)
        return self.types.get(name)

    def self_link(self, resource: Resource) -> str:
        schema = self.schema_of(resource)
        plural = schema.plural.lower() if schema else resource.kind.lower() + "s"
        if resource.kind == "project":
            return f"{self.base}/projects/{resource.id}"
        return self.url(plural, self.shown_id(resource.id))

    # Names: the store's are those of /v1

    def shown_name(self, name: str) -> str:
        return _V2_NAMES.get(name, name) if self.version == V2 else name

    def stored_name(self, name: str) -> str:
        return _V1_NAMES.get(name, name) if self.version == V2 else name

    def shown_id(self, value: str) -> str:
        return "1st" + value[2:] if self.version == V2 and value[:2] == "1e" and value[2:].isdigit() else value

    def stored_id(self, value: str) -> str:
        return "1e" + value[3:] if self.version == V2 and value[:3] == "1st" and value[3:].isdigit() else value

    def visible(self, resource: Resource) -> bool:
        """May the caller know of it? (Another project's things do not exist for them.)"""
        if resource.kind == "setting" and self.role != "admin":
            return bool(self.server.parts["settings"].is_public(resource))
        if self.project is not None and resource.kind != "project":
            return resource.project in (None, self.project.id)
        if resource.project is None:
            return self.caller.role == "admin" or self.server.parts["accounts"].knows(self.caller, resource)
        return bool(self.server.parts["accounts"].may_see(self.caller, resource.project))

    def owner(self) -> Any:
        """The project in which something new is made."""
        return self.project or self.server.parts["accounts"].home(self.caller)
