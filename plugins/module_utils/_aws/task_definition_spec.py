# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task definition says, told apart from what ECS has filled in. Pure.

Both sides of the comparison are brought into one form, with ECS's defaults in the live one dropped or in the wanted one
filled in, so that a revision is registered only when something that matters differs, and the difference has a name:
``containers[web].environment.COLOUR``. What the user does not speak of is carried over from the revision before.
PRIVATE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._errors import InputError
from .._plan import Live, Spec
from .api import ecs_tags
from .app_options import AppOptions, Log, check_reservation, check_variables

# what RegisterTaskDefinition takes of what DescribeTaskDefinition gives
REGISTERED_FIELDS = (
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "containerDefinitions",
    "volumes",
    "placementConstraints",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "pidMode",
    "ipcMode",
    "proxyConfiguration",
    "inferenceAccelerators",
    "runtimePlatform",
    "ephemeralStorage",
    "enableFaultInjection",
    "trustedExecutionConfiguration",
)


HEALTH_DEFAULTS = {"interval": 30, "timeout": 5, "retries": 3, "startPeriod": 0}
NO_CONTAINER: Mapping[str, Any] = {
    "name": "",
    "image": "",
    "cpu": 0,
    "memory": 0,
    "memory_reservation": 0,
    "ports": [],
    "environment": {},
    "secrets": {},
    "command": [],
    "entry_point": [],
    "user": "",
    "working_directory": "",
    "health_check": {},
    "log": {},
}


def normalised(definition: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    """A live task definition as a spec: empty stands for everything that is not set. Pure."""
    return {
        "network_mode": definition.get("networkMode") or "bridge",
        "task_role": definition.get("taskRoleArn") or "",
        "execution_role": definition.get("executionRoleArn") or "",
        "containers": [_container(one) for one in definition["containerDefinitions"]],
        "tags": dict(tags),
    }


def _container(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": one["name"],
        "image": one.get("image", ""),
        "cpu": one.get("cpu") or 0,
        "memory": one.get("memory") or 0,
        "memory_reservation": one.get("memoryReservation") or 0,
        "ports": sorted(map(_port, _single_ports(one)), key=lambda port: tuple(port.values())),
        "environment": {pair["name"]: pair.get("value", "") for pair in one.get("environment") or ()},
        "secrets": {pair["name"]: pair["valueFrom"] for pair in one.get("secrets") or ()},
        "command": list(one.get("command") or ()),
        "entry_point": list(one.get("entryPoint") or ()),
        "user": one.get("user") or "",
        "working_directory": one.get("workingDirectory") or "",
        "health_check": _health_check(one.get("healthCheck")),
        "log": _log(one.get("logConfiguration")),
    }


def _single_ports(container: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Its port mappings, without those of a whole range: they cannot be given, and are carried over."""
    return [one for one in container.get("portMappings") or () if "containerPort" in one]


def _port(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "container_port": mapping["containerPort"],
        "host_port": mapping.get("hostPort") or 0,
        "protocol": mapping.get("protocol") or "tcp",
    }


def _health_check(check: Mapping[str, Any] | None) -> dict[str, Any]:
    if not check:
        return {}
    filled = {**HEALTH_DEFAULTS, **{name: value for name, value in check.items() if value is not None}}
    names = {"command": "command", "startPeriod": "start_period"}
    return {names.get(name, name): value for name, value in filled.items()}


def _log(log: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"driver": log["logDriver"], "options": dict(log.get("options") or {})} if log else {}


def wanted_definition(options: AppOptions, live: Live | None, region: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """The spec that the options ask for, completed by the live revision. Pure.

    Raises:
        InputError: there is no live revision, and something is missing that a first one needs; or the live one has
            several containers and none of the given name.
    """
    before: Spec = live.spec if live else {"task_role": "", "execution_role": "", "network_mode": "bridge"}
    containers: list[Mapping[str, Any]] = [*before.get("containers", ())]
    inherited = own_container(containers, options)
    name = options.container.get("name") or inherited["name"] or options.name
    log = _awslogs(options.log, region) if options.log else inherited["log"]
    container = {**inherited, **options.container, "name": name, "log": log}
    together = [container if one is inherited else one for one in containers] or [container]
    spec = {**before, **options.roles, "containers": together, "tags": dict(tags)}
    _check_complete(container, spec)
    return spec


def own_container(containers: Sequence[Mapping[str, Any]], options: AppOptions) -> Mapping[str, Any]:
    """Which container of a task definition is the app's own: the only one, or the one of its name.

    Raises:
        InputError: there are several, and none of this name.
    """
    if len(containers) <= 1:
        return next(iter(containers), NO_CONTAINER)
    name = options.container.get("name", options.name)
    for one in containers:
        if one["name"] == name:
            return one
    names = ", ".join(one["name"] for one in containers)
    raise InputError(f"container_name: task definition {options.family} has containers {names}, and no {name}")


def _awslogs(log: Log, region: str) -> dict[str, Any]:
    return {
        "driver": "awslogs",
        "options": {
            "awslogs-group": log.group,
            "awslogs-region": region,
            "awslogs-stream-prefix": log.stream_prefix,
        },
    }


def _check_complete(container: Mapping[str, Any], spec: Spec) -> None:
    if not container["image"]:
        raise InputError("image: the app does not exist yet, and needs one")
    if not container["memory"] and not container["memory_reservation"]:
        raise InputError("memory: the app needs memory (the hard limit) or memory_reservation (the soft one), in MiB")
    check_reservation(container["memory"], container["memory_reservation"])
    check_variables(container["environment"], container["secrets"])
    if container["secrets"] and not spec["execution_role"]:
        raise InputError("secrets: execution_role is needed too, the role with which ECS reads the secrets")


def rendered(family: str, spec: Spec, base: Mapping[str, Any]) -> dict[str, Any]:
    """The request that registers a spec; what the spec does not speak of comes from ``base``, a live revision. Pure."""
    kept = {field: base[field] for field in REGISTERED_FIELDS if base.get(field)}
    containers = {one["name"]: one for one in base.get("containerDefinitions", ())}
    only: Mapping[str, Any] = next(iter(containers.values()), {}) if len(containers) == 1 else {}
    request = {
        **kept,
        "family": family,
        "networkMode": spec["network_mode"],
        "taskRoleArn": spec["task_role"],
        "executionRoleArn": spec["execution_role"],
        "requiresCompatibilities": kept.get("requiresCompatibilities") or ["EC2"],
        "containerDefinitions": [_rendered(one, containers.get(one["name"], only)) for one in spec["containers"]],
        "tags": ecs_tags(spec["tags"]),
    }
    return {field: value for field, value in request.items() if value}


def _rendered(container: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    health, log = container["health_check"], container["log"]
    request = {
        **base,
        "essential": base.get("essential", True),
        "name": container["name"],
        "image": container["image"],
        "cpu": container["cpu"],
        "memory": container["memory"],
        "memoryReservation": container["memory_reservation"],
        "portMappings": _rendered_ports(container["ports"], base),
        "environment": [{"name": name, "value": value} for name, value in sorted(container["environment"].items())],
        "secrets": [{"name": name, "valueFrom": value} for name, value in sorted(container["secrets"].items())],
        "command": container["command"],
        "entryPoint": container["entry_point"],
        "user": container["user"],
        "workingDirectory": container["working_directory"],
        "healthCheck": {{"start_period": "startPeriod"}.get(name, name): value for name, value in health.items()},
        "logConfiguration": _rendered_log(log, base.get("logConfiguration")),
    }
    # a CPU of 0 means "no share reserved", and essential may be False: only what is empty is left out
    return {field: value for field, value in request.items() if value or field in ("cpu", "essential")}


def _rendered_log(log: Mapping[str, Any], base: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Where the log goes; the one of the revision before in full, unless it changes: it may have options of secrets."""
    if log == _log(base):
        return base
    return {"logDriver": log["driver"], "options": log["options"]} if log else None


def _rendered_ports(ports: Sequence[Mapping[str, Any]], base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The ports, with what else is said of them in the revision before: Service Connect knows them by a name."""
    known = {(one["containerPort"], one.get("protocol") or "tcp"): one for one in _single_ports(base)}
    ranges = [dict(one) for one in base.get("portMappings") or () if "containerPort" not in one]
    named = {"containerPort": "container_port", "hostPort": "host_port", "protocol": "protocol"}
    return [
        {
            **known.get((port["container_port"], port["protocol"]), {}),
            **{theirs: port[ours] for theirs, ours in named.items()},
        }
        for port in ports
    ] + ranges
