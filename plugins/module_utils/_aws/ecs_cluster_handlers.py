# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who makes, changes and deletes what of an ECS cluster. PRIVATE."""

from __future__ import annotations

from .._plan import Handler, Live
from .clusters import Clusters
from .identity import InstanceProfiles, Roles, patience
from .instances import Instances
from .launch_templates import LaunchTemplates
from .names import ClusterNames
from .network import DefaultRoutes, InternetGateways, Subnets
from .run import Run
from .scaling_groups import ScalingGroups
from .security_groups import SecurityGroups
from .vpcs import Vpcs


def cluster_handlers(run: Run, names: ClusterNames, role: Live | None, *, force: bool = False) -> dict[str, Handler]:
    """The handlers of all kinds of resources of a cluster.

    Args:
        role: the role that was there before this run.
        force: whether the cluster goes even if instances that are not ours are registered with it.
    """
    roles = Roles(run)
    waited = patience(roles, names.role, role)
    return {
        "role": roles,
        "instance_profile": InstanceProfiles(run),
        "vpc": Vpcs(run, waited),
        "internet_gateway": InternetGateways(run, waited),
        "default_route": DefaultRoutes(run),
        "subnet": Subnets(run),
        "instance_security_group": SecurityGroups(run),
        "launch_template": LaunchTemplates(run),
        "cluster": Clusters(run, force=force),
        "auto_scaling_group": ScalingGroups(run),
        "instance": Instances(run, names.cluster, names.auto_scaling_group),
    }
