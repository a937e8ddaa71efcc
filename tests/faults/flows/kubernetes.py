# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes on Amazon EC2: a cluster up, larger, smaller and down; apps, a site and manifests on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from faults.flow import Flow, first_and_last, module, writes
from faults.injections import INJECTIONS
from faults.laboratory import Call
from faults.programs import Task


def _cluster(**options: Any) -> Task:
    return module(
        "k8s_aws_cluster",
        region="us-east-1",
        wait_sleep=1,
        wait_timeout=300,
        name="faults",
        kubeconfig="$KUBECONFIG",
        **options,
    )


_ONE_NODE, _TWO_NODES = (_cluster(zone="us-east-1a", node_count=count) for count in (1, 2))
_NO_CLUSTER = _cluster(state="absent", delete_data=True)


_NEEDLESS = ("kubernetes.Watch*", "kubernetes.ListEvents")
"""Events are for a wait that fails, and a watch for one that its first look does not end."""


def _on_cluster(act: Task, undo: Task, *before: Task, **more: Any) -> Flow:
    """A flow of what runs on a cluster that is shared by the cases of a batch."""
    return Flow(act, base=(_ONE_NODE,), before=before, undo=(undo,), raze=(_NO_CLUSTER,), needless=_NEEDLESS, **more)


def _app(**options: Any) -> Task:
    return module("k8s_cluster_app", wait_timeout=300, namespace="default", name="web", **options)


_WEB: Mapping[str, Any] = {
    "image": "httpd:2.4",
    "replicas": 2,
    "port": 80,
    "service": {"type": "LoadBalancer"},
    "verify": {"http": False},  # the names of load balancers are known to the lab's proxy only
}
_WEB_UP, _WEB_DOWN = _app(**_WEB), _app(state="absent")
_NEW_IMAGE = _app(**{**_WEB, "image": "httpd:2.4.62", "replicas": 3})


def _site(**options: Any) -> Task:
    return module("k8s_wordpress", wait_timeout=300, namespace="default", **options)


_SITE: Mapping[str, Any] = {
    "site": {"title": "Faults", "admin_email": "admin@example.com"},
    "service": {"type": "ClusterIP"},
}
_SITE_UP, _SITE_DOWN = _site(**_SITE), _site(state="absent", delete_data=True)
# the storage is said again as it is: the pod starts anew, and its data stay
_NEW_SITE = _site(
    **_SITE,
    image="wordpress:7.1.3-php8.4-apache",
    resources={"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
    storage={"mode": "dynamic"},
)


def _secret(*namespaces: str, **options: Any) -> Task:
    return module("k8s_secret", name="queue", namespaces=list(namespaces), **options)


_KEYS: Mapping[str, Any] = {"data": {"username": "app"}, "generate": ["password"]}
_SECRET_IN_ONE = _secret("default", **_KEYS)
_SECRET_IN_TWO = _secret("default", "kube-public", **_KEYS)  # both are in every cluster
_NO_SECRET = _secret("default", "kube-public", state="absent")


def _config(name: str, value: str) -> Mapping[str, Any]:
    metadata = {"name": name, "namespace": "tools"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"value": value}}


_NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tools"}}
_ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "tool", "namespace": "tools"}}
_TOOL = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "tool", "namespace": "tools"},
    "spec": {
        "selector": {"matchLabels": {"app": "tool"}},
        "template": {
            "metadata": {"labels": {"app": "tool"}},
            "spec": {"serviceAccountName": "tool", "containers": [{"name": "tool", "image": "httpd:2.4"}]},
        },
    },
}


def _tools(*manifests: Mapping[str, Any], **options: Any) -> Task:
    return module("k8s_apply", wait_timeout=300, owner="tools", prune=True, definition=list(manifests), **options)


_TOOLS_UP = _tools(_NAMESPACE, _ACCOUNT, _TOOL, _config("old", "1"), _config("both", "1"))
_TOOLS_CHANGED = _tools(_NAMESPACE, _ACCOUNT, _TOOL, _config("both", "2"), _config("new", "1"))
_TOOLS_DOWN = module("k8s_apply", wait_timeout=300, owner="tools", state="absent")

_BOOTS = ("kill-after", "abandon", "cut-after", "sigint", "sigterm", "together")
"""For flows of which each case boots a cluster: what leaves the account in a state of its own."""
_PERMISSIONS = ("roles/kubernetes_cluster/README.md",)
_PRUNED = {f"kubernetes.List{kind}" for kind in ("Configmaps", "Deployments", "Namespaces", "Pods", "Events")}


def _few_lists(calls: Sequence[Call]) -> list[Call]:
    """To prune, all kinds are listed, some sixty, and all alike: some of them stand for the rest."""
    return [call for call in calls if call.name in _PRUNED or not call.name.startswith("kubernetes.List")]


def _tools_flow(act: Task, *before: Task) -> Flow:
    # kinds that may not be listed are not looked for, as the module's docs and its warnings say
    injections = tuple(one for one in INJECTIONS if one != "denied")
    return _on_cluster(act, _TOOLS_DOWN, *before, picks=_few_lists, injections=injections)


def _of_app(act: Task, *before: Task) -> Flow:
    return _on_cluster(act, _WEB_DOWN, *before, permissions=("roles/kubernetes_app/README.md",))


def _of_site(act: Task, *before: Task) -> Flow:
    listed = ("roles/kubernetes_wordpress/README.md",)
    return _on_cluster(act, _SITE_DOWN, *before, picks=first_and_last, permissions=listed)


def _of_nodes(act: Task, *before: Task) -> Flow:
    """A cluster changed, and changed back."""
    return Flow(
        act,
        base=(_ONE_NODE,),
        before=before,
        undo=(_ONE_NODE,),
        raze=(_NO_CLUSTER,),
        injections=(*_BOOTS, "error-503", "overtaken"),
        picks=first_and_last,
        permissions=_PERMISSIONS,
    )


FLOWS: Mapping[str, Flow] = {
    "k8s-cluster-up": Flow(_ONE_NODE, undo=(_NO_CLUSTER,), injections=_BOOTS, picks=writes, permissions=_PERMISSIONS),
    "k8s-cluster-larger": _of_nodes(_TWO_NODES),
    "k8s-cluster-smaller": _of_nodes(_ONE_NODE, _TWO_NODES),
    "k8s-cluster-down": Flow(
        _NO_CLUSTER,
        before=(_ONE_NODE, _WEB_UP),
        undo=(_NO_CLUSTER,),
        injections=_BOOTS,
        picks=writes,
        # the cloud controller's work, if it is faster
        optional=frozenset({"delete service classic load balancer *", "delete service security group k8s-elb*"}),
        permissions=_PERMISSIONS,
    ),
    "k8s-app-up": _of_app(_WEB_UP),
    "k8s-app-update": _of_app(_NEW_IMAGE, _WEB_UP),
    "k8s-app-down": _of_app(_WEB_DOWN, _WEB_UP),
    "k8s-wordpress-up": _of_site(_SITE_UP),
    "k8s-wordpress-change": _of_site(_NEW_SITE, _SITE_UP),
    "k8s-wordpress-down": _of_site(_SITE_DOWN, _SITE_UP),
    "k8s-secret-up": _on_cluster(_SECRET_IN_TWO, _NO_SECRET),
    "k8s-secret-change": _on_cluster(_SECRET_IN_TWO, _NO_SECRET, _SECRET_IN_ONE),
    "k8s-secret-down": _on_cluster(_NO_SECRET, _NO_SECRET, _SECRET_IN_TWO),
    "k8s-tools-up": _tools_flow(_TOOLS_UP),
    "k8s-tools-change": _tools_flow(_TOOLS_CHANGED, _TOOLS_UP),
    "k8s-tools-down": _tools_flow(_TOOLS_DOWN, _TOOLS_UP),
}
