# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mark that says "ours", and the rule that nothing without it is changed or deleted.

A mark has an owner (the cluster or installation that a resource belongs to), the app within it if it belongs to one,
and the part that the resource plays, so that a resource is found again by its role and not by a name that anyone may
have given. It is part of the call that creates the resource. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ._errors import ConflictError, NotOursError

PREFIX = "container.schedulers/"
OWNER = f"{PREFIX}owner"
APP = f"{PREFIX}app"
PART = f"{PREFIX}part"


@dataclass(frozen=True)
class Mark:
    """Whose a resource is.

    Attributes:
        owner: scheduler and name ("ecs/web"), so that two schedulers may use one name.
        app: the app within the owner, empty for what belongs to the owner itself.
        adopts: whether the module has the option C(adopt).
    """

    owner: str
    app: str = ""
    adopts: bool = field(default=True, compare=False)

    def tags(self, part: str) -> dict[str, str]:
        """The tags to create a resource with."""
        tags = {OWNER: self.owner, PART: part}
        return {**tags, APP: self.app} if self.app else tags

    def owns(self, tags: Mapping[str, str]) -> bool:
        """Whether a resource with these tags is ours: same owner, same app."""
        return tags.get(OWNER) == self.owner and tags.get(APP, "") == self.app

    def same_owner(self, tags: Mapping[str, str]) -> bool:
        """Whether a resource belongs to the owner, whichever app it is of."""
        return tags.get(OWNER) == self.owner

    def covers(self, tags: Mapping[str, str]) -> bool:
        """Whether it is ours; a mark without an app speaks for all apps of the owner too."""
        return self.owns(tags) if self.app else self.same_owner(tags)


def owner_of(tags: Mapping[str, str]) -> str:
    """The owner named in a resource's tags, or the empty string."""
    return tags.get(OWNER, "")


def require_ours(
    mark: Mark, tags: Mapping[str, str], label: str, *, adopt: bool = False, instead: str = "Choose another name"
) -> None:
    """Refuse to touch what does not carry the mark.

    Args:
        instead: what its maker can do.

    Raises:
        NotOursError: the resource is somebody else's, or nobody's, and ``adopt`` is not set.
    """
    if mark.owns(tags) or (adopt and not owner_of(tags)):
        return
    app = f"app {tags[APP]} of " if tags.get(APP) else ""
    whose = f"belongs to {app}{owner_of(tags)}" if owner_of(tags) else "was not made by container.schedulers"
    raise NotOursError(
        f"{label} exists and {whose}",
        hint=instead + (", or set adopt: true to take it over." if mark.adopts and not owner_of(tags) else "."),
    )


def only_one(
    ids: Collection[str], label: str, hint: str = "Delete those that are not in use, or remove their mark."
) -> str | None:
    """The one id, or None if there is none.

    Raises:
        ConflictError: several carry the same mark; guessing which one is meant could destroy the wrong one.
    """
    if len(ids) > 1:
        raise ConflictError(
            f"{label} is there {len(ids)} times: {', '.join(sorted(ids))}",
            hint=hint,
        )
    return next(iter(ids), None)
