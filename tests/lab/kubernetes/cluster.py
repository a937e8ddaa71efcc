# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster as a whole: the control plane, and everything of the lab that makes its nodes and pods seem real."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.kubernetes import nodes, programs, settings
from lab.kubernetes.client import Client
from lab.kubernetes.cloud import Cloud, NoCloud
from lab.kubernetes.control_plane import READY_SECONDS, ControlPlane, ControlPlaneError
from lab.kubernetes.informer import Informer
from lab.kubernetes.journal import Journal
from lab.kubernetes.kubelet.agent import Agent, Clock
from lab.kubernetes.kubelet.applications import Applications
from lab.kubernetes.kubelet.references import References
from lab.kubernetes.kubelet.surroundings import Here
from lab.kubernetes.kubelet.volumes import Volumes
from lab.kubernetes.network import Network, Socket
from lab.kubernetes.services import Balancers, Proxy
from lab.kubernetes.storage import Storage

REGION = "eu-west-1"
"""Of a cluster without a cloud: it is in the names of its load balancers."""


@dataclass(frozen=True)
class Options:
    """What can be chosen about a cluster."""

    speed: float = 10.0
    """Kubelet seconds (delays, back-offs, probe periods) pass so many times faster than real ones."""
    ready_seconds: float = 0.0
    """Kubelet seconds from a container's start until it is ready."""
    storage: bool = True
    """The EBS CSI driver is there from the start."""


class Cluster:
    """A running cluster. Use start() and stop(), or it as a context manager."""

    def __init__(
        self,
        state: Path,
        options: Options | None = None,
        cloud: Cloud | None = None,
        volumes: Path | None = None,
        **control_plane: Any,
    ) -> None:
        self.state = state.resolve()
        self.volume_folder = volumes or self.state / "volumes"
        """Where the content of EBS volumes is kept, by their ids."""
        self.cloud = cloud or NoCloud()
        self.options = options or Options()
        self.applications = Applications()
        self.on_started: Callable[[], None] = lambda: None
        """Called when the controllers are there and nothing has been seen yet."""
        self._programs = programs.need()
        self.control_plane = ControlPlane(self.state, self._programs, **control_plane)
        self.journal = Journal(self.control_plane.layout.audit_log)
        self._started: list[Any] = []

    @property
    def kubeconfig(self) -> Path:
        return self.control_plane.kubeconfig

    def start(self, machines: Iterable[nodes.Machine] = ()) -> Cluster:
        """Start it, with these nodes; comes back when they are Ready."""
        self.state.mkdir(parents=True, exist_ok=True)
        for name in ("pods", "volumes"):
            shutil.rmtree(self.state / name, ignore_errors=True)
        self.client = self.control_plane.start()
        try:
            self._start_kubelets()
            self._add(list(machines))
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        for part in reversed(self._started):
            with contextlib.suppress(Exception):
                part.stop()
        self._started.clear()
        self.control_plane.stop()

    def __enter__(self) -> Cluster:
        return self.start()

    def __exit__(self, *_unused: object) -> None:
        self.stop()

    def _start_kubelets(self) -> None:
        client = Client(self.control_plane.own_kubeconfig)
        self.informer = Informer(client)
        references = References(client)
        self.volumes = Volumes(self.informer, references, self.volume_folder)
        self.here = Here(
            references,
            self.volumes,
            self.applications,
            Path(self._programs[programs.KUBELET]),
            self.state / settings.SOCKETS["lab"],
            self.options.ready_seconds,
        )
        self.agent = Agent(client, self.informer, self.here, Clock(self.options.speed), self.state / "pods")
        self.storage = Storage(client, self.informer, self.agent.later, self.cloud, self.volume_folder)
        self.storage.running = self.options.storage
        self.agent.on_change(self.storage.take)
        self.network = Network(self.informer, self.agent, self.here, self.applications)
        self.applications.find_server = self.network.ready_container
        self.applications.fetch = self.network.fetch
        self.applications.sight = self.network
        self.applications.shippers = self.network.shippers
        socket = Socket(self.state / settings.SOCKETS["lab"], self.network, self._answer)
        parts: list[Any] = [socket, self.agent, self.informer]
        if isinstance(self.cloud, NoCloud):
            self.agent.on_change(Balancers(client, self.informer, self.agent.later, REGION).take)
            self.proxy = Proxy(self.informer, self.network)
            parts.append(self.proxy)
        self.on_started()
        for part in parts:
            part.start()
            self._started.append(part)

    def _answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """A program in a container that the lab answers."""
        namespace, name, container = str(question["container"]).split("/")
        life = self.agent.life_of(f"{namespace}/{name}")
        running = (
            next((one for one in self.here.running(life) if one.container.name == container), None) if life else None
        )
        if running is None:
            return {"output": "", "error": "lab: the container is gone\n", "code": 126}
        output, error, code = self.applications.answer(
            running, question["program"], question.get("arguments") or [], question.get("input") or ""
        )
        return {"output": output, "error": error, "code": code}

    def _add(self, machines: list[nodes.Machine]) -> None:
        version = programs.version()
        if self.options.storage:
            self.client.create("/apis/storage.k8s.io/v1/csidrivers", nodes.csi_driver())
            self.client.create("/apis/storage.k8s.io/v1/storageclasses", nodes.storage_class())
        for machine in machines:
            if isinstance(self.cloud, NoCloud):
                self.cloud.know_instance(machine.instance, machine.zone)
            nodes.register(self.client, machine, version, with_storage=self.options.storage)
        deadline = time.monotonic() + READY_SECONDS
        while not all(nodes.is_ready(self.client.get(f"/api/v1/nodes/{machine.name}")) for machine in machines):
            if time.monotonic() > deadline:
                raise ControlPlaneError(f"the nodes do not become Ready; see {self.state / 'logs'}")
            time.sleep(0.05)
