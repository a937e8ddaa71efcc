# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A variable of the role that is set to nothing is one that is not set."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from unit.roles.playing import play, preflight
from unit.roles.rancher_lab import RancherLab
from unit.roles.rendering import rendered

OMIT = "{{ omit }}"  # as whoever includes the role in a loop hands on what an item may have
ROLE = {"name": "container.schedulers.rancher_app"}
FOLDER = Path(__file__).resolve().parents[3] / "roles" / "rancher_app"


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


def test_ports_of_a_load_balancer_that_are_nothing_are_80() -> None:
    """Also in one that is text, as a survey gives it."""
    cases: list[tuple[object, str]] = [
        ({"source_port": 8080}, "8080 to 80"),
        ({"source_port": None, "target_port": None}, "80 to 80"),
        ('{"source_port": null, "target_port": "81"}', "80 to 81"),
        ({"source_port": 0, "target_port": 0}, "0 to 0"),  # which the module refuses
    ]
    shown = "{{ __rancher_app_source_port }} to {{ __rancher_app_target_port }}"
    found = rendered(FOLDER, shown, [{"rancher_app_load_balancer": balancer} for balancer, _ports in cases])

    assert found == [ports for _balancer, ports in cases]


def test_the_argument_spec_takes_nothing_for_ports_of_a_load_balancer() -> None:
    spec = yaml.safe_load((FOLDER / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    given = {"name": "web", "source_port": None, "target_port": None}
    checked = ArgumentSpecValidator(spec).validate({"rancher_app_name": "App", "rancher_app_load_balancer": given})

    assert checked.error_messages == []
