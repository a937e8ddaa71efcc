# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What everything that works on a set of droplets is given. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .._clock import Clock, Deadline
from .._module import Context
from .._ownership import Mark
from .._wait import Pace
from .api import Connection, DigitalOcean
from .droplet_options import DropletOptions
from .ledger import DIRECTORY, Ledger
from .marks import owner_tag


@dataclass(frozen=True)
class Run:
    """One module run.

    Attributes:
        mark: whose the droplets are; its tag is part of every call that makes one.
        ledger: what was made earlier, by this run or another one.
        settle_seconds: how long lists may be behind.
    """

    api: DigitalOcean
    mark: Mark
    ledger: Ledger
    clock: Clock
    deadline: Deadline
    pace: Pace
    settle_seconds: float
    warn: Callable[[str], None]

    @classmethod
    def of(cls, context: Context, options: DropletOptions) -> Run:
        """As the module's options say."""
        connection = Connection.from_params(context.params)
        owner = options.mark.owner
        return cls(
            api=DigitalOcean(connection, context.clock),
            mark=options.mark,
            ledger=Ledger(context.params["ledger"] or DIRECTORY, owner, connection.api_url),
            clock=context.clock,
            deadline=context.deadline(),
            pace=context.pace(),
            settle_seconds=options.settle_seconds,
            warn=context.warn,
        )

    @property
    def tag(self) -> str:
        """The tag that says whose a droplet is."""
        return owner_tag(self.mark.owner)
