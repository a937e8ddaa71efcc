# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster as it is: its API server, its nodes, and what answers through the API server. Only looks. PRIVATE."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from .._errors import NotFoundError, SchedulersError
from .._module import Context, Outcome
from .._parallel import gather
from .api import Api, Object
from .kinds import ENDPOINTS, NODE, SERVICE, Kind
from .manifests import checked_namespace
from .objects import conditions_of
from .transport import Transport

LISTED = "kubernetes.io/cluster-service=true"
"""The label by which `kubectl cluster-info` finds services; slices of endpoints have the labels of their service."""
TITLE = "kubernetes.io/name"
ASKED_AT = "container.schedulers/asked-at"
"""An annotation of a service: the path at which it says that it is well."""
DATA_AT = "container.schedulers/data-at"
"""Another one: paths, one a line, at which it has something to show once what it is for arrives. They are answered as
the HTTP APIs of Prometheus and Loki answer."""
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
    endpoints = _kind_of_endpoints(api)
    version = api.version()
    found = gather(
        {
            "nodes": lambda: api.list(NODE).items,
            "services": lambda: api.list(SERVICE, namespace, labels=LISTED).items,
            "slices": lambda: [as_slice(one) for one in api.list(endpoints, namespace, labels=LISTED).items],
        }
    )
    services = [to_service(one, found["slices"], api.transport.address("")) for one in found["services"]]
    if context.params["ask"]:
        asking = Transport(api.transport.login, float(context.params["ask_timeout"]))
        answers = gather(
            {
                str(index): partial(_ask_all, asking, one["path"], raw)
                for index, (one, raw) in enumerate(zip(services, found["services"], strict=True))
            }
        )
        services = [{**one, **answers[str(index)]} for index, one in enumerate(services)]
    return Outcome(
        {
            "server": api.transport.address(""),
            "version": version,
            "nodes": [to_node(one) for one in found["nodes"]],
            "services": services,
        }
    )


def _kind_of_endpoints(api: Api) -> Kind:
    """What says which pods are behind services: slices, or what a server older than 1.21 has in their place."""
    try:
        return api.kind("discovery.k8s.io/v1", "EndpointSlice")
    except NotFoundError:
        return ENDPOINTS


def as_slice(found: Object) -> Object:
    """The ready ones of Endpoints as a slice; a slice as it is. Pure."""
    if found["kind"] != ENDPOINTS.kind:
        return found
    labels = {"kubernetes.io/service-name": found["metadata"]["name"]}
    ready: list[Object] = [{} for subset in found.get("subsets") or () for _address in subset.get("addresses") or ()]
    return {"metadata": {**found["metadata"], "labels": labels}, "endpoints": ready}


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
    return str(_annotations(service).get(ASKED_AT, "/"))


def data_at(service: Mapping[str, Any]) -> list[str]:
    """The paths at which it has to have data. Pure."""
    return [line.strip() for line in str(_annotations(service).get(DATA_AT, "")).splitlines() if line.strip()]


def has_data(body: bytes) -> bool:
    """Whether an answer shows something: ``data``, or ``data.result`` of a query, is there and not empty. Pure."""
    try:
        data = json.loads(body).get("data")
    except (ValueError, AttributeError):
        return False
    return bool(data.get("result") if isinstance(data, dict) else data)


def _annotations(service: Mapping[str, Any]) -> Mapping[str, Any]:
    return service["metadata"].get("annotations") or {}


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


def _ask_all(transport: Transport, path: str, service: Mapping[str, Any]) -> Object:
    """Whether it is well, and has the data that it should have by now; the first question without an answer counts."""
    said, _body = _ask(transport, path + asked_at(service))
    for question in data_at(service):
        if not said["answers"]:
            break
        said, body = _ask(transport, path + quote(question, safe="/?&=%"))
        if said["answers"] and not has_data(body):
            said |= {"answers": False, "error": f"{service['metadata']['name']} has nothing yet at {question}"}
    return said


def _ask(transport: Transport, path: str) -> tuple[Object, bytes]:
    """What the service says. Who wants to know who asks, answers too."""
    try:
        answer = transport.request("GET", path, {"Accept": "*/*"})
    except SchedulersError as failure:
        return {"answers": False, "status": None, "error": failure.sentence()}, b""
    good = answer.status < 400 or answer.status == _UNAUTHORISED
    error = None if good else answer.body[:300].decode(errors="replace").strip()
    return {"answers": good, "status": answer.status, "error": error}, answer.body
