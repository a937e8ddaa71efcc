# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A look at everything that a stack's options speak of: a few calls, however many services there are. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from .._errors import InputError
from .._parallel import gather
from .api import Object
from .catalog import Template, find_template
from .dialect import DIALECTS
from .environments import Run
from .links import Target
from .ready import is_going
from .stack_content import Content, content_of
from .stack_options import StackOptions
from .stacks import find_stacks, stack_id_of


@dataclass(frozen=True)
class World:
    """An environment as it is.

    Attributes:
        stacks, services: all of the environment, but for what is being removed.
        maps: the links of all services; read only if links are spoken of.
        hosts: read only if ports of hosts are.
        v1: whether the server is Rancher 1.0 or 1.1.
        own: the stack that is asked for.
        foreseen: in check mode, another stack that is not there may be one that an earlier task would have made.
    """

    stacks: tuple[Object, ...] = ()
    services: tuple[Object, ...] = ()
    maps: tuple[Object, ...] = ()
    hosts: tuple[Object, ...] = ()
    template: Template | None = None
    v1: bool = False
    own: str = ""
    foreseen: bool = False

    def stack(self, name: str) -> Object | None:
        """The stack of a name."""
        return next((one for one in self.stacks if one.get("name") == name), None)

    def services_of(self, stack: Object | None) -> list[Object]:
        """The services of a stack."""
        return [one for one in self.services if stack and stack_id_of(one) == stack["id"]]

    def service(self, target: Target) -> Object | None:
        """The service that a user names."""
        theirs = self.services_of(self.stack(target.stack))
        return next((one for one in theirs if one["name"] == target.service), None)

    def has_service(self, text: str) -> bool:
        """Whether there is the service stack/service, or may be by then."""
        stack, _slash, service = text.partition("/")
        return self.has(Target(stack, service))

    def has(self, target: Target) -> bool:
        """The same of a target."""
        is_foreseen = self.foreseen and target.stack != self.own and self.stack(target.stack) is None
        return is_foreseen or self.service(target) is not None


def read_world(run: Run, options: StackOptions, *, foreseen: bool) -> World:
    """Everything that the options speak of.

    Args:
        foreseen: whether stacks may be missing that there will be; see ``World``.

    Raises:
        InputError: there is no such template, or version of it.
    """
    doing = f"read environment {run.environment.name}"
    services = options.services or ()
    reads: dict[str, Callable[[], Any]] = {
        "stacks": lambda: run.rancher.list(run.path(DIALECTS[run.rancher.version].stacks), doing=doing),
        "services": lambda: run.rancher.list(run.path("services"), doing=doing),
    }
    if any(one.links is not None or one.is_balancer for one in services):
        reads["maps"] = lambda: run.rancher.list(run.path("serviceconsumemaps"), doing=doing)
    if options.compose or options.template or any(one.spec.get("ports") or one.rules for one in services):
        reads["hosts"] = lambda: run.rancher.list(run.path("hosts"), doing=doing)
    if options.template:
        reads["template"] = partial(_template, run, options)
    found = gather(reads)
    return World(
        _staying(found["stacks"]),
        _staying(found["services"]),
        tuple(found.get("maps") or ()),
        tuple(found.get("hosts") or ()),
        found.get("template"),
        run.rancher.is_v1,
        options.name,
        foreseen,
    )


def _template(run: Run, options: StackOptions) -> Template:
    """The version to use depends on the one that is there: it may stay, whatever the catalog has for this server."""
    doing = f"look for stack {options.name}"
    live = next((one.get("externalId") for one in find_stacks(run, options.name, doing=doing)), None)
    environment = None if run.rancher.is_v1 else run.environment.id
    return find_template(run.rancher, options.template, options.template_version, live, environment)


def _staying(things: Sequence[Object]) -> tuple[Object, ...]:
    return tuple(one for one in things if not is_going(one))


def content_in(world: World, options: StackOptions) -> Content | None:
    """What the stack is to be made from, in this environment."""
    return content_of(options, world.template, world.stack(options.name), world.has_service)


def refuse_missing(world: World, options: StackOptions) -> None:
    """Refuse links and rules that lead nowhere.

    Raises:
        InputError: one does.
    """
    own = {one.name for one in options.services or ()}
    for service in options.services or ():
        for target in service.targets():
            inside = target.stack == options.name
            if (inside and target.service in own) or world.has(target):
                continue
            verb = "leads" if service.is_balancer else "links"
            raise InputError(
                f"services: {service.name} {verb} to {target.service if inside else target}, which does not exist",
                hint=_what_there_is(world, target, own if inside else ()),
            )


def _what_there_is(world: World, target: Target, own: Collection[str]) -> str:
    there = {str(one["name"]) for one in world.services_of(world.stack(target.stack))}
    if not there and not own:
        return f"There is no stack {target.stack} with services."
    return f"In stack {target.stack} there are: {', '.join(sorted({*there, *own}))}."
