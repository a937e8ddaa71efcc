# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service says about itself, in AWS's own words: people and modules read these sentences."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

KEPT = 100
_MORE = "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."


@dataclass(frozen=True)
class Event:
    """One entry of DescribeServices' events."""

    message: str
    created_at: datetime
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


def steady() -> str:
    return "has reached a steady state."


def started(task_ids: Sequence[str]) -> str:
    return f"has started {len(task_ids)} tasks: {_tasks(task_ids)}."


def stopped(task_ids: Sequence[str]) -> str:
    return f"has stopped {len(task_ids)} running tasks: {_tasks(task_ids)}."


def draining(count: int) -> str:
    return f"has begun draining connections on {count} tasks."


def registered(count: int, balancer: str) -> str:
    return f"registered {count} {_members(balancer)} in ({balancer})"


def not_registered(error: str) -> str:
    return f"failed to register targets with (error {error})"


def deregistered(count: int, balancer: str) -> str:
    return f"deregistered {count} {_members(balancer)} in ({balancer})"


def unhealthy(instance_id: str, port: int, balancer: str, reason: str) -> str:
    """`balancer` as in registered(): `elb NAME` or `target-group ARN`."""
    where = f"(instance {instance_id})" if balancer.startswith("elb ") else f"(instance {instance_id}) (port {port})"
    return f"{where} is unhealthy in ({balancer}) due to (reason {reason})"


def no_hosts() -> str:
    return _unplaced("Reason: No Container Instances were found in your cluster.")


def no_capacity_in_provider() -> str:
    return _unplaced("Reason: No Container Instances were found in your capacity provider.")


def closest(container_instance_id: str, what_is_wrong: str) -> str:
    return _unplaced(f"The closest matching (container-instance {container_instance_id}) {what_is_wrong}.")


def cannot_start() -> str:
    return f"is unable to consistently start tasks successfully. {_MORE}"


def stuck() -> str:
    return (
        "was unable to stop or start tasks during a deployment because of the service deployment configuration. "
        "Update the minimumHealthyPercent or maximumPercent value and try again."
    )


def deployment_completed(deployment: str) -> str:
    return f"(deployment {deployment}) deployment completed."


def deployment_failed(deployment: str) -> str:
    return f"(deployment {deployment}) deployment failed: tasks failed to start."


def rolling_back(deployment: str) -> str:
    return f"rolling back to deployment {deployment}."


def _unplaced(reason: str) -> str:
    return f"was unable to place a task because no container instance met all of its requirements. {reason} {_MORE}"


def _tasks(task_ids: Sequence[str]) -> str:
    return " ".join(f"(task {task_id})" for task_id in task_ids)


def _members(balancer: str) -> str:
    return "instances" if balancer.startswith("elb ") else "targets"
