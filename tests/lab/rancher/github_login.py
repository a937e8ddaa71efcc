# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks GitHub who has logged in: the code for a token, the token for the user and their organizations."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlencode

from lab.rancher.errors import RancherError

Identity = dict[str, Any]
_AGENT = "rancher-server (lab)"


def identities_of(config: dict[str, Any], site: str, code: str) -> list[Identity]:
    """The user first, then organizations. `site` is where GitHub is: the lab's, unless the config names a host."""
    given = {"client_id": config["clientId"], "client_secret": config["clientSecret"], "code": code}
    answer = _ask(f"{site}/login/oauth/access_token", None, urlencode(given).encode())
    token = answer.get("access_token")
    if not token:
        raise RancherError(422, "codeInvalid", answer.get("error_description"), "code")
    user = _ask(f"{site}/api/v3/user", token)
    orgs = _ask(f"{site}/api/v3/user/orgs", token)
    return [_identity("github_user", user), *(_identity("github_org", org) for org in orgs)]


def _identity(kind: str, found: dict[str, Any]) -> Identity:
    external_id = str(found["id"])
    return {
        "id": f"{kind}:{external_id}",
        "type": "identity",
        "externalId": external_id,
        "externalIdType": kind,
        "login": found["login"],
        "name": found.get("name") or found["login"],
        "profilePicture": found.get("avatar_url"),
        "profileUrl": found.get("html_url"),
        "projectId": None,
        "role": None,
        "all": None,
        "links": {},
        "actions": {},
    }


def _ask(url: str, token: str | None, body: bytes | None = None) -> Any:
    headers = {"Accept": "application/json", "User-Agent": _AGENT}
    if token:
        headers["Authorization"] = f"token {token}"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=20) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise RancherError(401 if error.code == 401 else 500, "", f"GitHub answers {error.code}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise RancherError(503, "GithubNotReachable", f"GitHub does not answer: {error}") from error
