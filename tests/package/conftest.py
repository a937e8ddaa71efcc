# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user gets: the artifact that Galaxy would hold, installed where nothing else of ours is.

The lab is found by its exports; `make package` starts one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from clone_files import copy_files
from environment import PROGRAMS, ROOT
from package.surroundings import Command, Installation, Lab, bare_environment, run


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A lab in which a test leaves nothing behind."""
    ours = ("AWS_", "DIGITALOCEAN_", "LAB_", "RANCHER_")
    exports = {name: value for name, value in os.environ.items() if name.startswith(ours)}
    assert "LAB_CONTROL" in exports, "There is no lab: use `make package`, or run the exports that `make lab` prints."
    running = Lab(exports)
    assert running.things() == []
    yield running
    assert running.things() == []


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tarball, built from the files that git would take."""
    source = tmp_path_factory.mktemp("source")
    copy_files(source)
    target = tmp_path_factory.mktemp("artifact")
    build: Command = [PROGRAMS / "ansible-galaxy", "collection", "build", "--output-path", target]
    run(build, bare_environment(PROGRAMS, target / "home"), source)
    (tarball,) = target.glob("*.tar.gz")
    return tarball


@pytest.fixture(scope="session")
def installation(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Made as a user would: a virtual environment, ansible-core, the collection, its requirements."""
    folder = tmp_path_factory.mktemp("installation")
    programs, collections = folder / "venv" / "bin", folder / "collections"
    environment = bare_environment(programs, folder / "home") | {"ANSIBLE_COLLECTIONS_PATH": str(collections)}
    run([sys.executable, "-m", "venv", folder / "venv"], environment)
    pip: Command = [programs / "python", "-m", "pip", "install", "--quiet", "-c", ROOT / "tools" / "requirements.txt"]
    run([*pip, "ansible-core"], environment)
    run([programs / "ansible-galaxy", "collection", "install", artifact, "-p", collections, "--offline"], environment)
    collection = collections / "ansible_collections" / "container" / "schedulers"
    run([*pip, "-r", collection / "meta" / "ee-requirements.txt"], environment)
    return Installation(programs, collection, environment)
