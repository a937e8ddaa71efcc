# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of GitHub as a login needs: an application, its OAuth dance, and who somebody is.

It speaks as GitHub Enterprise does (the API below /api/v3), so that one address serves for both. There is no page to
click on: whoever asks to be let in is let in, as the user that the request's `login` names, or the first one.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from lab.account import GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET
from lab.http_server import HttpServer
from lab.messages import Answer, Request, json_answer
from lab.world import World

_FIRST_USER = "operator"


def install(world: World) -> None:
    github = GitHub()
    server = HttpServer(github.answer)
    github.url = world.addresses["github"] = server.url
    threading.Thread(target=server.serve_forever, args=(0.05,), name="lab-github", daemon=True).start()

    def stop() -> None:
        server.shutdown()
        server.server_close()

    world.on_stop(stop)
    world.on_reset(github.reset)
    world.on_control("POST", "github", github.control)


@dataclass
class User:
    """Somebody with an account."""

    id: int
    login: str
    orgs: list[str] = field(default_factory=list)

    def document(self, url: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "login": self.login,
            "name": self.login.capitalize(),
            "type": "User",
            "avatar_url": f"{url}/avatars/u/{self.id}",
            "html_url": f"{url}/{self.login}",
            "url": f"{url}/api/v3/users/{self.login}",
        }


class GitHub:
    """Has a lock of its own: a server that holds the world's may ask it who somebody is."""

    def __init__(self) -> None:
        self.url = ""
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        self._apps = {GITHUB_CLIENT_ID: GITHUB_CLIENT_SECRET}
        self._users: dict[str, User] = {}
        self._codes: dict[str, tuple[str, str]] = {}
        self._tokens: dict[str, str] = {}
        self._user(_FIRST_USER)

    def control(self, request: Request) -> object:
        """POST /_lab/github {"login", "orgs", "client_id", "client_secret"}: adds the application and the user that it
        names, and answers the code that the browser would have got, and where this GitHub is.
        """
        wanted: dict[str, Any] = json.loads(request.body or b"{}")
        with self._lock:
            client_id = str(wanted.get("client_id", GITHUB_CLIENT_ID))
            if "client_secret" in wanted:
                self._apps[client_id] = str(wanted["client_secret"])
            user = self._user(str(wanted.get("login", _FIRST_USER)))
            user.orgs = [str(org) for org in wanted.get("orgs", user.orgs)]
            place = self.url.partition("://")[2]
            return {"code": self._code(client_id, user), "id": user.id, "login": user.login, "hostname": place}

    def answer(self, request: Request) -> Answer:
        with self._lock:
            query = dict(parse_qsl(request.query))
            if request.path == "/login/oauth/authorize":
                return self._authorize(query)
            if request.path == "/login/oauth/access_token" and request.method == "POST":
                return self._access_token(request, query)
            if request.path.startswith("/api/v3/"):
                return self._api(request, request.path.removeprefix("/api/v3"), query)
            return json_answer({"message": "Not Found"}, 404)

    def _user(self, login: str) -> User:
        return self._users.setdefault(login, User(1001 + len(self._users), login))

    def _code(self, client_id: str, user: User) -> str:
        code = secrets.token_hex(10)
        self._codes[code] = (client_id, user.login)
        return code

    def _authorize(self, query: Mapping[str, str]) -> Answer:
        client_id = query.get("client_id", "")
        if client_id not in self._apps:
            return json_answer({"message": "Not Found"}, 404)
        code = self._code(client_id, self._user(query.get("login", _FIRST_USER)))
        back = {"code": code, **({"state": query["state"]} if "state" in query else {})}
        place = query.get("redirect_uri", self.url)
        return Answer(302, b"", {"Location": f"{place}{'&' if '?' in place else '?'}{urlencode(back)}"})

    def _access_token(self, request: Request, query: Mapping[str, str]) -> Answer:
        """A code is good once, and for the application that it was given to."""
        given = {**query, **_body(request)}
        client_id = given.get("client_id", "")
        if self._apps.get(client_id, "") != given.get("client_secret"):
            return self._oauth_error(request, "incorrect_client_credentials")
        app, login = self._codes.pop(given.get("code", ""), ("", ""))
        if app != client_id:
            return self._oauth_error(request, "bad_verification_code")
        token = secrets.token_hex(20)
        self._tokens[token] = login
        return _oauth(request, {"access_token": token, "scope": "read:org", "token_type": "bearer"})

    def _oauth_error(self, request: Request, code: str) -> Answer:
        return _oauth(request, {"error": code, "error_description": code.replace("_", " ").capitalize() + "."})

    def _api(self, request: Request, path: str, query: Mapping[str, str]) -> Answer:
        """Who a user or an organization is, everybody may ask; who one is oneself, and the rest, only with a token."""
        kind, _unused, name = path.lstrip("/").partition("/")
        if kind == "users":
            found = self._users.get(name)
            return json_answer(found.document(self.url)) if found else json_answer({"message": "Not Found"}, 404)
        if kind == "orgs":
            known = any(name in one.orgs for one in self._users.values())
            return json_answer(self._org(name)) if known else json_answer({"message": "Not Found"}, 404)
        token = request.headers.get("authorization", "").partition(" ")[2] or query.get("access_token", "")
        user = self._users.get(self._tokens.get(token, ""))
        if user is None:
            return json_answer({"message": "Bad credentials"}, 401)
        if path == "/user":
            return json_answer(user.document(self.url))
        if path == "/user/orgs":
            return json_answer([self._org(name) for name in user.orgs])
        if path == "/user/teams":
            return json_answer([])
        if kind == "user":
            found = next((one for one in self._users.values() if str(one.id) == name), None)
            return json_answer(found.document(self.url)) if found else json_answer({"message": "Not Found"}, 404)
        return json_answer({"message": "Not Found"}, 404)

    def _org(self, name: str) -> dict[str, Any]:
        number = 5000 + sum(map(ord, name))
        return {"id": number, "login": name, "url": f"{self.url}/api/v3/orgs/{name}", "avatar_url": None}


def _body(request: Request) -> dict[str, str]:
    if "json" in request.headers.get("content-type", ""):
        try:
            document = json.loads(request.body or b"{}")
        except ValueError:
            return {}
        return {str(key): str(value) for key, value in document.items()} if isinstance(document, dict) else {}
    return dict(parse_qsl(request.body.decode("utf-8", "replace")))


def _oauth(request: Request, values: dict[str, str]) -> Answer:
    """Errors are answered with 200, too; as a form unless JSON is asked for."""
    if "json" in request.headers.get("accept", ""):
        return json_answer(values)
    return Answer(200, urlencode(values).encode(), {"Content-Type": "application/x-www-form-urlencoded"})
