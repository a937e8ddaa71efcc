# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""WordPress on Rancher: whose site it is, which whoever finishes the installer decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from unit.roles.rancher_lab import RancherLab

SITE = {"title": "Our blog", "admin_password": "lab-not-a-secret-8", "admin_email": "admin@example.com"}
DATABASE = {"name": "wordpress", "user": "wordpress", "password": "lab-not-a-secret-9"}
SERVER = {
    "name": "db",
    "services": [
        {
            "name": "mariadb",
            "image": "mariadb",
            "environment": {"MYSQL_DATABASE": "wordpress", "MYSQL_USER": "wordpress"},
            "secret_environment": {
                "MYSQL_PASSWORD": DATABASE["password"],
                "MYSQL_ROOT_PASSWORD": "lab-not-a-secret-10",
            },
        }
    ],
}
SHOW = {"ansible.builtin.debug": {"msg": "done: {{ rancher_wordpress_steps_done | join(', ') }}"}}


@pytest.fixture
def database(new_server: RancherLab, tmp_path: Path) -> RancherLab:
    for name in ("one", "two"):
        new_server.control("POST", "/rancher/hosts", {"name": name, "project": "1a5"})
    code, said = new_server.play(tmp_path, {"container.schedulers.rancher_stack": SERVER})
    assert code == 0, said
    return new_server


def site(**given: Any) -> dict[str, Any]:
    variables = {
        "rancher_wordpress_site": {**SITE, **given},
        "rancher_wordpress_database": DATABASE,
        "rancher_wordpress_database_service": "db/mariadb",
        "rancher_wordpress_volume_driver": "local",
        "rancher_wordpress_wait_timeout": 120,
    }
    return {"ansible.builtin.import_role": {"name": "container.schedulers.rancher_wordpress"}, "vars": variables}


def test_a_site_comes_once_and_has_its_title(database: RancherLab, tmp_path: Path) -> None:
    code, said = database.play(tmp_path, site(), options=("--check",))
    assert code == 0, said
    code, said = database.play(tmp_path, site(), SHOW)
    assert code == 0, said
    for step in ("create service WordPress", "create load balancer WordPressLB"):
        assert step in said.partition("done: ")[2]
    code, said = database.play(tmp_path, site())
    assert code == 0, said
    assert "changed=0" in said
    code, said = database.play(tmp_path, site(title="Another"))
    assert code != 0
    assert "does not have the title Another" in said


def test_an_installer_that_refuses_is_not_taken_for_a_finished_one(database: RancherLab, tmp_path: Path) -> None:
    code, said = database.play(tmp_path, site(admin_email="nobody"))
    assert code != 0
    assert "has not taken rancher_wordpress_site" in said
    assert SITE["admin_password"] not in said


def test_visitors_get_to_a_site_only_once_it_runs(new_server: RancherLab, tmp_path: Path) -> None:
    """Without hosts it never does."""
    code, said = new_server.play(tmp_path, {"container.schedulers.rancher_stack": {**SERVER, "wait": False}})
    assert code == 0, said
    role = site()
    role["vars"]["rancher_wordpress_wait_timeout"] = 3
    code, said = new_server.play(tmp_path, role)
    assert code != 0
    look = {"container.schedulers.rancher_stack_info": {"name": "WordPress"}, "register": "found"}
    show = {
        "ansible.builtin.debug": {
            "msg": "services: {{ found.stacks[0].services | map(attribute='name') | join(' ') }}."
        }
    }
    assert "services: WordPress." in new_server.play(tmp_path, look, show)[1]
