# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes, their pods, and what a cluster has in its cloud, on a cluster in a dictionary."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._clock import Deadline, SystemClock
from ansible_collections.container.schedulers.plugins.module_utils._errors import UnreachableError, WaitTimeoutError
from ansible_collections.container.schedulers.plugins.module_utils._k8s.api import Api
from ansible_collections.container.schedulers.plugins.module_utils._k8s.cloud_objects import find_cloud_objects, release
from ansible_collections.container.schedulers.plugins.module_utils._k8s.login import Login
from ansible_collections.container.schedulers.plugins.module_utils._k8s.node_state import describe_node, node_facts
from ansible_collections.container.schedulers.plugins.module_utils._k8s.nodes import (
    by_instance,
    cordon,
    drain,
    has_to_go,
    health,
    remove_node,
    wait_api_ready,
    wait_nodes_ready,
)
from ansible_collections.container.schedulers.plugins.module_utils._k8s.run import Owner, Run
from ansible_collections.container.schedulers.plugins.module_utils._k8s.transport import Transport
from unit.api_server import Call, api_server, thing
from unit.clock import FakeClock
from unit.small_cluster import SmallCluster, small_cluster


def node(name: str, ready: str = "True", **more: Any) -> dict[str, Any]:
    status = {
        "conditions": [{"type": "Ready", "status": ready}],
        "addresses": [{"type": "InternalIP", "address": "172.20.0.20"}],
        "nodeInfo": {"kubeletVersion": "v1.36.3"},
    }
    spec = {"providerID": f"aws:///eu-west-1c/i-{name}", **more.pop("spec", {})}
    return thing("Node", name, "", spec=spec, status=status, **more)


def run_on(cluster: SmallCluster, seconds: float = 120.0) -> Run:
    return Run(cluster.api(), Owner("", ""), Deadline(SystemClock(), seconds))


def test_an_api_server_that_is_well() -> None:
    with api_server(Call("GET", "/readyz", "ok")) as server:
        assert health(server.api()).ready


def test_an_api_server_that_is_not() -> None:
    text = "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed"
    with api_server(Call("GET", "/readyz", text, status=500)) as server:
        assert health(server.api()).text == "etcd failed: reason withheld"
    assert not health(Api(Transport(Login("http://127.0.0.1:1")))).ready


def test_waiting_for_an_api_server() -> None:
    clock = FakeClock()
    with api_server(Call("GET", "/readyz", "no", status=500), Call("GET", "/readyz", "ok")) as server:
        wait_api_ready(Run(server.api(), Owner("", ""), Deadline(clock, 60)))
    api = Api(Transport(Login("http://127.0.0.1:1")))
    with pytest.raises(WaitTimeoutError, match="does not answer"):
        wait_api_ready(Run(api, Owner("", ""), Deadline(clock, 5)))


def test_waiting_for_nodes() -> None:
    with small_cluster() as cluster:
        cluster.put(node("a"))
        cluster.put(node("m", metadata={"labels": {"node-role.kubernetes.io/control-plane": ""}}))
        found = wait_nodes_ready(run_on(cluster), workers=1, control_plane=1)
        assert len(found) == 2
        cluster.put(node("b", ready="Unknown"))
        with pytest.raises(WaitTimeoutError, match="2 nodes are ready; node b is not ready"):
            wait_nodes_ready(run_on(cluster, 0.5), workers=2)


def test_a_node_in_words_and_facts() -> None:
    fresh = node("a", spec={"taints": [{"key": "node.cloudprovider.kubernetes.io/uninitialized"}]})
    assert "waits for the cloud controller manager" in describe_node(fresh)
    assert describe_node(node("a")) == "node a is ready"
    assert describe_node(thing("Node", "a", "")) == "node a is not ready: its kubelet has not reported yet"
    facts = node_facts(node("a"))
    assert (facts["ready"], facts["provider_id"], facts["internal_ip"]) == (
        True,
        "aws:///eu-west-1c/i-a",
        "172.20.0.20",
    )
    assert set(by_instance([node("a"), node("b")], ["i-a", "i-x"])) == {"i-a"}


def pod(name: str, node_name: str = "a", **more: Any) -> dict[str, Any]:
    return thing("Pod", name, "default", spec={"nodeName": node_name, **more.pop("spec", {})}, **more)


def owned(kind: str, name: str = "x", uid: str = "u") -> dict[str, Any]:
    return {"ownerReferences": [{"kind": kind, "name": name, "uid": uid, "controller": True, "apiVersion": "apps/v1"}]}


@pytest.mark.parametrize(
    ("one", "goes"),
    [
        (pod("a"), True),
        (pod("a", metadata=owned("ReplicaSet")), True),
        (pod("a", metadata=owned("DaemonSet")), False),
        (pod("a", metadata={"annotations": {"kubernetes.io/config.mirror": "x"}}), False),
        (pod("a", status={"phase": "Succeeded"}), False),
    ],
)
def test_which_pods_keep_a_node_from_being_empty(one: dict[str, Any], goes: bool) -> None:
    assert has_to_go(one) is goes


def test_draining_a_node() -> None:
    with small_cluster() as cluster:
        cluster.put(node("a"))
        cluster.put(pod("web"))
        cluster.put(pod("agent", metadata=owned("DaemonSet")))
        cluster.put(pod("far", "b"))
        assert drain(run_on(cluster), "a") == ["default/web"]
        assert cluster.get("Node", "a")["spec"]["unschedulable"] is True  # type: ignore[index]
        assert cluster.get("Pod", "agent")
        assert cluster.get("Pod", "far")
        cordon(cluster.api(), "a", schedulable=True)
        assert "unschedulable" not in cluster.get("Node", "a")["spec"]  # type: ignore[index]
        assert remove_node(cluster.api(), "a")
        assert not remove_node(cluster.api(), "a")


def test_a_budget_is_respected_until_the_deadline() -> None:
    cause = {"reason": "TooManyRequests", "message": "budget", "details": {"causes": [{"reason": "DisruptionBudget"}]}}
    with small_cluster() as cluster:
        cluster.put(node("a"))
        cluster.put(pod("web"))
        cluster.refuse = lambda _method, path, _body: (429, cause) if path.endswith("/eviction") else None
        run = Run(cluster.api(), Owner("", ""), Deadline(FakeClock(), 30))
        with pytest.raises(WaitTimeoutError, match="PodDisruptionBudget keeps the pod"):
            drain(run, "a")
        assert cluster.get("Pod", "web")


def test_a_pod_that_went_by_itself_is_no_error() -> None:
    with small_cluster() as cluster:
        cluster.put(node("a"))
        cluster.put(pod("web"))

        def refuse(_method: str, path: str, _body: Any) -> tuple[int, dict[str, Any]] | None:
            if not path.endswith("/eviction"):
                return None
            cluster.remove("Pod", "web")
            return 404, {"reason": "NotFound", "message": "gone"}

        cluster.refuse = refuse
        assert drain(run_on(cluster), "a") == ["default/web"]


def with_data(cluster: SmallCluster) -> None:
    deployment = cluster.put(thing("Deployment", "db", "default", api_version="apps/v1"))
    replica_set = cluster.put(
        thing("ReplicaSet", "db-1", "default", api_version="apps/v1",
              metadata=owned("Deployment", "db", deployment["metadata"]["uid"]))
    )  # fmt: skip
    volumes = [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}, {"name": "e", "ephemeral": {}}]
    cluster.put(
        pod("db-1-x", spec={"volumes": volumes}, metadata=owned("ReplicaSet", "db-1", replica_set["metadata"]["uid"]))
    )
    cluster.put(thing("PersistentVolumeClaim", "data", "default"))
    reference = {"namespace": "default", "name": "data"}
    csi = {"volumeHandle": "vol-1"}
    cluster.put(
        thing(
            "PersistentVolume",
            "pv",
            "",
            spec={"claimRef": reference, "persistentVolumeReclaimPolicy": "Delete", "csi": csi},
        )
    )
    cluster.put(thing("PersistentVolume", "kept", "", spec={"claimRef": {"namespace": "x", "name": "y"}}))
    cluster.put(thing("Service", "web", "default", spec={"type": "LoadBalancer"}))
    cluster.put(thing("Service", "inner", "default", spec={"type": "ClusterIP"}))


def test_what_a_cluster_has_in_its_cloud() -> None:
    with small_cluster() as cluster:
        with_data(cluster)
        found = find_cloud_objects(cluster.api()).facts()
    assert found == {
        "load_balancers": [{"service": "default/web", "address": ""}],
        "volumes": [{"claim": "default/data", "volume": "pv", "handle": "vol-1"}],
    }


def test_load_balancers_go_and_data_stays() -> None:
    with small_cluster() as cluster:
        with_data(cluster)
        release(run_on(cluster), claims=False)
        assert not cluster.get("Service", "web")
        assert cluster.get("Service", "inner")
        assert cluster.get("PersistentVolumeClaim", "data")
        assert cluster.get("Deployment", "db")


def test_data_goes_after_what_uses_it() -> None:
    with small_cluster() as cluster:
        with_data(cluster)

        def let_go(_method: str, path: str, _body: Any) -> None:
            if path.endswith("/persistentvolumeclaims/data") and _method == "DELETE":
                cluster.remove("PersistentVolume", "pv", "")

        cluster.refuse = let_go
        release(run_on(cluster), claims=True)
        assert not cluster.get("Deployment", "db")
        assert not cluster.get("PersistentVolumeClaim", "data")
        assert cluster.get("PersistentVolume", "kept", "")


def test_an_unreachable_server_is_said_to_be_so() -> None:
    api = Api(Transport(Login("http://127.0.0.1:1")))
    api.policy = type(api.policy)(attempts=1)
    with pytest.raises(UnreachableError):
        find_cloud_objects(api)
