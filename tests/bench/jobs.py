# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is compared: each job's phases, and for each side the command that does it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from environment import CACHE, PROGRAMS

from bench import checks, peers
from bench.account import Account

HERE = Path(__file__).resolve().parent
SIDES = ("ours", "peers", "floor")
STACK = "bench"
ZONE = "bench.example"
SERVICES = 100
DROPLET_SECONDS = 30
DROPLET_KEY = HERE.parent / "faults" / "key.pub"

Command = Sequence[str]


@dataclass(frozen=True)
class Phase:
    """A step that every side does, one after the other in the same account.

    Attributes:
        name: as the report calls it.
        commands: what each side runs.
        check: what is wrong with the account afterwards.
    """

    name: str
    commands: Mapping[str, Command]
    check: Callable[[Account], str] = lambda _account: ""


@dataclass(frozen=True)
class Job:
    """Phases from an empty account on.

    Attributes:
        part: what --only selects it by.
        title: as the report calls it.
        phases: in order.
        settings: of the lab.
        prepare: what has to be there before, at nobody's expense.
        once: sides measured in the first round only, because they take minutes.
        single: the whole job in the first round only.
    """

    part: str
    title: str
    phases: Sequence[Phase]
    settings: Mapping[str, float] = field(default_factory=dict)
    prepare: Callable[[Account], None] = lambda _account: None
    once: frozenset[str] = frozenset()
    single: bool = False


def all_jobs() -> tuple[Job, ...]:
    """Everything that is measured, in the order of the report."""
    return (
        Job("ecs", "ECS cluster and app", _ecs_phases(waits=False)),
        Job(
            "ecs",
            "ECS cluster and app, instances take 5 s and tasks 1 s",
            _ecs_phases(waits=True),
            settings={"boot_seconds": 5, "task_seconds": 1},
            single=True,
        ),
        _dns_job(300, SIDES, once=frozenset({"peers"})),
        _dns_job(1000, ("ours", "floor")),
        Job("services", f"{SERVICES} services looked at", [_services_phase()], prepare=_make_services),
        _droplets_job(4, SIDES, once=frozenset({"peers"})),
        _droplets_job(100, ("ours", "floor"), single=True),
    )


def _ecs_phases(*, waits: bool) -> list[Phase]:
    stack = f"stack={STACK}"
    up = {
        "ours": _ours("ecs_up", stack),
        "peers": _peers("ecs_up", stack, f"stack_waits={waits}"),
        "floor": _floor("ecs", "up", STACK),
    }
    down = {
        "ours": _ours("ecs_down", stack),
        "peers": _peers("ecs_down", stack),
        "floor": _floor("ecs", "down", STACK),
    }
    return [
        Phase("first run", up, lambda account: checks.ecs_is_up(account, STACK)),
        Phase("second run", up, lambda account: checks.ecs_is_up(account, STACK)),
        Phase("teardown", down, checks.nothing_is_left),
    ]


def _dns_job(count: int, sides: Sequence[str], **options: Any) -> Job:
    """All sides read the same file: the zone's name, and its record sets as a user would list them."""
    records = [
        {"name": f"host-{number}", "type": "A", "ttl": 60, "values": [f"192.0.2.{number % 250 + 1}"]}
        for number in range(count)
    ]
    file = CACHE / "bench" / f"records-{count}.json"
    commands = {"ours": _ours("dns", f"@{file}"), "peers": _peers("dns", f"@{file}"), "floor": _floor("dns", str(file))}

    def prepare(account: Account) -> None:
        file.write_text(json.dumps({"zone": ZONE, "records": records}))
        account.client("route53").create_hosted_zone(Name=ZONE, CallerReference=ZONE)

    def check(account: Account) -> str:
        return checks.records_are_there(account, ZONE, records)

    phases = [Phase(name, {side: commands[side] for side in sides}, check) for name in ("first run", "second run")]
    return Job("dns", f"{count:,} records", phases, prepare=prepare, **options)


def _services_phase() -> Phase:
    stack, count = f"stack={STACK}", f"services={SERVICES}"
    return Phase(
        "look",
        {
            "ours": _ours("services", stack, count),
            "peers": _peers("services", stack, count),
            "floor": _floor("services", STACK),
        },
    )


def _make_services(account: Account) -> None:
    ecs = account.client("ecs")
    ecs.create_cluster(clusterName=STACK)
    ecs.register_task_definition(family=STACK, containerDefinitions=[{"name": "web", "image": "web", "memory": 32}])
    for number in range(SERVICES):
        ecs.create_service(cluster=STACK, serviceName=f"web-{number:03}", taskDefinition=STACK, desiredCount=0)


def _droplets_job(count: int, sides: Sequence[str], **options: Any) -> Job:
    """Today's module makes one after the other: what it takes for four says what it would take for a hundred."""
    variables = (f"droplets={count}", f"set={STACK}", f"key={DROPLET_KEY}")
    commands = {
        step: {
            "ours": _ours(f"droplets_{step}", *variables),
            "peers": _peers(f"droplets_{step}", *variables),
            "floor": _floor("droplets", step, STACK, str(count)),
        }
        for step in ("up", "down")
    }

    def up(account: Account) -> str:
        return checks.droplets_are_up(account, count)

    phases = [("first run", "up", up), ("second run", "up", up), ("teardown", "down", checks.no_droplet_is_left)]
    return Job(
        "droplets",
        f"{count} droplets that take {DROPLET_SECONDS} s to boot",
        [Phase(name, {side: commands[step][side] for side in sides}, check) for name, step, check in phases],
        settings={"droplet_boot_seconds": DROPLET_SECONDS, "droplet_limit": 200},
        **options,
    )


def _ours(name: str, *variables: str) -> Command:
    return _playbook(PROGRAMS, f"ours_{name}", variables)


def _peers(name: str, *variables: str) -> Command:
    return _playbook(peers.PROGRAMS, f"peers_{name}", variables)


def _playbook(programs: Path, name: str, variables: Sequence[str]) -> Command:
    inventory, playbook = (HERE / "playbooks" / f"{file}.yml" for file in ("inventory", name))
    extra = [word for variable in variables for word in ("-e", variable)]
    return [str(programs / "ansible-playbook"), "-i", str(inventory), *extra, str(playbook)]


def _floor(name: str, *arguments: str) -> Command:
    return [str(PROGRAMS / "python"), str(HERE / "floor" / f"{name}.py"), *arguments]
