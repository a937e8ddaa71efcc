# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of Rancher without its machine driver: droplets that install Docker for its agents, and join when they boot."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from unit.lab_process import LabProcess, running_lab

TOKEN = "lab-not-a-secret-000002"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxhYi1ub3QtYS1rZXktbGFiLW5vdC1hLWtleS0w somebody"
LOGIN = {"provider": "local", "username": "admin", "password": "lab-not-a-secret-7"}


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LabProcess]:
    """A lab with a Rancher server whose access control is on."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "key.pub").write_text(PUBLIC_KEY)
    with running_lab(tmp_path / "lab") as addresses:
        made = LabProcess(addresses, answer_seconds=20)
        secure = {**LOGIN, "api_key_file": str(tmp_path / "api.json")}
        code, said = play(made, tmp_path, {"container.schedulers.rancher_access_control": secure})
        assert code == 0, said
        yield made


def play(lab: LabProcess, folder: Path, task: dict[str, Any]) -> tuple[int, str]:
    """Play a task; the exit status and what was said."""
    key = json.loads((folder / "api.json").read_text()) if (folder / "api.json").exists() else {}
    rancher = {"url": lab.addresses["rancher"]} | {name: key[name] for name in ("access_key", "secret_key") if key}
    defaults = {
        "group/container.schedulers.digitalocean": {"api_url": lab.addresses["digitalocean"], "api_token": TOKEN},
        "container.schedulers.digitalocean_droplets": {"settle_seconds": 0, "wait_sleep": 1},
        "group/container.schedulers.rancher": rancher,
    }
    play = {"hosts": "localhost", "gather_facts": False, "module_defaults": defaults, "tasks": [task]}
    (folder / "play.yml").write_text(yaml.safe_dump([play]))
    command = [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", "-c", "local", "play.yml"]
    finished = subprocess.run(
        [*command, "-e", json.dumps({"ansible_python_interpreter": sys.executable})],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return finished.returncode, finished.stdout + finished.stderr


def hosts(folder: Path, **given: Any) -> dict[str, Any]:
    """The role, for two hosts that join by themselves."""
    variables = {
        "rancher_hosts_driver": "custom",
        "rancher_hosts_set": "own",
        "rancher_hosts_count": 2,
        "rancher_hosts_pattern": "own-{n}",
        "rancher_hosts_ssh_public_key_files": [str(folder / "key.pub")],
        "rancher_hosts_labels": {"tier": "front"},
        **given,
    }
    return {"ansible.builtin.import_role": {"name": "container.schedulers.rancher_hosts"}, "vars": variables}


def droplets(lab: LabProcess) -> list[str]:
    items = lab.control("GET", "/inventory")["items"]
    return sorted(one["name"] for one in items if one["kind"] == "droplet")


def test_droplets_join_by_themselves_and_leave(lab: LabProcess, tmp_path: Path) -> None:
    code, said = play(lab, tmp_path, hosts(tmp_path))
    assert code == 0, said
    assert "own-1, own-2 are active." in said
    assert droplets(lab) == ["own-1", "own-2"]
    code, said = play(lab, tmp_path, hosts(tmp_path))
    assert code == 0, said
    assert "changed=0" in said
    gone = {"rancher_hosts_state": "absent", "rancher_hosts_confirm": "own"}
    code, said = play(lab, tmp_path, hosts(tmp_path, **gone))
    assert code == 0, said
    assert droplets(lab) == []
