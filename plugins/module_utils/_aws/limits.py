# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that an option may have. Pure. PRIVATE."""

from __future__ import annotations

from .._errors import InputError

HIGHEST_PORT = 65535


def between(option: str, value: int, low: int, high: int) -> int:
    """The value, if it is not out of its bounds.

    Raises:
        InputError: it is.
    """
    if not low <= value <= high:
        raise InputError(f"{option} is {value}, must be from {low} to {high}")
    return value


def at_least(option: str, value: int, low: int) -> None:
    """Refuse a value below its bound.

    Raises:
        InputError: it is.
    """
    if value < low:
        raise InputError(f"{option} is {value}, must be {low} or more")
