# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls on tasks: RunTask and StartTask place or say why not, describing changes nothing, lists can be filtered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.responses import DESCRIBE_TASKS_TAGS
from moto.ecs.responses import EC2ContainerServiceResponse as Response

from lab.aws.ecs.calls import Original, at_most, cluster_of, fail, invalid, merged, missing, only_if_included, short
from lab.aws.ecs.definitions import active_definition
from lab.aws.ecs.resources import ContainerInstance, Task, needs_of, placement_of
from lab.aws.ecs.scheduler import Refusal, choose
from lab.aws.ecs.simulation import Simulation
from lab.aws.ecs.tasks import Order, is_forgotten
from lab.aws.patching import replaces


def install(simulation: Simulation) -> None:
    _run(simulation)
    _start(simulation)
    _stop(simulation)
    _describe(simulation)


def _run(simulation: Simulation) -> None:
    @replaces(Response, "run_task")
    def _run_task(_original: Original, handler: Any) -> Any:
        given, cluster, backend = handler._get_params(), cluster_of(handler), handler.ecs_backend
        count = int(given.get("count") or 1)
        if not 1 <= count <= 10:
            raise invalid("Tasks count must be between 1 and 10.")
        if given.get("launchType") == "FARGATE":
            raise fail("NotImplemented", "lab: the launch type FARGATE is not simulated")
        definition = active_definition(backend, given.get("taskDefinition") or "")
        instances = [host for host in _hosts(backend, cluster).values() if host.takes_tasks]
        if not _hosts(backend, cluster):
            raise invalid("No Container Instances were found in your cluster.")
        group = given.get("group") or f"family:{definition.family}"
        placement = placement_of(
            definition, given.get("placementConstraints") or (), given.get("placementStrategy") or ()
        )
        tasks: list[Task] = []
        failures: list[dict[str, str]] = []
        for _unused in range(count):
            found = choose(needs_of(definition), [instance.host for instance in instances], group, placement)
            if isinstance(found, Refusal):
                failures = _failures(_hosts(backend, cluster), definition)
                break
            host = _hosts(backend, cluster)[found.id]
            tasks.append(_create(simulation, backend, given, definition, host, group))
        return ActionResult({"tasks": tasks, "failures": failures})


def _start(simulation: Simulation) -> None:
    @replaces(Response, "start_task")
    def _start_task(_original: Original, handler: Any) -> Any:
        given, cluster, backend = handler._get_params(), cluster_of(handler), handler.ecs_backend
        at_most(given.get("containerInstances") or [], 10, "Container Instances")
        definition = active_definition(backend, given.get("taskDefinition") or "")
        group = given.get("group") or f"family:{definition.family}"
        tasks, failures = [], []
        for name in given["containerInstances"]:
            host = _hosts(backend, cluster).get(short(name))
            if host is None:
                failures.append(missing(name))
            elif why := _refusal(host, definition):
                failures.append({"arn": host.arn, "reason": why})
            else:
                tasks.append(_create(simulation, backend, given, definition, host, group))
        return ActionResult({"tasks": tasks, "failures": failures})


def _create(
    simulation: Simulation, backend: Any, given: Mapping[str, Any], definition: Any, host: ContainerInstance, group: str
) -> Task:
    inherited = definition.tags if given.get("propagateTags") == "TASK_DEFINITION" else []
    order = Order(
        group=group,
        started_by=given.get("startedBy") or "",
        tags=merged([*inherited, *(given.get("tags") or ())]),
        overrides=given.get("overrides") or {},
        enable_execute_command=given.get("enableExecuteCommand") or False,
    )
    return simulation.tasks.create(backend, definition, host, order)


def _hosts(backend: Any, cluster: Any) -> dict[str, ContainerInstance]:
    known: dict[str, ContainerInstance] = backend.container_instances.get(cluster.name, {})
    return known


def _failures(hosts: Mapping[str, ContainerInstance], definition: Any) -> list[dict[str, str]]:
    """Why each host does not take the task, as RunTask says it."""
    reasons = {host.arn: _refusal(host, definition) for host in hosts.values()}
    return [
        {"arn": arn, "reason": reason or "MemberOf placement constraint unsatisfied."}
        for arn, reason in reasons.items()
    ]


def _refusal(host: ContainerInstance, definition: Any) -> str | None:
    if not host.agent_connected:
        return "AGENT"
    if host.status != "ACTIVE":
        return "INACTIVE"
    why = host.host.fits(needs_of(definition))
    return why if why in (None, "ATTRIBUTE") else f"RESOURCE:{why}"


def _stop(simulation: Simulation) -> None:
    @replaces(Response, "stop_task")
    def _stop_task(_original: Original, handler: Any) -> Any:
        cluster = cluster_of(handler)
        task = next(
            (t for t in _known(simulation, handler) if _is_named(t, cluster.name, handler._get_param("task") or "")),
            None,
        )
        if task is None:
            raise invalid("The referenced task was not found.")
        simulation.tasks.stop(task, handler._get_param("reason") or "Task stopped by user", "UserInitiated")
        return ActionResult({"task": task})


def _describe(simulation: Simulation) -> None:
    @replaces(Response, "describe_tasks")
    def _describe_tasks(_original: Original, handler: Any) -> Any:
        cluster, names = cluster_of(handler), handler._get_param("tasks") or []
        at_most(names, 100, "Tasks")
        only_if_included(handler, "TAGS", DESCRIBE_TASKS_TAGS)
        known = {task.id: task for task in _known(simulation, handler) if task.cluster_name == cluster.name}
        arn = cluster.arn.replace(":cluster/", ":task/") + "/"
        return ActionResult(
            {
                "tasks": [known[short(name)] for name in names if short(name) in known],
                "failures": [missing(arn + short(name)) for name in names if short(name) not in known],
            }
        )

    @replaces(Response, "list_tasks")
    def _list_tasks(_original: Original, handler: Any) -> Any:
        cluster, given = cluster_of(handler), handler._get_params()
        service = given.get("serviceName")
        known = handler.ecs_backend.services.get(f"{cluster.name}:{short(service or '')}")
        if service and (known is None or simulation.replica.shown(known.arn, known) is None):
            raise fail("ServiceNotFoundException", "Service not found.")
        tasks = [t for t in _known(simulation, handler) if t.cluster_name == cluster.name and _is_wanted(t, given)]
        return ActionResult({"taskArns": [task.task_arn for task in tasks]})


def _is_wanted(task: Task, given: Mapping[str, Any]) -> bool:
    return (
        task.desired_status == (given.get("desiredStatus") or "RUNNING")
        and given.get("family") in (None, task.definition.family)
        and given.get("startedBy") in (None, task.started_by)
        and given.get("launchType") in (None, task.launch_type)
        and ("serviceName" not in given or task.group == f"service:{short(given['serviceName'])}")
        and ("containerInstance" not in given or task.host_instance.id == short(given["containerInstance"]))
    )


def _is_named(task: Task, cluster: str, name: str) -> bool:
    return task.cluster_name == cluster and task.id == short(name)


def _known(simulation: Simulation, handler: Any) -> Iterator[Task]:
    """The region's tasks, without those that stopped long ago."""
    now = simulation.world.clock.utc()
    for tasks in handler.ecs_backend.tasks.values():
        for arn, task in list(tasks.items()):
            if is_forgotten(task, now):
                del tasks[arn]
            else:
                yield task
