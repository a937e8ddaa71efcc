# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script by which the walk on ECS loses an instance."""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

import boto3
import pytest
from unit.http_server import Reply, serving

SCRIPT = Path(__file__).parents[3] / "playbooks" / "tasks" / "files" / "terminate_instance.py"
ENDED = '<TerminateInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"/>'
KEYS = {"AWS_ACCESS_KEY_ID": "lab-not-a-secret-01", "AWS_SECRET_ACCESS_KEY": "lab-not-a-secret-02"}


@pytest.mark.parametrize(
    "environment", [{"AWS_REGION": "eu-west-1"}, {"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-1"}]
)
def test_it_works_in_the_region_of_the_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), "i-1"])
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with serving(Reply(body=ENDED, headers={"Content-Type": "text/xml"})) as server:
        for name, value in {**KEYS, **environment, "HOME": str(tmp_path), "AWS_ENDPOINT_URL": server.url}.items():
            monkeypatch.setenv(name, value)
        runpy.run_path(str(SCRIPT))

    (call,) = server.seen
    assert "Action=TerminateInstances" in call.body
    assert "InstanceId.1=i-1" in call.body
    assert "/eu-west-1/ec2/" in call.headers["Authorization"]
