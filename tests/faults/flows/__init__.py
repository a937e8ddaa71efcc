# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is disturbed, as data.

To add a flow, add an entry to the FLOWS of its provider's file; everything else is derived from it.
"""

from __future__ import annotations

from collections.abc import Mapping

from faults.flow import Flow
from faults.flows import digitalocean, ebs, ecs, kubernetes, rancher, route53
from faults.programs import Task

FLOWS: Mapping[str, Flow] = {
    **ecs.FLOWS,
    **ebs.FLOWS,
    **kubernetes.FLOWS,
    **route53.FLOWS,
    **digitalocean.FLOWS,
    **rancher.FLOWS,
}

NAIVE = Flow(Task("faults.naive", {"state": "present"}), undo=(Task("faults.naive", {"state": "absent"}),))
"""A program with the usual mistakes. The matrix has to find them, or it would find nothing."""
