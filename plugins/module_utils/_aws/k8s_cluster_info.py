# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes clusters as they are, by their instances. Only looks, and at AWS only. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from .._module import Context, Outcome
from .._ownership import OWNER, PART, owner_of
from .._parallel import gather
from .api import Aws, Connection, from_tags
from .control_plane import CONTROL_PLANE, live_control_plane
from .ec2 import NOT_ENDING, describe_instances
from .k8s_cluster_options import API_PORT
from .k8s_parameters import PROGRESS, Progress, read_value
from .kubernetes_names import LEGACY_TAG, kubernetes_mark

Instance = Mapping[str, Any]


def cluster_info(context: Context) -> Outcome:
    """The named clusters, or all of the region."""
    aws = Aws(Connection.from_params(context.params))
    instances = _instances(aws)
    owners: dict[str, list[Instance]] = {}
    for one in instances:
        owners.setdefault(owner_of(from_tags(one.get("Tags"))), []).append(one)
    clusters = {name: found for owner, found in owners.items() if (name := _name(owner, found))}
    chosen = sorted(name for name in clusters if not context.params["name"] or name in context.params["name"])
    progress = gather({name: partial(_progress, aws, name) for name in chosen})
    return Outcome({"clusters": [to_info(name, clusters[name], progress[name]) for name in chosen]})


def to_info(name: str, instances: Sequence[Instance], progress: Progress) -> dict[str, Any]:
    """One cluster as the module returns it. Pure."""
    first = next((one for one in instances if _part(one) == CONTROL_PLANE), None)
    made_with: Mapping[str, Any] = live_control_plane(first).spec if first else {}
    address = first.get("PublicIpAddress") if first else None
    booted = progress if first and progress.instance == first["InstanceId"] else Progress()
    return {
        "name": name,
        **{setting: made_with.get(setting) for setting in ("version", "zone", "pod_network")},
        "endpoint": f"https://{address}:{API_PORT}" if address else None,
        "owner": kubernetes_mark(name).owner,
        "vpc_id": next((one.get("VpcId") for one in instances), None),
        "boot": {"state": booted.state, "step": booted.step or None},
        "control_plane": _instance(first) if first else None,
        "nodes": [_instance(one) for one in instances if one is not first],
    }


def _instances(aws: Aws) -> Sequence[Instance]:
    """All instances that are there, of whichever cluster."""
    filters = [
        {"Name": "tag-key", "Values": [OWNER]},
        {"Name": "tag-key", "Values": [LEGACY_TAG]},
        NOT_ENDING,
    ]
    return describe_instances(aws, filters, "look for Kubernetes clusters")


def _name(owner: str, instances: Sequence[Instance]) -> str:
    """The cluster that an owner is; empty if the mark and the tag do not say the same."""
    name = from_tags(instances[0].get("Tags"))[LEGACY_TAG]
    return name if kubernetes_mark(name).owner == owner else ""


def _progress(aws: Aws, cluster: str) -> Progress:
    return Progress.parse(read_value(aws, cluster, PROGRESS))


def _part(instance: Instance) -> str | None:
    return from_tags(instance.get("Tags")).get(PART)


def _instance(instance: Instance) -> dict[str, Any]:
    return {
        "instance_id": instance["InstanceId"],
        "instance_type": instance.get("InstanceType"),
        "state": instance["State"]["Name"],
        "private_ip": instance.get("PrivateIpAddress"),
        "public_ip": instance.get("PublicIpAddress"),
    }
