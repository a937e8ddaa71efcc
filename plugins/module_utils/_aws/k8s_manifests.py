# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the manifests of a cluster's own parts are made of. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Manifest = dict[str, Any]

SYSTEM = "kube-system"


def manifest(kind: str, name: str, api: str = "v1", namespace: str | None = None, **fields: Any) -> Manifest:
    """An object with its name, and whatever else it has."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def rule(groups: str, resources: str, verbs: str) -> dict[str, list[str]]:
    """A rule of a role; words are separated by blanks, "core" is the group without a name."""
    named = ["" if one == "core" else one for one in groups.split()]
    return {"apiGroups": named, "resources": resources.split(), "verbs": verbs.split()}


def cluster_role(name: str, account: str, rules: Sequence[Mapping[str, Any]]) -> list[Manifest]:
    """A role for the whole cluster, and the service account of kube-system that has it."""
    api = "rbac.authorization.k8s.io/v1"
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    subjects = [{"kind": "ServiceAccount", "name": account, "namespace": SYSTEM}]
    return [
        manifest("ClusterRole", name, api, rules=list(rules)),
        manifest("ClusterRoleBinding", name, api, roleRef=reference, subjects=subjects),
    ]


def workload(kind: str, name: str, pod: Mapping[str, Any], **spec: Any) -> Manifest:
    """A DaemonSet or Deployment of a pod."""
    labels = {"app.kubernetes.io/name": name}
    template = {"metadata": {"labels": labels}, "spec": dict(pod)}
    return manifest(
        kind, name, "apps/v1", SYSTEM, spec={"selector": {"matchLabels": labels}, "template": template, **spec}
    )
