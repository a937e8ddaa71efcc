# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps of the walk, on a server with two hosts: the chapter's WordPress."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.roles.playing import playbook
from unit.roles.rancher_lab import TOKEN, RancherLab


@pytest.fixture
def two_hosts(new_server: RancherLab) -> RancherLab:
    for name in ("one", "two"):
        new_server.control("POST", "/rancher/hosts", {"name": name, "project": "1a5"})
    return new_server


def walk(lab: RancherLab, folder: Path, *steps: str, check: bool = False) -> str:
    given = {
        "rancher_server_url": lab.addresses["rancher"],
        "rancher_size": 2,
        "digitalocean_api_url": lab.addresses["digitalocean"],
        "digitalocean_token": TOKEN,
    }
    options = ["--tags", ",".join(steps), *(["--check"] if check else [])]
    code, said = playbook(folder, "container.schedulers.rancher", given, *options)
    assert code == 0, said
    return said


def test_the_catalogs_wordpress_is_the_chapters(two_hosts: RancherLab, tmp_path: Path) -> None:
    said = walk(two_hosts, tmp_path, "step_app", "step_load_balancer", "step_catalog_wordpress")
    assert "blog has 2 containers." in said
