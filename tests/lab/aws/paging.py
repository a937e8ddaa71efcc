# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists come in pages: where moto returns everything at once, the page is cut here, with a token for the next one."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import get_pagination_model

from lab.aws.patching import replaces
from lab.messages import Call
from lab.world import World

Original = Callable[..., Any]
_DEFAULT_LIMITS = {
    "iam": 100,
    "elb": 400,
    "elbv2": 400,
    "autoscaling": 50,
    "ecs": 100,
    "ecs.ListServices": 10,
    "logs": 50,
    "application-autoscaling": 50,
    "secretsmanager": 100,
}
"""What a service, or one action of it, returns at most when it is not asked for a page size; EC2 returns everything."""
_TOKEN = "lab-page-"


def install(world: World) -> None:
    @replaces(ActionResult, "execute_result")
    def _execute_result(original: Original, answer: Any, context: Any) -> Any:
        if world.call is not None and isinstance(answer._result, dict):
            answer._result = one_page(world.call, answer._result)
        return original(answer, context)


def one_page(call: Call, result: dict[str, Any]) -> dict[str, Any]:
    """The part of the list that was asked for; the result as it is if it is no list, or if moto has cut it already."""
    model = _model(call)
    names = [model.get(name) for name in ("result_key", "input_token", "output_token")]
    if not all(isinstance(name, str) for name in names):
        return result
    key, input_token, output_token = map(str, names)
    items = None if result.get(output_token) else result.get(key)
    if not isinstance(items, list):
        return result
    start = _offset(str(call.params.get(input_token) or ""))
    limit = int(call.params.get(model.get("limit_key", "")) or 0) or _default_limit(call) or len(items)
    page: dict[str, Any] = {**result, key: items[start : start + limit]}
    more = start + limit < len(items)
    if more:
        page[output_token] = _TOKEN + base64.urlsafe_b64encode(str(start + limit).encode()).decode()
    if model.get("more_results"):
        page[model["more_results"]] = more
    return page


def _model(call: Call) -> Mapping[str, Any]:
    try:
        return dict(get_pagination_model(call.service).get(call.action, {}))
    except Exception:  # a service without paginators
        return {}


def _default_limit(call: Call) -> int | None:
    return _DEFAULT_LIMITS.get(f"{call.service}.{call.action}") or _DEFAULT_LIMITS.get(call.service)


def _offset(token: str) -> int:
    return int(base64.urlsafe_b64decode(token.removeprefix(_TOKEN))) if token.startswith(_TOKEN) else 0
