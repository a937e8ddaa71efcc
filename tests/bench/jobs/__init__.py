# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is compared, in the order of the report, and what was promised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.job import Job
from bench.jobs import dns, droplets, ecs, kubernetes, rancher
from bench.targets import Promise, Target

_PARTS = (ecs, dns, droplets, kubernetes, rancher)
JOBS: tuple[Job[Any], ...] = tuple(job for part in _PARTS for job in part.JOBS)
TARGETS: Mapping[Promise, tuple[Target, ...]] = {key: limits for part in _PARTS for key, limits in part.TARGETS.items()}
