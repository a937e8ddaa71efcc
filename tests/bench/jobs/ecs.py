# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon ECS: a cluster and an app on it; many services looked at."""

from __future__ import annotations

from collections.abc import Mapping

from bench import checks
from bench.account import Account
from bench.job import NAME, Job, Phase, by_peers, floor, ours
from bench.targets import NONE, Promise, Target, at_most, floor_plus, times_peers

_SERVICES = 100
_TITLE = "ECS cluster and app"


def _phases(*, waits: bool) -> list[Phase[Account]]:
    stack = f"stack={NAME}"
    up = {
        "ours": ours("ecs_up", stack),
        "peers": by_peers("ecs_up", stack, f"stack_waits={waits}"),
        "floor": floor("ecs", "up", NAME),
    }
    down = {
        "ours": ours("ecs_down", stack),
        "peers": by_peers("ecs_down", stack),
        "floor": floor("ecs", "down", NAME),
    }
    return [
        Phase("first run", up, lambda account: checks.ecs_is_up(account, NAME)),
        Phase("second run", up, lambda account: checks.ecs_is_up(account, NAME)),
        Phase("teardown", down, checks.nothing_is_left),
    ]


def _services_phase() -> Phase[Account]:
    stack, count = f"stack={NAME}", f"services={_SERVICES}"
    return Phase(
        "look",
        {
            "ours": ours("services", stack, count),
            "peers": by_peers("services", stack, count),
            "floor": floor("services", NAME),
        },
    )


def _make_services(account: Account) -> None:
    ecs = account.client("ecs")
    ecs.create_cluster(clusterName=NAME)
    ecs.register_task_definition(family=NAME, containerDefinitions=[{"name": "web", "image": "web", "memory": 32}])
    for number in range(_SERVICES):
        ecs.create_service(cluster=NAME, serviceName=f"web-{number:03}", taskDefinition=NAME, desiredCount=0)


JOBS = (
    Job("ecs", _TITLE, _phases(waits=False)),
    Job(
        "ecs",
        f"{_TITLE}, instances take 5 s and tasks 1 s",
        _phases(waits=True),
        settings={"boot_seconds": 5, "task_seconds": 1},
        single=True,
    ),
    Job("services", f"{_SERVICES} services looked at", [_services_phase()], prepare=_make_services),
)
TARGETS: Mapping[Promise, tuple[Target, ...]] = {
    (_TITLE, "first run", "wall"): (times_peers(0.17), floor_plus(3)),
    (_TITLE, "first run", "calls"): (at_most(50),),
    (_TITLE, "second run", "wall"): (times_peers(0.17), floor_plus(3)),
    (_TITLE, "second run", "calls"): (at_most(20),),
    (_TITLE, "second run", "writes"): (NONE,),
    (_TITLE, "teardown", "wall"): (times_peers(0.13), floor_plus(3)),
    (_TITLE, "teardown", "calls"): (at_most(35),),
    (f"{_SERVICES} services looked at", "look", "calls"): (at_most(15),),
}
