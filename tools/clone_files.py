# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clone as git would take it: what is checked, built and published, without what tools left in the folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from environment import ROOT


def copy_files(target: Path) -> None:
    """Copy everything that git does not ignore, committed or not."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
        cwd=ROOT,
        env=git_environment(),
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    for name in filter(None, listing.decode().split("\0")):
        source, place = ROOT / name, target / name
        if source.is_symlink() or source.is_file():  # a file that git knows may be deleted in the working tree
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, place, follow_symlinks=False)


def git_environment() -> dict[str, str]:
    """Without what a git hook sets, which would point git at the repository that the hook runs for."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
