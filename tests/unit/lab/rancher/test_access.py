# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access control: keys, logins through GitHub or by a password, and what everybody may."""

from __future__ import annotations

import urllib.request
from typing import Any

import pytest
from lab.account import GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET
from unit.lab.rancher.ground import Document, Ground


def key(ground: Ground, path: str = "/v1/apikeys", **fields: object) -> Document:
    """An API key that is active."""
    made = ground.make(path, name="key", **fields)
    ground.until(made, "active")
    return made


def code(ground: Ground, login: str = "operator", **more: object) -> str:
    return str(ground.lab.control("POST", "/github", {"login": login, **more})["code"])


def github(ground: Ground, **changes: object) -> Document:
    """The configuration as the web page sends it; GitHub is the lab's."""
    scheme, _unused, host = ground.lab.world.addresses["github"].rpartition("//")
    config = {"clientId": GITHUB_CLIENT_ID, "clientSecret": GITHUB_CLIENT_SECRET, "accessMode": "unrestricted"}
    return {**config, "scheme": scheme + "//", "hostname": host, "enabled": False, "allowedIdentities": [], **changes}


def log_in(ground: Ground, login: str = "operator", **more: object) -> tuple[int, Document]:
    body = {"code": code(ground, login, **more), "authProvider": "githubconfig"}
    status, token, _unused = ground.ask("POST", "/v1/token", body)
    return status, token


@pytest.fixture
def secured(ground: Ground) -> tuple[Ground, Document]:
    """Restricted to the operator, and the administrator's key that outlives it."""
    admin = key(ground)
    ground.make("/v1/githubconfig", **github(ground))
    status, token = log_in(ground)
    assert status == 201
    ground.make(
        "/v1/githubconfig",
        **github(ground, enabled=True, accessMode="restricted", allowedIdentities=[token["userIdentity"]]),
    )
    return ground, admin


def test_at_first_everybody_is_the_administrator(ground: Ground) -> None:
    assert ground.listed("/v1/token")[0]["security"] is False
    (admin,) = ground.listed("/v1/accounts?kind=admin")
    assert ground.ask("GET", "/v1")[2]["X-API-ACCOUNT-ID"] == admin["id"]


def test_a_secret_is_told_once(ground: Ground) -> None:
    made = ground.make("/v1/apikeys", name="k")
    assert (len(made["publicValue"]), len(made["secretValue"])) == (20, 40)
    assert ground.again(made)["secretValue"] is None
    assert [one["secretValue"] for one in ground.listed("/v1/apikeys")] == [None]


def test_a_key_opens_nothing_before_it_is_active_and_after_it_is_not(secured: tuple[Ground, Document]) -> None:
    ground, admin = secured
    ground.lab.settings(rancher_process_seconds=10)
    made = ground.ask("POST", "/v1/apikeys", {"name": "later"}, key=admin)[1]
    assert ground.ask("GET", "/v1/projects", key=made)[0] == 401
    ground.lab.advance(40, steps=8)
    assert ground.ask("GET", "/v1/projects", key=made)[0] == 200
    assert ground.ask("DELETE", made["links"]["self"], key=admin)[0] == 405
    ground.ask("POST", f"{made['links']['self']}/?action=deactivate", {}, key=admin)
    assert ground.ask("GET", "/v1/projects", key=made)[0] == 401


def test_github_is_asked_who_it_is(ground: Ground) -> None:
    shown = ground.make("/v1/githubconfig", **github(ground))
    assert (shown["clientSecret"], shown["enabled"]) == (None, False)
    status, token = log_in(ground, orgs=["crew"])
    identity = token["userIdentity"]
    assert (status, identity["externalIdType"], identity["login"]) == (201, "github_user", "operator")
    assert [one["externalIdType"] for one in token["identities"]] == ["github_user", "github_org"]
    assert ground.get(f"/v1/accounts/{token['accountId']}")["externalId"] == identity["externalId"]


def test_without_a_host_it_is_the_labs_own_github(ground: Ground) -> None:
    ground.make("/v1/githubconfig", **github(ground, hostname=None, scheme="https://"))
    assert log_in(ground)[0] == 201


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [({}, 422, "codeInvalid"), ({"clientSecret": "wrong"}, 422, "codeInvalid"), (None, 503, "GithubNotConfigured")],
)
def test_logins_that_fail(old: Ground, changes: dict[str, str] | None, status: int, error: str) -> None:
    if changes is not None:
        old.make("/v1/githubconfig", **github(old, **changes))
    given = code(old) if changes else "no-such-code"
    assert old.refused("/v1/token", code=given, authProvider="githubconfig")[:2] == (status, error)


def test_the_newer_service_does_not_tell_what_was_wrong(new: Ground) -> None:
    new.make("/v1/githubconfig", **github(new))
    assert new.refused("/v1/token", code="no-such-code", authProvider="githubconfig")[:2] == (503, "AuthError")


def test_once_it_is_on_only_keys_and_logins_open(secured: tuple[Ground, Document]) -> None:
    ground, admin = secured
    status, error, headers = ground.ask("GET", "/v1/projects")
    assert (status, error["code"]) == (401, "Unauthorized")
    assert headers["WWW-Authenticate"].startswith("Basic")
    assert ground.ask("GET", "/v1/projects", key=admin)[0] == 200
    assert ground.ask("GET", "/v1/projects", key={**admin, "secretValue": "x"})[0] == 401
    jwt = log_in(ground)[1]["jwt"]
    assert ground.ask("GET", "/v1/projects", jwt=jwt)[0] == 200
    (status_probe,) = ground.listed("/v1/token")
    assert (status_probe["security"], status_probe["authProvider"]) == (True, "githubconfig")


def test_a_login_ends_after_twelve_hours(secured: tuple[Ground, Document]) -> None:
    ground, _unused = secured
    jwt = log_in(ground)[1]["jwt"]
    ground.lab.advance(12 * 3600 + 1)
    assert ground.ask("GET", "/v1/projects", jwt=jwt)[0] == 401


def test_strangers_stay_outside_until_somebody_makes_them_a_member(secured: tuple[Ground, Document]) -> None:
    ground, admin = secured
    assert log_in(ground, "stranger")[0] == 401
    user = ground.lab.control("POST", "/github", {"login": "stranger"})
    members = [
        {"externalId": "1001", "externalIdType": "github_user", "role": "owner"},
        {"externalId": str(user["id"]), "externalIdType": "github_user", "role": "member"},
    ]
    team = ground.ask("POST", "/v1/projects", {"name": "team", "members": members}, key=admin)[1]
    status, token = log_in(ground, "stranger")
    assert (status, token["userType"]) == (201, "user")
    seen = ground.ask("GET", "/v1/projects", jwt=token["jwt"])[1]
    assert [one["name"] for one in seen["data"]] == ["team"]
    assert ground.ask("GET", "/v1/projects/1a5/hosts", jwt=token["jwt"])[0] == 404
    assert ground.ask("GET", f"/v1/projects/{team['id']}/hosts", jwt=token["jwt"])[0] == 200
    assert ground.ask("POST", "/v1/settings", {"name": "api.host", "value": "x"}, jwt=token["jwt"])[0] == 405


def test_what_members_may_do_is_a_matter_of_their_role(ground: Ground) -> None:
    """As in tests/integration-v1/cattletest/core/test_projects.py of Rancher's own, and its issue 4210."""
    account = ground.make("/v1/accounts", name="member", kind="user")
    key = ground.make("/v1/apikeys", accountId=account["id"])
    host, stack = ground.lab.control("POST", "/rancher/hosts", {"name": "one"}), ground.make("environments", name="web")
    project = ground.get("/v1/projects/1a5")
    me = {"externalId": account["id"], "externalIdType": "rancher_id"}
    asked = [("GET", "registrationtokens"), ("DELETE", f"hosts/{host['id']}"), ("POST", "environments")]
    for role, statuses, acts in (
        ("member", [200, 405, 201], True),  # an active host is not deleted by anybody
        ("restricted", [404, 405, 201], False),
        ("readonly", [404, 405, 405], False),
    ):
        ground.act(ground.again(project), "setmembers", members=[{**me, "role": role}])
        found = [ground.ask(method, path, {"name": role}, key=key)[0] for method, path in asked]
        assert found == statuses, role
        assert bool(ground.get(f"hosts/{host['id']}", key=key)["actions"]) is acts
        assert ("DELETE" in ground.get("schemas/host", key=key)["resourceMethods"]) is acts
        seen = ground.get(f"environments/{stack['id']}", key=key)
        assert bool(seen["actions"]) is (role != "readonly")
    itself = ground.get("/v1/projects/1a5", key=key)
    changes = [ground.ask(method, "/v1/projects/1a5", {"name": "mine"}, key=key)[0] for method in ("PUT", "DELETE")]
    assert (itself["actions"], changes) == ({}, [404, 403])
    status, error, _unused = ground.ask("POST", f"environments/{stack['id']}?action=remove", {}, key=key)
    assert (status, error["code"]) == (422, "InvalidAction")


def test_a_key_of_an_environment_stays_in_it(secured: tuple[Ground, Document]) -> None:
    ground, admin = secured
    mine = ground.ask("POST", "/v1/projects/1a5/apikeys", {"name": "env"}, key=admin)[1]
    ground.lab.advance(0, steps=5)
    assert mine["accountId"] == "1a5"
    assert ground.ask("GET", "/v1/hosts", key=mine)[0] == 200
    assert ground.ask("POST", "/v1/projects", {"name": "other"}, key=mine)[0] == 405
    assert ground.ask("GET", "/v1/projects/1a1/hosts", key=mine)[0] == 404


@pytest.mark.parametrize(
    ("server", "seen"),
    [("v1.1.4", {"rancher.server.image"}), ("v1.6.30", {"rancher.server.image", "rancher.server.version", "api.host"})],
)
def test_settings_that_are_not_for_everybody(lab: object, server: str, seen: set[str]) -> None:
    ground = Ground(lab, server=server)
    mine = ground.ask("POST", "/v1/projects/1a5/apikeys", {"name": "env"})[1]
    names = {"rancher.server.image", "rancher.server.version", "api.host", "install.uuid"}
    found = {name for name in names if ground.ask("GET", f"/v1/settings/{name}", key=mine)[0] == 200}
    assert found == seen
    assert {one["name"] for one in ground.get("/v1/settings", key=mine)["data"]} & names == seen
    assert {one["name"] for one in ground.get("/v1/settings")["data"]} >= names
    assert ground.ask("PUT", "/v1/settings/rancher.server.image", {"value": "x"}, key=mine)[0] == 405


def test_it_cannot_be_switched_on_so_that_nobody_gets_in(ground: Ground) -> None:
    config = github(ground, enabled=True, accessMode="required")
    assert ground.refused("/v1/githubconfig", **config) == (422, "InvalidFormat", "allowedIdentities")
    config = github(ground, enabled=True, clientSecret=None)
    assert ground.refused("/v1/githubconfig", **config) == (422, "MissingRequired", "clientSecret")


def test_switched_off_again(secured: tuple[Ground, Document]) -> None:
    ground, admin = secured
    assert ground.ask("POST", "/v1/githubconfig", github(ground, clientSecret=None), key=admin)[0] == 201
    assert ground.ask("GET", "/v1/projects")[0] == 200


def test_the_newer_service_for_the_same(secured: tuple[Ground, Document]) -> None:
    ground, admin = secured
    shown = ground.ask("GET", "/v1-auth/config", key=admin)[1]
    assert (shown["data"][0]["enabled"], shown["data"][0]["githubConfig"]["clientId"]) == (True, GITHUB_CLIENT_ID)
    assert ground.ask("GET", "/v1-auth/config")[0] == 401
    assert ground.ask("POST", "/v1-auth/config", {"provider": "githubconfig", "enabled": False}, key=admin)[0] == 201
    assert ground.ask("GET", "/v1/projects")[0] == 200


def test_by_name_and_password(ground: Ground) -> None:
    config = {"enabled": True, "accessMode": "unrestricted", "name": "Admin", "username": "admin", "password": "pw"}
    assert ground.make("/v1/localauthconfig", **config)["password"] is None
    assert ground.ask("GET", "/v1/projects")[0] == 401
    assert ground.refused("/v1/token", code="admin:no", authProvider="localauthconfig")[0] == 401
    token = ground.make("/v1/token", code="admin:pw", authProvider="localauthconfig")
    assert ground.ask("GET", "/v1/projects", jwt=token["jwt"])[0] == 200


ADMIN = {"accessMode": "unrestricted", "name": "Admin", "username": "admin", "password": "pw"}


def test_a_password_is_looked_at_after_it_was_switched_and_is_never_changed(ground: Ground) -> None:
    ground.make("/v1/localauthconfig", **ADMIN, enabled=False)
    other = {**ADMIN, "password": "other"}
    assert ground.refused("/v1/localauthconfig", **other, enabled=True)[:2] == (401, "IncorrectPassword")
    assert ground.ask("GET", "/v1/projects")[0] == 401
    token = ground.make("/v1/token", code="admin:pw", authProvider="localauthconfig")
    assert token["userIdentity"]["login"] == "admin"
    nobody = {**ADMIN, "name": "", "username": "", "password": ""}
    assert ground.ask("POST", "/v1/localauthconfig", {**nobody, "enabled": False}, jwt=token["jwt"])[0] == 201
    (shown,) = ground.listed("/v1/localauthconfig")
    assert (shown["username"], shown["name"], shown["enabled"]) == ("", "", False)


def test_an_administrator_gets_the_projects_of_others_if_they_ask_for_all(secured: tuple[Ground, Document]) -> None:
    ground, admin = secured
    members = [{"externalId": "123", "externalIdType": "github_user", "role": "owner"}]
    ground.ask("POST", "/v1/projects", {"name": "theirs", "members": members}, key=admin)
    for query, names in (("", ["Default"]), ("?all=true", ["Default", "theirs"]), ("?all=false", ["Default"])):
        seen = ground.ask("GET", f"/v1/projects{query}", key=admin)[1]
        assert [one["name"] for one in seen["data"]] == names


def test_githubs_own_dance(ground: Ground) -> None:
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_arguments: Any, **_more: Any) -> None:
            return None

    site = ground.lab.world.addresses["github"]
    query = f"client_id={GITHUB_CLIENT_ID}&state=s1&redirect_uri=http://127.0.0.1:1/back"
    with pytest.raises(urllib.error.HTTPError) as redirect:
        urllib.request.build_opener(Stay).open(f"{site}/login/oauth/authorize?{query}", timeout=60)
    place = redirect.value.headers["Location"]
    redirect.value.close()
    assert place.startswith("http://127.0.0.1:1/back?code=")
    assert place.endswith("&state=s1")


def test_members_of_a_project(ground: Ground) -> None:
    project = ground.until(ground.make("/v1/projects", name="team", description="d"), "active")
    member = {"externalId": "7", "externalIdType": "github_user", "role": "member"}
    ground.act(project, "setmembers", members=[member, {**member, "externalId": "8", "role": "owner"}])
    found = ground.listed(f"/v1/projects/{project['id']}/projectmembers")
    assert {(one["externalId"], one["role"]) for one in found} == {("7", "member"), ("8", "owner")}
    ground.act(ground.again(project), "setmembers", members=[{**member, "role": "readonly"}])
    (left,) = ground.again(project)["members"]
    assert (left["externalId"], left["role"]) == ("7", "readonly")


def test_a_project_is_deactivated_before_it_goes_with_all_that_is_in_it(ground: Ground) -> None:
    project = ground.until(ground.make("/v1/projects", name="team"), "active")
    ground.make(f"/v1/projects/{project['id']}/environments", name="inside")
    assert ground.ask("DELETE", project["links"]["self"])[0] == 405
    inactive = ground.until(ground.act(project, "deactivate"), "inactive")
    assert ground.ask("DELETE", inactive["links"]["self"])[0] == 200
    ground.until(project, "removed", "purged")
    assert [one["name"] for one in ground.listed("/v1/projects")] == ["Default"]
    assert ground.listed("/v1/environments") == []
