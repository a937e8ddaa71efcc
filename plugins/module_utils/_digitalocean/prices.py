# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What things cost that do not say so themselves: list prices without tax, the same in all regions. PRIVATE."""

from __future__ import annotations

DATE = "2025-06-01"
SOURCE = "DigitalOcean's price list; what a droplet costs, the API says itself"

# US dollars a month
VOLUME_GIBIBYTE = 0.10
SNAPSHOT_GIBIBYTE = 0.06
LOAD_BALANCER_NODE = 12.0
IDLE_ADDRESS = 5.0  # a reserved IPv4 address that no droplet has; free while one has it


def volume(gibibytes: float) -> float:
    """A month of a volume, attached or not."""
    return round(VOLUME_GIBIBYTE * gibibytes, 2)


def snapshot(gibibytes: float) -> float:
    """A month of a snapshot."""
    return round(SNAPSHOT_GIBIBYTE * gibibytes, 2)


def load_balancer(nodes: int) -> float:
    """A month of a load balancer."""
    return round(LOAD_BALANCER_NODE * nodes, 2)
