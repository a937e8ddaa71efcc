# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster as the modules return it: the same keys whether there is a cluster or not. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._plan import Live
from .cluster_network import INSTANCE_SECURITY_GROUP
from .clusters import CLUSTER
from .launch_templates import LAUNCH_TEMPLATE
from .scaling_groups import SCALING_GROUP, desired_count, members


def to_result(name: str, live: Mapping[str, Live], registered: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The cluster by its resources and its registered instances."""
    cluster, group, template = (live.get(key) for key in (CLUSTER, SCALING_GROUP, LAUNCH_TEMPLATE))
    security_group = live.get(INSTANCE_SECURITY_GROUP)
    instances = _instances(group, registered)
    return {
        "cluster": {
            "name": name,
            "arn": cluster.attributes["arn"] if cluster else None,
            "status": cluster.attributes["status"] if cluster else None,
            "desired_count": desired_count(group) if group else 0,
            "registered_count": sum(one["agent_connected"] for one in instances),
        },
        "instances": instances,
        "outdated_instances": [one["instance_id"] for one in instances if one["outdated"]],
        "network": {
            "vpc_id": security_group.spec["vpc_id"] if security_group else None,
            "subnet_ids": list(group.spec["subnet_ids"]) if group else [],
            "security_group_id": security_group.id if security_group else None,
        },
        "auto_scaling_group": {
            "name": group.name if group else None,
            "min_size": group.spec["min_size"] if group else None,
            "max_size": group.spec["max_size"] if group else None,
        },
        "launch_template": {
            "id": template.id if template else None,
            "version": template.attributes["version"] if template else None,
            "image_id": template.spec["image_id"] if template else None,
            "instance_type": template.spec["instance_type"] if template else None,
        },
    }


def _instances(group: Live | None, registered: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The members of the group, with what ECS knows of them."""
    known = {one["ec2InstanceId"]: one for one in registered}
    return [
        {
            "instance_id": one["instance_id"],
            "instance_type": one["instance_type"],
            "zone": one["zone"],
            "outdated": group is not None and one["template_version"] != group.spec["template_version"],
            **container_instance(known.get(one["instance_id"], {})),
        }
        for one in (members(group) if group else ())
    ]


def container_instance(known: Mapping[str, Any]) -> dict[str, Any]:
    """What ECS knows of an instance, as the modules return it. Pure."""
    return {
        "container_instance_arn": known.get("containerInstanceArn"),
        "status": known.get("status"),
        "agent_connected": bool(known.get("agentConnected")),
        "running_tasks": known.get("runningTasksCount", 0),
    }
