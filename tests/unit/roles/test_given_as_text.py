# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""-e and the surveys of AWX give text, for numbers, lists and dictionaries, and nothing for what is not answered.

The argument spec of a role takes all that, and Ansible does not convert what it has checked. So the role has to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment
from unit.roles.playing import play, playbook, preflight, walk_tasks
from unit.roles.rendering import rendered

ROLES = Path(__file__).resolve().parents[3] / "roles"
WALK = ROLES.parent / "playbooks" / "tasks" / "kubernetes.yml"
CONVERTED = ("int", "bool")
SITE = '{"title": "Blog", "admin_password": "-", "admin_email": "admin@example.com"}'
DATABASE = '{"name": "wordpress", "user": "wordpress", "password": "-"}'


def uses(role: Path, option: str) -> list[str]:
    """Every line of the role that does more with the option than hand it on or show it."""
    files = [*role.glob("tasks/**/*.yml"), *role.glob("vars/*.yml"), *role.glob("templates/*")]
    lines = [line.strip() for file in files for line in file.read_text().splitlines() if option in line]
    handed_on = rf"\{{\{{ {option}( \| (string|default\((omit|'')\)))? \}}\}}"
    spoken_of = (
        rf"^#.*|\b([Ss]et|taken|delete in .*) {option}\b"
        rf"|\b{option}(:| is| has| says| names| otherwise| \| default\(none\) (is|in|not in))"
    )
    return [line for line in lines if re.search(rf"\b{option}\b", re.sub(f"{handed_on}|{spoken_of}", "", line))]


def looked_into(role: str, *types: str) -> Iterator[tuple[str, str, str]]:
    """The name and the type of each option of these types, and of lists of such, with every such line."""
    spec = yaml.safe_load((ROLES / role / "meta" / "argument_specs.yml").read_text())
    for name, option in spec["argument_specs"]["main"]["options"].items():
        if {option["type"], option.get("elements")} & {*types}:
            yield from ((name, option["type"], line) for line in uses(ROLES / role, name))


@pytest.mark.parametrize("role", sorted(path.name for path in ROLES.iterdir()))
def test_numbers_and_switches_are_converted_before_they_are_compared(role: str) -> None:
    unconverted = [
        line
        for name, kind, line in looked_into(role, *CONVERTED)
        if not re.search(rf"\b{name} \| (default\(.*\) \| )?{kind}\b", line)
    ]

    assert unconverted == []


@pytest.mark.parametrize("role", sorted(path.name for path in ROLES.iterdir()))
def test_dictionaries_are_parsed_before_they_are_looked_into(role: str) -> None:
    parsed = r"\b{0} \| default\('..', true\) \| from_yaml if|^else {0}(\] \| flatten)? \}}\}}$"
    unparsed = [line for name, _type, line in looked_into(role, "dict") if not re.search(parsed.format(name), line)]

    assert unparsed == []


def test_a_dictionary_as_text_is_parsed_or_refused(tmp_path: Path) -> None:
    """Words with an equals sign, which the argument spec and modules take for one, too, are refused."""
    given: list[tuple[str, dict[str, Any]]] = [
        ("ecs_app", {"ecs_app_load_balancer": '{"type": "classic"}'}),
        ("kubernetes_app", {"kubernetes_app_service": '{"type": "LoadBalancer"}'}),
        ("kubernetes_tools", {"kubernetes_tools_images": '{"loki": "mirror.test/loki"}'}),
        ("ecs_app", {"ecs_app_load_balancer": "type=classic"}),
        ("kubernetes_app", {"kubernetes_app_verify": "http=false"}),
        ("kubernetes_tools", {"kubernetes_tools_images": "loki=mirror.test/loki"}),
        ("kubernetes_wordpress", {"kubernetes_wordpress_verify": "http=false"}),
        ("rancher_app", {"rancher_app_load_balancer": '{"name": "web"}'}),
        ("rancher_app", {"rancher_app_load_balancer": "name=web"}),
        ("rancher_wordpress", {"rancher_wordpress_site": SITE, "rancher_wordpress_database": DATABASE}),
        ("rancher_wordpress", {"rancher_wordpress_site": "title=Blog", "rancher_wordpress_database": DATABASE}),
        ("rancher_wordpress", {"rancher_wordpress_site": SITE, "rancher_wordpress_database": "name=wordpress"}),
        ("teardown", {"teardown_rancher_hosts": '{"set": "hosts"}', "teardown_confirm": "hosts"}),
        ("teardown", {"teardown_rancher_hosts": "set=hosts", "teardown_confirm": "hosts"}),
    ]
    say = {"rescue": [{"ansible.builtin.debug": {"msg": "refused: {{ ansible_failed_result.msg }}"}}]}
    tasks = [{"block": [{**preflight(role), "vars": {f"{role}_verify_hosts": 2, **one}}], **say} for role, one in given]
    said = play(tmp_path, tasks, {})[1]

    refused = [
        "ecs_app_verify_hosts: 2 hosts can only answer through a load balancer; set ecs_app_load_balancer to a",
        "kubernetes_app_verify has to be a dictionary, such as {http: false}, and this is text",
        "kubernetes_tools_images has to be a dictionary, such as {loki: mirror.example.com/loki}, and this is text",
        "kubernetes_wordpress_verify has to be a dictionary, such as {http: false}, and this is text",
        "rancher_app_load_balancer has to be a dictionary, such as {name: web}, and this is text",
        "Set rancher_wordpress_site to a mapping with title, admin_password and admin_email",
        "Set rancher_wordpress_database to a mapping with name, user and password",
        "teardown_rancher_hosts has to be a list of dictionaries, such as [{set: rancher-hosts}], and this is text",
    ]
    assert said.count("refused: ") == len(refused)
    assert [one for one in refused if f"refused: {one}" not in said] == []


def test_names_of_hosts_as_text_are_looked_for_one_by_one() -> None:
    """Those that the server has made and nobody has marked are found by name only."""
    hosts = [{"set": "a", "names": "a-1, a-2"}, {"set": "b"}, {"set": "c", "names": ["c-1"]}]
    (found,) = rendered(ROLES / "teardown", "{{ __teardown_host_names | list }}", [{"teardown_rancher_hosts": hosts}])

    assert found == ["a-1", "a-2", "c-1"]


@pytest.mark.parametrize(
    ("text", "accepted"),
    [('{"title": "Ours", "admin_email": "me@example.com"}', True), ('{"title": "Ours"}', False), ("title=Ours", False)],
)
def test_the_site_of_a_walk_may_be_text(tmp_path: Path, text: str, accepted: bool) -> None:
    (check,) = (task for task in walk_tasks(WALK) if task["name"].startswith("Check that the walk knows"))
    code, said = play(tmp_path, [check], {"kubernetes_wordpress_site": text})

    assert (code == 0) is accepted, said
    assert accepted or "kubernetes_wordpress_site has to be a dictionary with title and admin_email" in said


@pytest.mark.parametrize(("of_the_walk", "verb"), [(False, "delete"), (True, "logs")])
def test_a_command_as_text_is_a_list_too(of_the_walk: bool, verb: str) -> None:
    role = ROLES / "kubernetes_wordpress"
    tasks = walk_tasks(WALK) if of_the_walk else yaml.safe_load((role / "tasks" / "survive.yml").read_text())
    (task,) = (task for task in tasks if "ansible.builtin.command" in task)
    given = [{"kubernetes_wordpress_kubectl": one} for one in ("kubectl", "kubectl,-v=0", ["kubectl", "-v=0,1"])]
    known = {"__kubernetes_wordpress_lost": {"name": "pod-1"}, **task.get("vars", {})}
    found = rendered(role, task["ansible.builtin.command"]["argv"], [{**known, **one} for one in given])

    assert [one[: one.index(verb)] for one in found] == [["kubectl"], ["kubectl", "-v=0"], ["kubectl", "-v=0,1"]]


def test_a_number_of_hosts_is_compared_as_one(tmp_path: Path) -> None:
    given = {"ecs_app_name": "shop", "ecs_app_cluster": "web", "ecs_app_verify_hosts": "3"}
    code, said = play(tmp_path, [preflight("ecs_app")], given)

    assert code != 0
    assert "3 hosts can only answer through a load balancer" in said


@pytest.mark.parametrize("clusters", ["web,shop", "web, shop", ["web", "shop"]])
def test_names_with_commas_between_them_are_a_list(tmp_path: Path, clusters: object) -> None:
    given = {"teardown_ecs_clusters": clusters, "teardown_droplets": "", "teardown_confirm": "web,shop"}
    code, said = play(tmp_path, [preflight("teardown")], given)

    assert code == 0, said


@pytest.mark.parametrize(("sources", "accepted"), [("203.0.113.0/24,2001:db8::/32", True), ("", False)])
def test_address_ranges_are_a_list_too(tmp_path: Path, sources: str, accepted: bool) -> None:
    show = {"ansible.builtin.debug": {"msg": "from {{ __rancher_server_sources | join(' and ') }}"}}
    code, said = play(tmp_path, [preflight("rancher_server"), show], {"rancher_server_sources": sources})

    assert (code == 0) is accepted, said
    assert ("from 203.0.113.0/24 and 2001:db8::/32" in said) is accepted
    assert accepted or "Set rancher_server_sources" in said


def test_a_tool_that_is_named_alone_is_a_list_too(tmp_path: Path) -> None:
    given = {"kubernetes_tools_names": "dashboard,logging", "kubernetes_tools_retention_days": "7"}
    show = {"ansible.builtin.debug": {"msg": "{{ __kubernetes_tools_expected | join(' and ') }}"}}
    code, said = play(tmp_path, [preflight("kubernetes_tools"), show], given)

    assert code == 0, said
    assert "headlamp/headlamp and logging/loki" in said


@pytest.mark.parametrize("walk", ["ecs", "kubernetes"])
def test_a_confirmation_that_is_not_answered_confirms_nothing(tmp_path: Path, walk: str) -> None:
    code, said = playbook(
        tmp_path, f"container.schedulers.{walk}", {f"{walk}_confirm": "", f"{walk}_name": ""}, "--tags", "step_teardown"
    )

    assert code == 0, said
    assert "stays, and costs money" in said


def test_a_role_of_an_app_that_is_not_answered_is_not_taken_away() -> None:
    """An empty text would take it away in the module."""
    task = yaml.safe_load((ROLES / "ecs_app" / "tasks" / "present.yml").read_text())[0]
    asked = task["container.schedulers.ecs_cluster_app"]
    passed = Environment(autoescape=True).from_string(f"{asked['task_role']} and {asked['execution_role']}")
    given = [{}, *({"ecs_app_task_role": text, "ecs_app_execution_role": text} for text in ("", "arn"))]

    assert [passed.render(omit="not given", **one) for one in given] == [
        "not given and not given",
        "not given and not given",
        "arn and arn",
    ]
