# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that take only so many things at a time. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def batched(things: Sequence[T], size: int) -> Iterator[list[T]]:
    """The things in lists of this size, the last one with what is left; no list at all, if there is nothing."""
    return (list(things[start : start + size]) for start in range(0, len(things), size))
