# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where kubectl is looked for, also in another user's home, and whose it is that is replaced and removed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from unit.roles.playing import play

PROGRAM = """#!/bin/sh
echo '{"clientVersion": {"gitVersion": "v1.2.3"}}'
"""


def test_the_tool_is_looked_for_and_run_in_the_home_of_another_user(tmp_path: Path) -> None:
    program = tmp_path / "home" / "bin" / "kubectl"
    program.parent.mkdir(parents=True)
    program.write_text(PROGRAM)
    program.chmod(0o755)
    role = {
        "ansible.builtin.import_role": {"name": "container.schedulers.kubectl"},
        "environment": {"HOME": str(tmp_path / "home")},
    }
    given = {"kubectl_directory": "~/bin", "kubectl_version": "1.2.3", "kubectl_mirror": "http://127.0.0.1:9"}
    code, said = play(tmp_path, [role], given)

    assert code == 0, said
    assert "~/bin/kubectl is" in said


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """Releases of one version, for all machines that tests run on."""
    for processor in ("amd64", "arm64"):
        program = tmp_path / "mirror" / "v1.2.4" / "bin" / "linux" / processor / "kubectl"
        program.parent.mkdir(parents=True)
        program.write_text(PROGRAM.replace("v1.2.3", "v1.2.4"))
        program.with_suffix(".sha256").write_text(hashlib.sha256(program.read_bytes()).hexdigest())
    return tmp_path / "mirror"


def test_what_the_role_has_installed_goes_and_nothing_else(tmp_path: Path, mirror: Path) -> None:
    role = {"ansible.builtin.import_role": {"name": "container.schedulers.kubectl"}}
    folder = tmp_path / "bin"
    given = {"kubectl_directory": str(folder), "kubectl_version": "1.2.4", "kubectl_mirror": mirror.as_uri()}
    code, said = play(tmp_path, [role], given)
    assert code == 0, said
    assert (folder / "kubectl").exists()
    assert "changed=0" in play(tmp_path, [role], given)[1]
    (folder / "other").touch()
    code, said = play(tmp_path, [role], {**given, "kubectl_state": "absent"})
    assert code == 0, said
    assert [one.name for one in folder.iterdir()] == ["other"]
    assert "changed=0" in play(tmp_path, [role], {**given, "kubectl_state": "absent"})[1]


def test_a_kubectl_of_somebody_else_is_neither_replaced_nor_removed(tmp_path: Path, mirror: Path) -> None:
    role = {"ansible.builtin.import_role": {"name": "container.schedulers.kubectl"}}
    (program := tmp_path / "bin" / "kubectl").parent.mkdir()
    program.write_text(PROGRAM)
    program.chmod(0o755)
    given = {"kubectl_directory": str(program.parent), "kubectl_version": "1.2.4", "kubectl_mirror": mirror.as_uri()}
    code, said = play(tmp_path, [role], given)
    assert code != 0
    assert "has a kubectl that this role has not installed" in said
    code, said = play(tmp_path, [role], {**given, "kubectl_state": "absent"})
    assert code == 0, said
    assert program.read_text() == PROGRAM
