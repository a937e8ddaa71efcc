# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decisions without a cluster: amounts, names, manifests, differences, readiness."""

from __future__ import annotations

import base64
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._errors import InputError
from ansible_collections.container.schedulers.plugins.module_utils._k8s.kinds import DEPLOYMENT, NODE, POD, Kind, known
from ansible_collections.container.schedulers.plugins.module_utils._k8s.manifests import (
    prepared,
    read_manifests,
    refuse_twice,
    stratum,
)
from ansible_collections.container.schedulers.plugins.module_utils._k8s.objects import (
    changes,
    declared,
    key_of,
    presentable,
    secrets_in,
)
from ansible_collections.container.schedulers.plugins.module_utils._k8s.quantities import amount, shown, total
from ansible_collections.container.schedulers.plugins.module_utils._k8s.ready import address_of, describe, state_of
from ansible_collections.container.schedulers.plugins.module_utils._k8s.run import Owner
from ansible_collections.container.schedulers.plugins.module_utils._k8s.settled import is_settled
from unit.api_server import thing


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("250m", "0.25"),
        ("2", "2"),
        ("64Mi", "67108864"),
        ("1Gi", "1073741824"),
        ("1k", "1000"),
        ("1e3", "1000"),
        ("1E3", "1000"),
        ("1E", "1000000000000000000"),
        (".5", "0.5"),
        ("5.", "5"),
        (2, "2"),
        ("5M", "5000000"),
    ],
)
def test_amounts(text: str, number: str) -> None:
    assert amount(text) == Decimal(number)


@pytest.mark.parametrize(
    "text",
    ["", "lots", "64 Mi", " 64Mi", "64Mi\n", "1_000", "Infinity", "NaN", "1e", "1e3Mi", "64mi", "64K", "1e9999999999"],
)
def test_an_amount_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is no quantity"):
        amount(text)


@pytest.mark.parametrize(
    ("resource", "value", "words"),
    [
        ("cpu", "0.25", "250m CPU"),
        ("cpu", "2", "2 CPU"),
        ("memory", "67108864", "64 Mi memory"),
        ("memory", "1610612736", "1.5 Gi memory"),
        ("pods", "3", "3 pods"),
    ],
)
def test_amounts_in_words(resource: str, value: str, words: str) -> None:
    assert shown(resource, Decimal(value)) == words


def test_sums() -> None:
    assert total([{"cpu": Decimal(1)}, {"cpu": Decimal(2), "memory": Decimal(5)}]) == {"cpu": 3, "memory": 5}


def test_paths() -> None:
    assert POD.path("shop", "a", "log") == "/api/v1/namespaces/shop/pods/a/log"
    assert NODE.path("", "n") == "/api/v1/nodes/n"
    assert DEPLOYMENT.path() == "/apis/apps/v1/deployments"
    assert known("Ingress", "networking.k8s.io/v1").group == "networking.k8s.io"
    assert DEPLOYMENT.label("web", "shop") == "Deployment shop/web"
    assert NODE.label("n") == "Node n"


def test_owners_fit_into_labels() -> None:
    assert Owner("app", "web").value == "app.web"
    long = Owner("wordpress", f"{'n' * 60}.{'a' * 40}").value
    assert len(long) == 63
    assert long != Owner("wordpress", f"{'n' * 60}.{'a' * 39}b").value


TWO = """
{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
---
{apiVersion: v1, kind: Secret, metadata: {name: b}}
---
"""


@pytest.mark.parametrize(
    ("api_version", "kind", "name"),
    [
        ("rbac.authorization.k8s.io/v1", "RoleBinding", "system:Node"),
        ("certificates.k8s.io/v1beta1", "ClusterTrustBundle", "example.com:signer:v1"),
        ("certificates.k8s.io/v1", "CertificateSigningRequest", "John Doe"),
        ("networking.k8s.io/v1", "IPAddress", "2001:db8::1"),
        ("user.openshift.io/v1", "Identity", "ldap:John_Doe@example.com"),
    ],
)
def test_kinds_whose_names_are_more_than_host_names(api_version: str, kind: str, name: str) -> None:
    read_manifests(thing(kind, name, "", api_version=api_version), None)
    with pytest.raises(InputError, match=f"is no name for a {kind}"):
        read_manifests(thing(kind, "a/b", "", api_version=api_version), None)


def test_a_name_is_one_part_of_a_path() -> None:
    kind = Kind("rbac.authorization.k8s.io/v1", "Role", "roles")
    assert kind.path("shop", "system:a b?ü").endswith("/namespaces/shop/roles/system:a%20b%3F%C3%BC")


@pytest.mark.parametrize(
    ("definition", "names"),
    [
        (TWO, ["a", "b"]),
        ([TWO, thing("Pod", "c")], ["a", "b", "c"]),
        ({"apiVersion": "v1", "kind": "List", "items": [thing("Pod", "d")]}, ["d"]),
        (thing("Pod", "e"), ["e"]),
        ([None, thing("ClusterRole", "system:x", api_version="rbac.authorization.k8s.io/v1")], ["system:x"]),
    ],
)
def test_manifests_of_all_forms(definition: Any, names: list[str]) -> None:
    assert [one["metadata"]["name"] for one in read_manifests(definition, None)] == names


def test_manifests_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text(TWO)
    assert len(read_manifests(None, str(path))) == 2


@pytest.mark.parametrize(
    ("definition", "src", "says"),
    [
        ("a: [b", None, r"definition is not YAML \(line \d\)"),
        ("a: 2026-13-45", None, "definition is not YAML: month must be in 1..12"),
        ("text", None, "document 1 is not a manifest but str"),
        ([{"apiVersion": "v1"}], None, "has no kind"),
        ([{"kind": "Pod"}], None, "has no apiVersion"),
        ({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "a-"}}, None, "would make another object"),
        (thing("Pod", "A_b"), None, "is no name for a Pod"),
        (thing("Pod", "a\n"), None, "is no name for a Pod"),
        (None, "/nowhere", "src /nowhere cannot be read"),
    ],
)
def test_what_is_no_manifest(definition: Any, src: str | None, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_manifests(definition, src)


def test_an_object_described_twice() -> None:
    with pytest.raises(InputError, match="Pod shop/a is described twice"):
        refuse_twice([("k", thing("Pod", "a")), ("k", thing("Pod", "a"))])


def test_what_only_a_server_may_say_is_taken_out() -> None:
    given = thing("Pod", "a", "", status={"phase": "Running"}, metadata={"labels": {"app": "web"}, "annotations": None})
    found = prepared(given, namespaced=True, namespace="shop", labels={"owner": "me"})
    assert found["metadata"] == {"name": "a", "namespace": "shop", "labels": {"app": "web", "owner": "me"}}
    assert "status" not in found


def test_cluster_wide_objects_lose_a_namespace() -> None:
    found = prepared(thing("Node", "a", "shop"), namespaced=False, namespace="shop", labels={})
    assert "namespace" not in found["metadata"]


def test_plain_texts_of_secrets_are_encoded() -> None:
    given = thing("Secret", "a", data={"x": "eA=="}, stringData={"y": "why"})
    found = prepared(given, namespaced=True, namespace="shop", labels={})
    assert found["data"] == {"x": "eA==", "y": base64.b64encode(b"why").decode()}
    assert "stringData" not in found


def test_what_others_need_comes_first() -> None:
    kinds = ["Namespace", "StorageClass", "Secret", "Service", "Deployment", "Widget"]
    assert [stratum(kind) for kind in kinds] == sorted(stratum(kind) for kind in kinds)


NOISY = thing(
    "ConfigMap",
    "a",
    data={"x": "1"},
    status={"a": 1},
    metadata={"managedFields": [], "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}},
)


def test_noise_is_not_declared() -> None:
    assert declared(NOISY)["metadata"] == {"name": "a", "namespace": "shop"}
    assert "status" not in declared(NOISY)


def test_differences_are_named() -> None:
    after = {**NOISY, "data": {"x": "2"}, "metadata": {**NOISY["metadata"], "resourceVersion": "99"}}
    assert [(one.path, one.before, one.after) for one in changes(NOISY, after)] == [("data.x", "1", "2")]


def test_a_part_that_goes_is_a_difference() -> None:
    after = {name: value for name, value in NOISY.items() if name != "data"}
    assert [one.path for one in changes(NOISY, after)] == ["data.x"]


def test_secrets_differ_without_their_values() -> None:
    before, after = thing("Secret", "a", data={"x": "b25l"}), thing("Secret", "a", data={"x": "dHdv", "y": "bmV3"})
    found = changes(before, after)
    assert [one.path for one in found] == ["data.x", "data.y"]
    assert "dHdv" not in str(found)
    assert "b25l" not in str(found)
    assert presentable(after)["data"] == {"x": "VALUE_HIDDEN", "y": "VALUE_HIDDEN"}
    assert set(secrets_in([after, NOISY, thing("Secret", "b", stringData={"z": "plain"})])) == {
        "dHdv", "two", "bmV3", "new", "plain",
    }  # fmt: skip
    assert list(secrets_in([thing("Secret", "a", data={"x": "***"})])) == ["***"]


def test_labels_of_secrets_are_no_secret() -> None:
    before, after = (
        thing("Secret", "a", metadata={"labels": {"a": "1"}}),
        thing("Secret", "a", metadata={"labels": {"a": "2"}}),
    )
    assert changes(before, after)[0].after == "2"


def test_keys_do_not_depend_on_the_version() -> None:
    assert key_of(thing("Deployment", "a", api_version="apps/v1")) == key_of(
        thing("Deployment", "a", api_version="apps/v1beta1")
    )


def replicas(**status: int) -> dict[str, Any]:
    return thing("ReplicationController", "a", spec={"replicas": 2}, status={"observedGeneration": 1, **status})


def deployment(**status: Any) -> dict[str, Any]:
    return thing("Deployment", "a", spec={"replicas": 2}, status={"observedGeneration": 1, **status})


def partitioned(partition: int, *, updated: int) -> dict[str, Any]:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}
    status = {"observedGeneration": 1, "availableReplicas": 3, "updatedReplicas": updated}
    return thing("StatefulSet", "a", spec={"replicas": 3, "updateStrategy": strategy}, status=status)


def condition(kind: str, status: str, **more: str) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": status, **more}]}


STATES = [
    (replicas(replicas=2, availableReplicas=2), True, ""),
    (replicas(replicas=2, availableReplicas=1), False, ""),
    (replicas(replicas=3, availableReplicas=2), False, ""),
    (replicas(replicas=2, availableReplicas=2, observedGeneration=0), False, ""),
    (deployment(replicas=2, updatedReplicas=2, availableReplicas=2), True, ""),
    (deployment(replicas=3, updatedReplicas=2, availableReplicas=2), False, ""),
    (deployment(**condition("Progressing", "False", reason="ProgressDeadlineExceeded", message="late")), False, "late"),
    (thing("StatefulSet", "a", spec={}, status={"observedGeneration": 1, "availableReplicas": 1}), False, ""),
    (
        thing("StatefulSet", "a", spec={"replicas": 1, "updateStrategy": {"type": "OnDelete"}},
              status={"observedGeneration": 1, "readyReplicas": 1}), True, "",
    ),
    (partitioned(2, updated=1), True, ""),
    (partitioned(2, updated=0), False, ""),
    (partitioned(9, updated=0), True, ""),
    (
        thing("DaemonSet", "a", spec={}, status={"observedGeneration": 1, "desiredNumberScheduled": 1,
              "numberAvailable": 1, "updatedNumberScheduled": 1}), True, "",
    ),
    (thing("Pod", "a", status={"phase": "Running"}), False, ""),
    (thing("Pod", "a", status={"phase": "Running", **condition("Ready", "True")}), True, ""),
    (thing("Pod", "a", status={"phase": "Succeeded"}), True, ""),
    (thing("Pod", "a", status={"phase": "Failed", "reason": "Evicted"}), False, "Evicted"),
    (thing("Job", "a", spec={}, status=condition("Complete", "True")), True, ""),
    (thing("Job", "a", spec={}, status=condition("Failed", "True", message="backoff")), False, "backoff"),
    (thing("Job", "a", spec={"suspend": True}), True, ""),
    (thing("Service", "a", spec={"type": "ClusterIP"}), True, ""),
    (thing("Service", "a", spec={"type": "LoadBalancer"}), False, ""),
    (
        thing("Service", "a", spec={"type": "LoadBalancer"}, status={"loadBalancer": {"ingress": [{"ip": "::1"}]}}),
        True, "",
    ),
    (thing("PersistentVolumeClaim", "a", status={"phase": "Bound"}), True, ""),
    (thing("PersistentVolumeClaim", "a", status={"phase": "Lost"}), False, "the volume that it was bound to is gone"),
    (thing("PersistentVolume", "a", "", status={"phase": "Available"}), True, ""),
    (thing("PersistentVolume", "a", "", status={"phase": "Failed", "message": "no"}), False, "no"),
    (thing("Namespace", "a", ""), True, ""),
    (thing("CustomResourceDefinition", "a", "", status=condition("Established", "True")), True, ""),
    (thing("CustomResourceDefinition", "a", ""), False, ""),
    (thing("Widget", "a", status=condition("Ready", "False")), False, ""),
    (thing("Widget", "a", status=condition("Odd", "False")), True, ""),
    (thing("ConfigMap", "a"), True, ""),
    (thing("ConfigMap", "a", metadata={"deletionTimestamp": "now"}), False, ""),
]  # fmt: skip


@pytest.mark.parametrize(("one", "ready", "failed"), STATES, ids=range(len(STATES)))
def test_when_objects_are_ready(one: dict[str, Any], ready: bool, failed: str) -> None:
    found = state_of(one)
    assert (found.ready, found.failed) == (ready, failed)


def test_a_state_in_words() -> None:
    assert describe(replicas(availableReplicas=1)) == "ReplicationController shop/a: 1 of 2 replicas are available"
    assert describe(thing("ConfigMap", "a")) == "ConfigMap shop/a: exists"
    assert address_of(thing("Service", "a", status={"loadBalancer": {"ingress": [{"hostname": "x"}]}})) == "x"


MANIFEST: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "a", "namespace": "shop", "labels": {"o": "1"}},
    "spec": {
        "ports": [{"port": 80, "protocol": "TCP", "name": "http"}],
        "selector": {"app": "a"},
        "externalIPs": ["1.1.1.1"],
    },
}
FIELDS: dict[str, Any] = {
    "f:metadata": {"f:labels": {"f:o": {}}},
    "f:spec": {
        "f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}, "f:protocol": {}, "f:name": {}}},
        "f:selector": {},
        "f:externalIPs": {'v:"1.1.1.1"': {}},
    },
}


def live(fields: Any = None, manager: str = "container.schedulers", **spec: Any) -> dict[str, Any]:
    entry = {"manager": manager, "operation": "Apply", "apiVersion": "v1", "fieldsV1": fields or FIELDS}
    metadata = {**MANIFEST["metadata"], "managedFields": [entry], "uid": "u"}
    return {**MANIFEST, "metadata": metadata, "spec": {**MANIFEST["spec"], "clusterIP": "10.0.0.1", **spec}}


def test_what_is_as_its_manifest_says_is_settled() -> None:
    assert is_settled(live(), MANIFEST)


@pytest.mark.parametrize(
    "there",
    [
        live(manager="kubectl"),
        live(selector={"app": "b"}),
        live(ports=[{"port": 80, "protocol": "TCP", "name": "other"}]),
        live(ports=[]),
        live(externalIPs=["2.2.2.2"]),
        live({**FIELDS, "f:data": {}}),
        live({"f:metadata": {"f:labels": {"f:o": {}}}}),
        live({**FIELDS, "f:spec": {**FIELDS["f:spec"], "f:ports": {"i:0": {}}}}),
        {**live(), "metadata": {**live()["metadata"], "deletionTimestamp": "now"}},
        {**live(), "metadata": {**live()["metadata"], "labels": {"o": "2"}}},
    ],
    ids=range(10),
)
def test_what_is_not_sure_to_be_the_same_is_not_settled(there: dict[str, Any]) -> None:
    assert not is_settled(there, MANIFEST)


def test_a_default_in_a_key_settles_nothing() -> None:
    without = {**MANIFEST, "spec": {**MANIFEST["spec"], "ports": [{"port": 80, "name": "http"}]}}
    assert not is_settled(live(), without)
