# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's network: who answers at an address, a pod's port, a node port, a service.

Nothing listens on any of these addresses. Whoever wants to talk to one asks here: the API server (its proxy, through
the streaming kubelet), forwarded ports, programs in containers, and the load balancers in front of the cluster.
"""

from __future__ import annotations

import http.server
import itertools
import json
import logging
import os
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lab import containers
from lab.containers import Page
from lab.kubernetes.client import Object
from lab.kubernetes.informer import Informer, key_of
from lab.kubernetes.kubelet.agent import Agent
from lab.kubernetes.kubelet.applications import Applications, given_file, is_shipper
from lab.kubernetes.kubelet.surroundings import Here, Running
from lab.kubernetes.kubelet.telemetry import Log, Node, Shipper
from lab.kubernetes.nodes import is_ready

log = logging.getLogger("lab")
Answerer = Callable[[dict[str, Any]], dict[str, Any]]


class RefusedError(Exception):
    """Nobody answers there: the sentence for the client."""


@dataclass(frozen=True)
class Visit:
    """One HTTP request to something in the cluster."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    client: str = "10.244.0.1"


class Network:
    """Finds the container that answers."""

    def __init__(self, informer: Informer, agent: Agent, here: Here, applications: Applications) -> None:
        self._informer = informer
        self._agent = agent
        self._here = here
        self._applications = applications
        self._turns: dict[str, Iterator[int]] = {}

    def to_pod(self, key: str, port: int, visit: Visit) -> Page:
        life = self._agent.life_of(key)
        for running in self._here.running(life) if life else ():
            if self._applications.listens(running, port):
                page = self._applications.page(running, visit.method, visit.path, visit.headers, visit.body)
                running.log(containers.access_line(visit.client, visit.method, visit.path, page))
                return page
        raise RefusedError(f"connection refused: nothing listens on port {port} of pod {key}")

    def to_address(self, address: str, visit: Visit) -> Page:
        """`ip:port` of a pod or of a service."""
        host, _unused, port = address.rpartition(":")
        key = self._agent.key_at(host)
        if key is not None:
            return self.to_pod(key, int(port), visit)
        for service in self._informer.all("services"):
            if service["spec"].get("clusterIP") == host:
                return self.to_service(service, int(port), visit)
        raise RefusedError(f"no route to host {host}")

    def has_node_port(self, port: int, node: str) -> bool:
        """Would a connection to this port of the node be accepted?"""
        found = self._node_port(port)
        if found is None:
            return False
        service, entry = found
        return entry is None or bool(self._on_node(service, self.endpoints(service, entry), node))

    def to_node_port(self, port: int, visit: Visit, node: str) -> Page:
        found = self._node_port(port)
        if found is None:
            raise RefusedError(f"connection refused: nothing listens on node port {port}")
        service, entry = found
        if entry is not None:
            return self.to_service(service, int(entry["port"]), visit, node)
        there = any(self._on_node(service, self.endpoints(service, one), node) for one in service["spec"]["ports"])
        return Page(200 if there else 503, "", "application/json")

    def _node_port(self, port: int) -> tuple[Object, Object | None] | None:
        """The service and its port; no port if it is the one for health checks."""
        for service in self._informer.all("services"):
            if service["spec"].get("healthCheckNodePort") == port:
                return service, None
            for entry in service["spec"].get("ports") or ():
                if entry.get("nodePort") == port:
                    return service, entry
        return None

    def _on_node(self, service: Object, targets: list[tuple[str, int]], node: str) -> list[tuple[str, int]]:
        """With the local traffic policy, a node answers with its own pods only."""
        if service["spec"].get("externalTrafficPolicy") != "Local":
            return targets
        return [(key, port) for key, port in targets if self._node_of(key) == node]

    def _node_of(self, key: str) -> str:
        pod = self._informer.get("pods", key)
        return str(pod["spec"].get("nodeName")) if pod else ""

    def to_service(self, service: Object, port: int, visit: Visit, node: str | None = None) -> Page:
        """The next ready endpoint in turn; `node` is where the connection came in from outside."""
        metadata = service["metadata"]
        name = f"{metadata['namespace']}/{metadata['name']}"
        entry = next((one for one in service["spec"].get("ports") or () if int(one["port"]) == port), None)
        if entry is None:
            raise RefusedError(f"service {name} has no port {port}")
        targets = self.endpoints(service, entry)
        if node is not None:
            targets = self._on_node(service, targets, node)
        if not targets:
            raise RefusedError(f"service {name} has no ready endpoints")
        turn = next(self._turns.setdefault(f"{name}:{port}", itertools.count()))
        key, target = targets[turn % len(targets)]
        return self.to_pod(key, target, visit)

    def endpoints(self, service: Object, entry: Object) -> list[tuple[str, int]]:
        """(pod, port) of all that is ready behind a port of a service."""
        metadata = service["metadata"]
        found = []
        for piece in self._informer.all("endpointslices"):
            labels = piece["metadata"].get("labels") or {}
            if piece["metadata"]["namespace"] != metadata["namespace"]:
                continue
            if labels.get("kubernetes.io/service-name") != metadata["name"]:
                continue
            ports = [
                one["port"] for one in piece.get("ports") or () if (one.get("name") or "") == entry.get("name", "")
            ]
            for endpoint in piece.get("endpoints") or ():
                target = endpoint.get("targetRef") or {}
                if ports and endpoint.get("conditions", {}).get("ready") and target.get("kind") == "Pod":
                    found.append((f"{metadata['namespace']}/{target['name']}", int(ports[0])))
        return sorted(found)

    def resolve(self, name: str, namespace: str) -> Object | None:
        """The service that a name means in a namespace: NAME, NAME.NAMESPACE, NAME.NAMESPACE.svc..."""
        parts = name.rstrip(".").split(".")
        space = parts[1] if len(parts) > 1 else namespace
        found = self._informer.get("services", f"{space}/{parts[0]}")
        if found is not None:
            return found
        return next((one for one in self._informer.all("services") if one["spec"].get("clusterIP") == name), None)

    def fetch(self, url: str, namespace: str) -> Page | None:
        """What a program in a container gets from a URL of the cluster; None if nobody answers."""
        parts = urlsplit(url)
        service = self.resolve(parts.hostname or "", namespace)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        visit = Visit("GET", path, {"host": parts.netloc})
        try:
            if service is not None:
                return self.to_service(service, parts.port or 80, visit)
            return self.to_address(f"{parts.hostname}:{parts.port or 80}", visit)
        except RefusedError:
            return None

    def ready_container(self, name: str, port: int, namespace: str) -> Running | None:
        """The container behind a service's port (for programs that speak no HTTP), or None."""
        service = self.resolve(name, namespace)
        for entry in service["spec"].get("ports") or () if service else ():
            if int(entry["port"]) != port:
                continue
            for key, target in self.endpoints(service, entry) if service else ():
                life = self._agent.life_of(key)
                for running in self._here.running(life) if life else ():
                    if self._applications.listens(running, target):
                        return running
        return None

    # What programs that watch over the cluster see

    def nodes(self) -> list[Node]:
        return [
            Node(one["metadata"]["name"], address["address"], is_ready(one))
            for one in self._informer.all("nodes")
            for address in one["status"].get("addresses") or ()
            if address["type"] == "InternalIP"
        ]

    def logs(self) -> list[Log]:
        return [
            Log(pod["spec"]["nodeName"], pod["metadata"]["namespace"], pod["metadata"]["name"], one.container.name)
            for pod, one in self._all_running()
        ]

    def accepts(self, host: str, port: int, namespace: str) -> bool:
        """Would a connection from a pod of this namespace be accepted there?"""
        return self.ready_container(host, port, namespace) is not None or any(
            pod["status"].get("podIP") == host and self._applications.listens(one, port)
            for pod, one in self._all_running()
        )

    def shippers(self, store: Running) -> list[Shipper]:
        """Every Fluent Bit, and whether what it sends to an address comes to this container."""
        return [
            Shipper(
                given_file(one, "--config"),
                pod["spec"]["nodeName"],
                "/var/log" in one.mounts,
                partial(self._leads_to, store, pod["metadata"]["namespace"]),
            )
            for pod, one in self._all_running()
            if is_shipper(one)
        ]

    def _leads_to(self, store: Running, namespace: str, host: str, port: int) -> bool:
        return self.ready_container(host, port, namespace) is store

    def _all_running(self) -> Iterator[tuple[Object, Running]]:
        for pod in self._informer.all("pods"):
            life = self._agent.life_of(key_of(pod))
            yield from ((pod, one) for one in (self._here.running(life) if life else ()))


class Socket:
    """The lab's socket: programs in containers and connections to pods come in here."""

    def __init__(self, path: Path, network: Network, answer: Answerer) -> None:
        path.unlink(missing_ok=True)
        # The name of a socket may have 107 characters only: it is bound by way of its folder's descriptor.
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
        try:
            self._server = _Server(f"/proc/self/fd/{folder}/{path.name}", network, answer)
        finally:
            os.close(folder)

    def start(self) -> None:
        threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="lab-kubernetes-socket", daemon=True
        ).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, path: str, network: Network, answer: Answerer) -> None:
        self.network = network
        self.answer = answer
        super().__init__(path, _Handler)


class _Handler(http.server.BaseHTTPRequestHandler):
    """One line of JSON says who is there; what follows is HTTP, unless it was a question."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def handle(self) -> None:
        try:
            hello = json.loads(self.rfile.readline() or b"{}")
        except ValueError:
            return
        if "program" in hello:
            self.wfile.write(json.dumps(self.server.answer(hello)).encode() + b"\n")
            return
        self.target = hello
        super().handle()

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        visit = Visit(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        try:
            page = self._page(visit)
        except RefusedError:
            self.close_connection = True  # as a refused connection looks from the other side of a proxy
            return
        self.send_response_only(page.status)
        self.send_header("Content-Type", page.content_type)
        for name, value in page.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(page.content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page.content)
        self.wfile.flush()

    def _page(self, visit: Visit) -> Page:
        if "pod" in self.target:
            key = str(self.target["pod"]).replace("_", "/", 1)
            return self.server.network.to_pod(key, int(self.target["port"]), visit)
        return self.server.network.to_address(str(self.target["address"]), visit)

    def log_message(self, *args: object) -> None:
        """Containers write their own logs."""
