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

OMIT = "{{ omit }}"  # as whoever includes the role in a loop hands on what an item may have
ROLE = {"name": "container.schedulers.rancher_app"}


@pytest.mark.parametrize(
    "given",
    [{}, *({"rancher_app_load_balancer": nothing, "rancher_app_scale": nothing} for nothing in (None, OMIT))],
)
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


def test_an_app_that_has_a_scale_keeps_it_when_only_its_image_changes(new_server: RancherLab, tmp_path: Path) -> None:
    app = {"name": "App", "image": "nginx:1.27", "scale": 3}
    made = {"container.schedulers.rancher_stack": {"name": "Default", "services": [app], "wait": False}}
    newer = {"rancher_app_name": "App", "rancher_app_image": "nginx:1.28"}
    role = {"ansible.builtin.import_role": ROLE, "vars": newer, "check_mode": True}
    show = {"ansible.builtin.debug": {"msg": "planned: {{ rancher_app_result.steps_planned | join(', ') }}."}}
    code, said = new_server.play(tmp_path, made, role, show)

    assert code == 0, said
    assert "planned: update service App (image)." in said


@pytest.mark.parametrize("nothing", [None, OMIT])
def test_hosts_cannot_be_counted_without_a_load_balancer(tmp_path: Path, nothing: str | None) -> None:
    task = {**preflight("rancher_app"), "vars": {"rancher_app_load_balancer": nothing}}
    code, said = play(tmp_path, [task], {"rancher_app_verify_hosts": 2})

    assert code != 0
    assert "2 hosts can only answer through a load balancer" in said
