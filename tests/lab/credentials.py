# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who calls, and may they? moto lets everybody do everything; AWS does not, and says so in several ways.

The lab's own key may do everything. Keys made in the lab (IAM users, assumed roles) may do what their policies allow,
judged by action, and, of the calls in `aws/reach.py`, by resources and the conditions that ask for tags.
"""

from __future__ import annotations

import fnmatch
import functools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.session import Session
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from lab.account import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from lab.aws.patching import AwsError
from lab.aws.reach import Reached, reached
from lab.messages import Answer, Call, Request
from lab.naming import credential_scope
from lab.world import World

_INVALID = "The security token included in the request is invalid."
_EXPIRED = "The security token included in the request is expired"
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)
_FAILURE = "AWS was not able to validate the provided access credentials"
_NOT_AUTHORIZED = (
    "User: {arn} is not authorized to perform: {action} because no identity-based policy allows the {action} action"
)
_ENCODED = f" Encoded authorization failure message: {'lab-not-a-secret-' * 30}"
"""EC2 has one in its refusal of a change."""

_ERRORS: dict[tuple[str, str], tuple[str, str, int]] = {
    ("missing", "ec2"): ("MissingParameter", "The request must contain the parameter AWSAccessKeyId", 400),
    ("missing", "s3"): ("AccessDenied", "Access Denied", 403),
    ("missing", "json"): ("MissingAuthenticationTokenException", "Missing Authentication Token", 400),
    ("missing", "query"): ("MissingAuthenticationToken", "Request is missing Authentication Token", 403),
    ("invalid", "ec2"): ("AuthFailure", _FAILURE, 401),
    ("invalid", "s3"): ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403),
    ("invalid", "json"): ("UnrecognizedClientException", _INVALID, 400),
    ("invalid", "query"): ("InvalidClientTokenId", _INVALID, 403),
    ("expired", "ec2"): ("RequestExpired", "Request has expired.", 400),
    ("expired", "s3"): ("ExpiredToken", "The provided token has expired.", 400),
    ("expired", "json"): ("ExpiredTokenException", _EXPIRED, 400),
    ("expired", "query"): ("ExpiredToken", _EXPIRED, 403),
    ("mismatch", "ec2"): ("AuthFailure", _FAILURE, 401),
    ("mismatch", "s3"): ("SignatureDoesNotMatch", _MISMATCH, 403),
    ("mismatch", "json"): ("InvalidSignatureException", _MISMATCH, 400),
    ("mismatch", "query"): ("SignatureDoesNotMatch", _MISMATCH, 403),
    ("denied", "ec2"): (
        "UnauthorizedOperation",
        f"You are not authorized to perform this operation. {_NOT_AUTHORIZED}{{encoded}}",
        403,
    ),
    ("denied", "s3"): ("AccessDenied", "Access Denied", 403),
    ("denied", "json"): ("AccessDeniedException", _NOT_AUTHORIZED, 400),
    ("denied", "query"): ("AccessDenied", _NOT_AUTHORIZED, 403),
}
_UNSIGNED = {"sts.AssumeRoleWithSAML", "sts.AssumeRoleWithWebIdentity"}
_ALWAYS_ALLOWED = {"sts.GetCallerIdentity"}


@dataclass(frozen=True)
class Caller:
    """Whose key it is. `policies` None: may do everything."""

    secret: str
    token: str | None = None
    arn: str = ""
    policies: tuple[str, ...] | None = None


def install(world: World) -> None:
    world.on_call(lambda call: _check(world.account, call))


def _check(account: str, call: Call) -> Answer | None:
    scope = credential_scope(call.request)
    if scope is None:
        if call.name in _UNSIGNED:
            return None
        raise refusal("missing", call)
    key, region, signing_name = scope
    token = _session_token(call.request)
    if token is not None and "expired" in token:
        raise refusal("expired", call)
    caller = _caller(account, key)
    if caller is None or caller.token != token or region not in _regions():
        raise refusal("invalid", call)
    if not _signature_fits(call.request, caller, key, region, signing_name):
        raise refusal("mismatch", call)
    action = f"{signing_name}:{call.action}"
    if call.name in _ALWAYS_ALLOWED or caller.policies is None:
        return None
    # what a call reaches has to be allowed one by one
    if not all(allowed(caller.policies, action, one) for one in reached(account, call) or (None,)):
        raise denial(call, caller.arn)
    return None


def denial(call: Call, arn: str) -> AwsError:
    """What a service says to somebody who has no right to the call."""
    scope = credential_scope(call.request)
    action = f"{scope[2] if scope else call.service}:{call.action}".replace("tagging:", "tag:")
    return refusal("denied", call, arn=arn, action=action, encoded="" if call.is_read else f".{_ENCODED}")


def refusal(kind: str, call: Call, **details: str) -> AwsError:
    """What a service says to credentials like these."""
    family = call.service if call.service in ("ec2", "s3") else "json" if "json" in call.protocol else "query"
    code, message, status = _ERRORS[kind, family]
    return AwsError(call.service, code, message.format(**details), status)


def _session_token(request: Request) -> str | None:
    return request.headers.get("x-amz-security-token") or dict(parse_qsl(request.query)).get("X-Amz-Security-Token")


@functools.cache
def _regions() -> frozenset[str]:
    session = Session()
    partitions = session.get_available_partitions()
    return frozenset(region for name in partitions for region in session.get_available_regions("ec2", name))


def _caller(account: str, key: str) -> Caller | None:
    if key == ACCESS_KEY_ID:
        return Caller(SECRET_ACCESS_KEY)
    iam = iam_backends[account]["aws"]
    for user in iam.users.values():
        for access_key in user.access_keys:
            if access_key.access_key_id == key and access_key.status == "Active":
                documents = [*user.policies.values(), *_managed(user)]
                for group in iam.get_groups_for_user(user.name):
                    documents += [*group.policies.values(), *_managed(group)]
                return Caller(access_key.secret_access_key, None, user.arn, tuple(map(_text, documents)))
    for assumed in sts_backends[account]["aws"].assumed_roles:
        if assumed.access_key_id == key:
            role = next((role for role in iam.roles.values() if role.arn == assumed.role_arn), None)
            documents = [*role.policies.values(), *_managed(role)] if role else []
            return Caller(assumed.secret_access_key, assumed.session_token, assumed.arn, tuple(map(_text, documents)))
    return None


def _managed(owner: Any) -> list[Any]:
    policies = owner.managed_policies.values()
    return [version.document for policy in policies for version in policy.versions if version.is_default]


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def allowed(policies: Iterable[str], action: str, target: Reached | None = None) -> bool:
    """Some statement allows the action and none denies it (a deny under conditions is left out).

    Without a target, resources and conditions are not looked at.
    """
    granted = False
    for policy in policies:
        statements = json.loads(policy).get("Statement", [])
        for statement in statements if isinstance(statements, list) else [statements]:
            if not _covers(statement, action) or (target and not _fits(statement, target)):
                continue
            if statement.get("Effect") == "Deny" and not statement.get("Condition"):
                return False
            granted = granted or statement.get("Effect") == "Allow"
    return granted


def _covers(statement: dict[str, Any], action: str) -> bool:
    inverted = "NotAction" in statement
    patterns = statement.get("NotAction" if inverted else "Action", [])
    patterns = [patterns] if isinstance(patterns, str) else patterns
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns) is not inverted


def _fits(statement: dict[str, Any], target: Reached) -> bool:
    patterns = statement.get("Resource", "*")
    patterns = [patterns] if isinstance(patterns, str) else patterns
    conditions = statement.get("Condition", {})
    if statement.get("Effect") == "Deny":  # under conditions it is left out anyway
        conditions = {}
    return any(fnmatch.fnmatchcase(target.arn, pattern) for pattern in patterns) and all(
        _holds(operator, key, wanted, target) for operator, keys in conditions.items() for key, wanted in keys.items()
    )


def _holds(operator: str, key: str, wanted: str | list[str], target: Reached) -> bool:
    """Only of tags the lab knows what they are; another condition (ec2:CreateAction) is met by no call of its own."""
    found = target.keys.get(key)
    patterns = [wanted] if isinstance(wanted, str) else wanted
    if operator == "StringLike":
        return found is not None and any(fnmatch.fnmatchcase(found, pattern) for pattern in patterns)
    return operator == "StringEquals" and found in patterns


def _signature_fits(request: Request, caller: Caller, key: str, region: str, signing_name: str) -> bool:
    """Sign the request once more with the caller's secret; a presigned URL is taken as it is."""
    header = request.headers.get("authorization", "")
    parts = dict(part.strip().partition("=")[::2] for part in header.split(" ", 1)[-1].split(","))
    if "Signature" not in parts:
        return not header
    signer_class = S3SigV4Auth if signing_name == "s3" else SigV4Auth
    signer = signer_class(Credentials(key, caller.secret, caller.token), signing_name, region)
    url = f"http://{request.headers.get('host', '')}{request.path}" + (f"?{request.query}" if request.query else "")
    headers = {name: request.headers.get(name, "") for name in parts.get("SignedHeaders", "").split(";")}
    again = AWSRequest(method=request.method, url=url, headers=headers, data=request.body)
    again.context["timestamp"] = request.headers.get("x-amz-date", "")
    return bool(
        signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again) == parts["Signature"]
    )
