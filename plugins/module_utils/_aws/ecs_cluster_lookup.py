# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be asked before deciding on a cluster: does all that the options name exist, and does it fit together?

On a cluster that is as it should be nothing is asked. What is refused here is refused before the first change. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from .._errors import InputError, NotFoundError
from .._parallel import gather
from .._plan import Live
from .api import Aws
from .cluster_network import INSTANCE_SECURITY_GROUP
from .ec2 import check_key_pair
from .ecs_cluster_options import LATEST, ClusterOptions
from .ecs_cluster_wanted import ZONES, Found, GivenNetwork, base_policy, own_zones
from .identity import ROLE, check_policy
from .images import (
    Image,
    architecture_of,
    check_volume,
    check_volume_of_template,
    given_image,
    offered_zones,
    recommended_image,
)
from .launch_templates import LAUNCH_TEMPLATE
from .run import Run
from .scaling_groups import SCALING_GROUP
from .vpcs import VPC


def look_up(run: Run, options: ClusterOptions, live: Mapping[str, Live]) -> Found:
    """What has to be known besides: nothing on a cluster that is as it should be.

    Raises:
        InputError: an option names what is not there.
    """
    aws, template = run.aws, live[LAUNCH_TEMPLATE].spec if LAUNCH_TEMPLATE in live else {}
    lookups: dict[str, Callable[[], Any]] = {
        "network": lambda: _network(run, options, live),
        "image": lambda: _image(aws, options, template),
        "policies": lambda: _check_policies(aws, options, live),
    }
    instance_type = options.type_for(template.get("instance_type"))
    if instance_type != template.get("instance_type") or _lacks_subnets(options, live) or _moves(options, live):
        lookups["zones"] = lambda: offered_zones(aws, instance_type)
    if options.key_name and options.key_name != template.get("key_name"):
        lookups["key"] = partial(check_key_pair, aws, options.key_name)
    answers = gather(lookups)
    found = Found(answers["network"], tuple(answers.get("zones", ())), answers["image"])
    _check_zones(options, found, instance_type)
    if found.image:
        check_volume(options.volume_size, found.image)
    elif options.volume_size not in (None, template.get("volume_size")):
        check_volume_of_template(aws, options.volume_size, template)
    return found


def _network(run: Run, options: ClusterOptions, live: Mapping[str, Live]) -> GivenNetwork | None:
    """The given subnets, or those that the cluster is in already; None if it has, or gets, a network of its own."""
    group = live.get(INSTANCE_SECURITY_GROUP)
    if options.subnets:
        given = _given_network(run.aws, options.subnets)
        if group and group.spec["vpc_id"] != given.vpc_id:
            raise InputError(
                f"subnets: these are in {given.vpc_id}, but cluster {options.name} is in {group.spec['vpc_id']}, which "
                f"cannot be changed",
                hint="Name subnets of that VPC, or make another cluster.",
            )
        return given
    if not group or (VPC in live and group.spec["vpc_id"] == live[VPC].id):
        return None
    for option in ("cidr", "zones"):
        if getattr(options, option):
            raise InputError(
                f"{option}: cluster {options.name} is in given subnets of {group.spec['vpc_id']}, not in a network of "
                f"its own",
                hint=f"Leave {option} out, or make another cluster.",
            )
    if SCALING_GROUP not in live:
        raise InputError(
            f"subnets: cluster {options.name} was begun in {group.spec['vpc_id']}, name the subnets for its instances"
        )
    return GivenNetwork(group.spec["vpc_id"], tuple(live[SCALING_GROUP].spec["subnet_ids"]), ())


def _given_network(aws: Aws, subnet_ids: tuple[str, ...]) -> GivenNetwork:
    request = {"SubnetIds": list(subnet_ids)}
    try:
        subnets = aws.pages("ec2", "DescribeSubnets", "Subnets", request, doing="look up the given subnets")
    except NotFoundError as error:
        raise InputError(f"subnets: {error.message}") from error
    vpcs = {one["VpcId"] for one in subnets}
    if len(vpcs) > 1:
        places = ", ".join(sorted(f"{one['SubnetId']} in {one['VpcId']}" for one in subnets))
        raise InputError(f"subnets: all must be of one VPC, but {places}")
    return GivenNetwork(vpcs.pop(), subnet_ids, tuple(one["AvailabilityZone"] for one in subnets))


def _image(aws: Aws, options: ClusterOptions, template: Mapping[str, Any]) -> Image | None:
    """The image for a template that needs another one than it has."""
    architecture = architecture_of(options.type_for(template.get("instance_type")))
    if options.ami and options.ami != LATEST:
        return None if options.ami == template.get("image_id") else given_image(aws, options.ami, architecture)
    fits = bool(template) and architecture_of(template["instance_type"]) == architecture
    return None if fits and options.ami != LATEST else recommended_image(aws, architecture)


def _check_policies(aws: Aws, options: ClusterOptions, live: Mapping[str, Live]) -> None:
    attached = live[ROLE].spec["policies"] if ROLE in live else ()
    for arn in sorted({*(options.instance_policies or ())} - {*attached, base_policy(aws.region)}):
        check_policy(aws, "instance_policies", arn)


def _moves(options: ClusterOptions, live: Mapping[str, Live]) -> bool:
    """Whether the instances are to be in other given subnets than before."""
    there = live[SCALING_GROUP].spec["subnet_ids"] if SCALING_GROUP in live else ()
    return {*(options.subnets or there)} != {*there}


def _lacks_subnets(options: ClusterOptions, live: Mapping[str, Live]) -> bool:
    """Whether subnets of the own network have to be made, if the cluster has one."""
    if options.subnets or (INSTANCE_SECURITY_GROUP in live and VPC not in live):
        return False
    there = {one.spec["zone"] for one in live.values() if one.kind == "subnet"}
    settled = options.zones or SCALING_GROUP in live
    return bool({*own_zones(options, live)} - there) or not (settled or len(there) >= ZONES)


def _check_zones(options: ClusterOptions, found: Found, instance_type: str) -> None:
    """If it was asked where the type is to be had: the given zones have it, or one at least of those given subnets."""
    offered = ", ".join(found.zones)
    unknown = sorted({*(options.zones or ())} - {*found.zones})
    if found.zones and unknown:
        raise InputError(f"zones: there is no {instance_type} in {', '.join(unknown)}, but in {offered}")
    zones = found.network.zones if found.network else ()
    if found.zones and zones and not {*zones} & {*found.zones}:
        raise InputError(f"instance_type: there is no {instance_type} where the subnets are, but in {offered}")
