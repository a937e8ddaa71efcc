# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mark of ownership as DigitalOcean can carry it: one tag.

A tag is a plain word there, of letters, digits, hyphens, underscores and colons, so the owner's slash becomes a colon:
"rancher/web" is "container-schedulers:rancher:web". Case does not tell tags apart, each stays as it was first written.
So names of sets are in lower case: else "Web" would get the tag of "web", and be taken for it. Pure. PRIVATE.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from .._errors import InputError
from .._ownership import OWNER, Mark

PREFIX = "container-schedulers:"
SCHEDULER = "digitalocean"
NAME = re.compile(r"[a-z0-9_-]+")
TAG = re.compile(r"[A-Za-z0-9_\-:]+")
NAME_LIMIT = 100
TAG_LIMIT = 255


def set_mark(name: str) -> Mark:
    """The mark of a set of droplets.

    Raises:
        InputError: the name cannot be part of a tag.
    """
    if not NAME.fullmatch(name) or len(name) > NAME_LIMIT:
        raise InputError(
            f"name: {name!r} must consist of small letters, digits, hyphens and underscores, "
            f"at most {NAME_LIMIT} of them"
        )
    return Mark(f"{SCHEDULER}/{name}")


def owner_tag(owner: str) -> str:
    """The tag that says whose a thing is."""
    return PREFIX + owner.replace("/", ":", 1)


def owner_of(tags: Iterable[str]) -> str:
    """The owner named among tags, or the empty string."""
    found = next((tag for tag in tags if tag.startswith(PREFIX)), "")
    return found.removeprefix(PREFIX).replace(":", "/", 1)


def as_mark_tags(tags: Iterable[str]) -> Mapping[str, str]:
    """The mark among tags, as the shared rules of ownership read it."""
    owner = owner_of(tags)
    return {OWNER: owner} if owner else {}


def checked_tag(option: str, tag: str) -> str:
    """A tag, if DigitalOcean takes it.

    Raises:
        InputError: it does not.
    """
    if not TAG.fullmatch(tag) or len(tag) > TAG_LIMIT:
        raise InputError(
            f"{option}: {tag!r} must consist of letters, digits, hyphens, underscores and colons, "
            f"at most {TAG_LIMIT} of them"
        )
    return tag


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """The user's own tags.

    Raises:
        InputError: DigitalOcean does not take one of them, or it is a mark.
    """
    for tag in tags:
        if checked_tag("tags", tag).lower().startswith(PREFIX):
            raise InputError(f"tags: {tag!r} begins like the mark of this collection", hint="Choose another tag.")
    return tuple({tag.lower(): tag for tag in tags}.values())


def as_spelled(tags: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Tags of a droplet, those that are wanted in the case in which they are."""
    spelled = {tag.lower(): tag for tag in wanted}
    return [spelled.get(tag.lower(), tag) for tag in tags]
