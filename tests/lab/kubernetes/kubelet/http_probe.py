# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP probe as the kubelet makes it: it follows redirects to the pod itself, and takes any other for an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urljoin, urlsplit

from lab.containers import Page

MOST_REQUESTS = 10
Ask = Callable[[str, Mapping[str, str]], Page]
"""(path, headers) -> what the program in the container answers."""


def failure(ask: Ask, address: str, path: str, headers: Mapping[str, str]) -> str | None:
    """What the probe's failure says; None if it passes.

    Args:
        address: host and port of the program.
        headers: those of the probe, with names in lower case.
    """
    url, sent = f"http://{address}{path}", {"host": address, **headers}
    for _request in range(MOST_REQUESTS):
        page = ask(url.partition(address)[2], sent)
        location = dict(page.headers).get("Location")
        if not location or urlsplit(urljoin(url, location)).hostname != urlsplit(url).hostname:
            return None if page.status < 400 else f"HTTP probe failed with statuscode: {page.status}"
        url = urljoin(url, location)
        target = urlsplit(url)
        if target.netloc != address:
            return f'Get "{url}": dial tcp {target.netloc}: connect: connection refused'
        if target.scheme == "https":
            return f'Get "{url}": http: server gave HTTP response to HTTPS client'
        if urlsplit(location).scheme:  # a redirect that is not relative loses the probe's own host
            sent = {**sent, "host": address}
    return f'Get "{url}": stopped after {MOST_REQUESTS} redirects'
