# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that there is of a Kubernetes cluster in AWS, read at once. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from .._ownership import OWNER, PART, only_one
from .._parallel import gather
from .._plan import Live, keyed
from .addresses import read_address
from .api import from_tags, tag_filter
from .control_plane import read_control_plane
from .identity import read_instance_profile, read_role
from .k8s_access import read_kubeconfig, refuse_stranger
from .k8s_cluster_wanted import SIDES, group_key, profile_key, role_key, rule_key
from .k8s_parameters import read_parameters
from .kubernetes_names import KubernetesNames
from .launch_templates import read_launch_template, with_version_in_use
from .network import read_network
from .run import Run
from .scaling_groups import SCALING_GROUP, members, read_scaling_group
from .security_groups import live_security_group, source_openings


def read(run: Run, names: KubernetesNames, kubeconfig: Path) -> dict[str, Live]:
    """Everything, by key.

    Raises:
        NotOursError: something of its name is somebody else's.
    """
    reads: dict[str, Callable[[], Mapping[str, Live]]] = {
        "control plane": lambda: keyed(read_control_plane(run)),
        "group": lambda: keyed(read_scaling_group(run, names.auto_scaling_group)),
        "template": lambda: keyed(read_launch_template(run, names.launch_template("nodes"))),
        "security groups": lambda: read_security_groups(run),
        "network": lambda: read_network(run),
        "address": lambda: read_address(run),
        "parameters": lambda: read_parameters(run, names.cluster),
        "kubeconfig": lambda: keyed(read_kubeconfig(kubeconfig, names.cluster, run.aws.region)),
        **identity_reads(run, names),
    }
    live = {key: one for part in gather(reads).values() for key, one in part.items()}
    refuse_stranger(live)
    group = live.get(SCALING_GROUP)
    return {**with_version_in_use(run, live, group), **nodes_of(group)}


def identity_reads(run: Run, names: KubernetesNames) -> dict[str, Callable[[], Mapping[str, Live]]]:
    """The reads of roles and instance profiles."""

    def role(side: str) -> Mapping[str, Live]:
        return keyed(read_role(run, names.role(side), key=role_key(side), inline=True))

    def profile(side: str) -> Mapping[str, Live]:
        return keyed(read_instance_profile(run, names.role(side), key=profile_key(side)))

    return {
        **{role_key(side): partial(role, side) for side in SIDES},
        **{profile_key(side): partial(profile, side) for side in SIDES},
    }


def read_security_groups(run: Run) -> dict[str, Live]:
    """The groups of both sides, and the rules that let them reach each other.

    Raises:
        ConflictError: there are several of one side.
    """
    filters = {"Filters": tag_filter({OWNER: run.mark.owner})}
    doing = f"look for the security groups of {run.mark.owner}"
    found = run.aws.pages("ec2", "DescribeSecurityGroups", "SecurityGroups", filters, doing=doing)
    groups = {side: _of_side(run, found, side) for side in SIDES}
    there = {side: group for side, group in groups.items() if group}
    live = {
        group_key(side): live_security_group(group, group_key(side), "security_group") for side, group in there.items()
    }
    return {**live, **_rules(there)}


def _of_side(run: Run, found: list[dict[str, Any]], side: str) -> dict[str, Any] | None:
    by_id = {one["GroupId"]: one for one in found if from_tags(one.get("Tags")).get(PART) == group_key(side)}
    group_id = only_one(by_id, f"the security group {side} of {run.mark.owner}")
    return by_id[group_id] if group_id else None


def _rules(groups: Mapping[str, Mapping[str, Any]]) -> dict[str, Live]:
    rules = {}
    for source, source_group in groups.items():
        for target, group in groups.items():
            for spec, _description in source_openings(group, source_group["GroupId"]):
                if spec["protocol"] == "-1":
                    key, name = rule_key(source, target), f"from {source} to {target}"
                    rules[key] = Live(key, "ingress_rule", name, group["GroupId"], spec)
    return rules


def nodes_of(group: Live | None) -> dict[str, Live]:
    """The members of the group as resources of their own, so that they can be replaced."""
    found = {}
    for member in members(group) if group else ():
        name, spec = member["instance_id"], {"template_version": member["template_version"]}
        found[name] = Live(name, "node", name, name, spec)
    return found
