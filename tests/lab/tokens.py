# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2's client tokens: the same token with the same arguments is the same call, answered again as things are now.

With other arguments it is an error. A token is remembered for a day, also when what it made has been deleted since:
then it is an error, too, for volumes and for instances.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult

from lab.aws.patching import aws_error, replaces
from lab.messages import Answer, Call
from lab.world import World

Original = Callable[..., Any]
_DAY = 24 * 3600.0
_NOT_ARGUMENTS = {"Action", "Version", "ClientToken"}


@dataclass
class _Seen:
    arguments: dict[str, str]
    result: Any
    context: Any
    at: float


def install(world: World) -> None:
    seen: dict[tuple[str, str, str], _Seen] = {}
    world.on_reset(seen.clear)

    @replaces(ActionResult, "execute_result")
    def _execute_result(original: Original, answer: Any, context: Any) -> Any:
        call = world.call
        if call is not None and _token(call) and not isinstance(answer._result, Exception):
            seen[_key(call)] = _Seen(_arguments(call), answer._result, context, world.clock.now())
        return original(answer, context)

    @world.on_call
    def _registered(call: Call) -> Answer | None:
        earlier = seen.get(_key(call)) if _token(call) else None
        if earlier is None or world.clock.now() - earlier.at > _DAY:
            return None
        if earlier.arguments != _arguments(call):
            message = "The request uses the same client token as a previous, but non-identical request."
            raise aws_error("ec2", "IdempotentParameterMismatch", message)
        _refuse_what_is_gone(call, earlier.result)
        return _again(call, earlier)


def _token(call: Call) -> str:
    return str(call.params.get("ClientToken", "")) if call.service == "ec2" else ""


def _key(call: Call) -> tuple[str, str, str]:
    return call.region, call.action, _token(call)


def _arguments(call: Call) -> dict[str, str]:
    return {name: value for name, value in call.params.items() if name not in _NOT_ARGUMENTS}


def _refuse_what_is_gone(call: Call, made: Any) -> None:
    if call.action == "CreateVolume" and made.id not in made.ec2_backend.volumes:
        message = "The client token you have provided is associated with a resource that is already deleted. "
        raise aws_error("ec2", "IdempotentParameterMismatch", f"{message}Please use a different client token.")
    if call.action == "RunInstances" and any(one.state == "terminated" for one in made.instances):
        message = "The client token you have provided is associated with an instance that is terminated."
        raise aws_error("ec2", "IdempotentInstanceTerminated", message)


def _again(call: Call, earlier: _Seen) -> Answer:
    """Written anew from the same objects. moto pins the state in a first answer (`pending`, `creating`): not here."""
    pinned = type(earlier.context.response).RESPONSE_KEY_PATH_TO_TRANSFORMER
    kept = {path: change for path, change in pinned.items() if not path.startswith(call.action)}
    earlier.context.response.RESPONSE_KEY_PATH_TO_TRANSFORMER = kept
    status, headers, body = ActionResult(earlier.result).execute_result(earlier.context)
    return Answer(status, body.encode() if isinstance(body, str) else body, headers)
