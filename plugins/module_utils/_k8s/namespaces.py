# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Namespaces on their way out: nothing can be made in them, and some never go. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from .._errors import AuthError, BusyError, NotFoundError
from .._parallel import gather
from .._wait import wait_until
from .api import Api, Object
from .kinds import NAMESPACE
from .objects import conditions_of, name_of
from .run import Run
from .watching import LOOK, Feed, Scene

# conditions of a namespace in deletion that say why it does not go
TELLING = (
    "NamespaceContentRemaining",
    "NamespaceFinalizersRemaining",
    "NamespaceDeletionContentFailure",
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
)
HOW_IT_GOES = "Remove what it still holds, or the finalizers of these objects if nothing is left to act on them"


def existing(api: Api, name: str) -> list[Object]:
    """A namespace; none if it may not be looked at itself.

    Raises:
        NotFoundError: there is none of this name.
    """
    try:
        found = api.get(NAMESPACE, name)
    except AuthError:
        return []
    if found is None:
        raise NotFoundError(f"namespace {name} does not exist")
    return [found]


def wait_until_usable(run: Run, names: Mapping[str, bool]) -> None:
    """Wait until namespaces that are being deleted are gone, where the set brings them back.

    Args:
        names: true for those that the set makes itself.

    Raises:
        BusyError: one is being deleted and nobody would make it again, or this is a check.
        WaitTimeoutError: it does not go; says what holds it.
    """
    looks = {name: partial(run.api.get, NAMESPACE, name) for name in names if name}
    for name, found in gather(looks).items():
        if found is None or not found["metadata"].get("deletionTimestamp"):
            continue
        if not names[name] or run.check_mode:
            raise BusyError(
                f"namespace {name} is being deleted: {why_it_stays(found) or 'nothing can be made in it'}",
                hint="Wait until it is gone, or choose another one.",
            )
        _wait_until_gone(run, name)


def _wait_until_gone(run: Run, name: str) -> None:
    with Scene(run.api, [Feed(NAMESPACE, fields=f"metadata.name={name}")]) as scene:

        def look() -> tuple[bool, list[Object]]:
            return scene.look(), scene.objects(NAMESPACE)

        wait_until(
            look,
            ready=lambda found: found[0] and not found[1],
            describe=lambda found: "; ".join(why_it_stays(one) for one in found[1]) or scene.trouble(),
            deadline=scene.deadline(run.deadline),
            doing=f"wait until namespace {name} is gone",
            hint=f"{HOW_IT_GOES}.",
            pace=LOOK,
        )


def why_it_stays(namespace: Mapping[str, Any]) -> str:
    """What keeps a namespace that is being deleted, in the server's words. Pure."""
    conditions = conditions_of(namespace)
    said = [
        str(conditions[one].get("message", "")).rstrip(".")
        for one in TELLING
        if conditions.get(one, {}).get("status") == "True"
    ]
    finalizers = (namespace.get("spec") or {}).get("finalizers") or ()
    if not said and finalizers:
        said = [f"{name_of(namespace)} has the finalizers {', '.join(finalizers)}"]
    return "; ".join(said)
