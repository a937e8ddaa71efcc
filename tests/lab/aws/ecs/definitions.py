# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Task definitions: what ECS refuses, and what it fills in, so that comparing them is as hard as on AWS."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.models import EC2ContainerServiceBackend as Backend
from moto.ecs.responses import EC2ContainerServiceResponse as Response

from lab.aws.ecs.calls import Original, fail, merged
from lab.aws.ecs.simulation import Simulation
from lab.aws.patching import replaces

SMALLEST_MEMORY = 6
"""MiB: docker starts no container with less."""
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,255}")
_API = "com.amazonaws.ecs.capability.docker-remote-api.1."


def install(simulation: Simulation) -> None:
    _register(simulation)
    _list()

    @replaces(Backend, "describe_task_definition")
    def _describe_task_definition(original: Original, backend: Any, task_definition_str: str) -> Any:
        """A family without a revision means its latest ACTIVE one."""
        family = task_definition_str.rpartition("/")[2]
        if ":" in family:
            return original(backend, task_definition_str)
        active = [revision for revision, d in backend.task_definitions.get(family, {}).items() if d.status == "ACTIVE"]
        if not active:
            raise fail("ClientException", "Unable to describe task definition.")
        return backend.task_definitions[family][max(active)]

    @replaces(Backend, "deregister_task_definition")
    def _deregister_task_definition(original: Original, backend: Any, name: str) -> Any:
        definition = original(backend, name)
        definition.deregistered_at = simulation.world.clock.utc()
        return definition

    @replaces(Backend, "delete_task_definitions")
    def _delete_task_definitions(original: Original, backend: Any, task_definitions: list[str]) -> Any:
        deleted, failures = original(backend, task_definitions)
        for definition in deleted:
            definition.delete_requested_at = simulation.world.clock.utc()
        return deleted, failures


def active_definition(backend: Any, name: str) -> Any:
    """What a service or task may be started from."""
    definition = backend.describe_task_definition(name)
    if definition.status != "ACTIVE":
        raise fail("ClientException", "TaskDefinition is inactive")
    if definition.network_mode == "awsvpc":
        raise fail("NotImplemented", "lab: tasks with networkMode awsvpc are not simulated")
    return definition


def _register(simulation: Simulation) -> None:
    @replaces(Backend, "_validate_container_defs")
    def _validate_container_defs(_original: Original, *_arguments: Any) -> None:
        """Done below, before defaults are filled in."""

    @replaces(Response, "register_task_definition")
    def _register_task_definition(original: Original, handler: Any) -> Any:
        check_definition(handler._get_params())
        answer = original(handler)
        definition = answer._result["taskDefinition"]
        definition.tags = merged(definition.tags)
        definition.registered_at = simulation.world.clock.utc()
        definition.registered_by = f"arn:aws:iam::{simulation.world.account}:root"
        definition.enable_fault_injection = handler._get_param("enableFaultInjection") or False
        return ActionResult({"taskDefinition": definition, "tags": definition.tags})

    @replaces(Backend, "register_task_definition")
    def _register_task_definition_2(
        original: Original, backend: Any, family: str, containers: Any, **options: Any
    ) -> Any:
        mode = options.get("network_mode") or "bridge"
        options["volumes"] = [
            volume if len(volume) > 1 else {**volume, "host": {}} for volume in options.get("volumes") or []
        ]
        definition = original(backend, family, [filled(container, mode) for container in containers], **options)
        _number(backend, definition)
        definition.network_mode = mode
        needs_fargate = "FARGATE" in (definition.requires_compatibilities or [])
        definition.compatibilities = ["EC2", "FARGATE"] if needs_fargate else ["EXTERNAL", "EC2"]
        roles = (options.get("task_role_arn"), options.get("execution_role_arn"))
        definition.task_role_arn, definition.execution_role_arn = roles
        names = sorted(_required(definition.container_definitions, *roles))
        definition.requires_attributes = [{"name": name} for name in names]
        return definition


def _number(backend: Any, definition: Any) -> None:
    """A revision's number is never used again, even if the revision is deleted."""
    known = backend.task_definitions[definition.family]
    last: dict[str, int] = backend.__dict__.setdefault("lab_last_revisions", {})
    number = max(definition.revision, last.get(definition.family, 0) + 1)
    last[definition.family] = number
    if number != definition.revision:
        del known[definition.revision]
        definition.arn = f"{definition.arn.rpartition(':')[0]}:{number}"
        definition.revision = number
        known[number] = definition


def _list() -> None:
    @replaces(Response, "list_task_definitions")
    def _list_task_definitions(_original: Original, handler: Any) -> Any:
        family, status = handler._get_param("familyPrefix"), handler._get_param("status") or "ACTIVE"
        revisions = [
            definition
            for name, known in sorted(handler.ecs_backend.task_definitions.items())
            for definition in sorted(known.values(), key=lambda definition: int(definition.revision))
            if family in (None, name) and definition.status == status
        ]
        if handler._get_param("sort") == "DESC":
            revisions.reverse()
        return ActionResult({"taskDefinitionArns": [definition.arn for definition in revisions]})

    @replaces(Response, "list_task_definition_families")
    def _list_task_definition_families(_original: Original, handler: Any) -> Any:
        prefix, status = handler._get_param("familyPrefix") or "", handler._get_param("status") or "ALL"
        families = [
            name
            for name, known in sorted(handler.ecs_backend.task_definitions.items())
            if name.startswith(prefix) and _in_status(known.values(), status)
        ]
        return ActionResult({"families": families})


def _in_status(definitions: Any, status: str) -> bool:
    active = any(definition.status == "ACTIVE" for definition in definitions)
    return bool(definitions) if status == "ALL" else active if status == "ACTIVE" else bool(definitions) and not active


def filled(given: Mapping[str, Any], network_mode: str) -> dict[str, Any]:
    """A container definition with ECS's defaults."""
    container = {
        "cpu": 0,
        "essential": True,
        "environment": [],
        "mountPoints": [],
        "volumesFrom": [],
        "systemControls": [],
        **given,
        "portMappings": [_filled_port(mapping, network_mode) for mapping in given.get("portMappings") or ()],
    }
    if given.get("healthCheck"):
        container["healthCheck"] = {"interval": 30, "timeout": 5, "retries": 3, **given["healthCheck"]}
    if given.get("logConfiguration"):
        container["logConfiguration"] = {"options": {}, "secretOptions": [], **given["logConfiguration"]}
    return container


def _filled_port(given: Mapping[str, Any], network_mode: str) -> dict[str, Any]:
    mapping = {"protocol": "tcp", **given}
    if "containerPortRange" not in mapping:
        same = network_mode in ("host", "awsvpc")
        mapping["hostPort"] = mapping.get("hostPort") or (mapping["containerPort"] if same else 0)
    return mapping


def _required(containers: Sequence[Mapping[str, Any]], task_role: str | None, execution_role: str | None) -> set[str]:
    """The attributes which a container instance must have."""
    names = set()
    if task_role:
        names |= {"com.amazonaws.ecs.capability.task-iam-role", f"{_API}17"}
    for container in containers:
        names |= set(_required_by(container, execution_role))
    return names


def _required_by(container: Mapping[str, Any], execution_role: str | None) -> Iterator[str]:
    driver = (container.get("logConfiguration") or {}).get("logDriver")
    if driver:
        yield f"com.amazonaws.ecs.capability.logging-driver.{driver}"
        yield f"{_API}19"
    if driver == "awslogs" and execution_role:
        yield "ecs.capability.execution-role-awslogs"
    if container.get("memoryReservation"):
        yield f"{_API}21"
    if container.get("healthCheck"):
        yield "ecs.capability.container-health-check"
    if ".dkr.ecr." in container["image"]:
        yield "com.amazonaws.ecs.capability.ecr-auth"
    for secret in container.get("secrets") or ():
        store = "asm" if ":secretsmanager:" in secret["valueFrom"] else "ssm"
        yield f"ecs.capability.secrets.{store}.environment-variables"


def check_definition(given: Mapping[str, Any]) -> None:
    """Refuse what ECS refuses."""
    if not _NAME.fullmatch(given.get("family") or ""):
        raise fail("ClientException", "Family contains invalid characters.")
    containers = given.get("containerDefinitions") or []
    if not containers:
        raise fail("ClientException", "Container list cannot be empty.")
    for container in containers:
        _check_container(container, given)
    names = [container["name"] for container in containers]
    if len(set(names)) != len(names):
        raise fail("ClientException", "Container names must be unique within a task definition.")
    if not any(container.get("essential", True) for container in containers):
        raise fail("ClientException", "Invalid setting for container list: at least one container must be essential.")


def _check_container(container: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    name = container.get("name")
    for field in ("name", "image"):
        if not container.get(field):
            raise fail("ClientException", f"Container.{field} should not be null or empty.")
    if not _NAME.fullmatch(str(name)):
        raise fail("ClientException", "Container.name contains invalid characters.")
    if re.search(r"\s", container["image"]):
        raise fail("ClientException", "Container.image contains invalid characters.")
    _check_memory(container, given)
    for mapping in container.get("portMappings") or ():
        for field in ("containerPort", "hostPort"):
            if not 0 <= (mapping.get(field) or 0) <= 65535:
                raise fail("ClientException", f"Invalid '{field}' setting for container '{name}'.")
    log = container.get("logConfiguration") or {}
    _check_variables(container)
    if (container.get("secrets") or log.get("secretOptions")) and not given.get("executionRoleArn"):
        message = "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."
        raise fail("ClientException", message)
    if log.get("logDriver") == "awslogs" and not (log.get("options") or {}).get("awslogs-group"):
        message = "Log driver awslogs requires options: awslogs-group"
        raise fail("ClientException", message)


def _check_variables(container: Mapping[str, Any]) -> None:
    plain = {one["name"] for one in container.get("environment") or ()}
    for secret in container.get("secrets") or ():
        if secret["name"] in plain:
            message = "The secret name must be unique and not shared with any new or existing environment variables"
            raise fail("ClientException", f"{message} set on the container, such as '{secret['name']}'.")


def _check_memory(container: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    name, hard, soft = container["name"], container.get("memory"), container.get("memoryReservation")
    problem = None
    if not hard and not soft and not given.get("memory"):
        problem = "At least one of 'memory' or 'memoryReservation' must be specified."
    elif hard and hard < SMALLEST_MEMORY:
        problem = f"'memory' must be at least {SMALLEST_MEMORY}."
    elif soft and soft < SMALLEST_MEMORY:
        problem = f"'memoryReservation' must be at least {SMALLEST_MEMORY}."
    elif hard and soft and soft > hard:
        problem = "'memory' must be greater than or equal to 'memoryReservation'."
    if problem:
        raise fail("ClientException", f"Invalid setting for container '{name}'. {problem}")
