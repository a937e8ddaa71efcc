# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event stream: a WebSocket that tells of each thing of a project that has changed, and pings in between."""

from __future__ import annotations

import json
import queue
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from lab.messages import Answer, Request
from lab.rancher.context import Context
from lab.rancher.errors import invalid
from lab.rancher.server import RancherServer
from lab.rancher.store import Resource
from lab.rancher.views import show
from lab.websocket import WebSocket, accept

_CHANGE, _PING = "resource.change", "ping"
_PING_SECONDS = 5.0
_SCAN_SECONDS = 0.05
"""Not at every step: while somebody listens, each scan looks at everything."""


def install(server: RancherServer) -> Events:
    events = Events(server)
    server.on_socket("subscribe", events.subscribe)
    server.on_step(events.step)
    server.on_stop(events.clear)
    return events


@dataclass(frozen=True, eq=False)
class Listener:
    """One connection, and what it still has to be told; None ends it."""

    context: Context
    names: frozenset[str]
    messages: queue.SimpleQueue[dict[str, Any] | None] = field(default_factory=queue.SimpleQueue)


class Events:
    """All listeners of one server."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server
        self._listeners: list[Listener] = []
        self._known: dict[str, str] = {}
        self._scanned_at = 0.0

    def subscribe(self, context: Context, request: Request) -> Answer:
        names = parse_qs(request.query).get("eventNames")
        if not names:
            raise invalid("MissingRequired", "eventNames")
        listener = Listener(context, frozenset(names))
        answer = accept(request, lambda web_socket: self._talk(web_socket, listener))
        if answer.takeover is not None:
            self._tell_changes()
            self._listeners.append(listener)
        return answer

    def step(self) -> None:
        now = time.monotonic()
        if self._listeners and now - self._scanned_at >= _SCAN_SECONDS:
            self._scanned_at = now
            self._tell_changes()

    def clear(self) -> None:
        for listener in self._listeners:
            listener.messages.put(None)
        self._listeners.clear()

    def _tell_changes(self) -> None:
        """To those who listen already; what is seen now is what the next changes are told from."""
        seen = {f"{one.base} {one.id}": (one, self._mark_of(one)) for one in self._server.store}
        changed = [one for key, (one, mark) in seen.items() if self._known.get(key) != mark]
        self._known = {key: mark for key, (_one, mark) in seen.items()}
        for listener in self._listeners:
            context = listener.context
            for resource in changed:
                if _CHANGE in listener.names and context.visible(resource) and context.schema_of(resource):
                    listener.messages.put(_change(context, resource))

    def _mark_of(self, resource: Resource) -> str:
        """Something else whenever the thing is shown otherwise."""
        health = ""
        if resource.base == "service":
            health = self._server.parts["services"].health.of_service(resource)
        elif resource.base == "environment":
            health = self._server.parts["services"].health.of_stack(resource)
        return repr((resource.fields, resource.process, resource.message, resource.error, health))

    def _talk(self, web_socket: WebSocket, listener: Listener) -> None:
        threading.Thread(target=self._hang_up, args=(web_socket, listener), daemon=True).start()
        while not web_socket.closed:
            try:
                message = listener.messages.get(timeout=_PING_SECONDS)
            except queue.Empty:
                message = _message(_PING)
            if message is None:
                return
            web_socket.send(json.dumps(message))

    def _hang_up(self, web_socket: WebSocket, listener: Listener) -> None:
        """Nothing is said to the server; the end of the connection is heard all the same."""
        while web_socket.receive() is not None:
            continue
        with self._server.world.lock:
            if listener in self._listeners:
                self._listeners.remove(listener)
        listener.messages.put(None)


def _change(context: Context, resource: Resource) -> dict[str, Any]:
    shown = show(context, resource)
    return {
        **_message(_CHANGE),
        "resourceType": shown["type"],
        "resourceId": shown["id"],
        "data": {"resource": shown},
    }


def _message(name: str) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "name": name, "type": "publish", "time": int(time.time() * 1000), "data": {}}
