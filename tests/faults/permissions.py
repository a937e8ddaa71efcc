# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the docs list all that we ask of AWS: who grants a user no more than that, can run us."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from pathlib import Path

from faults.laboratory import Call

_COLLECTION = Path(__file__).parents[2]
_ROW = re.compile(r"^\| ([a-z0-9-]+) \| ([A-Z].*) \|$", re.MULTILINE)  # a README's: the service, its actions
_ACTION = re.compile(r"[A-Z]\w+\*?")
_WORD = re.compile(r"C\(([a-z0-9-]+):([A-Z]\w+)\)")  # a module's
_PREFIXES = {"elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing", "resourcegroupstaggingapi": "tag"}
"""IAM's name of an API, where it is another one."""
_FREE = frozenset({"sts.GetCallerIdentity"})
"""What needs no permission."""


def granted(path: str) -> frozenset[str]:
    """The actions that a role's README or a module's documentation lists, as ``ec2.CreateVpc`` or ``ec2.Describe*``."""
    text = (_COLLECTION / path).read_text()
    listed = [(service, action) for service, row in _ROW.findall(text) for action in _ACTION.findall(row)]
    return frozenset(f"{service}.{action}" for service, action in (*listed, *_WORD.findall(text)))


def not_granted(calls: Iterable[Call], paths: Iterable[str]) -> list[str]:
    """What the calls need of AWS, and these files do not list."""
    known = frozenset().union(*map(granted, paths))
    needed = {_action(call) for call in calls if not call.name.startswith("kubernetes.")}
    return sorted(one for one in needed if not any(fnmatch.fnmatchcase(one, pattern) for pattern in known | _FREE))


def _action(call: Call) -> str:
    service, _dot, action = call.name.partition(".")
    return f"{_PREFIXES.get(service, service)}.{action}"
