# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a cluster is ready: its API answers, each instance of the group is a node that takes pods, names resolve.

From time to time, and at the end of a wait that fails, a second look finds out why not: AWS starts no instances, or an
instance has said at what its boot failed. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from .._cluster_api import ClusterApi, Node
from .._errors import AnswerLostError, ThrottledError, UnreachableError
from .._plan import Live
from .._wait import wait_until
from .control_plane import CONTROL_PLANE, halted, read_control_plane
from .k8s_parameters import JOIN, NODE_PROGRESS, Progress, parameter_key, read_value
from .node_group import UNJOINED
from .run import Run
from .scaling_activities import activities_of, hopeless, sentences
from .scaling_groups import desired_count, instances_alive, members, read_scaling_group

EXPLAIN_SECONDS = 20.0
# kubeadm looks for the API server for 20 minutes, and for its credentials for 10; the rest is for packages and kubelet
BOOT = timedelta(minutes=45)
HINT = (
    "A node joins if its subnet has a route to the internet, and takes pods once the cloud controller manager in "
    "kube-system has initialised it."
)


@dataclass(frozen=True)
class Standing:
    """What one look has shown.

    Attributes:
        group: the auto scaling group.
        nodes: what the API server knows, with the control plane.
        problem: why the API server, or its names, cannot be used.
        reason: why there will never be enough nodes.
        events: what AWS says, newest first.
        troubles: why pods of the cluster itself do not run: nothing initialises a node, or names do not resolve.
    """

    group: Live | None
    nodes: Sequence[Node] = ()
    problem: str = ""
    reason: str | None = None
    events: Sequence[str] = ()
    troubles: Sequence[str] = ()

    @property
    def instances(self) -> frozenset[str]:
        """The ids of the group's instances."""
        return frozenset(one["instance_id"] for one in members(self.group)) if self.group else frozenset()

    @property
    def usable(self) -> frozenset[str]:
        """Those that are nodes which take pods."""
        return self.instances & {one.instance for one in self.nodes if one.usable}

    @property
    def wanted(self) -> int:
        """How many there should be."""
        return desired_count(self.group) if self.group else 0

    @property
    def ready(self) -> bool:
        """Whether the group is complete, each of its instances is usable, and nothing else is amiss."""
        return not self.problem and len(self.instances) == self.wanted and self.usable == self.instances

    def __str__(self) -> str:
        told = [f"{len(self.usable)} of {self.wanted} nodes are ready"]
        told += [f"{one.name}: {one.problem or 'not initialised by the cloud controller'}" for one in self._unready()]
        return "; ".join([*told, *([self.problem] if self.problem else []), *self.troubles])

    def _unready(self) -> list[Node]:
        return [one for one in self.nodes if one.instance in self.instances and not one.usable]


def amiss(live: Mapping[str, Live], nodes: Sequence[Node], lost: Collection[str]) -> dict[str, Live]:
    """The instances of the group that are not as they should be, with what is amiss in their specs. Pure.

    One will never join. Or an earlier run has begun to empty a node, and ended before it had taken it away.

    Args:
        nodes: what the API server knows.
        lost: which will never join.
    """
    leaving = {one.instance for one in nodes if one.leaving}
    found = {}
    for one in _group_of(live):
        if one.id in leaving:
            found[one.key] = replace(one, spec={**one.spec, "leaving": True})
        elif one.id in lost:
            found[one.key] = replace(one, kind=UNJOINED, spec={**one.spec, "boot": "failed"})
    return found


def never_join(run: Run, live: Mapping[str, Live], nodes: Sequence[Node], failed: Collection[str]) -> set[str]:
    """The instances of the group that the API server does not know, in whatever state, and never will.

    Their boot has failed, or has had its time. Or they are older than the control plane, and trust one that is gone. (A
    control plane that was stopped is as old as its last start; a node that this costs has no pods yet.)

    Args:
        nodes: what the API server knows.
        failed: which have told that their boot has failed.
    """
    unknown = {one.id for one in _group_of(live)} - {one.instance for one in nodes}
    if unknown <= {*failed}:
        return unknown
    since = max(live[CONTROL_PLANE].attributes["launched"], datetime.now(UTC) - BOOT)
    alive = instances_alive(run)
    return {one for one in unknown if one in failed or (one in alive and alive[one]["LaunchTime"] < since)}


def outlived(live: Mapping[str, Live]) -> dict[str, Live]:
    """The instances of the group once the control plane is lost: they trust it, and will not join another one. Pure.

    Unless it never came as far as to tell anybody how to join: then they still wait for that.
    """
    join = live.get(parameter_key(JOIN))
    return amiss(live, (), [one.id for one in _group_of(live)]) if join and join.spec["written"] else {}


def _group_of(live: Mapping[str, Live]) -> list[Live]:
    return [one for one in live.values() if one.kind == "node"]


class Readiness:
    """Looks at a cluster until it is ready.

    Args:
        cluster: its name.
        group: the name of the auto scaling group.
        api: the API server.
    """

    def __init__(self, run: Run, cluster: str, group: str, api: Callable[[], ClusterApi]) -> None:
        self._run = run
        self._cluster = cluster
        self._group = group
        self._api = api
        self._explained = run.deadline.waited()

    def await_ready(self) -> Standing:
        """What the look has shown that found it ready."""
        return wait_until(
            self._look,
            ready=lambda standing: standing.ready,
            failed=lambda standing: standing.reason,
            describe=str,
            events=lambda standing: (*standing.events, *standing.troubles),
            deadline=self._run.deadline,
            doing=f"wait for the nodes of cluster {self._cluster}",
            hint=HINT,
            pace=self._run.pace,
        )

    def look(self) -> Standing:
        """One look; a server that does not answer is told, not raised."""
        standing = Standing(read_scaling_group(self._run, self._group))
        try:
            api = self._api()
            return replace(standing, nodes=tuple(api.nodes()), problem=api.dns_problem())
        except (UnreachableError, AnswerLostError, ThrottledError) as error:
            return replace(standing, problem=f"the API server does not answer: {error.message}")

    def _look(self) -> Standing:
        standing = self.look()
        return standing if standing.ready else self._explained_why(standing)

    def _explained_why(self, standing: Standing) -> Standing:
        failed = Progress.parse(read_value(self._run.aws, self._cluster, NODE_PROGRESS))
        if failed.instance in standing.instances - standing.usable and failed.failure():
            joined = any(one.instance == failed.instance for one in standing.nodes)
            remedy = "Terminate it, and run the task again" if joined else "The next run replaces it"
            return replace(standing, reason=f"a node cannot join: {failed.failure()}. {remedy}")
        waited = self._run.deadline.waited()
        if waited - self._explained <= EXPLAIN_SECONDS and not self._run.deadline.passed():
            return standing
        self._explained = waited
        activities = activities_of(self._run, self._group)
        reason = halted(read_control_plane(self._run)) if standing.problem else None
        told = replace(standing, reason=reason or hopeless(activities), events=sentences(activities))
        return replace(told, troubles=self._troubles(standing))

    def _troubles(self, standing: Standing) -> Sequence[str]:
        """Asked of a server that answers: then it has told its nodes."""
        return self._api().troubles() if standing.nodes else ()
