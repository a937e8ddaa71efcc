# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every call to Rancher goes through here: one transport, lists to the last page, links under the given address.

Rancher 1.0 and 1.1 serve ``/v1`` only, 1.2 to 1.6 ``/v2-beta`` as well; the newer one is used where there is one. What
differs between the two is in ``dialect.py``. All of ``_rancher`` is for Rancher 1.x. PRIVATE.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

from .._checks import credential, seconds
from .._errors import AnswerLostError, ConflictError, InputError, NotFoundError, SchedulersError
from .._http import Http, HttpSettings, basic_auth, checked_url
from .._retry import Effect, RetryPolicy, create_once
from .errors import METHOD_CODES, denied, translate

Object = dict[str, Any]  # any resource as the API gives it
Query = Mapping[str, Any]

VERSIONS = ("v2-beta", "v1")  # the best first
WITHIN_PROJECT = re.compile(r"/projects/([^/]+)/.")
VERSION_SUFFIX = re.compile(r"/(v1|v2-beta)(/.*)?$")
PAGE = 1000


def _check(params: Mapping[str, Any], prefix: str) -> None:
    if not params[f"{prefix}url"]:
        raise InputError(
            f"{prefix}url is not given",
            hint="Give the address of the Rancher server, or set RANCHER_URL in the environment.",
        )
    checked_url(params[f"{prefix}url"], f"{prefix}url")
    for option in (f"{prefix}access_key", f"{prefix}secret_key"):
        credential(option, params[option])
    seconds("request_timeout", params["request_timeout"])


@dataclass(frozen=True)
class Connection:
    """How to reach Rancher."""

    url: str
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    api_version: str = "auto"
    ca: str | None = None
    validate_certs: bool = True
    request_timeout: float = 30.0

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Connection:
        """The connection that a module's options describe.

        Raises:
            InputError: there is no address, or another option cannot work.
        """
        _check(params, "")
        return cls(**{name: params[name] for name in cls.__dataclass_fields__})

    @classmethod
    def from_shared(cls, params: Mapping[str, Any]) -> Connection:
        """The connection that the options of a module for several providers describe.

        Raises:
            InputError: there is no address, or another option cannot work.
        """
        _check(params, "rancher_")
        return cls(
            params["rancher_url"],
            params["rancher_access_key"],
            params["rancher_secret_key"],
            ca=params["rancher_ca"],
            validate_certs=params["validate_certs"],
            request_timeout=params["request_timeout"],
        )

    @property
    def server(self) -> str:
        """The address of the server, without the version that people like to copy from the browser."""
        return VERSION_SUFFIX.sub("", self.url.rstrip("/"))

    def http(self, policy: RetryPolicy | None = None) -> Http:
        """The transport to this server."""
        return Http(
            HttpSettings(
                self.server,
                # without the second header an error comes with a challenge to browsers
                {**self._authorization(), "X-API-No-Challenge": "true"},
                self.validate_certs,
                self.ca,
                float(self.request_timeout),
                [self.secret_key],
            ),
            policy,
            translate,
        )

    def _authorization(self) -> dict[str, str]:
        return basic_auth(self.access_key, self.secret_key or "") if self.access_key else {}


class Rancher:
    """A Rancher server.

    Args:
        connection: where and as whom.
        http: the transport, if it is not the usual one.
    """

    def __init__(self, connection: Connection, http: Http | None = None) -> None:
        self.connection = connection
        self.http = http or connection.http()
        self._lock = threading.Lock()
        self._version = "" if connection.api_version == "auto" else connection.api_version
        self._prefix = urlsplit(connection.server).path.rstrip("/")
        self._schemas: dict[str, Object | None] = {}

    def use_key(self, access_key: str, secret_key: str) -> None:
        """Speak as the owner of this key from now on."""
        self.connection = replace(self.connection, access_key=access_key, secret_key=secret_key)
        self.http = self.connection.http(self.policy)

    @property
    def policy(self) -> RetryPolicy:
        """Retries of single calls."""
        return self.http.policy

    @property
    def version(self) -> str:
        """The API to use: ``v1`` or ``v2-beta``. Asked for once.

        Raises:
            InputError: whatever listens there is no Rancher 1.x.
        """
        with self._lock:
            if not self._version:
                self._version = self._offered()
            return self._version

    @property
    def is_v1(self) -> bool:
        """Whether it is the API of Rancher 1.0 and 1.1."""
        return self.version == "v1"

    def path(self, *parts: str, project: str = "") -> str:
        """The path of a collection, or of what is in it; with a project, as that environment sees it."""
        scope = ("projects", project) if project else ()
        return "/".join(("", self.version, *scope, *parts))

    def get(self, path: str, query: Query | None = None, *, doing: str) -> Object:
        """One object, by path or link."""
        return self._object(self.http.request("GET", self._asked(path, query), doing=doing).json(), doing)

    def account(self, *, doing: str) -> str:
        """The id of the account that asks, which comes with every answer; empty if it does not."""
        return self.http.request("GET", self._asked(self.path()), doing=doing).headers.get("x-api-account-id", "")

    def find(self, path: str, query: Query | None = None, *, doing: str) -> Object | None:
        """One object, None if it does not exist (any more)."""
        try:
            found = self.get(path, query, doing=doing)
        except NotFoundError:
            return None
        return None if is_gone(found) else found

    def list(self, path: str, query: Query | None = None, *, doing: str) -> list[Object]:
        """All objects of a collection, to the last page, without those that are gone.

        Rancher ignores filters that it does not know and then returns everything, so what is asked for by name or by
        reference is checked again here.
        """
        asked = {"limit": PAGE, **(query or {})}
        following: str | None = self._asked(path, asked)
        found: list[Object] = []
        while following:
            page = self._object(self.http.request("GET", following, doing=doing).json(), doing)
            if not isinstance(page.get("data"), list):
                raise SchedulersError(f"the answer of {path} is no collection", doing=doing)
            found += page["data"]
            following = self._after(page, following)
        return [one for one in found if not is_gone(one) and _matches(one, query or {})]

    def create(
        self,
        path: str,
        body: Mapping[str, Any],
        find: Callable[[], Object | None] | None = None,
        *,
        doing: str,
        effect: Effect = Effect.CREATE,
    ) -> Object:
        """Create something, and only once: after a lost answer it is looked up before it is made again.

        Args:
            find: the thing, if it is there; without it, a lost answer is an error.
            effect: what repeating it would do.
        """

        def send() -> Object:
            with _forbidden(doing, lambda: True):
                answer = self.http.request("POST", self._asked(path), body, doing=doing, effect=effect)
            return self._object(answer.json(), doing)

        return create_once(send, find, self.policy) if find else send()

    def update(self, thing: Mapping[str, Any], body: Mapping[str, Any], *, doing: str) -> Object:
        """Change fields. Rancher ignores those that it does not let anybody change."""
        path = self._asked(thing["links"]["self"])
        try:
            with _forbidden(doing, partial(self._never_takes, thing, "resourceMethods", ["PUT"])):
                return self._object(self.http.request("PUT", path, body, doing=doing).json(), doing)
        except NotFoundError as error:
            # what is there, and is not found by who wants to change it, only its owners may change
            if self.find(path, doing=doing) is None:
                raise
            raise denied("it may be seen, and not be changed", error.code, doing=doing) from error

    def delete(self, thing: Mapping[str, Any], *, doing: str) -> None:
        """Delete. What is gone already, is gone."""
        never = partial(self._never_takes, thing, "resourceMethods", ["DELETE"])
        with suppress(NotFoundError), _forbidden(doing, never):
            self.http.request("DELETE", self._asked(thing["links"]["self"]), doing=doing)

    def require_action(self, thing: Mapping[str, Any], *actions: str, doing: str) -> None:
        """Whether the thing takes one of the actions from this API key, in whatever state: else waiting is in vain.

        Raises:
            AuthError: it never does.
        """
        if self._never_takes(thing, "resourceActions", actions):
            named = thing.get("name") or thing["id"]
            raise denied(f"Rancher never offers it {actions[0]} of {named}", "ActionNotAvailable", doing=doing)

    def _never_takes(self, thing: Mapping[str, Any], part: str, names: Iterable[str]) -> bool:
        """Whether the schema says that this API key may do none of these with such things, whatever their state is."""
        if not thing.get("type"):
            return False
        inside = WITHIN_PROJECT.search(urlsplit(str(thing["links"]["self"])).path)
        schema = self.schema(str(thing["type"]), project=inside[1] if inside else "")
        return schema is not None and not {*names} & {*(schema.get(part) or ())}

    def act(
        self,
        thing: Mapping[str, Any],
        action: str,
        body: Mapping[str, Any] | None = None,
        *,
        doing: str,
        effect: Effect = Effect.CREATE,
    ) -> Object:
        """Carry out an action that the thing offers in its present state.

        After a lost answer it is sent again only if the thing still offers it: a state that was left, was left.

        Raises:
            ConflictError: it does not offer it.
        """
        link = (thing.get("actions") or {}).get(action)
        path = self._asked(link or f"{thing['links']['self']}?action={action}")

        def send() -> Object:
            answer = self.http.request("POST", path, body or {}, doing=doing, effect=effect)
            return self._object(answer.json(), doing) if answer.body else {}

        try:
            return send()
        except AnswerLostError:
            now = self.get(thing["links"]["self"], doing=doing)
            if action not in (now.get("actions") or {}):
                return now  # it is under way, or done
            return send()

    def schema(self, name: str, *, project: str = "", doing: str = "read the schemas") -> Object | None:
        """What the server says of one type, None if it does not know it (yet). What it has said is not asked again."""
        path = self.path("schemas", name, project=project)
        if path not in self._schemas and (found := self.find(path, doing=doing)):
            self._schemas[path] = found
        return self._schemas.get(path)

    def setting(self, name: str, *, doing: str) -> str | None:
        """The value of a setting, empty if it has none, None if this API key may not see it."""
        found = self.find(self.path("settings", name), doing=doing)
        return None if found is None else str(found.get("value") or found.get("activeValue") or "")

    def under(self, link: str) -> str:
        """A link of the server as a path under the address that was given.

        Behind a load balancer that speaks TLS, links may come with another scheme or port than the one that works.
        """
        parts = urlsplit(link)
        path = parts.path.removeprefix(self._prefix) if self._prefix else parts.path
        return f"{path}?{parts.query}" if parts.query else path

    def _asked(self, path: str, query: Query | None = None) -> str:
        address = self.under(path)
        if not query:
            return address
        return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"

    def _after(self, page: Object, asked: str) -> str | None:
        following = (page.get("pagination") or {}).get("next")
        if not following:
            return None
        address = self.under(following)
        if address == asked:
            raise SchedulersError(f"the API names {asked} as the page that follows it")
        return address

    def _offered(self) -> str:
        server = self.connection.server
        try:
            answer = self.http.request("GET", "/", doing=f"find the API of {server}").json()
        except SchedulersError as error:
            if error.code != "NotJson" and not isinstance(error, NotFoundError):
                raise
            answer = None
        offered = offered_versions(answer)
        for version in VERSIONS:
            if version in offered:
                return version
        raise InputError(
            f"url: {server} is no Rancher 1.x server"
            + (f": it offers {', '.join(sorted(offered))}" if offered else ", or its API is not there"),
            code="NotRancher",
            hint="Give the address that Rancher's web pages are at.",
        )

    @staticmethod
    def _object(answer: Any, doing: str) -> Object:
        if not isinstance(answer, dict):
            raise SchedulersError("the answer is no object of Rancher's API", doing=doing)
        return answer


def offered_versions(answer: Any) -> set[str]:
    """The versions of the API in what a server answers at its root. Pure."""
    data = answer.get("data") if isinstance(answer, dict) else None
    return {str(one.get("id")) for one in data or () if isinstance(one, dict) and one.get("type") == "apiVersion"}


@contextmanager
def _forbidden(doing: str, never: Callable[[], bool]) -> Iterator[None]:
    """Tells a method that an API key may never use from one that the thing does not take in its present state.

    Raises:
        AuthError: it may never be used.
    """
    try:
        yield
    except ConflictError as error:
        if error.code in METHOD_CODES and never():
            raise denied(error.message, error.code, doing=doing) from error
        raise


def is_gone(thing: Mapping[str, Any]) -> bool:
    """Whether something that is still shown was removed. Pure."""
    return thing.get("state") in ("removed", "purging", "purged") or bool(thing.get("removed"))


def _matches(thing: Mapping[str, Any], query: Query) -> bool:
    """Whether an object is what a query by equality asked for. Pure."""
    return all(
        thing[name] == value for name, value in query.items() if name in thing and isinstance(value, (str, bool))
    )
