# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has how much room, and who takes it: for the question what to free so that a pod fits. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .._ownership import OWNER
from .objects import FINISHED, Object, controller_of, is_true, labels_of, matches, name_of, namespace_of, place_of
from .quantities import Amounts, amounts, shown, total

SYSTEM = frozenset({"kube-system", "kube-public", "kube-node-lease"})


@dataclass(frozen=True)
class Room:
    """A node that could run a pod, if it had room.

    Attributes:
        missing: by resource, what it has too little of.
    """

    node: str
    free: Amounts
    missing: Amounts


@dataclass(frozen=True)
class Holder:
    """An app whose removal would make room.

    Attributes:
        label: what it is ("ReplicationController default/nginxcluster").
        pods: how many pods it has.
        here: how many of them are on the node.
        enough: how many of those have to go.
        node: where.
        ours: it was made by this collection.
        each: what one of its pods asks for.
    """

    label: str
    pods: int
    here: int
    enough: int
    node: str
    ours: bool
    each: Amounts


def requests_of(pod: Object) -> dict[str, Decimal]:
    """What a pod asks for: the sum of its containers or the largest init container, and its overhead."""
    spec = pod.get("spec") or {}
    together = total(_asked(one) for one in spec.get("containers") or ())
    sidecars = [one for one in spec.get("initContainers") or () if one.get("restartPolicy") == "Always"]
    together = total([together, *(_asked(one) for one in sidecars)])
    for container in spec.get("initContainers") or ():
        for name, value in _asked(container).items():
            together[name] = max(together.get(name, Decimal(0)), value)
    return {**total([together, amounts(spec.get("overhead"))]), "pods": Decimal(1)}


def _asked(container: Mapping[str, Any]) -> dict[str, Decimal]:
    resources = container.get("resources") or {}
    return {**amounts(resources.get("limits")), **amounts(resources.get("requests"))}


def on_node(pods: Iterable[Object], node: str) -> list[Object]:
    """The pods that take room on a node."""
    return [
        one
        for one in pods
        if (one.get("spec") or {}).get("nodeName") == node and (one.get("status") or {}).get("phase") not in FINISHED
    ]


def rooms(pod: Object, nodes: Iterable[Object], pods: Sequence[Object]) -> list[Room]:
    """The nodes that a pod may run on, those first where the least is missing."""
    wanted = requests_of(pod)
    found = []
    for node in nodes:
        if not takes(node, pod):
            continue
        used = total(requests_of(one) for one in on_node(pods, name_of(node)))
        has = amounts((node.get("status") or {}).get("allocatable"))
        free = {name: has.get(name, Decimal(0)) - used.get(name, Decimal(0)) for name in wanted}
        missing = {name: value - free[name] for name, value in wanted.items() if value > free[name]}
        found.append(Room(name_of(node), free, missing))
    return sorted(found, key=lambda one: (len(one.missing), *one.missing.values()))


def takes(node: Object, pod: Object) -> bool:
    """Whether a node is well and would take the pod, as far as room does not matter."""
    spec = node.get("spec") or {}
    if spec.get("unschedulable") or not is_true(node, "Ready"):
        return False
    if not matches((pod.get("spec") or {}).get("nodeSelector") or {}, labels_of(node)):
        return False
    return not untolerated(node, pod)


def untolerated(node: Object, pod: Object) -> list[Mapping[str, Any]]:
    """The taints of a node that keep a pod away."""
    tolerations = (pod.get("spec") or {}).get("tolerations") or ()
    taints = (node.get("spec") or {}).get("taints") or ()
    hard = [one for one in taints if one.get("effect") in ("NoSchedule", "NoExecute")]
    return [taint for taint in hard if not any(_tolerates(one, taint) for one in tolerations)]


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", taint.get("key"))
    return toleration.get("key") == taint.get("key") and toleration.get("value", "") == taint.get("value", "")


def holders(pod: Object, room: Room, pods: Sequence[Object], controllers: Iterable[Object]) -> list[Holder]:
    """Apps each of which holds enough on the node: of the pod's namespace and ours first. Not the cluster's own."""
    above = {one["metadata"]["uid"]: one for one in controllers}
    groups: dict[str, list[Object]] = {}
    for one in pods:
        if namespace_of(one) not in SYSTEM and _owner(one).get("kind") != "DaemonSet":
            groups.setdefault(runner_label(one, above), []).append(one)
    own = runner_label(pod, above)
    found = []
    for label, members in groups.items():
        here = on_node(members, room.node)
        enough = _enough([requests_of(one) for one in here], room.missing)
        if enough and label != own:
            everywhere = sum((one.get("status") or {}).get("phase") not in FINISHED for one in members)
            ours = bool(labels_of(members[0]).get(OWNER))
            found.append(Holder(label, everywhere, len(here), enough, room.node, ours, requests_of(here[0])))
    near = f" {namespace_of(pod)}/"
    return sorted(found, key=lambda one: (not one.ours, near not in one.label, one.enough, one.label))


def _enough(parts: Sequence[Amounts], missing: Amounts) -> int:
    """How many of the parts have to go until nothing is missing; 0 if all together are too little."""
    freed: dict[str, Decimal] = {}
    for count, part in enumerate(parts, 1):
        freed = total([freed, part])
        if all(freed.get(name, Decimal(0)) >= value for name, value in missing.items()):
            return count
    return 0


def _owner(thing: Object) -> Mapping[str, Any]:
    return controller_of(thing) or {}


def runner_label(pod: Object, controllers: Mapping[str, Object]) -> str:
    """What runs a pod, as the user knows it: the Deployment, not its ReplicaSet."""
    thing, owner = pod, controller_of(pod)
    label = f"Pod {place_of(pod)}"
    while owner:
        label = f"{owner['kind']} {namespace_of(pod)}/{owner['name']}"
        thing = controllers.get(str(owner.get("uid")), {"metadata": {}})
        owner = controller_of(thing)
    return label


def how_to_free(holder: Holder, missing: Amounts) -> str:
    """What to do about one holder, in a sentence."""
    each = ", ".join(shown(name, holder.each[name]) for name in missing if name in holder.each and name != "pods")
    count = f"{holder.pods} pods{f' of {each}' if each else ''}" if holder.pods > 1 else each or "1 pod"
    if holder.pods == 1:
        return f"Remove {holder.label} ({count}) to make room on node {holder.node}"
    return (
        f"Remove {holder.label} ({count}, {holder.here} of them on node {holder.node}), "
        f"or scale it down by at least {holder.enough}, to make room"
    )
