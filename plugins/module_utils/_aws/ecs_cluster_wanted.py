# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An ECS cluster as a list of wanted resources, and what depends on what in it. Pure. PRIVATE."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._errors import InputError
from .._plan import Graph, Live, Ref, Rule, Wanted
from .cluster_network import INSTANCE_SECURITY_GROUP
from .clusters import CLUSTER
from .ecs_app import APP_GRAPH
from .ecs_cluster_options import DEFAULT_CIDR, ClusterOptions
from .identity import IDENTITY_GRAPH, INSTANCE_PROFILE, ROLE, attached, partition
from .images import Image
from .launch_templates import INSTANCE, LAUNCH_TEMPLATE, TEMPLATE_RULE
from .names import ClusterNames
from .network import DEFAULT_ROUTE, INTERNET_GATEWAY, NETWORK_GRAPH, NETWORK_RULES, subnet_key
from .run import Run
from .scaling_groups import SCALING_GROUP, wanted_members
from .security_groups import SECURITY_GROUP_RULE, allowed
from .user_data import ecs_user_data
from .vpcs import VPC

ZONES = 2  # of an own network, if no zones are given: the fewest that every kind of load balancer takes
SUBNETS_PER_VPC = 4  # as a power of two
# ELB wants 8 free addresses in each subnet, which of a /28 are gone with a few instances; it asks for /27 at least
LARGEST_NEW_PREFIX = 23

# What an app adds to its cluster's needs when both go down together. The instances' group goes before that of the load
# balancer which its rules name, so no rule has to be revoked.
_APP_NEEDS: Graph = {
    "service": ("cluster", "auto_scaling_group"),
    "load_balancer_security_group": ("vpc",),
    "classic_load_balancer": ("subnet", "default_route"),
    "load_balancer": ("subnet", "default_route"),
    "target_group": ("vpc",),
}
GRAPH: Graph = {
    **{kind: (*needs, *_APP_NEEDS.get(kind, ())) for kind, needs in APP_GRAPH.items()},
    **IDENTITY_GRAPH,
    **NETWORK_GRAPH,
    "vpc": ("role",),  # IAM lets one run only make a role of a name: that run may make the VPC
    "instance_security_group": ("vpc", "load_balancer_security_group"),
    "launch_template": ("instance_profile", "instance_security_group"),
    "cluster": (),
    "auto_scaling_group": ("launch_template", "subnet", "default_route", "cluster"),
    "instance": ("auto_scaling_group",),
}
RULES: Mapping[str, Rule] = {
    **NETWORK_RULES,
    "instance_security_group": SECURITY_GROUP_RULE,
    "launch_template": TEMPLATE_RULE,
}


@dataclass(frozen=True)
class GivenNetwork:
    """Subnets that are not ours, all of one VPC."""

    vpc_id: str
    subnet_ids: tuple[str, ...]
    zones: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What was looked up besides our own resources.

    Attributes:
        network: where to put the instances, if not into a VPC of their own.
        zones: zones that have the instance type, if that was asked.
        image: the image to start from, if the template needs another one than it has.
    """

    network: GivenNetwork | None = None
    zones: tuple[str, ...] = ()
    image: Image | None = None


def wanted(run: Run, options: ClusterOptions, live: Mapping[str, Live], found: Found) -> list[Wanted]:
    """All resources of the cluster as they should be.

    Raises:
        InputError: an option does not fit what is there.
    """
    names = ClusterNames(options.name, run.aws.region)
    network = [] if found.network else _own_network(run, names, options, live, found)
    vpc_id = found.network.vpc_id if found.network else Ref(VPC)
    subnets = [Ref(one.key) for one in network if one.kind == "subnet"]
    return [
        *_identity(run, names, options, live),
        *network,
        Wanted(
            INSTANCE_SECURITY_GROUP,
            "instance_security_group",
            names.security_group,
            {
                "vpc_id": vpc_id,
                "ingress": None if options.ingress is None else allowed(options.ingress),
                "tags": run.tags_for(INSTANCE_SECURITY_GROUP, names.security_group),
            },
        ),
        Wanted(
            CLUSTER,
            "cluster",
            names.cluster,
            {"container_insights": options.container_insights, "tags": run.tags_for(CLUSTER)},
        ),
        _template(run, names, options, live, found),
        _group(run, names, options, live, list(found.network.subnet_ids) if found.network else subnets),
        *_instances(options, live),
    ]


def sizes(options: ClusterOptions, live: Live | None) -> dict[str, int | None]:
    """How many instances, at least and at most. What is not given stays, stretched as far as what is given needs.

    AWS ends or starts instances by itself where their number is out of new bounds, so that number is named too.
    """
    least, most, desired = options.min_size, options.max_size, options.desired_count
    if live is None:
        start = (
            desired if desired is not None else least if least is not None else min(1, most if most is not None else 1)
        )
        least = start if least is None else least
        return {"min_size": least, "max_size": start if most is None else most, "desired_count": start}
    given = [one for one in (least, desired, most) if one is not None]
    if given:
        least = min(live.spec["min_size"], *given) if least is None else least
        most = max(live.spec["max_size"], *given) if most is None else most
        within = max(least, min(most, live.spec["desired_count"]))
        desired = within if desired is None and within != live.spec["desired_count"] else desired
    return {"min_size": least, "max_size": most, "desired_count": desired}


def subnet_ranges(cidr: str, zones: list[str], live: Mapping[str, str]) -> dict[str, str]:
    """A range for each zone: those that are there keep theirs, the others get the first that are free.

    Args:
        cidr: the VPC's range.
        zones: which need one.
        live: ranges of the subnets that are there, by zone.
    """
    taken = [ipaddress.ip_network(one) for one in live.values()]
    parts = ipaddress.ip_network(cidr).subnets(prefixlen_diff=SUBNETS_PER_VPC)
    free = (part for part in parts if not any(part.overlaps(one) for one in taken))
    try:
        return {zone: live[zone] if zone in live else str(next(free)) for zone in zones}
    except StopIteration:
        raise InputError(f"zones: {cidr} has no room for subnets in {', '.join(zones)}") from None


def own_zones(options: ClusterOptions, live: Mapping[str, Live], offered: tuple[str, ...] = ()) -> list[str]:
    """The zones of the own network: given ones, else those in use, else those it has filled up with offered ones."""
    if options.zones:
        return list(options.zones)
    zones = {one.id: one.spec["zone"] for one in live.values() if one.kind == "subnet"}
    if SCALING_GROUP in live:
        return sorted(zones[one] for one in live[SCALING_GROUP].spec["subnet_ids"] if one in zones)
    more = [zone for zone in offered if zone not in zones.values()]
    return sorted([*zones.values(), *more[: max(0, ZONES - len(zones))]])


def base_policy(region: str) -> str:
    """What an ECS agent may do."""
    return f"arn:{partition(region)}:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"


def _identity(run: Run, names: ClusterNames, options: ClusterOptions, live: Mapping[str, Live]) -> list[Wanted]:
    there = live[ROLE].spec["policies"] if ROLE in live else ()
    others = there if options.instance_policies is None else options.instance_policies
    policies = attached({base_policy(run.aws.region), *others})
    return [
        Wanted(ROLE, "role", names.role, {"policies": policies, "tags": run.tags_for(ROLE)}),
        Wanted(
            INSTANCE_PROFILE,
            "instance_profile",
            names.role,
            {"role": Ref(ROLE), "tags": run.tags_for(INSTANCE_PROFILE)},
        ),
    ]


def _own_network(
    run: Run, names: ClusterNames, options: ClusterOptions, live: Mapping[str, Live], found: Found
) -> list[Wanted]:
    vpc = live.get(VPC)
    if vpc is None and options.cidr and ipaddress.ip_network(options.cidr).prefixlen > LARGEST_NEW_PREFIX:
        raise InputError(
            f"cidr: {options.cidr} is too small for a new cluster, whose subnets get a sixteenth of it each",
            hint=f"A load balancer needs subnets of /27 at least, so give a range of /{LARGEST_NEW_PREFIX} or larger.",
        )
    cidr = options.cidr or (vpc.spec["cidr"] if vpc else DEFAULT_CIDR)
    there = {one.spec["zone"]: one.spec["cidr"] for one in live.values() if one.kind == "subnet"}
    ranges = subnet_ranges(vpc.spec["cidr"] if vpc else cidr, own_zones(options, live, found.zones), there)
    name = names.network
    return [
        Wanted(VPC, "vpc", name, {"cidr": cidr, "tags": run.tags_for(VPC, name)}),
        Wanted(INTERNET_GATEWAY, "internet_gateway", name, {"vpc_id": Ref(VPC)}),
        Wanted(DEFAULT_ROUTE, "default_route", name, {"vpc_id": Ref(VPC), "gateway_id": Ref(INTERNET_GATEWAY)}),
        *(
            Wanted(
                subnet_key(zone),
                "subnet",
                names.subnet(zone),
                {
                    "vpc_id": Ref(VPC),
                    "zone": zone,
                    "cidr": subnet_range,
                    "tags": run.tags_for(subnet_key(zone), names.subnet(zone)),
                },
            )
            for zone, subnet_range in ranges.items()
        ),
    ]


def _template(run: Run, names: ClusterNames, options: ClusterOptions, live: Mapping[str, Live], found: Found) -> Wanted:
    there = live[LAUNCH_TEMPLATE].spec if LAUNCH_TEMPLATE in live else {}
    spec: dict[str, Any] = {
        "image_id": found.image.id if found.image else None,
        "root_device": found.image.root_device if found.image else None,
        "more_volumes": found.image.more_volumes if found.image else None,
        "instance_type": options.type_for(there.get("instance_type")),
        "profile": Ref(INSTANCE_PROFILE),
        "security_group_ids": [Ref(INSTANCE_SECURITY_GROUP)],
        "public_ip": found.network is None,
        "user_data": ecs_user_data(names.cluster),
        "metadata_hops": 1,
        "encrypted": True,
        "volume_size": options.volume_size,
        "volume_kms_key": options.volume_kms_key,
        "key_name": options.key_name,
        "instance_tags": run.tags_for(INSTANCE, names.network),
    }
    return Wanted(LAUNCH_TEMPLATE, "launch_template", names.launch_template, spec)


def _group(
    run: Run, names: ClusterNames, options: ClusterOptions, live: Mapping[str, Live], subnet_ids: list[Any]
) -> Wanted:
    template = live.get(LAUNCH_TEMPLATE)
    spec = {
        **sizes(options, live.get(SCALING_GROUP)),
        "subnet_ids": subnet_ids or None,
        "template_id": template.id if template else Ref(LAUNCH_TEMPLATE),
        "template_version": Ref(LAUNCH_TEMPLATE, "version"),
        "tags": run.tags_for(SCALING_GROUP, names.network),
    }
    return Wanted(SCALING_GROUP, "auto_scaling_group", names.auto_scaling_group, spec)


def _instances(options: ClusterOptions, live: Mapping[str, Live]) -> list[Wanted]:
    """Instances of another version than the group's are replaced, if that is wanted.

    One that an earlier run has begun to drain for that, and had not ended, stays if it is not wanted any more.
    """
    instances = [one for one in live.values() if one.kind == "instance"]
    return wanted_members(instances, replace_outdated=options.replace_outdated)
