# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When an object can be used, by its kind. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .objects import Object, conditions_of, is_true, label_of


@dataclass(frozen=True)
class State:
    """What an object says about itself.

    Attributes:
        ready: it can be used.
        text: its state in a few words.
        failed: why it never will be ready; empty while it may.
    """

    ready: bool
    text: str = ""
    failed: str = ""


Rule = Callable[[Object], State]


def state_of(thing: Object) -> State:
    """The state of an object. What has no rule is ready once it exists."""
    if thing["metadata"].get("deletionTimestamp"):
        return State(ready=False, text="is being deleted")
    rule = _RULES.get(str(thing["kind"]))
    return rule(thing) if rule else _by_condition(thing)


def describe(thing: Object) -> str:
    """The object and its state: "Deployment shop/web: 2 of 3 replicas are available"."""
    return f"{label_of(thing)}: {state_of(thing).text or 'exists'}"


def observed(thing: Object, status: Mapping[str, Any]) -> bool:
    """Whether the controller has seen the latest change."""
    generation = thing["metadata"].get("generation")
    return generation is None or int(status.get("observedGeneration", 0)) >= int(generation)


def _status(thing: Object) -> Mapping[str, Any]:
    return thing.get("status") or {}


def _spec(thing: Object) -> Mapping[str, Any]:
    return thing.get("spec") or {}


def _replicas(thing: Object) -> State:
    """ReplicaSet, ReplicationController."""
    status, spec = _status(thing), _spec(thing)
    wanted, available = int(spec.get("replicas", 1)), int(status.get("availableReplicas", 0))
    ready = observed(thing, status) and available == wanted == int(status.get("replicas", 0))
    return State(ready, f"{available} of {wanted} replicas are available")


def _deployment(thing: Object) -> State:
    status, spec = _status(thing), _spec(thing)
    wanted = int(spec.get("replicas", 1))
    total, updated, available = (
        int(status.get(name, 0)) for name in ("replicas", "updatedReplicas", "availableReplicas")
    )
    text = f"{available} of {wanted} replicas are available, {updated} are of the latest version"
    progressing = conditions_of(thing).get("Progressing", {})
    seen = observed(thing, status)
    if seen and progressing.get("reason") == "ProgressDeadlineExceeded":
        return State(
            ready=False, text=text, failed=str(progressing.get("message") or "its progress deadline is exceeded")
        )
    return State(seen and available == updated == total == wanted, text)


def _stateful_set(thing: Object) -> State:
    status, spec = _status(thing), _spec(thing)
    wanted = int(spec.get("replicas", 1))
    available = int(status.get("availableReplicas", status.get("readyReplicas", 0)))
    updated = int(status.get("updatedReplicas", 0))
    strategy = spec.get("updateStrategy") or {}
    held_back = int((strategy.get("rollingUpdate") or {}).get("partition") or 0)  # pods of lower numbers stay old
    latest = strategy.get("type") == "OnDelete" or updated >= wanted - held_back
    ready = observed(thing, status) and available == wanted and latest
    return State(ready, f"{available} of {wanted} replicas are available, {updated} are of the latest version")


def _daemon_set(thing: Object) -> State:
    status, spec = _status(thing), _spec(thing)
    wanted = int(status.get("desiredNumberScheduled", 0))
    available, updated = int(status.get("numberAvailable", 0)), int(status.get("updatedNumberScheduled", 0))
    on_delete = (spec.get("updateStrategy") or {}).get("type") == "OnDelete"
    ready = observed(thing, status) and available == wanted and (on_delete or updated == wanted)
    return State(ready, f"{available} of {wanted} pods are available, {updated} are of the latest version")


def _pod(thing: Object) -> State:
    status = _status(thing)
    phase = str(status.get("phase", "Pending"))
    if phase == "Failed":
        return State(
            ready=False, text="Failed", failed=str(status.get("message") or status.get("reason") or "it failed")
        )
    ready = phase == "Succeeded" or is_true(thing, "Ready")
    return State(ready, phase if ready or phase != "Running" else "Running, but not ready")


def _job(thing: Object) -> State:
    status, spec = _status(thing), _spec(thing)
    conditions = conditions_of(thing)
    failed = conditions.get("Failed", {})
    text = f"{int(status.get('succeeded', 0))} of {int(spec.get('completions') or 1)} pods have succeeded"
    if failed.get("status") == "True":
        return State(ready=False, text=text, failed=str(failed.get("message") or failed.get("reason") or "it failed"))
    suspended = bool(spec.get("suspend"))
    return State(suspended or conditions.get("Complete", {}).get("status") == "True", text)


def _service(thing: Object) -> State:
    spec = _spec(thing)
    if spec.get("type") != "LoadBalancer":
        return State(ready=True)
    ready = bool(address_of(thing))
    return State(ready, "its load balancer has an address" if ready else "its load balancer has no address yet")


def address_of(service: Object) -> str:
    """The host name or IP address of a service's load balancer; empty while it has none."""
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return next(
        (str(one.get("hostname") or one.get("ip")) for one in ingress if one.get("hostname") or one.get("ip")), ""
    )


def _claim(thing: Object) -> State:
    status = _status(thing)
    phase = str(status.get("phase", "Pending"))
    failed = "the volume that it was bound to is gone" if phase == "Lost" else ""
    return State(phase == "Bound", f"is {phase}", failed)


def _volume(thing: Object) -> State:
    status = _status(thing)
    phase = str(status.get("phase", "Pending"))
    failed = str(status.get("message") or "it failed") if phase == "Failed" else ""
    return State(phase in ("Available", "Bound"), f"is {phase}", failed)


def _namespace(thing: Object) -> State:
    status = _status(thing)
    phase = str(status.get("phase", "Active"))
    return State(phase == "Active", f"is {phase}")


def _when(condition: str) -> Rule:
    def rule(thing: Object) -> State:
        found = conditions_of(thing).get(condition, {})
        ready = found.get("status") == "True"
        return State(
            ready, f"{condition} is {found.get('status', 'not known')}: {found.get('message', '')}".rstrip(": ")
        )

    return rule


def _by_condition(thing: Object) -> State:
    """A custom resource that speaks of being ready is believed."""
    conditions = conditions_of(thing)
    for name in ("Ready", "Available"):
        if name in conditions:
            return _when(name)(thing)
    return State(ready=True)


_RULES: dict[str, Rule] = {
    "APIService": _when("Available"),
    "CustomResourceDefinition": _when("Established"),
    "DaemonSet": _daemon_set,
    "Deployment": _deployment,
    "Job": _job,
    "Namespace": _namespace,
    "Node": _when("Ready"),
    "PersistentVolume": _volume,
    "PersistentVolumeClaim": _claim,
    "Pod": _pod,
    "ReplicaSet": _replicas,
    "ReplicationController": _replicas,
    "Service": _service,
    "StatefulSet": _stateful_set,
}
