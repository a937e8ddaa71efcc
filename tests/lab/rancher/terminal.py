# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands and logs of containers over a WebSocket: base64 in text frames, both ways, and nothing else. The end of the
command is the end of the connection; its exit code is not told.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from lab.messages import Answer, Request
from lab.rancher.container_files import ContainerFiles
from lab.rancher.container_programs import ContainerPrograms
from lab.rancher.context import Context
from lab.rancher.errors import RancherError, error_answer
from lab.rancher.runtime import Running
from lab.rancher.server import RancherServer
from lab.rancher.store import Resource
from lab.shell.programs import builtins
from lab.shell.run import ExitError, Shell
from lab.websocket import WebSocket, accept

_SHELLS = ("sh", "bash", "/bin/sh", "/bin/bash")
_PROMPT = "# "
_POLL = 0.05


def install(server: RancherServer) -> Terminal:
    terminal = Terminal(server)
    server.on_action("container", "execute", terminal.execute, ["running"])
    server.on_action("container", "logs", terminal.logs, ["running", "stopped", "stopping"])
    for version in ("v1", "v2-beta"):
        for name in ("exec", "logs"):
            server.on_route(f"/{version}/{name}/", terminal.connect)
    return terminal


class Terminal:
    """Tokens that were given out, and the talks that they allow."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server
        self._tokens: dict[str, tuple[Resource, str, dict[str, Any]]] = {}

    def execute(self, context: Context, instance: Resource, body: dict[str, Any]) -> dict[str, Any]:
        claim = {
            "AttachStdin": body.get("attachStdin", True),
            "AttachStdout": body.get("attachStdout", True),
            "Tty": body.get("tty", True),
            "Container": instance["externalId"],
            "Cmd": body["command"],
        }
        return self._access(context, instance, "exec", claim)

    def logs(self, context: Context, instance: Resource, body: dict[str, Any]) -> dict[str, Any]:
        claim = {"Container": instance["externalId"], "Lines": body.get("lines"), "Follow": body.get("follow", True)}
        return self._access(context, instance, "logs", claim)

    def _access(self, context: Context, instance: Resource, what: str, claim: dict[str, Any]) -> dict[str, Any]:
        host = self._server.store.get("host", instance["hostId"])
        token = _token({what: claim, "hostUuid": host["uuid"] if host else None})
        self._tokens[token] = (instance, what, claim)
        url = context.root.replace("http", "ws", 1) + f"/v1/{what}/"
        return {"id": None, "type": "hostAccess", "links": {}, "actions": {}, "token": token, "url": url}

    def connect(self, request: Request, _rest: str) -> Answer:
        given = parse_qs(request.query).get("token", [""])[0]
        given = given or request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        found = self._tokens.get(given)
        if found is None:
            return error_answer(RancherError(401))
        instance, what, claim = found
        running = self._server.parts["instances"].running.get(instance.id)
        if running is None and what == "exec":
            return error_answer(RancherError(404))
        if what == "logs":
            return accept(request, lambda web_socket: self._show_logs(web_socket, instance, claim))
        return accept(request, lambda web_socket: self._talk(web_socket, instance, claim))

    # Commands

    def _talk(self, web_socket: WebSocket, instance: Resource, claim: dict[str, Any]) -> None:
        running = self._running(instance)
        if running is None:
            return
        send = _sender(web_socket, bool(claim["Tty"]))
        shell = self._shell(instance, running, send)
        command = [str(word) for word in claim["Cmd"]]
        if _is_interactive(command):
            if claim["AttachStdin"]:
                watch = threading.Thread(
                    target=self._watch, args=(web_socket, instance, running), name="lab-terminal", daemon=True
                )
                watch.start()
                self._session(web_socket, shell, send)
            return
        with self._server.world.lock:
            self._server.world.step()
            try:
                shell.execute(command, "", send, send)
            except ExitError:
                return
            self._server.world.step()

    def _session(self, web_socket: WebSocket, shell: Shell, send: Callable[[str], None]) -> None:
        """A shell that reads what is typed, and echoes it."""
        send(_PROMPT)
        typed = ""
        while (message := web_socket.receive()) is not None:
            typed += _decoded(message).replace("\r", "\n")
            while "\n" in typed:
                line, _unused, typed = typed.partition("\n")
                send(line + "\n")
                if "\x04" in line or not self._line(shell, line):
                    return
                send(_PROMPT)

    def _line(self, shell: Shell, line: str) -> bool:
        """False: that was `exit`."""
        with self._server.world.lock:
            self._server.world.step()
            try:
                shell.interactive_line(line)
            except ExitError:
                return False
            finally:
                self._server.world.step()
        return True

    def _watch(self, web_socket: WebSocket, instance: Resource, running: Running) -> None:
        """The shell ends with its container, also with one that is started again at once."""
        while not web_socket.closed:
            time.sleep(_POLL)
            if self._running(instance) is not running:
                web_socket.close()

    def _shell(self, instance: Resource, running: Running, send: Callable[[str], None]) -> Shell:
        programs = {**builtins(), **ContainerPrograms(self._server, instance, running).table()}
        mounts = self._server.parts["volumes"].mounted(instance)
        variables = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOSTNAME": running.program.host_name,
            "HOME": "/root",
            **{str(name): str(value) for name, value in (instance["environment"] or {}).items()},
        }
        return Shell(programs, ContainerFiles(running.files, mounts, set(programs)), variables, send)

    def _running(self, instance: Resource) -> Running | None:
        found: Running | None = self._server.parts["instances"].running.get(instance.id)
        return found

    # Logs

    def _show_logs(self, web_socket: WebSocket, instance: Resource, claim: dict[str, Any]) -> None:
        """The last lines; with `follow` also those that come, until one side ends."""
        with self._server.world.lock:
            running = self._running(instance)
            lines = list(running.log) if running else list(instance["lastLog"] or ())
        send = _sender(web_socket, tty=False)
        seen = len(lines)
        for at, line in lines[-int(claim["Lines"] or seen or 1) :]:
            send(_stamped(at, line))
        if claim["Follow"]:
            threading.Thread(target=_drain, args=(web_socket,), name="lab-logs", daemon=True).start()
            last = lines[-1] if lines else None
            while running is not None and not web_socket.closed:
                time.sleep(_POLL)
                with self._server.world.lock:
                    found = list(running.log)
                    ended = self._running(instance) is not running
                start = found.index(last) + 1 if last in found else 0
                for at, line in found[start:]:
                    send(_stamped(at, line))
                last = found[-1] if found else last
                if ended:
                    return


def _drain(web_socket: WebSocket) -> None:
    while web_socket.receive() is not None:
        pass


def _stamped(at: datetime, line: str) -> str:
    return f"01 {at.strftime('%Y-%m-%dT%H:%M:%S.000000000Z')} {line}\n"


def _sender(web_socket: WebSocket, tty: bool) -> Callable[[str], None]:
    """A terminal ends its lines with carriage return and line feed."""

    def send(text: str) -> None:
        if tty:
            text = text.replace("\r\n", "\n").replace("\n", "\r\n")
        web_socket.send(base64.b64encode(text.encode()).decode())

    return send


def _decoded(message: str) -> str:
    try:
        return base64.b64decode(message).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _is_interactive(command: list[str]) -> bool:
    """A shell without a command; or the web page's line, which ends in one."""
    if command[:1] and command[0] in _SHELLS:
        words = [word for word in command[1:] if word not in ("-i", "-l")]
        return not words or (words[0] == "-c" and len(words) > 1 and words[1].rstrip().endswith("exec /bin/sh"))
    return False


def _token(claims: dict[str, Any]) -> str:
    parts = [json.dumps({"alg": "RS256"}), json.dumps({**claims, "jti": secrets.token_hex(8)}), secrets.token_hex(32)]
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)
