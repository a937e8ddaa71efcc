# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time with a file of the user's. PRIVATE."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """No other run is in the folder meanwhile, which is made if need be. One that is there, is waited for.

    The folder is locked, as a file in it is replaced by a new one; and the lock is gone with the process, however that
    ends. On a file system without locks runs have to keep out of one another's way themselves.

    Raises:
        OSError: there can be no such folder.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _lock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def alone_with(file: Path) -> Iterator[None]:
    """No other run works with the file meanwhile, whose folder is made if need be.

    A file beside it is locked, for the same reason, and taken away in the end. Where none can be made, the file itself
    cannot be written either, and nobody has to be kept from it.

    Raises:
        BlockingIOError: another run works with it.
        OSError: there can be no such folder.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.access(file.parent, os.W_OK):
        yield
        return
    path = lock_of(file)
    descriptor = os.open(path, os.O_CREAT | os.O_RDONLY, 0o600)
    try:
        _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.fstat(descriptor).st_nlink:  # it was that of a run that has ended since: another one may be locked
            raise BlockingIOError
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def lock_of(file: Path) -> Path:
    """What is locked for a file. A run that was killed leaves it behind, readable for its own user only. Pure."""
    return file.with_name(f".{file.name}.lock")


def _lock(descriptor: int, how: int) -> None:
    try:
        fcntl.flock(descriptor, how)
    except BlockingIOError:
        raise
    except OSError:
        return
