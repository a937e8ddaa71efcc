# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab for as long as one piece of work needs it: started before, stopped after, whatever happens in between."""

from __future__ import annotations

import json
import shlex
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environment import PYTHON, ROOT, tool_environment


class LabError(Exception):
    """Why there is no lab, in one sentence."""


@dataclass(frozen=True)
class Lab:
    """A running lab: the exports that point a program at it, and its own account of what exists."""

    exports: dict[str, str]

    def inventory(self) -> list[dict[str, Any]]:
        """Everything in the lab's clouds that would be billed or in the way, as the lab itself counts it."""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"{self.exports['LAB_CONTROL']}/inventory", timeout=30) as answer:
            items: list[dict[str, Any]] = json.load(answer)["items"]
        return items


@contextmanager
def running_lab(state: Path) -> Iterator[Lab]:
    """A lab of one's own on free ports, with its state in the given folder."""
    try:
        started = _call("start", state)
        if started.returncode:
            raise LabError(f"The lab did not start: {started.stdout.strip() or 'it gave no reason.'}")
        yield Lab(_parse_exports(_call("exports", state).stdout))
    finally:
        _call("stop", state)


def _call(command: str, state: Path) -> subprocess.CompletedProcess[str]:
    argv = [str(PYTHON), "-m", "lab", command, "--state", str(state)]
    return subprocess.run(
        argv,
        cwd=ROOT,
        env=tool_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        check=False,
    )


def _parse_exports(text: str) -> dict[str, str]:
    words = (word for line in text.splitlines() if line.startswith("export ") for word in shlex.split(line)[1:])
    return dict(word.split("=", 1) for word in words)
