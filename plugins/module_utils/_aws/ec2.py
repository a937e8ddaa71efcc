# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EC2 resources have in common: found by their mark, tagged, deleted once nothing uses them. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from .._batches import batched
from .._clock import Deadline
from .._errors import InputError, NotFoundError, WaitTimeoutError
from .._plan import Step
from .._wait import Pace, wait_for
from .api import Aws, tag_filter, to_tags
from .run import Run

VALUES_AT_ONCE = 200  # of one filter
TAGGED_AT_ONCE = 500  # the API takes 1,000 resources, and advises against them
NOT_ENDING = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}  # a filter
T = TypeVar("T")


def marked(run: Run, operation: str, items: str, part: str) -> list[Any]:
    """All resources that carry the run's mark for this part."""
    filters = {"Filters": tag_filter(run.mark.tags(part))}
    return run.aws.pages("ec2", operation, items, filters, doing=f"look for the {part} of {run.mark.owner}")


def describe_instances(aws: Aws, filters: Sequence[Mapping[str, Any]], doing: str) -> list[dict[str, Any]]:
    """The instances that the filters let through."""
    reservations = aws.pages("ec2", "DescribeInstances", "Reservations", {"Filters": [*filters]}, doing=doing)
    return [instance for one in reservations for instance in one["Instances"]]


def instances_of(aws: Aws, ids: Sequence[str], doing: str) -> list[dict[str, Any]]:
    """The instances of these ids. A filter, unlike a list of ids, is no error when one of them is gone."""
    filters = [{"Name": "instance-id", "Values": some} for some in batched(ids, VALUES_AT_ONCE)]
    return [instance for one in filters for instance in describe_instances(aws, [one], doing)]


def retag(run: Run, step: Step, tags: Mapping[str, str], *ids: str) -> None:
    """Give resources the wanted tags; others that they have stay."""
    for some in batched(ids, TAGGED_AT_ONCE):
        run.aws.call("ec2", "CreateTags", {"Resources": some, "Tags": to_tags(tags)}, doing=f"tag {step.label}")


def own_volumes(instance: Mapping[str, Any]) -> list[str]:
    """The volumes that an instance was started with, and takes with it; those of data are not its own."""
    disks = [one["Ebs"] for one in instance.get("BlockDeviceMappings", ())]
    return [one["VolumeId"] for one in disks if one.get("DeleteOnTermination")]


def delete(run: Run, step: Step, operation: str, request: Mapping[str, Any]) -> None:
    """Delete a resource, as soon as nothing uses it any more."""
    run.aws.delete("ec2", operation, request, doing=step.sentence, deadline=run.deadline, pace=run.pace)


def check_key_pair(aws: Aws, name: str) -> None:
    """Refuse an option ``key_name`` that names nothing.

    Raises:
        InputError: there is no such key pair in the region.
    """
    try:
        aws.call("ec2", "DescribeKeyPairs", {"KeyNames": [name]}, doing=f"look up key pair {name}")
    except NotFoundError as error:
        raise InputError(f"key_name: there is no key pair {name!r} in {aws.region}") from error


def awaited(run: Run, find: Callable[[], T | None], seconds: float, what: str) -> T | None:
    """What another run makes, or None when it did not come within these seconds; it is looked for once at least."""
    try:
        return wait_for(
            find,
            missing="it is not there yet",
            deadline=Deadline(run.deadline.clock, seconds),
            doing=f"wait for the {what} that another run makes",
            pace=Pace(first=1.0, cap=3.0),
        )
    except WaitTimeoutError:
        return None
