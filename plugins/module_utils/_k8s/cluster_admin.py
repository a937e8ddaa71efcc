# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster as a whole, for who makes and unmakes it: nodes, and what holds on to things outside. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from .._clock import Deadline
from .._cluster_api import Node
from .._errors import BusyError, SchedulersError, WaitTimeoutError
from .._ownership import PREFIX
from .._wait import Pace, wait_until
from .api import Api, Object
from .explaining import explain
from .kinds import DEPLOYMENT, NODE, POD, SERVICE, VOLUME_ATTACHMENT, VOLUME_CLAIM, Kind
from .login import log_in
from .objects import FINISHED, conditions_of, controller_of, name_of, namespace_of, place_of
from .ready import state_of
from .transport import Transport

SYSTEM = "kube-system"
DNS = "coredns"
UNINITIALISED = "node.cloudprovider.kubernetes.io/uninitialized"
MIRROR = "kubernetes.io/config.mirror"
LEAVING = f"{PREFIX}leaving"  # tells a node that a run has cordoned from one that somebody else has
DETACH_SECONDS = 120.0
GLANCE_SECONDS = 5.0  # a server that a firewall hides does not answer at all, and this run may be the one to open it


def connect(kubeconfig: Mapping[str, Any]) -> ClusterAdmin:
    """The cluster that a kubeconfig leads to; nothing is asked yet."""
    return ClusterAdmin(Api(Transport(log_in({"kubeconfig": kubeconfig}, {}))))


class ClusterAdmin:
    """Implements ``_cluster_api.ClusterApi``."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def nodes(self) -> Sequence[Node]:
        """All nodes, with that of the control plane."""
        return [node_of(one) for one in self._api.list(NODE).items]

    def glance(self) -> Sequence[Node] | None:
        """All nodes; None if the server does not say at once."""
        try:
            return ClusterAdmin(self._api.hurried(GLANCE_SECONDS)).nodes()
        except SchedulersError:
            return None

    def dns_problem(self) -> str:
        """Why names cannot be resolved, the empty string if they can."""
        found = self._api.get(DEPLOYMENT, DNS, SYSTEM)
        if found is None:
            return "CoreDNS is not there"
        state = state_of(found)
        return "" if state.ready else f"CoreDNS: {state.text}"

    def troubles(self) -> Sequence[str]:
        """Why pods of the cluster itself do not run. What a node lacks, it says in ``nodes``."""
        return [one.sentence() for one in explain(self._api, SYSTEM) if one.code != "node_not_ready"]

    def drain(self, node: str, deadline: Deadline, pace: Pace) -> None:
        """No new pods for the node, and those that are there end or move, with their volumes; budgets are respected.

        Raises:
            WaitTimeoutError: some did not in time; the message names them.
        """
        there = self._api.get(NODE, node)
        if there is None:
            return
        if not (there.get("spec") or {}).get("unschedulable"):
            self._set_cordoned(node, cordoned=True)

        def evicted() -> list[str]:
            pods = [one for one in self._api.list(POD, fields=f"spec.nodeName={node}").items if movable(one)]
            return [self._evict(one) for one in pods]

        wait_until(
            evicted,
            ready=lambda left: not left,
            describe=lambda left: f"{', '.join(left)} on {node}",
            deadline=deadline,
            doing=f"move the pods away from {node}",
            hint="Is there room for them on the other nodes, and does a PodDisruptionBudget allow it?",
            pace=pace,
        )
        self._let_go(node, deadline, pace)

    def _let_go(self, node: str, deadline: Deadline, pace: Pace) -> None:
        """Volumes come off the node: one that is still on it when it ends can be used elsewhere only minutes later.

        It can be used then, though. So one that never comes off, such as that of a daemon set, is not waited for long.
        """

        def attached() -> list[str]:
            found = [one["spec"] for one in self._api.list(VOLUME_ATTACHMENT).items]
            return [str(one["source"].get("persistentVolumeName")) for one in found if one["nodeName"] == node]

        with suppress(WaitTimeoutError):
            wait_until(
                attached,
                ready=lambda left: not left,
                deadline=Deadline(deadline.clock, min(DETACH_SECONDS, deadline.left())),
                doing=f"take the volumes off {node}",
                pace=pace,
            )

    def uncordon(self, node: str) -> None:
        """Undoes what ``drain`` begins with."""
        self._set_cordoned(node, cordoned=False)

    def _set_cordoned(self, node: str, *, cordoned: bool) -> None:
        annotations = {LEAVING: "true" if cordoned else None}
        change = {"metadata": {"annotations": annotations}, "spec": {"unschedulable": True if cordoned else None}}
        self._api.patch(NODE, node, change)

    def delete_node(self, node: str) -> None:
        """Its machine is gone for good."""
        self._api.delete(NODE, node)

    def load_balancer_services(self) -> Sequence[str]:
        """Services that have load balancers, as "namespace/name"."""
        services = self._api.list(SERVICE).items
        return [place_of(one) for one in services if one["spec"].get("type") == "LoadBalancer"]

    def claims(self) -> Sequence[str]:
        """Claims for volumes, as "namespace/name"."""
        return [place_of(one) for one in self._api.list(VOLUME_CLAIM).items]

    def delete_service(self, name: str, deadline: Deadline, pace: Pace) -> None:
        """Ends when its load balancer is gone, too: until then a finalizer keeps it."""
        namespace, _slash, plain = name.partition("/")
        self._delete(SERVICE, name)
        wait_until(
            lambda: self._api.get(SERVICE, plain, namespace),
            ready=lambda found: found is None,
            describe=lambda _found: "its load balancer is not gone yet",
            hint="Its events say what keeps the cloud controller from deleting the load balancer.",
            deadline=deadline,
            doing=f"delete service {name}",
            pace=pace,
        )

    def delete_claim(self, name: str) -> None:
        """Asked for only: a claim that a pod uses goes with its pod."""
        self._delete(VOLUME_CLAIM, name)

    def _delete(self, kind: Kind, name: str) -> None:
        namespace, _slash, plain = name.partition("/")
        self._api.delete(kind, plain, namespace)

    def _evict(self, pod: Object) -> str:
        """Ask a pod to go; says what still has to."""
        name, namespace = name_of(pod), namespace_of(pod)
        if pod["metadata"].get("deletionTimestamp"):
            return f"{namespace}/{name} (ending)"
        try:
            self._api.evict(name, namespace)
        except BusyError:
            return f"{namespace}/{name} (its disruption budget does not allow it yet)"
        return f"{namespace}/{name}"


def node_of(thing: Object) -> Node:
    """A node of the API. Pure."""
    spec, condition = thing.get("spec") or {}, conditions_of(thing).get("Ready", {})
    ready = condition.get("status") == "True"
    taints = {one["key"] for one in spec.get("taints") or ()}
    return Node(
        name=name_of(thing),
        instance=str(spec.get("providerID", "")).rpartition("/")[2],
        ready=ready,
        initialised=UNINITIALISED not in taints,
        version=str((thing.get("status") or {}).get("nodeInfo", {}).get("kubeletVersion", "")),
        problem="" if ready else str(condition.get("message") or "its kubelet has not reported yet"),
        leaving=LEAVING in (thing["metadata"].get("annotations") or {}),
    )


def movable(pod: Object) -> bool:
    """Whether a pod keeps a node from being empty: not those of daemon sets or the kubelet, nor finished ones."""
    controller = controller_of(pod) or {}
    annotations = pod["metadata"].get("annotations") or {}
    phase = (pod.get("status") or {}).get("phase")
    return controller.get("kind") != "DaemonSet" and MIRROR not in annotations and phase not in FINISHED
