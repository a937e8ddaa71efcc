# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a cluster: bad ones are refused before the first call, with their name."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.ecs_cluster_options import ClusterOptions
from ansible_collections.container.schedulers.plugins.module_utils._aws.images import architecture_of
from ansible_collections.container.schedulers.plugins.module_utils._errors import InputError
from botocore.session import get_session
from moto.ec2.models.instance_types import INSTANCE_TYPES
from unit.ecs_cluster import params


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "a b"}, "name: 'a b' must consist"),
        ({"name": "x" * 252}, "251 are allowed"),
        ({"desired_count": -1}, "desired_count: -1 must not be below 0"),
        ({"min_size": 3, "max_size": 2}, r"min_size \(3\) must not be above max_size \(2\)"),
        ({"min_size": 3, "desired_count": 2, "max_size": 4}, r"min_size \(3\) must not be above desired_count \(2\)"),
        ({"desired_count": 5, "max_size": 4}, r"desired_count \(5\) must not be above max_size \(4\)"),
        ({"instance_type": "big"}, "instance_type: 'big' is no instance type"),
        ({"instance_type": "m7g.large", "architecture": "x86_64"}, "architecture: m7g.large has arm64"),
        ({"ami": "debian"}, "ami: 'debian' must be the id"),
        ({"volume_size": 0}, "volume_size is 0, but has to be between 1 and 16384 GiB"),
        ({"subnets": []}, "subnets: at least one"),
        ({"subnets": ["mine"]}, "subnets: 'mine' must look like subnet-"),
        ({"zones": ["here"]}, "zones: 'here' must look like eu-west-1a"),
        ({"cidr": "10.0.0.1/16"}, "cidr: '10.0.0.1/16' is no address range"),
        ({"cidr": "10.0.0.0/8"}, "between /16 and /24"),
        *(
            ({"cidr": f"{one}/16"}, "cidr: no machine can have an address of")
            for one in ("224.0.0.0", "0.0.0.0", "127.0.0.0", "169.254.0.0")
        ),
        ({"allowed_cidrs": ["fe80::1%eth0"]}, "allowed_cidrs: 'fe80::1%eth0' names an interface"),
        ({"volume_kms_key": "nope nope"}, "volume_kms_key: 'nope nope' must be a KMS key"),
        ({"volume_kms_key": "arn:aws:kms:eu-west-1:1:key/x"}, "must be a KMS key"),
        ({"cidr": "fd00::/20"}, "must be an IPv4 range"),
        ({"allowed_cidrs": ["all"]}, "allowed_cidrs: 'all' is no address range"),
        ({"allowed_cidrs": ["0.0.0.0/0"], "instance_ports": ["http"]}, "instance_ports: 'http' must be a port"),
        ({"allowed_cidrs": ["0.0.0.0/0"], "instance_ports": ["65536"]}, "instance_ports: '65536'"),
        ({"allowed_cidrs": ["0.0.0.0/0"], "instance_ports": ["90-80"]}, "instance_ports: '90-80'"),
        ({"instance_policies": ["ReadOnly"]}, "instance_policies: 'ReadOnly' must be the ARN"),
        ({"tags": {"aws:x": "y"}}, "tags: 'aws:x' must not begin"),
        ({"tags": {"container.schedulers/owner": "me"}}, "must not begin with aws: or container.schedulers/"),
        ({"tags": {"": "y"}}, "1 to 128 characters"),
        ({"tags": {"x": "y" * 257}}, "up to 256"),
        ({"tags": {str(number): "" for number in range(41)}}, "41 are given, 40 are allowed"),
        ({"tags": {"team": "r&d (web)"}}, "tags: 'team' has & .*, which not all services take"),
        ({"tags": {"team*": "web"}}, "tags: 'team\\*' has \\*"),
        ({"tags": {"Team": "web", "team": "web"}}, "tags: 'Team' and 'team' are one name to IAM"),
    ],
)
def test_bad_input_is_named(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        ClusterOptions.from_params(params(**given))


def test_what_is_not_given_is_not_managed() -> None:
    options = ClusterOptions.from_params(params())
    unmanaged = (options.desired_count, options.instance_type, options.subnets, options.ingress, options.cidr)
    assert unmanaged == (None,) * 5
    assert options.tags == {}


def test_lists_are_brought_into_one_order() -> None:
    given = params(
        subnets=["subnet-b", "subnet-a", "subnet-a"],
        allowed_cidrs=["10.0.0.0/8", "::/0"],
        instance_ports=["80", "32768-60999"],
        instance_policies=["arn:aws:iam::aws:policy/B", "arn:aws:iam::123456789012:policy/A"],
        tags={"number": 5},
    )
    options = ClusterOptions.from_params(given)
    assert options.subnets == ("subnet-a", "subnet-b")
    assert options.ingress == (
        "tcp 32768-60999 from 10.0.0.0/8",
        "tcp 32768-60999 from ::/0",
        "tcp 80 from 10.0.0.0/8",
        "tcp 80 from ::/0",
    )
    assert options.instance_policies == ("arn:aws:iam::123456789012:policy/A", "arn:aws:iam::aws:policy/B")
    assert options.tags == {"number": "5"}
    assert ClusterOptions.from_params(params(allowed_cidrs=[])).ingress == ()


@pytest.mark.parametrize(
    ("given", "live", "expected"),
    [
        ({}, None, "t3.small"),
        ({"architecture": "arm64"}, None, "t4g.small"),
        ({}, "m5.large", "m5.large"),
        ({"architecture": "x86_64"}, "m5.large", "m5.large"),
        ({"architecture": "arm64"}, "m5.large", "t4g.small"),
        ({"instance_type": "c5.large"}, "m5.large", "c5.large"),
    ],
)
def test_the_type_is_the_given_the_live_or_a_small_one(given: dict[str, Any], live: str | None, expected: str) -> None:
    assert ClusterOptions.from_params(params(**given)).type_for(live) == expected


@pytest.mark.parametrize(
    ("instance_type", "architecture"),
    [
        ("t3.small", "x86_64"),
        ("g4dn.xlarge", "x86_64"),
        ("m7i-flex.large", "x86_64"),
        ("x2iezn.2xlarge", "x86_64"),
        ("m5.metal", "x86_64"),
        ("a1.large", "arm64"),
        ("t4g.nano", "arm64"),
        ("g5g.xlarge", "arm64"),
        ("im4gn.large", "arm64"),
        ("c7gn.medium", "arm64"),
        ("p6-b300.48xlarge", "x86_64"),
        ("p6e-gb200.36xlarge", "arm64"),
        ("u7in-16tb.224xlarge", "x86_64"),
        ("u-6tb1.112xlarge", "x86_64"),
    ],
)
def test_the_name_of_a_type_tells_its_architecture(instance_type: str, architecture: str) -> None:
    assert architecture_of(instance_type) == architecture


def test_no_type_that_ec2_knows_is_refused() -> None:
    for instance_type in get_session().get_service_model("ec2").shape_for("InstanceType").enum:
        architecture_of(instance_type)


def test_names_tell_what_ec2_says() -> None:
    for instance_type, described in INSTANCE_TYPES.items():
        said = described["ProcessorInfo"]["SupportedArchitectures"]
        assert architecture_of(instance_type) in said or said[0].endswith("_mac"), instance_type


ARN = "arn:aws:kms:eu-west-1:123456789012:"
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize("key", [f"{ARN}key/{KEY_ID}", KEY_ID, f"mrk-{'0a' * 16}", f"{ARN}alias/a_b", "alias/aws/ebs"])
def test_a_kms_key_may_be_named_in_all_ways_of_ec2(key: str) -> None:
    assert ClusterOptions.from_params(params(volume_kms_key=key)).volume_kms_key == key
