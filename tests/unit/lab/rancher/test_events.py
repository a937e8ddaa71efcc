# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event stream: what has changed in a project, and pings."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
import websocket
from lab.rancher import events
from unit.lab.rancher.ground import Document, Ground

QUERY = "eventNames=resource.change"


@contextmanager
def listening(ground: Ground, path: str = "", key: Document | None = None) -> Iterator[websocket.WebSocket]:
    pair = f"{key['publicValue']}:{key['secretValue']}" if key else ":"
    header = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"} if key else {}
    address = f"{path or ground.base}/subscribe?{QUERY}".replace("http", "ws", 1)
    with closing(websocket.create_connection(address, timeout=60, header=header)) as connection:
        yield connection


def heard(connection: websocket.WebSocket, kind: str, state: str, one: str | None = None) -> Document:
    """The first message that a thing of this kind, or this one, has come into this state."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        message: dict[str, Any] = json.loads(connection.recv())
        resource = message["data"].get("resource") or {}
        told = message["name"] == "resource.change" and (resource["type"], resource["state"]) == (kind, state)
        if told and one in (None, message["resourceId"]):
            return message
    raise AssertionError(f"nobody told that a {kind} is {state}")


@pytest.mark.parametrize(("version", "stack"), [("v1", "environment"), ("v2-beta", "stack")])
def test_every_change_of_a_thing_is_told(ground: Ground, version: str, stack: str) -> None:
    ground = Ground(ground.lab, version)
    ground.hosts("a")
    with listening(ground) as connection:
        service = ground.service(ground.stack())
        assert heard(connection, stack, "active")["resourceType"] == stack
        message = heard(connection, "service", "active", service["id"])
        assert message["data"]["resource"]["links"]["self"] == service["links"]["self"]
        ground.ask("DELETE", service["links"]["self"])
        heard(connection, "service", "removed", service["id"])


def test_what_was_before_is_not_told_and_other_projects_are_not_heard_of(ground: Ground) -> None:
    ground.stack("before")
    other = ground.until(ground.ask("POST", "/v1/projects", {"name": "other"})[1], "active")
    with listening(ground, f"{ground.url}/v1/projects/{other['id']}") as connection:
        ground.stack("here")
        ground.make(f"/v1/projects/{other['id']}/environments", name="there")
        assert heard(connection, "environment", "active")["data"]["resource"]["name"] == "there"


def test_pings_come_in_between(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_PING_SECONDS", 0.05)
    with listening(ground) as connection:
        assert json.loads(connection.recv())["name"] == "ping"


def test_who_hangs_up_is_told_nothing_more(ground: Ground) -> None:
    parts = ground.lab.world.backends["rancher"].server.parts
    with listening(ground):
        assert len(parts["events"]._listeners) == 1
    ground.eventually(lambda: not parts["events"]._listeners)


def test_it_wants_the_names_of_events_and_a_websocket(ground: Ground) -> None:
    status, error, _headers = ground.ask("GET", "subscribe")
    assert (status, error["code"], error["fieldName"]) == (422, "MissingRequired", "eventNames")
    with pytest.raises(ValueError, match="Expecting value"):
        ground.ask("GET", f"subscribe?{QUERY}")


def test_a_secured_server_tells_nobody_without_a_key(ground: Ground) -> None:
    key = ground.ask("POST", "/v1/apikeys", {"accountId": ground.get("/v1/accounts?kind=admin")["data"][0]["id"]})[1]
    config = {
        "enabled": True,
        "accessMode": "unrestricted",
        "name": "A",
        "username": "a",
        "password": "lab-not-a-secret",
    }
    assert ground.ask("POST", "/v1/localauthconfig", config)[0] in (200, 201)
    with pytest.raises(websocket.WebSocketBadStatusException, match="401"), listening(ground):
        pass
    with listening(ground, key=key):
        pass
