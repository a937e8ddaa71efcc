# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster as the modules return it: the same keys whether there is a cluster or not. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .._cluster_api import Node
from .._plan import Live
from .addresses import ADDRESS
from .control_plane import CONTROL_PLANE
from .k8s_access import KUBECONFIG, context_name
from .k8s_cluster_options import API_PORT
from .k8s_cluster_ready import Standing
from .k8s_cluster_wanted import NODES, group_key
from .launch_templates import LAUNCH_TEMPLATE
from .scaling_groups import SCALING_GROUP, members
from .vpcs import VPC


def to_result(
    name: str, live: Mapping[str, Live], standing: Standing, kubeconfig: Path, kept: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The cluster by its resources, and how its nodes are.

    Args:
        kubeconfig: the user's file.
        kept: data volumes that were left.
    """
    control_plane, address, group = live.get(CONTROL_PLANE), live.get(ADDRESS), standing.group
    made_with: Mapping[str, Any] = control_plane.spec if control_plane else {}
    nodes = _nodes(group, standing.nodes)
    return {
        "cluster": {
            "name": name,
            "version": made_with.get("version"),
            "zone": made_with.get("zone"),
            "pod_network": made_with.get("pod_network"),
            "endpoint": f"https://{address.value('public_ip')}:{API_PORT}" if address and control_plane else None,
            "node_count": standing.wanted,
            "ready_count": sum(one["ready"] for one in nodes),
        },
        "kubeconfig": {
            "path": str(kubeconfig) if KUBECONFIG in live else None,
            "context": context_name(name) if KUBECONFIG in live else None,
        },
        "control_plane": {
            "instance_id": control_plane.id if control_plane else None,
            "instance_type": made_with.get("instance_type"),
            "private_ip": control_plane.attributes["private_ip"] if control_plane else None,
            "public_ip": address.value("public_ip") if address and control_plane else None,
        },
        "nodes": nodes,
        "outdated_nodes": [one["instance_id"] for one in nodes if one["outdated"]],
        "network": _network(live),
        "auto_scaling_group": group.name if group and SCALING_GROUP in live else None,
        "launch_template": _template(live.get(LAUNCH_TEMPLATE)),
        "kept_volumes": [dict(one) for one in kept],
    }


def _network(live: Mapping[str, Live]) -> dict[str, Any]:
    def identity(key: str) -> str | None:
        return live[key].id if key in live else None

    return {
        "vpc_id": identity(VPC),
        "subnet_id": next((one.id for one in live.values() if one.kind == "subnet"), None),
        "control_plane_security_group_id": identity(group_key(CONTROL_PLANE)),
        "node_security_group_id": identity(group_key(NODES)),
    }


def _template(template: Live | None) -> dict[str, Any]:
    return {
        "id": template.id if template else None,
        "version": template.attributes["version"] if template else None,
        "image_id": template.spec["image_id"] if template else None,
        "instance_type": template.spec["instance_type"] if template else None,
    }


def _nodes(group: Live | None, known: Sequence[Node]) -> list[dict[str, Any]]:
    """The members of the group, with what the API server knows of them."""
    by_instance = {one.instance: one for one in known}
    return [_node(one, by_instance.get(one["instance_id"]), group) for one in (members(group) if group else ())]


def _node(member: Mapping[str, Any], node: Node | None, group: Live | None) -> dict[str, Any]:
    return {
        "instance_id": member["instance_id"],
        "instance_type": member["instance_type"],
        "zone": member["zone"],
        "name": node.name if node else None,
        "ready": bool(node and node.usable),
        "version": node.version if node else None,
        "outdated": group is not None and member["template_version"] != group.spec["template_version"],
    }
