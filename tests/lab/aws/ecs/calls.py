# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all handlers of ECS calls need: the cluster that is meant, errors, and what an answer leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lab.aws.patching import aws_error

Original = Callable[..., Any]
Tags = list[dict[str, str]]


def fail(code: str, message: str) -> Exception:
    return aws_error("ecs", code, message)


def invalid(message: str) -> Exception:
    return fail("InvalidParameterException", message)


def short(name_or_arn: str) -> str:
    """A name, or the last part of an ARN."""
    return name_or_arn.rpartition("/")[2]


def cluster_of(handler: Any) -> Any:
    """The ACTIVE cluster which the request names, `default` if it names none."""
    cluster = handler.ecs_backend.clusters.get(short(handler._get_param("cluster") or "default"))
    if cluster is None:
        raise fail("ClusterNotFoundException", "Cluster not found.")
    if cluster.status != "ACTIVE":
        raise fail("ClusterNotFoundException", "The referenced cluster was inactive.")
    return cluster


def at_most(values: Sequence[Any], limit: int, what: str) -> None:
    if not values:
        raise invalid(f"{what} cannot be empty.")
    if len(values) > limit:
        raise invalid(f"{what} can have at most {limit} items.")


def only_if_included(handler: Any, word: str, path: str, otherwise: list[Any] | None = None) -> None:
    """That part of the answer is there only if the request says `include: [word]`."""
    asked = word in (handler._get_param("include") or [])
    handler.RESPONSE_KEY_PATH_TO_TRANSFORMER[path] = (lambda value: value) if asked else (lambda _unused: otherwise)


def missing(arn: str) -> dict[str, str]:
    return {"arn": arn, "reason": "MISSING"}


def merged(tags: Iterable[dict[str, str]] | None) -> Tags:
    """Tags as a list of their own: one per key, the last one wins."""
    return list({tag["key"]: {"key": tag["key"], "value": tag.get("value", "")} for tag in tags or ()}.values())
