# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the instances of a cluster are, which an app has to know to put a load balancer there. PRIVATE."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any

from .._errors import AuthError, InputError, NotFoundError
from .api import Aws
from .balancer_options import Balancer
from .names import ClusterNames

INSTANCE_SECURITY_GROUP = "instance-security-group"  # the part in the mark of the instances' security group


def instance_subnets(aws: Aws, cluster: str, *, zones: int) -> tuple[str, ...]:
    """One subnet in each zone of the instances that ``ecs_cluster`` made; their auto scaling group names them all.

    Args:
        zones: in how many a load balancer has to be at least.

    Raises:
        InputError: there are none, or too few.
    """
    group = _scaling_group(aws, cluster)
    if group is None:
        name = ClusterNames(cluster, aws.region).auto_scaling_group
        raise InputError(
            f"load_balancer: cluster {cluster} has no auto scaling group {name} to take subnets from",
            hint="Make the cluster with container.schedulers.ecs_cluster, or give load_balancer.subnets.",
        )
    # one text with commas in the API
    subnets = sorted(one.strip() for one in group["VPCZoneIdentifier"].split(",") if one.strip())
    of_zone: dict[str, str] = {}
    for one in sorted(described_subnets(aws, subnets), key=itemgetter("SubnetId")):
        of_zone.setdefault(one["AvailabilityZone"], one["SubnetId"])
    if len(of_zone) < zones:
        raise InputError(
            f"load_balancer: an application load balancer needs {zones} zones, and the instances of cluster {cluster} "
            f"are in {len(of_zone)}",
            hint="Give load_balancer.subnets, of more zones.",
        )
    return tuple(of_zone.values())


def check_balancer_subnets(aws: Aws, cluster: str, subnets: Sequence[str], vpc_id: str, *, zones: int) -> None:
    """Refuse subnets that a load balancer of the instances cannot be in, before anything is made for it.

    A load balancer asks nobody in a zone that it is not in: without a zone in common nothing would ever be healthy.

    Args:
        vpc_id: the instances'.
        zones: how many it has to be in at least.

    Raises:
        InputError: one is not there, is of another VPC, or shares its zone; or they are in too few zones, or in others.
    """
    option = "load_balancer.subnets"
    try:
        found = described_subnets(aws, subnets)
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
    _refuse_other_zones(aws, cluster, {*there})


def _refuse_other_zones(aws: Aws, cluster: str, there: Collection[str]) -> None:
    """Refuse zones in which there can be no instances. Who may not look where these are goes on without.

    Raises:
        InputError: the instances are all those of ``ecs_cluster``, and in other zones.
    """
    try:
        group = _scaling_group(aws, cluster)
        if group is None or {*group["AvailabilityZones"]} & {*there} or _has_others(aws, cluster, group):
            return
    except AuthError:
        return
    raise InputError(
        f"load_balancer.subnets: these are in {', '.join(sorted(there))}, but the instances of cluster {cluster} in "
        f"{', '.join(sorted(group['AvailabilityZones']))}"
    )


def _has_others(aws: Aws, cluster: str, group: Mapping[str, Any]) -> bool:
    """Whether a cluster has instances besides those of its auto scaling group."""
    members = ", ".join(one["InstanceId"] for one in group["Instances"])
    request = {"cluster": cluster, **({"filter": f"ec2InstanceId not_in [{members}]"} if members else {})}
    doing = f"look for other instances of cluster {cluster}"
    return bool(aws.pages("ecs", "ListContainerInstances", "containerInstanceArns", request, doing=doing))


def refuse_change_within_zone(aws: Aws, balancer: Balancer, there: Collection[str]) -> None:
    """Refuse subnets that an existing load balancer gets to by no way, before anything is changed.

    A network one takes another subnet of a zone only once it has left it. A classic one can do so zone by zone
    (``load_balancer_classic``), but is never in none. An application one does it in one call.

    Args:
        there: the subnets that it is in.

    Raises:
        InputError: it would have to.
    """
    coming, going = {*balancer.subnets} - {*there}, {*there} - {*balancer.subnets}
    stays = balancer.classic and (len(there) > 1 or len(balancer.subnets) > 1)
    if balancer.type == "application" or stays or not (coming and going):
        return
    zones = {one["SubnetId"]: one["AvailabilityZone"] for one in described_subnets(aws, sorted(coming | going))}
    both = {zones[one] for one in coming} & {zones[one] for one in going}
    if both:
        raise InputError(
            f"load_balancer.subnets: {balancer.name} has to leave {', '.join(sorted(both))} before it can be in "
            "another subnet there",
            hint="Give only subnets of other zones first, in a run of its own.",
        )


def _scaling_group(aws: Aws, cluster: str) -> Mapping[str, Any] | None:
    """The auto scaling group of the instances that ``ecs_cluster`` made."""
    request = {"AutoScalingGroupNames": [ClusterNames(cluster, aws.region).auto_scaling_group]}
    doing = f"find the subnets of cluster {cluster}"
    groups = aws.pages("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroups", request, doing=doing)
    return groups[0] if groups else None


def described_subnets(aws: Aws, subnets: Sequence[str]) -> list[Mapping[str, Any]]:
    """The subnets of these ids as EC2 gives them.

    Raises:
        NotFoundError: one of them is not there.
    """
    request, doing = {"SubnetIds": list(subnets)}, "look up the subnets of the load balancer"
    return aws.pages("ec2", "DescribeSubnets", "Subnets", request, doing=doing)
