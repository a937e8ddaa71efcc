# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""k8s_apply as a whole, on a cluster in a dictionary."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    BusyError,
    ConflictError,
    InputError,
    NotOursError,
    PartialError,
)
from ansible_collections.container.schedulers.plugins.module_utils._k8s.apply_set import APPLY, ensure
from ansible_collections.container.schedulers.plugins.module_utils._module import Outcome
from ansible_collections.container.schedulers.plugins.module_utils._ownership import OWNER
from unit.plugins.module_utils.k8s.contexts import context
from unit.returned import as_documented
from unit.small_cluster import SmallCluster, labelled, running, small_cluster

COLOURS = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "colours"}, "data": {"sky": "blue"}}
SHOP = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
KEYS = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"door": "open-sesame"}}
WEB = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "nginx"}]},
        },
    },
}


def within(namespace: Any) -> dict[str, Any]:
    """A manifest that names its namespace."""
    return {**COLOURS, "metadata": {"name": "colours", "namespace": namespace}}


def apply(cluster: SmallCluster, *manifests: Any, **options: Any) -> Outcome:
    given: dict[str, Any] = {"definition": list(manifests)} if manifests else {}
    return as_documented(ensure, ensure(context(cluster, APPLY, owner="shop", **given, **options)))


def sentences(outcome: Outcome) -> list[str]:
    assert outcome.plan is not None
    return outcome.plan.sentences()


def test_a_set_is_made_once() -> None:
    with small_cluster() as cluster:
        cluster.controllers = running
        made = apply(cluster, SHOP, WEB, KEYS, namespace="shop")
        again = apply(cluster, SHOP, WEB, KEYS, namespace="shop")
    assert sentences(made) == ["create Namespace shop", "create Secret shop/keys", "create Deployment shop/web"]
    assert [one["action"] for one in made.result["objects"]] == ["created"] * 3
    assert sentences(again) == []
    web = cluster.get("Deployment", "web", "shop")
    assert web is not None
    assert web["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "container.schedulers",
        "container.schedulers/owner": "apply.shop",
    }


def test_a_check_changes_nothing() -> None:
    with small_cluster() as cluster:
        outcome = apply(cluster, COLOURS, check=True)
        assert cluster.get("ConfigMap", "colours") is None
    assert sentences(outcome) == ["create ConfigMap default/colours"]
    assert outcome.result["objects"][0]["uid"] is None


def discovery(*kinds: str) -> dict[str, Any]:
    """What an API server says about the kinds that it serves."""
    resources = [
        {
            "resource": f"{kind.lower()}s",
            "responseKind": {"kind": kind},
            "scope": "Namespaced",
            "verbs": ["create"] if kind == "Binding" else ["list", "delete"],
        }
        for kind in kinds
    ]
    return {"items": [{"metadata": {"name": ""}, "versions": [{"version": "v1", "resources": resources}]}]}


def test_what_differs_is_changed_and_what_is_left_out_is_pruned() -> None:
    groups = discovery("ConfigMap", "Secret", "Event", "Binding")
    with small_cluster() as cluster:
        apply(cluster, COLOURS, KEYS)
        cluster.refuse = lambda _method, path, _body: (200, groups) if path in ("/api", "/apis") else None
        changed = apply(cluster, {**COLOURS, "data": {"sky": "grey"}}, prune=True)
        removed = apply(cluster, state="absent")
        gone = apply(cluster, state="absent")
        assert cluster.get("ConfigMap", "colours") is None
    assert sentences(changed) == ["update ConfigMap default/colours (data.sky)", "delete Secret default/keys"]
    assert sentences(removed) == ["delete ConfigMap default/colours"]
    assert sentences(gone) == []


SHAPES = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shapes"}, "data": {"sun": "round"}}
ALL = {"colours", "shapes", "keys", "of-another"}


@pytest.mark.parametrize(
    ("runs", "done", "left"),
    [
        ([((COLOURS,), {})], [], ALL),
        ([((COLOURS,), {"prune": False})], [], ALL),
        (
            [((COLOURS,), {"prune": True})],
            ["ConfigMap default/shapes", "Secret default/keys"],
            {"colours", "of-another"},
        ),
        # what was left out without prune is not forgotten: a later prune, or removal, still knows whose it is
        (
            [((COLOURS,), {}), ((COLOURS, KEYS), {"prune": True})],
            ["ConfigMap default/shapes"],
            {"colours", "keys", "of-another"},
        ),
        ([((COLOURS,), {}), ((COLOURS, SHAPES, KEYS), {"prune": True})], [], ALL),
        (
            [((COLOURS,), {}), ((), {"state": "absent"})],
            ["ConfigMap default/colours", "ConfigMap default/shapes", "Secret default/keys"],
            {"of-another"},
        ),
        ([((SHAPES,), {"state": "absent"})], ["ConfigMap default/shapes"], ALL - {"shapes"}),
        (
            [((SHAPES,), {"state": "absent", "prune": True})],
            ["ConfigMap default/colours", "ConfigMap default/shapes", "Secret default/keys"],
            {"of-another"},
        ),
    ],
)
def test_nothing_is_deleted_without_prune_and_nothing_is_forgotten(
    runs: list[tuple[tuple[Any, ...], dict[str, Any]]], done: list[str], left: set[str]
) -> None:
    groups = discovery("ConfigMap", "Secret")
    another = {**SHAPES, "metadata": {"name": "of-another"}}
    with small_cluster() as cluster:
        cluster.refuse = lambda _method, path, _body: (200, groups) if path in ("/api", "/apis") else None
        ensure(context(cluster, APPLY, owner="another", definition=[another]))
        apply(cluster, COLOURS, SHAPES, KEYS)
        told = [
            sentence for manifests, options in runs for sentence in sentences(apply(cluster, *manifests, **options))
        ]
        assert {name for kind, _namespace, name in cluster.objects if kind in ("ConfigMap", "Secret")} == left
    assert sorted(told) == [f"delete {one}" for one in done]


def test_what_may_not_be_listed_is_not_pruned_and_said() -> None:
    groups = discovery("Secret")

    def refuse(_method: str, path: str, _body: Any) -> tuple[int, dict[str, Any]] | None:
        if path in ("/api", "/apis"):
            return 200, groups
        return (403, {"reason": "Forbidden", "message": "no"}) if path == "/api/v1/secrets" else None

    with small_cluster() as cluster:
        cluster.refuse = refuse
        assert sentences(apply(cluster, COLOURS, prune=True)) == ["create ConfigMap default/colours"]


@pytest.mark.parametrize("options", [{"prune": True}, {"state": "absent"}], ids=["prune", "absent"])
def test_what_was_copied_with_our_label_stays(options: dict[str, Any]) -> None:
    """Only what the server has not noted as written by others is deleted without being named."""
    wrote = [labelled(manager, {OWNER: ""}) for manager in ("container.schedulers", "kubectl")]
    with small_cluster("shop") as cluster:
        apply(cluster, COLOURS, KEYS)
        for (kind, _place, name), one in [*cluster.objects.items()]:
            if kind in ("ConfigMap", "Secret"):
                metadata = {**one["metadata"], "managedFields": wrote}
                cluster.put({**one, "metadata": metadata})
                cluster.put({**one, "metadata": {**metadata, "namespace": "shop", "managedFields": wrote[1:]}})
                cluster.put({**one, "metadata": {**metadata, "name": f"{name}-2", "managedFields": wrote[1:]}})
        groups = discovery("ConfigMap", "Secret")
        cluster.refuse = lambda _method, path, _body: (200, groups) if path in ("/api", "/apis") else None
        given = () if "state" in options else (COLOURS,)
        deleted = (
            ["delete Secret default/keys"]
            if given
            else ["delete ConfigMap default/colours", "delete Secret default/keys"]
        )
        assert sentences(apply(cluster, *given, **options)) == deleted
        # what is named is what it says, whoever has put it back
        assert sentences(apply(cluster, {**COLOURS, "metadata": {"name": "colours-2"}}, state="absent")) == [
            "delete ConfigMap default/colours-2"
        ]


def test_what_somebody_has_put_back_is_ours_again_once_it_was_applied() -> None:
    with small_cluster() as cluster:
        apply(cluster, COLOURS)
        one = cluster.objects["ConfigMap", "default", "colours"]
        cluster.put({**one, "metadata": {**one["metadata"], "managedFields": [labelled("kubectl", {OWNER: ""})]}})
        runs = [sentences(apply(cluster, COLOURS, check=check)) for check in (True, False, False)]
    assert runs == [["update ConfigMap default/colours (metadata.managedFields)"]] * 2 + [[]]


def test_a_version_that_a_cluster_has_forgotten_makes_nothing_a_copy() -> None:
    """The server drops a writer with the version of the API that it has written at."""
    left = {"manager": "controller", "operation": "Update", "fieldsV1": {"f:data": {}}}
    with small_cluster() as cluster:
        apply(cluster, COLOURS)
        one = cluster.objects["ConfigMap", "default", "colours"]
        cluster.put({**one, "metadata": {**one["metadata"], "managedFields": [left]}})
        groups = discovery("ConfigMap", "Secret")
        cluster.refuse = lambda _method, path, _body: (200, groups) if path in ("/api", "/apis") else None
        assert sentences(apply(cluster, state="absent")) == ["delete ConfigMap default/colours"]


def test_what_is_somebody_elses_is_refused() -> None:
    with small_cluster() as cluster:
        cluster.put({**COLOURS, "metadata": {"name": "colours", "namespace": "default"}})
        with pytest.raises(NotOursError, match="adopt"):
            apply(cluster, COLOURS)
        with pytest.raises(NotOursError, match="was not made by this task"):
            apply(cluster, COLOURS, state="absent")
        assert sentences(apply(cluster, COLOURS, adopt=True))
        with pytest.raises(NotOursError, match=r"belongs to apply\.shop"):
            ensure(context(cluster, APPLY, owner="other", definition=COLOURS, adopt=True))


def test_a_field_of_another_manager_is_named() -> None:
    cause = {"reason": "FieldManagerConflict", "message": 'conflict with "kubectl"', "field": ".data.sky"}
    status = {"reason": "Conflict", "details": {"causes": [cause]}}
    with small_cluster() as cluster:
        cluster.refuse = lambda method, _path, _body: (409, status) if method == "PATCH" else None
        with pytest.raises(ConflictError, match=r"data\.sky belongs to kubectl"):
            apply(cluster, COLOURS)


@pytest.mark.parametrize(
    ("manifests", "options", "says"),
    [
        ([], {"definition": []}, "there is no manifest"),
        ([COLOURS], {"owner": "A_b"}, "owner is 'A_b'"),
        ([COLOURS], {"owner": "shop\n"}, "owner is 'shop.n'"),
        ([COLOURS], {"namespace": "a b"}, "namespace: 'a b' is no name for a namespace"),
        ([COLOURS], {"prune_namespaces": ["a/b"]}, "prune_namespaces: 'a/b' is no name for a namespace"),
        ([COLOURS], {"namespace": "nowhere"}, "namespace nowhere does not exist"),
        (
            [COLOURS, within("a/b")],
            {},
            r"document 2 \(ConfigMap\): metadata.namespace: 'a/b' is no name for a namespace",
        ),
        ([within(5)], {}, "metadata.namespace: 5 is no name"),
        ([within(["shop"])], {}, r"metadata.namespace: \['shop'\] is no name"),
        ([within("nowhere")], {}, "namespace nowhere does not exist"),
        ([COLOURS, COLOURS], {}, "is described twice"),
        ([{**COLOURS, "kind": "Odd"}], {}, "does not know kind Odd"),
    ],
)
def test_bad_input_is_refused_before_the_first_change(manifests: list[Any], options: dict[str, Any], says: str) -> None:
    with small_cluster() as cluster:
        given = {"owner": "shop", "definition": manifests, **options}
        with pytest.raises(InputError, match=says):
            ensure(context(cluster, APPLY, **given))
        assert cluster.written == []


def test_a_definition_brings_its_kind() -> None:
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "leases.example.com"},
        "spec": {
            "group": "coordination.k8s.io",
            "scope": "Namespaced",
            "names": {"kind": "Lease", "plural": "leases"},
            "versions": [{"name": "v1"}],
        },
    }
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "one"}}

    def establish(cluster: SmallCluster, one: dict[str, Any]) -> None:
        if one["kind"] == "CustomResourceDefinition":
            cluster.put({**one, "status": {"conditions": [{"type": "Established", "status": "True"}]}})

    with small_cluster() as cluster:
        cluster.controllers = establish
        outcome = apply(cluster, lease, crd)
    assert sentences(outcome) == ["create CustomResourceDefinition leases.example.com", "create Lease default/one"]


def test_what_a_failure_left_is_told() -> None:
    def refuse(method: str, path: str, _body: Any) -> tuple[int, dict[str, Any]] | None:
        tried = method == "PATCH" and path.endswith("/deployments/web")
        return (422, {"reason": "Invalid", "message": "no"}) if tried and armed else None

    armed: list[bool] = []
    with small_cluster() as cluster:
        cluster.refuse = refuse

        def arm(_cluster: SmallCluster, one: dict[str, Any]) -> None:
            if one["kind"] == "ConfigMap":
                armed.append(True)

        cluster.controllers = arm
        with pytest.raises(PartialError) as caught:
            apply(cluster, COLOURS, WEB)
    assert caught.value.details["steps_done"] == ["create ConfigMap default/colours"]
    assert caught.value.details["step_failed"] == "create Deployment default/web"


def leaving(*conditions: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": "shop", "deletionTimestamp": "now"}
    return {
        **SHOP,
        "metadata": metadata,
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"conditions": list(conditions)},
    }


def test_a_namespace_on_its_way_out_cannot_be_used() -> None:
    held = {"type": "NamespaceFinalizersRemaining", "status": "True", "message": "some have finalizer x/y."}
    with small_cluster() as cluster:
        cluster.put(leaving(held))
        with pytest.raises(BusyError, match="some have finalizer x/y"):
            apply(cluster, COLOURS, namespace="shop")
        cluster.put(leaving())
        with pytest.raises(BusyError, match="has the finalizers kubernetes"):
            apply(cluster, SHOP, COLOURS, namespace="shop", check=True)


def test_a_namespace_of_the_set_is_waited_for_and_made_again() -> None:
    with small_cluster() as cluster:
        cluster.put(leaving())
        watched = cluster.requests

        def refuse(_method: str, path: str, _body: Any) -> None:
            if path == "/api/v1/namespaces" and ("GET", path) in watched[:-1]:
                cluster.remove("Namespace", "shop", "")

        cluster.refuse = refuse
        assert "create Namespace shop" in sentences(apply(cluster, SHOP, COLOURS, namespace="shop"))


def test_a_pod_waits_for_the_account_of_its_namespace() -> None:
    refusals = iter([True, False])

    def refuse(method: str, path: str, _body: Any) -> tuple[int, dict[str, Any]] | None:
        if (
            method == "PATCH"
            and path.endswith("/pods/one")
            and cluster.requests.count((method, path)) > 1
            and next(refusals, False)
        ):
            return 403, {
                "reason": "Forbidden",
                "message": "error looking up service account default/default: not found",
            }
        return None

    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "status": {}}
    with small_cluster() as cluster:
        cluster.refuse = refuse
        assert sentences(apply(cluster, pod, wait=False)) == ["create Pod default/one"]


def on_its_way_out(cluster: SmallCluster) -> Any:
    """What was made, as a run leaves it that was killed while it deleted it; it is gone at the second look."""
    there = cluster.get("ConfigMap", "colours")
    assert there is not None
    cluster.put({**there, "metadata": {**there["metadata"], "deletionTimestamp": "now", "finalizers": ["x/y"]}})
    path = "/api/v1/namespaces/default/configmaps"
    before = len(cluster.requests)

    def refuse(_method: str, asked: str, _body: Any) -> None:
        if asked == path and ("GET", path) in cluster.requests[before:-1]:
            cluster.remove("ConfigMap", "colours")

    cluster.refuse = refuse
    return there["metadata"]["uid"]


def test_what_is_being_deleted_is_waited_for_and_made_again() -> None:
    with small_cluster() as cluster:
        apply(cluster, COLOURS)
        before = on_its_way_out(cluster)
        again = apply(cluster, COLOURS)
        there = cluster.get("ConfigMap", "colours")
    assert sentences(again) == ["create ConfigMap default/colours"]
    assert there is not None
    assert there["metadata"]["uid"] != before
    assert "deletionTimestamp" not in there["metadata"]


def test_a_check_says_so_and_does_not_wait() -> None:
    with small_cluster() as cluster:
        apply(cluster, COLOURS)
        on_its_way_out(cluster)
        assert sentences(apply(cluster, COLOURS, check=True)) == ["create ConfigMap default/colours"]
