# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of a test stage: all their output goes to the stage's log, and none outlives the run."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from environment import CACHE, ROOT, tool_environment

LOGS: Final = CACHE / "test"
_TAIL: Final = 40  # lines of a failing command's output that are shown at once
_WIDTH: Final = 400


@dataclass(frozen=True)
class Finished:
    """How a command ended, and what it printed."""

    exit_code: int
    text: str


class StageLog:
    """One stage's log file; runs commands until the stage's deadline."""

    def __init__(self, name: str, seconds: float) -> None:
        self.path = LOGS / f"{name}.log"
        self.complaints: list[str] = []  # why the stage failed: the ends of what failing commands printed
        self._deadline = time.monotonic() + seconds
        self.path.write_text("")

    def run(self, argv: list[str], environment: Mapping[str, str] | None = None, telling: str = "") -> Finished:
        """Run it to its end, or to the stage's; if it fails, the lines that match ``telling`` say why."""
        self.note(f"$ {shlex.join(argv)}")
        begin = self.path.stat().st_size
        with self.path.open("a") as log, _group(argv, environment or tool_environment(), log.fileno()) as process:
            exit_code = self._wait(process)
        text = self.path.read_bytes()[begin:].decode(errors="replace")
        self.note(f"(exit status {exit_code})\n")
        if exit_code:
            lines = [line[:_WIDTH] for line in text.splitlines() if re.search(telling, line)]
            self.complaints.append("\n".join([f"$ {shlex.join(argv)}", *lines[-_TAIL:]]))
        return Finished(exit_code, text)

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        try:
            return process.wait(timeout=max(1.0, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _stop(process.pid)
            self.complain("The stage's time is up: stopped.")
            return -1

    def complain(self, text: str) -> None:
        """Say why the stage fails where no command says it."""
        self.note(text)
        self.complaints.append(text)

    def note(self, text: str) -> None:
        """A line of our own between the commands' output."""
        with self.path.open("a") as log:
            log.write(f"{text}\n")


_running: set[int] = set()
_running_lock = threading.Lock()
_no_more = threading.Event()


class StoppedError(Exception):
    """The whole run is ending: no further command is started."""


@contextlib.contextmanager
def _group(argv: list[str], environment: Mapping[str, str], output: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process that leads a group of its own, so that it can be ended together with all that it started."""
    if _no_more.is_set():
        raise StoppedError(argv[0])
    with subprocess.Popen(
        argv,
        cwd=ROOT,
        env={**environment, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    ) as process:
        with _running_lock:
            _running.add(process.pid)
        try:
            yield process
        finally:
            with _running_lock:
                _running.discard(process.pid)


def stop_all() -> None:
    """End every command that still runs, politely first: some have a lab to stop."""
    _no_more.set()
    with _running_lock:
        leaders = list(_running)
    for leader in leaders:
        _stop(leader)


def _stop(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGINT)
        for _attempt in range(100):
            time.sleep(0.1)
            os.killpg(leader, 0)  # raises when all of the group are gone
        os.killpg(leader, signal.SIGKILL)
