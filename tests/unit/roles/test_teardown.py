# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The teardown of Rancher's hosts by their server, or by DigitalOcean alone if that cannot be asked or gets nowhere.

Played against the lab: whatever the server does, its droplets must not stay on the bill, what could not be asked is
said, and that nothing is left is said only by who has looked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from unit.http_server import answering
from unit.roles.playing import playbook
from unit.roles.rancher_lab import PLACE, TOKEN, RancherLab

PAGE = b"<html><body>The service is starting, come back later</body></html>"


def teardown(lab: RancherLab, folder: Path, url: str | None = None) -> tuple[int, str]:
    hosts = {"set": "hosts", "names": ["hosts-1"], "url": url or lab.addresses["rancher"]}
    given = {"teardown_rancher_hosts": [hosts], "teardown_confirm": "hosts", "teardown_wait_timeout": 20}
    return lab.play(folder, {"ansible.builtin.import_role": {"name": "container.schedulers.teardown"}, "vars": given})


@contextmanager
def proxy(status: int) -> Iterator[str]:
    """The address of a proxy that answers with a page of its own for the server behind it."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(PAGE)))
            self.end_headers()
            self.wfile.write(PAGE)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Nothing to tell."""

    with answering(Handler) as url:
        yield url


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"service": "rancher", "kind": "error", "status": 522}, "HTTP 522"),
        ({"service": "rancher", "kind": "error", "status": 503, "skip": 3}, "HTTP 503"),
        ({"service": "rancher", "kind": "hang"}, "no answer from"),
    ],
    ids=["behind-a-proxy", "dies-meanwhile", "hangs"],
)
def test_a_server_that_cannot_be_asked_keeps_nothing_on_the_bill(
    lab: RancherLab, tmp_path: Path, fault: dict[str, Any], why: str
) -> None:
    lab.control("POST", "/faults", [{**fault, "times": 0}])
    code, said = teardown(lab, tmp_path)
    assert code == 0, said
    assert "The server of hosts could not be asked to delete its hosts" in said
    assert why in said
    assert "Nothing is left of hosts." in said
    assert lab.droplets() == []


@pytest.mark.parametrize(("status", "why"), [(200, "is no Rancher 1.x server"), (404, "is no Rancher")])
def test_a_page_of_a_proxy_is_no_answer_of_the_server(lab: RancherLab, tmp_path: Path, status: int, why: str) -> None:
    with proxy(status) as url:
        code, said = teardown(lab, tmp_path, url)
    assert code == 0, said
    assert "could not be asked to delete its hosts" in said
    assert why in said
    assert lab.droplets() == []


def test_a_server_that_does_not_get_on_keeps_nothing_on_the_bill(lab: RancherLab, tmp_path: Path) -> None:
    """Its driver may not delete droplets any more: the host stays in removal for ever."""
    refused = {"service": "digitalocean", "action": "DeleteDroplet", "agent": "docker-machine", "kind": "error"}
    lab.control("POST", "/faults", [{**refused, "status": 403, "times": 0}])
    code, said = teardown(lab, tmp_path)
    assert code == 0, said
    assert "has not done so: Could not delete host hosts-1: not ready after 20 seconds" in said
    assert lab.droplets() == []


def test_who_refuses_is_obeyed_and_named(lab: RancherLab, tmp_path: Path) -> None:
    lab.control("POST", "/faults", [{"service": "rancher", "kind": "error", "status": 401, "times": 0}])
    code, said = teardown(lab, tmp_path)
    assert code != 0
    assert "Rancher does not accept the API key" in said
    assert "Left over, and perhaps on the bill" in said
    assert "Nothing is left of" not in said
    assert lab.droplets() == ["hosts-1"]


def test_nothing_is_left_is_not_said_without_a_look(lab: RancherLab, tmp_path: Path) -> None:
    blind = {"service": "digitalocean", "action": "ListVolumes", "kind": "error", "status": 403, "code": "forbidden"}
    silent = {"service": "rancher", "kind": "error", "status": 500}
    lab.control("POST", "/faults", [{**blind, "times": 0}, {**silent, "times": 0}])
    code, said = teardown(lab, tmp_path)
    assert code != 0
    assert "It is not proven that nothing is left. Could not look for:" in said
    assert "Nothing is left of" not in said
    assert lab.droplets() == []


def test_the_key_of_a_server_is_read_where_it_was_written(lab: RancherLab, tmp_path: Path) -> None:
    """On the target, as it was written there; its home need not be that of who runs the playbook."""
    home = tmp_path / "of-the-target"
    home.mkdir()
    (home / "key.json").write_text(json.dumps({"url": lab.addresses["rancher"]}))
    given = {"teardown_rancher_hosts": [{"set": "hosts", "api_key_file": "~/key.json"}], "teardown_confirm": "hosts"}
    role = {"ansible.builtin.import_role": {"name": "container.schedulers.teardown"}, "vars": given}
    code, said = lab.play(tmp_path, {**role, "environment": {"HOME": str(home)}})
    assert code == 0, said

    look = {"container.schedulers.rancher_hosts_info": {}, "register": "found", "failed_when": "found.hosts != []"}
    code, said = lab.play(tmp_path, look)
    assert code == 0, said


def test_hosts_of_a_kubernetes_environment_are_its_own_whatever_is_given_for_others(
    lab: RancherLab, tmp_path: Path
) -> None:
    """In AWX all that is given is an extra variable, and beats what a role hands to another one."""
    environment = {"name": "Kubernetes", "orchestration": "cattle"}
    lab.play(tmp_path, {"container.schedulers.rancher_environment": environment})
    role = {"ansible.builtin.include_role": {"name": "container.schedulers.rancher_kubernetes"}}
    absent = {"rancher_kubernetes_state": "absent", "rancher_kubernetes_confirm": "Kubernetes"}
    of_others = {"rancher_hosts_environment": "Default", "rancher_hosts_set": "hosts", "rancher_hosts_count": 1}
    code, said = lab.play(tmp_path, {**role, "vars": absent}, options=("-e", json.dumps(of_others)))
    assert code == 0, said
    assert lab.droplets() == ["hosts-1"]


@pytest.mark.parametrize("server", [True, False], ids=["with-its-server", "server-is-gone"])
def test_the_walk_takes_down_what_it_made_with_nothing_but_a_confirmation(
    lab: RancherLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: bool
) -> None:
    """As its own last words say it is done: who has to be let in, and passwords, need not be known to delete."""
    monkeypatch.setenv("DIGITALOCEAN_ACCESS_TOKEN", TOKEN)
    given = {
        "rancher_confirm": "rancher",
        "digitalocean_api_url": lab.addresses["digitalocean"],
        "digitalocean_settle_seconds": 0,
        "digitalocean_ledger": f"{tmp_path}/ledgers",
    }
    if server:
        droplet = {"name": "rancher", "ssh_public_key_files": [str(tmp_path / "key.pub")], **PLACE}
        assert lab.play(tmp_path, {"container.schedulers.digitalocean_droplets": droplet})[0] == 0
    tags = ("--tags", "step_teardown,step_leftovers")
    code, said = playbook(tmp_path, "container.schedulers.rancher", given, *tags)

    assert code == 0, said
    assert "Nothing is left of rancher-hosts, rancher-kubernetes, rancher." in said
    assert lab.droplets() == ["hosts-1"]
    ledgers = [json.loads(path.read_text()) for path in (tmp_path / "ledgers").iterdir()]
    assert [[*one["gone"].values()] for one in ledgers] == [["rancher"]] * server


def test_leftovers_of_one_provider_are_told_though_no_other_can_be_asked(
    lab: RancherLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "x", "DIGITALOCEAN_ACCESS_TOKEN": TOKEN}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    given = {
        "leftovers_regions": "eu-wets-1,us-east-1",
        "rancher_url": "no address",
        "aws_endpoint_url": lab.addresses["aws"],
        "digitalocean_api_url": lab.addresses["digitalocean"],
    }
    code, said = playbook(tmp_path, "container.schedulers.leftovers", given)

    assert code == 0, said
    assert "digitalocean/hosts" in said
    silent = said.partition("regions_without_answer")[2]
    assert [one for one in ("eu-wets-1", "us-east-1", "rancher") if one not in silent] == []
