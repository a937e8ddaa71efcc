# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stack with a password goes out and in again, and nothing that is said of it has the password."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.roles.rancher_lab import RancherLab

PASSWORD = "lab-not-a-secret-000099"


def test_the_copy_of_a_stack_keeps_its_password_and_tells_it_to_nobody(
    lab: RancherLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_VERBOSITY", "3")
    service = {"name": "web", "image": "nginx", "ports": ["80"], "secret_environment": {"PASSWORD": PASSWORD}}
    variables = {"rancher_export_stack": "Shop", "rancher_export_directory": str(tmp_path / "out")}
    code, said = lab.play(
        tmp_path,
        {"container.schedulers.rancher_stack": {"name": "Shop", "services": [service], "wait_timeout": 60}},
        {
            "ansible.builtin.import_role": {"name": "container.schedulers.rancher_export"},
            "vars": {**variables, "rancher_export_copy": "Copy"},
        },
    )

    assert code == 0, said
    assert PASSWORD not in said
    assert PASSWORD in (tmp_path / "out" / "docker-compose.copy.yml").read_text()
    assert (tmp_path / "out" / "docker-compose.copy.yml").stat().st_mode & 0o777 == 0o600
