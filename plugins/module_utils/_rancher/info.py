# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at hosts, stacks and the catalog, in calls whose number does not grow with what there is. PRIVATE."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from .._module import Context, Outcome
from .._parallel import gather
from .access_api import AccessApi
from .api import Connection, Object, Rancher
from .catalog import compose_files, find_template, list_templates, version_numbers
from .dialect import DIALECTS
from .environments import Run, find_environment
from .host_result import host_result, placed_result
from .host_view import HostView, host_reads, host_views
from .stack_result import stack_result
from .stacks import stack_id_of

Reads = dict[str, Callable[[], Any]]


def look_at_hosts(context: Context) -> Outcome:
    """The module rancher_hosts_info."""
    run = Run.of(context)
    doing = f"look at the hosts of environment {run.environment.name}"
    reads: Reads = host_reads(run, doing)
    reads["containers"] = partial(run.rancher.list, run.path("containers"), doing=doing)
    reads["access"] = AccessApi(run.rancher).status
    found = gather(reads)
    views = host_views(found["hosts"], found.get("machines", ()))
    containers = defaultdict(list)
    for one in _by_name(found["containers"]):
        containers[str(one.get("hostId"))].append(placed_result(one, views))
    names = context.params["names"]
    told = [view for view in views if names is None or view.name in names]
    hosts = [{**host_result(view), "containers": containers[view.id]} for view in told]
    access_control = bool(found["access"].get("security"))
    return Outcome({"environment": _environment(run), "access_control": access_control, "hosts": hosts})


def look_at_stacks(context: Context) -> Outcome:
    """The module rancher_stack_info."""
    run = Run.of(context)
    name = context.params["name"]
    doing = f"look at the stacks of environment {run.environment.name}"
    collections = {
        "stacks": DIALECTS[run.rancher.version].stacks,
        "services": "services",
        "containers": "containers",
        "maps": "serviceexposemaps",
    }
    reads: Reads = host_reads(run, doing)
    reads |= {one: partial(run.rancher.list, run.path(path), doing=doing) for one, path in collections.items()}
    found = gather(reads)
    views = host_views(found["hosts"], found.get("machines", ()))
    stacks = [one for one in _by_name(found["stacks"]) if name in (None, one.get("name"))]
    told = []
    for stack in stacks:
        services = [one for one in found["services"] if stack_id_of(one) == stack["id"]]
        told.append(_with_containers(stack_result(stack, services), found, views))
    picked = run.environment.picked_ports
    ports = {"start_port": picked.start, "end_port": picked.stop - 1}
    return Outcome({"environment": {**_environment(run), "services_port_range": ports}, "stacks": told})


def _with_containers(result: dict[str, Any], found: dict[str, list[Object]], views: list[HostView]) -> dict[str, Any]:
    """A stack as one thing, each of its services with its containers."""
    containers = {one["id"]: placed_result(one, views) for one in _by_name(found["containers"])}
    instances = defaultdict(set)
    for one in found["maps"]:
        instances[one["serviceId"]].add(one["instanceId"])
    services = [
        {**service, "containers": [one for key, one in containers.items() if key in instances[service["id"]]]}
        for service in result["services"]
    ]
    return {**result["stack"], "services": services, "endpoints": result["endpoints"]}


def look_at_catalog(context: Context) -> Outcome:
    """The module rancher_catalog_info."""
    return Outcome({"templates": templates_told(Rancher(Connection.from_params(context.params)), context.params)})


def templates_told(rancher: Rancher, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All templates that the options speak of, or the one with its questions."""
    named, wanted = params["environment"], params["template"]
    environment = find_environment(rancher, named).id if named and not rancher.is_v1 else None
    if wanted is None:
        listed = list_templates(rancher, params["catalog"], environment)
        return [_template(one) for one in sorted(listed, key=lambda one: str(one["id"]))]
    found = find_template(rancher, wanted, params["template_version"], environment=environment)
    return [
        {
            **_template(found.base),
            "version": found.version,
            "version_id": found.id,
            "questions": [_question(one) for one in found.questions],
            "files": {f"{name}-compose.yml": text for name, text in compose_files(dict(found.raw)).items()},
        }
    ]


def _template(template: Object) -> dict[str, Any]:
    return {
        "id": template["id"],
        "catalog": template.get("catalogId") or str(template["id"]).partition(":")[0],
        "name": template.get("name"),
        "category": template.get("category"),
        "description": template.get("description"),
        "default_version": template.get("defaultVersion"),
        "versions": sorted(version_numbers(template), key=lambda name: int_or_text(version_numbers(template)[name])),
    }


def int_or_text(number: str) -> tuple[int, str]:
    """A version's number, for the order in which versions were made. Pure."""
    return (int(number), "") if number.isdigit() else (0, number)


def _question(question: Any) -> dict[str, Any]:
    names = ("variable", "label", "description", "type", "required", "default", "options")
    told = {name: question.get(name) for name in names}
    return {**told, "type": told["type"] or "string", "required": bool(told["required"])}


def _by_name(things: list[Object]) -> list[Object]:
    return sorted(things, key=lambda one: (str(one.get("name")), str(one["id"])))


def _environment(run: Run) -> dict[str, str]:
    return {"id": run.environment.id, "name": run.environment.name}
