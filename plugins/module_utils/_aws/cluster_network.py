# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the instances of a cluster are, which an app has to know to put a load balancer there. PRIVATE."""

from __future__ import annotations

from .._errors import InputError
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
