# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node says about itself. Pure. PRIVATE."""

from __future__ import annotations

from .objects import Object, conditions_of, is_true, name_of

UNINITIALISED = "node.cloudprovider.kubernetes.io/uninitialized"
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


def is_ready(node: Object) -> bool:
    """Whether a node takes pods: its kubelet is well, and the cloud has said who it is."""
    return is_true(node, "Ready") and UNINITIALISED not in taints_of(node)


def is_control_plane(node: Object) -> bool:
    """Whether it is one of those that run the cluster."""
    return CONTROL_PLANE in (node["metadata"].get("labels") or {})


def taints_of(node: Object) -> set[str]:
    """The keys of a node's taints."""
    return {one["key"] for one in (node.get("spec") or {}).get("taints") or ()}


def describe_node(node: Object) -> str:
    """The state of a node in a few words."""
    ready = conditions_of(node).get("Ready", {})
    if ready.get("status") != "True":
        said = ready.get("message") or "its kubelet has not reported yet"
        return f"node {name_of(node)} is not ready: {said}"
    if UNINITIALISED in taints_of(node):
        return f"node {name_of(node)} waits for the cloud controller manager ({UNINITIALISED})"
    return f"node {name_of(node)} is ready"
