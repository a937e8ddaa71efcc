# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to a server: through a proxy, or directly. One reading of the usual variables for all that we send ourselves.

boto3 and requests read the same variables by themselves, and with the same outcome, but for what docs/network.md says.
What a proxy wants to know of its user is in its address, so that no address is ever told as it was given. PRIVATE.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from ._errors import AuthError, InputError, SchedulersError, UnreachableError

PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "k8s_auth_proxy")
# how http.client, and so urllib3, and websocket-client say what a proxy answers to CONNECT
REFUSAL = re.compile(r"(?:Tunnel connection failed|CONNECT via proxy status): (?P<status>\d{3})")
WANTS_CREDENTIALS = 407
OF_REQUESTS = ("socks4", "socks4a", "socks5", "socks5h")  # what requests can do, if PySocks is there
EXAMPLE = "http://user:password@proxy.example.com:3128"


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy.

    Attributes:
        setting: the option or variable that names it.
    """

    host: str
    port: int
    setting: str
    user: str = ""
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def headers(self) -> dict[str, str]:
        """What it is sent if it wants credentials."""
        from base64 import b64encode  # noqa: PLC0415

        if not self.user:
            return {}
        return {"Proxy-Authorization": f"Basic {b64encode(f'{self.user}:{self.password}'.encode()).decode()}"}


def proxy_at(address: str, setting: str, also: Collection[str] = ()) -> Proxy:
    """The proxy of an address.

    Args:
        also: the schemes that a library can do, beside HTTP.

    Raises:
        InputError: it is none. It is not quoted: what is wrong may be a password.
    """
    hint = f"The address of a proxy is like {EXAMPLE}; in user and password, write %40 for @, %2F for / and %23 for #."
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        raise InputError(f"{setting} is not the address of a proxy", hint=hint) from None
    if parts.scheme not in ("http", "https", *also):
        raise InputError(f"{setting} names a proxy that is no HTTP proxy, but {parts.scheme!r}", hint=hint)
    if not parts.hostname or "@" in f"{parts.path}{parts.query}{parts.fragment}":
        raise InputError(f"{setting} is not the address of a proxy", hint=hint)
    return Proxy(parts.hostname, port, setting, unquote(parts.username or ""), unquote(parts.password or ""))


def proxy_for(target: SplitResult, also: Collection[str] = ()) -> Proxy | None:
    """The proxy that the environment names for this address; None: there is none, or it is to be reached directly.

    Args:
        also: the schemes that a library can do, beside HTTP.

    Raises:
        InputError: it names something else.
    """
    kind = {"ws": "http", "wss": "https"}.get(target.scheme, target.scheme)
    host, port = str(target.hostname), target.port or PORTS.get(target.scheme, 0)
    address = _named(kind, host)
    excluded = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if not address or excludes(excluded, host, port):
        return None
    return proxy_at(address, variable(f"{kind}_proxy"), also)


def _named(kind: str, host: str) -> str:
    if sys.platform == "darwin":  # there the settings of the system count, too
        from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415

        return "" if proxy_bypass(host) else getproxies().get(kind, "")
    return os.environ.get(variable(f"{kind}_proxy"), "")  # urllib.request takes 7 ms to load


def excludes(no_proxy: str, host: str, port: int) -> bool:
    """Whether a list such as "localhost,.example.com,10.0.0.0/8" has a host: what is reached directly. Pure.

    As curl, Go's and Python's libraries read it, taken together: a name also stands for all below it, with a dot or
    "*." before it or without; addresses may be networks; a port limits an entry to itself; "*" is everything.
    """
    name = host.lower().rstrip(".")
    return any(_has(entry, name, port) for entry in no_proxy.lower().replace(",", " ").split())


def _has(entry: str, host: str, port: int) -> bool:
    if entry == "*" or _in_network(entry, host):
        return True
    name, colon, number = entry.rpartition(":")
    if colon and number.isdigit() and (name.endswith("]") or ":" not in name):
        if int(number) != port:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*").strip(".")
    return bool(entry) and (host == entry or host.endswith(f".{entry}"))


def _in_network(entry: str, host: str) -> bool:
    if "/" not in entry:
        return False
    from ipaddress import ip_address, ip_network  # noqa: PLC0415

    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        return False


def variable(name: str) -> str:
    """The variable that is in use, as it is written: the one in lower case comes first."""
    return name.upper() if name not in os.environ and name.upper() in os.environ else name


def through(proxy: Proxy | None) -> str:
    """The way, in a sentence; empty if it is the direct one. Pure."""
    return f" through the proxy {proxy}" if proxy else ""


def not_reached(where: str, said: str, proxy: Proxy | None, hint: str = "") -> SchedulersError:
    """The error for a server to which no connection came about, and which setting may be at fault. Pure.

    Args:
        said: what the system, or the library, has to say about it.
        hint: what to try, if there is no proxy.
    """
    if wants_credentials(said):  # also of a proxy that only a library knows of
        return refused_by(proxy)
    if proxy is None:
        return UnreachableError(f"{where} cannot be reached: {said}", code="Unreachable", hint=hint)
    return UnreachableError(
        f"{where} cannot be reached{through(proxy)}: {said}",
        code="Unreachable",
        hint=f"Is {proxy.setting} right? What is reached without it, no_proxy has to name.",
    )


def wants_credentials(said: str) -> bool:
    """Whether these are a library's words for a proxy that wants other credentials. Pure."""
    refusal = REFUSAL.search(said)
    return refusal is not None and int(refusal["status"]) == WANTS_CREDENTIALS


def refused_by(proxy: Proxy | None, doing: str = "") -> AuthError:
    """The error for a proxy that does not serve us as we are. Never repeated: accounts are locked for less. Pure.

    Args:
        proxy: None for one that is in the way unasked.
    """
    setting, wants = proxy.setting if proxy else "http_proxy or https_proxy", "wants a user and a password"
    if proxy and proxy.user:
        wants = f"does not accept the user and password in {setting}"
    return AuthError(
        f"the proxy {proxy or 'on the way'} {wants} (HTTP {WANTS_CREDENTIALS})",
        code="ProxyAuthentication",
        doing=doing,
        hint=f"{setting} is like {EXAMPLE}.",
    )


def secrets_of(address: object) -> list[str]:
    """The password in an address, as it is written and as it is meant; it may be no good address. Pure."""
    if not isinstance(address, str):
        return []
    account, _at, _host = address.rpartition("://")[2].rpartition("@")
    password = account.partition(":")[2]
    return [password, unquote(password)] if password else []


def secrets_in(environment: Mapping[str, str]) -> Iterable[str]:
    """The passwords of all proxies in the environment. Libraries quote addresses in their errors. Pure."""
    for name in VARIABLES:
        for written in (name, name.upper()):
            yield from secrets_of(environment.get(written))
