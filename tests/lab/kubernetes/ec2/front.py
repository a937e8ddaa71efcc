# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public side of a control plane: its public address is a loopback address of this machine, and HTTPS is spoken.

What comes in this way is noted in the journal and can be made to fail, as at any provider. The API server is told on
whose behalf it is asked, as by any proxy in front of it: the client's certificate cannot be handed on.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from lab.faults import Rule
from lab.http_server import HttpServer
from lab.kubernetes import calls, forwarding
from lab.kubernetes.control_plane import ControlPlane
from lab.messages import Answer, Backend, Call, ConnectionCutError, Request

Respond = Callable[[Backend, Request], Answer]
_NOT_HTTPS = Answer(400, b"Client sent an HTTP request to an HTTPS server.\n", {"Content-Type": "text/plain"})
_REMOTE = ("x-remote-user", "x-remote-group", "x-forwarded-proto")


class Front:
    """Listens on ADDRESS:PORT for an API server, as far as `admits` lets connections in."""

    def __init__(
        self, address: str, port: int, control_plane: ControlPlane, respond: Respond, admits: Callable[[], bool]
    ) -> None:
        backend = ApiServer(control_plane)
        self._server = _Server(partial(_only_https, backend, respond), port, address, _serving(control_plane), admits)
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="lab-front", daemon=True).start()

    def close(self) -> None:
        threading.Thread(target=self._server.shutdown, daemon=True).start()
        self._server.server_close()


class _Server(HttpServer):
    def __init__(
        self,
        respond: Callable[[Request], Answer],
        port: int,
        address: str,
        tls: ssl.SSLContext,
        admits: Callable[[], bool],
    ) -> None:
        self._admits = admits
        super().__init__(respond, port, address, tls)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        if self._admits():
            return True
        # on AWS nothing would come back at all; a reset is the lab's way to say so at once
        request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.close()
        return False


class ApiServer:
    """One API server as a backend of the lab."""

    alone = False

    def __init__(self, control_plane: ControlPlane) -> None:
        self._port = control_plane.layout.api_port
        certificate = control_plane.front
        authority = control_plane.state / "pki" / "ca.crt"
        self._as_nobody = ssl.create_default_context(cafile=str(authority))
        self._for_others = ssl.create_default_context(cafile=str(authority))
        self._for_others.load_cert_chain(certificate, certificate.with_suffix(".key"))
        self._kept = threading.local()

    def name(self, request: Request) -> Call:
        return calls.name_call(request)

    def work(self, call: Call) -> Answer:
        """Ask the API server, and hand on what it says."""
        request = call.request
        if calls.is_talk(request):
            return Answer(0, b"", takeover=partial(self._talk, request), unheard=partial(self._talk_unheard, request))
        try:
            return self._ask(request)
        except (OSError, http.client.HTTPException) as error:
            raise ConnectionCutError from error

    def fault(self, call: Call, rule: Rule) -> Answer:
        return calls.refusal(call, rule)

    def broken(self, call: Call, code: str, message: str) -> Answer:
        return calls.broken(code, message)

    def error_code(self, answer: Answer) -> str:
        return calls.reason_of(answer)

    def _ask(self, request: Request) -> Answer:
        """By a connection that is kept for as long as the client keeps its own, which has a thread of its own."""
        who = _identity(request)
        headers = {**forwarding.headers_of(request, _REMOTE), "Host": "kubernetes"}
        connection = self._connection(bool(who))
        try:
            connection.putrequest(
                request.method, forwarding.target_of(request), skip_host=True, skip_accept_encoding=True
            )
            for name, value in (*headers.items(), *who, ("Content-Length", str(len(request.body)))):
                connection.putheader(name, value)
            connection.endheaders(request.body or None)
            answer = connection.getresponse()
            content = answer.read()
        except BaseException:
            self._kept.__dict__.clear()
            connection.close()
            raise
        kept_back = ("transfer-encoding", "content-length", "connection")
        return Answer(
            answer.status,
            content,
            {name: value for name, value in answer.getheaders() if name.lower() not in kept_back},
        )

    def _connection(self, for_another: bool) -> http.client.HTTPSConnection:
        name = "for_another" if for_another else "as_nobody"
        kept: http.client.HTTPSConnection | None = getattr(self._kept, name, None)
        if kept is None:
            kept = http.client.HTTPSConnection("127.0.0.1", self._port, context=self._context(for_another))
            kept.connect()
            kept.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            setattr(self._kept, name, kept)
        return kept

    def _context(self, for_another: bool) -> ssl.SSLContext:
        return self._for_others if for_another else self._as_nobody

    def _talk(self, request: Request, client: socket.socket) -> None:
        with self._dial(request) as server:
            forwarding.relay(client, server)

    def _talk_unheard(self, request: Request, client: socket.socket) -> bytes:
        with self._dial(request) as server:
            return forwarding.relay_unheard(client, server)

    def _dial(self, request: Request) -> ssl.SSLSocket:
        """A connection of its own, over which the request has gone."""
        who = _identity(request)
        plain = socket.create_connection(("127.0.0.1", self._port))
        server = self._context(bool(who)).wrap_socket(plain, server_hostname="127.0.0.1")
        server.sendall(forwarding.whole(request, hidden=_REMOTE, added=who))
        return server


def _only_https(backend: Backend, respond: Respond, request: Request) -> Answer:
    return respond(backend, request) if "x-forwarded-proto" in request.headers else _NOT_HTTPS


def _serving(control_plane: ControlPlane) -> ssl.SSLContext:
    """As the API server itself: its certificate, and anybody's certificate whom its authority knows."""
    folder: Path = control_plane.state / "pki"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "apiserver.crt", folder / "apiserver.key")
    context.load_verify_locations(folder / "ca.crt")
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def _identity(request: Request) -> tuple[tuple[str, str], ...]:
    """Whom the client's certificate names: a user, and the groups that it is in."""
    fields = [pair for part in request.peer.get("subject", ()) for pair in part]
    users = [("X-Remote-User", value) for name, value in fields if name == "commonName"]
    return (*users, *(("X-Remote-Group", value) for name, value in fields if name == "organizationName"))
