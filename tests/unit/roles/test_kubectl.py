# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""kubectl in the home of the user that the tasks run as, who is not the one that runs ansible-playbook."""

from __future__ import annotations

from pathlib import Path

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
