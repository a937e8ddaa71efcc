# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the demo's report is made of: how long each step of a playbook took, what failed, and what it published.

A step is all tasks that have the same tag of the form ``step_<name>``. A task that has several of these prepares for
the first of them that comes. What the playbook publishes is the run's custom statistics (``ansible.builtin.set_stats``
with ``per_host: false``).
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: steps
type: aggregate
short_description: Write a playbook's steps and published facts to a file
description:
  - Writes a JSON document with the seconds of every step, the first failure, and the run's custom statistics
    to the file that the environment variable E(SCHEDULERS_STEPS_FILE) names.
requirements:
  - named in C(callbacks_enabled)
"""

PREPARING = " "  # no step's name


class CallbackModule(CallbackBase):
    """Collects while the playbook runs, and writes once at its end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "steps"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._seconds: dict[str, float] = {}
        self._current: str | None = None
        self._since = 0.0
        self._failures: list[dict[str, str]] = []

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002
        """Every task, whatever host it runs on, belongs to its step, or to none."""
        names = [tag.removeprefix("step_") for tag in task.tags if tag.startswith("step_")]
        if len(names) == 1 and self._current == PREPARING:
            self._current = names[0]
        name = PREPARING if len(names) > 1 else next(iter(names), None)
        if name != self._current:
            self._close_step()
            self._current, self._since = name, time.monotonic()

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """All of them: which one ended the run is only known to who reads them in order."""
        if not ignore_errors:
            message = str(result.result.get("msg", "no message"))
            self._failures.append({"task": result.task.get_name(), "message": message})

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """The end of the run, failed or not."""
        self._close_step()
        steps = [{"name": name, "seconds": seconds} for name, seconds in self._seconds.items()]
        document = {"steps": steps, "failures": self._failures, "published": stats.custom.get("_run", {})}
        Path(os.environ["SCHEDULERS_STEPS_FILE"]).write_text(json.dumps(document, indent=2), encoding="utf-8")

    def _close_step(self) -> None:
        if self._current and self._current != PREPARING:
            taken = time.monotonic() - self._since
            self._seconds[self._current] = self._seconds.get(self._current, 0.0) + taken
