# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at everything that a diagnosis wants to know, in few requests. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from .._errors import AuthError, NotFoundError, SchedulersError
from .._parallel import gather
from .api import Api, Object
from .diagnosis import diagnose
from .diagnosis_pods import containers_of, has_crashed, is_initialising, log_key
from .findings import Finding, View
from .kinds import (
    CRON_JOB,
    DAEMON_SET,
    DEPLOYMENT,
    EVENT,
    JOB,
    NAMESPACE,
    NODE,
    POD,
    REPLICA_SET,
    REPLICATION_CONTROLLER,
    SERVICE,
    STATEFUL_SET,
    STORAGE_CLASS,
    VOLUME,
    VOLUME_CLAIM,
    Kind,
)
from .objects import controller_of, name_of, namespace_of

WORKERS = 12
LOG_LINES = 10
LOGS_READ = 12
CONTROLLERS = (REPLICA_SET, DEPLOYMENT, REPLICATION_CONTROLLER, STATEFUL_SET, DAEMON_SET, JOB, CRON_JOB)


def read_view(
    api: Api, namespace: str, chosen: Callable[[Object], bool] = lambda _pod: True, *, tolerant: bool = False
) -> View:
    """Everything about the pods of a namespace that may matter. What may not be read is left out, and named.

    Args:
        namespace: empty for all of them.
        chosen: which pods are in question.
        tolerant: whether a server that does not answer is left out, too.

    Raises:
        SchedulersError: the server does not answer, or shows no pods: nothing can be said then.
    """
    reads: dict[Kind, tuple[str, ...]] = {
        **dict.fromkeys((EVENT, VOLUME_CLAIM, SERVICE), (namespace,)),
        **dict.fromkeys((NODE, VOLUME, STORAGE_CLASS), ("",)),
        **dict.fromkeys((POD, *CONTROLLERS), ("", namespace)),  # those of others may be in the way
        **({} if namespace else {NAMESPACE: ("",)}),
    }
    answers = gather(
        {kind.kind: partial(_list, api, kind, places, tolerant) for kind, places in reads.items()}, workers=WORKERS
    )
    unread = {kind: one for kind, one in answers.items() if isinstance(one, SchedulersError)}
    found = {kind: [] if isinstance(one, SchedulersError) else one for kind, one in answers.items()}
    everything = found[POD.kind]
    pods = [one for one in everything if namespace in ("", namespace_of(one)) and chosen(one)]
    controllers = [one for kind in CONTROLLERS for one in found[kind.kind]]
    return View(
        pods=pods,
        all_pods=everything,
        nodes=found[NODE.kind],
        events=found[EVENT.kind],
        controllers=[one for one in controllers if namespace in ("", namespace_of(one))],
        all_controllers=controllers,
        claims=found[VOLUME_CLAIM.kind],
        volumes=found[VOLUME.kind],
        classes=found[STORAGE_CLASS.kind],
        services=found[SERVICE.kind],
        logs=_logs(api, pods),
        namespaces=found.get(NAMESPACE.kind, ()),
        unread=unread,
    )


def _list(api: Api, kind: Kind, namespaces: Iterable[str], tolerant: bool) -> list[Object] | SchedulersError:
    """Those of the first namespace that may be seen, or why none may."""
    refusal: AuthError | None = None
    for namespace in dict.fromkeys(namespaces):
        try:
            return api.list(kind, namespace).items
        except AuthError as error:
            refusal = error
        except SchedulersError as error:
            # a server without one of the kinds is none that is away
            if not (tolerant or (isinstance(error, NotFoundError) and kind != POD)):
                raise
            return [] if isinstance(error, NotFoundError) else error
    if refusal and kind == POD and not tolerant:
        raise refusal
    return refusal or []


def _logs(api: Api, pods: Iterable[Object]) -> Mapping[str, str]:
    """The logs of containers that tell something. One pod of an app tells as much as all of them."""
    chosen: dict[tuple[str, str], tuple[Object, str]] = {}
    for pod in pods:
        app = str((controller_of(pod) or pod["metadata"]).get("uid"))
        for container in containers_of(pod):
            if has_crashed(container) or is_initialising(pod, container):
                chosen.setdefault((app, str(container["name"])), (pod, str(container["name"])))
    reads = {log_key(pod, name): partial(_log, api, pod, name) for pod, name in [*chosen.values()][:LOGS_READ]}
    return {key: text for key, text in gather(reads, workers=WORKERS).items() if text is not None}


def _log(api: Api, pod: Object, container: str) -> str | None:
    """The log of a container's last run, or else of this one; None if neither can be had."""
    found = None
    for previous in (True, False):
        try:
            found = api.logs(name_of(pod), namespace_of(pod), container, lines=LOG_LINES, previous=previous)
        except SchedulersError:  # there is none (any more)
            continue
        if found.strip():
            return found
    return found


def explain(api: Api, namespace: str, chosen: Callable[[Object], bool] = lambda _pod: True) -> list[Finding]:
    """Why pods of a namespace do not run, said without what the server does not tell."""
    return diagnose(read_view(api, namespace, chosen, tolerant=True))
