# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs in a container: a server that runs for ever, something that ends, or a command that is run for real."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.kubernetes.kubelet import folders
from lab.kubernetes.processes import tied

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
    """A real process; its output is the container's log."""

    def __init__(
        self,
        folder: Path,
        command: Sequence[str],
        now: float,
        limit: float | None = TIME_LIMIT,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = folder
        self._deadline = None if limit is None else now + limit
        self._read = 0
        with (folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                tied(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=None if environment is None else dict(environment),
            )

    def exit_code(self, now: float) -> int | None:
        code = self._process.poll()
        if code is None and self._deadline is not None and now > self._deadline:
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
        with (self._folder / "output").open("rb") as output:
            output.seek(self._read)
            content = output.read()
        whole = len(content) if ended else content.rfind(b"\n") + 1
        self._read += whole
        for line in content[:whole].decode(errors="replace").splitlines():
            folders.write_log(self._folder, line)
