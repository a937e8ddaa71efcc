# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log group that an app's containers write to. It belongs to the app, and goes with it. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._ownership import require_ours
from .._plan import Live, Spec, Step
from .._retry import create_once
from .run import Run

LOG_GROUP = "log-group"  # key in a plan, and part in the mark


def read_log_group(run: Run, name: str, *, adopt: bool) -> Live | None:
    """The log group of this name.

    Raises:
        NotOursError: somebody else made it.
    """
    live = find_log_group(run, name)
    if live:
        require_ours(run.mark, live.spec["tags"], f"log group {name}", adopt=adopt)
    return live


def find_log_group(run: Run, name: str) -> Live | None:
    """The log group of this name, whoever made it."""
    group = describe_log_group(run, name)
    return live_log_group(run, group) if group else None


def live_log_group(run: Run, group: Mapping[str, Any]) -> Live:
    """A log group as the API gives it, with its tags."""
    name, arn = group["logGroupName"], group["arn"].removesuffix(":*")
    answer = run.aws.call("logs", "ListTagsForResource", {"resourceArn": arn}, doing=f"look at log group {name}")
    spec = {"retention_days": group.get("retentionInDays"), "tags": dict(answer.get("tags") or {})}
    return Live(LOG_GROUP, "log_group", name, arn, spec)


def describe_log_group(run: Run, name: str) -> dict[str, Any] | None:
    """The log group of this name as the API gives it."""
    return next((group for group in log_groups_below(run, name) if group["logGroupName"] == name), None)


def log_groups_below(run: Run, prefix: str) -> list[dict[str, Any]]:
    """The log groups whose names begin so, as the API gives them."""
    request = {"logGroupNamePrefix": prefix}
    return run.aws.pages("logs", "DescribeLogGroups", "logGroups", request, doing=f"look for log group {prefix}")


class LogGroups:
    """Log groups with spec ``{retention_days, tags}``."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, step: Step, spec: Spec) -> Live:
        request = {"logGroupName": step.name, "tags": dict(spec["tags"])}

        def create() -> Live:
            self._run.aws.call("logs", "CreateLogGroup", request, doing=step.sentence)
            return Live(step.key, step.kind, step.name, step.name, spec)

        made = create_once(create, lambda: read_log_group(self._run, step.name, adopt=False), self._run.aws.policy)
        self._retain(step, spec)
        return made

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        changed = {one.field for one in step.differences}
        if "retention_days" in changed:
            self._retain(step, spec)
        if "tags" in changed:
            request = {"resourceArn": live.id, "tags": dict(spec["tags"])}
            self._run.aws.call("logs", "TagResource", request, doing=step.sentence)
        return live

    def delete(self, step: Step, live: Live) -> None:
        request = {"logGroupName": live.name}
        self._run.aws.delete("logs", "DeleteLogGroup", request, doing=step.sentence, deadline=self._run.deadline)

    def _retain(self, step: Step, spec: Spec) -> None:
        request = {"logGroupName": step.name, "retentionInDays": spec["retention_days"]}
        self._run.aws.call("logs", "PutRetentionPolicy", request, doing=step.sentence, settles=True)
