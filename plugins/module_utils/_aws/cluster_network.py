# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the instances of a cluster are, which an app has to know to put a load balancer there. PRIVATE."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from .._errors import InputError, NotFoundError
from .api import Aws
from .names import ClusterNames

INSTANCE_SECURITY_GROUP = "instance-security-group"  # the part in the mark of the instances' security group


def instance_subnets(aws: Aws, cluster: str) -> tuple[str, ...]:
    """The subnets of the instances that ``ecs_cluster`` made; their auto scaling group names them, given ones too.

    Raises:
        InputError: there are none.
    """
    name = ClusterNames(cluster, aws.region).auto_scaling_group
    request = {"AutoScalingGroupNames": [name]}
    doing = f"find the subnets of cluster {cluster}"
    groups = aws.pages("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroups", request, doing=doing)
    if not groups:
        raise InputError(
            f"load_balancer: cluster {cluster} has no auto scaling group {name} to take subnets from",
            hint="Make the cluster with container.schedulers.ecs_cluster, or give load_balancer.subnets.",
        )
    # one text with commas in the API
    return tuple(sorted(one.strip() for one in groups[0]["VPCZoneIdentifier"].split(",") if one.strip()))


def check_balancer_subnets(aws: Aws, subnets: Sequence[str], vpc_id: str, *, zones: int) -> None:
    """Refuse subnets that a load balancer of the instances cannot be in, before anything is made for it.

    Args:
        vpc_id: the instances'.
        zones: how many it has to be in at least.

    Raises:
        InputError: one is not there, is of another VPC, or shares its zone; or they are in too few zones.
    """
    option, doing = "load_balancer.subnets", "look up the subnets of the load balancer"
    try:
        found = aws.pages("ec2", "DescribeSubnets", "Subnets", {"SubnetIds": list(subnets)}, doing=doing)
    except NotFoundError as error:
        raise InputError(f"{option}: {error.message}") from error
    elsewhere = sorted(f"{one['SubnetId']} in {one['VpcId']}" for one in found if one["VpcId"] != vpc_id)
    if elsewhere:
        raise InputError(f"{option}: the instances are in {vpc_id}, but {', '.join(elsewhere)}")
    there = Counter(one["AvailabilityZone"] for one in found)
    twice = sorted(zone for zone, times in there.items() if times > 1)
    if twice:
        raise InputError(f"{option}: a load balancer takes one of each zone, and of {', '.join(twice)} there are more")
    if len(there) < zones:
        raise InputError(f"{option}: an application load balancer needs {zones} zones, and these are in {len(there)}")
