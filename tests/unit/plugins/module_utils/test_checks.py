# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that cannot work are refused by name, before the first request and without their secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws import api as aws
from ansible_collections.container.schedulers.plugins.module_utils._checks import (
    LONGEST_REQUEST,
    LONGEST_WAIT,
    writable,
)
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean import api as digitalocean
from ansible_collections.container.schedulers.plugins.module_utils._errors import InputError
from ansible_collections.container.schedulers.plugins.module_utils._k8s.api import Api
from ansible_collections.container.schedulers.plugins.module_utils._module import Context
from ansible_collections.container.schedulers.plugins.module_utils._rancher import api as rancher
from unit.module_specs import params_of

HUGE = int("9" * 400)
CONNECTIONS: Mapping[str, Callable[..., Any]] = {
    "ecs_cluster": aws.Connection.from_params,
    "digitalocean_droplets": digitalocean.Connection.from_params,
    "rancher_stack": rancher.Connection.from_params,
    "k8s_cluster_app": Api.from_params,
}
WORKING = {
    "digitalocean_droplets": {"api_token": "token"},
    "rancher_stack": {"url": "http://127.0.0.1:8080"},
    "k8s_cluster_app": {"host": "http://127.0.0.1:8001"},
}


def connect(module: str, **options: Any) -> Any:
    return CONNECTIONS[module](params_of(module, **{**WORKING.get(module, {}), **options}))


@pytest.mark.parametrize("module", CONNECTIONS)
def test_a_connection_that_can_work(module: str) -> None:
    connect(module)


@pytest.mark.parametrize("module", CONNECTIONS)
@pytest.mark.parametrize("value", [-1, 0, 3601, HUGE])
def test_seconds_that_no_request_can_take(module: str, value: int) -> None:
    with pytest.raises(InputError, match=r"^request_timeout is .*, but has to be at (least 1|most 3600)"):
        connect(module, request_timeout=value)


def fragment(name: str) -> str:
    module = import_module(f"ansible_collections.container.schedulers.plugins.doc_fragments.{name}")
    return str(module.ModuleDocFragment.DOCUMENTATION)


def test_the_documentation_tells_the_bounds_of_seconds() -> None:
    for name in ("aws", "digitalocean", "k8s", "rancher"):
        assert f"the answer to one API request. From 1 to {LONGEST_REQUEST}." in fragment(name)
    assert f"O(wait_timeout) is from 0 to {LONGEST_WAIT}," in fragment("wait")
    assert f"short at first. From 1 to {LONGEST_REQUEST}." in fragment("wait")


@pytest.mark.parametrize(
    ("module", "option"),
    [
        ("ecs_cluster", "endpoint_url"),
        ("rancher_stack", "url"),
        ("digitalocean_droplets", "api_url"),
        ("k8s_cluster_app", "host"),
    ],
)
@pytest.mark.parametrize("value", ["localhost:123x", "http://localhost:99999", "ftp://localhost"])
def test_addresses_that_are_none(module: str, option: str, value: str) -> None:
    with pytest.raises(InputError, match=f"^{option}.* (no|not an) address"):
        connect(module, **{option: value})


@pytest.mark.parametrize(
    ("module", "option"),
    [
        *(("ecs_cluster", option) for option in ("access_key", "secret_key", "session_token")),
        *(("rancher_stack", option) for option in ("access_key", "secret_key")),
        ("digitalocean_droplets", "api_token"),
        ("k8s_cluster_app", "api_key"),
    ],
)
@pytest.mark.parametrize("value", ["lab-not a-secret", "lab-not\na-secret", "lab-not\x00a-secret"])
def test_keys_with_white_space(module: str, option: str, value: str) -> None:
    with pytest.raises(InputError) as refused:
        connect(module, **{option: value})
    assert str(refused.value) == f"{option} has white space in it, which no key has."


def test_certificates_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    for name in ("empty.pem", "none.pem"):
        with pytest.raises(InputError, match=f"^ca_bundle: .*{name} has no usable certificates"):
            connect("ecs_cluster", ca_bundle=str(tmp_path / name))
    connect("ecs_cluster", ca_bundle=str(tmp_path))


@pytest.mark.parametrize("path", ["/proc/nope/x", "/proc/x", "{here}/file/x"])
def test_files_that_cannot_be_written(path: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"^api_key_file: .*/x cannot be written: "):
        writable("api_key_file", Path(path.format(here=tmp_path)))


def test_a_file_that_can_be_written_is_not_made_by_the_look(tmp_path: Path) -> None:
    writable("kubeconfig", tmp_path / "new" / "folder" / "config")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(("option", "wait"), [("wait_timeout", Context.deadline), ("wait_sleep", Context.pace)])
def test_waits_that_are_too_long(option: str, wait: Callable[[Context], Any]) -> None:
    with pytest.raises(InputError, match=f"^{option} is far too much, but has to be at most"):
        wait(Context({"wait_timeout": 1, "wait_sleep": 1, option: HUGE}))
