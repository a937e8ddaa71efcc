# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kubeadm puts into a new cluster: its own objects, CoreDNS and kube-proxy."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
from pathlib import Path
from typing import Any

from lab.kubernetes.client import Client, Object
from lab.kubernetes.ec2.kubeadm import Init, images

RBAC = "/apis/rbac.authorization.k8s.io/v1"
NODES = "system:bootstrappers:kubeadm:default-node-token"


def install(client: Client, init: Init, authority: Path) -> None:
    """Everything that `kubeadm init` creates after the control plane has come up."""
    _cluster_info(client, init, authority)
    _bindings(client)
    _config(client, init)
    if "addon" not in init.skipped and "addon/coredns" not in init.skipped:
        _core_dns(client, init)
    if "addon" not in init.skipped and "addon/kube-proxy" not in init.skipped:
        _kube_proxy(client, init)


def token_secret(token: str, ttl_seconds: float | None) -> Object:
    """A bootstrap token as the API server and the token cleaner know it."""
    name, _unused, secret = token.partition(".")
    data = {
        "token-id": name,
        "token-secret": secret,
        "usage-bootstrap-authentication": "true",
        "usage-bootstrap-signing": "true",
        "auth-extra-groups": NODES,
    }
    if ttl_seconds:
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=ttl_seconds)
        data["expiration"] = end.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "metadata": {"name": f"bootstrap-token-{name}", "namespace": "kube-system"},
        "type": "bootstrap.kubernetes.io/token",
        "stringData": data,
    }


def _cluster_info(client: Client, init: Init, authority: Path) -> None:
    cluster = {
        "certificate-authority-data": base64.b64encode(authority.read_bytes()).decode(),
        "server": f"https://{init.endpoint}",
    }
    kubeconfig = {"apiVersion": "v1", "kind": "Config", "clusters": [{"name": "", "cluster": cluster}]}
    client.create(
        "/api/v1/namespaces/kube-public/configmaps",
        {"metadata": {"name": "cluster-info"}, "data": {"kubeconfig": json.dumps(kubeconfig)}},
    )
    client.create(
        f"{RBAC}/namespaces/kube-public/roles",
        {
            "metadata": {"name": "kubeadm:bootstrap-signer-clusterinfo"},
            "rules": [
                {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["cluster-info"], "verbs": ["get"]}
            ],
        },
    )
    client.create(
        f"{RBAC}/namespaces/kube-public/rolebindings",
        {
            "metadata": {"name": "kubeadm:bootstrap-signer-clusterinfo"},
            "roleRef": _reference("Role", "kubeadm:bootstrap-signer-clusterinfo"),
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "system:anonymous"}],
        },
    )


def _bindings(client: Client) -> None:
    groups = {
        "kubeadm:kubelet-bootstrap": ("system:node-bootstrapper", NODES),
        "kubeadm:node-autoapprove-bootstrap": (
            "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
            NODES,
        ),
        "kubeadm:node-autoapprove-certificate-rotation": (
            "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
            "system:nodes",
        ),
    }
    for name, (role, group) in groups.items():
        client.create(
            f"{RBAC}/clusterrolebindings",
            {
                "metadata": {"name": name},
                "roleRef": _reference("ClusterRole", role),
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}],
            },
        )


def _config(client: Client, init: Init) -> None:
    configuration = {
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "ClusterConfiguration",
        "clusterName": init.cluster_name,
        "controlPlaneEndpoint": init.endpoint,
        "kubernetesVersion": f"v{init.version}",
        "networking": {"podSubnet": init.pods, "serviceSubnet": init.services, "dnsDomain": "cluster.local"},
    }
    client.create(
        "/api/v1/namespaces/kube-system/configmaps",
        {"metadata": {"name": "kubeadm-config"}, "data": {"ClusterConfiguration": json.dumps(configuration)}},
    )


def _core_dns(client: Client, init: Init) -> None:
    labels = {"k8s-app": "kube-dns"}
    client.create("/api/v1/namespaces/kube-system/serviceaccounts", {"metadata": {"name": "coredns"}})
    client.create(
        "/api/v1/namespaces/kube-system/services",
        {
            "metadata": {
                "name": "kube-dns",
                "labels": {**labels, "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"},
            },
            "spec": {
                "clusterIP": str(ipaddress.ip_network(init.services)[10]),
                "selector": labels,
                "ports": [
                    {"name": "dns", "port": 53, "protocol": "UDP"},
                    {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
                    {"name": "metrics", "port": 9153, "protocol": "TCP"},
                ],
            },
        },
    )
    container = {
        "name": "coredns",
        "image": images(init.version)[4],
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [{"containerPort": 53, "name": "dns-tcp"}, {"containerPort": 9153, "name": "metrics"}],
        "resources": {"requests": {"cpu": "100m", "memory": "70Mi"}, "limits": {"memory": "170Mi"}},
    }
    spec = {
        "serviceAccountName": "coredns",
        "priorityClassName": "system-cluster-critical",
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [
            {"key": "CriticalAddonsOnly", "operator": "Exists"},
            {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"},
        ],
        "containers": [container],
    }
    _workload(client, "deployments", "coredns", labels, spec, replicas=2)


def _kube_proxy(client: Client, init: Init) -> None:
    client.create("/api/v1/namespaces/kube-system/serviceaccounts", {"metadata": {"name": "kube-proxy"}})
    spec = {
        "serviceAccountName": "kube-proxy",
        "priorityClassName": "system-node-critical",
        "hostNetwork": True,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"operator": "Exists"}],
        "containers": [{"name": "kube-proxy", "image": images(init.version)[3]}],
    }
    _workload(client, "daemonsets", "kube-proxy", {"k8s-app": "kube-proxy"}, spec)


def _workload(client: Client, kind: str, name: str, labels: Object, spec: Object, **more: Any) -> None:
    template = {"metadata": {"labels": labels}, "spec": spec}
    client.create(
        f"/apis/apps/v1/namespaces/kube-system/{kind}",
        {
            "metadata": {"name": name, "labels": labels},
            "spec": {"selector": {"matchLabels": labels}, "template": template, **more},
        },
    )


def _reference(kind: str, name: str) -> Object:
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
