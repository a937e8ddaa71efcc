# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster as a whole, against a real HTTP server with scripted answers."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._clock import Deadline
from ansible_collections.container.schedulers.plugins.module_utils._errors import WaitTimeoutError
from ansible_collections.container.schedulers.plugins.module_utils._k8s.cluster_admin import (
    LEAVING,
    ClusterAdmin,
    connect,
    movable,
    node_of,
)
from ansible_collections.container.schedulers.plugins.module_utils._wait import Pace
from unit.api_server import Call, ScriptedServer, Status, api_server, listing, thing
from unit.clock import FakeClock
from unit.small_cluster import small_cluster

NODE = "/api/v1/nodes/n-1"
PODS = "/api/v1/pods"
ATTACHMENTS = "/apis/storage.k8s.io/v1/volumeattachments"
DNS = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"
BUDGET = Status(429, "TooManyRequests", "no", {"causes": [{"reason": "DisruptionBudget"}]})


def drain(server: ScriptedServer, seconds: float = 60) -> None:
    ClusterAdmin(server.api()).drain("n-1", Deadline(FakeClock(), seconds), Pace())


def pod(name: str, kind: str = "ReplicaSet", **more: Any) -> dict[str, Any]:
    owner = [{"kind": kind, "controller": True}] if kind else []
    metadata = {"name": name, "namespace": "shop", "ownerReferences": owner, **more.pop("metadata", {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": {"phase": "Running"}, **more}


def test_nodes_say_which_instances_they_are() -> None:
    ready = {"type": "Ready", "status": "True"}
    thing = {
        "metadata": {"name": "n-1"},
        "spec": {"providerID": "aws:///eu-west-1c/i-1", "taints": [{"key": "mine"}]},
        "status": {"conditions": [ready], "nodeInfo": {"kubeletVersion": "v1.36.4"}},
    }
    with api_server(Call("GET", "/api/v1/nodes", listing(thing))) as server:
        (node,) = ClusterAdmin(server.api()).nodes()

    assert (node.name, node.instance, node.usable, node.version, node.problem) == ("n-1", "i-1", True, "v1.36.4", "")


def test_a_glance_asks_once_and_does_without() -> None:
    thing = {"metadata": {"name": "n-1"}, "spec": {}, "status": {}}
    busy = Call("GET", "/api/v1/nodes", Status(503, "ServiceUnavailable", "later"))
    with api_server(Call("GET", "/api/v1/nodes", listing(thing)), busy) as server:
        admin = ClusterAdmin(server.api())
        seen, unseen = admin.glance(), admin.glance()

    assert ([one.name for one in seen or ()], unseen) == (["n-1"], None)


@pytest.mark.parametrize(
    ("conditions", "taints", "ready", "initialised", "problem"),
    [
        ([], [], False, True, "its kubelet has not reported yet"),
        ([{"type": "Ready", "status": "False", "message": "no network"}], [], False, True, "no network"),
        (
            [{"type": "Ready", "status": "True"}],
            [{"key": "node.cloudprovider.kubernetes.io/uninitialized"}],
            True,
            False,
            "",
        ),
    ],
)
def test_why_a_node_takes_no_pods(
    conditions: list[Any], taints: list[Any], ready: bool, initialised: bool, problem: str
) -> None:
    node = node_of({"metadata": {"name": "n"}, "spec": {"taints": taints}, "status": {"conditions": conditions}})

    assert (node.ready, node.initialised, node.problem) == (ready, initialised, problem)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Status(404, "NotFound"), "CoreDNS is not there"),
        (
            {
                "metadata": {"name": "coredns"},
                "spec": {"replicas": 2},
                "status": {"replicas": 2, "availableReplicas": 1},
            },
            "CoreDNS: 1 of 2 replicas are available, 0 are of the latest version",
        ),
        (
            {
                "metadata": {"name": "coredns"},
                "spec": {"replicas": 2},
                "status": {"replicas": 2, "availableReplicas": 2, "updatedReplicas": 2},
            },
            "",
        ),
    ],
)
def test_names_resolve_once_coredns_is_available(answer: Any, problem: str) -> None:
    if isinstance(answer, dict):
        answer = {"apiVersion": "apps/v1", "kind": "Deployment", **answer}
    with api_server(Call("GET", DNS, answer)) as server:
        assert ClusterAdmin(server.api()).dns_problem() == problem


def test_why_the_pods_of_the_cluster_itself_do_not_run() -> None:
    waits = {"waiting": {"reason": "InvalidImageName", "message": "couldn't parse image name"}}
    status = {"phase": "Pending", "containerStatuses": [{"name": "c", "state": waits}]}
    with small_cluster("kube-system", "shop") as cluster:
        for namespace, name in (("kube-system", "cloud-controller"), ("shop", "web")):
            cluster.put(thing("Pod", name, namespace, spec={"nodeName": "n"}, status=status))
        cluster.put(thing("Node", "n", "", spec={}))  # who asks for troubles knows the nodes
        found = ClusterAdmin(cluster.api()).troubles()

    assert len(found) == 1
    assert "Pod kube-system/cloud-controller" in found[0]


@pytest.mark.parametrize(
    ("thing", "moves"),
    [
        (pod("web"), True),
        (pod("bare", ""), True),
        (pod("agent", "DaemonSet"), False),
        (pod("mirror", "Node", metadata={"annotations": {"kubernetes.io/config.mirror": "x"}}), False),
        (pod("done", "Job", status={"phase": "Succeeded"}), False),
    ],
)
def test_what_has_to_move(thing: dict[str, Any], moves: bool) -> None:
    assert movable(thing) is moves


def test_a_node_is_emptied_by_eviction() -> None:
    eviction = "/api/v1/namespaces/shop/pods/web/eviction"
    ending = pod("web", metadata={"deletionTimestamp": "now"})
    with api_server(
        Call("GET", NODE, {"metadata": {"name": "n-1"}}),
        Call("PATCH", NODE, {}, body={"metadata": {"annotations": {LEAVING: "true"}}, "spec": {"unschedulable": True}}),
        Call("GET", PODS, listing(pod("web"), pod("agent", "DaemonSet")), {"fieldSelector": "spec.nodeName=n-1"}),
        Call("POST", eviction, BUDGET),
        Call("GET", PODS, listing(pod("web"))),
        Call("POST", eviction, {}, body={"kind": "Eviction"}),
        Call("GET", PODS, listing(ending)),
        Call("GET", PODS, listing(pod("agent", "DaemonSet"))),
        Call("GET", ATTACHMENTS, listing()),
    ) as server:
        drain(server)


def test_a_node_that_somebody_has_closed_is_emptied_and_stays_theirs() -> None:
    with api_server(
        Call("GET", NODE, {"metadata": {"name": "n-1"}, "spec": {"unschedulable": True}}),
        Call("GET", PODS, listing()),
        Call("GET", ATTACHMENTS, listing()),
    ) as server:
        drain(server)


def test_a_node_that_is_leaving_says_so_until_it_is_kept() -> None:
    closed = {"metadata": {"name": "n-1", "annotations": {LEAVING: "true"}}, "spec": {"unschedulable": True}}
    opened = {"metadata": {"annotations": {LEAVING: None}}, "spec": {"unschedulable": None}}
    with api_server(Call("PATCH", NODE, {}, body=opened)) as server:
        ClusterAdmin(server.api()).uncordon("n-1")

    assert node_of(closed).leaving
    assert not node_of({**closed, "metadata": {"name": "n-1"}}).leaving  # somebody else has closed it


def test_a_node_that_is_gone_is_empty() -> None:
    with api_server(Call("GET", NODE, Status(404, "NotFound"))) as server:
        drain(server)


def test_a_budget_that_never_allows_it_is_named() -> None:
    with (
        api_server(
            Call("GET", NODE, {"metadata": {"name": "n-1"}}),
            Call("PATCH", NODE, {}),
            Call("GET", PODS, listing(pod("web"))),
            Call("POST", "/api/v1/namespaces/shop/pods/web/eviction", BUDGET),
        ) as server,
        pytest.raises(WaitTimeoutError, match=r"shop/web \(its disruption budget does not allow it yet\) on n-1"),
    ):
        drain(server, seconds=0)


def test_a_pod_that_goes_by_itself_is_no_error() -> None:
    with api_server(
        Call("GET", NODE, {"metadata": {"name": "n-1"}}),
        Call("PATCH", NODE, {}),
        Call("GET", PODS, listing(pod("web"))),
        Call("POST", "/api/v1/namespaces/shop/pods/web/eviction", Status(404, "NotFound")),
        Call("GET", PODS, listing()),
        Call("GET", ATTACHMENTS, listing()),
    ) as server:
        drain(server)


def attachment(node: str) -> dict[str, Any]:
    return {"metadata": {"name": f"csi-{node}"}, "spec": {"nodeName": node, "source": {"persistentVolumeName": "pv"}}}


EMPTY_NODE = (
    Call("GET", NODE, {"metadata": {"name": "n-1"}}),
    Call("PATCH", NODE, {}),
    Call("GET", PODS, listing()),
)


def test_volumes_come_off_a_node_before_it_is_empty() -> None:
    with api_server(
        *EMPTY_NODE,
        Call("GET", ATTACHMENTS, listing(attachment("n-1"), attachment("n-2"))),
        Call("GET", ATTACHMENTS, listing(attachment("n-2"))),
    ) as server:
        drain(server)


def test_a_volume_that_never_comes_off_is_not_waited_for_long() -> None:
    stuck = Call("GET", ATTACHMENTS, listing(attachment("n-1")), times=0)
    with api_server(*EMPTY_NODE, stuck) as server:
        clock = FakeClock()
        ClusterAdmin(server.api()).drain("n-1", Deadline(clock, 1800), Pace(first=10.0))

    assert 60 < sum(clock.slept) <= 120


def test_services_and_claims_that_hold_on_to_things_in_aws() -> None:
    def service(name: str, kind: str) -> dict[str, Any]:
        return {"metadata": {"name": name, "namespace": "shop"}, "spec": {"type": kind}}

    claim = {"metadata": {"name": "data", "namespace": "shop"}}
    with api_server(
        Call("GET", "/api/v1/services", listing(service("web", "LoadBalancer"), service("db", "ClusterIP"))),
        Call("GET", "/api/v1/persistentvolumeclaims", listing(claim)),
    ) as server:
        admin = ClusterAdmin(server.api())
        assert admin.load_balancer_services() == ["shop/web"]
        assert admin.claims() == ["shop/data"]


def test_a_service_is_gone_once_its_load_balancer_is() -> None:
    path = "/api/v1/namespaces/shop/services/web"
    with api_server(
        Call("DELETE", path),
        Call("GET", path, {"metadata": {"name": "web"}}),
        Call("GET", path, Status(404, "NotFound")),
    ) as server:
        ClusterAdmin(server.api()).delete_service("shop/web", Deadline(FakeClock(), 60), Pace())


def test_claims_and_nodes_are_deleted() -> None:
    with api_server(
        Call("DELETE", "/api/v1/namespaces/shop/persistentvolumeclaims/data"),
        Call("DELETE", NODE, Status(404, "NotFound")),
    ) as server:
        admin = ClusterAdmin(server.api())
        admin.delete_claim("shop/data")
        admin.delete_node("n-1")


def test_a_kubeconfig_leads_to_it_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_AUTH_HOST", "https://elsewhere")
    with api_server(Call("GET", "/api/v1/nodes", listing())) as server:
        kubeconfig = {
            "clusters": [{"name": "one", "cluster": {"server": server.url}}],
            "users": [{"name": "one", "user": {"token": "t"}}],
            "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
            "current-context": "one",
        }
        assert connect(kubeconfig).nodes() == []
