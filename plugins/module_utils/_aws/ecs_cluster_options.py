# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of ``ecs_cluster`` as one checked value: what cannot work is refused before the first call. PRIVATE."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from .._checks import between
from .._errors import InputError
from .._ownership import PREFIX
from .._texts import texts
from .images import architecture_of
from .limits import checked_range
from .names import CLUSTER_NAME_LIMIT, checked_name
from .security_groups import Opening

LATEST = "latest"
DEFAULT_CIDR = "10.0.0.0/16"
DEFAULT_TYPES = {"x86_64": "t3.small", "arm64": "t4g.small"}
LARGEST_VOLUME = 16384  # GiB, gp3
LARGEST_PREFIX = 24  # of an own VPC: each of its subnets gets a sixteenth, and /28 is the smallest that AWS has;
# a new cluster has to have a larger one, as its load balancers need room
PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
POLICY_ARN = re.compile(r"arn:aws[a-z-]*:iam::(aws|\d{12}):policy/\S+")
# as a launch template takes it (EC2 API reference, LaunchTemplateEbsBlockDeviceRequest.KmsKeyId)
KMS_KEY = re.compile(
    r"(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:)?alias/[A-Za-z0-9/_-]+"
    r"|(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/)?(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)
TAG_LIMIT = 40  # AWS allows 50; the mark, the name, and the tags that Kubernetes' controllers look for need some
TAG_SIGNS = frozenset("_.:/=+-@")  # what IAM, ECS, ELB and CloudWatch Logs allow beside letters, numbers and spaces


@dataclass(frozen=True)
class ClusterOptions:
    """What the user wants. None: not managed."""

    name: str
    min_size: int | None
    max_size: int | None
    desired_count: int | None
    instance_type: str | None
    architecture: str | None
    ami: str | None
    key_name: str | None
    volume_size: int | None
    volume_kms_key: str | None
    subnets: tuple[str, ...] | None
    cidr: str | None
    zones: tuple[str, ...] | None
    ingress: tuple[str, ...] | None
    instance_policies: tuple[str, ...] | None
    container_insights: str | None
    tags: Mapping[str, str]
    replace_outdated: bool
    adopt: bool

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> ClusterOptions:
        """The checked options.

        Raises:
            InputError: one of them cannot work.
        """
        _check_sizes(params)
        _check_instances(params)
        return cls(
            name=checked_name("name", params["name"], CLUSTER_NAME_LIMIT),
            min_size=params["min_size"],
            max_size=params["max_size"],
            desired_count=params["desired_count"],
            instance_type=params["instance_type"] or None,
            architecture=params["architecture"],
            ami=params["ami"] or None,
            key_name=params["key_name"] or None,
            volume_size=params["volume_size"],
            volume_kms_key=params["volume_kms_key"] or None,
            subnets=_given("subnets", params["subnets"], re.compile(r"subnet-[0-9a-f]+"), "subnet-0123456789abcdef0"),
            cidr=_own_cidr(params["cidr"]),
            zones=_given("zones", params["zones"], re.compile(r"[a-z]+(-[a-z]+)+-\d[a-z]"), "eu-west-1a"),
            ingress=_ingress(params["allowed_cidrs"], params["instance_ports"]),
            instance_policies=_policies(params["instance_policies"]),
            container_insights=params["container_insights"],
            tags=shared_tags(params["tags"] or {}),
            replace_outdated=params["replace_outdated"],
            adopt=params["adopt"],
        )

    def type_for(self, live_type: str | None) -> str:
        """The instance type: the given one, else that of the live template, else a small one."""
        if self.instance_type:
            return self.instance_type
        if live_type and self.architecture in (None, architecture_of(live_type)):
            return live_type
        return DEFAULT_TYPES[self.architecture or "x86_64"]


def checked_tags(tags: Mapping[str, Any]) -> dict[str, str]:
    """The user's tags as texts.

    Raises:
        InputError: too many, too long, or with a name that is not the user's to give.
    """
    if len(tags) > TAG_LIMIT:
        raise InputError(f"tags: {len(tags)} are given, {TAG_LIMIT} are allowed")
    checked = texts("tags", tags)
    for key, value in checked.items():
        if key.lower().startswith(("aws:", PREFIX)):
            raise InputError(f"tags: {key!r} must not begin with aws: or {PREFIX}")
        if not 0 < len(key) <= 128 or len(value) > 256:
            raise InputError(f"tags: {key!r} is too long, a key has 1 to 128 characters and a value up to 256")
    return checked


def shared_tags(tags: Mapping[str, Any]) -> dict[str, str]:
    """The user's tags for things of several services; EC2 takes more than the others do.

    Raises:
        InputError: as for ``checked_tags``; or a service refuses a character, or IAM two names that are one to it.
    """
    checked = checked_tags(tags)
    for key, value in checked.items():
        odd = sorted({one for one in key + value if one not in TAG_SIGNS and unicodedata.category(one)[0] not in "LNZ"})
        if odd:
            raise InputError(
                f"tags: {key!r} has {' '.join(odd)}, which not all services take",
                hint="Letters, numbers, spaces and _ . : / = + - @ can be.",
            )
    spellings = {key.lower(): key for key in checked}
    twice = next((key for key in checked if spellings[key.lower()] != key), None)
    if twice:
        raise InputError(f"tags: {twice!r} and {spellings[twice.lower()]!r} are one name to IAM")
    return checked


def checked_network(option: str, text: str, largest: int, smallest: int) -> str:
    """An IPv4 range that machines can have addresses of.

    Args:
        largest: the length of the prefix of the largest one.
        smallest: that of the smallest one.

    Raises:
        InputError: it is none.
    """
    network = ipaddress.ip_network(checked_range(option, text))
    if network.version == 6 or not largest <= network.prefixlen <= smallest:
        raise InputError(f"{option}: {text!r} must be an IPv4 range between /{largest} and /{smallest}")
    nowhere = network.overlaps(ipaddress.ip_network("0.0.0.0/8"))
    if nowhere or network.is_loopback or network.is_link_local or network.is_multicast:
        raise InputError(f"{option}: no machine can have an address of {text}", hint="10.0.0.0/16 is one that can be.")
    return str(network)


def _check_sizes(params: Mapping[str, Any]) -> None:
    sizes = [(name, params[name]) for name in ("min_size", "desired_count", "max_size") if params[name] is not None]
    for name, value in sizes:
        if value < 0:
            raise InputError(f"{name}: {value} must not be below 0")
    for (small, least), (large, most) in pairwise(sizes):
        if least > most:
            raise InputError(f"{small} ({least}) must not be above {large} ({most})")


def _check_instances(params: Mapping[str, Any]) -> None:
    given_type, architecture = params["instance_type"], params["architecture"]
    if given_type and architecture not in (None, architecture_of(given_type)):
        raise InputError(f"architecture: {given_type} has {architecture_of(given_type)}, not {architecture}")
    ami = params["ami"]
    if ami and ami != LATEST and not re.fullmatch(r"ami-[0-9a-f]+", ami):
        raise InputError(f"ami: {ami!r} must be the id of an image (ami-0123456789abcdef0), or {LATEST}")
    key = params["volume_kms_key"]
    if key and not KMS_KEY.fullmatch(key):
        raise InputError(
            f"volume_kms_key: {key!r} must be a KMS key: its ARN (arn:aws:kms:<region>:<account>:key/<id>), its id, "
            f"or an alias of it (alias/<name>)"
        )
    size = params["volume_size"]
    if size is not None:
        between("volume_size", size, 1, LARGEST_VOLUME, "GiB")


def _given(option: str, values: Sequence[str] | None, pattern: re.Pattern[str], example: str) -> tuple[str, ...] | None:
    if values is None:
        return None
    if not values:
        raise InputError(f"{option}: at least one is needed")
    for value in values:
        if not pattern.fullmatch(value):
            raise InputError(f"{option}: {value!r} must look like {example}")
    return tuple(sorted(set(values)))


def _own_cidr(text: str | None) -> str | None:
    if text is None:
        return None
    return checked_network("cidr", text, 16, LARGEST_PREFIX)


def _ingress(ranges: Sequence[str] | None, ports: Sequence[str]) -> tuple[str, ...] | None:
    """The openings that the two options mean together, as the texts of ``Opening``."""
    spans = [_ports(one) for one in ports]
    if ranges is None:
        return None
    sources = [checked_range("allowed_cidrs", one) for one in ranges]
    return tuple(sorted({str(Opening("tcp", *span, source)) for span in spans for source in sources}))


def _ports(text: str) -> tuple[int, int]:
    match = PORTS.fullmatch(text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= 65535:
        raise InputError(f"instance_ports: {text!r} must be a port from 1 to 65535, or a range such as 32768-60999")
    return first, last


def _policies(arns: Sequence[str] | None) -> tuple[str, ...] | None:
    for arn in arns or ():
        if not POLICY_ARN.fullmatch(arn):
            raise InputError(
                f"instance_policies: {arn!r} must be the ARN of a policy, such as arn:aws:iam::aws:policy/X"
            )
    return None if arns is None else tuple(sorted(set(arns)))
