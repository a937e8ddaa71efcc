# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container needs before it can start: its image, its secrets, its log group. What is missing fails the task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from moto.ec2.models import ec2_backends
from moto.logs.models import logs_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.ssm.models import ssm_backends

from lab import containers
from lab.aws.ecs import access
from lab.aws.ecs.resources import Container, Task
from lab.world import World

NOT_STARTED = "TaskFailedToStart"
_BAD_STREAM = (
    "1 validation error detected: Value at 'logStreamName' failed to satisfy constraint: Member must satisfy regular "
    "expression pattern: [^:*]*"
)
_FETCHING = "ResourceInitializationError: Fetching secret data from"


@dataclass(frozen=True)
class Failure:
    """Why a task ends by itself, in ECS's words."""

    reason: str
    code: str
    container: Container | None = None


def program_of(container: Container) -> containers.Program:
    given = container.given
    return containers.Program(
        image=container.image,
        host_name=given.get("hostname") or container.host_name,
        command=(*given.get("entryPoint", ()), *given.get("command", ())),
        ports=tuple(mapping["containerPort"] for mapping in given["portMappings"]),
    )


class Launch:
    """The checks and the log streams of a task's start."""

    def __init__(self, world: World) -> None:
        self._world = world

    def prepare(self, task: Task) -> Failure | None:
        """The first thing that keeps the task from starting, or None."""
        for container in task.containers:
            failure = self._secrets(task, container) or self._image(container) or self._log_group(task, container)
            if failure is not None:
                return failure
        return None

    def open_log(self, task: Task, container: Container) -> None:
        options = _awslogs(container)
        if options is None:
            return
        prefix = options.get("awslogs-stream-prefix")
        name = f"{prefix}/{container.name}/{task.id}" if prefix else container.runtime_id or task.id
        backend = self._logs(options, task.region_name)
        group = options["awslogs-group"]
        if name not in backend.groups[group].streams:
            backend.create_log_stream(group, name)
        container.stream = (group, name)

    def write(self, container: Container, region: str, lines: Sequence[str]) -> None:
        """Add lines to the container's log, if it has one and it is still there."""
        options = _awslogs(container)
        if options is None or container.stream is None:
            return
        group, stream = container.stream
        backend = self._logs(options, region)
        if group in backend.groups and stream in backend.groups[group].streams:
            at = int(self._world.clock.utc().timestamp() * 1000)
            backend.put_log_events(group, stream, [{"timestamp": at, "message": line} for line in lines])

    def _image(self, container: Container) -> Failure | None:
        error = containers.pull_error(container.image)
        if error is None:
            return None
        sentence = f"CannotPullContainerError: {error}"
        return Failure(sentence, NOT_STARTED, container)

    def _log_group(self, task: Task, container: Container) -> Failure | None:
        options = _awslogs(container)
        if options is None:
            return None
        group, backend = options.get("awslogs-group", ""), self._logs(options, task.region_name)
        arn = f"arn:aws:logs:{backend.region_name}:{self._world.account}:log-group:{group}:log-stream:"
        if group not in backend.groups and options.get("awslogs-create-group") == "true":
            if not self._may(task, "logs:CreateLogGroup", arn):
                return _no_stream(container, _denied(self._role(task), "logs:CreateLogGroup", arn))
            backend.create_log_group(group, {})
        if not self._may(task, "logs:CreateLogStream", arn):
            return _no_stream(container, _denied(self._role(task), "logs:CreateLogStream", arn))
        if group not in backend.groups:
            return _no_stream(container, "ResourceNotFoundException: The specified log group does not exist.")
        if {*":*"} & {*options.get("awslogs-stream-prefix", "")}:
            return _no_stream(container, f"InvalidParameterException: {_BAD_STREAM}")
        return None

    def _secrets(self, task: Task, container: Container) -> Failure | None:
        log = container.given.get("logConfiguration") or {}
        for secret in (*container.given.get("secrets", ()), *log.get("secretOptions", ())):
            problem = self._secret(task, secret["valueFrom"])
            if problem is not None:
                return Failure(problem, NOT_STARTED, container)
        return None

    def _secret(self, task: Task, source: str) -> str | None:
        region = source.split(":")[3] if source.startswith("arn:") else task.region_name
        role = access.role_by_arn(self._world.account, task.definition.execution_role_arn, "ecs-tasks.amazonaws.com")
        if role is None:
            return (
                f"ECS was unable to assume the role '{task.definition.execution_role_arn}' that was provided for this "
                "task. Please verify that the role being passed has the proper trust relationship and permissions and "
                "that your IAM user has permissions to pass this role."
            )
        if ":secretsmanager:" in source:
            return self._from_secrets_manager(role, source, region)
        return self._from_parameter_store(role, source, region)

    def _from_secrets_manager(self, role: Any, source: str, region: str) -> str | None:
        start = f"{_FETCHING} AWS Secrets Manager in region {region}: secret {source}: "
        arn = ":".join(source.split(":")[:7])
        if not access.allows(role, "secretsmanager:GetSecretValue", arn):
            return start + _denied(role, "secretsmanager:GetSecretValue", arn)
        secrets = secretsmanager_backends[self._world.account][region].secrets.values()
        if not any(secret.arn in (arn, source) or arn == secret.arn.rpartition("-")[0] for secret in secrets):
            return start + "ResourceNotFoundException: Secrets Manager can't find the specified secret."
        return None

    def _from_parameter_store(self, role: Any, source: str, region: str) -> str | None:
        start = f"{_FETCHING} SSM Parameter Store in {region}: "
        name = source.partition(":parameter")[2] if source.startswith("arn:") else source
        parameters = ssm_backends[self._world.account][region]._parameters
        arn = f"arn:aws:ssm:{region}:{self._world.account}:parameter/{name.lstrip('/')}"
        if not access.allows(role, "ssm:GetParameters", arn):
            return start + _denied(role, "ssm:GetParameters", arn)
        if name not in parameters and name.lstrip("/") not in parameters:
            return f"{start}invalid parameters: {name}"
        return None

    def _role(self, task: Task) -> Any | None:
        """Whose rights the awslogs driver uses: the task's execution role, else the instance's."""
        if task.definition.execution_role_arn:
            return access.role_by_arn(
                self._world.account, task.definition.execution_role_arn, "ecs-tasks.amazonaws.com"
            )
        backend = ec2_backends[self._world.account][task.region_name]
        return access.role_of_instance(backend, backend.get_instance(task.host_instance.ec2_instance_id))

    def _may(self, task: Task, action: str, resource: str) -> bool:
        role = self._role(task)
        return role is not None and access.allows(role, action, resource)

    def _logs(self, options: dict[str, str], region: str) -> Any:
        return logs_backends[self._world.account][options.get("awslogs-region", region)]


def _awslogs(container: Container) -> dict[str, str] | None:
    given = container.given.get("logConfiguration") or {}
    return given.get("options") or {} if given.get("logDriver") == "awslogs" else None


def _no_stream(container: Container, why: str) -> Failure:
    sentence = (
        "CannotStartContainerError: Error response from daemon: failed to initialize logging driver: "
        f"failed to create Cloudwatch log stream: {why}"
    )
    return Failure(sentence, NOT_STARTED, container)


def _denied(role: Any | None, action: str, resource: str) -> str:
    who = f"User: {role.arn}" if role is not None else "The caller"
    return f"AccessDeniedException: {who} is not authorized to perform: {action} on resource: {resource}"
