# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a diagnosis consists of, and what it is made from. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from .._errors import SchedulersError
from .objects import Object

Code = Literal[
    "being_deleted",
    "claim_unbound",
    "config_missing",
    "container_failed",
    "crash_loop",
    "image_invalid",
    "image_pull",
    "initializing",
    "load_balancer",
    "load_balancer_pending",
    "no_endpoints",
    "node_not_ready",
    "not_created",
    "not_scheduled",
    "probe_failing",
    "readiness_gate",
    "rollout_stuck",
    "sandbox",
    "unschedulable",
    "volume_attached_elsewhere",
    "volume_mount",
    "volume_zone",
]


LAST_LINES = ". Its last lines: "
# what differs between pods that have one trouble: how often, at which address, in which container, since when
OWN = re.compile(r"\b(?:\d+ times|\d+(?:\.\d+){3}|[0-9a-f]{64}|since \S+Z)\b")


@dataclass(frozen=True)
class Finding:
    """One reason why something does not run.

    Attributes:
        code: what kind of reason, for programs.
        object: what it is about ("Pod shop/web-x7k2p").
        message: the reason in a sentence, without a full stop.
        suggestion: what to do, in a sentence without a full stop.
        evidence: what the cluster said, literally.
        tries: how often it has been tried already.
        underway: somebody is at work on it, and has not failed.
    """

    code: Code
    object: str
    message: str
    suggestion: str = ""
    evidence: tuple[str, ...] = ()
    tries: int = 0
    underway: bool = False

    def sentence(self) -> str:
        """Reason and suggestion."""
        return ". ".join(part for part in (self.message, self.suggestion) if part)

    def in_common(self) -> str:
        """What is the same for other pods of the app that have this trouble."""
        return OWN.sub("", self.message.partition(LAST_LINES)[0].replace(self.object, ""))

    def facts(self) -> dict[str, Any]:
        """The finding as results show it."""
        return {
            "code": self.code,
            "object": self.object,
            "message": f"{self.message}.",
            "suggestion": f"{self.suggestion}." if self.suggestion else "",
            "evidence": list(self.evidence),
        }


@dataclass(frozen=True)
class View:
    """What a diagnosis looks at. Everything but the pods may be missing: less is said then.

    Attributes:
        pods: those whose state is in question.
        all_pods: those of the whole cluster, for what they hold.
        controllers: ReplicaSets, Deployments and their like, of the same namespaces.
        all_controllers: those of the whole cluster, for whose pods hold something.
        logs: the last lines of containers that ended or begin, by "namespace/pod/container". One that is not there was
            not read.
        namespaces: that of the pods, or all of them.
        unread: why things of a kind could not be read, by kind.
    """

    pods: Sequence[Object] = ()
    all_pods: Sequence[Object] = ()
    nodes: Sequence[Object] = ()
    events: Sequence[Object] = ()
    controllers: Sequence[Object] = ()
    all_controllers: Sequence[Object] = ()
    claims: Sequence[Object] = ()
    volumes: Sequence[Object] = ()
    classes: Sequence[Object] = ()
    services: Sequence[Object] = ()
    logs: Mapping[str, str] = field(default_factory=dict)
    namespaces: Sequence[Object] = ()
    unread: Mapping[str, SchedulersError] = field(default_factory=dict)

    def events_of(self, thing: Object, *reasons: str) -> list[Object]:
        """Events about an object, the latest first, of these reasons if any are given."""
        found = self._events_by_uid.get(thing["metadata"].get("uid"), ())
        return latest_first(one for one in found if not reasons or one.get("reason") in reasons)

    @cached_property
    def _events_by_uid(self) -> Mapping[str | None, Sequence[Object]]:
        found: dict[str | None, list[Object]] = {}
        for one in self.events:
            found.setdefault((one.get("involvedObject") or {}).get("uid"), []).append(one)
        return found


def latest_first(events: Iterable[Object]) -> list[Object]:
    """Events by time."""
    return sorted(events, key=when, reverse=True)


def when(event: Object) -> str:
    """When it last happened: whichever of the fields is set, as they differ by who wrote the event."""
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return str(next((one for one in times if one), event["metadata"].get("creationTimestamp") or ""))


def times_of(event: Object) -> int:
    """How often it happened."""
    return int((event.get("series") or {}).get("count") or event.get("count") or 1)
