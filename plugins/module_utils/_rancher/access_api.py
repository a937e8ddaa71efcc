# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a server is told about access control: in ``/v1`` by itself, in 1.6 through its authentication service.

PRIVATE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._errors import NotFoundError, SchedulersError
from .._retry import Effect
from .access_options import GITHUB, LOCAL
from .api import Object, Rancher

SERVICE = "/v1-auth/config"
PROVIDERS = {GITHUB: "githubconfig", LOCAL: "localauthconfig"}
RANCHER_ID = "rancher_id"
DOING = "read the access control of the server"


class AccessApi:
    """Access control of one server. It is the server's, of no environment; and its types are those of /v1."""

    def __init__(self, rancher: Rancher) -> None:
        self._rancher = rancher
        self._service: bool | None = None

    def status(self) -> Object:
        """Whether it is on, and by which provider: what everybody may ask."""
        found = self._rancher.list("/v1/token", doing=DOING)
        return found[0] if found else {}

    def config(self, provider: str) -> Object:
        """What is configured for a provider; no secret is among it."""
        if provider == GITHUB and self.has_service():
            return _flat(self._first(SERVICE))
        return self._first(f"/v1/{PROVIDERS[provider]}")

    def configure(self, provider: str, config: Mapping[str, Any], *, doing: str) -> Object:
        """Configure a provider, and switch it on or off."""
        if provider == GITHUB and self.has_service():
            return _flat(self._rancher.create(SERVICE, _nested(config), doing=doing, effect=Effect.IDEMPOTENT))
        kind = PROVIDERS[provider]
        body = {"type": kind, **config}
        return self._rancher.create(f"/v1/{kind}", body, doing=doing, effect=Effect.IDEMPOTENT)

    def log_in(self, provider: str, code: str, *, doing: str) -> Object:
        """Log in with GitHub's code, or with user:password."""
        body = {"code": code, "authProvider": PROVIDERS[provider]}
        return self._rancher.create("/v1/token", body, doing=doing)

    def administrator(self) -> Object:
        """The account that is the administrator of a server from its start.

        Raises:
            NotFoundError: none can be seen.
        """
        doing = "look for the administrator's account"
        found = self._rancher.list("/v1/accounts", {"kind": "admin"}, doing=doing)
        if not found:
            raise NotFoundError("no administrator's account can be seen", doing=doing)
        return min(found, key=lambda one: (one.get("uuid") != "admin", str(one["id"])))

    def caller(self) -> str:
        """Who asks, as an identity that an owner of an environment can have.

        The server's own name for it is known whatever the provider is by now. One of GitHub's is not, where access
        control is by local accounts since, or where GitHub does not answer.
        """
        account = self._rancher.account(doing="look for the account of the API key")
        return f"{RANCHER_ID}:{account or self.administrator()['id']}"

    def has_service(self) -> bool:
        """Whether GitHub is the authentication service's."""
        if self._service is None:
            try:
                self._rancher.get(SERVICE, doing=DOING)
            except NotFoundError:
                self._service = False
            except SchedulersError as error:
                if error.code != "NotJson":
                    raise
                self._service = False  # a server without the service shows its pages instead
            else:
                self._service = True
        return self._service

    def _first(self, path: str) -> Object:
        answer = self._rancher.get(path, doing=DOING)
        data: Sequence[Object] = answer["data"] if isinstance(answer.get("data"), list) else [answer]
        return data[0] if data else {}


def _nested(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration as the authentication service takes it. Pure."""
    inner = ("clientId", "clientSecret", "hostname", "scheme")
    return {
        "provider": PROVIDERS[GITHUB],
        **{name: value for name, value in config.items() if name not in inner},
        "githubConfig": {name: config[name] for name in inner if name in config},
    }


def _flat(config: Object) -> Object:
    """The other way round; what is kept of another provider says nothing of GitHub. Pure."""
    if str(config.get("provider") or PROVIDERS[GITHUB]).lower() != PROVIDERS[GITHUB]:
        return {}
    return {**config, **(config.get("githubConfig") or {})}
