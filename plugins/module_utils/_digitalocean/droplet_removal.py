# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Droplets gone, and proven to be gone.

A 204 means that a delete was accepted, no more: it may be forgotten, refused for a while, or come too early; lists may
be behind, or empty by mistake. So each droplet is looked at by its id until DigitalOcean itself does not find it, and
deleted again meanwhile if it stays; then the lists have to show nothing several times over a while. Every time it is
made sure that the account is the right one: to another team nothing of ours exists. PRIVATE.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .._clock import Deadline
from .._errors import AuthError, NotFoundError, NotOursError, SchedulersError, UnreachableError
from .._parallel import gather
from .._wait import Pace, wait_until
from .account import Account, read_account
from .droplet_look import marked
from .droplets import Droplet, gone_by, list_droplets, read_droplet
from .run import Run

AGAIN_SECONDS = 15.0  # a delete that is repeated sooner may only postpone the end
LOOKS = 3
UNANSWERED_TIMES = 3  # what was asked for and never answered may surface later than what was


@dataclass
class Removal:
    """The state of one removal.

    Attributes:
        concerns: whether a droplet with the mark is among those to be removed: all of the set, or those of some names.
        proof: what is gone, with how DigitalOcean said so, by id.
    """

    run: Run
    account: Account
    concerns: Callable[[Droplet], bool] = lambda _droplet: True
    proof: dict[int, dict[str, Any]] = field(default_factory=dict)
    _asked: dict[int, float] = field(default_factory=dict)
    _remarks: dict[int, str] = field(default_factory=dict)
    _known: set[int] = field(default_factory=set)

    def remove(self, droplets: Mapping[int, Droplet], *, doing: str) -> None:
        """Remove these, and whatever of the set surfaces meanwhile.

        Raises:
            WaitTimeoutError: some are still there; the details name them.
        """
        left = dict(droplets)
        while left:
            self._known.update(left)
            self._until_gone(left, doing)
            left = self.settle()

    def settle(self) -> dict[int, Droplet]:
        """Look at the lists until they have shown nothing for a while; what they show comes back at once."""
        seconds = self.run.settle_seconds * (UNANSWERED_TIMES if self.run.ledger.unanswered else 1)
        pause = Pace(first=seconds / (LOOKS - 1), factor=1.0, cap=seconds)
        looks: list[dict[int, Droplet]] = []
        wait_until(
            lambda: looks.append(self.look_once()),
            ready=lambda _nothing: bool(looks[-1]) or len(looks) >= LOOKS,
            deadline=Deadline(self.run.clock, math.inf),  # so many looks, however long each takes
            doing="make sure that the droplets are gone",
            pace=pause,
        )
        return looks[-1]

    def check_account(self) -> None:
        """Whether the token still is that of the account in which all this happens.

        Raises:
            NotOursError: it is not.
        """
        now = read_account(self.run.api)
        if now.uuid != self.account.uuid:
            raise NotOursError(f"the account has changed meanwhile, from {self.account.uuid} to {now.uuid}")

    def note(self) -> None:
        """Write down what is proven."""
        self.run.ledger.remove(self.proof.values())

    def look_once(self) -> dict[int, Droplet]:
        """What two lists show of the set: they may be served from different places."""
        self.check_account()
        tagged = list_droplets(self.run.api, self.run.tag)
        everything = list_droplets(self.run.api)
        ours = marked(self.run, [*tagged, *everything])
        ours |= {one.id: one for one in everything if one.id in self._known}
        return {number: one for number, one in ours.items() if self.concerns(one)}

    def _until_gone(self, left: dict[int, Droplet], doing: str) -> None:
        try:
            wait_until(
                lambda: self._round(left),
                ready=lambda still: not still,
                deadline=self.run.deadline,
                doing=doing,
                describe=self._describe,
                events=lambda _still: list(self._remarks.values()),
                hint="They cost as before. Run the same task again.",
                pace=self.run.pace,
            )
        except SchedulersError as error:
            error.details["survivors"] = [one.to_result() for one in left.values()]
            raise

    def _round(self, left: dict[int, Droplet]) -> dict[int, Droplet]:
        """Ask for what is left to be deleted, where that was not done lately, and look at what became of the rest."""
        now = self.run.clock.now()
        due = [one for one in left if now - self._asked.get(one, -AGAIN_SECONDS) >= AGAIN_SECONDS]
        gather({str(one): partial(self._delete, left[one]) for one in due})
        self._asked.update(dict.fromkeys(due, now))
        listed = {one.id: one for one in list_droplets(self.run.api, self.run.tag)}
        left.update({one: listed[one] for one in left if one in listed})
        unlisted = [one for one in left if one not in listed]
        looks = gather({str(one): partial(self._look, left[one]) for one in unlisted})
        for number in [one for one in unlisted if looks[str(one)]]:
            del left[number]
        self.note()
        return left

    def _delete(self, droplet: Droplet) -> None:
        try:
            self.run.api.call("DELETE", f"droplets/{droplet.id}", doing=f"delete droplet {droplet.name}")
        except NotFoundError:
            return  # to be seen at the look that follows
        except (AuthError, UnreachableError):
            raise
        except SchedulersError as error:
            # a pending event, a limit, a bad moment: there is a next round
            self._remarks[droplet.id] = error.sentence()

    def _look(self, droplet: Droplet) -> bool:
        """Whether DigitalOcean does not find a droplet by its id."""
        try:
            read_droplet(self.run.api, droplet.id)
        except NotFoundError as error:
            self.proof[droplet.id] = gone_by(droplet.id, droplet.name, error)
            return True
        return False

    def _describe(self, left: Mapping[int, Droplet]) -> str:
        return ", ".join(f"{one.name} ({one.id}) is {one.status}" for one in left.values())


def concerns_names(names: Collection[str] | None) -> Callable[[Droplet], bool]:
    """Which droplets of the set are meant: those of these names, or all."""
    return lambda droplet: names is None or droplet.name in names
