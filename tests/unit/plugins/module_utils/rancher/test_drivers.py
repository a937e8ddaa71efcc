# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machine drivers of a server that was just started, and of one that is long up."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._errors import InputError, WaitTimeoutError
from ansible_collections.container.schedulers.plugins.module_utils._rancher.drivers import driver_schema
from unit.rancher import collection, error, run_with
from unit.scripted_http import Request

SCHEMAS = "/v2-beta/projects/1a5/schemas"
FIELDS = {"resourceFields": {"accessToken": {"type": "string"}}}


def wanted(times: int = 1) -> Request:
    return Request("GET", f"{SCHEMAS}/digitaloceanconfig", error(404, "Not Found"), status=404, times=times)


def hosts(*drivers: str, times: int = 1) -> Request:
    fields = {f"{one}Config": {"type": f"{one}Config"} for one in drivers}
    return Request("GET", f"{SCHEMAS}/host", {"id": "host", "resourceFields": {"name": {}, **fields}}, times=times)


def rows(**fields: Any) -> Request:
    return Request("GET", "/v1/machinedrivers", collection({"name": "digitalocean", **fields}))


THERE = Request("GET", f"{SCHEMAS}/digitaloceanconfig", FIELDS)


def test_a_server_without_any_driver_has_just_been_started() -> None:
    run, http = run_with(wanted(2), hosts(times=2), THERE)
    assert driver_schema(run, "digitalocean") == FIELDS
    http.finish()


def test_a_driver_that_is_on_its_way_is_waited_for() -> None:
    run, http = run_with(wanted(), hosts("amazonec2"), rows(transitioning="yes"), THERE)
    assert driver_schema(run, "digitalocean") == FIELDS
    http.finish()


@pytest.mark.parametrize(
    "told", [rows(transitioning="no"), Request("GET", "/v1/machinedrivers", error(403, "Forbidden"), status=403)]
)
def test_a_driver_that_is_switched_off_is_not(told: Request) -> None:
    run, http = run_with(wanted(), hosts("amazonec2", "azure"), told)
    with pytest.raises(InputError, match="'digitalocean' is not active on this server, which has: amazonec2, azure"):
        driver_schema(run, "digitalocean")
    http.finish()


def test_a_server_that_never_has_any_is_said_so() -> None:
    run, _http = run_with(wanted(99), hosts(times=99), seconds=30)
    with pytest.raises(WaitTimeoutError, match="the server has no machine drivers yet"):
        driver_schema(run, "digitalocean")
