# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation shows of a role is what its argument spec accepts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("roles/*/README.md")])


def roles(part: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every role in an example, with the variables that are its own."""
    if isinstance(part, dict):
        if str(part.get("role", "")).startswith("container.schedulers."):
            name = part["role"].rpartition(".")[2]
            yield name, {key: value for key, value in part.get("vars", {}).items() if key.startswith(f"{name}_")}
        part = list(part.values())
    for below in part if isinstance(part, list) else ():
        yield from roles(below)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_of_roles_are_accepted(page: Path) -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    errors = {}
    for name, given in roles([yaml.safe_load(block) for block in blocks]):
        spec = yaml.safe_load((ROOT / "roles" / name / "meta" / "argument_specs.yml").read_text())
        validated = ArgumentSpecValidator(spec["argument_specs"]["main"]["options"]).validate(given)
        errors |= {name: validated.error_messages} if validated.error_messages else {}

    assert errors == {}
