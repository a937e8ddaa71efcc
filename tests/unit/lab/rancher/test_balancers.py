# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load balancers answer HTTP with the containers behind them, in turn, whichever version they were made with."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest
from unit.lab.rancher.ground import CHECK, WEB, Document, Ground


def fetch(endpoint: Document, path: str = "/", host: str = "") -> tuple[int, str]:
    url = f"http://{endpoint['ipAddress']}:{endpoint['port']}{path}"
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def old_balancer(ground: Ground, stack: Document, *links: Document) -> Document:
    config = {"launchConfig": {"ports": ["80:80"]}, "loadBalancerConfig": {}}
    made = ground.service(stack, "lb", kind="loadbalancerservices", **config)
    ground.act(made, "setservicelinks", serviceLinks=list(links))
    return ground.until(made, "active", healthy=True)


def test_a_balancer_with_links(ground: Ground) -> None:
    ground.hosts("a", "b", "c")
    stack = ground.stack()
    web = ground.service(stack, scale=3)
    balancer = old_balancer(ground, stack, {"serviceId": web["id"], "ports": []})
    assert [one["port"] for one in balancer["publicEndpoints"]] == [80]
    assert len({ground.page(balancer) for _unused in range(3)}) == 3
    (container,) = ground.containers(balancer)
    assert container["systemContainer"] == "LoadBalancerAgent"
    assert balancer["launchConfig"]["healthCheck"]["port"] == 42


def test_where_docker_keeps_its_rules_in_nftables_nobody_gets_in(new: Ground) -> None:
    (host,) = new.hosts("a")
    machine = new.lab.world.machines.at(host["agentIpAddress"])
    machine.iptables = "nft"
    web = new.service(new.stack(), launchConfig={**WEB, "ports": ["8080:80/tcp"]})
    (endpoint,) = web["publicEndpoints"]
    with pytest.raises(urllib.error.URLError, match="refused"):
        fetch(endpoint)


def test_the_port_that_balancers_are_checked_at_is_reserved(new: Ground) -> None:
    stack = new.stack()
    fields = {"stackId": stack["id"], "launchConfig": {"imageUuid": "docker:rancher/lb-service-haproxy:v0.9.14"}}
    rules = {"lbConfig": {"portRules": [{"sourcePort": 42, "serviceId": None, "targetPort": 80}]}}
    assert new.refused("loadbalancerservices", name="lb", **fields, **rules)[:2] == (422, "InvalidOption")


def test_a_balancer_with_port_rules(new: Ground) -> None:
    new.hosts("a", "b")
    stack = new.stack()
    web = new.service(stack, scale=2)
    other = new.service(stack, "other", launchConfig={"imageUuid": "docker:httpd"})
    rules = [
        {"sourcePort": 80, "serviceId": web["id"], "targetPort": 80},
        {"sourcePort": 80, "serviceId": other["id"], "targetPort": 80, "hostname": "www.example.org", "path": "/other"},
    ]
    config = {"imageUuid": "docker:rancher/lb-service-haproxy:v0.9.14", "ports": ["80:80/tcp"]}
    balancer = new.service(stack, "lb", kind="loadbalancerservices", launchConfig=config, lbConfig={"portRules": rules})
    (endpoint,) = balancer["publicEndpoints"]
    assert len({fetch(endpoint)[1] for _unused in range(2)}) == 2
    assert "httpd" in fetch(endpoint, "/other", "www.example.org")[1]
    assert "httpd" not in fetch(endpoint, "/other", "example.org")[1]
    changed = {"lbConfig": {"portRules": [{"sourcePort": 80, "serviceId": other["id"], "targetPort": 80}]}}
    new.ask("PUT", balancer["links"]["self"], changed)
    assert "httpd" in fetch(endpoint)[1]


@pytest.mark.parametrize(
    ("target", "path", "status"),
    [("80", "/", 200), ("/app=80", "/app", 200), ("/app=80", "/", 503), ("81", "/", 503), ("80:/app", "/app/x", 200)],
)
def test_targets_of_links(ground: Ground, target: str, path: str, status: int) -> None:
    ground.hosts("a")
    stack = ground.stack()
    web = ground.service(stack)
    balancer = old_balancer(ground, stack, {"serviceId": web["id"], "ports": [target]})
    assert fetch(balancer["publicEndpoints"][0], path)[0] == status


def test_nobody_is_sent_to_a_container_that_does_not_answer(ground: Ground) -> None:
    ground.hosts("a", "b")
    stack = ground.stack()
    web = ground.service(stack, scale=2, launchConfig={**WEB, "healthCheck": CHECK})
    web = ground.until(web, "active", healthy=True)
    balancer = old_balancer(ground, stack, {"serviceId": web["id"]})
    first, second = ground.containers(web)
    ground.run(first, "nginx", "-s", "stop")
    pages = {ground.page(balancer) for _unused in range(4)}
    assert len(pages) == 1
    assert second["externalId"][:12] in pages.pop()


def test_without_any_target_it_says_so(ground: Ground) -> None:
    ground.hosts("a")
    balancer = old_balancer(ground, ground.stack())
    assert fetch(balancer["publicEndpoints"][0])[0] == 503
