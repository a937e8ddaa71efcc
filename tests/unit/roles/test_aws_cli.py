# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys of the environment aws_cli writes into a profile, and with which Python it installs the tool."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from unit.roles.playing import play, preflight


@pytest.mark.parametrize(
    ("token", "keys"), [("AWS_UNRELATED", "key/secret"), ("AWS_SESSION_TOKEN", "/"), ("AWS_SECURITY_TOKEN", "/")]
)
def test_keys_that_are_good_for_hours_are_not_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str, keys: str
) -> None:
    """botocore takes the token by either name; AWX gives it by the older one, and newer versions by both."""
    environment = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1"}
    for name, value in {**environment, token: "token"}.items():
        monkeypatch.setenv(name, value)
    show = {"ansible.builtin.debug": {"msg": "keys: {{ aws_cli_access_key }}/{{ aws_cli_secret_key }}."}}
    code, said = play(tmp_path, [preflight("aws_cli"), show], {"aws_cli_config_directory": str(tmp_path)})

    assert code == 0, said
    assert f"keys: {keys}." in said


def test_the_python_that_ansible_has_found_makes_the_virtual_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PATH": "/usr/bin:/bin", "PIP_INDEX_URL": "http://127.0.0.1:9", "PIP_RETRIES": "0"}.items():
        monkeypatch.setenv(name, value)
    given = {
        "ansible_python_interpreter": "auto_silent",
        "ansible_interpreter_python_fallback": [sys.executable],
        "aws_cli_region": "eu-west-1",
        "aws_cli_directory": str(tmp_path / "venv"),
        "aws_cli_config_directory": str(tmp_path),
    }
    play(tmp_path, [{"ansible.builtin.import_role": {"name": "container.schedulers.aws_cli"}}], given)

    assert (tmp_path / "venv" / "bin" / "python").exists()  # there is no index to take the tool itself from


def test_it_makes_a_profile_for_every_item_of_a_loop_around_it(tmp_path: Path) -> None:
    included = {
        "ansible.builtin.include_role": {"name": "container.schedulers.aws_cli"},
        "vars": {"aws_cli_profile": "{{ item.name }}"},
        "loop": [{"name": "first"}, {"name": "second"}],
    }
    given = {
        "aws_cli_install": "false",
        "aws_cli_region": "eu-west-1",
        "aws_cli_access_key": "",
        "aws_cli_secret_key": "",
        "aws_cli_config_directory": str(tmp_path),
    }
    code, said = play(tmp_path, [included], given)

    assert code == 0, said
    config = (tmp_path / "config").read_text()
    assert "[profile first]" in config
    assert "[profile second]" in config
