# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists: filters (those that the type does not know are ignored), order, pages, and what is included."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from lab.rancher.context import Context
from lab.rancher.errors import invalid
from lab.rancher.schema import Schema

_OUR_OWN = ("limit", "marker", "sort", "order", "include", "projectid", "_removed", "_role", "_method", "_format")
_DEFAULT_LIMIT = 100
_LARGEST_LIMIT = 3000
Row = dict[str, Any]
Filter = tuple[str, str, str]
"""Field, modifier, value."""


def filters_of(schema: Schema, query: Sequence[tuple[str, str]]) -> list[Filter]:
    """Those filters of the query that the type knows; everything else is ignored, without a word."""
    known = schema.modifiers()
    found: list[Filter] = []
    for name, value in query:
        if name.lower() in _OUR_OWN:
            continue
        field, _unused, modifier = name.rpartition("_")
        if name in known:
            found.append((name, "eq", value))
        elif field in known and modifier in known[field]:
            found.append((field, modifier, value))
    return found


def matches(row: Row, conditions: Sequence[Filter]) -> bool:
    """Several values for the same field and modifier are alternatives, as in `state=a&state=b`."""
    groups: dict[tuple[str, str], list[str]] = {}
    for field, modifier, value in conditions:
        groups.setdefault((field, modifier), []).append(value)
    return all(_group(row.get(field), modifier, values) for (field, modifier), values in groups.items())


def _group(value: Any, modifier: str, wanted: list[str]) -> bool:
    if modifier in ("ne", "notlike"):
        return all(_TESTS[modifier](value, each) for each in wanted)
    return any(_TESTS[modifier](value, each) for each in wanted)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _like(value: Any, pattern: str) -> bool:
    expression = "".join(".*" if each == "%" else re.escape(each) for each in pattern)
    return value is not None and re.fullmatch(expression, _text(value), re.IGNORECASE | re.DOTALL) is not None


def _compare(test: Callable[[Any, Any], bool]) -> Callable[[Any, str], bool]:
    def compare(value: Any, wanted: str) -> bool:
        if value is None:
            return False
        if isinstance(value, int) and re.fullmatch(r"-?\d+", wanted):
            return test(value, int(wanted))
        return test(_text(value), wanted)

    return compare


# capitals do not count: the server's database compares that way
_TESTS: dict[str, Callable[[Any, str], bool]] = {
    "eq": lambda value, wanted: value is not None and _text(value).lower() == wanted.lower(),
    "ne": lambda value, wanted: value is not None and _text(value).lower() != wanted.lower(),
    "lt": _compare(lambda one, other: bool(one < other)),
    "lte": _compare(lambda one, other: bool(one <= other)),
    "gt": _compare(lambda one, other: bool(one > other)),
    "gte": _compare(lambda one, other: bool(one >= other)),
    "prefix": lambda value, wanted: value is not None and _text(value).lower().startswith(wanted.lower()),
    "like": _like,
    "notlike": lambda value, wanted: value is not None and not _like(value, wanted),
    "null": lambda value, _wanted: value is None,
    "notnull": lambda value, _wanted: value is not None,
}


def collection(
    context: Context, schema: Schema, url: str, rows: list[Row], query: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """The page of `rows` (already filtered) that the query asks for, as the API wraps it."""
    asked = dict(query)
    rows = _sorted(rows, asked)
    limit, offset = _limit(asked), _offset(asked)
    page = rows[offset : offset + limit]
    more = offset + limit < len(rows)
    return {
        "type": "collection",
        "resourceType": schema.name,
        "links": {"self": url},
        "createTypes": {schema.name: url} if "POST" in schema.collection else {},
        "actions": {},
        "data": page,
        "sortLinks": {name: _with(url, query, sort=name) for name in sorted(schema.modifiers())},
        "pagination": {
            "first": _with(url, query, marker=None) if offset else None,
            "previous": _with(url, query, marker=f"m{max(offset - limit, 0)}") if offset else None,
            "next": _with(url, query, marker=f"m{offset + limit}") if more else None,
            "limit": limit,
            "total": None,
            "partial": more or offset > 0,
        },
        "sort": {"name": asked["sort"], "order": asked.get("order", "asc"), "reverse": None}
        if "sort" in asked
        else None,
        "filters": _shown_filters(schema, query),
        "createDefaults": {},
    }


def _sorted(rows: list[Row], asked: dict[str, str]) -> list[Row]:
    name = asked.get("sort")
    if not name:
        return rows
    backwards = asked.get("order", "asc").lower() == "desc"
    return sorted(rows, key=lambda row: (row.get(name) is None, _text(row.get(name))), reverse=backwards)


def _limit(asked: dict[str, str]) -> int:
    if "limit" not in asked:
        return _DEFAULT_LIMIT
    try:
        limit = int(asked["limit"])
    except ValueError:
        return _DEFAULT_LIMIT
    return min(limit, _LARGEST_LIMIT) if limit > 0 else _LARGEST_LIMIT


def _offset(asked: dict[str, str]) -> int:
    marker = asked.get("marker", "")
    if not marker:
        return 0
    if not re.fullmatch(r"m\d+", marker):
        raise invalid("InvalidFormat", "marker")
    return int(marker[1:])


def _with(url: str, query: Sequence[tuple[str, str]], **changes: str | None) -> str:
    kept = [(name, value) for name, value in query if name not in changes]
    kept += [(name, value) for name, value in changes.items() if value is not None]
    return f"{url}?{urlencode(kept)}" if kept else url


def _shown_filters(schema: Schema, query: Sequence[tuple[str, str]]) -> dict[str, Any]:
    shown: dict[str, Any] = dict.fromkeys(schema.modifiers())
    for field, modifier, value in filters_of(schema, query):
        shown[field] = [*(shown[field] or []), {"modifier": modifier, "value": value}]
    return shown
