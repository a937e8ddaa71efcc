# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was promised, as data, and whether a measurement keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Medians = Mapping[str, float]


@dataclass(frozen=True)
class Target:
    """A limit for our side.

    Attributes:
        text: as the report says it.
        of_peers: our value is at most this many times the peers'.
        above_floor: our value is at most this much more than the floor's.
        at_most: our value is at most this.
    """

    text: str
    of_peers: float | None = None
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


def floor_plus(seconds: float) -> Target:
    return Target(f"≤ floor + {seconds:g} s", above_floor=seconds)


def at_most(count: int) -> Target:
    return Target(f"≤ {count}", at_most=count)


NONE = Target("none", at_most=0)

_FOUR, _HUNDRED = (f"{count} droplets that take 30 s to boot" for count in (4, 100))
_ECS = "ECS cluster and app"
# job, phase, quantity (a field of Sample) -> limits
TARGETS: Mapping[tuple[str, str, str], tuple[Target, ...]] = {
    (_ECS, "first run", "wall"): (times_peers(0.17), floor_plus(3)),
    (_ECS, "first run", "calls"): (at_most(50),),
    (_ECS, "second run", "wall"): (times_peers(0.17), floor_plus(3)),
    (_ECS, "second run", "calls"): (at_most(20),),
    (_ECS, "second run", "writes"): (NONE,),
    (_ECS, "teardown", "wall"): (times_peers(0.13), floor_plus(3)),
    (_ECS, "teardown", "calls"): (at_most(35),),
    ("300 records", "first run", "wall"): (times_peers(0.02),),
    ("300 records", "first run", "calls"): (at_most(8),),
    ("300 records", "second run", "wall"): (times_peers(0.02),),
    ("300 records", "second run", "calls"): (at_most(8),),
    ("300 records", "second run", "writes"): (NONE,),
    ("1,000 records", "first run", "writes"): (Target("as few batches as the floor", above_floor=0),),
    ("100 services looked at", "look", "calls"): (at_most(15),),
    (_FOUR, "first run", "wall"): (times_peers(0.25),),
    (_FOUR, "second run", "writes"): (NONE,),
    (_HUNDRED, "first run", "calls"): (at_most(30),),
    (_HUNDRED, "first run", "wall"): (floor_plus(10),),
    (_HUNDRED, "second run", "writes"): (NONE,),
}
