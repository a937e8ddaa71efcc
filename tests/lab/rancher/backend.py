# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rancher as one of the lab's providers: names its requests, answers them, and listens where it is installed."""

from __future__ import annotations

import json
import re
from typing import Any

from lab.faults import Rule
from lab.messages import Answer, Call, Request, json_answer
from lab.rancher import errors
from lab.rancher.access import CHALLENGE, caller_of
from lab.rancher.api import Api, Target
from lab.rancher.context import Context
from lab.rancher.errors import RancherError, error_answer, not_found
from lab.rancher.schema import V1
from lab.rancher.server import RancherServer

_VERBS = {"POST": "Create", "PUT": "Update", "DELETE": "Delete"}


class RancherBackend:
    """Answers HTTP requests to one Rancher server."""

    alone = True

    def __init__(self, server: RancherServer) -> None:
        self.server = server

    def name(self, request: Request) -> Call:
        return Call("rancher", _action(request), "", "json", _document(request.body), 1, request)

    def work(self, call: Call) -> Answer:
        request = call.request
        headers: dict[str, str] = {}
        try:
            return self._answer(request, headers)
        except RancherError as error:
            if error.status == 401 and "x-api-no-challenge" not in request.headers:
                headers["WWW-Authenticate"] = CHALLENGE
            return error_answer(error, headers)

    def fault(self, call: Call, rule: Rule) -> Answer:
        if rule.kind == "throttle":
            return error_answer(RancherError(429))
        if rule.kind in ("deny", "expire"):
            return error_answer(RancherError(403 if rule.kind == "deny" else 401))
        return error_answer(RancherError(rule.status, rule.code, rule.message))

    def broken(self, call: Call, code: str, message: str) -> Answer:
        return error_answer(RancherError(501, code, message))

    def error_code(self, answer: Answer) -> str:
        return errors.code_of(answer)

    def _answer(self, request: Request, headers: dict[str, str]) -> Answer:
        if request.path == "/ping":
            return Answer(200, b"pong", {"Content-Type": "text/plain"})
        for prefix, route in self.server.routes:
            if request.path.startswith(prefix):
                return route(request, request.path.removeprefix(prefix))
        parts = [part for part in request.path.split("/") if part]
        root = _root(request)
        if not parts:
            return json_answer(_versions(self.server, root))
        version = parts.pop(0).lower()
        if version not in self.server.versions:
            raise not_found()
        context, target = self._context(request, version, root, parts)
        socket = self.server.sockets.get(target.type.lower())
        if socket is not None:
            return socket(context, request)
        headers["X-API-Schemas"] = context.url("schemas")
        answer = _decorated(Api(context, request, target).answer, headers)
        if context.caller.account is not None:
            headers["X-API-ACCOUNT-ID"] = context.caller.account.id
        return Answer(answer.status, answer.body, {**answer.headers, **headers})

    def _context(self, request: Request, version: str, root: str, parts: list[str]) -> tuple[Context, Target]:
        """Strips /projects/ID/ off, unless it is the project (or its members) that is asked for."""
        inside = len(parts) > 2 and parts[0].lower() in ("projects", "project") and parts[2].lower() != "projectmembers"
        path_project = parts[1] if inside else None
        target = Target.of(parts[2:] if inside else parts)
        caller, named = caller_of(self.server, request, target.type)
        project_id = path_project or named
        project = caller.project
        if project_id is not None:
            project = self.server.store.get("project", project_id)
            if project is None or not self.server.parts["accounts"].may_see(caller, project.id):
                raise not_found() if path_project else RancherError(403)
        return Context(self.server, version, root, caller, project, in_path=path_project is not None), target


def _decorated(answer: Any, headers: dict[str, str]) -> Answer:
    """The answer, or the error with the headers that every answer carries."""
    try:
        found: Answer = answer()
    except RancherError as error:
        found = error_answer(error, headers)
    return found


def _versions(server: RancherServer, root: str) -> dict[str, Any]:
    return {
        "type": "collection",
        "resourceType": "apiVersion",
        "links": {"self": root + "/", "latest": f"{root}/{server.versions[-1]}"},
        "createTypes": {},
        "actions": {},
        "data": [
            {"id": name, "type": "apiVersion", "links": {"self": f"{root}/{name}"}, "actions": {}}
            for name in server.versions
        ],
        "sortLinks": {},
        "pagination": None,
        "sort": None,
        "filters": {},
        "createDefaults": {},
    }


def _root(request: Request) -> str:
    """As the client sees it, also through a proxy that terminates TLS."""
    scheme = request.headers.get("x-forwarded-proto", "http").split(",")[0].strip()
    host = request.headers.get("x-forwarded-host") or request.headers.get("host", "localhost")
    return f"{scheme}://{host}"


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _action(request: Request) -> str:
    """ListServices, GetService, CreateService, UpdateService, DeleteService, UpgradeService, ListServiceInstances."""
    parts = [part for part in request.path.split("/") if part]
    if parts[:1] and parts[0].lower() in (V1, "v2-beta"):
        parts = parts[1:]
    if len(parts) > 2 and parts[0].lower() in ("projects", "project"):
        parts = parts[2:]
    words = [re.sub(r"[^A-Za-z0-9]", "", part) for part in parts]
    if not words:
        return "GetVersion"
    plural = words[0][:1].upper() + words[0][1:]
    single = plural if len(words) == 1 else _singular(plural)
    action = re.search(r"(?:^|&)action=(\w+)", request.query)
    if action:
        return action[1].capitalize() + single
    verb = _VERBS.get(request.method, "List" if len(words) in (1, 3) else "Get")
    if verb == "Create":
        single = _singular(plural)
    return verb + single + "".join(word[:1].upper() + word[1:] for word in words[2:])


def _singular(plural: str) -> str:
    return re.sub(
        r"(ss|sse|ie)s$", lambda found: {"sse": "ss", "ie": "y"}.get(found[1], found[1]), plural
    ).removesuffix("s")
