# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes 1.12, where it answers other than a control plane of today."""

from __future__ import annotations

import json
from typing import Any

import pytest
from lab.messages import Answer, Request
from lab.rancher import kubernetes_1_12

APPLY = {"content-type": "application/apply-patch+yaml"}
MERGE = {"content-type": "application/merge-patch+json"}
WEB = "/apis/apps/v1/namespaces/default/deployments/web"


def group(name: str, *versions: str) -> dict[str, Any]:
    listed = [{"groupVersion": f"{name}/{one}", "version": one} for one in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def behind(path: str) -> Any:
    groups = [group("autoscaling", "v2", "v1"), group("discovery.k8s.io", "v1"), group("policy", "v1")]
    one = {"/apis/autoscaling": {"kind": "APIGroup", **groups[0]}, "/api": {"kind": "APIVersions", "versions": ["v1"]}}
    return {**one, "/apis": {"kind": "APIGroupList", "groups": groups}}[path]


def asked(path: str, method: str = "GET", query: str = "", headers: dict[str, str] | None = None) -> Answer | None:
    return kubernetes_1_12.answer(Request(method, path, query, headers or {}, b""), path, behind)


def document(path: str) -> Any:
    answer = asked(path)
    assert answer is not None
    return json.loads(answer.body)


def test_it_says_its_version() -> None:
    assert document("/version")["gitVersion"] == "v1.12.10"


def test_it_lists_what_there_was() -> None:
    assert document("/apis")["groups"] == [group("autoscaling", "v1")]
    assert document("/apis/autoscaling") == {"kind": "APIGroup", **group("autoscaling", "v1")}
    assert document("/api") == {"kind": "APIVersions", "versions": ["v1"]}


@pytest.mark.parametrize(
    "path", ["/apis/discovery.k8s.io/v1", "/apis/discovery.k8s.io", "/apis/policy/v1/poddisruptionbudgets", "/readyz"]
)
def test_it_does_not_know_what_came_later(path: str) -> None:
    answer = asked(path)
    assert answer is not None
    assert (answer.status, answer.body) == (404, b"404 page not found\n")


@pytest.mark.parametrize(
    ("method", "query", "headers", "status", "message"),
    [
        ("PATCH", "fieldManager=a&dryRun=All", APPLY, 415, "415: Unsupported Media Type"),
        ("PATCH", "", APPLY, 415, "415: Unsupported Media Type"),
        ("PATCH", "dryRun=All", MERGE, 400, "the dryRun alpha feature is disabled"),
        ("POST", "dryRun=All", {}, 400, "the dryRun alpha feature is disabled"),
    ],
)
def test_it_neither_applies_nor_tries(
    method: str, query: str, headers: dict[str, str], status: int, message: str
) -> None:
    answer = asked(WEB, method, query, headers)
    assert answer is not None
    told = json.loads(answer.body)
    assert (answer.status, told["kind"], told["code"], told["message"]) == (status, "Status", status, message)


@pytest.mark.parametrize(("method", "path", "headers"), [("GET", WEB, {}), ("PATCH", WEB, MERGE), ("GET", "/", {})])
def test_all_else_is_as_today(method: str, path: str, headers: dict[str, str]) -> None:
    assert asked(path, method, "", headers) is None
