# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a pod has no node: what is missing where, and what to free so that it fits. Pure. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from .._texts import several
from .capacity import Holder, Room, holders, how_to_free, requests_of, rooms, untolerated
from .diagnosis_storage import is_underway, zone_finding
from .findings import Finding, View
from .node_state import UNINITIALISED, is_control_plane
from .objects import Object, claims_of, conditions_of, label_of, labels_of, matches, name_of, namespace_of
from .quantities import amounts, shown

SHORT = re.compile(r"Insufficient (?P<resource>[\w./-]*\w)|(?P<many>Too many pods)")
ZONE = re.compile(r"volume node affinity conflict|didn't match PersistentVolume's node affinity")
UNBOUND = re.compile(r"unbound (?:immediate )?PersistentVolumeClaims?|persistentvolumeclaim \"[^\"]*\" not found")
TAINT = re.compile(r"untolerated taint(?:\(s\)|s)?(?: (?P<taint>\{[^}]*\}))?")
SELECTOR = re.compile(r"didn't match Pod's node affinity/selector|didn't match node selector")
CORDONED = re.compile(r"\(s\) were unschedulable")
PORTS = re.compile(r"didn't have free ports")
TOO_MANY_VOLUMES = re.compile(r"exceed max volume count")
SPREAD = re.compile(r"topology spread constraints|anti-affinity rules")
AFFINITY = re.compile(r"didn't match pod affinity rules")
NO_NODES = re.compile(r"no nodes available to schedule pods")
PREEMPTION = re.compile(r"\s*(?:no new claims to deallocate,\s*)?preemption:.*$", re.DOTALL)
SHOWN_NODES = 4
UNWELL = ("node.kubernetes.io/", UNINITIALISED)  # taints that a cluster gives to nodes which are not well
CORDON = "node.kubernetes.io/unschedulable"

ADVICE = (
    (NO_NODES, "there are no nodes", "Add a node"),
    (SELECTOR, "no node has the labels that it asks for", "Change its node selector or affinity, or label a node"),
    (TAINT, "the nodes have taints that it does not tolerate", "Give it a toleration, or add a node without the taint"),
    (CORDONED, "the nodes are cordoned", "Uncordon a node, or add one"),
    (PORTS, "the host port that it wants is taken on every node", "Use another host port, or a Service"),
    (TOO_MANY_VOLUMES, "no node can attach another volume", "Add a node"),
    (SPREAD, "its own rules of spreading forbid the nodes that there are", "Loosen them, or add nodes"),
    (AFFINITY, "no node runs the pods next to which it wants to be", "Start those pods first, or change its affinity"),
)


def unplaced(pod: Object, view: View) -> Iterator[Finding]:
    """Why the scheduler has not found a node for a pod."""
    condition = conditions_of(pod).get("PodScheduled", {})
    said = PREEMPTION.sub("", str(condition.get("message") or "")).strip().rstrip(".")
    if condition.get("reason") == "SchedulingGated":
        gates = ", ".join(str(one.get("name")) for one in (pod.get("spec") or {}).get("schedulingGates") or ())
        yield Finding(
            "unschedulable", label_of(pod), f"{label_of(pod)} waits for its scheduling gates {gates}", "", (said,)
        )
    elif condition.get("status") != "False":
        yield from _unseen(pod)
    elif UNBOUND.search(said):
        yield from _without_claim(pod, said, view)
    elif zone := (zone_finding(pod, view, said) if ZONE.search(said) else None):
        yield zone
    elif SHORT.search(said):
        yield _no_room(pod, said, view)
    else:
        yield _unsuitable(pod, said, view)


def _unseen(pod: Object) -> Iterator[Finding]:
    """The scheduler says nothing at all: only worth a word for a pod that has been there for a while."""
    scheduler = (pod.get("spec") or {}).get("schedulerName", "default-scheduler")
    yield Finding(
        "not_scheduled",
        label_of(pod),
        f"No scheduler has looked at {label_of(pod)} yet; it asks for {scheduler}",
        "See that the scheduler runs",
    )


def _without_claim(pod: Object, said: str, view: View) -> Iterator[Finding]:
    """The claim's own finding says more, where the claim is there."""
    used = claims_of(pod)
    there = {name_of(one) for one in view.claims}
    absent = [name for name in used if name not in there]
    if not absent and view.claims:
        return
    names = ", ".join(absent or used)
    yield Finding(
        "claim_unbound",
        label_of(pod),
        f"{label_of(pod)} uses the claim {names}, which {'does not exist' if 'not found' in said else 'is not bound'}",
        "Make the claim, or give the pod another one",
        (said,),
        underway=is_underway(namespace_of(pod), used, view),
    )


def _unsuitable(pod: Object, said: str, view: View) -> Finding:
    """Nodes may refuse a pod for different reasons; then none of them is true of all."""
    reasons = [(pattern, reason, advice) for pattern, reason, advice in ADVICE if pattern.search(said)]
    asked = _asked_for(pod, view)
    taints = _taints(pod, asked) if TAINT.search(said) else {}
    beside = _beside_the_point(pod, asked, taints) if len(reasons) > 1 and view.nodes else set()
    left = [one for one in reasons if one[0] not in beside] or reasons
    text = f"{left[0][1] if len(left) == 1 else 'no node takes it'} ({said})" if left else said
    if taints:
        places = (f"{taint} on {several(nodes, SHOWN_NODES)}" for taint, nodes in taints.items())
        text += f"; there are the taints {'; '.join(places)}"
    advice = [one for _pattern, _reason, one in left]
    if taints and all(name.startswith(UNWELL) for name in taints):
        advice = ["Nodes have such taints while they are not well: look at them, or add a node"]
    suggestion = "; or ".join([*advice[:1], *(f"{one[0].lower()}{one[1:]}" for one in advice[1:])])
    return Finding("unschedulable", label_of(pod), f"{label_of(pod)} cannot be scheduled: {text}", suggestion, (said,))


def _asked_for(pod: Object, view: View) -> list[Object]:
    """The nodes with the labels that a pod selects."""
    selector = (pod.get("spec") or {}).get("nodeSelector") or {}
    return [one for one in view.nodes if matches(selector, labels_of(one))]


def _beside_the_point(pod: Object, asked: Sequence[Object], taints: Mapping[str, Any]) -> set[re.Pattern[str]]:
    """The reasons for which only nodes refuse a pod that it does not ask for."""
    found = set() if taints else {TAINT}
    if not any((one.get("spec") or {}).get("unschedulable") for one in asked):
        found.add(CORDONED)
    affinity = ((pod.get("spec") or {}).get("affinity") or {}).get("nodeAffinity") or {}
    if asked and not affinity.get("requiredDuringSchedulingIgnoredDuringExecution"):
        found.add(SELECTOR)
    return found


def _taints(pod: Object, nodes: Sequence[Object]) -> dict[str, list[str]]:
    """The taints that keep a pod away: the nodes by taint. Since Kubernetes 1.35 the scheduler does not name them."""
    found: dict[str, list[str]] = {}
    for node in [one for one in nodes if not is_control_plane(one)] or nodes:
        for taint in untolerated(node, pod):
            if taint["key"] != CORDON:
                value = f"={taint['value']}" if taint.get("value") else ""
                found.setdefault(f"{taint['key']}{value}:{taint['effect']}", []).append(name_of(node))
    return found


def _no_room(pod: Object, said: str, view: View) -> Finding:
    short = [one["resource"] or "pods" for one in SHORT.finditer(said)]
    wanted = requests_of(pod)
    asked = " and ".join(
        shown(name, wanted[name]) for name in dict.fromkeys(short) if name in wanted and name != "pods"
    )
    text = f"{label_of(pod)} cannot be scheduled: "
    text += f"it asks for {asked}" if asked else f"{', '.join(dict.fromkeys(short))} are used up"
    places = [one for one in rooms(pod, view.nodes, view.all_pods) if one.missing]
    if places:
        text += ", and " + "; ".join(_lacking(one) for one in places[:SHOWN_NODES])
        if len(places) > SHOWN_NODES:
            text += f"; and {len(places) - SHOWN_NODES} more nodes lack more"
    suggestion = _advice(pod, places, view)
    return Finding("unschedulable", label_of(pod), f"{text} ({said})", suggestion, (said,))


def _lacking(room: Room) -> str:
    parts = []
    for name, value in room.missing.items():
        free = max(room.free.get(name, Decimal(0)), Decimal(0))
        parts.append(f"has {shown(name, free)} free, {shown(name, value)} too little")
    return f"node {room.node} {' and '.join(parts)}"


def _advice(pod: Object, places: Sequence[Room], view: View) -> str:
    if not view.nodes:
        return "Free some room, or add a node"
    largest = _too_large(pod, view)
    if largest:
        return f"No node is large enough, even empty: the largest has {largest}. Ask for less, or add larger nodes"
    found: list[tuple[Holder, Room]] = []
    for room in places:
        found.extend((one, room) for one in holders(pod, room, view.all_pods, view.all_controllers))
    if not found:
        return "Add a node, or ask for less"
    best, room = min(found, key=lambda one: (not one[0].ours, one[0].enough))
    return how_to_free(best, room.missing)


def _too_large(pod: Object, view: View) -> str:
    """What the largest node has of a resource that no node has enough of; empty if the pod fits an empty node."""
    for name, value in requests_of(pod).items():
        most = max(
            (amounts((one.get("status") or {}).get("allocatable")).get(name, Decimal(0)) for one in view.nodes),
            default=Decimal(0),
        )
        if value > most:
            return shown(name, most)
    return ""
