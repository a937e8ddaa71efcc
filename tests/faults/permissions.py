# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a role's README grants what its modules ask AWS for: who gives a user no more than it says can run them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from faults.laboratory import Call

_ROLES = Path(__file__).parents[2] / "roles"
_ROW = re.compile(r"^\| ([a-z0-9-]+) \| ([A-Z].*) \|$", re.MULTILINE)
_ACTION = re.compile(r"[A-Z]\w+")
_PREFIXES = {"elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing", "resourcegroupstaggingapi": "tag"}
"""IAM's name of an API, where it is another one."""
_FREE = frozenset({"sts.GetCallerIdentity"})
"""What needs no permission."""


def granted(role: str) -> frozenset[str]:
    """The actions in the tables of a role's README, as ``ec2.CreateVpc``."""
    rows = _ROW.findall((_ROLES / role / "README.md").read_text())
    return frozenset(f"{service}.{action}" for service, listed in rows for action in _ACTION.findall(listed))


def not_granted(calls: Iterable[Call], roles: Iterable[str]) -> list[str]:
    """What the calls need of AWS, and the READMEs of the roles do not name."""
    known = frozenset().union(*map(granted, roles))
    needed = {_action(call) for call in calls if not call.name.startswith("kubernetes.")}
    return sorted(needed - known - _FREE)


def _action(call: Call) -> str:
    service, _dot, action = call.name.partition(".")
    return f"{_PREFIXES.get(service, service)}.{action}"
