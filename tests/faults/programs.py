# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module as a process of its own, without Ansible round it.

The process is forked from this one, which has already imported what the module imports: that takes a quarter of the
time of a new interpreter. This process runs none of it, so that everything a module does and remembers is its own.
"""

from __future__ import annotations

import gc
import importlib
import json
import multiprocessing
import os
import pkgutil
import re
import runpy
import signal
import sys
import tempfile
import textwrap
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 400.0
"""No run may take longer; one that does is killed and counts as not converged."""

_LIBRARIES = ("ansible.module_utils.basic", "boto3", "botocore.config", "jmespath")
_OWN_CODE = "ansible_collections.container.schedulers.plugins.module_utils"
_forks = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Task:
    """A call of a module (or of another program that takes and prints the same)."""

    program: str
    options: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.program.rpartition('.')[2]} {textwrap.shorten(str(dict(self.options)), 200)}"


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its result, or what it printed instead of one."""

    result: Mapping[str, Any] | None
    text: str
    exit_code: int

    @property
    def ok(self) -> bool:
        return self.result is not None and not self.result.get("failed") and self.exit_code == 0

    @property
    def changed(self) -> bool:
        return bool(self.result and self.result.get("changed"))

    @property
    def steps(self) -> list[str]:
        """The steps that it says it has done."""
        return list((self.result or {}).get("steps_done", ()))

    @property
    def under_way(self) -> list[str]:
        """What it says it was doing when it ended."""
        return str((self.result or {}).get("step_failed", "")).split("; ")

    @property
    def told(self) -> str:
        """Why it failed; of a success, what it warns of and could not look at."""
        result = self.result or {}
        unseen = (*result.get("warnings", ()), *result.get("could_not_look", ()))
        return "\n".join(map(str, unseen)) if self.ok else str(result.get("msg", ""))

    def __str__(self) -> str:
        if self.exit_code == -signal.SIGKILL:
            return "killed"
        if self.result is None:
            return f"no result, exit code {self.exit_code}: {self.text.strip()[-1500:]}"
        if self.ok:
            return f"{'changed' if self.changed else 'ok'}: {'; '.join(self.steps)}"
        return f"failed: {self.result.get('msg')}"


class Running:
    """A run that is under way."""

    def __init__(self, task: Task, environment: Mapping[str, str]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="faults-")
        self._output = Path(self._folder.name) / "output"
        arguments = Path(self._folder.name) / "arguments"
        arguments.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": dict(task.options)}))
        become = (task.program, str(arguments), str(self._output), dict(environment))
        self._process = _forks.Process(target=_become, args=become)
        self._process.start()

    def has_ended(self) -> bool:
        return not self._process.is_alive()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self._process.pid and not self.has_ended():
            os.kill(self._process.pid, number)

    def has_noted(self, number: signal.Signals) -> bool:
        """Whether a signal has reached it: the kernel keeps it until the process has its turn on a busy machine."""
        if self.has_ended():  # of it: the kernel goes on saying that it is pending
            return True
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return True
        pending = re.findall(r"^(?:SigPnd|ShdPnd):\s*(\w+)$", status, re.MULTILINE)
        return not any(int(mask, 16) >> (number - 1) & 1 for mask in pending)

    def outcome(self) -> Outcome:
        """Wait for its end."""
        self._process.join(SECONDS)
        if not self.has_ended():
            self._process.kill()
            self._process.join()
        text = self._output.read_text(errors="replace")
        self._folder.cleanup()
        return Outcome(_result(text), text, self._process.exitcode or 0)


def preload() -> None:
    """Import what every fork would import."""
    own = importlib.import_module(_OWN_CODE).__path__
    for name in (*_LIBRARIES, *(found.name for found in pkgutil.walk_packages(own, f"{_OWN_CODE}."))):
        importlib.import_module(name)
    session = sys.modules["boto3"].Session(
        region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none"
    )
    session.client("sts")  # botocore imports most of itself when it makes its first client
    gc.freeze()  # the forks' collections of garbage need not copy these pages


def _become(program: str, arguments: str, output: str, environment: dict[str, str]) -> None:
    """In the fork: turn into the program, with its output going to a file."""
    file = os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.environ.update(environment)
    sys.argv = [program, arguments]
    code: object = 0
    try:
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _result(text: str) -> Mapping[str, Any] | None:
    for line in text.splitlines():
        if line.startswith("{"):
            try:
                document: Mapping[str, Any] = json.loads(line)
            except ValueError:
                continue
            return document
    return None
