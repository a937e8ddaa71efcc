# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECS clusters as they are, whoever made them, with their instances. Only looks. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from .._batches import batched
from .._errors import NotFoundError
from .._module import Context, Outcome
from .._ownership import owner_of
from .._parallel import gather
from .api import Aws, Connection, from_tags
from .cluster_ready import described_instances
from .ec2 import instances_of
from .ecs_cluster_result import container_instance

CLUSTERS_AT_ONCE = 100  # in one DescribeClusters


def cluster_info(context: Context) -> Outcome:
    """The named clusters, or all of the region."""
    aws = Aws(Connection.from_params(context.params))
    clusters = [one for one in _described(aws, context.params["name"]) if one["status"] != "INACTIVE"]
    members = gather({one["clusterName"]: partial(_members, aws, one["clusterName"]) for one in clusters})
    ids = sorted({one["ec2InstanceId"] for found in members.values() for one in found if one.get("ec2InstanceId")})
    machines = {one["InstanceId"]: one for one in instances_of(aws, ids, "look up the addresses of instances")}
    return Outcome({"clusters": [to_info(one, members[one["clusterName"]], machines) for one in clusters]})


def to_info(
    cluster: Mapping[str, Any], members: Sequence[Mapping[str, Any]], machines: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """One cluster as the module returns it. Pure."""
    tags = from_tags(cluster.get("tags"))
    settings = {one["name"]: one["value"] for one in cluster.get("settings", ())}
    return {
        "name": cluster["clusterName"],
        "arn": cluster["clusterArn"],
        "status": cluster["status"],
        "owner": owner_of(tags) or None,
        "tags": tags,
        "container_insights": settings.get("containerInsights"),
        "services_count": cluster["activeServicesCount"],
        "running_tasks": cluster["runningTasksCount"],
        "pending_tasks": cluster["pendingTasksCount"],
        "instances": [_instance(one, machines.get(one.get("ec2InstanceId", ""), {})) for one in members],
    }


def _instance(known: Mapping[str, Any], machine: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "instance_id": known.get("ec2InstanceId"),
        **container_instance(known),
        "instance_type": machine.get("InstanceType"),
        "image_id": machine.get("ImageId"),
        "zone": machine.get("Placement", {}).get("AvailabilityZone"),
        "private_ip": machine.get("PrivateIpAddress"),
        "public_ip": machine.get("PublicIpAddress"),
    }


def _described(aws: Aws, names: Sequence[str] | None) -> list[dict[str, Any]]:
    doing = "look for clusters"
    wanted = list(names) if names else aws.pages("ecs", "ListClusters", "clusterArns", doing=doing)
    found: list[dict[str, Any]] = []
    for some in batched(wanted, CLUSTERS_AT_ONCE):
        request = {"clusters": some, "include": ["TAGS", "SETTINGS"]}
        found.extend(aws.call("ecs", "DescribeClusters", request, doing=doing)["clusters"])
    return sorted(found, key=lambda one: str(one["clusterName"]))


def _members(aws: Aws, cluster: str) -> list[dict[str, Any]]:
    """The container instances of a cluster, in whatever state; none if it has gone meanwhile."""
    request = {"cluster": cluster, "maxResults": 100}
    doing = f"list the instances of cluster {cluster}"
    try:
        arns = aws.pages("ecs", "ListContainerInstances", "containerInstanceArns", request, doing=doing)
        return described_instances(aws, cluster, arns)
    except NotFoundError:
        return []
