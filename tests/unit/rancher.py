# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of Rancher's API, as its documentation and its recorded schemas show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.container.schedulers.plugins.module_utils._clock import Deadline
from ansible_collections.container.schedulers.plugins.module_utils._rancher.api import Connection, Rancher
from ansible_collections.container.schedulers.plugins.module_utils._rancher.environments import Environment, Run
from ansible_collections.container.schedulers.plugins.module_utils._rancher.errors import translate
from unit.scripted_http import Request, ScriptedHttp

URL = "http://rancher.test:8080"
MARK = "[container.schedulers/owner=rancher/1a5; container.schedulers/part={part}; container.schedulers/app={app}]"


def marked(part: str = "service", app: str = "Default") -> str:
    """A description with our mark."""
    return MARK.format(part=part, app=app)


def collection(*data: Mapping[str, Any], following: str | None = None) -> dict[str, Any]:
    """A page of a list."""
    pagination = {"limit": 1000, "total": None, "partial": following is not None, "next": following}
    return {"type": "collection", "links": {}, "actions": {}, "data": list(data), "pagination": pagination}


def versions(*names: str) -> dict[str, Any]:
    """What a server answers at its root."""
    return collection(*({"id": name, "type": "apiVersion", "links": {"self": f"{URL}/{name}"}} for name in names))


def thing(kind: str, identifier: str, collection_name: str, *actions: str, **fields: Any) -> dict[str, Any]:
    """Any resource in environment 1a5."""
    version = fields.pop("version", "v2-beta")
    self = f"{URL}/{version}/projects/1a5/{collection_name}/{identifier}"
    return {
        "id": identifier,
        "type": kind,
        "state": "active",
        "transitioning": "no",
        "links": {"self": self, "services": f"{self}/services", "instances": f"{self}/instances"},
        "actions": {action: f"{self}/?action={action}" for action in actions},
        **fields,
    }


def project(identifier: str = "1a5", name: str = "Default", **fields: Any) -> dict[str, Any]:
    return {"id": identifier, "type": "project", "name": name, "state": "active", "transitioning": "no", **fields}


def stack(name: str = "Default", identifier: str = "1st1", *actions: str, **fields: Any) -> dict[str, Any]:
    described = {"description": marked("stack", name), "healthState": "healthy"}
    return thing("stack", identifier, "stacks", *actions, name=name, **{**described, **fields})


def launch(image: str = "nginx:1.27", **fields: Any) -> dict[str, Any]:
    return {"type": "launchConfig", "kind": "container", "imageUuid": f"docker:{image}", "labels": {}, **fields}


def service(name: str = "web", identifier: str = "1s7", *actions: str, **fields: Any) -> dict[str, Any]:
    usual = {
        "description": marked(),
        "stackId": "1st1",
        "healthState": "healthy",
        "scale": 1,
        "currentScale": 1,
        "launchConfig": launch(),
        "secondaryLaunchConfigs": [],
        "publicEndpoints": [],
    }
    return thing("service", identifier, "services", *actions, name=name, **{**usual, **fields})


def error(status: int, code: str, message: str | None = None, field: str | None = None) -> dict[str, Any]:
    """The body of an error answer."""
    return {"type": "error", "status": status, "code": code, "message": message, "detail": None, "fieldName": field}


def rancher(*requests: Request, version: str = "v2-beta") -> tuple[Rancher, ScriptedHttp]:
    """A server that follows a script."""
    http = ScriptedHttp(*requests, translate=translate, url=URL)
    return Rancher(Connection(URL, api_version=version), http), http


def run_with(*requests: Request, version: str = "v2-beta", seconds: float = 60.0) -> tuple[Run, ScriptedHttp]:
    """A run in the environment Default."""
    server, http = rancher(*requests, version=version)
    return Run(server, Environment("1a5", "Default"), Deadline(http.clock, seconds)), http
