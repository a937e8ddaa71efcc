# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls to AWS: which are repeated, how lists end, what deleting means, and what a real client is made with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws import answers, api
from ansible_collections.container.schedulers.plugins.module_utils._aws.api import (
    Aws,
    Connection,
    effect_of,
    from_tags,
    next_page,
    tag_filter,
    tag_specifications,
    to_tags,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.options import LIBRARIES
from ansible_collections.container.schedulers.plugins.module_utils._clock import Deadline
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    AnswerLostError,
    AuthError,
    InputError,
    NotFoundError,
    SchedulersError,
    ThrottledError,
    WaitTimeoutError,
)
from ansible_collections.container.schedulers.plugins.module_utils._retry import Effect, RetryPolicy
from botocore.exceptions import ClientError, ReadTimeoutError
from unit.clock import FakeClock

ROOT = Path(__file__).resolve().parents[5]
CONNECTION = Connection(region="eu-west-1", access_key="LABKEY", secret_key="lab-not-a-secret-000001")


class Client:
    """Answers every method from one list; errors in it are raised."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            self.calls.append((method, request))
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def refusal(code: str, status: int = 400, message: str = "no") -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Operation")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def aws(clock: FakeClock) -> Aws:
    return Aws(CONNECTION, RetryPolicy(clock=clock, random=lambda: 1.0))


def scripted(monkeypatch: pytest.MonkeyPatch, *outcomes: Any) -> Client:
    client = Client(*outcomes)
    monkeypatch.setattr(Aws, "_client", lambda _aws, _service: client)
    return client


@pytest.mark.parametrize(
    ("operation", "request_", "effect"),
    [
        ("DescribeVpcs", {}, Effect.READ),
        ("GetRole", {}, Effect.READ),
        ("ListTasks", {}, Effect.READ),
        ("CreateVpc", {}, Effect.CREATE),
        ("RegisterTaskDefinition", {}, Effect.CREATE),
        ("RunInstances", {}, Effect.CREATE),
        ("AllocateAddress", {}, Effect.CREATE),
        ("RunInstances", {"ClientToken": "x"}, Effect.IDEMPOTENT),
        ("CreateService", {"clientToken": "x"}, Effect.IDEMPOTENT),
        ("CreateHostedZone", {"CallerReference": "x"}, Effect.IDEMPOTENT),
        ("CreateTags", {}, Effect.IDEMPOTENT),
        ("CreateOrUpdateTags", {}, Effect.IDEMPOTENT),
        ("CreateRoute", {}, Effect.IDEMPOTENT),
        ("CreateRouteTable", {}, Effect.CREATE),
        ("CreateLoadBalancerListeners", {}, Effect.IDEMPOTENT),
        ("CreateLoadBalancer", {}, Effect.CREATE),
        ("RegisterScalableTarget", {}, Effect.IDEMPOTENT),
        ("DeleteVpc", {}, Effect.IDEMPOTENT),
        ("UpdateService", {}, Effect.IDEMPOTENT),
        ("AttachRolePolicy", {}, Effect.IDEMPOTENT),
    ],
)
def test_effect(operation: str, request_: dict[str, Any], effect: Effect) -> None:
    assert effect_of(operation, request_) is effect


@pytest.mark.parametrize(
    ("request_", "answer", "following"),
    [
        ({}, {}, None),
        ({"a": 1}, {"NextToken": "x"}, {"a": 1, "NextToken": "x"}),
        ({}, {"nextToken": "x"}, {"nextToken": "x"}),
        ({}, {"NextMarker": "x"}, {"Marker": "x"}),
        ({}, {"Marker": "x", "IsTruncated": True}, {"Marker": "x"}),
        ({}, {"PaginationToken": "x"}, {"PaginationToken": "x"}),
        ({"NextToken": "x"}, {"NextToken": ""}, None),
        ({"NextToken": "x"}, {"NextToken": None}, None),
        # Route 53 repeats the request's Marker, on the last page too
        ({"Marker": "x"}, {"Marker": "x", "IsTruncated": True, "NextMarker": "y"}, {"Marker": "y"}),
        ({"Marker": "x"}, {"Marker": "x", "IsTruncated": False}, None),
    ],
)
def test_next_page(request_: Mapping[str, Any], answer: Mapping[str, Any], following: Mapping[str, Any] | None) -> None:
    assert next_page(request_, answer) == following


def test_a_list_that_never_ends_is_an_error() -> None:
    with pytest.raises(SchedulersError, match="names page 'x' as the one that follows it"):
        next_page({"NextToken": "x"}, {"NextToken": "x"})


def test_pages_are_read_to_the_last_one(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    client = scripted(monkeypatch, {"Vpcs": [1], "NextToken": "t"}, {"NextToken": "u"}, {"Vpcs": [2, 3]})
    assert aws.pages("ec2", "DescribeVpcs", "Vpcs", {"Filters": []}, doing="list") == [1, 2, 3]
    assert [request for _method, request in client.calls] == [
        {"Filters": []},
        {"Filters": [], "NextToken": "t"},
        {"Filters": [], "NextToken": "u"},
    ]


def test_a_page_that_fails_fails_the_list(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, {"Vpcs": [1], "NextToken": "t"}, refusal("AccessDenied"))
    with pytest.raises(AuthError):
        aws.pages("ec2", "DescribeVpcs", "Vpcs", doing="list")


def test_throttling_is_waited_out(aws: Aws, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    client = scripted(monkeypatch, refusal("RequestLimitExceeded", 503), refusal("Throttling"), {"VpcId": "vpc-1"})
    assert aws.call("ec2", "CreateVpc", {"CidrBlock": "x"}, doing="create vpc")["VpcId"] == "vpc-1"
    assert [method for method, _request in client.calls] == ["create_vpc"] * 3
    assert len(clock.slept) == 2


@pytest.mark.parametrize("lost", [refusal("InternalError", 500), ReadTimeoutError(endpoint_url="http://x")])
def test_a_lost_answer_repeats_only_what_may_be_repeated(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, lost: Exception
) -> None:
    client = scripted(monkeypatch, lost, {"x": 1})
    assert aws.call("ec2", "DescribeVpcs", doing="list") == {"x": 1}
    client = scripted(monkeypatch, lost, {"x": 1})
    assert aws.call("ec2", "RunInstances", {"ClientToken": "t"}, doing="run") == {"x": 1}
    client = scripted(monkeypatch, lost, {"x": 1})
    with pytest.raises(AnswerLostError):
        aws.call("ec2", "CreateVpc", doing="create")
    assert len(client.calls) == 1


def test_the_error_says_what_was_being_done(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, refusal("VpcLimitExceeded", message="The maximum number of VPCs has been reached."))
    with pytest.raises(SchedulersError) as failed:
        aws.call("ec2", "CreateVpc", doing="create the VPC of cluster web")
    assert str(failed.value) == (
        "Could not create the VPC of cluster web: The maximum number of VPCs has been reached. (VpcLimitExceeded)."
    )


def test_what_was_made_a_moment_ago_may_not_be_known_yet(
    aws: Aws, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = refusal("InvalidParameterValue", message="Invalid IAM Instance Profile name")
    client = scripted(monkeypatch, refusal("InvalidVpcID.NotFound"), profile, {"ok": 1})
    assert aws.call("ec2", "CreateSubnet", {"VpcId": "vpc-1"}, doing="create", settles=True) == {"ok": 1}
    assert len(client.calls) == 3
    assert clock.slept == [0.5, 0.75]


def test_settling_ends_after_a_minute(aws: Aws, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, *[refusal("InvalidVpcID.NotFound")] * 100)
    with pytest.raises(NotFoundError):
        aws.call("ec2", "DescribeVpcs", doing="look", settles=True)
    assert 60 < clock.now() - 1000 < 70


def test_other_errors_do_not_settle(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    client = scripted(monkeypatch, refusal("AccessDenied"))
    with pytest.raises(AuthError):
        aws.call("ec2", "DescribeVpcs", doing="look", settles=True)
    assert len(client.calls) == 1


def test_deleting_what_is_gone_is_done(aws: Aws, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, refusal("InvalidVpcID.NotFound"), {})
    for _twice in range(2):
        aws.delete("ec2", "DeleteVpc", {"VpcId": "x"}, doing="delete", deadline=Deadline(clock, 60))
    assert clock.slept == []


def test_deleting_what_is_in_use_is_tried_again(aws: Aws, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    client = scripted(monkeypatch, refusal("DependencyViolation"), refusal("DependencyViolation"), {})
    aws.delete("ec2", "DeleteVpc", {"VpcId": "x"}, doing="delete", deadline=Deadline(clock, 60))
    assert len(client.calls) == 3


def test_deleting_gives_up_and_says_what_is_in_the_way(
    aws: Aws, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = refusal("DependencyViolation", message="The vpc 'vpc-1' has dependencies")
    scripted(monkeypatch, *[busy] * 20)
    with pytest.raises(WaitTimeoutError, match=r"delete vpc web: .* The vpc 'vpc-1' has dependencies.* Remove what"):
        aws.delete("ec2", "DeleteVpc", {"VpcId": "x"}, doing="delete vpc web", deadline=Deadline(clock, 5))


def test_deleting_lets_other_errors_through(aws: Aws, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, refusal("UnauthorizedOperation", 403))
    with pytest.raises(AuthError):
        aws.delete("ec2", "DeleteVpc", {"VpcId": "x"}, doing="delete", deadline=Deadline(clock, 5))


def test_one_client_a_service_however_many_threads(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def make(_session: Any, service: str, *_rest: Any) -> Client:
        made.append(service)
        threading.Event().wait(0.01)
        return Client({}, {}, {}, {})

    monkeypatch.setattr(api, "_client", make)
    threads = [
        threading.Thread(target=aws.call, args=(service, "DescribeX"), kwargs={"doing": "x"})
        for service in ("ec2", "ecs", "ec2", "ecs", "ec2")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == ["ec2", "ecs"]


# a real client


def test_the_client_does_not_repeat_by_itself_and_says_who_calls() -> None:
    aws = Aws(Connection(**{**vars(CONNECTION), "endpoint_url": "http://127.0.0.1:9", "request_timeout": 5}))
    client = aws._client("ec2")
    assert client.meta.config.retries == {"total_max_attempts": 1, "mode": "standard"}
    assert client.meta.config.user_agent_extra == "container.schedulers"
    assert (client.meta.config.connect_timeout, client.meta.config.read_timeout) == (5, 5)
    assert client.meta.endpoint_url == "http://127.0.0.1:9"
    assert aws._client("ec2") is client


@pytest.mark.parametrize(
    ("options", "verify"),
    [({}, None), ({"validate_certs": False}, False), ({"ca_bundle": "/ca.pem"}, "/ca.pem")],
)
def test_tls_is_verified_unless_told(options: dict[str, Any], verify: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    class Session:
        def client(self, service: str, **options: Any) -> None:
            given.update(options)

    monkeypatch.setattr(answers, "watch", lambda _client: None)
    api._client(Session(), "ec2", "eu-west-1", Connection(**options))
    assert given["verify"] == verify


def test_connection_from_options_hides_its_secrets() -> None:
    options = {**dict.fromkeys(Connection.__dataclass_fields__), "request_timeout": 60}
    params = {**options, "secret_key": "lab-not-a-secret-000001", "session_token": "lab-not-a-secret-000002", "name": 1}
    assert "lab-not-a-secret" not in repr(Connection.from_params(params))


@pytest.mark.parametrize(
    ("given", "environment", "region"),
    [
        ("us-east-2", {"AWS_REGION": "eu-central-1"}, "us-east-2"),
        (None, {"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-west-3"}, "eu-central-1"),
        (None, {"AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-3"),
        ("us-gov-west-1", {}, "us-gov-west-1"),
    ],
)
def test_region(given: str | None, environment: dict[str, str], region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Aws(Connection(region=given)).region == region


def test_every_region_that_botocore_has_endpoints_for_can_be() -> None:
    partitions = botocore.session.get_session().get_data("partitions")["partitions"]
    names = {name for partition in partitions for name in partition["regions"]}
    assert len(names) > 40
    for name in names:
        if not name.endswith("-global"):
            assert Aws(Connection(region=name)).region == name
    with pytest.raises(InputError):
        Aws(Connection(region="aws-global"))


def test_no_region_and_a_wrong_one_are_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(InputError, match="no AWS region is given"):
        Aws(Connection())
    with pytest.raises(InputError, match=r"'eu-west-9' is no AWS region .* Did you mean eu-west-"):
        Aws(Connection(region="eu-west-9"))
    with pytest.raises(InputError, match="eu-west-1 is one, for example"):
        Aws(Connection(region="?"))


def test_a_session_token_goes_with_its_keys() -> None:
    with pytest.raises(InputError, match="session_token: access_key and secret_key have to be given with it"):
        Aws(Connection(region="eu-west-1", session_token="lab-not-a-secret-000002"))


def test_an_unknown_profile_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    with pytest.raises(AuthError, match="absent"):
        Aws(Connection(region="eu-west-1", profile="absent"))


def test_tags() -> None:
    assert to_tags({"a": "1"}) == [{"Key": "a", "Value": "1"}]
    assert from_tags([{"Key": "a", "Value": "1"}, {"key": "b", "value": "2"}, {"Key": "c"}]) == {
        "a": "1",
        "b": "2",
        "c": "",
    }
    assert from_tags([{"Key": "aws:autoscaling:groupName", "Value": "x"}]) == {}
    assert from_tags(None) == {}
    assert tag_filter({"a": "1"}) == [{"Name": "tag:a", "Values": ["1"]}]
    assert tag_specifications("vpc", {"a": "1"}) == [{"ResourceType": "vpc", "Tags": [{"Key": "a", "Value": "1"}]}]


def test_an_exhausted_policy_gives_the_last_error(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, *[refusal("Throttling", message="Rate exceeded")] * 30)
    with pytest.raises(ThrottledError, match="Rate exceeded"):
        aws.call("ec2", "DescribeVpcs", doing="list")


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("README.md", "| boto3, botocore (AWS) | {} and newer |"),
        ("meta/ee-requirements.txt", "boto3>={}\n"),
        ("plugins/doc_fragments/aws.py", "- boto3 >= {}\n"),
        ("tests/integration/requirements.txt", "boto3>={}\n"),
    ],
)
def test_the_least_boto3_is_the_same_wherever_it_is_told(page: str, words: str) -> None:
    least = {one.name: one.version for one in LIBRARIES}
    assert least["boto3"] == least["botocore"]
    assert words.format(least["boto3"]) in (ROOT / page).read_text()
