# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP to an API server: requests, streams, certificates. Nothing here knows what Kubernetes is.

Made of the standard library: importing the ``kubernetes`` package's client takes 0.3 seconds of CPU, and 1 second on a
busy machine, with every task; this takes 0.03. PRIVATE.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from .._connections import Connections
from .._errors import AnswerLostError, AuthError, InputError
from .._http import certificate_hint
from .._proxy import PORTS, Proxy, excludes, not_reached, proxy_at, proxy_for
from .._timely import answer_within, without_end
from .login import Login

HEADER_SECONDS = 10.0  # a stream begins at once, though it may be silent for long
USER_AGENT = "container.schedulers"


@dataclass(frozen=True)
class Answer:
    """What came back. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Connections to one API server. Threads may share it.

    Args:
        login: where, and as whom.
        timeout: seconds to wait for the answer to one request.
    """

    def __init__(self, login: Login, timeout: float = 60.0) -> None:
        try:
            parts = urlsplit(login.server if "://" in login.server else f"https://{login.server}")
            parts.port  # noqa: B018 - raises, if it is no number
        except ValueError as error:
            raise InputError(f"host {login.server} is not an address: {error}") from error
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise InputError(f"host {login.server} is not an address such as https://10.0.0.1:6443")
        self.login = login
        self.server = f"{parts.scheme}://{parts.netloc}"
        self._prefix = parts.path.rstrip("/")
        self._timeout = timeout
        self.proxy = _proxy(login, parts)
        self._connections = Connections(parts, self.proxy, timeout, lambda: tls_context(login), login.server_name)

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """One request.

        Raises:
            UnreachableError: it surely did not arrive.
            AnswerLostError: it may have arrived.
            AuthError: the server's certificate, or ours, is not accepted.
        """
        connection = self._connections.kept() or self._opened()
        try:
            answer_within(connection, self._timeout)
            response = self._send(connection, method, path, headers, body)
            content = response.read()
        except BaseException as error:
            self._connections.drop(connection)
            raise self._lost(error) from error
        self._connections.keep(connection, response)
        return Answer(response.status, _lower(response), content)

    def stream(self, path: str, headers: Mapping[str, str], timeout: float) -> Stream:
        """A request whose answer is read line by line as it comes.

        Args:
            timeout: seconds of silence after which the stream counts as broken.
        """
        connection = self._opened()
        try:
            answer_within(connection, min(timeout, HEADER_SECONDS))
            response = self._send(connection, "GET", path, headers, None)
        except BaseException as error:
            connection.close()
            raise self._lost(error) from error
        without_end(response, timeout)
        return Stream(self, connection, response)

    def connected(self) -> socket.socket:
        """A connection to the server for another protocol."""
        opened: socket.socket = self._opened().sock
        return opened

    def address(self, path: str) -> str:
        """The whole address of a path."""
        return f"{self.server}{self._prefix}{path}"

    def _send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> http.client.HTTPResponse:
        connection.putrequest(method, f"{self._prefix}{path}", skip_accept_encoding=True)
        everything = [
            ("User-Agent", USER_AGENT),
            *self.login.authorization().items(),
            *self.login.headers,
            *headers.items(),
        ]
        if body is not None:
            everything.append(("Content-Length", str(len(body))))
        for name, value in everything:
            connection.putheader(name, value)
        connection.endheaders(body)
        return connection.getresponse()

    def _opened(self) -> http.client.HTTPConnection:
        try:
            return self._connections.opened(tunnel=True)
        except ssl.SSLCertVerificationError as error:
            raise AuthError(
                f"the certificate of {self.server} is not trusted: {error.verify_message}",
                hint=certificate_hint(
                    error, "Set ca_cert to the cluster's own, or use the kubeconfig of this cluster."
                ),
            ) from error
        except (OSError, http.client.HTTPException) as error:
            hint = "Is the API server running, and the address right?"
            raise not_reached(self.server, _reason(error), self.proxy, hint) from error

    def _lost(self, error: BaseException) -> BaseException:
        """Our error for one that came after the connection was made."""
        if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError) and "alert" in str(error).lower():
            return AuthError(f"{self.server} does not accept the client certificate: {_reason(error)}")
        if isinstance(error, (OSError, http.client.HTTPException)):
            return AnswerLostError(f"the connection to {self.server} broke: {_reason(error)}")
        return error


class Stream:
    """An answer that comes line by line."""

    def __init__(
        self, transport: Transport, connection: http.client.HTTPConnection, response: http.client.HTTPResponse
    ) -> None:
        self._transport = transport
        self._connection = connection
        self._response = response
        self.status = response.status
        self.headers = _lower(response)

    def lines(self) -> Iterator[bytes]:
        """The lines, until the server ends the answer.

        Raises:
            AnswerLostError: the connection broke.
        """
        while True:
            try:
                line = self._response.readline()
            except (OSError, ValueError, AttributeError, http.client.HTTPException) as error:
                # ValueError and AttributeError: another thread has closed the stream
                raise AnswerLostError(f"the connection to {self._transport.server} broke: {_reason(error)}") from error
            if not line:
                return
            yield line

    def read(self) -> bytes:
        """The rest at once."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self._response.read()
        return b""

    def close(self) -> None:
        """End it; a thread that waits for the next line wakes up."""
        sock = self._connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._connection.close()


def tls_context(login: Login) -> ssl.SSLContext:
    """How far the server has to prove who it is, and how we do.

    Raises:
        InputError: a certificate cannot be used.
    """
    try:
        context = ssl.create_default_context(cadata=login.ca or None)
    except (ssl.SSLError, ValueError) as error:
        raise InputError(f"the CA certificate of {login.source or 'ca_cert'} is not a PEM certificate") from error
    # from Python 3.13 on set by default: it refuses the certificates of EKS clusters, which have no key identifiers
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not login.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if login.client_cert:
        _load_client(context, login)
    return context


def _load_client(context: ssl.SSLContext, login: Login) -> None:
    """The ssl module takes certificates from files only: one that nobody else can read, for the moment of reading."""
    descriptor, path = tempfile.mkstemp()
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{login.client_cert}\n{login.client_key or ''}")
        context.load_cert_chain(path)
    except ssl.SSLError as error:
        raise InputError(
            f"the client certificate of {login.source or 'client_cert'} and its key do not fit together, "
            f"or are not PEM: {_reason(error)}"
        ) from error
    finally:
        os.unlink(path)  # noqa: PTH108 - pathlib is not worth its import here


def _proxy(login: Login, server: SplitResult) -> Proxy | None:
    """The proxy that is given with the login, else that of the environment."""
    if not login.proxy and not login.no_proxy:
        return proxy_for(server)
    if login.no_proxy and excludes(login.no_proxy, str(server.hostname), server.port or PORTS[server.scheme]):
        return None
    return proxy_at(login.proxy, "proxy") if login.proxy else proxy_for(server)


def _lower(response: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
