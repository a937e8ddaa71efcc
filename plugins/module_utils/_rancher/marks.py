# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ownership mark on things of Rancher.

Rancher has no tags. A description is what everything has, what every version of the API takes in the call that creates
and gives back, and what a user sees; so that is where the mark stands, behind the user's own words. Hosts carry it as
labels, as they have some. PRIVATE.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .._ownership import PREFIX, Mark, require_ours

MARKED = re.compile(rf"\s*\[((?:{re.escape(PREFIX)}\w+=[^\];]*(?:; )?)+)\]\s*$")


def described(text: str | None, mark: Mark, part: str) -> str:
    """A description with the mark behind the user's words. Pure."""
    pairs = "; ".join(f"{name}={value}" for name, value in mark.tags(part).items())
    return f"{text} [{pairs}]" if text else f"[{pairs}]"


def words_of(description: str | None) -> str:
    """The user's own words in a description. Pure."""
    return MARKED.sub("", description or "")


def tags_of(description: str | None) -> dict[str, str]:
    """The mark in a description, empty if it has none. Pure."""
    found = MARKED.search(description or "")
    return dict(pair.split("=", 1) for pair in found.group(1).split("; ") if pair) if found else {}


def require_marked(mark: Mark, thing: Mapping[str, object], label: str, *, adopt: bool = False) -> None:
    """Refuse to touch what does not carry the mark in its description.

    Raises:
        NotOursError: it is somebody else's, or nobody's, and it shall not be adopted.
    """
    require_ours(mark, tags_of(str(thing.get("description") or "")), label, adopt=adopt)


def managed_description(words: str | None, live: Mapping[str, object] | None, mark: Mark, part: str) -> str | None:
    """The description to have, None if the one that is there may stay. Pure."""
    there = str(live.get("description") or "") if live else ""
    ours = mark.owns(tags_of(there))
    if words is None and ours:
        return None
    return described(words_of(there) if words is None else words, mark, part)
