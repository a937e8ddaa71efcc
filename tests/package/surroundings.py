# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is around an installed collection: its own environment, the programs in it, and the lab."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environment import ROOT

Command = list[str | Path]

# A walk through the whole chapter takes its time; a walk that hangs must not take the whole stage's.
WALK_SECONDS = 900


@dataclass(frozen=True)
class Lab:
    """The running lab: what points a program at it, and what exists in it."""

    exports: dict[str, str]

    def things(self) -> list[dict[str, Any]]:
        """Everything that would be billed or in the way, as the lab itself counts it."""
        items: list[dict[str, Any]] = self._told("inventory")["items"]
        return items

    def addresses(self) -> list[str]:
        """What every access log between its clients and its clouds would have."""
        return [urllib.parse.unquote_plus(entry["url"]) for entry in self._told("journal")["entries"]]

    def _told(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.exports['LAB_CONTROL']}/{path}", timeout=30) as answer:
            return json.load(answer)

    @property
    def extra_vars(self) -> dict[str, str]:
        """What the walk through the chapter needs to be told, beyond credentials."""
        return {"aws_region": "eu-west-1", "ecs_confirm": "default", "ecs_app_http_proxy": self.exports["LAB_PROXY"]}


@dataclass(frozen=True)
class Installation:
    """An empty environment with ansible-core, the artifact and what its metadata asks for."""

    programs: Path
    collection: Path
    environment: dict[str, str]


def bare_environment(programs: Path, home: Path) -> dict[str, str]:
    """A new user's: nothing of the caller's but the way to the package index."""
    home.mkdir(parents=True, exist_ok=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("PIP_", "SSL_")) or name.lower().endswith("_proxy")
    }
    return kept | {
        "HOME": str(home),
        "PATH": f"{programs}:{os.defpath}",
        "LANG": "C.UTF-8",
        "ANSIBLE_REMOTE_TEMP": str(home / ".ansible" / "tmp"),
        # .venv has a link to the clone in its site-packages, which would hide that an installation is broken.
        "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false",
    }


def run(
    argv: Command,
    environment: Mapping[str, str],
    folder: Path = ROOT,
    seconds: float = 300,
    *,
    given: str = "",
    code: int = 0,
) -> subprocess.CompletedProcess[str]:
    """Run a program with this environment and no other; it has to succeed, or end with the code."""
    finished = subprocess.run(
        [str(word) for word in argv],
        cwd=folder,
        env=dict(environment),
        input=given,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert finished.returncode == code, f"{argv} failed:\n{finished.stdout[-4000:]}\n{finished.stderr[-4000:]}"
    return finished
