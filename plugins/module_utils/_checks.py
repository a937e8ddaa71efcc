# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that several providers have: refused before the first request, as the libraries do not name them. PRIVATE."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from ._errors import InputError

HIGHEST_PORT = 65535
LONGEST_REQUEST = 3600
LONGEST_WAIT = 7 * 24 * 3600


def seconds(option: str, value: float, least: int = 1, most: int = LONGEST_REQUEST) -> float:
    """A number of seconds.

    Raises:
        InputError: it is out of its bounds.
    """
    at_least(option, value, least)
    if value > most:
        shown = value if value < 10**12 else "far too much"
        raise InputError(f"{option} is {shown}, but has to be at most {most}")
    return float(value)


def at_least(option: str, value: float, least: int) -> None:
    """Refuse a value below its bound.

    Raises:
        InputError: it is.
    """
    if value < least:
        raise InputError(f"{option} is {value}, but has to be at least {least}")


def between(option: str, value: int, low: int, high: int, unit: str = "") -> int:
    """The value, if it is not out of its bounds.

    Args:
        unit: what it counts, and of what.

    Raises:
        InputError: it is.
    """
    if not low <= value <= high:
        raise InputError(f"{option} is {value}, but has to be between {low} and {high} {unit}".rstrip())
    return value


def credential(option: str, value: str | None) -> None:
    """Refuse what cannot be sent in a header; an error of the library would quote the header.

    Raises:
        InputError: there is white space in it, such as the end of the line that it was read from.
    """
    if value and any(sign.isspace() or not sign.isprintable() for sign in value):
        raise InputError(f"{option} has white space in it, which no key has")


def writable(option: str, path: Path) -> None:
    """Refuse a file that could not be put in its place. The look leaves nothing behind, as check mode takes it too.

    Permissions do not tell it: root has all of them, and can write nothing to a file system that is read-only.

    Raises:
        InputError: the nearest folder that is there takes no file, or it is a folder itself.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        folder = next(one for one in path.resolve().parents if one.exists())
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"{option}: {path} cannot be written: {error.strerror or error}") from error
