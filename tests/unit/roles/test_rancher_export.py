# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stack goes out and in again: with its password, of which nothing that is said tells, and without picked ports."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from unit.roles.rancher_lab import RancherLab

PASSWORD = "lab-not-a-secret-000099"


def export(lab: RancherLab, folder: Path, service: dict[str, Any]) -> str:
    """A stack of this service, and its copy; what was said of it."""
    stack = {"name": "Shop", "services": [service], "wait_timeout": 60}
    given = {
        "rancher_export_stack": "Shop",
        "rancher_export_directory": str(folder / "out"),
        "rancher_export_copy": "Copy",
    }
    role = {"ansible.builtin.import_role": {"name": "container.schedulers.rancher_export"}, "vars": given}
    code, said = lab.play(folder, {"container.schedulers.rancher_stack": stack}, role)
    assert code == 0, said
    return said


def test_the_copy_of_a_stack_keeps_its_password_and_tells_it_to_nobody(
    lab: RancherLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_VERBOSITY", "3")
    service = {"name": "web", "image": "nginx", "ports": ["80"], "secret_environment": {"PASSWORD": PASSWORD}}
    said = export(lab, tmp_path, service)
    assert PASSWORD not in said
    assert PASSWORD in (tmp_path / "out" / "docker-compose.copy.yml").read_text()
    assert (tmp_path / "out" / "docker-compose.copy.yml").stat().st_mode & 0o777 == 0o600


def test_ports_are_picked_anew_from_the_range_of_the_environment(new_server: RancherLab, tmp_path: Path) -> None:
    """49200 was asked for here, though Rancher would pick it elsewhere."""
    for name in ("one", "two"):
        new_server.control("POST", "/rancher/hosts", {"name": name, "project": "1a5"})
    ports = {"type": "servicesPortRange", "startPort": 30000, "endPort": 30100}
    request = urllib.request.Request(
        f"{new_server.addresses['rancher']}/v2-beta/projects/1a5",
        json.dumps({"servicesPortRange": ports}).encode(),
        {"Content-Type": "application/json"},
        method="PUT",
    )
    urllib.request.urlopen(request, timeout=20).close()
    export(new_server, tmp_path, {"name": "web", "image": "nginx", "ports": ["80", "49200:81"]})

    written = (tmp_path / "out" / "docker-compose.yml").read_text()
    copied = (tmp_path / "out" / "docker-compose.copy.yml").read_text()
    assert re.findall(r"- (300\d\d):80", written)
    assert copied == re.sub(r"- 300\d\d:80", "- 80", written)
    assert "- 49200:81" in copied
