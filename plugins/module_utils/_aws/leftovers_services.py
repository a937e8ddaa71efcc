# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left in the services that neither EC2's tags nor the tagging API know, or that it knows too late.

The tagging API has neither IAM roles nor auto scaling groups, and is some minutes behind, which is too much for what is
paid for by the hour. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from .._batches import batched
from .._errors import NotFoundError
from .._leftovers import Leftover, State
from .._ownership import OWNER
from .._parallel import gather
from . import prices
from .api import Aws, from_tags
from .k8s_cluster_wanted import SIDES
from .kubernetes_names import KubernetesNames
from .leftovers_tagged import SERVICES_AT_ONCE, service_state
from .names import ClusterNames
from .service_balancers import tags_of

# IAM lists without tags: only what is named as the schedulers' roles are is asked for its own
IAM_NAMES = ("ecs-", "kubernetes-")
CLUSTERS_AT_ONCE = 100  # in one DescribeClusters
Tags = Mapping[str, str]


def is_marked(tags: Tags, owner: str) -> bool:
    """Whether something carries the mark of the owner, or of any if the owner is empty."""
    return tags.get(OWNER) == owner if owner else OWNER in tags


def scaling_groups(aws: Aws, owner: str) -> Iterator[Leftover]:
    """Auto scaling groups; their instances are listed themselves."""
    mine = {"Name": f"tag:{OWNER}", "Values": [owner]} if owner else {"Name": "tag-key", "Values": [OWNER]}
    doing = "look for auto scaling groups that are left"
    groups = aws.pages(
        "autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroups", {"Filters": [mine]}, doing=doing
    )
    for group in groups:
        why = f"keeps {group['DesiredCapacity']} instances alive"
        state = State(str(group.get("Status", "active")).lower(), why)
        name = group["AutoScalingGroupName"]
        yield Leftover("aws", "auto_scaling_group", name, aws.region, from_tags(group["Tags"]), state)


def roles(aws: Aws, owner: str) -> Iterator[Leftover]:
    """IAM roles."""
    yield from _iam(aws, owner, "Role", "role")


def instance_profiles(aws: Aws, owner: str) -> Iterator[Leftover]:
    """IAM instance profiles."""
    yield from _iam(aws, owner, "InstanceProfile", "instance_profile")


def _iam(aws: Aws, owner: str, word: str, kind: str) -> Iterator[Leftover]:
    doing = f"look for {kind.replace('_', ' ')}s that are left"
    listed = aws.pages("iam", f"List{word}s", f"{word}s", {"MaxItems": 1000}, doing=doing)
    names = [one[f"{word}Name"] for one in listed if _named_so(one[f"{word}Name"], owner, aws.region)]
    reads = {name: partial(_unless_gone, aws, "iam", f"Get{word}", {f"{word}Name": name}, doing) for name in names}
    for name, answer in gather(reads).items():
        tags = from_tags(answer.get(word, {}).get("Tags"))
        if is_marked(tags, owner):
            # its id is its ARN, as a role and a profile may have one name
            yield Leftover("aws", kind, answer[word]["Arn"], "global", tags, State("available"), name)


def _unless_gone(aws: Aws, service: str, operation: str, request: Mapping[str, Any], doing: str) -> Mapping[str, Any]:
    """The answer about what was listed, empty if it has gone meanwhile: IAM's lists are behind, and others delete."""
    try:
        return aws.call(service, operation, request, doing=doing)
    except NotFoundError:
        return {}


def _named_so(name: str, owner: str, region: str) -> bool:
    """Whether a role may be that of the owner's cluster in this region: its mark does not tell regions apart. Pure."""
    scheduler, _slash, cluster = owner.partition("/")
    if scheduler == "ecs":
        return name == ClusterNames(cluster, region).role
    if scheduler == "kubernetes":
        return name in {KubernetesNames(cluster, region).role(side) for side in SIDES}
    return not owner and name.startswith(IAM_NAMES)


def clusters(aws: Aws, owner: str) -> Iterator[Leftover]:
    """ECS clusters, and the services in them."""
    doing = "look for ECS clusters that are left"
    arns = aws.pages("ecs", "ListClusters", "clusterArns", doing=doing)
    for some in batched(arns, CLUSTERS_AT_ONCE):
        request = {"clusters": some, "include": ["TAGS"]}
        for cluster in aws.call("ecs", "DescribeClusters", request, doing=doing)["clusters"]:
            tags = from_tags(cluster.get("tags"))
            if cluster["status"] != "INACTIVE" and is_marked(tags, owner):
                why = f"has {cluster['registeredContainerInstancesCount']} instances"
                state = State(cluster["status"].lower(), why)
                arn, name = cluster["clusterArn"], cluster["clusterName"]
                yield Leftover("aws", "cluster", arn, aws.region, tags, state, name)
                yield from _services(aws, owner, arn)


def _services(aws: Aws, owner: str, cluster: str) -> Iterator[Leftover]:
    doing = f"look for services that are left on {cluster.rpartition('/')[2]}"
    try:
        arns = aws.pages("ecs", "ListServices", "serviceArns", {"cluster": cluster, "maxResults": 100}, doing=doing)
    except NotFoundError:  # the cluster has gone meanwhile
        return
    for some in batched(arns, SERVICES_AT_ONCE):
        request = {"cluster": cluster, "services": some, "include": ["TAGS"]}
        for service in _unless_gone(aws, "ecs", "DescribeServices", request, doing).get("services", ()):
            tags = from_tags(service.get("tags"))
            if service["status"] != "INACTIVE" and is_marked(tags, owner):
                arn, name = service["serviceArn"], service["serviceName"]
                yield Leftover("aws", "service", arn, aws.region, tags, service_state(service), name)


def classic_load_balancers(aws: Aws, owner: str) -> Iterator[Leftover]:
    """Classic load balancers."""
    doing = "look for classic load balancers that are left"
    found = aws.pages("elb", "DescribeLoadBalancers", "LoadBalancerDescriptions", doing=doing)
    names = [one["LoadBalancerName"] for one in found]
    state = State("active", "paid for by the hour", prices.hourly(prices.BALANCERS["classic"]))
    for name, tags in tags_of(aws, "elb", names, doing).items():
        if is_marked(tags, owner):
            yield Leftover("aws", "classic_load_balancer", name, aws.region, tags, state)


def load_balancers(aws: Aws, owner: str) -> Iterator[Leftover]:
    """Application and network load balancers."""

    def state(balancer: Mapping[str, Any]) -> State:
        kind = balancer["Type"]
        why = f"a load balancer of type {kind}, paid for by the hour"
        return State(balancer["State"]["Code"], why, prices.hourly(prices.BALANCERS.get(kind)))

    yield from _elbv2(aws, owner, "LoadBalancer", "load_balancer", state)


def target_groups(aws: Aws, owner: str) -> Iterator[Leftover]:
    """Target groups."""
    yield from _elbv2(aws, owner, "TargetGroup", "target_group", lambda _group: State("available"))


def _elbv2(
    aws: Aws, owner: str, word: str, kind: str, state: Callable[[Mapping[str, Any]], State]
) -> Iterator[Leftover]:
    doing = f"look for {kind.replace('_', ' ')}s that are left"
    found = {one[f"{word}Arn"]: one for one in aws.pages("elbv2", f"Describe{word}s", f"{word}s", doing=doing)}
    for arn, tags in tags_of(aws, "elbv2", list(found), doing).items():
        if is_marked(tags, owner):
            yield Leftover("aws", kind, arn, aws.region, tags, state(found[arn]), found[arn][f"{word}Name"])
