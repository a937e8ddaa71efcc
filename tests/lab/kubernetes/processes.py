# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that run beside the lab and end with it, whatever ends it."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_FIRST_PORT, _BLOCKS, _BLOCK = 10_000, 200, 100  # up to 30,000: Linux gives clients ports above 32,768
_turn = itertools.count()

TIED = '[ "$PPID" = "$0" ] || exit 1; exec "$@"'
"""The parent may have died before the kernel was told to watch it."""


def tied(command: Sequence[str]) -> list[str]:
    """The command, so that the kernel kills it when the thread that starts it ends."""
    return ["setpriv", "--pdeathsig", "KILL", "/bin/sh", "-c", TIED, str(os.getpid()), *command]


class Process:
    """One program in a process group of its own. The kernel kills it if its parent dies without stopping it."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        folder: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._command = list(command)
        self._folder = folder
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                tied(self._command),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": "/nonexistent", **self._environment},
                start_new_session=True,
            )

    @property
    def ended(self) -> bool:
        """It was started, and is not there any more."""
        return self._process is not None and self._process.poll() is not None

    def last_words(self) -> str:
        """The end of its log, for the error that says that it died."""
        with contextlib.suppress(OSError):
            return " ".join(self.log.read_text(errors="replace").split("\n")[-4:]).strip()[-1000:]
        return "it left no log"

    def kill(self) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None


def free_port(address: str = "127.0.0.1") -> int:
    """A port which nothing uses now, nor will before a program listens at it.

    It is none of those that the kernel gives to clients at any moment, and each lab looks among its own.
    """
    first = _FIRST_PORT + os.getpid() % _BLOCKS * _BLOCK
    for _unused in range(_BLOCK):
        port = first + next(_turn) % _BLOCK
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((address, port))
            return port
    raise OSError(f"all ports from {first} to {first + _BLOCK - 1} are in use")
