# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon ECS: a cluster up and down, apps up, updated, scaled and down, and what is left looked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from faults.flow import Flow, Task, first_and_last, module

_OF_CLUSTERS, _OF_APPS = "roles/ecs_cluster/README.md", "roles/ecs_app/README.md"
_COMMON = {"region": "us-east-1", "wait_sleep": 1}
_CLUSTER = module("ecs_cluster", **_COMMON, name="faults", desired_count=2)
_NO_CLUSTER = module("ecs_cluster", **_COMMON, name="faults", state="absent", force=True)
_LEFT = module("scheduler_leftovers_info", region="us-east-1")


def _app(name: str, options: Mapping[str, Any]) -> Task:
    return module("ecs_cluster_app", **_COMMON, cluster="faults", name=name, **options)


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


def _on_cluster(act: Task, undo: Task, *before: Task) -> Flow:
    """A flow of an app, on a cluster that is shared by the cases of a batch."""
    return Flow(act, base=(_CLUSTER,), before=before, undo=(undo,), raze=(_NO_CLUSTER,), permissions=(_OF_APPS,))


FLOWS: Mapping[str, Flow] = {
    "ecs-cluster-up": Flow(_CLUSTER, undo=(_NO_CLUSTER,), permissions=(_OF_CLUSTERS,)),
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
    "ecs-cluster-down": Flow(
        _NO_CLUSTER, before=(_CLUSTER, _WEB_UP, _SHOP_UP), undo=(_NO_CLUSTER,), permissions=(_OF_CLUSTERS, _OF_APPS)
    ),
    "ecs-leftovers": Flow(
        _LEFT,
        base=(_CLUSTER, _WEB_UP, _SHOP_UP),
        raze=(_NO_CLUSTER,),
        injections=("throttle", "error-500", "cut-before", "late"),  # it changes nothing, and a reader may be killed
        picks=first_and_last,
        permissions=("plugins/modules/scheduler_leftovers_info.py",),
    ),
}
