# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of tests that play roles against the lab's Rancher."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from unit.lab_process import running_lab
from unit.roles.rancher_lab import PLACE, PUBLIC_KEY, TOKEN, RancherLab


@pytest.fixture(scope="session")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RancherLab]:
    with running_lab(tmp_path_factory.mktemp("rancher-lab")) as addresses:
        yield RancherLab(addresses, answer_seconds=20)


@pytest.fixture
def new_server(running_server: RancherLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RancherLab:
    """Nothing but the server, in an account without a droplet, and a public key for those to come."""
    monkeypatch.setenv("HOME", str(tmp_path))
    running_server.control("POST", "/reset")
    (tmp_path / "key.pub").write_text(PUBLIC_KEY)
    return running_server


@pytest.fixture
def server(new_server: RancherLab, tmp_path: Path) -> RancherLab:
    """A server whose access control is on."""
    new_server.secure(tmp_path)
    return new_server


@pytest.fixture
def lab(new_server: RancherLab, tmp_path: Path) -> RancherLab:
    """One host that the server has made, whose droplet has got our mark, as the role rancher_hosts does it."""
    host = {"names": ["hosts-1"], "driver_config": PLACE, "driver_secrets": {"access_token": TOKEN}}
    droplet = {
        "name": "hosts",
        "names": ["hosts-1"],
        "adopt": True,
        "ssh_public_key_files": [str(tmp_path / "key.pub")],
    }
    code, said = new_server.play(
        tmp_path,
        {"container.schedulers.rancher_hosts": host},
        {"container.schedulers.digitalocean_droplets": {**droplet, **PLACE}},
    )
    assert code == 0, said
    assert new_server.droplets() == ["hosts-1"]
    return new_server
