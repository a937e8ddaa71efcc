# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS's errors in our words: which family an error code belongs to decides what may be done about it.

Codes: the API reference of each service; the throttling codes are botocore's (``botocore/retries/standard.py``).
PRIVATE.
"""

from __future__ import annotations

import difflib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from .._errors import (
    AnswerLostError,
    AuthError,
    BusyError,
    ConflictError,
    InputError,
    NotFoundError,
    SchedulersError,
    ThrottledError,
)
from .._http import not_trusted, shortened
from .._proxy import Proxy, not_reached, proxy_at, proxy_for, variable
from .._urllib3 import causes, reason, untrusted, was_sent

THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "DependencyThrottle",  # a classic load balancer's way to pass on that EC2 throttles
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TooManyUpdates",  # Systems Manager: several changes of one parameter at the same time
        "TransactionInProgressException",
    }
)
# ECS has one code for everything that is the client's doing
THROTTLED_TEXT = re.compile(r"too many concurrent attempts", re.IGNORECASE)
REFUSED_CREDENTIALS = frozenset(
    {
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    }
)
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
# what a wrong clock of this machine leads to, besides the two families above
SKEWED = frozenset({"RequestInTheFuture", "RequestTimeTooSkewed"})
SKEW_SECONDS = 240.0  # AWS allows five minutes
METADATA = "http://169.254.169.254"  # where an instance gets the credentials of its role
IN_BETWEEN = "Is endpoint_url right, and does no proxy and no login page of a network answer in place of AWS?"
# EC2 has one code for credentials that it does not know and for what belongs to others; words tell them apart
EC2_REFUSAL = "AuthFailure"
EC2_UNKNOWN_CREDENTIALS = re.compile(r"validate the provided access credentials", re.IGNORECASE)
UNGRANTED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Forbidden"})
DENIED = UNGRANTED | {"OptInRequired", EC2_REFUSAL}
EXPLICIT_DENY = re.compile(r"explicit deny", re.IGNORECASE)  # which no permission outweighs
# EC2 has hundreds of characters for who may decode them; only where it has no words for the action are they of use
NAMED_ACTION = re.compile(r"is not authorized to perform")
ENCODED = re.compile(r"[.\s]*Encoded authorization failure message:\s*\S+", re.IGNORECASE)
WHERE_LISTED = "The notes of the module say which permissions are needed."
GIVE_CREDENTIALS = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile, or run where a role is attached."
# botocore's errors -> what helps; the others say themselves how credentials are given, or renewed
WITHOUT_CREDENTIALS = {
    "NoCredentialsError": GIVE_CREDENTIALS,
    "PartialCredentialsError": GIVE_CREDENTIALS,
    "TokenRetrievalError": "Log in again with aws sso login.",
    "CredentialRetrievalError": "",
    "SSOError": "",
    "LoginError": "",
    "ProfileNotFound": "",
    "ConfigParseError": "",
}
BUSY = frozenset(
    {
        "CannotDelete",
        "ClusterContainsContainerInstancesException",
        "ClusterContainsServicesException",
        "ClusterContainsTasksException",
        "ConcurrentModification",
        "ConcurrentUpdateException",
        "DeleteConflict",
        "DependencyViolation",
        "IncorrectModificationState",  # a volume that is being changed
        "InvalidGroup.InUse",
        "InvalidIPAddress.InUse",
        "OperationAbortedException",
        "ResourceContention",
        "ResourceInUse",
        "ResourceInUseException",
        "ScalingActivityInProgress",
        "UpdateInProgressException",
        "VolumeInUse",
        "IncorrectState",
    }
)
CONFLICT = frozenset(
    {
        "AlreadyExists",
        "DuplicateListener",
        "DuplicateLoadBalancerName",
        "DuplicateTargetGroupName",
        "EntityAlreadyExists",
        "InvalidGroup.Duplicate",
        "InvalidLaunchTemplateName.AlreadyExistsException",
        "InvalidPermission.Duplicate",
        "InvalidSubnet.Conflict",
        "InvalidVpcState",
        "Resource.AlreadyAssociated",
        "ResourceAlreadyExistsException",
        "RouteAlreadyExists",
    }
)
NOT_FOUND = frozenset(
    {
        "ClusterNotFoundException",
        "LoadBalancerNotFound",
        "Gateway.NotAttached",  # detaching an internet gateway twice
        "AccessPointNotFound",  # classic ELB's historical word for a load balancer
        "InvalidResourceId",  # Systems Manager, for the tags of a parameter that is gone
        "NoSuchChange",
        "NoSuchEntity",
        "NoSuchHostedZone",
        "ParameterNotFound",
        "ServiceNotActiveException",
        "ServiceNotFoundException",
        "TargetGroupNotFound",
    }
)
NOT_FOUND_PATTERN = re.compile(r"(\.NotFound(Exception)?|NotFoundException|NotFound)$")
# services that have one code for everything say it in words only: Auto Scaling, ECS
NOT_FOUND_TEXT = {
    "ValidationError": re.compile(r"\bnot found\b", re.IGNORECASE),
    "ClientException": re.compile(r"unable to describe task definition", re.IGNORECASE),
}
# AWS is eventually consistent: these say that a role, profile, template, security group, subnet, listener or service
# made a moment ago is not known everywhere yet; or that an instance which a killed run has made does not run yet; or
# that a classic load balancer has not quite left the zone whose subnet it was detached from
SETTLING_TEXT = re.compile(
    r"invalid iam instance profile|unable to assume the (service linked )?role|role .* (is invalid|cannot be assumed)"
    r"|attempting to assume role"  # Auto Scaling's own, which AWS makes with the first group of an account
    r"|the specified launch template, .*does not exist|does not have an associated load balancer"
    r"|the (security group|subnet id) '[^']*' does not exist"  # Auto Scaling
    r"|ECS service doesn't exist"  # Application Auto Scaling, of a service that ECS made a moment ago
    r"|cannot be attached to multiple subnets in the same AZ"
    r"|the pending\S* instance .*is not in a valid state",
    re.IGNORECASE,
)
SETTLING_CODES = frozenset(
    {
        "ConcurrentModification",  # these four: an earlier change of the same thing is not complete
        "ConcurrentUpdateException",
        "OperationAbortedException",
        "ResourceContention",
        "InvalidSecurityGroup",  # Elastic Load Balancing: the group was made a moment ago
        "FailedResourceAccessException",  # Application Auto Scaling's own role was made a moment ago
    }
)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turns what botocore raises into our errors.

    Raises:
        SchedulersError: see ``translate``.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    try:
        yield
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        raise translate(error, doing) from error
    except AuthError as error:  # of a proxy
        error.doing = doing
        raise
    except ValueError as error:  # botocore: an address that is none, a body that is neither JSON nor XML
        raise SchedulersError(str(error), doing=doing) from error


def translate(error: Exception, doing: str) -> SchedulersError:
    """Our error for one of botocore's: family, AWS's own words, what to try. Pure."""
    response = getattr(error, "response", None)
    if isinstance(response, dict) and "Error" in response:
        return _from_answer(response, doing)
    return _from_library(error, doing)


def may_settle(error: SchedulersError) -> bool:
    """Whether an error can be the echo of a change that has not reached all of AWS yet."""
    return isinstance(error, NotFoundError) or error.code in SETTLING_CODES or bool(SETTLING_TEXT.search(error.message))


def known_region(session: Any, given: str | None, default: str = "") -> str:
    """The region to work in.

    Raises:
        InputError: none is named anywhere, or the name is not one that botocore knows.
    """
    region = given or os.environ.get("AWS_REGION") or session.region_name or default  # boto3 does not know AWS_REGION
    if not region:
        raise InputError(
            "no AWS region is given", hint="Set region, or AWS_REGION in the environment, or region in the profile."
        )
    known = _regions()
    if region not in known:
        close = difflib.get_close_matches(region, sorted(known), n=3)
        raise InputError(
            f"region: {region!r} is no AWS region that the installed botocore knows",
            hint=f"Did you mean {' or '.join(close)}?" if close else "eu-west-1 is one, for example.",
        )
    return str(region)


def _regions() -> frozenset[str]:
    """All regions that botocore has endpoints for. Its lists of regions by service lack those of the last years."""
    from botocore.loaders import create_loader  # noqa: PLC0415

    partitions = create_loader().load_data("partitions")["partitions"]
    names = {name for partition in partitions for name in partition["regions"]}
    return frozenset(name for name in names if not name.endswith("-global"))


def _from_answer(response: dict[str, Any], doing: str) -> SchedulersError:
    code = str(response["Error"].get("Code", ""))
    message = str(response["Error"].get("Message") or code)
    if message.startswith("<"):  # a page, of a proxy or a load balancer
        message = shortened(message)
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    text = f"{message} ({code})" if code and code not in message else message
    if code in THROTTLED or status == 429 or THROTTLED_TEXT.search(message):
        return ThrottledError(text, retry_after=_retry_after(response), code=code, doing=doing)
    skew = _skew(response) if code in REFUSED_CREDENTIALS | EXPIRED | SKEWED else 0.0
    if code in SKEWED or abs(skew) > SKEW_SECONDS:
        differs = (
            f" is {abs(skew) / 60:.0f} minutes {'ahead of' if skew > 0 else 'behind'} that of AWS"
            if skew
            else " is wrong"
        )
        return AuthError(f"the clock of this machine{differs}", hint="Set it, best by NTP.", code=code, doing=doing)
    if code in EXPIRED:
        return AuthError(
            "the AWS credentials have expired",
            hint="Get new ones; or is the clock of this machine wrong?",
            code=code,
            doing=doing,
        )
    if code in REFUSED_CREDENTIALS or (code == EC2_REFUSAL and EC2_UNKNOWN_CREDENTIALS.search(message)):
        return AuthError(
            "AWS does not accept the credentials",
            hint="Are key, secret and account right, is the region enabled for the account, and is the clock right?",
            code=code,
            doing=doing,
        )
    if code in DENIED:
        plain = f"{ENCODED.sub('', message)} ({code})" if NAMED_ACTION.search(message) else text
        grantable = code in UNGRANTED and not EXPLICIT_DENY.search(message)
        return AuthError(plain, hint=WHERE_LISTED if grantable else "", code=code, doing=doing)
    return _family(code, status, message)(text, code=code, doing=doing)


def _family(code: str, status: int, message: str) -> type[SchedulersError]:
    words = NOT_FOUND_TEXT.get(code)
    if code in NOT_FOUND or NOT_FOUND_PATTERN.search(code) or (words and words.search(message)):
        return NotFoundError
    if code in CONFLICT or code.endswith(("AlreadyExists", "AlreadyExistsException")):
        return ConflictError
    if code in BUSY:
        return BusyError
    return AnswerLostError if status >= 500 and status != 501 else SchedulersError


def _retry_after(response: dict[str, Any]) -> float | None:
    text = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("retry-after", "")
    try:
        return float(text)
    except ValueError:
        return None


def _skew(response: dict[str, Any]) -> float:
    """Seconds by which the clock of this machine is ahead of the one that the answer was dated by."""
    date = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        return time.time() - parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return 0.0


def _from_library(error: Exception, doing: str) -> SchedulersError:
    """Errors that botocore raises without an answer of AWS, by the names of their classes and bases."""
    names = {one.__name__ for one in type(error).__mro__}
    text = str(error)
    hint = next((what_helps for name, what_helps in WITHOUT_CREDENTIALS.items() if name in names), None)
    if hint is not None:
        if hint == GIVE_CREDENTIALS and _proxy_to(METADATA):
            hint += " For a role, no_proxy has to name 169.254.169.254."
        said = "no AWS credentials were found" if "NoCredentialsError" in names else text
        return AuthError(said, hint=hint, doing=doing)
    if names & {"EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError", "SSLError"}:
        failure = _not_reached(error)
        failure.doing = doing
        return failure
    if names & {"ReadTimeoutError", "ConnectionClosedError", "HTTPClientError", "ConnectionError"}:
        return AnswerLostError(f"{text}{_through(error)}", doing=doing)
    if "ResponseParserError" in names:
        first_line = text.split("\n", 1)[0].rstrip(":")  # the rest quotes the answer itself
        return AnswerLostError(f"the answer is not what AWS writes: {first_line}", hint=IN_BETWEEN, doing=doing)
    return SchedulersError(text, doing=doing)


def _not_reached(error: Exception) -> SchedulersError:
    """What went wrong before there was an answer: certificate, proxy or way."""
    from botocore.exceptions import ProxyConnectionError, SSLError  # noqa: PLC0415

    facts = getattr(error, "kwargs", {})
    where = urlsplit(facts.get("endpoint_url", "")).netloc or "AWS"
    certificate = untrusted(error)
    if certificate:
        usual = "Is the CA that it is signed by in ca_bundle, or in AWS_CA_BUNDLE?"
        return not_trusted(where, certificate, usual)
    bundle = next((one for one in causes(error) if isinstance(one, FileNotFoundError)), None)
    if bundle:
        hint = "Do AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE and ca_bundle of the profile name files that are there?"
        return SchedulersError("there is no such file of CA certificates", hint=hint)
    if was_sent(error) and isinstance(error, (ProxyConnectionError, SSLError)):
        return AnswerLostError(f"the connection to {where}{_through(error)} broke: {reason(error)}")
    return not_reached(where, reason(error), _proxy(error), "Are region, endpoint_url and proxy right?")


def _proxy(error: Exception) -> Proxy | None:
    """The proxy that botocore went through: it tells that, with the password masked, or what it was looking for."""
    facts = getattr(error, "kwargs", {})
    if facts.get("proxy_url"):
        return proxy_at(facts["proxy_url"], variable("https_proxy"))
    return _proxy_to(str(facts.get("endpoint_url") or ""))


def _proxy_to(url: str) -> Proxy | None:
    """None, too, if the environment names what is none: that is not what this error is about."""
    target = urlsplit(url)
    with suppress(InputError):
        return proxy_for(target) if target.hostname else None
    return None


def _through(error: Exception) -> str:
    proxy = _proxy(error)
    return f" (through the proxy {proxy})" if proxy else ""
