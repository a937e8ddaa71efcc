# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the data of a WordPress site lives: claims, volumes that exist, or volumes named in the pod. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._errors import InputError
from .api import Object
from .kinds import POD, VOLUME
from .manifests import Manifest
from .objects import FINISHED, label_of, labels_of, name_of
from .quantities import amount
from .wordpress_options import PLACES

DRIVER = "ebs.csi.aws.com"
ZONE = "topology.kubernetes.io/zone"
PARTS = ("database", "site")
DATA = "data"  # the volume in the pods


def claim_name(options: Mapping[str, Any], part: str) -> str:
    """The name of the claim of the database or the site."""
    return f"{options['name']}-{part}"


def volume_name(options: Mapping[str, Any], part: str) -> str:
    """The name of a volume, which has no namespace to tell it from another site's."""
    return f"{options['namespace']}-{options['name']}-{part}"


def zone_without_nodes(options: Mapping[str, Any], nodes: Iterable[Object]) -> str | None:
    """That no node is in the zone of the volumes, or None; without any nodes there is nothing to say. Pure."""
    wanted, zones = options["storage"].get("zone"), _zones(nodes)
    if wanted and zones and wanted not in zones:
        return f"storage.zone is {wanted!r}, but the nodes are in {', '.join(zones)}"
    return None


def zone_to_give(options: Mapping[str, Any], nodes: Iterable[Object]) -> str | None:
    """That the zone of the volumes would have to be given, or None: claims know it only from there. Pure."""
    zones = _zones(nodes)
    if options["storage"].get("zone") or options["storage"]["mode"] == "inline" or len(zones) < 2:
        return None
    return (
        f"storage.zone is not given, and the nodes are in {', '.join(zones)}: the scheduler does not know in which "
        "zone the volumes are, so a pod may end on a node that cannot attach them."
    )


def _zones(nodes: Iterable[Object]) -> list[str]:
    return sorted({labels_of(one)[ZONE] for one in nodes if ZONE in labels_of(one)})


def refuse_taken(options: Mapping[str, Any], things: Iterable[Object]) -> None:
    """Refuse volumes of EBS that are somebody else's in the cluster: two databases on one would destroy it. Pure.

    Args:
        things: the cluster's volumes, and the Deployments and pods of others.

    Raises:
        InputError: names the volume and whose it is.
    """
    storage = options["storage"]
    own = {volume_name(options, part) for part in PARTS}
    others = {
        volume: one
        for one in things
        if not (one["kind"] == VOLUME.kind and name_of(one) in own)
        and not (one["kind"] == POD.kind and (one.get("status") or {}).get("phase") in FINISHED)
        for volume in _named_volumes(one)
    }
    for part in PARTS:
        taken = others.get(storage[f"{part}_volume"])
        if taken:
            claim = taken["spec"].get("claimRef") or {}
            whose = f", of claim {claim['namespace']}/{claim['name']}" if claim else ""
            how = "is" if taken["kind"] == VOLUME.kind else "is used by"
            raise InputError(
                f"storage.{part}_volume: {storage[f'{part}_volume']} {how} {label_of(taken)} already{whose}"
            )


def _named_volumes(thing: Object) -> list[str]:
    """The ids of the EBS volumes that an object names, by their driver or as it was done before there were drivers."""
    spec = thing.get("spec") or {}
    pod = (spec.get("template") or {}).get("spec") or spec
    places = [spec] if thing["kind"] == VOLUME.kind else pod.get("volumes") or ()
    driven = [one["csi"].get("volumeHandle") for one in places if (one.get("csi") or {}).get("driver") == DRIVER]
    named = [one["awsElasticBlockStore"]["volumeID"] for one in places if one.get("awsElasticBlockStore")]
    return [str(one).rpartition("/")[2] for one in (*driven, *named)]  # from "aws://eu-west-1a/vol-...", too


def refuse_left_behind(options: Mapping[str, Any], volumes: Iterable[Object]) -> None:
    """Refuse to have volumes made where one is kept for the claim: it would be bound to that, whatever its class. Pure.

    Args:
        volumes: the cluster's.

    Raises:
        InputError: names it.
    """
    claims = {(options["namespace"], claim_name(options, part)) for part in PARTS}
    for one in volumes:
        claim, there = one["spec"].get("claimRef") or {}, one["spec"].get("csi") or {}
        # with the uid of a claim it was bound before, and is for no other of that name
        if (claim.get("namespace"), claim.get("name")) in claims and not claim.get("uid"):
            label = f"PersistentVolume {name_of(one)} with {there.get('volumeHandle')}"
            raise InputError(
                f"storage.mode is dynamic, but {label} is kept for claim {claim['namespace']}/{claim['name']}",
                hint="Give storage.mode existing, or remove the site before, with delete_data: true; EBS volumes stay.",
            )


def data_places(options: Mapping[str, Any], things: Iterable[Object]) -> list[tuple[str, str]]:
    """Where the data of a site is, by part: a volume that its pods name, or a claim. Pure.

    Args:
        things: the Deployments and claims of the site that are there.
    """
    of_site = (options["name"], claim_name(options, "site"))
    found = [("site" if name_of(one) in of_site else "database", _place(options, one)) for one in things]
    return [(part, place) for part, place in found if place]


def _place(options: Mapping[str, Any], thing: Object) -> str:
    if thing["kind"] == "PersistentVolumeClaim":
        existing = thing["spec"].get("volumeName") in {volume_name(options, part) for part in PARTS}
        return _in_claims("existing" if existing else "dynamic")
    volumes = thing["spec"]["template"]["spec"].get("volumes") or ()
    named = [one["awsElasticBlockStore"] for one in volumes if one["name"] == DATA and "awsElasticBlockStore" in one]
    return _on_volume(named[0]["volumeID"]) if named else ""  # a claim speaks for itself


def _in_claims(mode: str) -> str:
    return f"in claims, as in mode {mode}"


def _on_volume(volume: str) -> str:
    return f"on volume {volume}, which its pod names, as in mode inline"


def refuse_other_storage(options: Mapping[str, Any], places: Iterable[tuple[str, str]]) -> None:
    """Refuse to leave the data of a site where it is, and go on without it. Pure.

    Raises:
        InputError: says where the data is.
    """
    storage = options["storage"]
    inline = storage["mode"] == "inline"
    for part, place in places:
        if place != (_on_volume(storage[f"{part}_volume"]) if inline else _in_claims(storage["mode"])):
            raise InputError(
                f"storage cannot be changed for a site that exists: the data of the {part} is {place}",
                hint="Leave it out, or remove the site before; claims go with delete_data: true only.",
            )


def refuse_other_claims(options: Mapping[str, Any], before: Mapping[str, Any], things: Iterable[Object]) -> None:
    """Refuse what claims and their volumes cannot become, in fewer words than the server. Pure.

    Args:
        before: the storage that an earlier run was given: not everybody may see volumes.
        things: the claims of the site that are there, and whatever else is.

    Raises:
        InputError: names the option.
    """
    storage = options["storage"]
    existing = storage["mode"] == "existing"
    claims = [one for one in things if one["kind"] == "PersistentVolumeClaim"]
    for one in claims:
        asked, given = one["spec"]["resources"]["requests"]["storage"], storage["size"]
        held = ((one.get("status") or {}).get("capacity") or {}).get("storage") or asked
        # a growth that nobody could carry out may be taken back; and a volume may be larger than was asked for
        least = min(amount(asked), amount(held))
        if amount(given) < least or (existing and amount(given) > amount(asked)):
            _refuse_another("size", asked, given, f"Give storage.size: {asked}.")
        there = one["spec"].get("storageClassName")  # one that waits for a class takes any
        if not existing and there and (storage.get("storage_class") or there) != there:
            _refuse_another("storage_class", there, storage["storage_class"])
    if claims and existing and before.get("mode") == "existing":
        for name in PLACES:
            if before.get(name) and storage.get(name) != before[name]:
                _refuse_another(name, before[name], storage.get(name))


def _refuse_another(option: str, before: Any, after: Any, hint: str = "Leave it out.") -> None:
    raise InputError(
        f"storage.{option} is {before} and cannot be changed to {after or 'nothing'} for a site that exists", hint=hint
    )


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
        return {"name": DATA, "awsElasticBlockStore": {"volumeID": storage[f"{part}_volume"], "fsType": "ext4"}}
    return {"name": DATA, "persistentVolumeClaim": {"claimName": claim_name(options, part)}}


def placing(options: Mapping[str, Any]) -> dict[str, Any]:
    """Where the pods have to be, as far as their volumes do not say it themselves: those that only pods name do not."""
    storage = options["storage"]
    return {"nodeSelector": {ZONE: storage["zone"]}} if storage["mode"] == "inline" and storage.get("zone") else {}
