# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compose files: what they mean, stacks made and upgraded from them, and out again."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from lab.rancher.compose_in import ComposeError, Link, read
from unit.lab.rancher.ground import Document, Ground

DOCKER = """
lb:
  image: rancher/load-balancer-service
  ports:
    - 80:80
  links:
    - web:web
web:
  image: ${IMAGE}
  environment:
    PRICE: $$5
  labels:
    io.rancher.scheduler.global: 'true'
  ports:
    - 8080:80/tcp
"""
RANCHER = """
lb:
  scale: 1
  load_balancer_config:
    haproxy_config: {}
web:
  health_check:
    port: 80
    interval: 2000
    unhealthy_threshold: 3
    request_line: GET "/index.html" "HTTP/1.0"
    healthy_threshold: 2
    response_timeout: 2000
"""


def one(docker: str, rancher: str = "", **answers: Any) -> Any:
    (found,) = read(docker, rancher, answers)
    return found


@pytest.mark.parametrize(
    ("lines", "field", "value"),
    [
        ("environment: [A=1, B=]", "environment", {"A": "1", "B": ""}),
        ("environment: {A: true, B: 2}", "environment", {"A": "true", "B": "2"}),
        ("command: sh -c 'a b'", "command", ["sh", "-c", "a b"]),
        ("command: [a, b]", "command", ["a", "b"]),
        ("entrypoint: run it", "entryPoint", ["run", "it"]),
        ("ports: [22:22, 80]", "ports", ["22:22", "80"]),
        ("volumes: [a:/b]", "dataVolumes", ["a:/b"]),
        ("volume_driver: convoy-gluster", "volumeDriver", "convoy-gluster"),
        ("net: host", "networkMode", "host"),
        ('net: "container:other"', "networkLaunchConfig", "other"),
        ("restart: always", "restartPolicy", {"name": "always"}),
        ("stdin_open: true", "stdinOpen", True),
        ("cap_add: [SYS_ADMIN]", "capAdd", ["SYS_ADMIN"]),
        ("labels: [a=b]", "labels", {"a": "b"}),
        ("volumes_from: [data]", "dataVolumesFromLaunchConfigs", ["data"]),
    ],
)
def test_keys_of_docker_compose(lines: str, field: str, value: object) -> None:
    assert one(f"web:\n  image: nginx\n  {lines}\n").fields["launchConfig"][field] == value


def test_both_versions_say_the_same() -> None:
    first = one("web:\n  image: nginx\n  ports: ['80']\n")
    second = one("version: '2'\nservices:\n  web:\n    image: nginx\n    ports: ['80']\n")
    assert first == second


@pytest.mark.parametrize(
    ("text", "value"),
    [("${A}", "yes: [x"), ("$A-b", "yes: [x-b"), ("$${A}", "${A}"), ("${B:-other}", "other"), ("${B}", "")],
)
def test_answers_are_put_in_and_never_read_as_yaml(text: str, value: str) -> None:
    found = one(f"web:\n  image: nginx\n  environment:\n    X: {text}\n", A="yes: [x")
    assert found.fields["launchConfig"]["environment"]["X"] == value


def test_sidekicks_links_and_scale() -> None:
    docker = """
web:
  image: nginx
  links: [db:mysql]
  external_links: ["other/cache:cache"]
  labels:
    io.rancher.sidekicks: data, helper
data: {image: busybox}
helper: {image: nginx}
db: {image: mariadb}
"""
    web, database = read(docker, "web:\n  scale: '${N}'\n  metadata: {a: b}\n", {"N": 3})
    assert [side["name"] for side in web.fields["secondaryLaunchConfigs"]] == ["data", "helper"]
    assert web.links == [Link("db", "mysql"), Link("other/cache", "cache")]
    assert (web.fields["scale"], web.fields["metadata"]) == (3, {"a": "b"})
    assert database.kind == "service"


@pytest.mark.parametrize(
    ("docker", "rancher", "message"),
    [
        ("a: [", "", "docker-compose.yml: yaml: line 1"),
        ("- a", "", "not a map"),
        ("web: nginx", "", "doesn't have any configuration options"),
        ("web: {ports: ['80']}", "", "neither an image nor a build context"),
        ("web: {image: nginx, labels: {io.rancher.sidekicks: gone}}", "", "sidekick gone"),
        ("web: {image: nginx}", "web: {scale: many}", "scale is no number"),
        ("web: {image: nginx}", "web: {health_check: {interval: 2000}}", "health_check needs a port"),
    ],
)
def test_files_that_mean_nothing(docker: str, rancher: str, message: str) -> None:
    with pytest.raises(ComposeError, match=message):
        read(docker, rancher, {})


def launched(ground: Ground, name: str = "app", **fields: object) -> Document:
    files = {"dockerCompose": DOCKER, "rancherCompose": RANCHER, "environment": {"IMAGE": "nginx"}}
    return ground.until(ground.make(ground.stacks, name=name, startOnCreate=True, **{**files, **fields}), healthy=True)


def exported(ground: Ground, stack: Document, **body: object) -> tuple[str, str]:
    found = ground.act(stack, "exportconfig", **body)
    return found["dockerComposeConfig"], found["rancherComposeConfig"]


def test_a_stack_from_files_runs(ground: Ground) -> None:
    ground.hosts("a", "b")
    stack = launched(ground)
    services = {one["name"]: one for one in ground.listed(stack["links"]["services"])}
    assert {one["type"] for one in services.values()} == {"service", "loadBalancerService"}
    assert services["web"]["launchConfig"]["environment"] == {"PRICE": "$5"}
    assert services["web"]["launchConfig"]["healthCheck"]["requestLine"] == 'GET "/index.html" "HTTP/1.0"'
    assert "nginx" in ground.page(services["lb"])


def test_without_being_told_nothing_starts(ground: Ground) -> None:
    ground.hosts("a")
    stack = ground.until(ground.make("environments", name="app", dockerCompose="web: {image: nginx}"))
    (web,) = ground.listed(stack["links"]["services"])
    assert ground.until(web)["state"] == "inactive"
    ground.act(stack, "activateservices")
    ground.until(web, "active")
    ground.act(ground.again(stack), "deactivateservices")
    ground.until(web, "inactive")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"dockerCompose": "a: ["}, "yaml: line 1"),
        ({"dockerCompose": "web: {image: nginx, links: [gone]}"}, "gone"),
        ({"dockerCompose": "w_b: {image: nginx}"}, "InvalidCharacters"),
        ({"dockerCompose": "a: {image: nginx, net: 'container:b'}\nb: {image: nginx}"}, "InvalidReference"),
    ],
)
def test_a_stack_that_cannot_be_says_why(ground: Ground, fields: dict[str, str], message: str) -> None:
    made = ground.make("environments", name="bad", **fields)
    failed = ground.until(made, "error")
    assert failed["transitioning"] == "error"
    assert message in failed["transitioningMessage"]
    ground.ask("DELETE", failed["links"]["self"])
    ground.until(failed, "removed")


def test_before_1_2_a_network_is_one_of_a_few(old: Ground) -> None:
    made = old.make("environments", name="bad", dockerCompose="a: {image: nginx, net: blue}")
    assert "InvalidOption" in old.until(made, "error")["transitioningMessage"]


@pytest.mark.parametrize("server", ["v1.1.4", "v1.6.30"])
def test_out_and_in_again_is_the_same(lab: Any, server: str) -> None:
    ground = Ground(lab, server=server)
    ground.hosts("a", "b")
    first = launched(ground)
    docker, rancher = exported(ground, first)
    web = yaml.safe_load(docker)["services" if server == "v1.6.30" else "web"]
    assert ("version" in yaml.safe_load(docker)) is (server == "v1.6.30")
    assert web
    ground.ask("DELETE", first["links"]["self"])
    ground.until(first, "removed")
    second = launched(ground, dockerCompose=docker, rancherCompose=rancher, environment={})
    assert exported(ground, second) == (docker, rancher)


def test_the_chapters_form_of_an_export(old: Ground) -> None:
    old.hosts("a")
    docker, rancher = (yaml.safe_load(text) for text in exported(old, launched(old)))
    assert docker["lb"] == {"image": "rancher/load-balancer-service", "ports": ["80:80/tcp"], "links": ["web:web"]}
    assert docker["web"]["environment"] == {"PRICE": "$$5"}
    assert rancher["lb"]["health_check"]["port"] == 42
    assert "scale" not in rancher["web"]
    assert rancher["web"]["health_check"]["unhealthy_threshold"] == 3


def test_some_services_only(ground: Ground) -> None:
    ground.hosts("a")
    stack = launched(ground)
    web = next(one for one in ground.listed(stack["links"]["services"]) if one["name"] == "web")
    docker, _unused = exported(ground, stack, serviceIds=[web["id"]])
    assert list(yaml.safe_load(docker)["services"]) == ["web"]


def test_an_upgrade_of_a_stack(ground: Ground) -> None:
    ground.hosts("a", "b")
    stack = launched(ground, externalId="catalog://a:b:0")
    body = {
        "dockerCompose": DOCKER,
        "rancherCompose": RANCHER,
        "environment": {"IMAGE": "httpd"},
        "externalId": "catalog://a:b:1",
    }
    asked = ground.act(stack, "upgrade", **body)
    assert (asked["state"], asked["previousExternalId"]) == ("upgrading", "catalog://a:b:0")
    found = ground.until(stack, "upgraded")
    states = {one["name"]: one["state"] for one in ground.listed(stack["links"]["services"])}
    assert states == {"lb": "active", "web": "upgraded"}
    ground.act(found, "finishupgrade")
    ground.until(stack, "active", healthy=True)
    lb = next(one for one in ground.listed(stack["links"]["services"]) if one["name"] == "lb")
    assert "httpd" in ground.page(lb)


def test_an_upgrade_of_a_stack_that_is_rolled_back(ground: Ground) -> None:
    ground.hosts("a")
    stack = launched(ground)
    ground.act(stack, "upgrade", dockerCompose=DOCKER, rancherCompose=RANCHER, environment={"IMAGE": "httpd"})
    ground.act(ground.until(stack, "upgraded"), "rollback")
    back = ground.until(stack, "active", healthy=True)
    assert back["environment"] == {"IMAGE": "nginx"}
    web = next(one for one in ground.listed(stack["links"]["services"]) if one["name"] == "web")
    assert web["launchConfig"]["imageUuid"] == "docker:nginx"


def test_a_rollback_of_a_stack_waits_for_what_still_upgrades_and_passes_over_what_was_cancelled(ground: Ground) -> None:
    ground.hosts("a")
    stack = launched(ground)
    hopeless = RANCHER.replace("port: 80", "port: 4711\n    initializing_timeout: 600000")
    ground.act(stack, "upgrade", dockerCompose=DOCKER, rancherCompose=hopeless, environment={"IMAGE": "nginx"})
    web = next(one for one in ground.listed(stack["links"]["services"]) if one["name"] == "web")
    ground.until(web, "upgrading")
    ground.act(ground.again(stack), "rollback")
    ground.lab.advance(60, steps=6)
    assert (ground.again(stack)["state"], ground.again(web)["state"]) == ("rolling-back", "upgrading")
    ground.act(ground.again(web), "cancelupgrade")
    ground.until(stack, "active")
    assert ground.again(web)["state"] == "canceled-upgrade"


def test_the_same_files_again_upgrade_nothing(ground: Ground) -> None:
    ground.hosts("a")
    stack = launched(ground)
    before = {one["id"] for one in ground.listed("containers")}
    ground.act(stack, "upgrade", dockerCompose=DOCKER, rancherCompose=RANCHER, environment={"IMAGE": "nginx"})
    ground.act(ground.until(stack, "upgraded"), "finishupgrade")
    ground.until(stack, "active", healthy=True)
    assert {one["id"] for one in ground.listed("containers")} == before
