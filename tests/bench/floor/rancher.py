# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The floor of the Rancher job: plain requests, one process, the fewest calls, a look every quarter of a second.

It looks first and makes what is missing. Unlike a tool that others rely on, it never compares, knows no marks, and
recovers from nothing.

usage: rancher.py up|upgrade|down NAME IMAGE
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import requests

HOSTS = 3
POLL_SECONDS = 0.25
URL = os.environ["RANCHER_URL"]
API = f"{URL}/v2-beta"
CHECK = {
    "port": 80,
    "requestLine": "GET /index.html HTTP/1.0",
    "interval": 2000,
    "responseTimeout": 2000,
    "initializingTimeout": 60000,
    "reinitializingTimeout": 60000,
    "healthyThreshold": 2,
    "unhealthyThreshold": 3,
    "strategy": "recreate",
}

session = requests.Session()


def ask(method: str, url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = session.request(method, url, json=body, timeout=30)
    answer.raise_for_status()
    document: dict[str, Any] = answer.json() if answer.content else {}
    return document


def listed(url: str) -> list[dict[str, Any]]:
    return list(ask("GET", url)["data"])


def wait(ready: Callable[[], bool]) -> None:
    while not ready():
        time.sleep(POLL_SECONDS)


def up(project: str, name: str, image: str) -> None:
    wanted = {f"{name}-{number}" for number in range(1, HOSTS + 1)}
    missing = wanted - {one["hostname"] for one in listed(f"{project}/hosts")}
    if missing:
        ask("PUT", f"{API}/settings/api.host", {"value": URL})
        for host in sorted(missing):
            make_host(project, host)
        wait(lambda: sum(one["state"] == "active" for one in listed(f"{project}/hosts")) == HOSTS)
    stacks = listed(f"{project}/stacks?name={name}")
    stack = stacks[0] if stacks else ask("POST", f"{project}/stacks", {"name": name, "startOnCreate": True})
    if not stacks:
        make_services(project, stack["id"], image)
    wait(lambda: all(map(is_healthy, listed(stack["links"]["services"]))))


def make_host(project: str, name: str) -> None:
    config = {
        "accessToken": os.environ["DIGITALOCEAN_ACCESS_TOKEN"],
        "region": "lon1",
        "size": "s-1vcpu-1gb",
        "image": "ubuntu-24-04-x64",
    }
    engine = {
        "engineInstallUrl": "https://releases.rancher.com/install-docker/19.03.sh",
        "engineStorageDriver": "overlay2",
    }
    ask("POST", f"{project}/hosts", {"hostname": name, "digitaloceanConfig": config, **engine})


def make_services(project: str, stack: str, image: str) -> None:
    common = {"stackId": stack, "startOnCreate": True}
    launch = {"imageUuid": f"docker:{image}", "labels": {"io.rancher.scheduler.global": "true"}}
    app = ask("POST", f"{project}/services", {"name": "web", "launchConfig": launch, **common})
    balancer_image = ask("GET", f"{API}/settings/lb.instance.image")["value"]
    rule = {"sourcePort": 80, "protocol": "http", "serviceId": app["id"], "targetPort": 80}
    balancer = {
        "name": "balancer",
        "scale": 1,
        "launchConfig": {"imageUuid": f"docker:{balancer_image}", "ports": ["80:80/tcp"]},
        "lbConfig": {"portRules": [rule]},
    }
    ask("POST", f"{project}/loadbalancerservices", {**balancer, **common})


def is_healthy(service: dict[str, Any]) -> bool:
    return bool(service["state"] == "active" and service["healthState"] == "healthy")


def upgrade(project: str, name: str, image: str) -> None:
    stack = listed(f"{project}/stacks?name={name}")[0]
    app = next(one for one in listed(stack["links"]["services"]) if one["name"] == "web")
    launch = {**app["launchConfig"], "imageUuid": f"docker:{image}", "healthCheck": CHECK}
    strategy = {"batchSize": 1, "intervalMillis": 2000, "launchConfig": launch}
    ask("POST", app["actions"]["upgrade"], {"inServiceStrategy": strategy})
    link = app["links"]["self"]
    wait(lambda: ask("GET", link)["state"] == "upgraded")
    ask("POST", f"{link}?action=finishupgrade")
    wait(lambda: is_healthy(ask("GET", link)))


def down(project: str, name: str, _image: str) -> None:
    for stack in listed(f"{project}/stacks?name={name}"):
        ask("DELETE", stack["links"]["self"])
    wait(lambda: not listed(f"{project}/stacks?name={name}"))
    hosts = listed(f"{project}/hosts")
    for host in hosts:
        ask("POST", host["actions"]["deactivate"])
    wait(lambda: all(one["state"] == "inactive" for one in listed(f"{project}/hosts")))
    for host in hosts:
        ask("DELETE", host["links"]["self"])
    wait(lambda: not listed(f"{project}/hosts"))


if __name__ == "__main__":
    phase = {"up": up, "upgrade": upgrade, "down": down}[sys.argv[1]]
    phase(listed(f"{API}/projects?name=Default")[0]["links"]["self"], *sys.argv[2:])
