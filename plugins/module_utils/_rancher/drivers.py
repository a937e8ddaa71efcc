# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine drivers of a server, which appear one by one after it was started. PRIVATE."""

from __future__ import annotations

from .._clock import Deadline
from .._errors import AuthError, InputError, NotFoundError
from .._wait import wait_for
from .api import Object
from .driver_schema import drivers_of
from .environments import Run

DRIVER_SECONDS = 180.0  # a server that was just started takes one or two minutes for it


def driver_schema(run: Run, driver: str) -> Object:
    """What a driver takes. A server that was just started registers its drivers after it answers.

    Raises:
        InputError: the server has others and not this one.
        WaitTimeoutError: it has none at all, for minutes.
    """
    doing = f"look for the machine driver {driver}"

    def look() -> Object | None:
        schema = run.rancher.schema(f"{driver.lower()}config", project=run.environment.id, doing=doing)
        known = [] if schema else _known_drivers(run, doing)
        if known and not _is_coming(run, driver, doing):
            raise InputError(f"driver: {driver!r} is not active on this server, which has: {', '.join(known)}")
        return schema

    deadline = Deadline(run.deadline.clock, min(DRIVER_SECONDS, run.deadline.left()))
    missing = "the server has no machine drivers yet"
    return wait_for(look, missing=missing, deadline=deadline, doing=doing, pace=run.pace)


def _is_coming(run: Run, driver: str, doing: str) -> bool:
    """Whether the server is about to have a driver. Who may not see that is taken not to have it."""
    try:
        found = run.rancher.list("/v1/machinedrivers", {"name": driver}, doing=doing)
    except (AuthError, NotFoundError):
        return False
    return any(one.get("name") == driver and one.get("transitioning") == "yes" for one in found)


def _known_drivers(run: Run, doing: str) -> list[str]:
    """Those that are active; asked for anew, as the answer changes while the server starts."""
    path = run.rancher.path("schemas", "machine" if run.rancher.is_v1 else "host", project=run.environment.id)
    kind = run.rancher.find(path, doing=doing) or {}
    return drivers_of(kind.get("resourceFields") or {})
