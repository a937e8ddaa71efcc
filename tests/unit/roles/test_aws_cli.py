# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys of the environment aws_cli writes into a profile."""

from __future__ import annotations

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
