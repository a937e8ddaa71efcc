# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon ECS: a cluster up, changed and down, apps up, updated, scaled and down, and what is left looked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from faults.flow import Flow, first_and_last, module, writes
from faults.programs import Task

_OF_CLUSTERS, _OF_APPS = "roles/ecs_cluster/README.md", "roles/ecs_app/README.md"
_COMMON = {"region": "us-east-1", "wait_sleep": 1}


def _cluster(**options: Any) -> Task:
    return module("ecs_cluster", **_COMMON, **{"name": "faults", "desired_count": 2, **options})


_CLUSTER, _LARGER = _cluster(), _cluster(desired_count=3)
_OTHER_TYPE, _FIRST_TYPE = (_cluster(instance_type=one, replace_outdated=True) for one in ("t3.medium", "t3.small"))
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
_SCALED = {name: value for name, value in _WEB.items() if name != "desired_count"} | {"scaling": _SHOP["scaling"]}
_SHARED = {**_WEB, "load_balancer": {"type": "classic", "container_port": 80, "shared": True}}
# on every instance: the health check looks at its port, and ECS stops what runs where that does not answer
_NEIGHBOUR: dict[str, Any] = {
    "image": "httpd:2.4",
    "memory": 64,
    "ports": [{"container_port": 80, "host_port": 8080}],
    "desired_count": 2,
    "load_balancer": {"type": "classic", "container_port": 80, "shared": True, "listener_port": 8080},
}
_MOVING = {"image": "httpd:2.4", "memory": 64, "ports": [{"container_port": 80}], "desired_count": 2}
_STREAM = {
    "image": "httpd:2.4",
    "memory": 64,
    "ports": [{"container_port": 80}],
    "load_balancer": {"type": "network", "container_port": 80, "listener_port": 8080},
}
# behind one application load balancer: the rule for dynamic ports is the shop's alone
_SHARED_SHOP = {**_SHOP, "load_balancer": {"type": "application", "container_port": 80, "shared": True}}
_STALL = {**_NEIGHBOUR, "load_balancer": {**_NEIGHBOUR["load_balancer"], "type": "application"}}
_SHARED_UP = _app("web", _SHARED)
_NEIGHBOUR_UP = _app("neighbour", _NEIGHBOUR)
_STREAM_UP, _STREAM_DOWN = _app("stream", _STREAM), _app("stream", {"state": "absent"})
_SHARED_SHOP_UP, _STALL_UP = _app("shop", _SHARED_SHOP), _app("stall", _STALL)
_MOVING_UP = _app("moving", _MOVING)
_WEB_UP, _WEB_DOWN = _app("web", _WEB), _app("web", {"state": "absent"})
_SHOP_UP, _SHOP_DOWN = _app("shop", _SHOP), _app("shop", {"state": "absent"})
_NEW_IMAGE = _app("web", {**_WEB, "image": "httpd:2.4.62"})
_NO_TASKS = _app("web", {**_WEB, "desired_count": 0})


def _on_cluster(act: Task, undo: Task, *before: Task, base: tuple[Task, ...] = (), **more: Any) -> Flow:
    """A flow of an app, on a cluster that is shared by the cases of a batch."""
    return Flow(
        act,
        base=(_CLUSTER, *base),
        before=before,
        undo=(undo,),
        raze=(_NO_CLUSTER,),
        permissions=(_OF_APPS,),
        **more,
    )


_CHANGES = ("kill-before", "kill-after", "abandon", "cut-after", "sigint", "sigterm", "overtaken", "together")
"""For flows of which each case replaces instances: what leaves the account in a state of its own."""


def _of_cluster(act: Task, undo: Task, *base: Task) -> Flow:
    """A cluster changed, and changed back."""
    return Flow(
        act,
        base=(_CLUSTER, *base),
        undo=(undo,),
        raze=(_NO_CLUSTER,),
        injections=_CHANGES,
        picks=writes,
        renewed=("volume *part=volume",),  # what instances start from
        permissions=(_OF_CLUSTERS,),
    )


_SETTLING = (
    "ec2.AttachInternetGateway",
    "ec2.AuthorizeSecurityGroupIngress",
    "ec2.CreateLaunchTemplate",
    "application-autoscaling.RegisterScalableTarget",
)
"""Where lists are behind, these are refused until what they name is known: of how many, chance decides."""

# what the bench promises of a cluster with an app: 50 calls, and 20 the second time
_CLUSTER_BUDGET, _APP_BUDGET = (30, 12), (20, 8)
_TEARDOWN_BUDGET = (52,)  # the bench's 35, and what the second app here adds

FLOWS: Mapping[str, Flow] = {
    "ecs-cluster-up": Flow(_CLUSTER, undo=(_NO_CLUSTER,), permissions=(_OF_CLUSTERS,), budget=_CLUSTER_BUDGET),
    "ecs-cluster-up-stale": Flow(
        _CLUSTER,
        undo=(_NO_CLUSTER,),
        # what was made is not in lists yet when it is looked up; and the account shows instances their tags
        settings={"consistency_seconds": 2, "ec2_metadata_tags": True},
        injections=("kill-after", "cut-after", "overtaken", "together"),
        unsteady=_SETTLING,
    ),
    # the group keeps its largest size, and of the next flow the tag that names the last instance to leave
    "ecs-cluster-larger": _of_cluster(_LARGER, _CLUSTER, _LARGER, _CLUSTER),
    "ecs-cluster-replaced": _of_cluster(_OTHER_TYPE, _FIRST_TYPE, _MOVING_UP, _OTHER_TYPE, _FIRST_TYPE),
    "ecs-app-classic": _on_cluster(_WEB_UP, _WEB_DOWN, budget=_APP_BUDGET),
    "ecs-app-application": _on_cluster(_SHOP_UP, _SHOP_DOWN),
    "ecs-app-network": _on_cluster(_STREAM_UP, _STREAM_DOWN),
    "ecs-app-shared": _on_cluster(_SHARED_UP, _WEB_DOWN, base=(_NEIGHBOUR_UP,)),
    "ecs-app-shared-first": Flow(  # it makes the load balancer, which stays as long as the cluster
        _SHARED_UP,
        before=(_CLUSTER,),
        undo=(_NO_CLUSTER,),
        injections=("kill-after", "abandon", "cut-after", "overtaken", "together"),
        picks=writes,
        permissions=(_OF_APPS,),
    ),
    "ecs-app-shared-down": _on_cluster(_WEB_DOWN, _WEB_DOWN, _SHARED_UP, base=(_NEIGHBOUR_UP,)),
    "ecs-app-shared-application": _on_cluster(_SHARED_SHOP_UP, _SHOP_DOWN, base=(_STALL_UP,)),
    "ecs-app-shared-application-down": _on_cluster(_SHOP_DOWN, _SHOP_DOWN, _SHARED_SHOP_UP, base=(_STALL_UP,)),
    "ecs-app-down-stale": Flow(  # nothing that was made is in the list by tags yet
        _SHOP_DOWN,
        before=(_CLUSTER, _STALL_UP, _SHARED_SHOP_UP),
        undo=(_NO_CLUSTER,),
        settings={"tagging_seconds": 3600},
        injections=("cut-after",),  # after a kill what no service names any more is found when the list has it
        picks=writes,
        permissions=(_OF_APPS,),
    ),
    "ecs-app-classic-stale": Flow(
        _app("web", _SCALED),
        before=(_CLUSTER,),
        undo=(_NO_CLUSTER,),
        settings={"consistency_seconds": 2},  # the service is not known yet, or shown as it was before
        injections=("kill-after", "cut-after", "overtaken", "together"),
        picks=writes,
        unsteady=_SETTLING,
    ),
    "ecs-app-update": _on_cluster(_NEW_IMAGE, _WEB_DOWN, _WEB_UP),
    "ecs-app-to-zero": _on_cluster(_NO_TASKS, _WEB_DOWN, _WEB_UP),
    "ecs-app-down": _on_cluster(_WEB_DOWN, _WEB_DOWN, _WEB_UP),
    "ecs-cluster-down": Flow(
        _NO_CLUSTER,
        before=(_CLUSTER, _WEB_UP, _SHOP_UP),
        undo=(_NO_CLUSTER,),
        permissions=(_OF_CLUSTERS, _OF_APPS),
        budget=_TEARDOWN_BUDGET,
    ),
    "ecs-leftovers": Flow(
        _LEFT,
        base=(_CLUSTER, _WEB_UP, _SHOP_UP),
        raze=(_NO_CLUSTER,),
        # it changes nothing, and a reader may be killed
        injections=("throttle", "error-500", "cut-before", "late", "denied", "expired"),
        picks=first_and_last,
        permissions=("plugins/modules/scheduler_leftovers_info.py",),
    ),
}
