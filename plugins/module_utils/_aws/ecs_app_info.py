# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A look at one app of an ECS cluster, or at all of them, in calls that do not grow with each app. PRIVATE."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from .._clock import Deadline
from .._errors import NotFoundError
from .._module import Context, Outcome
from .._plan import Live
from .api import Aws, Connection
from .ecs_app import list_services
from .ecs_app_result import fronts_of, tasks_of, to_result
from .names import APP_NAME_LIMIT, CLUSTER_NAME_LIMIT, checked_name, cluster_mark
from .run import Run
from .service import live_service
from .service_ready import describe_service


def look(context: Context) -> Outcome:
    """What the module does."""
    cluster = checked_name("cluster", context.params["cluster"], CLUSTER_NAME_LIMIT)
    name = context.params["name"] and checked_name("name", context.params["name"], APP_NAME_LIMIT)
    aws = Aws(Connection.from_params(context.params))
    run = Run(aws, cluster_mark(cluster), Deadline(context.clock, 0))
    services = _services(run, cluster, name)
    if not services:
        return Outcome({"apps": []})
    tasks: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for task in tasks_of(run, cluster, name):
        tasks[task.get("group", "").removeprefix("service:")].append(task)
    ports = {service: _host_ports(theirs) for service, theirs in tasks.items()}
    fronts = fronts_of(run, [one.attributes["raw"] for one in services], ports)
    results = {
        one.name: to_result(one.name, cluster, one.attributes["raw"], front=fronts.get(one.name), tasks=tasks[one.name])
        for one in services
    }
    return Outcome({"apps": [{"name": name, **result} for name, result in sorted(results.items())]})


def _services(run: Run, cluster: str, name: str | None) -> list[Live]:
    if not name:
        return list_services(run, cluster)
    try:
        service = describe_service(run, cluster, name)
    except NotFoundError:
        return []
    return [live_service(service)] if service["status"] != "INACTIVE" else []


def _host_ports(tasks: list[dict[str, Any]]) -> set[int]:
    return {
        binding["hostPort"]
        for task in tasks
        for container in task.get("containers", ())
        for binding in container.get("networkBindings") or ()
    }
