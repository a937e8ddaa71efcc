# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way in which the lab changes moto: wrap a method, add a missing one, raise an AWS error.

Patches are taken back as a whole (`restore`) before a new lab is built in the same process, so each install starts from
moto as it was shipped, and several parts may wrap the same method one after the other.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

_ABSENT = object()
_undo: list[tuple[Any, str, Any]] = []

Function = Callable[..., Any]


class AwsError(Exception):
    """An error answer. The server writes it in the service's own protocol; moto lets it pass through.

    `status` None means: what the service's API model says for that code, else 400.
    """

    def __init__(self, service: str, code: str, message: str, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.service = service
        self.code = code
        self.message = message
        self.status = status


def aws_error(service: str, code: str, message: str, status: int | None = None) -> AwsError:
    """The exception which makes the answer to the request at hand an error of that service."""
    return AwsError(service, code, message, status)


def replaces(owner: type | ModuleType, name: str) -> Callable[[Function], Function]:
    """Wrap a method, property or function; the replacement gets (original, self, *args, **kwargs)."""

    def decorate(replacement: Function) -> Function:
        original = getattr(owner, name)
        if isinstance(original, property):
            getter = original.fget
            _set(owner, name, property(lambda self: replacement(getter, self), original.fset))
            return replacement

        @functools.wraps(original)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return replacement(original, *args, **kwargs)

        _set(owner, name, wrapper)
        return replacement

    return decorate


def adds(owner: type, name: str) -> Callable[[Function], Function]:
    """Give `owner` a method that moto lacks; fails if moto has learnt it, so that the lab's own can go."""

    def decorate(function: Function) -> Function:
        if hasattr(owner, name):
            raise TypeError(f"{owner.__name__}.{name} exists in this moto: use replaces()")
        _set(owner, name, function)
        return function

    return decorate


def restore() -> None:
    """Moto as it was shipped."""
    while _undo:
        owner, name, before = _undo.pop()
        if before is _ABSENT:
            delattr(owner, name)
        else:
            setattr(owner, name, before)


def _set(owner: Any, name: str, value: Any) -> None:
    _undo.append((owner, name, owner.__dict__.get(name, _ABSENT)))
    setattr(owner, name, value)
