# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What roles refuse before their first task that changes anything: data without a confirmation, profiles of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from unit.roles.playing import play, playbook, preflight, walk_tasks
from unit.roles.rendering import rendered

ROOT = Path(__file__).resolve().parents[3]
WALK = ROOT / "playbooks" / "tasks" / "kubernetes.yml"
RANCHER_WALK = WALK.with_name("rancher.yml")
SITE = {"title": "blog", "admin_password": "-", "admin_email": "admin@example.com"}


@pytest.mark.parametrize(("confirm", "deletes"), [("", False), ("another", False), ("wordpress", True)])
def test_a_site_goes_with_its_data_only_if_that_is_confirmed(tmp_path: Path, confirm: str, deletes: bool) -> None:
    given = {"kubernetes_wordpress_state": "absent", "kubernetes_wordpress_delete_data": True}
    code, said = play(tmp_path, [preflight("kubernetes_wordpress")], {**given, "kubernetes_wordpress_confirm": confirm})
    assert (code == 0) is deletes, said
    assert deletes or "Set kubernetes_wordpress_confirm to wordpress" in said


@pytest.mark.parametrize(("confirm", "opens"), [("", False), ("absent", False), ("open", True)])
def test_a_server_is_opened_to_everybody_only_if_that_is_confirmed(tmp_path: Path, confirm: str, opens: bool) -> None:
    given = {"rancher_access_control_state": "absent", "rancher_access_control_confirm": confirm}
    code, said = play(tmp_path, [preflight("rancher_access_control")], given)
    assert (code == 0) is opens, said
    assert opens or "run container.schedulers.rancher_server without rancher_server_secured_sources" in said


@pytest.mark.parametrize(
    ("given", "deletes"),
    [
        ({}, "False by ''"),
        ({"kubernetes_confirm": "other"}, "False by ''"),
        ({"kubernetes_confirm": "kubernetes"}, "True by 'wordpress'"),
        ({"kubernetes_wordpress_delete_data": True}, "True by ''"),  # which the role refuses
    ],
)
def test_the_walk_deletes_data_only_together_with_its_cluster(
    tmp_path: Path, given: dict[str, Any], deletes: str
) -> None:
    asked = "{{ kubernetes_wordpress_delete_data }} by '{{ kubernetes_wordpress_confirm }}'"
    show = {"ansible.builtin.debug": {"msg": asked}, "vars": yaml.safe_load(WALK.read_text())[0]["vars"]}
    assert deletes in play(tmp_path, [show], given)[1]


def test_the_walk_lets_in_whom_the_inventory_says_and_hands_over_its_token(tmp_path: Path) -> None:
    """Variables of the roles, where docs/guide.md wants them; not what the walk would take instead."""
    among = {"rancher_hosts_allow": [{"ports": "443", "sources": ["203.0.113.2/32"]}]}
    given = {
        "office": ["203.0.113.1/32"],
        "rancher_server_sources": "{{ office }}",
        "rancher_server_secured_sources": "{{ office }}",
        "rancher_hosts_token": "lab-not-a-secret-of-hosts",
        "digitalocean_token": "lab-not-a-secret-of-the-walk",
        **among,
    }
    inventory = {"all": {"hosts": {"localhost": None}, "vars": given}}
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump(inventory))
    (walk,) = yaml.safe_load(RANCHER_WALK.read_text())
    said = [
        "rancher_server_sources == office",
        "rancher_server_secured_sources == office",
        f"__rancher_hosts_allow == {among['rancher_hosts_allow']}",
        "rancher_hosts_token == 'lab-not-a-secret-of-hosts'",
    ]
    task = {"ansible.builtin.assert": {"that": said}, "vars": walk["vars"]}
    code, shown = play(tmp_path, [task], {}, "-i", "inventory.yml")
    assert code == 0, shown


@pytest.mark.parametrize(
    ("walk", "what"),
    [("ecs", "cluster is default"), ("kubernetes", "cluster is kubernetes"), ("rancher", "server is rancher")],
)
def test_a_walk_refuses_a_wrong_confirmation_before_it_does_anything(tmp_path: Path, walk: str, what: str) -> None:
    given = {f"{walk}_confirm": "another", "aws_endpoint_url": "http://127.0.0.1:9"}
    code, said = playbook(tmp_path, f"container.schedulers.{walk}", given)
    assert code != 0
    assert f"{walk}_confirm is another, but the {what}." in said
    assert "127.0.0.1:9" not in said


def test_a_site_is_asked_at_its_load_balancer_if_that_is_its_address() -> None:
    """By what the module has returned: an existing site keeps what is not given now."""
    balancer = {"type": "LoadBalancer", "load_balancer": "A1-2.elb.example.com"}
    inside = {"type": "ClusterIP", "load_balancer": None}
    at_balancer = {"url": "http://A1-2.elb.example.com:8080", "service": balancer}
    by_number = {"url": "http://[2001:db8::1]", "service": {**balancer, "load_balancer": "2001:db8::1"}}
    cases: list[tuple[dict[str, Any], bool]] = [
        ({"result": {"site": at_balancer}}, True),
        ({"result": {"site": by_number}}, True),
        ({"result": {"site": at_balancer}, "verify": {"http": False}}, False),
        ({"result": {"site": at_balancer}, "verify": '{"http": false}'}, False),
        ({"result": {"site": {"url": "https://blog.example.com", "service": balancer}}}, False),
        ({"result": {"site": {"url": "http://wordpress.default.svc", "service": inside}}}, False),
        ({"result": {"site": {"url": None, "service": {**balancer, "load_balancer": None}}}}, False),  # without wait
        ({"result": {"site": {"url": None, "service": None}}}, False),  # in check mode
        ({"result": {"failed": True, "msg": "it has no room"}}, False),
    ]
    variables = [{f"kubernetes_wordpress_{name}": value for name, value in given.items()} for given, _asked in cases]
    found = rendered(ROOT / "roles" / "kubernetes_wordpress", "{{ __kubernetes_wordpress_is_asked }}", variables)
    assert found == [asked for _given, asked in cases]


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("", True),
        ("[default]\nregion = us-east-1\n", True),
        ("[profile mine]\nregion = us-east-1\n", False),
        ("# BEGIN container.schedulers profile mine\n[profile mine]\n# END container.schedulers profile mine\n", True),
    ],
)
def test_a_profile_of_somebody_else_is_refused_in_a_sentence(tmp_path: Path, text: str, accepted: bool) -> None:
    (tmp_path / "config").write_text(text)
    given = {
        "aws_cli_config_directory": str(tmp_path),
        "aws_cli_profile": "mine",
        "aws_cli_region": "eu-west-1",
        "aws_cli_access_key": "",
        "aws_cli_secret_key": "",
    }
    code, said = play(tmp_path, [preflight("aws_cli")], given)
    assert (code == 0) is accepted, said
    assert accepted or "has a profile mine that this role has not written" in said


@pytest.mark.parametrize(
    ("role", "nothing", "said"),
    [
        ("ecs_app", {"ecs_app_load_balancer": None, "ecs_app_verify_hosts": 2}, "set ecs_app_load_balancer"),
        ("kubernetes_wordpress", {"kubernetes_wordpress_zone": None}, "and kubernetes_wordpress_zone have to be given"),
        (
            "kubernetes_wordpress",
            {"kubernetes_wordpress_storage": None},
            "and kubernetes_wordpress_zone have to be given",
        ),
        ("rancher_wordpress", {"rancher_wordpress_site": None}, "Set rancher_wordpress_site"),
        ("rancher_wordpress", {"rancher_wordpress_database": None}, "Set rancher_wordpress_database"),
        ("rancher_wordpress", {"rancher_wordpress_site": {**SITE, "admin_password": ""}}, "Set rancher_wordpress_site"),
        # the argument spec takes text for a mapping
        ("rancher_wordpress", {"rancher_wordpress_database": "{}"}, "Set rancher_wordpress_database to a mapping"),
    ],
)
def test_a_variable_that_is_set_to_nothing_is_not_set(
    tmp_path: Path, role: str, nothing: dict[str, Any], said: str
) -> None:
    given = {"kubernetes_wordpress_cluster": "kubernetes", "rancher_wordpress_site": SITE}
    code, shown = play(
        tmp_path, [preflight(role)], {**given, "rancher_wordpress_database": {"password": "-"}, **nothing}
    )
    assert code != 0
    assert said in shown


def test_storage_or_a_cluster_that_is_set_to_nothing_decides_nothing(tmp_path: Path) -> None:
    """Nothing is null, a question of a survey that is not answered, or a variable of somebody's that is not there."""
    omitted = "{{ nowhere | default(omit) }}"
    unset: tuple[object, ...] = (None, "", {}, "{}", omitted)
    own = [("kubernetes", storage) for storage in unset]
    dynamic = [*((cluster, omitted) for cluster in (None, "", omitted)), ("kubernetes", {"mode": "dynamic"})]
    handed_on = "{{ 'omitted' if __kubernetes_wordpress_storage == omit else __kubernetes_wordpress_storage.mode }}"
    show = f"own: {{{{ __kubernetes_wordpress_own_volumes }}}}, handed on: {handed_on}"
    given = [
        {"kubernetes_wordpress_cluster": cluster, "kubernetes_wordpress_storage": storage}
        for cluster, storage in (*own, *dynamic)
    ]
    tasks = [{"ansible.builtin.debug": {"msg": show}, "vars": one} for one in given]
    volumes = {"kubernetes_wordpress_volumes": {"site": {"id": None}}}  # as in check mode
    role = ROOT / "roles" / "kubernetes_wordpress"
    code, said = play(tmp_path, tasks, volumes, vars_files=[str(role / "vars" / "main.yml")])
    assert code == 0, said
    assert said.count("own: True, handed on: omitted") == len(own)
    assert said.count("own: False, handed on: omitted") == len(dynamic) - 1
    assert said.count("own: False, handed on: dynamic") == 1


@pytest.mark.parametrize("given", [{}, {"kubernetes_wordpress_cluster": "kubernetes", "kubernetes_wordpress_zone": ""}])
def test_volumes_alone_need_a_cluster_and_a_zone(tmp_path: Path, given: dict[str, Any]) -> None:
    role = {"name": "container.schedulers.kubernetes_wordpress", "tasks_from": "volumes"}
    code, said = play(tmp_path, [{"ansible.builtin.import_role": role}], given)
    assert code != 0
    assert "kubernetes_wordpress_cluster and kubernetes_wordpress_zone have to be given" in said
    assert "ok=1 " in said  # the argument spec


@pytest.mark.parametrize("nothing", [None, "{{ omit }}"])
def test_what_has_to_be_given_is_asked_for_in_a_sentence(tmp_path: Path, nothing: str | None) -> None:
    """Also where something is handed on that is none, or omitted."""
    quote = {"ansible.builtin.import_role": {"name": "container.schedulers.rancher_hosts", "tasks_from": "quote"}}
    token = {"rancher_hosts_driver": "digitalocean", "rancher_hosts_token": nothing}
    keys = {"rancher_dns_zone": "example.com", "rancher_dns_access_key": nothing, "rancher_dns_secret_key": "-"}
    asked = [
        {**preflight("rancher_catalog"), "vars": {"rancher_catalog_template": nothing}},
        {**preflight("rancher_dns"), "vars": keys},
        {
            **preflight("rancher_dns"),
            "vars": {**keys, "rancher_dns_access_key": "-", "rancher_dns_secret_key": nothing},
        },
        {**quote, "vars": token},
    ]
    goes_on = [{"ansible.builtin.debug": {"msg": "refused: {{ ansible_failed_result.msg }}"}}]
    said = play(tmp_path, [{"block": [one], "rescue": goes_on} for one in asked], {})[1]
    assert "refused: Set rancher_catalog_template to a template" in said
    assert said.count("refused: Set rancher_dns_access_key and rancher_dns_secret_key to a key") == 2
    assert "refused: Set rancher_hosts_token to a token" in said


@pytest.mark.parametrize(
    ("number", "accepted"), [(None, True), ("{{ omit }}", True), ("2", True), (2, True), (0, False), (3, False)]
)
def test_containers_are_counted_if_their_number_is_given(tmp_path: Path, number: object, accepted: bool) -> None:
    task = yaml.safe_load((ROOT / "roles" / "rancher_catalog" / "tasks" / "verify.yml").read_text())[-1]
    found = {"rancher_catalog_name": "blog", "rancher_catalog_containers": [{"name": "one"}, {"name": "two"}]}
    code, said = play(tmp_path, [{**task, "vars": {**found, "rancher_catalog_verify_containers": number}}], {})
    assert (code == 0) is accepted, said


def test_stacks_of_which_records_are_looked_for_may_be_omitted(tmp_path: Path) -> None:
    """Then those of all stacks are deleted with the service, and none are waited for."""
    role = yaml.safe_load((ROOT / "roles" / "rancher_dns" / "vars" / "main.yml").read_text())
    cases: list[tuple[object, list[str]]] = [
        (None, []),
        ("{{ omit }}", []),
        ("", []),
        ("a, b", ["a", "b"]),
        (["a"], ["a"]),
    ]
    tasks = [
        {
            "ansible.builtin.assert": {"that": f"__rancher_dns_verify == {stacks}"},
            "vars": {**role, "rancher_dns_verify": given},
        }
        for given, stacks in cases
    ]
    code, said = play(tmp_path, tasks, {})
    assert code == 0, said
    main = yaml.safe_load((ROOT / "roles" / "rancher_dns" / "tasks" / "main.yml").read_text())
    assert "__rancher_dns_verify | length > 0" in main[-1]["when"]


@pytest.mark.parametrize(
    ("site", "tag", "refused"),
    [
        (None, "step_catalog_wordpress", "Set rancher_wordpress_site to a mapping with title, admin_password and"),
        (SITE, "step_wordpress", "Set rancher_database_password to the password with which WordPress gets to"),
    ],
)
def test_a_walk_without_a_site_ends_before_there_is_an_installer_that_anybody_can_finish(
    tmp_path: Path, site: object, tag: str, refused: str
) -> None:
    """Nor is the first WordPress deleted for one that cannot get to its database."""
    given = {"rancher_wordpress_site": site, "digitalocean_api_url": "http://127.0.0.1:9"}
    code, said = playbook(tmp_path, "container.schedulers.rancher", given, "--tags", tag)
    assert code != 0
    assert refused in said
    assert "127.0.0.1:9" not in said


def test_a_new_database_without_passwords_is_refused_before_there_is_a_server_to_pay_for(tmp_path: Path) -> None:
    """One that is there has them, and whether it is there, a server that does not answer cannot say."""
    (walk,) = yaml.safe_load(RANCHER_WALK.read_text())
    names = [one["name"] for one in walk["block"]]
    place = names.index("Check that a new one gets them, before there is a server to pay for")
    assert place < names.index("A Docker host with a Rancher server")
    both = {"rancher_database_password": "-", "rancher_database_root_password": 1}
    server = {"rancher_url": "http://192.0.2.1:8080"}
    cases: list[tuple[dict[str, Any], bool]] = [
        ({}, True),
        ({"rancher_database_password": "-", "rancher_database_root_password": None}, True),
        ({**server, "rancher_galera": {"stacks": []}}, True),
        ({**server, "rancher_galera": {"stacks": [{"name": "galera"}]}}, False),
        ({**server, "rancher_galera": {"msg": "no answer"}}, False),
        (both, False),
        ({**server, **both, "rancher_galera": {"skipped": True}}, False),
    ]
    passwords = {"__rancher_passwords": walk["vars"]["__rancher_passwords"]}
    tasks = [
        {
            "block": [
                {**walk["block"][place], "vars": {**passwords, **one}},
                {"ansible.builtin.debug": {"msg": f"case {number} goes on"}},
            ],
            "rescue": [
                {"ansible.builtin.debug": {"msg": f"case {number} is refused: {{{{ ansible_failed_result.msg }}}}"}}
            ],
        }
        for number, (one, _refused) in enumerate(cases)
    ]
    code, said = play(tmp_path, tasks, {})
    assert code == 0, said
    wanted = "is refused: Set rancher_database_password and rancher_database_root_password to the passwords"
    assert [f"case {number} {wanted}" in said for number, _case in enumerate(cases)] == [one for _given, one in cases]
    assert said.count("goes on") == len([one for _given, one in cases if not one])


def test_the_catalogs_wordpress_is_not_made_without_a_site_if_its_own_steps_are_skipped() -> None:
    """What has tags of several steps is skipped with each of them."""
    step = [
        one["ansible.builtin.import_role"]
        for one in walk_tasks(RANCHER_WALK)
        if one.get("tags") == ["step_catalog_wordpress"] and "ansible.builtin.import_role" in one
    ]
    assert step[0] == {"name": "container.schedulers.rancher_wordpress", "tasks_from": "site"}


def test_what_a_walk_could_not_look_for_is_not_taken_for_nothing(tmp_path: Path) -> None:
    tasks = []
    for name in ("ecs", "kubernetes", "rancher"):
        (walk,) = yaml.safe_load(WALK.with_name(f"{name}.yml").read_text())
        (look,) = [one for one in walk["block"] if "container.schedulers.scheduler_leftovers_info" in one]
        for blind in ([], [{"kinds": ["snapshot"], "why": "not allowed"}]):
            asked = {"leftovers": [], "could_not_look": blind}
            fails = f"({look['failed_when']}) is {'true' if blind else 'false'}"
            tasks.append({"ansible.builtin.assert": {"that": fails}, "vars": {look["register"]: asked}})
    code, said = play(tmp_path, tasks, {})
    assert code == 0, said


def test_an_app_that_has_reached_no_other_host_has_not_shown_that_it_can(tmp_path: Path) -> None:
    steps = [one for one in walk_tasks(RANCHER_WALK) if one.get("tags") == ["step_look"]]
    (asked,) = [one["ansible.builtin.assert"]["that"] for one in steps if "ansible.builtin.assert" in one]
    tasks = []
    for hosts, well in ((["1h1", "1h1"], "false"), (["1h1", "1h2"], "true")):
        found = {"rancher_hosts_count": "2", "rancher_app_containers": [{"host_id": host} for host in hosts]}
        tasks.append({"ansible.builtin.assert": {"that": f"({asked}) is {well}"}, "vars": found})
    code, said = play(tmp_path, tasks, {})
    assert code == 0, said
