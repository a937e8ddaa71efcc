# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""rancher/agent on a machine of the lab: fetches the registration script, reports the host, until that works."""

from __future__ import annotations

import base64
import json
import logging
import threading
import urllib.request
from urllib.parse import parse_qsl

from lab.machines import Container, Stop
from lab.world import World

log = logging.getLogger("lab")
_PAUSE = 0.5
_AGENT = "rancher-agent/1.0 (lab)"


def install(world: World) -> None:
    world.machines.on_image("rancher/agent", start)


def start(container: Container) -> Stop | None:
    """The URL is the last word of its command line."""
    if not container.command or not container.command[-1].startswith("http"):
        return None
    stopped = threading.Event()
    threading.Thread(target=_register, args=(container, stopped), name="lab-rancher-agent", daemon=True).start()
    return stopped.set


def _register(container: Container, stopped: threading.Event) -> None:
    while not stopped.is_set():
        try:
            _once(container)
        except (OSError, ValueError, KeyError) as error:
            log.debug("agent on %s: %s", container.machine.name, error)
            stopped.wait(_PAUSE)
        else:
            return


def _once(container: Container) -> None:
    script = _ask(container.command[-1])
    values = dict(line.split("=", 1) for line in script.splitlines() if "=" in line)
    facts = {
        "token": values["CATTLE_REGISTRATION_ACCESS_KEY"].partition(".")[2],
        "secret": values["CATTLE_REGISTRATION_SECRET_KEY"],
        "hostname": container.machine.name,
        "address": container.environment.get("CATTLE_AGENT_IP") or container.machine.address,
        "labels": dict(parse_qsl(container.environment.get("CATTLE_HOST_LABELS", ""), keep_blank_values=True)),
        "physicalHost": container.environment.get("CATTLE_PHYSICAL_HOST_ID"),
    }
    key = base64.b64encode(json.dumps(facts).encode()).decode()
    _ask(values["CATTLE_URL"] + "/register", json.dumps({"key": key}).encode())


def _ask(url: str, body: bytes | None = None) -> str:
    headers = {"User-Agent": _AGENT, "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
        return str(answer.read().decode())
