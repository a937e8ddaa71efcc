# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rancher: hosts by its machine driver, an app on each of them behind a load balancer, an upgrade, and all away."""

from __future__ import annotations

from collections.abc import Mapping

from bench import checks
from bench.job import NAME, Job, Phase, by_peers, floor, ours
from bench.targets import NONE, Promise, Target, at_most, floor_plus, times_peers

_OLD, _NEW = "nginx:1.27", "nginx:1.28"
_TITLE = "Rancher: 3 hosts, an app on each, a load balancer"
_TIMES = {
    "droplet_boot_seconds": 30,
    "rancher_install_seconds": 20,
    "rancher_pull_seconds": 5,
    "rancher_process_seconds": 1,
}


def _phases(*names: str) -> list[Phase]:
    """Ours is one playbook with another image; by hand an upgrade is another playbook."""
    stack = f"stack={NAME}"
    make, change = [stack, f"image={_OLD}", "checked=false"], [stack, f"image={_NEW}", "checked=true"]

    phases = (
        Phase(
            "first run",
            {
                "ours": ours("rancher_up", *make),
                "peers": by_peers("rancher_up", *make),
                "floor": floor("rancher", "up", NAME, _OLD),
            },
            lambda account: checks.rancher_is_up(account, _OLD),
            checks.rancher_is_healthy,
        ),
        Phase(
            "upgrade",
            {
                "ours": ours("rancher_up", *change),
                "peers": by_peers("rancher_upgrade", *change),
                "floor": floor("rancher", "upgrade", NAME, _NEW),
            },
            lambda account: checks.rancher_is_up(account, _NEW),
        ),
        Phase(
            "second run",
            {
                "ours": ours("rancher_up", *change),
                "peers": by_peers("rancher_up", *change),
                "floor": floor("rancher", "up", NAME, _NEW),
            },
            lambda account: checks.rancher_is_up(account, _NEW),
        ),
        Phase(
            "teardown",
            {
                "ours": ours("rancher_down", stack),
                "peers": by_peers("rancher_down", stack),
                "floor": floor("rancher", "down", NAME, _NEW),
            },
            checks.nothing_is_left,
        ),
    )
    return [phase for phase in phases if phase.name in names]


JOBS = (
    Job("rancher", _TITLE, _phases("first run", "upgrade", "second run", "teardown")),
    Job("rancher", f"{_TITLE}, with time", _phases("first run", "upgrade", "teardown"), settings=_TIMES, single=True),
)
_QUICK, _TIMED = (job.title for job in JOBS)
TARGETS: Mapping[Promise, tuple[Target, ...]] = {
    **{(_QUICK, phase.name, "tasks"): (times_peers(0.3),) for phase in JOBS[0].phases},
    (_QUICK, "second run", "writes"): (NONE,),
    (_TIMED, "first run", "wall"): (floor_plus(10),),
    (_TIMED, "first run", "noticed"): (at_most(1, " s"),),
    (_TIMED, "upgrade", "wall"): (floor_plus(10),),
    (_TIMED, "teardown", "wall"): (floor_plus(10),),
}
