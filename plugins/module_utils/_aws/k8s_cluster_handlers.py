# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who makes, changes and deletes what of a Kubernetes cluster. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .._plan import Handler, Live
from .addresses import AddressAssociations, Addresses
from .control_plane import CONTROL_PLANE, ControlPlanes
from .identity import InstanceProfiles, Roles, patience
from .k8s_access import Access, Kubeconfigs
from .k8s_cluster_ready import Readiness
from .k8s_parameters import Parameters
from .kubernetes_names import KubernetesNames
from .launch_templates import LaunchTemplates
from .network import DefaultRoutes, InternetGateways, Subnets
from .node_group import UNJOINED, Departures, NodeGroups, Nodes
from .run import Run
from .security_groups import IngressRules, SecurityGroups
from .vpcs import Vpcs


@dataclass(frozen=True)
class Tools:
    """What handlers are made of.

    Attributes:
        role: that of the control plane, as it was before this run.
        kubeconfig: the user's file.
        user_data: what the control plane runs, by its public address.
    """

    run: Run
    names: KubernetesNames
    access: Access
    kubeconfig: Path
    role: Live | None = None
    user_data: Callable[[str], str] = lambda _address: ""


def cluster_handlers(tools: Tools) -> dict[str, Handler]:
    """The handlers of all kinds of resources of a cluster."""
    run, names, access = tools.run, tools.names, tools.access
    roles = Roles(run)
    waited = patience(roles, names.role(CONTROL_PLANE), tools.role)
    departures = Departures(run, access.api)
    readiness = Readiness(run, names.cluster, names.auto_scaling_group, access.api)
    return {
        "role": roles,
        "instance_profile": InstanceProfiles(run),
        "vpc": Vpcs(run, waited),
        "internet_gateway": InternetGateways(run, waited),
        "default_route": DefaultRoutes(run),
        "subnet": Subnets(run),
        "security_group": SecurityGroups(run),
        "ingress_rule": IngressRules(run),
        "parameter": Parameters(run),
        "address": Addresses(run, waited),
        "control_plane": ControlPlanes(run, tools.user_data),
        "address_association": AddressAssociations(run),
        "launch_template": LaunchTemplates(run),
        "auto_scaling_group": NodeGroups(run, departures),
        UNJOINED: Nodes(departures),
        "node": Nodes(departures, readiness.await_ready),
        "kubeconfig": Kubeconfigs(run, access, names.cluster, tools.kubeconfig),
    }
