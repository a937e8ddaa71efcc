# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user may say about an app: the options as values, and every reason to refuse one before anything is read.

ECS itself refuses most of this too, but half-way through: when the load balancer is made already, or, as with a port
used twice, only by tasks that never start. Pure. PRIVATE.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._checks import HIGHEST_PORT, at_least, between
from .._errors import InputError
from .._texts import refuse_no_variables, texts, words
from .balancer_options import Balancer, given_balancer
from .limits import LARGEST_INTEGER
from .names import APP_NAME_LIMIT, CLUSTER_NAME_LIMIT, LONG_LIMIT, checked_name, derived_name

Params = Mapping[str, Any]

# Docker 20.10 and later reserve 6 MiB for a container (ECS API reference, ContainerDefinition.memory)
MINIMUM_MEMORY = 6
# what the ECS agent keeps for itself on every instance (ECS API reference, PortMapping.hostPort)
RESERVED_HOST_PORTS = frozenset({22, 2375, 2376, 51678, 51679, 51680})
# what ECS takes for a name of an image, and after it for a digest (ECS API reference, ContainerDefinition.image)
IMAGE = re.compile(r"[A-Za-z0-9_.:/#-]{1,255}(@sha256:[A-Fa-f0-9]{64})?")
# what an expression of the cluster query language is about, as https://docs.aws.amazon.com/AmazonECS/latest/
# developerguide/cluster-query-language.html lists it
SUBJECT = re.compile(
    r"\b(agentConnected|agentVersion|attribute:\S|ec2InstanceId|registeredAt|runningTasksCount|task:group)"
)
ROLES = ("task_role", "execution_role")
LOG_GROUP_NAME = re.compile(r"[A-Za-z0-9_/.#-]{1,512}")
SECRET = re.compile(r"arn:[\w-]+:(ssm:[\w-]+:\d+:parameter/.+|secretsmanager:[\w-]+:\d+:secret:.+)")


@dataclass(frozen=True)
class Log:
    """Where the container's output goes: a log group of CloudWatch that belongs to the app."""

    group: str
    retention_days: int
    stream_prefix: str


@dataclass(frozen=True)
class Scaling:
    """Target tracking on the service's CPU."""

    min: int
    max: int
    cpu_percent: int


@dataclass(frozen=True)
class AppOptions:
    """An app as the user describes it; None is what the user does not speak of.

    Attributes:
        family: of the task definition; None: the one that the service has, or one named after cluster and app.
        container: the given fields of the container, named and normalised as ``task_definition`` has them.
        roles: the given ones of ``task_role`` and ``execution_role``, empty to have none.
        service: the given fields of the service, named as ``service`` has them.
    """

    name: str
    cluster: str
    family: str | None
    container: Mapping[str, Any]
    roles: Mapping[str, str]
    service: Mapping[str, Any]
    log: Log | None
    balancer: Balancer | None
    scaling: Scaling | None
    keep_revisions: int
    adopt: bool

    @property
    def shares_balancer(self) -> bool:
        """Whether it is to be behind a load balancer that other apps may be behind, too."""
        return self.balancer is not None and self.balancer.shared

    @classmethod
    def from_params(cls, params: Params) -> AppOptions:
        """The options of the module, checked.

        Raises:
            InputError: one of them cannot work.
        """
        name = checked_name("name", params["name"], APP_NAME_LIMIT)
        cluster = checked_name("cluster", params["cluster"], CLUSTER_NAME_LIMIT)
        at_least("keep_revisions", params["keep_revisions"], 1)
        container, balancer = _container(params), given_balancer(params)
        if "health_check" in container and balancer and balancer.classic:
            raise InputError(
                "health_check: ECS has none for the containers of a service behind a classic load balancer",
                hint="The load balancer looks at health_check_path.",
            )
        return cls(
            name=name,
            cluster=cluster,
            family=checked_name("family", params["family"], LONG_LIMIT) if params["family"] else None,
            container=container,
            roles={role: _role(role, params[role]) for role in ROLES if params[role] is not None},
            service=_service(params),
            log=_log(params),
            balancer=balancer,
            scaling=_scaling(params),
            keep_revisions=params["keep_revisions"],
            adopt=params["adopt"],
        )

    def with_family(self, live: str | None) -> AppOptions:
        """The options with the family that counts, given the one that the service has.

        The name of the cluster is part of the default: families are one list for all clusters of a region.
        """
        default = derived_name(self.cluster, self.name, limit=LONG_LIMIT)
        return replace(self, family=self.family or live or default)


def _container(params: Params) -> dict[str, Any]:
    """The fields of the container that are given."""
    name = params["container_name"]
    given = {
        "name": name and checked_name("container_name", name, LONG_LIMIT),
        "ports": None if params["ports"] is None else _ports(params["ports"]),
        "health_check": params["health_check"] and _container_health(params["health_check"]),
        "environment": None if params["environment"] is None else texts("environment", params["environment"]),
        "secrets": None if params["secrets"] is None else _secrets(params["secrets"]),
        **{
            field: None if params[field] is None else words(field, params[field])
            for field in ("command", "entry_point")
        },
        **{field: params[field] for field in ("image", "memory", "memory_reservation", "cpu", "user")},
        "working_directory": params["working_directory"],
    }
    if given["image"] is not None and not IMAGE.fullmatch(given["image"]):
        raise InputError(f"image: {given['image']!r} is no image; nginx:1.29 is one, for example")
    for option in ("environment", "secrets"):
        refuse_no_variables(option, given[option] or {})
    check_variables(given["environment"] or {}, given["secrets"] or {})
    _check_memory(given["memory"], given["memory_reservation"])
    if given["cpu"] is not None:
        between("cpu", given["cpu"], 0, LARGEST_INTEGER)
    return {field: value for field, value in given.items() if value is not None}


def _secrets(given: Params) -> dict[str, str]:
    """ECS would take the plain name of a parameter, too; but what is one, and what the secret itself, nobody can tell.

    So that the secret is not shown, the sentence does not repeat what was given.
    """
    for name, value in given.items():
        if not (isinstance(value, str) and SECRET.fullmatch(value)):
            raise InputError(
                f"secrets: {name} is not the ARN of an SSM parameter (arn:aws:ssm:<region>:<account>:parameter/<name>) "
                f"or of a Secrets Manager secret (arn:aws:secretsmanager:<region>:<account>:secret:<name>)",
                hint="The secret itself does not belong here: everyone who may read the task definition can see it.",
            )
    return dict(given)


def check_variables(environment: Collection[str], secrets: Collection[str]) -> None:
    """Refuse names that mean two things; called with the live ones where none are given.

    Raises:
        InputError: a variable is both plain and a secret.
    """
    both = sorted({*environment} & {*secrets})
    if both:
        raise InputError(
            f"secrets: {', '.join(both)} would be in environment too, and ECS takes a name in one of them only",
            hint="Give environment without it.",
        )


def _check_memory(memory: int | None, reservation: int | None) -> None:
    # no reservation is a reservation of 0
    for option, value in (("memory", memory), ("memory_reservation", reservation or None)):
        if value is not None and value < MINIMUM_MEMORY:
            raise InputError(f"{option}: {value} MiB is too little for a container, which has {MINIMUM_MEMORY} or more")
        if value is not None:
            between(option, value, 0, LARGEST_INTEGER)
    if memory is not None and reservation is not None:
        check_reservation(memory, reservation)


def check_reservation(memory: int, reservation: int) -> None:
    """Refuse limits that contradict each other; called with the live ones where none are given.

    Raises:
        InputError: the soft limit is above the hard one.
    """
    if memory and reservation > memory:
        raise InputError(
            f"memory_reservation: {reservation} MiB is more than memory, {memory} MiB; the soft limit is the lower one"
        )


def _ports(ports: Sequence[Params]) -> list[dict[str, Any]]:
    seen: dict[tuple[int, str], int] = {}
    for port in ports:
        between("ports: container_port", port["container_port"], 1, HIGHEST_PORT)
        host, protocol = between("ports: host_port", port["host_port"], 0, HIGHEST_PORT), port["protocol"]
        if host in RESERVED_HOST_PORTS:
            raise InputError(f"ports: host_port {host} is in use on every instance: by SSH, Docker or the ECS agent")
        if host and (host, protocol) in seen:
            raise InputError(
                f"ports: host_port {host} is used twice, by container ports {seen[host, protocol]} and "
                f"{port['container_port']}",
                hint="Give each its own, or 0 to have a free one picked.",
            )
        seen[host, protocol] = port["container_port"]
    fields = ("container_port", "host_port", "protocol")
    return sorted(({field: port[field] for field in fields} for port in ports), key=lambda port: tuple(port.values()))


def _container_health(given: Params) -> dict[str, Any]:
    command = words("health_check: command", given["command"])
    if command[:1] not in (["CMD"], ["CMD-SHELL"], ["NONE"]):
        raise InputError("health_check: command must begin with CMD, CMD-SHELL or NONE, as Docker's does")
    if command[0] == "CMD-SHELL" and len(command) != 2:
        raise InputError(
            "health_check: command has CMD-SHELL and not one line after it",
            hint="Give the line as one element, [CMD-SHELL, curl -f http://localhost/ || exit 1] for example.",
        )
    between("health_check: interval", given["interval"], 5, 300)
    between("health_check: timeout", given["timeout"], 2, 60)
    between("health_check: retries", given["retries"], 1, 10)
    between("health_check: start_period", given["start_period"], 0, 300)
    return {**given, "command": command}


def _role(option: str, arn: str) -> str:
    if arn and not re.fullmatch(r"arn:[\w-]+:iam::\d+:role/.+", arn):
        raise InputError(f"{option}: {arn!r} is not the ARN of an IAM role (arn:aws:iam::<account>:role/<name>)")
    return arn


def _service(params: Params) -> dict[str, Any]:
    """The fields of the service that are given."""
    lowest, highest = params["minimum_healthy_percent"], params["maximum_percent"]
    constraints, strategy = params["placement_constraints"], params["placement_strategy"]
    providers = params["capacity_provider_strategy"]
    if lowest is not None:
        between("minimum_healthy_percent", lowest, 0, 100)
    if highest is not None:
        between("maximum_percent", highest, 100, 1000)
    if lowest is not None and highest is not None:
        check_percents(lowest, highest)
    if params["desired_count"] is not None:
        at_least("desired_count", params["desired_count"], 0)
    for one in providers or ():
        between("capacity_provider_strategy: weight", one["weight"], 0, 1000)
        between("capacity_provider_strategy: base", one["base"], 0, 100_000)
    given = {
        "desired_count": params["desired_count"],
        "minimum_healthy_percent": lowest,
        "maximum_percent": highest,
        "circuit_breaker": params["circuit_breaker"],
        "placement_constraints": None if constraints is None else in_one_order(map(_constraint, constraints)),
        "placement_strategy": None if strategy is None else [_strategy(one) for one in strategy],
        "capacity_provider_strategy": None if providers is None else in_one_order(providers),
    }
    return {field: value for field, value in given.items() if value is not None}


def _constraint(given: Params) -> dict[str, str]:
    if given["type"] == "memberOf" and not given["expression"]:
        raise InputError("placement_constraints: type memberOf needs an expression")
    if given["type"] != "memberOf" and given["expression"]:
        raise InputError(f"placement_constraints: type {given['type']} has no expression")
    if given["expression"] and not _may_be_a_query(given["expression"]):
        raise InputError(
            f"placement_constraints: {given['expression']!r} is no expression of the cluster query language",
            hint="attribute:ecs.instance-type == t3.small is one, for example.",
        )
    return {"type": given["type"], "expression": given["expression"] or ""}


def _may_be_a_query(text: str) -> bool:
    """Whether ECS may take it. What only ECS can tell, it says after the load balancer is made."""
    closed = all(text.count(left) == text.count(right) for left, right in ("()", "[]"))
    return closed and SUBJECT.search(text) is not None


def _strategy(given: Params) -> dict[str, str]:
    field = given["field"] or ""
    if given["type"] == "binpack" and field.lower() not in ("cpu", "memory"):
        raise InputError(f"placement_strategy: type binpack has field cpu or memory, not {field!r}")
    if given["type"] == "random" and field:
        raise InputError("placement_strategy: type random has no field")
    if given["type"] == "spread" and not field:
        raise InputError("placement_strategy: type spread needs a field, for example attribute:ecs.availability-zone")
    return placement_strategy(given["type"], field)


def in_one_order(entries: Iterable[Params]) -> list[Params]:
    """Placement constraints or capacity providers: which of them comes first means nothing."""
    return sorted(
        entries, key=lambda one: [one.get(field, "") for field in ("capacity_provider", "type", "expression")]
    )


def placement_strategy(kind: str, field: str) -> dict[str, str]:
    """A placement strategy in one spelling: ECS takes CPU for cpu, and host for instanceId."""
    known = {"cpu": "cpu", "memory": "memory", "host": "instanceId", "instanceid": "instanceId"}
    return {"type": kind, "field": known.get(field.lower(), field)}


def _log(params: Params) -> Log | None:
    given = params["log"]
    if given is None:
        return None
    group = given["group"] or default_log_group(params["cluster"], params["name"])
    if not LOG_GROUP_NAME.fullmatch(group):
        raise InputError(f"log: group {group!r} may have 512 letters, digits and _ / . # - only")
    prefix = given["stream_prefix"] or params["name"]
    if re.search("[:*]", prefix):
        raise InputError(f"log: stream_prefix {prefix!r} has a colon or an asterisk, which a log stream cannot have")
    return Log(group, given["retention_days"], prefix)


def default_log_group(cluster: str, name: str) -> str:
    """The log group of an app that has named none; without an app's name, how those of a cluster begin."""
    return f"/ecs/{cluster}/{name}"


def _scaling(params: Params) -> Scaling | None:
    given = params["scaling"]
    if given is None:
        return None
    at_least("scaling: min", given["min"], 0)
    if given["min"] > given["max"]:
        raise InputError(f"scaling: min {given['min']} is more than max {given['max']}")
    between("scaling: cpu_percent", given["cpu_percent"], 1, 100)
    return Scaling(given["min"], given["max"], given["cpu_percent"])


def check_percents(lowest: int, highest: int) -> None:
    """Refuse percents that contradict each other; called with the live ones where none are given.

    Raises:
        InputError: the minimum is above the maximum, or both leave no room for any deployment.
    """
    if lowest > highest:
        raise InputError(f"minimum_healthy_percent: {lowest} is more than maximum_percent, {highest}")
    if lowest == highest == 100:
        raise InputError("minimum_healthy_percent and maximum_percent are both 100, which would block every deployment")
