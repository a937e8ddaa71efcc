# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An own network: found by its mark, made once only, whoever else is making it at the same time."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.network import (
    DefaultRoutes,
    InternetGateways,
    Subnets,
    read_network,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.vpcs import Vpcs
from ansible_collections.container.schedulers.plugins.module_utils._errors import ConflictError, SchedulersError
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Step
from unit.ecs_cluster import a_run, marks
from unit.scripted import Call, failure, scripted

VPC: dict[str, Any] = {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "Tags": marks("vpc")}
MAIN_TABLE = {"RouteTableId": "rtb-1", "Routes": [{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"}]}
ROUTE = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"}
SUBNET = {
    "SubnetId": "subnet-1",
    "VpcId": "vpc-1",
    "CidrBlock": "10.0.0.0/20",
    "AvailabilityZone": "eu-west-1a",
    "Tags": marks("subnet-eu-west-1a"),
}


def nobody_else() -> float:
    """No other run may be making it."""
    return 0.0


def gateway(gateway_id: str, *vpcs: str) -> dict[str, Any]:
    return {"InternetGatewayId": gateway_id, "Attachments": [{"VpcId": one} for one in vpcs]}


def a_step(kind: str, key: str = "", **spec: Any) -> Step:
    return Step("create", key or kind, kind, "ecs-web", spec)


def test_without_a_vpc_one_call_is_enough() -> None:
    with scripted(Call("ec2", "DescribeVpcs", {"Vpcs": []})) as aws:
        assert read_network(a_run(aws)) == {}


def test_a_complete_network_takes_three_calls() -> None:
    stranger = {**SUBNET, "SubnetId": "subnet-9", "Tags": []}
    with scripted(
        Call("ec2", "DescribeVpcs", {"Vpcs": [VPC]}),
        Call("ec2", "DescribeRouteTables", {"RouteTables": [{**MAIN_TABLE, "Routes": [ROUTE]}]}),
        Call("ec2", "DescribeSubnets", {"Subnets": [SUBNET, stranger]}),
    ) as aws:
        live = read_network(a_run(aws))
    assert {key: one.id for key, one in live.items()} == {
        "vpc": "vpc-1",
        "internet-gateway": "igw-1",
        "default-route": "rtb-1",
        "subnet-eu-west-1a": "subnet-1",
    }


@pytest.mark.parametrize(
    ("gateways", "expected"),
    [
        ([], None),
        ([gateway("igw-2"), gateway("igw-1")], ("igw-1", None)),
        ([gateway("igw-1"), gateway("igw-2", "vpc-1")], ("igw-2", "vpc-1")),
    ],
)
def test_without_a_working_route_the_gateway_is_found_by_its_mark(
    gateways: list[dict[str, Any]], expected: tuple[str, str | None] | None
) -> None:
    broken = {**ROUTE, "State": "blackhole"}
    with scripted(
        Call("ec2", "DescribeVpcs", {"Vpcs": [VPC]}),
        Call("ec2", "DescribeRouteTables", {"RouteTables": [{**MAIN_TABLE, "Routes": [broken]}]}),
        Call("ec2", "DescribeInternetGateways", {"InternetGateways": gateways}),
        Call("ec2", "DescribeSubnets", {"Subnets": []}),
    ) as aws:
        live = read_network(a_run(aws))
    found = live.get("internet-gateway")
    assert (found and (found.id, found.spec["vpc_id"])) == expected
    assert "default-route" not in live


CREATED = Call("ec2", "CreateInternetGateway", {"InternetGateway": {"InternetGatewayId": "igw-1"}})


def test_a_gateway_is_made_and_attached() -> None:
    with scripted(CREATED, Call("ec2", "AttachInternetGateway")) as aws:
        made = InternetGateways(a_run(aws), nobody_else).create(a_step("internet_gateway"), {"vpc_id": "vpc-1"})
    assert (made.id, made.spec) == ("igw-1", {"vpc_id": "vpc-1"})


def test_a_gateway_that_another_run_has_made_is_given_time_to_appear() -> None:
    with scripted(
        Call("ec2", "DescribeInternetGateways", {"InternetGateways": []}),
        Call("ec2", "DescribeInternetGateways", {"InternetGateways": [gateway("igw-1")]}),
        Call("ec2", "AttachInternetGateway", params={"InternetGatewayId": "igw-1", "VpcId": "vpc-1"}),
    ) as aws:
        made = InternetGateways(a_run(aws), lambda: 10.0).create(a_step("internet_gateway"), {"vpc_id": "vpc-1"})
    assert made.id == "igw-1"


def test_the_gateway_of_the_run_that_attached_first_is_used() -> None:
    with scripted(
        CREATED,
        Call("ec2", "AttachInternetGateway", failure("InvalidParameterValue", "already has an internet gateway")),
        Call("ec2", "DescribeInternetGateways", {"InternetGateways": [gateway("igw-1"), gateway("igw-2", "vpc-1")]}),
        Call("ec2", "DeleteInternetGateway", params={"InternetGatewayId": "igw-1"}),
    ) as aws:
        assert (
            InternetGateways(a_run(aws), nobody_else).create(a_step("internet_gateway"), {"vpc_id": "vpc-1"}).id
            == "igw-2"
        )


def test_a_gateway_that_is_attached_already_stays() -> None:
    live = Live("internet-gateway", "internet_gateway", "igw-1", "igw-1", {"vpc_id": None})
    with scripted(
        Call("ec2", "AttachInternetGateway", failure("Resource.AlreadyAssociated")),
        Call("ec2", "DescribeInternetGateways", {"InternetGateways": [gateway("igw-1", "vpc-1")]}),
    ) as aws:
        made = InternetGateways(a_run(aws), nobody_else).update(a_step("internet_gateway"), {"vpc_id": "vpc-1"}, live)
    assert made.spec == {"vpc_id": "vpc-1"}


def test_a_gateway_that_cannot_be_attached_is_an_error() -> None:
    with (
        scripted(
            CREATED,
            Call("ec2", "AttachInternetGateway", failure("Strange")),
            Call("ec2", "DescribeInternetGateways", {"InternetGateways": [gateway("igw-1")]}),
        ) as aws,
        pytest.raises(SchedulersError, match="Strange"),
    ):
        InternetGateways(a_run(aws), nobody_else).create(a_step("internet_gateway"), {"vpc_id": "vpc-1"})


DETACHED = Call("ec2", "DetachInternetGateway", failure("Gateway.NotAttached"), {"VpcId": "vpc-1"})


@pytest.mark.parametrize(
    ("vpc_id", "calls"),
    [
        ("vpc-1", [DETACHED]),
        (None, [Call("ec2", "DescribeInternetGateways", {"InternetGateways": [gateway("igw-1", "vpc-1")]}), DETACHED]),
        (None, [Call("ec2", "DescribeInternetGateways", {"InternetGateways": [gateway("igw-1")]})]),
        (None, [Call("ec2", "DescribeInternetGateways", failure("InvalidInternetGatewayID.NotFound"))]),
    ],
)
def test_a_gateway_is_detached_where_it_is_attached(vpc_id: str | None, calls: list[Call]) -> None:
    live = Live("igw-1", "internet_gateway", "igw-1", "igw-1", {"vpc_id": vpc_id})
    with scripted(*calls, Call("ec2", "DeleteInternetGateway")) as aws:
        InternetGateways(a_run(aws), nobody_else).delete(a_step("internet_gateway"), live)


@pytest.mark.parametrize("refusal", [None, failure("RouteAlreadyExists")])
def test_the_default_route_goes_through_the_gateway(refusal: Exception | None) -> None:
    through = {"RouteTableId": "rtb-1", "GatewayId": "igw-1", "DestinationCidrBlock": "0.0.0.0/0"}
    replaced = [Call("ec2", "ReplaceRoute", params=through)] if refusal else []
    with scripted(
        Call("ec2", "DescribeRouteTables", {"RouteTables": []}),
        Call("ec2", "DescribeRouteTables", {"RouteTables": [MAIN_TABLE]}),
        Call("ec2", "CreateRoute", refusal or {}, through),
        *replaced,
    ) as aws:
        spec = {"vpc_id": "vpc-1", "gateway_id": "igw-1"}
        routes = DefaultRoutes(a_run(aws))
        live = routes.create(a_step("default_route"), spec)
        routes.delete(a_step("default_route"), live)
    assert (live.id, live.spec) == ("rtb-1", spec)


def test_a_route_is_changed_as_it_is_made() -> None:
    live = Live("default-route", "default_route", "r", "rtb-1", {"vpc_id": "vpc-1", "gateway_id": "igw-0"})
    with scripted(Call("ec2", "DescribeRouteTables", {"RouteTables": [MAIN_TABLE]}), Call("ec2", "CreateRoute")) as aws:
        spec = {"vpc_id": "vpc-1", "gateway_id": "igw-1"}
        assert DefaultRoutes(a_run(aws)).update(a_step("default_route"), spec, live).spec == spec


def test_a_subnet_that_another_run_made_is_used() -> None:
    spec = {"vpc_id": "vpc-1", "cidr": "10.0.0.0/20", "zone": "eu-west-1a", "tags": {}}
    with scripted(
        Call("ec2", "CreateSubnet", failure("InvalidSubnet.Conflict")),
        Call("ec2", "DescribeSubnets", {"Subnets": []}),
        Call("ec2", "DescribeSubnets", {"Subnets": [SUBNET]}),
    ) as aws:
        assert Subnets(a_run(aws)).create(a_step("subnet", "subnet-eu-west-1a"), spec).id == "subnet-1"


def test_a_range_that_a_stranger_has_is_an_error() -> None:
    spec = {"vpc_id": "vpc-1", "cidr": "10.0.0.0/20", "zone": "eu-west-1a", "tags": {}}
    with (
        scripted(
            Call("ec2", "CreateSubnet", failure("InvalidSubnet.Conflict")),
            Call("ec2", "DescribeSubnets", {"Subnets": [{**SUBNET, "Tags": []}]}, times=3),
        ) as aws,
        pytest.raises(ConflictError),
    ):
        Subnets(a_run(aws)).create(a_step("subnet", "subnet-eu-west-1a"), spec)


def test_updates_are_new_tags() -> None:
    live = Live("subnet-eu-west-1a", "subnet", "s", "subnet-1", {})
    tagged = {"Resources": ["subnet-1"], "Tags": [{"Key": "a", "Value": "b"}]}
    with scripted(Call("ec2", "CreateTags", params=tagged, times=2)) as aws:
        run = a_run(aws)
        assert Subnets(run).update(a_step("subnet"), {"tags": {"a": "b"}}, live) is live
        assert Vpcs(run, lambda: 0.0).update(a_step("vpc"), {"tags": {"a": "b"}}, live) is live


def test_what_is_still_in_use_is_deleted_once_it_is_not() -> None:
    live = Live("vpc-1", "vpc", "v", "vpc-1")
    with scripted(
        Call("ec2", "DeleteSubnet", failure("DependencyViolation"), times=2),
        Call("ec2", "DeleteSubnet"),
        Call("ec2", "DeleteVpc", failure("InvalidVpcID.NotFound")),
    ) as aws:
        run = a_run(aws)
        Subnets(run).delete(a_step("subnet"), live)
        Vpcs(run, lambda: 0.0).delete(a_step("vpc"), live)
        assert len(aws.clock.slept) == 2
