# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``k8s_diagnosis_info``: why pods of a namespace or an app do not run. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping
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
from .kinds import NAMESPACE, NODE, STORAGE_CLASS, VOLUME
from .manifests import checked_namespace
from .namespaces import existing
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
# what lies in no namespace: many may not see it, and it says more only about what is known to be wrong
OF_THE_CLUSTER = frozenset({NAMESPACE.kind, NODE.kind, STORAGE_CLASS.kind, VOLUME.kind})


def look(context: Context) -> Outcome:
    """Read everything that matters, and say what is wrong."""
    params = context.params
    run = Run.looking(context)
    namespace, name = params["namespace"] or "", params["name"]
    if name and not namespace:
        raise InputError("name needs namespace")
    wanted = texts("labels", params["labels"] or {})
    namespaces = existing(run.api, checked_namespace("namespace", namespace)) if namespace else ()
    view = read_view(run.api, namespace, lambda pod: matches(wanted, labels_of(pod)))
    view = replace(view, namespaces=namespaces) if namespace else view
    view = _labelled(view, wanted) if wanted else view
    view = _of_app(view, name) if name else view
    if name and not (view.pods or view.controllers or view.services):
        raise NotFoundError(
            f"there is no controller, pod or service {name} in namespace {namespace}",
            hint="Without the right to list them, controllers and services are not seen.",
        )
    findings = diagnose(view)
    return Outcome(result_of(view, findings))


def _labelled(view: View, wanted: Mapping[str, str]) -> View:
    """Only what makes pods with these labels, and the services that may be for them."""

    def may_lead_there(service: Object) -> bool:
        selector = (service.get("spec") or {}).get("selector") or {}
        return bool(selector) and all(selector.get(label, value) == value for label, value in wanted.items())

    return replace(
        view,
        controllers=[one for one in view.controllers if matches(wanted, _labels_given_by(one))],
        claims=view.claims if view.pods else (),
        services=[one for one in view.services if may_lead_there(one)],
    )


def _labels_given_by(controller: Object) -> Mapping[str, str]:
    """The labels that a controller gives to its pods."""
    spec = controller.get("spec") or {}
    template = ((spec.get("jobTemplate") or {}).get("spec") or spec).get("template") or {}
    return (template.get("metadata") or {}).get("labels") or {}


def _of_app(view: View, name: str) -> View:
    """Only what is called so: a controller and its pods, a pod, a service and the pods behind it."""
    above = {one["metadata"]["uid"]: one for one in view.controllers}
    services = [one for one in view.services if name_of(one) == name]
    selectors = [selector for one in services if (selector := (one.get("spec") or {}).get("selector"))]
    pods = [
        one
        for one in view.pods
        if _is(one, name)
        or runner_label(one, above).rpartition("/")[2] == name
        or any(matches(selector, labels_of(one)) for selector in selectors)
    ]
    return replace(
        view,
        pods=pods,
        nodes=view.nodes if pods else (),
        controllers=[one for one in view.controllers if _is(one, name)],
        claims=view.claims if pods else (),
        services=services,
    )


def _is(thing: Object, name: str) -> bool:
    """Whether a thing is called so, or what controls it."""
    return name in (name_of(thing), (controller_of(thing) or {}).get("name"))


def result_of(view: View, findings: list[Finding]) -> dict[str, Any]:
    """What the module returns. Pure."""
    blind = [error for kind, error in view.unread.items() if kind not in OF_THE_CLUSTER]
    return {
        "diagnosis": [one.facts() for one in findings],
        "summary": [*(f"{one.sentence()}." for one in findings), *(one.sentence() for one in blind)],
        "healthy": not findings and not blind,
        "could_not_look": [{"kinds": [kind], "why": error.sentence()} for kind, error in view.unread.items()],
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
