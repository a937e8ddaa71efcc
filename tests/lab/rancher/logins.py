# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access control: whether it is on, by which provider, and the tokens of those who have logged in."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from typing import Any

from lab.messages import Answer, Request, json_answer
from lab.rancher import access
from lab.rancher.context import Caller, Context
from lab.rancher.errors import RancherError, invalid
from lab.rancher.github_login import Identity, identities_of
from lab.rancher.server import RancherServer
from lab.rancher.store import Resource

GITHUB, LOCAL = "githubconfig", "localauthconfig"
_GOOD_FOR = 12 * 3600
_OPEN, _RESTRICTED = "unrestricted", "restricted"


def install(server: RancherServer) -> Logins:
    logins = Logins(server)
    server.on_create("githubconfig", logins.set_github)
    server.on_create("localAuthConfig", logins.set_local)
    server.on_create("token", logins.log_in)
    server.on_list("githubconfig", lambda _context: [logins.github()])
    server.on_list("localAuthConfig", lambda _context: [logins.local()])
    server.on_list("token", lambda context: [logins.status(context)])
    server.on_list("identity", logins.identities)
    server.on_route("/v1-auth/", logins.auth_service)
    return logins


class Logins:
    """Off at first: everybody is the administrator."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server
        self.provider: str | None = None
        self._github: dict[str, Any] = {"accessMode": _OPEN, "allowedIdentities": [], "scheme": "https://"}
        self._local_mode = _OPEN
        self._tokens: dict[str, tuple[str, float, str]] = {}
        """Token -> account, until when, by which provider."""
        self._known: dict[str, Identity] = {}

    @property
    def secure(self) -> bool:
        return self.provider is not None

    def account_of(self, token: str) -> Resource | None:
        """Whose token this is."""
        account_id, until, provider = self._tokens.get(token, ("", 0.0, ""))
        if until < self._server.world.clock.now():
            return None
        if self.secure and provider != self.provider:
            raise RancherError(401, "AuthProviderChanged")
        return self._server.store.get("account", account_id)

    # Configurations

    def github(self) -> dict[str, Any]:
        shown = {"clientId": None, "hostname": None, "name": None, **self._github}
        shown.update({"enabled": self.provider == GITHUB, "clientSecret": None})
        return {"id": None, "type": "githubconfig", "links": {}, "actions": {}, **shown}

    def set_github(self, _context: Context, _kind: str, fields: dict[str, Any]) -> Any:
        """The secret may be left out: the one that was given stays."""
        kept = {name: value for name, value in fields.items() if value is not None or name == "hostname"}
        config = {**self._github, **kept}
        enabled = bool(config.pop("enabled", False))
        for name in ("clientId", "clientSecret"):
            if enabled and not config.get(name):
                raise invalid("MissingRequired", name)
        if enabled and config["accessMode"] != _OPEN and not config.get("allowedIdentities"):
            raise invalid("InvalidFormat", "allowedIdentities", "nobody would be allowed in")
        for identity in config.get("allowedIdentities") or ():
            if identity.get("externalIdType", "").partition("_")[0] not in ("github", "rancher"):
                raise invalid("InvalidIdentity", "allowedIdentities")
        self._github = config
        self._turn(GITHUB, enabled)
        return self.github()

    def local(self) -> dict[str, Any]:
        """It never tells whose name and password were given."""
        shown = {"username": "", "name": "", "accessMode": self._local_mode, "enabled": self.provider == LOCAL}
        return {"id": None, "type": "localAuthConfig", "links": {}, "actions": {}, **shown, "password": None}

    def set_local(self, _context: Context, _kind: str, fields: dict[str, Any]) -> Any:
        """On or off first, and only then is the password looked at, if a user is named at all."""
        self._turn(LOCAL, bool(fields.get("enabled")))
        if fields["username"].strip():
            self._verify(fields["username"], fields["password"], fields.get("name"))
        self._local_mode = fields.get("accessMode") or _OPEN
        given = {name: fields.get(name) for name in ("username", "name")}
        return {**self.local(), **given}

    def _verify(self, username: str, password: str, name: str | None) -> None:
        """A name that is not known yet makes an administrator; the password of one that is never changes here."""
        store = self._server.store
        known = next(iter(store.live("password", publicValue=username)), None)
        if known is not None and known["secretValue"] != password:
            raise RancherError(
                401, "IncorrectPassword", f"Username: {username} is taken and provided password is incorrect."
            )
        if known is None:
            if not password.strip():
                raise RancherError(400, "UserCredentialCreation", "Cannot have blank username or password.")
            account = store.create("account", name=name, kind="admin", state="active")
            store.create("password", accountId=account.id, publicValue=username, secretValue=password, state="active")

    def _turn(self, provider: str, enabled: bool) -> None:
        if enabled:
            self.provider = provider
        elif self.provider == provider:
            self.provider = None

    def auth_service(self, request: Request, rest: str) -> Answer:
        """/v1-auth/config of the servers with /v2-beta: the same settings in another form."""
        if self._server.era != "1.6" or rest.strip("/").lower() not in ("config", "configs"):
            raise RancherError(404)
        caller, _unused = access.caller_of(self._server, request, "")
        if caller.role != "admin":
            raise RancherError(403)
        if request.method == "POST":
            given = json.loads(request.body or b"{}")
            fields = {**given, **(given.pop("githubConfig", None) or {})}
            if fields.pop("provider", GITHUB) != GITHUB:
                raise invalid("InvalidOption", "provider")
            names = ("clientId", "clientSecret", "hostname", "scheme", "enabled", "accessMode", "allowedIdentities")
            self.set_github(Context(self._server, "v1", "", caller), GITHUB, {k: fields.get(k) for k in names})
        shown = self.github()
        inner = {name: shown.get(name) for name in ("clientId", "clientSecret", "hostname", "scheme")}
        document = {
            "type": "config",
            "provider": self.provider or GITHUB,
            "enabled": shown["enabled"],
            "accessMode": shown["accessMode"],
            "allowedIdentities": shown["allowedIdentities"],
            "githubConfig": {"type": "githubconfig", **inner},
            "links": {},
            "actions": {},
        }
        if request.method == "GET":
            return json_answer({"type": "collection", "resourceType": "config", "data": [document]})
        return json_answer(document, 201)

    # Logging in

    def status(self, context: Context) -> dict[str, Any]:
        """GET token: what a page needs before anybody has logged in."""
        shown: dict[str, Any] = {"id": None, "type": "token", "links": {}, "actions": {}, "security": self.secure}
        shown.update({"authProvider": self.provider, "enabled": self.secure, "jwt": None, "accountId": None})
        if self.provider == GITHUB:
            shown.update({name: self._github.get(name) for name in ("clientId", "hostname", "scheme")})
        account = context.caller.account
        if account is not None and self.secure:
            shown.update(self._shown(account))
        return shown

    def log_in(self, _context: Context, _kind: str, fields: dict[str, Any]) -> Any:
        provider = str(fields.get("authProvider") or self.provider or "").lower()
        if provider not in (GITHUB, LOCAL):
            raise invalid("NoAuthProvider", "authProvider")
        if self.secure and provider != self.provider:
            raise RancherError(401, "AuthProviderChanged")
        code = str(fields.get("code") or "")
        account, identities = self._by_github(code) if provider == GITHUB else self._by_password(code)
        token = _jwt({"account": account.id, "authProvider": provider})
        self._tokens[token] = (account.id, self._server.world.clock.now() + _GOOD_FOR, provider)
        return {
            "id": None,
            "type": "token",
            "links": {},
            "actions": {},
            "jwt": token,
            "security": self.secure,
            "enabled": self.secure,
            "authProvider": provider,
            **self._shown(account),
            "identities": identities,
        }

    def _by_password(self, code: str) -> tuple[Resource, list[Identity]]:
        name, _unused, password = code.partition(":")
        for key in self._server.store.live("credential", publicValue=name):
            if key.kind == "password" and key["secretValue"] == password and key.state == "active":
                account = self._server.store.need("account", key.project)
                return account, [self._identity(account)]
        raise RancherError(401)

    def _by_github(self, code: str) -> tuple[Resource, list[Identity]]:
        if not self._github.get("clientId"):
            raise RancherError(503, "GithubNotConfigured")
        host = self._github.get("hostname")
        site = f"{self._github.get('scheme') or 'https://'}{host}" if host else self._server.world.addresses["github"]
        identities = self._identities_of(site.rstrip("/"), code)
        self._known |= {one["id"]: one for one in identities}
        user = identities[0]
        account = self._account(user)
        if not self.secure:  # whoever logs in while everything is open is the administrator from now on
            account = self._server.parts["accounts"].admin
            account.fields.update({name: user[name] for name in ("externalId", "externalIdType")})
        elif not self._allowed(account, identities):
            raise RancherError(401)
        elif account is None:
            account = self._welcome(user)
        account["groups"] = [(one["externalIdType"], one["externalId"]) for one in identities]
        account["name"] = user["name"]
        account["login"] = user["login"]
        return account, identities

    def _identities_of(self, site: str, code: str) -> list[Identity]:
        """The authentication service of 1.6 has one answer for whatever goes wrong."""
        try:
            return identities_of(self._github, site, code)
        except RancherError as error:
            if self._server.era != "1.6":
                raise
            detail = f"Status code from Auth Service: {error.status}"
            raise RancherError(503, "AuthError", "Error Response from Auth service", detail=detail) from error

    def _account(self, user: Identity) -> Resource | None:
        wanted = {name: user[name] for name in ("externalId", "externalIdType")}
        return next(iter(self._server.store.live("account", **wanted)), None)

    def _allowed(self, account: Resource | None, identities: list[Identity]) -> bool:
        mode = self._github["accessMode"]
        named = {(one["externalIdType"], str(one["externalId"])) for one in self._github.get("allowedIdentities") or ()}
        theirs = {(one["externalIdType"], one["externalId"]) for one in identities}
        if mode == _OPEN or theirs & named or (account is not None and account["kind"] == "admin"):
            return True
        members = self._server.store.live("projectMember")
        return mode == _RESTRICTED and any((one["externalIdType"], one["externalId"]) in theirs for one in members)

    def _welcome(self, user: Identity) -> Resource:
        """A new user gets an account, and an environment if they have none."""
        account = self._server.store.create(
            "account",
            kind="user",
            name=user["name"],
            externalId=user["externalId"],
            externalIdType=user["externalIdType"],
            state="active",
        )
        accounts = self._server.parts["accounts"]
        if not accounts.projects(Caller("user", account)):
            accounts.make_default(account, f"{user['login']}-Default")
        return account

    def _shown(self, account: Resource) -> dict[str, Any]:
        identity = self._identity(account)
        return {
            "accountId": account.id,
            "user": identity["login"],
            "userIdentity": identity,
            "userType": account["kind"],
        }

    def _identity(self, account: Resource) -> Identity:
        """The account as somebody: of GitHub, or of this server."""
        known = self._known.get(f"{account['externalIdType']}:{account['externalId']}")
        password = next(iter(self._server.store.live("password", accountId=account.id)), None)
        return known or {
            "id": f"rancher_id:{account.id}",
            "type": "identity",
            "externalId": account.id,
            "externalIdType": "rancher_id",
            "login": password["publicValue"] if password is not None else account.name,
            "name": account.name,
            "links": {},
            "actions": {},
        }

    def identities(self, context: Context) -> list[dict[str, Any]]:
        own = [self._identity(context.caller.account)] if context.caller.account is not None else []
        return [*own, *(one for one in self._known.values() if one not in own)]


def _jwt(claims: Mapping[str, str]) -> str:
    """It looks as a token looks; the lab knows its own ones by heart."""
    parts = [json.dumps({"alg": "RS256"}), json.dumps({**claims, "jti": secrets.token_hex(8)}), secrets.token_hex(32)]
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)
