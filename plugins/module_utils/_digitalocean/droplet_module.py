# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules ``digitalocean_droplets`` and ``digitalocean_droplets_info``. PRIVATE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._module import Context, Outcome
from .account import read_account
from .api import Answer, Connection, DigitalOcean
from .catalogue import Choice, choose
from .droplet_options import DropletOptions
from .droplets import Droplet, list_droplets, monthly_cost
from .droplets_absent import ensure_absent
from .droplets_present import ensure_present
from .marks import as_spelled, checked_tag, owner_of, owner_tag, set_mark
from .run import Run
from .slugs import OLD_IMAGES, OLD_SIZES, as_made
from .tag import find_tag


def ensure(context: Context) -> Outcome:
    """What digitalocean_droplets does."""
    options = DropletOptions.from_params(context.params)
    run = Run.of(context, options)
    with run.ledger.opened(to_write=not (context.check_mode or context.params["verify_only"])):
        if context.params["state"] == "present":
            return ensure_present(context, run, options)
        return ensure_absent(context, run, options)


def droplet_info(context: Context) -> Outcome:
    """The droplets of an account, of a set, or with a tag, whoever made them."""
    tag = context.params["tag"] or ""
    if context.params["name"]:
        tag = owner_tag(set_mark(context.params["name"]).owner)
    api = DigitalOcean(Connection.from_params(context.params))
    if tag:  # without the scope tag:read nothing would seem to carry it: then this fails
        find_tag(api, checked_tag("tag", tag))
    # all are listed even where a tag is given: its own list is another one, which may be behind
    everything = list_droplets(api)
    found = [one for one in everything if not tag or tag in as_spelled(one.tags, [tag])]
    names = context.params["names"]
    chosen = sorted((one for one in found if names is None or one.name in names), key=lambda one: (one.name, one.id))
    result: dict[str, Any] = {
        "droplets": [{**one.to_result(), "owner": owner_of(one.tags) or None} for one in chosen],
        "monthly_cost": monthly_cost(chosen),
    }
    if context.params["quote"]:
        result["quote"] = _quote(context, api, everything, chosen)
    return Outcome(result)


def _quote(context: Context, api: DigitalOcean, everything: Sequence[Droplet], there: Sequence[Droplet]) -> Answer:
    """What those of the names would cost that are not there.

    Raises:
        InputError: they could not be made.
    """
    wanted = context.params["quote"]
    missing = sorted({*context.params["names"]} - {one.name for one in there})
    if missing:
        read_account(api).check_room(len(everything), len(missing))
        choice = choose(api, wanted["size"], wanted["image"], wanted["region"], context.warn)
    else:
        size = as_made(wanted["size"], [one.size for one in there], OLD_SIZES)
        choice = Choice(size, as_made(wanted["image"], [one.image for one in there], OLD_IMAGES), 0.0)
    cost = None if choice.price_monthly is None else round(choice.price_monthly * len(missing), 2)
    return {"names": missing, "size": choice.size, "image": choice.image, "monthly_cost": cost}
