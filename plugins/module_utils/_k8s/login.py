# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the API server is and as whom to speak to it, from options, environment, kubeconfig or the pod's own account.

Plain kubeconfigs (certificates, tokens, token files) are read here: importing the ``kubernetes`` package takes 0.3
seconds of CPU, ten times what this does. Those that log in through a program or a provider are handed to it. PRIVATE.
"""

from __future__ import annotations

import base64
import binascii
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .._argspec import Library, missing_library
from .._errors import AuthError, InputError
from .._http import basic_auth
from .kubeconfig import Entry, read_kubeconfig

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
# option -> what kubernetes.core calls it in the environment
ENVIRONMENT = {
    "host": "K8S_AUTH_HOST",
    "kubeconfig": "K8S_AUTH_KUBECONFIG",
    "context": "K8S_AUTH_CONTEXT",
    "api_key": "K8S_AUTH_API_KEY",
    "username": "K8S_AUTH_USERNAME",
    "password": "K8S_AUTH_PASSWORD",
    "client_cert": "K8S_AUTH_CERT_FILE",
    "client_key": "K8S_AUTH_KEY_FILE",
    "ca_cert": "K8S_AUTH_SSL_CA_CERT",
    "validate_certs": "K8S_AUTH_VERIFY_SSL",
    "proxy": "K8S_AUTH_PROXY",
    "no_proxy": "K8S_AUTH_NO_PROXY",
    "impersonate_user": "K8S_AUTH_IMPERSONATE_USER",
    "impersonate_groups": "K8S_AUTH_IMPERSONATE_GROUPS",
}
KUBERNETES = Library("kubernetes", "29.0.0")
FALSE = ("0", "false", "no", "off", "n", "f")


@dataclass(frozen=True)
class Login:
    """All that a connection needs.

    Attributes:
        server: the address, without a slash at its end.
        ca: PEM text of the certificate authority; None: those that the machine trusts.
        client_cert, client_key: PEM texts.
        token: gives the bearer token as it is now; empty for none.
        renew: called with a token that was refused, for another one to come in its place; None: there is no other.
        basic: user and password for a proxy in front of the API server.
        namespace: what the kubeconfig's context names.
        source: where this came from, for messages.
    """

    server: str
    ca: str | None = None
    verify: bool = True
    server_name: str | None = None
    client_cert: str | None = field(default=None, repr=False)
    client_key: str | None = field(default=None, repr=False)
    token: Callable[[], str] = field(default=lambda: "", repr=False)
    renew: Callable[[str], None] | None = field(default=None, repr=False)
    basic: tuple[str, str] | None = field(default=None, repr=False)
    proxy: str | None = None
    no_proxy: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    namespace: str = ""
    source: str = ""

    def authorization(self) -> dict[str, str]:
        """The headers that say who we are. Asked for with every request, as a token may have been renewed."""
        token = self.token()
        if token:
            return {"Authorization": f"Bearer {token}"}
        if self.basic:
            return basic_auth(*self.basic)
        return {}


def log_in(params: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Login:
    """The login that a module's options describe.

    Raises:
        InputError: the kubeconfig is missing, malformed, or has no such context.
    """
    surroundings = os.environ if environment is None else environment
    given = _given(params, surroundings)
    if given.get("host") and not (given.get("kubeconfig") or given.get("context")):
        return _overlaid(Login(str(given["host"]).rstrip("/"), source="host"), given)
    entry = read_kubeconfig(given.get("kubeconfig"), given.get("context"), surroundings)
    if entry is not None:
        return _overlaid(_from_entry(entry), given)
    inside = _in_cluster(surroundings)
    if inside is not None:
        return _overlaid(inside, given)
    raise InputError(
        "there is no kubeconfig", hint="Set kubeconfig or the environment variable KUBECONFIG, or host with api_key."
    )


def _given(params: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    given = {}
    for name, variable in ENVIRONMENT.items():
        value = params.get(name)
        if value is None and environment.get(variable):
            value = environment[variable]
        if value is not None:
            given[name] = value
    verify = given.get("validate_certs")
    if isinstance(verify, str):
        given["validate_certs"] = verify.lower() not in FALSE
    groups = given.get("impersonate_groups")
    if isinstance(groups, str):
        given["impersonate_groups"] = groups.split(",")
    return given


def _overlaid(login: Login, given: Mapping[str, Any]) -> Login:
    """What is given by options comes before what the kubeconfig says."""
    changes: dict[str, Any] = {}
    if given.get("host"):
        changes["server"] = str(given["host"]).rstrip("/")
    for option, attribute in (("ca_cert", "ca"), ("client_cert", "client_cert"), ("client_key", "client_key")):
        if given.get(option):
            changes[attribute] = _file(Path(str(given[option])).expanduser(), option)
    if given.get("api_key"):
        key = str(given["api_key"])
        changes["token"] = lambda: key
    if given.get("username"):
        changes["basic"] = (str(given["username"]), str(given.get("password", "")))
    if "validate_certs" in given:
        changes["verify"] = bool(given["validate_certs"])
    changes.update({name: given[name] for name in ("proxy", "no_proxy") if given.get(name)})
    users = [("Impersonate-User", given["impersonate_user"])] if given.get("impersonate_user") else []
    groups = [("Impersonate-Group", group) for group in given.get("impersonate_groups") or ()]
    return replace(login, headers=(*users, *groups), **changes)


def _from_entry(entry: Entry) -> Login:
    cluster, user = entry.cluster, entry.user
    return Login(
        server=str(cluster["server"]).rstrip("/"),
        ca=_pem(entry, cluster, "certificate-authority"),
        verify=not cluster.get("insecure-skip-tls-verify", False),
        server_name=cluster.get("tls-server-name"),
        client_cert=_pem(entry, user, "client-certificate"),
        client_key=_pem(entry, user, "client-key"),
        proxy=cluster.get("proxy-url"),
        namespace=entry.namespace,
        source=entry.source,
        **_account(entry, user),
    )


def _account(entry: Entry, user: Mapping[str, Any]) -> dict[str, Any]:
    if user.get("exec") or user.get("auth-provider"):
        return _by_kubernetes_package(entry)
    if user.get("token"):
        token = str(user["token"])
        return {"token": lambda: token}
    if user.get("tokenFile"):
        return _renewable(_TokenFile(entry.beside(user["tokenFile"])))
    if user.get("username"):
        return {"basic": (str(user["username"]), str(user.get("password", "")))}
    return {}


def _renewable(token: _TokenFile | _Program) -> dict[str, Any]:
    return {"token": token, "renew": token.renew}


class _TokenFile:
    """A token that somebody else renews, such as the kubelet: read again with every use."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> str:
        return _file(self._path, "tokenFile").strip()

    def renew(self, refused: str) -> None:
        """Nothing has to be done."""


class _Program:
    """A token that a program or a provider gives: run again when the token expires, or is refused before it says so.

    The ``kubernetes`` package knows when a token expires; that one may be refused earlier it leaves to its users.
    """

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._lock = threading.Lock()
        self.settings = self._run()

    def __call__(self) -> str:
        with self._lock:
            return self._token()

    def renew(self, refused: str) -> None:
        """Run it again, unless another thread was faster."""
        with self._lock:
            if self._token() == refused:
                self.settings = self._run()

    def _token(self) -> str:
        read = self.settings.get_api_key_with_prefix
        return str(read("authorization") or read("BearerToken") or "").removeprefix("Bearer ")

    def _run(self) -> Any:
        from kubernetes import client, config  # noqa: PLC0415

        entry, settings = self._entry, client.Configuration()
        try:
            config.load_kube_config_from_dict(
                dict(entry.document), context=entry.context, client_configuration=settings, persist_config=False
            )
        except config.ConfigException as error:
            raise AuthError(str(error), doing=f"log in with {entry.source}") from error
        return settings


def _by_kubernetes_package(entry: Entry) -> dict[str, Any]:
    """Programs and providers that give tokens: the ``kubernetes`` package runs them, and again when one expires."""
    missing = missing_library([KUBERNETES])
    if missing:
        raise InputError(f"{entry.source} logs in with a program or a provider, which takes a library. {missing}")
    program = _Program(entry)
    settings, account = program.settings, _renewable(program)
    if not program() and not settings.cert_file:
        raise AuthError("the program or provider gave no credentials", doing=f"log in with {entry.source}")
    if settings.cert_file:
        account["client_cert"] = _file(Path(settings.cert_file), "client certificate")
    if settings.key_file:
        account["client_key"] = _file(Path(settings.key_file), "client key")
    return account


def _in_cluster(environment: Mapping[str, str]) -> Login | None:
    host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT")
    token = SERVICE_ACCOUNT / "token"
    if not (host and port and token.exists()):
        return None
    shown = f"[{host}]" if ":" in host else host
    return Login(
        f"https://{shown}:{port}",
        ca=_file(SERVICE_ACCOUNT / "ca.crt", "service account"),
        **_renewable(_TokenFile(token)),
        source="the service account of the pod",
    )


def _pem(entry: Entry, section: Mapping[str, Any], name: str) -> str | None:
    data = section.get(f"{name}-data")
    if data:
        try:
            return base64.b64decode(str(data), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise InputError(f"{name}-data in {entry.source} is not base64") from error
    path = section.get(name)
    return _file(entry.beside(path), f"{name} of {entry.source}") if path else None


def _file(path: Path, label: str) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise InputError(f"{label}: {path} cannot be read: {reason}") from error
