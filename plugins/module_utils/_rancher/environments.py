# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments: what the API calls projects. Everything else is in one. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .._clock import Deadline
from .._errors import InputError
from .._module import Context
from .._ownership import Mark, only_one
from .._wait import Pace
from .api import Connection, Object, Rancher
from .events import Changes, Stream, WakingClock, WakingPace

DEFAULT = "Default"  # the one that every server has from the start


@dataclass(frozen=True)
class Environment:
    """An environment of a server.

    Attributes:
        id: the API's identifier ("1a5").
        raw: all that the API says of it.
    """

    id: str
    name: str
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def picked_ports(self) -> range:
        """The ports of hosts that Rancher picks from for a service that names none."""
        limits = self.raw.get("servicesPortRange") or {}
        return range(int(limits.get("startPort") or 49153), int(limits.get("endPort") or 65535) + 1)


@dataclass(frozen=True)
class Run:
    """One module run in one environment.

    Attributes:
        deadline: until when everything together may wait.
        pace: seconds between two looks.
    """

    rancher: Rancher
    environment: Environment
    deadline: Deadline
    pace: Pace = field(default_factory=Pace)

    @classmethod
    def of(cls, context: Context) -> Run:
        """The run that a module's options describe."""
        rancher = Rancher(Connection.from_params(context.params))
        return cls.in_environment(context, rancher, find_environment(rancher, context.params["environment"]))

    @classmethod
    def in_environment(cls, context: Context, rancher: Rancher, environment: Environment) -> Run:
        """The run in an environment that was found already; what does not wait, has no time to."""
        if "wait_timeout" not in context.params:
            return cls(rancher, environment, Deadline(context.clock, 0))
        path = rancher.path("subscribe", project=environment.id)
        changes = Changes(lambda: Stream.of(rancher.http.settings, path))
        deadline = replace(context.deadline(), clock=WakingClock(context.clock, changes))
        return cls(rancher, environment, deadline, WakingPace(cap=context.pace().cap, changes=changes))

    def path(self, *parts: str) -> str:
        """The path of a collection in this environment."""
        return self.rancher.path(*parts, project=self.environment.id)

    def mark(self, app: str = "") -> Mark:
        """Whose the things of this environment are. Environments can be renamed, and names used twice: so, its id."""
        return Mark(f"rancher/{self.environment.id}", app)


def list_environments(rancher: Rancher) -> list[Environment]:
    """All environments that the API key can see."""
    return [live_environment(one) for one in list_projects(rancher, doing="list the environments")]


def list_projects(rancher: Rancher, *, doing: str) -> list[Object]:
    """All of the server, to an administrator; to anybody else those that they are a member of.

    Without ``all`` an administrator, too, would get those only that they are a member of.
    """
    return rancher.list(rancher.path("projects"), {"all": "true"}, doing=doing)


def live_environment(raw: Object) -> Environment:
    """A project of the API."""
    return Environment(raw["id"], str(raw.get("name") or raw["id"]), raw)


def find_environment(rancher: Rancher, wanted: str | None) -> Environment:
    """The environment by its name or id; without either, the only one, or the one called Default.

    Raises:
        InputError: there is none, or it is not clear which one is meant.
    """
    return chosen(list_environments(rancher), wanted)


def chosen(environments: list[Environment], wanted: str | None) -> Environment:
    """The environment that is meant. Pure.

    Raises:
        InputError: there is none, or it is not clear which one.
    """
    seen = ", ".join(sorted(one.name for one in environments)) or "none"
    if not wanted and len(environments) == 1:
        return environments[0]
    name = wanted or DEFAULT
    meant = {one.id: one for one in environments if name in (one.name, one.id)}
    found = only_one(meant, f"environment {name}")
    if found:
        return meant[found]
    if not wanted:
        raise InputError(f"environment is not given, and the API key can see these: {seen}")
    raise InputError(
        f"environment: {wanted!r} does not exist, or this API key is not one for it; it can see: {seen}",
        hint="Give another environment, or the API key of an account that is a member of it.",
    )
