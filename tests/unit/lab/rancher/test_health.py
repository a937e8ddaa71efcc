# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health checks ask the containers, and replace those that do not answer three times in a row."""

from __future__ import annotations

from typing import Any

import pytest
from lab.rancher.health import ServiceHealth
from unit.lab.rancher.ground import CHECK, WEB, Document, Ground

SLOW: Document = {**CHECK, "interval": 200_000}
"""A check at intervals that are so long that the seconds of a busy machine do not count."""
STOPPED_BY_HAND = ("/bin/sh", "-c", "supervisorctl stop nginx; kill 12 13")


@pytest.fixture
def web(ground: Ground) -> Document:
    ground.hosts("a", "b")
    config = {**WEB, "healthCheck": SLOW}
    return ground.until(ground.service(ground.stack(), scale=2, launchConfig=config), "active", healthy=True)


def test_a_dead_program_costs_the_container_after_three_failures(ground: Ground, web: Document) -> None:
    victim, other = ground.containers(web)
    ground.run(victim, *STOPPED_BY_HAND)
    ground.lab.advance(390, steps=4)
    assert ground.again(victim)["healthState"] == "healthy"
    ground.lab.advance(250, steps=5)
    assert ground.again(victim)["healthState"] == "unhealthy"
    ground.eventually(lambda: ground.again(victim)["state"] in ("removed", "purged"))
    ground.until(web, "active", healthy=True)
    after = {one["name"]: one for one in ground.containers(web)}
    assert after[other["name"]]["id"] == other["id"]
    replaced = after[victim["name"]]
    assert (replaced["id"], replaced["externalId"]) != (victim["id"], victim["externalId"])
    assert replaced["primaryIpAddress"] != victim["primaryIpAddress"]


def test_two_failures_are_forgiven(ground: Ground, web: Document) -> None:
    victim = ground.containers(web)[0]
    ground.run(victim, *STOPPED_BY_HAND)
    ground.lab.advance(390, steps=4)
    ground.run(victim, "supervisorctl", "start", "nginx")
    ground.lab.advance(1000, steps=10)
    assert ground.again(victim)["healthState"] == "healthy"


def test_without_a_strategy_it_is_only_said(ground: Ground) -> None:
    ground.hosts("a")
    config = {**WEB, "healthCheck": {**CHECK, "strategy": "none"}}
    web = ground.until(ground.service(ground.stack(), launchConfig=config), "active", healthy=True)
    (container,) = ground.containers(web)
    ground.run(container, "nginx", "-s", "stop")
    ground.lab.advance(10, steps=10)
    assert ground.again(container)["healthState"] == "unhealthy"
    assert (ground.again(container)["state"], ground.again(web)["healthState"]) == ("running", "unhealthy")


def test_a_container_that_never_answers_is_replaced_after_its_time(ground: Ground) -> None:
    ground.hosts("a")
    check = {**SLOW, "port": 81, "initializingTimeout": 2_000_000}
    web = ground.service(ground.stack(), launchConfig={**WEB, "healthCheck": check})
    assert ground.again(web)["healthState"] == "initializing"
    (first,) = ground.containers(web)
    ground.lab.advance(1800, steps=9)
    assert ground.again(first)["healthState"] == "initializing"
    ground.lab.advance(600, steps=6)
    ground.eventually(lambda: first["id"] not in {one["id"] for one in ground.containers(web)})


def test_a_page_that_is_missing_is_a_failure(ground: Ground) -> None:
    ground.hosts("a")
    check = {**CHECK, "requestLine": "GET /missing HTTP/1.0"}
    web = ground.service(ground.stack(), launchConfig={**WEB, "healthCheck": check})
    ground.lab.advance(10, steps=5)
    assert ground.again(web)["healthState"] == "initializing"


@pytest.mark.parametrize(
    ("states", "summary"),
    [
        ([], "healthy"),
        (["healthy", "started-once"], "healthy"),
        (["healthy", "initializing", "unhealthy"], "initializing"),
        (["healthy", "degraded"], "degraded"),
        (["healthy", "unhealthy"], "degraded"),
        (["unhealthy"], "unhealthy"),
    ],
)
def test_a_stack_is_as_healthy_as_its_services(states: list[str], summary: str) -> None:
    server: Any = None
    assert ServiceHealth(server).summary(states) == summary
