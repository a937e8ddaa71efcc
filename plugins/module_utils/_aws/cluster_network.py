# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the instances of a cluster are: what an app has to know of its cluster to put a load balancer before it.

The auto scaling group names the subnets (given ones carry no mark), the security group's mark leads to the VPC.
PRIVATE.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._errors import NotFoundError
from .._ownership import only_one
from .._parallel import gather
from .api import Aws, tag_filter
from .names import ClusterNames, cluster_mark

INSTANCE_SECURITY_GROUP = "instance-security-group"  # the part in the mark of the instances' security group


@dataclass(frozen=True)
class ClusterNetwork:
    """The network of a cluster's instances."""

    vpc_id: str
    subnet_ids: tuple[str, ...]
    instance_security_group_id: str


def cluster_network(aws: Aws, cluster: str) -> ClusterNetwork:
    """The network of a cluster that ``ecs_cluster`` made, in two calls.

    Raises:
        NotFoundError: there is no such cluster, or ``ecs_cluster`` did not make its instances.
    """
    doing = f"find the network of cluster {cluster}"
    mark = cluster_mark(cluster)
    group_name = ClusterNames(cluster, aws.region).auto_scaling_group
    found = gather(
        {
            "security_groups": lambda: aws.pages(
                "ec2",
                "DescribeSecurityGroups",
                "SecurityGroups",
                {"Filters": tag_filter(mark.tags(INSTANCE_SECURITY_GROUP))},
                doing=doing,
            ),
            "scaling_groups": lambda: aws.pages(
                "autoscaling",
                "DescribeAutoScalingGroups",
                "AutoScalingGroups",
                {"AutoScalingGroupNames": [group_name]},
                doing=doing,
            ),
        }
    )
    security_groups = {group["GroupId"]: group for group in found["security_groups"]}
    group_id = only_one(security_groups, f"the instances' security group of cluster {cluster}")
    if group_id is None or not found["scaling_groups"]:
        raise NotFoundError(
            f"cluster {cluster} has no instances that container.schedulers.ecs_cluster made",
            doing=doing,
            hint="Make the cluster first.",
        )
    return ClusterNetwork(security_groups[group_id]["VpcId"], _subnets(found["scaling_groups"][0]), group_id)


def _subnets(group: Mapping[str, Any]) -> tuple[str, ...]:
    """The subnets of an auto scaling group: one text with commas in the API."""
    return tuple(sorted(one.strip() for one in group["VPCZoneIdentifier"].split(",") if one.strip()))
