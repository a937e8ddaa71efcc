# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys and region aws_cli writes into a profile, and what it installs: one version, by its checksum."""

from __future__ import annotations

import hashlib
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from unit.roles.playing import play, playbook, preflight

ROLE = {"ansible.builtin.import_role": {"name": "container.schedulers.aws_cli"}}
SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Index:
    """A folder that pip takes for its only index, with an awscli that knows its version and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def publish(self, version: str) -> str:
        """Put a version there; its checksum."""
        about = f"awscli-{version}.dist-info"
        program = f"def main():\n    print('aws-cli/{version} Python/3')\n"
        with zipfile.ZipFile(wheel := self.folder / f"awscli-{version}-py3-none-any.whl", "w") as package:
            package.writestr("awscli.py", program)
            package.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: awscli\nVersion: {version}\n")
            package.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            package.writestr(f"{about}/entry_points.txt", "[console_scripts]\naws = awscli:main\n")
            package.writestr(f"{about}/RECORD", "")
        return hashlib.sha256(wheel.read_bytes()).hexdigest()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    if shutil.which("aws", path=SYSTEM):
        pytest.skip("this machine has an aws of its own")
    (folder := tmp_path / "index").mkdir()
    for name, value in {"PATH": SYSTEM, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}.items():
        monkeypatch.setenv(name, value)
    return Index(folder)


def wanted(folder: Path, version: str, checksum: str) -> dict[str, Any]:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"awscli=={version} \\\n    --hash=sha256:{checksum}\n")
    return {
        "aws_cli_requirements": str(requirements),
        "aws_cli_directory": str(folder / "tool"),
        "aws_cli_config_directory": str(folder / "aws"),
        "aws_cli_region": "eu-west-1",
        "aws_cli_access_key": "",
        "aws_cli_secret_key": "",
    }


def test_one_version_is_installed_by_its_checksum(tmp_path: Path, index: Index) -> None:
    checksum, tool = index.publish("1.0.1"), tmp_path / "tool" / "bin" / "aws"
    code, said = play(tmp_path, [ROLE], wanted(tmp_path, "1.0.1", checksum), "--check")
    assert code == 0, said
    assert not (tmp_path / "tool").exists()

    code, said = play(tmp_path, [ROLE], wanted(tmp_path, "1.0.1", "0" * 64))
    assert code != 0
    assert "DO NOT MATCH THE HASHES" in said
    assert not tool.exists()

    # by the Python that Ansible finds
    found = {"ansible_python_interpreter": "auto_silent", "ansible_interpreter_python_fallback": [sys.executable]}
    code, said = play(tmp_path, [ROLE], wanted(tmp_path, "1.0.1", checksum) | found)
    assert code == 0, said
    assert tool.exists()

    code, said = play(tmp_path, [ROLE], wanted(tmp_path, "1.0.1", checksum), "--check")
    assert code == 0, said
    assert "changed=0" in said

    show = {"ansible.builtin.command": {"argv": ["{{ aws_cli_command }}", "--version"]}}
    code, said = play(tmp_path, [ROLE, show], wanted(tmp_path, "1.0.2", index.publish("1.0.2")), "-v")
    assert code == 0, said
    assert "aws-cli/1.0.2" in said

    code, said = play(tmp_path, [ROLE], {**wanted(tmp_path, "1.0.2", "0"), "aws_cli_state": "absent"})
    assert code == 0, said
    assert not (tmp_path / "tool").exists()


@pytest.mark.parametrize("name", ["pyvenv.cfg", "requirements.txt"])
def test_a_directory_of_somebody_else_is_left_alone(tmp_path: Path, index: Index, name: str) -> None:
    given = wanted(tmp_path, "1.0.1", index.publish("1.0.1"))
    (file := tmp_path / "tool" / name).parent.mkdir()
    file.write_text("awscli==1.0.1")
    code, said = play(tmp_path, [ROLE], given)
    assert code != 0
    assert "has files that this role has not written" in said
    code, said = play(tmp_path, [ROLE], {**given, "aws_cli_state": "absent"})
    assert code == 0, said
    assert [one.name for one in file.parent.iterdir()] == [name]


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


def test_keys_are_written_for_their_owner_only_and_never_shown(tmp_path: Path) -> None:
    folder, secrets = (
        tmp_path / "aws",
        ("LABNOTASECRETKEY0001", "lab-not-a-secret-key-000001", "lab-not-a-secret-token-1"),
    )
    given = {
        "aws_cli_install": False,
        "aws_cli_verify": False,
        "aws_cli_region": "eu-west-1",
        "aws_cli_config_directory": str(folder),
        **dict(zip(("aws_cli_access_key", "aws_cli_secret_key", "aws_cli_session_token"), secrets, strict=True)),
    }
    code, written = play(tmp_path, [ROLE], given, "-vvv", "--diff")
    assert code == 0, written
    files = [folder / "config", folder / "credentials"]
    assert [oct(path.stat().st_mode & 0o777) for path in files] == ["0o600", "0o600"]
    assert [secret for secret in secrets if secret not in files[1].read_text()] == []

    code, removed = play(tmp_path, [ROLE], {**given, "aws_cli_state": "absent"}, "-vvv", "--diff")
    assert code == 0, removed
    assert [path.read_text().strip() for path in files] == ["", ""]
    assert [secret for secret in secrets if secret in written + removed] == []


@pytest.fixture
def no_region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without AWS configuration, and no region in the environment."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("given", "environment", "region"),
    [
        ({"aws_region": "eu-west-1"}, {"AWS_REGION": "eu-west-2"}, "eu-west-1"),
        ({"aws_region": ""}, {"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-2"),
        ({}, {"AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-3"),
        ({}, {}, "sa-east-1"),
        ({}, {"AWS_PROFILE": "work"}, "ca-west-1"),
        ({"aws_profile": "work"}, {"AWS_PROFILE": "default"}, "ca-west-1"),
    ],
)
def test_the_region_is_found_where_the_modules_find_theirs(
    no_region: Path,
    monkeypatch: pytest.MonkeyPatch,
    given: dict[str, Any],
    environment: dict[str, str],
    region: str,
) -> None:
    (no_region / ".aws").mkdir()
    (no_region / ".aws" / "config").write_text("[default]\nregion = sa-east-1\n\n[profile work]\nregion = ca-west-1\n")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    show = {"ansible.builtin.debug": {"msg": "region: {{ aws_cli_region }}."}}
    code, said = play(no_region, [preflight("aws_cli"), show], given)

    assert code == 0, said
    assert f"region: {region}." in said


def test_a_profile_without_any_region_is_refused(no_region: Path) -> None:
    code, said = play(no_region, [preflight("aws_cli")], {"aws_profile": "unknown"})
    assert code != 0
    assert "Set aws_cli_region (or aws_region, or AWS_REGION)" in said


@pytest.mark.parametrize("walk", ["ecs", "kubernetes", "site"])
def test_a_walk_hands_its_region_and_endpoint_to_the_tool(
    no_region: Path, monkeypatch: pytest.MonkeyPatch, walk: str
) -> None:
    """The tool is a stand-in that says whom it would have asked."""
    (tool := no_region / "bin" / "aws").parent.mkdir()
    tool.write_text('#!/bin/sh\nprintf \'{"Account": "%s"}\' "$AWS_ENDPOINT_URL"\n')
    tool.chmod(0o755)
    keys = {"AWS_ACCESS_KEY_ID": "lab-not-a-secret-01", "AWS_SECRET_ACCESS_KEY": "lab-not-a-secret-02"}
    for name, value in {"PATH": f"{tool.parent}:{SYSTEM}", **keys}.items():
        monkeypatch.setenv(name, value)
    given = {"aws_region": "eu-west-1", "aws_endpoint_url": "http://127.0.0.1:9", "kubectl_program": sys.executable}
    _code, said = playbook(
        no_region, f"container.schedulers.{walk}", given, "--tags", "step_tools", "--limit", "localhost"
    )

    assert "Profile schedulers is account http://127.0.0.1:9." in said
    assert "region = eu-west-1" in (no_region / ".aws" / "config").read_text()
