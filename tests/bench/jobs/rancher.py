# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rancher: hosts by its machine driver, an app on each of them behind a load balancer, an upgrade, and all away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench import checks
from bench.job import NAME, Job, Phase, by_peers, floor, ours
from bench.targets import NONE, WHOLE, Promise, Target, at_most, floor_plus, times_peers

_OLD, _NEW = "nginx:1.27", "nginx:1.28"
_TITLE = "Rancher: 3 hosts, an app on each, a load balancer"
_TIMES = {
    "droplet_boot_seconds": 30,
    "rancher_install_seconds": 20,
    "rancher_pull_seconds": 5,
    "rancher_process_seconds": 1,
}


def _up(name: str, image: str, *, checked: bool, step: str = "up", **options: Any) -> Phase[Any]:
    """Ours is one playbook with another image; by hand an upgrade is another playbook."""
    variables = (f"stack={NAME}", f"image={image}", f"checked={str(checked).lower()}")
    commands = {
        "ours": ours("rancher_up", *variables),
        "peers": by_peers(f"rancher_{step}", *variables),
        "floor": floor("rancher", step, NAME, image),
    }
    return Phase(name, commands, lambda account: checks.rancher_is_up(account, image), **options)


_FIRST = _up("first run", _OLD, checked=False, ready=checks.rancher_is_healthy)
_UPGRADE = _up("upgrade", _NEW, checked=True, step="upgrade")
_AGAIN = _up("second run", _NEW, checked=True)
_TEARDOWN = Phase(
    "teardown",
    {
        "ours": ours("rancher_down", f"stack={NAME}"),
        "peers": by_peers("rancher_down", f"stack={NAME}"),
        "floor": floor("rancher", "down", NAME, _NEW),
    },
    checks.nothing_is_left,
)

JOBS = (
    Job("rancher", _TITLE, [_FIRST, _UPGRADE, _AGAIN, _TEARDOWN]),
    Job("rancher", f"{_TITLE}, with time", [_FIRST, _UPGRADE, _TEARDOWN], settings=_TIMES, single=True),
)
_QUICK, _TIMED = (job.title for job in JOBS)
TARGETS: Mapping[Promise, tuple[Target, ...]] = {
    (_QUICK, WHOLE, "tasks"): (times_peers(0.3),),
    (_QUICK, "second run", "writes"): (NONE,),
    (_TIMED, "first run", "wall"): (floor_plus(10),),
    (_TIMED, "first run", "noticed"): (at_most(1, " s"),),
    (_TIMED, "upgrade", "wall"): (floor_plus(10),),
    (_TIMED, "teardown", "wall"): (floor_plus(10),),
}
