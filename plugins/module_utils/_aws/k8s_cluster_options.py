# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of ``k8s_aws_cluster`` as one checked value: what cannot work is refused before any call. PRIVATE."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from .._checks import at_least, between
from .._errors import InputError
from .ecs_cluster_options import LARGEST_VOLUME, POLICY_ARN, checked_network, shared_tags
from .images import architecture_of
from .k8s_addons import CLOUD_CONTROLLER_VERSIONS
from .kubernetes_names import checked_cluster_name, refuse_cluster_tags
from .limits import checked_range
from .security_groups import Opening

API_PORT = 6443
ANYWHERE = ("0.0.0.0/0",)
ZONE = re.compile(r"([a-z]+(?:-[a-z]+)+-\d+)[a-z]")
VERSION = re.compile(r"(\d+\.\d+)\.\d+")
LEAST_VOLUME = 10  # GiB: images, logs, and room to run


@dataclass(frozen=True)
class Defaults:
    """What a new cluster gets where nothing is said: a little more than the chapter's, as kubeadm needs."""

    version: str = "1.36.4"
    node_count: int = 2
    instance_type: str = "t3.medium"
    volume_size: int = 30
    cidr: str = "172.20.0.0/16"
    pod_network: str = "routes"
    pod_cidr: str = "10.244.0.0/16"
    service_cidr: str = "10.96.0.0/16"


DEFAULTS = Defaults()


@dataclass(frozen=True)
class ClusterOptions:
    """What the user wants. None: not managed."""

    name: str
    zone: str | None
    node_count: int | None
    control_plane_type: str | None
    node_type: str | None
    version: str | None
    ami: str | None
    key_name: str | None
    volume_size: int | None
    cidr: str | None
    pod_network: str | None
    pod_cidr: str | None
    service_cidr: str | None
    ingress: tuple[str, ...] | None
    node_policies: tuple[str, ...] | None
    tags: Mapping[str, str]
    replace_outdated: bool

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> ClusterOptions:
        """The checked options.

        Raises:
            InputError: one of them cannot work.
        """
        _check_numbers(params)
        _check_instances(params)
        refuse_cluster_tags(params["tags"] or {})
        plain = ("zone", "node_count", "control_plane_type", "node_type", "ami", "key_name", "volume_size")
        return cls(
            name=checked_cluster_name("name", params["name"]),
            **{name: params[name] or None for name in plain},
            version=_version(params["version"]),
            cidr=_range("cidr", params["cidr"], 16, 24),
            pod_network=params["pod_network"],
            pod_cidr=_range("pod_cidr", params["pod_cidr"], 8, 22),
            service_cidr=_range("service_cidr", params["service_cidr"], 12, 24),
            ingress=_ingress(params["allowed_cidrs"]),
            node_policies=_policies(params["node_policies"]),
            tags=shared_tags(params["tags"] or {}),
            replace_outdated=params["replace_outdated"],
        )


def check_room(pod_cidr: str, node_count: int) -> None:
    """Refuse more nodes than can be given a range for their pods: each, and the control plane, is given a /24. Pure.

    Raises:
        InputError: there are too many.
    """
    room = 2 ** (24 - ipaddress.ip_network(pod_cidr).prefixlen) - 1
    if node_count > room:
        raise InputError(
            f"node_count is {node_count}, but pod_cidr {pod_cidr} has room for {room} nodes",
            hint="Each node takes 256 addresses for its pods, the control plane too.",
        )


def check_ranges(ranges: Mapping[str, str]) -> None:
    """Refuse address ranges of which one is part of another, by option.

    Raises:
        InputError: two of them overlap.
    """
    for (one, first), (other, second) in combinations(ranges.items(), 2):
        if ipaddress.ip_network(first).overlaps(ipaddress.ip_network(second)):
            raise InputError(f"{one}: {first} overlaps with {other} {second}; nodes, pods and services need their own")


def check_zone_of_region(zone: str | None, region: str) -> None:
    """Refuse a zone that is not one of the region.

    Raises:
        InputError: it is none.
    """
    match = ZONE.fullmatch(zone) if zone else None
    if zone and (not match or match[1] != region):
        raise InputError(f"zone: {zone!r} is no availability zone of {region}; {region}a is one, for example")


def _check_numbers(params: Mapping[str, Any]) -> None:
    count, size = params["node_count"], params["volume_size"]
    if count is not None:
        at_least("node_count", count, 1)
    if size is not None:
        between("volume_size", size, LEAST_VOLUME, LARGEST_VOLUME, "GiB")


def _check_instances(params: Mapping[str, Any]) -> None:
    given = {one: params[one] for one in ("control_plane_type", "node_type") if params[one]}
    architectures = {option: _architecture(option, one) for option, one in given.items()}
    if params["ami"] and not re.fullmatch(r"ami-[0-9a-f]+", params["ami"]):
        raise InputError(f"ami: {params['ami']!r} must be the id of an image (ami-0123456789abcdef0)")
    if params["ami"] and len({*architectures.values()}) > 1:
        raise InputError("ami: one image cannot serve both an x86_64 and an arm64 instance type")


def _architecture(option: str, instance_type: str) -> str:
    try:
        return architecture_of(instance_type)
    except InputError as error:
        raise InputError(f"{option}: {instance_type!r} is no instance type; t3.medium is one, for example") from error


def _version(text: str | None) -> str | None:
    if text is None:
        return None
    match = VERSION.fullmatch(text)
    if not match or match[1] not in CLOUD_CONTROLLER_VERSIONS:
        supported = ", ".join(f"{minor}.x" for minor in CLOUD_CONTROLLER_VERSIONS)
        raise InputError(f"version: {text!r} is not supported; {supported} are, written like {DEFAULTS.version}")
    return text


def _range(option: str, text: str | None, largest: int, smallest: int) -> str | None:
    if text is None:
        return None
    return checked_network(option, text, largest, smallest)


def _ingress(ranges: list[str] | None) -> tuple[str, ...] | None:
    """Who may reach the API server, as the texts of ``Opening``."""
    if ranges is None:
        return None
    sources = [checked_range("allowed_cidrs", one) for one in ranges]
    return tuple(sorted({str(Opening("tcp", API_PORT, API_PORT, source)) for source in sources}))


def _policies(arns: list[str] | None) -> tuple[str, ...] | None:
    for arn in arns or ():
        if not POLICY_ARN.fullmatch(arn):
            raise InputError(f"node_policies: {arn!r} must be the ARN of a policy, such as arn:aws:iam::aws:policy/X")
    return None if arns is None else tuple(sorted(set(arns)))
