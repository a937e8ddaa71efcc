# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Upgrades inside a service: finished, rolled back, cancelled."""

from __future__ import annotations

from typing import Any

import pytest
from unit.lab.rancher.ground import CHECK, GLOBAL, Document, Ground


def upgraded(ground: Ground, service: Document, **changes: Any) -> Document:
    """Ask for it; the launch configuration is sent as a whole, as the API wants it."""
    config = {**service["launchConfig"], **changes}
    return ground.act(
        service, "upgrade", inServiceStrategy={"batchSize": 1, "intervalMillis": 2000, "launchConfig": config}
    )


@pytest.fixture
def web(ground: Ground) -> Document:
    ground.hosts("a", "b", "c")
    config = {"imageUuid": "docker:russmckendrick/cluster", "ports": ["80/tcp"], "labels": GLOBAL}
    return ground.service(ground.stack(), "MyClusterApp", launchConfig=config)


def test_an_upgrade_that_is_finished(ground: Ground, web: Document) -> None:
    before = {one["id"] for one in ground.containers(web)}
    asked = upgraded(ground, web, healthCheck=CHECK)
    assert (asked["state"], asked["transitioning"]) == ("upgrading", "yes")
    found = ground.until(web, "upgraded")
    assert set(found["actions"]) & {"upgrade", "finishupgrade", "rollback", "cancelupgrade"} == {
        "finishupgrade",
        "rollback",
    }
    assert found["healthState"] == "degraded"
    assert "healthCheck" not in found["upgrade"]["inServiceStrategy"]["previousLaunchConfig"]
    states = [(one["state"], one["healthState"]) for one in ground.containers(web)]
    assert sorted(states, key=str) == [("running", "healthy")] * 3 + [("stopped", None)] * 3
    assert ground.act(found, "finishupgrade")["state"] == "finishing-upgrade"
    ground.until(web, "active", healthy=True)
    after = ground.containers(web)
    assert len(after) == 3
    assert not before & {one["id"] for one in after}
    assert ground.again(web)["launchConfig"]["ports"] == web["launchConfig"]["ports"]


def test_two_containers_cannot_have_the_address_that_a_service_retains(ground: Ground) -> None:
    ground.hosts("a")
    web = ground.service(ground.stack(), retainIp=True)
    strategy = {"launchConfig": web["launchConfig"], "startFirst": True}
    status, error, _unused = ground.ask("POST", web["actions"]["upgrade"], {"inServiceStrategy": strategy})
    assert (status, error["code"]) == (422, "InvalidOption")


def test_an_upgrade_that_is_rolled_back(ground: Ground, web: Document) -> None:
    before = {one["id"] for one in ground.containers(web)}
    upgraded(ground, web, imageUuid="docker:nginx")
    found = ground.until(web, "upgraded")
    assert ground.act(found, "rollback")["state"] == "rolling-back"
    ground.until(web, "active", healthy=True)
    ground.eventually(lambda: {one["id"] for one in ground.containers(web)} == before)
    assert ground.again(web)["launchConfig"]["imageUuid"] == "docker:russmckendrick/cluster"


def test_it_waits_for_the_new_ones_to_be_healthy_and_can_be_cancelled(ground: Ground, web: Document) -> None:
    before = {one["id"] for one in ground.containers(web)}
    upgraded(ground, web, healthCheck={**CHECK, "port": 81, "initializingTimeout": 600_000})
    ground.lab.advance(60, steps=6)
    stuck = ground.again(web)
    assert stuck["state"] == "upgrading"
    assert len(ground.containers(web, "stopped")) == 1
    assert ground.act(stuck, "cancelupgrade")["state"] == "canceling-upgrade"
    cancelled = ground.until(web, "canceled-upgrade")
    same = ground.get(f"/v2-beta/projects/1a5/services/{web['id']}")
    assert {"rollback", "continueupgrade"} <= set(same["actions"])
    ground.act(cancelled, "rollback")
    ground.until(web, "active", healthy=True)
    ground.eventually(lambda: {one["id"] for one in ground.containers(web)} == before)


def test_the_older_server_offers_other_actions(old: Ground) -> None:
    old.hosts("a")
    web = old.service(old.stack())
    upgraded(old, web, healthCheck={**CHECK, "port": 81})
    old.act(old.until(web, "upgrading"), "cancelupgrade")
    cancelled = old.until(web, "canceled-upgrade")
    assert {"rollback", "finishupgrade"} <= set(cancelled["actions"])
    assert "continueupgrade" not in cancelled["actions"]


def test_a_service_that_does_not_run_is_upgraded_on_paper(ground: Ground) -> None:
    stack = ground.stack()
    service = ground.until(
        ground.make("services", name="x", environmentId=stack["id"], launchConfig={"imageUuid": "docker:nginx"})
    )
    upgraded(ground, service, imageUuid="docker:httpd")
    found = ground.until(service, "upgraded")
    assert ground.containers(found) == []
    done = ground.until(ground.act(found, "finishupgrade"), "active", "updating-active")
    assert done["launchConfig"]["imageUuid"] == "docker:httpd"


def test_only_one_upgrade_at_a_time(ground: Ground, web: Document) -> None:
    upgraded(ground, web, imageUuid="docker:nginx")
    ground.until(web, "upgraded")
    status, code, _unused = ground.refused(f"services/{web['id']}?action=upgrade", inServiceStrategy={})
    assert (status, code) == (422, "ActionNotAvailable")
