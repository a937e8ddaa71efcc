# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is disturbed, as data: each flow is one task under test with what comes before and after it.

To add one, add an entry to FLOWS; everything else is derived from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults.programs import Task

_MODULES = "ansible_collections.container.schedulers.plugins.modules"


@dataclass(frozen=True)
class Flow:
    """One task under test.

    Attributes:
        act: the task, which is disturbed.
        base: tasks whose work is shared by the cases of a batch.
        before: tasks that come before each case.
        undo: tasks after which only the base is there.
        raze: tasks after which not even that is; empty: the lab is reset.
        settings: the lab's own, where the flow needs other than its fastest ones.
        injections: which ones make sense here; empty: all.
    """

    act: Task
    base: tuple[Task, ...] = ()
    before: tuple[Task, ...] = ()
    undo: tuple[Task, ...] = ()
    raze: tuple[Task, ...] = ()
    settings: Mapping[str, float] = field(default_factory=dict)
    injections: tuple[str, ...] = ()


def _module(name: str, options: Mapping[str, Any]) -> Task:
    return Task(f"{_MODULES}.{name}", {"region": "us-east-1", "wait_sleep": 1, **options})


def _app(name: str, options: Mapping[str, Any]) -> Task:
    return _module("ecs_cluster_app", {"cluster": "faults", "name": name, **options})


def _records(state: str) -> Task:
    records = [
        {"name": f"host-{number}.faults.example.com", "type": "A", "ttl": 60, "values": [f"192.0.2.{number % 250 + 1}"]}
        for number in range(300)
    ]
    return _module("route53_records", {"zone": "faults.example.com", "records": records, "state": state})


_CLUSTER = _module("ecs_cluster", {"name": "faults", "desired_count": 2})
_NO_CLUSTER = _module("ecs_cluster", {"name": "faults", "state": "absent", "force": True})

_WEB = {
    "image": "httpd:2.4",
    "memory": 64,
    "ports": [{"container_port": 80, "host_port": 80}],
    "desired_count": 2,
    "minimum_healthy_percent": 50,
    "load_balancer": {"type": "classic", "container_port": 80},
}
_SHOP = {
    "image": "httpd:2.4",
    "memory": 64,
    "ports": [{"container_port": 80}],
    "load_balancer": {"type": "application", "container_port": 80},
    "log": {"retention_days": 14},
    "scaling": {"min": 2, "max": 4, "cpu_percent": 60},
}
_WEB_UP, _WEB_DOWN = _app("web", _WEB), _app("web", {"state": "absent"})
_SHOP_UP, _SHOP_DOWN = _app("shop", _SHOP), _app("shop", {"state": "absent"})
_NEW_IMAGE = _app("web", {**_WEB, "image": "httpd:2.4.62"})
_NO_TASKS = _app("web", {**_WEB, "desired_count": 0})

_ZONE = {"Name": "faults.example.com", "CallerReference": "faults"}
_MAKE_ZONE = Task("faults.aws_call", {"service": "route53", "operation": "create_hosted_zone", "request": _ZONE})


def _on_cluster(act: Task, undo: Task, *before: Task) -> Flow:
    """A flow of an app, on a cluster that is shared by the cases of a batch."""
    return Flow(act, base=(_CLUSTER,), before=before, undo=(undo,), raze=(_NO_CLUSTER,))


_DROPLETS = Task(
    f"{_MODULES}.digitalocean_droplets",
    {
        "name": "faults",
        "count": 12,
        "region": "lon1",
        "size": "s-1vcpu-1gb",
        "image": "ubuntu-24-04-x64",
        "ssh_public_key_files": [str(Path(__file__).with_name("key.pub"))],
        "allow_among": True,
        "settle_seconds": 0,
        "wait_sleep": 1,
    },
)
_NO_DROPLETS = Task(_DROPLETS.program, {"name": "faults", "state": "absent", "settle_seconds": 0, "wait_sleep": 1})

_UNLIMITED = {"digitalocean_minute_limit": 0}  # hundreds of runs a minute are not what a token is for


def _behind(task: Task) -> Task:
    """Lists are behind, and the module knows for how long they may be."""
    return Task(task.program, {**task.options, "settle_seconds": 2})


FLOWS: Mapping[str, Flow] = {
    "ecs-cluster-up": Flow(_CLUSTER, undo=(_NO_CLUSTER,)),
    "ecs-cluster-up-stale": Flow(
        _CLUSTER,
        undo=(_NO_CLUSTER,),
        settings={"consistency_seconds": 2},  # what was made is not in lists yet when it is looked up
        injections=("kill-after", "cut-after", "overtaken", "together"),
    ),
    "ecs-app-classic": _on_cluster(_WEB_UP, _WEB_DOWN),
    "ecs-app-application": _on_cluster(_SHOP_UP, _SHOP_DOWN),
    "ecs-app-update": _on_cluster(_NEW_IMAGE, _WEB_DOWN, _WEB_UP),
    "ecs-app-to-zero": _on_cluster(_NO_TASKS, _WEB_DOWN, _WEB_UP),
    "ecs-app-down": _on_cluster(_WEB_DOWN, _WEB_DOWN, _WEB_UP),
    "ecs-cluster-down": Flow(_NO_CLUSTER, before=(_CLUSTER, _WEB_UP, _SHOP_UP), undo=(_NO_CLUSTER,)),
    "route53-up": Flow(_records("present"), base=(_MAKE_ZONE,), undo=(_records("absent"),)),
    "route53-down": Flow(
        _records("absent"), base=(_MAKE_ZONE,), before=(_records("present"),), undo=(_records("absent"),)
    ),
    "droplets-up": Flow(_DROPLETS, undo=(_NO_DROPLETS,), settings=_UNLIMITED),
    "droplets-up-behind": Flow(
        _behind(_DROPLETS),
        undo=(_behind(_NO_DROPLETS),),
        settings={**_UNLIMITED, "droplet_list_seconds": 1},
        injections=("kill-after", "abandon", "cut-after", "error-500"),
    ),
    "droplets-down": Flow(_NO_DROPLETS, before=(_DROPLETS,), undo=(_NO_DROPLETS,), settings=_UNLIMITED),
}

NAIVE = Flow(Task("faults.naive", {"state": "present"}), undo=(Task("faults.naive", {"state": "absent"}),))
"""A program with the usual mistakes. The matrix has to find them, or it would find nothing."""
