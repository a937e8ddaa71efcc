# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be known before a cluster can be planned, and was not found with it.

On a cluster that is as it should be nothing is asked. What is refused here is refused before the first change. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from .._errors import InputError, SchedulersError
from .._parallel import gather
from .._plan import Live
from .api import Aws
from .control_plane import CONTROL_PLANE
from .ec2 import check_key_pair
from .identity import check_policy
from .images import (
    Image,
    architecture_of,
    check_volume,
    check_volume_of_template,
    debian_image,
    given_image,
    offered_zones,
)
from .k8s_cluster_options import DEFAULTS, ClusterOptions
from .k8s_cluster_wanted import NODES, Settings, needs_image, role_key
from .launch_templates import LAUNCH_TEMPLATE
from .run import Run

LEAST_CPUS = 2  # kubeadm's own preflight check, as is the memory
LEAST_MEMORY = 1700  # MiB


def look_up(run: Run, options: ClusterOptions, live: Mapping[str, Live], made_with: Settings) -> dict[str, Image]:
    """The images that are needed, by architecture.

    Raises:
        InputError: an option names what is not there, or is too small.
    """
    new_types = _new_types(options, live)
    lookups: dict[str, Callable[[], Any]] = {
        f"image {architecture}": partial(_image, run.aws, options, architecture)
        for architecture in {architecture_of(one) for one in _types_to_image(options, live)}
    }
    for option, instance_type in new_types.items():
        lookups[f"zones {option}"] = partial(_check_zone, run.aws, option, instance_type, made_with.zone)
    if CONTROL_PLANE not in live:
        lookups["size"] = partial(_check_size, run.aws, new_types["control_plane_type"])
    template = live[LAUNCH_TEMPLATE].spec if LAUNCH_TEMPLATE in live else {}
    if options.key_name and options.key_name != template.get("key_name"):
        lookups["key"] = partial(check_key_pair, run.aws, options.key_name)
    if options.volume_size not in (None, template.get("volume_size")) and not needs_image(options, template):
        lookups["volume"] = partial(check_volume_of_template, run.aws, options.volume_size, template)
    lookups |= _policy_checks(run.aws, options, live)
    answers = gather(lookups)
    return {one.architecture: one for one in answers.values() if isinstance(one, Image)}


def _new_types(options: ClusterOptions, live: Mapping[str, Live]) -> dict[str, str]:
    """Instance types that the cluster does not have yet, by option."""
    types = {}
    if CONTROL_PLANE not in live:
        types["control_plane_type"] = options.control_plane_type or DEFAULTS.instance_type
    there = live[LAUNCH_TEMPLATE].spec["instance_type"] if LAUNCH_TEMPLATE in live else None
    node_type = options.node_type or there or DEFAULTS.instance_type
    if node_type != there:
        types["node_type"] = node_type
    return types


def _types_to_image(options: ClusterOptions, live: Mapping[str, Live]) -> list[str]:
    """The instance types that an image has to be found for."""
    types = []
    if CONTROL_PLANE not in live:
        types.append(options.control_plane_type or DEFAULTS.instance_type)
    template = live[LAUNCH_TEMPLATE].spec if LAUNCH_TEMPLATE in live else {}
    if needs_image(options, template):
        types.append(options.node_type or template.get("instance_type") or DEFAULTS.instance_type)
    return types


def _image(aws: Aws, options: ClusterOptions, architecture: str) -> Image:
    image = given_image(aws, options.ami, architecture) if options.ami else debian_image(aws, architecture)
    check_volume(options.volume_size, image)
    return image


def _check_zone(aws: Aws, option: str, instance_type: str, zone: str) -> None:
    try:
        zones = offered_zones(aws, instance_type)
    except InputError as error:
        raise InputError(f"{option}: there is no {instance_type!r} in {aws.region}") from error
    if zone not in zones:
        raise InputError(f"zone: there is no {instance_type} in {zone}, but in {', '.join(zones)}")


def _check_size(aws: Aws, instance_type: str) -> None:
    """Refuse what kubeadm would refuse minutes later."""
    doing = f"look up the size of {instance_type}"
    try:
        answer = aws.call("ec2", "DescribeInstanceTypes", {"InstanceTypes": [instance_type]}, doing=doing)
    except SchedulersError as error:
        if error.code != "InvalidInstanceType":
            raise
        raise InputError(f"control_plane_type: there is no {instance_type!r} in {aws.region}") from error
    kind = answer["InstanceTypes"][0]
    cpus, memory = kind["VCpuInfo"]["DefaultVCpus"], kind["MemoryInfo"]["SizeInMiB"]
    if cpus < LEAST_CPUS or memory < LEAST_MEMORY:
        raise InputError(
            f"control_plane_type: {instance_type} has {cpus} CPUs and {memory} MiB of memory, "
            f"a control plane needs {LEAST_CPUS} and {LEAST_MEMORY}"
        )


def _policy_checks(aws: Aws, options: ClusterOptions, live: Mapping[str, Live]) -> dict[str, Callable[[], None]]:
    there = live[role_key(NODES)].spec["policies"] if role_key(NODES) in live else ()
    new = sorted({*(options.node_policies or ())} - {*there})
    return {f"policy {arn}": partial(check_policy, aws, "node_policies", arn) for arn in new}
