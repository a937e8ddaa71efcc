# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates of a role as Ansible renders them, in a process of their own: its plugin loader takes over all imports.

Standard input is a JSON document with the role's folder, the expression and a list of variables; the answer is a list
of what the expression is with each of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template


def rendered(role: Path, expression: str, variables: list[dict[str, Any]]) -> list[Any]:
    """The expression with the role's defaults and vars, once for each set of variables."""
    request = {"role": str(role), "expression": expression, "variables": variables}
    finished = subprocess.run(
        [sys.executable, __file__], input=json.dumps(request), capture_output=True, text=True, timeout=120, check=False
    )
    assert finished.returncode == 0, finished.stderr
    answer: list[Any] = json.loads(finished.stdout)
    return answer


def _render(role: Path, expression: str, variables: list[dict[str, Any]]) -> list[Any]:
    init_plugin_loader()
    loader = DataLoader()
    known: dict[str, Any] = {"ansible_search_path": [str(role)]}
    for folder in ("defaults", "vars"):
        known |= loader.load_from_file(str(role / folder / "main.yml"), trusted_as_template=True)
    trusted = trust_as_template(expression)
    return [Templar(loader=loader, variables=known | one).template(trusted) for one in variables]


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    json.dump(_render(Path(asked["role"]), asked["expression"], asked["variables"]), sys.stdout)
