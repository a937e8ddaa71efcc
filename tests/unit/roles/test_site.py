# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Walks in one run of the playbook site."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from unit.roles.playing import playbook
from unit.roles.rancher_lab import TOKEN, RancherLab
from unit.waiting import eventually


def test_walks_go_on_at_the_same_time_and_one_that_fails_stops_alone(
    new_server: RancherLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No walk gets an answer before the other has asked, too; the one through ECS then hears that its key is none."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFNOBODY00000000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    given = {
        "site_parts": ["ecs", "rancher"],
        "aws_endpoint_url": new_server.addresses["aws"],
        "aws_region": "us-east-1",
        "digitalocean_api_url": new_server.addresses["digitalocean"],
        "digitalocean_token": TOKEN,
    }

    def both_wait() -> bool:
        held = new_server.control("GET", "/faults")["held"]
        return {"ecs", "digitalocean"} <= {one["service"] for one in held}

    new_server.control("POST", "/faults", [{"kind": "pause_before", "times": 0}])
    with ThreadPoolExecutor(1) as threads:
        run = threads.submit(playbook, tmp_path, "container.schedulers.site", given, "--tags", "step_scale_to_zero")
        try:
            eventually(both_wait, "one walk waits for the other")
        finally:
            new_server.control("POST", "/faults", [])
            new_server.control("POST", "/faults/release")
        code, said = run.result()
    assert code != 0
    ended = re.search(r"(walk_\w+(?:, walk_\w+)*) did not come to an end", said)
    assert ended, said
    assert ended[1] == "walk_ecs"
