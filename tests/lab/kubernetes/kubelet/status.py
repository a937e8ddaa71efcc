# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pod's status as its kubelet reports it: a pure function of the pod's life."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lab.kubernetes.client import Object
from lab.kubernetes.kubelet import words
from lab.kubernetes.kubelet.life import Container, Life

Stamp = Callable[[float], str]
"""The kubelet's moment as a timestamp."""


def status(life: Life, stamp: Stamp, now: float, host_ip: str, pod_ip: str) -> Object:
    """What differs from the default is there; lists are whole."""
    inits = [container for container in life.containers if container.init]
    document: dict[str, Any] = {
        "phase": life.phase,
        "hostIP": host_ip,
        "hostIPs": [{"ip": host_ip}],
        "startTime": stamp(life.born),
        "conditions": _conditions(life, stamp(now)),
        "containerStatuses": [_container(life, container, stamp) for container in life.mains],
        "qosClass": life.pod.get("status", {}).get("qosClass") or quality(life.pod),
        "observedGeneration": life.pod["metadata"].get("generation", 1),
    }
    if life.prepared:
        document.update(podIP=pod_ip, podIPs=[{"ip": pod_ip}])
    if inits:
        document["initContainerStatuses"] = [_container(life, container, stamp) for container in inits]
    return document


def quality(pod: Object) -> str:
    """Guaranteed, Burstable or BestEffort, by requests and limits."""
    resources = [one.get("resources") or {} for one in pod["spec"]["containers"]]
    if not any(one.get("requests") or one.get("limits") for one in resources):
        return "BestEffort"
    for one in resources:
        limits, requests = one.get("limits") or {}, one.get("requests") or {}
        if not all(name in limits and requests.get(name, limits[name]) == limits[name] for name in ("cpu", "memory")):
            return "Burstable"
    return "Guaranteed"


def _conditions(life: Life, now: str) -> list[Object]:
    unready = [container.name for container in life.mains if not container.ready]
    pending = [one.name for one in life.containers if one.init and not (one.succeeded or one.ready)]
    gates = [gate["conditionType"] for gate in life.pod["spec"].get("readinessGates") or ()]
    known = {condition["type"]: condition for condition in life.pod.get("status", {}).get("conditions") or ()}
    gated = [gate for gate in gates if known.get(gate, {}).get("status") != "True"]
    done = life.phase == "Succeeded"
    not_ready = ("ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]") if unready else None
    if done:
        not_ready = ("PodCompleted", "")
    not_initialized = (
        ("ContainersNotInitialized", f"containers with incomplete status: [{' '.join(pending)}]")
        if not life.initialized and not done and pending
        else None
    )
    ready = not_ready
    if ready is None and gated:
        ready = (
            "ReadinessGatesNotReady",
            f"corresponding condition of pod readiness gate {gated[0]!r} does not exist.",
        )
    sandbox = None if life.prepared and not life.over else ("", "")
    verdicts = {
        "PodReadyToStartContainers": sandbox,
        "Initialized": not_initialized,
        "Ready": ready,
        "ContainersReady": not_ready,
    }
    return [_condition(kind, verdict, known.get(kind), now) for kind, verdict in verdicts.items()]


def _condition(kind: str, problem: tuple[str, str] | None, known: Object | None, now: str) -> Object:
    value = "True" if problem is None else "False"
    unchanged = known is not None and known["status"] == value
    since = known["lastTransitionTime"] if known is not None and unchanged else now
    reason, message = problem or ("", "")
    # An empty reason is sent as null, so that a patch takes the old one away.
    return {
        "type": kind,
        "status": value,
        "lastTransitionTime": since,
        "lastProbeTime": None,
        "reason": reason or None,
        "message": message or None,
    }


def _container(life: Life, container: Container, stamp: Stamp) -> Object:
    document: dict[str, Any] = {
        "name": container.name,
        "image": container.spec["image"],
        "imageID": "",
        "ready": container.ready or (container.init and container.succeeded),
        "started": container.running and (container.ready or not container.spec.get("startupProbe")),
        "restartCount": container.restarts,
        "state": _state(container, stamp),
        "lastState": {},
    }
    last = container.ended if container.ended is not None and container.reason else container.last
    if last is not None:
        document["lastState"] = {"terminated": _terminated(last, stamp)}
    if container.id:
        document["containerID"] = container.id
        document["image"] = words.image_name(container.spec["image"])
        document["imageID"] = words.image_id(container.spec["image"])
    return document


def _state(container: Container, stamp: Stamp) -> Object:
    if container.running:
        return {"running": {"startedAt": stamp(container.started_at)}}
    if container.ended is not None and not container.reason:
        return {"terminated": _terminated(container.ended, stamp)}
    waiting = {"reason": container.reason}
    if container.message:
        waiting["message"] = container.message
    return {"waiting": waiting}


def _terminated(ended: Object, stamp: Stamp) -> Object:
    return {**ended, "startedAt": stamp(ended["startedAt"]), "finishedAt": stamp(ended["finishedAt"])}
