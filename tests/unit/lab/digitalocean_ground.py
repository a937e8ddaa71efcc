# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the lab's DigitalOcean make droplets with, and how they wait for them."""

from __future__ import annotations

from typing import Any

from unit.waiting import eventually

TEMPLATE = {"region": "lon1", "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64"}
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxhYi1ub3QtYS1rZXktbGFiLW5vdC1hLWtleS0w somebody"


def make(lab: Any, *names: str, **fields: object) -> list[dict[str, Any]]:
    """Droplets as the answer to their create shows them."""
    status, made, _unused = lab.digitalocean("POST", "droplets", {"names": names, **TEMPLATE, **fields})
    assert status == 202, made
    return list(made["droplets"])


def look(lab: Any, droplet_id: int) -> dict[str, Any]:
    return dict(lab.digitalocean("GET", f"droplets/{droplet_id}")[1]["droplet"])


def names(lab: Any, query: str = "") -> list[str]:
    document = lab.digitalocean("GET", f"droplets?{query}")[1]
    return [one["name"] for one in document["droplets"]]


def address(droplet: dict[str, Any]) -> str:
    return next(str(one["ip_address"]) for one in droplet["networks"]["v4"] if one["type"] == "public")


def booted(lab: Any, droplet_id: int) -> str:
    """What the user data wrote, once it has run."""
    return eventually(
        lambda: str(lab.control("GET", f"/digitalocean/{droplet_id}")["console"]), "the user data has not run"
    )
