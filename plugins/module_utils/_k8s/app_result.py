# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An app as results show it. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .objects import Object, is_true, name_of, namespace_of
from .ready import address_of, state_of


def result(objects: Mapping[str, Object], pods: Iterable[Object]) -> dict[str, Any]:
    """What the module returns."""
    things = list(objects.values())
    controller = next((one for one in things if one["kind"] != "Service"), None)
    service = next((one for one in things if one["kind"] == "Service"), None)
    if controller is None:
        return {"app": None}
    return {"app": app_facts(controller, service, pods)}


def app_facts(controller: Object, service: Object | None, pods: Iterable[Object]) -> dict[str, Any]:
    """One app, from its controller, its service and its pods."""
    spec, status = controller.get("spec") or {}, controller.get("status") or {}
    containers = ((spec.get("template") or {}).get("spec") or {}).get("containers") or ()
    return {
        "name": name_of(controller),
        "namespace": namespace_of(controller),
        "controller": controller["kind"],
        "images": [str(one.get("image")) for one in containers],
        "replicas": int(spec.get("replicas", 1)),
        "ready_replicas": int(status.get("readyReplicas", 0)),
        "available_replicas": int(status.get("availableReplicas", 0)),
        "ready": state_of(controller).ready and (service is None or state_of(service).ready),
        "service": service_facts(service) if service else None,
        "url": address([service]) if service else None,
        "pods": [pod_facts(one) for one in pods if not one["metadata"].get("deletionTimestamp")],
    }


def service_facts(service: Object) -> dict[str, Any]:
    """A service."""
    spec = service.get("spec") or {}
    first = _first_port(service)
    return {
        "type": spec.get("type", "ClusterIP"),
        "cluster_ip": spec.get("clusterIP"),
        "port": first.get("port"),
        "node_port": first.get("nodePort"),
        "load_balancer": address_of(service) or None,
        "source_ranges": list(spec.get("loadBalancerSourceRanges") or ()),
    }


def pod_facts(pod: Object) -> dict[str, Any]:
    """A pod: what somebody wants to compare before and after it was replaced."""
    status = pod.get("status") or {}
    containers = status.get("containerStatuses") or ()
    return {
        "name": name_of(pod),
        "node": (pod.get("spec") or {}).get("nodeName"),
        "ip": status.get("podIP"),
        "phase": status.get("phase", "Pending"),
        "ready": is_true(pod, "Ready"),
        "container_ids": [one.get("containerID") for one in containers],
        "restarts": sum(int(one.get("restartCount", 0)) for one in containers),
    }


def address(objects: Iterable[Object]) -> str | None:
    """Where the load balancer answers; None without one."""
    for one in objects:
        host = address_of(one) if one["kind"] == "Service" else ""
        if host:
            port = _first_port(one).get("port", 80)
            shown = f"[{host}]" if ":" in host else host
            scheme = "https" if port == 443 else "http"
            return f"{scheme}://{shown}/" if port in (80, 443) else f"{scheme}://{shown}:{port}/"
    return None


def _first_port(service: Object) -> Mapping[str, Any]:
    ports = (service.get("spec") or {}).get("ports") or [{}]
    first: Mapping[str, Any] = ports[0]
    return first
