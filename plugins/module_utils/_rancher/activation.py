# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Switching things of Rancher on that were switched off: by a user, or by a run that died before it deleted them.

PRIVATE.
"""

from __future__ import annotations

from .._clock import Deadline
from .._wait import Pace, wait_until
from .api import Object, Rancher
from .patience import Patience
from .ready import describe, is_settled

OFF_STATES = frozenset({"inactive", "deactivating"})


def activate(rancher: Rancher, thing: Object, *, doing: str, deadline: Deadline, pace: Pace) -> Object:
    """The thing, active; one that is just being switched off can be switched on as soon as it is off.

    Raises:
        StateFailedError: it never will be.
        WaitTimeoutError: it was not in time.
    """

    def step() -> Object:
        now = rancher.get(thing["links"]["self"], doing=doing)
        if "activate" in (now.get("actions") or {}):
            return rancher.act(now, "activate", doing=doing)
        if now.get("state") == "inactive":
            rancher.require_action(now, "activate", doing=doing)
        return now

    return wait_until(
        step,
        ready=is_settled,
        failed=Patience(deadline.clock).why_never_ready,
        describe=describe,
        deadline=deadline,
        doing=doing,
        pace=pace,
    )
