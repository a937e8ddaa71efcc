# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an auto scaling group has done, and whether what failed may pass. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

from .errors import SETTLING_TEXT
from .run import Run

SKEW_SECONDS = 60.0  # how far our clock may be from that of AWS
# another zone may have what this one lacks
PASSING = re.compile(
    r"insufficient.*capacity|not have sufficient .*capacity|not supported in your requested availability zone",
    re.IGNORECASE,
)
# what fails so often in a row, for so long, is not passing any more; each round fails once for every instance
PASSING_FAILURES = 3
PASSING_TIME = timedelta(seconds=90)
TOLD = 10  # activities
# an instance was started, and ended before it was in service: somebody's doing, or its volume's key may not be used
ENDED_EARLY = re.compile(r"Termination Reason:")


def activities_of(run: Run, group: str) -> list[dict[str, Any]]:
    """What an auto scaling group has done since the run began, newest first: what failed before may be mended."""
    request = {"AutoScalingGroupName": group, "MaxRecords": 100}
    doing = f"read the activities of auto scaling group {group}"
    found = run.aws.call("autoscaling", "DescribeScalingActivities", request, doing=doing)["Activities"]
    begun = datetime.now(UTC) - timedelta(seconds=run.deadline.waited() + SKEW_SECONDS)
    return [one for one in found if one.get("StartTime", begun) >= begun]


def hopeless(activities: Sequence[Mapping[str, Any]]) -> str | None:
    """Why an auto scaling group starts no instances and never will, by its activities, newest first. Pure."""
    failures = [*takewhile(_failed, activities)]
    if not failures:
        return None
    message = failures[0].get("StatusMessage", "")
    passing = any(kind.search(message) for kind in (SETTLING_TEXT, PASSING, ENDED_EARLY))
    if passing and not _lasting(failures):
        return None
    return f"AWS does not start instances: {message or failures[0].get('Description', '')}"


def _failed(activity: Mapping[str, Any]) -> bool:
    early = activity["StatusCode"] == "Cancelled" and ENDED_EARLY.search(activity.get("StatusMessage", ""))
    return activity["StatusCode"] == "Failed" or bool(early)


def _lasting(failures: Sequence[Mapping[str, Any]]) -> bool:
    enough = len(failures) >= PASSING_FAILURES
    return enough and failures[0]["StartTime"] - failures[-1]["StartTime"] > PASSING_TIME


def sentences(activities: Sequence[Mapping[str, Any]]) -> list[str]:
    """The newest activities in words. Pure."""
    return [
        f"{one['StatusCode']}: {one.get('StatusMessage') or one.get('Description', '')}" for one in activities[:TOLD]
    ]
