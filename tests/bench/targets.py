# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A limit that was promised, and whether a measurement keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Medians = Mapping[str, float]
Promise = tuple[str, str, str]
"""Job, phase, quantity (a field of Sample)."""
WHOLE = "all phases"
"""A phase for promises of all together."""


@dataclass(frozen=True)
class Estimate:
    """Of the peers at a job that would take them hours: so many times what they took at a smaller one."""

    times: float
    job: str


@dataclass(frozen=True)
class Target:
    """A limit for our side.

    Attributes:
        text: as the report says it.
        of_peers: our value is at most this many times the peers'.
        estimate: the peers' value is not measured, but estimated.
        above_floor: our value is at most this much more than the floor's.
        at_most: our value is at most this.
    """

    text: str
    of_peers: float | None = None
    estimate: Estimate | None = None
    above_floor: float | None = None
    at_most: float | None = None

    def is_reached(self, medians: Medians) -> bool:
        """Whether our median keeps the limit. Pure."""
        limits = [
            self.of_peers is None or medians["ours"] <= self.of_peers * medians["peers"],
            self.above_floor is None or medians["ours"] <= self.above_floor + medians["floor"],
            self.at_most is None or medians["ours"] <= self.at_most,
        ]
        return all(limits)


def times_peers(factor: float) -> Target:
    return Target(f"≤ {factor:g} of peers", of_peers=factor)


def times_peers_estimated(factor: float, times: float, job: str) -> Target:
    text = f"≤ {factor:g} of peers, estimated as {times:g} times {job}"
    return Target(text, of_peers=factor, estimate=Estimate(times, job))


def floor_plus(seconds: float) -> Target:
    return Target(f"≤ floor + {seconds:g} s", above_floor=seconds)


def at_most(count: float, unit: str = "") -> Target:
    return Target(f"≤ {count:g}{unit}", at_most=count)


NONE = Target("none", at_most=0)
