# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The artifact has what a user needs, and nothing of what only we need."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path
from posixpath import dirname, join, normpath

import pytest
import yaml

TOP_LEVEL = {
    "CHANGELOG.md",
    "FILES.json",
    "LICENSE",
    "MANIFEST.json",
    "README.md",
    "changelogs",
    "docs",
    "meta",
    "playbooks",
    "plugins",
    "roles",
}


@pytest.fixture(scope="module")
def names(artifact: Path) -> set[str]:
    with tarfile.open(artifact) as tarball:
        return {member.name for member in tarball.getmembers() if member.isfile()}


def test_its_name_is_the_collections(artifact: Path) -> None:
    assert artifact.name == "container-schedulers-1.0.0.tar.gz"


def test_nothing_is_in_it_that_only_we_need(names: set[str]) -> None:
    assert {name.split("/")[0] for name in names} <= TOP_LEVEL
    assert not [name for name in names if "__pycache__" in name or "/." in name or name.startswith(".")]


def test_what_a_user_needs_is_in_it(names: set[str]) -> None:
    assert {"README.md", "LICENSE", "CHANGELOG.md", "meta/runtime.yml", "meta/execution-environment.yml"} <= names
    assert {"playbooks/ecs.yml", "playbooks/teardown.yml", "playbooks/leftovers.yml"} <= names


def test_what_its_pages_link_to_is_in_it(names: set[str], artifact: Path) -> None:
    pages = sorted(name for name in names if name.endswith(".md"))
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#]+)", _text(artifact, page))]
    ours = [(page, link) for page, link in links if "://" not in link]
    there = names | {dirname(name) for name in names}
    assert ours
    assert [(page, link) for page, link in ours if normpath(join(dirname(page), link)) not in there] == []


def test_every_module_is_in_an_action_group(names: set[str], artifact: Path) -> None:
    modules = {Path(name).stem for name in names if name.startswith("plugins/modules/")}
    groups = _document(artifact, "meta/runtime.yml")["action_groups"]
    assert set(groups["all"]) == modules
    assert modules == set().union(*(members for name, members in groups.items() if name != "all"))


def test_what_the_execution_environment_names_is_in_it(names: set[str], artifact: Path) -> None:
    assert set(_document(artifact, "meta/execution-environment.yml")["dependencies"].values()) <= names


def _document(artifact: Path, name: str) -> dict[str, dict[str, str]]:
    document: dict[str, dict[str, str]] = yaml.safe_load(_text(artifact, name))
    return document


def _text(artifact: Path, name: str) -> str:
    with tarfile.open(artifact) as tarball:
        content = tarball.extractfile(name)
        assert content is not None
        return content.read().decode()
