# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus and Loki of the lab show what reaches them, and nothing that does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from lab.kubernetes.kubelet.telemetry import Log, Node, Shipper, loki, prometheus

NODES = [Node("a", "10.0.0.1"), Node("b", "10.0.0.2", ready=False)]
NODE_ROLE = [{"role": "node"}]
TO_9100 = {"source_labels": ["__address__"], "regex": r"(.+):\d+", "replacement": "$1:9100"}
KUBELET = {"scheme": "https", "authorization": {"credentials_file": "/token"}}
JOBS: list[dict[str, Any]] = [
    {"job_name": "static", "static_configs": [{"targets": ["metrics:8080", "nowhere:8080"]}]},
    {
        "job_name": "exporter",
        "kubernetes_sd_configs": NODE_ROLE,
        "relabel_configs": [
            {**TO_9100, "target_label": "__address__"},
            {"source_labels": ["__meta_kubernetes_node_name"], "target_label": "node"},
        ],
    },
    {
        **KUBELET,
        "job_name": "kubelets",
        "kubernetes_sd_configs": NODE_ROLE,
        "tls_config": {"insecure_skip_verify": True},
    },
    {**KUBELET, "job_name": "verified", "kubernetes_sd_configs": NODE_ROLE, "tls_config": {"ca_file": "/ca.crt"}},
    {"job_name": "empty"},
]
OPEN = {("metrics", 8080), ("10.0.0.1", 9100)}


def query(text: str) -> dict[str, Any]:
    config = yaml.safe_dump({"scrape_configs": JOBS})
    page = prometheus(config, "/api/v1/query", f"query={text}", NODES, lambda host, port: (host, port) in OPEN)
    return {"code": page.status, **json.loads(page.body)}


@pytest.mark.parametrize(
    ("text", "up"),
    [
        ('up{job="static"}', {"metrics:8080": "1", "nowhere:8080": "0"}),
        ('up{job="static"} == 1', {"metrics:8080": "1"}),
        ('up{job="exporter"}', {"10.0.0.1:9100": "1", "10.0.0.2:9100": "0"}),
        ('up{job="kubelets"} == 1', {"10.0.0.1:10250": "1"}),
        ('up{job="verified"} == 1', {}),  # the kubelets' certificates are signed by nobody
        ('up{job="empty"}', {}),
    ],
)
def test_targets_are_up_if_somebody_answers_there(text: str, up: dict[str, str]) -> None:
    answer = query(text)

    assert (answer["status"], answer["data"]["resultType"]) == ("success", "vector")
    assert {one["metric"]["instance"]: one["value"][1] for one in answer["data"]["result"]} == up


def test_labels_are_those_of_the_rules() -> None:
    labels = query('up{job="exporter"} == 1')["data"]["result"][0]["metric"]

    assert labels == {"__name__": "up", "instance": "10.0.0.1:9100", "job": "exporter", "node": "a"}


def test_what_is_not_known_is_an_error() -> None:
    answer = query("sum(up)")

    assert (answer["code"], answer["status"], answer["errorType"]) == (422, "error", "execution")


PIPELINE: dict[str, Any] = {
    "inputs": [
        {"name": "tail", "path": "/var/log/containers/*.log", "exclude_path": "/var/log/containers/agent-*.log"}
    ],
    "filters": [{"name": "kubernetes"}],
    "outputs": [
        {"name": "loki", "host": "loki", "port": 3100, "labels": "job=x, container=$kubernetes['container_name']"}
    ],
}
LOGS = [Log("a", "shop", "web-1", "web"), Log("a", "logging", "agent-1", "agent"), Log("b", "shop", "db-1", "db")]


def values(name: str = "container", *, sees_logs: bool = True, **changed: Any) -> dict[str, Any]:
    config = yaml.safe_dump({"pipeline": {**PIPELINE, **changed}})
    shipper = Shipper(config, "a", sees_logs, lambda host, port: (host, port) == ("loki", 3100))
    found: dict[str, Any] = json.loads(loki(f"/loki/api/v1/label/{name}/values", [shipper], LOGS).body)
    return found


def test_lines_come_from_the_node_where_somebody_sends_them() -> None:
    assert values() == {"status": "success", "data": ["web"]}
    assert values("job") == {"status": "success", "data": ["x"]}
    assert values("pod") == {"status": "success"}


@pytest.mark.parametrize(
    "changed",
    [
        {"outputs": [{**PIPELINE["outputs"][0], "host": "elsewhere"}]},
        {"outputs": [{**PIPELINE["outputs"][0], "port": 3101}]},
        {"inputs": [{"name": "tail", "path": "/var/log/pods/*.log"}]},
        {"filters": []},
        {"sees_logs": False},
    ],
)
def test_nothing_comes_if_it_is_wired_wrong(changed: dict[str, Any]) -> None:
    assert values(**changed) == {"status": "success"}
