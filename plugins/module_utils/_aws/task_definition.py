# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Task definitions: what a container is run with, told apart from what ECS has filled in.

Both sides of the comparison are brought into one form, with ECS's defaults in the live one dropped or in the wanted one
filled in, so that a revision is registered only when something that matters differs, and the difference has a name:
``containers[web].environment.COLOUR``. What the user does not speak of is carried over from the revision before.
PRIVATE.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .._compare import differences
from .._errors import InputError, NotFoundError
from .._ownership import require_ours
from .._parallel import gather
from .._plan import Live, Rule, Spec, Step
from .._retry import create_once
from .api import ecs_tags, from_tags
from .app_options import AppOptions, Log, check_reservation, check_variables
from .run import Run

TASK_DEFINITION = "task-definition"  # key in a plan, and part in the mark
TASK_DEFINITION_RULE = Rule(renews=True)
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
DELETED_AT_ONCE = 10  # task definitions in one DeleteTaskDefinitions
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


def family_of(arn: str) -> str:
    """The family of a revision's ARN."""
    return arn.rpartition("/")[2].partition(":")[0]


def revision_of(arn: str) -> int:
    """The number of a revision's ARN."""
    return int(arn.rpartition(":")[2])


def describe(run: Run, name: str, doing: str) -> Live | None:
    """A revision by its ARN, or the latest active one of a family."""
    request = {"taskDefinition": name, "include": ["TAGS"]}
    try:
        answer = run.aws.call("ecs", "DescribeTaskDefinition", request, doing=doing)
    except NotFoundError:
        return None
    return _live(answer["taskDefinition"], from_tags(answer.get("tags")))


def read_task_definition(run: Run, family: str, *, adopt: bool) -> Live | None:
    """The latest active revision of the app's family.

    Raises:
        NotOursError: it is not ours to continue.
    """
    live = describe(run, family, f"look for task definition {family}")
    if live is None or live.attributes["raw"].get("status") != "ACTIVE":
        return None
    require_ours(run.mark, live.spec["tags"], f"task definition {family}", adopt=adopt)
    return live


def read_continued(run: Run, options: AppOptions, used: str | None) -> Live | None:
    """The revision that the options continue: the one that the service uses.

    The latest one may be another, whose deployment was rolled back or refused. It counts only where it is what the
    options make of the one in use: a run that was killed before it deployed it has registered it.

    Args:
        used: the ARN of the revision that the service uses; None: there is no service.

    Raises:
        InputError: the options do not fit to what is there.
        NotOursError: it is not ours to continue.
    """
    family = str(options.family)
    latest = read_task_definition(run, family, adopt=options.adopt)
    if used is None or family_of(used) != family or (latest and latest.id == used):
        return latest
    label = f"task definition {family}:{revision_of(used)}"
    in_use = describe(run, used, f"look at {label}")
    if in_use is None:
        return latest
    require_ours(run.mark, in_use.spec["tags"], label, adopt=options.adopt)
    spec = wanted_definition(options, in_use, run.aws.region, {})
    return latest if latest and _same(spec, latest) and not _same(spec, in_use) else in_use


def _live(definition: Mapping[str, Any], tags: Mapping[str, str]) -> Live:
    arn = definition["taskDefinitionArn"]
    attributes = {"arn": arn, "revision": definition["revision"], "raw": definition}
    return Live(TASK_DEFINITION, "task_definition", family_of(arn), arn, normalised(definition, tags), attributes)


class TaskDefinitions:
    """Revisions: made, tagged, and deleted by the family.

    ``RegisterTaskDefinition`` has neither a token nor a unique name: after a lost answer the latest revision is looked
    at before another is made, and of two runs at the same time the later one gives its revision up for the other's.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, step: Step, spec: Spec) -> Live:
        return self._registered(step, spec, None)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        if {one.field for one in step.differences} == {"tags"}:
            request = {"resourceArn": live.id, "tags": ecs_tags(spec["tags"])}
            self._run.aws.call("ecs", "TagResource", request, doing=step.sentence)
            return live
        return self._registered(step, spec, live)

    def delete(self, step: Step, live: Live) -> None:
        for arn in live.attributes["active"]:
            self._deregister(arn, step)
        self._delete([*live.attributes["active"], *live.attributes["inactive"]], step)

    def _registered(self, step: Step, spec: Spec, before: Live | None) -> Live:
        request = rendered(step.name, spec, before.attributes["raw"] if before else {})

        def create() -> Live:
            answer = self._run.aws.call("ecs", "RegisterTaskDefinition", request, doing=step.sentence)
            return _live(answer["taskDefinition"], spec["tags"])

        def find() -> Live | None:
            latest = describe(self._run, step.name, step.sentence)
            return latest if latest and _same(spec, latest) else None

        return self._without_twin(step, spec, before, create_once(create, find, self._run.aws.policy))

    def _without_twin(self, step: Step, spec: Spec, before: Live | None, made: Live) -> Live:
        """The revision just before, if another run has made it for the same purpose meanwhile; else the one made."""
        previous = made.attributes["revision"] - 1
        if previous == (before.attributes["revision"] if before else 0):
            return made
        twin = describe(self._run, f"{step.name}:{previous}", step.sentence)
        if twin is None or twin.attributes["raw"].get("status") != "ACTIVE" or not _same(spec, twin):
            return made
        self._deregister(made.id, step)
        self._delete([made.id], step)
        return twin

    def _deregister(self, arn: str, step: Step) -> None:
        self._run.aws.delete(
            "ecs",
            "DeregisterTaskDefinition",
            {"taskDefinition": arn},
            doing=step.sentence,
            deadline=self._run.deadline,
        )

    def _delete(self, arns: Sequence[str], step: Step) -> None:
        for start in range(0, len(arns), DELETED_AT_ONCE):
            request = {"taskDefinitions": arns[start : start + DELETED_AT_ONCE]}
            self._run.aws.call("ecs", "DeleteTaskDefinitions", request, doing=step.sentence)


def _same(spec: Spec, live: Live) -> bool:
    return not differences(spec, live.spec)


def find_revisions(run: Run, family: str, marked: Collection[str]) -> Live | None:
    """All our revisions of a family that are not being deleted already, as one thing to delete.

    Args:
        marked: the ARNs of those that the tagging API knows as ours; it may lag behind, so active ones that it does
            not know are asked themselves.
    """
    lists = gather(
        {status: lambda status=status: _arns(run, family, status) for status in ("ACTIVE", "INACTIVE")}  # type: ignore[misc]
    )
    unknown = [arn for arn in lists["ACTIVE"] if arn not in marked]
    ours = {*marked, *_ours(run, unknown)}
    active = [arn for arn in lists["ACTIVE"] if arn in ours]
    inactive = [arn for arn in lists["INACTIVE"] if arn in ours]
    return as_one(family, active, inactive) if active or inactive else None


def find_old_revisions(run: Run, family: str, keep: int, in_use: Collection[str]) -> Live | None:
    """Our active revisions of a family beyond the latest ``keep``, but for those that a service still uses."""
    active = sorted(_arns(run, family, "ACTIVE"), key=revision_of, reverse=True)
    old = _ours(run, [arn for arn in active[keep:] if arn not in in_use])
    return as_one(family, old, ()) if old else None


def as_one(family: str, active: Iterable[str], inactive: Iterable[str]) -> Live:
    """Revisions of a family as one thing to delete."""
    attributes = {"active": sorted(active, key=revision_of), "inactive": sorted(inactive, key=revision_of)}
    numbers = sorted(revision_of(arn) for arns in attributes.values() for arn in arns)
    name = f"{family}:{','.join(str(number) for number in numbers)}"
    return Live(f"{TASK_DEFINITION}/{name}", "task_definition", name, family, {}, attributes)


def _arns(run: Run, family: str, status: str) -> list[str]:
    request = {"familyPrefix": family, "status": status}
    doing = f"list the revisions of task definition {family}"
    arns = run.aws.pages("ecs", "ListTaskDefinitions", "taskDefinitionArns", request, doing=doing)
    return [arn for arn in arns if re.search(rf"/{re.escape(family)}:\d+$", arn)]


def _ours(run: Run, arns: Sequence[str]) -> list[str]:
    """Those of the revisions that carry our mark: asked one by one, as ECS has no other way."""
    doing = "look at the revisions of a task definition"
    found = gather({arn: lambda arn=arn: describe(run, arn, doing) for arn in arns})  # type: ignore[misc]
    return [arn for arn, live in found.items() if live and run.mark.owns(live.spec["tags"])]
