# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of droplets gone, with its firewall, the keys uploaded for it, and its tag; and the proof. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .._errors import StateFailedError
from .._module import Context, Outcome
from .._plan import Handler, Live, Plan, apply, dismantle
from .._texts import several
from . import firewall, keys, tag
from .droplet_belongings import warn_of_belongings
from .droplet_create import BatchHandler
from .droplet_look import Look, look
from .droplet_options import DropletOptions
from .droplet_plan import BATCH, GRAPH, in_batches
from .droplet_removal import Removal, concerns_names
from .droplets import KIND, Droplet, monthly_cost
from .firewall import FirewallHandler
from .keys import KeyHandler
from .run import Run
from .tag import TagHandler, carriers

KEPT = {"volumes": "volumes", "volume_snapshots": "snapshots", "images": "images", "databases": "databases"}


@dataclass(frozen=True)
class Doomed:
    """What there is to remove.

    Attributes:
        kept: how many things carry the tag that this module does not remove, by kind.
        strangers: droplets of the given names that are not ours, and stay.
    """

    droplets: Mapping[int, Droplet]
    others: tuple[Live, ...]
    kept: Mapping[str, int]
    strangers: tuple[Droplet, ...]

    def plan(self) -> Plan:
        """Droplets first, the tag last: what is left of a run that was cut short still has its mark."""
        found = [one.to_live(f"{KIND} {one.name} {one.id}") for one in self.droplets.values()]
        return dismantle([*found, *self.others], GRAPH)


def ensure_absent(context: Context, run: Run, options: DropletOptions) -> Outcome:
    """None of the droplets, and nothing left of them that was made for them."""
    gone = run.ledger.gone.values() if options.names is None else options.names
    seen = look(run, gone={*gone}, to_prove=context.params["verify_only"])
    doomed = _doomed(run, options, seen)
    _warn(run, doomed)
    warn_of_belongings(run, doomed.droplets)
    if context.params["verify_only"]:
        return _verified(run, options, seen, doomed)
    if context.check_mode:
        plan = doomed.plan()
        return Outcome(_result(doomed, seen.gone, gone=not doomed.droplets), in_batches(plan), plan.diff())
    removal = Removal(run, seen.account, concerns_names(options.names), {one["id"]: one for one in seen.gone})
    if not doomed.droplets and _is_doubtful(run, options, doomed):
        doomed = replace(doomed, droplets=removal.settle())
    plan = doomed.plan()
    steps = in_batches(plan)
    applied = apply(steps, _handlers(run, removal), {one.key: one for one in doomed.others})
    with applied.then("note in the ledger that they are gone"):
        removal.note()
        run.ledger.close(run.ledger.names if options.names is None else options.names)
    return Outcome(_result(doomed, removal.proof.values(), gone=True), steps, plan.diff())


def _doomed(run: Run, options: DropletOptions, seen: Look) -> Doomed:
    names, whole = options.names or (), options.names is None
    droplets = {number: one for number, one in seen.ours.items() if whole or one.name in names}
    strangers = [one for number, one in seen.everything.items() if number not in seen.ours and one.name in names]
    counts = carriers(seen.tag)
    kept = {word: counts[kind] for kind, word in KEPT.items() if whole and counts.get(kind)}
    others: list[Live | None] = []
    if whole:
        others = [seen.firewall, None if kept else seen.tag]
        if seen.tag:  # the list of keys is rationed, and a set without a tag is gone
            others.extend(keys.our_keys(run.api, run.mark))
    return Doomed(droplets, tuple(one for one in others if one), kept, tuple(strangers))


def _is_doubtful(run: Run, options: DropletOptions, doomed: Doomed) -> bool:
    """Whether something speaks for droplets that no list shows: then the lists are not believed at once."""
    remembered = run.ledger.names
    return bool(doomed.others or (remembered if options.names is None else remembered & {*options.names}))


def _handlers(run: Run, removal: Removal) -> dict[str, Handler]:
    return {
        BATCH: BatchHandler(run, removal),
        firewall.KIND: FirewallHandler(run.api, run.mark),
        keys.KIND: KeyHandler(run.api, run.mark),
        tag.KIND: TagHandler(run.api, run.mark, run.deadline, run.pace),
    }


def _verified(run: Run, options: DropletOptions, seen: Look, doomed: Doomed) -> Outcome:
    """Only looks. Two lists, each known id, and the account before and after."""
    removal = Removal(run, seen.account, concerns_names(options.names))
    left = {**doomed.droplets, **removal.look_once()}
    removal.check_account()
    if left:
        words = several([f"{one.name} ({one.id}, {one.status})" for one in left.values()])
        raise StateFailedError(
            f"{len(left)} droplets are still there: {words}",
            doing=f"verify that {options.mark.owner} is gone",
            hint="Run the task without verify_only to remove them.",
            details={
                "gone": False,
                "survivors": [one.to_result() for one in left.values()],
                "monthly_cost": monthly_cost(left.values()),
            },
        )
    return Outcome(_result(doomed, seen.gone, gone=True), Plan())


def _warn(run: Run, doomed: Doomed) -> None:
    for one in doomed.strangers:
        run.warn(f"Droplet {one.name} ({one.id}) was not made by this set, and stays.")
    if doomed.kept:
        words = " and ".join(f"{count} {kind}" for kind, count in doomed.kept.items())
        run.warn(f"{words} with tag {run.tag} stay, and cost as before; the tag stays with them.")


def _result(doomed: Doomed, proven: Iterable[dict[str, Any]], *, gone: bool) -> dict[str, Any]:
    return {
        "gone": gone,
        "proof": sorted(proven, key=lambda one: str(one["name"])),
        "droplets": [] if gone else [one.to_result() for one in doomed.droplets.values()],
        "monthly_cost": 0.0 if gone else monthly_cost(doomed.droplets.values()),
        "kept": dict(doomed.kept),
    }
