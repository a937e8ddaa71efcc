# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of droplets as wanted resources, and its steps in as few requests as the API allows. Pure. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._batches import batched
from .._plan import Graph, Live, Plan, Ref, Rule, Step, Wanted
from .._texts import several
from . import firewall, keys, slugs, tag
from .droplet_options import DropletOptions
from .droplets import KIND, Droplet
from .marks import as_spelled, owner_tag

BATCH = "droplets"  # several droplets in one step
MOST_AT_ONCE = 10  # names in one create

_NEEDS = (tag.KIND, keys.KIND, firewall.KIND)
GRAPH: Graph = {tag.KIND: (), keys.KIND: (tag.KIND,), firewall.KIND: (tag.KIND,), KIND: _NEEDS, BATCH: _NEEDS}
FIXED = ("region", "size", "image", "vpc_uuid", "monitoring", "ipv6")
RULES: Mapping[str, Rule] = {KIND: Rule(immutable=frozenset(FIXED))}


def wanted(options: DropletOptions, live: Mapping[str, Live], *, new: bool) -> list[Wanted]:
    """The resources of the set.

    Args:
        live: what there is, by key.
        new: whether there are droplets to be made: only then keys are needed.
    """
    found = [tag.wanted_tag(options.mark)]
    if options.firewall:
        keep, apart = options.keep_rules, options.among is False
        there = live.get(firewall.KEY)
        found.append(firewall.wanted_firewall(options.mark, options.rules, there, keep=keep, apart=apart))
    if new:
        found.extend(map(keys.wanted_key, options.public_keys))
    fields = {name: getattr(options, name) for name in FIXED}
    tags = dict.fromkeys((owner_tag(options.mark.owner), *options.tags), True)
    spec = {**fields, "status": "active", "tags": tags}
    return [*found, *(Wanted(f"{KIND} {name}", KIND, name, spec) for name in options.names or ())]


def comparable(droplet: Droplet, options: DropletOptions) -> Live:
    """A droplet as it is compared with the options.

    Images of DigitalOcean have an id beside their slug. One that is no longer offered has lost its slug, so nobody can
    tell whether it is the one that is wanted.
    """
    live = droplet.to_live()
    live = replace(live, spec={**live.spec, "tags": dict.fromkeys(as_spelled(droplet.tags, options.tags), True)})
    if options.image and options.image.isdigit():
        live = replace(live, spec={**live.spec, "image": droplet.image_id})
    elif options.image and droplet.image.isdigit():
        live = replace(live, spec={**live.spec, "image": options.image})
    return live


def without_catalogue(options: DropletOptions, droplets: Iterable[Droplet]) -> DropletOptions:
    """The options with slugs of today, told from the droplets that are there, as nothing is to be made."""
    there = list(droplets)
    used: dict[str, Any] = {}
    for option, old in (("size", slugs.OLD_SIZES), ("image", slugs.OLD_IMAGES)):
        given = getattr(options, option)
        if given:
            used[option] = slugs.as_made(given, [getattr(one, option) for one in there], old)
    return replace(options, **used)


def in_batches(plan: Plan, ssh_keys: Sequence[int | Ref] = ()) -> Plan:
    """The same plan with droplets that are made or removed together in one step: that is what the API offers.

    Args:
        ssh_keys: for new droplets. Of an existing one nobody can tell which it got, so they are not compared.
    """
    creates = [step for step in plan.steps if step.kind == KIND and step.action == "create"]
    deletes = [step for step in plan.steps if step.kind == KIND and step.action == "delete"]
    rest = tuple(step for step in plan.steps if step not in creates and step not in deletes)
    batches = []
    for some in batched(creates, MOST_AT_ONCE):
        names = [step.name for step in some]
        spec = {**some[0].spec, "names": names, "ssh_keys": list(ssh_keys)}
        batches.append(Step("create", f"{BATCH} {names[0]}", BATCH, several(names), spec, needs=some[0].needs))
    removals = [_removal(deletes)] if deletes else []
    gone = frozenset(step.key for step in deletes)
    waiting = frozenset(step.key for step in removals)
    renamed = [replace(step, needs=step.needs - gone | waiting) if step.needs & gone else step for step in rest]
    return Plan((*removals, *renamed, *batches))


def _removal(deletes: Sequence[Step]) -> Step:
    droplets = {step.live.id: step.live.attributes["droplet"] for step in deletes if step.live}
    name = several(sorted((step.name for step in deletes), key=natural))  # lists come in any order
    live = Live(f"{BATCH} away", BATCH, name, "", attributes={"droplets": droplets})
    return Step("delete", live.key, BATCH, name, live=live)


def natural(name: str) -> list[str | int]:
    """A sort key that puts web-2 before web-10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"([0-9]+)", name)]
