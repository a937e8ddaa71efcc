# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""API keys and passwords. The secret is in the answer to the create, and nowhere else."""

from __future__ import annotations

import secrets
import string
from typing import Any

from lab.rancher.context import Context
from lab.rancher.errors import invalid
from lab.rancher.server import RancherServer
from lab.rancher.store import Resource

_PUBLIC = "".join(sorted(set(string.hexdigits.upper()) - set("0O1Il")))
_SECRET = "".join(sorted(set(string.ascii_letters + string.digits) - set("O0lI1")))


def install(server: RancherServer) -> Keys:
    keys = Keys(server)
    server.on_create("apiKey", keys.create)
    server.on_create("password", keys.create)
    server.on_action("password", "changesecret", keys.change_secret, ["active"])
    server.processes.follow("credential", "create", "activate")
    return keys


class Keys:
    """Credentials of accounts and of projects."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server

    def create(self, context: Context, kind: str, fields: dict[str, Any]) -> Resource:
        owner = fields.get("accountId") or (context.project or context.caller.account or context.owner()).id
        if not self._server.parts["accounts"].may_see(context.caller, owner):
            raise invalid("InvalidReference", "accountId")
        chosen = {name: value for name, value in fields.items() if value is not None}
        pair = {"publicValue": random_text(_PUBLIC, 20), "secretValue": random_text(_SECRET, 40)}
        key = self._server.store.create(kind, **{**pair, **chosen, "accountId": owner})
        self._server.processes.start(key, "create")
        return key

    def account_of(self, public: str, secret: str) -> Resource | None:
        """Whose key this is, if it is one and active."""
        for key in self._server.store.live("credential", publicValue=public):
            if key.kind == "apiKey" and key["secretValue"] == secret and key.state in ("active", "activating"):
                return self._server.store.get("account", key.project)
        return None

    def change_secret(self, _context: Context, key: Resource, body: dict[str, Any]) -> dict[str, Any]:
        if key["secretValue"] != body["oldSecret"]:
            raise invalid("InvalidFormat", "oldSecret")
        key["secretValue"] = body["newSecret"]
        return {"type": "changeSecretInput", "links": {}, "actions": {}}


def random_text(characters: str, length: int) -> str:
    return "".join(secrets.choice(characters) for _unused in range(length))
