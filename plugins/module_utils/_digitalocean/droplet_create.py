# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making droplets, ten in a request, and each of them once.

The API has no token that would make a create safe to repeat. After an answer that was lost, what it made is looked for
by tag and name for as long as lists may be behind, and only what is missing then is asked for again. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .._clock import Deadline
from .._errors import AnswerLostError, SchedulersError
from .._plan import Live, Spec, Step
from .._wait import wait_until
from .droplet_look import marked
from .droplet_plan import BATCH
from .droplet_removal import Removal
from .droplets import Droplet, list_droplets
from .run import Run

LOOKING_TIMES = 2  # as often as lists are trusted to be behind


class BatchHandler:
    """Makes droplets in batches, and removes all that a plan names at once.

    Args:
        user_data: kept out of the plan, and so out of every diff.
        removal: how they go.
    """

    def __init__(self, run: Run, removal: Removal, user_data: str | None = None) -> None:
        self._run = run
        self._removal = removal
        self._user_data = user_data

    def create(self, step: Step, spec: Spec) -> Live:
        names = list(spec["names"])
        made = self._earlier(names)
        attempt = 1
        while missing := [one for one in names if one not in _names(made)]:
            try:
                made |= self._post(self._body(spec, missing), missing, f"create {step.label}")
            except AnswerLostError:
                made |= self._look_for(missing)
                attempt += 1
                if attempt > self._run.api.policy.attempts and len(made) < len(names):
                    raise
        return Live(step.key, BATCH, step.name, "", attributes={"droplets": made})

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        raise NotImplementedError("a batch is made or removed")

    def delete(self, step: Step, live: Live) -> None:
        self._removal.remove({one.id: one for one in live.attributes["droplets"].values()}, doing=step.sentence)

    def _earlier(self, names: Collection[str]) -> dict[int, Droplet]:
        """What an earlier run asked for, and never heard of again."""
        lost = self._run.ledger.unanswered & {*names}
        return self._look_for(lost) if lost else {}

    def _post(self, body: dict[str, Any], names: Collection[str], doing: str) -> dict[int, Droplet]:
        ledger = self._run.ledger
        ledger.expect(names)
        try:
            answer = self._run.api.call("POST", "droplets", body=body, doing=doing)
        except AnswerLostError:
            raise
        except SchedulersError:
            ledger.never_made(names)
            raise
        made = {one.id: one for one in map(Droplet.of, answer["droplets"])}
        ledger.add({number: one.name for number, one in made.items()})
        return made

    def _look_for(self, names: Collection[str]) -> dict[int, Droplet]:
        """Droplets of these names with our mark, as soon as all are there, or those that are after a while."""
        deadline = Deadline(self._run.clock, LOOKING_TIMES * self._run.settle_seconds)
        found = wait_until(
            lambda: self._there(names),
            ready=lambda droplets: _names(droplets) >= {*names} or deadline.passed(),
            deadline=deadline,
            doing="look for droplets whose creation was not answered",
            pace=self._run.pace,
        )
        self._run.ledger.add({number: one.name for number, one in found.items()})
        return found

    def _there(self, names: Collection[str]) -> dict[int, Droplet]:
        ours = marked(self._run, list_droplets(self._run.api))
        return {number: one for number, one in ours.items() if one.name in names}

    def _body(self, spec: Spec, names: Collection[str]) -> dict[str, Any]:
        """The request. What is not given is left out: the API does not take null for most of it."""
        given = {
            **{option: spec.get(option) for option in ("region", "size", "vpc_uuid", "monitoring", "ipv6")},
            "image": int(spec["image"]) if str(spec["image"]).isdigit() else spec["image"],
            "ssh_keys": [int(one) for one in spec["ssh_keys"]],
            "user_data": self._user_data,
        }
        fields = {name: value for name, value in given.items() if value is not None}
        return {"names": list(names), "tags": list(spec["tags"]), **fields}


def _names(droplets: Mapping[int, Droplet]) -> set[str]:
    return {one.name for one in droplets.values()}
