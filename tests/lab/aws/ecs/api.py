# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the simulation of ECS under moto: calls, the lives of EC2 instances, health behind load balancers, inventory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.responses.general import General
from moto.ecs.models import ecs_backends
from moto.elb.models import ELBBackend
from moto.elbv2.models import FakeTargetGroup

from lab.aws.ecs import clusters, definitions, host_calls, scaling, service_calls, service_deployments, task_calls
from lab.aws.ecs.calls import Original
from lab.aws.ecs.resources import Container, Task
from lab.aws.ecs.simulation import Simulation
from lab.aws.ecs.targets import HEALTHY, INITIAL
from lab.aws.patching import replaces
from lab.world import Item, World


def install(world: World) -> None:
    simulation = Simulation(world)
    for calls in (clusters, definitions, host_calls, scaling, service_calls, service_deployments, task_calls):
        calls.install(simulation)
    _instances(simulation)
    _console(simulation)
    _health(simulation)
    world.on_control("POST", "containers", lambda request: _kill(simulation, request.path))
    world.on_inventory(lambda: _inventory(world.account))


def _instances(simulation: Simulation) -> None:
    @replaces(InstanceBackend, "run_instances")
    def _run_instances(original: Original, backend: Any, *arguments: Any, **options: Any) -> Any:
        reservation = original(backend, *arguments, **options)
        for instance in reservation.instances:
            simulation.instances.launch(instance)
        return reservation

    for name, told in (
        ("start", simulation.instances.started),
        ("stop", simulation.instances.stopped),
        ("terminate", simulation.instances.terminated),
    ):

        def change(original: Original, instance: Any, told: Any = told) -> Any:
            previous = original(instance)
            told(instance)
            return previous

        replaces(Instance, name)(change)


def _console(simulation: Simulation) -> None:
    @replaces(General, "get_console_output")
    def _get_console_output(_original: Original, handler: Any) -> Any:
        instance = handler.ec2_backend.get_instance(handler._get_param("InstanceId"))
        text = simulation.instances.console(instance.id)
        output = Base64EncodedString.from_raw_string(text) if text else None
        return ActionResult({"InstanceId": instance.id, "Timestamp": simulation.world.clock.utc(), "Output": output})


def _health(simulation: Simulation) -> None:
    """moto calls a target healthy if its instance runs; whether anything answers there is asked here."""

    @replaces(FakeTargetGroup, "health_for")
    def _health_for(original: Original, group: Any, target: Any, *arguments: Any) -> Any:
        status = original(group, target, *arguments)
        if status.status == HEALTHY and str(status.instance_id).startswith("i-"):
            verdict = simulation.health.of_target(group, status.instance_id, int(status.port))
            status.status, status.reason, status.description = verdict.state, verdict.reason, verdict.description
        return status

    @replaces(ELBBackend, "describe_instance_health")
    def _describe_instance_health(original: Original, backend: Any, name: str, *arguments: Any) -> Any:
        states = original(backend, name, *arguments)
        return [
            _classic(simulation, backend, name, state) if state["State"] == "InService" else state for state in states
        ]


def _classic(simulation: Simulation, backend: Any, name: str, state: dict[str, Any]) -> dict[str, Any]:
    balancer = backend.get_load_balancer(name)
    verdict = simulation.health.of_instance(balancer, backend.region_name, state["InstanceId"])
    if verdict.state == HEALTHY:
        return {**state, "ReasonCode": "N/A", "Description": "N/A"}
    if verdict.state == INITIAL:
        reason, text = "ELB", "Instance registration is still in progress."
    else:
        reason = "Instance"
        text = "Instance has failed at least the UnhealthyThreshold number of health checks consecutively."
    return {**state, "State": "OutOfService", "ReasonCode": reason, "Description": text}


def _kill(simulation: Simulation, path: str) -> dict[str, str]:
    """POST /_lab/containers/ID/kill: the program in that container (or in all of that task's) crashes."""
    name = path.rstrip("/").removesuffix("/kill").rpartition("/")[2]
    with simulation.world.lock:
        running = [entry[:2] for entry in simulation.tasks.listening.values()]
        found = [(task, container) for task, container in running if name and _is_called(name, task, container)]
        if not found:
            raise ValueError(f"no running container or task that listens has the id {name}")
        for task, container in found:
            simulation.tasks.crash(task, container, exit_code=1)
        simulation.world.step()
    return {"killed": name}


def _is_called(name: str, task: Task, container: Container) -> bool:
    return name == task.id or (container.runtime_id or "").startswith(name)


def _inventory(account: str) -> Iterator[Item]:
    for backend in ecs_backends[account].values():
        for kind, things in _kinds(backend).items():
            for thing in things:
                yield Item(f"ecs-{kind}", _arn(thing), _name(thing), _tags(thing.tags))


def _kinds(backend: Any) -> dict[str, list[Any]]:
    """What exists, is billed, or is in the way of a delete."""
    definitions_ = [d for known in backend.task_definitions.values() for d in known.values()]
    tasks = [task for known in backend.tasks.values() for task in known.values()]
    return {
        "cluster": [cluster for cluster in backend.clusters.values() if cluster.status == "ACTIVE"],
        "service": [service for service in backend.services.values() if service.status != "INACTIVE"],
        "container-instance": [host for known in backend.container_instances.values() for host in known.values()],
        "task": [task for task in tasks if task.last_status != "STOPPED"],
        "task-definition": [definition for definition in definitions_ if definition.status == "ACTIVE"],
        "capacity-provider": list(backend.capacity_providers.values()),
    }


def _arn(thing: Any) -> str:
    names = ("capacity_provider_arn", "task_arn", "arn")
    return next(str(getattr(thing, name)) for name in names if hasattr(thing, name))


def _name(thing: Any) -> str:
    if hasattr(thing, "revision"):
        return f"{thing.family}:{thing.revision}"
    names = ("ec2_instance_id", "group", "name")
    return next(str(getattr(thing, name)) for name in names if hasattr(thing, name))


def _tags(tags: Iterable[dict[str, str]] | None) -> dict[str, str]:
    return {tag["key"]: tag.get("value", "") for tag in tags or ()}
