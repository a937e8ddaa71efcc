# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets on the next ansible-core, whose masking is another one.

The modules only: they run on every Python that is tested, ansible-core's own programs need a newer one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from package.surroundings import Command, Installation, run

NEXT = "ansible-core==2.22.0rc1"
PASSWORD = "lab-not-a-secret-password-000406"
TOKEN = "lab-not-a-secret-token-000407"
MANIFEST = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"door": PASSWORD}}
KUBECONFIG = {
    "current-context": "lost",
    "clusters": [{"name": "lost", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "lost", "user": {"token": TOKEN}}],
    "contexts": [{"name": "lost", "context": {"cluster": "lost", "user": "lost"}}],
}
PROGRAM = """
import json, sys
from ansible.module_utils._internal import _logging
from ansible.module_utils.testing import patch_module_args
from ansible_collections.container.schedulers.plugins.modules import k8s_apply
_logging.has_journal = False
_logging.syslog.syslog = lambda priority, text: print(text, file=sys.stderr)
with patch_module_args(json.loads(sys.stdin.read())):
    k8s_apply.main()
"""


@pytest.fixture(scope="module")
def core(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The next ansible-core, beside the installed one."""
    folder = tmp_path_factory.mktemp("core")
    pip: Command = [installation.programs / "python", "-m", "pip", "install", "--quiet", "--target", folder]
    run([*pip, "--no-deps", "--ignore-requires-python", NEXT], installation.environment)
    return folder


@pytest.mark.parametrize(
    ("more", "message"), [({}, "owner is 'No Name'"), ({"nosuch": 1}, "Unsupported parameters")], ids=["own", "core's"]
)
def test_the_secrets_in_options_are_known_to_ansible(
    installation: Installation, core: Path, more: dict[str, Any], message: str
) -> None:
    path = f"{core}:{installation.collection.parents[2]}"
    options = {"owner": "No Name", "definition": [MANIFEST], "kubeconfig": KUBECONFIG, **more}
    command: Command = [installation.programs / "python", "-c", PROGRAM]
    done = run(command, installation.environment | {"PYTHONPATH": path}, given=json.dumps(options), code=1)
    result = json.loads(done.stdout)
    assert message in result["msg"]
    assert {PASSWORD, TOKEN} <= {*result["_ansible_new_secrets"]}  # what ansible-core hides wherever it shows anything
    assert PASSWORD not in done.stderr
    assert TOKEN not in done.stderr
    assert ("Invoked with owner=No Name" in done.stderr) is (not more)  # ansible-core logs no options that it refuses
