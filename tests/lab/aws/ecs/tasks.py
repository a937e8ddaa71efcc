# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of one task: placed, pulled, started, running, stopped, and why it did not start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lab import containers
from lab.aws.ecs.agenda import Agenda
from lab.aws.ecs.launch import Failure, Launch, program_of
from lab.aws.ecs.resources import Container, ContainerInstance, Service, Task, needs_of, new_id
from lab.aws.ecs.scheduler import FIRST_DYNAMIC_PORT, dynamic_port
from lab.world import World

KEPT_SECONDS = 3600.0
"""A stopped task is described this long."""
TERMINATED_BY_SIGNAL = 137
Endpoint = tuple[str, int]
"""(EC2 instance id, host port)."""


@dataclass(frozen=True)
class Order:
    """Who wants a task, and how."""

    group: str
    started_by: str = ""
    tags: list[dict[str, str]] = field(default_factory=list)
    service: Service | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    launch_type: str | None = "EC2"
    enable_execute_command: bool = False


class Tasks:
    """All tasks of the account, and what listens on which port of which instance."""

    def __init__(self, world: World, agenda: Agenda) -> None:
        self._world = world
        self._agenda = agenda
        self._launch = Launch(world)
        self.listening: dict[Endpoint, tuple[Task, Container, int]] = {}
        """Who answers on an endpoint, and on which port of the container."""
        self.drain: Callable[[Task], float] = lambda _unused: 0.0
        """Takes a running task out of its load balancers and says how many seconds its connections have left."""
        self.on_running: list[Callable[[Task], None]] = []
        self.on_stopping: list[Callable[[Task], None]] = []
        self.on_stopped: list[Callable[[Task, bool], None]] = []
        """Called with the task and whether it failed to start."""

    def clear(self) -> None:
        self.listening.clear()

    def create(self, backend: Any, definition: Any, instance: ContainerInstance, order: Order) -> Task:
        """Put a task on a host that was found to fit; it starts with the next steps."""
        task = _new_task(backend, definition, instance, order, self._world.clock.utc())
        _occupy(task, instance)
        task.containers = [
            self._container(task, _overridden(given, task.overrides)) for given in definition.container_definitions
        ]
        backend.tasks.setdefault(instance.cluster_name, {})[task.task_arn] = task
        self._agenda.after(0, lambda: self._pull(task))
        self._agenda.after(self._world.settings.task_seconds, lambda: self._start(task))
        return task

    def stop(self, task: Task, reason: str, code: str) -> None:
        """Ask a task to end: out of its load balancers first, then the signal."""
        if task.desired_status == "STOPPED":
            return
        was_running = task.last_status == "RUNNING"
        task.desired_status = "STOPPED"
        task.stopped_reason, task.stop_code = reason, code
        task.stopping_at = self._world.clock.utc()
        delay = self.drain(task) if was_running else 0.0
        if was_running:
            task.last_status = "DEACTIVATING"
        self._agenda.after(delay, lambda: self._signal(task))

    def lose(self, task: Task, reason: str) -> None:
        """The task's host is gone, and the task with it."""
        if task.last_status == "STOPPED":
            return
        task.desired_status = "STOPPED"
        task.stopped_reason, task.stop_code = reason, "TerminationNotice"
        task.stopping_at = self._world.clock.utc()
        self.drain(task)
        self._end(task, exit_code=None, failed=False)

    def crash(self, task: Task, container: Container, exit_code: int) -> None:
        """A container of a running task ended by itself."""
        container.last_status, container.exit_code = "STOPPED", exit_code
        self._silence(task)
        if container.given.get("essential", True) and task.live:
            self._give_up(task, Failure("Essential container in task exited", "EssentialContainerExited"))

    def write_log(self, task: Task, container: Container, line: str) -> None:
        """A line that the container's program writes."""
        self._launch.write(container, task.region_name, (line,))

    def _container(self, task: Task, given: Mapping[str, Any]) -> Container:
        memory, reservation = given.get("memory"), given.get("memoryReservation")
        return Container(
            container_arn=f"{task.task_arn.replace(':task/', ':container/')}/{new_id()}",
            task_arn=task.task_arn,
            name=given["name"],
            image=given["image"],
            given=given,
            cpu=str(given["cpu"]),
            memory=str(memory) if memory else None,
            memory_reservation=str(reservation) if reservation else None,
            network_bindings=[],
        )

    def _pull(self, task: Task) -> None:
        if task.live:
            task.last_status = "PENDING"
            task.connectivity, task.connectivity_at = "CONNECTED", self._world.clock.utc()
            task.pull_started_at = self._world.clock.utc()

    def _start(self, task: Task) -> None:
        if not task.live:
            return
        failure = self._launch.prepare(task)
        if failure is not None:
            self._give_up(task, failure)
            return
        now = self._world.clock.utc()
        task.pull_stopped_at, task.started_at, task.running_since = now, now, self._world.clock.now()
        codes = {container: self._run(task, container) for container in task.containers}
        ended = [
            container
            for container, code in codes.items()
            if code is not None and container.given.get("essential", True)
        ]
        if ended:
            self._give_up(task, Failure("Essential container in task exited", "EssentialContainerExited"))
            return
        task.last_status = "RUNNING"
        self._check_health(task)
        if task.live:
            for told in self.on_running:
                told(task)

    def _run(self, task: Task, container: Container) -> int | None:
        """Start one container; the code with which it ended at once, or None."""
        container.runtime_id = new_id() + new_id()
        container.image_digest = containers.digest(container.image)
        container.network_bindings = self._bind(task, container)
        self._launch.open_log(task, container)
        program = program_of(container)
        self._launch.write(container, task.region_name, containers.first_lines(program))
        container.exit_code = containers.exit_code(program)
        container.last_status = "RUNNING" if container.exit_code is None else "STOPPED"
        if container.exit_code is None:
            for binding in container.network_bindings:
                endpoint = (task.host_instance.ec2_instance_id, binding["hostPort"])
                self.listening[endpoint] = (task, container, binding["containerPort"])
        return container.exit_code

    def _bind(self, task: Task, container: Container) -> list[dict[str, Any]]:
        bindings, instance = [], task.host_instance
        for mapping in container.given["portMappings"]:
            protocol, host_port = mapping["protocol"], mapping.get("hostPort")
            if not host_port:
                taken = instance.host.ports | instance.dynamic_ports
                host_port = dynamic_port(taken, protocol, instance.next_port) or FIRST_DYNAMIC_PORT
                instance.next_port = host_port + 1
                instance.dynamic_ports.add((host_port, protocol))
            task.ports_taken.add((host_port, protocol))
            bindings.append(
                {
                    "bindIP": "0.0.0.0",
                    "containerPort": mapping["containerPort"],
                    "hostPort": host_port,
                    "protocol": protocol,
                }
            )
        return bindings

    def _check_health(self, task: Task) -> None:
        checked = [container for container in task.containers if container.given.get("healthCheck")]
        for container in checked:
            passed = containers.health_check_passes(program_of(container), container.given["healthCheck"]["command"])
            container.health_status = "HEALTHY" if passed else "UNHEALTHY"
        if not checked:
            return
        sick = any(c.health_status == "UNHEALTHY" for c in checked if c.given.get("essential", True))
        task.health_status = "UNHEALTHY" if sick else "HEALTHY"
        if sick and task.service is not None:
            self._give_up(task, Failure("Task failed container health checks", "ServiceSchedulerInitiated"))

    def _give_up(self, task: Task, failure: Failure) -> None:
        """The task ends by itself: it never came up, or an essential container is gone."""
        never_ran = task.last_status != "RUNNING" or failure.code == "ServiceSchedulerInitiated"
        task.desired_status = "STOPPED"
        task.stopped_reason, task.stop_code = failure.reason, failure.code
        task.stopping_at = self._world.clock.utc()
        if failure.container:
            failure.container.reason = failure.reason
        self.drain(task)
        self._end(task, exit_code=TERMINATED_BY_SIGNAL, failed=never_ran)

    def _signal(self, task: Task) -> None:
        if task.last_status == "STOPPED":
            return
        task.last_status = "STOPPING"
        for told in self.on_stopping:
            told(task)
        self._agenda.after(0, lambda: self._end(task, exit_code=TERMINATED_BY_SIGNAL, failed=False))

    def _end(self, task: Task, exit_code: int | None, failed: bool) -> None:
        if task.last_status == "STOPPED":
            return
        now = self._world.clock.utc()
        task.last_status, task.stopped_at, task.execution_stopped_at = "STOPPED", now, now
        for container in task.containers:
            if container.last_status == "RUNNING":
                container.exit_code = exit_code
            container.last_status = "STOPPED"
        self._silence(task)
        _vacate(task)
        for told in self.on_stopped:
            told(task, failed)

    def _silence(self, task: Task) -> None:
        """What has stopped listens no more."""
        for container in task.containers:
            for binding in container.network_bindings if container.last_status == "STOPPED" else ():
                endpoint = (task.host_instance.ec2_instance_id, binding["hostPort"])
                if endpoint in self.listening and self.listening[endpoint][1] is container:
                    del self.listening[endpoint]


def is_forgotten(task: Task, now: datetime) -> bool:
    """Stopped so long ago that ECS does not know the task any more."""
    return task.stopped_at is not None and now - task.stopped_at > timedelta(seconds=KEPT_SECONDS)


def _new_task(backend: Any, definition: Any, instance: ContainerInstance, order: Order, now: datetime) -> Task:
    task_id, needs = new_id(), needs_of(definition)
    architecture = instance.attributes["ecs.cpu-architecture"] or ""
    return Task(
        id=task_id,
        task_arn=f"arn:aws:ecs:{backend.region_name}:{backend.account_id}:task/{instance.cluster_name}/{task_id}",
        region_name=backend.region_name,
        cluster_name=instance.cluster_name,
        cluster_arn=backend.clusters[instance.cluster_name].arn,
        task_definition_arn=definition.arn,
        definition=definition,
        host_instance=instance,
        needs=needs,
        group=order.group,
        started_by=order.started_by,
        created_at=now,
        tags=order.tags,
        overrides=_described(definition, order.overrides),
        availability_zone=instance.host.zone,
        cpu=str(needs.cpu),
        memory=str(needs.memory),
        enable_execute_command=order.enable_execute_command,
        service=order.service,
        launch_type=order.launch_type,
        capacity_provider_name=None if order.launch_type else instance.capacity_provider_name,
        attributes=[{"name": "ecs.cpu-architecture", "value": architecture}],
    )


def _occupy(task: Task, instance: ContainerInstance) -> None:
    host = instance.host
    host.cpu -= task.needs.cpu
    host.memory -= task.needs.memory
    host.ports |= task.needs.ports
    host.groups[task.group] = host.groups.get(task.group, 0) + 1
    instance.tasks_here[task.id] = task


def _vacate(task: Task) -> None:
    instance = task.host_instance
    if instance.tasks_here.pop(task.id, None) is None:
        return
    host = instance.host
    host.cpu += task.needs.cpu
    host.memory += task.needs.memory
    host.ports -= task.needs.ports
    host.groups[task.group] -= 1
    instance.dynamic_ports -= task.ports_taken


def _described(definition: Any, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Overrides as DescribeTasks shows them: an entry for every container."""
    given = {override["name"]: override for override in overrides.get("containerOverrides") or ()}
    names = [container["name"] for container in definition.container_definitions]
    every = [given.get(name, {"name": name}) for name in names]
    return {"inferenceAcceleratorOverrides": [], **overrides, "containerOverrides": every}


def _overridden(given: Mapping[str, Any], overrides: Mapping[str, Any]) -> Mapping[str, Any]:
    """The container definition with RunTask's overrides for that container."""
    found: Sequence[Mapping[str, Any]] = [o for o in overrides["containerOverrides"] if o.get("name") == given["name"]]
    merged = dict(given)
    for override in found:
        merged.update({key: value for key, value in override.items() if key not in ("name", "environment")})
        merged["environment"] = [*given["environment"], *override.get("environment", [])]
    return merged
