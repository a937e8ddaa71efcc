# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first-run wizard's sample app, as the walk on ECS has it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import yaml

WALK = Path(__file__).parents[3] / "playbooks" / "tasks" / "ecs.yml"


def test_the_signal_to_stop_reaches_the_web_server(tmp_path: Path) -> None:
    """As a container's first process a shell ignores it, and every stop takes the thirty seconds until it is killed."""
    app = yaml.safe_load(WALK.read_text())[0]["vars"]["__ecs_sample_app"]
    (server := tmp_path / "httpd-foreground").write_text('#!/bin/sh\necho "$$"\n')
    server.chmod(0o755)
    command = re.sub(r"/\S+/index\.html", str(tmp_path / "index.html"), app["ecs_app_command"][0])
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    argv = [*app["ecs_app_entry_point"], command]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment) as first:
        assert first.stdout is not None
        assert int(first.stdout.read()) == first.pid
    assert "Amazon ECS Sample App" in (tmp_path / "index.html").read_text()
