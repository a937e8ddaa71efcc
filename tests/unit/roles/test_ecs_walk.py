# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The walk through Amazon ECS shows what it is for, or fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab.account import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from unit.lab_process import LabProcess
from unit.roles.playing import playbook

WALK = Path(__file__).resolve().parents[3] / "playbooks" / "ecs.yml"


def test_the_loss_of_an_instance_is_not_survived_where_there_is_none_to_lose(
    tmp_path: Path, running_server: LabProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    running_server.control("POST", "/reset")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
    given = {"aws_region": "eu-west-1", "aws_endpoint_url": running_server.addresses["aws"]}
    code, said = playbook(tmp_path, str(WALK), given, "--tags", "step_survive")
    assert code != 0
    assert "No instance of cluster default runs a task, so no loss can be shown." in said
