# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Kubernetes behind environments: a real control plane for each that asks for it, with a node for every host, and
the way to its API server through the Rancher server.
"""

from __future__ import annotations

import logging
import queue
import shutil
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from lab.kubernetes import forwarding, nodes, programs
from lab.kubernetes.client import Client
from lab.kubernetes.cluster import Cluster, Options
from lab.messages import Answer, Request
from lab.rancher import kubernetes_1_12
from lab.world import World

log = logging.getLogger("lab")


@dataclass
class Environment:
    """One environment's cluster, from the wish for it to its end."""

    folder: Path
    wanted: dict[str, str] = field(default_factory=dict)
    """Node name -> address, as the hosts are now."""
    made: dict[str, str] = field(default_factory=dict)
    cluster: Cluster | None = None
    client: Client | None = None
    problem: str | None = None


class Clusters:
    """Of all environments of one Rancher server. Processes are started by one thread that outlives them."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._folder = world.settings.scratch / "rancher" / name
        self._environments: dict[str, Environment] = {}
        self._jobs: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._worker: threading.Thread | None = None

    @property
    def possible(self) -> bool:
        """Is it wanted, and are the programs there?"""
        return self._world.settings.rancher_kubernetes and programs.find() is not None

    def want(self, project_id: str, hosts: Iterable[tuple[str, str]]) -> None:
        """The environment shall have a cluster with these nodes (name, address)."""
        wanted = dict(hosts)
        found = self._environments.get(project_id)
        if found is None:
            found = self._environments[project_id] = Environment(self._folder / project_id)
        elif found.wanted == wanted:
            return
        found.wanted = wanted
        self._do(lambda: self._make(found))

    def ready(self, project_id: str) -> bool:
        found = self._environments.get(project_id)
        return found is not None and found.client is not None

    def problem(self, project_id: str) -> str | None:
        found = self._environments.get(project_id)
        return found.problem if found else None

    def drop(self, project_id: str) -> None:
        found = self._environments.pop(project_id, None)
        if found is not None:
            self._do(lambda: _end(found))

    def stop(self) -> None:
        """End all clusters, and wait for that."""
        for project_id in list(self._environments):
            self.drop(project_id)
        if self._worker is not None:
            self._jobs.put(None)
            self._worker.join(60)
            self._worker = None

    def forward(self, project_id: str, request: Request, path: str) -> Answer:
        """Hand the request on, and then whatever comes from either side: watches and commands are long talks."""
        client = self._environments[project_id].client
        assert client is not None
        older = self._world.settings.rancher_kubernetes_1_12
        told = kubernetes_1_12.answer(request, path, client.get) if older else None
        if told is not None:
            return told
        return Answer(0, b"", takeover=lambda connection: _relay(connection, client, _own(request, path)))

    def _do(self, job: Callable[[], None]) -> None:
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="lab-rancher-kubernetes", daemon=True)
            self._worker.start()
        self._jobs.put(job)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception:
                log.exception("a cluster of an environment failed")

    def _make(self, environment: Environment) -> None:
        """Start it if it does not run, and make its nodes what the hosts are."""
        if environment.folder.name not in self._environments:
            return  # it was dropped meanwhile
        try:
            if environment.cluster is None:
                environment.cluster = Cluster(environment.folder, Options(storage=False)).start()
            client = environment.cluster.client
            for name in environment.made.keys() - environment.wanted.keys():
                client.delete(f"/api/v1/nodes/{name}")
            for name in environment.wanted.keys() - environment.made.keys():
                nodes.register(client, _node(name, environment.wanted[name]), programs.version(), with_storage=False)
            environment.made = dict(environment.wanted)
            environment.client, environment.problem = client, None
        except Exception as error:  # whatever keeps the programs from running is said where it is asked for
            log.exception("the cluster in %s", environment.folder)
            environment.problem = str(error)


def _node(name: str, address: str) -> nodes.Machine:
    return nodes.Machine(name, address=address, provider_id=f"rancher://{name}")


def _end(environment: Environment) -> None:
    if environment.cluster is not None:
        environment.cluster.stop()
    shutil.rmtree(environment.folder, ignore_errors=True)


def _own(request: Request, path: str) -> bytes:
    """The request as the API server gets it: as the Rancher server's own."""
    return forwarding.whole(request, path, hidden=("authorization", "cookie", "x-forwarded-for"))


def _relay(connection: socket.socket, client: Client, request: bytes) -> None:
    with client.connect() as server:
        server.sendall(request)
        forwarding.relay(connection, server)
