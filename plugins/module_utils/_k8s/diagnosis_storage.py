# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why storage keeps a pod from running. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from .findings import Finding, View, latest_first
from .objects import Object, claims_of, label_of, labels_of, name_of, namespace_of

ZONE_LABELS = ("topology.kubernetes.io/zone", "topology.ebs.csi.aws.com/zone", "failure-domain.beta.kubernetes.io/zone")
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
FAILED = "ProvisioningFailed"
AT_WORK = frozenset({"ExternalProvisioning", "Provisioning"})
WAITING = frozenset({"WaitForFirstConsumer", "WaitForPodScheduled"})  # for its pod, which tells more
TELLING = AT_WORK | WAITING | {FAILED, "FailedBinding"}


def claim_findings(claim: Object, view: View) -> Iterator[Finding]:
    """Why a claim has no volume; nothing if it has one, or is right to wait for its first pod."""
    phase = (claim.get("status") or {}).get("phase", "Pending")
    if phase == "Bound":
        return
    label = label_of(claim)
    if phase == "Lost":
        yield Finding(
            "claim_unbound",
            label,
            f"The volume that {label} was bound to is gone",
            "Restore it from a snapshot, or delete the claim",
        )
        return
    events = view.events_of(claim, *TELLING)
    if events and events[0].get("reason") in WAITING:
        return
    telling = [one for one in events if one.get("reason") == FAILED] or events
    said = str(telling[0].get("message", "")).rstrip(".") if telling else ""
    spec = claim.get("spec") or {}
    yield Finding(
        "claim_unbound",
        label,
        f"{label} has no volume: {_reason(spec, said, view)}",
        _advice(spec, view),
        (said,),
        underway=_at_work(events),
    )


def is_underway(namespace: str, claims: Collection[str], view: View) -> bool:
    """Whether a provisioner is at work for claims that cannot be seen themselves."""

    def concerns(event: Object) -> bool:
        about = event.get("involvedObject") or {}
        place = (about.get("kind"), about.get("namespace"))
        return place == ("PersistentVolumeClaim", namespace) and about.get("name") in claims

    return _at_work(latest_first(one for one in view.events if one.get("reason") in TELLING and concerns(one)))


def _at_work(events: Sequence[Object]) -> bool:
    """Whether a provisioner is at work, and has not failed yet.

    Kubernetes says every 15 seconds that it waits for one, and one says before every try that it begins: neither means
    that a failure is over.
    """
    failed = any(one.get("reason") == FAILED for one in events)
    return not failed and bool(events) and events[0].get("reason") in AT_WORK


def _reason(spec: Mapping[str, Any], said: str, view: View) -> str:
    wanted = spec.get("storageClassName")
    if wanted and view.classes and not any(name_of(one) == wanted for one in view.classes):
        return f"there is no StorageClass {wanted}"
    if wanted is None and not _default_class(view):
        return "it names no StorageClass, and the cluster has no default one"
    if said:
        return said
    if wanted == "":
        volume = spec.get("volumeName")
        return f"it waits for the volume {volume}" if volume else "no volume that is there fits it"
    return "its volume is not made yet"


def _advice(spec: Mapping[str, Any], view: View) -> str:
    names = ", ".join(name_of(one) for one in view.classes)
    if spec.get("storageClassName") == "":
        return "Make a PersistentVolume of its size and access mode, or name a StorageClass"
    if names:
        return f"The cluster has the classes {names}: name one of them, and see that its driver runs"
    return "Install a storage driver with its StorageClass, or make a PersistentVolume"


def _default_class(view: View) -> bool:
    return any((one["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true" for one in view.classes)


def zone_finding(pod: Object, view: View, said: str) -> Finding | None:
    """The pod's volume is in a zone in which no node takes the pod."""
    for volume in _volumes_of(pod, view):
        zones = zones_of(volume)
        if not zones:
            continue
        there = sorted({zone for node in view.nodes if (zone := zone_of_node(node))})
        rest = f", and the nodes are in {', '.join(there)}" if there else ""
        full = sorted(name_of(one) for one in view.nodes if zone_of_node(one) in zones)
        where = f"its volume {name_of(volume)} is in zone {', '.join(zones)}"
        if full:
            text = f"{where}, and the nodes there do not take it ({said})"
            advice = f"Make room on {', '.join(full)}, or add a node in that zone"
        else:
            text = where + rest
            advice = f"Add a node in zone {zones[0]}, or restore a snapshot of the volume in another one"
        return Finding("volume_zone", label_of(pod), f"{label_of(pod)} cannot be scheduled: {text}", advice, (said,))
    return Finding(
        "volume_zone",
        label_of(pod),
        f"{label_of(pod)} cannot be scheduled: its volume is in a zone without a node for it ({said})",
        "Add a node in the zone of the volume",
        (said,),
    )


def _volumes_of(pod: Object, view: View) -> Iterator[Object]:
    names = claims_of(pod)
    bound = {
        (one.get("spec") or {}).get("volumeName")
        for one in view.claims
        if name_of(one) in names and namespace_of(one) == namespace_of(pod)
    }
    yield from (one for one in view.volumes if name_of(one) in bound)


def zones_of(volume: Object) -> list[str]:
    """The zones in which a volume can be used."""
    affinity = ((volume.get("spec") or {}).get("nodeAffinity") or {}).get("required") or {}
    return sorted(
        {
            value
            for term in affinity.get("nodeSelectorTerms") or ()
            for one in term.get("matchExpressions") or ()
            if one.get("key") in ZONE_LABELS
            for value in one.get("values") or ()
        }
    )


def zone_of_node(node: Object) -> str:
    """The zone of a node, empty if it has none."""
    labels = labels_of(node)
    return next((labels[one] for one in ZONE_LABELS if one in labels), "")
