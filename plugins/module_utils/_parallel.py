# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Independent reads at the same time: a look at twelve resources should cost one round trip, not twelve. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

WORKERS = 8


def gather(reads: Mapping[str, Callable[[], T]], *, workers: int = WORKERS) -> dict[str, T]:
    """Run all reads, in parallel, and return their answers by name.

    Raises:
        Exception: that of the first read (in the order given) which failed, once all have ended.
    """
    if not reads:
        return {}
    with ThreadPoolExecutor(max_workers=min(workers, len(reads))) as pool:
        futures = {name: pool.submit(read) for name, read in reads.items()}
    return {name: future.result() for name, future in futures.items()}
