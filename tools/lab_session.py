# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab for as long as one piece of work needs it: started before, stopped after, whatever happens in between."""

from __future__ import annotations

import json
import shlex
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environment import PYTHON, ROOT, tool_environment


class LabError(Exception):
    """Why there is no lab, in one sentence."""


@dataclass(frozen=True)
class Lab:
    """A running lab: the exports that point a program at it, and its own account of what exists.

    Attributes:
        warnings: what it cannot do on this machine.
    """

    exports: dict[str, str]
    warnings: tuple[str, ...] = ()

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
        warnings = json.loads((state / "lab.json").read_text())["warnings"]
        yield Lab(_parse_exports(_call("exports", state).stdout), tuple(warnings))
    finally:
        _call("stop", state)


@contextmanager
def running_kubernetes(state: Path, *options: str) -> Iterator[dict[str, str]]:
    """The exports of a Kubernetes cluster of one's own. Its proxy gets another name than that of the lab's clouds.

    Args:
        state: its folder.
        options: of `python -m lab kubernetes start`.
    """
    try:
        started = _call("start", state, "kubernetes", options)
        if started.returncode:
            raise LabError(f"The cluster did not start: {started.stdout.strip() or 'it gave no reason.'}")
        exports = _parse_exports(_call("exports", state, "kubernetes").stdout)
        proxy = exports.pop("LAB_PROXY", None)
        yield exports | ({"LAB_KUBERNETES_PROXY": proxy} if proxy else {})
    finally:
        _call("stop", state, "kubernetes")


def _call(command: str, state: Path, part: str = "", options: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    argv = [str(PYTHON), "-m", "lab", *filter(None, [part]), command, "--state", str(state), *options]
    return subprocess.run(
        argv,
        cwd=ROOT,
        env=tool_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1800,  # the programs of the control plane may have to be built
        check=False,
    )


def _parse_exports(text: str) -> dict[str, str]:
    words = (word for line in text.splitlines() if line.startswith("export ") for word in shlex.split(line)[1:])
    return dict(word.split("=", 1) for word in words)
