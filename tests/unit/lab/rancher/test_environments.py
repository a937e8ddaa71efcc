# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What environments run by themselves, and the Kubernetes of those that have one."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.request
from typing import Any

import pytest
from lab.kubernetes import programs
from lab.rancher import kubernetes_1_12
from unit.lab.digitalocean_ground import make
from unit.lab.rancher.ground import Document, Ground


@pytest.mark.parametrize(("server", "name"), [("v1.1.4", "Kubernetes"), ("v1.6.30", "kubernetes")])
def test_a_kubernetes_environment_builds_itself_once_it_has_hosts(lab: Any, server: str, name: str) -> None:
    ground = Ground(lab, server=server)
    lab.settings(rancher_kubernetes=False)
    project = ground.until(ground.make("/v1/projects", name="k8s", kubernetes=True), "active")
    assert project["kubernetes"] is True
    below = f"/v1/projects/{project['id']}"
    assert ground.listed(f"{below}/environments") == []
    api = f"/r/projects/{project['id']}/kubernetes/version"
    assert ground.ask("GET", api)[0] == 503
    ground.hosts("a", "b", "c", project=project["id"])
    (stack,) = ground.eventually(lambda: ground.listed(f"{below}/environments?name={name}"))
    ground.until(stack, "active", healthy=True)
    services = {one["name"] for one in ground.listed(stack["links"]["services"])}
    assert {"kubelet", "etcd", "kubernetes", "scheduler", "kubectld"} <= services
    assert ground.ask("GET", api)[0] == 501


def test_a_kubelet_of_its_time_does_not_run_on_a_system_of_today(new: Ground) -> None:
    """That has booted with version 2 of control groups. So it is started again and again."""
    new.lab.settings(rancher_kubernetes=False)
    project = new.until(new.make("/v1/projects", name="k8s", kubernetes=True), "active")
    below = f"/v2-beta/projects/{project['id']}"
    command = new.until(new.make(f"{below}/registrationtokens"), "active")["command"].removeprefix("sudo ")
    make(new.lab, "own", user_data=f"#!/bin/sh\ncurl -fsSL https://get.docker.com | sh\n{command}\n")

    def is_restarted() -> bool:
        found = [one for one in new.listed(f"{below}/containers") if "kubelet" in one["name"]]
        return any(int(one["startCount"] or 0) > 2 for one in found)

    new.eventually(is_restarted)


def test_templates_of_environments_are_the_newer_way(new: Ground) -> None:
    (template,) = new.listed("/v2-beta/projecttemplates?name=Kubernetes")
    project = new.until(new.make("/v2-beta/projects", name="k8s", projectTemplateId=template["id"]), "active")
    assert (project["orchestration"], project["projectTemplateId"]) == ("kubernetes", template["id"])
    assert {stack["name"] for stack in template["stacks"]} >= {"kubernetes", "network-services"}


def test_old_hosts_have_a_network_agent_and_new_environments_have_stacks(ground: Ground, old: Ground) -> None:
    old.hosts("a", "b")
    agents = old.eventually(lambda: len(found := old.listed("containers?state=running")) == 2 and found)
    assert {one["systemContainer"] for one in agents} == {"NetworkAgent"}
    old.lab.control("POST", "/reset")
    ground.lab.settings(rancher_version="v1.6.30")
    ground.hosts("a")
    found = ground.eventually(lambda: ground.listed("/v2-beta/projects/1a5/stacks?system=true"))
    assert {one["name"] for one in found} == {"network-services", "ipsec", "scheduler", "healthcheck"}


@pytest.mark.skipif(programs.find() is None, reason="the programs of the control plane are not built")
def test_its_api_server_is_a_real_one_behind_the_server(ground: Ground) -> None:
    project = ground.until(ground.make("/v1/projects", name="k8s", kubernetes=True), "active")
    ground.hosts("a", "b", project=project["id"])
    below = f"/v1/projects/{project['id']}"

    def healthy() -> bool:
        ground.lab.advance(1)
        found = ground.listed(f"{below}/environments?name=kubernetes&state=active")
        return any(one["healthState"] == "healthy" for one in found)

    ground.eventually(healthy, seconds=600)  # its programs take their time, and more on a busy machine
    key = ground.make(f"{below}/apikeys", name="kubectl")
    ground.until(key, "active")
    found = secure(ground, f"/r/projects/{project['id']}/kubernetes:6443/api/v1/nodes", key)
    assert {node["metadata"]["name"] for node in found["items"]} == {"a", "b"}
    ground.hosts("c", project=project["id"])
    ground.eventually(
        lambda: len(secure(ground, f"/r/projects/{project['id']}/kubernetes/api/v1/nodes", key)["items"]) == 3
    )
    ground.lab.settings(rancher_kubernetes_1_12=True)
    assert secure(ground, f"/r/projects/{project['id']}/kubernetes/version", key)["gitVersion"] == "v1.12.10"
    groups = secure(ground, f"/r/projects/{project['id']}/kubernetes:6443/apis", key)["groups"]
    assert {"apps", "batch"} < {one["name"] for one in groups} < {*kubernetes_1_12.SERVED}


def secure(ground: Ground, path: str, key: Document) -> Any:
    """Over TLS, on the same port, as kubectl asks: it sends no credentials otherwise."""
    pair = base64.b64encode(f"{key['publicValue']}:{key['secretValue']}".encode()).decode()
    token = base64.b64encode(f"Basic {pair}".encode()).decode()
    request = urllib.request.Request(
        ground.url.replace("http:", "https:") + path, headers={"Authorization": f"Bearer {token}"}
    )
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with urllib.request.urlopen(request, timeout=60, context=context) as answer:
        return json.load(answer)
