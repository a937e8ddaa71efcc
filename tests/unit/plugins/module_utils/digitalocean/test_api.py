# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One way to call DigitalOcean: what is repeated, what never is, lists to their end, errors as one sentence."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
import requests
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean import errors
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean.api import (
    PAGE_SIZE,
    Connection,
    DigitalOcean,
    checked_url,
)
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    AnswerLostError,
    AuthError,
    BusyError,
    ConflictError,
    InputError,
    NotFoundError,
    SchedulersError,
    ThrottledError,
    UnreachableError,
    WaitTimeoutError,
)
from lab.http_server import HttpServer
from lab.messages import Answer, Request, json_answer
from unit.digitalocean import URL, Call, Reply, refusal, scripted

ACCOUNT = Reply(200, {"account": {"uuid": "u"}})


def page(count: int, total: int, start: int = 0) -> Reply:
    entries = [{"id": number, "name": f"n{number}"} for number in range(start, start + count)]
    return Reply(200, {"droplets": entries, "links": {}, "meta": {"total": total}})


def listing(number: int, answer: Reply, **query: Any) -> Call:
    return Call("GET", "droplets", answer, {**query, "page": number, "per_page": PAGE_SIZE})


def test_what_is_sent() -> None:
    with scripted(Call("GET", "account", ACCOUNT), Call("DELETE", "droplets/1", Reply(204))) as script:
        assert script.api.get("account", doing="look") == {"account": {"uuid": "u"}}
        assert script.api.call("DELETE", "droplets/1", doing="delete") == {}
    first, second = script.session.sent
    assert first["url"] == f"{URL}/v2/account"
    assert first["headers"]["Authorization"] == "Bearer t"
    assert first["timeout"] == (10.0, 60.0)
    assert first["allow_redirects"] is False
    assert second["json"] is None


def test_the_library_is_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import digitalocean.baseapi  # noqa: PLC0415

    monkeypatch.setenv("DIGITALOCEAN_END_POINT", "https://elsewhere.invalid/v2/")
    library = DigitalOcean(Connection("secret", URL))._library
    assert isinstance(library, digitalocean.baseapi.BaseAPI)
    assert (library.end_point, library.token) == (f"{URL}/v2/", "secret")
    assert "secret" not in repr(Connection("secret", URL))


def test_the_token_is_not_replaced_by_what_a_netrc_has(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    seen: list[str] = []

    def answer(request: Request) -> Answer:
        seen.append(request.headers["authorization"])
        return json_answer({"account": {}})

    server = HttpServer(answer)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        DigitalOcean(Connection("the-token", server.url)).get("account", doing="look")
    finally:
        server.shutdown()
        server.server_close()
    assert seen == ["Bearer the-token"]


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://api.digitalocean.com", "https://api.digitalocean.com"),
        ("https://api.digitalocean.com/v2/", "https://api.digitalocean.com"),
        (" http://127.0.0.1:80/v2 ", "http://127.0.0.1:80"),
    ],
)
def test_the_address_with_or_without_its_version(given: str, url: str) -> None:
    assert checked_url(given) == url


@pytest.mark.parametrize("given", ["", "api.digitalocean.com", "ftp://x", "https://x/v1", "http://"])
def test_addresses_that_are_none(given: str) -> None:
    with pytest.raises(InputError, match="api_url"):
        checked_url(given)


@pytest.mark.parametrize(
    ("params", "words"),
    [({"api_token": " "}, "api_token is empty"), ({"request_timeout": 0}, "request_timeout is 0")],
)
def test_connections_that_cannot_work(params: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Connection.from_params({"api_token": "t", "api_url": URL, "request_timeout": 30, **params})


def test_reads_are_repeated() -> None:
    broken = requests.exceptions.ConnectionError("Connection aborted.")
    calls = [
        Call("GET", "account", one)
        for one in (refusal(503, "server_error"), broken, requests.exceptions.ReadTimeout("slow"), ACCOUNT)
    ]
    with scripted(*calls) as script:
        assert script.api.get("account", doing="look")["account"]["uuid"] == "u"
    assert len(script.clock.slept) == 3


@pytest.mark.parametrize(
    "answer", [refusal(500, "server_error"), requests.exceptions.ConnectionError("Connection aborted.")]
)
def test_a_create_whose_answer_was_lost_is_not_repeated(answer: Any) -> None:
    with scripted(Call("POST", "droplets", answer)) as script, pytest.raises(AnswerLostError):
        script.api.call("POST", "droplets", body={}, doing="create")


def test_a_create_that_was_not_carried_out_is_repeated_when_the_limit_says_so() -> None:
    calls = (
        Call("POST", "droplets", refusal(429, "too_many_requests", retry_after="17")),
        Call("POST", "droplets", Reply(202, {"droplets": []})),
    )
    with scripted(*calls) as script:
        script.api.call("POST", "droplets", body={}, doing="create")
    assert script.clock.slept == [17.0]


def test_a_list_is_read_to_its_last_page() -> None:
    calls = (listing(1, page(200, 450), a=1), listing(2, page(200, 450, 200), a=1), listing(3, page(50, 450, 400), a=1))
    with scripted(*calls) as script:
        assert len(script.api.pages("droplets", "droplets", doing="list", query={"a": 1})) == 450


def test_a_page_that_fails_fails_the_list() -> None:
    calls = (listing(1, page(200, 250)), listing(2, refusal(403, "forbidden")))
    with scripted(*calls) as script, pytest.raises(AuthError):
        script.api.pages("droplets", "droplets", doing="list")


def test_a_list_that_moves_is_read_again_and_has_nothing_twice() -> None:
    moved = (listing(1, page(200, 201)), listing(2, page(1, 201, 199)))
    right = (listing(1, page(200, 201)), listing(2, page(1, 201, 200)))
    with scripted(*moved, *right) as script:
        assert len(script.api.pages("droplets", "droplets", doing="list")) == 201


def test_a_list_that_is_shorter_than_it_says_is_an_error() -> None:
    with scripted(*[listing(1, page(1, 2))] * 3) as script, pytest.raises(SchedulersError, match="2 entries"):
        script.api.pages("droplets", "droplets", doing="list")


def test_a_list_that_is_none() -> None:
    with scripted(listing(1, Reply(200, {"ok": True}))) as script, pytest.raises(SchedulersError, match="no droplets"):
        script.api.pages("droplets", "droplets", doing="list")


def test_an_answer_that_is_no_json() -> None:
    with (
        scripted(*[Call("GET", "account", Reply(200, "<html>"))] * 6) as script,
        pytest.raises(AnswerLostError, match="not what DigitalOcean writes"),
    ):
        script.api.get("account", doing="look")


def test_what_is_removed_is_looked_at() -> None:
    gone = refusal(404, "not_found")
    calls = (
        Call("DELETE", "tags/t", refusal(409, "conflict", "attached volume cannot be deleted")),
        Call("DELETE", "tags/t", Reply(204)),
        Call("GET", "tags/t", Reply(200, {"tag": {}})),
        Call("DELETE", "tags/t", Reply(204)),
        Call("GET", "tags/t", gone),
    )
    with scripted(*calls) as script:
        script.api.remove("tags/t", doing="remove tag t")


def test_what_never_goes_is_an_error() -> None:
    calls = [Call("DELETE", "tags/t", Reply(204)), Call("GET", "tags/t", Reply(200, {"tag": {}}))] * 30
    with pytest.raises((WaitTimeoutError, AssertionError)) as caught, scripted(*calls) as script:
        script.api.remove("tags/t", doing="remove tag t")
    assert "still there" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (401, "unauthorized", "Unable to authenticate you", AuthError),
        (403, "forbidden", "no", AuthError),
        (404, "not_found", "no", NotFoundError),
        (409, "conflict", "duplicate name", ConflictError),
        (409, "conflict", "attached volume cannot be deleted", BusyError),
        (412, "precondition_failed", "cannot delete", BusyError),
        (422, "unprocessable_entity", "Droplet already has a pending event.", BusyError),
        (422, "unprocessable_entity", "SSH Key is already in use on your account", ConflictError),
        (422, "unprocessable_entity", "invalid size", SchedulersError),
        (429, "too_many_requests", "slow down", ThrottledError),
        (500, "server_error", "oops", AnswerLostError),
        (501, "NotImplemented", "lab", SchedulersError),
    ],
)
def test_families_of_errors(status: int, code: str, message: str, kind: type[SchedulersError]) -> None:
    document = {"id": code, "message": message, "request_id": "r"}
    error = errors.from_answer(status, document, {}, "do it")
    assert error.__class__ == kind
    assert (error.code, error.doing) == (code, "do it")


@pytest.mark.parametrize(
    "document",
    [None, {}, {"message": "from a proxy"}, [], {"id": 5}, {"id": "route_missing", "message": "from a gateway"}],
)
def test_not_found_counts_only_in_digitalocean_s_own_words(document: Any) -> None:
    error = errors.from_answer(404, document, {}, "look")
    assert not isinstance(error, NotFoundError)
    assert "api_url" in error.sentence()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "5"}, 5.0),
        ({"ratelimit-reset": "1030"}, 30.0),
        ({"ratelimit-reset": "9999"}, 60.0),
        ({"ratelimit-reset": "1"}, 1.0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_how_long_a_limit_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    error = errors.from_answer(429, {"id": "too_many_requests"}, headers, "look", now=1000.0)
    assert isinstance(error, ThrottledError)
    assert error.retry_after == seconds


def test_the_request_id_is_kept_wherever_it_stands() -> None:
    assert errors.from_answer(422, {"id": "x"}, {"x-request-id": "h"}, "").details == {"request_id": "h"}
    assert errors.from_answer(422, {"id": "x", "request_id": "b"}, {}, "").details == {"request_id": "b"}


class NewConnectionError(Exception):
    """As urllib3 calls it."""


def wrapped(inner: Exception) -> requests.exceptions.ConnectionError:
    outer = Exception("Max retries exceeded")
    outer.reason = inner  # type: ignore[attr-defined]  # as urllib3's MaxRetryError has it
    return requests.exceptions.ConnectionError(outer)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (wrapped(NewConnectionError("refused")), UnreachableError),
        (requests.exceptions.ConnectTimeout("late"), UnreachableError),
        (requests.exceptions.SSLError(ssl.SSLError("bad record mac")), AnswerLostError),
        (wrapped(OSError("Tunnel connection failed: 503 Service Unavailable")), UnreachableError),
        (requests.exceptions.ProxyError(ConnectionResetError()), AnswerLostError),  # urllib3 1.26: whenever it breaks
        (requests.exceptions.ReadTimeout("late"), AnswerLostError),
        (requests.exceptions.ConnectionError("aborted"), AnswerLostError),
        (requests.exceptions.ChunkedEncodingError("cut"), AnswerLostError),
        (requests.exceptions.InvalidURL("no host"), SchedulersError),
    ],
)
def test_errors_without_an_answer(error: Exception, kind: type[SchedulersError]) -> None:
    assert errors.from_library(error, "look").__class__ == kind


def test_certificates_that_are_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with pytest.raises(
        SchedulersError, match=r"Could not look: .*none\.pem\. Do REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE"
    ):
        DigitalOcean(Connection("t", "https://127.0.0.1:9", 1.0)).get("account", doing="look")


def test_nobody_listens() -> None:
    api = DigitalOcean(Connection("t", "http://127.0.0.1:9", 1.0))
    object.__setattr__(api.policy, "attempts", 1)
    with pytest.raises(UnreachableError, match="Could not look"):
        api.get("account", doing="look")
