# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every call to a Kubernetes API server goes through here: one retry policy, one translation of errors.

Writes are server-side applies: the server merges, defaults and says whose field is whose, and the same call as a dry
run is what check mode and diff are made of. PRIVATE.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import urlencode

from .._checks import credential, seconds
from .._errors import (
    AnswerLostError,
    AuthError,
    ConflictError,
    NotFoundError,
    SchedulersError,
    UnreachableError,
)
from .._http import not_json
from .._proxy import WANTS_CREDENTIALS, refused_by
from .._retry import Effect, RetryPolicy
from .errors import IN_BETWEEN, MOVED, ExpiredError, knows_no_apply, translate
from .kinds import KINDS, Kind
from .login import log_in
from .transport import Answer, Stream, Transport

Object = dict[str, Any]
T = TypeVar("T")

MANAGER = "container.schedulers"
FORBIDDEN = "Forbidden"
PAGE = 500
WATCH_SECONDS = 60  # the server ends a watch after this; it is opened again where it ended
FIRST_ATTEMPTS, LATER_ATTEMPTS = 8, 16  # a server that answered before is worth more patience: it may be restarting
SILENCE_SECONDS = 75.0  # and one that does not even end is dead
JSON = "application/json"
APPLY_PATCH = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"
APPLIES_SINCE = 22  # of the versions 1.x, the first that has server-side apply for good
_MINOR = re.compile(r"v?1\.(\d+)")


@dataclass(frozen=True)
class Listing:
    """The objects of a list, and the version from which a watch goes on."""

    items: list[Object]
    version: str


@dataclass(frozen=True)
class Written:
    """An object as it is after a write, and whether the write made it."""

    object: Object
    created: bool


class Api:
    """The API of one cluster. Threads may share it.

    Args:
        transport: the connections.
        policy: retries of single calls.
    """

    def __init__(self, transport: Transport, policy: RetryPolicy | None = None) -> None:
        self.transport = transport
        self.policy = policy or RetryPolicy(attempts=FIRST_ATTEMPTS, cap_seconds=3.0)
        self._reached = False
        self._kinds: dict[str, list[Kind]] = {}
        self._asking = threading.Lock()
        self._version: str | None = None

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Api:
        """The API that a module's options describe.

        Raises:
            InputError: the options do not say which, or contradict one another.
        """
        credential("api_key", params.get("api_key"))
        timeout = params.get("request_timeout")
        return cls(Transport(log_in(params), 60.0 if timeout is None else seconds("request_timeout", timeout)))

    def once(self) -> Api:
        """The same cluster for a caller that tries again itself: no request is repeated."""
        return Api(self.transport, replace(self.policy, attempts=1))

    def hurried(self, seconds: float) -> Api:
        """The same cluster for a caller who can do without: each request is tried once, for so many seconds."""
        return Api(Transport(self.transport.login, seconds), replace(self.policy, attempts=1))

    def kind(self, api_version: str, name: str) -> Kind:
        """Where objects of a kind live: from the table, or by one request for its API group.

        Raises:
            NotFoundError: the API server does not know the kind.
        """
        found = KINDS.get((api_version, name))
        if found:
            return found
        if api_version not in self._kinds:
            self._kinds[api_version] = self._group_kinds(api_version)
        for one in self._kinds[api_version]:
            if one.kind == name:
                return one
        del self._kinds[api_version]  # its definition may be about to be made
        raise NotFoundError(f"the API server does not know kind {name} of {api_version}", code="UnknownKind")

    def _group_kinds(self, api_version: str) -> list[Kind]:
        base = Kind(api_version, "", "").base
        try:
            answer = self.call("GET", base, doing=f"look up the kinds of {api_version}")
        except NotFoundError:
            return []
        return [
            Kind(api_version, one["kind"], one["name"], bool(one["namespaced"]))
            for one in answer.get("resources", ())
            if "/" not in one["name"]
        ]

    def call(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content_type: str = JSON,
        effect: Effect | None = None,
        accept: str = JSON,
    ) -> Object:
        """One request, repeated as far as that is safe, and its answer.

        Raises:
            SchedulersError: see ``errors.translate``.
        """
        answer = self.answer(
            method,
            path,
            doing=doing,
            query=query,
            body=body,
            content_type=content_type,
            effect=effect,
            accept=accept,
        )
        return self._object(answer, doing)

    def answer(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content_type: str = JSON,
        effect: Effect | None = None,
        accept: str = JSON,
    ) -> Answer:
        """As ``call``, with the answer as it came."""
        target = f"{path}?{urlencode(query)}" if query else path
        content = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = {"Accept": accept, **({"Content-Type": content_type} if content is not None else {})}

        def send() -> Answer:
            try:
                answer = self.transport.request(method, target, headers, content)
            except SchedulersError as error:
                error.doing = error.doing or doing
                raise
            if answer.status >= 300:
                raise _as_moved(self._refusal(answer.status, answer.body, answer.headers, doing), body)
            self._reached = True
            return answer

        repeats = self.policy.attempts > 1
        attempts = max(self.policy.attempts, LATER_ATTEMPTS) if self._reached and repeats else self.policy.attempts
        policy = replace(self.policy, attempts=attempts)
        return policy.run(lambda: self.renewed(send), effect or _effect(method))

    def _refusal(self, status: int, body: bytes, headers: Mapping[str, str], doing: str) -> SchedulersError:
        """The error for an answer. A server that has just started forbids everything: it has not read its roles yet."""
        if status < 400:
            led = f"{self.transport.server} redirects to {headers.get('location') or 'nowhere'} (HTTP {status})"
            return SchedulersError(led, code=str(status), doing=doing, hint=IN_BETWEEN)
        if status == WANTS_CREDENTIALS:
            return refused_by(self.transport.proxy, doing)
        error = translate(status, body, headers, doing)
        if isinstance(error, AuthError) and error.code == FORBIDDEN and not self._is_up():
            return UnreachableError(f"{error.message}, and the API server does not call itself ready", doing=doing)
        return error

    def _object(self, answer: Answer, doing: str) -> Object:
        """The object in an answer. What is none comes from something in between, and nobody knows what was done."""
        try:
            found = json.loads(answer.body)
        except ValueError:
            found = None
        if isinstance(found, dict):
            return found
        said = not_json(self.transport.server, answer.headers, answer.body)
        raise AnswerLostError(said, doing=doing, code="NotJson", hint=IN_BETWEEN)

    def _is_up(self) -> bool:
        """Whether the server calls itself ready. Everybody may ask, once it has read who may do what."""
        try:
            return self.transport.request("GET", "/readyz", {"Accept": "*/*"}).status == 200
        except SchedulersError:
            return False

    def renewed(self, send: Callable[[], T]) -> T:
        """Send a request; once more if its token was refused and a new one was asked for, which may be the same."""
        login = self.transport.login
        if login.renew is None:
            return send()
        token = login.token()
        try:
            return send()
        except AuthError as error:
            if error.code not in ("Unauthorized", "401"):
                raise
            login.renew(token)
            return send()

    def version(self) -> str | None:
        """What the API server runs, as it writes it ("v1.36.4")."""
        said: str | None = self.call("GET", "/version", doing="ask for the version").get("gitVersion")
        return said

    def older_than(self, minor: int) -> str:
        """The version of the API server if that is older than 1.minor; empty if not, or if it does not say it."""
        with self._asking:
            if self._version is None:
                self._version = ""
                with suppress(SchedulersError):
                    self._version = self.version() or ""
        found = _MINOR.match(self._version)
        return self._version.removeprefix("v") if found and int(found[1]) < minor else ""

    def get(self, kind: Kind, name: str, namespace: str = "") -> Object | None:
        """An object, or None if there is none."""
        try:
            return self.call("GET", kind.path(namespace, name), doing=f"look at {kind.label(name, namespace)}")
        except NotFoundError:
            return None

    def list(self, kind: Kind, namespace: str = "", *, labels: str = "", fields: str = "") -> Listing:
        """All objects of a kind in a namespace, or in all of them, to the last page."""
        query: dict[str, Any] = {"limit": PAGE, **_selectors(labels, fields)}
        doing = f"list the {kind.plural}" + (f" of namespace {namespace}" if namespace else "")
        items: list[Object] = []
        while True:
            try:
                answer = self.call("GET", kind.path(namespace), query=query, doing=doing)
            except ExpiredError:
                if "continue" not in query:
                    raise
                # the pages were slow to come, and the server has forgotten what the list was when it began
                return self.list(kind, namespace, labels=labels, fields=fields)
            if "items" not in answer:
                raise SchedulersError("the answer is no list of Kubernetes", doing=doing, hint=IN_BETWEEN)
            # items of a list do not say what they are
            items.extend(
                {"apiVersion": kind.api_version, "kind": kind.kind, **one} for one in answer.get("items") or ()
            )
            metadata = answer.get("metadata") or {}
            if not metadata.get("continue"):
                return Listing(items, str(metadata.get("resourceVersion", "")))
            query["continue"] = metadata["continue"]

    def apply(self, kind: Kind, manifest: Mapping[str, Any], *, force: bool = False, dry_run: bool = False) -> Written:
        """Server-side apply: the object becomes as the manifest says, where the manifest says anything.

        Args:
            force: take over fields that other managers own.
            dry_run: only say what would become of it.

        Raises:
            ConflictError: others own fields that would change; ``details["conflicts"]`` says which.
            SchedulersError: the server is too old for that.
        """
        metadata = manifest["metadata"]
        label = kind.label(metadata["name"], metadata.get("namespace", ""))
        query = {"fieldManager": MANAGER, "force": str(force).lower(), "fieldValidation": "Strict"}
        try:
            answer = self.answer(
                "PATCH",
                kind.path(metadata.get("namespace", ""), metadata["name"]),
                query={**query, "dryRun": "All"} if dry_run else query,
                body=manifest,
                content_type=APPLY_PATCH,
                effect=Effect.IDEMPOTENT,
                doing=f"apply {label}",
            )
        except SchedulersError as error:
            no_such_path = error.code == "404" and not dry_run  # a dry run comes before what brings its kind
            version = self.older_than(APPLIES_SINCE) if no_such_path or knows_no_apply(error) else ""
            if not version:
                raise
            raise SchedulersError(
                f"the API server runs Kubernetes {version}, which has no server-side apply",
                doing=error.doing,
                code=error.code,
                hint=f"Kubernetes 1.{APPLIES_SINCE} and newer have it.",
            ) from error
        return Written(self._object(answer, f"apply {label}"), answer.status == 201)

    def create(self, kind: Kind, manifest: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        """Make an object that must not be there yet.

        Args:
            dry_run: only see whether that can be done.

        Raises:
            ConflictError: it is.
        """
        metadata = manifest["metadata"]
        return self.call(
            "POST",
            kind.path(metadata.get("namespace", "")),
            query={"fieldManager": MANAGER, **({"dryRun": "All"} if dry_run else {})},
            body=manifest,
            effect=Effect.IDEMPOTENT if dry_run else Effect.CREATE,
            doing=f"create {kind.label(metadata['name'], metadata.get('namespace', ''))}",
        )

    def patch(self, kind: Kind, name: str, change: Mapping[str, Any], namespace: str = "") -> Object:
        """Change some fields of an object. The change must be one that can be made twice."""
        return self.call(
            "PATCH",
            kind.path(namespace, name),
            query={"fieldManager": MANAGER},
            body=change,
            content_type=MERGE_PATCH,
            effect=Effect.IDEMPOTENT,
            doing=f"change {kind.label(name, namespace)}",
        )

    def delete(self, kind: Kind, name: str, namespace: str = "", *, uid: str = "", foreground: bool = False) -> bool:
        """Ask for the deletion of an object, and of what it controls. Says whether there was one.

        Args:
            uid: delete this one only, not another one that has taken its name.
            foreground: it stays until what it controls is gone.
        """
        body: Object = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": "Foreground" if foreground else "Background",
        }
        if uid:
            body["preconditions"] = {"uid": uid}
        try:
            self.call("DELETE", kind.path(namespace, name), body=body, doing=f"delete {kind.label(name, namespace)}")
        except NotFoundError:
            return False
        return True

    def evict(self, name: str, namespace: str, *, uid: str = "") -> None:
        """Ask a pod to go; one that is not there is gone.

        Args:
            uid: the one that is meant; another one of the same name stays.

        Raises:
            BusyError: a disruption budget does not allow it yet.
        """
        body: Object = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": namespace},
        }
        if uid:
            body["deleteOptions"] = {"preconditions": {"uid": uid}}
        path, doing = KINDS[("v1", "Pod")].path(namespace, name, "eviction"), f"evict pod {namespace}/{name}"
        with suppress(NotFoundError):
            self.call("POST", path, body=body, effect=Effect.IDEMPOTENT, doing=doing)

    def logs(self, pod: str, namespace: str, container: str, *, lines: int = 20, previous: bool = False) -> str:
        """The last lines that a container wrote."""
        query: dict[str, Any] = {
            "container": container,
            "tailLines": lines,
            **({"previous": "true"} if previous else {}),
        }
        path = KINDS[("v1", "Pod")].path(namespace, pod, "log")
        answer = self.answer("GET", path, query=query, doing=f"read the log of {namespace}/{pod}", accept="*/*")
        return answer.body.decode(errors="replace")

    def watch(self, kind: Kind, namespace: str, version: str, *, labels: str = "", fields: str = "") -> Watch:
        """What happens to the objects of a kind after a version, as it happens.

        Raises:
            ExpiredError: the version is too old.
        """
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": WATCH_SECONDS,
            **_selectors(labels, fields),
        }
        path = f"{kind.path(namespace)}?{urlencode(query)}"
        return self.renewed(lambda: self._open(path, f"watch the {kind.plural}"))

    def _open(self, path: str, doing: str) -> Watch:
        stream = self.transport.stream(path, {"Accept": JSON}, SILENCE_SECONDS)
        if stream.status >= 300:
            body = stream.read()
            stream.close()
            raise self._refusal(stream.status, body, stream.headers, doing)
        return Watch(stream, doing)


class Watch:
    """An open watch."""

    def __init__(self, stream: Stream, doing: str) -> None:
        self._stream = stream
        self._doing = doing

    def events(self) -> Iterator[tuple[str, Object]]:
        """Types (ADDED, MODIFIED, DELETED, BOOKMARK) with objects, until the server ends the watch.

        Raises:
            ExpiredError: list again.
            AnswerLostError: the connection broke.
        """
        for line in self._stream.lines():
            event = json.loads(line)
            if event["type"] == "ERROR":
                status = event["object"]
                raise translate(int(status.get("code", 500)), json.dumps(status).encode(), {}, self._doing)
            yield event["type"], event["object"]

    def close(self) -> None:
        """End it, from any thread."""
        self._stream.close()


def _effect(method: str) -> Effect:
    if method == "GET":
        return Effect.READ
    return Effect.CREATE if method == "POST" else Effect.IDEMPOTENT


def _selectors(labels: str, fields: str) -> dict[str, str]:
    return {
        **({"labelSelector": labels} if labels else {}),
        **({"fieldSelector": fields} if fields else {}),
    }


def _as_moved(error: SchedulersError, body: Any) -> SchedulersError:
    """A write that names a version is not repeated when somebody else wrote: what it says may be of the past."""
    named = isinstance(body, Mapping) and "resourceVersion" in (body.get("metadata") or {})
    if not named or error.code != MOVED:
        return error
    return ConflictError(error.message, code=MOVED, doing=error.doing, hint="Run this again.")
