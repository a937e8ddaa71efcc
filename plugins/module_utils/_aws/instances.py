# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One instance of a cluster at a time: replaced by one of its group's template version, kept, or ended. PRIVATE."""

from __future__ import annotations

import threading
from typing import Any

from .._plan import Live, Spec, Step
from .._wait import wait_until
from .cluster_ready import Readiness, described_instances
from .run import Run
from .scaling_groups import await_terminated, note_leaving, only_stays, read_scaling_group, terminate_member
from .service_ready import tasks_in_full

STOPPED = ("STOPPED", "DELETED")  # as a task's last status


class Instances:
    """Instances with spec ``{template_version, leaving}``. Auto scaling groups make them; this replaces and ends them.

    One that an earlier run has begun to drain, and that stays, gets tasks again.

    Args:
        cluster: the cluster's name.
        group: the auto scaling group's name.
    """

    def __init__(self, run: Run, cluster: str, group: str) -> None:
        self._run = run
        self._cluster = cluster
        self._group = group
        self._turn = threading.Lock()  # one by one: the others carry the tasks meanwhile

    def create(self, step: Step, spec: Spec) -> Live:
        raise NotImplementedError(f"{step.label}: auto scaling groups make instances")

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        """Its tasks move away, it goes, and the group starts another one that joins the cluster."""
        if only_stays(step):
            self._keep(step, live.id)
            return Live(live.key, live.kind, live.name, live.id, {**live.spec, **spec})
        with self._turn:
            arns = self._registered(step, live.id)
            if arns:
                self._drain(step, live.id, arns)
            run = self._run
            terminate_member(run, live.id, step.sentence, replaced=True)
            group = read_scaling_group(run, self._group, adopt=True)
            if group:
                Readiness(run, self._cluster, group).await_ready()
        return Live(live.key, live.kind, live.name, live.id, spec)

    def delete(self, step: Step, live: Live) -> None:
        self._run.aws.delete(
            "ec2", "TerminateInstances", {"InstanceIds": [live.id]}, doing=step.sentence, deadline=self._run.deadline
        )
        await_terminated(self._run, step.sentence, {live.id})

    def _keep(self, step: Step, instance_id: str) -> None:
        arns = self._registered(step, instance_id)
        if arns:
            self._call("UpdateContainerInstancesState", {"containerInstances": arns, "status": "ACTIVE"}, step)
        note_leaving(self._run, self._group, "", step.sentence)

    def _registered(self, step: Step, instance_id: str) -> list[str]:
        """What ECS calls the instance, nothing if it never joined."""
        request = {"cluster": self._cluster, "filter": f"ec2InstanceId == {instance_id}"}
        arns = self._run.aws.pages(
            "ecs", "ListContainerInstances", "containerInstanceArns", request, doing=step.sentence
        )
        return arns[:1]

    def _drain(self, step: Step, instance_id: str, arns: list[str]) -> None:
        note_leaving(self._run, self._group, instance_id, step.sentence)
        tasks = self._tasks(arns[0], step)
        self._call("UpdateContainerInstancesState", {"containerInstances": arns, "status": "DRAINING"}, step)
        wait_until(
            lambda: self._left(arns, tasks, step),
            ready=lambda left: not left,
            describe=lambda left: f"{left} tasks still run on {instance_id}",
            deadline=self._run.deadline,
            doing=f"move the tasks away from {instance_id}",
            hint="Is there room for them on the other instances, and does every task belong to a service?",
            pace=self._run.pace,
        )

    def _tasks(self, arn: str, step: Step) -> list[str]:
        """Those that run there, and those that are stopping since an earlier run, or have stopped in the last hour."""
        request = {"cluster": self._cluster, "containerInstance": arn}
        return [
            task
            for status in ("RUNNING", "STOPPED")
            for task in self._run.aws.pages(
                "ecs", "ListTasks", "taskArns", {**request, "desiredStatus": status}, doing=step.sentence
            )
        ]

    def _left(self, arns: list[str], tasks: list[str], step: Step) -> int:
        """How many tasks have not stopped.

        ECS counts those that are meant to run. One that is stopping is not among them, but may have requests to answer;
        whether it has stopped tells the agent only.
        """
        found = described_instances(self._run.aws, self._cluster, arns)
        meant_to_run: int = sum(one["runningTasksCount"] + one["pendingTasksCount"] for one in found)
        if meant_to_run or not any(one["agentConnected"] for one in found):
            return meant_to_run
        described = tasks_in_full(self._run, self._cluster, tasks, doing=step.sentence)
        return sum(one["lastStatus"] not in STOPPED for one in described)

    def _call(self, operation: str, request: dict[str, Any], step: Step) -> dict[str, Any]:
        return self._run.aws.call("ecs", operation, {"cluster": self._cluster, **request}, doing=step.sentence)
