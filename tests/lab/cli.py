# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab as a process: in the foreground, in the background, found again by its state directory."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from lab.account import ACCESS_KEY_ID, DIGITALOCEAN_TOKEN, SECRET_ACCESS_KEY
from lab.kubernetes import programs
from lab.world import Settings

_START_SECONDS = 120.0
_STOP_SECONDS = 60.0
_ANSWER_SECONDS = 30.0
"""A busy machine may need long for what takes a moment. Where nobody listens, that is known at once."""


class LabError(Exception):
    """What went wrong, as one sentence for the terminal."""


def run(state: Path, port: int, settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT."""
    server = importlib.import_module("lab.server")  # takes half a second: not for `stop` and `exports`
    state.mkdir(parents=True, exist_ok=True)
    settings.scratch.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=state / "requests.log",
        filemode="w",
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
    )
    logging.getLogger("botocore").setLevel(logging.WARNING)
    ended = threading.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_unused: ended.set())
    lab = server.build(settings)
    try:
        lab.start(port)
    except OSError as error:
        raise LabError(f"cannot listen on port {port}: {error.strerror}") from error
    lab.warm_up()
    information = {"pid": os.getpid(), **lab.world.addresses, "warnings": lab.world.warnings}
    _write_atomically(state / "lab.json", json.dumps(information, indent=2) + "\n")
    try:
        ended.wait()
    finally:
        (state / "lab.json").unlink(missing_ok=True)
        lab.stop()
    return 0


def start(state: Path, port: int, settings: Settings) -> int:
    if _answers(_read(state)):
        print(f"lab: already running, state in {state}")
        return status(state)
    state.mkdir(parents=True, exist_ok=True)
    (state / "lab.json").unlink(missing_ok=True)
    options = [
        f"--{field.name.replace('_', '-')}={getattr(settings, field.name)}"
        for field in dataclasses.fields(settings)
        if field.type in ("float", "int", "str")
    ]
    with (state / "lab.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "lab", "run", "--state", str(state), "--port", str(port), *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(_read(state)):
        if process.poll() is not None:
            raise LabError((state / "lab.log").read_text()[-2000:].removeprefix("lab: ").strip() or "it ended at once")
        if time.monotonic() > deadline:
            process.kill()
            raise LabError(f"it did not answer within {_START_SECONDS:.0f} s; see {state / 'lab.log'}")
        time.sleep(0.05)
    return status(state)


def stop(state: Path) -> int:
    """Ends the lab whose state this is; a lab that does not run is not an error."""
    information = _read(state)
    if not _answers(information):
        (state / "lab.json").unlink(missing_ok=True)
        print("lab: not running")
        return 0
    pid = information["pid"]
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < deadline and _alive(pid):
            time.sleep(0.05)
        if _alive(pid):
            os.kill(pid, signal.SIGKILL)
    (state / "lab.json").unlink(missing_ok=True)
    print("lab: stopped")
    return 0


def status(state: Path) -> int:
    information = _read(state)
    if not _answers(information):
        raise LabError(f"not running (state in {state})")
    print(
        f"lab: a simulation of AWS, DigitalOcean and Rancher, process {information['pid']}; "
        "nothing in it exists or costs money"
    )
    for name in ("aws", "digitalocean", "rancher", "github", "proxy", "control"):
        if name in information:
            print(f"  {name:13}{information[name]}")
    for warning in information["warnings"]:
        print(f"  note:   {warning}")
    return 0


def exports(state: Path) -> int:
    information = _read(state)
    if not _answers(information):
        raise LabError(f"not running (state in {state}); start it first")
    values = {
        "AWS_ENDPOINT_URL": information["aws"],
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "DIGITALOCEAN_API_URL": information["digitalocean"],
        "DIGITALOCEAN_ACCESS_TOKEN": DIGITALOCEAN_TOKEN,
        "RANCHER_URL": information["rancher"],
        "LAB_CONTROL": information["control"],
        "LAB_PROXY": information.get("proxy", ""),
        **_kubectl(),
    }
    for name, value in values.items():
        print(f"export {name}={value}")
    return 0


def _kubectl() -> dict[str, str]:
    """The kubectl that fits the clusters of the lab, if it is built."""
    try:
        found = programs.find()
    except programs.ProgramsError:
        return {}
    return {"LAB_KUBECTL": found["kubectl"]} if found else {}


def _read(state: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads((state / "lab.json").read_text())
    except (OSError, ValueError):
        return {}
    return document


def _answers(information: dict[str, Any]) -> bool:
    if not information:
        return False
    try:
        with urllib.request.urlopen(information["control"], timeout=_ANSWER_SECONDS) as answer:
            return bool(json.load(answer)["pid"] == information["pid"])
    except (OSError, ValueError, KeyError):
        return False


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (ProcessLookupError, FileNotFoundError):
        return False
    return stat[0] != "Z"


def _write_atomically(path: Path, text: str) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text)
    temporary.replace(path)
