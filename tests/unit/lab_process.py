# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab in a process of its own, for tests whose code or clients are other processes, too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]


class LabProcess:
    """A running lab.

    Args:
        addresses: where its services are, by name.
        answer_seconds: within these its own API answers.
    """

    def __init__(self, addresses: Mapping[str, str], answer_seconds: float) -> None:
        self.addresses = addresses
        self._answer_seconds = answer_seconds

    def control(self, method: str, path: str, body: object = None) -> Any:
        """The lab's own API."""
        return self.call("control", method, path, body)

    def call(self, service: str, method: str, path: str, body: object = None) -> Any:
        """Any service that speaks JSON and wants no credentials."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        request = urllib.request.Request(f"{self.addresses[service]}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=self._answer_seconds) as answer:
            return json.loads(answer.read() or b"null")


@contextmanager
def running_lab(state: Path) -> Iterator[Mapping[str, str]]:
    """The addresses of a lab with its state in a folder, which is stopped at the end."""
    command = [sys.executable, "-m", "lab"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    environment["PYTHONPATH"] = str(TESTS)
    subprocess.run([*command, "start", "--state", str(state)], check=True, capture_output=True, env=environment)
    try:
        yield json.loads((state / "lab.json").read_text())
    finally:
        subprocess.run([*command, "stop", "--state", str(state)], check=False, capture_output=True, env=environment)
