# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands in containers and their logs, over a WebSocket."""

from __future__ import annotations

import pytest
from unit.lab.rancher.ground import WEB, Document, Ground, talk


@pytest.fixture
def pair(ground: Ground) -> tuple[Document, Document]:
    """Two containers on two hosts."""
    ground.hosts("a", "b")
    first, second = ground.containers(ground.service(ground.stack(), scale=2))
    return first, second


def test_a_command_says_what_it_says_and_ends(ground: Ground, pair: tuple[Document, Document]) -> None:
    assert ground.run(pair[0], "hostname") == pair[0]["externalId"][:12] + "\r\n"


def test_its_exit_code_is_only_what_it_says_itself(ground: Ground, pair: tuple[Document, Document]) -> None:
    assert ground.run(pair[0], "/bin/sh", "-c", "false; echo __RC__$?") == "__RC__1\r\n"


def test_containers_reach_one_another_across_hosts(ground: Ground, pair: tuple[Document, Document]) -> None:
    said = ground.run(pair[0], "ping", "-c", "2", pair[1]["primaryIpAddress"])
    assert "2 packets transmitted, 2 received, 0% packet loss" in said
    assert "100% packet loss" in ground.run(pair[0], "ping", "-c", "1", "10.42.255.250")


def test_names_of_services_are_known_inside(ground: Ground, pair: tuple[Document, Document]) -> None:
    for name in ("web", "web.default", "WEB.Default.rancher.internal"):
        assert "2 packets" not in (said := ground.run(pair[0], "ping", "-c", "1", name))
        assert "0% packet loss" in said
    assert "bad address" in ground.run(pair[0], "ping", "-c", "1", "nobody")


def test_processes_can_be_seen_and_killed(ground: Ground, pair: tuple[Document, Document]) -> None:
    assert "nginx: master process" in ground.run(pair[0], "ps", "aux")
    ground.run(pair[0], "sh", "-c", "supervisorctl stop nginx; kill 12 13")
    assert "nginx" not in ground.run(pair[0], "ps", "aux")
    assert "refused" in ground.run(pair[0], "wget", "-qO-", "http://localhost/")
    assert ground.again(pair[0])["state"] == "running"


def test_without_its_first_process_the_container_ends(ground: Ground, pair: tuple[Document, Document]) -> None:
    ground.run(pair[0], "kill", "1")
    ground.eventually(lambda: ground.again(pair[0])["startCount"] == 2)


def test_a_shell_that_is_typed_into(ground: Ground, pair: tuple[Document, Document]) -> None:
    said = ground.run(pair[0], "/bin/sh", typed="echo one\nexit\n")
    assert said == "# echo one\r\none\r\n# exit\r\n"


def test_the_shell_ends_with_its_container(ground: Ground, pair: tuple[Document, Document]) -> None:
    assert ground.run(pair[0], "sh", typed="kill 1\n").startswith("# kill 1\r\n")


def test_only_running_containers_take_commands(ground: Ground) -> None:
    ground.hosts("a")
    service = ground.service(ground.stack())
    ground.until(ground.act(service, "deactivate"), "inactive")
    (stopped,) = ground.containers(service)
    assert "execute" not in stopped["actions"]
    assert ground.refused(f"containers/{stopped['id']}?action=execute", command=["ls"])[1] == "ActionNotAvailable"


def test_a_command_is_needed_and_so_is_a_token(ground: Ground, pair: tuple[Document, Document]) -> None:
    assert ground.refused(f"containers/{pair[0]['id']}?action=execute") == (422, "MissingRequired", "command")
    access = ground.act(pair[0], "execute", command=["ls"])
    with pytest.raises(AssertionError, match="401"):
        talk({**access, "token": "guessed"})


def test_logs(ground: Ground, pair: tuple[Document, Document]) -> None:
    ground.run(pair[1], "wget", "-qO-", f"http://{pair[0]['primaryIpAddress']}/some/page")
    said = talk(ground.act(pair[0], "logs", follow=False, lines=1))
    assert said.count("\n") == 1
    assert f'{pair[1]["primaryIpAddress"]} - - "GET /some/page HTTP/1.1" 200' in said


def test_files_in_a_shared_volume_are_the_same_everywhere(ground: Ground) -> None:
    ground.hosts("a")
    config = {"imageUuid": "docker:nginx", "dataVolumes": ["shared:/data", "/own"]}
    first, second = ground.containers(ground.service(ground.stack(), scale=2, launchConfig=config))
    ground.run(first, "sh", "-c", "echo kept > /data/file; echo mine > /own/file")
    assert ground.run(second, "cat", "/data/file") == "kept\r\n"
    assert "No such file" in ground.run(second, "cat", "/own/file")
    ground.ask("DELETE", first["links"]["self"])
    ground.until(first, "removed", "purged")
    assert {(one["name"], one["state"]) for one in ground.listed("volumes") if one["name"] == "shared"} == {
        ("shared", "active")
    }


def test_a_plain_volume_is_another_one_on_every_host(ground: Ground) -> None:
    ground.hosts("a", "b")
    config = {**WEB, "dataVolumes": ["content:/data"]}
    first, second = ground.containers(ground.service(ground.stack(), scale=2, launchConfig=config))
    assert first["hostId"] != second["hostId"]
    ground.run(first, "sh", "-c", "echo kept > /data/file")
    assert "No such file" in ground.run(second, "cat", "/data/file")
    assert len([one for one in ground.listed("volumes") if one["name"] == "content"]) == 2


def test_a_volume_of_an_unknown_driver_is_refused(ground: Ground) -> None:
    ground.hosts("a")
    config = {**WEB, "dataVolumes": ["shared:/data"], "volumeDriver": "convoy-gluster"}
    stack = ground.stack()
    service = ground.make("services", name="x", environmentId=stack["id"], startOnCreate=True, launchConfig=config)
    (broken,) = ground.eventually(lambda: ground.containers(service, "error"))
    assert "convoy-gluster" in broken["transitioningMessage"]
