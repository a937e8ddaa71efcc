# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stack goes out and in again: with its password, of which nothing that is said tells, and without picked ports."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml
from unit.roles.playing import play, preflight
from unit.roles.rancher_lab import RancherLab

ROLE = Path(__file__).resolve().parents[3] / "roles" / "rancher_export"

PASSWORD = "lab-not-a-secret-000099"


def export(lab: RancherLab, folder: Path, service: dict[str, Any]) -> str:
    """A stack of this service, and its copy; what was said of it."""
    stack = {"name": "Shop", "services": [service], "wait_timeout": 60}
    given = {
        "rancher_export_stack": "Shop",
        "rancher_export_directory": str(folder / "out"),
        "rancher_export_copy": "Copy",
    }
    role = {"ansible.builtin.import_role": {"name": "container.schedulers.rancher_export"}, "vars": given}
    code, said = lab.play(folder, {"container.schedulers.rancher_stack": stack}, role)
    assert code == 0, said
    return said


def test_the_copy_of_a_stack_keeps_its_password_and_tells_it_to_nobody(
    lab: RancherLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_VERBOSITY", "3")
    service = {"name": "web", "image": "nginx", "ports": ["80"], "secret_environment": {"PASSWORD": PASSWORD}}
    said = export(lab, tmp_path, service)
    assert PASSWORD not in said
    assert PASSWORD in (tmp_path / "out" / "docker-compose.copy.yml").read_text()
    assert (tmp_path / "out" / "docker-compose.copy.yml").stat().st_mode & 0o777 == 0o600


def test_ports_are_picked_anew_from_the_range_of_the_environment(new_server: RancherLab, tmp_path: Path) -> None:
    """49200 was asked for here, though Rancher would pick it elsewhere."""
    for name in ("one", "two"):
        new_server.control("POST", "/rancher/hosts", {"name": name, "project": "1a5"})
    ports = {"type": "servicesPortRange", "startPort": 30000, "endPort": 30100}
    request = urllib.request.Request(
        f"{new_server.addresses['rancher']}/v2-beta/projects/1a5",
        json.dumps({"servicesPortRange": ports}).encode(),
        {"Content-Type": "application/json"},
        method="PUT",
    )
    urllib.request.urlopen(request, timeout=20).close()
    export(new_server, tmp_path, {"name": "web", "image": "nginx", "ports": ["80", "49200:81"]})

    written = (tmp_path / "out" / "docker-compose.yml").read_text()
    copied = (tmp_path / "out" / "docker-compose.copy.yml").read_text()
    assert re.findall(r"- (300\d\d):80", written)
    assert copied == re.sub(r"- 300\d\d:80", "- 80", written)
    assert "- 49200:81" in copied


def test_the_copy_is_in_the_environment_of_the_stack_unless_another_one_is_named(tmp_path: Path) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "none"),
        ({"rancher_export_copy_environment": "Other"}, "Other"),
        *(
            ({"rancher_export_environment": "Shop", "rancher_export_copy_environment": nothing}, "Shop")
            for nothing in (None, "", "{{ omit }}")
        ),
        ({"rancher_export_environment": "Shop"}, "Shop"),
        ({"rancher_export_environment": "Shop", "rancher_export_copy_environment": "Other"}, "Other"),
        ({"rancher_export_environment": "{{ omit }}", "rancher_export_copy_environment": None}, "none"),
    ]
    role = yaml.safe_load((ROLE / "vars" / "main.yml").read_text())
    found = "{{ 'none' if __rancher_export_copy_environment == omit else __rancher_export_copy_environment }}"
    tasks = [
        {
            "ansible.builtin.assert": {"that": "found == expected"},
            "vars": {**role, **given, "found": found, "expected": expected},
        }
        for given, expected in cases
    ]
    code, said = play(tmp_path, tasks, {})
    assert code == 0, said


@pytest.mark.parametrize("file", ["present", "absent", "verify"])
def test_it_is_made_removed_and_looked_at_in_the_same_environment(file: str) -> None:
    text = (ROLE / "tasks" / f"{file}.yml").read_text()
    assert text.count('environment: "{{ __rancher_export_copy_environment }}"') == 1
    assert not re.search(r"\brancher_export_(copy_)?environment\b", text)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rancher_export_state": "absent"}, "Set rancher_export_copy to the stack that is to go"),
        ({"rancher_export_state": "absent", "rancher_export_copy": None}, "Set rancher_export_copy to the stack"),
        ({"rancher_export_copy": "Copy"}, "Set rancher_export_directory"),
        ({"rancher_export_directory": None}, "Set rancher_export_directory"),
        ({"rancher_export_state": "absent", "rancher_export_copy": "Copy"}, ""),
    ],
)
def test_what_is_needed_for_a_state_is_asked_for_before_the_server_is(
    tmp_path: Path, given: dict[str, Any], said: str
) -> None:
    code, shown = play(tmp_path, [preflight("rancher_export")], {"rancher_export_stack": "Shop", **given})
    assert (code == 0) is (not said), shown
    assert said in shown


def test_a_copy_has_the_name_of_its_stack_in_another_environment_only(new_server: RancherLab, tmp_path: Path) -> None:
    """By number, by name or by default, an environment is the same one."""
    other = {"container.schedulers.rancher_environment": {"name": "Other", "wait": False}}
    given = {"rancher_export_stack": "Shop", "rancher_export_copy": "Shop", "rancher_export_state": "absent"}

    def looked(**environments: str) -> dict[str, Any]:
        return {**preflight("rancher_export"), "vars": {**given, **environments}}

    accepted = {"ansible.builtin.debug": {"msg": "Other is another one."}}
    both = looked(rancher_export_copy_environment="Other"), accepted, looked(rancher_export_copy_environment="1a5")
    code, said = new_server.play(tmp_path, other, *both)
    assert code != 0
    assert "Other is another one." in said
    assert "has to be another name than rancher_export_stack, or in another environment" in said
