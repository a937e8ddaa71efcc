# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``k8s_diagnosis_info``: why pods of a namespace or an app do not run. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from .._argspec import ArgumentSpec
from .._errors import InputError, NotFoundError
from .._module import Context, Outcome
from .._texts import texts
from .capacity import runner_label
from .diagnosis import diagnose
from .explaining import read_view
from .findings import Finding, View
from .kinds import NAMESPACE
from .manifests import checked_namespace
from .objects import Object, controller_of, is_true, labels_of, matches, name_of, namespace_of
from .run import Run

DIAGNOSIS = ArgumentSpec(
    {
        "namespace": {"type": "str"},
        "name": {"type": "str"},
        "labels": {"type": "dict"},
    }
)
SUCCEEDED = "Succeeded"


def look(context: Context) -> Outcome:
    """Read everything that matters, and say what is wrong."""
    params = context.params
    run = Run.looking(context)
    namespace, name = params["namespace"] or "", params["name"]
    if namespace and run.api.get(NAMESPACE, checked_namespace("namespace", namespace)) is None:
        raise NotFoundError(f"namespace {namespace} does not exist")
    if name and not namespace:
        raise InputError("name needs namespace")
    view = read_view(run.api, namespace, _chosen(params["labels"]))
    view = _of_app(view, name) if name else view
    if name and not (view.pods or view.controllers or view.services):
        raise NotFoundError(
            f"there is no controller, pod or service {name} in namespace {namespace}",
            hint="Without the right to list them, controllers and services are not seen.",
        )
    findings = diagnose(view)
    return Outcome(result_of(view, findings))


def _chosen(labels: Mapping[str, Any] | None) -> Callable[[Object], bool]:
    wanted = texts("labels", labels or {})
    return lambda pod: matches(wanted, labels_of(pod))


def _of_app(view: View, name: str) -> View:
    """Only what is called so: a controller and its pods, a pod, a service."""
    above = {one["metadata"]["uid"]: one for one in view.controllers}
    pods = [one for one in view.pods if _is(one, name) or runner_label(one, above).rpartition("/")[2] == name]
    return replace(
        view,
        pods=pods,
        nodes=view.nodes if pods else (),
        controllers=[one for one in view.controllers if _is(one, name)],
        claims=view.claims if pods else (),
        services=[one for one in view.services if name_of(one) == name],
    )


def _is(thing: Object, name: str) -> bool:
    """Whether a thing is called so, or what controls it."""
    return name in (name_of(thing), (controller_of(thing) or {}).get("name"))


def result_of(view: View, findings: list[Finding]) -> dict[str, Any]:
    """What the module returns. Pure."""
    return {
        "diagnosis": [one.facts() for one in findings],
        "summary": [f"{one.sentence()}." for one in findings],
        "healthy": not findings,
        "pods": [_pod(one) for one in view.pods],
        "nodes": [{"name": name_of(one), "ready": is_true(one, "Ready")} for one in view.nodes],
    }


def _pod(pod: Mapping[str, Any]) -> dict[str, Any]:
    status = pod.get("status") or {}
    ready = is_true(pod, "Ready")
    return {
        "namespace": namespace_of(pod),
        "name": name_of(pod),
        "phase": status.get("phase", "Pending"),
        "ready": ready or status.get("phase") == SUCCEEDED,
        "node": (pod.get("spec") or {}).get("nodeName"),
        "restarts": sum(int(one.get("restartCount", 0)) for one in status.get("containerStatuses") or ()),
        "container_ids": [one.get("containerID") for one in status.get("containerStatuses") or ()],
    }
