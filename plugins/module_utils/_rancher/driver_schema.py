# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the settings of a machine driver have to be: the server's own schemas say it, for any driver. Pure. PRIVATE."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from .._errors import InputError
from .._texts import text

Fields = Mapping[str, Mapping[str, Any]]
REQUIRED = {"digitalocean": ("accessToken",), "amazonec2": ("accessKey", "secretKey")}
OPTION = {True: "driver_secrets", False: "driver_config"}
SUFFIX = "Config"


def drivers_of(fields: Fields) -> list[str]:
    """The machine drivers that are active, by the fields of a host or a machine. Pure."""
    return sorted(name.removesuffix(SUFFIX) for name in fields if name.endswith(SUFFIX))


def checked_config(
    driver: str, fields: Fields, config: Mapping[str, Any], secrets: Mapping[str, Any], *, complete: bool = True
) -> dict[str, Any]:
    """The settings of a driver, if its schema allows them. Names may be given with underscores.

    Args:
        complete: whether what the driver needs has to be there.

    Raises:
        InputError: one is unknown, of the wrong type, or missing.
    """
    found: dict[str, Any] = {}
    for secret, given in ((False, config), (True, secrets)):
        for name, value in given.items():
            field = _field_of(name, fields)
            if field is None:
                near = difflib.get_close_matches(name, fields, 1, 0.6)
                raise InputError(
                    f"{OPTION[secret]}: the driver {driver} has no setting {name!r}",
                    hint=f"Is {near[0]} meant?" if near else f"It has: {', '.join(sorted(fields))}.",
                )
            found[field] = _converted(f"{OPTION[secret]}: {name}", fields[field], value, secret=secret)
    missing = [name for name in REQUIRED.get(driver, ()) if name in fields and not found.get(name)]
    missing += [name for name, field in fields.items() if field.get("required") and not found.get(name)]
    if missing and complete:
        names = ", ".join(dict.fromkeys(missing))
        raise InputError(f"driver_config: the driver {driver} needs {names}", hint="Give secrets by driver_secrets.")
    return found


def _field_of(name: str, fields: Fields) -> str | None:
    if name in fields:
        return name
    bare = name.replace("_", "").replace("-", "").lower()
    return next((field for field in fields if field.lower() == bare), None)


def _converted(where: str, field: Mapping[str, Any], value: Any, *, secret: bool) -> Any:
    kind = str(field.get("type") or "string")
    shown = "the value" if secret else repr(value)
    if kind == "boolean":
        if str(value).lower() not in ("true", "false", "yes", "no", "1", "0"):
            raise InputError(f"{where}: {shown} is neither true nor false")
        return str(value).lower() in ("true", "yes", "1")
    if kind == "int":
        try:
            return int(value)
        except (TypeError, ValueError) as error:
            raise InputError(f"{where}: {shown} is no whole number") from error
    if kind.startswith("array"):
        return list(value) if isinstance(value, (list, tuple)) else [value]
    if kind == "enum" and str(value) not in (field.get("options") or ()):
        raise InputError(f"{where}: {shown} is none of {', '.join(field.get('options') or ())}")
    return value if kind.startswith("map") else text(where, value)
