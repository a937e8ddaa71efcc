# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a URL answer? What "ready" means for whoever uses an app. PRIVATE."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from .._proxy import PORTS, WANTS_CREDENTIALS, proxy_at, proxy_for, refused_by, wants_credentials
from .._timely import answer_within
from .._wait import Pace, wait_until
from .run import Run

SECONDS = 5.0
OWN_WORDS = ("X-Squid-Error", "Proxy-Status")  # headers of what a proxy itself has to say
ANSWERS_BELOW = 500  # 404 or 403 is an answer of the app; 502 or 503 is one of a load balancer without pods


@dataclass(frozen=True)
class Said:
    """What came back: a status, or 0 and the reason why nothing did."""

    status: int
    text: str

    @property
    def answers(self) -> bool:
        """Whether somebody is there."""
        return 0 < self.status < ANSWERS_BELOW


def ask(url: str, given: str | None = None) -> Said:
    """One GET, without following anything.

    Args:
        given: the proxy to ask; without it, the one that the environment names for this address.

    Raises:
        AuthError: the proxy wants other credentials, and is not to be asked again.
    """
    target = urlsplit(url)._replace(fragment="")
    proxy = proxy_at(given, "http_proxy") if given else proxy_for(target)
    secure, host, port = target.scheme == "https", target.hostname or "", target.port or PORTS[target.scheme]
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(*((proxy.host, proxy.port) if proxy else (host, port)), timeout=SECONDS)
    headers, path = {"User-Agent": "container.schedulers"}, target._replace(scheme="", netloc="").geturl() or "/"
    if proxy and secure:
        connection.set_tunnel(host, port, proxy.headers())
    elif proxy:
        path, headers = target.geturl(), {**headers, **proxy.headers()}
    try:
        answer_within(connection, SECONDS)
        connection.connect()
        answer_within(connection, SECONDS)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        said = str(getattr(error, "strerror", None) or error or type(error).__name__)
        if proxy and wants_credentials(said):
            raise refused_by(proxy) from error
        return Said(0, f"{said} (proxy: {proxy})" if proxy else said)
    finally:
        connection.close()
    if proxy and answer.status == WANTS_CREDENTIALS:
        raise refused_by(proxy)
    if proxy and any(answer.headers.get(name) for name in OWN_WORDS):
        return Said(0, f"HTTP {answer.status} (of the proxy: {proxy})")
    return Said(answer.status, f"HTTP {answer.status} {answer.reason}".rstrip())


def wait_until_answers(run: Run, url: str, proxy: str | None = None) -> None:
    """Wait until a URL answers: its name has to be known, and the load balancer has to find the pods healthy.

    Raises:
        AuthError: a proxy on the way wants other credentials.
        WaitTimeoutError: it does not; says what came back last.
    """
    wait_until(
        partial(ask, url, proxy),
        ready=lambda said: said.answers,
        describe=lambda said: f"{url}: {said.text}",
        deadline=run.deadline,
        doing=f"wait until {url} answers",
        hint="A new load balancer needs some minutes until its name is known; see that its source ranges let you in.",
        pace=Pace(first=0.2, factor=1.5, cap=3.0),
    )
