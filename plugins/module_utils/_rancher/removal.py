# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing things of Rancher: asked for, and looked at until they are really gone. PRIVATE."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress

from .._clock import Deadline
from .._errors import ConflictError, WaitTimeoutError
from .._wait import Pace, wait_until
from .api import Object, Rancher
from .ready import describe, is_going

STUCK = "StillRemoving"
# in the making, and there is nothing to deactivate yet
UNFINISHED_STATES = frozenset({"provisioning", "creating", "bootstrapping", "registering", "erroring", "activating"})


def remove(
    rancher: Rancher,
    things: Sequence[Object],
    *,
    doing: str,
    deadline: Deadline,
    pace: Pace,
    first: Collection[str] = (),
    hint: str = "",
) -> None:
    """Remove one thing, or several that are one: a host, and the machine that it runs on.

    Args:
        first: actions to take as long as they are offered, before Rancher lets the thing be deleted.

    Raises:
        WaitTimeoutError: it is still there; its code tells whether the server has been at it, and does not get on.
    """
    links = [str(one["links"]["self"]) for one in things]
    left: list[Object] = []

    def look() -> list[Object]:
        left[:] = [one for one in (rancher.find(link, doing=doing) for link in links) if one]
        if left:
            _lead_out(rancher, left[0], first, doing)
        return left

    try:
        wait_until(
            look,
            ready=lambda found: not found,
            describe=lambda found: "; ".join(map(describe, found)),
            deadline=deadline,
            doing=doing,
            hint=hint,
            pace=pace,
        )
    except WaitTimeoutError as error:
        if is_going(left[0]):
            error.code = STUCK
        raise


def _lead_out(rancher: Rancher, thing: Object, first: Collection[str], doing: str) -> None:
    """The next step on the way out, if there is one to take."""
    if is_going(thing):
        return
    state, offered = thing.get("state"), thing.get("actions") or {}
    # refused because it has moved on since the look, or has yet to: the next look tells where it is
    with suppress(ConflictError):
        if "deactivate" in first and "deactivate" in offered and state not in UNFINISHED_STATES:
            rancher.act(thing, "deactivate", doing=doing)
        elif state != "deactivating":
            rancher.delete(thing, doing=doing)
