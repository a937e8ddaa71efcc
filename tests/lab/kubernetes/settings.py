# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the programs of the control plane are started: their flags and configuration files. No processes here."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path

from lab.kubernetes.pki import Pair

SERVICES, PODS = "10.96.0.0/16", "10.244.0.0/16"
DOMAIN = "cluster.local"
ISSUER = f"https://kubernetes.default.svc.{DOMAIN}"
FRONT = "front-proxy-client"
"""The name of who may ask on behalf of others."""
MANAGED = "lab.invalid/kubelet"
"""A node with this label is kept alive by kwok; without it the node falls silent."""
ADMINISTRATOR = "kubernetes-admin"
"""As kubeadm calls it: who has the kubeconfig."""
SOCKETS = {"egress": "egress.sock", "lab": "lab.sock"}
"""Relative to the state folder: the path of a socket may not be long."""


@dataclass(frozen=True)
class Layout:
    """Where everything of one control plane lies, and on which ports it listens."""

    state: Path
    address: str
    api_port: int
    etcd_port: int
    peer_port: int
    controllers_port: int
    scheduler_port: int
    kwok_port: int
    services: str = SERVICES
    pods: str = PODS

    @property
    def url(self) -> str:
        return f"https://{self.address}:{self.api_port}"

    @property
    def first_service(self) -> str:
        """The address of the API server inside the cluster."""
        return str(ipaddress.ip_network(self.services)[1])

    @property
    def audit_log(self) -> Path:
        """A line for every request of the administrator."""
        return self.file("logs") / "audit.log"

    def file(self, name: str) -> Path:
        return self.state / name


def etcd(layout: Layout) -> list[str]:
    client, peer = f"http://127.0.0.1:{layout.etcd_port}", f"http://127.0.0.1:{layout.peer_port}"
    return [
        f"--data-dir={layout.file('etcd')}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def api_server(
    layout: Layout, serving: Pair, kubelet: Pair, authority: Path, accounts: Pair, fronts: Path
) -> list[str]:
    return [
        f"--etcd-servers=http://127.0.0.1:{layout.etcd_port}",
        f"--bind-address={layout.address}",
        f"--advertise-address={layout.address}",
        f"--secure-port={layout.api_port}",
        "--endpoint-reconciler-type=none",
        f"--tls-cert-file={serving.certificate}",
        f"--tls-private-key-file={serving.key}",
        f"--client-ca-file={authority}",
        f"--requestheader-client-ca-file={fronts}",
        f"--requestheader-allowed-names={FRONT}",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        f"--kubelet-client-certificate={kubelet.certificate}",
        f"--kubelet-client-key={kubelet.key}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--egress-selector-config-file={layout.file('egress.yaml')}",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-key-file={accounts.certificate}",
        f"--service-account-signing-key-file={accounts.key}",
        f"--service-cluster-ip-range={layout.services}",
        "--authorization-mode=Node,RBAC",
        f"--audit-policy-file={layout.file('audit.yaml')}",
        f"--audit-log-path={layout.audit_log}",
        "--enable-bootstrap-token-auth=true",
        "--enable-aggregator-routing=true",
        "--allow-privileged=true",
        # A lab on two cores serves few clients: fairness among many costs a second at the start and buys nothing.
        "--enable-priority-and-fairness=false",
        "--max-requests-inflight=0",
        "--max-mutating-requests-inflight=0",
        "--watch-cache-sizes=",
    ]


def controller_manager(layout: Layout, kubeconfig: Path, authority: Pair, accounts: Pair) -> list[str]:
    return [
        *_identity(kubeconfig, layout.controllers_port),
        f"--service-account-private-key-file={accounts.key}",
        f"--root-ca-file={authority.certificate}",
        "--use-service-account-credentials=true",
        f"--cluster-signing-cert-file={authority.certificate}",
        f"--cluster-signing-key-file={authority.key}",
        "--controllers=*,bootstrapsigner,tokencleaner",
        "--cloud-provider=external",
        "--allocate-node-cidrs=true",
        f"--cluster-cidr={layout.pods}",
        "--node-monitor-period=1s",
        "--node-monitor-grace-period=20s",
        "--pvclaimbinder-sync-period=2s",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
    ]


def scheduler(layout: Layout, kubeconfig: Path) -> list[str]:
    return [*_identity(kubeconfig, layout.scheduler_port), f"--config={layout.file('scheduler.yaml')}"]


def kwok(layout: Layout, kubeconfig: Path) -> list[str]:
    return [
        f"--kubeconfig={kubeconfig}",
        f"--config={layout.file('kwok.yaml')}",
        f"--manage-nodes-with-label-selector={MANAGED}",
        "--node-ip=127.0.0.1",
        "--node-port=10250",
        f"--server-address=127.0.0.1:{layout.kwok_port}",
        "--node-lease-duration-seconds=12",
    ]


def _identity(kubeconfig: Path, port: int) -> list[str]:
    return [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
    ]


def write_files(layout: Layout, scheduler_kubeconfig: Path) -> None:
    """The configuration files that the flags above name (JSON is YAML)."""
    egress = {
        "apiVersion": "apiserver.k8s.io/v1beta1",
        "kind": "EgressSelectorConfiguration",
        "egressSelections": [
            {
                "name": "cluster",
                "connection": {
                    "proxyProtocol": "HTTPConnect",
                    "transport": {"uds": {"udsName": SOCKETS["egress"]}},
                },
            }
        ],
    }
    schedulers = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "leaderElection": {"leaderElect": False},
        "clientConnection": {"kubeconfig": str(scheduler_kubeconfig), "qps": 200, "burst": 400},
        "podInitialBackoffSeconds": 1,
        "podMaxBackoffSeconds": 2,
    }
    audit = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["ResponseStarted", "ResponseComplete"],
        "rules": [{"level": "Metadata", "users": [ADMINISTRATOR]}, {"level": "None"}],
    }
    layout.file("audit.yaml").write_text(json.dumps(audit))
    layout.file("egress.yaml").write_text(json.dumps(egress))
    layout.file("scheduler.yaml").write_text(json.dumps(schedulers))
    layout.file("kwok.yaml").write_text("---\n".join(json.dumps(stage) + "\n" for stage in node_stages()))


NODE_STATUS = """
{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
daemonEndpoints:
  kubeletEndpoint:
    Port: {{ NodePort }}
phase: Running
"""


def node_stages() -> list[dict[str, object]]:
    """What kwok does for a node: it becomes Ready, at first and after every silence. Leases are its own affair.

    Everything else of a node's status is written by whoever makes the node (nodes.py).
    """
    not_ready = {
        "key": '.status.conditions.[] | select( .type == "Ready" ) | .status',
        "operator": "NotIn",
        "values": ["True"],
    }
    stage: dict[str, object] = {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": "node-ready"},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": "Node"},
            "selector": {"matchExpressions": [not_ready]},
            "next": {"statusTemplate": NODE_STATUS},
        },
    }
    return [stage]
