# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the lab's Rancher ask it with, and what they build: hosts, stacks, services."""

from __future__ import annotations

import base64
import json
import os
import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from unit.waiting import eventually

Document = dict[str, Any]
WEB: Document = {"imageUuid": "docker:russmckendrick/cluster", "ports": ["80/tcp"]}
GLOBAL = {"io.rancher.scheduler.global": "true"}
CHECK: Document = {
    "port": 80,
    "requestLine": 'GET "/index.html" "HTTP/1.0"',
    "interval": 2000,
    "responseTimeout": 2000,
    "healthyThreshold": 2,
    "unhealthyThreshold": 3,
    "strategy": "recreate",
}


class Ground:
    """The stand-alone server, as an administrator sees the project Default."""

    def __init__(self, lab: Any, version: str = "v1", server: str = "v1.6.30") -> None:
        self.lab = lab
        lab.settings(rancher_version=server)
        self.url: str = lab.world.addresses["rancher"]
        self.base = f"{self.url}/{version}/projects/1a5"
        self.stacks = "stacks" if version == "v2-beta" else "environments"

    # Requests

    def ask(
        self, method: str, path: str, body: object = None, key: Document | None = None, jwt: str = ""
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, document, headers. `path` is below the project, below the server (/...), or a whole URL."""
        url = path if "://" in path else self.url + path if path.startswith("/") else f"{self.base}/{path}"
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if key:
            pair = f"{key['publicValue']}:{key['secretValue']}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        if jwt:
            headers["Authorization"] = f"Bearer {jwt}"
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, data, headers, method=method), timeout=60
            ) as answer:
                return answer.status, json.loads(answer.read() or b"null"), dict(answer.headers)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null"), dict(error.headers)

    def get(self, path: str, **options: Any) -> Any:
        return self.ask("GET", path, **options)[1]

    def listed(self, path: str) -> list[Document]:
        return list(self.get(path)["data"])

    def make(self, path: str, **body: object) -> Document:
        status, made, _unused = self.ask("POST", path, body)
        assert status == 201, made
        return dict(made)

    def refused(self, path: str, **body: object) -> tuple[int, str, str | None]:
        """Status, code and field of an answer that has to be an error."""
        status, error, _unused = self.ask("POST", path, body)
        return status, error.get("code"), error.get("fieldName")

    def act(self, thing: Document, action: str, **body: object) -> Document:
        status, answer, _unused = self.ask("POST", thing["actions"][action], body)
        assert status in (200, 202), answer
        return dict(answer)

    def again(self, thing: Document) -> Document:
        return dict(self.get(thing["links"]["self"]))

    def until(self, thing: Document, *states: str, healthy: bool = False) -> Document:
        """The thing once it is in one of these states (or in none that passes)."""

        def look() -> Document | None:
            found = self.again(thing)
            fits = found["state"] in states if states else found["transitioning"] != "yes"
            return found if fits and (not healthy or found["healthState"] == "healthy") else None

        settled: Document = self.eventually(look)
        return settled

    def eventually(self, look: Callable[[], Any], seconds: float = 120) -> Any:
        return eventually(look, "it does not come to that", seconds)

    # Things

    def hosts(self, *names: str, project: str = "1a5", **labels: str) -> list[Document]:
        made = [
            self.lab.control("POST", "/rancher/hosts", {"name": name, "project": project, "labels": labels})
            for name in names
        ]
        return [self.until(self.get(f"hosts/{one['id']}"), "active") for one in made if project == "1a5"]

    def stack(self, name: str = "Default", **fields: object) -> Document:
        return self.until(self.make(self.stacks, name=name, **fields))

    def service(self, stack: Document, name: str = "web", kind: str = "services", **fields: Any) -> Document:
        """A service that was started, as soon as it has come to rest."""
        config = {"launchConfig": dict(WEB), "startOnCreate": True, **fields}
        reference = "stackId" if self.stacks == "stacks" else "environmentId"
        return self.until(self.make(kind, name=name, **{reference: stack["id"]}, **config))

    def containers(self, service: Document, state: str = "") -> list[Document]:
        found = self.listed(service["links"]["instances"])
        return [one for one in found if state in ("", one["state"])]

    def page(self, service: Document) -> str:
        """What the service answers at the first of its public endpoints."""
        return page(service["publicEndpoints"][0])

    def run(self, container: Document, *command: str, typed: str = "") -> str:
        """A command in a container: all that came back until the end of the connection."""
        access = self.act(container, "execute", attachStdin=True, attachStdout=True, tty=True, command=list(command))
        return talk(access, typed)


def page(endpoint: Document) -> str:
    url = f"http://{endpoint['ipAddress']}:{endpoint['port']}/"
    with urllib.request.urlopen(url, timeout=60) as answer:
        return str(answer.read().decode())


def talk(access: Document, typed: str = "") -> str:
    """A WebSocket's other side, in a few lines: connect, say something, listen to the end."""
    place, _unused, path = access["url"].removeprefix("ws://").partition("/")
    host, _unused, port = place.partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        head = f"GET /{path}?token={access['token']} HTTP/1.1\r\nHost: {place}\r\nUpgrade: websocket\r\n"
        head += "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bGFi\r\n\r\n"
        connection.sendall(head.encode())
        stream = connection.makefile("rb")
        status = int(stream.readline().split()[1])
        assert status == 101, status
        while stream.readline().strip():
            pass
        if typed:
            connection.sendall(_frame(base64.b64encode(typed.encode())))
        return "".join(base64.b64decode(data).decode() for data in _frames(stream))


def _frame(data: bytes) -> bytes:
    mask = os.urandom(4)
    size = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0xFE]) + len(data).to_bytes(2, "big")
    return b"\x81" + size + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))


def _frames(stream: Any) -> Any:
    while len(head := stream.read(2)) == 2:
        size = head[1] & 127
        if size == 126:
            size = int.from_bytes(stream.read(2), "big")
        data = stream.read(size)
        if head[0] & 15 == 8:
            return
        yield data
