# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module tells of a host. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._ownership import PREFIX
from .api import Object
from .host_view import HostView
from .launch_config import IMAGE_PREFIX
from .stack_result import endpoints_of


def host_result(view: HostView) -> dict[str, Any]:
    """One host."""
    host = view.host or {}
    return {
        "id": view.id,
        "name": view.name,
        "state": view.state,
        "message": view.message,
        "address": address_of(host),
        "driver": view.driver,
        "labels": {name: value for name, value in view.labels.items() if not name.startswith(PREFIX)},
        "docker_version": _info(host, "dockerVersion"),
        "operating_system": _info(host, "operatingSystem"),
        "ports": sorted({point["port"] for point in endpoints_of(host)}),
    }


def address_of(host: Object) -> str | None:
    """The address of a host: what its agent says, or what its published ports are at."""
    if host.get("agentIpAddress"):
        return str(host["agentIpAddress"])
    inlined = [one.get("address") for one in host.get("ipAddresses") or () if isinstance(one, dict)]
    points = [point["address"] for point in endpoints_of(host)]
    return next((str(one) for one in (*inlined, *points) if one), None)


def _info(host: Object, name: str) -> str | None:
    said = ((host.get("info") or {}).get("osInfo") or {}).get(name)
    return str(said) if said else None


def placed_result(container: Object, hosts: Iterable[HostView]) -> dict[str, Any]:
    """One container, with the name of its host."""
    names = {view.id: view.name for view in hosts}
    return {**container_result(container), "host": names.get(str(container.get("hostId")))}


def container_result(container: Object) -> dict[str, Any]:
    """One container."""
    labels = container.get("labels") or {}
    stack, _slash, service = str(labels.get("io.rancher.stack_service.name") or "").partition("/")
    return {
        "id": container["id"],
        "name": container.get("name"),
        "state": container.get("state"),
        "health": container.get("healthState"),
        "image": str(container.get("imageUuid") or "").removeprefix(IMAGE_PREFIX) or None,
        "address": container.get("primaryIpAddress"),
        "host_id": container.get("hostId"),
        "stack": labels.get("io.rancher.stack.name") or stack or None,
        "service": service or None,
        "docker_id": container.get("externalId"),
        "start_count": container.get("startCount"),
        "ports": list(container.get("ports") or ()),
    }
