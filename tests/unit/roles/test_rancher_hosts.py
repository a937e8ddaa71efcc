# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of Rancher, as droplets that join when they boot, and by its machine driver."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from unit.roles.rancher_lab import API_KEY_FILE, TOKEN, RancherLab

LOGIN = {"provider": "local", "username": "admin", "password": "lab-not-a-secret-7"}
WORD_TO_JOIN = "/scripts/"  # of the server's address, before it


@pytest.fixture
def server(new_server: RancherLab, tmp_path: Path) -> RancherLab:
    """A server whose access control is on."""
    secure = {**LOGIN, "api_key_file": str(tmp_path / API_KEY_FILE)}
    played(new_server, tmp_path, {"container.schedulers.rancher_access_control": secure})
    return new_server


def played(server: RancherLab, folder: Path, task: dict[str, Any]) -> str:
    """What is said of a task that must not fail, and must not tell how to join, however much it tells."""
    code, said = server.play(folder, task, options=("-vvv", "--diff"))
    assert code == 0, said
    assert WORD_TO_JOIN not in said
    return said


def hosts(**given: Any) -> dict[str, Any]:
    """The role, for two hosts."""
    variables = {
        "rancher_hosts_set": "own",
        "rancher_hosts_count": 2,
        "rancher_hosts_pattern": "own-{n}",
        "rancher_hosts_labels": {"tier": "front"},
        **given,
    }
    return {"ansible.builtin.import_role": {"name": "container.schedulers.rancher_hosts"}, "vars": variables}


@pytest.mark.parametrize(
    "way",
    [
        {"rancher_hosts_ssh_public_key_files": ["key.pub"]},
        {"rancher_hosts_driver": "digitalocean", "rancher_hosts_token": TOKEN},
    ],
    ids=["by-themselves", "by-machine-driver"],
)
def test_hosts_come_once_and_go(server: RancherLab, tmp_path: Path, way: dict[str, Any]) -> None:
    assert "own-1, own-2 are active." in played(server, tmp_path, hosts(**way))
    assert server.droplets() == ["own-1", "own-2"]
    assert "changed=0" in played(server, tmp_path, hosts(**way))
    played(server, tmp_path, hosts(rancher_hosts_state="absent", rancher_hosts_confirm="own"))
    assert server.droplets() == []
