# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes: an app, WordPress with its database, both with time, many objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environment import CACHE

from bench.cluster import Cluster
from bench.job import HERE, NAME, Command, Job, Phase, by_peers, floor, ours
from bench.targets import NONE, Promise, Target, at_most, floor_plus, times_peers

_READY_SECONDS = 30
_ROUND_TRIP_SECONDS = 0.02
_MANY = 300
_MANIFESTS = HERE / "manifests"
_APP = _MANIFESTS / "nginxcluster.manifest"
_WORDPRESS = (_MANIFESTS / "database.manifest", _MANIFESTS / "site.manifest")
_MANY_FILE = CACHE / "bench" / f"configmaps-{_MANY}.yml"


@dataclass(frozen=True)
class _Objects:
    """What is made, whoever makes it.

    Attributes:
        playbooks: of ours and of the peers.
        files: the same as manifests, an app each.
        deployments: in them, with their replicas.
        services: in them, those with a load balancer.
    """

    playbooks: tuple[str, str]
    files: Sequence[Path]
    deployments: Mapping[str, int]
    services: Sequence[str]

    def commands(self, state: str) -> dict[str, Command]:
        """What each side runs to make them, or to take them away."""
        files = [str(one) for one in self.files]
        variables = (f"space={NAME}", f"state={state}", json.dumps({"manifests": files, "services": self.services}))
        (mine, theirs), step = self.playbooks, "up" if state == "present" else "down"
        return {
            "ours": ours(mine, *variables),
            "peers": by_peers(theirs, *variables),
            "floor": floor("kubernetes", step, NAME, *map(",".join, (files, self.deployments, self.services))),
        }

    def are_ready(self, cluster: Cluster) -> bool:
        """Every pod is."""
        pods = cluster.objects("pods")
        return len(pods) == sum(self.deployments.values()) and all(map(_is_ready, pods))

    def are_up(self, cluster: Cluster) -> str:
        """Every pod is ready, its Deployment knows it, and every load balancer has an address."""
        available = {
            one["metadata"]["name"]: one["status"].get("availableReplicas") for one in cluster.objects("deployments")
        }
        if available != self.deployments or not self.are_ready(cluster):
            return f"the pods that are available are {available}, not {self.deployments}"
        balancers = {one["metadata"]["name"] for one in cluster.objects("services") if one["status"]["loadBalancer"]}
        return "" if balancers == set(self.services) else f"load balancers are {balancers}, not {self.services}"


def _is_ready(pod: Mapping[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _nothing_is_left(cluster: Cluster) -> str:
    left = cluster.everything()
    return f"left behind: {', '.join(left)}" if left else ""


def _many_are_there(cluster: Cluster) -> str:
    count = len(cluster.objects("configmaps"))
    return "" if count == _MANY else f"there are {count} objects, not {_MANY}"


def _job(
    title: str, objects: _Objects, check: Callable[[Cluster], str], *, watched: bool = True, **options: Any
) -> Job[Cluster]:
    up, down = objects.commands("present"), objects.commands("absent")
    phases = [
        Phase("first run", up, check, objects.are_ready if watched else None),
        Phase("second run", up, check),
        Phase("teardown", down, _nothing_is_left),
    ]
    return Job("kubernetes", title, phases, ground="cluster", **options)


def _write_many(_cluster: Cluster) -> None:
    document = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: many-{0}}}\ndata: {{number: '{0}'}}\n"
    _MANY_FILE.write_text("".join(document.format(number) for number in range(_MANY)))


_SITE = {"wordpress-database": 1, "wordpress": 1}
_ONE_APP = _Objects(("k8s_app", "k8s"), [_APP], {"nginxcluster": 5}, ["nginxcluster"])
_ONE_SITE = _Objects(("k8s_wordpress", "k8s"), _WORDPRESS, _SITE, ["wordpress"])
_BOTH = _Objects(("k8s_apply", "k8s"), [_APP, *_WORDPRESS], {"nginxcluster": 5, **_SITE}, ["nginxcluster", "wordpress"])
_CONFIG_MAPS = _Objects(("k8s_file", "k8s_file"), [_MANY_FILE], {}, [])
_TIME: dict[str, Any] = {"settings": {"ready_seconds": _READY_SECONDS}, "single": True}
_FILE: dict[str, Any] = {"watched": False, "prepare": _write_many, "once": frozenset({"peers"})}

JOBS = (
    _job("Kubernetes app", _ONE_APP, _ONE_APP.are_up),
    _job("WordPress", _ONE_SITE, _ONE_SITE.are_up),
    _job(f"WordPress whose pods take {_READY_SECONDS} s", _ONE_SITE, _ONE_SITE.are_up, **_TIME),
    _job(f"App and WordPress whose pods take {_READY_SECONDS} s", _BOTH, _BOTH.are_up, **_TIME),
    _job(f"{_MANY} objects", _CONFIG_MAPS, _many_are_there, **_FILE),
    _job(
        f"{_MANY} objects, the cluster {_ROUND_TRIP_SECONDS * 1000:g} ms away",
        _CONFIG_MAPS,
        _many_are_there,
        settings={"round_trip_seconds": _ROUND_TRIP_SECONDS},
        **_FILE,
    ),
)
_QUICK_APP, _QUICK_SITE, _SLOW_SITE, _SLOW, _FLOCK, _FAR_FLOCK = (job.title for job in JOBS)
_KUBECTL = floor_plus(1.7)
_AT_ONCE = at_most(0.5, " s")
TARGETS: Mapping[Promise, tuple[Target, ...]] = {
    **{
        (title, phase, "wall"): (times_peers(0.45), _KUBECTL)
        for title in (_QUICK_APP, _QUICK_SITE)
        for phase in ("first run", "second run", "teardown")
    },
    **{(job.title, "second run", "writes"): (NONE,) for job in JOBS},
    **{(title, "first run", "noticed"): (_AT_ONCE,) for title in (_QUICK_APP, _QUICK_SITE, _SLOW_SITE, _SLOW)},
    (_SLOW_SITE, "first run", "wall"): (_KUBECTL,),
    (_SLOW, "first run", "wall"): (times_peers(0.4), _KUBECTL),
    **{
        (title, "second run", quantity): (times_peers(0.2),)
        for title in (_FLOCK, _FAR_FLOCK)
        for quantity in ("wall", "tasks")
    },
}
