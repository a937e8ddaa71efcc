# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS's refusals, botocore's exceptions and broken answers, each in our words and family."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws import errors
from ansible_collections.container.schedulers.plugins.module_utils._aws.api import Aws, Connection
from ansible_collections.container.schedulers.plugins.module_utils._aws.run import Run
from ansible_collections.container.schedulers.plugins.module_utils._clock import Deadline
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    AnswerLostError,
    AuthError,
    BusyError,
    ConflictError,
    NotFoundError,
    SchedulersError,
    ThrottledError,
    UnreachableError,
)
from ansible_collections.container.schedulers.plugins.module_utils._ownership import APP, OWNER, PART, Mark
from ansible_collections.container.schedulers.plugins.module_utils._retry import RetryPolicy
from botocore import exceptions as library
from unit.certificates import certificate
from unit.clock import FakeClock
from unit.http_server import deaf_port

SECRET = "lab-not-a-secret-000001"


def refused(code: str, status: int = 400, message: str = "said AWS", retry_after: str = "") -> SchedulersError:
    answer: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {"retry-after": retry_after}},
    }
    return errors.translate(library.ClientError(answer, "Operation"), "do it")


@pytest.mark.parametrize(
    ("code", "status", "family"),
    [
        ("Throttling", 400, ThrottledError),
        ("ThrottlingException", 400, ThrottledError),
        ("RequestLimitExceeded", 503, ThrottledError),
        ("PriorRequestNotComplete", 400, ThrottledError),
        ("DependencyThrottle", 400, ThrottledError),
        ("TooManyUpdates", 400, ThrottledError),
        ("SlowDown", 503, ThrottledError),
        ("Whatever", 429, ThrottledError),
        ("ExpiredTokenException", 400, AuthError),
        ("InvalidClientTokenId", 403, AuthError),
        ("SignatureDoesNotMatch", 403, AuthError),
        ("AccessDenied", 403, AuthError),
        ("UnauthorizedOperation", 403, AuthError),
        ("OptInRequired", 403, AuthError),
        ("AuthFailure", 403, AuthError),
        ("InvalidVpcID.NotFound", 400, NotFoundError),
        ("InvalidLaunchTemplateId.NotFound", 400, NotFoundError),
        ("InvalidLaunchTemplateName.NotFoundException", 400, NotFoundError),
        ("ServiceNotFoundException", 400, NotFoundError),
        ("ServiceNotActiveException", 400, NotFoundError),
        ("ClusterNotFoundException", 400, NotFoundError),
        ("TargetGroupNotFound", 400, NotFoundError),
        ("LoadBalancerNotFound", 400, NotFoundError),
        ("NoSuchEntity", 404, NotFoundError),
        ("NoSuchHostedZone", 404, NotFoundError),
        ("ResourceNotFoundException", 400, NotFoundError),
        ("EntityAlreadyExists", 409, ConflictError),
        ("ResourceAlreadyExistsException", 400, ConflictError),
        ("InvalidLaunchTemplateName.AlreadyExistsException", 400, ConflictError),
        ("ConflictingDomainExists", 400, SchedulersError),
        ("DependencyViolation", 400, BusyError),
        ("ResourceInUse", 400, BusyError),
        ("ScalingActivityInProgress", 400, BusyError),
        ("DeleteConflict", 409, BusyError),
        ("InternalError", 500, AnswerLostError),
        ("Unavailable", 503, AnswerLostError),
        ("NotImplemented", 501, SchedulersError),
        ("OperationNotPermitted", 400, SchedulersError),  # deletion protection: it does not go away by waiting
        ("InvalidParameterValue", 400, SchedulersError),
    ],
)
def test_families(code: str, status: int, family: type[SchedulersError]) -> None:
    error = refused(code, status)
    assert error.__class__ is family
    assert (error.code, error.doing) == (code, "do it")


@pytest.mark.parametrize(
    ("code", "message", "found"),
    [
        ("ValidationError", "AutoScalingGroup name not found - AutoScalingGroup 'x' not found", False),
        ("ValidationError", "1 validation error detected", True),
        ("ClientException", "Unable to describe task definition.", False),
        ("ClientException", "Too many containers", True),
    ],
)
def test_not_found_in_words_only(code: str, message: str, found: bool) -> None:
    assert isinstance(refused(code, message=message), NotFoundError) is not found


def test_revisions_that_are_registered_at_the_same_time_are_throttled() -> None:
    message = "Too many concurrent attempts to create a new revision of the specified family."
    assert isinstance(refused("ClientException", message=message), ThrottledError)


def test_aws_own_words_and_code_are_told() -> None:
    assert str(refused("VpcLimitExceeded", message="Too many.")) == "Could not do it: Too many. (VpcLimitExceeded)."
    assert str(refused("Oops", message="")) == "Could not do it: Oops."


@pytest.mark.parametrize("code", [*errors.EXPIRED, *errors.REFUSED_CREDENTIALS])
def test_a_refusal_of_credentials_never_repeats_what_aws_says_of_them(code: str) -> None:
    error = refused(code, message=f"key {SECRET} is wrong")
    assert "credentials" in str(error)
    assert SECRET not in str(error)


def test_a_denial_names_the_action_and_leaves_out_what_only_some_may_decode() -> None:
    named = (
        "You are not authorized to perform this operation. User: u is not authorized to perform: ec2:CreateVpc because"
    )
    told = str(
        refused("UnauthorizedOperation", 403, f"{named} x. Encoded authorization failure message: {'x_y-' * 99}")
    )
    assert told == (
        f"Could not do it: {named} x (UnauthorizedOperation). The notes of the module say which permissions are needed."
    )
    unnamed = "You are not authorized to perform this operation. Encoded authorization failure message: xyz"
    assert "failure message: xyz (UnauthorizedOperation)" in str(refused("UnauthorizedOperation", 403, unnamed))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "AccessDenied",
            "u is not authorized to perform: iam:GetRole with an explicit deny in a service control policy",
        ),
        ("AuthFailure", "Not authorized for images: [ami-1]"),
        ("OptInRequired", "You are not subscribed to this service."),
    ],
)
def test_what_no_permission_of_ours_mends_has_no_hint_at_permissions(code: str, message: str) -> None:
    assert refused(code, 403, message).hint == ""


def test_ec2_has_one_code_for_unknown_credentials_and_for_what_belongs_to_others() -> None:
    unknown = str(refused("AuthFailure", 401, "AWS was not able to validate the provided access credentials"))
    assert "AWS does not accept the credentials" in unknown
    assert "is the region enabled for the account" in unknown
    foreign = "Not authorized for images: [ami-1]"
    assert foreign in str(refused("AuthFailure", 403, foreign))


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("0.5", 0.5), ("soon", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)]
)
def test_retry_after(header: str, seconds: float | None) -> None:
    error = refused("Throttling", retry_after=header)
    assert isinstance(error, ThrottledError)
    assert error.retry_after == seconds


def test_an_answer_with_hardly_anything_in_it() -> None:
    empty: Any = {"Error": {}}
    assert str(errors.translate(library.ClientError(empty, "X"), "do it")).startswith("Could not do it")


class CauseError(Exception):
    pass


@pytest.mark.parametrize(
    ("raised", "family", "text"),
    [
        (library.NoCredentialsError(), AuthError, "no AWS credentials were found. Set AWS_ACCESS_KEY_ID"),
        (library.PartialCredentialsError(provider="env", cred_var="x"), AuthError, "Partial credentials"),
        (library.ProfileNotFound(profile="web"), AuthError, "web"),
        (library.ConfigParseError(path="/x"), AuthError, "/x"),
        (library.UnauthorizedSSOTokenError(), AuthError, "run aws sso login with the corresponding profile."),
        (library.SSOTokenLoadError(error_msg="none"), AuthError, "none."),
        (library.TokenRetrievalError(provider="sso", error_msg="expired"), AuthError, "expired. Log in again with aws"),
        (library.CredentialRetrievalError(provider="process", error_msg="gone"), AuthError, "from process: gone."),
        (library.EndpointConnectionError(endpoint_url="http://x"), UnreachableError, "http://x"),
        (library.ConnectTimeoutError(endpoint_url="http://x"), UnreachableError, "http://x"),
        # urllib3 1.26 says so of a connection through a proxy, too, that breaks after the request
        (
            library.ProxyConnectionError(proxy_url="http://p", error=ConnectionResetError()),
            AnswerLostError,
            "proxy p:80",
        ),
        (library.SSLError(endpoint_url="http://x", error=CauseError("bad")), AnswerLostError, "bad"),
        (library.ReadTimeoutError(endpoint_url="http://x"), AnswerLostError, "http://x"),
        (library.ConnectionClosedError(endpoint_url="http://x"), AnswerLostError, "http://x"),
        (library.HTTPClientError(error=CauseError("cut")), AnswerLostError, "cut"),
        (library.ParamValidationError(report="VpcId"), SchedulersError, "VpcId"),
        (library.NoRegionError(), SchedulersError, "region"),
    ],
)
def test_what_botocore_raises_by_itself(raised: Exception, family: type[SchedulersError], text: str) -> None:
    with pytest.raises(SchedulersError, match=text) as failed, errors.translated("do it"):
        raise raised
    assert failed.value.__class__ is family
    assert failed.value.__cause__ is raised


def test_a_create_after_a_request_that_was_never_sent_is_judged_by_itself() -> None:
    def after(first: Exception) -> None:
        try:
            raise first
        except ConnectionRefusedError:
            raise library.SSLError(endpoint_url="http://x", error=CauseError("bad"))  # noqa: B904

    with pytest.raises(AnswerLostError), errors.translated("do it"):
        after(ConnectionRefusedError())


def test_a_value_that_no_api_takes() -> None:
    with pytest.raises(SchedulersError, match="Could not do it: Invalid endpoint"), errors.translated("do it"):
        raise ValueError("Invalid endpoint: x")


def test_our_own_errors_and_defects_pass_unchanged() -> None:
    for error in (NotFoundError("x"), KeyError("x")):
        with pytest.raises(type(error)) as failed, errors.translated("do it"):
            raise error
        assert failed.value is error


TEMPLATE = "You must use a valid fully-formed launch template."


@pytest.mark.parametrize(
    ("error", "settles"),
    [
        (NotFoundError("x"), True),
        (SchedulersError("Value (web) for parameter is invalid. Invalid IAM Instance Profile name"), True),
        (SchedulersError("ECS was unable to assume the role 'x' that was provided"), True),
        (SchedulersError("Unable to assume the service linked role"), True),
        (SchedulersError(f"{TEMPLATE} The specified launch template, with template ID lt-1, does not exist."), True),
        (SchedulersError(f"{TEMPLATE} The key pair 'mine' does not exist"), False),
        (SchedulersError("The target group with targetGroupArn x does not have an associated load balancer."), True),
        (SchedulersError("User x is not authorized to perform: y", code="FailedResourceAccessException"), True),
        (SchedulersError("ECS service doesn't exist: service/one/web", code="ValidationException"), True),
        (SchedulersError("Minimum capacity must be given", code="ValidationException"), False),
        (SchedulersError("ELB cannot be attached to multiple subnets in the same AZ."), True),
        (SchedulersError("One or more security groups are invalid", code="InvalidSecurityGroup"), True),
        (SchedulersError(f"{TEMPLATE} The security group 'sg-1' does not exist", code="ValidationError"), True),
        (SchedulersError("The subnet ID 'subnet-1' does not exist", code="ValidationError"), True),
        (SchedulersError(f"{TEMPLATE} The image id '[ami-1]' does not exist", code="ValidationError"), False),
        (BusyError("a pending update", code="ResourceContention"), True),
        (BusyError("submitted simultaneously", code="ConcurrentModification"), True),
        (BusyError("a pending update", code="ConcurrentUpdateException"), True),
        (BusyError("Please try again.", code="OperationAbortedException"), True),
        (BusyError("in use", code="DependencyViolation"), False),
        (SchedulersError("Invalid security group"), False),
        (AuthError("denied"), False),
        (SchedulersError("The pending instance 'i-1' is not in a valid state for this operation"), True),
        (SchedulersError("The terminated instance 'i-1' is not in a valid state for this operation"), False),
    ],
)  # fmt: skip
def test_may_settle(error: SchedulersError, settles: bool) -> None:
    assert errors.may_settle(error) is settles


# over the wire


@contextmanager
def server(answer: Callable[[socket.socket], object], tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that gives every connection the same treatment."""
    listener = socket.create_server(("127.0.0.1", 0))
    if tls:
        listener = tls.wrap_socket(listener, server_side=True)

    def serve() -> None:
        while True:
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                answer(connection)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def http(status: str, body: str) -> Callable[[socket.socket], object]:
    text = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
    return lambda connection: connection.sendall(text.encode())


LISTS = {"ecs": "ListClusters", "ec2": "DescribeVpcs", "route53": "ListHostedZones"}


def ask(endpoint: str, service: str = "ecs", patience: float = 60) -> SchedulersError:
    connection = Connection(
        region="eu-west-1", access_key="LAB", secret_key=SECRET, endpoint_url=endpoint, request_timeout=patience
    )
    aws = Aws(connection, RetryPolicy(clock=FakeClock(), attempts=2))
    with pytest.raises(SchedulersError) as failed:
        aws.call(service, {**LISTS, "iam": "ListRoles"}[service], doing="ask")
    assert SECRET not in str(failed.value)
    return failed.value


def test_nobody_listens() -> None:
    with deaf_port() as port:
        error = ask(f"http://127.0.0.1:{port}")
    assert isinstance(error, UnreachableError)
    assert "Are region, endpoint_url and proxy right?" in str(error)


def test_an_address_that_is_none() -> None:
    assert "Invalid endpoint" in str(ask("nonsense"))


@pytest.mark.parametrize("service", LISTS)
@pytest.mark.parametrize("status", ["200 OK", "500 Oops", "503 Busy", "502 Bad Gateway"])
def test_an_answer_that_aws_never_gives(service: str, status: str) -> None:
    with server(http(status, "<html><p>It works!")) as endpoint:
        error = ask(endpoint, service)
    assert isinstance(error, AnswerLostError), repr(error)
    assert "Traceback" not in str(error)


XHTML = '<?xml version="1.0"?>\n<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml"><body>Log in</body></html>'


@pytest.mark.parametrize(
    ("status", "service"),
    [
        *(("200 OK", service) for service in ("ec2", "iam", "route53")),
        ("302 Found", "ec2"),
        ("403 Forbidden", "ecs"),
        ("502 Bad Gateway", "ec2"),
    ],
)
def test_a_web_page_that_is_xml_is_no_empty_list(service: str, status: str) -> None:
    with server(http(status, XHTML)) as endpoint:
        error = ask(endpoint, service)
    assert isinstance(error, AnswerLostError), repr(error)
    assert f"the answer is a web page (HTTP {status[:3]}). Is endpoint_url right, and does no proxy" in str(error)


@pytest.mark.parametrize("service", LISTS)
def test_a_page_that_is_not_there_is_no_missing_resource(service: str) -> None:
    with server(http("404 Not Found", "<html><p>nothing here")) as endpoint:
        assert not isinstance(ask(endpoint, service), NotFoundError)


@pytest.mark.parametrize(
    "treatment",
    [
        lambda connection: connection.close(),
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le"),
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"),
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"),
        lambda connection: connection.sendall(b"garbage\r\n\r\n"),
    ],
)
@pytest.mark.parametrize("service", LISTS)
def test_a_connection_that_is_cut_is_no_empty_list(service: str, treatment: Callable[[socket.socket], object]) -> None:
    with server(treatment) as endpoint:
        assert isinstance(ask(endpoint, service), AnswerLostError)


@pytest.mark.parametrize(("status", "body"), [("200 OK", ""), ("200 OK", "{}"), ("204 No Content", "")])
def test_an_answer_with_nothing_in_it_is_one_when_it_says_so(status: str, body: str) -> None:
    with server(http(status, body)) as endpoint:
        aws = Aws(Connection(region="eu-west-1", access_key="LAB", secret_key=SECRET, endpoint_url=endpoint))
        assert "clusterArns" not in aws.call("ecs", "ListClusters", doing="ask")


def test_an_answer_that_takes_too_long() -> None:
    done = threading.Event()
    with server(lambda _connection: bool(done.wait(60))) as endpoint:
        error = ask(endpoint, patience=1)
        done.set()
    assert isinstance(error, AnswerLostError)
    assert "timeout" in str(error).lower()


def test_a_create_is_not_repeated_where_tls_breaks_after_the_request(tmp_path: Path) -> None:
    authority = certificate("the company")
    (tmp_path / "ca.pem").write_text(authority[0])
    (tmp_path / "pair.pem").write_text("".join(certificate("127.0.0.1", authority)))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "pair.pem")
    seen: list[int] = []

    def gateway(connection: socket.socket) -> None:
        seen.append(connection.fileno())
        while b"CidrBlock" not in connection.recv(65536):  # a request that is not read is answered by a reset
            pass
        os.write(connection.fileno(), b"HTTP/1.1 502 Bad gateway\r\n\r\n")  # beside TLS

    with server(gateway, tls) as endpoint:
        where = Connection("eu-west-1", None, "LAB", SECRET, None, endpoint, str(tmp_path / "ca.pem"))
        with pytest.raises(AnswerLostError, match="wrong version number"):
            Aws(where, RetryPolicy(clock=FakeClock())).call("ec2", "CreateVpc", {"CidrBlock": "x"}, doing="make it")
    assert len(seen) == 1


def test_certificates_that_are_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with server(lambda _connection: None) as endpoint:
        error = ask(endpoint.replace("http", "https"))
    assert "there is no such file of CA certificates. Do AWS_CA_BUNDLE" in str(error)


# clocks


@pytest.mark.parametrize(
    ("code", "behind", "says"),
    [
        ("SignatureDoesNotMatch", 720, "the clock of this machine is 12 minutes behind that of AWS"),
        ("InvalidSignatureException", -720, "the clock of this machine is 12 minutes ahead of that of AWS"),
        ("RequestExpired", 720, "the clock of this machine is 12 minutes behind that of AWS"),
        ("RequestTimeTooSkewed", 720, "the clock of this machine is 12 minutes behind that of AWS"),
        ("RequestInTheFuture", None, "the clock of this machine is wrong"),
        ("SignatureDoesNotMatch", 60, "AWS does not accept the credentials"),
        ("SignatureDoesNotMatch", None, "AWS does not accept the credentials"),
        ("ExpiredToken", 0, "the AWS credentials have expired"),
    ],
)
def test_a_clock_that_is_wrong(code: str, behind: int | None, says: str) -> None:
    date = "" if behind is None else formatdate(time.time() + behind, usegmt=True)
    answer: Any = {"Error": {"Code": code, "Message": "x"}, "ResponseMetadata": {"HTTPHeaders": {"date": date}}}
    error = errors.translate(library.ClientError(answer, "Operation"), "do it")
    assert isinstance(error, AuthError)
    assert says in str(error)


# what handlers are given


def test_tags_for_a_new_resource() -> None:
    run = Run(None, Mark("ecs/web", "shop"), Deadline(FakeClock(), 1), tags={"Name": "mine", OWNER: "x"})  # type: ignore[arg-type]  # AWS is not asked
    assert run.tags_for("service") == {"Name": "mine", OWNER: "ecs/web", PART: "service", APP: "shop"}
    bare = Run(None, Mark("ecs/web"), Deadline(FakeClock(), 1))  # type: ignore[arg-type]  # AWS is not asked
    assert bare.tags_for("vpc", "ecs-web-vpc") == {"Name": "ecs-web-vpc", OWNER: "ecs/web", PART: "vpc"}
    assert bare.tags_for("vpc") == {OWNER: "ecs/web", PART: "vpc"}
