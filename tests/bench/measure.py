# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One measured run of one command: seconds by the wall and by the processor, and the API calls the lab counted.

Of a playbook also the seconds of its tasks alone, by what ansible-playbook prints and when; and, where somebody watches
what comes of it, how long after that the playbook knew.
"""

from __future__ import annotations

import re
import resource
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from bench.ground import Ground
from bench.watcher import Watcher

_CHANGED = re.compile(r"\bchanged=(\d+)")
_PLAY, _RESULTS, _RECAP = "PLAY [", ("ok: [", "changed: ["), "PLAY RECAP"
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
        tasks: seconds from the start of the play to the end of its last task, None for a plain script.
        noticed: seconds from the last moment at which what is made was seen not to be ready yet, until the result of
            the last task was there; None if nobody watched.
    """

    wall: float
    cpu: float
    calls: int
    retries: int
    writes: int
    by_action: Mapping[str, int]
    changed: int | None
    tasks: float | None
    noticed: float | None


@dataclass(frozen=True)
class Line:
    """A line of output, and when it came."""

    at: float
    text: str


def measure(
    command: Sequence[str],
    environment: Mapping[str, str],
    ground: Ground,
    log: Path,
    ready: Callable[[], bool] | None = None,
) -> Sample:
    """Run a command to its end; its output goes to the end of the log.

    Args:
        ready: whether what the command makes is ready, for a command that is to be watched.

    Raises:
        RunError: it failed.
    """
    ground.forget_calls()
    cpu, started = _cpu_of_children(), time.monotonic()
    with Watcher(ready) if ready else nullcontext() as watcher:
        lines, status = _run(command, environment)
        ended, cpu = time.monotonic(), _cpu_of_children() - cpu
    output = "".join(line.text for line in lines)
    with log.open("a") as file:
        file.write(f"$ {' '.join(command)}\n{output}\n")
    if status:
        raise RunError(f"{' '.join(command)} failed:\n{output[-4000:]}")
    sent = ground.calls()
    calls = [entry for entry in sent if entry["attempt"] == 1]
    changed = _CHANGED.search(output)
    return Sample(
        wall=ended - started,
        cpu=cpu,
        calls=len(calls),
        retries=len(sent) - len(calls),
        writes=sum(entry["write"] for entry in calls),
        by_action=Counter(f"{entry['service']}.{entry['action']}" for entry in calls),
        changed=int(changed[1]) if changed else None,
        tasks=_seconds_of_tasks(lines),
        noticed=_last_result(lines, ended) - watcher.not_ready_at if watcher else None,
    )


def _run(command: Sequence[str], environment: Mapping[str, str]) -> tuple[list[Line], int]:
    """The output with its times, and the exit status."""
    with subprocess.Popen(
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        alarm = threading.Timer(_TIMEOUT_SECONDS, process.kill)
        alarm.start()
        lines = [Line(time.monotonic(), text) for text in process.stdout or ()]
        alarm.cancel()
        return lines, process.wait()


def _seconds_of_tasks(lines: Sequence[Line]) -> float | None:
    """From the play's title to the recap: without the start of ansible-playbook and its end. Pure.

    A task's title says nothing of when the task began: that of the first comes together with its result.
    """
    begun = [line.at for line in lines if line.text.startswith(_PLAY)]
    ended = [line.at for line in lines if line.text.startswith(_RECAP)]
    return ended[-1] - begun[0] if begun and ended else None


def _last_result(lines: Sequence[Line], ended: float) -> float:
    """When the result of the last task was there; of a plain script, when it ended. Pure."""
    return max((line.at for line in lines if line.text.startswith(_RESULTS)), default=ended)


def _cpu_of_children() -> float:
    """Of all descendants that have ended and were waited for; the lab is none of them."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
