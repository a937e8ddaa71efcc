# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of an environment, and how it is found. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .._clock import Deadline
from .._module import Context
from .._ownership import Mark, only_one
from .._wait import Pace
from .api import Connection, Object, Rancher
from .environment_options import ORCHESTRATIONS, EnvironmentOptions
from .environments import list_projects
from .marks import tags_of, words_of
from .names import number_of
from .ready import is_going

ENVIRONMENT = "environment"  # key and kind in a plan, and part in the mark


@dataclass(frozen=True)
class EnvironmentCase:
    """What is asked for, and where.

    Attributes:
        deadline: until when everything together may wait.
        pace: seconds between two looks.
    """

    options: EnvironmentOptions
    rancher: Rancher
    deadline: Deadline
    pace: Pace

    @classmethod
    def of(cls, context: Context) -> EnvironmentCase:
        """As the module's options say."""
        options = EnvironmentOptions.from_params(context.params)
        rancher = Rancher(Connection.from_params(context.params))
        return cls(options, rancher, context.deadline(), context.pace())

    @property
    def mark(self) -> Mark:
        """Whose the environment is. By its name: its id is not known in the call that makes it."""
        return Mark(f"rancher/{self.options.name}")

    def find(self) -> Object | None:
        """The environment, as ``meant`` has it."""
        return self.meant(self.all_named())

    def meant(self, named: Iterable[Object]) -> Object | None:
        """The environment among all of its name, in whatever state it is, unless it is being removed.

        Raises:
            ConflictError: there are two.
        """
        meant = {one["id"]: one for one in named if not is_going(one)}
        identifier = only_one(meant, f"environment {self.options.name}")
        return meant[identifier] if identifier else None

    def going(self, named: Iterable[Object]) -> list[Object]:
        """Those of ours among all of the name that an earlier run has deleted, and that are not gone yet."""
        return [one for one in named if is_going(one) and self.owns(one)]

    def owns(self, environment: Object) -> bool:
        """Whether it has our mark."""
        return self.mark.owns(tags_of(environment.get("description")))

    def all_named(self) -> list[Object]:
        """All of the name, in the order in which they were made."""
        name = self.options.name
        found = list_projects(self.rancher, doing=f"look for environment {name}")
        return sorted((one for one in found if one.get("name") == name), key=lambda one: number_of(one["id"]))

    def templates(self) -> list[Object]:
        """The templates that environments can be made from."""
        path = self.rancher.path("projecttemplates")
        return self.rancher.list(path, doing=f"look for the template of environment {self.options.name}")

    def template_of(self, raw: Object) -> str | None:
        """The template that the environment was made from, by its id if it is gone; written as the option is."""
        wanted = self.options.template
        if wanted is None or "projectTemplateId" not in raw:
            return wanted  # it is not asked for, or not told
        identifier = raw["projectTemplateId"]
        name = next((str(one.get("name")) for one in self.templates() if one["id"] == identifier), identifier)
        return wanted if name and name.lower() == wanted.lower() else name

    def hosts(self, environment: str) -> list[Object]:
        """The hosts of the environment."""
        path = self.rancher.path("hosts", project=environment)
        return self.rancher.list(path, doing=f"list the hosts of environment {self.options.name}")


def orchestration_of(raw: Object, *, v1: bool) -> str:
    """What runs the containers of an environment. Pure."""
    if not v1:
        return str(raw.get("orchestration") or ORCHESTRATIONS[0])
    return next((one for one in ORCHESTRATIONS[1:] if raw.get(one)), ORCHESTRATIONS[0])


def result_of(raw: Object | None, *, v1: bool) -> dict[str, Any] | None:
    """What the module tells. Pure."""
    if raw is None:
        return None
    return {
        "id": raw["id"],
        "name": raw.get("name"),
        "state": raw.get("state"),
        "health": raw.get("healthState"),
        "description": words_of(raw.get("description")),
        "orchestration": orchestration_of(raw, v1=v1),
    }
