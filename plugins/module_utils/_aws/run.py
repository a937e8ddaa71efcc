# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every handler of AWS resources is given: the region, whose the resources are, and how long to wait. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .._clock import Deadline
from .._ownership import Mark
from .._wait import Pace
from .api import Aws


@dataclass(frozen=True)
class Run:
    """One module run.

    Attributes:
        aws: the region to work in.
        mark: whose the resources are; part of every call that creates one.
        deadline: until when everything together may wait.
        pace: seconds between two looks.
        tags: the user's own tags for every resource.
        warn: adds a warning to the result.
    """

    aws: Aws
    mark: Mark
    deadline: Deadline
    pace: Pace = field(default_factory=Pace)
    tags: Mapping[str, str] = field(default_factory=dict)
    warn: Callable[[str], None] = field(default=lambda _text: None)

    def tags_for(self, part: str, name: str = "") -> dict[str, str]:
        """All tags of a new resource: the user's, its name for the console, and the mark, which always wins."""
        named = {"Name": name} if name else {}
        return {**named, **self.tags, **self.mark.tags(part)}
