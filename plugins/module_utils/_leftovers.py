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
from typing import Any

from ._errors import SchedulersError
from ._ownership import APP, OWNER, PART
from ._parallel import gather


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
class Place:
    """Where leftovers of some kinds may be."""

    kinds: tuple[str, ...]
    find: Callable[[], Iterable[Leftover]]


@dataclass(frozen=True)
class Report:
    """What was found where, and where nobody could look."""

    leftovers: tuple[Leftover, ...] = ()
    looked_at: tuple[str, ...] = ()
    refused: tuple[tuple[tuple[str, ...], SchedulersError], ...] = field(default=())

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
            "could_not_look": [{"kinds": list(kinds), "why": error.sentence()} for kinds, error in self.refused],
        }


def look(places: Mapping[str, Place]) -> Report:
    """Look everywhere, in parallel. What is found in two places is told once, as the first of them told it.

    Raises:
        SchedulersError: that of the first place, if nobody could look anywhere.
    """
    answers = gather({name: partial(_try, place) for name, place in places.items()})
    refused = [(places[name].kinds, answer) for name, answer in answers.items() if isinstance(answer, SchedulersError)]
    if refused and len(refused) == len(places):
        raise refused[0][1]
    found: dict[tuple[str, str], Leftover] = {}
    looked_at: list[str] = []
    for name, answer in answers.items():
        if not isinstance(answer, SchedulersError):
            looked_at.extend(places[name].kinds)
            for one in answer:
                found.setdefault((one.provider, one.id), one)
    return Report(tuple(found.values()), tuple(looked_at), tuple(refused))


def _try(place: Place) -> list[Leftover] | SchedulersError:
    try:
        return list(place.find())
    except SchedulersError as error:
        return error
