# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A look at a set of droplets: in the list, by its tag, and one by one where the ledger knows more. PRIVATE."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from .._clock import Deadline
from .._errors import NotFoundError
from .._ownership import only_one, require_ours
from .._parallel import gather
from .._plan import Live
from .._wait import wait_until
from .account import Account, read_account
from .api import DigitalOcean
from .droplets import Droplet, gone_by, list_droplets, read_droplet
from .firewall import read_firewall
from .marks import as_mark_tags, owner_of
from .run import Run
from .tag import carriers, read_tag


@dataclass(frozen=True)
class Look:
    """What was seen.

    Attributes:
        everything: all droplets of the account, for its limit and for names that others have.
        ours: those that carry the mark, or whose ids the ledger has and that carry none, by id.
        gone: what the ledger has and DigitalOcean does not know, with the answers that say so.
    """

    account: Account
    everything: Mapping[int, Droplet]
    ours: Mapping[int, Droplet]
    tag: Live | None
    firewall: Live | None
    gone: Sequence[dict[str, Any]]


def look(run: Run, *, gone: Collection[str] = (), to_prove: bool = False) -> Look:
    """Everything that there is of a set.

    Args:
        gone: names of droplets that are ours should they have come back, by their ids, without the mark.
        to_prove: whether lists are not enough to say that they have not.

    Raises:
        NotOursError: the ledger was kept in another account.
    """
    found: dict[str, Any] = gather(
        {
            "account": lambda: read_account(run.api),
            "droplets": lambda: {one.id: one for one in list_droplets(run.api)},
            "tag": lambda: read_tag(run.api, run.mark),
            "firewall": lambda: read_firewall(run.api, run.mark),
        }
    )
    account, tag = found["account"], found["tag"]
    run.ledger.check(account, to_prove=to_prove)
    remembered = run.ledger.droplets | {one: name for one, name in run.ledger.gone.items() if name in gone}
    asked = remembered if to_prove else run.ledger.droplets
    there, proof = _ask_for(run, {one: name for one, name in asked.items() if one not in found["droplets"]})
    everything = {**found["droplets"], **there}
    if carriers(tag).get("droplets", 0) > len(marked(run, everything.values())):
        everything = {**everything, **_caught_up(run, carriers(tag)["droplets"])}
    known = {one: everything[one] for one in remembered if one in everything}
    # one that has got another set's mark since is that set's
    ours = marked(run, everything.values()) | {number: one for number, one in known.items() if not owner_of(one.tags)}
    return Look(account, everything, ours, tag, found["firewall"], proof)


def marked(run: Run, droplets: Iterable[Droplet]) -> dict[int, Droplet]:
    """Those that carry the mark."""
    return {one.id: one for one in droplets if run.tag in one.tags}


def _ask_for(run: Run, missing: Mapping[int, str]) -> tuple[dict[int, Droplet], list[dict[str, Any]]]:
    """What a list does not show, asked for by id, as lists can be behind; and what is gone."""
    answers = gather({str(one): partial(_ask, run.api, one) for one in missing})
    there = {one.id: one for one in answers.values() if isinstance(one, Droplet)}
    gone = [
        gone_by(int(number), missing[int(number)], answer)
        for number, answer in answers.items()
        if isinstance(answer, NotFoundError)
    ]
    return there, gone


def _ask(api: DigitalOcean, number: int) -> Droplet | NotFoundError:
    try:
        return read_droplet(api, number)
    except NotFoundError as error:
        return error


def find_droplet(api: DigitalOcean, number: int) -> Droplet | None:
    """A droplet by its id, None if there is none."""
    answer = _ask(api, number)
    return answer if isinstance(answer, Droplet) else None


def _caught_up(run: Run, count: int) -> dict[int, Droplet]:
    """The droplets that carry the tag, once as many are listed as the tag counts. The count may be behind as well."""
    deadline = Deadline(run.clock, run.settle_seconds)
    return wait_until(
        lambda: marked(run, list_droplets(run.api, run.tag)),
        ready=lambda droplets: len(droplets) >= count or deadline.passed(),
        deadline=deadline,
        doing=f"list the droplets with tag {run.tag}",
        pace=run.pace,
    )


def named(run: Run, seen: Look, names: Iterable[str], *, adopt: bool) -> dict[str, Droplet]:
    """The droplets of these names that are ours, or become so, by name.

    Raises:
        ConflictError: there are several of one name.
        NotOursError: there is one that is not ours.
    """
    found: dict[str, Droplet] = {}
    for name in names:
        own = {str(one.id): one for one in seen.ours.values() if one.name == name}
        others = {str(one.id): one for one in seen.everything.values() if one.name == name}
        for one in () if own else others.values():
            require_ours(run.mark, as_mark_tags(one.tags), f"droplet {name} ({one.id})", adopt=adopt)
        number = only_one(own or others, f"droplet {name}")
        if number:
            found[name] = (own or others)[number]
    return found
