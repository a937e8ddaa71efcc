# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster's cloud controller has made in AWS for services: load balancers, target groups, security groups.

They carry the tag of Kubernetes' controllers, not our mark. Usually they go with their services; this finds those whose
cluster cannot be asked any more. Whoever has a cluster of the same name uses the same tag, EKS too: what is ours is in
a VPC that carries our mark. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from .._batches import batched
from .._errors import NotFoundError
from .._parallel import gather
from .._plan import Graph, Live
from .api import Aws, from_tags
from .kubernetes_names import cluster_tag

OWNED = "owned"
TAGS_AT_ONCE = 20
TAG_FIELDS = {"elb": ("LoadBalancerNames", "LoadBalancerName"), "elbv2": ("ResourceArns", "ResourceArn")}
GRAPH: Graph = {
    "service_security_group": ("vpc",),
    "service_target_group": ("vpc",),
    "service_classic_load_balancer": ("subnet", "default_route", "service_security_group"),
    "service_load_balancer": ("subnet", "default_route", "service_security_group", "service_target_group"),
}


def find_service_balancers(aws: Aws, cluster: str, vpcs: Collection[str]) -> list[Live]:
    """All of it, by tag.

    Args:
        vpcs: those of the cluster. It goes before they do, so without one there is nothing to find.
    """
    if not vpcs:
        return []
    reads: dict[str, Callable[[], list[Live]]] = {
        "classic": lambda: _classic(aws, cluster, vpcs),
        "v2": lambda: _second_generation(aws, cluster, vpcs, "LoadBalancer", "service_load_balancer"),
        "groups": lambda: _second_generation(aws, cluster, vpcs, "TargetGroup", "service_target_group"),
        "security": lambda: _security_groups(aws, cluster, vpcs),
    }
    return [one for found in gather(reads).values() for one in found]


def tags_of(aws: Aws, service: str, ids: Sequence[str], doing: str) -> dict[str, dict[str, str]]:
    """The tags of load balancers or target groups, by name or ARN; without those that have gone meanwhile."""
    return {
        one: tags
        for some in batched(ids, TAGS_AT_ONCE)
        for one, tags in _tags_of_some(aws, service, some, doing).items()
    }


def _tags_of_some(aws: Aws, service: str, some: list[str], doing: str) -> dict[str, dict[str, str]]:
    asked, given = TAG_FIELDS[service]
    try:
        found = aws.call(service, "DescribeTags", {asked: some}, doing=doing)["TagDescriptions"]
    except NotFoundError:  # for one that is gone, all of them are refused
        if len(some) == 1:
            return {}
        return {one: tags for each in some for one, tags in _tags_of_some(aws, service, [each], doing).items()}
    return {one[given]: from_tags(one["Tags"]) for one in found}


def _owned(tags: Mapping[str, str], cluster: str) -> bool:
    return tags.get(cluster_tag(cluster)) == OWNED


def _classic(aws: Aws, cluster: str, vpcs: Collection[str]) -> list[Live]:
    doing = f"look for classic load balancers of services of {cluster}"
    found = aws.pages("elb", "DescribeLoadBalancers", "LoadBalancerDescriptions", doing=doing)
    there = [one["LoadBalancerName"] for one in found if one.get("VPCId") in vpcs]
    tags = tags_of(aws, "elb", there, doing)
    names = [name for name, its in tags.items() if _owned(its, cluster)]
    return [Live(f"classic {name}", "service_classic_load_balancer", name, name) for name in names]


def _second_generation(aws: Aws, cluster: str, vpcs: Collection[str], word: str, kind: str) -> list[Live]:
    doing = f"look for {kind.replace('_', ' ')}s of {cluster}"
    found = aws.pages("elbv2", f"Describe{word}s", f"{word}s", doing=doing)
    names = {one[f"{word}Arn"]: one[f"{word}Name"] for one in found if one.get("VpcId") in vpcs}
    tags = tags_of(aws, "elbv2", list(names), doing)
    return [Live(arn, kind, names[arn], arn) for arn, its in tags.items() if _owned(its, cluster)]


def _security_groups(aws: Aws, cluster: str, vpcs: Collection[str]) -> list[Live]:
    """Those of load balancers; the cluster's own, which carry the tag too, have our mark."""
    filters = [
        {"Name": f"tag:{cluster_tag(cluster)}", "Values": [OWNED]},
        {"Name": "vpc-id", "Values": sorted(vpcs)},
    ]
    doing = f"look for security groups of services of {cluster}"
    found: list[dict[str, Any]] = aws.pages(
        "ec2", "DescribeSecurityGroups", "SecurityGroups", {"Filters": filters}, doing=doing
    )
    foreign = [one for one in found if one["GroupName"].startswith("k8s-elb-")]
    return [Live(one["GroupId"], "service_security_group", one["GroupName"], one["GroupId"]) for one in foreign]
