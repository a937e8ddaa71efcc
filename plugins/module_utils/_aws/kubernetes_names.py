# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the AWS resources behind a Kubernetes cluster are called, and by which tags they are found. Pure. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._errors import InputError
from .._ownership import Mark
from .names import LAUNCH_TEMPLATE_LIMIT, LONG_LIMIT, ROLE_LIMIT, derived_name

CLUSTER_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # a DNS label: it is part of names everywhere
LEGACY_TAG = "KubernetesCluster"  # that of the chapter; with it, the controllers put both on what they make


def kubernetes_mark(cluster: str) -> Mark:
    """The mark of everything that belongs to a Kubernetes cluster."""
    return Mark(f"kubernetes/{cluster}", adopts=False)


def cluster_tag(cluster: str) -> str:
    """The key of the tag by which Kubernetes' controllers know what is the cluster's."""
    return f"kubernetes.io/cluster/{cluster}"


def cluster_tags(cluster: str) -> dict[str, str]:
    """The tags of what is the cluster's, in the words of Kubernetes' controllers."""
    return {LEGACY_TAG: cluster, cluster_tag(cluster): "owned"}


def refuse_cluster_tags(tags: Mapping[str, Any]) -> None:
    """Refuse tags by which Kubernetes' controllers know what is the cluster's: they have to say what they say.

    Raises:
        InputError: one of them is given.
    """
    taken = next((key for key in tags if key == LEGACY_TAG or key.startswith(cluster_tag(""))), None)
    if taken:
        raise InputError(f"tags: {taken} says whose a thing is, and is set by this module")


def checked_cluster_name(option: str, name: str) -> str:
    """The name, if everything that carries it takes it.

    Raises:
        InputError: it is not a DNS label.
    """
    if not CLUSTER_NAME.fullmatch(name):
        raise InputError(f"{option}: {name!r} must be 1 to 63 lower-case letters, digits, or hyphens between them")
    return name


@dataclass(frozen=True)
class KubernetesNames:
    """What the resources behind one Kubernetes cluster are called."""

    cluster: str
    region: str

    def role(self, of: str) -> str:
        """Role and instance profile. IAM is global: the region keeps clusters of one name in two regions apart."""
        return derived_name("kubernetes", self.cluster, self.region, of, limit=ROLE_LIMIT)

    def launch_template(self, of: str) -> str:
        return derived_name("kubernetes", self.cluster, of, limit=LAUNCH_TEMPLATE_LIMIT)

    def security_group(self, of: str) -> str:
        return derived_name("kubernetes", self.cluster, of, limit=LONG_LIMIT)

    @property
    def auto_scaling_group(self) -> str:
        return derived_name("kubernetes", self.cluster, "nodes", limit=LONG_LIMIT)

    @property
    def network(self) -> str:
        """The VPC and what goes with it: EC2 has no names, this is their Name tag."""
        return derived_name("kubernetes", self.cluster, limit=LONG_LIMIT)

    def named(self, what: str) -> str:
        """The Name tag of something else."""
        return derived_name("kubernetes", self.cluster, what, limit=LONG_LIMIT)
