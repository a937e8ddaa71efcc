# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes of pods as folders. A folder of an EBS volume is keyed by the volume's id: it outlives pod and cluster."""

from __future__ import annotations

from pathlib import Path

from lab.kubernetes.client import Object
from lab.kubernetes.informer import Informer
from lab.kubernetes.kubelet import references
from lab.kubernetes.kubelet.references import MissingError, References
from lab.kubernetes.kubelet.words import Event
from lab.kubernetes.nodes import DRIVER


class WaitingError(Exception):
    """The volume is not there yet, and others say why."""


def volume_id(source: str) -> str:
    """vol-1 of `vol-1`, `aws://zone/vol-1` and `aws:///vol-1`."""
    return source.rpartition("/")[2]


class Volumes:
    """Finds a pod's volumes: what they are made of, and whether they are attached to its node."""

    def __init__(self, informer: Informer, references: References, store: Path) -> None:
        self._informer = informer
        self._references = references
        self._store = store

    def obstacle(self, pod: Object) -> Event | None:
        """What keeps the pod's containers from being created."""
        for volume in pod["spec"].get("volumes") or ():
            try:
                self._check(pod, volume)
            except MissingError as missing:
                return Event(
                    "Warning", "FailedMount", f'MountVolume.SetUp failed for volume "{volume["name"]}" : {missing}'
                )
            except WaitingError:
                return Event("Warning", "FailedMount", "")
        return None

    def mounts(self, pod: Object, container: Object, folder: Path) -> dict[str, Path]:
        """Mount path -> folder on this machine, made if need be. `folder` is the pod's."""
        volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
        found = {}
        for mount in container.get("volumeMounts") or ():
            source: Path = self._source(pod, volumes[mount["name"]], folder)
            sub_path = mount.get("subPath")
            if sub_path:
                source = source / sub_path
                if not source.exists():
                    source.mkdir(parents=True)
            found[mount["mountPath"]] = source
        return found

    def _check(self, pod: Object, volume: Object) -> None:
        if self._references.files(pod, volume) is not None:
            return
        handle = self._handle(pod, volume)
        if handle is not None and not self._attached(handle, pod["spec"]["nodeName"]):
            raise WaitingError

    def _source(self, pod: Object, volume: Object, folder: Path) -> Path:
        files = self._references.files(pod, volume)
        place: Path = folder / "volumes" / volume["name"]
        if files is not None:
            references.write(place, files)
            return place
        handle = self._handle(pod, volume)
        if handle is not None:
            place = self._store / handle
        place.mkdir(parents=True, exist_ok=True)
        return place

    def _handle(self, pod: Object, volume: Object) -> str | None:
        """The id of the EBS volume behind it; None for volumes that live with the pod."""
        if "awsElasticBlockStore" in volume:
            return volume_id(volume["awsElasticBlockStore"]["volumeID"])
        claim_name = _claim_name(pod, volume)
        if claim_name is None:
            return None
        claim = self._informer.get("persistentvolumeclaims", f"{pod['metadata']['namespace']}/{claim_name}")
        if claim is None or claim.get("status", {}).get("phase") != "Bound":
            raise WaitingError
        persistent = self._informer.get("persistentvolumes", claim["spec"]["volumeName"])
        if persistent is None:
            raise WaitingError
        return handle_of(persistent)

    def _attached(self, handle: str, node: str) -> bool:
        return any(
            attachment["spec"]["nodeName"] == node
            and attachment.get("status", {}).get("attached")
            and handle_of_attachment(self._informer, attachment) == handle
            for attachment in self._informer.all("volumeattachments")
        )


def handle_of(persistent: Object) -> str | None:
    """The EBS volume of a PersistentVolume."""
    spec = persistent["spec"]
    if "awsElasticBlockStore" in spec:
        return volume_id(spec["awsElasticBlockStore"]["volumeID"])
    if spec.get("csi", {}).get("driver") == DRIVER:
        return volume_id(spec["csi"]["volumeHandle"])
    return None


def handle_of_attachment(informer: Informer, attachment: Object) -> str | None:
    """The EBS volume that is to be attached; None if its PersistentVolume is not known (yet)."""
    source = attachment["spec"]["source"]
    if "inlineVolumeSpec" in source:
        return volume_id(source["inlineVolumeSpec"]["csi"]["volumeHandle"])
    persistent = informer.get("persistentvolumes", source.get("persistentVolumeName", ""))
    return handle_of(persistent) if persistent else None


def _claim_name(pod: Object, volume: Object) -> str | None:
    if "persistentVolumeClaim" in volume:
        return str(volume["persistentVolumeClaim"]["claimName"])
    if "ephemeral" in volume:
        return f"{pod['metadata']['name']}-{volume['name']}"
    return None
