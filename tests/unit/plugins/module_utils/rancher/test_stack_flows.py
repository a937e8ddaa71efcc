# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    ConflictError,
    InputError,
    NotOursError,
    PartialError,
    SchedulersError,
)
from ansible_collections.container.schedulers.plugins.module_utils._module import Outcome
from ansible_collections.container.schedulers.plugins.module_utils._rancher.info import look_at_catalog, look_at_stacks
from ansible_collections.container.schedulers.plugins.module_utils._rancher.options import ENVIRONMENT
from ansible_collections.container.schedulers.plugins.module_utils._rancher.stack_options import STACK
from ansible_collections.container.schedulers.plugins.module_utils._rancher.stack_present import ensure
from unit.waiting import eventually

from .conftest import RancherLab, module_spec

SPEC = module_spec(STACK)
INFO = ArgumentSpec({"name": {"type": "str"}}).merge(ENVIRONMENT)
APP = {"name": "app", "image": "nginx:1.27", "global": True, "pull_always": True, "ports": ["80"]}
BALANCER = {"name": "lb", "load_balancer": [{"source_port": 80, "service": "app"}]}
CHECK = {"port": 80, "path": "/index.html"}


def stack(lab: RancherLab, check: bool = False, **given: Any) -> Outcome:
    return lab.run(ensure, SPEC, check=check, **{"name": "Web", **given})


def sentences(outcome: Outcome) -> list[str]:
    assert outcome.plan is not None
    return outcome.plan.sentences()


def hosts(lab: RancherLab, count: int = 3) -> None:
    for number in range(count):
        lab.host(f"node{number + 1}")


def test_an_app_on_every_host_behind_a_load_balancer(either: RancherLab) -> None:
    hosts(either)
    services = [APP, BALANCER]
    planned = stack(either, check=True, services=services)
    assert sentences(planned) == ["create stack Web", "create service app", "create load balancer lb"]
    assert planned.result["stack"] is None
    made = stack(either, services=services)
    assert sentences(made) == sentences(planned)
    assert made.result["stack"]["state"] == "active"
    told = {one["name"]: one for one in made.result["services"]}
    assert (told["app"]["current_scale"], told["app"]["global"], told["app"]["scale"]) == (3, True, None)
    assert [one["port"] for one in told["lb"]["endpoints"]] == [80]
    assert {one["service"] for one in made.result["endpoints"]} == {"app", "lb"}
    assert sentences(stack(either, services=services)) == []
    outlived = {"name": "app", "labels": {"io.rancher.scheduler.global": "true"}}  # is refused by now
    removed = stack(either, state="absent", services=[outlived])
    assert sentences(removed) == ["delete stack Web"]
    assert sentences(stack(either, state="absent")) == []


def test_what_rancher_cannot_change_becomes_an_upgrade(either: RancherLab) -> None:
    hosts(either)
    stack(either, services=[APP])
    changed = {**APP, "image": "nginx:1.28", "environment": {"A": "b"}, "health_check": CHECK}
    upgraded = stack(either, services=[changed])
    (sentence,) = sentences(upgraded)
    assert sentence.startswith("update service app (image, environment.A, health_check.")
    assert upgraded.result["services"][0]["image"] == "nginx:1.28"
    assert upgraded.result["services"][0]["state"] == "active"
    assert sentences(stack(either, services=[changed])) == []
    assert sentences(stack(either, services=[{"name": "app"}])) == []  # what is not given is not managed
    assert sentences(stack(either, services=[{"name": "app", "health_check": {"enabled": False}}])) != []


def test_an_upgrade_can_be_finished_by_a_later_run(either: RancherLab) -> None:
    hosts(either)
    stack(either, services=[APP])
    changed = [{**APP, "image": "nginx:1.28"}]
    half = stack(either, services=changed, upgrade={"finish": False})
    assert half.result["services"][0]["state"] == "upgraded"
    containers = either.run(look_at_stacks, INFO, name="Web").result["stacks"][0]["services"][0]["containers"]
    assert len(containers) == 6
    assert sentences(stack(either, services=changed, upgrade={"finish": False})) == []
    finished = stack(either, services=changed)
    assert sentences(finished) == ["update service app (upgrade)"]
    assert finished.result["services"][0]["state"] == "active"
    assert sentences(stack(either, services=changed)) == []


def test_an_upgrade_to_something_else_finishes_the_one_before(either: RancherLab) -> None:
    hosts(either)
    stack(either, services=[APP])
    stack(either, services=[{**APP, "image": "nginx:1.28"}], upgrade={"finish": False})
    other = stack(either, services=[{**APP, "image": "nginx:1.29"}])
    assert sentences(other) == ["update service app (image, upgrade)"]
    assert other.result["services"][0]["image"] == "nginx:1.29"
    assert other.result["services"][0]["state"] == "active"


def test_an_upgrade_back_is_a_rollback(either: RancherLab) -> None:
    hosts(either)
    stack(either, services=[APP])
    stack(either, services=[{**APP, "image": "nginx:1.28"}], upgrade={"finish": False})
    back = stack(either, services=[APP])
    assert sentences(back) == ["update service app (upgrade)"]
    assert (back.result["services"][0]["image"], back.result["services"][0]["state"]) == ("nginx:1.27", "active")


def test_an_upgrade_that_is_stuck_is_rolled_back_by_the_next_run(either: RancherLab) -> None:
    """A health check at a port where nothing listens never gets healthy."""
    hosts(either, 1)
    service = {"name": "app", "image": "nginx:1.27"}
    stack(either, services=[service])
    hopeless = {**service, "health_check": {"port": 4711, "initializing_timeout": 600000}}
    with pytest.raises(PartialError) as caught:
        stack(either, services=[hopeless], wait_timeout=2, on_failed_upgrade="leave")
    assert caught.value.details["step_failed"].startswith("update service app")
    stuck = either.run(look_at_stacks, INFO, name="Web").result["stacks"][0]["services"][0]
    assert stuck["state"] == "upgrading"
    mended = stack(either, services=[{**service, "health_check": {"enabled": False}}])
    assert sentences(mended) == ["update service app (upgrade)"]
    assert mended.result["services"][0]["state"] == "active"


def test_an_upgrade_that_never_gets_healthy_is_rolled_back(either: RancherLab) -> None:
    hosts(either, 1)
    service = {"name": "app", "image": "nginx:1.27"}
    stack(either, services=[service])
    with pytest.raises(PartialError, match="service app was rolled back and runs as before"):
        stack(either, services=[{**service, "health_check": {"port": 4711}}], wait_timeout=2)
    assert sentences(stack(either, services=[service])) == []


def test_an_upgrade_that_another_run_takes_back_has_not_succeeded(either: RancherLab) -> None:
    hosts(either, 1)
    service = {"name": "app", "image": "nginx:1.27"}
    stack(either, services=[service])
    taken_back(either, "services", "app", services=[{**service, "image": "nginx:1.28"}])
    assert sentences(stack(either, services=[service])) == []


def test_an_upgrade_of_a_stack_from_files_that_another_run_takes_back_has_not_succeeded(either: RancherLab) -> None:
    hosts(either, 1)
    stack(either, docker_compose=COMPOSE)
    kind = "environments" if either.version == "v1" else "stacks"
    taken_back(either, kind, "Web", docker_compose=COMPOSE.replace("1.27", "1.28"))


def taken_back(lab: RancherLab, kind: str, name: str, **given: Any) -> None:
    """A run, and another one that takes its upgrade back before it has ended."""
    lab.control("POST", "/settings", {"rancher_process_seconds": 1})
    path = f"/{lab.version}/projects/1a5/{kind}?name={name}"
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(stack, lab, **given, wait_timeout=60)
        for action in ("cancelupgrade", "rollback"):
            eventually(partial(acted, lab, path, action), f"{action} is never offered", 30)
        with pytest.raises(PartialError, match=f"{name} was taken back, or replaced, by another run"):
            run.result()


def acted(lab: RancherLab, path: str, action: str) -> bool:
    """Whether the one thing of this list offered the action, and was asked for it."""
    (thing,) = lab.ask("GET", path)["data"]
    own = urlsplit(thing["links"]["self"]).path
    return action in thing["actions"] and bool(lab.ask("POST", f"{own}?action={action}", {}))


def test_what_can_simply_be_set_is(either: RancherLab) -> None:
    hosts(either)
    service = {"name": "app", "image": "nginx:1.27", "scale": 1}
    stack(either, services=[service], description="one")
    more = {**service, "scale": 2, "description": "two", "metadata": {"a": "b"}}
    changed = stack(either, services=[more], description="three")
    assert sentences(changed) == [
        "update stack Web (description)",
        "update service app (scale, metadata.a, description)",
    ]
    assert changed.result["stack"]["description"] == "three"
    assert changed.result["services"][0]["description"] == "two"
    assert changed.result["services"][0]["current_scale"] == 2
    assert sentences(stack(either, services=[more], description="three")) == []


def test_links_within_a_stack_and_across(either: RancherLab) -> None:
    hosts(either, 1)
    stack(either, name="data", services=[{"name": "db", "image": "mariadb:11"}])
    web = {"name": "web", "image": "nginx:1.27", "links": [{"service": "data/db", "alias": "mysql"}]}
    both = [web, {"name": "api", "image": "nginx:1.27", "links": [{"service": "web"}]}]
    made = stack(either, services=both)
    assert "create service_links web" in "".join(sentences(made)).replace("service links", "service_links")
    assert sentences(stack(either, services=both)) == []
    unlinked = stack(either, services=[{**web, "links": []}])
    assert sentences(unlinked) == ["update service links web (links.mysql)"]
    assert sentences(stack(either, services=[{**web, "links": []}])) == []


def test_rules_of_a_load_balancer_are_changed_in_place(either: RancherLab) -> None:
    hosts(either, 2)
    api = {"name": "api", "image": "nginx:1.27"}
    stack(either, services=[APP, api, BALANCER])
    rules = [
        {"source_port": 80, "service": "api", "path": "/api"},
        {"source_port": 80, "service": "app", "target_port": 80},
    ]
    changed = [APP, api, {"name": "lb", "load_balancer": rules}]
    assert sentences(stack(either, services=changed))[0].startswith("update load balancer lb (rules")
    assert sentences(stack(either, services=changed)) == []
    listening = [APP, api, {"name": "lb", "load_balancer": [*rules, {"source_port": 81, "service": "api"}]}]
    more = stack(either, services=listening)
    ports = {one["port"] for one in more.result["services"][2]["endpoints"]}
    assert ports == {80, 81}
    assert sentences(stack(either, services=listening)) == []


def test_a_host_name_of_a_load_balancer_is_set_without_another_container(either: RancherLab) -> None:
    hosts(either, 1)
    stack(either, services=[APP, BALANCER])
    before = containers(either, "lb")
    named = {"name": "lb", "load_balancer": [{"source_port": 80, "service": "app", "hostname": "a.test"}]}
    assert sentences(stack(either, services=[APP, named])) == ["update load balancer lb (rules[0].hostname)"]
    assert containers(either, "lb") == before
    assert sentences(stack(either, check=True, services=[APP, named])) == []


def containers(lab: RancherLab, service: str) -> list[str]:
    """The ids of the containers of a service."""
    (found,) = lab.ask("GET", f"/{lab.version}/projects/1a5/services?name={service}")["data"]
    instances = lab.ask("GET", urlsplit(found["links"]["instances"]).path)["data"]
    return sorted(one["id"] for one in instances if one["state"] == "running")


def test_the_same_in_other_words_is_no_upgrade(either: RancherLab) -> None:
    """A port that is left to Rancher stays what it was: an upgrade would keep it, and not be as asked for."""
    hosts(either, 1)
    service = {"name": "app", "image": "nginx:1.27"}
    stack(either, services=[{**service, "ports": ["8080:80", "0.0.0.0:81:81"], "volumes": ["a:/a", "b:/b"]}])
    other = {**service, "ports": ["81:81", "80"], "volumes": ["b:/b:rw", "a:/a"], "restart_policy": "always"}
    assert sentences(stack(either, check=True, services=[other])) == []


def test_services_that_are_not_listed_stay_unless_purged(either: RancherLab) -> None:
    hosts(either, 1)
    two = [{"name": "a", "image": "nginx:1"}, {"name": "b", "image": "nginx:1"}]
    stack(either, services=two)
    assert sentences(stack(either, services=two[:1])) == []
    assert sentences(stack(either, services=two[:1], purge_services=True)) == ["delete service b"]
    assert [one["name"] for one in stack(either, services=two[:1]).result["services"]] == ["a"]


def test_a_service_that_was_switched_off_is_switched_on_again(either: RancherLab) -> None:
    hosts(either, 1)
    service = {"name": "app", "image": "nginx:1"}
    made = stack(either, services=[service])
    identifier = made.result["services"][0]["id"]
    either.ask("POST", f"/{either.version}/projects/1a5/services/{identifier}?action=deactivate", {})
    assert sentences(stack(either, services=[service])) == ["update service app (started)"]


def test_what_is_somebody_elses_is_left_alone(either: RancherLab) -> None:
    hosts(either, 1)
    collection = "environments" if either.version == "v1" else "stacks"
    either.ask("POST", f"/{either.version}/projects/1a5/{collection}", {"name": "Web", "startOnCreate": True})
    service = {"name": "app", "image": "nginx:1"}
    with pytest.raises(NotOursError, match="stack Web exists and was not made by"):
        stack(either, services=[service])
    with pytest.raises(NotOursError):
        stack(either, state="absent")
    assert sentences(stack(either)) == []  # to look at it is allowed
    assert sentences(stack(either, services=[service], adopt=True))[0] == "update stack Web (description)"
    assert sentences(stack(either, services=[service])) == []


def test_services_that_somebody_else_has_put_into_the_stack_are_not_removed_with_it(either: RancherLab) -> None:
    hosts(either, 1)
    services = [{"name": "app", "image": "nginx:1"}]
    made = stack(either, services=services).result["stack"]["id"]
    above = {"environmentId" if either.version == "v1" else "stackId": made}
    theirs = {**above, "name": "theirs", "scale": 1, "launchConfig": {"imageUuid": "docker:nginx:1"}}
    either.ask("POST", f"/{either.version}/projects/1a5/services", theirs)
    assert sentences(stack(either, services=services, purge_services=True)) == []
    with pytest.raises(ConflictError, match=r"services that rancher_stack did not make: theirs\."):
        stack(either, state="absent", delete_data=True)
    assert sentences(stack(either, state="absent", adopt=True)) == ["delete stack Web"]


@pytest.mark.parametrize("volumes", [["/var/lib/mysql"], ["kept:/backup", "/var/lib/mysql"]])
def test_data_that_would_go_with_its_containers_is_removed_only_if_that_is_said(
    either: RancherLab, volumes: list[str]
) -> None:
    hosts(either, 1)
    stack(either, services=[{"name": "db", "image": "mariadb:11", "volumes": volumes}])
    for check in (True, False):
        with pytest.raises(InputError, match="volumes that would go with it: /var/lib/mysql of db"):
            stack(either, check=check, state="absent")
    assert sentences(stack(either, state="absent", delete_data=True)) == ["delete stack Web"]
    assert sentences(stack(either, state="absent")) == []


def test_named_volumes_and_folders_of_hosts_stay_anyway(either: RancherLab) -> None:
    hosts(either, 1)
    kept = ["kept:/var/lib/mysql", "/srv/db:/backup"]
    stack(either, services=[{"name": "db", "image": "mariadb:11", "volumes": kept}])
    assert sentences(stack(either, state="absent")) == ["delete stack Web"]


def test_data_of_sidekicks_is_data(either: RancherLab) -> None:
    hosts(either, 1)
    stack(either, docker_compose=SIDEKICK)
    with pytest.raises(InputError, match="/var/lib/mysql of db-data"):
        stack(either, state="absent")


def test_volumes_of_the_stack_itself_are_data(either: RancherLab) -> None:
    """Rancher 1.2 brought them; before, such a volume is like any other that has a name."""
    hosts(either, 1)
    stack(either, docker_compose=VOLUME_OF_STACK)
    if either.version == "v1":
        assert sentences(stack(either, state="absent")) == ["delete stack Web"]
        return
    with pytest.raises(InputError, match=r"would go with it: Web_data_\w+"):
        stack(either, state="absent")
    assert sentences(stack(either, state="absent", delete_data=True)) == ["delete stack Web"]


@pytest.mark.parametrize(
    "given",
    [
        {"docker_compose": "web: {image: nginx, external_links: ['Other/db']}"},
        {"services": [{"name": "web", "image": "nginx", "links": [{"service": "Other/db"}]}]},
    ],
)
def test_a_stack_that_an_earlier_task_would_have_made_is_foreseen_in_check_mode(
    either: RancherLab, given: dict[str, Any]
) -> None:
    hosts(either, 1)
    assert sentences(stack(either, check=True, **given))[0] == "create stack Web"
    with pytest.raises(InputError, match="which does not exist"):
        stack(either, **given)
    stack(either, name="Other", services=[{"name": "other", "image": "nginx"}])
    with pytest.raises(InputError, match="which does not exist"):
        stack(either, check=True, **given)


VOLUME_OF_STACK = """
version: '2'
services:
  db: {image: 'mariadb:11', volumes: ['data:/var/lib/mysql', 'shared:/backup']}
volumes:
  data: {}
  shared: {external: true}
"""
SIDEKICK = """
db:
  image: mariadb:11
  volumes_from: [db-data]
  labels: {io.rancher.sidekicks: db-data}
db-data:
  image: mariadb:11
  volumes: [/var/lib/mysql]
"""
COMPOSE = """
web:
  image: nginx:1.27
  ports: ["8080:80"]
  environment: {DB_PASSWORD: hunter22}
  links: [db]
db:
  image: mariadb:11
"""


def test_a_stack_from_compose_files(either: RancherLab) -> None:
    hosts(either, 2)
    given: dict[str, Any] = {"docker_compose": COMPOSE, "rancher_compose": "web: {scale: 2}"}
    planned = stack(either, check=True, **given)
    assert planned.plan is not None
    assert "hunter22" not in str(planned.plan.diff())
    made = stack(either, **given)
    assert {one["name"]: one["current_scale"] for one in made.result["services"]} == {"web": 2, "db": 1}
    assert sentences(stack(either, **given)) == []
    changed = {**given, "docker_compose": COMPOSE.replace("1.27", "1.28")}
    upgraded = stack(either, **changed)
    assert sentences(upgraded) == ["update stack Web (docker_compose.web.image)"]
    assert {one["name"]: one["image"] for one in upgraded.result["services"]}["web"] == "nginx:1.28"
    assert upgraded.result["stack"]["state"] == "active"
    assert sentences(stack(either, **changed)) == []


def test_services_that_new_files_do_not_have_stay_and_are_named(either: RancherLab) -> None:
    """As Rancher deletes none; those that a list of services has made are not the files' own."""
    files: dict[str, Any] = {"docker_compose": "{a: {image: b}, c: {image: b}}"}
    fewer: dict[str, Any] = {"docker_compose": "{a: {image: b}}"}
    stack(either, **files, wait=False)
    stack(either, services=[APP], wait=False)
    assert either.warnings == []
    stack(either, check=True, template="community:wordpress")
    (told,) = either.warnings
    assert "Services a, c of stack Web are not in what it is made from now." in told
    hosts(either, 1)
    changed = stack(either, **fewer)
    (told,) = either.warnings
    assert "Services c of stack Web are not in what it is made from now." in told
    assert {one["name"] for one in changed.result["services"]} == {"a", "c", "app"}
    assert sentences(stack(either, **fewer)) == []
    assert either.warnings == []


def test_an_upgrade_of_a_stack_from_files_can_be_finished_by_a_later_run(either: RancherLab) -> None:
    hosts(either, 2)
    stack(either, docker_compose=COMPOSE)
    changed: dict[str, Any] = {"docker_compose": COMPOSE.replace("1.27", "1.28")}
    ranchers_own = {"batch_size": 1, "interval_seconds": 2, "start_first": False}
    half = stack(either, **changed, upgrade={**ranchers_own, "finish": False})
    assert half.result["stack"]["state"] == "upgraded"
    assert sentences(stack(either, **changed)) == ["update stack Web (upgrade)"]


SICK = "web: {health_check: {port: 4711, initializing_timeout: 600000}}"  # nothing listens there
PLAIN = "web: {image: 'nginx:1.27'}"


def test_a_stack_from_files_that_never_gets_healthy_is_rolled_back(either: RancherLab) -> None:
    """Rancher's own rollback of a stack waits for services that still upgrade, and these never end by themselves."""
    hosts(either, 1)
    stack(either, docker_compose=PLAIN)
    with pytest.raises(PartialError, match="stack Web was rolled back and runs as before"):
        stack(either, docker_compose=PLAIN, rancher_compose=SICK, wait_timeout=1)
    assert sentences(stack(either, docker_compose=PLAIN)) == []


def test_a_stack_whose_rollback_waits_for_its_services_is_helped_by_the_next_run(either: RancherLab) -> None:
    hosts(either, 1)
    stack(either, docker_compose=PLAIN)
    with pytest.raises(PartialError):
        stack(either, docker_compose=PLAIN, rancher_compose=SICK, wait_timeout=1, on_failed_upgrade="leave")
    path = f"/{either.version}/projects/1a5/{'environments' if either.version == 'v1' else 'stacks'}?name=Web"
    for action in ("cancelupgrade", "rollback"):  # by hand
        eventually(partial(acted, either, path, action), f"{action} is never offered", 30)
    mended = stack(either, docker_compose=PLAIN, wait_timeout=20)
    assert {one["state"] for one in (mended.result["stack"], *mended.result["services"])} == {"active"}


def test_a_stack_goes_out_as_files_and_in_again(either: RancherLab, tmp_path: Path) -> None:
    hosts(either, 2)
    stack(either, services=[{"name": "app", "image": "nginx:1.27", "scale": 2, "health_check": CHECK}])
    planned = stack(either, check=True, export_to=str(tmp_path / "out"))
    assert len(sentences(planned)) == 2
    assert not (tmp_path / "out").exists()
    exported = stack(either, export_to=str(tmp_path / "out"))
    docker, rancher = (tmp_path / "out" / name for name in ("docker-compose.yml", "rancher-compose.yml"))
    assert exported.result["exported"] == [str(docker), str(rancher)]
    assert docker.stat().st_mode & 0o777 == 0o600
    assert "nginx:1.27" in docker.read_text()
    assert sentences(stack(either, export_to=str(tmp_path / "out"))) == []
    files: dict[str, Any] = {"docker_compose_file": str(docker), "rancher_compose_file": str(rancher)}
    copy = stack(either, name="Copy", **files)
    assert copy.result["services"][0]["current_scale"] == 2
    assert sentences(stack(either, name="Copy", **files)) == []


@pytest.mark.parametrize(
    ("server", "version", "template"),
    [("v1.1.0", "v1", "library:kubernetes"), ("v1.6.12", "v2-beta", "library:infra*route53")],
)
def test_a_template_for_a_newer_rancher_is_none(
    rancher_lab: RancherLab, server: str, version: str, template: str
) -> None:
    rancher_lab.control("POST", "/settings", {"rancher_version": server})
    rancher_lab.version = version
    key = rancher_lab.ask("POST", "/v1/projects/1a5/apikeys", {"name": "env"})  # it may not see all settings
    for access in ({}, {"access_key": key["publicValue"], "secret_key": key["secretValue"]}):
        rancher_lab.access = access
        listed = rancher_lab.run(look_at_catalog, CATALOG).result["templates"]
        assert template not in [one["id"] for one in listed]
        with pytest.raises(InputError, match="is not there for this version of Rancher; there are: none"):
            stack(rancher_lab, template=template)


def test_a_stack_from_the_catalog(either: RancherLab) -> None:
    hosts(either, 3)
    listed = either.run(look_at_catalog, CATALOG).result["templates"]
    assert "community:galera" in [one["id"] for one in listed]
    asked = either.run(look_at_catalog, CATALOG, template="community:galera").result["templates"][0]["questions"]
    assert {one["variable"] for one in asked if one["required"]} >= {"mysql_root_password", "mysql_user"}
    answers = {"mysql_database": "wordpress", "mysql_user": "wordpress"}
    secret = {"mysql_root_password": "hunter22", "mysql_password": "hunter23"}
    given: dict[str, Any] = {
        "name": "galera",
        "template": "community:galera",
        "answers": answers,
        "secret_answers": secret,
    }
    with pytest.raises(InputError, match="needs an answer to mysql_root_password, mysql_password"):
        stack(either, **{**given, "secret_answers": {}})
    planned = stack(either, check=True, **given)
    assert planned.plan is not None
    assert "hunter" not in str(planned.plan.diff())
    made = stack(either, **given)
    assert made.result["stack"]["external_id"] == "catalog://community:galera:0"
    assert sentences(stack(either, **given)) == []
    # what was answered once need not be answered again
    assert sentences(stack(either, name="galera", template="community:galera")) == []


def test_a_stack_of_ranchers_own_services(rancher_lab: RancherLab) -> None:
    """As Rancher's pages do it for templates of the folder for infrastructure: else it would be among the user's."""
    hosts(rancher_lab, 1)
    answers = {"AWS_ACCESS_KEY": "LAB", "ROOT_DOMAIN": "example.org"}
    given: dict[str, Any] = {"name": "dns", "template": "library:infra*route53", "answers": answers}
    made = stack(rancher_lab, **given, secret_answers={"AWS_SECRET_KEY": "lab-not-a-secret"})
    assert made.result["stack"]["external_id"] == "catalog://library:infra*route53:17"
    assert made.result["stack"]["system"] is True
    assert sentences(stack(rancher_lab, **given)) == []
    rancher_lab.control("POST", "/settings", {"rancher_version": "v1.6.12"})  # the version of the template is for newer
    for version in (None, "17", "v0.7.9"):
        assert sentences(stack(rancher_lab, **given, template_version=version)) == []


CATALOG = ArgumentSpec(
    {"catalog": {"type": "str"}, "template": {"type": "str"}, "template_version": {"type": "str"}}
).merge(ENVIRONMENT)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"name": "a_b"}, "name: 'a_b' must have"),
        ({"services": [{"name": "a--b", "image": "x"}]}, "services: 'a--b' must have"),
        ({"services": [{"name": "a", "image": "x"}, {"name": "A", "image": "x"}]}, "services: A is there twice"),
        ({"services": [{"name": "a"}]}, "services: a is new and needs an image"),
        ({"services": [{"name": "a", "image": "x y"}]}, "services: a: image 'x y' is no image"),
        ({"services": [{"name": "a", "image": "x", "ports": ["http"]}]}, "services: a: ports: 'http' is no port"),
        (
            {"services": [{"name": "a", "image": "x", "restart_policy": "on-failure"}]},
            "services: a: restart_policy on-failure is not for this Rancher",
        ),
        ({"services": [{"name": "a", "image": "x", "scale": -1}]}, "services: a cannot have scale -1"),
        ({"services": [{"name": "a", "image": "x", "scale": 2, "global": True}]}, "has no scale, as it is global"),
        ({"services": [{"name": "a", "image": "x", "command": 5}]}, "a: command is neither a list nor a line"),
        ({"services": [{"name": "a", "image": "x", "command": "'"}]}, "a: command cannot be taken apart"),
        (
            {"services": [{"name": "a", "image": "x", "links": [{"service": "b"}]}]},
            "a links to b, which does not exist",
        ),
        ({"services": [{"name": "a", "image": "x", "links": [{"service": "s/b"}]}]}, "links to s/b, .* no stack s"),
        ({"services": [BALANCER]}, "lb leads to app, which does not exist"),
        ({"services": [{**BALANCER, "image": "x"}]}, "lb: load_balancer and image exclude one another"),
        ({"services": [{"name": "lb", "load_balancer": []}]}, "lb: load_balancer needs at least one rule"),
        (
            {"services": [{"name": "x", "load_balancer": [{"source_port": 1, "service": "lb"}]}, APP, BALANCER]},
            "load balancer x cannot lead to load balancer lb",
        ),
        ({"docker_compose": "web: ["}, "docker_compose is no YAML"),
        ({"docker_compose": " "}, "docker_compose is empty"),
        ({"docker_compose_file": "/nowhere/x.yml"}, "docker_compose_file: /nowhere/x.yml cannot be read: No such file"),
        ({"rancher_compose": "a: {}"}, "rancher_compose says nothing without docker_compose"),
        ({"docker_compose": "web: {image: x, links: [db]}"}, "service web links to db, which does not exist"),
        (
            {"docker_compose": "web: {image: x, external_links: ['no/db:db']}"},
            "docker_compose: service web links to no/db, which does not exist",
        ),
        ({"docker_compose": "web: {image: $IMG}"}, "answers: service web has the variable .IMG"),
        (
            {"docker_compose": "web: {image: x}", "rancher_compose": "web: {scale: two}"},
            "service web: scale 'two' is no number",
        ),
        (
            {"services": [{"name": "a", "image": "x"}], "export_to": "/proc/nope"},
            "export_to: /proc/nope/docker-compose.yml cannot be written: ",
        ),
        ({"answers": {"a": 1}}, "answers are for a template or for compose files"),
        ({"docker_compose": "web: {image: x}", "upgrade": {"batch_size": 5}}, "upgrade: batch_size is for services"),
        ({"docker_compose": "web: {image: x}", "purge_services": True}, "purge_services is for services"),
        (
            {"docker_compose": "web: {image: x}", "upgrade": {"start_first": True}},
            "upgrade: start_first is for services",
        ),
        (
            {"template": "community:wordpress", "upgrade": {"interval_seconds": 5}},
            "upgrade: interval_seconds is for services",
        ),
        ({"template": "community:nothing"}, "template: 'community:nothing' does not exist"),
        ({"template": "galera"}, "template: 'galera' is no template"),
        ({"template": "community:galera", "template_version": "v9"}, "template_version: 'v9' of community:galera"),
        ({"template": "community:galera", "answers": {"no": 1}}, "does not ask for 'no'"),
        ({"upgrade": {"batch_size": 0}}, "upgrade: batch_size is 0"),
        ({"upgrade": {"interval_seconds": -1}}, "upgrade: interval_seconds is -1"),
        ({"environment": "prod"}, "environment: 'prod' does not exist"),
        ({"url": "http://127.0.0.1:1"}, "cannot be reached"),
        ({"wait_timeout": -1}, "wait_timeout is -1"),
    ],
)
def test_bad_input_is_one_sentence_before_the_first_change(
    rancher_lab: RancherLab, given: dict[str, Any], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    with pytest.raises(SchedulersError, match=why):
        stack(rancher_lab, **given)
    assert rancher_lab.ask("GET", "/v2-beta/projects/1a5/stacks")["data"] == []


def test_check_mode_says_that_an_export_cannot_be_written_and_leaves_nothing(
    rancher_lab: RancherLab, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder" / "docker-compose.yml").mkdir(parents=True)
    for folder in ("file", "folder"):
        with pytest.raises(InputError, match=r"export_to: .*/docker-compose.yml cannot be written"):
            stack(rancher_lab, check=True, services=[APP], export_to=str(tmp_path / folder))
    stack(rancher_lab, check=True, services=[APP], export_to=str(tmp_path / "new" / "folder"))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "folder"]


def test_an_api_key_of_another_environment(either: RancherLab) -> None:
    other = either.ask("POST", "/v1/projects", {"name": "other"})
    key = either.ask("POST", "/v1/apikeys", {"accountId": other["id"]})
    either.access = {"access_key": key["publicValue"], "secret_key": key["secretValue"]}
    with pytest.raises(InputError, match=r"environment: 'Default' does not exist, or .* it can see: other"):
        stack(either, environment="Default", services=[{"name": "a", "image": "nginx:1"}])


def test_a_port_that_is_used_on_all_hosts(either: RancherLab) -> None:
    hosts(either, 2)
    stack(either, name="one", services=[{"name": "a", "image": "nginx:1", "global": True, "ports": ["80:80"]}])
    with pytest.raises(InputError, match="b wants port 80, which is already used on all hosts"):
        stack(either, services=[{"name": "b", "image": "nginx:1", "ports": ["80:80"]}])
    with pytest.raises(InputError, match="web wants port 80"):
        stack(either, docker_compose="web: {image: nginx, ports: ['80:80']}")
    with pytest.raises(InputError, match="wordpress-lb wants port 80"):
        stack(either, template="community:wordpress")


def test_ports_at_an_address_of_the_hosts(either: RancherLab) -> None:
    hosts(either, 1)
    web = {"name": "web", "image": "nginx:1", "ports": ["127.0.0.1:8080:80", "127.0.0.1::81"]}
    made = stack(either, services=[web])
    assert sentences(stack(either, services=[web])) == []
    assert {one["address"] for one in made.result["endpoints"]} == {"127.0.0.1"}
    same = "web: {image: nginx, ports: ['127.0.0.1:8081:80']}"
    assert sentences(stack(either, name="Files", docker_compose=same)) == ["create stack Files"]
    assert sentences(stack(either, name="Files", docker_compose=same)) == []


def test_a_service_that_never_came_up_is_not_upgraded_by_old_servers(rancher_lab: RancherLab) -> None:
    rancher_lab.control("POST", "/settings", {"rancher_version": "v1.1.4"})
    rancher_lab.version = "v1"
    stack(rancher_lab, services=[{"name": "a", "image": "nginx:1"}], wait=False)  # there is no host
    given: dict[str, Any] = {"services": [{"name": "b", "image": "nginx:1"}, {"name": "a", "image": "nginx:2"}]}
    with pytest.raises(
        ConflictError, match=r"update service a \(image\): service a is activating.* only once it is active"
    ):
        stack(rancher_lab, **given)
    assert [one["name"] for one in rancher_lab.ask("GET", "/v1/projects/1a5/services")["data"]] == ["a"]


def test_a_stack_that_has_not_come_up_is_not_upgraded(either: RancherLab) -> None:
    hosts(either, 1)
    either.control("POST", "/settings", {"rancher_process_seconds": 1e6})
    stack(either, docker_compose="web: {image: 'nginx:1'}", wait=False)
    newer = {"docker_compose": "web: {image: 'nginx:2'}"}
    with pytest.raises(ConflictError, match=r"stack Web is activating.*upgrades a stack only once it is active"):
        stack(either, check=True, **newer)


def test_an_upgrade_waits_while_rancher_puts_a_container_back(rancher_lab: RancherLab) -> None:
    """Rancher 1.0 and 1.1 offer none meanwhile."""
    rancher_lab.control("POST", "/settings", {"rancher_version": "v1.1.4"})
    rancher_lab.version = "v1"
    hosts(rancher_lab, 1)
    stack(rancher_lab, services=[{"name": "a", "image": "nginx:1"}])
    rancher_lab.control("POST", "/settings", {"rancher_process_seconds": 1})
    (service,) = rancher_lab.ask("GET", "/v1/projects/1a5/services")["data"]
    (container,) = rancher_lab.ask("GET", urlsplit(service["links"]["instances"]).path)["data"]
    rancher_lab.ask("POST", f"{urlsplit(container['links']['self']).path}?action=stop", {})
    eventually(lambda: state_of(rancher_lab, service) == "updating-active", "it is not put back")
    assert sentences(stack(rancher_lab, services=[{"name": "a", "image": "nginx:2"}])) == ["update service a (image)"]


def test_an_upgrade_waits_while_a_service_restarts(either: RancherLab) -> None:
    hosts(either, 1)
    stack(either, services=[{"name": "a", "image": "nginx:1"}])
    either.control("POST", "/settings", {"rancher_process_seconds": 1})
    (service,) = either.ask("GET", f"/{either.version}/projects/1a5/services?name=a")["data"]
    strategy = {"rollingRestartStrategy": {"batchSize": 1, "intervalMillis": 100}}
    either.ask("POST", f"{urlsplit(service['links']['self']).path}?action=restart", strategy)
    assert state_of(either, service) == "restarting"
    assert sentences(stack(either, services=[{"name": "a", "image": "nginx:2"}])) == ["update service a (image)"]


def state_of(lab: RancherLab, service: dict[str, Any]) -> str:
    return str(lab.ask("GET", urlsplit(service["links"]["self"]).path)["state"])


def test_an_address_that_is_retained_is_not_had_twice(either: RancherLab) -> None:
    hosts(either, 1)
    first = {"start_first": True}
    kept = {"name": "b", "image": "nginx:1", "retain_ip": True}
    with pytest.raises(InputError, match="upgrade: start_first and retain_ip of service b exclude one another"):
        stack(either, services=[kept], upgrade=first)
    stack(either, services=[{"name": "a", "image": "nginx:1"}, kept])
    newer = [{"name": "a", "image": "nginx:2"}, {"name": "b", "image": "nginx:2"}]
    with pytest.raises(ConflictError, match="start_first cannot be used for a service that retains its addresses"):
        stack(either, services=newer, upgrade=first)
    there = either.ask("GET", f"/{either.version}/services")["data"]
    images = {one["launchConfig"]["imageUuid"] for one in there if one["name"] in ("a", "b")}
    assert images == {"docker:nginx:1"}  # nothing was changed before that was seen


def test_a_network_of_the_environment(rancher_lab: RancherLab) -> None:
    hosts(rancher_lab, 1)
    service = {"name": "app", "image": "nginx:1.27", "network_mode": "blue"}
    known = "managed, host, bridge, none, default"
    with pytest.raises(InputError, match=f"'blue' is no network of environment Default; there are: {known}"):
        stack(rancher_lab, services=[service])
    planned = sentences(stack(rancher_lab, check=True, services=[service]))  # an earlier task may be about to make it
    assert planned == ["create stack Web", "create service app"]
    (told,) = rancher_lab.warnings
    assert "'blue' is no network of environment Default, and is refused unless that is made before." in told
    rancher_lab.ask("POST", "/v2-beta/projects/1a5/networks", {"name": "blue"})
    assert stack(rancher_lab, services=[service]).result["services"][0]["state"] == "active"


def test_networks_in_compose_files(either: RancherLab) -> None:
    """Names of networks that the files make themselves are not known before."""
    files: dict[str, Any] = {"docker_compose": "app: {image: 'nginx:1.27', net: $NET}"}
    with pytest.raises(
        InputError, match="docker_compose: service app: net 'blue' is no network of environment Default"
    ):
        stack(either, **files, answers={"NET": "blue"})
    assert sentences(stack(either, check=True, **files, answers={"NET": "blue"})) == ["create stack Web"]
    (told,) = either.warnings
    assert "'blue' is no network of environment Default, and is refused unless that is made before." in told
    driver = "\ndriver: {image: 'cni:1', network_driver: {default_network: {name: blue}}}"
    own = files["docker_compose"] + driver
    for known in ({"docker_compose": own, "answers": {"NET": "blue"}}, {**files, "answers": {"NET": "host"}}):
        assert sentences(stack(either, check=True, **known)) == ["create stack Web"]
        assert either.warnings == []


def test_the_bridge_of_docker_itself(rancher_lab: RancherLab) -> None:
    hosts(rancher_lab, 1)
    service = {"name": "app", "image": "nginx:1.27", "network_mode": "default"}
    assert stack(rancher_lab, services=[service]).result["services"][0]["state"] == "active"
    assert sentences(stack(rancher_lab, services=[service])) == []


def test_the_port_that_rancher_checks_load_balancers_at(rancher_lab: RancherLab) -> None:
    rule = {"source_port": 42, "service": "app"}
    with pytest.raises(InputError, match="services: lb: load_balancer: source_port 42 is where Rancher"):
        stack(rancher_lab, services=[{"name": "lb", "load_balancer": [rule]}])


def test_what_cannot_be_changed(either: RancherLab) -> None:
    hosts(either, 1)
    stack(either, services=[{"name": "a", "image": "nginx:1"}, {"name": "b", "image": "nginx:1"}])
    with pytest.raises(InputError, match="global of service a is False and cannot be changed to True"):
        stack(either, services=[{"name": "a", "image": "nginx:1", "global": True}])
    with pytest.raises(InputError, match="a is a service already, and cannot become another kind"):
        stack(either, services=[{"name": "a", "load_balancer": [{"source_port": 80, "service": "b"}]}])


def test_what_old_servers_do_not_know(rancher_lab: RancherLab) -> None:
    rancher_lab.version = "v1"
    with pytest.raises(InputError, match="system: stacks of Rancher's own kind need"):
        stack(rancher_lab, system=True, description="x")
    rule = {"source_port": 80, "service": "app", "protocol": "tls"}
    with pytest.raises(InputError, match="protocol tls needs Rancher"):
        stack(rancher_lab, services=[APP, {"name": "lb", "load_balancer": [rule]}])
