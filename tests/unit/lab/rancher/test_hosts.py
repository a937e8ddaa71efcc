# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts: made by the server's driver as droplets of the lab, or registered by an agent; and servers on droplets."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import Any

import pytest
from lab.account import DIGITALOCEAN_TOKEN
from unit.lab.digitalocean_ground import address, booted, look, make
from unit.lab.rancher.ground import Document, Ground

CONFIG: Document = {
    "accessToken": DIGITALOCEAN_TOKEN,
    "image": "ubuntu-24-04-x64",
    "region": "lon1",
    "size": "s-1vcpu-1gb",
}
SCRIPTS = "https://releases.rancher.com/install-docker"
ENGINE: Document = {"engineInstallUrl": f"{SCRIPTS}/19.03.sh", "engineStorageDriver": "overlay2"}
DOCKER = "#!/bin/sh\nset -e\ncurl -fsSL https://get.docker.com | sh\n"


def droplets(ground: Ground) -> list[str]:
    return [one["name"] for one in ground.lab.digitalocean("GET", "droplets?per_page=200")[1]["droplets"]]


def keys(ground: Ground) -> list[str]:
    return [one["name"] for one in ground.lab.digitalocean("GET", "account/keys?per_page=200")[1]["ssh_keys"]]


@pytest.fixture
def known(ground: Ground) -> Ground:
    """The server knows under which address it is known."""
    ground.ask("PUT", "/v1/settings/api.host", {"value": ground.url})
    return ground


def test_a_machine_becomes_a_droplet_and_then_a_host(known: Ground) -> None:
    made = known.make("machines", name="node1", digitaloceanConfig=CONFIG, **ENGINE, labels={"a": "b"})
    assert (made["state"], made["driver"]) == ("creating", "digitalocean")
    machine = known.until(made, "active")
    (host,) = known.eventually(
        lambda: [one for one in known.listed(machine["links"]["hosts"]) if one["state"] == "active"]
    )
    assert (host["hostname"], host["physicalHostId"], host["labels"]["a"]) == ("node1", machine["id"], "b")
    assert host["agentState"] is None
    (ip,) = known.listed(host["links"]["ipAddresses"])
    assert ip["address"] == address(known.lab.digitalocean("GET", "droplets")[1]["droplets"][0])
    assert known.listed(f"hosts?physicalHostId={machine['id']}")[0]["id"] == host["id"]


def test_a_host_is_deactivated_and_then_takes_its_droplet_along(known: Ground) -> None:
    machine = known.until(known.make("machines", name="node1", digitaloceanConfig=CONFIG, **ENGINE), "active")
    (host,) = known.eventually(lambda: [one for one in known.listed("hosts") if one["state"] == "active"])
    assert known.ask("DELETE", host["links"]["self"])[0] == 405
    known.until(known.act(host, "deactivate"), "inactive")
    known.ask("DELETE", host["links"]["self"])
    known.until(machine, "removed")
    known.eventually(lambda: droplets(known) == keys(known) == [])


def test_an_evacuated_host_is_left_by_all_but_the_system(new: Ground) -> None:
    """It is answered as it was, and only its containers tell how far that is."""
    first, second = new.hosts("a", "b")
    service = new.service(new.stack(), launchConfig={"imageUuid": "docker:nginx"}, scale=2)
    assert {one["hostId"] for one in new.containers(service)} == {first["id"], second["id"]}
    new.lab.settings(rancher_process_seconds=0.3)
    assert new.act(first, "evacuate")["state"] == "active"
    new.until(first, "inactive")
    new.eventually(lambda: {one["hostId"] for one in new.containers(service, "running")} == {second["id"]})
    assert all(one["system"] for one in new.listed(first["links"]["instances"]))
    new.eventually(lambda: new.again(service)["healthState"] == "healthy")
    assert len(new.containers(service, "running")) == 2
    assert "evacuate" in new.again(first)["actions"]


def test_a_machine_takes_its_host_along(known: Ground) -> None:
    machine = known.until(known.make("machines", name="node1", digitaloceanConfig=CONFIG, **ENGINE), "active")
    (host,) = known.eventually(lambda: [one for one in known.listed("hosts") if one["state"] == "active"])
    known.ask("DELETE", machine["links"]["self"])
    known.until(machine, "removed")
    assert known.until(host, "removed", "purged")
    assert droplets(known) == []


def test_the_newer_version_has_the_host_at_once(new: Ground) -> None:
    new.ask("PUT", "/v1/settings/api.host", {"value": new.url})
    host = new.make("hosts", hostname="node1", digitaloceanConfig=CONFIG, **ENGINE)
    assert (host["state"], host["transitioning"], host["driver"]) == ("provisioning", "yes", "digitalocean")
    found = new.until(host, "active")
    assert (found["id"], found["agentIpAddress"][:4]) == (host["id"], "127.")
    assert len(new.listed("hosts")) == 1


def test_without_its_address_the_server_is_not_found_by_the_agents(ground: Ground) -> None:
    machine = ground.until(ground.make("machines", name="node1", digitaloceanConfig=CONFIG, **ENGINE), "active")
    time.sleep(0.3)
    assert ground.listed(machine["links"]["hosts"]) == []
    assert droplets(ground) == ["node1"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"accessToken": "wrong"}, "Invalid access token"),
        ({"region": "mars1"}, "digitalocean requires a valid region"),
        ({"size": "huge"}, "422"),
        ({"accessToken": ""}, "access token"),
    ],
)
def test_a_driver_that_fails_says_why(known: Ground, change: dict[str, str], message: str) -> None:
    made = known.make("machines", name="node1", digitaloceanConfig={**CONFIG, **change})
    failed = known.until(made, "error")
    assert failed["transitioning"] == "error"
    assert message in failed["transitioningMessage"]
    known.ask("DELETE", failed["links"]["self"])
    known.until(failed, "removed")
    known.eventually(lambda: droplets(known) == keys(known) == [])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"engineInstallUrl": None}, "Unable to verify the Docker daemon is listening"),
        ({"engineInstallUrl": "https://get.docker.com"}, "Unable to verify the Docker daemon is listening"),
        ({"engineInstallUrl": f"{SCRIPTS}/20.10.sh"}, "Unable to verify the Docker daemon is listening"),
        ({"engineStorageDriver": None}, "systemctl -f start docker"),
    ],
)
def test_a_docker_that_the_driver_cannot_set_up(new: Ground, change: Document, message: str) -> None:
    host = new.make("hosts", hostname="node1", digitaloceanConfig=CONFIG, **{**ENGINE, **change})
    assert message in new.until(host, "error")["transitioningMessage"]


def test_a_failing_host_of_the_newer_version(new: Ground) -> None:
    host = new.make("hosts", hostname="node1", digitaloceanConfig={**CONFIG, "region": "mars1"})
    failed = new.until(host, "error")
    assert "valid region" in failed["transitioningMessage"]


@pytest.mark.parametrize("configs", [{}, {"digitaloceanConfig": CONFIG, "amazonec2Config": {}}])
def test_exactly_one_driver(known: Ground, configs: dict[str, Any]) -> None:
    assert known.refused("machines", name="x", **configs)[:2] == (422, "DriverConfigExactlyOneRequired")


def test_the_drivers_types_come_later_than_the_server(ground: Ground) -> None:
    ground.lab.settings(rancher_driver_seconds=1e9)
    assert ground.ask("GET", "/v1/schemas/digitaloceanconfig")[0] == 404
    ground.lab.settings(rancher_driver_seconds=0)
    assert ground.ask("GET", "/v1/schemas/digitaloceanconfig")[0] == 200


def test_a_registration_token_is_a_command_to_run(ground: Ground) -> None:
    made = ground.make("registrationtokens")
    assert made["command"] is None
    token = ground.until(made, "active")
    assert token["registrationUrl"] == f"{ground.url}/v1/scripts/{token['token']}"
    assert token["command"].endswith(f"{token['image']} {token['registrationUrl']}")
    with urllib.request.urlopen(token["registrationUrl"], timeout=60) as answer:
        assert b"CATTLE_URL" in answer.read()


@pytest.mark.parametrize(("server", "lost"), [("v1.6.30", "disconnected"), ("v1.1.4", "reconnecting")])
def test_the_command_registers_a_droplet_and_its_host_outlives_it(lab: Any, server: str, lost: str) -> None:
    ground = Ground(lab, server=server)
    token = ground.until(ground.make("registrationtokens"), "active")
    command = token["command"].removeprefix("sudo ").replace("docker run", "docker run -e CATTLE_HOST_LABELS=a=b")
    # Rancher lets visitors in by these rules, and those of Docker must not stand before them
    boot = f"#!/bin/sh\nset -e\nupdate-alternatives --set iptables /usr/sbin/iptables-legacy\n{DOCKER}{command}\n"
    (droplet,) = make(ground.lab, "own", user_data=boot)
    booted(ground.lab, droplet["id"])
    (host,) = ground.eventually(lambda: [one for one in ground.listed("hosts") if one["state"] == "active"])
    assert (host["hostname"], host["labels"]["a"]) == ("own", "b")
    service = ground.service(ground.stack())
    assert "Hello from" in ground.page(service)
    ground.lab.digitalocean("DELETE", f"droplets/{droplet['id']}")
    ground.eventually(lambda: ground.again(host)["agentState"] == lost)
    assert ground.again(host)["state"] == "active"
    make(ground.lab, "own", user_data=boot)
    ground.eventually(lambda: len([one for one in ground.listed("hosts") if one["hostname"] == "own"]) == 2)


@pytest.mark.parametrize(("tag", "version"), [(":v1.1.4", "v1.1.4"), ("", "v1.6.30")])
def test_a_server_on_a_droplet(ground: Ground, tag: str, version: str) -> None:
    script = f"{DOCKER}docker run -d --restart=always -p 8080:8080 rancher/server{tag}\n"
    (droplet,) = make(ground.lab, "rancher", user_data=script)
    booted(ground.lab, droplet["id"])
    url = f"http://{address(look(ground.lab, droplet['id']))}:8080"

    def pong() -> bool:
        try:
            with urllib.request.urlopen(f"{url}/ping", timeout=60) as answer:
                return bool(answer.read() == b"pong")
        except OSError:
            return False

    ground.eventually(pong)
    with urllib.request.urlopen(f"{url}/v1/settings/rancher.server.version", timeout=60) as answer:
        assert json.load(answer)["value"] == version
    ground.stack("only-here")
    with urllib.request.urlopen(f"{url}/v1/environments", timeout=60) as answer:
        assert json.load(answer)["data"] == []
