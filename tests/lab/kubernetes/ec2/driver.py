# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EBS CSI driver is there as far as its pods are: its controller, and its plug-in on every node."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lab.kubernetes import nodes
from lab.kubernetes.client import Client, Object
from lab.kubernetes.ec2.aws_cloud import AwsCloud
from lab.kubernetes.informer import Change, Informer
from lab.kubernetes.storage import Storage

IMAGE = "aws-ebs-csi-driver"
Keys = Callable[[str, bool], Mapping[str, str] | None]
"""(instance id, in the host's network?) -> credentials by way of the metadata service."""


class Driver:
    """Hears of every pod."""

    def __init__(self, client: Client, informer: Informer, storage: Storage, cloud: AwsCloud, keys: Keys) -> None:
        self._client = client
        self._informer = informer
        self._storage = storage
        self._cloud = cloud
        self._keys = keys
        self._registered: set[str] = set()

    def take(self, change: Change) -> None:
        if change.kind == "nodes" and change.now is None:
            self._registered.discard(change.key)
        if change.kind != "pods" or not (role_of(change.now) or role_of(change.before)):
            return
        pod = change.now
        if role_of(pod) == "node" and pod is not None and nodes.is_ready(pod):
            self._register(pod["spec"]["nodeName"])
        self._controllers()

    def _register(self, name: str) -> None:
        node = self._informer.get("nodes", name)
        if node is None or name in self._registered:
            return
        self._registered.add(name)
        machine = nodes.Machine(name, zone=_zone(node), instance_id=_instance(node))

        def work() -> None:
            nodes.add_storage(self._client, machine)
            self._client.patch(f"/api/v1/nodes/{name}", {"metadata": {"labels": {nodes.DRIVER_ZONE: machine.zone}}})

        self._storage.do(f"register {name}", work)

    def _controllers(self) -> None:
        controllers = [
            pod for pod in self._informer.all("pods") if role_of(pod) == "controller" and nodes.is_ready(pod)
        ]
        if controllers:
            pod = controllers[0]
            node = self._informer.get("nodes", pod["spec"]["nodeName"])
            instance, host_network = _instance(node or {}), bool(pod["spec"].get("hostNetwork"))
            self._cloud.credentials = lambda: self._keys(instance, host_network)
            self._storage.extra_tags = extra_tags(pod)
        was, self._storage.running = self._storage.running, bool(controllers)
        if controllers and not was:
            self._storage.take_all()


def role_of(pod: Object | None) -> str | None:
    """`controller`, `node`, or None for pods that are no part of the driver."""
    for container in pod["spec"]["containers"] if pod else ():
        if IMAGE in container["image"]:
            words = [*(container.get("command") or ()), *(container.get("args") or ())]
            return next((word for word in words if word in ("controller", "node", "all")), "controller")
    return None


def extra_tags(pod: Object) -> dict[str, str]:
    """The tags that the controller's arguments ask for: --extra-tags and --k8s-tag-cluster-id."""
    tags: dict[str, str] = {}
    for container in pod["spec"]["containers"]:
        for word in container.get("args") or () if IMAGE in container["image"] else ():
            name, _unused, value = word.partition("=")
            if name == "--k8s-tag-cluster-id":
                tags |= {f"kubernetes.io/cluster/{value}": "owned", "KubernetesCluster": value}
            elif name == "--extra-tags":
                tags.update(dict(one.split("=", 1) for one in value.split(",") if "=" in one))
    return tags


def _instance(node: Object) -> str:
    return str(node.get("spec", {}).get("providerID", "")).rpartition("/")[2]


def _zone(node: Object) -> str:
    parts = str(node["spec"].get("providerID", "")).split("/")
    return parts[-2] if len(parts) > 1 else ""
