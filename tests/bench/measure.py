# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One measured run of one command: seconds by the wall and by the processor, and the API calls the lab counted."""

from __future__ import annotations

import re
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.account import Account

_CHANGED = re.compile(r"\bchanged=(\d+)")
_TIMEOUT_SECONDS = 1800


class RunError(Exception):
    """A side did not do its job; there is nothing to compare."""


@dataclass(frozen=True)
class Sample:
    """One run.

    Attributes:
        wall: seconds from start to end.
        cpu: processor seconds of the whole process tree.
        calls: API requests, without the client's own retries.
        retries: those.
        writes: calls that are no Describe, Get or List.
        by_action: calls by service and action.
        changed: what Ansible's recap says, None for a plain script.
    """

    wall: float
    cpu: float
    calls: int
    retries: int
    writes: int
    by_action: Mapping[str, int]
    changed: int | None


def measure(command: Sequence[str], environment: Mapping[str, str], account: Account, log: Path) -> Sample:
    """Run a command to its end; its output goes to the end of the log.

    Raises:
        RunError: it failed.
    """
    account.control("DELETE", "/journal")
    cpu, started = _cpu_of_children(), time.monotonic()
    done = subprocess.run(
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    wall, cpu = time.monotonic() - started, _cpu_of_children() - cpu
    with log.open("a") as file:
        file.write(f"$ {' '.join(command)}\n{done.stdout}\n")
    if done.returncode:
        raise RunError(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}")
    stats = account.control("GET", "/stats")
    changed = _CHANGED.search(done.stdout)
    return Sample(
        wall=wall,
        cpu=cpu,
        calls=stats["calls"],
        retries=stats["retries"],
        writes=stats["writes"],
        by_action=stats["by_action"],
        changed=int(changed[1]) if changed else None,
    )


def _cpu_of_children() -> float:
    """Of all descendants that have ended and were waited for; the lab is none of them."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
