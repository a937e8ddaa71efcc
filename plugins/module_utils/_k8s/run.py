# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one module run on a Kubernetes cluster is made of. PRIVATE."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .._clock import Deadline
from .._module import Context
from .._ownership import OWNER
from .api import Api

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER_LABEL = "container.schedulers"
LONGEST_LABEL = 63


@dataclass(frozen=True)
class Owner:
    """Whose an object is: labels, as a cluster's objects have no tags.

    Attributes:
        module: what made it ("apply", "app", "wordpress"), so that two modules may use one name.
        name: what the user calls it.
    """

    module: str
    name: str

    @property
    def value(self) -> str:
        """The value of the label."""
        value = f"{self.module}.{self.name}"
        if len(value) <= LONGEST_LABEL:
            return value
        digest = hashlib.sha256(value.encode()).hexdigest()[:10]
        return f"{value[: LONGEST_LABEL - 11]}-{digest}"

    @property
    def labels(self) -> dict[str, str]:
        """The labels to create an object with."""
        return {MANAGED_BY: MANAGER_LABEL, OWNER: self.value}

    @property
    def selector(self) -> str:
        """What finds all of its objects."""
        return f"{OWNER}={self.value}"

    def owns(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is its."""
        return labels.get(OWNER) == self.value


@dataclass(frozen=True)
class Run:
    """One module run.

    Attributes:
        api: the cluster.
        owner: whose the objects are.
        deadline: until when everything together may wait.
        check_mode: decide, but do not apply.
        warn: adds a warning to the result.
    """

    api: Api
    owner: Owner
    deadline: Deadline
    check_mode: bool = False
    warn: Callable[[str], None] = field(default=lambda _text: None)

    @classmethod
    def of(cls, context: Context, owner: Owner) -> Run:
        """The run that a module's options describe.

        Raises:
            InputError: the options do not lead to a cluster.
        """
        return cls(Api.from_params(context.params), owner, context.deadline(), context.check_mode, context.warn)

    @classmethod
    def looking(cls, context: Context) -> Run:
        """The run of a module that only looks.

        Raises:
            InputError: the options do not lead to a cluster.
        """
        return cls(Api.from_params(context.params), Owner("", ""), Deadline(context.clock, 0.0))
