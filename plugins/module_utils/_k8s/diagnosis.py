# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why pods do not run, in sentences: from what the cluster says about them, and what it does not say. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from .diagnosis_pods import pod_findings
from .diagnosis_storage import claim_findings
from .findings import Finding, View, when
from .kinds import CRON_JOB, DAEMON_SET, EVENT, JOB
from .namespaces import HOW_IT_GOES, why_it_stays
from .node_state import describe_node, is_control_plane, is_ready
from .objects import (
    Object,
    claims_of,
    conditions_of,
    controller_of,
    is_leaving,
    is_true,
    label_of,
    labels_of,
    matches,
    name_of,
    namespace_of,
    place_of,
)
from .ready import address_of, observed, state_of


def diagnose(view: View) -> list[Finding]:
    """All reasons, the most telling first: what comes from another one is left out.

    Args:
        view: what is known; the more of it, the more is said.
    """
    found = [*_namespaces(view), *_claims(view), *_controllers(view)]
    for pod in view.pods:
        found.extend(pod_findings(pod, view))
    found.extend(_services(view))
    found.extend(_nodes(view))
    apps = {label_of(pod): app for pod in view.pods if (app := str((controller_of(pod) or {}).get("uid") or ""))}
    return list(_without_repetition(found, apps))


def _without_repetition(findings: Iterable[Finding], apps: Mapping[str, str]) -> Iterator[Finding]:
    """Twenty pods of one app that fail for one reason are one reason.

    Args:
        apps: what controls a pod, by what the pod is called.
    """
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for one in findings:
        groups.setdefault((one.code, apps.get(one.object, one.object), one.in_common()), []).append(one)
    for same in groups.values():
        first = max(same, key=lambda one: bool(one.evidence))  # of most, the log was not read
        if len(same) > 1:
            message = f"{first.message} (and {len(same) - 1} more like it)"
            first = replace(first, message=message)
        yield first


def _namespaces(view: View) -> Iterator[Finding]:
    for one in view.namespaces:
        if is_leaving(one):
            said = why_it_stays(one)
            text = f"{label_of(one)} is being deleted, and nothing can be made in it{f': {said}' if said else ''}"
            yield Finding("being_deleted", label_of(one), text, HOW_IT_GOES, (said,) if said else ())


def _claims(view: View) -> Iterator[Finding]:
    """Claims that pods in question use."""
    used = {f"{namespace_of(pod)}/{name}" for pod in view.pods for name in claims_of(pod)}
    for claim in view.claims:
        if place_of(claim) in used or not view.pods:
            yield from claim_findings(claim, view)


def _controllers(view: View) -> Iterator[Finding]:
    failing = {one["metadata"].get("uid") for one in view.controllers if is_true(one, "ReplicaFailure")}
    for one in view.controllers:
        if is_true(one, "ReplicaFailure"):
            if (controller_of(one) or {}).get("uid") not in failing:  # a Deployment repeats what its ReplicaSet says
                yield _not_created(one, str(conditions_of(one)["ReplicaFailure"].get("message", "")))
            continue
        refusals = view.events_of(one, "FailedCreate")
        if refusals and _lacks_pods(one, view, since=when(refusals[0])):
            yield _not_created(one, str(refusals[0].get("message", "")))
        progressing = conditions_of(one).get("Progressing", {})
        if progressing.get("reason") == "ProgressDeadlineExceeded" and observed(one, one.get("status") or {}):
            yield Finding(
                "rollout_stuck",
                label_of(one),
                f"The rollout of {label_of(one)} has made no progress for "
                f"{(one.get('spec') or {}).get('progressDeadlineSeconds', 600)} seconds",
                "See why its new pods are not ready",
                (str(progressing.get("message", "")),),
            )


def _wanted(controller: Object) -> int:
    """How many pods it should have by now."""
    spec, status = controller.get("spec") or {}, controller.get("status") or {}
    if controller["kind"] == DAEMON_SET.kind:
        return int(status.get("desiredNumberScheduled", 0))
    if controller["kind"] == JOB.kind:
        return 0 if state_of(controller).ready else int(spec.get("parallelism", 1))
    return 0 if controller["kind"] == CRON_JOB.kind else int(spec.get("replicas", 1) or 0)


def _lacks_pods(controller: Object, view: View, since: str) -> bool:
    """Whether it has fewer pods than it should have, and none that is younger than this."""
    uid = controller["metadata"].get("uid")
    pods = [one for one in view.all_pods or view.pods if (controller_of(one) or {}).get("uid") == uid]
    made = max((str(pod["metadata"].get("creationTimestamp", "")) for pod in pods), default="")
    return len(pods) < _wanted(controller) and since > made


def _not_created(controller: Object, message: str) -> Finding:
    if "exceeded quota" in message:
        advice = "Ask for less, or raise the ResourceQuota of the namespace"
    elif "PodSecurity" in message or "violates" in message:
        advice = "Give the pods the security context that the namespace demands"
    elif "serviceaccount" in message:
        advice = "Make the ServiceAccount that the pods name"
    elif "failed calling webhook" in message:
        advice = "See the service behind the webhook, or remove its configuration if nothing is behind it any more"
    elif "being terminated" in message:
        advice = "Wait until the namespace is gone, and make it again"
    else:
        advice = "Change the pods so that they are allowed"
    return Finding(
        "not_created",
        label_of(controller),
        f"{label_of(controller)} cannot make its pods: {message.rstrip('.')}",
        advice,
        (message,),
    )


def _services(view: View) -> Iterator[Finding]:
    for service in view.services:
        spec = service.get("spec") or {}
        selector = spec.get("selector")
        if selector and view.pods and not _leads_somewhere(service, view):
            shown = ",".join(f"{name}={value}" for name, value in selector.items())
            yield Finding(
                "no_endpoints",
                label_of(service),
                f"{label_of(service)} leads nowhere: no pod has the labels {shown}",
                "Give the pods these labels, or the service another selector",
            )
        if spec.get("type") != "LoadBalancer" or address_of(service):
            continue
        events = view.events_of(service, "SyncLoadBalancerFailed", "CreatingLoadBalancerFailed")
        if events:
            said = str(events[0].get("message", "")).rstrip(".")
            yield Finding(
                "load_balancer",
                label_of(service),
                f"The load balancer of {label_of(service)} cannot be made: {said}",
                "See the rights and quotas of the cloud account, and the annotations of the service",
                (said,),
            )
        elif not view.events_of(service) and EVENT.kind not in view.unread:
            yield Finding(
                "load_balancer_pending",
                label_of(service),
                f"{label_of(service)} has no address yet, and nobody says that its load balancer is being made",
                "See that the cloud controller manager runs",
            )


def _leads_somewhere(service: Object, view: View) -> bool:
    """Whether a service has pods, be they in question or not."""
    near = (one for one in view.all_pods or view.pods if namespace_of(one) == namespace_of(service))
    return any(matches(service["spec"]["selector"], labels_of(one)) for one in near)


def _nodes(view: View) -> Iterator[Finding]:
    for node in view.nodes:
        if is_ready(node):
            continue
        here = sum((one.get("spec") or {}).get("nodeName") == name_of(node) for one in view.pods)
        with_pods = f", and {here} of the pods in question are on it" if here else ""
        role = "control plane node" if is_control_plane(node) else "node"
        text = describe_node(node).removeprefix("node ").rstrip(".")
        yield Finding(
            "node_not_ready",
            label_of(node),
            f"The {role} {text}{with_pods}",
            "Look at the machine and its kubelet, or replace it",
        )
