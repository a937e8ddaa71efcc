# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWX takes the repository as a project.

AWX installs collections/requirements.yml from the project's folder, names playbooks by their path, and runs them with
ansible-runner: extra variables, credentials in the environment, no file of the user's.
"""

from __future__ import annotations

import json
from pathlib import Path

from clone_files import copy_files
from environment import PROGRAMS
from package.surroundings import WALK_SECONDS, Command, Lab, bare_environment, run


def test_the_chapter_as_a_job(lab: Lab, tmp_path: Path) -> None:
    job, collections = tmp_path / "job", tmp_path / "collections"
    project = job / "project"
    copy_files(project)
    environment = bare_environment(PROGRAMS, tmp_path / "home")
    install: Command = [PROGRAMS / "ansible-galaxy", "collection", "install"]
    install += ["-r", "collections/requirements.yml", "-p", collections]
    run(install, environment, project)

    (job / "env").mkdir()
    (job / "env" / "extravars").write_text(json.dumps(lab.extra_vars))
    (job / "env" / "envvars").write_text(json.dumps({"ANSIBLE_COLLECTIONS_PATH": str(collections), **lab.exports}))
    (job / "env" / "cmdline").write_text("--skip-tags step_tools")
    start: Command = [PROGRAMS / "ansible-runner", "run", job, "-p", "playbooks/ecs.yml", "--ident", "walk"]
    run(start, environment, tmp_path, seconds=WALK_SECONDS)
    assert (job / "artifacts" / "walk" / "status").read_text() == "successful"
