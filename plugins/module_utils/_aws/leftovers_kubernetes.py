# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controllers of a Kubernetes cluster have left: it carries Kubernetes' tag, not our mark. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from .._leftovers import Leftover, State
from .._ownership import OWNER
from .._parallel import gather
from . import prices
from .api import Aws, from_tags, tag_filter
from .kubernetes_names import kubernetes_mark
from .service_balancers import find_service_balancers

PREFIX = kubernetes_mark("").owner
# the kind as a teardown knows it -> the usual word, and dollars an hour
KINDS = {
    "service_classic_load_balancer": ("classic_load_balancer", prices.BALANCERS["classic"]),
    "service_load_balancer": ("load_balancer", prices.BALANCERS["network"]),
    "service_target_group": ("target_group", 0.0),
    "service_security_group": ("security_group", 0.0),
}


def find(aws: Aws, owner: str) -> Iterator[Leftover]:
    """What is left of the services of a cluster; without an owner, of all clusters. It is in a VPC of theirs."""
    if owner and not owner.startswith(PREFIX):
        return
    vpcs = _vpcs(aws, owner or f"{PREFIX}*")
    found = gather({one: partial(find_service_balancers, aws, one, ids) for one, ids in vpcs.items()})
    for cluster, things in found.items():
        tags = {OWNER: kubernetes_mark(cluster).owner}
        for thing in things:
            kind, price = KINDS[thing.kind]
            state = State("active", "of a service of the cluster", prices.hourly(price))
            yield Leftover("aws", kind, thing.id, aws.region, tags, state, thing.name)


def _vpcs(aws: Aws, owner: str) -> dict[str, set[str]]:
    """The VPCs that carry our mark, by cluster."""
    doing = "look for VPCs of Kubernetes clusters that are left"
    filters = tag_filter({OWNER: owner})
    found: dict[str, set[str]] = {}
    for one in aws.pages("ec2", "DescribeVpcs", "Vpcs", {"Filters": filters}, doing=doing):
        cluster = from_tags(one["Tags"])[OWNER].removeprefix(PREFIX)
        found.setdefault(cluster, set()).add(one["VpcId"])
    return found
