# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options about containers, as several modules have them, and what they are in a manifest. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._checks import HIGHEST_PORT, between
from .._errors import InputError
from .._texts import refuse_no_variables, texts, words
from .quantities import MIB, amount

RESOURCES: dict[str, Any] = {"cpu": {"type": "str"}, "memory": {"type": "str"}}
PROBE: dict[str, Any] = {
    "enabled": {"type": "bool", "default": True},
    "path": {"type": "str"},
    "port": {"type": "int"},
    "command": {"type": "raw"},
    "initial_delay": {"type": "int", "default": 0},
    "period": {"type": "int", "default": 5},
    "timeout": {"type": "int", "default": 3},
    "failure_threshold": {"type": "int", "default": 3},
}


def checked_port(value: int | None, option: str) -> int | None:
    """A port that can be one.

    Raises:
        InputError: it cannot.
    """
    return value if value is None else between(option, value, 1, HIGHEST_PORT)


def resources(
    requests: Mapping[str, Any] | None, limits: Mapping[str, Any] | None, live: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """The resources of a container; None if neither is given.

    Args:
        live: what it has; stays where nothing is given.

    Raises:
        InputError: a quantity is none, or a limit is below its request.
    """
    options = {"requests": requests, "limits": limits}
    given = {option: _quantities(values, option) for option, values in options.items() if values is not None}
    if not given:
        return None
    whole = {**(live or {}), **given}
    asked = whole.get("requests") or {}
    for name, limit in (whole.get("limits") or {}).items():
        request = asked.get(name)
        if request is not None and amount(request) > amount(limit):
            raise InputError(f"requests.{name} is {request}, which is more than limits.{name}, {limit}")
    return {name: values for name, values in whole.items() if values}


def _quantities(values: Mapping[str, Any], option: str) -> dict[str, str]:
    found = {name: str(value) for name, value in values.items() if value is not None}
    for name, value in found.items():
        try:
            positive = amount(value) > 0
        except ValueError:
            positive = False
        if not positive:
            raise InputError(f"{option}.{name} is {value!r}, but has to be an amount such as 250m or 64Mi")
        if name == "memory" and amount(value) < MIB:
            raise InputError(
                f"{option}.memory is {value!r}, which is less than 1Mi", hint="512m is half a byte, 512Mi are 512 MiB."
            )
    return found


def probe(given: Mapping[str, Any] | None, port: int | None, option: str) -> dict[str, Any] | None:
    """A probe: by HTTP with a path, by a command, or by a connection; empty for none at all, None if it is not given.

    Raises:
        InputError: it has no port, or has both a path and a command; or a word of it is no text.
    """
    if given is None:
        return None
    if not given["enabled"]:
        return {}
    times = {
        "periodSeconds": given["period"],
        "timeoutSeconds": given["timeout"],
        "failureThreshold": given["failure_threshold"],
        "successThreshold": 1,  # said as the server would say it, so that both sides of a comparison are complete
    }
    if given["initial_delay"]:
        times["initialDelaySeconds"] = given["initial_delay"]
    if given["path"] and given["command"]:
        raise InputError(f"{option} has both path and command", hint="Give one of them.")
    if given["command"]:
        return {"exec": {"command": words(f"{option}.command", given["command"])}, **times}
    where = checked_port(given["port"] or port, f"{option}.port")
    if where is None:
        raise InputError(f"{option} needs a port", hint="Set its port, or the port of the container.")
    if given["path"]:
        return {"httpGet": {"path": given["path"], "port": where, "scheme": "HTTP"}, **times}
    return {"tcpSocket": {"port": where}, **times}


def connects(port: int) -> dict[str, Any]:
    """A probe that asks often whether a port accepts connections."""
    return {
        "tcpSocket": {"port": port},
        "periodSeconds": 2,
        "timeoutSeconds": 3,
        "failureThreshold": 3,
        "successThreshold": 1,
    }


def environment(
    plain: Mapping[str, Any] | None, secrets: Mapping[str, Any] | None, live: Sequence[Mapping[str, Any]] | None = None
) -> list[dict[str, Any]] | None:
    """Environment variables by name, and those that are keys of Secrets; None if neither is given.

    Args:
        live: those that the container has. Where one of the two is not given, they stay, and so do those that come
            from elsewhere, such as a field of the pod.

    Raises:
        InputError: a name cannot be one, or is given twice; or a value is no text.
    """
    if plain is None and secrets is None:
        return None
    twice = sorted({*(plain or {})} & {*(secrets or {})})
    if twice:
        raise InputError(f"{twice[0]} is in both environment and secrets")
    names = [*(plain or {}), *(secrets or {})]
    refuse_no_variables("environment", names)
    kept: dict[str, list[dict[str, Any]]] = {"environment": [], "secrets": [], "": []}
    for one in live or ():
        if one["name"] not in names:
            kept[_option_of(one)].append(dict(one))
    if plain is not None:
        given = texts("environment", plain)
        kept["environment"] = [{"name": name, "value": value} for name, value in sorted(given.items())]
    if secrets is not None:
        kept["secrets"] = [
            {"name": name, "valueFrom": {"secretKeyRef": _key(name, value)}} for name, value in sorted(secrets.items())
        ]
    return [one for group in kept.values() for one in group]


def _option_of(variable: Mapping[str, Any]) -> str:
    """The option that gives such a variable; empty if none does."""
    if "valueFrom" not in variable:
        return "environment"
    return "secrets" if "secretKeyRef" in variable["valueFrom"] else ""


def _key(name: str, value: Any) -> dict[str, str]:
    secret, _slash, key = str(value).partition("/")
    if not secret or not key:
        raise InputError(f"secrets.{name} is {value!r}, but has to be a Secret and a key of it, such as db/password")
    return {"name": secret, "key": key}
