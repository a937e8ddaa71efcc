# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DigitalOcean: droplets that take their time to boot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench import checks
from bench.account import Account
from bench.job import HERE, NAME, SIDES, Job, Phase, by_peers, floor, ours
from bench.targets import NONE, Promise, Target, at_most, floor_plus, times_peers, times_peers_estimated

_BOOT_SECONDS = 30
_KEY = HERE.parent / "faults" / "key.pub"


def _job(count: int, sides: Sequence[str], **options: Any) -> Job[Account]:
    """Today's module makes one after the other: what it takes for four says what it would take for a hundred."""
    variables = (f"droplets={count}", f"set={NAME}", f"key={_KEY}")
    commands = {
        step: {
            "ours": ours(f"droplets_{step}", *variables),
            "peers": by_peers(f"droplets_{step}", *variables),
            "floor": floor("droplets", step, NAME, str(count)),
        }
        for step in ("up", "down")
    }

    def up(account: Account) -> str:
        return checks.droplets_are_up(account, count)

    phases = [("first run", "up", up), ("second run", "up", up), ("teardown", "down", checks.no_droplet_is_left)]
    return Job(
        "droplets",
        f"{count} droplets that take {_BOOT_SECONDS} s to boot",
        [Phase(name, {side: commands[step][side] for side in sides}, check) for name, step, check in phases],
        settings={"droplet_boot_seconds": _BOOT_SECONDS, "droplet_limit": 200},
        **options,
    )


JOBS = (_job(4, SIDES, once=frozenset({"peers"})), _job(100, ("ours", "floor"), single=True))
_FOUR, _HUNDRED = (job.title for job in JOBS)
TARGETS: Mapping[Promise, tuple[Target, ...]] = {
    (_FOUR, "first run", "wall"): (times_peers(0.25),),
    (_FOUR, "second run", "writes"): (NONE,),
    (_HUNDRED, "first run", "calls"): (at_most(30),),
    (_HUNDRED, "first run", "wall"): (floor_plus(10), times_peers_estimated(0.25, 100 / 4, _FOUR)),
    (_HUNDRED, "second run", "writes"): (NONE,),
}
