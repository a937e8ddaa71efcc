# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout for a ReplicationController, which has none of its own: pods are replaced, a few at a time. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from .._batches import batched
from .._errors import BusyError
from .._parallel import gather
from .._wait import Pace, wait_until
from .api import Object
from .app_wanted import TEMPLATE
from .kinds import POD, REPLICATION_CONTROLLER
from .objects import FINISHED, is_true, name_of, namespace_of, place_of, runs
from .run import Run
from .waiting import explaining, wait_gone, wait_ready

AT_ONCE = 4  # a quarter of the pods, as a Deployment does it


def outdated(pods: Iterable[Object], version: str) -> list[Object]:
    """The pods of another version that still run: those that are not ready first, as nobody misses them. Pure."""
    old = [
        one
        for one in pods
        if (one["metadata"].get("annotations") or {}).get(TEMPLATE) != version
        and not one["metadata"].get("deletionTimestamp")
        and (one.get("status") or {}).get("phase") not in FINISHED
    ]
    return sorted(old, key=lambda one: is_true(one, "Ready"))


def batches(pods: Sequence[Object]) -> list[list[Object]]:
    """The pods in the groups in which they are replaced. Pure."""
    size = max(1, len(pods) // AT_ONCE)
    return list(batched(pods, size))


def replace_pods(run: Run, controller: Object) -> None:
    """Replace the pods of older versions, as disruption budgets allow. Waits after each group.

    Raises:
        StateFailedError: the new pods do not run; the rest of the old ones is left alone.
        WaitTimeoutError: it took too long.
    """
    metadata, spec = controller["metadata"], controller["spec"]
    selector = ",".join(f"{name}={value}" for name, value in (spec.get("selector") or {}).items())
    pods = run.api.list(POD, metadata["namespace"], labels=selector).items
    version = (spec["template"]["metadata"].get("annotations") or {}).get(TEMPLATE, "")
    old = outdated([one for one in pods if runs(controller, one)], version)
    for group in batches(old):
        with explaining(run, [controller, *group]):  # a budget counts the pods that are well
            gather({place_of(one): partial(evict, run, one) for one in group})
        wait_gone(run, [(POD, one) for one in group])
        now = run.api.get(REPLICATION_CONTROLLER, metadata["name"], metadata["namespace"])
        if now is not None:
            wait_ready(run, [(REPLICATION_CONTROLLER, now)])


def evict(run: Run, pod: Object) -> None:
    """Ask for an eviction until the budget allows it, or the pod is gone anyway.

    Raises:
        WaitTimeoutError: the budget did not allow it within the time.
    """
    name, namespace = name_of(pod), namespace_of(pod)

    def attempt() -> str:
        try:
            run.api.evict(name, namespace, uid=pod["metadata"]["uid"])
        except BusyError as error:
            return error.message
        return ""

    wait_until(
        attempt,
        ready=lambda refused: not refused,
        describe=str,
        deadline=run.deadline,
        doing=f"evict pod {namespace}/{name}",
        hint="A PodDisruptionBudget keeps the pod: scale its app up, or loosen the budget.",
        pace=Pace(first=0.5, cap=5.0),
    )
