# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run leaves that died between two calls, and what runs with the same and with other arguments make of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._clock import Deadline
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    ConflictError,
    SchedulersError,
)
from ansible_collections.container.schedulers.plugins.module_utils._leftovers import look
from ansible_collections.container.schedulers.plugins.module_utils._module import Context, Outcome
from ansible_collections.container.schedulers.plugins.module_utils._rancher import (
    access_control,
    environment_module,
    hosts_module,
    leftovers,
)
from ansible_collections.container.schedulers.plugins.module_utils._rancher.access_api import AccessApi
from ansible_collections.container.schedulers.plugins.module_utils._rancher.access_options import ACCESS, AccessOptions
from ansible_collections.container.schedulers.plugins.module_utils._rancher.api import Connection, Rancher
from ansible_collections.container.schedulers.plugins.module_utils._rancher.environment_case import EnvironmentCase
from ansible_collections.container.schedulers.plugins.module_utils._rancher.environment_options import (
    ENVIRONMENT_SPEC,
    EnvironmentOptions,
)
from ansible_collections.container.schedulers.plugins.module_utils._rancher.host_options import HOSTS
from ansible_collections.container.schedulers.plugins.module_utils._rancher.stack_options import STACK
from ansible_collections.container.schedulers.plugins.module_utils._rancher.stack_present import ensure as ensure_stack
from ansible_collections.container.schedulers.plugins.module_utils._wait import Pace
from unit.rancher import collection, project, rancher
from unit.scripted_http import Request

from .conftest import RancherLab, module_spec

DRIVER = {
    "driver_config": {"region": "lon1", "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64"},
    "driver_secrets": {"access_token": "lab-not-a-secret-000002"},
}
APP = {"name": "app", "image": "nginx:1.27"}
KUBECTL = "container.schedulers/app=kubectl"
LOCAL = {"provider": "local", "username": "admin", "password": "lab-not-a-secret-7"}
ACCESS_SPEC = module_spec(ACCESS, environment=False)
GITHUB = {"client_id": "LABNOTASECRET0000003", "client_secret": "lab-not-a-secret-000003"}


def hosts(lab: RancherLab, **given: Any) -> Outcome:
    return lab.run(hosts_module.ensure, module_spec(HOSTS, seconds=30), **given)


def environment(lab: RancherLab, **given: Any) -> Outcome:
    return lab.run(
        environment_module.ensure,
        module_spec(ENVIRONMENT_SPEC, environment=False, seconds=5),
        **{"name": "k8s", **given},
    )


def stack(lab: RancherLab, **given: Any) -> Outcome:
    return lab.run(ensure_stack, module_spec(STACK, seconds=10), **{"name": "Web", **given})


def access(lab: RancherLab, **given: Any) -> Outcome:
    return lab.run(access_control.ensure, ACCESS_SPEC, **given)


def sentences(outcome: Outcome) -> list[str]:
    assert outcome.plan is not None
    return outcome.plan.sentences()


def left(lab: RancherLab, owner: str = "") -> list[str]:
    """What a look for leftovers finds."""
    server = Rancher(Connection(lab.url, api_version=lab.version, **lab.access))
    found = look(leftovers.places(server, owner)).to_result()
    assert found["could_not_look"] == []
    return sorted(f"{one['kind']} {one['name']}" for one in found["leftovers"])


@contextmanager
def dying_at(lab: RancherLab, action: str, skip: int = 0) -> Iterator[None]:
    """What is done meanwhile fails, as that call does: it is as if the run had died before it."""
    rule = {"service": "rancher", "action": action, "kind": "error", "status": 422, "code": "Died", "times": 0}
    lab.control("POST", "/faults", [{**rule, "skip": skip}])
    with pytest.raises(SchedulersError, match="Died"):
        yield
    lab.control("POST", "/faults", [])


# Load balancers and stacks: an effect that was never brought about


def balanced(port: int) -> list[dict[str, Any]]:
    return [APP, {"name": "lb", "load_balancer": [{"source_port": port, "service": "app"}]}]


@pytest.mark.parametrize("port", [80, 81])
def test_a_load_balancer_publishes_what_its_rules_say(either: RancherLab, port: int) -> None:
    """The run before has changed what it publishes, and died before it led anywhere."""
    either.host("node1")
    stack(either, services=balanced(80))
    with dying_at(either, "(SetservicelinksLoad|UpdateLoad).*"):
        stack(either, services=balanced(81))
    next_one = stack(either, services=balanced(port))
    assert [one["port"] for one in next_one.result["endpoints"]] == [port]
    assert sentences(stack(either, services=balanced(port))) == []


def test_an_upgrade_of_a_stack_that_was_canceled_is_made_again(either: RancherLab) -> None:
    """A run that died while it rolled it back has left it with the new files, and the old containers."""
    either.host("node1")
    old, new = ({"docker_compose": f"web: {{image: 'nginx:{number}'}}"} for number in (1, 2))
    made = stack(either, **old)
    collection = "environments" if either.version == "v1" else "stacks"
    path = f"/{either.version}/projects/1a5/{collection}/{made.result['stack']['id']}"
    either.control("POST", "/settings", {"rancher_process_seconds": 0.3})
    either.ask("POST", f"{path}?action=upgrade", {"dockerCompose": new["docker_compose"], "rancherCompose": ""})
    either.ask("POST", f"{path}?action=cancelupgrade", {})
    while either.ask("GET", path)["state"] == "canceling-upgrade":
        time.sleep(0.05)
    assert sentences(stack(either, check=True, **new)) == ["update stack Web (upgrade)"]
    assert [one["image"] for one in stack(either, **new).result["services"]] == ["nginx:2"]
    assert sentences(stack(either, **new)) == []


# Environments on their way out, or out of order


def test_an_environment_that_was_to_go_comes_back(either: RancherLab) -> None:
    """A run that should have removed it has only switched it off."""
    environment(either)
    for given in ({}, {"description": "one"}):
        with dying_at(either, "DeleteProject"):
            environment(either, state="absent")
        back = environment(either, **given)
        assert sentences(back)[0].startswith("update environment k8s (active")
        assert back.result["environment"]["state"] == "active"
        assert sentences(environment(either, **given)) == []
    with dying_at(either, "DeleteProject"):
        environment(either, state="absent")
    assert sentences(environment(either, state="absent")) == ["delete environment k8s"]


def test_an_environment_is_gone_once_it_cannot_be_seen(either: RancherLab) -> None:
    """A run that died has asked for its deletion: the next one has nothing to do but to see it gone."""
    path = f"/{either.version}/projects/{environment(either).result['environment']['id']}"
    either.ask("POST", f"{path}?action=deactivate", {})
    either.control("POST", "/settings", {"rancher_process_seconds": 1})
    either.ask("DELETE", path)
    assert sentences(environment(either, state="absent", check=True)) == []
    assert left(either) == ["environment k8s"]
    assert sentences(environment(either, state="absent")) == []
    assert left(either) == []


def test_an_environment_that_failed_is_not_overlooked() -> None:
    """Else absent would call it gone, and present would make a second one."""
    description = "[container.schedulers/owner=rancher/k8s; container.schedulers/part=environment]"
    failed = {"state": "activating", "transitioning": "error", "transitioningMessage": "no network"}
    raw = {**project("1a9", "k8s", description=description), **failed}
    server, http = rancher(Request("GET", "/v2-beta/projects", collection(raw)), version="v2-beta")
    found = EnvironmentCase(EnvironmentOptions("k8s"), server, Deadline(http.clock, 5), Pace()).find()
    assert found is not None
    assert found["id"] == "1a9"
    http.finish()


def test_keys_of_the_administrator_go_with_their_environment(rancher_lab: RancherLab) -> None:
    """That key opens the whole server, and without the environment nobody would find it any more."""
    identifier = environment(rancher_lab, orchestration="kubernetes").result["environment"]["id"]
    mark = f"[container.schedulers/owner=rancher/{identifier}; container.schedulers/part=api-key; {KUBECTL}]"
    admin = rancher_lab.ask("GET", "/v1/accounts?kind=admin")["data"][0]["id"]
    for name in ("kubectl", "another machine"):
        rancher_lab.ask("POST", "/v1/apikeys", {"name": name, "description": mark, "accountId": admin})
    rancher_lab.ask("POST", "/v1/apikeys", {"name": "kubectl", "accountId": admin})  # somebody's own
    with dying_at(rancher_lab, "DeleteProject"):
        environment(rancher_lab, state="absent")
    assert left(rancher_lab) == ["environment k8s"]
    environment(rancher_lab, state="absent")
    assert left(rancher_lab) == []
    assert len(rancher_lab.ask("GET", "/v1/apikeys")["data"]) == 1


# Hosts


@pytest.fixture
def going(either: RancherLab) -> RancherLab:
    """A host whose deletion a run has asked for that died then."""
    made = hosts(either, count=1, **DRIVER)
    path = f"/{either.version}/projects/1a5/hosts/{made.result['hosts'][0]['id']}"
    either.ask("POST", f"{path}?action=deactivate", {})
    either.control("POST", "/settings", {"rancher_process_seconds": 2})
    either.ask("DELETE", path)
    return either


@pytest.mark.parametrize("given", [{"state": "absent"}, {"count": 0, **DRIVER}])
def test_hosts_are_gone_once_they_cannot_be_seen(going: RancherLab, given: dict[str, Any]) -> None:
    assert sentences(hosts(going, purge=True, **given)) == ["delete host node1"]
    assert left(going) == []
    assert sentences(hosts(going, purge=True, **given)) == []


def test_a_server_that_has_begun_to_remove_and_does_not_get_on_is_told_from_one_that_refuses(going: RancherLab) -> None:
    with pytest.raises(SchedulersError, match="is removing") as caught:
        hosts(going, state="absent", purge=True, wait_timeout=0)
    assert caught.value.code == "StillRemoving"


# Access control


def test_a_code_that_was_used_by_a_run_that_died_has_somebody_to_name(rancher_lab: RancherLab, tmp_path: Path) -> None:
    code = rancher_lab.control("POST", "/github", {"login": "alice"})
    given = {**GITHUB, "api_key_file": str(tmp_path / "key.json")}
    with dying_at(rancher_lab, "CreateGithubconfig|CreateV1auth", skip=1):
        access(rancher_lab, **given, code=code["code"])
    with pytest.raises(SchedulersError, match=rf"give a new one; or, if github_user:{code['id']}, who is the admin"):
        access(rancher_lab, **given, code=code["code"])
    made = access(rancher_lab, **given, allowed_users=[str(code["id"])])
    assert made.result["access_control"]["allowed"] == [f"github_user:{code['id']}"]


def test_a_code_that_nobody_has_used(rancher_lab: RancherLab, tmp_path: Path) -> None:
    with pytest.raises(SchedulersError, match=r"Perhaps the code .* A code is good once: give a new one[.]$"):
        access(rancher_lab, **GITHUB, api_key_file=str(tmp_path / "key.json"), code="made-up")


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("options", [GITHUB, LOCAL], ids=["github", "local"])
def test_a_provider_that_is_none_of_ours_is_left_alone(
    rancher_lab: RancherLab, tmp_path: Path, options: dict[str, str], state: str
) -> None:
    """LDAP, Active Directory, Azure, Shibboleth: whose accounts they are nobody here can know."""
    status = {"type": "token", "security": True, "authProvider": "ldapconfig", "enabled": True, "id": None}
    server, http = rancher(Request("GET", "/v1/token", collection(status)))
    context = Context(rancher_lab.params(ACCESS_SPEC, **options, state=state), False)
    case = access_control.AccessCase(
        context, AccessOptions.from_params(context.params), server, AccessApi(server), None
    )
    with pytest.raises(ConflictError) as caught:
        case.present() if state == "present" else case.absent()
    doing = f"switch it on with {options.get('provider', 'github')}" if state == "present" else "switch it off"
    assert caught.value.sentence() == (
        f"Could not {doing}: access control is on with ldapconfig. "
        "This module knows github and local only, and leaves it as it is. Switch it off in Rancher's pages."
    )
    http.finish()  # nothing was asked for, let alone changed, but who it is


def test_what_is_kept_of_another_provider_lets_nobody_in() -> None:
    """The authentication service of 1.6 has one configuration, be it off or on, for whichever provider it was last."""
    ldap = {"externalIdType": "openldap_user", "externalId": "cn=alice"}
    kept = {"provider": "openldapconfig", "enabled": False, "accessMode": "required", "allowedIdentities": [ldap]}
    server, http = rancher(
        Request("GET", "/v1-auth/config", collection(kept)), Request("GET", "/v1-auth/config", collection(kept))
    )
    assert access_control.spec_of(AccessApi(server).config("github"))["allowed"] == []
    http.finish()


# Marks: whatever a run that failed has made, is found


@pytest.mark.parametrize(
    ("action", "found"),
    [
        ("CreateStack|CreateEnvironment", []),
        ("CreateService", ["stack Web"]),
        ("CreateLoad.*", ["service app", "service db", "stack Web"]),
        ("SetservicelinksService", ["service app", "service db", "service lb", "stack Web"]),
    ],
)
def test_what_is_left_of_a_stack(either: RancherLab, action: str, found: list[str]) -> None:
    either.host("node1")
    linked = {**APP, "links": [{"service": "db"}]}
    services = [{"name": "db", "image": "mariadb:11"}, linked, balanced(80)[1]]
    with dying_at(either, action):
        stack(either, services=services)
    assert left(either) == left(either, "rancher/1a5") == found
    if found:
        assert stack(either, services=services).result["stack"]["state"] == "active"
    assert sentences(stack(either, state="absent")) == (["delete stack Web"] if found else [])
    assert left(either) == []


def test_what_is_left_of_hosts(either: RancherLab) -> None:
    nowhere = {**DRIVER, "driver_config": {**DRIVER["driver_config"], "region": "nowhere"}}
    with pytest.raises(SchedulersError, match="requires a valid region"):
        hosts(either, names=["bad"], **nowhere)
    with dying_at(either, "Create(Host|Machine)", skip=1):
        hosts(either, count=2, **DRIVER)
    assert left(either) == left(either, "rancher/1a5")
    assert [one for one in left(either) if one != "host bad"] in (["host node1"], ["host node2"])
    hosts(either, state="absent", purge=True)
    assert left(either) == []
    assert [one for one in either.control("GET", "/inventory")["items"] if one["kind"] == "droplet"] == []


def test_what_is_left_of_access_control(rancher_lab: RancherLab, tmp_path: Path) -> None:
    given = {**LOCAL, "api_key_file": str(tmp_path / "key.json")}
    with dying_at(rancher_lab, "CreateLocalauthconfig"):
        access(rancher_lab, **given)
    assert left(rancher_lab) == left(rancher_lab, "rancher/server") == ["api_key container.schedulers"]
    assert len(sentences(access(rancher_lab, **given, state="absent"))) == 2
    assert left(rancher_lab) == []
    assert not (tmp_path / "key.json").exists()
