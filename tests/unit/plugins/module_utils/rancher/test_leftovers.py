# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left at a Rancher server: only what has our mark, wherever it is, and no look that was not possible."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._errors import AuthError, InputError
from ansible_collections.container.schedulers.plugins.module_utils._leftovers import look
from ansible_collections.container.schedulers.plugins.module_utils._rancher import (
    access_control,
    environment_module,
    hosts_module,
    leftovers,
)
from ansible_collections.container.schedulers.plugins.module_utils._rancher.access_options import ACCESS
from ansible_collections.container.schedulers.plugins.module_utils._rancher.api import Connection, Rancher
from ansible_collections.container.schedulers.plugins.module_utils._rancher.environment_options import ENVIRONMENT_SPEC
from ansible_collections.container.schedulers.plugins.module_utils._rancher.host_options import HOSTS
from ansible_collections.container.schedulers.plugins.module_utils._rancher.stack_options import STACK
from ansible_collections.container.schedulers.plugins.module_utils._rancher.stack_present import ensure as ensure_stack

from .conftest import RancherLab, module_spec

APP = {"name": "app", "image": "nginx:1.27", "global": True, "ports": ["80"]}
DROPLETS: dict[str, Any] = {
    "driver_config": {"region": "lon1", "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64"},
    "driver_secrets": {"access_token": "lab-not-a-secret-000002"},
}


def report(lab: RancherLab, owner: str = "") -> dict[str, Any]:
    keys: dict[str, Any] = {name: lab.access.get(name) for name in ("access_key", "secret_key")}
    rancher = Rancher(Connection(lab.url, api_version=lab.version, **keys))
    return look(leftovers.places(rancher, owner)).to_result()


def fill(lab: RancherLab) -> None:
    lab.run(hosts_module.ensure, module_spec(HOSTS), count=1, **DROPLETS)
    lab.host("theirs")
    lab.run(ensure_stack, module_spec(STACK), name="Web", services=[APP])
    stacks = f"/{lab.version}/projects/1a5/{'environments' if lab.version == 'v1' else 'stacks'}"
    lab.ask("POST", stacks, {"name": "theirs", "description": "[not ours]"})
    lab.run(environment_module.ensure, module_spec(ENVIRONMENT_SPEC, environment=False), name="second")


def test_what_has_a_mark_in_every_environment(either: RancherLab) -> None:
    assert report(either) == {
        "leftovers": [],
        "count": 0,
        "monthly_cost": 0.0,
        "unpriced": 0,
        "looked_at": ["api_key", "environment", "host", "service", "stack"],
        "could_not_look": [],
    }
    fill(either)
    found = report(either)
    assert {(one["kind"], one["name"], one["owner"], one["app"], one["region"]) for one in found["leftovers"]} == {
        ("host", "node1", "rancher/1a5", "", "Default"),
        ("stack", "Web", "rancher/1a5", "Web", "Default"),
        ("service", "app", "rancher/1a5", "Web", "Default"),
        ("environment", "second", "rancher/second", "", "global"),
    }
    assert found["monthly_cost"] == 0.0
    why = {one["kind"]: one["why"] for one in found["leftovers"]}
    assert why["host"] == "its digitalocean machine is paid for there"
    assert [one["kind"] for one in report(either, "rancher/second")["leftovers"]] == ["environment"]


def test_the_key_of_the_administrator_and_no_look_without_one(rancher_lab: RancherLab, tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    local: dict[str, Any] = {
        "provider": "local",
        "username": "admin",
        "password": "lab-not-a-secret-7",
        "api_key_file": str(path),
    }
    spec = module_spec(ACCESS, environment=False)
    rancher_lab.run(access_control.ensure, spec, **local)
    key = json.loads(path.read_text())
    with pytest.raises(AuthError):
        report(rancher_lab)
    rancher_lab.access = {name: key[name] for name in ("access_key", "secret_key")}
    found = report(rancher_lab, "rancher/server")
    assert [(one["kind"], one["region"], one["state"]) for one in found["leftovers"]] == [
        ("api_key", "global", "active")
    ]
    assert key["secret_key"] not in str(found)


def test_no_address() -> None:
    with pytest.raises(InputError, match="rancher_url is not given"):
        Connection.from_shared({"rancher_url": None})
