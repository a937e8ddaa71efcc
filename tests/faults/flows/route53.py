# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon Route 53: 300 record sets of a zone, made and taken away."""

from __future__ import annotations

from collections.abc import Mapping

from faults.flow import Flow, module
from faults.programs import Task

_ZONE = "faults.example.com"
_PERMISSIONS = ("plugins/modules/route53_records.py",)


def _records(state: str) -> Task:
    records = [
        {"name": f"host-{number}.{_ZONE}", "type": "A", "ttl": 60, "values": [f"192.0.2.{number % 250 + 1}"]}
        for number in range(300)
    ]
    return module("route53_records", region="us-east-1", wait_sleep=1, zone=_ZONE, records=records, state=state)


_MAKE_ZONE = Task(
    "faults.aws_call",
    {"service": "route53", "operation": "create_hosted_zone", "request": {"Name": _ZONE, "CallerReference": "faults"}},
)
_UP, _DOWN = _records("present"), _records("absent")

FLOWS: Mapping[str, Flow] = {
    "route53-up": Flow(_UP, base=(_MAKE_ZONE,), undo=(_DOWN,), permissions=_PERMISSIONS),
    "route53-down": Flow(_DOWN, base=(_MAKE_ZONE,), before=(_UP,), undo=(_DOWN,), permissions=_PERMISSIONS),
}
