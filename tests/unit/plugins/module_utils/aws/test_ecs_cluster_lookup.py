# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked before deciding: nothing on a cluster that is as it should be, and refusals before the first change."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.ecs_cluster_lookup import look_up
from ansible_collections.container.schedulers.plugins.module_utils._aws.ecs_cluster_options import ClusterOptions
from ansible_collections.container.schedulers.plugins.module_utils._aws.ecs_cluster_wanted import Found, GivenNetwork
from ansible_collections.container.schedulers.plugins.module_utils._aws.images import Image
from ansible_collections.container.schedulers.plugins.module_utils._errors import AuthError, InputError
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live
from unit.ecs_cluster import a_run, params
from unit.scripted import Call, failure, scripted

OFFERS = Call(
    "ec2",
    "DescribeInstanceTypeOfferings",
    {"InstanceTypeOfferings": [{"Location": f"eu-west-1{zone}"} for zone in ("b", "a", "-lax-1a")]},
)
PARAMETER = Call("ssm", "GetParameter", {"Parameter": {"Value": "ami-new"}})
SUBNETS = [{"SubnetId": f"subnet-{one}", "VpcId": "vpc-1", "AvailabilityZone": f"eu-west-1{one}"} for one in "ab"]


def image(architecture: str = "x86_64", size: int = 8) -> dict[str, Any]:
    sizes = {"/dev/sda1": size, "/dev/sdb": 20}
    disks = [{"DeviceName": device, "Ebs": {"VolumeSize": gib}} for device, gib in sizes.items()]
    mappings = [*disks, {"DeviceName": "/dev/sdc", "VirtualName": "ephemeral0"}]
    return {"Architecture": architecture, "RootDeviceName": "/dev/sda1", "BlockDeviceMappings": mappings}


def a_cluster(**template: Any) -> dict[str, Live]:
    """The live resources that lookups look at, in a network of their own."""
    spec = {"instance_type": "t3.small", "image_id": "ami-1", "key_name": "k", "volume_size": 9, **template}
    zones = ("eu-west-1a", "eu-west-1b")
    found = [
        Live("vpc", "vpc", "v", "vpc-1", {"cidr": "10.0.0.0/16"}),
        *(Live(f"subnet-{one}", "subnet", one, f"subnet-{one[-1]}", {"zone": one}) for one in zones),
        Live("instance-security-group", "instance_security_group", "g", "sg-1", {"vpc_id": "vpc-1"}),
        Live("launch-template", "launch_template", "t", "lt-1", spec),
        Live("auto-scaling-group", "auto_scaling_group", "g", "g", {"subnet_ids": ["subnet-a", "subnet-b"]}),
        Live("role", "role", "r", "r", {"policies": {}}),
    ]
    return {one.key: one for one in found}


def ask(calls: list[Call], live: dict[str, Live], **given: Any) -> Found:
    with scripted(*calls) as aws:
        return look_up(a_run(aws), ClusterOptions.from_params(params(**given)), live)


def refused(calls: list[Call], live: dict[str, Live], words: str, **given: Any) -> None:
    with scripted(*calls) as aws, pytest.raises(InputError, match=words):
        look_up(a_run(aws), ClusterOptions.from_params(params(**given)), live)


@pytest.mark.parametrize(
    "given", [{}, {"ami": "ami-1"}, {"key_name": "k"}, {"architecture": "x86_64"}, {"volume_size": 9}]
)
def test_a_finished_cluster_needs_no_lookup(given: dict[str, Any]) -> None:
    assert ask([], a_cluster(), **given) == Found()


def test_a_new_cluster_needs_an_image_and_zones() -> None:
    found = ask([OFFERS, PARAMETER], {})
    assert found.zones == ("eu-west-1a", "eu-west-1b")
    assert found.image == Image("ami-new", "x86_64", "/dev/xvda", 30)


def test_another_architecture_needs_another_image() -> None:
    name = {"Name": "/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id"}
    parameter = Call("ssm", "GetParameter", {"Parameter": {"Value": "ami-arm"}}, name)
    found = ask([OFFERS, parameter], a_cluster(), instance_type="t4g.small")
    assert found.image is not None
    assert found.image.architecture == "arm64"


def test_another_type_keeps_the_image() -> None:
    assert ask([OFFERS], a_cluster(), instance_type="t3.large").image is None


def test_latest_is_looked_up_every_time() -> None:
    found = ask([PARAMETER], a_cluster(), ami="latest")
    assert found.image is not None
    assert found.image.id == "ami-new"


def test_a_given_image_brings_its_volumes() -> None:
    found = ask([Call("ec2", "DescribeImages", {"Images": [image()]})], a_cluster(), ami="ami-2")
    assert found.image == Image("ami-2", "x86_64", "/dev/sda1", 8, {"/dev/sdb": 20})


@pytest.mark.parametrize(
    ("calls", "given", "words"),
    [
        ([Call("ec2", "DescribeImages", {"Images": []})], {"ami": "ami-2"}, "ami: there is no image ami-2"),
        ([Call("ec2", "DescribeImages", failure("InvalidAMIID.NotFound"))], {"ami": "ami-2"}, "there is no image"),
        ([Call("ec2", "DescribeImages", failure("InvalidAMIID.Malformed"))], {"ami": "ami-2"}, "there is no image"),
        ([Call("ec2", "DescribeImages", {"Images": [image("arm64")]})], {"ami": "ami-2"}, "ami-2 is for arm64"),
        (
            [Call("ec2", "DescribeImages", {"Images": [image(size=50)]})],
            {"ami": "ami-2", "volume_size": 40},
            "volume_size: 40 GiB is less than the 50 of ami-2",
        ),
        (
            [Call("ec2", "DescribeImages", {"Images": [image(size=30)]}, {"ImageIds": ["ami-1"]})],
            {"volume_size": 20},
            "volume_size: 20 GiB is less than the 30 of ami-1",
        ),
        (
            [Call("ec2", "DescribeInstanceTypeOfferings", {"InstanceTypeOfferings": []})],
            {"instance_type": "t3.huge"},
            "there is no 't3.huge' in eu-west-1",
        ),
        ([Call("ec2", "DescribeKeyPairs", failure("InvalidKeyPair.NotFound"))], {"key_name": "x"}, "no key pair 'x'"),
        (
            [Call("iam", "GetPolicy", failure("NoSuchEntity"))],
            {"instance_policies": ["arn:aws:iam::aws:policy/X"]},
            "there is no policy arn:aws:iam::aws:policy/X",
        ),
        (
            [OFFERS],
            {"zones": ["eu-west-1c"]},
            "zones: there is no t3.small in eu-west-1c, but in eu-west-1a, eu-west-1b",
        ),
        (
            [OFFERS, Call("ec2", "DescribeSubnets", failure("InvalidSubnetID.NotFound"))],
            {"subnets": ["subnet-1"]},
            "subnets: InvalidSubnetID.NotFound",
        ),
        (
            [Call("ec2", "DescribeSubnets", {"Subnets": [SUBNETS[0], {**SUBNETS[1], "VpcId": "vpc-2"}]})],
            {"subnets": ["subnet-a", "subnet-b"]},
            "must be of one VPC, but subnet-a in vpc-1, subnet-b in vpc-2",
        ),
    ],
)
def test_what_is_not_there_is_refused(calls: list[Call], given: dict[str, Any], words: str) -> None:
    refused(calls, a_cluster(), words, **given)


def test_an_error_that_is_not_about_the_image_is_passed_on() -> None:
    with (
        scripted(Call("ec2", "DescribeImages", failure("UnauthorizedOperation"))) as aws,
        pytest.raises(AuthError),
    ):
        look_up(a_run(aws), ClusterOptions.from_params(params(ami="ami-2")), a_cluster())


def test_what_is_there_is_taken() -> None:
    images = Call("ec2", "DescribeImages", {"Images": [image(size=30)]})
    calls = [Call("ec2", "DescribeKeyPairs"), Call("iam", "GetPolicy"), images]
    found = ask(calls, a_cluster(), key_name="x", instance_policies=["arn:aws:iam::aws:policy/X"], volume_size=40)
    assert found.image is None


def test_an_image_that_goes_is_not_asked_for_its_size() -> None:
    ask([Call("ec2", "DescribeImages", {"Images": [image()]})], a_cluster(), ami="ami-2", volume_size=10)


def test_given_subnets_are_the_network() -> None:
    found = ask([Call("ec2", "DescribeSubnets", {"Subnets": SUBNETS})], a_cluster(), subnets=["subnet-b", "subnet-a"])
    assert found.network == GivenNetwork("vpc-1", ("subnet-a", "subnet-b"), ("eu-west-1a", "eu-west-1b"))


@pytest.mark.parametrize("there", [True, False])
def test_subnets_have_to_have_the_type(there: bool) -> None:
    elsewhere = [{**SUBNETS[0], "AvailabilityZone": "eu-west-1c"}]
    calls = [OFFERS, *([] if there else [PARAMETER]), Call("ec2", "DescribeSubnets", {"Subnets": elsewhere})]
    words = "no t3.small where the subnets are, but in eu-west-1a, eu-west-1b"
    refused(calls, a_cluster() if there else {}, words, subnets=["subnet-c"])


def test_a_cluster_stays_in_its_vpc() -> None:
    elsewhere = [{**SUBNETS[0], "VpcId": "vpc-2"}]
    words = "subnets: these are in vpc-2, but cluster web is in vpc-1, which cannot be changed"
    refused([OFFERS, Call("ec2", "DescribeSubnets", {"Subnets": elsewhere})], a_cluster(), words, subnets=["subnet-c"])


def without(live: dict[str, Live], *keys: str) -> dict[str, Live]:
    return {key: one for key, one in live.items() if key not in keys}


def test_a_cluster_in_given_subnets_stays_there() -> None:
    live = without(a_cluster(), "vpc", "subnet-eu-west-1a", "subnet-eu-west-1b")
    assert ask([], live).network == GivenNetwork("vpc-1", ("subnet-a", "subnet-b"), ())


@pytest.mark.parametrize("given", [{"cidr": "10.9.0.0/16"}, {"zones": ["eu-west-1a"]}])
def test_a_cluster_in_given_subnets_gets_no_network_of_its_own(given: dict[str, Any]) -> None:
    live = without(a_cluster(), "vpc", "subnet-eu-west-1a", "subnet-eu-west-1b")
    refused([], live, f"{next(iter(given))}: cluster web is in given subnets of vpc-1", **given)


def test_a_cluster_that_was_begun_in_given_subnets_needs_them_again() -> None:
    live = without(a_cluster(), "vpc", "subnet-eu-west-1a", "subnet-eu-west-1b", "auto-scaling-group")
    refused([], live, "subnets: cluster web was begun in vpc-1")


def test_half_a_network_is_completed() -> None:
    live = without(a_cluster(), "subnet-eu-west-1b", "auto-scaling-group")
    assert ask([OFFERS], live).zones == ("eu-west-1a", "eu-west-1b")
