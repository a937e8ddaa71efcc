# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults do exactly the harm they name, the journal counts what a caller sees, the control API answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from lab.aws.patching import AwsError
from lab.faults import KINDS, Faults, Rule, RuleError
from lab.messages import Call, Request
from unit.waiting import eventually

VPC = {"CidrBlock": "10.0.0.0/16"}


def vpcs(lab: Any) -> int:
    """How many were made, asked of the lab itself."""
    return int(lab.control("GET", "/inventory")["by_kind"].get("vpc", 0))


def a_call(service: str = "ec2", action: str = "CreateVpc") -> Call:
    headers = {"user-agent": "Boto3/1.44 collection"}
    return Call(service, action, "us-east-1", "ec2", {}, 1, Request("POST", "/", "", headers, b""))


@pytest.mark.parametrize(
    ("rule", "hits"),
    [
        (Rule("throttle"), [1]),
        (Rule("throttle", skip=2, times=2), [3, 4]),
        (Rule("throttle", times=0), [1, 2, 3, 4, 5]),
        (Rule("throttle", call=3), [3]),
        (Rule("throttle", action="Describe.*"), []),
        (Rule("throttle", agent="collection", skip=1), [2]),
        (Rule("throttle", agent="kubernetes", times=0), []),
        (Rule("throttle", service="ec", action="CreateVpc"), []),
    ],
)
def test_which_calls_a_rule_hits(rule: Rule, hits: list[int]) -> None:
    faults = Faults()
    faults.replace([rule])
    assert [number for number in range(1, 6) if faults.match(a_call(), number)] == hits


@pytest.mark.parametrize(
    "document",
    [
        {},
        "throttle",
        {"kind": "explode"},
        {"kind": "throttle", "acton": "x"},
        {"kind": "throttle", "action": "("},
        {"kind": "throttle", "call": "3"},
        {"kind": "delay", "seconds": -1},
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(lab: Any, document: object) -> None:
    with pytest.raises(RuleError):
        Rule.parse(document)
    assert lab.control("POST", "/faults", [document])["status"] == 400


@pytest.mark.parametrize(
    ("service", "call", "code", "status"),
    [
        ("ec2", "describe_vpcs", "RequestLimitExceeded", 503),
        ("ecs", "list_clusters", "ThrottlingException", 400),
        ("ssm", "describe_parameters", "ThrottlingException", 400),
        ("s3", "list_buckets", "SlowDown", 503),
        ("iam", "list_roles", "Throttling", 400),
        ("autoscaling", "describe_auto_scaling_groups", "Throttling", 400),
        ("route53", "list_hosted_zones", "Throttling", 400),
    ],
)
def test_throttling_in_each_service_s_own_words(lab: Any, service: str, call: str, code: str, status: int) -> None:
    lab.faults({"kind": "throttle", "service": service})
    with pytest.raises(ClientError) as caught:
        getattr(lab.client(service), call)()
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    getattr(lab.client(service), call)()


def test_error_of_any_kind(lab: Any, refused: Any) -> None:
    lab.faults({"kind": "error", "action": "DescribeVpcs", "status": 400, "code": "InvalidVpcID.NotFound"})
    refused("InvalidVpcID.NotFound", lab.client("ec2").describe_vpcs)


@pytest.mark.parametrize(
    ("service", "call", "denied", "expired"),
    [
        ("ec2", "describe_vpcs", ("UnauthorizedOperation", 403), ("RequestExpired", 400)),
        ("ecs", "list_clusters", ("AccessDeniedException", 400), ("ExpiredTokenException", 400)),
        ("iam", "list_roles", ("AccessDenied", 403), ("ExpiredToken", 403)),
        ("route53", "list_hosted_zones", ("AccessDenied", 403), ("ExpiredToken", 403)),
        ("resourcegroupstaggingapi", "get_resources", ("AccessDeniedException", 400), ("ExpiredTokenException", 400)),
    ],
)
def test_a_service_refuses_in_its_own_words(
    lab: Any, service: str, call: str, denied: tuple[str, int], expired: tuple[str, int]
) -> None:
    for kind, expected in (("deny", denied), ("expire", expired)):
        lab.faults({"kind": kind, "service": service})
        with pytest.raises(ClientError) as caught:
            getattr(lab.client(service), call)()
        answer = caught.value.response
        assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == expected
        lab.faults()


def test_a_refusal_names_the_action_and_ec2_encodes_the_reasons_of_a_change(lab: Any) -> None:
    lab.faults({"kind": "deny", "times": 0})
    for call, told in (("describe_vpcs", False), ("create_vpc", True)):
        with pytest.raises(ClientError) as caught:
            getattr(lab.client("ec2"), call)(**(VPC if told else {}))
        message = caught.value.response["Error"]["Message"]
        assert f"is not authorized to perform: ec2:{'CreateVpc' if told else 'DescribeVpcs'} because" in message
        assert ("Encoded authorization failure message: " in message) is told
    with pytest.raises(ClientError, match="perform: tag:GetResources because"):
        lab.client("resourcegroupstaggingapi").get_resources()


def test_what_expires_has_expired_for_all_of_the_provider(lab: Any) -> None:
    faults = Faults()
    faults.replace([Rule("expire", action="CreateVpc", agent="collection", skip=1)])
    asked = [
        a_call(),
        a_call("iam", "ListRoles"),
        a_call(),
        a_call("iam", "ListRoles"),
        a_call("kubernetes", "ListPods"),
    ]
    assert [bool(faults.match(one, 0)) for one in asked] == [False, False, True, True, False]


def test_reset_before_does_nothing_and_reset_after_does_it_once(lab: Any) -> None:
    lab.faults({"kind": "reset_before", "action": "CreateVpc"})
    with pytest.raises(ConnectionClosedError):
        lab.client("ec2").create_vpc(**VPC)
    assert vpcs(lab) == 0
    lab.faults({"kind": "reset_after", "action": "CreateVpc"})
    with pytest.raises(ConnectionClosedError):
        lab.client("ec2").create_vpc(**VPC)
    assert vpcs(lab) == 1


def test_lost_answer_and_token_make_one_volume(lab: Any) -> None:
    """botocore sends the same token again."""
    lab.faults({"kind": "reset_after", "action": "CreateVolume"})
    lab.client("ec2", attempts=3).create_volume(Size=1, AvailabilityZone="us-east-1a")
    assert lab.control("GET", "/inventory")["by_kind"] == {"volume": 1}
    stats = lab.control("GET", "/stats")
    assert (stats["calls"], stats["retries"], stats["by_action"]) == (1, 1, {"ec2.CreateVolume": 1})


def test_delay_answers_after_the_client_gave_up(lab: Any) -> None:
    lab.faults({"kind": "delay", "action": "CreateVpc", "seconds": 20})
    with pytest.raises(ReadTimeoutError):
        lab.client("ec2", timeout=0.3).create_vpc(**VPC)
    eventually(lambda: vpcs(lab) == 1, "the work is not done", seconds=60)


def test_hang_does_nothing(lab: Any) -> None:
    lab.faults({"kind": "hang", "action": "CreateVpc"})
    with pytest.raises(ReadTimeoutError):
        lab.client("ec2", timeout=0.3).create_vpc(**VPC)
    wait_given_up(lab)
    assert vpcs(lab) == 0


def test_stale_list_is_the_former_answer(lab: Any) -> None:
    ec2 = lab.client("ec2")
    before = len(ec2.describe_vpcs()["Vpcs"])
    ec2.create_vpc(**VPC)
    lab.faults({"kind": "stale", "action": "DescribeVpcs"})
    assert [len(ec2.describe_vpcs()["Vpcs"]) for _unused in range(2)] == [before, before + 1]


class Background:
    """A call in a thread of its own."""

    def __init__(self, function: Callable[[], object]) -> None:
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(function,))
        self._thread.start()

    def _run(self, function: Callable[[], object]) -> None:
        try:
            function()
        except BaseException as error:
            self.error = error

    def join(self) -> BaseException | None:
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self.error


def wait_held(lab: Any) -> dict[str, Any]:
    return dict(eventually(lambda: lab.control("GET", "/faults")["held"], "no request is held", seconds=60)[0])


def wait_given_up(lab: Any) -> None:
    """On a busy machine the client may die before its request is held, or even read: it is over once that is noted."""

    def over() -> bool:
        entries = lab.control("GET", "/journal")["entries"]
        return bool(entries) and all(entry["ms"] for entry in entries)

    eventually(over, "a request is still worked on", seconds=60)


@pytest.mark.parametrize(("kind", "made"), [("pause_before", 0), ("pause_after", 1)])
def test_a_held_request_waits_for_its_release_and_blocks_nobody(lab: Any, kind: str, made: int) -> None:
    lab.faults({"kind": kind, "action": "CreateVpc"})
    call = Background(lambda: lab.client("ec2", timeout=60).create_vpc(**VPC))
    held = wait_held(lab)
    assert (held["service"], held["action"], held["point"]) == ("ec2", "CreateVpc", kind.removeprefix("pause_"))
    assert vpcs(lab) == made
    lab.client("ec2").describe_vpcs()
    assert lab.control("POST", "/faults/release") == {"released": 1}
    assert call.join() is None
    assert (vpcs(lab), lab.control("GET", "/faults")["held"]) == (1, [])


@pytest.mark.parametrize(("kind", "made"), [("pause_before", 0), ("pause_after", 1)])
def test_a_client_that_dies_while_held(lab: Any, kind: str, made: int) -> None:
    lab.faults({"kind": kind, "call": 1})
    lab.control("DELETE", "/journal")
    with pytest.raises(ReadTimeoutError):
        lab.client("ec2", timeout=0.3).create_vpc(**VPC)
    wait_given_up(lab)
    assert lab.control("POST", "/faults/release") == {"released": 0}
    assert vpcs(lab) == made


def test_reset_drops_held_requests(lab: Any) -> None:
    lab.faults({"kind": "pause_before", "action": "CreateVpc"})
    call = Background(lambda: lab.client("ec2", timeout=60).create_vpc(**VPC))
    wait_held(lab)
    lab.control("POST", "/reset")
    assert isinstance(call.join(), ConnectionClosedError)
    assert vpcs(lab) == 0


def test_bodies_in_chunks_and_after_a_100(lab: Any) -> None:
    s3 = lab.client("s3")
    s3.create_bucket(Bucket="b-1")
    s3.put_object(Bucket="b-1", Key="k", Body=b"x" * 100_000)
    assert s3.get_object(Bucket="b-1", Key="k")["Body"].read() == b"x" * 100_000
    host, port = lab.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(b"POST /_lab/clock HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b'8\r\n{"advanc\r\n6\r\ne": 1}\r\n0\r\n\r\n')
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


def test_a_cut_connection_is_a_reset(lab: Any) -> None:
    """Not an orderly end: clients treat the two differently."""
    lab.faults({"kind": "reset_before"})
    host, port = lab.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_one_connection_carries_many_requests(lab: Any) -> None:
    host, port = lab.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        for _unused in range(3):
            connection.sendall(b"GET /_lab HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")


def test_journal(lab: Any, refused: Any) -> None:
    lab.client("ec2").describe_vpcs()
    refused("InvalidVpcID.NotFound", lab.client("ec2").delete_vpc, VpcId="vpc-00000000000000000")
    lab.client("ecs").list_clusters()
    entries = lab.control("GET", "/journal")["entries"]
    assert [(e["number"], e["service"], e["action"], e["status"], e["error"], e["write"]) for e in entries] == [
        (1, "ec2", "DescribeVpcs", 200, "", False),
        (2, "ec2", "DeleteVpc", 400, "InvalidVpcID.NotFound", True),
        (3, "ecs", "ListClusters", 200, "", False),
    ]
    stats = lab.control("GET", "/stats?since=1&agent=Boto3")
    assert (stats["calls"], stats["writes"], stats["errors"], stats["last"]) == (2, 1, 1, 3)
    assert lab.control("GET", "/stats?agent=nobody")["requests"] == 0
    lab.control("DELETE", "/journal")
    assert lab.control("GET", "/stats")["requests"] == 0


def test_elb_and_elbv2_are_told_apart(lab: Any) -> None:
    lab.client("elb").describe_load_balancers()
    lab.client("elbv2").describe_load_balancers()
    lab.client("eks").list_clusters()
    lab.client("route53").list_hosted_zones()
    names = list(lab.control("GET", "/stats")["by_action"])
    services = ["eks.ListClusters", "elb.DescribeLoadBalancers", "elbv2.DescribeLoadBalancers"]
    assert names == [*services, "route53.ListHostedZones"]


def test_what_is_not_simulated_says_so_in_one_line(lab: Any, refused: Any) -> None:
    answer = refused("NotImplemented", lab.client("ec2").create_placement_group, GroupName="g")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert answer["Error"]["Message"].startswith("lab: ec2.CreatePlacementGroup is not simulated")


def test_a_bug_of_the_lab_is_an_answer_too(lab: Any, refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_unused: Call) -> None:
        raise KeyError("oops")

    monkeypatch.setattr(lab.world, "checks", [broken])
    refused("LabFailure", lab.client("ecs").list_clusters)


def test_settings(lab: Any) -> None:
    assert lab.control("POST", "/settings", {"boot_seconds": 3})["boot_seconds"] == 3.0
    for wrong in ({"boot_secnds": 3}, {"scratch": "/"}, {"dns_one_change_at_a_time": "yes"}, {"boot_seconds": "long"}):
        assert lab.control("POST", "/settings", wrong)["status"] == 400
    lab.control("POST", "/reset")
    assert lab.control("GET", "/settings")["boot_seconds"] == 0.0


def test_clock_goes_forward_only(lab: Any) -> None:
    before = lab.control("GET", "")["clock"]
    assert lab.control("POST", "/clock", {"advance": 60, "steps": 6})["now"] >= before + 60
    assert lab.control("POST", "/clock", {"advance": -1})["status"] == 400


def test_unknown_control(lab: Any) -> None:
    answer = lab.control("GET", "/nonsense")
    assert answer["status"] == 404
    assert "POST /_lab/reset" in answer["controls"]


def test_reset_empties_the_account(ground: Any) -> None:
    assert ground.lab.control("GET", "/inventory")["count"] > 0
    ground.lab.control("POST", "/reset")
    assert ground.lab.control("GET", "/inventory")["items"] == []


def test_every_kind_is_described() -> None:
    assert all(Rule.parse({"kind": kind}).kind == kind for kind in KINDS)
    assert isinstance(Rule("error", code="X").error(a_call()), AwsError)
