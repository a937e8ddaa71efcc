# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Doing what a plan for a set of objects says, one stratum after the other. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from .._clock import Deadline
from .._errors import AuthError, ConflictError
from .._plan import Applied, Live, Plan, Spec, Step, apply
from .._wait import Pace, wait_until
from .api import Object
from .errors import MOVED
from .kinds import CRD, POD
from .manifests import stratum
from .object_set import WORKERS, Item, Survey, as_live
from .objects import changes, key_of, name_of, namespace_of
from .run import Run
from .settled import is_settled
from .waiting import wait_gone, wait_ready

# a pod can only be made once the controller manager has given its new namespace an account
NO_ACCOUNT = re.compile(r"error looking up service account|serviceaccount \"[^\"]*\" not found")
ACCOUNT_SECONDS = 15.0
ATTEMPTS = 10  # to write between two changes of a status
CONTROLLERS = frozenset({"Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "ReplicationController", "Job"})


@dataclass(frozen=True)
class CarriedOut:
    """What was done, and the objects of the set as they are now, by key."""

    objects: Mapping[str, Object]
    applied: Applied


class Objects:
    """Makes, changes and deletes objects of all kinds."""

    def __init__(self, run: Run, found: Survey, *, force: bool, guarded: bool) -> None:
        self._run = run
        self._kinds = found.kinds
        self._items = {item.key: item for item in found.items}
        self._force = force
        self._seen = found.live if guarded else {}
        self.written: dict[str, Object] = {}

    def create(self, step: Step, spec: Spec) -> Live:  # noqa: ARG002 - only what may be shown of the manifest
        """Apply the manifest."""
        item = self._items[step.key]

        def attempt() -> tuple[Object, str]:
            try:
                return self._write(item), ""
            except AuthError as error:
                if item.kind != POD or not NO_ACCOUNT.search(error.message):
                    raise
                return {}, error.message

        thing = wait_until(
            attempt,
            ready=lambda found: bool(found[0]),
            describe=lambda found: found[1],
            deadline=Deadline(self._run.deadline.clock, ACCOUNT_SECONDS),
            doing=step.sentence,
            pace=Pace(first=0.2, cap=1.0),
        )[0]
        self.written[step.key] = thing
        if item.kind == CRD:
            wait_ready(self._run, [(CRD, thing)])
        return as_live(thing)

    def _write(self, item: Item) -> Object:
        seen = self._seen.get(item.key)
        if seen is None:
            return self._run.api.apply(item.kind, item.manifest, force=self._force).object
        last = seen
        for _attempt in range(ATTEMPTS):
            version = {"resourceVersion": last["metadata"]["resourceVersion"]}
            manifest = {**item.manifest, "metadata": {**item.manifest["metadata"], **version}}
            try:
                return self._run.api.apply(item.kind, manifest, force=self._force).object
            except ConflictError as error:
                conflict = error
            now = self._run.api.get(item.kind, name_of(seen), namespace_of(seen)) if conflict.code == MOVED else None
            if now is not None and is_settled(now, item.manifest):  # the answer to the write was lost
                return now
            if now is None or changes(seen, now):  # more than its status
                break
            last = now
        raise conflict

    def update(self, step: Step, spec: Spec, live: Live) -> Live:  # noqa: ARG002
        """The same call as to create."""
        return self.create(step, spec)

    def delete(self, step: Step, live: Live) -> None:
        """Ask for the deletion; who controls others goes after them."""
        kind = self._kinds[step.key]
        namespace, _slash, name = step.name.rpartition("/")
        self._run.api.delete(kind, name, namespace, uid=live.id, foreground=kind.kind in CONTROLLERS)


def carry_out(
    run: Run, found: Survey, plan: Plan, *, force: bool = False, wait: bool = True, guarded: bool = False
) -> CarriedOut:
    """Do what the plan says.

    Args:
        force: take over fields that other managers own.
        wait: until what was deleted is gone.
        guarded: write over nothing that was changed since the survey, but for its status.

    Raises:
        PartialError: a step failed; says which were done.
    """
    objects = Objects(run, found, force=force, guarded=guarded)
    handlers = {step.kind: objects for step in plan.steps}
    extras = {key_of(one): one for one in found.extra}
    done: tuple[str, ...] = ()
    with ExitStack() as stack:
        for steps in strata(plan.steps):
            applied = apply(Plan(tuple(steps)), handlers, {}, workers=WORKERS)
            stack.enter_context(applied.then("wait until what was deleted is gone"))
            done += applied.done
            if wait:
                wait_gone(run, [(found.kinds[one.key], extras[one.key]) for one in steps if one.action == "delete"])
    return CarriedOut({**found.live, **objects.written}, Applied(done, {}))


def strata(steps: Iterable[Step]) -> list[list[Step]]:
    """Steps that may be done at the same time, in order: what others need first; deletions last, and backwards."""

    def order(step: Step) -> tuple[bool, int]:
        deletes = step.action == "delete"
        return deletes, -stratum(step.kind) if deletes else stratum(step.kind)

    groups: dict[Any, list[Step]] = {}
    for step in steps:
        groups.setdefault(order(step), []).append(step)
    return [groups[key] for key in sorted(groups)]
