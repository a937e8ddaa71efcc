# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EBS CSI driver's controller: it provisions, attaches, grows and deletes volumes in the cloud under the cluster.

The rest is real: the scheduler picks the zone, the controller manager binds claims and asks for attachments.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import re
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from lab.kubernetes.client import ApiError, Client, Object
from lab.kubernetes.cloud import Cloud, CloudError
from lab.kubernetes.informer import Change, Informer, key_of
from lab.kubernetes.kubelet.agent import event_document
from lab.kubernetes.kubelet.volumes import handle_of, handle_of_attachment
from lab.kubernetes.kubelet.words import Event
from lab.kubernetes.nodes import DRIVER

log = logging.getLogger("lab")
ZONE = "topology.kubernetes.io/zone"
FINALIZER = "external-attacher/ebs-csi-aws-com"
PROVISIONER, SELECTED = "volume.kubernetes.io/storage-provisioner", "volume.kubernetes.io/selected-node"
PROVISIONED = "pv.kubernetes.io/provisioned-by"
RETRY_SECONDS = 1.0
UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
Later = Callable[[Callable[[], None], str], None]


class Storage:
    """Hears of every change; works in the agent's writers."""

    def __init__(
        self, client: Client, informer: Informer, later: Later, cloud: Cloud, folder: Path, cluster: str = "lab"
    ) -> None:
        self._client = client
        self._informer = informer
        self._later = later
        self._cloud = cloud
        self._folder = folder
        self._cluster = cluster
        self._busy: set[str] = set()
        self.extra_tags: dict[str, str] = {}
        """What the driver's controller is told to put on every volume."""
        self.running = True
        """Is the driver's controller there? Without it, claims and attachments wait."""

    def take(self, change: Change) -> None:
        """Something changed: is there work in it?"""
        if not self.running or change.now is None:
            return
        if change.kind == "persistentvolumeclaims":
            self._claim(change.now)
        elif change.kind == "persistentvolumes":
            self._volume(change.now)
        elif change.kind == "volumeattachments":
            self._attachment(change.now)

    def take_all(self) -> None:
        """The driver came (back): everything that waits."""
        for kind in ("persistentvolumeclaims", "persistentvolumes", "volumeattachments"):
            for document in self._informer.all(kind):
                self.take(Change(kind, key_of(document), document, None))

    def _claim(self, claim: Object) -> None:
        annotations = claim["metadata"].get("annotations") or {}
        if annotations.get(PROVISIONER) != DRIVER or claim["metadata"].get("deletionTimestamp"):
            return
        storage_class = self._informer.get("storageclasses", claim["spec"].get("storageClassName") or "")
        if storage_class is None:
            return
        if claim["spec"].get("volumeName"):
            if self._wants_more(claim):
                self.do(f"grow {key_of(claim)}", lambda: self._grow(claim))
            return
        waits = storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"
        if waits and not annotations.get(SELECTED):
            return
        self.do(f"provision {key_of(claim)}", lambda: self._provision(claim, storage_class))

    def _provision(self, claim: Object, storage_class: Object) -> None:
        name = f"pvc-{claim['metadata']['uid']}"
        if self._client.find(f"/api/v1/persistentvolumes/{name}") is not None:
            return
        self._say(claim, "Normal", "Provisioning",
                  f'External provisioner is provisioning volume for claim "{key_of(claim)}"')  # fmt: skip
        size = -(-quantity(claim["spec"]["resources"]["requests"]["storage"]) // 2**30)
        zone = self._zone(claim, storage_class)
        parameters = storage_class.get("parameters") or {}
        try:
            volume = self._cloud.create_volume(zone, size, parameters, self._tags(claim, name, parameters))
        except CloudError as error:
            text = f'failed to provision volume with StorageClass "{storage_class["metadata"]["name"]}": rpc error: '
            text += f'code = Internal desc = Could not create volume "{name}": could not create volume in EC2: {error}'
            self._say(claim, "Warning", "ProvisioningFailed", text)
            raise
        self._client.create("/api/v1/persistentvolumes", _persistent(claim, storage_class, name, volume, zone, size))
        self._say(claim, "Normal", "ProvisioningSucceeded", f"Successfully provisioned volume {name}")

    def _zone(self, claim: Object, storage_class: Object) -> str:
        """The selected node's, or the first that the class allows, or that of the first node."""
        node = self._informer.get("nodes", (claim["metadata"].get("annotations") or {}).get(SELECTED, ""))
        if node is not None:
            return str(node["metadata"]["labels"].get(ZONE, ""))
        for topology in storage_class.get("allowedTopologies") or ():
            for expression in topology.get("matchLabelExpressions") or ():
                if expression["key"].endswith("/zone"):
                    return str(expression["values"][0])
        zones = sorted(node["metadata"]["labels"].get(ZONE, "") for node in self._informer.all("nodes"))
        return zones[0] if zones else ""

    def _tags(self, claim: Object, name: str, parameters: Object) -> dict[str, str]:
        """The driver's own tags, and those that the class specifies."""
        tags = {
            "Name": f"{self._cluster}-dynamic-{name}",
            "CSIVolumeName": name,
            "ebs.csi.aws.com/cluster": "true",
            "kubernetes.io/created-for/pvc/name": claim["metadata"]["name"],
            "kubernetes.io/created-for/pvc/namespace": claim["metadata"]["namespace"],
            "kubernetes.io/created-for/pv/name": name,
            **self.extra_tags,
        }
        for key, text in parameters.items():
            if key.lower().startswith("tagspecification"):
                tag, _unused, value = str(text).partition("=")
                value = value.replace("{{ .PVCName }}", claim["metadata"]["name"])
                tags[tag] = value.replace("{{ .PVCNamespace }}", claim["metadata"]["namespace"])
        return tags

    def _wants_more(self, claim: Object) -> bool:
        held = (claim.get("status", {}).get("capacity") or {}).get("storage")
        return bool(held) and quantity(claim["spec"]["resources"]["requests"]["storage"]) > quantity(str(held))

    def _grow(self, claim: Object) -> None:
        wanted = claim["spec"]["resources"]["requests"]["storage"]
        persistent = self._informer.get("persistentvolumes", claim["spec"]["volumeName"])
        handle = handle_of(persistent) if persistent else None
        if persistent is None or handle is None:
            return
        self._cloud.grow_volume(handle, -(-quantity(wanted) // 2**30))
        capacity = {"capacity": {"storage": wanted}}
        self._client.patch(f"/api/v1/persistentvolumes/{persistent['metadata']['name']}", {"spec": capacity})
        metadata = claim["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/persistentvolumeclaims/{metadata['name']}/status"
        self._client.patch(path, {"status": {**capacity, "conditions": None}})
        self._say(claim, "Normal", "VolumeResizeSuccessful", "Resize volume succeeded")

    def _volume(self, persistent: Object) -> None:
        """A released volume that nobody wants to keep is deleted."""
        ours = (persistent["metadata"].get("annotations") or {}).get(PROVISIONED) == DRIVER
        policy, phase = persistent["spec"].get("persistentVolumeReclaimPolicy"), persistent["status"].get("phase")
        if ours and policy == "Delete" and phase in ("Released", "Failed"):
            name = persistent["metadata"]["name"]
            self.do(f"delete {name}", lambda: self._delete(persistent))

    def _delete(self, persistent: Object) -> None:
        handle = handle_of(persistent)
        if handle:
            self._cloud.delete_volume(handle)
            shutil.rmtree(self._folder / handle, ignore_errors=True)
        self._client.delete(f"/api/v1/persistentvolumes/{persistent['metadata']['name']}")

    def _attachment(self, attachment: Object) -> None:
        if attachment["spec"]["attacher"] != DRIVER:
            return
        name = attachment["metadata"]["name"]
        if attachment["metadata"].get("deletionTimestamp"):
            if FINALIZER in (attachment["metadata"].get("finalizers") or ()):
                self.do(f"detach {name}", lambda: self._detach(attachment))
        elif not attachment.get("status", {}).get("attached"):
            self.do(f"attach {name}", lambda: self._attach(attachment))

    def _attach(self, attachment: Object) -> None:
        name = attachment["metadata"]["name"]
        path = f"/apis/storage.k8s.io/v1/volumeattachments/{name}"
        current = self._client.find(path)
        if current is None or current["metadata"].get("deletionTimestamp"):
            return
        if FINALIZER not in (current["metadata"].get("finalizers") or ()):
            self._client.patch(path, {"metadata": {"finalizers": [FINALIZER]}})
        volume, instance = handle_of_attachment(self._informer, attachment), self._instance(attachment)
        if not volume:
            raise CloudError("AttachVolume", "NotReady", "the PersistentVolume is not known yet")
        try:
            self._cloud.attach_volume(volume, instance)
        except CloudError as error:
            self._client.patch(
                f"{path}/status", {"status": {"attached": False, "attachError": _refusal(volume, instance, error)}}
            )
            raise
        self._client.patch(f"{path}/status", {"status": {
            "attached": True, "attachmentMetadata": {"devicePath": "/dev/xvdaa"}, "attachError": None,
        }})  # fmt: skip

    def _detach(self, attachment: Object) -> None:
        volume = handle_of_attachment(self._informer, attachment)
        if volume:
            with contextlib.suppress(LookupError):
                self._cloud.detach_volume(volume, self._instance(attachment))
        path = f"/apis/storage.k8s.io/v1/volumeattachments/{attachment['metadata']['name']}"
        with contextlib.suppress(ApiError):
            self._client.patch(path, {"metadata": {"finalizers": None}})

    def _instance(self, attachment: Object) -> str:
        """The node's instance id, as the driver's node plugin told it."""
        node = self._client.find(f"/apis/storage.k8s.io/v1/csinodes/{attachment['spec']['nodeName']}")
        for driver in node["spec"].get("drivers") or () if node else ():
            if driver["name"] == DRIVER:
                return str(driver["nodeID"])
        raise LookupError(f"CSINode {attachment['spec']['nodeName']} does not contain driver {DRIVER}")

    def do(self, name: str, job: Callable[[], None]) -> None:
        """Once at a time; what the cloud refuses is tried again."""
        if name in self._busy:
            return
        self._busy.add(name)

        def work() -> None:
            try:
                job()
            except (CloudError, LookupError) as error:
                log.info("%s: %s", name, error)
                timer = threading.Timer(RETRY_SECONDS, self.take_all)
                timer.daemon = True
                timer.start()
            finally:
                self._busy.discard(name)

        self._later(work, name)

    def _say(self, claim: Object, kind: str, reason: str, message: str) -> None:
        about = {**claim, "kind": "PersistentVolumeClaim", "apiVersion": "v1"}
        document = event_document(about, Event(kind, reason, message), DRIVER)
        self._client.create(f"/api/v1/namespaces/{claim['metadata']['namespace']}/events", document)


def quantity(text: str) -> int:
    """Bytes of `10Gi`, `1500M`, `12`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kKMGT]?i?)", str(text))
    if found is None or found[2] not in UNITS:
        raise ValueError(f"not a quantity: {text}")
    return int(float(found[1]) * UNITS[found[2]])


def _refusal(volume: str, instance: str, error: CloudError) -> Object:
    text = f'Could not attach volume "{volume}" to node "{instance}": '
    code = "Internal"
    if error.code == "VolumeInUse":
        code = "FailedPrecondition"
    elif error.code == "InvalidVolume.NotFound":
        code = "NotFound"
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"time": now, "message": f"rpc error: code = {code} desc = {text}{error}"}


def _persistent(claim: Object, storage_class: Object, name: str, volume: str, zone: str, size: int) -> Object:
    metadata = claim["metadata"]
    expression = {"key": ZONE, "operator": "In", "values": [zone]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {PROVISIONED: DRIVER}},
        "spec": {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": {"storage": f"{size}Gi"},
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy") or "Delete",
            "storageClassName": storage_class["metadata"]["name"],
            "volumeMode": claim["spec"].get("volumeMode") or "Filesystem",
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
            "csi": {
                "driver": DRIVER,
                "fsType": (storage_class.get("parameters") or {}).get("csi.storage.k8s.io/fstype", "ext4"),
                "volumeHandle": volume,
            },
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}},
        },
    }
