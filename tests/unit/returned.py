# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module returns is what its RETURN says: keys, types, and what can be null."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import yaml
from ansible_collections.container.schedulers.plugins.module_utils._module import Outcome
from unit.module_specs import module_of, name_of

TYPES = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict}


def as_documented(run: Callable[..., Any], outcome: Outcome) -> Outcome:
    """The outcome of a module's function, if what the module documents is true of it."""
    name = name_of(run)
    own = {key: value for key, value in outcome.result.items() if key != "failed"}  # which is Ansible's
    untrue = [*_untrue(_documented(name), own)]
    assert not untrue, f"RETURN of {name}: {untrue}"
    return outcome


@cache
def _documented(name: str) -> dict[str, Any]:
    documented: dict[str, Any] = yaml.safe_load(module_of(name).RETURN)
    return documented


def _untrue(
    contains: Mapping[str, Any], values: Mapping[str, Any], above: str = "", *, null: bool = False
) -> Iterator[str]:
    """What is not as documented.

    Args:
        above: the keys that lead here, with a dot at their end.
        null: it is said there that there may be nothing.
    """
    yield from (f"{above}{key} is not documented" for key in values.keys() - contains.keys())
    for key, said in contains.items():
        if key in values:
            yield from _untrue_value(said, values[key], f"{above}{key}", null=null)
        elif said.get("returned", "success") == "success":
            yield f"{above}{key} is missing"


def _untrue_value(said: Mapping[str, Any], value: Any, place: str, *, null: bool) -> Iterator[str]:
    null = null or "null" in str(said["description"]).lower()
    if value is None:
        yield from () if null else (f"{place} is null",)
    elif not isinstance(value, TYPES[said["type"]]) or isinstance(value, bool) != (said["type"] == "bool"):
        yield f"{place} is {value!r}"
    elif isinstance(value, dict) and "contains" in said:
        yield from _untrue(said["contains"], value, f"{place}.", null=null)
    elif isinstance(value, list):
        one = {**said, "type": said["elements"]}
        for element in value:
            yield from _untrue_value(one, element, f"{place}[]", null=null)
