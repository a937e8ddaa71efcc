# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Droplets with our mark, as an inventory shows them. PRIVATE."""

from __future__ import annotations

from .._inventory import Machine
from .api import DigitalOcean
from .droplets import Droplet, list_droplets
from .marks import owner_of
from .tag import require_sight


def list_machines(api: DigitalOcean) -> list[Machine]:
    """All droplets of an account with a mark.

    Without the scope tag:read none would seem to have one: then this fails.
    """
    require_sight(api)
    return [_machine(one, owner_of(one.tags)) for one in list_droplets(api) if owner_of(one.tags)]


def _machine(droplet: Droplet, owner: str) -> Machine:
    return Machine(
        provider="digitalocean",
        id=str(droplet.id),
        name=droplet.name,
        owner=owner,
        state=droplet.status,
        region=droplet.region,
        type=droplet.size,
        image=droplet.image,
        public_ip=droplet.addresses.get("public"),
        private_ip=droplet.addresses.get("private"),
        tags=sorted(droplet.tags),
    )
