# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles and playbooks as ansible-playbook plays them, on this machine, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml


def play(
    folder: Path, tasks: list[dict[str, Any]], given: dict[str, Any], *options: str, **keywords: Any
) -> tuple[int, str]:
    """Play tasks, with variables that are given as by -e, and with other keywords of a play; see ``playbook``."""
    plays = [{"hosts": "localhost", "gather_facts": False, **keywords, "tasks": tasks}]
    (folder / "play.yml").write_text(yaml.safe_dump(plays))
    return playbook(folder, "play.yml", given, *options)


def playbook(folder: Path, name: str, given: dict[str, Any], *options: str) -> tuple[int, str]:
    """Play a playbook, by its path or its full name; the exit status and what was said, on one line."""
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    command = [program, "-i", "localhost,", "-c", "local", name, *options]
    finished = subprocess.run(
        [*command, "-e", json.dumps({"ansible_python_interpreter": sys.executable, **given})],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return finished.returncode, " ".join((finished.stdout + finished.stderr).split())


def walk_tasks(walk: Path) -> list[dict[str, Any]]:
    """The tasks of a walk, with those of the blocks in it."""
    (block,) = yaml.safe_load(walk.read_text())
    return [one for part in block["block"] for one in part.get("block", [part])]


def preflight(role: str) -> dict[str, Any]:
    """The task that lets a role look at its input, and do nothing else."""
    return {"ansible.builtin.import_role": {"name": f"container.schedulers.{role}", "tasks_from": "preflight"}}
