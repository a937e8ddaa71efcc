# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What instances run at their first boot."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ansible_collections.container.schedulers.plugins.module_utils._aws.user_data import decoded, ecs_user_data, encoded


def test_the_script_writes_the_agents_configuration(tmp_path: Path) -> None:
    script = ecs_user_data("our-cluster").replace("/etc/ecs", str(tmp_path / "ecs"))
    subprocess.run(["/bin/sh", "-c", script], check=True, timeout=60)
    lines = (tmp_path / "ecs" / "ecs.config").read_text().splitlines()
    assert lines[0] == "ECS_CLUSTER=our-cluster"
    assert "ECS_AWSVPC_BLOCK_IMDS=true" in lines


def test_encoding_is_undone_by_decoding() -> None:
    assert decoded(encoded(ecs_user_data("web"))) == ecs_user_data("web")
    assert decoded("/w==") == "\ufffd"
