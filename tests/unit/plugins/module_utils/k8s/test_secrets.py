# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets within options that are not secret as a whole: a kubeconfig as a dictionary, and manifests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
import yaml
from ansible_collections.container.schedulers.plugins.module_utils._k8s.kubeconfig import secrets_in_kubeconfig
from ansible_collections.container.schedulers.plugins.module_utils._k8s.manifests import secrets_in_definition

TOKEN = "lab-not-a-secret-token-000001"
DOOR = "lab-not-a-secret-door-000002"
KUBECONFIG = {
    "current-context": "default",
    "clusters": [{"name": "default", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "default", "user": {"token": TOKEN, "username": "default", "client-key-data": "bGFiLWtleQ=="}}],
    "contexts": [{"name": "default", "context": {"cluster": "default", "user": "default"}}],
}
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"door": DOOR}}
PLAIN = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "keys"}, "data": {"door": "open"}}
PROGRAM = """
import json, os
from ansible.module_utils.testing import patch_module_args
from ansible_collections.container.schedulers.plugins.modules import {module}
with patch_module_args(json.loads(os.environ["MODULE_ARGS"])):
    {module}.main()
"""


def failed(module: str, **options: Any) -> str:
    """All that a module says that fails."""
    environment = {**os.environ, "MODULE_ARGS": json.dumps(options)}
    program = [sys.executable, "-c", PROGRAM.format(module=module)]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["failed"] is True
    return done.stdout + done.stderr


@pytest.mark.parametrize("refused", [{"context": "lost"}, {"request_timeout": "long"}], ids=["later", "at once"])
@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("k8s_secret", {"name": "keys", "namespaces": ["shop"], "generate": ["door"]}),
        ("k8s_cluster_info", {}),
        ("k8s_diagnosis_info", {}),
        ("k8s_exec", {"app": "web", "command": ""}),
        ("k8s_cluster_app", {"name": "No Name", "image": "web"}),
        ("k8s_apply", {"owner": "No Name", "definition": SECRET}),
        ("k8s_apply", {"owner": "No Name", "definition": yaml.safe_dump(SECRET)}),
        ("k8s_apply", {"owner": "web", "resource_definition": [SECRET], "force_conflicts": "perhaps"}),
        ("k8s_apply", {"owner": "web", "definition": [PLAIN, {**SECRET, "kind": None}]}),
        ("k8s_apply", {"owner": "web", "definition": f"kind: Secret\nstringData: {{door: {DOOR}"}),
    ],
)
def test_a_module_that_fails_shows_none(module: str, options: dict[str, Any], refused: dict[str, Any]) -> None:
    said = failed(module, kubeconfig=KUBECONFIG, **options, **refused)
    assert TOKEN not in said
    assert DOOR not in said
    assert "bGFiLWtleQ==" not in said


def test_a_kubeconfig_that_is_taken_for_a_path_is_not_shown() -> None:
    said = failed("k8s_cluster_info", kubeconfig=yaml.safe_dump(KUBECONFIG))
    assert "does not exist" in said
    assert TOKEN not in said


EXEC = {
    "command": "kubelogin",
    "args": ["get-token", "--region", "eu-west-1", "--client-secret", "hidden-1", "--token=hidden-2"],
    "env": [{"name": "AWS_PROFILE", "value": "default"}, {"name": "AWS_SECRET_ACCESS_KEY", "value": "hidden-3"}],
}


@pytest.mark.parametrize(
    ("given", "secrets"),
    [
        (KUBECONFIG, [TOKEN, "bGFiLWtleQ=="]),  # no names: the namespace is called "default", too
        ({"users": [{"name": "a", "user": {"exec": {"command": "aws", "args": ["-k"], "env": None}}}]}, []),
        ({"users": [{"name": "a", "user": {"exec": EXEC}}]}, ["hidden-1", "hidden-2", "hidden-3"]),
        ({"users": [{"name": "a", "user": {"exec": "odd"}}]}, ["odd"]),
        ({"users": [{"name": "a", "user": {"exec": {"args": 5, "env": "odd"}}}]}, []),
        ({"users": {"name": "a", "user": {"password": 12345}}}, ["12345"]),
        ({"users": ["odd"]}, ["odd"]),
        ({"users": None}, []),
        ({}, []),
        ("~/.kube/config", []),
        ('{"users": []}', ['{"users": []}']),
        (5, []),
    ],
)
def test_what_is_secret_in_a_kubeconfig(given: Any, secrets: list[str]) -> None:
    assert list(secrets_in_kubeconfig(given)) == secrets


@pytest.mark.parametrize(
    ("given", "secrets"),
    [
        (SECRET, [DOOR]),
        ([PLAIN, [SECRET]], [DOOR]),
        ({"kind": "List", "items": [PLAIN, SECRET]}, [DOOR]),
        ({**PLAIN, "kind": "Secret", "data": {"door": "b3Blbg=="}}, ["b3Blbg==", "open"]),
        ({**SECRET, "stringData": "door", "data": ["key", 5]}, ["door", "key", "5"]),
        ({"stringData": {"door": 12345}}, ["12345"]),
        ({"stringData": {"door": {"inner": ["open"]}}}, ["{'inner': ['open']}", "['open']", "open"]),
        (PLAIN, []),
        (5, []),
        ("", []),
        ("just words", []),
        ("kind: ConfigMap\ndata: {door: open}", []),
        ("kind: Secret\ndata: {door: 'it''s'}", ["kind: Secret\ndata: {door: 'it''s'}", "it's"]),
        (["kind: {"], ["kind: {"]),
        ("when: 2026-13-45", ["when: 2026-13-45"]),
    ],
)
def test_what_is_secret_in_manifests(given: Any, secrets: list[str]) -> None:
    assert list(secrets_in_definition(given)) == secrets
