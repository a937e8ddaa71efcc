# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed artifact works by its name alone, with what its metadata asks for and nothing else."""

from __future__ import annotations

import json

from package.surroundings import WALK_SECONDS, Command, Installation, Lab, run


def test_every_module_has_its_documentation(installation: Installation) -> None:
    modules = sorted(path.stem for path in installation.collection.glob("plugins/modules/*.py"))
    names = [f"container.schedulers.{module}" for module in modules]
    ask: Command = [installation.programs / "ansible-doc", "--json", *names]
    documented = run(ask, installation.environment)
    assert sorted(json.loads(documented.stdout)) == names


def test_the_chapter_by_name(installation: Installation, lab: Lab) -> None:
    walk: Command = [installation.programs / "ansible-playbook", "container.schedulers.ecs"]
    walk += ["--skip-tags", "step_tools", "-e", json.dumps(lab.extra_vars)]
    settings = lab.exports | {"ANSIBLE_SHOW_CUSTOM_STATS": "true"}
    said = run(walk, installation.environment | settings, seconds=WALK_SECONDS).stdout
    report = json.loads(said.partition("RUN: ")[2].splitlines()[0])["schedulers_report"]
    assert report["failure"].startswith("instance i-")
    assert report["url"].startswith("http://")
    assert len(set(report["hosts_answered"])) == 3
