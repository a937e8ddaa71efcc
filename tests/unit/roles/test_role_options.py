# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role offers what its module offers: what one of the two gains or changes must not be forgotten in the other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
PLUGINS = "ansible_collections.container.schedulers.plugins"
FRAGMENTS = ("aws", "wait")
CONNECTION = "aws"  # by module_defaults or the environment, never by a role's variable
COMPARED = ("type", "elements", "choices", "default", "required")
ROLES = {
    "ecs_cluster": "ecs_cluster",
    "ecs_app": "ecs_cluster_app",
    "kubernetes_cluster": "k8s_aws_cluster",
    "kubernetes_app": "k8s_cluster_app",
    "kubernetes_wordpress": "k8s_wordpress",
}
ALL_ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())


def fragment(name: str) -> dict[str, Any]:
    text = import_module(f"{PLUGINS}.doc_fragments.{name}").ModuleDocFragment.DOCUMENTATION
    options: dict[str, Any] = yaml.safe_load(text)["options"]
    return options


def module_options(module: str) -> dict[str, Any]:
    own = yaml.safe_load(import_module(f"{PLUGINS}.modules.{module}").DOCUMENTATION)["options"]
    everything = {**fragment("wait"), **own}
    return {name: option for name, option in everything.items() if name not in fragment(CONNECTION)}


def role_options(role: str) -> dict[str, Any]:
    spec = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text())
    options: dict[str, Any] = spec["argument_specs"]["main"]["options"]
    return options


def essence(option: Mapping[str, Any]) -> dict[str, Any]:
    below = option.get("suboptions") or option.get("options") or {}
    return {
        **{name: option[name] for name in COMPARED if name in option},
        "options": {name: essence(one) for name, one in below.items()},
    }


@pytest.mark.parametrize(("role", "module"), ROLES.items())
def test_the_role_has_every_option_of_its_module(role: str, module: str) -> None:
    offered = {name: essence(option) for name, option in role_options(role).items()}
    expected = {f"{role}_{name}": essence(option) for name, option in module_options(module).items()}

    assert {name: offered.get(name) for name in expected} == expected


@pytest.mark.parametrize(("role", "module"), ROLES.items())
def test_the_role_passes_every_option_on(role: str, module: str) -> None:
    task = yaml.safe_load((ROOT / "roles" / role / "tasks" / "present.yml").read_text())[0]
    passed = task[f"container.schedulers.{module}"]

    only_for_absent = {"delete_data", "force"}
    assert {*passed} == {*module_options(module)} - only_for_absent | {"state"}


def hidden_wholes(options: Mapping[str, Any]) -> list[str]:
    """Options that are hidden with all their parts."""
    nested = {name: option["options"] for name, option in options.items() if "options" in option}
    return [name for name in nested if options[name].get("no_log")] + [
        name for below in nested.values() for name in hidden_wholes(below)
    ]


@pytest.mark.parametrize("role", ["rancher_app", "rancher_catalog", "rancher_wordpress"])
def test_what_somebody_else_has_put_into_a_stack_goes_with_it_if_the_role_is_told_so(role: str) -> None:
    (task,) = yaml.safe_load((ROOT / "roles" / role / "tasks" / "absent.yml").read_text())
    module = task["container.schedulers.rancher_stack"]

    assert {name: module.get(name) for name in ("adopt", "delete_data")} == {
        "adopt": f"{{{{ {role}_adopt }}}}",
        "delete_data": f"{{{{ {role}_delete_data }}}}",
    }


@pytest.mark.parametrize("role", ALL_ROLES)
def test_what_is_hidden_is_a_secret(role: str) -> None:
    """From ansible-core 2.22 on each part of it is a secret for the whole run: "wordpress" in every line."""
    entry_points = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text())["argument_specs"]

    assert [name for point in entry_points.values() for name in hidden_wholes(point["options"])] == []


NO_SECRETS = {
    "access_key": "the id of a pair of keys",
    "api_key_file": "a path",
    "api_key_name": "a name",
    "image_pull_secrets": "names of Secrets",
    "key_name": "the name of a key pair",
    "secrets": "where they are",
    "ssh_keys": "ids and public keys",
    "ssh_public_key_files": "paths",
    "volume_kms_key": "names a key",
}


def shown(options: Mapping[str, Any], prefix: str) -> Iterator[str]:
    """What is not hidden, at any depth, and does not look like something that everybody may see."""
    for name, option in options.items():
        secret = re.search("key|pass|secret|token", name) and name.removeprefix(prefix) not in NO_SECRETS
        if secret and not option.get("no_log"):
            yield name
        yield from shown(option.get("options", {}), prefix)


@pytest.mark.parametrize("role", ALL_ROLES)
def test_what_is_a_secret_is_hidden(role: str) -> None:
    entry_points = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text())["argument_specs"]

    assert [name for point in entry_points.values() for name in shown(point["options"], f"{role}_")] == []


def tasks_of(part: Any) -> Iterator[dict[str, Any]]:
    """Every task in a file, those in blocks too."""
    for task in part or ():
        yield task
        for below in ("block", "rescue", "always"):
            yield from tasks_of(task.get(below))


@pytest.mark.parametrize("role", ALL_ROLES)
def test_loops_leave_item_to_those_who_include_the_role_in_a_loop(role: str) -> None:
    """Variables that are given with it are rendered where they are used: item would be the role's there."""
    files = (ROOT / "roles" / role).glob("tasks/**/*.yml")
    loops = [task for file in files for task in tasks_of(yaml.safe_load(file.read_text())) if "loop" in task]
    theirs = [
        one["name"] for one in loops if not one.get("loop_control", {}).get("loop_var", "").startswith(f"__{role}")
    ]

    assert theirs == []


@pytest.mark.parametrize("role", ALL_ROLES)
def test_defaults_of_modules_are_left_to_the_play(role: str) -> None:
    """Those of a block replace the play's for the same module, with the cluster or the account that it names."""
    files = (ROOT / "roles" / role).glob("tasks/**/*.yml")
    theirs = [
        task for file in files for task in tasks_of(yaml.safe_load(file.read_text())) if "module_defaults" in task
    ]

    assert theirs == []


@pytest.mark.parametrize("role", ALL_ROLES)
def test_defaults_are_those_of_the_argument_spec(role: str) -> None:
    defaults = yaml.safe_load((ROOT / "roles" / role / "defaults" / "main.yml").read_text())
    options = role_options(role)

    documented = {name: option["default"] for name, option in options.items() if "default" in option}
    from_the_environment = {name for name, value in defaults.items() if "lookup(" in str(value)}
    assert {name: value for name, value in defaults.items() if name not in from_the_environment} == documented
    assert from_the_environment <= {*options}
