# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small client of the Kubernetes API for the lab's own controllers: JSON over TLS, and watches."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

Object = dict[str, Any]
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"


class ApiError(Exception):
    """The API server refused: its status and its own sentence."""

    def __init__(self, status: int, message: str, reason: str = "") -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.message = message
        self.reason = reason


class Client:
    """Requests with the kubeconfig's identity; each thread has a connection of its own."""

    def __init__(self, kubeconfig: Path) -> None:
        document = json.loads(kubeconfig.read_text())
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        url = urlsplit(cluster["server"])
        self.server = cluster["server"]
        self._address = (url.hostname or "", url.port or 443)
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._context = ssl.create_default_context(cadata=authority)
        _load(self._context, user)
        self._local = threading.local()

    def connect(self) -> ssl.SSLSocket:
        """A connection of one's own, for a talk that is more than a request and an answer."""
        connection = socket.create_connection(self._address)
        return self._context.wrap_socket(connection, server_hostname=self._address[0])

    def get(self, path: str, **query: str) -> Any:
        return self.request("GET", path, query=query)

    def find(self, path: str) -> Object | None:
        """The object, or None if there is none."""
        try:
            found: Object = self.get(path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise
        return found

    def create(self, path: str, document: Object) -> Object | None:
        """Create it; None if it exists."""
        try:
            made: Object = self.request("POST", path, document)
        except ApiError as error:
            if error.status == 409:
                return None
            raise
        return made

    def patch(self, path: str, document: Any, kind: str = MERGE) -> Object:
        changed: Object = self.request("PATCH", path, document, content_type=kind)
        return changed

    def delete(self, path: str, options: Object | None = None) -> None:
        """Delete it; gone already is as good."""
        try:
            self.request("DELETE", path, options)
        except ApiError as error:
            if error.status not in (404, 409):
                raise

    def request(
        self,
        method: str,
        path: str,
        document: Any = None,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> Any:
        """One request. A connection that the server closed meanwhile is made anew, once."""
        target = path + ("?" + urlencode(query) if query else "")
        body = None if document is None else json.dumps(document)
        headers = {"Content-Type": content_type, "Accept": accept}
        for last in (False, True):
            connection = self._connection()
            try:
                connection.request(method, target, body, headers)
                answer = connection.getresponse()
                content = answer.read()
                break
            except (OSError, http.client.HTTPException):
                self._local.connection = None
                connection.close()
                if last:
                    raise
        if answer.status >= 400:
            raise _error(answer.status, content)
        return json.loads(content) if content[:1] in (b"{", b"[") else content.decode()

    def watch(self, path: str, version: str, seconds: int = 300) -> Iterator[tuple[str, Object]]:
        """(ADDED | MODIFIED | DELETED | BOOKMARK, object) from a version on, until the server ends it."""
        query = {
            "watch": "true", "resourceVersion": version, "allowWatchBookmarks": "true", "timeoutSeconds": str(seconds)
        }  # fmt: skip
        connection = self._connect(timeout=seconds + 10)
        try:
            connection.request("GET", f"{path}?{urlencode(query)}", headers={"Accept": "application/json"})
            answer = connection.getresponse()
            if answer.status >= 400:
                raise _error(answer.status, answer.read())
            while line := answer.readline():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise ApiError(event["object"].get("code", 500), event["object"].get("message", ""))
                yield event["type"], event["object"]
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPSConnection:
        connection: http.client.HTTPSConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect(timeout=30)
            self._local.connection = connection
        return connection

    def _connect(self, timeout: float) -> http.client.HTTPSConnection:
        connection = http.client.HTTPSConnection(*self._address, timeout=timeout, context=self._context)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def _load(context: ssl.SSLContext, user: Mapping[str, str]) -> None:
    """ssl wants the certificate as a file."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        for field in ("client-certificate-data", "client-key-data"):
            file.write(base64.b64decode(user[field]).decode())
        file.flush()
        context.load_cert_chain(file.name)


def _error(status: int, content: bytes) -> ApiError:
    message, reason = content.decode(errors="replace")[:500], ""
    with contextlib.suppress(ValueError, AttributeError):
        document = json.loads(content)
        message, reason = document.get("message", message), document.get("reason", "")
    return ApiError(status, message, reason)
