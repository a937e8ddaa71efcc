# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections with certificates, against a real TLS server."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._errors import AnswerLostError, AuthError
from ansible_collections.container.schedulers.plugins.module_utils._k8s.login import Login
from ansible_collections.container.schedulers.plugins.module_utils._k8s.transport import Transport
from unit.certificates import as_from_python_3_13, certificate


@pytest.fixture(autouse=True)
def _strict(monkeypatch: pytest.MonkeyPatch) -> None:
    as_from_python_3_13(monkeypatch)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing."""


class Server(HTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Refused handshakes are what the tests are about."""


@contextmanager
def serving(folder: Path, name: str, client: str = "") -> Iterator[tuple[str, str]]:
    """The address and the authority of a server whose certificate is for a name."""
    authority = certificate("authority")
    cert, key = certificate(name, authority)
    (folder / "pair.pem").write_text(cert + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "pair.pem")
    if client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=client)
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"https://127.0.0.1:{server.server_port}", authority[0]
    finally:
        server.shutdown()
        server.server_close()


def get(login: Login) -> bytes:
    return Transport(login, 60.0).request("GET", "/", {}).body


def test_a_server_of_the_right_authority(tmp_path: Path) -> None:
    with serving(tmp_path, "127.0.0.1") as (url, authority):
        assert get(Login(url, ca=authority)) == b"ok"


def test_a_server_of_another_authority(tmp_path: Path) -> None:
    with serving(tmp_path, "127.0.0.1") as (url, _authority), pytest.raises(AuthError, match="is not trusted"):
        get(Login(url, ca=certificate("authority")[0]))


def test_a_certificate_for_another_name(tmp_path: Path) -> None:
    with serving(tmp_path, "kubernetes") as (url, authority):
        with pytest.raises(AuthError, match="is not trusted"):
            get(Login(url, ca=authority))
        assert get(Login(url, ca=authority, server_name="kubernetes")) == b"ok"
        assert get(Login(url, verify=False)) == b"ok"


def test_a_client_certificate(tmp_path: Path) -> None:
    cert, key = certificate("admin")
    with serving(tmp_path, "127.0.0.1", client=cert) as (url, authority):
        assert get(Login(url, ca=authority, client_cert=cert, client_key=key)) == b"ok"
        with pytest.raises((AuthError, AnswerLostError)):
            get(Login(url, ca=authority))
