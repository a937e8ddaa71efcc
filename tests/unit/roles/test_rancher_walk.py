# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps of the walk, on a server with two hosts: the upgrade of the app in two halves, and the chapter's WordPress."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from unit.roles.playing import playbook, walk_tasks
from unit.roles.rancher_lab import TOKEN, RancherLab
from unit.roles.rendering import rendered

ROOT = Path(__file__).resolve().parents[3]

HALF = {
    "name": "Default",
    "services": [{"name": "MyClusterApp", "health_check": {"port": 80, "path": "/index.html"}}],
    "upgrade": {"finish": False},
}

SITE = {"title": "Our blog", "admin_password": "lab-not-a-secret-8", "admin_email": "admin@example.com"}


@pytest.fixture
def two_hosts(new_server: RancherLab) -> RancherLab:
    for name in ("one", "two"):
        new_server.control("POST", "/rancher/hosts", {"name": name, "project": "1a5"})
    return new_server


def given(lab: RancherLab) -> dict[str, Any]:
    return {
        "rancher_server_url": lab.addresses["rancher"],
        "rancher_size": 2,
        "digitalocean_api_url": lab.addresses["digitalocean"],
        "digitalocean_token": TOKEN,
        "rancher_wordpress_site": SITE,
        "rancher_database_password": "lab-not-a-secret-9",
    }


def walk(lab: RancherLab, folder: Path, *steps: str, check: bool = False) -> str:
    options = ["--tags", ",".join(steps), *(["--check"] if check else [])]
    code, said = playbook(folder, "container.schedulers.rancher", given(lab), *options)
    assert code == 0, said
    return said


def test_there_are_old_and_new_containers_before_the_upgrade_is_finished(two_hosts: RancherLab, tmp_path: Path) -> None:
    said = walk(two_hosts, tmp_path, "step_app", "step_load_balancer", "step_upgrade")
    assert "MyClusterApp has 4 containers: running, running, stopped, stopped." in said

    again = walk(two_hosts, tmp_path, "step_upgrade")
    assert "changed=0" in again
    assert "MyClusterApp has" not in again


def test_a_walk_that_was_killed_between_the_halves_goes_on(two_hosts: RancherLab, tmp_path: Path) -> None:
    walk(two_hosts, tmp_path, "step_app", "step_load_balancer")
    assert "MyClusterApp has" not in walk(two_hosts, tmp_path, "step_upgrade", "step_scale", check=True)
    code, said = two_hosts.play(tmp_path, {"container.schedulers.rancher_stack": {**HALF, "wait_timeout": 60}})
    assert code == 0, said

    assert "MyClusterApp has 4 containers" in walk(two_hosts, tmp_path, "step_upgrade")
    assert "changed=0" in walk(two_hosts, tmp_path, "step_upgrade")


def test_the_catalogs_wordpress_is_the_chapters(two_hosts: RancherLab, tmp_path: Path) -> None:
    """It wants a port that a run which broke off in step_export left to the copy of the load balancer."""
    two_hosts.control("POST", "/settings", {"rancher_catalog_today": True})  # which has its template
    copy = {"name": "Copy", "services": [{"name": "web", "image": "nginx", "scale": 1, "ports": ["80:80"]}]}
    code, left = two_hosts.play(tmp_path, {"container.schedulers.rancher_stack": copy})
    assert code == 0, left
    said = walk(two_hosts, tmp_path, "step_app", "step_load_balancer", "step_catalog_wordpress")
    assert "blog has 2 containers." in said
    stacks = {"container.schedulers.rancher_stack_info": {"name": "blog"}, "register": "found"}
    url = "http://{{ found.stacks[0].endpoints[0].address }}:{{ found.stacks[0].endpoints[0].port }}/"
    read = {"ansible.builtin.uri": {"url": url, "return_content": True}, "register": "page"}
    show = {"ansible.builtin.debug": {"msg": "{{ page.content }}"}}
    assert f"<title>{SITE['title']}" in two_hosts.play(tmp_path, stacks, read, show)[1]


def test_droplets_that_the_account_may_not_have_are_refused_before_the_first(
    new_server: RancherLab, tmp_path: Path
) -> None:
    new_server.control("POST", "/settings", {"droplet_limit": 5})
    more = {"rancher_sources": ["127.0.0.1/32"], "rancher_server_ssh_public_key_files": [str(tmp_path / "key.pub")]}
    tags = ("--tags", "step_server,step_hosts,step_kubernetes")
    code, said = playbook(tmp_path, "container.schedulers.rancher", {**given(new_server), **more}, *tags)
    assert code != 0
    assert "6 more droplets are wanted, but the account has 0 and may have 5" in said
    assert new_server.droplets() == []


def test_our_app_is_tried_where_kubernetes_has_server_side_apply_and_else_it_is_said_why_not() -> None:
    verify = yaml.safe_load((ROOT / "roles" / "rancher_kubernetes" / "tasks" / "verify.yml").read_text())
    (fact,) = [one["ansible.builtin.set_fact"]["rancher_kubernetes_version"] for one in verify if "Note" in one["name"]]
    tasks = {one["name"]: one for one in walk_tasks(ROOT / "playbooks" / "tasks" / "rancher.yml")}
    names = ("Our app on it", "Say why it is not there, if Kubernetes is too old for it")
    conditions = ", ".join(" and ".join(f"({one})" for one in tasks[name]["when"]) for name in names)
    expression = "{{ [" + conditions.replace("rancher_kubernetes_version", f"({fact.strip('{ }')})") + "] }}"
    versions = ("v1.2.4", "v1.12.10", "v1.12.10-rancher1", "v1.21.14", "v1.22.0", "v1.36.3+k3s1")
    looks: list[dict[str, Any]] = [{"__rancher_kubernetes_look": {"version": one}} for one in versions]
    found = rendered(
        ROOT / "roles" / "kubernetes_app", expression, [{"ansible_check_mode": False, **one} for one in looks]
    )
    assert found == [[False, True]] * 4 + [[True, False]] * 2


def test_templates_that_the_catalog_lacks_are_named_before_there_are_hosts_to_pay_for(
    new_server: RancherLab, tmp_path: Path
) -> None:
    new_server.control("POST", "/settings", {"rancher_catalog_today": True})
    more = {"rancher_database_root_password": "lab-not-a-secret-10"}
    tags = ("--tags", "step_hosts,step_gluster,step_convoy,step_galera,step_wordpress,step_scale")
    code, said = playbook(tmp_path, "container.schedulers.rancher", {**given(new_server), **more}, *tags)
    assert code != 0
    assert "does not have community:convoy-gluster and community:glusterfs" in said
    assert "--skip-tags step_convoy,step_gluster,step_scale,step_wordpress" in said
    assert "rancher_hosts" not in said
