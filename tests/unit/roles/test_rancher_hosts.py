# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of Rancher, as droplets that join when they boot, and by its machine driver."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from unit.lab_process import LabProcess, running_lab
from unit.roles.playing import play

TOKEN = "lab-not-a-secret-000002"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxhYi1ub3QtYS1rZXktbGFiLW5vdC1hLWtleS0w somebody"
LOGIN = {"provider": "local", "username": "admin", "password": "lab-not-a-secret-7"}
WORD_TO_JOIN = "/scripts/"  # of the server's address, before it


class Server(LabProcess):
    """A lab with a Rancher server whose access control is on."""

    def play(self, folder: Path, task: dict[str, Any]) -> str:
        """Play a task, as verbosely as can be; what was said."""
        key = json.loads((folder / "api.json").read_text()) if (folder / "api.json").exists() else {}
        rancher = {"url": self.addresses["rancher"]} | {name: key[name] for name in ("access_key", "secret_key") if key}
        defaults = {
            "group/container.schedulers.digitalocean": {"api_url": self.addresses["digitalocean"], "api_token": TOKEN},
            "container.schedulers.digitalocean_droplets": {"settle_seconds": 0, "wait_sleep": 1},
            "group/container.schedulers.rancher": rancher,
        }
        code, said = play(folder, [task], {}, "-vvv", "--diff", module_defaults=defaults)
        assert code == 0, said
        assert WORD_TO_JOIN not in said
        return said

    def droplets(self) -> list[str]:
        items = self.control("GET", "/inventory")["items"]
        return sorted(one["name"] for one in items if one["kind"] == "droplet")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "key.pub").write_text(PUBLIC_KEY)
    with running_lab(tmp_path / "lab") as addresses:
        made = Server(addresses, answer_seconds=20)
        secure = {**LOGIN, "api_key_file": str(tmp_path / "api.json")}
        made.play(tmp_path, {"container.schedulers.rancher_access_control": secure})
        yield made


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
def test_hosts_come_once_and_go(server: Server, tmp_path: Path, way: dict[str, Any]) -> None:
    assert "own-1, own-2 are active." in server.play(tmp_path, hosts(**way))
    assert server.droplets() == ["own-1", "own-2"]
    assert "changed=0" in server.play(tmp_path, hosts(**way))
    server.play(tmp_path, hosts(rancher_hosts_state="absent", rancher_hosts_confirm="own"))
    assert server.droplets() == []
