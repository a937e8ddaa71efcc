# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services: where their containers go, how many there are, what they are linked to."""

from __future__ import annotations

from typing import Any

import pytest
from unit.lab.rancher.ground import GLOBAL, WEB, Ground, page


def test_a_global_service_has_a_container_on_every_host_also_on_later_ones(ground: Ground) -> None:
    hosts = ground.hosts("a", "b")
    service = ground.service(ground.stack(), launchConfig={**WEB, "labels": GLOBAL})
    assert {one["hostId"] for one in ground.containers(service)} == {host["id"] for host in hosts}
    (late,) = ground.hosts("c")
    found = ground.eventually(lambda: len(ground.containers(service, "running")) == 3 and ground.containers(service))
    assert late["id"] in {one["hostId"] for one in found}
    assert ground.until(service, "active", healthy=True)["currentScale"] == 3


def test_a_host_that_was_deactivated_keeps_its_containers_and_gets_no_more(ground: Ground) -> None:
    resting, other = ground.hosts("a", "b")
    everywhere = ground.service(ground.stack(), launchConfig={**WEB, "labels": GLOBAL})
    before = {one["id"] for one in ground.containers(everywhere, "running")}
    ground.until(ground.act(resting, "deactivate"), "inactive")
    later = ground.service(ground.stack("Later"), scale=2, launchConfig={"imageUuid": "docker:nginx"})
    assert {one["hostId"] for one in ground.containers(later, "running")} == {other["id"]}
    assert {one["id"] for one in ground.containers(everywhere, "running")} == before
    ground.act(ground.again(resting), "activate")
    assert {one["id"] for one in ground.containers(everywhere, "running")} == before


def test_only_hosts_with_the_label(ground: Ground) -> None:
    ground.hosts("a")
    (ssd,) = ground.hosts("b", disk="ssd")
    labels = {**GLOBAL, "io.rancher.scheduler.affinity:host_label": "disk=ssd"}
    service = ground.service(ground.stack(), launchConfig={**WEB, "labels": labels})
    assert [one["hostId"] for one in ground.containers(service)] == [ssd["id"]]


def test_the_server_picks_one_public_port_for_all_hosts_and_writes_it_down(ground: Ground) -> None:
    ground.hosts("a", "b")
    service = ground.service(ground.stack(), scale=2)
    ((port,),) = [service["launchConfig"]["ports"]]
    public = int(port.partition(":")[0])
    assert port == f"{public}:80/tcp"
    assert 49153 <= public <= 65535
    assert [one["port"] for one in service["publicEndpoints"]] == [public, public]
    assert len({page(one) for one in service["publicEndpoints"]}) == 2


@pytest.mark.parametrize(
    ("server", "names"),
    [("v1.1.4", {"Default_web_1", "Default_web_2"}), ("v1.6.30", {"Default-web-1", "Default-web-2"})],
)
def test_names_of_containers(lab: Any, server: str, names: set[str]) -> None:
    ground = Ground(lab, server=server)
    ground.hosts("a", "b")
    assert {one["name"] for one in ground.containers(ground.service(ground.stack(), scale=2))} == names


def test_scaling_up_and_down(ground: Ground) -> None:
    ground.hosts("a", "b", "c")
    service = ground.service(ground.stack(), scale=1)
    (first,) = ground.containers(service)
    status, changed, _unused = ground.ask("PUT", service["links"]["self"], {"scale": 3, "launchConfig": {}})
    assert (status, changed["state"]) == (200, "updating-active")
    ground.until(service, "active")
    assert len({one["hostId"] for one in ground.containers(service, "running")}) == 3
    ground.ask("PUT", service["links"]["self"], {"scale": 1})
    ground.eventually(lambda: [one["id"] for one in ground.containers(service)] == [first["id"]])


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ("v1.1.4", "Scheduling failed: host needs ports 80/tcp available"),
        ("v1.6.30", "Allocation failed: No healthy hosts meet the resource constraints: [ports: [80:80/tcp]"),
    ],
)
def test_two_containers_cannot_have_the_same_port_of_a_host(lab: Any, server: str, reason: str) -> None:
    ground = Ground(lab, server=server)
    (host,) = ground.hosts("a")
    stack = ground.stack()
    ground.service(stack, "first", launchConfig={**WEB, "ports": ["80:80"]})
    second = ground.make(
        "services",
        name="second",
        environmentId=stack["id"],
        startOnCreate=True,
        launchConfig={**WEB, "ports": ["80:80"]},
    )
    stuck = ground.eventually(
        lambda: (one := ground.again(second))["transitioningMessage"] not in (None, "In Progress") and one
    )
    assert (stuck["state"], stuck["transitioning"]) == ("activating", "error")
    assert reason in stuck["transitioningMessage"]
    (broken,) = ground.containers(second)
    assert (broken["state"], broken["transitioning"], broken["hostId"]) == ("error", "error", None)
    ground.hosts("b")
    ground.lab.advance(6)
    ground.until(second, "active")
    (placed,) = ground.containers(second)
    assert placed["hostId"] != host["id"]


def test_a_port_at_an_address_is_compared_with_that_address_only(ground: Ground) -> None:
    """As cattle's PortSpec and PortsConstraint do it."""
    (host,) = ground.hosts("a")
    stack = ground.stack()
    near = ground.service(stack, "near", launchConfig={**WEB, "ports": ["127.0.0.1:8080:80"]})
    assert near["launchConfig"]["ports"] == ["127.0.0.1:8080:80/tcp"]
    assert [(one["ipAddress"], one["port"]) for one in near["publicEndpoints"]] == [("127.0.0.1", 8080)]
    anywhere = ground.service(stack, "anywhere", launchConfig={**WEB, "ports": ["8080:80"]})
    (placed,) = ground.containers(anywhere, "running")
    assert placed["hostId"] == host["id"]
    ground.act(near, "deactivate")
    ground.until(near, "inactive")
    assert page(anywhere["publicEndpoints"][0])


def test_an_image_that_does_not_exist_is_said_and_tried_again(ground: Ground) -> None:
    ground.hosts("a")
    stack = ground.stack()
    config = {"imageUuid": "docker:does-not-exist"}
    service = ground.make("services", name="x", environmentId=stack["id"], startOnCreate=True, launchConfig=config)
    (first,) = ground.eventually(lambda: ground.containers(service, "error"))
    assert "pull access denied" in first["transitioningMessage"]
    waiting = ground.eventually(lambda: [one for one in [ground.again(service)] if one["transitioning"] == "error"])[0]
    assert (waiting["state"], "pull access denied" in waiting["transitioningMessage"]) == ("activating", True)
    ground.lab.advance(6)
    ground.eventually(lambda: [one["id"] for one in ground.containers(service, "error")] not in ([], [first["id"]]))


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"name": "a--b"}, "InvalidCharacters", "name"),
        ({"name": "WEB"}, "NotUnique", "name"),
        ({"launchConfig": None}, "MissingRequired", "launchConfig"),
        ({"launchConfig": {"imageUuid": "nginx"}}, "InvalidReference", "imageUuid"),
        ({"launchConfig": {**WEB, "ports": ["a"]}}, "PortWrongFormat", "ports"),
        ({"launchConfig": {**WEB, "ports": ["80/icmp"]}}, "PortInvalidProtocol", "ports"),
        ({"launchConfig": {**WEB, "healthCheck": {"port": 0}}}, "MinLimitExceeded", "port"),
        ({"launchConfig": {**WEB, "healthCheck": {}}}, "MissingRequired", "port"),
        ({"launchConfig": {**WEB, "logConfig": 1}}, "InvalidFormat", "logConfig"),
        ({"environmentId": "1e99"}, "InvalidReference", "environmentId"),
        ({"environmentId": None}, "MissingRequired", "environmentId"),
    ],
)
def test_what_no_service_can_be(ground: Ground, fields: dict[str, Any], code: str, field: str) -> None:
    stack = ground.stack()
    ground.make("services", name="web", environmentId=stack["id"], launchConfig=WEB)
    body = {"name": "other", "environmentId": stack["id"], "launchConfig": WEB, **fields}
    assert ground.refused("services", **body) == (422, code, field)


def test_links_are_set_as_a_whole(ground: Ground) -> None:
    stack = ground.stack()
    one, two, web = (
        ground.make("services", name=name, environmentId=stack["id"], launchConfig=WEB)
        for name in ("one", "two", "web")
    )
    web = ground.until(web, "inactive")
    ground.act(web, "setservicelinks", serviceLinks=[{"serviceId": one["id"], "name": "a"}, {"serviceId": two["id"]}])
    assert {linked["name"] for linked in ground.listed(web["links"]["consumedservices"])} == {"one", "two"}
    ground.act(web, "setservicelinks", serviceLinks=[{"serviceId": two["id"]}])
    (kept,) = ground.listed(f"serviceconsumemaps?serviceId={web['id']}&state=active")
    assert kept["consumedServiceId"] == two["id"]
    ground.act(web, "removeservicelink", serviceLink={"serviceId": two["id"]})
    assert ground.listed(web["links"]["consumedservices"]) == []


def test_sidekicks_share_a_host_and_those_that_start_once_end_stopped(ground: Ground) -> None:
    ground.hosts("a", "b")
    data = {"imageUuid": "docker:busybox", "name": "data", "labels": {"io.rancher.container.start_once": "true"}}
    helper = {"imageUuid": "docker:nginx", "name": "helper"}
    service = ground.service(ground.stack(), scale=2, secondaryLaunchConfigs=[data, helper])
    service = ground.until(service, "active", healthy=True)
    found = ground.containers(service)
    by_unit: dict[str, set[str]] = {}
    for one in found:
        by_unit.setdefault(one["deploymentUnitUuid"], set()).add(one["hostId"])
    assert [len(hosts) for hosts in by_unit.values()] == [1, 1]
    states = {one["name"]: one["state"] for one in found}
    assert states["Default-web-data-1"] == "stopped"
    assert states["Default-web-1"] == states["Default-web-helper-1"] == "running"


def test_a_stopped_container_is_started_again(ground: Ground) -> None:
    ground.hosts("a")
    service = ground.service(ground.stack())
    (before,) = ground.containers(service)
    ground.act(before, "stop")
    after = ground.eventually(lambda: (one := ground.again(before))["startCount"] == 2 and one)
    assert (after["id"], after["externalId"]) == (before["id"], before["externalId"])


def test_deactivating_and_removing(ground: Ground) -> None:
    ground.hosts("a")
    stack = ground.stack()
    service = ground.service(stack)
    endpoint = service["publicEndpoints"][0]
    ground.until(ground.act(service, "deactivate"), "inactive")
    assert [one["state"] for one in ground.containers(service)] == ["stopped"]
    with pytest.raises(OSError, match="refused"):
        page(endpoint)
    ground.until(ground.act(ground.again(service), "activate"), "active")
    ground.ask("DELETE", stack["links"]["self"])
    ground.until(stack, "removed")
    assert ground.listed(f"services?environmentId={stack['id']}") == []
    assert ground.again(service)["state"] == "removed"


def test_the_inventory_counts_what_somebody_has_made(ground: Ground) -> None:
    ground.hosts("a")
    ground.service(ground.stack())
    kinds = [one["kind"] for one in ground.lab.control("GET", "/inventory")["items"]]
    assert sorted(kinds) == ["rancher-container", "rancher-host", "rancher-service", "rancher-stack"]


def test_newer_servers_find_out_late_that_a_network_is_not_there(new: Ground) -> None:
    new.hosts("a")
    config = {"imageUuid": "docker:nginx", "networkMode": "blue"}
    lost = new.make("services", name="web", stackId=new.stack()["id"], launchConfig=config, startOnCreate=True)
    new.eventually(lambda: "networkMode blue" in str(new.again(lost)["transitioningMessage"]))
    new.make("networks", name="blue")
    new.until(lost, "active")
