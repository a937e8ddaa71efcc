# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    AnswerLostError,
    AuthError,
    ConflictError,
    InputError,
    NotFoundError,
    SchedulersError,
    ThrottledError,
)
from ansible_collections.container.schedulers.plugins.module_utils._http import Answer
from ansible_collections.container.schedulers.plugins.module_utils._rancher.api import Connection, Rancher
from ansible_collections.container.schedulers.plugins.module_utils._rancher.environments import (
    chosen,
    find_environment,
    live_environment,
)
from ansible_collections.container.schedulers.plugins.module_utils._rancher.errors import translate
from unit.rancher import URL, collection, error, project, rancher, service, versions
from unit.scripted_http import Request


@pytest.mark.parametrize(
    ("offered", "version"), [(("v1",), "v1"), (("v1", "v2-beta"), "v2-beta"), (("v2-beta", "v1", "v3"), "v2-beta")]
)
def test_the_newest_api_is_used_and_asked_for_once(offered: tuple[str, ...], version: str) -> None:
    server, http = rancher(Request("GET", "/", versions(*offered)), version="auto")
    assert [server.version, server.version] == [version, version]
    assert server.is_v1 is (version == "v1")
    assert server.path("services", project="1a5") == f"/{version}/projects/1a5/services"
    http.finish()


@pytest.mark.parametrize(
    ("answer", "status", "why"),
    [
        (versions("v3"), 200, "is no Rancher 1.x server: it offers v3"),
        ({"hello": "world"}, 200, "or its API is not there"),
        ([1, 2], 200, "or its API is not there"),
        (None, 404, "or its API is not there"),
    ],
)
def test_what_is_no_rancher(answer: Any, status: int, why: str) -> None:
    server, _http = rancher(Request("GET", "/", answer, status=status), version="auto")
    with pytest.raises(InputError, match=rf"url: {URL} is no Rancher 1.x server.*{re.escape(why)}|{re.escape(why)}"):
        assert server.version


def test_a_server_that_refuses_the_key_is_not_called_something_else() -> None:
    server, _http = rancher(Request("GET", "/", error(401, "Unauthorized"), status=401), version="auto")
    with pytest.raises(AuthError, match="does not accept the API key"):
        assert server.version


@pytest.mark.parametrize("url", [f"{URL}/v1", f"{URL}/v2-beta/projects/1a5", f"{URL}/", URL])
def test_an_address_copied_from_the_browser(url: str) -> None:
    assert Connection(url).server == URL


def test_the_key_is_sent_and_not_shown() -> None:
    connection = Connection(URL, "KEY", "s3cr3t-value")
    assert connection.http().settings.headers["Authorization"].startswith("Basic ")
    assert "s3cr3t" not in repr(connection) + repr(connection.http().settings)
    assert "Authorization" not in Connection(URL).http().settings.headers


def test_there_has_to_be_an_address() -> None:
    with pytest.raises(InputError, match="url is not given"):
        Connection.from_params({"url": None})


def test_a_list_is_read_to_its_last_page_and_checked_again() -> None:
    path, removed = "/v2-beta/projects/1a5/services", service("web", "1s8", state="removed")
    following = f"{URL}{path}?limit=2&marker=m2&name=web"
    server, http = rancher(
        Request("GET", path, collection(service("web"), service("api"), following=following), query={"limit": "1000"}),
        Request("GET", path, collection(removed, service("web", "1s9")), query={"marker": "m2", "name": "web"}),
    )
    found = server.list(server.path("services", project="1a5"), {"name": "web"}, doing="look")
    assert [one["id"] for one in found] == ["1s7", "1s9"]
    http.finish()


def test_a_page_that_leads_to_itself_ends_the_list() -> None:
    following = f"{URL}/v2-beta/services?limit=1000"
    server, _http = rancher(Request("GET", "/v2-beta/services", collection(following=following)))
    with pytest.raises(SchedulersError, match="as the page that follows it"):
        server.list("/v2-beta/services", doing="look")


def test_links_are_asked_for_under_the_given_address() -> None:
    server = Rancher(Connection("https://front.test/rancher", api_version="v1"))
    assert server.under("http://10.0.0.4:8080/rancher/v1/services/1s7?a=b") == "/v1/services/1s7?a=b"
    assert server.under("/v1/services") == "/v1/services"


def test_what_is_gone_is_not_found() -> None:
    path = "/v2-beta/projects/1a5/services/1s7"
    server, _http = rancher(
        Request("GET", path, service(state="removed")),
        Request("GET", path, error(404, "Not Found"), status=404),
        Request("GET", path, service(state="removing")),
    )
    found = [server.find(path, doing="look") for _again in range(3)]
    assert [one and one["state"] for one in found] == [None, None, "removing"]


def test_a_create_whose_answer_was_lost_is_looked_up_first() -> None:
    path = "/v2-beta/projects/1a5/services"
    server, http = rancher(Request("POST", path, AnswerLostError("cut")))
    assert server.create(path, {"name": "web"}, service, doing="make web")["id"] == "1s7"
    http.finish()


@pytest.mark.parametrize(("offered", "posts"), [(("finishupgrade",), 2), ((), 1)])
def test_an_action_whose_answer_was_lost_is_sent_again_only_if_it_is_still_offered(
    offered: tuple[str, ...], posts: int
) -> None:
    self = "/v2-beta/projects/1a5/services/1s7"
    server, http = rancher(
        Request("POST", f"{self}/", AnswerLostError("cut"), query={"action": "finishupgrade"}),
        Request("GET", self, service("web", "1s7", *offered)),
        *[Request("POST", f"{self}/", service())] * (posts - 1),
    )
    server.act(service("web", "1s7", "finishupgrade"), "finishupgrade", doing="finish")
    http.finish()


def test_a_delete_of_what_is_gone_is_done() -> None:
    self = "/v2-beta/projects/1a5/services/1s7"
    server, http = rancher(Request("DELETE", self, error(404, "Not Found"), status=404))
    server.delete(service(), doing="delete web")
    http.finish()


def test_schemas_are_asked_for_once() -> None:
    server, http = rancher(
        Request("GET", "/v2-beta/schemas/host", {"id": "host"}),
        Request("GET", "/v2-beta/schemas/nothing", error(404, "Not Found"), status=404, times=2),
    )
    assert [server.schema("host"), server.schema("host")] == [{"id": "host"}] * 2
    assert [server.schema("nothing"), server.schema("nothing")] == [None, None]
    http.finish()


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (401, error(401, "Unauthorized"), AuthError, "Rancher does not accept the API key"),
        (401, error(401, "InvalidIdentity"), AuthError, "the API key (InvalidIdentity)"),
        (403, error(403, "Forbidden", "no"), AuthError, "does not allow this: Forbidden: no"),
        (405, error(405, "Method not allowed"), ConflictError, "Method not allowed"),
        (409, error(409, "Conflict"), ThrottledError, "another change of the same thing was faster: Conflict"),
        (422, error(422, "NotUnique", None, "name"), ConflictError, "NotUnique (field name)"),
        (422, error(422, "ActionNotAvailable", None, "action"), ConflictError, "ActionNotAvailable (field action)"),
        (422, error(422, "InvalidAction", None, "action"), AuthError, "not allow this: InvalidAction (field action)"),
        (405, error(405, "InvalidAction", "in use"), ConflictError, "InvalidAction: in use"),
        (422, error(422, "InvalidAction", "cannot be removed"), SchedulersError, "InvalidAction: cannot be removed"),
        (422, error(422, "MissingRequired", None, "name"), SchedulersError, "MissingRequired (field name)"),
        (422, error(422, "InvalidReference", "bad image", "imageUuid"), SchedulersError,
         "InvalidReference: bad image (field imageUuid)"),
    ],
)  # fmt: skip
def test_what_an_error_means(status: int, body: Any, kind: type[SchedulersError], message: str) -> None:
    found = translate(Answer(status, {}, json.dumps(body).encode()))
    assert found.__class__ is kind
    assert message in found.message


@pytest.mark.parametrize("status", [404, 429, 500, 502])
def test_what_the_status_says_is_left_to_it(status: int) -> None:
    assert translate(Answer(status, {}, b'{"type": "error", "code": "Whatever"}')) is None


def test_an_error_page_of_something_else_is_no_error_of_rancher() -> None:
    assert translate(Answer(418, {}, b"<html>")) is None


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_web_page_that_refuses_is_not_rancher(status: int) -> None:
    found = translate(Answer(status, {"content-type": "text/html"}, b"<html>Log in</html>", "http://rancher.test/v1"))
    assert str(found) == (
        f"the answer of http://rancher.test/v1 is a web page (HTTP {status}): <html>Log in</html>. "
        "Does a proxy or a login page of a network answer in place of Rancher?"
    )


ENVIRONMENTS = [live_environment(project("1a5", "Default")), live_environment(project("1a7", "k8s"))]


@pytest.mark.parametrize(
    ("wanted", "found"), [("Default", "1a5"), ("1a7", "1a7"), ("k8s", "1a7"), (None, "1a5"), ("", "1a5")]
)
def test_the_environment_that_is_meant(wanted: str | None, found: str) -> None:
    assert chosen(ENVIRONMENTS, wanted).id == found


def test_the_only_environment_need_not_be_named() -> None:
    assert chosen(ENVIRONMENTS[1:], None).id == "1a7"


def test_an_environment_that_the_key_cannot_see() -> None:
    with pytest.raises(InputError, match=r"environment: 'prod' does not exist, or .* it can see: Default, k8s"):
        chosen(ENVIRONMENTS, "prod")
    with pytest.raises(InputError, match=r"it can see: none"):
        chosen([], "prod")
    with pytest.raises(InputError, match="environment is not given"):
        chosen([*ENVIRONMENTS[1:], live_environment(project("1a8", "other"))], None)


def test_two_environments_of_one_name() -> None:
    with pytest.raises(ConflictError, match="1a5, 1a9"):
        chosen([*ENVIRONMENTS, live_environment(project("1a9", "Default"))], "Default")


def test_environments_are_looked_up() -> None:
    server, http = rancher(Request("GET", "/v2-beta/projects", collection(project())))
    assert find_environment(server, "Default").id == "1a5"
    http.finish()


def test_an_object_has_to_be_one() -> None:
    server, _http = rancher(Request("GET", "/x", [1]), Request("GET", "/y", {"type": "thing"}))
    with pytest.raises(SchedulersError, match="no object of Rancher's API"):
        server.get("/x", doing="look")
    with pytest.raises(SchedulersError, match="is no collection"):
        server.list("/y", doing="look")


def test_a_setting() -> None:
    server, _http = rancher(
        Request("GET", "/v2-beta/settings/api.host", {"value": None, "activeValue": "http://x"}),
        Request("GET", "/v2-beta/settings/empty", {"value": None}),
        Request("GET", "/v2-beta/settings/hidden", error(404, "Not Found"), status=404),
    )
    found = [server.setting(name, doing="look") for name in ("api.host", "empty", "hidden")]
    assert found == ["http://x", "", None]


def test_not_found_stays_not_found() -> None:
    server, _http = rancher(Request("GET", "/x", error(404, "Not Found"), status=404))
    with pytest.raises(NotFoundError):
        server.get("/x", doing="look")
