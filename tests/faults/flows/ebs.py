# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon EBS: a volume made, enlarged and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from faults.flow import Flow, module
from faults.programs import Task

_PERMISSIONS = ("plugins/modules/ebs_volume.py",)


def _volume(**options: Any) -> Task:
    return module("ebs_volume", region="us-east-1", wait_sleep=1, name="faults", cluster="faults", **options)


_UP, _LARGER, _DOWN = _volume(zone="us-east-1a", size=1), _volume(size=2), _volume(state="absent")

FLOWS: Mapping[str, Flow] = {
    "ebs-up": Flow(_UP, undo=(_DOWN,), permissions=_PERMISSIONS),
    "ebs-up-stale": Flow(
        _UP,
        undo=(_DOWN,),
        settings={"consistency_seconds": 2},  # a volume is not in lists yet when it is looked up
        injections=("kill-after", "cut-after", "overtaken", "together"),
    ),
    "ebs-larger": Flow(_LARGER, before=(_UP,), undo=(_DOWN,), permissions=_PERMISSIONS),
    "ebs-down": Flow(_DOWN, before=(_UP,), undo=(_DOWN,), permissions=_PERMISSIONS),
}
