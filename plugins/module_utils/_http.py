# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP transport of Rancher's API (and of GitHub's, which it asks).

Proxies come from the environment; redirects are not followed, as they would carry credentials to wherever they lead.
PRIVATE.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from ._errors import (
    AnswerLostError,
    AuthError,
    ConflictError,
    InputError,
    NotFoundError,
    SchedulersError,
    ThrottledError,
)
from ._proxy import WANTS_CREDENTIALS, not_reached, proxy_for, refused_by, through
from ._redact import Redactor
from ._retry import Effect, RetryPolicy

if TYPE_CHECKING:
    import socket
    import ssl
    from http.client import HTTPConnection

QUOTED_CHARACTERS = 200  # of an answer that makes no sense
TOO_MANY_REQUESTS = 429
DATES, NAMES = (9, 10), (62, 64)  # OpenSSL: not yet valid, expired; another host name, another address
LOST = frozenset({500, 502, 503, 504})  # what was asked may have been done
EFFECTS = {
    "GET": Effect.READ,
    "HEAD": Effect.READ,
    "OPTIONS": Effect.READ,
    "PUT": Effect.IDEMPOTENT,
    "DELETE": Effect.IDEMPOTENT,
}
REFUSALS: Mapping[int, type[SchedulersError]] = {
    401: AuthError,
    403: AuthError,
    404: NotFoundError,
    409: ConflictError,
    410: NotFoundError,
}


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        headers: by their names in lower case.
        url: what was asked, without its query: that may hold a token.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str = ""

    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON, None if there is none.

        Raises:
            SchedulersError: it is something else, such as a proxy's error page.
        """
        if not self.body:
            return None
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise SchedulersError(
                not_json(self.url, self.headers, self.body),
                code="NotJson",
                hint="Is this the address of the API, and is nothing in between?",
            ) from error

    def message(self) -> str:
        """What the server says went wrong: the message of a JSON answer, or the start of any other."""
        try:
            said = json.loads(self.body)
        except ValueError:
            said = None
        if isinstance(said, Mapping):
            for name in ("message", "error", "code"):
                if isinstance(said.get(name), str) and said[name]:
                    return str(said[name])
        return shortened(self.text()) or "no explanation"


@dataclass(frozen=True)
class HttpSettings:
    """How to reach a server.

    Attributes:
        url: the address of the server; all that is asked for is under it.
        headers: sent with every request, credentials among them.
        ca: a file of CA certificates to trust in place of the system's.
        timeout: seconds to wait for an answer.
        secrets: values that no error may quote.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    validate_certs: bool = True
    ca: str | None = None
    timeout: float = 30.0
    secrets: Iterable[Any] = field(default=(), repr=False)


Translate = Callable[[Answer], "SchedulersError | None"]


class Http:
    """A server that speaks HTTP.

    Args:
        settings: where it is, and how to speak to it.
        policy: repetition of single requests.
        translate: a provider's own reading of an error answer; None for the usual one.

    Raises:
        InputError: the address is none.
    """

    def __init__(
        self,
        settings: HttpSettings,
        policy: RetryPolicy | None = None,
        translate: Translate = lambda _answer: None,
    ) -> None:
        from ._connections import Connections  # noqa: PLC0415 - a module that fails on its options needs none of it

        self.settings = settings
        self.policy = policy or RetryPolicy()
        self._translate = translate
        self._redact = Redactor(settings.secrets)
        self._server = checked_url(settings.url)
        self._proxy = proxy_for(self._server)
        self._connections = Connections(self._server, self._proxy, settings.timeout, lambda: tls_context(settings))

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        doing: str,
        effect: Effect | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request, repeated as far as that is safe.

        Args:
            path: under the server's address, with the query.
            body: what is sent as JSON.
            doing: verb phrase for the error message.
            effect: what repeating it would do, where the method does not say.
            headers: besides those of the settings.

        Raises:
            SchedulersError: no answer, or one that says no.
        """
        payload = None if body is None else json.dumps(body).encode()

        def send() -> Answer:
            try:
                return self._accepted(self._exchange(method, path, payload, headers or {}))
            except SchedulersError as error:
                error.message = self._redact.text(error.message)
                error.doing = error.doing or doing
                raise

        return self.policy.run(send, effect or EFFECTS.get(method, Effect.CREATE))

    def connected(self) -> socket.socket:
        """A connection to the server for another protocol, in a tunnel if there is a proxy."""
        opened: socket.socket = self._opened(tunnel=True).sock
        return opened

    def close(self) -> None:
        """Close the connections that are kept."""
        self._connections.close()

    def _accepted(self, answer: Answer) -> Answer:
        if answer.status < 300:
            return answer
        if answer.status == WANTS_CREDENTIALS:
            raise refused_by(self._proxy)
        raise self._translate(answer) or failure(answer)

    def _exchange(self, method: str, path: str, payload: bytes | None, more: Mapping[str, str]) -> Answer:
        """One request and its answer, or one of the two errors that say whether it may have arrived."""
        from http.client import HTTPException  # noqa: PLC0415

        from ._timely import answer_within  # noqa: PLC0415

        address = f"{self.settings.url.rstrip('/')}/{path.lstrip('/')}"
        connection = self._connections.kept() or self._opened()
        try:
            answer_within(connection, self.settings.timeout)
            connection.request(method, self._asked(address), payload, self._headers(payload, more))
            response = connection.getresponse()
            body = response.read()
        except (OSError, HTTPException) as error:
            self._connections.drop(connection)
            raise AnswerLostError(
                f"no answer from {self._server.netloc}{through(self._proxy)}: {_said(error)}", code="NoAnswer"
            ) from error
        self._connections.keep(connection, response)
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, body, address.partition("?")[0])

    def _headers(self, payload: bytes | None, more: Mapping[str, str]) -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": "container.schedulers"}
        if payload is not None:
            headers["Content-Type"] = "application/json"
        if self._proxy and self._server.scheme == "http":
            headers |= self._proxy.headers()
        return {**headers, **self.settings.headers, **more}

    def _asked(self, address: str) -> str:
        """A proxy is asked for the whole address, a server for the path; through a tunnel one speaks to the server."""
        parts = urlsplit(address)
        if self._proxy and parts.scheme == "http":
            return address
        return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"

    def _opened(self, *, tunnel: bool = False) -> HTTPConnection:
        import ssl  # noqa: PLC0415
        from http.client import HTTPException  # noqa: PLC0415

        where = self._server.netloc
        try:
            return self._connections.opened(tunnel=tunnel)
        except ssl.SSLCertVerificationError as error:
            usual = "Give the certificate of its CA, or for a test server validate_certs: false."
            raise not_trusted(where, error, usual) from error
        except ssl.SSLError as error:
            raise SchedulersError(f"{where} does not speak TLS: {error.reason or error}", code="NoTls") from error
        except (OSError, HTTPException) as error:
            raise not_reached(where, _said(error), self._proxy) from error


def failure(answer: Answer) -> SchedulersError:
    """The error that an answer stands for, by its status alone. Pure."""
    message = f"{answer.message()} (HTTP {answer.status})"
    code = str(answer.status)
    if answer.status == TOO_MANY_REQUESTS:
        return ThrottledError(message, retry_after=retry_after(answer), code=code)
    if answer.status in LOST:
        lost = AnswerLostError(message, code=code)
        lost.retry_after = retry_after(answer)
        return lost
    if answer.status < 400:
        return SchedulersError(
            f"{answer.url} redirects to {answer.headers.get('location') or 'nowhere'} (HTTP {answer.status})",
            code=code,
            hint="Give the address that it leads to.",
        )
    kind = REFUSALS.get(answer.status, SchedulersError)
    return kind(message, code=code)


def retry_after(answer: Answer) -> float | None:
    """The seconds that the server asks to wait, None if it does not. Pure."""
    text = answer.headers.get("retry-after", "").strip()
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None


def not_json(where: str, headers: Mapping[str, str], body: bytes) -> str:
    """What there is in place of a JSON answer, in a sentence. Pure."""
    kind = headers.get("content-type") or "no content type"
    return f"the answer of {where} is not JSON but {kind}: {shortened(body.decode(errors='replace'))}"


def shortened(text: str) -> str:
    """The start of a text, on one line. Pure."""
    flat = " ".join(text.split())
    return flat if len(flat) <= QUOTED_CHARACTERS else f"{flat[:QUOTED_CHARACTERS]}…"


def checked_url(url: str, option: str = "url") -> SplitResult:
    """The parts of an address.

    Raises:
        InputError: it is none, or has credentials in it: these would be seen wherever the address is.
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises, if it is no number
    except ValueError as error:
        raise InputError(f"{option}: {url!r} is no address: {error}") from error
    if parts.username or parts.password:
        raise InputError(
            f"{option}: credentials do not belong into the address", hint="Give them by their own options."
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"{option}: {url!r} is no address", hint="An address is like https://server.example.com:8080.")
    return parts


def basic_auth(user: str, password: str) -> dict[str, str]:
    """The header of HTTP basic authentication. Pure."""
    from base64 import b64encode  # noqa: PLC0415

    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


def tls_context(settings: HttpSettings) -> ssl.SSLContext:
    """How far the server has to prove who it is.

    Raises:
        InputError: the file of CA certificates cannot be used.
    """
    import ssl  # noqa: PLC0415

    if not settings.validate_certs:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    return trusting(settings.ca)


def trusting(ca: str | None, option: str = "ca") -> ssl.SSLContext:
    """A server has to have a certificate of the system's CAs, or of those in a file.

    Raises:
        InputError: the file of CA certificates cannot be used.
    """
    import ssl  # noqa: PLC0415

    try:
        context = ssl.create_default_context(cafile=ca or None)
    except OSError as error:  # ssl.SSLError is one
        raise InputError(f"{option}: {ca} has no usable certificates: {_said(error)}") from error
    if ca:  # an authority of one's own is often without the key identifiers that Python wants from 3.13 on
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def not_trusted(where: str, error: ssl.SSLCertVerificationError, usual: str) -> SchedulersError:
    """The error for a server whose certificate is not accepted; ``usual`` is what to try about its CA. Pure."""
    return SchedulersError(
        f"the certificate of {where} is not trusted: {error.verify_message}",
        code="CertificateNotTrusted",
        hint=certificate_hint(error, usual),
    )


def certificate_hint(error: ssl.SSLCertVerificationError, usual: str) -> str:
    """What to try when a certificate is not trusted: not always the CA is at fault. Pure."""
    if error.verify_code in DATES:
        return "Is the clock of this machine right? If it is, the server needs a new certificate."
    if error.verify_code in NAMES:
        return "The certificate is for another name: give the address by a name that it is for."
    return usual


def _said(error: BaseException) -> str:
    """A network error in words: the system's, without its number."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text)
