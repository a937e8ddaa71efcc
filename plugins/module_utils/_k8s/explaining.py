# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at everything that a diagnosis wants to know, in few requests. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from .._errors import SchedulersError
from .._parallel import gather
from .api import Api, Object
from .diagnosis import diagnose
from .diagnosis_pods import containers_of, has_crashed, log_key
from .findings import Finding, View
from .kinds import (
    DEPLOYMENT,
    EVENT,
    NODE,
    POD,
    REPLICA_SET,
    REPLICATION_CONTROLLER,
    SERVICE,
    STORAGE_CLASS,
    VOLUME,
    VOLUME_CLAIM,
    Kind,
)
from .objects import name_of, namespace_of

WORKERS = 12
LOG_LINES = 10
LOGS_READ = 3  # one pod of a crashing app tells as much as all of them
CONTROLLERS = (REPLICA_SET, DEPLOYMENT, REPLICATION_CONTROLLER)


def read_view(api: Api, namespace: str, chosen: Callable[[Object], bool] = lambda _pod: True) -> View:
    """Everything about the pods of a namespace that may matter. What may not be read is left out.

    Args:
        namespace: empty for all of them.
        chosen: which pods are in question.
    """
    reads: dict[Kind, str] = dict.fromkeys((EVENT, VOLUME_CLAIM, SERVICE), namespace) | dict.fromkeys(
        (POD, NODE, VOLUME, STORAGE_CLASS, *CONTROLLERS), ""
    )
    found = gather({kind.kind: partial(_list, api, kind, place) for kind, place in reads.items()}, workers=WORKERS)
    everything = found[POD.kind] or _list(api, POD, namespace)
    pods = [one for one in everything if namespace in ("", namespace_of(one)) and chosen(one)]
    controllers = [one for kind in CONTROLLERS for one in found[kind.kind]]
    return View(
        pods=pods,
        all_pods=everything,
        nodes=found[NODE.kind],
        events=found[EVENT.kind],
        controllers=controllers,
        claims=found[VOLUME_CLAIM.kind],
        volumes=found[VOLUME.kind],
        classes=found[STORAGE_CLASS.kind],
        services=found[SERVICE.kind],
        logs=_logs(api, pods),
    )


def _list(api: Api, kind: Kind, namespace: str) -> list[Object]:
    try:
        return api.list(kind, namespace).items
    except SchedulersError:  # no right to see it, or the server is just away: say what can be said without
        return []


def _logs(api: Api, pods: Iterable[Object]) -> Mapping[str, str]:
    crashed = [
        (pod, container)
        for pod in pods
        for container in containers_of(pod)
        if has_crashed(container) and container.get("name")
    ]
    reads = {
        log_key(pod, container["name"]): partial(_log, api, pod, str(container["name"]))
        for pod, container in crashed[:LOGS_READ]
    }
    return gather(reads)


def _log(api: Api, pod: Object, container: str) -> str:
    for previous in (True, False):
        try:
            text = api.logs(name_of(pod), namespace_of(pod), container, lines=LOG_LINES, previous=previous)
        except SchedulersError:  # there is none (any more)
            continue
        if text.strip():
            return text
    return ""


def explain(api: Api, namespace: str, chosen: Callable[[Object], bool] = lambda _pod: True) -> list[Finding]:
    """Why pods of a namespace do not run."""
    return diagnose(read_view(api, namespace, chosen))
