# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pod finds when it lives: its folder, its volumes, its environment, and what its images do.

Annotations of a pod change its behaviour: see README.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab import containers
from lab.kubernetes.client import Object
from lab.kubernetes.kubelet import folders, http_probe
from lab.kubernetes.kubelet.applications import Applications
from lab.kubernetes.kubelet.life import Container, Life, Program
from lab.kubernetes.kubelet.programs import Command, Ending, Forever
from lab.kubernetes.kubelet.references import MissingError, References
from lab.kubernetes.kubelet.volumes import Volumes
from lab.kubernetes.kubelet.words import Event

PREFIX = "lab.invalid/"
ENDS_AFTER = 1.0
"""Seconds that a program runs which ends by itself."""


@dataclass(eq=False)
class Running:
    """A container that was started: what the rest of the lab asks about it."""

    life: Life
    container: Container
    program: containers.Program
    folder: Path
    address: str
    environment: Mapping[str, str]
    mounts: Mapping[str, Path]

    @property
    def key(self) -> str:
        metadata = self.life.pod["metadata"]
        return f"{metadata['namespace']}/{metadata['name']}/{self.container.name}"

    def path(self, inside: str) -> Path:
        """A path in the container as one of this machine: on a volume, or in the container's own root."""
        for mount in sorted(self.mounts, key=len, reverse=True):
            if inside == mount or inside.startswith(mount.rstrip("/") + "/"):
                return self.mounts[mount] / inside[len(mount) :].lstrip("/")
        entered = self.folder / "root" / inside.lstrip("/")
        return entered if entered.exists() else self.folder / "own" / inside.lstrip("/")

    def log(self, line: str) -> None:
        folders.write_log(self.folder, line)


@dataclass(eq=False)
class _Home:
    folder: Path
    address: str
    running: dict[str, Running] = field(default_factory=dict)


class Here:
    """The surroundings of all pods of one cluster."""

    def __init__(
        self,
        references: References,
        volumes: Volumes,
        applications: Applications,
        program: Path,
        socket: Path,
        ready_seconds: float = 0.0,
    ) -> None:
        self._references = references
        self._volumes = volumes
        self._applications = applications
        self._program = program
        self._socket = socket
        self.ready_seconds = ready_seconds
        """May be changed at any time; for pods without an annotation."""
        self._homes: dict[str, _Home] = {}

    def enter(self, life: Life, folder: Path, address: str) -> None:
        """The pod has a place on this node."""
        self._homes[life.uid] = _Home(folder, address)

    def leave(self, life: Life) -> None:
        self._homes.pop(life.uid, None)

    def running(self, life: Life) -> list[Running]:
        """The pod's containers that run."""
        home = self._homes.get(life.uid)
        return [one for one in home.running.values() if one.container.running] if home else []

    def obstacle(self, pod: Object) -> Event | None:
        return self._volumes.obstacle(pod)

    def config_error(self, pod: Object, container: Object) -> str | None:
        try:
            self._references.environment(pod, container)
        except MissingError as missing:
            return str(missing)
        return None

    def start(self, life: Life, container: Container, now: float) -> Program:
        home = self._homes[life.uid]
        metadata = life.pod["metadata"]
        text = f"{life.uid}/{container.name}/{container.restarts}/{life.starts}"
        container.id = "containerd://" + hashlib.sha256(text.encode()).hexdigest()
        host_name = life.pod["spec"].get("hostname") or metadata["name"]
        environment = self._references.environment(life.pod, container.spec)
        running = Running(
            life,
            container,
            _program(container.spec, host_name, environment),
            home.folder / container.name,
            home.address,
            environment,
            self._volumes.mounts(life.pod, container.spec, home.folder),
        )
        home.running[container.name] = running
        folders.create(
            folders.Place(
                running.folder, running.key, host_name, home.address, environment, running.mounts, self._program,
                self._socket, container.spec.get("workingDir") or self._applications.work_dir(running),
            )
        )  # fmt: skip
        return self._begin(life, running, now)

    def probe(self, life: Life, container: Container, kind: str) -> str | None:
        """What the probe's failure says; None if it passes."""
        if _annotation(life.pod, "fail-probe", "") == kind:
            return "HTTP probe failed with statuscode: 503"
        running = self._homes[life.uid].running[container.name]
        probe = container.spec[f"{kind}Probe"]
        if "exec" in probe:
            return self._applications.command_fails(running, probe["exec"]["command"])
        for way in ("httpGet", "tcpSocket", "grpc"):
            if way in probe:
                return self._ask(running, way, probe[way])
        return None

    def ready_delay(self, pod: Object) -> float:
        return float(_annotation(pod, "ready-seconds", self.ready_seconds))

    def start_delay(self, pod: Object) -> float:
        return float(_annotation(pod, "start-seconds", 0))

    def stop_delay(self, pod: Object) -> float:
        """Seconds that the pod takes to end; never more than it is given."""
        grace = pod["metadata"].get("deletionGracePeriodSeconds")
        wanted = float(_annotation(pod, "stop-seconds", 0))
        return wanted if grace is None else min(wanted, float(grace))

    def _ask(self, running: Running, way: str, target: Object) -> str | None:
        port = port_number(running.container.spec, target["port"])
        address = f"{running.address}:{port}"
        if not self._applications.listens(running, port):
            if way == "httpGet":
                url = f"http://{address}{target.get('path', '/')}"
                return f'Get "{url}": dial tcp {address}: connect: connection refused'
            return f"dial tcp {address}: connect: connection refused"
        if way != "httpGet":
            return None
        headers = {header["name"].lower(): header["value"] for header in target.get("httpHeaders") or ()}

        def ask(path: str, sent: Mapping[str, str]) -> containers.Page:
            return self._applications.page(running, "GET", path, sent, b"")

        return http_probe.failure(ask, address, target.get("path") or "/", headers)

    def _begin(self, life: Life, running: Running, now: float) -> Program:
        daemon = self._applications.daemon(running, now)
        if daemon is not None:
            return daemon
        wanted = _annotation(life.pod, "exit-code", "")
        if wanted and not running.container.init:
            code: int | None = int(wanted)
        else:
            code = self._applications.start(running)
        for line in self._applications.first_lines(running, code):
            running.log(line)
        seconds = float(_annotation(life.pod, "run-seconds", ENDS_AFTER))
        if code is not None:
            return Ending(code, now + seconds)
        if not _ends(life, running.container):
            return Forever()
        command = self._applications.command(running)
        if not command:
            return Ending(0, now + seconds)
        return Command(running.folder, [str(running.folder / "enter"), *command], now)


def _ends(life: Life, container: Container) -> bool:
    """Is it a container that is expected to end: an init container, a job?"""
    if container.init:
        return not container.sidecar
    return bool(life.pod["spec"].get("restartPolicy", "Always") != "Always")


def _program(spec: Object, host_name: str, environment: Mapping[str, str]) -> containers.Program:
    command = tuple(
        _substituted(word, environment) for word in (*(spec.get("command") or ()), *(spec.get("args") or ()))
    )
    ports = tuple(int(port["containerPort"]) for port in spec.get("ports") or ())
    return containers.Program(spec["image"], host_name, command, ports)


def _substituted(word: str, environment: Mapping[str, str]) -> str:
    for name, value in environment.items():
        word = word.replace(f"$({name})", value)
    return word


def port_number(container: Object, port: int | str) -> int:
    """A port by number or by name."""
    if isinstance(port, int) or port.isdigit():
        return int(port)
    named = {one.get("name"): one["containerPort"] for one in container.get("ports") or ()}
    return int(named.get(port, 0))


def _annotation(pod: Object, name: str, default: object) -> str:
    return str((pod["metadata"].get("annotations") or {}).get(PREFIX + name, default))
