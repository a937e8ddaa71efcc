# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._errors import InputError
from ansible_collections.container.schedulers.plugins.module_utils._rancher.catalog import (
    chosen_version,
    complete_answers,
    compose_files,
    converted,
    find_template,
    live_template,
    secret_questions,
    split_id,
)
from ansible_collections.container.schedulers.plugins.module_utils._rancher.compose import (
    comparable,
    read_compose,
    refuse_unusable,
)
from ansible_collections.container.schedulers.plugins.module_utils._rancher.info import templates_told
from ansible_collections.container.schedulers.plugins.module_utils._rancher.stack_content import content_of
from ansible_collections.container.schedulers.plugins.module_utils._rancher.stack_options import StackOptions
from ansible_collections.container.schedulers.plugins.module_utils._rancher.upgrades import UpgradePolicy
from ansible_collections.container.schedulers.plugins.module_utils._rancher.veil import Veil
from unit.rancher import URL, collection, error, project, rancher
from unit.scripted_http import Request

V1 = """
web:
  image: nginx
  ports: ["80:80", "443"]
  links: ["db:mysql", "other/thing"]
db:
  image: mariadb
"""
V2 = """
version: '2'
services:
  web:
    image: nginx
    depends_on: [db]
  db: {image: mariadb}
volumes:
  data: {driver: convoy}
"""
RANCHER = """
.catalog: {name: thing}
web:
  scale: 2
  health_check: {port: 80}
"""


@pytest.mark.parametrize("docker", [V1, V2])
def test_both_formats_are_read(docker: str) -> None:
    compose = read_compose(docker, RANCHER)
    assert {*compose.services} == {"web", "db"}
    assert compose.services["web"]["scale"] == 2
    assert compose.services["web"]["image"] == "nginx"


def test_ports_of_hosts_are_those_that_are_named() -> None:
    compose = read_compose('a: {image: b, ports: ["80:80", 443, "${PORT}:80"]}', None)
    assert compose.host_ports({}) == {"a": ["80:80"]}


@pytest.mark.parametrize(
    ("docker", "why"),
    [
        ("a: [", "docker_compose is no YAML: .* in line 1"),
        ("a: 2026-13-45", "docker_compose is no YAML: month must be in 1..12"),
        ("- a", "is no compose file"),
        ("a: 1", "service a is not a mapping"),
        (
            "a: {image: b, deploy: {}, privilegd: true}",
            "service a has keys that Rancher does not take: deploy, privilegd",
        ),
        ("version: '3'\nservices: {}", "has the format 3, but Rancher 1.x takes 1 and 2"),
        ("version: '2'\nservices: []", "services is not a mapping"),
        ("version: '2'\nservices: {}\nconfigs: {}", "does not take: configs"),
        ("a: {build: .}", "has build, which names files"),
        ("a: {image: b, env_file: x}", "has env_file"),
        ("a_b: {image: b}", "docker_compose: 'a_b' must have"),
        ("a: {image: b, depends_on: []}", "does not take: depends_on"),
        ("version: '2'\nservices: {a: {image: b, net: host}}", "does not take: net"),
    ],
)
def test_compose_files_that_rancher_would_not_understand(docker: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        read_compose(docker, None)


FORMAT_2 = "version: '2'\nservices: "
THERE = ("data/db", "web/made-by-hand")


@pytest.mark.parametrize(
    ("docker", "rancher", "why"),
    [
        ("a: {image: b, links: ['c:d']}", None, "docker_compose: service a links to c, which does not exist"),
        ("a: {image: b, links: ['$DB:db']}", None, "service a links to mysql, which does not exist"),
        (
            "a: {image: b, external_links: ['no/db:d']}",
            None,
            "service a links to no/db, which does not exist",
        ),
        ("a: {image: b, external_links: [data/no]}", None, "service a links to data/no, which does not exist"),
        ("a: {image: b, external_links: [web/no]}", None, "service a links to web/no, which does not exist"),
        ("a: {image: b, volumes_from: [c]}", None, "service a takes the volumes of c, which does not exist"),
        ("a: {image: b, volumes_from: [made-by-hand]}", None, "takes the volumes of made-by-hand, which does not"),
        ("a: {image: b, net: 'container:c'}", None, "service a shares the network of c, which does not exist"),
        (FORMAT_2 + "{a: {image: b, depends_on: [c]}}", None, "service a depends on c, which does not exist"),
        (
            FORMAT_2 + "{a: {image: b, network_mode: 'service:c'}}",
            None,
            "service a shares the network of c, which does not exist",
        ),
        (
            FORMAT_2 + "{a: {image: b, network_mode: 'service:c'}, c: {image: b}}",
            None,
            "service a has the network service:c, which Rancher does not know",
        ),
        (
            FORMAT_2 + "{a: {image: b, network_mode: 'container:$DB'}, mysql: {image: b, labels: [c=d]}}",
            None,
            "service a shares the network of mysql, but the two are no sidekicks",
        ),
        (
            "lb: {image: b}",
            "lb: {lb_config: {port_rules: [{source_port: 80, service: web}]}}",
            "rancher_compose: service lb leads to web, which does not exist",
        ),
        ("a: {image: b, ports: ['80-90:80-90']}", None, "docker_compose: service a: ports: '80-90:80-90' is no port"),
        ("a: {image: b, ports: ['$DB:80']}", None, "service a: ports: 'mysql:80' is no port"),
    ],
)
def test_names_that_lead_nowhere_and_ports_that_are_none(docker: str, rancher: str | None, why: str) -> None:
    with pytest.raises(InputError, match=why):
        refuse_unusable(read_compose(docker, rancher), "web", {"DB": "mysql"}, lambda name: name in THERE)


@pytest.mark.parametrize(
    ("docker", "rancher"),
    [
        ("a: {image: b, links: [b, made-by-hand, '${DB:-x}:y'], volumes_from: ['b:ro']}", None),
        ("a: {image: b, external_links: [data/db, 'web/b:c', 'data/db:d']}", None),
        ("a: {image: b, net: 'container:b', labels: ['io.rancher.sidekicks=$DB']}", None),
        ("a: {image: b, net: host, ports: [80, 22:22, '127.0.0.1:8080:80', '${PORT:-81}:81']}", None),
        (FORMAT_2 + "{a: {image: b, depends_on: [b]}, b: {image: c}}", None),
        (
            "a: {image: b, net: 'container:c'}\nc: {image: b}\nd: {image: b, labels: {io.rancher.sidekicks: 'c, a'}}",
            None,
        ),
        ("a: {image: b}", "a: {lb_config: {port_rules: [{service: b}, {service: data/db}, {selector: a=b}]}}"),
    ],
)
def test_names_that_lead_somewhere(docker: str, rancher: str | None) -> None:
    both = docker if docker.startswith("version") else f"{docker}\nb: {{image: c}}"
    refuse_unusable(read_compose(both, rancher), "web", {"DB": "b"}, lambda name: name in THERE)


@pytest.mark.parametrize(
    ("docker", "rancher", "why"),
    [
        ("a: {image: '${IMG}'}", None, "answers: service a has the variable ${IMG}, but there is no answer to IMG"),
        ("a: {image: b, links: [$D]}", None, "service a has the variable $D, but there is no answer to D"),
        ("a: {image: b}", "a: {scale: '$D'}", "there is no answer to D"),
        ("a: {image: '${EMPTY}'}", None, "docker_compose has no image for service a"),
        ("a: {command: b}", None, "docker_compose has no image for service a"),
        ("a: {image: b}", "c: {scale: 2}", "docker_compose has no image for service c"),
        ("a: {image: b}", "a: {scale: two}", "service a: scale 'two' is no number"),
        ("a: {image: b}", "a: {scale: -1}", "service a: scale '-1' is no number"),
        ("a: {image: b}", "a: {scale: true}", "service a: scale 'True' is no number"),
        ("a: {image: b}", "a: {scale: $IMAGE}", "service a: scale 'nginx' is no number"),
    ],
)
def test_services_that_could_not_be_made(docker: str, rancher: str | None, why: str) -> None:
    with pytest.raises(InputError) as caught:
        refuse_unusable(read_compose(docker, rancher), "web", {"EMPTY": "", "IMAGE": "nginx"}, lambda _name: True)
    assert why in caught.value.message


@pytest.mark.parametrize(
    ("docker", "rancher"),
    [
        ("a: {image: $IMAGE, hostname: 'host-${EMPTY}', user: '${USER:-}', command: 'echo $$HOME $${X}'}", None),
        ("a: {image: b}", "a: {scale: $COUNT}"),
        ("a: {image: b}", "a: {scale: }"),
        (
            "a: {image: b, environment: {PROXY: '${PROXY}', PASSWORD: 'S3cr$et'}}",
            "a: {metadata: {c: $D}}",
        ),  # may be blank
        ("a: {image: b}", "a: {scale: 2}\nc: {image: d, scale: '3'}"),
    ],
)
def test_services_that_can_be_made(docker: str, rancher: str | None) -> None:
    answers = {"EMPTY": "", "IMAGE": "nginx", "COUNT": "2"}
    refuse_unusable(read_compose(docker, rancher), "web", answers, lambda _name: True)


def test_a_template_of_format_2_says_of_itself_what_it_is() -> None:
    described = "version: '2'\ncatalog: {name: thing}\nservices: {web: {scale: 2}}"
    assert read_compose(V2, described).services["web"]["scale"] == 2


def test_ports_of_a_template_are_known_even_if_its_second_file_is_not_understood() -> None:
    files = {"docker-compose.yml": "web: {image: nginx, ports: ['${port}:80']}", "rancher-compose.yml": "web: {new: 1}"}
    options = StackOptions("Web", UpgradePolicy(), answers={"name": "a"})
    content = content_of(options, live_template(TEMPLATE, {**VERSION, "files": files}), None, lambda _name: True)
    assert content is not None
    assert content.compose.host_ports(content.answers) == {"web": ["80:80"]}


def test_an_answer_of_true_is_written_alike_for_files_and_for_templates() -> None:
    """A template keeps the type of its value, so "{{ debug }}" is no text."""
    answers = {"debug": True, "count": 2}
    options = StackOptions("Web", UpgradePolicy(), answers=answers, compose=read_compose(V2, None))
    content = content_of(options, None, None, lambda _name: True)
    assert content is not None
    assert content.answers == {"debug": "true", "count": "2"}
    questions = [{"variable": "debug"}, {"variable": "count", "type": "int"}]
    template = live_template(TEMPLATE, {**VERSION, "questions": questions})
    assert complete_answers(template, answers) == content.answers


def test_files_are_compared_by_what_they_say() -> None:
    veil = Veil()
    assert comparable("docker_compose", "a: {image: b}", veil) == comparable(
        "docker_compose", "a:\n  image: 'b'\n", veil
    )
    assert comparable("docker_compose", "a: [", veil) == comparable("docker_compose", None, veil) == {}


def test_secrets_in_files_take_part_and_are_not_shown() -> None:
    veil = Veil()
    text = "a: {environment: {DB_PASSWORD: %s, USER: me}, command: ['--x=y', 'TOKEN=%s']}"
    one, two = (comparable("docker_compose", text % (word, word), veil) for word in ("hunter2", "hunter3"))
    assert one != two
    assert "hunter" not in str(one)
    assert one["a"]["environment"]["USER"] == "me"
    assert one["a"]["command"][0] == "--x=y"


def question(variable: str, **more: Any) -> dict[str, Any]:
    return {"variable": variable, **more}


QUESTIONS = [
    question("port", type="int", default="80", required=True, min=1, max=65535),
    question("name", type="string", required=True),
    question("debug", type="boolean"),
    question("driver", type="enum", options=["local", "nfs"], default="local"),
    question("storage", type="service"),
    question("root", type="password"),
]
TEMPLATE: dict[str, Any] = {
    "id": "community:thing",
    "type": "template",
    "name": "Thing",
    "category": "Blogging",
    "defaultVersion": "v0.2",
    "versionLinks": {
        "v0.1": f"{URL}/v1-catalog/templates/community:thing:0",
        "v0.2": f"{URL}/v1-catalog/templates/community:thing:1",
    },
}
VERSION: dict[str, Any] = {
    "id": "community:thing:1",
    "type": "templateVersion",
    "version": "v0.2",
    "files": {"docker-compose.yml": V1, "rancher-compose.yml": RANCHER, "README.md": "read"},
    "questions": QUESTIONS,
}


def test_answers_are_completed_and_converted() -> None:
    template = live_template(TEMPLATE, VERSION)
    given = {"name": "a", "port": 8080, "debug": True, "storage": "g/s"}
    assert complete_answers(template, given) == {
        "port": "8080", "name": "a", "debug": "true", "driver": "local", "storage": "g/s"
    }  # fmt: skip
    live = {"name": "old", "driver": "nfs", "gone": "x"}
    assert complete_answers(template, {}, live) == {"port": "80", "name": "old", "driver": "nfs"}
    assert complete_answers(template, {"driver": ""}, live)["driver"] == ""
    assert secret_questions(template.questions) == {"root"}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "community:thing:1 needs an answer to name"),
        ({"name": ""}, "needs an answer to name"),
        ({"name": "a", "drivr": 1}, "does not ask for 'drivr'. Is driver meant"),
        ({"name": "a", "zzz": 1}, "does not ask for 'zzz'. It asks for: port, name, debug"),
        ({"name": "a", "port": "http"}, "port: 'http' is no whole number"),
        ({"name": "a", "port": 0}, "port: '0' is less than 1"),
        ({"name": "a", "port": 70000}, "is more than 65535"),
        ({"name": "a", "debug": "maybe"}, "is neither true nor false"),
        ({"name": "a", "driver": "ebs"}, "driver: 'ebs' is none of local, nfs"),
        ({"name": "a", "storage": "g"}, "is no service: give stack/service"),
        ({"name": "a", "storage": "g/none"}, "storage is 'g/none', but there is no such service"),
    ],
)
def test_answers_that_cannot_be(given: Mapping[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        complete_answers(live_template(TEMPLATE, VERSION), given, None, lambda name: name == "g/s")


@pytest.mark.parametrize(
    ("limits", "text", "why"),
    [
        ({"minLength": 3}, "ab", "'ab' is shorter than 3"),
        ({"maxLength": 1}, "ab", "is longer than 1"),
        ({"validChars": "a-z"}, "A", "has characters other than a-z"),
        ({"invalidChars": "%"}, "a%", "has one of the characters %"),
        ({"minLength": 9, "type": "password"}, "hunter2", "the answer is shorter"),
    ],
)
def test_texts_have_limits(limits: dict[str, Any], text: str, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        converted(question("x", **limits), text)
    assert "hunter2" not in str(caught.value)
    assert converted(question("x", minLength=1, maxLength=9, validChars="a-z", invalidChars="%"), "abc") == "abc"


def test_no_limit_is_written_as_zero() -> None:
    unlimited = question("x", type="int", min=0, max=0, minLength=0, maxLength=0)
    assert [converted(unlimited, text) for text in ("80", "-1")] == ["80", "-1"]


@pytest.mark.parametrize(
    ("wanted", "live", "number"),
    [
        (None, None, "1"),
        ("v0.1", None, "0"),
        ("0", None, "0"),
        (None, "catalog://community:thing:0", "0"),
        (None, "system-catalog://community:thing:0", "0"),
        (None, "catalog://community:other:0", "1"),
        ("7", "catalog://community:thing:7", "7"),
        ("v0.2", "catalog://community:thing:0", "1"),
    ],
)
def test_the_version_to_use(wanted: str | None, live: str | None, number: str) -> None:
    assert chosen_version(TEMPLATE, wanted, live) == number


def test_a_version_that_does_not_exist() -> None:
    with pytest.raises(
        InputError, match=r"'v9' of community:thing is not there for this version.*; there are: v0.1, v0.2"
    ):
        chosen_version(TEMPLATE, "v9", None)


def test_the_id_of_a_template() -> None:
    assert split_id("a:b") == ("a:b", None)
    assert split_id("library:infra*route53:17") == ("library:infra*route53", "17")
    for wrong in ("a", "a:", "a:b:c:d", ":b"):
        with pytest.raises(InputError, match="is no template"):
            split_id(wrong)


@pytest.mark.parametrize(
    "version",
    [
        {"files": {"docker-compose.yml": "d", "rancher-compose.yml": "r"}},
        {"files": {"docker-compose.yml.tpl": "d", "rancher-compose.yaml": "r", "x.png": ""}},
        {"dockerCompose": "d", "rancherCompose": "r"},
    ],
)
def test_old_and_new_catalogs_give_the_same_files(version: dict[str, Any]) -> None:
    assert compose_files(version) == {"docker": "d", "rancher": "r"}


@pytest.mark.parametrize(
    ("more", "external"),
    [
        ({}, "catalog://community:thing:1"),
        ({"category": "Rancher services"}, "system-catalog://community:thing:1"),
        ({"isSystem": True}, "system-catalog://community:thing:1"),
    ],
)
def test_how_a_stack_names_its_template(more: dict[str, Any], external: str) -> None:
    assert live_template({**TEMPLATE, **more}, VERSION).external_id == external


@pytest.mark.parametrize(
    ("identifier", "more", "system"),
    [
        ("community:thing:1", {}, False),
        ("community:thing:1", {"category": "Rancher services"}, True),
        ("library:infra*thing:1", {"category": "External DNS"}, True),
        ("library:infra-thing:1", {}, False),
    ],
)
def test_whose_a_stack_of_a_template_is(identifier: str, more: dict[str, Any], system: bool) -> None:
    assert live_template({**TEMPLATE, **more}, {**VERSION, "id": identifier}).makes_system is system


def setting(name: str, value: str | None) -> Request:
    """The answer for a setting, None for one that is not shown."""
    path = f"/v2-beta/settings/{name}"
    return Request("GET", path, {"value": value}) if value else Request("GET", path, error(404, "NotFound"), status=404)


FITTING = {"minimumRancherVersion_lte": "v1.6.30", "rancherVersion": "v1.6.30"}
SERVER = setting("rancher.server.version", "v1.6.30")


def test_a_template_is_found() -> None:
    server, http = rancher(
        SERVER,
        Request("GET", "/v1-catalog/templates/community:thing", TEMPLATE, query=FITTING),
        Request("GET", "/v1-catalog/templates/community:thing:1", VERSION),
    )
    found = find_template(server, "community:thing", None)
    assert (found.version, found.docker, found.rancher) == ("v0.2", V1, RANCHER)
    http.finish()


def test_a_template_of_an_environments_own_catalog_is_found() -> None:
    own = {"projectId": "1a7"}
    server, http = rancher(
        SERVER,
        Request("GET", "/v1-catalog/templates/own:thing", {**TEMPLATE, "id": "own:thing"}, query={**own, **FITTING}),
        Request("GET", "/v1-catalog/templates/own:thing:1", {**VERSION, "id": "own:thing:1"}, query=own),
    )
    assert find_template(server, "own:thing", None, environment="1a7").id == "own:thing:1"
    http.finish()


def test_an_environments_own_catalogs_are_listed_with_those_of_all() -> None:
    asked = {"projectId": "1a7"}
    own = {**TEMPLATE, "id": "own:thing", "catalogId": "own"}
    server, http = rancher(
        Request("GET", "/v2-beta/projects", collection(project("1a5"), project("1a7", "web"))),
        SERVER,
        Request("GET", "/v1-catalog/templates", collection(own, TEMPLATE), query={**asked, "catalogId": "own"}),
    )
    params = {"environment": "web", "catalog": "own", "template": None, "template_version": None}
    assert [one["id"] for one in templates_told(server, params)] == ["community:thing", "own:thing"]
    http.finish()


def test_a_template_of_an_environments_own_catalog_is_told() -> None:
    asked = {"projectId": "1a7"}
    server, http = rancher(
        Request("GET", "/v2-beta/projects", collection(project("1a7", "web"))),
        SERVER,
        Request("GET", "/v1-catalog/templates/own:thing", {**TEMPLATE, "id": "own:thing"}, query=asked),
        Request("GET", "/v1-catalog/templates/own:thing:1", {**VERSION, "id": "own:thing:1"}, query=asked),
    )
    params = {"environment": "web", "catalog": None, "template": "own:thing", "template_version": None}
    (told,) = templates_told(server, params)
    assert (told["id"], told["version_id"]) == ("own:thing", "own:thing:1")
    http.finish()


def test_a_template_that_does_not_exist() -> None:
    server, http = rancher(
        SERVER,
        Request("GET", "/v1-catalog/templates/community:thign", error(404, "Not Found"), status=404),
        SERVER,
        Request("GET", "/v1-catalog/templates", collection(TEMPLATE), query={**FITTING, "limit": "1000"}),
    )
    with pytest.raises(InputError, match=r"'community:thign' does not exist. Is one of these meant: community:thing"):
        find_template(server, "community:thign", None)
    http.finish()


def test_a_version_that_is_for_a_newer_rancher_is_for_a_stack_that_runs_it_already() -> None:
    links = {"versionLinks": {"v0.1": TEMPLATE["versionLinks"]["v0.1"]}}
    looked = Request("GET", "/v1-catalog/templates/community:thing", {**TEMPLATE, **links})
    server, http = rancher(SERVER, looked)
    why = r"template: the default version 'v0.2' of community:thing is not there for this version.*there are: v0.1"
    with pytest.raises(InputError, match=why):
        find_template(server, "community:thing", None)
    http.finish()
    server, http = rancher(SERVER, looked, Request("GET", "/v1-catalog/templates/community:thing:1", VERSION))
    assert find_template(server, "community:thing", None, "catalog://community:thing:1").version == "v0.2"
    http.finish()


@pytest.mark.parametrize(
    ("template", "version", "looks"),
    [("community:thing", "v0.2", 2), ("community:thing", "1", 1), ("community:thing:1", None, 1)],
)
def test_a_version_that_runs_may_be_named_whatever_the_server_has_become(
    template: str, version: str | None, looks: int
) -> None:
    links = {"versionLinks": {"v0.1": TEMPLATE["versionLinks"]["v0.1"]}}
    looked = Request("GET", "/v1-catalog/templates/community:thing", {**TEMPLATE, **links})
    running = Request("GET", "/v1-catalog/templates/community:thing:1", VERSION)
    server, http = rancher(SERVER, looked, *[running] * looks)
    assert find_template(server, template, version, "catalog://community:thing:1").id == "community:thing:1"
    http.finish()
    server, http = rancher(SERVER, looked, running)
    with pytest.raises(InputError, match=r"template_version: 'v0.3' of community:thing is not there"):
        find_template(server, "community:thing", "v0.3", "catalog://community:thing:1")
    server, http = rancher(SERVER, looked)
    with pytest.raises(InputError, match="is not there"):
        find_template(server, template, version, "catalog://community:other:1")
    http.finish()


@pytest.mark.parametrize(
    ("shown", "image", "asked"),
    [
        (None, "v1.1.4", {"minimumRancherVersion_lte": "v1.1.4", "rancherVersion": "v1.1.4"}),  # of old servers
        (None, "rancher/server", {}),
        ("master", "rancher/server", {}),  # of no release
    ],
)
def test_the_version_of_the_server_that_templates_have_to_fit(
    shown: str | None, image: str, asked: dict[str, str]
) -> None:
    server, http = rancher(
        setting("rancher.server.version", shown),
        setting("rancher.server.image", image),
        Request("GET", "/v1-catalog/templates/community:thing", TEMPLATE, query=asked),
        Request("GET", "/v1-catalog/templates/community:thing:1", VERSION),
    )
    find_template(server, "community:thing", None)
    http.finish()


def test_ports_of_hosts_are_known_once_their_variables_are() -> None:
    compose = read_compose("a: {image: nginx, ports: ['${public_port}:80', '$other:81', '${unknown}:82', '83']}", None)
    assert compose.host_ports({"public_port": "8080", "other": ""}) == {"a": ["8080:80"]}
    default = read_compose("a: {image: nginx, ports: ['${public_port:-81}:80']}", None)
    assert default.host_ports({}) == {"a": ["81:80"]}
    assert default.host_ports({"public_port": "8080"}) == {"a": ["8080:80"]}
