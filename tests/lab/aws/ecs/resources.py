# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The things of ECS that live: container instances, tasks, services, deployments.

Attributes carry the API's names in snake_case: moto writes answers from them by name, so what is set here is described.
What the API does not know (a task's host, its log stream) has a name the API does not use.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.ec2.models.instance_types import INSTANCE_TYPES

from lab.aws.ecs.deployments import Rules
from lab.aws.ecs.events import KEPT, Event
from lab.aws.ecs.scheduler import FIRST_DYNAMIC_PORT, Host, Needs, Placement, Port, Rule

Document = Mapping[str, Any]
AGENT_PORTS = (22, 2375, 2376, 51678, 51679)
MEMORY_SHARE = 0.95
"""What the operating system and the agent leave of an instance's memory."""
CAPABILITIES = (
    *(f"com.amazonaws.ecs.capability.docker-remote-api.1.{minor}" for minor in range(17, 45)),
    *(
        f"com.amazonaws.ecs.capability.logging-driver.{driver}"
        for driver in ("awslogs", "fluentd", "json-file", "none", "syslog")
    ),
    *("com.amazonaws.ecs.capability.ecr-auth", "com.amazonaws.ecs.capability.privileged-container"),
    *("com.amazonaws.ecs.capability.task-iam-role", "com.amazonaws.ecs.capability.task-iam-role-network-host"),
    *(
        "ecs.capability.container-health-check",
        "ecs.capability.container-ordering",
        "ecs.capability.docker-plugin.local",
    ),
    *("ecs.capability.env-files.s3", "ecs.capability.execution-role-awslogs", "ecs.capability.execution-role-ecr-pull"),
    *("ecs.capability.full-sync", "ecs.capability.pid-ipc-namespace-sharing", "ecs.capability.task-cpu-mem-limit"),
    *("ecs.capability.secrets.asm.environment-variables", "ecs.capability.secrets.ssm.environment-variables"),
    *("ecs.capability.secrets.asm.bootstrap.log-driver", "ecs.capability.secrets.ssm.bootstrap.log-driver"),
    *("ecs.capability.task-eia", "ecs.capability.task-eni", "ecs.capability.network.container-port-range"),
)


def new_id() -> str:
    """ECS names tasks and container instances by 32 hex digits."""
    return uuid.uuid4().hex


def capacity_of(instance_type: str) -> tuple[int, int]:
    """CPU units and MiB which an instance of this type offers to tasks."""
    facts = INSTANCE_TYPES[instance_type]
    return facts["VCpuInfo"]["DefaultVCpus"] * 1024, int(facts["MemoryInfo"]["SizeInMiB"] * MEMORY_SHARE)


def needs_of(definition: Any) -> Needs:
    """What a task asks of its host. A reservation counts before the hard limit, as ECS documents it."""
    containers = definition.container_definitions
    cpu = int(definition.cpu) if definition.cpu else sum(container["cpu"] for container in containers)
    if definition.memory:
        memory = int(definition.memory)
    else:
        memory = sum(container.get("memoryReservation") or container.get("memory") or 0 for container in containers)
    ports = {
        (mapping["hostPort"], mapping["protocol"])
        for container in containers
        for mapping in container["portMappings"]
        if mapping.get("hostPort")
    }
    return Needs(cpu, memory, frozenset(ports), frozenset(item["name"] for item in definition.requires_attributes))


def rules_of(documents: Iterable[Document] | None, value: str) -> tuple[Rule, ...]:
    """Placement constraints (`value` is "expression") or strategies ("field") as the scheduler has them."""
    return tuple(Rule(document["type"], document.get(value, "")) for document in documents or ())


def placement_of(definition: Any, constraints: Sequence[Document], strategies: Sequence[Document]) -> Placement:
    rules = (*rules_of(constraints, "expression"), *rules_of(definition.placement_constraints, "expression"))
    architecture = (definition.runtime_platform or {}).get("cpuArchitecture")
    if architecture:
        rules += (Rule("memberOf", f"attribute:ecs.cpu-architecture == {architecture.lower()}"),)
    return Placement(rules, rules_of(strategies, "field"))


@dataclass(eq=False)
class ContainerInstance:
    """An EC2 instance whose agent has registered."""

    arn: str
    ec2_instance_id: str
    cluster_name: str
    region_name: str
    host: Host
    registered_cpu: int
    registered_memory: int
    registered_at: datetime
    version_info: dict[str, str]
    tags: list[dict[str, str]]
    status: str = "ACTIVE"
    agent_connected: bool = True
    capacity_provider_name: str | None = None
    version: int = 1
    reserved_ports: tuple[int, ...] = AGENT_PORTS
    tasks_here: dict[str, Task] = field(default_factory=dict)
    dynamic_ports: set[Port] = field(default_factory=set)
    next_port: int = FIRST_DYNAMIC_PORT
    """Docker counts on through the ephemeral range before it uses a port again."""

    @property
    def id(self) -> str:
        return self.host.id

    @property
    def container_instance_arn(self) -> str:
        return self.arn

    @property
    def attributes(self) -> dict[str, str | None]:
        return self.host.attributes

    @property
    def running_tasks_count(self) -> int:
        """Without those that are to stop, and still answer."""
        return sum(task.running for task in self.tasks_here.values())

    @property
    def pending_tasks_count(self) -> int:
        return sum(task.starting for task in self.tasks_here.values())

    @property
    def registered_resources(self) -> list[dict[str, Any]]:
        return _resources(self.registered_cpu, self.registered_memory, [(port, "tcp") for port in self.reserved_ports])

    @property
    def remaining_resources(self) -> list[dict[str, Any]]:
        return _resources(self.host.cpu, self.host.memory, sorted(self.host.ports))

    @property
    def takes_tasks(self) -> bool:
        return self.status == "ACTIVE" and self.agent_connected


def _resources(cpu: int, memory: int, ports: Sequence[tuple[int, str]]) -> list[dict[str, Any]]:
    def number(name: str, value: int) -> dict[str, Any]:
        return {"name": name, "type": "INTEGER", "doubleValue": 0.0, "longValue": 0, "integerValue": value}

    def numbers(name: str, protocol: str) -> dict[str, Any]:
        taken = [str(port) for port, kind in ports if kind == protocol]
        return {**number(name, 0), "type": "STRINGSET", "stringSetValue": taken}

    return [number("CPU", cpu), number("MEMORY", memory), numbers("PORTS", "tcp"), numbers("PORTS_UDP", "udp")]


@dataclass(eq=False)
class Container:
    """One container of a task."""

    container_arn: str
    task_arn: str
    name: str
    image: str
    given: Document
    """Its container definition, with the task's overrides."""
    cpu: str
    memory: str | None
    memory_reservation: str | None
    network_bindings: list[dict[str, Any]]
    last_status: str = "PENDING"
    runtime_id: str | None = None
    image_digest: str | None = None
    exit_code: int | None = None
    reason: str | None = None
    health_status: str = "UNKNOWN"
    network_interfaces: list[dict[str, Any]] = field(default_factory=list)
    stream: tuple[str, str] | None = None
    """Log group and stream of the awslogs driver."""

    @property
    def host_name(self) -> str:
        """What the container sees as its own name: docker's short id."""
        return (self.runtime_id or "")[:12]


@dataclass(eq=False)
class Task:
    """One task, from its placement until an hour after it stopped."""

    id: str
    task_arn: str
    region_name: str
    cluster_name: str
    cluster_arn: str
    task_definition_arn: str
    definition: Any
    host_instance: ContainerInstance
    needs: Needs
    group: str
    started_by: str
    created_at: datetime
    tags: list[dict[str, str]]
    overrides: dict[str, Any]
    availability_zone: str
    cpu: str
    memory: str
    enable_execute_command: bool = False
    containers: list[Container] = field(default_factory=list)
    last_status: str = "PROVISIONING"
    desired_status: str = "RUNNING"
    connectivity: str | None = None
    connectivity_at: datetime | None = None
    health_status: str = "UNKNOWN"
    launch_type: str | None = "EC2"
    capacity_provider_name: str | None = None
    version: int = 1
    pull_started_at: datetime | None = None
    pull_stopped_at: datetime | None = None
    started_at: datetime | None = None
    stopping_at: datetime | None = None
    stopped_at: datetime | None = None
    execution_stopped_at: datetime | None = None
    stopped_reason: str | None = None
    stop_code: str | None = None
    attachments: list[Document] = field(default_factory=list)
    attributes: list[dict[str, str]] = field(default_factory=list)
    inference_accelerators: list[Document] = field(default_factory=list)
    service: Service | None = None
    ports_taken: set[tuple[int, str]] = field(default_factory=set)
    running_since: float = 0.0
    """On the lab's clock."""
    unhealthy_target: str | None = None
    """Why its load balancer does not send it requests; None: it does, or there is none."""

    @property
    def container_instance_arn(self) -> str:
        return self.host_instance.arn

    @property
    def starting(self) -> bool:
        return self.desired_status == "RUNNING" and self.last_status in ("PROVISIONING", "PENDING", "ACTIVATING")

    @property
    def live(self) -> bool:
        """Meant to run: starting or running, not on its way out."""
        return self.desired_status == "RUNNING" and self.last_status != "STOPPED"

    @property
    def running(self) -> bool:
        return self.last_status == "RUNNING" and self.desired_status == "RUNNING"


@dataclass(eq=False)
class Deployment:
    """One roll-out of a service: a task definition, and how far it got."""

    id: str
    task_definition: str
    definition: Any
    created_at: datetime
    updated_at: datetime
    desired_count: int
    launch_type: str | None
    capacity_provider_strategy: list[Document]
    network_configuration: Document | None = None
    status: str = "PRIMARY"
    behind_classic: bool = False
    progress: str = "IN_PROGRESS"
    rollout_state_reason: str = ""
    failed_tasks: int = 0
    came_up: bool = False
    """One of its tasks has run, and was healthy."""
    running_count: int = 0
    pending_count: int = 0
    rollback_of: str | None = None
    """The id of the failed deployment that this one undoes."""
    finished_at: datetime | None = None

    def __post_init__(self) -> None:
        self.rollout_state_reason = self.rollout_state_reason or f"ECS deployment {self.id} in progress."

    @property
    def rollout_state(self) -> str | None:
        """The progress as it is described: of a service behind a classic load balancer ECS does not tell it."""
        return None if self.behind_classic else self.progress


@dataclass(eq=False)
class Service:
    """A service with everything that CreateService and UpdateService can set."""

    arn: str
    name: str
    region_name: str
    cluster_name: str
    cluster_arn: str
    task_definition: str
    desired_count: int
    created_at: datetime
    created_by: str
    scheduling_strategy: str
    deployment_configuration: dict[str, Any]
    deployment_controller: Document
    tags: list[dict[str, str]]
    load_balancers: list[dict[str, Any]]
    placement_constraints: list[Document]
    placement_strategy: list[Document]
    service_registries: list[Document]
    capacity_provider_strategy: list[Document]
    launch_type: str | None
    availability_zone_rebalancing: str
    enable_ecs_managed_tags: bool = False
    enable_execute_command: bool = False
    propagate_tags: str = "NONE"
    health_check_grace_period_seconds: int | None = None
    network_configuration: Document | None = None
    platform_version: str | None = None
    role_arn: str | None = None
    status: str = "ACTIVE"
    deployments: list[Deployment] = field(default_factory=list)
    history: list[Deployment] = field(default_factory=list)
    """All deployments that there were, oldest first."""
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=KEPT))
    """Newest first."""
    own_tasks: dict[str, Task] = field(default_factory=dict)
    """Those not yet stopped, by id."""
    steady: bool = False
    failures: int = 0
    """Tasks that failed to start one after the other."""
    retry_at: float = 0.0
    complaints: dict[str, float] = field(default_factory=dict)
    """When the service last said that something does not work, by sentence."""
    task_sets: list[Any] = field(default_factory=list)
    created_with: dict[str, Any] = field(default_factory=dict)
    """CreateService's parameters: the same again is no error."""

    @property
    def physical_resource_id(self) -> str:
        return self.arn

    @property
    def group(self) -> str:
        return f"service:{self.name}"

    @property
    def primary(self) -> Deployment:
        return self.deployments[0]

    @property
    def rules(self) -> Rules:
        given = self.deployment_configuration
        return Rules(self.desired_count, given["minimumHealthyPercent"], given["maximumPercent"])

    @property
    def running_count(self) -> int:
        return sum(deployment.running_count for deployment in self.deployments)

    @property
    def pending_count(self) -> int:
        return sum(deployment.pending_count for deployment in self.deployments)

    @property
    def live_tasks(self) -> list[Task]:
        return [task for task in self.own_tasks.values() if task.live]

    def say(self, sentence: str, now: datetime, extra: str = "") -> None:
        """Add an event; `extra` goes into the brackets behind the service's name."""
        self.events.appendleft(Event(f"(service {self.name}{extra}) {sentence}", now))
