# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab as a process of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from unit.waiting import eventually

TESTS = Path(__file__).parents[2]


def lab(state: Path, command: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lab", command, "--state", str(state), *options],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    lab(tmp_path, "stop")


def test_start_use_stop(state: Path) -> None:
    started = lab(state, "start", "--boot-seconds", "2")
    assert started.returncode == 0, started.stderr
    assert "a simulation of AWS" in started.stdout
    information = json.loads((state / "lab.json").read_text())
    assert information["aws"].startswith("http://127.0.0.1:")
    with urllib.request.urlopen(information["control"] + "/settings", timeout=60) as answer:
        assert json.load(answer)["boot_seconds"] == 2.0
    again = lab(state, "start")
    assert "already running" in again.stdout
    exports = lab(state, "exports").stdout
    assert f"export AWS_ENDPOINT_URL={information['aws']}\n" in exports
    assert "export AWS_ACCESS_KEY_ID=LABNOTASECRET0000001\n" in exports
    stopped = lab(state, "stop")
    assert (stopped.returncode, stopped.stdout) == (0, "lab: stopped\n")
    assert not (state / "lab.json").exists()
    assert (state / "lab.log").read_text() == ""


def test_nothing_runs(state: Path) -> None:
    assert lab(state, "stop").stdout == "lab: not running\n"
    for command in ("status", "exports"):
        answer = lab(state, command)
        assert answer.returncode == 1
        assert answer.stderr.startswith("lab: not running")


def test_run_ends_on_sigterm(state: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "lab", "run", "--state", str(state)],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        eventually((state / "lab.json").exists, "it does not begin", 120, pause=0.05)  # as long as `start` waits
        process.terminate()
        output, _unused = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, output) == (0, b"")
    assert not (state / "lab.json").exists()


def test_taken_port_is_one_sentence(state: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        answer = lab(state, "start", "--port", str(taken.getsockname()[1]))
    assert answer.returncode == 1
    assert "Address already in use" in answer.stderr
    assert "Traceback" not in answer.stderr
