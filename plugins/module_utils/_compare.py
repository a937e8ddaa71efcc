# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare what is wanted with what is there, and name the field that differs.

The rule of the whole collection: an omitted option (missing, or None) is not managed; a given one is compared in full,
down to the last list item. Whoever calls this has normalised both sides first. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """One field that is not as wanted.

    Attributes:
        path: where ("containers[web].environment.COLOUR").
        before: the live value, None if there is none.
        after: the wanted value, None if the live one has to go.
    """

    path: str
    before: Any
    after: Any

    @property
    def field(self) -> str:
        """The top-level field, as rules speak of it."""
        return self.path.split(".", 1)[0].split("[", 1)[0]


def differences(
    wanted: Mapping[str, Any],
    live: Mapping[str, Any],
    *,
    subset: Collection[str] = ("tags",),
) -> tuple[Difference, ...]:
    """All fields of ``wanted`` that are different in ``live``.

    Args:
        wanted: fields with None are not managed and not compared.
        live: may have more fields than wanted.
        subset: mapping fields in which further live keys are none of our business (tags, by default).
    """
    found: list[Difference] = []
    for name, value in wanted.items():
        if value is None:
            continue
        there = live.get(name)
        if name in subset and isinstance(value, Mapping) and isinstance(there, Mapping):
            there = {key: there[key] for key in there if key in value}
        found.extend(_walk(name, there, value))
    return tuple(found)


def _walk(path: str, live: Any, wanted: Any) -> Iterator[Difference]:
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        for key in sorted({*wanted, *live}, key=str):
            yield from _walk(f"{path}.{key}", live.get(key), wanted.get(key))
    elif _is_list(wanted) and _is_list(live):
        yield from _walk_lists(path, live, wanted)
    elif not _same(live, wanted):
        yield Difference(path, live, wanted)


def _walk_lists(path: str, live: Sequence[Any], wanted: Sequence[Any]) -> Iterator[Difference]:
    before, after = _by_name(live), _by_name(wanted)
    common = {*before} & {*after}
    if common and [name for name in before if name in common] == [name for name in after if name in common]:
        # an item more or less is no change of those behind it
        for name in {**after, **before}:
            yield from _walk(f"{path}[{name}]", before.get(name), after.get(name))
        return
    for index in range(max(len(live), len(wanted))):
        old = live[index] if index < len(live) else None
        new = wanted[index] if index < len(wanted) else None
        yield from _walk(f"{path}[{_label(new, old, index)}]", old, new)


def _by_name(items: Sequence[Any]) -> dict[str, Any]:
    """The items of a list by their names, empty if not each has one of its own."""
    named = {one["name"]: one for one in items if isinstance(one, Mapping) and isinstance(one.get("name"), str)}
    return named if len(named) == len(items) else {}


def _label(after: Any, before: Any, index: int) -> str:
    """A list item is named by its name where it has one: "[web]" says more than "[0]"."""
    for item in (after, before):
        if isinstance(item, Mapping) and isinstance(item.get("name"), str):
            return str(item["name"])
    return str(index)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _same(live: Any, wanted: Any) -> bool:
    # bool is an int in Python, but `true` is not 1 to any provider
    if isinstance(live, bool) is not isinstance(wanted, bool):
        return False
    return bool(live == wanted)
