# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amounts of resources as Kubernetes writes them ("250m", "64Mi"). Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

Amounts = Mapping[str, Decimal]

_BINARY = {suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)}
_DECIMAL = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(1000),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate(("M", "G", "T", "P", "E"), 2)},
}


def amount(text: Any) -> Decimal:
    """The number that a quantity stands for.

    Raises:
        ValueError: it is none.
    """
    written = str(text).strip()
    suffix = next((one for one in (*_BINARY, *_DECIMAL) if written.endswith(one)), "")
    factor = _BINARY.get(suffix) or _DECIMAL.get(suffix) or Decimal(1)
    try:
        return Decimal(written.removesuffix(suffix)) * factor
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is no quantity") from error


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
