# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``k8s_cluster_app_info``: what runs in a namespace, whoever made it. PRIVATE."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from functools import partial
from typing import Any

from .._argspec import ArgumentSpec
from .._module import Context, Outcome
from .._parallel import gather
from .api import Object
from .app_result import app_facts
from .findings import View, latest_first
from .kinds import DEPLOYMENT, EVENT, POD, REPLICA_SET, REPLICATION_CONTROLLER, SERVICE
from .manifests import checked_namespace
from .objects import matches, name_of, namespace_of, runs
from .run import Run

APP_INFO = ArgumentSpec({"namespace": {"type": "str"}, "name": {"type": "str"}})
SHOWN_EVENTS = 5


def look(context: Context) -> Outcome:
    """List the apps."""
    namespace, name = context.params["namespace"] or "", context.params["name"]
    if namespace:
        checked_namespace("namespace", namespace)
    run = Run.looking(context)
    kinds = (DEPLOYMENT, REPLICATION_CONTROLLER, SERVICE, POD, EVENT)
    found = gather({kind.kind: partial(run.api.list, kind, namespace) for kind in kinds})
    controllers = [*found[DEPLOYMENT.kind].items, *found[REPLICATION_CONTROLLER.kind].items]
    chosen = [one for one in controllers if name in (None, name_of(one))]
    view = View(events=found[EVENT.kind].items, services=found[SERVICE.kind].items, pods=found[POD.kind].items)
    return Outcome({"apps": [told(one, view) for one in sorted(chosen, key=_order)]})


def _order(controller: Object) -> tuple[str, str]:
    return namespace_of(controller), name_of(controller)


def told(controller: Object, view: View) -> dict[str, Any]:
    """One app with what belongs to it. Pure."""
    spec = controller.get("spec") or {}
    pods = [one for one in view.pods if runs(controller, one)]
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    services = [
        one
        for one in _near(controller, view.services)
        if (one.get("spec") or {}).get("selector") and matches(one["spec"]["selector"], labels)
    ]
    best = sorted(services, key=lambda one: one["spec"].get("type") != "LoadBalancer")
    about = {one["metadata"].get("uid") for one in (controller, *pods)}
    events = latest_first(one for one in view.events if _concerns(one, about, controller))
    said = [str(one.get("message", "")) for one in events[:SHOWN_EVENTS]]
    return {**app_facts(controller, best[0] if best else None, pods), "events": said}


def _concerns(event: Mapping[str, Any], about: Container[str], controller: Mapping[str, Any]) -> bool:
    """Whether an event is about an app. Why a Deployment gets no pods is said about its ReplicaSet."""
    thing = event.get("involvedObject") or {}
    below = (thing.get("kind"), thing.get("namespace")) == (REPLICA_SET.kind, namespace_of(controller))
    named = str(thing.get("name")).rpartition("-")[0] == name_of(controller)
    return thing.get("uid") in about or (below and named and controller["kind"] == DEPLOYMENT.kind)


def _near(controller: Object, things: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [one for one in things if namespace_of(one) == namespace_of(controller)]
