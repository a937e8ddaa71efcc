# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""N named droplets, there and usable: read, decide, apply, wait. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from .._module import Context, Outcome
from .._parallel import gather
from .._plan import Handler, Live, Plan, Ref, apply, decide, dismantle
from .._texts import several
from . import firewall, keys, tag
from .catalogue import choose
from .droplet_belongings import warn_of_belongings
from .droplet_change import DropletHandler
from .droplet_create import BatchHandler
from .droplet_look import Look, look, named
from .droplet_options import DropletOptions
from .droplet_plan import BATCH, GRAPH, RULES, comparable, in_batches, wanted, without_catalogue
from .droplet_ready import Readiness
from .droplet_removal import Removal
from .droplets import KIND, Droplet, monthly_cost
from .firewall import FirewallHandler
from .keys import KeyHandler
from .run import Run
from .slugs import warn_if_old
from .tag import TagHandler
from .vpcs import check_vpc


@dataclass(frozen=True)
class Decision:
    """What a run has seen, and what it is going to do.

    Attributes:
        options: with the slugs that are really used.
        there: the droplets that exist already, by name.
        live: all that exists of what is wanted, by key.
        ssh_keys: ids of the keys that are in the account already.
    """

    options: DropletOptions
    seen: Look
    there: Mapping[str, Droplet]
    live: Mapping[str, Live]
    ssh_keys: Sequence[int]
    plan: Plan


def ensure_present(context: Context, run: Run, options: DropletOptions) -> Outcome:
    """The droplets as the options say."""
    decision = _decide(run, options)
    if context.check_mode:
        result = _result(decision.there.values(), decision.live.get(firewall.KEY))
        return Outcome(result, in_batches(decision.plan), decision.plan.diff())
    return _carry_out(run, decision, wait=context.params["wait"])


def _decide(run: Run, options: DropletOptions) -> Decision:
    seen = look(run)
    there = named(run, seen, options.names or (), adopt=options.adopt)
    missing = [name for name in options.names or () if name not in there]
    ssh_keys: Sequence[int] = ()
    if missing:
        options.check_complete()
        seen.account.check_room(len(seen.everything), len(missing))
        choice = choose(run.api, str(options.size), str(options.image), str(options.region), run.warn)
        used = replace(options, size=choice.size, image=choice.image)
        if options.vpc_uuid:
            check_vpc(run.api, options.vpc_uuid, str(options.region))
        ssh_keys = [*gather({one: partial(keys.existing_key, run.api, one) for one in options.ssh_keys}).values()]
    else:
        used = without_catalogue(options, there.values())
        for option in ("size", "image"):
            warn_if_old(option, getattr(options, option), getattr(used, option), run.warn)
    live = _live(run, used, seen, there, new=bool(missing))
    plan = decide(wanted(used, live, new=bool(missing)), live, GRAPH, RULES) + _surplus(run, used, seen)
    return Decision(used, seen, there, live, ssh_keys, plan)


def _live(run: Run, options: DropletOptions, seen: Look, there: Mapping[str, Droplet], *, new: bool) -> dict[str, Live]:
    """All that there is of what is wanted, by key."""
    found = [seen.tag, seen.firewall, *(comparable(one, options) for one in there.values())]
    if new:
        found.extend(gather({one.key: partial(keys.read_key, run.api, one) for one in options.public_keys}).values())
    return {one.key: one for one in found if one}


def _surplus(run: Run, options: DropletOptions, seen: Look) -> Plan:
    """What belongs to the set and is not asked for."""
    others = [one for one in seen.ours.values() if one.name not in (options.names or ())]
    if others and not options.purge:
        run.warn(
            f"{options.mark.owner} has further droplets: {several([one.name for one in others])}. "
            "With purge: true they are destroyed."
        )
        others = []
    warn_of_belongings(run, {one.id: one for one in others})
    found = [one.to_live(f"{KIND} {one.name} {one.id}") for one in others]
    if seen.firewall and not options.firewall:
        found.append(seen.firewall)
    return dismantle(found, GRAPH)


def _carry_out(run: Run, decision: Decision, *, wait: bool) -> Outcome:
    options, seen = decision.options, decision.seen
    run.ledger.remove(seen.gone)
    run.ledger.add({one.id: one.name for one in decision.there.values()})
    steps = in_batches(decision.plan, [*decision.ssh_keys, *(Ref(one.key) for one in options.public_keys)])
    applied = apply(steps, _handlers(run, decision), decision.live)
    droplets = _in_order([*decision.there.values(), *_made(applied.live)], options.names or ())
    wall = applied.live.get(firewall.KEY)
    if wait:
        with applied.then(f"wait for the droplets of {run.mark.owner}"):
            droplets = Readiness(run, {one.id: one.name for one in droplets}, options.port).await_ready()
    return Outcome(_result(droplets, wall), steps, decision.plan.diff())


def _handlers(run: Run, decision: Decision) -> dict[str, Handler]:
    away = {step.live.id for step in decision.plan.steps if step.action == "delete" and step.live}
    removal = Removal(run, decision.seen.account, lambda droplet: str(droplet.id) in away)
    return {
        tag.KIND: TagHandler(run.api, run.mark, run.deadline, run.pace),
        keys.KIND: KeyHandler(run.api, run.mark, decision.options.public_keys),
        firewall.KIND: FirewallHandler(run.api, run.mark),
        KIND: DropletHandler(run),
        BATCH: BatchHandler(run, removal, decision.options.user_data),
    }


def _made(live: Mapping[str, Live]) -> list[Droplet]:
    return [one for batch in live.values() if batch.kind == BATCH for one in batch.attributes["droplets"].values()]


def _in_order(droplets: Iterable[Droplet], names: Sequence[str]) -> list[Droplet]:
    """As they were asked for."""
    return sorted(droplets, key=lambda one: names.index(one.name))


def _result(droplets: Iterable[Droplet], wall: Live | None) -> dict[str, Any]:
    found = list(droplets)
    return {
        "droplets": [one.to_result() for one in found],
        "monthly_cost": monthly_cost(found),
        "firewall": {"id": wall.id, "name": wall.name, "inbound": dict(wall.spec["inbound"])} if wall else None,
    }
