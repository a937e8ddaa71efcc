# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs in a container: a server that runs for ever, something that ends, or a command that is run for real."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.kubernetes.kubelet import folders

TIME_LIMIT = 600.0
"""Kubelet seconds that a real command may take."""


@dataclass(frozen=True)
class Forever:
    """A server."""

    def exit_code(self, now: float) -> int | None:
        return None

    def next_look(self, now: float) -> float | None:
        return None

    def kill(self) -> None:
        """There is nothing to kill."""


@dataclass(frozen=True)
class Ending:
    """A program that ends at a time with a code."""

    code: int
    at: float

    def exit_code(self, now: float) -> int | None:
        return self.code if now >= self.at else None

    def next_look(self, now: float) -> float | None:
        return self.at

    def kill(self) -> None:
        """It ends by itself."""


class Command:
    """A real process in the container; its output is the container's log."""

    def __init__(self, folder: Path, command: Sequence[str], now: float) -> None:
        self._folder = folder
        self._deadline = now + TIME_LIMIT
        self._output = (folder / "output").open("w+b")
        self._process = subprocess.Popen(
            [str(folder / "enter"), *command],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            start_new_session=True,
        )
        self._read = 0

    def exit_code(self, now: float) -> int | None:
        code = self._process.poll()
        if code is None and now > self._deadline:
            self.kill()
            code = 137
        self._copy(code is not None)
        return None if code is None else code % 256

    def next_look(self, now: float) -> float | None:
        return now + 1

    def kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _copy(self, ended: bool) -> None:
        """New whole lines go into the log."""
        content = (self._folder / "output").read_bytes()[self._read :]
        whole = len(content) if ended else content.rfind(b"\n") + 1
        self._read += whole
        for line in content[:whole].decode(errors="replace").splitlines():
            folders.write_log(self._folder, line)
