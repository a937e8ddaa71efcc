# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DigitalOcean: twelve droplets with their key, tag and firewall, up and down."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from faults.flow import Flow, module
from faults.programs import Task

_UP = module(
    "digitalocean_droplets",
    name="faults",
    count=12,
    region="lon1",
    size="s-1vcpu-1gb",
    image="ubuntu-24-04-x64",
    ssh_public_key_files=[str(Path(__file__).parents[1] / "key.pub")],
    allow_among=True,
    settle_seconds=0,
    wait_sleep=1,
)
_DOWN = module("digitalocean_droplets", name="faults", state="absent", settle_seconds=0, wait_sleep=1)

_UNLIMITED = {"digitalocean_minute_limit": 0}  # hundreds of runs a minute are not what a token is for


def _behind(task: Task) -> Task:
    """Lists are behind, and the module knows for how long they may be."""
    return Task(task.program, {**task.options, "settle_seconds": 2})


FLOWS: Mapping[str, Flow] = {
    "droplets-up": Flow(_UP, undo=(_DOWN,), settings=_UNLIMITED),
    "droplets-up-behind": Flow(
        _behind(_UP),
        undo=(_behind(_DOWN),),
        settings={**_UNLIMITED, "droplet_list_seconds": 1},
        injections=("kill-after", "abandon", "cut-after", "error-500"),
    ),
    "droplets-down": Flow(_DOWN, before=(_UP,), undo=(_DOWN,), settings=_UNLIMITED),
}
