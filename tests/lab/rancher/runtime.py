# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs inside containers: processes that can be killed, ports that answer while they live, log lines."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from lab import containers
from lab.containers import Page, Program
from lab.rancher.images import Task, image_of, ports_of, tasks_of
from lab.rancher.ports import parse_all
from lab.rancher.store import Resource

_LOG_LINES = 1000


@dataclass(frozen=True)
class Visit:
    """One HTTP request to a container."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str = "203.0.113.250"
    """Somebody on the internet, unless it is said."""

    @property
    def host(self) -> str:
        """Without the port."""
        return self.headers.get("host", "").lower().partition(":")[0]


Respond = Callable[[Visit], Page]
"""The answer of a program that is not just a page."""


@dataclass
class Running:
    """One container that runs."""

    program: Program
    ports: tuple[int, ...]
    tasks: list[Task]
    log: deque[tuple[datetime, str]] = field(default_factory=lambda: deque(maxlen=_LOG_LINES))
    first_tasks: tuple[Task, ...] = ()
    """Those that the start has begun."""
    stopped_programs: set[str] = field(default_factory=set)
    """What supervisorctl was told to stop: it is not started again."""
    responders: dict[int, Respond] = field(default_factory=dict)
    """By port."""
    files: dict[str, str] = field(default_factory=dict)
    """What the image and the container itself have; volumes.py knows what is mounted over it."""

    def answers(self, port: int) -> bool:
        """Is there a process that listens on this port?"""
        owners = [task for task in self.tasks if task.port == port]
        known = any(task.port == port for task in self.first_tasks)
        return port in self.ports and (bool(owners) or not known) and bool(self.tasks)

    def page(self, port: int, visit: Visit) -> Page:
        respond = self.responders.get(port)
        return respond(visit) if respond else containers.page(self.program, visit.path)


def begin(instance: Resource, now: datetime) -> Running:
    """What `docker start` makes of it."""
    image = image_of(instance.fields)
    command = tuple(str(word) for word in instance["command"] or ())
    mapped = tuple(port.private for port in parse_all([*(instance["ports"] or ()), *(instance["expose"] or ())]))
    program = Program(image, host_name(instance), command, mapped)
    listening = ports_of(image, tuple(port for port in _candidates(mapped) if containers.listens(program, port)))
    tasks = tasks_of(image, command, listening)
    running = Running(program, listening, list(tasks), first_tasks=tuple(tasks), files=_files(instance))
    for line in containers.first_lines(program):
        running.log.append((now, line))
    return running


def host_name(instance: Resource) -> str:
    override = (instance["labels"] or {}).get("io.rancher.container.hostname_override")
    if override == "container_name":
        return instance.name
    return str(instance["hostname"] or str(instance["externalId"])[:12])


def _files(instance: Resource) -> dict[str, str]:
    name = host_name(instance)
    return {
        "/etc/hostname": f"{name}\n",
        "/etc/hosts": f"127.0.0.1\tlocalhost\n{instance['primaryIpAddress'] or '127.0.0.1'}\t{name}\n",
        "/etc/resolv.conf": "search rancher.internal\nnameserver 169.254.169.250\n",
        "/etc/os-release": 'NAME="Lab Linux"\nID=lab\nVERSION_ID=1.0\nPRETTY_NAME="Lab Linux 1.0"\n',
        "/etc/lab-release": "1.0\n",
    }


def _candidates(mapped: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(dict.fromkeys((*mapped, 80)))
