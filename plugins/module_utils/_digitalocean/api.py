# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every call to DigitalOcean goes through here: one session, one retry policy, one translation of errors.

python-digitalocean gives the endpoint, the token and the session. Its own requests are not used: a page that fails cuts
its lists short, its errors lose the status, and it never times out. Here a list is read to its end. PRIVATE.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .._checks import credential, seconds
from .._clock import Clock, Deadline, SystemClock
from .._errors import BusyError, InputError, NotFoundError, SchedulersError
from .._http import checked_url as checked_address
from .._proxy import OF_REQUESTS, WANTS_CREDENTIALS, proxy_for, refused_by
from .._retry import Effect, RetryPolicy
from .._wait import wait_until
from . import errors
from .options import PUBLIC_API

Answer = dict[str, Any]

PAGE_SIZE = 200
LIST_TRIES = 3
REMOVE_SECONDS = 60.0
CONNECT_SECONDS = 10.0
VERSION = "/v2"
EFFECTS = {"GET": Effect.READ, "PUT": Effect.IDEMPOTENT, "DELETE": Effect.IDEMPOTENT}


@dataclass(frozen=True)
class Connection:
    """How to reach DigitalOcean."""

    api_token: str = field(repr=False)
    api_url: str = PUBLIC_API
    request_timeout: float = 60.0

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Connection:
        """The connection that a module's options describe.

        Raises:
            InputError: one of them cannot work.
        """
        if not (params["api_token"] or "").strip():
            raise InputError("api_token is empty", hint="Set it, or DIGITALOCEAN_ACCESS_TOKEN in the environment.")
        token, timeout = params["api_token"].strip(), seconds("request_timeout", params["request_timeout"])
        credential("api_token", token)
        return cls(token, checked_url(params["api_url"]), timeout)


def checked_url(url: str) -> str:
    """The address of the API without its version; it may be given with it.

    Raises:
        InputError: it is no address.
    """
    bare = url.strip().rstrip("/").removesuffix(VERSION)
    if checked_address(bare, "api_url").path:
        raise InputError(f"api_url: {url!r} is no address of an API", hint=f"{PUBLIC_API} is one, for example.")
    return bare


class DigitalOcean:
    """A team at DigitalOcean.

    Args:
        connection: where and as whom.
        clock: time, for pauses between tries.
    """

    def __init__(self, connection: Connection, clock: Clock | None = None) -> None:
        self._connection = connection
        self.policy = RetryPolicy(clock=clock or SystemClock())
        self.url = connection.api_url
        target = urlsplit(self.url)
        self._where = target.netloc
        self._proxy = proxy_for(target, OF_REQUESTS)  # what is none is refused by us: libraries quote it
        self._library = _library(connection)

    def call(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        effect: Effect | None = None,
    ) -> Answer:
        """One API call, repeated as far as that is safe.

        Args:
            path: below the version ("droplets/123").
            doing: verb phrase for the error message.
            effect: what repeating it would do, where the method does not say.

        Raises:
            SchedulersError: see ``errors``.
        """
        kind = effect or EFFECTS.get(method, Effect.CREATE)
        return self.policy.run(lambda: self._send(method, path, query, body, doing), kind)

    def get(self, path: str, *, doing: str, query: Mapping[str, Any] | None = None) -> Answer:
        """Look at one thing."""
        return self.call("GET", path, doing=doing, query=query)

    def find(self, path: str, item: str, *, doing: str) -> Answer | None:
        """One thing, which stands under a name in the answer; None if it does not exist."""
        try:
            found: Answer = self.get(path, doing=doing)[item]
        except NotFoundError:
            return None
        return found

    def pages(self, path: str, items: str, *, doing: str, query: Mapping[str, Any] | None = None) -> list[Answer]:
        """All items of a list, to the last page.

        Raises:
            SchedulersError: a page failed, or fewer came than the API itself says there are.
        """
        for _try in range(LIST_TRIES):
            found, total = self._read_pages(path, items, query or {}, doing)
            if len(found) >= total:
                return found
        raise SchedulersError(
            f"the list of {path} has {total} entries, but only {len(found)} came", hint="Try again.", doing=doing
        )

    def remove(self, path: str, *, doing: str) -> None:
        """Delete something that goes at once, and look whether it went. What is missing is gone already."""

        def gone() -> bool:
            for method in ("DELETE", "GET"):
                try:
                    self.call(method, path, doing=doing)
                except NotFoundError:
                    return True
                except BusyError:
                    return False
            return False

        wait_until(gone, ready=bool, deadline=Deadline(self.policy.clock, REMOVE_SECONDS), doing=doing, describe=_there)

    def _read_pages(self, path: str, items: str, query: Mapping[str, Any], doing: str) -> tuple[list[Answer], int]:
        """The entries, each once although a list may move under the reader, and how many there should be."""
        found: dict[Any, Answer] = {}
        page, total = 1, 0
        while True:
            answer = self.get(path, doing=doing, query={**query, "page": page, "per_page": PAGE_SIZE})
            entries = answer.get(items)
            if not isinstance(entries, list):
                raise SchedulersError(f"{errors.NOT_ITS_WORDS}: no {items}", hint=errors.CHECK_URL, doing=doing)
            found.update((_identity(one, len(found)), one) for one in entries)
            total = int((answer.get("meta") or {}).get("total", len(found)))
            if not entries or page * PAGE_SIZE >= total:
                return list(found.values()), total
            page += 1

    def _send(
        self, method: str, path: str, query: Mapping[str, Any] | None, body: Mapping[str, Any] | None, doing: str
    ) -> Answer:
        with errors.translated(doing, self._where, self._proxy):
            response = self._library._session.request(
                method,
                f"{self._library.end_point}{path}",
                params=query,
                json=body,
                headers={"Authorization": f"Bearer {self._library.token}", "User-Agent": "container.schedulers"},
                timeout=(min(CONNECT_SECONDS, self._connection.request_timeout), self._connection.request_timeout),
                allow_redirects=False,
                auth=_as_it_is,
            )
        if response.status_code == WANTS_CREDENTIALS:
            raise refused_by(self._proxy, doing)
        document = _document(response)
        if response.status_code == 204:
            return {}
        if not 200 <= response.status_code < 300:
            headers = {name.lower(): value for name, value in response.headers.items()}
            raise errors.from_answer(response.status_code, document, headers, doing, now=time.time())
        if not isinstance(document, dict):
            raise errors.from_answer(502, {"message": errors.NOT_ITS_WORDS}, {}, doing)
        return document


def _there(_gone: bool) -> str:
    return "it is still there"


def _identity(entry: Answer, position: int) -> Any:
    """What tells an entry from others: its id, or its name or slug where it has none."""
    return next((entry[key] for key in ("id", "urn", "slug", "name", "ip") if entry.get(key)), position)


def _as_it_is(request: Any) -> Any:
    """Leave the token in the header: without this, requests would put there what ~/.netrc has for the host."""
    return request


def _document(response: Any) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


# The library is imported where it is used: the edge first checks that it is there and new enough.
def _library(connection: Connection) -> Any:
    from digitalocean.baseapi import BaseAPI  # noqa: PLC0415

    return BaseAPI(token=connection.api_token, end_point=f"{connection.api_url}{VERSION}/")
