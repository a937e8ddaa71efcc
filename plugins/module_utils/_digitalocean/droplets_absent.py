# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of droplets gone, with its firewall, the keys uploaded for it, and its tag; and the proof. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .._errors import NotFoundError, StateFailedError
from .._module import Context, Outcome
from .._plan import Live, Plan, apply, dismantle
from . import firewall, keys, tag
from .droplet_create import BatchHandler
from .droplet_look import Look, look
from .droplet_options import DropletOptions
from .droplet_plan import BATCH, GRAPH, in_batches, several
from .droplet_removal import Removal, concerns_names, proof
from .droplets import KIND, Droplet, monthly_cost, read_droplet
from .firewall import FirewallHandler
from .keys import KeyHandler
from .run import Run
from .tag import TagHandler, carriers

KEPT = {"volumes": "volumes", "volume_snapshots": "snapshots", "images": "images", "databases": "databases"}


@dataclass(frozen=True)
class Doomed:
    """What there is to remove.

    Attributes:
        whole: all of the set, not only some names.
        kept: how many things carry the tag that this module does not remove, by kind.
        strangers: droplets of the given names that are not ours, and stay.
    """

    droplets: Mapping[int, Droplet]
    others: tuple[Live, ...]
    whole: bool
    kept: Mapping[str, int]
    strangers: tuple[Droplet, ...]

    def plan(self) -> Plan:
        """Droplets first, the tag last: what is left of a run that was cut short still has its mark."""
        found = [one.to_live(f"{KIND} {one.name} {one.id}") for one in self.droplets.values()]
        return dismantle([*found, *self.others], GRAPH)


def ensure_absent(context: Context, run: Run, options: DropletOptions) -> Outcome:
    """None of the droplets, and nothing left of them that was made for them."""
    seen = look(run)
    proven = _proven(run, seen)
    doomed = _doomed(run, options, seen)
    _warn(run, doomed)
    if context.params["verify_only"]:
        return _verified(run, options, seen, doomed, proven)
    plan = doomed.plan()
    if context.check_mode:
        return Outcome(_result(doomed, proven, gone=not doomed.droplets), in_batches(plan), plan.diff())
    removal = Removal(run, seen.account, concerns_names(options.names), {one["id"]: one for one in proven})
    if not doomed.droplets and (doomed.others or run.ledger.droplets or run.ledger.unanswered):
        doomed = _surfaced(doomed, removal)  # a list that shows nothing is not believed at once
        plan = doomed.plan()
    steps = in_batches(plan)
    applied = apply(steps, _handlers(run, seen, removal), {one.key: one for one in doomed.others})
    with applied.then("close the ledger"):
        _close(run, doomed)
    return Outcome(_result(doomed, removal.proof.values(), gone=True), steps, plan.diff())


def _doomed(run: Run, options: DropletOptions, seen: Look) -> Doomed:
    concerned = concerns_names(options.names)
    droplets = {number: one for number, one in seen.ours.items() if concerned(one)}
    strangers = [
        one for number, one in seen.everything.items() if number not in seen.ours and one.name in _asked(options)
    ]
    whole = options.names is None
    counts = carriers(seen.tag)
    kept = {word: counts[kind] for kind, word in KEPT.items() if whole and counts.get(kind)}
    others: list[Live | None] = []
    if whole:
        others = [seen.firewall, None if kept else seen.tag]
        if seen.tag:  # the list of keys is rationed, and a set without a tag is gone
            others.extend(keys.our_keys(run.api, run.mark))
    return Doomed(droplets, tuple(one for one in others if one), whole, kept, tuple(strangers))


def _asked(options: DropletOptions) -> tuple[str, ...]:
    return options.names or ()


def _surfaced(doomed: Doomed, removal: Removal) -> Doomed:
    return Doomed(removal.settle(), doomed.others, doomed.whole, doomed.kept, doomed.strangers)


def _handlers(run: Run, seen: Look, removal: Removal) -> dict[str, Any]:
    return {
        BATCH: BatchHandler(run, seen.account, removal),
        firewall.KIND: FirewallHandler(run.api, run.mark),
        keys.KIND: KeyHandler(run.api, run.mark),
        tag.KIND: TagHandler(run.api, run.mark, run.deadline, run.pace),
    }


def _proven(run: Run, seen: Look) -> list[dict[str, Any]]:
    """What the ledger knows and is gone already, with the answer that says so."""
    found = []
    for number, name in run.ledger.droplets.items():
        if number not in seen.everything:
            try:
                read_droplet(run.api, number)
            except NotFoundError as error:
                found.append(proof(number, name, error))
    return found


def _verified(run: Run, options: DropletOptions, seen: Look, doomed: Doomed, proven: list[dict[str, Any]]) -> Outcome:
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
    return Outcome(_result(doomed, proven, gone=True), Plan())


def _close(run: Run, doomed: Doomed) -> None:
    """Nothing is left to remember: of the whole set, or of what was named."""
    if doomed.whole:
        run.ledger.close()


def _warn(run: Run, doomed: Doomed) -> None:
    for one in doomed.strangers:
        run.warn(f"Droplet {one.name} ({one.id}) was not made by this set, and stays.")
    if doomed.kept:
        words = " and ".join(f"{count} {kind}" for kind, count in doomed.kept.items())
        run.warn(f"{words} with tag {run.tag} stay, and cost as before; the tag stays with them.")
    for kind in ("volume", "snapshot"):
        held = [number for one in doomed.droplets.values() for number in getattr(one, f"{kind}_ids")]
        if held:
            run.warn(f"These {kind}s of the droplets stay, and cost as before: {several(held)}.")


def _result(doomed: Doomed, proven: Iterable[dict[str, Any]], *, gone: bool) -> dict[str, Any]:
    return {
        "gone": gone,
        "proof": sorted(proven, key=lambda one: str(one["name"])),
        "droplets": [] if gone else [one.to_result() for one in doomed.droplets.values()],
        "monthly_cost": 0.0 if gone else monthly_cost(doomed.droplets.values()),
        "kept": dict(doomed.kept),
    }
