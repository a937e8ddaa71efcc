# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation shows of roles and modules is what their argument specs accept, and what it calls is there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from unit.module_specs import NAMES, module_of, spec_of

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("roles/*/README.md")])
HANDBOOKS = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "tests" / "integration" / "README.md"]
COLLECTION = "container.schedulers."
COMMANDS = {  # what follows, and the files in which it has to be
    r"ansible-playbook container\.schedulers\.(\w+)": "playbooks/{}.yml",
    r"(playbooks/\w+\.yml)": "{}",
    r"run_ansible_test\.py integration (\w+)": "tests/integration/targets/{}",
}


def blocks(page: Path, language: str) -> list[str]:
    """The code on a page, that in lists too."""
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```", page.read_text(), re.DOTALL | re.MULTILINE)
    return [dedent(block) for block in found]


def roles(part: Any, above: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every role in an example, with the variables that are its own, those of its play among them."""
    if isinstance(part, dict):
        given = {**above, **part.get("vars", {})}
        if str(part.get("role", "")).startswith(COLLECTION):
            name = part["role"].removeprefix(COLLECTION)
            yield name, {key: value for key, value in given.items() if key.startswith(f"{name}_")}
        above, part = given, list(part.values())
    for below in part if isinstance(part, list) else ():
        yield from roles(below, above)


def tasks(part: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every module in an example, with its options."""
    if isinstance(part, dict):
        called = {key: value for key, value in part.items() if key.startswith(COLLECTION)}
        yield from ((key.removeprefix(COLLECTION), value or {}) for key, value in called.items())
        part = [value for key, value in part.items() if key != "module_defaults"]
    for below in part if isinstance(part, list) else ():
        yield from tasks(below)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_of_roles_are_accepted(page: Path) -> None:
    errors: dict[str, list[str]] = {}
    for name, given in roles([yaml.safe_load(block) for block in blocks(page, "yaml")], {}):
        spec = yaml.safe_load((ROOT / "roles" / name / "meta" / "argument_specs.yml").read_text())
        validated = ArgumentSpecValidator(spec["argument_specs"]["main"]["options"]).validate(given)
        errors |= {name: validated.error_messages} if validated.error_messages else {}

    assert errors == {}


def refused(name: str, given: Mapping[str, Any]) -> list[str]:
    """What a module would say of its options. What a template makes of a list or a number is not known here."""
    kwargs = spec_of(name).to_kwargs()
    options = kwargs.pop("argument_spec")
    made = {one for one, value in given.items() if isinstance(value, str) and "{{" in value}
    unknown = {one for one in made if options[one].get("type", "str") not in ("str", "path", "raw")}
    options |= {one: {**options[one], "required": False} for one in unknown}
    known = {one: value for one, value in given.items() if one not in unknown}
    messages: list[str] = ArgumentSpecValidator(options, **kwargs).validate(known).error_messages
    return messages


@pytest.mark.parametrize("source", [*PAGES, *NAMES], ids=lambda one: one if isinstance(one, str) else one.parts[-2])
def test_examples_of_modules_are_accepted(source: Path | str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITALOCEAN_ACCESS_TOKEN", "no-secret")
    monkeypatch.setenv("RANCHER_URL", "http://203.0.113.10:8080")
    texts = [module_of(source).EXAMPLES] if isinstance(source, str) else blocks(source, "yaml")
    shown = list(tasks([yaml.safe_load(text) for text in texts]))

    assert [(name, messages) for name, given in shown if (messages := refused(name, given))] == []


@pytest.mark.parametrize("page", HANDBOOKS, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_commands_call_is_there(page: Path) -> None:
    text = "\n".join(blocks(page, "shell"))
    called = [place.format(name) for command, place in COMMANDS.items() for name in re.findall(command, text)]

    assert [path for path in called if not (ROOT / path).exists()] == []
