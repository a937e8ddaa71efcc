# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines that have an address of their own on loopback, and the containers that were started on them.

What is in an image is registered by whoever knows it (`on_image`); any other image is a web server, as containers.py
says. One thread watches all listening sockets, so that a hundred idle machines cost nothing.
"""

from __future__ import annotations

import contextlib
import fnmatch
import logging
import selectors
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from lab import containers
from lab.http_server import HttpServer, Responder
from lab.messages import Answer, Request

log = logging.getLogger("lab")
SSH_PORT = 22
SSH_BANNER = b"SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13.5\r\n"
RANGES = range(64, 224)
CLAIM_PORT = 47047
Stop = Callable[[], None]


@dataclass(frozen=True)
class Container:
    """What `docker run` asked for on a machine."""

    machine: Machine
    image: str
    name: str
    ports: Mapping[int, int] = field(default_factory=dict)
    """Port of the machine -> port of the container."""
    environment: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()

    def serve(self, port: int, respond: Responder, tls: ssl.SSLContext | None = None) -> None:
        """Answer HTTP (and HTTPS) wherever this port of the container is published."""
        for outside, inside in self.ports.items():
            if inside == port:
                self.machine.listen(outside, partial(HttpServer, respond, outside, tls=tls))


Start = Callable[[Container], Stop | None]
"""Starts what is in an image; returns what ends it, if closing the container's ports does not."""


class Machine:
    """One machine. `admits(port)` says whether its firewalls let the user of the lab in."""

    def __init__(self, machines: Machines, name: str, address: str, admits: Callable[[int], bool]) -> None:
        self.name = name
        self.address = address
        self.admits = admits
        self._machines = machines
        self._servers: dict[int, socketserver.TCPServer] = {}
        self.containers: dict[str, tuple[Container, Stop | None]] = {}
        self.cgroups = 1
        """The version of control groups that its system has booted with."""
        self.iptables = "legacy"
        """Where its Docker keeps its rules: in the tables of `legacy`, or in those of `nft`."""

    def listen(self, port: int, make: Callable[[str], socketserver.TCPServer]) -> None:
        """Let a server listen on a port. Where this machine may not, that is said once and left out."""
        if port in self._servers:
            log.info("%s: port %d is taken", self.name, port)
            return
        try:
            server = make(self.address)
        except OSError as error:
            self._machines.complain(port, error)
            return
        server.verify_request = lambda *_unused: self.admits(port)  # type: ignore[method-assign]
        self._servers[port] = server
        self._machines.watch(server)

    def close(self, ports: list[int] | None = None) -> None:
        """End what listens on these ports, or on all."""
        for port in list(self._servers) if ports is None else ports:
            server = self._servers.pop(port, None)
            if server is not None:
                self._machines.forget(server)

    def run(self, container: Container) -> None:
        """What `docker run` does, once the image is there."""
        self.remove(container.name)
        self.containers[container.name] = (container, self._machines.start(container))

    def remove(self, name: str) -> None:
        """What `docker rm --force` does."""
        container, stop = self.containers.pop(name, (None, None))
        if stop is not None:
            stop()
        if container is not None:
            self.close(list(container.ports))

    def switch_off(self) -> None:
        for name in list(self.containers):
            self.remove(name)
        self.close()

    def switch_on(self) -> None:
        """The machine itself answers."""
        self.listen(SSH_PORT, lambda address: _SshServer((address, SSH_PORT), _SshGreeting))


class Machines:
    """All machines, the range of addresses that is theirs, and the images that are known by name."""

    def __init__(self, warnings: list[str]) -> None:
        self._warnings = warnings
        self._images: list[tuple[str, Start]] = []
        self._machines: dict[str, Machine] = {}
        self._claim: socket.socket | None = None
        self._given = 0
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._watcher: threading.Thread | None = None
        self._stopped = threading.Event()

    def on_image(self, pattern: str, start: Start) -> None:
        """`start` runs the containers of images of this name (a shell pattern, without tag: `rancher/server`)."""
        self._images.insert(0, (pattern, start))

    def plug_in(self, name: str, admits: Callable[[int], bool] = lambda _port: True) -> Machine:
        """A new machine with an address that no other lab on this computer has."""
        with self._lock:
            self._given += 1
            third, fourth = divmod(self._given, 250)
            machine = Machine(self, name, f"127.{self._range()}.{third}.{fourth + 2}", admits)
            self._machines[machine.address] = machine
            return machine

    def unplug(self, machine: Machine) -> None:
        machine.switch_off()
        self._machines.pop(machine.address, None)

    def at(self, address: str) -> Machine | None:
        """The machine that has an address."""
        return self._machines.get(address)

    def start(self, container: Container) -> Stop | None:
        """Start what is in the container's image."""
        name = containers.bare_name(container.image)
        known = next((start for pattern, start in self._images if fnmatch.fnmatchcase(name, pattern)), _web_server)
        return known(container)

    def clear(self) -> None:
        for machine in list(self._machines.values()):
            self.unplug(machine)

    def stop(self) -> None:
        self._stopped.set()
        self.clear()
        if self._claim is not None:
            self._claim.close()
            self._claim = None

    def complain(self, port: int, error: OSError) -> None:
        """A port that cannot be listened on, said once."""
        sentence = f"This computer does not let the lab's machines listen on port {port}: {error.strerror}."
        if sentence not in self._warnings:
            self._warnings.append(sentence)

    def watch(self, server: socketserver.TCPServer) -> None:
        self._selector.register(server, selectors.EVENT_READ, server)
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._accept, name="lab-machines", daemon=True)
            self._watcher.start()

    def forget(self, server: socketserver.TCPServer) -> None:
        self._selector.unregister(server)
        server.server_close()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            for key, _unused in self._selector.select(0.2):
                with contextlib.suppress(OSError):
                    _take(key.data)

    def _range(self) -> int:
        """The second number of the addresses, held by a socket for as long as the lab lives."""
        if self._claim is None:
            for second in RANGES:
                claim = socket.socket()
                try:
                    claim.bind((f"127.{second}.0.1", CLAIM_PORT))
                    claim.listen()
                except OSError:
                    claim.close()
                    continue
                self._claim = claim
                break
            else:
                raise OSError("no range of loopback addresses is free for the lab's machines")
        return int(self._claim.getsockname()[0].split(".")[1])


def _take(server: socketserver.TCPServer) -> None:
    """One connection, in a thread of its own; or none at all, where a firewall is in between."""
    connection, client = server.get_request()
    if server.verify_request(connection, client):
        server.process_request(connection, client)
    else:
        server.shutdown_request(connection)


class _SshServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


class _SshGreeting(socketserver.BaseRequestHandler):
    """As far as a client comes without a key: the greeting."""

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self.request.settimeout(5)
            self.request.sendall(SSH_BANNER)
            self.request.recv(256)


def _web_server(container: Container) -> Stop | None:
    """Any image: a page on every published port that its program listens on, if it keeps running."""
    program = containers.Program(container.image, container.name, container.command, tuple(container.ports.values()))
    if containers.pull_error(container.image) or containers.exit_code(program) is not None:
        return None

    def respond(request: Request) -> Answer:
        page = containers.page(program, request.path)
        return Answer(page.status, page.body.encode(), {"Content-Type": page.content_type})

    for port in set(container.ports.values()):
        if containers.listens(program, port):
            container.serve(port, respond)
    return None
