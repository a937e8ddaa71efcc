# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module tells of a stack: always the same shape. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .api import Object
from .launch_config import IMAGE_PREFIX
from .marks import words_of
from .ready import is_global


def stack_result(stack: Object | None, services: Iterable[Object]) -> dict[str, Any]:
    """The stack, its services, and where they answer."""
    told = sorted((service_result(one) for one in services), key=lambda one: str(one["name"]))
    endpoints = [{"service": one["name"], **point} for one in told for point in one["endpoints"]]
    return {"stack": _stack(stack) if stack else None, "services": told, "endpoints": endpoints}


def _stack(stack: Object) -> dict[str, Any]:
    return {
        "id": stack["id"],
        "name": stack.get("name"),
        "state": stack.get("state"),
        "health": stack.get("healthState"),
        "description": words_of(stack.get("description")),
        "external_id": stack.get("externalId"),
        "system": bool(stack.get("system")),
    }


def service_result(service: Object) -> dict[str, Any]:
    """One service."""
    launch = service.get("launchConfig") or {}
    everywhere = is_global(service)
    return {
        "id": service["id"],
        "name": service.get("name"),
        "type": service.get("type"),
        "state": service.get("state"),
        "health": service.get("healthState"),
        "message": service.get("transitioningMessage"),
        "description": words_of(service.get("description")),
        "image": str(launch.get("imageUuid") or "").removeprefix(IMAGE_PREFIX) or None,
        "global": everywhere,
        "scale": None if everywhere else service.get("scale"),
        "current_scale": service.get("currentScale"),
        "fqdn": service.get("fqdn"),
        "endpoints": endpoints_of(service),
    }


def endpoints_of(thing: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Addresses and ports that lead to a service or that a host has open, each once."""
    points = {(str(one.get("ipAddress")), int(one["port"]), str(one.get("hostId"))) for one in _points(thing)}
    return [{"address": address, "port": port, "host_id": host} for address, port, host in sorted(points)]


def _points(thing: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return (one for one in thing.get("publicEndpoints") or () if one.get("ipAddress") and one.get("port"))
