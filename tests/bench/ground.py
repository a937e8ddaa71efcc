# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a job is done: all sides do theirs on the same ground, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Ground(Protocol):
    """What the benchmark asks of it."""

    @property
    def exports(self) -> Mapping[str, str]:
        """The environment that points a program at it."""

    def reset(self, settings: Mapping[str, float]) -> None:
        """Nothing is left of the turn before."""

    def forget_calls(self) -> None:
        """Count from here on."""

    def calls(self) -> list[dict[str, Any]]:
        """The requests since then, without those of the lab's own programs and of this benchmark."""
