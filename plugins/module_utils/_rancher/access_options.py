# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of rancher_access_control, read and checked before anything is asked for. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._argspec import ArgumentSpec
from .._errors import InputError

GITHUB, LOCAL = "github", "local"
MODES = ("unrestricted", "restricted", "required")
# provider -> the options that mean something to it alone
OWN = {
    GITHUB: ("client_id", "client_secret", "hostname", "allowed_users", "allowed_organizations", "code"),
    LOCAL: ("username", "password", "display_name"),
}
SCHEMES = ("https://", "http://")
ACCESS = ArgumentSpec(
    {
        "provider": {"type": "str", "choices": [GITHUB, LOCAL], "default": GITHUB},
        "access_mode": {"type": "str", "choices": list(MODES)},
        "client_id": {"type": "str"},
        "client_secret": {"type": "str", "no_log": True},
        "hostname": {"type": "str"},
        "tls": {"type": "bool", "default": True},
        "allowed_users": {"type": "list", "elements": "str"},
        "allowed_organizations": {"type": "list", "elements": "str"},
        "code": {"type": "str", "no_log": True},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "display_name": {"type": "str"},
        "api_key_name": {"type": "str", "default": "container.schedulers", "no_log": False},
        "api_key_file": {"type": "path", "no_log": False},
    }
)


@dataclass(frozen=True)
class AccessOptions:
    """Access control as the options describe it.

    Attributes:
        users, organizations: names or numbers of GitHub; None if they are not managed.
        code: what GitHub gave a browser; good once.
    """

    provider: str
    access_mode: str | None = None
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    hostname: str | None = None
    scheme: str = SCHEMES[0]
    users: tuple[str, ...] | None = None
    organizations: tuple[str, ...] | None = None
    code: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    display_name: str | None = None
    key_name: str = "container.schedulers"
    key_file: str | None = None

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> AccessOptions:
        """As the module's options say.

        Raises:
            InputError: they cannot be.
        """
        if params["state"] == "present":
            _refuse_for_others(params)
        hostname = params["hostname"]
        if hostname and ("/" in hostname or " " in hostname):
            raise InputError(f"hostname: {hostname!r} is no host name", hint="Give it without https:// and path.")
        users, organizations = params["allowed_users"], params["allowed_organizations"]
        return cls(
            params["provider"],
            params["access_mode"],
            params["client_id"],
            params["client_secret"],
            hostname,
            SCHEMES[0] if params["tls"] else SCHEMES[1],
            None if users is None else tuple(users),
            None if organizations is None else tuple(organizations),
            params["code"],
            params["username"],
            params["password"],
            params["display_name"],
            params["api_key_name"],
            params["api_key_file"],
        )

    def need(self, *names: str, to: str) -> None:
        """Refuse to do something without these options.

        Args:
            to: what they are needed for.

        Raises:
            InputError: one is missing.
        """
        missing = [name for name in names if not getattr(self, name)]
        if missing:
            raise InputError(f"{' and '.join(missing)} is needed to {to}")


def _refuse_for_others(params: Mapping[str, Any]) -> None:
    """Refuse options that would be left out in silence: who may log in, before all."""
    for provider, names in OWN.items():
        given = next((name for name in names if params[name]), None)
        if given and provider != params["provider"]:
            raise InputError(f"{given} is for provider {provider}, but provider is {params['provider']}")
