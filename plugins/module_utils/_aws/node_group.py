# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of a Kubernetes cluster: an auto scaling group that empties a node before it takes it away. PRIVATE."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from .._cluster_api import ClusterApi
from .._plan import Live, Spec, Step
from .run import Run
from .scaling_groups import ScalingGroups, await_terminated, members, only_stays, terminate_member

UNJOINED = "unjoined_node"  # the kind of a node that will never join: it can go at once, and goes before others


def surplus(group: Live, count: int) -> list[str]:
    """The instances that go when a group shrinks: outdated ones first, then those that are not in service yet. Pure."""
    current = group.spec["template_version"]

    def worth(one: Mapping[str, Any]) -> tuple[bool, bool, str]:
        return one["template_version"] == current, one["lifecycle"] == "InService", one["instance_id"]

    ordered = [one["instance_id"] for one in sorted(members(group), key=worth)]
    return ordered[: max(0, len(ordered) - count)]


class Departures:
    """Takes nodes away, one by one, as the pods of one need room on the others."""

    def __init__(self, run: Run, api: Callable[[], ClusterApi]) -> None:
        self._run = run
        self._api = api
        self._turn = threading.Lock()

    def take(self, instance_id: str, step: Step, *, replaced: bool) -> None:
        """Empty a node, and terminate its instance.

        Args:
            replaced: whether the group starts another one in its place.
        """
        with self._turn:
            api = self._api()
            name = next((one.name for one in api.nodes() if one.instance == instance_id), None)
            if name:
                api.drain(name, self._run.deadline, self._run.pace)
            terminate_member(self._run, instance_id, step.sentence, replaced=replaced)
            await_terminated(self._run, f"wait until {instance_id} is terminated", {instance_id})
            if name:
                api.delete_node(name)

    def call_off(self, instance_id: str) -> None:
        """Let a node stay that an earlier run has begun to empty."""
        api = self._api()
        for one in api.nodes():
            if one.instance == instance_id:
                api.uncordon(one.name)


class NodeGroups(ScalingGroups):
    """Groups as ``ScalingGroups`` has them."""

    def __init__(self, run: Run, departures: Departures) -> None:
        super().__init__(run)
        self._departures = departures

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        leaving = surplus(live, spec["desired_count"]) if "desired_count" in spec else []
        if leaving:
            # with a lower minimum only, the group itself takes nothing away
            self._resize(step, {"min_size": spec["min_size"]})
            for instance_id in leaving:
                self._departures.take(instance_id, step, replaced=False)
        return super().update(step, spec, live)


class Nodes:
    """Nodes with spec ``{template_version, boot, leaving}``: replaced, if more than that it is leaving has to change.

    Args:
        await_ready: ends when the group has all of its nodes again. Who replaces nodes that never joined does without:
            nothing was on them, and until the last one is replaced, the group never has them all.
    """

    def __init__(self, departures: Departures, await_ready: Callable[[], object] = lambda: None) -> None:
        self._departures = departures
        self._await_ready = await_ready
        self._turn = threading.Lock()

    def create(self, step: Step, spec: Spec) -> Live:
        raise NotImplementedError(f"{step.label}: auto scaling groups make nodes")

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        if only_stays(step):
            self._departures.call_off(live.id)
            return Live(live.key, live.kind, live.name, live.id, {**live.spec, **spec})
        with self._turn:
            self._departures.take(live.id, step, replaced=True)
            self._await_ready()
        return Live(live.key, live.kind, live.name, live.id, spec)

    def delete(self, step: Step, live: Live) -> None:
        """Nothing to do: nodes go with their group."""
