# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ECS cluster itself: a name that instances and services register with. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._errors import BusyError, NotFoundError
from .._ownership import require_ours
from .._plan import Live, Spec, Step
from .._retry import create_once
from .._wait import wait_until
from .api import ecs_tags, from_tags
from .run import Run

CLUSTER = "cluster"  # key of a plan, and part in the mark
THERE = {"ACTIVE", "PROVISIONING"}  # a deleted cluster stays visible as INACTIVE for a while


def read_cluster(run: Run, name: str, *, adopt: bool = False) -> Live | None:
    """The cluster, if it is there.

    Raises:
        NotOursError: there is one of this name that is not ours.
    """
    request = {"clusters": [name], "include": ["TAGS", "SETTINGS"]}
    found = run.aws.call("ecs", "DescribeClusters", request, doing=f"look for cluster {name}")["clusters"]
    if not found or found[0]["status"] not in THERE:
        return None
    require_ours(run.mark, from_tags(found[0].get("tags")), f"cluster {name}", adopt=adopt)
    return _live(found[0])


class Clusters:
    """Clusters with spec ``{container_insights, tags}``.

    Args:
        force: whether a cluster goes even if instances that are not ours are registered with it.
    """

    def __init__(self, run: Run, *, force: bool = False) -> None:
        self._run = run
        self._force = force

    def create(self, step: Step, spec: Spec) -> Live:
        request = {"clusterName": step.name, "tags": ecs_tags(spec["tags"]), "settings": _settings(spec)}

        def create() -> Live:
            # in an account that never had a cluster, ECS's own role is made first, and takes a moment
            answer = self._run.aws.call("ecs", "CreateCluster", request, doing=step.sentence, settles=True)
            cluster = answer["cluster"]
            # the call succeeds for a cluster that is there already, whoever made it
            require_ours(self._run.mark, from_tags(cluster.get("tags")), step.label)
            return _live(cluster)

        return create_once(create, lambda: read_cluster(self._run, step.name), self._run.aws.policy)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        changed = {one.field for one in step.differences}
        if "container_insights" in changed:
            self._call("UpdateCluster", {"cluster": live.id, "settings": _settings(spec)}, step)
        if "tags" in changed:
            request = {"resourceArn": live.attributes["arn"], "tags": ecs_tags(spec["tags"])}
            self._call("TagResource", request, step)
        return Live(live.key, live.kind, live.name, live.id, {**live.spec, **spec}, live.attributes)

    def delete(self, step: Step, live: Live) -> None:
        def attempt() -> str:
            try:
                self._call("DeleteCluster", {"cluster": live.id}, step)
            except NotFoundError:
                return ""
            except BusyError as error:
                if error.code == "ClusterContainsContainerInstancesException":
                    self._deregister(step, live.id)
                return error.message
            return ""

        wait_until(
            attempt,
            ready=lambda busy: not busy,
            deadline=self._run.deadline,
            doing=step.sentence,
            hint="Are instances registered that ecs_cluster did not make? force: true deregisters them.",
            pace=self._run.pace,
        )

    def _deregister(self, step: Step, cluster: str) -> None:
        """ECS forgets a terminated instance by itself, but not one whose agent was lost before."""
        request = {"cluster": cluster} if self._force else {"cluster": cluster, "filter": "agentConnected == false"}
        arns = self._run.aws.pages(
            "ecs", "ListContainerInstances", "containerInstanceArns", request, doing=step.sentence
        )
        for arn in arns:
            self._call(
                "DeregisterContainerInstance", {"cluster": cluster, "containerInstance": arn, "force": True}, step
            )

    def _call(self, operation: str, request: Mapping[str, Any], step: Step) -> dict[str, Any]:
        return self._run.aws.call("ecs", operation, request, doing=step.sentence)


def _live(cluster: Mapping[str, Any]) -> Live:
    settings = {one["name"]: one["value"] for one in cluster.get("settings", ())}
    spec = {"container_insights": settings.get("containerInsights"), "tags": from_tags(cluster.get("tags"))}
    name = cluster["clusterName"]
    services = cluster.get("activeServicesCount", 0)
    attributes = {
        "arn": cluster["clusterArn"],
        "status": cluster["status"],
        "services": services,
        "tasks": cluster.get("runningTasksCount", 0) + cluster.get("pendingTasksCount", 0),
        "registered": cluster.get("registeredContainerInstancesCount", 0),
    }
    return Live(CLUSTER, "cluster", name, name, spec, attributes)


def _settings(spec: Spec) -> list[dict[str, str]]:
    insights = spec.get("container_insights")
    return [{"name": "containerInsights", "value": insights}] if insights else []
