# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the data of a WordPress site lives: claims, volumes that exist, or volumes named in the pod. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .manifests import Manifest

DRIVER = "ebs.csi.aws.com"
ZONE = "topology.kubernetes.io/zone"
PARTS = ("database", "site")


def claim_name(options: Mapping[str, Any], part: str) -> str:
    """The name of the claim of the database or the site."""
    return f"{options['name']}-{part}"


def volume_name(options: Mapping[str, Any], part: str) -> str:
    """The name of a volume, which has no namespace to tell it from another site's."""
    return f"{options['namespace']}-{options['name']}-{part}"


def storage_manifests(options: Mapping[str, Any]) -> list[Manifest]:
    """Claims, and volumes for those that exist already."""
    storage = options["storage"]
    if storage["mode"] == "inline":
        return []
    claims = [_claim(options, part) for part in PARTS]
    volumes = [_volume(options, part) for part in PARTS] if storage["mode"] == "existing" else []
    return [*volumes, *claims]


def _claim(options: Mapping[str, Any], part: str) -> Manifest:
    storage = options["storage"]
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": storage["size"]}},
    }
    if storage["mode"] == "existing":
        spec |= {"storageClassName": "", "volumeName": volume_name(options, part)}
    elif storage.get("storage_class"):
        spec["storageClassName"] = storage["storage_class"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": claim_name(options, part), "namespace": options["namespace"]},
        "spec": spec,
    }


def _volume(options: Mapping[str, Any], part: str) -> Manifest:
    storage = options["storage"]
    spec: dict[str, Any] = {
        "capacity": {"storage": storage["size"]},
        "accessModes": ["ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": "Retain",
        "storageClassName": "",
        "claimRef": {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "namespace": options["namespace"],
            "name": claim_name(options, part),
        },
        "csi": {"driver": DRIVER, "volumeHandle": storage[f"{part}_volume"], "fsType": "ext4"},
    }
    if storage.get("zone"):
        expression = {"key": ZONE, "operator": "In", "values": [storage["zone"]]}
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": volume_name(options, part)},
        "spec": spec,
    }


def pod_volume(options: Mapping[str, Any], part: str) -> dict[str, Any]:
    """The volume in a pod."""
    storage = options["storage"]
    if storage["mode"] == "inline":
        return {"name": "data", "awsElasticBlockStore": {"volumeID": storage[f"{part}_volume"], "fsType": "ext4"}}
    return {"name": "data", "persistentVolumeClaim": {"claimName": claim_name(options, part)}}
