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
from unit.waiting import eventually

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


UNIT = """[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo "the unit ran"'
{more}
[Install]
WantedBy=multi-user.target
"""


def with_unit(*more: str, then: str = "reboot") -> str:
    """User data that leaves a unit, and does something."""
    unit = UNIT.format(more="\n".join(more))
    place = "/etc/systemd/system/one.service"
    return f"{DOCKER}cat >{place} <<'EOF'\n{unit}EOF\nsystemctl enable one.service\n{then}\necho not any more\n"


def console_with(lab: Any, droplet_id: int, word: str) -> str:
    """What was written, once this is."""

    def look() -> str | None:
        said = str(lab.control("GET", f"/digitalocean/{droplet_id}")["console"])
        return said if word in said else None

    return eventually(look, f"{word} is not said")


def test_units_that_were_enabled_are_started_by_a_reboot(lab: Any) -> None:
    (made,) = make(lab, "web", user_data=with_unit("ExecStartPost=systemctl disable %n", "StandardOutput=journal"))
    said = console_with(lab, made["id"], "Finished one.service")
    assert said.count("the unit ran") == 1
    assert "not any more" not in said


def test_without_a_reboot_they_are_not(lab: Any) -> None:
    (made,) = make(lab, "web", user_data=with_unit(then=":"))
    assert "the unit ran" not in console_with(lab, made["id"], "not any more")


def test_no_shell_reads_the_commands_of_a_unit(lab: Any) -> None:
    (made,) = make(lab, "web", user_data=with_unit("ExecStart=echo one && echo two"))
    assert "one && echo two\n" in console_with(lab, made["id"], "Finished one.service")


def test_a_unit_that_fails_is_tried_again_if_it_says_so(lab: Any) -> None:
    flaky = "ExecStart=/bin/sh -c 'mkdir /root/tried && exit 1; echo at last'"
    (made,) = make(lab, "web", user_data=with_unit(flaky, "Restart=on-failure"))
    assert "at last" in console_with(lab, made["id"], "Finished one.service")
    (made,) = make(lab, "once", user_data=with_unit(flaky))
    assert "at last" not in console_with(lab, made["id"], "Failed with result 'exit-code'")


def test_a_reboot_ends_the_containers_that_do_not_restart(lab: Any) -> None:
    runs = "docker run -dp 8080:80 --name a nginx\ndocker run -dp 8081:80 --name b --restart=always httpd\nreboot"
    (made,) = make(lab, "web", user_data=with_unit("ExecStart=docker run -dp 8082:80 --name c httpd", then=runs))
    console_with(lab, made["id"], "Finished one.service")
    host = address(look(lab, made["id"]))
    assert "httpd" in page(f"http://{host}:8081/")
    assert "httpd" in page(f"http://{host}:8082/")
    assert refuses(host, 8080)


LEGACY = "systemd.unified_cgroup_hierarchy=0"


@pytest.mark.parametrize(
    ("steps", "version"),
    [
        (f"echo 'GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX {LEGACY}\"' >/etc/default/grub.d/9.cfg\nupdate-grub\n", 1),
        (f"echo GRUB_CMDLINE_LINUX={LEGACY} >/etc/default/grub.d/9.cfg\n", 2),
        ("", 2),
    ],
    ids=["told-to-grub", "not-installed", "nothing"],
)
def test_the_kernel_gets_what_grub_was_told(lab: Any, steps: str, version: int) -> None:
    (made,) = make(lab, "web", user_data=with_unit(then=f"[ -e /sys/fs/cgroup/cgroup.controllers ]\n{steps}reboot"))
    console_with(lab, made["id"], "Finished one.service")
    assert lab.control("GET", f"/digitalocean/{made['id']}")["cgroups"] == version


INSTALL, TO_LEGACY = "apt-get install docker.io\n", "update-alternatives --set iptables /usr/sbin/iptables-legacy\n"
UNKNOWN = "update-alternatives --set iptables /usr/sbin/iptables || true\n"


@pytest.mark.parametrize(
    ("steps", "kept"),
    [
        (TO_LEGACY + INSTALL, "legacy"),
        (INSTALL + TO_LEGACY, "nft"),
        (INSTALL + UNKNOWN, "nft"),
        (f"systemctl enable one.service\n{INSTALL}{TO_LEGACY}reboot", "legacy"),
        (f"systemctl enable one.service\n{INSTALL}reboot", "nft"),
    ],
    ids=["before-docker", "while-it-runs", "not-one-of-them", "with-a-restart", "nothing"],
)
def test_docker_keeps_its_rules_where_it_was_told_to_when_it_started(lab: Any, steps: str, kept: str) -> None:
    unit = f"cat >/etc/systemd/system/one.service <<'EOF'\n{UNIT.format(more='')}EOF\n"
    (made,) = make(lab, "web", user_data=f"#!/bin/sh\nset -e\n{unit}{steps}\necho without a restart\n")
    console_with(lab, made["id"], "Finished one.service" if "reboot" in steps else "without a restart")
    assert lab.control("GET", f"/digitalocean/{made['id']}")["iptables"] == kept


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
