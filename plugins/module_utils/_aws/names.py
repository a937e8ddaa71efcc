# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names: which ones a user may give, and what the resources behind a cluster or an app are called.

Every service has its own limit, so a derived name that is too long, or has characters that a service refuses, is
shortened and told apart by a hash of the full one. Pure. PRIVATE.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from .._errors import InputError
from .._ownership import Mark

# ECS allows 255; the mark "ecs/<cluster>" is looked for by filters of EC2, whose values have at most 255 characters,
# and a log group "/ecs/<cluster>/<app>" has 512
CLUSTER_NAME_LIMIT = 251
APP_NAME_LIMIT = 255
ECS_NAME = re.compile(r"[A-Za-z0-9_-]+")

ROLE_LIMIT = 64
LAUNCH_TEMPLATE_LIMIT = 128
LONG_LIMIT = 255  # security groups, auto scaling groups, task definition families, services
LOAD_BALANCER_LIMIT = 32  # load balancers of any kind, target groups: letters, digits and hyphens only

HASH_LENGTH = 8


def cluster_mark(cluster: str) -> Mark:
    """The mark of everything that belongs to an ECS cluster itself."""
    return Mark(f"ecs/{cluster}")


def app_mark(cluster: str, app: str) -> Mark:
    """The mark of everything that belongs to one app of an ECS cluster."""
    return Mark(f"ecs/{cluster}", app)


def checked_name(option: str, name: str, limit: int) -> str:
    """The name, if ECS takes it.

    Raises:
        InputError: it is empty, too long, or has other characters than letters, digits, hyphens and underscores.
    """
    if not ECS_NAME.fullmatch(name):
        raise InputError(f"{option}: {name!r} must consist of letters, digits, hyphens and underscores")
    if len(name) > limit:
        raise InputError(f"{option}: {name!r} has {len(name)} characters, {limit} are allowed")
    return name


def derived_name(*words: str, limit: int, plain: bool = False) -> str:
    """The words joined by hyphens, as a name that a service with this limit takes.

    Args:
        limit: the most characters.
        plain: only letters, digits and hyphens are allowed (load balancers, target groups).
    """
    full = "-".join(words)
    name = re.sub(r"[^A-Za-z0-9-]+", "-", full).strip("-") if plain else full
    if name == full and len(name) <= limit:
        return name
    digest = hashlib.sha256(full.encode()).hexdigest()[:HASH_LENGTH]
    return f"{name[: limit - HASH_LENGTH - 1].rstrip('-')}-{digest}"


@dataclass(frozen=True)
class ClusterNames:
    """What the resources behind one ECS cluster are called."""

    cluster: str
    region: str

    @property
    def role(self) -> str:
        """Role and instance profile. IAM is global: the region keeps clusters of one name in two regions apart."""
        return derived_name("ecs", self.cluster, self.region, "instances", limit=ROLE_LIMIT)

    @property
    def launch_template(self) -> str:
        return derived_name("ecs", self.cluster, "instances", limit=LAUNCH_TEMPLATE_LIMIT)

    @property
    def auto_scaling_group(self) -> str:
        return derived_name("ecs", self.cluster, "instances", limit=LONG_LIMIT)

    @property
    def security_group(self) -> str:
        return derived_name("ecs", self.cluster, "instances", limit=LONG_LIMIT)

    @property
    def network(self) -> str:
        """The VPC, its gateway and its route table: EC2 has no names, this is their Name tag."""
        return derived_name("ecs", self.cluster, limit=LONG_LIMIT)

    def subnet(self, zone: str) -> str:
        return derived_name("ecs", self.cluster, zone, limit=LONG_LIMIT)
