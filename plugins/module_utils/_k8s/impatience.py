# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a trouble is believed to last: how long it may go on, and how often it may come again. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .findings import Code, Finding, when
from .objects import Object, controller_of, namespace_of, runs


@dataclass(frozen=True)
class Patience:
    """After so many seconds, or so many tries, a trouble will not go away by itself."""

    seconds: float
    tries: int = 0


UNPLACED: tuple[Code, ...] = ("unschedulable", "volume_zone")  # room that is freed, or another node, may help
# What is missing here may pass: a probe that fails while a program starts, a volume that is about to be detached.
PATIENCE: Mapping[Code, Patience] = {
    "claim_unbound": Patience(30),
    "config_missing": Patience(45),  # a kubelet tries again every 10 to 15 seconds
    "container_failed": Patience(45),
    "crash_loop": Patience(300, tries=4),
    "image_invalid": Patience(0),
    "image_pull": Patience(60, tries=3),
    # policies may not know the tags of a new one for minutes; the cloud controller tries again after 155 and 315 s
    "load_balancer": Patience(360),
    "not_created": Patience(15),
    "rollout_stuck": Patience(0),
    "volume_mount": Patience(120),
    **dict.fromkeys(UNPLACED, Patience(30)),  # an autoscaler looks every ten seconds, and says what it does
}
UNDERWAY = Patience(180)  # a driver's controller may still be starting, or be choosing its leader
GROWING = frozenset({"TriggeredScaleUp", "Nominated"})  # of the Cluster Autoscaler; of Karpenter, EKS Auto Mode
NOT_GROWING = "NotTriggerScaleUp"


class Impatience:
    """Remembers since when each trouble has been there."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str, bool], float] = {}

    def hopeless(self, findings: Iterable[Finding], now: float, *, room_comes: bool = False) -> Finding | None:
        """The first trouble that will not pass.

        Args:
            now: seconds on any clock.
            room_comes: pods are ending or nodes are coming, so that who has no node now may have one soon.
        """
        present = {(one.code, one.object, one.underway): one for one in findings}
        self._since = {key: self._since.get(key, now) for key in present}
        for key, one in present.items():
            patience = UNDERWAY if one.underway else PATIENCE.get(one.code)
            if patience is None or (room_comes and one.code in UNPLACED):
                continue
            if now - self._since[key] >= patience.seconds or (patience.tries and one.tries >= patience.tries):
                return one
        return None


def room_comes(pods: Iterable[Object], events: Iterable[Object]) -> bool:
    """Whether pods are ending, or an autoscaler has said last that a pod without a node gets one."""
    there = list(pods)
    if any(one["metadata"].get("deletionTimestamp") for one in there):
        return True
    waiting = {one["metadata"].get("uid") for one in there if not (one.get("spec") or {}).get("nodeName")}
    said = {
        uid: one["reason"]
        for one in sorted(events, key=when)
        if one.get("reason") in {*GROWING, NOT_GROWING} and (uid := (one.get("involvedObject") or {}).get("uid"))
    }
    return any(uid in waiting and reason in GROWING for uid, reason in said.items())


def is_replaced(pod: Object) -> bool:
    """Whether a pod has failed (it was evicted, or a try of a Job) and its controller makes another one."""
    return (pod.get("status") or {}).get("phase") == "Failed" and controller_of(pod) is not None


def pods_of(things: Sequence[Object], pods: Iterable[Object]) -> list[Object]:
    """The pods that things are waiting for: their own and the latest. What an older version left is none of them."""
    return [one for one in pods if any(_belongs(thing, one) for thing in things)]


def _belongs(thing: Object, pod: Object) -> bool:
    if namespace_of(thing) != namespace_of(pod):
        return False
    if thing["kind"] == "Pod":
        return bool(thing["metadata"].get("uid") == pod["metadata"].get("uid"))
    return runs(thing, pod) and made_from((thing.get("spec") or {}).get("template") or {}, pod)


def made_from(template: Mapping[str, Any], pod: Object) -> bool:
    """Whether a pod is of this version of a template, as far as its containers tell."""
    there = {one["name"]: one for one in (pod.get("spec") or {}).get("containers") or ()}
    return all(
        one["name"] in there and _same(one, there[one["name"]])
        for one in (template.get("spec") or {}).get("containers") or ()
    )


def _same(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    return all(wanted.get(name) == found.get(name) for name in ("image", "command", "args", "env"))
