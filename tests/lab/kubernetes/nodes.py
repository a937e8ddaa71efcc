# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes as objects: what a kubelet would say of the machine it runs on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.kubernetes.client import Client, Object
from lab.kubernetes.settings import MANAGED

RUNTIME = "containerd://2.3.4"
DRIVER = "ebs.csi.aws.com"
DRIVER_ZONE = "topology.ebs.csi.aws.com/zone"
VOLUMES_AT_MOST = 25
"""Volumes that the EBS CSI driver attaches to one instance, about."""


@dataclass(frozen=True)
class Machine:
    """A machine that becomes a node."""

    name: str
    cpu: str = "2"
    memory: str = "4Gi"
    zone: str = "eu-west-1c"
    instance_type: str = "t3.medium"
    instance_id: str = ""
    address: str = "127.0.0.1"
    pods: int = 110
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Mapping[str, str], ...] = ()
    provider_id: str | None = None
    """None: made from zone and instance id; empty: left to a cloud controller."""
    external_cloud: bool = False
    """A cloud controller says where it is: zone, type and addresses are not the kubelet's to tell."""

    @property
    def instance(self) -> str:
        """The instance's id; a stand-alone node has one that nobody else has."""
        return self.instance_id or "i-" + hashlib.sha256(self.name.encode()).hexdigest()[:17]

    @property
    def region(self) -> str:
        return self.zone.rstrip("abcdefghijklmnopqrstuvwxyz") if self.zone[-1:].isalpha() else self.zone


def node(machine: Machine, version: str) -> Object:
    """The Node which the machine's kubelet would create."""
    provider_id = machine.provider_id
    if provider_id is None:
        provider_id = f"aws:///{machine.zone}/{machine.instance}"
    labels = {
        "kubernetes.io/hostname": machine.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        MANAGED: "kwok",
        **({} if machine.external_cloud else _place(machine)),
        **machine.labels,
    }
    spec: dict[str, Any] = {"taints": [dict(taint) for taint in machine.taints]}
    if provider_id:
        spec["providerID"] = provider_id
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": machine.name,
            "labels": labels,
            "annotations": {
                "volumes.kubernetes.io/controller-managed-attach-detach": "true",
                **({"alpha.kubernetes.io/provided-node-ip": machine.address} if machine.external_cloud else {}),
            },
        },
        "spec": spec,
        "status": _status(machine, version),
    }


def _place(machine: Machine) -> dict[str, str]:
    return {
        "node.kubernetes.io/instance-type": machine.instance_type,
        "topology.kubernetes.io/zone": machine.zone,
        "topology.kubernetes.io/region": machine.region,
        DRIVER_ZONE: machine.zone,
    }


def _status(machine: Machine, version: str) -> Object:
    resources = {"cpu": machine.cpu, "memory": machine.memory, "pods": str(machine.pods), "ephemeral-storage": "20Gi"}
    return {
        "capacity": resources,
        "allocatable": resources,
        "addresses": [
            {"type": "InternalIP", "address": machine.address},
            {"type": "Hostname", "address": machine.name},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "architecture": "amd64",
            "operatingSystem": "linux",
            "osImage": "Lab (simulated)",
            "kernelVersion": "6.12.0-lab",
            "containerRuntimeVersion": RUNTIME,
            "kubeletVersion": version,
            "kubeProxyVersion": "",
            "machineID": machine.instance,
            "systemUUID": machine.instance,
            "bootID": machine.instance,
        },
    }


def csi_node(machine: Machine, uid: str) -> Object:
    """What the EBS CSI driver's node plugin registers."""
    driver = {
        "name": DRIVER,
        "nodeID": machine.instance,
        "topologyKeys": [DRIVER_ZONE, "kubernetes.io/os", "topology.kubernetes.io/zone"],
        "allocatable": {"count": VOLUMES_AT_MOST},
    }
    owner = {"apiVersion": "v1", "kind": "Node", "name": machine.name, "uid": uid}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSINode",
        "metadata": {
            "name": machine.name,
            "ownerReferences": [owner],
            "annotations": {
                "storage.alpha.kubernetes.io/migrated-plugins": "kubernetes.io/aws-ebs,kubernetes.io/azure-disk,"
                "kubernetes.io/azure-file,kubernetes.io/cinder,kubernetes.io/gce-pd,kubernetes.io/portworx-volume,"
                "kubernetes.io/vsphere-volume"
            },
        },
        "spec": {"drivers": [driver]},
    }


def csi_driver() -> Object:
    """The EBS CSI driver as an object."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSIDriver",
        "metadata": {"name": DRIVER},
        "spec": {"attachRequired": True, "podInfoOnMount": False, "fsGroupPolicy": "ReadWriteOnceWithFSType"},
    }


def storage_class() -> Object:
    """The default class of a stand-alone cluster."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "gp3", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": DRIVER,
        "parameters": {"type": "gp3", "encrypted": "true"},
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
        "reclaimPolicy": "Delete",
    }


def register(client: Client, machine: Machine, version: str, with_storage: bool) -> None:
    """The machine joins, or comes back. With storage, the EBS CSI driver's node plugin is there at once."""
    document = node(machine, version)
    made = client.create("/api/v1/nodes", document)
    path = f"/api/v1/nodes/{machine.name}"
    if made is None:
        client.patch(path, {"metadata": {"labels": {MANAGED: "kwok"}}})
    client.patch(f"{path}/status", {"status": document["status"]})
    if with_storage:
        add_storage(client, machine)


def add_storage(client: Client, machine: Machine) -> None:
    found = client.get(f"/api/v1/nodes/{machine.name}")
    client.create("/apis/storage.k8s.io/v1/csinodes", csi_node(machine, found["metadata"]["uid"]))


def is_ready(document: Object) -> bool:
    """Does its Ready condition say so (a node's or a pod's)?"""
    conditions = document.get("status", {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def speak(client: Client, name: str, alive: bool) -> None:
    """A node is heard of, or nobody speaks for it any more: then it becomes NotReady in a while."""
    path = f"/api/v1/nodes/{name}"
    if client.find(path) is not None:
        client.patch(path, {"metadata": {"labels": {MANAGED: "kwok" if alive else None}}})
