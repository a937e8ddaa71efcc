# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command in a container: found, run, and its exit code brought back. PRIVATE."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from .._argspec import ArgumentSpec
from .._checks import LONGEST_WAIT, seconds
from .._clock import Deadline
from .._compare import Difference
from .._errors import ConflictError, InputError, SchedulersError, StateFailedError, telling
from .._module import Context, Outcome
from .._ownership import only_one
from .._parallel import gather
from .._plan import Plan, Step
from .._texts import words
from .api import Object
from .environments import Run
from .host_result import container_result
from .names import checked_name, number_of
from .stacks import find_stacks, stack_id_of
from .terminal import Command, read_all

EXECUTE = ArgumentSpec(
    {
        "command": {"type": "raw", "required": True},
        "container": {"type": "str"},
        "stack": {"type": "str"},
        "service": {"type": "str"},
        "index": {"type": "int", "default": 1},
        "changes": {"type": "bool", "default": True},
        "success_codes": {"type": "list", "elements": "int", "default": [0]},
        "ends_container": {"type": "bool", "default": False},
        "timeout": {"type": "int", "default": 60},
    },
    required_one_of=(("container", "service"),),
    mutually_exclusive=(("container", "service"),),
    required_together=(("stack", "service"),),
)

# without it Ansible takes any result for a failure whose rc is not 0, no rc at all among them
NO_FAILURE = {"failed": False}


@dataclass(frozen=True)
class Order:
    """What to run, and where."""

    words: Sequence[str]
    container: str | None
    stack: str | None
    service: str | None
    index: int
    timeout: float

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Order:
        """The order of the module's options.

        Raises:
            InputError: it cannot be.
        """
        if params["index"] < 1:
            raise InputError(f"index is {params['index']}, but containers are numbered from 1")
        timeout = seconds("timeout", params["timeout"], most=LONGEST_WAIT)
        if params["service"] is not None:
            checked_name("stack", params["stack"])
            checked_name("service", params["service"])
        command = words_of(params["command"])
        return cls(command, params["container"], params["stack"], params["service"], params["index"], timeout)

    @property
    def line(self) -> str:
        """The command in words."""
        return shlex.join(self.words)


def words_of(command: Any) -> list[str]:
    """A command as words: a list as it is, a line for the shell of the container. Pure.

    Raises:
        InputError: there is none.
    """
    if isinstance(command, str) and command.strip():
        return ["/bin/sh", "-c", command]
    if isinstance(command, (list, tuple)) and command:
        return words("command", command)
    raise InputError("command is neither a line nor a list of words")


def execute(context: Context) -> Outcome:
    """What the module does."""
    order = Order.from_params(context.params)
    run = Run.of(context)
    container = find_container(run, order)
    label = f"container {container.get('name') or container['id']}"
    command, output = Command.of(order.words), bytearray()

    def told() -> dict[str, Any]:
        stdout, code = command.result(bytes(output))
        lines = stdout.splitlines()
        return {"container": container_result(container), "rc": code, "stdout": stdout, "stdout_lines": lines}

    plan = Plan()
    if context.params["changes"]:
        change = Difference("command", None, order.line)
        plan = Plan((Step("update", "command", "container", str(container["name"]), differences=(change,)),))
        if context.check_mode:
            return Outcome({**told(), **NO_FAILURE}, plan)
    doing = f"run a command in {label}"
    with telling(told):
        if "execute" not in (container.get("actions") or {}):
            state = container.get("state")
            run.rancher.require_action(container, "execute", doing=doing)
            raise ConflictError(f"it is {state}, and commands run in running containers only", doing=doing)
        access = run.rancher.act(container, "execute", command.body(), doing=doing)
        deadline = Deadline(context.clock, order.timeout)
        with _while(doing):
            read_all(run.rancher.http.settings, access, deadline, output, command.end)
        _judge(context.params, told(), doing)
    return Outcome({**told(), **NO_FAILURE}, plan)


@contextmanager
def _while(doing: str) -> Iterator[None]:
    """What goes wrong says what was being done."""
    try:
        yield
    except SchedulersError as error:
        error.doing = doing
        raise


def _judge(params: Mapping[str, Any], result: Mapping[str, Any], doing: str) -> None:
    """Fail as the command did.

    Raises:
        StateFailedError: it did, or nobody knows.
    """
    code = result["rc"]
    if code is None and not params["ends_container"]:
        raise StateFailedError(
            "the connection was closed before the command was done",
            doing=doing,
            hint="Has the container no /bin/sh, or did the command end it? ends_container: true allows that.",
        )
    if code is not None and code not in params["success_codes"]:
        raise StateFailedError(
            f"it ended with code {code}",
            doing=doing,
            hint=str(result["stdout"])[-200:].strip(),
        )


def find_container(run: Run, order: Order) -> Object:
    """The container that is meant.

    Raises:
        InputError: there is none.
        ConflictError: there are several of the name.
    """
    if order.container is not None:
        listed = run.rancher.list(run.path("containers"), doing=f"look for container {order.container}")
        found = {one["id"]: one for one in _meant(listed, order.container)}
        identifier = only_one(found, f"container {order.container}", hint="Give the id of the one that is meant.")
        if identifier is None:
            raise InputError(f"container: {order.container!r} does not exist in environment {run.environment.name}")
        return found[identifier]
    return _of_service(run, order)


def _meant(containers: Sequence[Object], wanted: str) -> list[Object]:
    """The container of an id; else those of a name: an upgrade keeps the old one stopped beside the new one."""
    named = [one for one in containers if one.get("name") == wanted]
    identified = [one for one in containers if wanted in (one["id"], one.get("externalId"))]
    return identified or [one for one in named if one.get("state") == "running"] or named


def _of_service(run: Run, order: Order) -> Object:
    doing = f"look for the containers of service {order.service}"
    for stack in find_stacks(run, str(order.stack), doing=doing):
        services = run.rancher.list(run.path("services"), {"name": str(order.service)}, doing=doing)
        for service in services:
            if stack_id_of(service) == stack["id"]:
                return _numbered(run, service, order, doing)
        raise InputError(f"service: {order.service!r} does not exist in stack {order.stack}")
    raise InputError(f"stack: {order.stack!r} does not exist in environment {run.environment.name}")


def _numbered(run: Run, service: Object, order: Order, doing: str) -> Object:
    """One of the containers of a service."""
    reads = {
        "maps": partial(run.rancher.list, run.path("serviceexposemaps"), {"serviceId": service["id"]}, doing=doing),
        "containers": partial(run.rancher.list, run.path("containers"), doing=doing),
    }
    found = gather(reads)
    theirs = {one["instanceId"] for one in found["maps"]}
    running = numbered(service, [one for one in found["containers"] if one["id"] in theirs])
    if order.index > len(running):
        raise InputError(f"index: service {order.service} has {len(running)} running containers, not {order.index}")
    return running[order.index - 1]


def numbered(service: Object, containers: Sequence[Object]) -> list[Object]:
    """The running containers of a service, numbered by their names. Pure.

    An upgrade that starts the new containers first lets both of a name run for a while. Then the one is meant that is
    started from what the service is made from now.
    """
    launches = (service.get("launchConfig"), *(service.get("secondaryLaunchConfigs") or ()))
    versions = {str(one.get("version") or "0") for one in launches if one}  # an alias or an external service has none

    def rank(container: Object) -> tuple[bool, int]:
        return str(container.get("version") or "0") in versions, number_of(container["id"])

    running = [one for one in containers if one.get("state") == "running"]
    by_name = {str(one.get("name")): one for one in sorted(running, key=rank)}  # the last of a name is kept
    return [by_name[name] for name in sorted(by_name, key=lambda name: (len(name), name))]
