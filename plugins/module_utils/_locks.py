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
def alone_in(folder: Path, *, wait: bool) -> Iterator[None]:
    """No other run is in the folder meanwhile, which is made if need be.

    The folder is locked, as a file in it is replaced by a new one; and the lock is gone with the process, however that
    ends. On a file system without locks runs have to keep out of one another's way themselves.

    Args:
        wait: for another run that is there.

    Raises:
        BlockingIOError: another run is there, and is not to be waited for.
        OSError: there can be no such folder.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _lock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, how: int) -> None:
    try:
        fcntl.flock(descriptor, how)
    except BlockingIOError:
        raise
    except OSError:
        return
