# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tools that roles install: of one version and checksum, once, and not where a machine has its own."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from unit.roles.playing import play

SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ROLE = [{"ansible.builtin.import_role": {"name": "container.schedulers.aws_cli"}}]


class Index:
    """A folder that pip takes for its only index, with an awscli that knows its version and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"PATH": SYSTEM, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}

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
def index(tmp_path: Path) -> Index:
    if shutil.which("aws", path=SYSTEM):
        pytest.skip("this machine has an aws of its own")
    (folder := tmp_path / "index").mkdir()
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


def test_aws_is_installed_once_and_follows_its_requirements(tmp_path: Path, index: Index) -> None:
    first = wanted(tmp_path, "1.0.1", index.publish("1.0.1"))
    for arguments, changes in [((), True), (("--check",), False)]:
        code, said = play(tmp_path, ROLE, first, arguments=arguments, environment=index.environment)
        assert code == 0, said
        assert ("changed=0" not in said) is changes, said
    second = wanted(tmp_path, "1.0.2", index.publish("1.0.2"))
    show = [*ROLE, {"ansible.builtin.command": {"argv": ["{{ aws_cli_command }}", "--version"]}}]
    code, said = play(tmp_path, show, second, arguments=("-v",), environment=index.environment)
    assert code == 0, said
    assert "aws-cli/1.0.2" in said


def test_a_package_of_another_checksum_is_not_installed(tmp_path: Path, index: Index) -> None:
    index.publish("1.0.1")
    given = wanted(tmp_path, "1.0.1", "0" * 64)
    code, said = play(tmp_path, ROLE, given, arguments=("--check",), environment=index.environment)
    assert code == 0, said
    assert not (tmp_path / "tool").exists()
    code, said = play(tmp_path, ROLE, given, environment=index.environment)
    assert code != 0
    assert "DO NOT MATCH THE HASHES" in said
    assert not (tmp_path / "tool" / "bin" / "aws").exists()
