# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the docs list all that we ask of AWS and Kubernetes: who grants a user no more than that, can run us."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from pathlib import Path

from faults.laboratory import Call

_COLLECTION = Path(__file__).parents[2]
_ROW = re.compile(r"^\| ([a-z0-9-]+) \| ([A-Z].*) \|$", re.MULTILINE)  # a README's: the service, its actions
_ACTION = re.compile(r"[A-Z]\w+\*?")
_WORD = re.compile(r"C\(([a-z0-9-]+):([A-Z]\w+\*?)\)")  # a module's
_RULE = re.compile(r"^\| [a-z0-9.]+ \| ([a-z/, ]+) \| ([a-z, ]*[a-z])", re.MULTILINE)  # a README's: resources, verbs
_PREFIXES = {"elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing", "resourcegroupstaggingapi": "tag"}
"""IAM's name of an API, where it is another one."""
_FREE = frozenset({"sts.GetCallerIdentity"})
"""What needs no permission."""
_WITHOUT_ACTIONS = ("digitalocean.", "rancher.")
"""Their rights are no names of calls."""


def granted(path: str) -> frozenset[str]:
    """What a role's README or a module's docs lists: ``ec2.CreateVpc``, ``ecs.List*``, ``kubernetes.getpods``."""
    text = (_COLLECTION / path).read_text()
    actions = [(service, action) for service, row in _ROW.findall(text) for action in _ACTION.findall(row)]
    rules = [
        ("kubernetes", verb + resource.replace("/", ""))
        for resources, verbs in _RULE.findall(text)
        for resource in resources.split(", ")
        for verb in verbs.split(", ")
    ]
    return frozenset(f"{service}.{action}" for service, action in (*actions, *rules, *_WORD.findall(text)))


def not_granted(calls: Iterable[Call], paths: Iterable[str]) -> list[str]:
    """What the calls need, and these files do not list. A user without rules in them is the cluster's administrator."""
    known = frozenset().union(*map(granted, paths))
    is_administrator = not any(one.startswith("kubernetes.") for one in known)
    unlisted = (*_WITHOUT_ACTIONS, "kubernetes.") if is_administrator else _WITHOUT_ACTIONS
    needed = {_action(call) for call in calls if not call.name.startswith(unlisted)}
    return sorted(one for one in needed if not any(fnmatch.fnmatchcase(one, pattern) for pattern in known | _FREE))


def _action(call: Call) -> str:
    service, _dot, action = call.name.partition(".")
    if service == "kubernetes":
        asked = action.removeprefix("DryRun").replace("Apply", "Patch").replace("ExecPods", "CreatePodsExec")
        return f"kubernetes.{asked.lower()}"
    return f"{_PREFIXES.get(service, service)}.{action}"
