# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays of a few tasks on this machine, by the real ansible-playbook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml


def play(
    folder: Path,
    tasks: list[dict[str, Any]],
    given: dict[str, Any] | None = None,
    *,
    keywords: dict[str, Any] | None = None,
    arguments: tuple[str, ...] = (),
    environment: dict[str, str] | None = None,
) -> tuple[int, str]:
    """Play tasks, with variables that are given as by -e; the exit status and what was said, on one line."""
    what = {"hosts": "localhost", "gather_facts": False, **(keywords or {}), "tasks": tasks}
    (folder / "play.yml").write_text(yaml.safe_dump([what]))
    command = [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", "-c", "local", "play.yml"]
    finished = subprocess.run(
        [*command, *arguments, "-e", json.dumps({"ansible_python_interpreter": sys.executable, **(given or {})})],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return finished.returncode, " ".join((finished.stdout + finished.stderr).split())
