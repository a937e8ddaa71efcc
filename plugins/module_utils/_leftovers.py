# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What carries our mark, wherever it is, and what it costs.

A provider brings places to look at. A place that cannot be looked at is named: "nothing is left" and "could not ask"
must never be taken for each other. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from ._errors import SchedulersError
from ._ownership import APP, OWNER, PART
from ._parallel import gather

T = TypeVar("T")


@dataclass(frozen=True)
class State:
    """How a thing is.

    Attributes:
        name: the provider's word ("running").
        why: what makes it worth a look ("20 GiB of gp3, attached to nothing").
        monthly_cost: US dollars, None if unknown.
    """

    name: str
    why: str = "carries our mark"
    monthly_cost: float | None = 0.0


@dataclass(frozen=True)
class Leftover:
    """A thing with our mark."""

    provider: str
    kind: str
    id: str
    region: str
    tags: Mapping[str, str]
    state: State
    name: str = ""

    def belongs_to(self, owner: str) -> bool:
        """Whether it has the mark of this owner, or of anybody if that is empty."""
        whose = self.tags.get(OWNER, "")
        return whose == owner if owner else bool(whose)

    def to_result(self) -> dict[str, Any]:
        """The thing as the module returns it."""
        return {
            "provider": self.provider,
            "kind": self.kind,
            "id": self.id,
            "name": self.name or self.tags.get("Name", "") or self.id,
            "owner": self.tags.get(OWNER, ""),
            "app": self.tags.get(APP, ""),
            "part": self.tags.get(PART, ""),
            "region": self.region,
            "state": self.state.name,
            "why": self.state.why,
            "monthly_cost": self.state.monthly_cost,
        }


@dataclass(frozen=True)
class Refusal:
    """Kinds of things that could not be looked at, and why."""

    kinds: tuple[str, ...]
    error: SchedulersError


@dataclass(frozen=True)
class Place:
    """Where leftovers of some kinds may be. What of it refuses hides nothing of the rest."""

    kinds: tuple[str, ...]
    find: Callable[[], Iterable[Leftover | Refusal]]


@dataclass(frozen=True)
class Report:
    """What was found where, and where nobody could look."""

    leftovers: tuple[Leftover, ...] = ()
    looked_at: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = field(default=())

    def to_result(self) -> dict[str, Any]:
        """The report as the module returns it, the dearest first."""
        costs = [one.state.monthly_cost for one in self.leftovers]
        dearest_first = sorted(self.leftovers, key=lambda one: (-(one.state.monthly_cost or 0), one.kind, one.id))
        return {
            "leftovers": [one.to_result() for one in dearest_first],
            "count": len(costs),
            "monthly_cost": round(sum((cost for cost in costs if cost is not None), 0.0), 2),
            "unpriced": costs.count(None),
            "looked_at": sorted({*self.looked_at}),
            "could_not_look": [{"kinds": list(one.kinds), "why": one.error.sentence()} for one in self.refused],
        }


def look(places: Mapping[str, Place]) -> Report:
    """Look everywhere, in parallel. What is found in two places is told once, as the first of them told it.

    Raises:
        SchedulersError: that of the first place, if nobody could look anywhere.
    """
    answers = gather({name: partial(tried, partial(_found, place)) for name, place in places.items()})
    refused: list[Refusal] = []
    found: dict[tuple[str, str], Leftover] = {}
    looked_at: list[str] = []
    for name, answer in answers.items():
        kinds = places[name].kinds
        things = [Refusal(kinds, answer)] if isinstance(answer, SchedulersError) else answer
        blind = [one for one in things if isinstance(one, Refusal)]
        hidden = {kind for one in blind for kind in one.kinds}
        refused.extend(blind)
        looked_at.extend(kind for kind in kinds if kind not in hidden)
        for one in things:
            if isinstance(one, Leftover):
                found.setdefault((one.provider, one.id), one)
    if refused and not looked_at and not found:
        raise refused[0].error
    return Report(tuple(found.values()), tuple(looked_at), tuple(refused))


def _found(place: Place) -> list[Leftover | Refusal]:
    return list(place.find())


def tried(read: Callable[[], T]) -> T | SchedulersError:
    """What a read answers, or why it cannot."""
    try:
        return read()
    except SchedulersError as error:
        return error
