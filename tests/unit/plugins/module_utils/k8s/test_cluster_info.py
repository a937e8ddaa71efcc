# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes and services as they are, and the way to a service through the API server."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._k8s.cluster_info import (
    cluster_info,
    proxy_path,
    to_node,
    to_service,
)
from ansible_collections.container.schedulers.plugins.module_utils._module import Context
from unit.api_server import Call, Cut, Status, api_server, listing, thing
from unit.returned import as_documented

PROXY = "/api/v1/namespaces/shop/services/http:web:http/proxy"
GROUP = {"resources": [{"kind": "EndpointSlice", "name": "endpointslices", "namespaced": True}]}
SLICES = "/apis/discovery.k8s.io/v1/endpointslices"


def service(name: str = "web", port: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    return thing("Service", name, metadata=metadata, spec={"ports": [port or {"name": "http", "port": 80}]})


def endpoints(name: str, *conditions: dict[str, Any]) -> dict[str, Any]:
    labels = {"kubernetes.io/service-name": name}
    return thing(
        "EndpointSlice", f"{name}-1", metadata={"labels": labels}, endpoints=[{"conditions": one} for one in conditions]
    )


@pytest.mark.parametrize(
    ("port", "segment"),
    [
        ({"name": "http", "port": 80}, "http:web:http"),
        ({"port": 8080}, "http:web:8080"),
        ({"name": "https", "port": 8443}, "https:web:https"),
        ({"name": "web", "port": 443}, "https:web:web"),
        ({"name": "web", "port": 1, "appProtocol": "https"}, "https:web:web"),
    ],
)
def test_the_way_to_a_service(port: dict[str, Any], segment: str) -> None:
    assert proxy_path(service(port=port)) == f"/api/v1/namespaces/shop/services/{segment}/proxy"


def test_a_headless_service_need_not_have_a_port() -> None:
    assert proxy_path(thing("Service", "web", spec={"clusterIP": "None"})).endswith("/services/web/proxy")


def test_a_service_counts_the_endpoints_that_are_ready() -> None:
    slices = [endpoints("web", {"ready": True}, {"ready": False}, {}), endpoints("other", {"ready": True})]

    assert to_service(service(labels={"kubernetes.io/name": "The shop"}), slices, "https://api") == {
        "title": "The shop",
        "name": "web",
        "namespace": "shop",
        "place": "shop/web",
        "path": PROXY,
        "url": f"https://api{PROXY}/",
        "ready_endpoints": 2,
    }


def test_a_node_that_says_everything() -> None:
    labels = {
        "node-role.kubernetes.io/control-plane": "",
        "topology.kubernetes.io/zone": "eu-west-1c",
        "node.kubernetes.io/instance-type": "t3.medium",
    }
    status = {
        "conditions": [{"type": "Ready", "status": "True"}],
        "addresses": [{"type": "InternalIP", "address": "172.20.0.9"}, {"type": "ExternalIP", "address": "192.0.2.1"}],
        "nodeInfo": {"kubeletVersion": "v1.36.4"},
    }
    spec = {"providerID": "aws:///eu-west-1c/i-1", "unschedulable": True}
    node = thing("Node", "one", "", metadata={"labels": labels}, spec=spec, status=status)

    assert to_node(node) == {
        "name": "one",
        "ready": True,
        "schedulable": False,
        "roles": ["control-plane"],
        "version": "v1.36.4",
        "zone": "eu-west-1c",
        "instance_type": "t3.medium",
        "provider_id": "aws:///eu-west-1c/i-1",
        "private_ip": "172.20.0.9",
        "public_ip": "192.0.2.1",
    }


def test_a_node_that_has_said_nothing_yet() -> None:
    found = to_node(thing("Node", "one", "", spec={}))

    assert (found["ready"], found["schedulable"], found["roles"], found["zone"]) == (False, True, [], None)


@pytest.mark.parametrize(
    ("answer", "answers", "status"),
    [
        ("well", True, 200),
        (Status(401, "Unauthorized"), True, 401),
        (Status(403, "Forbidden"), False, 403),
        (Status(503, "ServiceUnavailable", "no endpoints available"), False, 503),
        (Cut(), False, None),
    ],
)
def test_each_service_is_asked_once_where_it_wants_to_be_asked(answer: Any, answers: bool, status: int | None) -> None:
    annotations = {"container.schedulers/asked-at": "/ready"}
    params = {"request_timeout": 10, "namespace": None, "ask": True, "ask_timeout": 5}
    labelled = {"labelSelector": "kubernetes.io/cluster-service=true"}
    with api_server(
        Call("GET", "/apis/discovery.k8s.io/v1", GROUP),
        Call("GET", "/version", {"gitVersion": "v1.36.4"}),
        Call("GET", "/api/v1/nodes", listing()),
        Call("GET", "/api/v1/services", listing(service(annotations=annotations)), query=labelled),
        Call("GET", SLICES, listing(endpoints("web", {"ready": True})), query=labelled),
        Call("GET", f"{PROXY}/ready", answer),
    ) as server:
        result = as_documented(cluster_info, cluster_info(Context({**params, "host": server.url}))).result

    assert result["version"] == "v1.36.4"
    assert [(one["answers"], one["status"]) for one in result["services"]] == [(answers, status)]
    assert (result["services"][0]["error"] is None) == answers


EMPTY = {"status": "success", "data": {"resultType": "vector", "result": []}}
FOUND = {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "1"]}]}}
WANTED = """/api/v1/query?query=up{job="web"} == 1
/loki/api/v1/label/pod/values?since=1h
"""


@pytest.mark.parametrize(
    ("metrics", "labels", "error"),
    [
        (FOUND, {"status": "success", "data": ["web-1"]}, None),
        (EMPTY, None, 'web has nothing yet at /api/v1/query?query=up{job="web"} == 1'),
        (FOUND, {"status": "success"}, "web has nothing yet at /loki/api/v1/label/pod/values?since=1h"),
        (["no Prometheus"], None, 'web has nothing yet at /api/v1/query?query=up{job="web"} == 1'),
        (Status(503, "ServiceUnavailable", "no endpoints available"), None, "no endpoints available"),
    ],
)
def test_what_should_have_data_by_now_is_asked_for_some(metrics: Any, labels: Any, error: str | None) -> None:
    annotations = {"container.schedulers/data-at": WANTED}
    params = {"request_timeout": 10, "namespace": None, "ask": True, "ask_timeout": 5}
    second = (
        [] if labels is None else [Call("GET", f"{PROXY}/loki/api/v1/label/pod/values", labels, query={"since": "1h"})]
    )
    with api_server(
        Call("GET", "/apis/discovery.k8s.io/v1", GROUP),
        Call("GET", "/version", {}),
        Call("GET", "/api/v1/nodes", listing()),
        Call("GET", "/api/v1/services", listing(service(annotations=annotations))),
        Call("GET", SLICES, listing()),
        Call("GET", f"{PROXY}/", "well"),
        Call("GET", f"{PROXY}/api/v1/query", metrics, query={"query": 'up{job="web"} == 1'}),
        *second,
    ) as server:
        (found,) = cluster_info(Context({**params, "host": server.url})).result["services"]

    assert found["answers"] is (error is None)
    assert found["error"] is None if error is None else error in found["error"]


def test_nobody_is_asked_unless_that_is_wanted() -> None:
    params = {"request_timeout": 10, "namespace": "shop", "ask": False, "ask_timeout": 5}
    with api_server(
        Call("GET", "/apis/discovery.k8s.io/v1", GROUP),
        Call("GET", "/version", {"gitVersion": "v1.36.4"}),
        Call("GET", "/api/v1/nodes", listing()),
        Call("GET", "/api/v1/namespaces/shop/services", listing(service())),
        Call("GET", "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices", listing()),
    ) as server:
        result = as_documented(cluster_info, cluster_info(Context({**params, "host": server.url}))).result

    assert "answers" not in result["services"][0]


def test_a_server_from_before_slices_counts_the_addresses_that_are_ready() -> None:
    """As environments of Rancher 1.6 have it. It is asked as many times."""
    params = {"request_timeout": 10, "namespace": None, "ask": False, "ask_timeout": 5}
    subsets = [{"addresses": [{"ip": "10.42.0.7"}, {"ip": "10.42.0.8"}], "notReadyAddresses": [{"ip": "10.42.0.9"}]}]
    found = [thing("Endpoints", "web", subsets=[*subsets, {"notReadyAddresses": [{"ip": "10.42.0.7"}]}])]
    labelled = {"labelSelector": "kubernetes.io/cluster-service=true"}
    with api_server(
        Call("GET", "/apis/discovery.k8s.io/v1", "404 page not found\n", status=404),
        Call("GET", "/version", {"gitVersion": "v1.12.10"}),
        Call("GET", "/api/v1/nodes", listing(thing("Node", "one", "", spec={}))),
        Call("GET", "/api/v1/services", listing(service(), service("none")), query=labelled),
        Call("GET", "/api/v1/endpoints", listing(*found, thing("Endpoints", "none")), query=labelled),
    ) as server:
        result = as_documented(cluster_info, cluster_info(Context({**params, "host": server.url}))).result

    assert (result["version"], [one["name"] for one in result["nodes"]]) == ("v1.12.10", ["one"])
    assert [(one["name"], one["ready_endpoints"]) for one in result["services"]] == [("web", 2), ("none", 0)]
