# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left in EC2.

One list of tags says which kinds of things carry our mark; only those kinds are then looked at themselves, because tags
outlive what they were on, and to see how they are. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from .._errors import SchedulersError
from .._leftovers import Leftover, Refusal, State, tried
from .._ownership import OWNER
from .._parallel import gather
from . import prices
from .api import Aws, from_tags

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """How things of a kind are read.

    Attributes:
        name: our word for the kind.
        operation, items, id: the call, and the fields of its answer.
        state: how a thing is, None if it is gone.
        filters: the call's parameter for filters.
    """

    name: str
    operation: str
    items: str
    id: str
    state: Callable[[Item], State | None] = lambda item: State(item.get("State") or item.get("Status") or "available")
    filters: str = "Filters"


def find(aws: Aws, owner: str) -> Iterator[Leftover | Refusal]:
    """Everything in EC2 with the mark of the owner, or of any if the owner is empty."""
    doing = "look for what is left in EC2"
    filters = [{"Name": "key", "Values": [OWNER]}, *([{"Name": "value", "Values": [owner]}] if owner else [])]
    tags = aws.pages("ec2", "DescribeTags", "Tags", {"Filters": filters}, doing=doing)
    marked = {one["ResourceId"]: one for one in tags if one["ResourceType"] not in WITHIN_OTHERS}
    kinds = {one["ResourceType"] for one in marked.values()}
    lists = {kind: partial(tried, partial(_list, aws, KINDS[kind], owner)) for kind in sorted(kinds & KINDS.keys())}
    for kind, found in gather(lists).items():
        yield from [Refusal((KINDS[kind].name,), found)] if isinstance(found, SchedulersError) else found
    for resource, tag in marked.items():
        if tag["ResourceType"] not in KINDS:
            kind = tag["ResourceType"].replace("-", "_")
            state = State("unknown", "its tags are there; it was not looked at itself", None)
            yield Leftover("aws", kind, resource, aws.region, {OWNER: tag["Value"]}, state)


def _list(aws: Aws, kind: Kind, owner: str) -> list[Leftover]:
    mine = {"Name": f"tag:{OWNER}", "Values": [owner]} if owner else {"Name": "tag-key", "Values": [OWNER]}
    request: dict[str, Any] = {kind.filters: [mine]}
    pages = aws.pages("ec2", kind.operation, kind.items, request, doing=f"look for what is left of {kind.name}")
    items = [one for page in pages for one in page["Instances"]] if kind.name == "instance" else pages
    states = ((item, kind.state(item)) for item in items)
    return [
        Leftover("aws", kind.name, item[kind.id], aws.region, from_tags(item.get("Tags") or item.get("TagSet")), state)
        for item, state in states
        if state
    ]


def instance_state(item: Item) -> State | None:
    """A terminated instance is shown for an hour; it costs nothing and goes by itself."""
    name, kind = item["State"]["Name"], item["InstanceType"]
    if name == "terminated":
        return None
    if name in ("stopped", "stopping", "shutting-down"):
        return State(name, f"a {kind} that is {name}")
    networks = item.get("NetworkInterfaces", ())
    # an elastic IP is listed itself; the others belong to Amazon
    given = any(one.get("Association", {}).get("IpOwnerId") == "amazon" for one in networks)
    return State(name, f"a {kind} that is {name}", prices.instance(kind, public_address=given))


def volume_state(item: Item) -> State | None:
    """A volume is paid for whether it is used or not."""
    if item["State"] in ("deleting", "deleted"):
        return None
    used = ", ".join(one["InstanceId"] for one in item.get("Attachments", ())) or "nothing"
    why = f"{item['Size']} GiB of {item['VolumeType']}, attached to {used}"
    return State(item["State"], why, prices.volume(item["VolumeType"], item["Size"]))


def snapshot_state(item: Item) -> State:
    """Only changed blocks are paid for, so the size of the volume is the most that it can be."""
    cost = round(prices.SNAPSHOT * item["VolumeSize"], 2)
    return State(item["State"], f"of a volume of {item['VolumeSize']} GiB", cost)


def address_state(item: Item) -> State:
    """An address is paid for whether it is used or not."""
    used = item.get("InstanceId") or item.get("NetworkInterfaceId")
    state = "associated" if item.get("AssociationId") else "not associated"
    return State(state, f"{item['PublicIp']}, used by {used or 'nothing'}", prices.hourly(prices.PUBLIC_ADDRESS))


def nat_gateway_state(item: Item) -> State | None:
    """A deleted gateway is shown for an hour."""
    if item["State"] in ("deleted", "failed"):
        return None
    return State(item["State"], "paid for by the hour", prices.hourly(prices.NAT_GATEWAY))


WITHIN_OTHERS = frozenset({"security-group-rule"})  # these go with what they are part of
KINDS = {
    "elastic-ip": Kind("elastic_ip", "DescribeAddresses", "Addresses", "AllocationId", address_state),
    "instance": Kind("instance", "DescribeInstances", "Reservations", "InstanceId", instance_state),
    "internet-gateway": Kind("internet_gateway", "DescribeInternetGateways", "InternetGateways", "InternetGatewayId"),
    "key-pair": Kind("key_pair", "DescribeKeyPairs", "KeyPairs", "KeyPairId"),
    "launch-template": Kind("launch_template", "DescribeLaunchTemplates", "LaunchTemplates", "LaunchTemplateId"),
    "natgateway": Kind(
        "nat_gateway", "DescribeNatGateways", "NatGateways", "NatGatewayId", nat_gateway_state, "Filter"
    ),
    "network-interface": Kind(
        "network_interface", "DescribeNetworkInterfaces", "NetworkInterfaces", "NetworkInterfaceId"
    ),
    "route-table": Kind("route_table", "DescribeRouteTables", "RouteTables", "RouteTableId"),
    "security-group": Kind("security_group", "DescribeSecurityGroups", "SecurityGroups", "GroupId"),
    "snapshot": Kind("snapshot", "DescribeSnapshots", "Snapshots", "SnapshotId", snapshot_state),
    "subnet": Kind("subnet", "DescribeSubnets", "Subnets", "SubnetId"),
    "volume": Kind("volume", "DescribeVolumes", "Volumes", "VolumeId", volume_state),
    "vpc": Kind("vpc", "DescribeVpcs", "Vpcs", "VpcId"),
}
