# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudWatch Logs: the lab's time, only certain retention times, and tags that belong to a group that exists."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import moto.logs.models
from moto.logs.models import LogsBackend

from lab.aws.patching import aws_error, replaces
from lab.world import World

Original = Callable[..., Any]
_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


def install(world: World) -> None:
    @replaces(moto.logs.models, "utcnow")
    def _utcnow(_original: Original) -> datetime:
        """Lines that are more than two hours ahead are refused: whose hours, matters once the clock was pushed."""
        return world.clock.utc().replace(tzinfo=None)

    @replaces(LogsBackend, "put_retention_policy")
    def _put_retention_policy(original: Original, backend: Any, log_group_name: str, retention_in_days: Any) -> Any:
        if int(retention_in_days) not in _DAYS:
            message = (
                f"1 validation error detected: Value '{retention_in_days}' at 'retentionInDays' failed to satisfy "
                f"constraint: Member must satisfy enum value set: [{', '.join(map(str, _DAYS))}]"
            )
            raise aws_error("logs", "InvalidParameterException", message)
        return original(backend, log_group_name, retention_in_days)

    @replaces(LogsBackend, "list_tags_for_resource")
    def _list_tags_for_resource(original: Original, backend: Any, resource_arn: str) -> Any:
        if ":log-group:" in resource_arn and resource_arn not in {group.arn for group in backend.groups.values()}:
            raise aws_error("logs", "ResourceNotFoundException", "The specified resource does not exist.")
        return original(backend, resource_arn)

    @replaces(LogsBackend, "delete_log_group")
    def _delete_log_group(original: Original, backend: Any, log_group_name: str) -> Any:
        """A new group of the same name begins without the old one's tags."""
        group = backend.groups.get(log_group_name)
        if group is not None:
            backend.tagger.delete_all_tags_for_resource(group.arn)
        return original(backend, log_group_name)
