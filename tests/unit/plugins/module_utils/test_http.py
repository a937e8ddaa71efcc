# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils import _connections
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    AnswerLostError,
    AuthError,
    ConflictError,
    InputError,
    NotFoundError,
    SchedulersError,
    ThrottledError,
    UnreachableError,
)
from ansible_collections.container.schedulers.plugins.module_utils._http import (
    Answer,
    Http,
    HttpSettings,
    basic_auth,
    checked_url,
    failure,
    retry_after,
    shortened,
)
from ansible_collections.container.schedulers.plugins.module_utils._retry import Effect, RetryPolicy
from unit.certificates import as_from_python_3_13
from unit.certificates import certificate as certificate_of
from unit.clock import FakeClock
from unit.http_server import Reply, deaf_port, serving, trickling
from unit.proxy import Manners, proxying


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def client(url: str, clock: FakeClock | None = None, **settings: Any) -> Http:
    policy = RetryPolicy(clock=clock or FakeClock(), random=lambda: 0.0)
    return Http(HttpSettings(url, **settings), policy)


def test_an_answer_is_what_the_server_said() -> None:
    with serving(Reply(201, {"name": "web"}, {"X-Thing": "one"})) as server:
        http = client(server.url, headers=basic_auth("user", "word"))
        answer = http.request("POST", "/things?limit=2", {"name": "web"}, doing="make web")
        http.close()
    seen = server.seen[0]
    assert (answer.status, answer.json(), answer.headers["x-thing"]) == (201, {"name": "web"}, "one")
    assert (seen.method, seen.path, seen.body) == ("POST", "/things?limit=2", {"name": "web"})
    assert seen.headers["Authorization"] == "Basic dXNlcjp3b3Jk"
    assert seen.headers["Accept"] == seen.headers["Content-Type"] == "application/json"
    assert answer.url == f"{server.url}/things"  # a query may hold a token


def test_all_is_asked_for_under_the_given_address() -> None:
    with serving(Reply(204)) as server:
        answer = client(f"{server.url}/rancher/").request("GET", "v1", doing="look")
    assert server.seen[0].path == "/rancher/v1"
    assert answer.json() is None


def test_connections_are_kept() -> None:
    with serving(Reply(), Reply()) as server:
        http = client(server.url)
        for _again in range(2):
            http.request("GET", "/", doing="look")
        http.close()
    assert server.seen[0].connection == server.seen[1].connection


def test_a_request_is_not_written_into_a_connection_that_the_server_has_closed() -> None:
    with serving(Reply(closes=True), Reply(201)) as server:
        http = client(server.url)
        http.request("GET", "/", doing="look")
        server.closed.wait()
        answer = http.request("POST", "/things", {}, doing="make it")
    assert answer.status == 201
    assert server.seen[0].connection != server.seen[1].connection


def test_a_read_is_repeated_on_a_new_connection_where_a_firewall_has_forgotten_the_kept_ones() -> None:
    clock = FakeClock()
    with (
        serving(Reply(), Reply(), Reply()) as server,
        proxying(server.server_port, Manners(transparent=True)) as firewall,
    ):
        http = client(firewall.url(), clock, timeout=0.3)
        http.request("GET", "/", doing="look")
        kept = http._connections._idle.pop()
        http.request("GET", "/", doing="look")
        http._connections._idle.append(kept)  # as after two requests at a time
        firewall.forget()
        assert http.request("GET", "/", doing="look").status == 200
    assert len(clock.slept) == 1


def test_a_create_is_not_repeated_where_a_firewall_has_forgotten_the_connection() -> None:
    with (
        serving(Reply()) as server,
        proxying(server.server_port, Manners(transparent=True)) as firewall,
    ):
        http = client(firewall.url(), timeout=0.3)
        http.request("GET", "/", doing="look")
        firewall.forget()
        with pytest.raises(AnswerLostError, match="timed out"):
            http.request("POST", "/", {}, doing="make it")


def test_a_connection_that_was_silent_for_long_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_connections, "IDLE_SECONDS", 0.0)
    with serving(Reply(), Reply(201)) as server:
        http = client(server.url)
        http.request("GET", "/", doing="look")
        http.request("POST", "/", {}, doing="make it")
    assert server.seen[0].connection != server.seen[1].connection


def test_an_answer_that_trickles_ends_in_time() -> None:
    with trickling() as port, pytest.raises(AnswerLostError, match="timed out"):
        client(f"http://127.0.0.1:{port}", timeout=0.2).request("POST", "/", {}, doing="make it")


@pytest.mark.parametrize("cut", ["before", "within"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_may_be_repeated_is(cut: str, method: str) -> None:
    clock = FakeClock()
    with serving(Reply(cut=cut), Reply(503), Reply(200, {})) as server:
        assert client(server.url, clock).request(method, "/", doing="do it").status == 200
    assert len(server.seen) == 3
    assert clock.slept == [0.15, 0.3]


@pytest.mark.parametrize("reply", [Reply(cut="before"), Reply(cut="within"), Reply(500), Reply(502), Reply(504)])
def test_a_create_whose_answer_was_lost_is_not_repeated(reply: Reply) -> None:
    with serving(reply) as server, pytest.raises(AnswerLostError, match="Could not make web:"):
        client(server.url).request("POST", "/things", {}, doing="make web")
    assert len(server.seen) == 1


def test_a_create_that_says_so_is_repeated() -> None:
    with serving(Reply(500), Reply(202)) as server:
        client(server.url).request("POST", "/things/1?action=stop", {}, doing="stop", effect=Effect.IDEMPOTENT)
    assert len(server.seen) == 2


@pytest.mark.parametrize(("status", "method"), [(429, "POST"), (503, "GET")])
def test_the_server_says_how_long_to_wait(status: int, method: str) -> None:
    clock = FakeClock()
    with serving(Reply(status, {"message": "slowly"}, {"Retry-After": "7"}), Reply()) as server:
        client(server.url, clock).request(method, "/", doing="look")
    assert clock.slept == [7.0]


def test_an_answer_that_never_comes_is_not_waited_for() -> None:
    with serving(Reply(cut="never")) as server:
        with pytest.raises(AnswerLostError, match=r"timed out"):
            client(server.url, timeout=0.05).request("POST", "/", {}, doing="make it")
        assert server.asked.wait(60)  # a client that is so impatient may be gone before the server has read a word


def test_where_nobody_listens() -> None:
    clock = FakeClock()
    with (
        deaf_port() as port,
        pytest.raises(UnreachableError, match=r"Could not look: 127.0.0.1:\d+ cannot be reached: Connection refused"),
    ):
        client(f"http://127.0.0.1:{port}", clock).request("POST", "/", {}, doing="look")
    assert len(clock.slept) == 5  # nothing arrived, so even a create may be sent again


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, SchedulersError),
        (401, AuthError),
        (403, AuthError),
        (404, NotFoundError),
        (409, ConflictError),
        (410, NotFoundError),
        (422, SchedulersError),
        (429, ThrottledError),
        (500, AnswerLostError),
        (501, SchedulersError),
        (503, AnswerLostError),
    ],
)
def test_what_a_status_means(status: int, kind: type[SchedulersError]) -> None:
    error = failure(Answer(status, {}, b'{"message": "because"}'))
    assert error.__class__ is kind
    assert (error.message, error.code) == (f"because (HTTP {status})", str(status))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"message": "because"}', "because"),
        (b'{"message": "", "error": "why"}', "why"),
        (b'{"message": {"a": 1}, "code": "NotUnique"}', "NotUnique"),
        (b"[1]", "[1]"),
        (b"<html>\n  Bad   Gateway</html>", "<html> Bad Gateway</html>"),
        (b"", "no explanation"),
    ],
)
def test_what_the_server_says_went_wrong(body: bytes, message: str) -> None:
    assert Answer(500, {}, body).message() == message


def test_a_redirect_is_not_followed() -> None:
    with (
        serving(Reply(302, headers={"Location": "https://elsewhere/"})) as server,
        pytest.raises(SchedulersError, match=r"redirects to https://elsewhere/ \(HTTP 302\). Give the address"),
    ):
        client(server.url).request("GET", "/", doing="look")


def test_a_provider_reads_its_own_errors() -> None:
    def translate(answer: Answer) -> SchedulersError | None:
        return ConflictError("taken") if b"NotUnique" in answer.body else None

    with serving(Reply(422, {"code": "NotUnique"}), Reply(404)) as server:
        http = Http(HttpSettings(server.url), translate=translate)
        with pytest.raises(ConflictError, match="taken"):
            http.request("POST", "/", {}, doing="make it")
        with pytest.raises(NotFoundError):
            http.request("GET", "/", doing="look")


def test_an_answer_that_is_not_json_is_said_as_such() -> None:
    answer = Answer(200, {"content-type": "text/html"}, b"<html>Welcome</html>", "http://x/v1")
    with pytest.raises(SchedulersError, match=r"http://x/v1 is not JSON but text/html: <html>Welcome</html>\. Is this"):
        answer.json()
    with pytest.raises(SchedulersError, match="no content type"):
        Answer(200, {}, b"pong").json()


def test_no_error_quotes_a_secret() -> None:
    with serving(Reply(422, {"message": "bad token s3cr3t-t0ken"})) as server, pytest.raises(SchedulersError) as caught:
        client(server.url, secrets=["s3cr3t-t0ken"]).request("POST", "/", {}, doing="log in")
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("rancher.example.com", "is no address"),
        ("ftp://rancher.example.com", "is no address"),
        ("http://", "is no address"),
        ("http://x:port/", "is no address"),
        ("http://me:word@x/", "credentials do not belong"),
    ],
)
def test_what_is_no_address(url: str, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        checked_url(url)
    assert "word" not in str(caught.value)


@pytest.mark.parametrize(("value", "seconds"), [("3", 3.0), ("0.5", 0.5), ("", None), ("Wed, 21 Oct 2026", None)])
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after(Answer(429, {"retry-after": value}, b"")) == seconds


def test_long_texts_are_shortened() -> None:
    assert shortened("a\n b") == "a b"
    assert shortened("x" * 500) == "x" * 200 + "…"


def test_a_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Reply(200, {})) as server:
        monkeypatch.setenv("http_proxy", f"http://me:w%20d@127.0.0.1:{server.server_port}")
        client("http://rancher.test:8080/a").request("GET", "/v1?x=1", doing="look")
    assert server.seen[0].path == "http://rancher.test:8080/a/v1?x=1"
    assert server.seen[0].headers["Proxy-Authorization"] == "Basic bWU6dyBk"


def test_no_proxy_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(Reply(200, {})) as server:
        client(server.url).request("GET", "/v1", doing="look")
    assert server.seen[0].path == "/v1"


def test_a_tunnel_that_the_proxy_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as server:  # a server that knows no CONNECT
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(UnreachableError, match="Tunnel connection failed: 501"):
            client("https://rancher.test").request("GET", "/", doing="look")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("tls")
    authority = certificate_of("authority")
    cert, key = certificate_of("127.0.0.1", authority)
    for name, content in (("ca", authority[0]), ("cert", cert), ("key", key)):
        (place / name).write_text(content)
    return place


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert", certificate / "key")
    return context


def test_a_certificate_has_to_be_trusted(
    certificate: Path, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_from_python_3_13(monkeypatch)
    with serving(Reply(200, {}), Reply(200, {}), tls=tls) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(SchedulersError, match="is not trusted: unable to get local issuer certificate"):
            client(url).request("GET", "/", doing="look")
        assert client(url, ca=str(certificate / "ca")).request("GET", "/", doing="look").status == 200
        assert client(url, validate_certs=False).request("GET", "/", doing="look").status == 200


@pytest.mark.parametrize(
    ("name", "day", "says"),
    [
        ("127.0.0.1", 2, r"certificate is not yet valid\. Is the clock of this machine right\?"),
        ("127.0.0.1", -2, r"certificate has expired\. Is the clock of this machine right\? If it is, the server needs"),
        ("other.test", 0, r"IP address mismatch.*\. The certificate is for another name"),
    ],
)
def test_not_always_the_authority_is_at_fault(name: str, day: int, says: str, tmp_path: Path) -> None:
    authority = certificate_of("authority")
    (tmp_path / "ca").write_text(authority[0])
    (tmp_path / "pair").write_text("".join(certificate_of(name, authority, day=day)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pair")
    with serving(tls=context) as server, pytest.raises(SchedulersError, match=says):
        client(server.url.replace("http:", "https:"), ca=str(tmp_path / "ca")).request("GET", "/", doing="look")


def test_a_ca_file_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no usable certificates: No such file"):
        client("https://127.0.0.1:1", ca=str(tmp_path / "none")).request("GET", "/", doing="look")


def test_tls_where_there_is_none() -> None:
    with serving() as server, pytest.raises(SchedulersError, match="does not speak TLS"):
        client(server.url.replace("http:", "https:")).request("GET", "/", doing="look")
