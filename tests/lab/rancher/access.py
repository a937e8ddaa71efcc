# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is it? An API key, the token of a login, or nobody: which is the administrator while access control is off."""

from __future__ import annotations

import base64
import binascii
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from lab.messages import Request
from lab.rancher.context import Caller
from lab.rancher.errors import RancherError
from lab.rancher.store import Resource

if TYPE_CHECKING:
    from lab.rancher.server import RancherServer

_BEARER_USER = "x-api-bearer"
CHALLENGE = 'Basic realm="Enter API access key and secret key as username and password"'


def caller_of(server: RancherServer, request: Request, target_type: str) -> tuple[Caller, str | None]:
    """The caller, and the id of the project that the request names outside its path."""
    secure = server.parts["logins"].secure
    account, project_id = _account(server, request)
    project_id = (
        project_id or request.headers.get("x-api-project-id") or parse_qs(request.query).get("projectId", [None])[0]
    )
    if account is None and not secure:
        account = server.parts["accounts"].admin
    if account is None:
        if target_type.lower() in ("token", "tokens"):
            return Caller("token"), None
        raise RancherError(401)
    if account.kind == "project":
        return Caller("project", account, account), None
    return Caller("admin" if account["kind"] == "admin" else "user", account), project_id


def _account(server: RancherServer, request: Request) -> tuple[Resource | None, str | None]:
    scheme, _unused, value = request.headers.get("authorization", "").partition(" ")
    logins, keys = server.parts["logins"], server.parts["keys"]
    if scheme.lower() == "bearer":
        return logins.account_of(value.strip()), None
    if scheme.lower() == "basic":
        user, _unused, password = _decoded(value).partition(":")
        if user.lower().partition("=")[0] == _BEARER_USER:
            return logins.account_of(password), user.partition("=")[2] or None
        return keys.account_of(user, password), None
    cookie: SimpleCookie = SimpleCookie(request.headers.get("cookie", ""))
    return (logins.account_of(cookie["token"].value), None) if "token" in cookie else (None, None)


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
