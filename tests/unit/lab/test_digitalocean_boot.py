# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""User data really runs, and what it starts really listens, at an address of the droplet's own."""

from __future__ import annotations

import socket
import time
import urllib.request
from typing import Any

import pytest
from lab.digitalocean import cloud_config, docker_runs
from lab.machines import Container
from lab.messages import Answer
from unit.lab.digitalocean_ground import address, booted, look, make

DOCKER = "#!/bin/sh\nset -e\ncurl -fsSL https://get.docker.com | sh\n"


def page(url: str) -> str:
    """What is answered there, once something is."""
    for _unused in range(1000):
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"nothing listens at {url}")


def refuses(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=5) as connection:
            return connection.recv(1) == b""
    except TimeoutError:
        return False  # somebody listens, and waits for a request
    except OSError:
        return True


def test_a_container_of_the_user_data_answers_until_its_droplet_is_gone(lab: Any) -> None:
    (made,) = make(lab, "web", user_data=f"{DOCKER}docker run -d --restart=always -p 8080:80 --name w nginx:1.29\n")
    booted(lab, made["id"])
    host = address(look(lab, made["id"]))
    assert "nginx" in page(f"http://{host}:8080/")
    lab.digitalocean("POST", f"droplets/{made['id']}/actions", {"type": "power_off"})
    assert refuses(host, 8080)
    lab.digitalocean("POST", f"droplets/{made['id']}/actions", {"type": "power_on"})
    assert "nginx" in page(f"http://{host}:8080/")
    lab.digitalocean("DELETE", f"droplets/{made['id']}")
    assert refuses(host, 8080)


def test_docker_is_not_there_before_it_is_installed(lab: Any) -> None:
    (made,) = make(lab, "web", user_data="#!/bin/sh\nPATH=/usr/local/bin\ndocker run -d -p 8080:80 nginx\n")
    assert "not found" in booted(lab, made["id"])
    assert refuses(address(look(lab, made["id"])), 8080)


def test_an_image_that_brings_docker(lab: Any) -> None:
    (made,) = make(lab, "web", image="docker-20-04", user_data="#!/bin/sh\ndocker run -dp 8080:80 nginx\n")
    booted(lab, made["id"])
    assert "nginx" in page(f"http://{address(look(lab, made['id']))}:8080/")


def test_cloud_config_and_apt(lab: Any) -> None:
    text = (
        "#cloud-config\npackages: [docker.io]\nwrite_files:\n- {path: /opt/x/run, content: 'echo from-a-file'}\n"
        "runcmd:\n- [sh, /opt/x/run]\n- docker run -d -p 8081:80 httpd\nhostname: ignored\n"
    )
    (made,) = make(lab, "web", user_data=text)
    console = booted(lab, made["id"])
    assert "from-a-file" in console
    assert "not simulated in #cloud-config: hostname" in console
    assert "httpd" in page(f"http://{address(look(lab, made['id']))}:8081/")


def test_there_is_no_network_but_that_of_the_lab(lab: Any) -> None:
    (made,) = make(lab, "web", user_data="#!/bin/sh\ncurl -fsSL https://example.org/ || echo code $?\n")
    assert "code 6" in booted(lab, made["id"])


def test_whoever_knows_an_image_says_what_listens(lab: Any) -> None:
    seen: list[Container] = []
    ended: list[str] = []

    def start(container: Container) -> Any:
        seen.append(container)
        container.serve(8080, lambda request: Answer(200, f"pong {request.path}".encode()))
        return lambda: ended.append(container.name)

    lab.world.machines.on_image("rancher/server", start)
    run = "docker run -d --restart=unless-stopped -e CATTLE_X=1 -p 9090:8080 --name r rancher/server:v1.6.30 --flag\n"
    (made,) = make(lab, "rancher", user_data=DOCKER + run)
    booted(lab, made["id"])
    host = address(look(lab, made["id"]))
    assert page(f"http://{host}:9090/ping") == "pong /ping"
    assert (seen[0].image, seen[0].environment, seen[0].command) == (
        "rancher/server:v1.6.30",
        {"CATTLE_X": "1"},
        ("--flag",),
    )
    assert seen[0].machine.address == host
    lab.digitalocean("DELETE", f"droplets/{made['id']}")
    assert ended == ["r"]


def test_ssh_greets_and_a_firewall_is_in_between(lab: Any) -> None:
    (made,) = make(lab, "web", tags=["t"])
    host = address(look(lab, made["id"]))
    if lab.world.warnings:
        pytest.skip(lab.world.warnings[0])
    with socket.create_connection((host, 22), timeout=60) as connection:
        assert connection.recv(100).startswith(b"SSH-2.0-")
    rule = {"protocol": "tcp", "ports": "22", "sources": {"addresses": ["198.51.100.0/24"]}}
    lab.digitalocean("POST", "firewalls", {"name": "fw", "inbound_rules": [rule], "tags": ["t"]})
    assert refuses(host, 22)


def test_two_droplets_never_share_an_address(lab: Any) -> None:
    made = make(lab, *(f"n{number}" for number in range(5)))
    assert len({address(look(lab, one["id"])) for one in made}) == 5


@pytest.mark.parametrize(
    ("words", "run"),
    [
        (["-d", "nginx"], docker_runs.Run("nginx", "c")),
        (["-dp", "80:8080", "nginx"], docker_runs.Run("nginx", "c", {80: 8080})),
        (["-p80:8080/tcp", "--name=web", "nginx", "-x"], docker_runs.Run("nginx", "web", {80: 8080}, command=("-x",))),
        (["--publish", "0.0.0.0:80:8080", "nginx"], docker_runs.Run("nginx", "c", {80: 8080})),
        (["-p", "127.0.0.1:80:8080", "-p", "53:53/udp", "x"], docker_runs.Run("x", "c")),
        (["--restart", "always", "-v", "/a:/b", "x"], docker_runs.Run("x", "c", restarts=True)),
        (["-e", "A=1=2", "-e", "B", "x"], docker_runs.Run("x", "c", environment={"A": "1=2"})),
        (["-d"], None),
    ],
)
def test_docker_run_is_understood(words: list[str], run: docker_runs.Run | None) -> None:
    assert docker_runs.parse_run(words, "c") == run


def test_what_was_removed_does_not_run() -> None:
    record = b"arun\0a--name\0aone\0ax\0e\0arun\0ay\0e\0arm\0a-f\0aone\0e\0"
    assert [run.image for run in docker_runs.running(docker_runs.asked(record))] == ["y"]


@pytest.mark.parametrize("text", [b"#!/bin/sh\n", b"anything"])
def test_what_is_no_cloud_config_stays_as_it_is(text: bytes) -> None:
    assert cloud_config.script_of(text) == text


@pytest.mark.parametrize("text", [b"#cloud-config\n[]", b"#cloud-config\n{"])
def test_a_broken_cloud_config_is_said(text: bytes) -> None:
    assert b"WARNING" in cloud_config.script_of(text)
