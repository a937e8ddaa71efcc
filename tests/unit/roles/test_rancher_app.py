# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A variable of the role that is set to nothing is one that is not set."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from unit.roles.playing import play, preflight
from unit.roles.rancher_lab import RancherLab

ROLE = {"name": "container.schedulers.rancher_app"}


@pytest.mark.parametrize("given", [{}, {"rancher_app_load_balancer": None, "rancher_app_scale": None}])
def test_an_app_without_scale_and_load_balancer_is_on_each_host_and_alone(
    new_server: RancherLab, tmp_path: Path, given: dict[str, Any]
) -> None:
    app = {"rancher_app_name": "App", "rancher_app_image": "nginx:1.27", **given}
    show = {"ansible.builtin.debug": {"msg": "planned: {{ rancher_app_result.steps_planned | join(', ') }}."}}
    code, said = new_server.play(
        tmp_path, {"ansible.builtin.import_role": ROLE, "vars": app}, show, options=("--check", "--diff")
    )

    assert code == 0, said
    assert "planned: create stack Default, create service App." in said
    assert re.search(r'"?global"?: true', said)


def test_hosts_cannot_be_counted_without_a_load_balancer(tmp_path: Path) -> None:
    given = {"rancher_app_verify_hosts": 2, "rancher_app_load_balancer": None}
    code, said = play(tmp_path, [preflight("rancher_app")], given)

    assert code != 0
    assert "2 hosts can only answer through a load balancer" in said
