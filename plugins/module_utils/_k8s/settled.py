# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Telling without asking the server that an object is as its manifest says.

The server notes which fields each manager set. If the fields noted as ours are those of the manifest, and their values
are the live ones, applying it again would do nothing: a run over 300 unchanged objects needs a list instead of 300
requests. Whatever cannot be told for sure counts as not settled, and the server is asked. Pure. PRIVATE.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .api import MANAGER

_NEVER_NOTED = frozenset({"apiVersion", "kind"})
_NEVER_NOTED_METADATA = frozenset({"name", "namespace"})


def is_settled(live: Mapping[str, Any], manifest: Mapping[str, Any]) -> bool:
    """Whether applying the manifest would surely change nothing."""
    noted = _noted(live)
    if noted is None or live["metadata"].get("deletionTimestamp"):
        return False
    body = {name: value for name, value in manifest.items() if name not in _NEVER_NOTED}
    body["metadata"] = {
        name: value for name, value in manifest["metadata"].items() if name not in _NEVER_NOTED_METADATA
    }
    return _same(noted, live, body)


def _noted(live: Mapping[str, Any]) -> Mapping[str, Any] | None:
    entries = live["metadata"].get("managedFields") or ()
    ours = [
        one
        for one in entries
        if one.get("manager") == MANAGER and one.get("operation") == "Apply" and not one.get("subresource")
    ]
    if len(ours) != 1 or ours[0].get("apiVersion") != live.get("apiVersion"):
        return None
    noted: Mapping[str, Any] = ours[0].get("fieldsV1") or {}
    return noted


def _same(noted: Mapping[str, Any], live: Any, wanted: Any) -> bool:
    """Whether wanted has exactly the noted fields, with the live values."""
    children = {name: one for name, one in noted.items() if name != "."}
    if isinstance(wanted, Mapping):
        if not children:  # a map that is set as a whole
            return bool(live == wanted)
        return _same_map(children, live, wanted)
    if isinstance(wanted, list):
        if not children:
            return bool(live == wanted)
        return _same_list(children, live, wanted)
    return not children and type(live) is type(wanted) and bool(live == wanted)


def _same_map(noted: Mapping[str, Any], live: Any, wanted: Mapping[str, Any]) -> bool:
    if not isinstance(live, Mapping) or {f"f:{name}" for name in wanted} != {*noted}:
        return False
    return all(name in live and _same(noted[f"f:{name}"], live[name], value) for name, value in wanted.items())


def _same_list(noted: Mapping[str, Any], live: Any, wanted: list[Any]) -> bool:
    if not isinstance(live, list) or len(noted) != len(wanted):
        return False
    for name, one in noted.items():
        sort, _colon, text = name.partition(":")
        if sort == "v":
            value = json.loads(text)
            if value not in wanted or value not in live:
                return False
        elif sort == "k":
            keys = json.loads(text)
            mine, theirs = _item(wanted, keys), _item(live, keys)
            if mine is None or theirs is None or not _same(one, theirs, mine):
                return False
        else:
            return False
    return True


def _item(items: list[Any], keys: Mapping[str, Any]) -> Any:
    """The item of a list that these keys name; a key that defaulting added is not seen, and settles nothing."""
    found = [
        one for one in items if isinstance(one, Mapping) and all(one.get(name) == value for name, value in keys.items())
    ]
    return found[0] if len(found) == 1 else None
