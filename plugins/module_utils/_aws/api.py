# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every call to AWS goes through here: one session, one retry policy, one translation of errors.

botocore's own retries are switched off: it repeats a create whose answer was lost, and ours knows which calls may be
repeated. Lists are always read to the last page. PRIVATE.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .._checks import credential, seconds
from .._errors import BusyError, InputError, NotFoundError, SchedulersError
from .._http import checked_url, trusting
from .._proxy import proxy_for
from .._retry import Effect, RetryPolicy, until_settled
from .._wait import Pace, wait_until
from . import answers, errors

if TYPE_CHECKING:
    from .._clock import Deadline

Answer = dict[str, Any]

PUBLIC_API = "https://amazonaws.com"
READ_VERBS = ("Describe", "Get", "List", "Search", "Lookup", "Head")
CREATE_VERBS = ("Create", "Register", "Run", "Allocate", "Import", "Start", "Copy", "Request")
# what these make is named in the request, and there is one of it: once more changes nothing, or is refused by name
REPEATABLE_CREATES = frozenset(
    {
        "CreateLoadBalancerListeners",
        "CreateOrUpdateTags",
        "CreateRoute",
        "CreateTags",
        "RegisterScalableTarget",
    }
)
TOKEN_FIELDS = frozenset({"ClientToken", "clientToken", "ClientRequestToken", "CallerReference"})
# answer field -> request field that asks for the next page
PAGE_FIELDS = {
    "NextToken": "NextToken",
    "nextToken": "nextToken",
    "NextMarker": "Marker",
    "Marker": "Marker",
    "PaginationToken": "PaginationToken",
}
SETTLING_SECONDS = 60.0
SLOW_DELETES = "Some things take AWS minutes to delete. Run the same task again."  # a hint
LOOKS = 6  # five to nine seconds: longer than new things of EC2 and IAM are missing from lists


@dataclass(frozen=True)
class Connection:
    """How to reach AWS. What is None is left to the usual places: environment, profile, instance role."""

    region: str | None = None
    profile: str | None = None
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    endpoint_url: str | None = None
    ca_bundle: str | None = None
    validate_certs: bool = True
    request_timeout: float = 60.0

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Connection:
        """The connection that a module's options describe.

        Raises:
            InputError: one of them cannot work.
        """
        for option in ("access_key", "secret_key", "session_token"):
            credential(option, params[option])
        if params["endpoint_url"]:
            checked_url(params["endpoint_url"], "endpoint_url")
        if params["ca_bundle"] and not Path(params["ca_bundle"]).is_dir():  # botocore takes a directory, too
            trusting(params["ca_bundle"], "ca_bundle")
        seconds("request_timeout", params["request_timeout"])
        return cls(**{name: params[name] for name in cls.__dataclass_fields__})


class Aws:
    """A region of an account.

    Args:
        connection: where and as whom.
        policy: retries of single calls.
        default_region: where no region is given anywhere, for services that have none.
    """

    def __init__(self, connection: Connection, policy: RetryPolicy | None = None, *, default_region: str = "") -> None:
        self._connection = connection
        self.policy = policy or RetryPolicy(looks=LOOKS)
        self._lock = threading.Lock()  # making a client is not thread-safe, using one is
        self._clients: dict[str, Any] = {}
        proxy_for(urlsplit(connection.endpoint_url or PUBLIC_API))  # refused by us: libraries quote it
        with errors.translated("use the AWS credentials"):
            self._session = _session(connection)
        self.region: str = errors.known_region(self._session, connection.region, default_region)

    def call(
        self,
        service: str,
        operation: str,
        request: Mapping[str, Any] | None = None,
        *,
        doing: str,
        settles: bool = False,
    ) -> Answer:
        """One API call, repeated as far as that is safe.

        Args:
            service: botocore's name ("ec2", "elbv2").
            operation: the API's name ("CreateVpc").
            request: its parameters.
            doing: verb phrase for the error message.
            settles: the call names things made or changed moments ago; "not found" may then mean "not yet", and "being
                changed" a change of ours, for up to a minute.

        Raises:
            SchedulersError: see ``errors.translate``.
        """
        send = self._sender(service, operation, request or {}, doing)
        policy, effect = self.policy, effect_of(operation, request or {})
        if not settles:
            return policy.run(send, effect)
        return until_settled(lambda: policy.run(send, effect), errors.may_settle, policy.clock, SETTLING_SECONDS)

    def pages(
        self,
        service: str,
        operation: str,
        items: str,
        request: Mapping[str, Any] | None = None,
        *,
        doing: str,
        settles: bool = False,
    ) -> list[Any]:
        """All items of a list, to the last page.

        Args:
            items: the answer's field that holds them ("Vpcs").
            settles: as in ``call``.
        """
        found: list[Any] = []
        following: Mapping[str, Any] | None = request or {}
        while following is not None:
            answer = self.call(service, operation, following, doing=doing, settles=settles)
            found.extend(answer.get(items, ()))
            following = next_page(following, answer)
        return found

    def delete(
        self,
        service: str,
        operation: str,
        request: Mapping[str, Any],
        *,
        doing: str,
        deadline: Deadline,
        pace: Pace | None = None,
    ) -> None:
        """Delete something. What is missing is gone already; what is still in use is tried again until the deadline."""
        with suppress(NotFoundError):
            self.call_when_free(service, operation, request, doing=doing, deadline=deadline, pace=pace)

    def call_when_free(
        self,
        service: str,
        operation: str,
        request: Mapping[str, Any],
        *,
        doing: str,
        deadline: Deadline,
        pace: Pace | None = None,
        settles: bool = False,
    ) -> Answer:
        """A call that is refused while something else is in the way: tried again until the deadline."""

        def attempt() -> tuple[str, Answer]:
            try:
                return "", self.call(service, operation, request, doing=doing, settles=settles)
            except BusyError as error:
                return error.message, {}

        return wait_until(
            attempt,
            ready=lambda found: not found[0],
            describe=lambda found: found[0],
            hint="Remove what still uses it, or wait until what changes it is done, and run the same task again.",
            deadline=deadline,
            doing=doing,
            pace=pace,
        )[1]

    def _sender(self, service: str, operation: str, request: Mapping[str, Any], doing: str) -> Any:
        def send() -> Answer:
            with errors.translated(doing):
                client = self._client(service)
                answer: Answer = _method(client, operation)(**request)
                return answer

        return send

    def _client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = _client(self._session, service, self.region, self._connection)
            return self._clients[service]


def effect_of(operation: str, request: Mapping[str, Any]) -> Effect:
    """What repeating a call would do. A client token makes a create as good as idempotent. Pure."""
    if operation.startswith(READ_VERBS):
        return Effect.READ
    repeatable = operation in REPEATABLE_CREATES or TOKEN_FIELDS & {*request}
    if operation.startswith(CREATE_VERBS) and not repeatable:
        return Effect.CREATE
    return Effect.IDEMPOTENT


def next_page(request: Mapping[str, Any], answer: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The request for the page after this answer, None after the last one. Pure.

    Raises:
        SchedulersError: the next page would be the one just read; the list would never end.
    """
    if answer.get("IsTruncated") is False:  # Route 53 repeats the request's own Marker on the last page
        return None
    for given, asked in PAGE_FIELDS.items():
        if answer.get(given):
            if answer[given] == request.get(asked):
                raise SchedulersError(f"the API names page {answer[given]!r} as the one that follows it")
            return {**request, asked: answer[given]}
    return None


def to_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def ecs_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as ECS takes them."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def from_tags(tags: Any) -> dict[str, str]:
    """Tags as most services give them (ECS: in lower case), without those that AWS itself sets."""
    pairs = ((one.get("Key", one.get("key")), one.get("Value", one.get("value", ""))) for one in tags or ())
    return {key: value for key, value in pairs if not key.startswith("aws:")}


def tag_filter(tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """EC2 filters for resources that carry all of these tags."""
    return [{"Name": f"tag:{key}", "Values": [value]} for key, value in tags.items()]


def tag_specifications(kind: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """EC2's tags-on-create."""
    return [{"ResourceType": kind, "Tags": to_tags(tags)}]


# boto3 is imported where it is used: the edge first checks that it is there and new enough, and the imports of a module
# that fails on its options should cost nothing.
def _session(connection: Connection) -> Any:
    import boto3  # noqa: PLC0415

    if connection.session_token and not connection.access_key:  # boto3 would look no further for the keys
        raise InputError("session_token: access_key and secret_key have to be given with it")
    return boto3.session.Session(
        profile_name=connection.profile or None,
        aws_access_key_id=connection.access_key or None,
        aws_secret_access_key=connection.secret_key or None,
        aws_session_token=connection.session_token or None,
        region_name=connection.region or None,
    )


def _client(session: Any, service: str, region: str, connection: Connection) -> Any:
    from botocore.config import Config  # noqa: PLC0415

    verify: bool | str | None = None if connection.validate_certs else False
    client = session.client(
        service,
        region_name=region,
        endpoint_url=connection.endpoint_url or None,
        verify=connection.ca_bundle or verify,
        config=Config(
            connect_timeout=min(10.0, connection.request_timeout),
            read_timeout=connection.request_timeout,
            max_pool_connections=16,
            retries={"total_max_attempts": 1, "mode": "standard"},
            user_agent_extra="container.schedulers",
        ),
    )
    answers.watch(client)
    return client


def _method(client: Any, operation: str) -> Any:
    from botocore import xform_name  # noqa: PLC0415

    return getattr(client, xform_name(operation))
