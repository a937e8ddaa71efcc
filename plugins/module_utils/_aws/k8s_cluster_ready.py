# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a cluster is ready: its API answers, each instance of the group is a node that takes pods, names resolve.

From time to time, and at the end of a wait that fails, a second look finds out why not: AWS starts no instances, or an
instance has said at what its boot failed. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from .._cluster_api import ClusterApi, Node
from .._errors import AnswerLostError, ThrottledError, UnreachableError
from .._plan import Live
from .._wait import wait_until
from .cluster_ready import activities_of, hopeless, sentence
from .control_plane import halted, read_control_plane
from .k8s_parameters import NODE_PROGRESS, Progress, read_value
from .run import Run
from .scaling_groups import desired_count, members, read_scaling_group

EXPLAIN_SECONDS = 20.0
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


def amiss(live: Mapping[str, Live], nodes: Sequence[Node], progress: Progress) -> dict[str, Live]:
    """The instances of the group that are not as they should be, with what is amiss in their specs. Pure.

    One has told of a boot that failed, and the API server knows no node of it, in whatever state. Or an earlier run has
    begun to empty a node, and ended before it had taken it away.

    Args:
        nodes: what the API server knows.
        progress: what an instance has told last.
    """
    known = {one.instance: one for one in nodes}
    found = {}
    for one in live.values():
        if one.kind != "node":
            continue
        if one.id in known and known[one.id].leaving:
            found[one.key] = replace(one, spec={**one.spec, "leaving": True})
        elif one.id not in known and one.id == progress.instance and progress.state == "failed":
            found[one.key] = replace(one, spec={**one.spec, "boot": progress.state})
    return found


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
        ).value

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
        told = replace(standing, reason=reason or hopeless(activities), events=[sentence(one) for one in activities])
        return replace(told, troubles=self._troubles(standing))

    def _troubles(self, standing: Standing) -> Sequence[str]:
        """Asked of a server that answers: then it has told its nodes."""
        return self._api().troubles() if standing.nodes else ()
