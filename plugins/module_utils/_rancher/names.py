# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that Rancher takes. Pure. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .._errors import InputError

NAME = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*")
NAME_LIMIT = 63
HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def checked_name(option: str, name: str) -> str:
    """The name of a stack or a service, if Rancher takes it.

    Raises:
        InputError: it does not.
    """
    if not NAME.fullmatch(name) or len(name) > NAME_LIMIT:
        raise InputError(
            f"{option}: {name!r} must have 1 to {NAME_LIMIT} letters, digits and hyphens, "
            f"with no hyphen at an end and no two in a row"
        )
    return name


def checked_host(option: str, name: str) -> str:
    """The name of a host, if Rancher and a cloud take it.

    Raises:
        InputError: they do not.
    """
    if not HOST.fullmatch(name) or len(name) > NAME_LIMIT:
        raise InputError(
            f"{option}: {name!r} must have 1 to {NAME_LIMIT} small letters, digits and hyphens, none of these at an end"
        )
    return name


def refuse_twice(option: str, names: Iterable[str]) -> None:
    """Refuse a list in which a name stands twice.

    Raises:
        InputError: one does.
    """
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise InputError(f"{option}: {name} is there twice")
        seen.add(name.lower())


def number_of(identifier: str) -> int:
    """The number in an id, for the order in which things were made. Pure."""
    digits = "".join(sign for sign in str(identifier).removeprefix("1") if sign.isdigit())
    return int(digits or 0)
