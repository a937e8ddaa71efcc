# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that run where they are installed, and where they do not: as ansible-playbook runs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.release import __version__ as core
from ansible_collections.container.schedulers.plugins.plugin_utils._in_place import TRIED

PLUGINS = Path(__file__).parents[4] / "plugins"
MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))
IN_PLACE, PACKED = "where it is installed", "in the file that was sent"
HERE = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
OTHER_PYTHON = str(Path(sys.executable).parent / ".." / "bin" / Path(sys.executable).name)  # in name only
WRONG_NAME = """A 'name' "of" \\ {{'{{'}} é % $HOME"""
REFUSED = {"container.schedulers.k8s_apply": {"owner": WRONG_NAME, "definition": [], "kubeconfig": {"a": [None, 1.5]}}}


class Play:
    """Tasks that ansible-playbook plays, each of which is refused by its module."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "ANSIBLE_DISPLAY_TRACEBACK": "error"}
        self.hosts: dict[str, dict[str, Any]] = {"localhost": HERE}

    def said(self, task: dict[str, Any], *options: str, host: str = "localhost", **keywords: Any) -> tuple[str, str]:
        """What the module said of a task, and where its code was, as tracebacks have it."""
        tasks = [
            {**task, "ignore_errors": True, "register": "told"},
            {"ansible.builtin.debug": {"msg": "said:{{ told.msg | b64encode }}:"}, "failed_when": "not told.failed"},
        ]
        output = self.output({"hosts": host, **keywords, "tasks": tasks}, *options)
        (said,) = re.findall(r"said:(.*):", output)
        code = re.search(r'"(\S+)/container/schedulers/plugins/module_utils/_module.py"', output)
        where = "" if not code else PACKED if "_payload.zip/" in code[1] else IN_PLACE
        return b64decode(said).decode(), where

    def output(self, play: dict[str, Any], *options: str) -> str:
        (self.folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": self.hosts}}))
        (self.folder / "play.yml").write_text(yaml.safe_dump([{"gather_facts": False, **play}]))
        played = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), "-i", "hosts.yml", "play.yml", *options],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        output = played.stdout + played.stderr
        assert played.returncode == 0, output
        return output


@pytest.fixture
def play(tmp_path: Path) -> Play:
    return Play(tmp_path)


def test_each_module_has_its_action() -> None:
    assert {path.stem for path in (PLUGINS / "action").glob("*.py")} == set(MODULES)


@pytest.mark.parametrize("python", [sys.executable, OTHER_PYTHON], ids=["in place", "packed"])
def test_each_module_finds_all_that_it_imports(play: Play, python: str) -> None:
    play.hosts["localhost"] = HERE | {"ansible_python_interpreter": python}
    play.environment["ANSIBLE_DISPLAY_TRACEBACK"] = "never"
    tasks = [{f"container.schedulers.{module}": {"nosuch": 1}, "ignore_errors": True} for module in MODULES]
    output = play.output({"hosts": "localhost", "tasks": tasks})
    reasons = re.findall(r"Task failed: Module failed: (.*)", output)
    assert len(reasons) == len(MODULES)
    of_options = re.compile("Unsupported parameters|missing required arguments|is required|are missing")
    assert [reason for reason in reasons if not of_options.search(reason)] == []


def test_this_release_of_ansible_core_is_one_of_those_that_it_was_tried_with() -> None:
    assert core.rpartition(".")[0] in TRIED


def test_both_ways_say_the_same(play: Play) -> None:
    told, where = play.said(REFUSED)
    assert where == IN_PLACE
    assert repr(WRONG_NAME.replace("{{'{{'}}", "{{")) in told
    play.hosts["localhost"] = HERE | {"ansible_python_interpreter": OTHER_PYTHON}
    assert play.said(REFUSED) == (told, PACKED)


def test_an_implicit_localhost_is_here(play: Play) -> None:
    play.hosts.clear()
    assert play.said(REFUSED)[1] == IN_PLACE


def test_check_mode_and_diff(play: Play) -> None:
    assert play.said(REFUSED, "--check", "--diff")[1] == IN_PLACE


def test_pipelining(play: Play) -> None:
    play.environment["ANSIBLE_PIPELINING"] = "true"
    assert play.said(REFUSED)[1] == IN_PLACE


def test_the_environment_of_a_task(play: Play) -> None:
    task = {"container.schedulers.ecs_cluster_info": {}, "environment": {"AWS_REGION": "mars-north-1"}}
    told, where = play.said(task)
    assert where == IN_PLACE
    assert "mars-north-1" in told


def test_its_own_ansible_core_is_the_one_that_plays(play: Play) -> None:
    (play.folder / "ansible").mkdir()
    (play.folder / "ansible" / "__init__.py").write_text("raise ImportError('another ansible-core')")
    assert play.said({**REFUSED, "environment": {"PYTHONPATH": str(play.folder)}})[1] == IN_PLACE


def test_an_asynchronous_task(play: Play) -> None:
    play.environment["ANSIBLE_ASYNC_DIR"] = str(play.folder / "async")
    told, where = play.said({**REFUSED, "async": 60, "poll": 1})
    assert where == IN_PLACE
    assert "owner" in told


@pytest.mark.parametrize("group", ["group/container.schedulers.kubernetes", "container.schedulers.k8s_apply"])
def test_module_defaults(play: Play, group: str) -> None:
    defaults = {group: {"owner": "No Name"}}
    told, where = play.said({"container.schedulers.k8s_apply": {"definition": []}}, module_defaults=defaults)
    assert where == IN_PLACE
    assert "No Name" in told


def test_a_task_that_another_host_delegates(play: Play) -> None:
    play.hosts["far"] = {"ansible_host": "192.0.2.1", "ansible_connection": "ssh"}
    assert play.said({**REFUSED, "delegate_to": "localhost"}, host="far")[1] == IN_PLACE


def test_not_for_a_host_with_another_python(play: Play) -> None:
    play.hosts["other"] = HERE | {"ansible_python_interpreter": OTHER_PYTHON}
    assert play.said({**REFUSED, "delegate_to": "other"})[1] == PACKED


@pytest.mark.parametrize("python", ["auto", "{{ nothing | default(omit) }}"], ids=["found out", "omitted"])
def test_not_where_the_python_is_not_given(play: Play, python: str) -> None:
    found = {"ansible_interpreter_python_fallback": [sys.executable]}
    play.hosts["localhost"] = HERE | {"ansible_python_interpreter": python} | found
    assert play.said(REFUSED)[1] == PACKED


def test_a_module_of_that_name_in_another_collection(play: Play) -> None:
    modules = play.folder / "collections" / "ansible_collections" / "other" / "things" / "plugins" / "modules"
    modules.mkdir(parents=True)
    (modules / "k8s_apply.py").write_text(
        "from ansible.module_utils.basic import AnsibleModule\n"
        "AnsibleModule({}).fail_json(msg='of the other collection')\n"
    )
    (play.folder / "ansible.cfg").write_text("")  # the one that finds collections beside the playbook
    collections = ["other.things", "container.schedulers"]
    assert play.said({"k8s_apply": {}}, collections=collections) == ("of the other collection", "")


def test_not_as_another_user(play: Play) -> None:
    becoming = play.folder / "su"
    becoming.write_text('#!/bin/sh\nshift\nexec /bin/sh "$@"\n')  # the name of the user, then what su has, too
    becoming.chmod(0o755)
    become = {"become": True, "become_method": "ansible.builtin.su", "become_exe": str(becoming)}
    assert play.said({**REFUSED, **become})[1] == PACKED


@pytest.mark.parametrize(
    ("name", "value"), [("ANSIBLE_KEEP_REMOTE_FILES", "true"), ("ANSIBLE_PYTHON_MODULE_RLIMIT_NOFILE", "1000")]
)
def test_not_where_the_packed_file_matters(play: Play, name: str, value: str) -> None:
    play.environment |= {name: value, "ANSIBLE_REMOTE_TEMP": str(play.folder / "tmp")}
    assert play.said(REFUSED)[1] == PACKED
