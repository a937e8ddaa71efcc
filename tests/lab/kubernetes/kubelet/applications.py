# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in an image, for pods: containers.py knows most; databases and WordPress have a life of their own."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lab import containers
from lab.containers import Page

if TYPE_CHECKING:
    from lab.kubernetes.kubelet.surroundings import Running

REAL = ("sh", "bash", "dash", "ash", "env", "cat", "echo", "cp", "chown", "chmod", "mkdir", "test", "sleep", "true",
        "false", "touch", "ls", "hostname")  # fmt: skip
"""Programs of a command that ends which are run for real, beside those which the lab answers."""


class Applications:
    """Behaviour by image."""

    def start(self, running: Running) -> int | None:
        """The code with which the program ends at once, or None if it runs."""
        return containers.exit_code(running.program)

    def first_lines(self, running: Running, code: int | None) -> Sequence[str]:
        if code is None:
            return containers.first_lines(running.program)
        name = running.program.image.partition("@")[0].rpartition("/")[2].partition(":")[0]
        return (f"{name}: fatal: cannot start, exit code {code}",) if code else (f"{name}: done",)

    def command(self, running: Running) -> Sequence[str] | None:
        """The command to run for real in a container that ends; None if the lab cannot run it."""
        command = list(running.program.command)
        from lab.kubernetes.kubelet.folders import ANSWERED

        if command and command[0].rpartition("/")[2] in (*REAL, *ANSWERED):
            return command
        return None

    def listens(self, running: Running, port: int) -> bool:
        return containers.listens(running.program, port)

    def page(self, running: Running, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Page:
        return containers.page(running.program, path)

    def command_fails(self, running: Running, command: Sequence[str]) -> str | None:
        """What an exec probe prints when it fails, or None."""
        if containers.health_check_passes(running.program, ["CMD", *command]):
            return None
        return f"command {shlex.join(command)!r} failed"

    def work_dir(self, running: Running) -> str:
        return "/"

    def answer(self, running: Running, program: str, arguments: Sequence[str], stdin: str) -> tuple[str, str, int]:
        """Output, errors and exit code of a program which the lab answers."""
        return "", f"{program}: not simulated\n", 127
