# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster as it is: its API server, its nodes, and what answers through the API server. Only looks. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from .._errors import SchedulersError
from .._module import Context, Outcome
from .._parallel import gather
from .api import Api, Object
from .kinds import NODE, SERVICE
from .manifests import checked_namespace
from .objects import conditions_of
from .transport import Transport

LISTED = "kubernetes.io/cluster-service=true"
"""The label by which `kubectl cluster-info` finds services; slices of endpoints have the labels of their service."""
TITLE = "kubernetes.io/name"
ASKED_AT = "container.schedulers/asked-at"
"""An annotation of a service: the path at which it says that it is well."""
_ROLE = "node-role.kubernetes.io/"
_ZONE = "topology.kubernetes.io/zone"
_TYPE = "node.kubernetes.io/instance-type"
_UNAUTHORISED = 401


def cluster_info(context: Context) -> Outcome:
    """The version, the nodes and the services, each service asked for an answer if that is wanted."""
    namespace = context.params["namespace"] or ""
    if namespace:
        checked_namespace("namespace", namespace)
    api = Api.from_params(context.params)
    slices = api.kind("discovery.k8s.io/v1", "EndpointSlice")
    version = api.call("GET", "/version", doing="ask for the version")
    found = gather(
        {
            "nodes": lambda: api.list(NODE).items,
            "services": lambda: api.list(SERVICE, namespace, labels=LISTED).items,
            "slices": lambda: api.list(slices, namespace, labels=LISTED).items,
        }
    )
    services = [to_service(one, found["slices"], api.transport.address("")) for one in found["services"]]
    if context.params["ask"]:
        asking = Transport(api.transport.login, float(context.params["ask_timeout"]))
        paths = [asked_at(one) for one in found["services"]]
        answers = gather(
            {
                str(index): partial(_ask, asking, one["path"] + path)
                for index, (one, path) in enumerate(zip(services, paths, strict=True))
            }
        )
        services = [{**one, **answers[str(index)]} for index, one in enumerate(services)]
    return Outcome(
        {
            "server": api.transport.address(""),
            "version": version.get("gitVersion"),
            "nodes": [to_node(one) for one in found["nodes"]],
            "services": services,
        }
    )


def to_node(node: Mapping[str, Any]) -> Object:
    """One node as the module returns it. Pure."""
    labels = node["metadata"].get("labels") or {}
    status = node.get("status") or {}
    addresses = {one["type"]: one["address"] for one in status.get("addresses") or ()}
    ready = conditions_of(node).get("Ready", {})
    return {
        "name": node["metadata"]["name"],
        "ready": ready.get("status") == "True",
        "schedulable": not node["spec"].get("unschedulable", False),
        "roles": sorted(label.removeprefix(_ROLE) for label in labels if label.startswith(_ROLE)),
        "version": (status.get("nodeInfo") or {}).get("kubeletVersion"),
        "zone": labels.get(_ZONE),
        "instance_type": labels.get(_TYPE),
        "provider_id": node["spec"].get("providerID"),
        "private_ip": addresses.get("InternalIP"),
        "public_ip": addresses.get("ExternalIP"),
    }


def to_service(service: Mapping[str, Any], slices: Sequence[Mapping[str, Any]], server: str) -> Object:
    """One service as the module returns it, with its way through the API server. Pure."""
    metadata = service["metadata"]
    path = proxy_path(service)
    return {
        "title": (metadata.get("labels") or {}).get(TITLE, metadata["name"]),
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "place": f"{metadata['namespace']}/{metadata['name']}",
        "path": path,
        "url": f"{server}{path}/",
        "ready_endpoints": _ready_endpoints(service, slices),
    }


def proxy_path(service: Mapping[str, Any]) -> str:
    """The path at the API server that leads to a service's first port; a headless service may have none. Pure."""
    metadata = service["metadata"]
    whole = metadata["name"]
    for port in (service["spec"].get("ports") or ())[:1]:
        secure = "https" in (port.get("appProtocol"), port.get("name")) or port["port"] == 443
        whole = f"{'https' if secure else 'http'}:{metadata['name']}:{port.get('name') or port['port']}"
    return f"/api/v1/namespaces/{metadata['namespace']}/services/{whole}/proxy"


def asked_at(service: Mapping[str, Any]) -> str:
    """The path at the service itself that is asked. Pure."""
    return str((service["metadata"].get("annotations") or {}).get(ASKED_AT, "/"))


def _ready_endpoints(service: Mapping[str, Any], slices: Sequence[Mapping[str, Any]]) -> int:
    """How many addresses behind a service are ready; in slices, a condition that is not said counts as true."""
    metadata = service["metadata"]
    mine = [
        one
        for one in slices
        if one["metadata"]["namespace"] == metadata["namespace"]
        and one["metadata"]["labels"].get("kubernetes.io/service-name") == metadata["name"]
    ]
    endpoints = [endpoint for one in mine for endpoint in one.get("endpoints") or ()]
    return sum((one.get("conditions") or {}).get("ready", True) is not False for one in endpoints)


def _ask(transport: Transport, path: str) -> Object:
    """What the service says. Who wants to know who asks, answers too."""
    try:
        answer = transport.request("GET", path, {"Accept": "*/*"})
    except SchedulersError as failure:
        return {"answers": False, "status": None, "error": failure.sentence()}
    good = answer.status < 400 or answer.status == _UNAUTHORISED
    error = None if good else answer.body[:300].decode(errors="replace").strip()
    return {"answers": good, "status": answer.status, "error": error}
