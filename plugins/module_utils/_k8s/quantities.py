# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amounts of resources as Kubernetes writes them ("250m", "64Mi"). Pure. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

Amounts = Mapping[str, Decimal]

# Kubernetes' own grammar: the server answers anything else with an internal error, as if it might pass
QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?:(?P<suffix>[KMGTPE]i|[numkMGTPE])|[eE](?P<exponent>[+-]?\d{1,3}))?",
    re.ASCII,
)
MIB = Decimal(1024) ** 2

_BINARY = {suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)}
_DECIMAL = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(1000),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate(("M", "G", "T", "P", "E"), 2)},
}


_FACTORS = {**_BINARY, **_DECIMAL}


def amount(text: Any) -> Decimal:
    """The number that a quantity stands for.

    Raises:
        ValueError: it is none.
    """
    found = QUANTITY.fullmatch(str(text))
    if not found:
        raise ValueError(f"{text!r} is no quantity")
    factor = _FACTORS.get(found["suffix"]) or Decimal(10) ** int(found["exponent"] or 0)
    return Decimal(found["number"]) * factor


def amounts(quantities: Mapping[str, Any] | None) -> dict[str, Decimal]:
    """Quantities by resource as numbers."""
    return {name: amount(value) for name, value in (quantities or {}).items()}


def total(parts: Iterable[Amounts]) -> dict[str, Decimal]:
    """The sum, by resource."""
    found: dict[str, Decimal] = {}
    for part in parts:
        for name, value in part.items():
            found[name] = found.get(name, Decimal(0)) + value
    return found


def shown(resource: str, value: Decimal) -> str:
    """An amount in words: "300m CPU", "64 Mi memory", "2 pods"."""
    if resource == "cpu":
        return f"{value.normalize():f} CPU" if value == value.to_integral_value() else f"{int(value * 1000)}m CPU"
    if resource in ("memory", "ephemeral-storage"):
        unit, factor = ("Gi", _BINARY["Gi"]) if value >= _BINARY["Gi"] else ("Mi", _BINARY["Mi"])
        number = (value / factor).quantize(Decimal("0.1"))
        plain = number.to_integral_value() if number == number.to_integral_value() else number
        return f"{plain:f} {unit} {resource}"
    return f"{value.normalize():f} {resource}"
