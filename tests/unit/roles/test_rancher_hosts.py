# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of Rancher, as droplets that join when they boot, and by its machine driver."""

from __future__ import annotations

import hashlib
import json
import shlex
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from lab.boot import Boot, Result
from lab.digitalocean import ubuntu
from lab.digitalocean.docker_runs import parse_run
from unit.roles.rancher_lab import PLACE, TOKEN, RancherLab
from unit.roles.rendering import rendered
from unit.waiting import eventually

ROLE = Path(__file__).parents[3] / "roles" / "rancher_hosts"
WORD = "lab-not-a-secret-000009"
WORD_TO_JOIN = "/scripts/"  # of the server's address, before it


def played(server: RancherLab, folder: Path, task: dict[str, Any]) -> str:
    """What is said of a task that must not fail, and must not tell how to join, however much it tells."""
    code, said = server.play(folder, task, options=("-vvv", "--diff"))
    assert code == 0, said
    assert WORD_TO_JOIN not in said
    return said


def hosts(**given: Any) -> dict[str, Any]:
    """The role, for two hosts."""
    variables = {
        "rancher_hosts_set": "own",
        "rancher_hosts_count": 2,
        "rancher_hosts_pattern": "own-{n}",
        "rancher_hosts_labels": {"tier": "front"},
        **given,
    }
    return {"ansible.builtin.import_role": {"name": "container.schedulers.rancher_hosts"}, "vars": variables}


@pytest.mark.parametrize(
    "way",
    [
        {"rancher_hosts_ssh_public_key_files": ["key.pub"]},
        {"rancher_hosts_driver": "digitalocean", "rancher_hosts_token": TOKEN},
    ],
    ids=["by-themselves", "by-machine-driver"],
)
def test_hosts_come_once_and_go(server: RancherLab, tmp_path: Path, way: dict[str, Any]) -> None:
    assert "own-1, own-2 are active." in played(server, tmp_path, hosts(**way))
    assert server.droplets() == ["own-1", "own-2"]
    assert "changed=0" in played(server, tmp_path, hosts(**way))
    assert who_gets_in(server) == {"tags"}  # they themselves
    played(server, tmp_path, hosts(**way, rancher_hosts_allow=[{"ports": "80", "sources": ["0.0.0.0/0"]}]))
    assert who_gets_in(server) == {"tags", "addresses"}
    assert "changed=0" in played(server, tmp_path, hosts(**way))
    assert who_gets_in(server) == {"tags", "addresses"}
    played(server, tmp_path, hosts(rancher_hosts_state="absent", rancher_hosts_confirm="own"))
    assert server.droplets() == []


def test_a_droplet_of_somebody_else_is_not_taken_for_that_of_a_host_of_its_name(
    server: RancherLab, tmp_path: Path
) -> None:
    """It would get our mark, and go with the hosts."""
    server.control("POST", "/rancher/hosts", {"name": "own-1", "project": "1a5"})
    asked(server, "droplets", "POST", {"name": "own-1", **PLACE})
    way = {"rancher_hosts_driver": "digitalocean", "rancher_hosts_token": TOKEN}
    code, said = server.play(tmp_path, hosts(**way))
    assert code != 0
    assert "The account has droplets of these names that are no hosts of this environment: own-1" in said
    assert [one["tags"] for one in asked(server, "droplets")["droplets"]] == [[]]


def test_droplets_that_have_not_joined_are_not_made_a_second_time_by_the_machine_driver(
    server: RancherLab, tmp_path: Path
) -> None:
    made = {"name": "own", "names": ["own-1", "own-2"], "ssh_public_key_files": ["key.pub"], **PLACE}
    played(server, tmp_path, {"container.schedulers.digitalocean_droplets": made})
    way = {"rancher_hosts_driver": "digitalocean", "rancher_hosts_token": TOKEN}
    code, said = server.play(tmp_path, hosts(**way))
    assert code != 0
    assert "were made for this set and are no hosts of this environment" in said
    assert server.droplets() == ["own-1", "own-2"]


def test_hosts_that_have_joined_by_themselves_are_hosts_to_the_machine_driver_too(
    server: RancherLab, tmp_path: Path
) -> None:
    played(server, tmp_path, hosts(rancher_hosts_ssh_public_key_files=["key.pub"]))
    way = {"rancher_hosts_driver": "digitalocean", "rancher_hosts_token": TOKEN}
    assert "changed=0" in played(server, tmp_path, hosts(**way))


def who_gets_in(server: RancherLab) -> set[str]:
    """The kinds of sources in the rules of the only firewall."""
    (wall,) = asked(server, "firewalls")["firewalls"]
    return {kind for rule in wall["inbound_rules"] for kind, sources in rule["sources"].items() if sources}


def asked(server: RancherLab, path: str, method: str = "GET", body: dict[str, Any] | None = None) -> Any:
    """DigitalOcean, as another client than ours asks it."""
    url = f"{server.addresses['digitalocean']}/v2/{path}"
    login = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None, login, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def test_a_droplet_that_was_lost_is_made_again_and_its_old_host_goes(server: RancherLab, tmp_path: Path) -> None:
    way = {"rancher_hosts_ssh_public_key_files": ["key.pub"]}
    played(server, tmp_path, hosts(**way))
    lost = next(one for one in server.control("GET", "/inventory")["items"] if one["name"] == "own-2")
    url = f"{server.addresses['digitalocean']}/v2/droplets/{lost['id']}"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKEN}"}, method="DELETE")
    urllib.request.urlopen(request, timeout=60).close()
    said = played(server, tmp_path, hosts(**way))
    assert "own-1, own-2 are active." in said
    assert "is lost, and another of its name has taken its place" in said
    assert "delete host own-2" in played(server, tmp_path, hosts(**way, rancher_hosts_remove_failed=True))
    assert "changed=0" in played(server, tmp_path, hosts(**way, rancher_hosts_remove_failed=True))
    fewer = played(server, tmp_path, hosts(**way, rancher_hosts_count=1))
    assert "count is 1, and these hosts stay: own-2." in fewer
    assert server.droplets() == ["own-1", "own-2"]


def test_hosts_that_join_by_themselves_suit_what_rancher_brings(server: RancherLab, tmp_path: Path) -> None:
    """Its kubelet, of 2019, does not run with the control groups that images of today boot with, and its network lets
    visitors in by legacy iptables only.
    """
    played(server, tmp_path, hosts(rancher_hosts_count=1, rancher_hosts_ssh_public_key_files=["key.pub"]))
    (droplet,) = [one for one in server.control("GET", "/inventory")["items"] if one["kind"] == "droplet"]
    system = server.control("GET", f"/digitalocean/{droplet['id']}")
    assert (system["cgroups"], system["iptables"]) == (1, "legacy")


def test_a_machine_joins_after_its_restart_and_until_that_has_worked(tmp_path: Path) -> None:
    boot = Boot(tmp_path / "boot", script(), "own", system=ubuntu.system())
    first = over(boot)
    assert boot.file(ubuntu.REBOOT), first.console
    assert boot.file(ubuntu.RECORD) == b""
    assert wide_files_with_the_word(tmp_path / "boot" / "root") == []
    boot.again(ubuntu.NEXT_BOOT)
    second = over(boot)
    assert second.console.count("Failed with result") == 1, second.console
    assert boot.file(ubuntu.RECORD).count(b"arun") == 1
    boot.again(ubuntu.NEXT_BOOT)
    assert over(boot).console == ""  # nothing is left to do
    boot.remove()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rancher_hosts_engine_install_url": "https://example.org/none.sh"}, "Could not resolve host"),
        ({"rancher_hosts_engine_install_url": "$(echo ran >/run/lab/ours)"}, "Could not resolve host"),
        ({"rancher_hosts_engine_install_checksum": "0" * 64}, "did NOT match"),
    ],
)
def test_a_machine_without_docker_says_so_and_does_not_go_on(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    boot = Boot(tmp_path / "boot", script(**given), "own", system=ubuntu.system())
    console = over(boot).console
    assert said in console
    assert "Failed running" in console
    assert not boot.file(ubuntu.REBOOT)
    assert not boot.file("run/lab/ours")
    boot.remove()


def test_a_script_with_the_checksum_that_is_given_is_run(tmp_path: Path) -> None:
    text = "#!/bin/sh\nln -sf lab-docker /usr/local/bin/docker\n"  # what the lab's curl brings
    given = {"rancher_hosts_engine_install_checksum": hashlib.sha256(text.encode()).hexdigest()}
    boot = Boot(tmp_path / "boot", script(**given), "own", system=ubuntu.system())
    console = over(boot).console
    assert boot.file(ubuntu.REBOOT), console
    boot.remove()


def test_the_server_comes_back_by_itself_and_its_version_is_one_word_to_the_shell() -> None:
    role = ROLE.with_name("rancher_server")
    given = {"rancher_server_version": "v1.6.30; reboot"}
    (found,) = rendered(role, "{{ lookup('ansible.builtin.template', 'boot.sh.j2') }}", [given])
    command = str(found).partition("\ndocker run ")[2].replace("\\\n", "")
    run = parse_run(shlex.split(command), "server")
    assert run is not None
    assert (run.image, run.restarts) == ("rancher/server:v1.6.30; reboot", True)


def script(**given: Any) -> bytes:
    """What droplets boot with; the first attempt to join fails, as if the network were late."""
    late = f"sudo sh -c 'mkdir /root/late && exit 1; docker run agent http://rancher{WORD_TO_JOIN}{WORD}'"
    variables = {"__rancher_hosts_joining": {"registration": {"command": late}}, **given}
    (found,) = rendered(ROLE, "{{ lookup('ansible.builtin.template', 'boot.sh.j2') }}", [variables])
    return str(found).encode()


def over(boot: Boot) -> Result:
    """What the boot was, once it has ended."""
    result = eventually(boot.poll, "it does not end")
    assert result.obstacle is None
    return result


def wide_files_with_the_word(root: Path) -> list[str]:
    """Files that others than root may read, but for the script itself, which cloud-init keeps to root."""
    files = [one for one in root.rglob("*") if one.is_file() and not one.is_symlink()]
    found = [one for one in files if WORD.encode() in one.read_bytes() and "cloud" not in one.parts]
    assert found
    return [str(one) for one in found if one.stat().st_mode & 0o077]
