# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rancher's own Python clients, which know nothing of the lab, find what they expect."""

from __future__ import annotations

from typing import Any

import cattle
import gdapi
import pytest
from unit.lab.rancher.ground import WEB, Ground

pytestmark = pytest.mark.filterwarnings("ignore:Non-string:DeprecationWarning")  # the client's empty user


def client(ground: Ground, **keys: str) -> Any:
    return cattle.Client(url=ground.base + "/schemas", cache=False, **keys)


def test_types_are_bound_and_things_made_changed_and_removed(ground: Ground) -> None:
    rancher = client(ground)
    stack = rancher.wait_success(rancher.create_environment(name="one", description="first"))
    assert (stack.state, stack.transitioning) == ("active", "no")
    changed = rancher.update(stack, description="second")
    assert rancher.reload(stack).description == changed.description == "second"
    gone = rancher.wait_success(rancher.delete(changed))
    assert gone.state == "removed"
    assert rancher.by_id_environment("1e99") is None


def test_a_service_through_its_life(ground: Ground) -> None:
    ground.hosts("a", "b")
    rancher = client(ground)
    stack = rancher.wait_success(rancher.create_environment(name="one"))
    service = rancher.wait_success(
        rancher.create_service(name="web", environmentId=stack.id, scale=2, launchConfig=WEB)
    )
    assert service.state == "inactive"
    service = rancher.wait_success(service.activate())
    assert (service.state, len(service.instances().data)) == ("active", 2)
    service = rancher.wait_success(service.deactivate())
    assert {one.state for one in service.instances().data} == {"stopped"}
    rancher.wait_success(rancher.delete(service))
    assert rancher.list_service(environmentId=stack.id).data == []


def test_the_same_in_the_newer_version(new: Ground) -> None:
    new.hosts("a")
    rancher = client(new)
    stack = rancher.wait_success(rancher.create_stack(name="one"))
    service = rancher.create_service(name="web", stackId=stack.id, launchConfig=WEB, startOnCreate=True)
    service = rancher.wait_success(service)
    if service.state == "inactive":
        service = rancher.wait_success(rancher.reload(service))
    assert service.baseType == "service"
    assert stack.id == "1st" + service.stackId[3:]


def test_errors_are_understood(ground: Ground) -> None:
    rancher = client(ground)
    with pytest.raises(gdapi.ApiError) as refused:
        rancher.create_environment(name="a b")
    assert (refused.value.error.status, refused.value.error.code) == (422, "InvalidCharacters")


def test_pages_are_walked(ground: Ground) -> None:
    rancher = client(ground)
    for number in range(5):
        rancher.create_environment(name=f"s{number}")
    page = rancher.list_environment(limit=2)
    seen = [one.name for one in page.data]
    while getattr(page.pagination, "next", None):
        page = page.next()
        seen += [one.name for one in page.data]
    assert seen == [f"s{number}" for number in range(5)]


def test_a_strict_client_knows_the_filters(ground: Ground) -> None:
    rancher = cattle.Client(url=ground.base + "/schemas", cache=False, strict=True)
    assert rancher.list_host(name="x", state="active").data == []
    with pytest.raises(gdapi.ClientApiError):
        rancher.list_host(hostname="x")
