# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import ssl
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from ansible_collections.container.schedulers.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    AuthError,
    BusyError,
    ConflictError,
    InputError,
    NotOursError,
    PartialError,
    SchedulersError,
    StateFailedError,
)
from ansible_collections.container.schedulers.plugins.module_utils._http import basic_auth
from ansible_collections.container.schedulers.plugins.module_utils._locks import alone_in
from ansible_collections.container.schedulers.plugins.module_utils._module import Outcome
from ansible_collections.container.schedulers.plugins.module_utils._rancher import (
    access_control,
    environment_module,
    host_removal,
    hosts_module,
)
from ansible_collections.container.schedulers.plugins.module_utils._rancher.access_options import ACCESS
from ansible_collections.container.schedulers.plugins.module_utils._rancher.api import Connection, Rancher
from ansible_collections.container.schedulers.plugins.module_utils._rancher.api_keys import Pair, alone_with_keys
from ansible_collections.container.schedulers.plugins.module_utils._rancher.environment_options import ENVIRONMENT_SPEC
from ansible_collections.container.schedulers.plugins.module_utils._rancher.environments import find_environment
from ansible_collections.container.schedulers.plugins.module_utils._rancher.execute import EXECUTE, execute
from ansible_collections.container.schedulers.plugins.module_utils._rancher.host_options import HOSTS
from ansible_collections.container.schedulers.plugins.module_utils._rancher.host_view import HostView
from ansible_collections.container.schedulers.plugins.module_utils._rancher.info import look_at_hosts
from ansible_collections.container.schedulers.plugins.module_utils._rancher.kubeconfig import (
    cluster_address,
    is_ours,
    kubeconfig,
    pair_of,
)
from ansible_collections.container.schedulers.plugins.module_utils._rancher.options import ENVIRONMENT
from ansible_collections.container.schedulers.plugins.module_utils._rancher.stack_options import STACK
from ansible_collections.container.schedulers.plugins.module_utils._rancher.stack_present import ensure as ensure_stack
from unit.rancher import collection, error, run_with, thing
from unit.scripted_http import Request
from unit.waiting import eventually

from .conftest import RancherLab, module_spec

TOKEN = "lab-not-a-secret-000002"
DRIVER: dict[str, Any] = {
    "driver_config": {"region": "lon1", "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64"},
    "driver_secrets": {"access_token": TOKEN},
}


def sentences(outcome: Outcome) -> list[str]:
    assert outcome.plan is not None
    return outcome.plan.sentences()


# Hosts


def hosts(lab: RancherLab, check: bool = False, **given: Any) -> Outcome:
    return lab.run(hosts_module.ensure, module_spec(HOSTS), check=check, **given)


def test_hosts_by_a_machine_driver(either: RancherLab) -> None:
    given = {"count": 2, "labels": {"a": "b"}, **DRIVER}
    planned = hosts(either, check=True, **given)
    assert sentences(planned) == ["update setting api.host (value)", "create host node1", "create host node2"]
    assert planned.plan is not None
    assert TOKEN not in str(planned.plan.diff())
    made = hosts(either, **given)
    assert sentences(made) == sentences(planned)
    assert [(one["name"], one["state"], one["labels"]["a"]) for one in made.result["hosts"]] == [
        ("node1", "active", "b"),
        ("node2", "active", "b"),
    ]
    assert sentences(hosts(either, **given)) == []
    assert sentences(hosts(either, **{**given, "driver_secrets": {"access_token": "another"}})) == []
    fewer = hosts(either, **{**given, "count": 1, "labels": {"a": "c"}}, purge=True)
    assert sentences(fewer) == ["update host node1 (labels.a)", "delete host node2"]
    assert sentences(hosts(either, state="absent", purge=True)) == ["delete host node1"]
    assert sentences(hosts(either, state="absent", purge=True)) == []
    assert sentences(hosts(either, state="absent", count=3)) == []


def test_a_host_that_cannot_be_made_is_named_with_its_reason(either: RancherLab) -> None:
    nowhere = {**DRIVER["driver_config"], "region": "nowhere"}
    bad = {"names": ["bad"], **DRIVER, "driver_config": nowhere}
    with pytest.raises(PartialError, match="host bad failed: Error creating machine: digitalocean requires a valid"):
        hosts(either, **bad)
    with pytest.raises(StateFailedError, match="Set remove_failed: true") as caught:
        hosts(either, **bad)
    assert caught.value.details["failed_hosts"][0]["name"] == "bad"
    mended = hosts(either, names=["bad"], remove_failed=True, **DRIVER)
    assert sentences(mended) == ["delete failed host bad", "create host bad"]
    assert mended.result["hosts"][0]["state"] == "active"


def test_hosts_by_another_driver(either: RancherLab) -> None:
    """Behind the lab's Rancher there is no such cloud: what counts is what the server was asked for."""
    config = {
        "region": "eu-west-1",
        "instance_type": "t3.small",
        "vpcId": "vpc-1",
        "root_size": 20,
        "monitoring": "yes",
    }
    given: dict[str, Any] = {
        "names": ["node1"],
        "driver": "amazonec2",
        "driver_config": config,
        "driver_secrets": {"access_key": "lab-not-a-key", "secret_key": TOKEN},
        "labels": {"a": "b"},
    }
    with pytest.raises(PartialError, match="host node1 failed: Error creating machine: the lab has no such cloud"):
        hosts(either, **given)
    collection = "machines" if either.version == "v1" else "hosts"
    (made,) = either.ask("GET", f"/{either.version}/projects/1a5/{collection}")["data"]
    asked = {
        "region": "eu-west-1",
        "instanceType": "t3.small",
        "vpcId": "vpc-1",
        "rootSize": "20",
        "monitoring": True,
        "accessKey": "lab-not-a-key",
        "secretKey": TOKEN,
    }
    assert asked.items() <= made["amazonec2Config"].items()
    assert (made["driver"], made["digitaloceanConfig"], made["labels"]["a"]) == ("amazonec2", None, "b")
    assert sentences(hosts(either, names=["node1"], state="absent")) == ["delete host node1"]


def at_the_cloud(lab: RancherLab) -> list[str]:
    found = lab.control("GET", "/inventory")["items"]
    return sorted(f"{one['kind']} {one['name']}" for one in found if one["kind"] in ("droplet", "ssh-key"))


def test_a_host_that_is_just_being_made_leaves_nothing_at_the_cloud(either: RancherLab) -> None:
    either.control("POST", "/settings", {"droplet_boot_seconds": 10_000})
    hosts(either, count=1, wait=False, **DRIVER)
    with pytest.raises(PartialError, match=r"host node1 is \w+.* It is still being made"):
        hosts(either, state="absent", purge=True, wait_timeout=0)
    either.control("POST", "/clock", {"advance": 10_000})
    assert sentences(hosts(either, state="absent", purge=True)) == ["delete host node1"]
    assert at_the_cloud(either) == []


def test_two_runs_at_once_make_a_host_once(either: RancherLab) -> None:
    either.control("POST", "/faults", [{"action": "Create(Host|Machine)", "kind": "pause_before"}])
    with ThreadPoolExecutor() as threads:
        slow = threads.submit(hosts, either, count=1, **DRIVER)
        while not either.control("GET", "/faults")["held"]:
            time.sleep(0.01)
        fast = hosts(either, count=1, **DRIVER)
        either.control("POST", "/faults/release")
        assert [one["id"] for one in slow.result().result["hosts"]] == [one["id"] for one in fast.result["hosts"]]
    assert at_the_cloud(either) == ["droplet node1", "ssh-key node1"]


def test_hosts_that_somebody_else_makes(either: RancherLab) -> None:
    asked = hosts(either, check=True, driver="custom")
    assert asked.result["registration"] is None
    first = hosts(either, driver="custom")
    assert sentences(first) == ["update setting api.host (value)", "create registration token Default"]
    assert "docker run" in first.result["registration"]["command"]
    assert sentences(hosts(either, driver="custom")) == []
    either.host("db1")
    joined = hosts(either, driver="custom", names=["db1"], labels={"storage": "true"})
    assert "registration" not in joined.result  # which is a secret, and not asked for
    assert sentences(joined) == [
        "update host db1 (labels.container.schedulers/owner, labels.container.schedulers/part, labels.storage)"
    ]
    assert sentences(hosts(either, driver="custom", names=["db1"], labels={"storage": "true"})) == []
    with pytest.raises(PartialError, match="db2 is missing"):
        hosts(either, driver="custom", names=["db1", "db2"], wait_timeout=0, labels={"storage": "false"})


def test_a_host_that_joins_while_it_is_waited_for_is_labelled(either: RancherLab) -> None:
    with ThreadPoolExecutor() as threads:
        either.control("DELETE", "/journal")
        waiting = threads.submit(hosts, either, driver="custom", names=["db1"], labels={"storage": "true"})
        asked = [{"action": "ListHosts"}] * 2
        eventually(lambda: [one for one in journal(either) if one in asked][1:], "it is not waited for")
        either.host("db1")
        joined = waiting.result()
    assert sentences(joined)[-1].startswith("update host db1 (labels.container.schedulers/owner")
    assert joined.result["hosts"][0]["labels"]["storage"] == "true"
    assert sentences(hosts(either, state="absent", purge=True)) == ["delete host db1"]


@pytest.fixture(params=[("v1.1.4", "v1"), ("v1.6.30", "v1"), ("v1.6.30", "v2-beta")], ids="-".join)
def member_lab(rancher_lab: RancherLab, request: pytest.FixtureRequest) -> RancherLab:
    """With the key of an environment, for which settings are there to be read, and in old servers only a few."""
    server, rancher_lab.version = request.param
    rancher_lab.control("POST", "/settings", {"rancher_version": server})
    key = rancher_lab.ask("POST", "/v1/projects/1a5/apikeys", {"name": "env"})
    rancher_lab.access = {"access_key": key["publicValue"], "secret_key": key["secretValue"]}
    return rancher_lab


def sees_where_hosts_register(lab: RancherLab) -> bool:
    return bool(lab.control("GET", "/settings")["rancher_version"] == "v1.6.30")


def test_hosts_join_with_the_key_of_an_environment(member_lab: RancherLab) -> None:
    """Whoever makes the hosts cares for the address, too, if need be."""
    assert sentences(hosts(member_lab, driver="custom")) == ["create registration token Default"]
    member_lab.host("db1")
    assert [one["name"] for one in hosts(member_lab, driver="custom", names=["db1"]).result["hosts"]] == ["db1"]


def test_an_administrator_has_to_say_where_hosts_register(member_lab: RancherLab) -> None:
    given = {"count": 1, **DRIVER}
    if sees_where_hosts_register(member_lab):
        with pytest.raises(AuthError, match=r"an administrator has to set api\.host of the server first"):
            hosts(member_lab, check=True, **given)
    else:
        assert sentences(hosts(member_lab, check=True, **given)) == ["create host node1"]
        (warning,) = member_lab.warnings
        assert warning.startswith("An administrator has to set api.host of the server if nobody has")
    with pytest.raises(AuthError, match="registration_url: only an administrator"):
        hosts(member_lab, check=True, registration_url="http://192.0.2.1:8080", **given)
    member_lab.ask("PUT", "/v1/settings/api.host", {"value": member_lab.url})
    assert sentences(hosts(member_lab, **given)) == ["create host node1"]
    assert bool(member_lab.warnings) is not sees_where_hosts_register(member_lab)
    assert (sentences(hosts(member_lab, **given)), member_lab.warnings) == ([], [])
    if sees_where_hosts_register(member_lab):
        assert sentences(hosts(member_lab, registration_url=f"{member_lab.url}/", **given)) == []


def journal(lab: RancherLab) -> list[dict[str, str]]:
    return [{"action": one["action"]} for one in lab.control("GET", "/journal")["entries"]]


@pytest.mark.parametrize(("server", "version"), [("v1.6.30", "v2-beta"), ("v1.6.30", "v1"), ("v1.1.4", "v1")])
def test_of_two_hosts_of_a_name_the_one_that_is_there_is_meant(
    rancher_lab: RancherLab, server: str, version: str
) -> None:
    """A machine that was lost and made anew joins as a new host, and the old one stays."""
    rancher_lab.control("POST", "/settings", {"rancher_version": server})
    rancher_lab.version = version
    hosts(rancher_lab, count=1, **DRIVER)
    lost = lose(rancher_lab)
    with pytest.raises(PartialError, match=r"node1 is (dis|re)connect"):
        hosts(rancher_lab, driver="custom", names=["node1"], wait_timeout=0)
    new = rancher_lab.host("node1")["id"]
    given: dict[str, Any] = {"driver": "custom", "names": ["node1"], "labels": {"a": "b"}}
    found = hosts(rancher_lab, **given)
    assert [(one["id"], one["labels"]["a"]) for one in found.result["hosts"]] == [(new, "b")]
    (warning,) = rancher_lab.warnings
    assert warning.startswith(f"Host node1 ({lost}) is lost, and another of its name has taken its place. It stays.")
    assert sentences(hosts(rancher_lab, **given)) == []
    assert sentences(hosts(rancher_lab, check=True, remove_failed=True, **given)) == ["delete host node1"]
    removed = hosts(rancher_lab, remove_failed=True, **given)
    assert (sentences(removed), rancher_lab.warnings) == (["delete host node1"], [])
    assert [one["id"] for one in removed.result["hosts"]] == [new]
    assert sentences(hosts(rancher_lab, remove_failed=True, **given)) == []


def test_two_hosts_of_a_name_that_are_there_are_not_guessed_from(either: RancherLab) -> None:
    for name in ("db1", "db1"):
        either.host(name)
    with pytest.raises(ConflictError, match="host db1 is there 2 times"):
        hosts(either, driver="custom", names=["db1"])


def test_a_host_that_the_server_has_given_up_is_made_again(either: RancherLab) -> None:
    hosts(either, count=1, **DRIVER)
    lost = lose(either)
    with pytest.raises(
        StateFailedError, match=rf"node1 \({lost}\) is disconnected: its machine is gone.*remove_failed"
    ):
        hosts(either, names=["node1"])
    assert sentences(hosts(either, names=["node1"], active=False)) == ["update host node1 (active)"]
    again = hosts(either, count=1, remove_failed=True, **DRIVER)
    assert sentences(again) == ["delete failed host node1", "create host node1"]
    assert [one["state"] for one in again.result["hosts"]] == ["active"]


def test_hosts_above_the_count_stay_and_are_named(either: RancherLab) -> None:
    for name in ("db-1", "db-2", "db-3", "web-9"):
        either.host(name)
    numbered: dict[str, Any] = {"driver": "custom", "pattern": "db-{n}"}
    hosts(either, driver="custom", names=["web-9"])
    hosts(either, count=3, **numbered)
    fewer = hosts(either, count=1, **numbered)
    assert (sentences(fewer), len(either.warnings)) == ([], 1)
    assert "count is 1, and these hosts stay: db-2, db-3." in either.warnings[0]
    hosts(either, driver="custom", names=["db-1"])
    assert either.warnings == []
    purged = hosts(either, count=1, purge=True, **numbered)
    assert (sorted(sentences(purged)), either.warnings) == (
        ["delete host db-2", "delete host db-3", "delete host web-9"],
        [],
    )
    assert [one["name"] for one in purged.result["hosts"]] == ["db-1"]


def test_a_host_takes_no_new_containers_for_a_while(either: RancherLab) -> None:
    hosts(either, count=2, **DRIVER)
    rest: dict[str, Any] = {"names": ["node2"], "active": False}
    assert sentences(hosts(either, check=True, **rest)) == ["update host node2 (active)"]
    resting = hosts(either, **rest)
    assert sentences(resting) == ["update host node2 (active)"]
    assert [one["state"] for one in resting.result["hosts"]] == ["inactive"]
    assert sentences(hosts(either, **rest)) == []
    labelled = hosts(either, **rest, labels={"a": "b"})
    assert (sentences(labelled), labelled.result["hosts"][0]["state"]) == (["update host node2 (labels.a)"], "inactive")
    with pytest.raises(PartialError, match=r"node2 is inactive.*active: true an inactive one active"):
        hosts(either, names=["node2"], labels={"a": "c"}, wait_timeout=0)
    back = hosts(either, names=["node2"], active=True)
    assert sentences(back) == ["update host node2 (active)"]
    assert [one["state"] for one in back.result["hosts"]] == ["active"]
    assert sentences(hosts(either, count=2, active=True)) == []


def test_hosts_of_others_are_left_alone(either: RancherLab) -> None:
    either.host("node1")
    with pytest.raises(NotOursError, match="host node1 exists and was not made by"):
        hosts(either, count=1, **DRIVER)
    with pytest.raises(NotOursError):
        hosts(either, names=["node1"], state="absent")
    assert sentences(hosts(either, purge=True, state="absent")) == []
    assert sentences(hosts(either, names=["node1"], state="absent", adopt=True)) == ["delete host node1"]


def on_its_way_out(lab: RancherLab) -> list[str]:
    """What Rancher was asked that takes something away from a host, or a host away."""
    asked = [one["action"] for one in lab.control("GET", "/journal")["entries"]]
    return [one for one in asked if one in ("EvacuateHost", "DeactivateHost", "DeleteHost")]


def two_hosts_with_a_service(lab: RancherLab) -> tuple[str, str]:
    """Their links."""
    links = [f"/v2-beta/projects/1a5/hosts/{lab.host(name)['id']}" for name in ("node1", "node2")]
    service = {"name": "app", "image": "nginx:1", "scale": 2}
    lab.run(ensure_stack, module_spec(STACK), name="Web", services=[service])
    lab.control("DELETE", "/journal")
    return links[0], links[1]


def running_on(lab: RancherLab, link: str) -> list[str]:
    """The containers that a host has, but for those of the system."""
    found = lab.ask("GET", f"{link}/instances")["data"]
    return [one["name"] for one in found if not one["system"] and one["state"] != "stopped"]


def test_what_runs_on_a_host_has_left_it_before_it_is_deleted(rancher_lab: RancherLab) -> None:
    going, staying = two_hosts_with_a_service(rancher_lab)
    assert len(running_on(rancher_lab, going)) == 1
    rancher_lab.control("POST", "/settings", {"rancher_process_seconds": 0.3})
    rancher_lab.control("POST", "/faults", [{"action": "DeleteHost", "kind": "pause_before"}])
    with ThreadPoolExecutor() as threads:
        removal = threads.submit(hosts, rancher_lab, names=["node1"], state="absent", adopt=True)
        eventually(lambda: rancher_lab.control("GET", "/faults")["held"], "it is not deleted")
        assert running_on(rancher_lab, going) == []
        rancher_lab.control("POST", "/faults/release")
        assert sentences(removal.result()) == ["delete host node1"]
    assert on_its_way_out(rancher_lab) == ["EvacuateHost", "DeleteHost"]
    eventually(lambda: len(running_on(rancher_lab, staying)) == 2, "the service is not moved")


def test_a_server_that_does_not_empty_hosts_deletes_them_with_what_runs(rancher_lab: RancherLab) -> None:
    two_hosts_with_a_service(rancher_lab)
    rancher_lab.version = "v1"
    hosts(rancher_lab, names=["node1"], state="absent", adopt=True)
    assert on_its_way_out(rancher_lab) == ["DeactivateHost", "DeleteHost"]


def lose(lab: RancherLab) -> str:
    """Have the only host's droplet destroyed at DigitalOcean, and Rancher notice it. Returns the host's id."""
    token = {"Authorization": f"Bearer {TOKEN}"}
    droplet = next(one for one in lab.control("GET", "/inventory")["items"] if one["kind"] == "droplet")
    url = f"{lab.addresses['digitalocean']}/v2/droplets/{droplet['id']}"
    urllib.request.urlopen(urllib.request.Request(url, headers=token, method="DELETE"), timeout=60).close()
    (host,) = lab.ask("GET", "/v1/projects/1a5/hosts")["data"]
    link = f"/v1/projects/1a5/hosts/{host['id']}"
    eventually(lambda: lab.ask("GET", link)["agentState"], "its loss is not noticed")
    return str(host["id"])


def test_a_host_that_is_cut_off_is_not_waited_for(rancher_lab: RancherLab) -> None:
    """Only its agent could stop what runs there."""
    hosts(rancher_lab, count=1, **DRIVER)
    service = {"name": "app", "image": "nginx:1"}
    rancher_lab.run(ensure_stack, module_spec(STACK), name="Web", services=[service])
    lose(rancher_lab)
    rancher_lab.control("DELETE", "/journal")
    hosts(rancher_lab, count=1, state="absent")
    assert on_its_way_out(rancher_lab) == ["DeactivateHost", "DeleteHost"]


LINK = "/v2-beta/projects/1a5/hosts/1h1"
APP = {"state": "running", "system": False, "nativeContainer": False}


@pytest.mark.parametrize(
    ("left", "is_evacuated"),
    [
        ({**APP, "system": True}, False),
        ({**APP, "nativeContainer": True}, False),
        ({**APP, "state": "stopped"}, False),
        (APP, True),
    ],
    ids=["rancher-s-own", "of-somebody-else", "stopped", "never-ends"],
)
def test_only_what_can_leave_a_host_is_waited_for_and_not_for_ever(
    left: dict[str, Any], is_evacuated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first two stay, or come back: pods, which a kubelet starts again, are somebody else's for Rancher."""
    monkeypatch.setattr(host_removal, "EVACUATING_SECONDS", 0.0)
    host = thing("host", "1h1", "hosts", "evacuate", "deactivate", hostname="node1", agentState="active")
    there = collection(thing("container", "1i1", "containers", **left))
    requests = [Request("GET", f"{LINK}/instances", there)]
    if is_evacuated:
        requests = [
            Request("GET", f"{LINK}/instances", there, times=2),
            Request("POST", f"{LINK}/", host, query={"action": "evacuate"}),
        ]
    run, http = run_with(
        *requests,
        Request("GET", LINK, host),
        Request("POST", f"{LINK}/", host, query={"action": "deactivate"}),
        Request("GET", LINK, error(404, "NotFound"), status=404),
        seconds=1200,
    )
    host_removal.remove_host(run, HostView("node1", host), doing="delete host node1")
    http.finish()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "names or count is needed"),
        ({"state": "absent"}, "names or count is needed. To remove all hosts"),
        ({"count": -1}, "count is -1"),
        ({"count": 1, "pattern": "node"}, r"pattern: 'node' has no \{n\}"),
        ({"names": ["Node_1"]}, "names: 'Node_1' must have"),
        ({"names": ["a", "a"]}, "names: a is there twice"),
        ({"names": ["a"], "driver": "nix", **DRIVER}, "driver: 'nix' is not active .* amazonec2, digitalocean"),
        ({"names": ["a"], "driver_config": {"regoin": "x"}}, "has no setting 'regoin'. Is region meant"),
        ({"names": ["a"], "driver_config": {"zzz": "x"}}, "has no setting 'zzz'. It has: accessToken"),
        ({"names": ["a"], "driver_config": {"backups": "maybe"}}, "backups: 'maybe' is neither true nor false"),
        ({"names": ["a"]}, "the driver digitalocean needs accessToken"),
        ({"names": ["a"], "driver_secrets": {"access_token": None}}, "the driver digitalocean needs accessToken"),
        ({"driver": "custom", "purge": True}, "purge: true with driver: custom needs names or count. .* state: absent"),
        ({"names": ["a"], "active": False, **DRIVER}, "active: false is only for hosts that exist, and a does not"),
        ({"names": ["a"], "driver_config": {"x": 1}, "driver_secrets": {"x": 1}}, "both have x"),
    ],
)
def test_hosts_that_cannot_be(rancher_lab: RancherLab, given: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        hosts(rancher_lab, **given)


def test_a_look_at_hosts_and_their_containers(either: RancherLab) -> None:
    either.host("node1")
    either.host("node2")
    service = {"name": "app", "image": "nginx:1", "global": True}
    either.run(ensure_stack, module_spec(STACK), name="Web", services=[service])
    spec = ArgumentSpec({"names": {"type": "list", "elements": "str"}}).merge(ENVIRONMENT)
    found = either.run(look_at_hosts, spec).result
    assert found["environment"] == {"id": "1a5", "name": "Default"}
    ours = [one for host in found["hosts"] for one in host["containers"] if one["stack"] == "Web"]
    assert [(one["service"], one["host"]) for one in ours] == [("app", "node1"), ("app", "node2")]
    container = ours[0]
    assert container["address"].startswith("10.42.")
    assert [one["name"] for one in either.run(look_at_hosts, spec, names=["node2"]).result["hosts"]] == ["node2"]


# Commands

EXEC = EXECUTE.merge(ENVIRONMENT)
TOLD = {"container", "rc", "stdout", "stdout_lines"}


@pytest.fixture
def app(rancher_lab: RancherLab) -> RancherLab:
    rancher_lab.host("node1")
    service = {"name": "app", "image": "nginx:1"}
    rancher_lab.run(ensure_stack, module_spec(STACK), name="Web", services=[service])
    return rancher_lab


def test_a_command_and_its_code(app: RancherLab) -> None:
    there: dict[str, Any] = {"stack": "Web", "service": "app"}
    done = app.run(execute, EXEC, command="hostname", changes=False, **there)
    assert sentences(done) == []
    assert (done.result["rc"], done.result["container"]["name"]) == (0, "Web-app-1")
    assert done.result["stdout"].strip()
    changed = app.run(execute, EXEC, command=["hostname"], container="Web-app-1")
    assert sentences(changed) == ["update container Web-app-1 (command)"]
    assert changed.result["stdout"] == done.result["stdout"]
    planned = app.run(execute, EXEC, check=True, command="hostname", **there)
    assert (planned.result["rc"], sentences(planned)) == (None, ["update container Web-app-1 (command)"])
    assert {*planned.result} == {*done.result} == {*TOLD, "failed"}


def test_a_command_that_fails(app: RancherLab) -> None:
    there: dict[str, Any] = {"stack": "Web", "service": "app", "changes": False}
    with pytest.raises(StateFailedError, match="it ended with code") as caught:
        app.run(execute, EXEC, command="no-such-command-at-all", **there)
    assert {*caught.value.details} == TOLD
    code = caught.value.details["rc"]
    done = app.run(execute, EXEC, command="no-such-command-at-all", success_codes=[code], **there)
    assert done.result["rc"] == code
    assert done.result["failed"] is False  # which Ansible has to be told, as the code is not 0


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"command": "", "container": "x"}, "command is neither"),
        ({"command": {}, "container": "x"}, "command is neither"),
        ({"command": "a", "container": "nobody"}, "container: 'nobody' does not exist"),
        ({"command": "a", "stack": "None", "service": "app"}, "stack: 'None' does not exist"),
        ({"command": "a", "stack": "Web", "service": "none"}, "service: 'none' does not exist in stack Web"),
        ({"command": "a", "stack": "Web", "service": "app", "index": 2}, "has 1 running containers, not 2"),
        ({"command": "a", "stack": "Web", "service": "app", "index": 0}, "index is 0"),
        ({"command": "a", "container": "x", "timeout": 0}, "timeout is 0"),
    ],
)
def test_commands_that_cannot_be(app: RancherLab, given: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        app.run(execute, EXEC, **given)


def test_of_two_containers_of_a_name_the_one_that_runs_is_meant(app: RancherLab) -> None:
    """After an upgrade the old one is kept, stopped, until the upgrade is finished."""
    (old,) = containers_named(app, "Web-app-1")
    newer = {"name": "app", "image": "nginx:2"}
    app.run(ensure_stack, module_spec(STACK), name="Web", services=[newer], upgrade={"finish": False})
    assert sorted(containers_named(app, "Web-app-1").values()) == ["running", "stopped"]
    done = app.run(execute, EXEC, command="hostname", container="Web-app-1")
    assert done.result["container"]["id"] != old
    with pytest.raises(ConflictError, match="it is stopped"):
        app.run(execute, EXEC, command="hostname", container=old)


def test_a_name_that_two_containers_have_is_not_guessed(app: RancherLab) -> None:
    """Rancher does not ask for names of containers to be unique."""
    for _unused in range(2):
        app.ask("POST", "/v2-beta/projects/1a5/containers", {"name": "twin", "imageUuid": "docker:nginx:1"})
    eventually(lambda: [*containers_named(app, "twin").values()] == ["running"] * 2, "they do not run")
    ids = ", ".join(sorted(containers_named(app, "twin")))
    with pytest.raises(ConflictError, match=f"container twin is there 2 times: {ids}. Give the id"):
        app.run(execute, EXEC, command="hostname", container="twin")


def containers_named(lab: RancherLab, name: str) -> dict[str, str]:
    """Their states by their ids."""
    found = lab.ask("GET", "/v2-beta/projects/1a5/containers")["data"]
    return {one["id"]: one["state"] for one in found if one["name"] == name}


# Access control

ACCESS_SPEC = module_spec(ACCESS, environment=False)
LOCAL: dict[str, Any] = {"provider": "local", "username": "admin", "password": "hunter22"}
MARK_OF_A_KEY = "[container.schedulers/owner=rancher/server; container.schedulers/part=api-key]"
GITHUB: dict[str, Any] = {"client_id": "LABNOTASECRET0000003", "client_secret": "lab-not-a-secret-000003"}


def access(lab: RancherLab, check: bool = False, **given: Any) -> Outcome:
    return lab.run(access_control.ensure, ACCESS_SPEC, check=check, **given)


def test_local_accounts_on_and_off(rancher_lab: RancherLab, tmp_path: Path) -> None:
    path = tmp_path / "keys" / "key.json"
    given = {**LOCAL, "api_key_file": str(path)}
    planned = access(rancher_lab, check=True, **given)
    assert sentences(planned) == [
        "update access control local (enabled, username)",
        "create api key container.schedulers",
    ] or sentences(planned)[0].startswith("create api key")
    assert not path.exists()
    made = access(rancher_lab, **given)
    assert made.result["access_control"]["enabled"] is True
    pair = json.loads(path.read_text())
    assert pair["access_key"] == made.result["api_key"]["public_value"]
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(AuthError):
        rancher_lab.run(look_at_hosts, ArgumentSpec({"names": {"type": "list"}}).merge(ENVIRONMENT))
    again = access(rancher_lab, **given)
    assert sentences(again) == []
    assert "api_key" not in again.result
    rancher_lab.access = {name: pair[name] for name in ("access_key", "secret_key")}
    assert sentences(access(rancher_lab, **LOCAL)) == []  # with the key given, the file is not needed
    with pytest.raises(ConflictError, match="access control is on with local"):
        access(rancher_lab, **GITHUB)
    given = {"provider": "local", "api_key_file": str(path)}  # whose name and password it was, is not asked
    assert sentences(access(rancher_lab, **given, access_mode="required")) == [
        "update access control local (access_mode)"
    ]
    planned = access(rancher_lab, **given, state="absent", check=True)
    assert planned.result["access_control"]["provider"] == "local"
    off = access(rancher_lab, **given, state="absent")
    assert off.result["access_control"]["enabled"] is False
    assert sentences(off) == sentences(planned)
    assert sentences(off) == [
        "delete access control local",
        f"delete api key file {path}",
        "delete api key container.schedulers",
    ]
    assert not path.exists()
    assert rancher_lab.ask("GET", "/v1/apikeys")["data"] == []
    assert sentences(access(rancher_lab, **given, state="absent")) == []


def test_a_password_is_not_changed_and_a_wrong_one_leaves_it_as_it_is(rancher_lab: RancherLab, tmp_path: Path) -> None:
    given = {**LOCAL, "api_key_file": str(tmp_path / "key.json")}
    access(rancher_lab, **given)
    assert sentences(access(rancher_lab, **{**given, "username": "other", "password": "another"})) == []
    access(rancher_lab, **given, state="absent")
    with pytest.raises(SchedulersError, match=r"the password is not that of the user: .*admin is taken") as caught:
        access(rancher_lab, **{**given, "password": "another"})
    assert "API key" not in caught.value.sentence()
    assert rancher_lab.ask("GET", "/v1/token")["data"][0]["security"] is False
    assert len(rancher_lab.ask("GET", "/v1/accounts?kind=admin")["data"]) == 2  # the server's own, and this one


def test_keys_and_files_of_others_stay(rancher_lab: RancherLab, tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine.json", tmp_path / "theirs.json"
    by_hand = rancher_lab.ask("POST", "/v1/apikeys", {"name": "container.schedulers"})
    access(rancher_lab, **LOCAL, api_key_file=str(mine))
    rancher_lab.access = {name: json.loads(mine.read_text())[name] for name in ("access_key", "secret_key")}
    access(rancher_lab, **LOCAL, api_key_file=str(theirs), api_key_name="another machine")
    mine.write_text(json.dumps({"access_key": by_hand["publicValue"], "secret_key": by_hand["secretValue"]}))
    off = access(rancher_lab, **LOCAL, api_key_file=str(mine), state="absent")
    assert sentences(off) == ["delete access control local", "delete api key container.schedulers"]
    assert mine.exists()
    left = {one["publicValue"] for one in rancher_lab.ask("GET", "/v1/apikeys")["data"]}
    assert left == {by_hand["publicValue"], json.loads(theirs.read_text())["access_key"]}


def test_runs_with_the_same_file_keep_out_of_one_anothers_way(rancher_lab: RancherLab, tmp_path: Path) -> None:
    path, other = str(tmp_path / "key.json"), str(tmp_path / "key of another server.json")
    with alone_with_keys(path), alone_with_keys(other), pytest.raises(BusyError, match="another run works with"):
        access(rancher_lab, **LOCAL, api_key_file=path)
    with alone_with_keys(other), alone_in(tmp_path):  # a kubeconfig in this folder is changed, perhaps
        assert access(rancher_lab, **LOCAL, api_key_file=path).result["api_key"]
    assert [one.name for one in tmp_path.iterdir()] == ["key.json"]


def test_a_lock_that_another_user_has_left_is_named(tmp_path: Path) -> None:
    lock = tmp_path / ".key.json.lock"
    lock.mkdir()  # which root cannot open either
    with pytest.raises(InputError) as refused, alone_with_keys(str(tmp_path / "key.json")):
        pass
    assert refused.value.hint == f"Remove {lock}, unless another user's run works with the file."
    (tmp_path / "file").touch()
    with pytest.raises(InputError) as refused, alone_with_keys(str(tmp_path / "file" / "key.json")):
        pass
    assert refused.value.hint == ""


def test_a_key_is_read_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    with alone_with_keys(str(tmp_path / "key.json")):
        assert list(tmp_path.iterdir()) == []


def test_a_key_whose_secret_is_lost_is_replaced(rancher_lab: RancherLab, tmp_path: Path) -> None:
    rancher_lab.ask("POST", "/v1/apikeys", {"name": "container.schedulers", "description": MARK_OF_A_KEY})
    again = access(rancher_lab, **LOCAL, api_key_file=str(tmp_path / "key.json"))
    assert next(one for one in sentences(again) if "api key" in one) == "create api key container.schedulers"
    assert len([one for one in sentences(again) if one.startswith("delete stale api key")]) == 1
    assert sentences(access(rancher_lab, **LOCAL, api_key_file=str(tmp_path / "key.json"))) == []


def test_the_key_that_was_given_is_not_lost(rancher_lab: RancherLab, tmp_path: Path) -> None:
    given = {**LOCAL, "api_key_file": str(tmp_path / "key.json")}
    made = access(rancher_lab, **given).result
    pair = json.loads((tmp_path / "key.json").read_text())
    assert pair["secret_key"] not in str(made)  # it is in the file, and there only
    rancher_lab.access = {name: pair[name] for name in ("access_key", "secret_key")}
    (tmp_path / "key.json").unlink()
    assert sentences(access(rancher_lab, **given)) == ["create api key container.schedulers"]
    assert sentences(access(rancher_lab, **given)) == []


def test_github_with_a_code(rancher_lab: RancherLab, tmp_path: Path) -> None:
    code = rancher_lab.control("POST", "/github", {"login": "alice", "orgs": ["acme"]})
    given = {**GITHUB, "api_key_file": str(tmp_path / "key.json"), "allowed_users": ["77"], "code": code["code"]}
    made = access(rancher_lab, **given)
    assert made.result["access_control"]["allowed"] == sorted(["github_user:77", f"github_user:{code['id']}"])
    assert made.result["access_control"]["access_mode"] == "restricted"
    rancher_lab.access = {
        name: json.loads((tmp_path / "key.json").read_text())[name] for name in ("access_key", "secret_key")
    }
    users = ["77", str(code["id"])]
    assert sentences(access(rancher_lab, client_id=GITHUB["client_id"], allowed_users=users)) == []
    changed = access(rancher_lab, allowed_users=users, allowed_organizations=["5"], access_mode="required")
    assert sentences(changed) == ["update access control github (access_mode, allowed[0], allowed[1], allowed[2])"]
    off = access(rancher_lab, state="absent")
    assert sentences(off) == ["delete access control github", "delete api key container.schedulers"]


def test_names_are_asked_of_the_github_that_the_server_has(rancher_lab: RancherLab, tmp_path: Path) -> None:
    key = str(tmp_path / "key.json")
    code = rancher_lab.control("POST", "/github", {"login": "alice", "orgs": ["acme"]})
    other = rancher_lab.control("POST", "/github", {"login": "bob"})
    enterprise = {**GITHUB, "hostname": code["hostname"], "tls": False, "api_key_file": key}
    given = {**enterprise, "code": code["code"], "allowed_organizations": ["acme"]}
    allowed = access(rancher_lab, **given).result["access_control"]["allowed"]
    assert [one.partition(":")[0] for one in allowed] == ["github_org", "github_user"]
    assert sentences(access(rancher_lab, **given)) == []  # the user of the code, which is used up, stays allowed
    by_name = access(rancher_lab, api_key_file=key, allowed_users=["alice", "bob"], allowed_organizations=[])
    assert by_name.result["access_control"]["allowed"] == [f"github_user:{one['id']}" for one in (code, other)]
    assert by_name.result["access_control"]["hostname"] == code["hostname"]


def test_users_and_organizations_are_allowed_each_for_itself(rancher_lab: RancherLab, tmp_path: Path) -> None:
    key: dict[str, Any] = {"api_key_file": str(tmp_path / "key.json")}

    def allowed(**given: Any) -> Any:
        return access(rancher_lab, **key, **given).result["access_control"]["allowed"]

    assert allowed(**GITHUB, allowed_users=["1"]) == ["github_user:1"]
    assert allowed(allowed_organizations=["5"]) == ["github_org:5", "github_user:1"]
    assert allowed(allowed_users=["2"]) == ["github_org:5", "github_user:2"]
    assert allowed(allowed_users=[]) == ["github_org:5"]
    with pytest.raises(InputError, match="is needed with access_mode restricted"):
        access(rancher_lab, check=True, **key, allowed_organizations=[])


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"provider": "local"}, "username and password is needed"),
        ({}, "client_id and client_secret is needed"),
        (GITHUB, "allowed_users or allowed_organizations is needed with access_mode restricted"),
        ({**GITHUB, "hostname": "https://ghe"}, "hostname: 'https://ghe' is no host name"),
        ({**LOCAL, "allowed_users": ["alice"]}, "allowed_users is for provider github, but provider is local"),
        ({**LOCAL, "client_id": "x"}, "client_id is for provider github, but provider is local"),
        ({**GITHUB, "username": "admin"}, "username is for provider local, but provider is github"),
    ],
)
def test_access_control_that_would_lock_everybody_out(rancher_lab: RancherLab, given: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        access(rancher_lab, **given)


@pytest.mark.parametrize("check", [True, False])
def test_a_key_that_could_not_be_written_down_is_not_made(rancher_lab: RancherLab, tmp_path: Path, check: bool) -> None:
    (tmp_path / "plain").write_text("")
    for path in (str(tmp_path / "plain" / "key.json"), "/proc/nope/key.json"):
        with pytest.raises(InputError, match=f"api_key_file: {path} cannot be written: "):
            access(rancher_lab, check=check, **LOCAL, api_key_file=path)
    assert rancher_lab.ask("GET", "/v1/apikeys")["data"] == []


def test_a_file_of_somebody_else_is_not_a_key(rancher_lab: RancherLab, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("hello")
    with pytest.raises(InputError, match=r"api_key_file: .* is no file that this module has written"):
        access(rancher_lab, **LOCAL, api_key_file=str(tmp_path / "file"))
    (tmp_path / "directory").mkdir()
    (tmp_path / "plain").write_text("")
    with pytest.raises(SchedulersError, match="cannot be written"):
        access(rancher_lab, **LOCAL, api_key_file=str(tmp_path / "plain" / "key.json"))


@pytest.mark.parametrize(
    ("name", "answer", "found"),
    [
        ("12", None, "github_user:12"),
        ("github_user:13", None, "github_user:13"),
        ("known", None, "github_user:14"),
        ("octocat", {"id": 15}, "github_user:15"),
    ],
)
def test_who_a_user_of_github_is(name: str, answer: Any, found: str) -> None:
    known = {"known": "github_user:14"}
    assert access_control.identity_of("users", name, known, lambda _path: answer) == found


def test_users_that_github_does_not_tell_of() -> None:
    with pytest.raises(InputError, match="allowed_organizations: GitHub does not tell who 'x' is"):
        access_control.identity_of("orgs", "x", {}, lambda _path: {})


# Environments

OTHERS = """kind: Config
clusters: [{name: eks, cluster: {server: "https://eks.example.com"}}]
users: [{name: eks, user: {token: lab-not-a-secret}}]
"""
ENVIRONMENTS = module_spec(ENVIRONMENT_SPEC, environment=False)


def environment(lab: RancherLab, check: bool = False, **given: Any) -> Outcome:
    return lab.run(environment_module.ensure, ENVIRONMENTS, check=check, **{"name": "k8s", **given})


def test_an_environment_with_kubernetes(either: RancherLab, tmp_path: Path) -> None:
    given: dict[str, Any] = {"orchestration": "kubernetes", "description": "one"}
    assert sentences(environment(either, check=True, **given)) == ["create environment k8s"]
    made = environment(either, **given)
    assert made.result["environment"]["orchestration"] == "kubernetes"
    assert sentences(environment(either, **given)) == []
    assert sentences(environment(either, description="two")) == ["update environment k8s (description)"]
    with pytest.raises(InputError, match="orchestration of environment k8s is 'kubernetes' and cannot be changed"):
        environment(either, orchestration="swarm")
    path = tmp_path / "kubeconfig"
    with pytest.raises(InputError, match="has no hosts yet"):
        environment(either, kubeconfig=str(path))
    either.host("k1", project=made.result["environment"]["id"])
    written = environment(either, kubeconfig=str(path))
    assert sentences(written)[0] == "create api key kubectl"
    assert path.stat().st_mode & 0o777 == 0o600
    assert sentences(environment(either, kubeconfig=str(path))) == []
    path.unlink()
    again = environment(either, kubeconfig=str(path))
    assert [one.split(" ")[0] for one in sentences(again)] == ["create", "create", "delete"]
    with pytest.raises(ConflictError, match="it has 1 hosts"):
        environment(either, state="absent")
    keys = [] if either.version == "v1" else ["delete api key kubectl"]  # there, they are the environment's own
    assert sentences(environment(either, state="absent", force=True)) == [*keys, "delete environment k8s"]
    assert sentences(environment(either, state="absent")) == []


def test_each_machine_has_a_kubeconfig_and_a_key_of_its_own(either: RancherLab, tmp_path: Path) -> None:
    identifier = environment(either, orchestration="kubernetes").result["environment"]["id"]
    either.host("k1", project=identifier)
    mine: dict[str, Any] = {"kubeconfig": str(tmp_path / "mine")}
    theirs: dict[str, Any] = {"kubeconfig": str(tmp_path / "theirs"), "api_key_name": "another machine"}
    environment(either, **mine)
    assert sentences(environment(either, **theirs))[0] == "create api key another machine"
    assert sentences(environment(either, **mine)) == sentences(environment(either, **theirs)) == []
    deleted = sentences(environment(either, state="absent", force=True))
    if either.version == "v2-beta":  # in v1, they are the environment's own
        assert sorted(deleted[:2]) == ["delete api key another machine", "delete api key kubectl"]


def test_the_key_that_a_run_comes_with_is_not_replaced_in_a_kubeconfig(rancher_lab: RancherLab, tmp_path: Path) -> None:
    identifier = environment(rancher_lab, orchestration="kubernetes").result["environment"]["id"]
    rancher_lab.host("k1", project=identifier)
    environment(rancher_lab, kubeconfig=str(tmp_path / "config"))
    pair = pair_of(yaml.safe_load((tmp_path / "config").read_text()))
    assert pair is not None
    rancher_lab.access = {"access_key": pair.public, "secret_key": pair.secret}
    other = environment(rancher_lab, kubeconfig=str(tmp_path / "other"))
    assert [one.split(" ")[0] for one in sentences(other)] == ["create", "create"]


def test_the_template_of_an_environment_stays(rancher_lab: RancherLab) -> None:
    environment(rancher_lab, template="Kubernetes")
    assert sentences(environment(rancher_lab, template="kubernetes", description="")) == []
    with pytest.raises(
        InputError, match="template of environment k8s is 'Kubernetes' and cannot be changed to 'cattle'"
    ):
        environment(rancher_lab, template="cattle")
    assert sentences(environment(rancher_lab, template="cattle", state="absent")) == ["delete environment k8s"]


def test_old_servers_have_no_templates(rancher_lab: RancherLab) -> None:
    rancher_lab.version = "v1"
    environment(rancher_lab)
    with pytest.raises(InputError, match=r"need Rancher 1\.2"):
        environment(rancher_lab, template="cattle")
    assert sentences(environment(rancher_lab, template="cattle", state="absent")) == ["delete environment k8s"]


def test_an_environment_that_the_keys_account_is_no_member_of(either: RancherLab, tmp_path: Path) -> None:
    access(either, **LOCAL, api_key_file=str(tmp_path / "key.json"))
    either.access = {
        name: json.loads((tmp_path / "key.json").read_text())[name] for name in ("access_key", "secret_key")
    }
    owner = {"identity": "github_user:123", "role": "owner"}
    assert sentences(environment(either, members=[owner])) == ["create environment k8s"]
    assert sentences(environment(either, members=[owner])) == []
    assert find_environment(Rancher(Connection(either.url, api_version=either.version, **either.access)), "k8s").id
    assert sentences(environment(either, state="absent")) == ["delete environment k8s"]


@pytest.mark.parametrize("github", [{}, {"externalIdType": "github_user", "externalId": "77"}])
def test_a_new_environment_belongs_to_whoever_makes_it(
    either: RancherLab, tmp_path: Path, github: dict[str, str]
) -> None:
    account = either.ask("POST", "/v1/accounts", {"name": "another", "kind": "admin", **github})["id"]
    key = either.ask("POST", "/v1/apikeys", {"accountId": account})
    access(either, **LOCAL, api_key_file=str(tmp_path / "key.json"))
    either.access = {"access_key": key["publicValue"], "secret_key": key["secretValue"]}
    made = environment(either).result["environment"]["id"]
    server = Rancher(Connection(either.url, api_version=either.version, **either.access))
    (member,) = server.list(server.path("projects", made, "projectmembers"), doing="look")
    # whoever once came from GitHub too: it is no provider of this server any more
    assert (member["externalIdType"], member["externalId"], member["role"]) == ("rancher_id", account, "owner")
    assert sentences(environment(either)) == []


def test_members_of_an_environment(either: RancherLab) -> None:
    owner = {"identity": "github_user:1", "role": "owner"}
    environment(either, members=[owner])
    assert sentences(environment(either, members=[owner])) == []
    more = environment(either, members=[owner, {"identity": "github_org:5"}])
    assert sentences(more) == ["update environment k8s (members.github_org:5)"]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"name": " "}, "name is empty"),
        ({"members": [{"identity": "me"}]}, "members: 'me' is no identity"),
        ({"members": [{"identity": "rancher_id:1a7"}]}, "an environment needs an owner"),
        ({"members": [{"identity": "a:1", "role": "owner"}] * 2}, "a:1 is there twice"),
        ({"kubeconfig": "/tmp/none"}, "environment k8s is no Kubernetes"),
        ({"template": "nothing"}, "template: 'nothing' does not exist; there are: "),
    ],
)
def test_environments_that_cannot_be(rancher_lab: RancherLab, given: dict[str, Any], why: str) -> None:
    with pytest.raises(SchedulersError, match=why):
        environment(rancher_lab, **given)


def test_the_default_environment_is_nobodys_to_delete(rancher_lab: RancherLab) -> None:
    with pytest.raises(NotOursError):
        environment(rancher_lab, name="Default", state="absent")
    assert sentences(environment(rancher_lab, name="Default")) == []


def test_a_kubeconfig_is_as_rancher_s_pages_make_it(tmp_path: Path) -> None:
    pair = Pair("PUBLIC", "secret")
    old = kubeconfig(Connection("http://r:8080/v1"), "1a7", "k8s", pair, v1=True, ca="PEM")
    assert old["clusters"][0]["cluster"] == {
        "server": "https://r:8080/r/projects/1a7/kubernetes",
        "insecure-skip-tls-verify": True,
    }
    assert old["users"][0]["user"] == {"username": "PUBLIC", "password": "secret"}
    new = kubeconfig(Connection("https://r", validate_certs=False), "1a7", "k8s", pair, v1=False)
    assert new["clusters"][0]["cluster"] == {
        "server": "https://r/r/projects/1a7/kubernetes:6443",
        "insecure-skip-tls-verify": True,
    }
    assert new["users"][0]["user"] == {"token": "QmFzaWMgVUZWQ1RFbERPbk5sWTNKbGRBPT0="}
    assert pair_of(old) == pair_of(new) == pair
    trusted = kubeconfig(Connection("https://r"), "1a7", "k8s", pair, v1=False, ca="PEM")
    assert trusted["clusters"][0]["cluster"]["certificate-authority-data"] == "UEVN"
    assert pair_of({}) is None


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("http://r", "https://r:80"),
        ("http://r:8080/rancher/v2-beta", "https://r:8080/rancher"),
        ("HTTP://[2001:db8::1]/", "https://[2001:db8::1]:80"),
        ("https://r", "https://r"),
    ],
)
def test_a_kubeconfig_names_the_port_that_the_server_is_on(url: str, server: str) -> None:
    assert cluster_address(Connection(url), "1a7", v1=True) == f"{server}/r/projects/1a7/kubernetes"


def test_a_kubeconfig_works_by_tls_where_the_server_was_given_without(either: RancherLab, tmp_path: Path) -> None:
    """kubectl sends credentials by TLS only."""
    key, config = tmp_path / "key.json", tmp_path / "config"
    access(either, **LOCAL, api_key_file=str(key))
    either.access = {name: json.loads(key.read_text())[name] for name in ("access_key", "secret_key")}
    made = environment(either, orchestration="kubernetes").result["environment"]
    either.host("k1", project=made["id"])
    environment(either, kubeconfig=str(config))
    content = yaml.safe_load(config.read_text())
    cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
    given = (
        {"Authorization": f"Bearer {user['token']}"}
        if "token" in user
        else basic_auth(user["username"], user["password"])
    )
    assert answered(cluster, given) != 401
    assert answered(cluster, {}) == 401
    cluster["server"] = cluster["server"].replace("https:", "http:")  # as this collection wrote it before
    config.write_text(yaml.safe_dump(content))
    assert sentences(environment(either, kubeconfig=str(config))) == [f"create kubeconfig {config}"]
    assert yaml.safe_load(config.read_text())["clusters"][0]["cluster"]["server"].startswith("https:")


def answered(cluster: dict[str, Any], headers: dict[str, str]) -> int:
    """The status of what a client with this kubeconfig asks for."""
    context = ssl.create_default_context()
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    server = urlsplit(cluster["server"])
    connection = HTTPSConnection(str(server.hostname), server.port, timeout=60, context=context)
    connection.request("GET", f"{server.path}/api", headers=headers)
    return connection.getresponse().status


def test_a_kubeconfig_goes_with_its_environment(either: RancherLab, tmp_path: Path) -> None:
    given: dict[str, Any] = {"kubeconfig": str(tmp_path / "config"), "state": "absent", "force": True}
    made = environment(either, orchestration="kubernetes")
    either.host("k1", project=made.result["environment"]["id"])
    environment(either, kubeconfig=given["kubeconfig"])
    deletion = f"delete kubeconfig {given['kubeconfig']}"
    assert deletion in sentences(environment(either, check=True, **given))
    written = (tmp_path / "config").read_text()
    assert deletion in sentences(environment(either, **given))
    assert not (tmp_path / "config").exists()
    (tmp_path / "config").write_text(written)  # the environment goes, and the run ends before the file does
    assert sentences(environment(either, **given)) == [deletion]
    assert sentences(environment(either, **given)) == []


@pytest.mark.parametrize("name", ["config", "folder"])
def test_a_kubeconfig_of_others_stays_when_the_environment_goes(
    rancher_lab: RancherLab, tmp_path: Path, name: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "config").write_text(OTHERS)
    environment(rancher_lab, orchestration="kubernetes")
    path = str(tmp_path / name)
    assert sentences(environment(rancher_lab, state="absent", kubeconfig=path)) == ["delete environment k8s"]
    assert sentences(environment(rancher_lab, state="absent", kubeconfig=path)) == []
    assert (tmp_path / "config").read_text() == OTHERS
    assert (tmp_path / "folder").is_dir()


@pytest.mark.parametrize(
    ("clusters", "ours"),
    [
        ([], True),
        ([{"name": "k8s", "cluster": {"server": "http://old:8080/r/projects/1a7/kubernetes"}}], True),
        ([{"name": "mine", "cluster": {"server": "http://r:8080/r/projects/1a9/kubernetes"}}], True),
        ([{"name": "other", "cluster": {"server": "http://r:8080/r/projects/1a7/kubernetes"}}], False),
        ([{"name": "k8s", "cluster": {"server": "https://k8s.example.com"}}], False),
        ([{"name": "k8s"}], False),
        ([{"name": "k8s"}, {"name": "other"}], False),
    ],
)
def test_whose_a_kubeconfig_is(clusters: list[Any], ours: bool) -> None:
    content = {"kind": "Config", "clusters": clusters}
    assert is_ours(content, "k8s", "http://r:8080/r/projects/1a9/kubernetes") is ours
    assert not is_ours({"users": [{"name": "mine"}]}, "k8s", None)


@pytest.mark.parametrize("check", [True, False])
def test_a_kubeconfig_that_cannot_be_written_is_found_before_anything_is_made(
    rancher_lab: RancherLab, check: bool
) -> None:
    given = {"orchestration": "kubernetes", "kubeconfig": "/proc/nope/config"}
    with pytest.raises(InputError, match="kubeconfig: /proc/nope/config cannot be written: "):
        environment(rancher_lab, check=check, **given)
    assert sentences(environment(rancher_lab, state="absent")) == []


def test_a_kubeconfig_of_others_is_not_overwritten(rancher_lab: RancherLab, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("kind: Config\nclusters: [{}, {}]\n")
    with pytest.raises(InputError, match="is a file of somebody else's"):
        environment(rancher_lab, orchestration="kubernetes", kubeconfig=str(tmp_path / "config"))
    (tmp_path / "config").write_text(OTHERS)
    with pytest.raises(InputError, match="is a file of somebody else's"):
        environment(rancher_lab, orchestration="kubernetes", kubeconfig=str(tmp_path / "config"))
    assert (tmp_path / "config").read_text() == OTHERS
    (tmp_path / "config").write_text("a: [")
    with pytest.raises(InputError, match="cannot be read"):
        environment(rancher_lab, orchestration="kubernetes", kubeconfig=str(tmp_path / "config"))
