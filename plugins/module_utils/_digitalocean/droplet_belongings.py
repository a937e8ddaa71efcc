# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What droplets leave behind when they go: their volumes, snapshots and reserved addresses. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping

from .._errors import SchedulersError
from .._texts import several
from . import prices
from .droplets import Droplet
from .run import Run


def warn_of_belongings(run: Run, droplets: Mapping[int, Droplet]) -> None:
    """Say what of these droplets stays, and costs."""
    if not droplets:
        return
    for kind in ("volume", "snapshot"):
        held = [number for one in droplets.values() for number in getattr(one, f"{kind}_ids")]
        if held:
            run.warn(f"These {kind}s of the droplets stay, and cost as before: {several(held)}.")
    _warn_of_addresses(run, droplets)


def _warn_of_addresses(run: Run, droplets: Mapping[int, Droplet]) -> None:
    """Reserved addresses carry no tags, and begin to cost without their droplet.

    One list tells of all; what would go with a droplet is told one by one, at the expense of the limit of requests.
    """
    doing = "look for reserved IP addresses of the droplets"
    try:
        reserved = run.api.pages("reserved_ips", "reserved_ips", doing=doing)
    except SchedulersError as error:  # which must not keep droplets on the bill
        run.warn(f"{error.sentence()} If they have some, these stay, and begin to cost.")
        return
    held = [str(one["ip"]) for one in reserved if (one.get("droplet") or {}).get("id") in droplets]
    if held:
        run.warn(
            "These reserved IP addresses of the droplets stay, and will cost "
            f"{prices.IDLE_ADDRESS:.2f} US dollars a month each: {several(held)}."
        )
