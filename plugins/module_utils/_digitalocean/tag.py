# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tag of a set: made first, so that nothing is ever made without it, and removed last. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping

from .._clock import Deadline
from .._ownership import Mark
from .._plan import Live, Spec, Step, Wanted
from .._retry import Effect
from .._wait import Pace, wait_until
from .api import DigitalOcean
from .marks import owner_tag

KIND = "tag"
KEY = "tag"


def read_tag(api: DigitalOcean, mark: Mark) -> Live | None:
    """The tag of a set, with how many things carry it."""
    return find_tag(api, owner_tag(mark.owner))


def require_sight(api: DigitalOcean) -> None:
    """Fail without the scope tag:read: nothing would seem to have a mark then."""
    api.get("tags", query={"per_page": 1}, doing="look whether tags can be seen")


def find_tag(api: DigitalOcean, name: str) -> Live | None:
    """A tag by its name.

    It also shows that the token may see tags: without that scope nothing would seem to be ours.
    """
    answer = api.find(f"tags/{name}", "tag", doing=f"look for tag {name}")
    if answer is None:
        return None
    resources = answer.get("resources") or {}
    counts = {kind: int(one["count"]) for kind, one in resources.items() if isinstance(one, dict) and "count" in one}
    return Live(KEY, KIND, name, name, attributes={"counts": counts})


def carriers(tag: Live | None) -> Mapping[str, int]:
    """How many things of which kind carry the tag, by the provider's word for the kind."""
    counts: Mapping[str, int] = tag.attributes["counts"] if tag else {}
    return {kind: count for kind, count in counts.items() if count}


def wanted_tag(mark: Mark) -> Wanted:
    """The tag as it should be: there."""
    return Wanted(KEY, KIND, owner_tag(mark.owner), {})


def ensure_tag(api: DigitalOcean, name: str) -> str:
    """Make a tag; one that is there is as good. The name by which it is known: in the case of its first time."""
    answer = api.call("POST", "tags", body={"name": name}, doing=f"make tag {name}", effect=Effect.IDEMPOTENT)
    return str(answer["tag"]["name"])


class TagHandler:
    """Makes and removes the tag.

    Args:
        deadline: until when things that still carry the tag are waited for before it is removed.
    """

    def __init__(self, api: DigitalOcean, mark: Mark, deadline: Deadline, pace: Pace) -> None:
        self._api = api
        self._mark = mark
        self._deadline = deadline
        self._pace = pace

    def create(self, step: Step, spec: Spec) -> Live:
        ensure_tag(self._api, step.name)
        return Live(KEY, KIND, step.name, step.name, spec)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        raise NotImplementedError("a tag has nothing that could be changed")

    def delete(self, step: Step, live: Live) -> None:
        """Remove it, once DigitalOcean agrees that nothing carries it: what is left then would have lost its mark."""
        wait_until(
            lambda: carriers(read_tag(self._api, self._mark)),
            ready=lambda counts: not counts,
            deadline=self._deadline,
            doing=f"remove {step.label}",
            describe=lambda counts: ", ".join(f"{count} {kind} carry it" for kind, count in counts.items()),
            hint="Run the same task again.",
            pace=self._pace,
        )
        self._api.remove(f"tags/{live.id}", doing=f"remove {step.label}")
