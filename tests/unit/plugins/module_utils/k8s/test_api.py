# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client, against a real HTTP server with scripted answers."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
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
)
from ansible_collections.container.schedulers.plugins.module_utils._k8s import transport
from ansible_collections.container.schedulers.plugins.module_utils._k8s.api import Api
from ansible_collections.container.schedulers.plugins.module_utils._k8s.errors import ExpiredError, translate
from ansible_collections.container.schedulers.plugins.module_utils._k8s.kinds import CONFIG_MAP, DEPLOYMENT, POD
from ansible_collections.container.schedulers.plugins.module_utils._k8s.login import Login
from ansible_collections.container.schedulers.plugins.module_utils._k8s.transport import Transport
from ansible_collections.container.schedulers.plugins.module_utils._retry import RetryPolicy
from unit.api_server import Call, Cut, Status, api_server, events, listing, thing
from unit.clock import FakeClock
from unit.http_server import Reply, serving, trickling
from unit.proxy import Manners, proxying

PODS = "/api/v1/namespaces/shop/pods"
WEB = "/apis/apps/v1/namespaces/shop/deployments/web"


def test_a_kind_of_the_table_costs_nothing() -> None:
    with api_server() as server:
        assert server.api().kind("apps/v1", "Deployment") == DEPLOYMENT


def test_a_kind_that_is_not_in_the_table_costs_one_request() -> None:
    resources = [
        {"name": "widgets", "kind": "Widget", "namespaced": True},
        {"name": "widgets/status", "kind": "Widget", "namespaced": True},
        {"name": "gears", "kind": "Gear", "namespaced": False},
    ]
    with api_server(Call("GET", "/apis/example.com/v1", {"resources": resources})) as server:
        api = server.api()
        assert api.kind("example.com/v1", "Widget").path("shop", "one") == (
            "/apis/example.com/v1/namespaces/shop/widgets/one"
        )
        assert api.kind("example.com/v1", "Gear").path("shop", "one") == "/apis/example.com/v1/gears/one"


def test_a_kind_that_nobody_knows_is_asked_for_again_next_time() -> None:
    group = "/apis/example.com/v1"
    found = {"resources": [{"name": "widgets", "kind": "Widget", "namespaced": True}]}
    with api_server(Call("GET", group, Status(404, "NotFound")), Call("GET", group, found)) as server:
        api = server.api()
        with pytest.raises(NotFoundError, match="does not know kind Widget"):
            api.kind("example.com/v1", "Widget")
        assert api.kind("example.com/v1", "Widget").plural == "widgets"


def test_lists_are_read_to_the_last_page() -> None:
    first = {"metadata": {"resourceVersion": "7", "continue": "more"}, "items": [{"metadata": {"name": "a"}}]}
    with api_server(
        Call("GET", PODS, first, query={"labelSelector": "app=web"}),
        Call("GET", PODS, listing({"metadata": {"name": "b"}}, version="7"), query={"continue": "more"}),
    ) as server:
        found = server.api().list(POD, "shop", labels="app=web")
    assert [one["metadata"]["name"] for one in found.items] == ["a", "b"]
    assert found.items[0]["kind"] == "Pod"
    assert found.version == "7"


@pytest.mark.parametrize("reason", ["Expired", "Gone"])
def test_a_list_whose_pages_came_too_slowly_begins_anew(reason: str) -> None:
    """Before Kubernetes 1.18, which Rancher 1.6 has, there were two names for it."""
    first = {"metadata": {"resourceVersion": "7", "continue": "more"}, "items": [{"metadata": {"name": "a"}}]}
    with api_server(
        Call("GET", PODS, first),
        Call("GET", PODS, Status(410, reason), query={"continue": "more"}),
        Call("GET", PODS, listing({"metadata": {"name": "b"}}, version="9")),
    ) as server:
        found = server.api().list(POD, "shop")
    assert ([one["metadata"]["name"] for one in found.items], found.version) == (["b"], "9")


def test_a_list_that_expires_before_it_begins_is_an_error() -> None:
    with api_server(Call("GET", PODS, Status(410, "Gone"))) as server, pytest.raises(ExpiredError):
        server.api().list(POD, "shop")


def test_an_object_that_is_not_there_is_none() -> None:
    with api_server(Call("GET", f"{PODS}/a", Status(404, "NotFound"))) as server:
        assert server.api().get(POD, "a", "shop") is None


def test_a_dry_run_says_so_and_says_whether_it_would_create() -> None:
    web = thing("Deployment", "web", api_version="apps/v1")
    query = {"fieldManager": "container.schedulers", "dryRun": "All", "force": "false", "fieldValidation": "Strict"}
    with api_server(Call("PATCH", WEB, web, query=query, status=201)) as server:
        written = server.api().apply(DEPLOYMENT, web, dry_run=True)
    assert written.created
    assert server.headers[0]["Content-Type"] == "application/apply-patch+yaml"


@pytest.mark.parametrize("trouble", [Status(503), Status(429, "TooManyRequests"), Cut(), Status(409, "Conflict")])
def test_an_apply_is_repeated_as_twice_is_as_good_as_once(trouble: Any) -> None:
    web = thing("Deployment", "web", api_version="apps/v1")
    manifest = {**web, "metadata": {"name": "web", "namespace": "shop"}}
    with api_server(Call("PATCH", WEB, trouble), Call("PATCH", WEB, web)) as server:
        assert server.api().apply(DEPLOYMENT, manifest).object["metadata"]["name"] == "web"


def test_an_apply_to_one_version_is_not_repeated_when_there_is_another() -> None:
    manifest = thing("Deployment", "web", api_version="apps/v1")
    with (
        api_server(Call("PATCH", WEB, Status(409, "Conflict", "it was modified"), body=manifest)) as server,
        pytest.raises(ConflictError, match="it was modified"),
    ):
        server.api().apply(DEPLOYMENT, manifest)


def test_a_create_whose_answer_was_lost_is_not_repeated() -> None:
    with (
        api_server(Call("POST", "/api/v1/namespaces/shop/configmaps", Cut())) as server,
        pytest.raises(AnswerLostError, match=r"Could not create ConfigMap shop/a: the connection .* broke"),
    ):
        server.api().create(CONFIG_MAP, thing("ConfigMap", "a"))


def test_what_is_gone_already_is_no_error_when_deleting() -> None:
    with api_server(Call("DELETE", WEB, Status(404), body={"preconditions": {"uid": "u1"}})) as server:
        assert not server.api().delete(DEPLOYMENT, "web", "shop", uid="u1")


def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again() -> None:
    with api_server(
        Call("GET", f"{PODS}/a", thing("Pod", "a"), headers={"Connection": "close"}), Call("GET", f"{PODS}/b", {})
    ) as server:
        api = server.api()
        api.get(POD, "a", "shop")
        api.get(POD, "b", "shop")
    assert server.clock.slept == []


def test_a_token_that_was_refused_is_renewed_once() -> None:
    token = ["old"]

    def renew(refused: str) -> None:
        token.append(f"other than {refused}")

    with api_server(Call("GET", f"{PODS}/a", Status(401, "Unauthorized")), Call("GET", f"{PODS}/a", {})) as server:
        server.api(Login(server.url, token=lambda: token[-1], renew=renew)).get(POD, "a", "shop")
    assert [one["Authorization"] for one in server.headers] == ["Bearer old", "Bearer other than old"]


def test_a_token_that_never_changes_is_not_tried_twice() -> None:
    with (
        api_server(Call("GET", f"{PODS}/a", Status(401, "Unauthorized"))) as server,
        pytest.raises(AuthError, match="may have expired"),
    ):
        server.api(Login(server.url, token=lambda: "t")).get(POD, "a", "shop")


@pytest.mark.parametrize("status", [500, 403])
def test_a_server_that_has_just_started_forbids_everything_for_a_moment(status: int) -> None:
    with api_server(
        Call("GET", f"{PODS}/a", Status(403, "Forbidden")),
        Call("GET", "/readyz", "not yet", status=status),
        Call("GET", f"{PODS}/a", {"kind": "Pod"}),
    ) as server:
        assert server.api().get(POD, "a", "shop") == {"kind": "Pod"}


def test_a_server_that_is_up_means_it() -> None:
    with (
        api_server(Call("GET", f"{PODS}/a", Status(403, "Forbidden")), Call("GET", "/readyz", "ok")) as server,
        pytest.raises(AuthError, match="by a role"),
    ):
        server.api().get(POD, "a", "shop")


def test_who_we_are_comes_with_every_request() -> None:
    login: dict[str, Any] = {"headers": (("Impersonate-User", "jane"),), "basic": ("joe", "secret")}
    with api_server(Call("GET", f"{PODS}/a", {})) as server:
        server.api(Login(server.url, **login)).get(POD, "a", "shop")
    assert server.headers[0]["Impersonate-User"] == "jane"
    assert server.headers[0]["Authorization"] == "Basic am9lOnNlY3JldA=="


def test_a_proxys_password_is_not_sent_as_the_address_quotes_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy, ThreadPoolExecutor() as pool:
        asked = pool.submit(refused_by_proxy, proxy)
        port = proxy.getsockname()[1]
        api = Api(
            Transport(Login("http://k8s.test:6443", proxy=f"http://me:p%40ss@127.0.0.1:{port}")),
            RetryPolicy(clock=FakeClock(), attempts=1),
        )
        with pytest.raises(UnreachableError):
            api.get(POD, "a", "shop")
    assert asked.result().startswith(b"CONNECT k8s.test:6443 ")
    assert b"Proxy-Authorization: Basic bWU6cEBzcw==" in asked.result()


def refused_by_proxy(proxy: socket.socket) -> bytes:
    """What the proxy is asked; it says no."""
    connection, _address = proxy.accept()
    with connection:
        asked = connection.recv(65536)
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    return asked


def test_a_server_that_is_not_there_is_unreachable() -> None:
    api = Api(Transport(Login("https://127.0.0.1:1")), RetryPolicy(clock=FakeClock(), attempts=2))
    with pytest.raises(UnreachableError, match=r"Could not look at Pod shop/a: https://127.0.0.1:1 cannot be reached"):
        api.get(POD, "a", "shop")


PAGE = Reply(200, "<html><body>Log in</body></html>", {"Content-Type": "text/html"})
LISTS = "GET", "list the pods", lambda api: api.list(POD, "shop")
GETS = "GET", "look at Pod shop/a", lambda api: api.get(POD, "a", "shop")
DELETES = "DELETE", "delete Pod shop/a", lambda api: api.delete(POD, "a", "shop")
APPLIES = "PATCH", "apply Pod shop/a", lambda api: api.apply(POD, {"metadata": {"name": "a", "namespace": "shop"}})


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (PAGE, "is not JSON but text/html: <html><body>Log in</body></html>"),
        (Reply(200, ""), "is not JSON but application/json"),
        (Reply(302, "", {"Location": "http://login.test/"}), r"redirects to http://login.test/ \(HTTP 302\)"),
        (replace(PAGE, status=403), r"the answer is a web page \(HTTP 403\): <html>"),
        (replace(PAGE, status=404), r"the answer is a web page \(HTTP 404\): <html>"),
    ],
)
@pytest.mark.parametrize(("method", "doing", "ask"), [LISTS, GETS, DELETES, APPLIES])
def test_what_comes_from_something_in_between_is_no_answer(
    method: str, doing: str, ask: Callable[[Api], Any], reply: Reply, says: str
) -> None:
    with serving(reply) as server:
        api = Api(Transport(Login(server.url), 10), RetryPolicy(clock=FakeClock()))
        with pytest.raises(SchedulersError, match=rf"Could not {doing}.*{says}.* does no proxy and no login page"):
            ask(api)
    assert server.seen[0].method == method


def test_a_page_may_ask_for_credentials() -> None:
    refused: list[str] = []
    with serving(replace(PAGE, status=401), Reply(200, {"items": []})) as server:
        login = Login(server.url, token=lambda: "old", renew=refused.append)
        assert Api(Transport(login, 10), RetryPolicy(clock=FakeClock())).list(POD, "shop").items == []
    assert refused == ["old"]


def test_what_is_no_list_is_no_empty_list() -> None:
    with api_server(Call("GET", PODS, {})) as server, pytest.raises(SchedulersError, match="is no list of Kubernetes"):
        server.api().list(POD, "shop")


def test_a_read_is_repeated_on_a_new_connection_where_a_firewall_has_forgotten_the_kept_ones() -> None:
    clock, pods = FakeClock(), Reply(200, {"items": []})
    with serving(pods, pods, pods) as server, proxying(server.server_port, Manners(transparent=True)) as firewall:
        transport = Transport(Login(firewall.url()), 0.3)
        api = Api(transport, RetryPolicy(clock=clock))
        api.list(POD, "shop")
        kept = transport._connections._idle.pop()
        api.list(POD, "shop")
        transport._connections._idle.append(kept)  # as after two requests at a time
        firewall.forget()
        assert api.list(POD, "shop").items == []
    assert len(clock.slept) == 1


def test_an_answer_that_trickles_ends_in_time() -> None:
    with trickling() as port, pytest.raises(AnswerLostError, match="it took too long"):
        Transport(Login(f"http://127.0.0.1:{port}"), 0.2).request("GET", "/", {})
    with trickling() as port, pytest.raises(AnswerLostError, match="it took too long"):
        Transport(Login(f"http://127.0.0.1:{port}"), 10).stream("/", {}, 0.2)


def test_a_large_answer_may_take_longer_than_a_small_one() -> None:
    with trickling(pieces=25, body=True, size=1000) as port:
        assert len(Transport(Login(f"http://127.0.0.1:{port}"), 0.2).request("GET", "/", {}).body) > 25_000


def test_a_stream_may_be_silent_for_longer_than_its_beginning_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "HEADER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection = server.accept()[0]
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            time.sleep(0.5)
            connection.sendall(b"news\n")
            connection.close()

        threading.Thread(target=serve).start()
        stream = Transport(Login(f"http://127.0.0.1:{server.getsockname()[1]}"), 10).stream("/", {}, 5)
        assert list(stream.lines()) == [b"news\n"]


def test_a_handshake_that_never_comes_is_not_waited_for_longer_than_an_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:

        def close() -> None:
            silent.accept()[0].close()

        hang_up = threading.Timer(5, close)  # whoever waits for longer sees that
        hang_up.start()
        with pytest.raises(UnreachableError, match="it took too long"):
            Transport(Login(f"https://127.0.0.1:{silent.getsockname()[1]}"), 0.2).request("GET", "/", {})
        hang_up.cancel()


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="is not an address"):
        Transport(Login("ftp://example.com"))


def test_a_watch_gives_what_happens() -> None:
    a = thing("Pod", "a")
    with api_server(
        Call(
            "GET", PODS, events(("ADDED", a), ("BOOKMARK", a), hold=False), query={"watch": "1", "resourceVersion": "5"}
        )
    ) as server:
        watch = server.api().watch(POD, "shop", "5")
        assert [kind for kind, _thing in watch.events()] == ["ADDED", "BOOKMARK"]


@pytest.mark.parametrize("answer", [Status(410, "Expired"), events(("ERROR", Status(410, "Expired").body()))])
def test_a_version_that_is_too_old_has_an_error_of_its_own(answer: Any) -> None:
    with api_server(Call("GET", PODS, answer)) as server, pytest.raises(ExpiredError):
        list(server.api().watch(POD, "shop", "5").events())


def test_logs_are_text() -> None:
    with api_server(Call("GET", f"{PODS}/a/log", "one\ntwo\n", query={"previous": "true", "tailLines": "2"})) as server:
        assert server.api().logs("a", "shop", "web", lines=2, previous=True) == "one\ntwo\n"


CONFLICT = {
    "causes": [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "kubectl-edit" using apps/v1',
            "field": ".spec.replicas",
        },
        {"reason": "FieldManagerConflict", "message": 'conflict with "hpa"', "field": ".spec.template"},
    ]
}


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (Status(409, "Conflict", "Apply failed", CONFLICT), ConflictError, "spec.replicas belongs to kubectl-edit"),
        (Status(409, "Conflict", "the object has been modified"), ThrottledError, "modified"),
        (Status(409, "AlreadyExists", "exists"), ConflictError, "exists"),
        (Status(401, "Unauthorized"), AuthError, "may have expired"),
        (Status(403, "Forbidden", "no"), AuthError, "by a role"),
        (Status(403, "Forbidden", 'pods is forbidden: User "me" cannot list it'), AuthError, "by a role"),
        (Status(403, "Forbidden", 'claims "a" is forbidden: no resize'), AuthError, "forbidden: no resize."),
        (Status(403, "Forbidden", "exceeded quota: small"), SchedulersError, "ResourceQuota"),
        (Status(403, "Forbidden", "x", {"causes": [{"reason": "NamespaceTerminating"}]}), BusyError, "gone"),
        (Status(429, "TooManyRequests", "x", {"causes": [{"reason": "DisruptionBudget"}]}), BusyError, "x"),
        (Status(404, "NotFound", "no pods"), NotFoundError, "no pods"),
        (Status(422, "Invalid", "spec.replicas: must be"), InputError, "must be"),
        (Status(400, "BadRequest", "strict decoding error"), InputError, "strict"),
        (Status(500, "InternalError", "webhook"), AnswerLostError, "webhook"),
        (Status(410, "Expired", "too old"), ExpiredError, "too old"),
        (Status(418, "Teapot", "tea"), SchedulersError, "tea"),
    ],
)
def test_refusals_become_our_errors(status: Status, kind: type[SchedulersError], says: str) -> None:
    error = translate(status.code, json.dumps(status.body()).encode(), {}, "try")
    assert error.__class__ is kind
    assert says in error.sentence()
    assert ("by a role" in error.sentence()) is (says == "by a role")


def test_a_proxys_page_is_an_error_too() -> None:
    error = translate(502, b"<html>Bad gateway</html>", {}, "try")
    assert isinstance(error, AnswerLostError)
    assert "Bad gateway" in error.message


@pytest.mark.parametrize(("value", "seconds"), [("7", 7.0), ("Wed, 21 Oct", None), (None, None)])
def test_retry_after_is_seconds_or_left_to_the_policy(value: str | None, seconds: float | None) -> None:
    error = translate(429, b"{}", {"retry-after": value} if value else {}, "try")
    assert isinstance(error, ThrottledError)
    assert error.retry_after == seconds
