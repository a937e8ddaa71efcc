# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left at DigitalOcean: only what has a mark, with its price, and no look that was not possible."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean import leftovers
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean.api import Connection, DigitalOcean
from ansible_collections.container.schedulers.plugins.module_utils._errors import AuthError
from ansible_collections.container.schedulers.plugins.module_utils._leftovers import look
from unit.digitalocean import PUBLIC_KEY, URL, Ground

TAG = "container-schedulers:rancher:web"
OTHER = "container-schedulers:digitalocean:x"
FORWARD = {"entry_protocol": "tcp", "entry_port": 80, "target_protocol": "tcp", "target_port": 80}


def report(ground: Ground, owner: str = "", token: str = "") -> dict[str, Any]:
    api = DigitalOcean(Connection(token or ground.token, URL), ground.clock)
    return look(leftovers.places(api, owner)).to_result()


def fill(ground: Ground) -> None:
    place = {"region": "lon1", "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64"}
    droplet = ground.ask("POST", "droplets", {"name": "d", **place, "tags": [TAG]})["droplet"]
    ground.ask("POST", f"droplets/{droplet['id']}/actions", {"type": "power_off"})
    ground.ask("POST", "droplets", {"name": "stranger", **place})
    ground.ask("POST", "droplets", {"name": "other", **place, "tags": [OTHER]})
    volume = {"name": "v", "region": "lon1", "size_gigabytes": 20, "tags": [TAG]}
    number = ground.ask("POST", "volumes", volume)["volume"]["id"]
    ground.ask("POST", f"volumes/{number}/snapshots", {"name": "s", "tags": [TAG]})
    rule = {"protocol": "tcp", "ports": "22", "sources": {"addresses": ["10.0.0.0/8"]}}
    ground.ask("POST", "firewalls", {"name": "fw", "inbound_rules": [rule], "tags": [TAG]})
    ground.ask("POST", "firewalls", {"name": "theirs", "inbound_rules": [rule]})
    balancer = {"name": "l", "region": "lon1", "forwarding_rules": [FORWARD], "tag": TAG, "size_unit": 2}
    ground.ask("POST", "load_balancers", balancer)
    ground.ask("POST", "account/keys", {"name": TAG, "public_key": PUBLIC_KEY})
    ground.ask("POST", "account/keys", {"name": "theirs", "public_key": "ssh-rsa AAAA"})


def test_what_has_a_mark_and_what_it_costs(ground: Ground) -> None:
    fill(ground)
    found = report(ground, "rancher/web")
    costs = {one["kind"]: one["monthly_cost"] for one in found["leftovers"]}
    assert costs == {
        "load_balancer": 24.0,
        "droplet": 6.0,
        "volume": 2.0,
        "snapshot": 0.12,
        "firewall": 0.0,
        "ssh_key": 0.0,
        "tag": 0.0,
    }
    assert {one["owner"] for one in found["leftovers"]} == {"rancher/web"}
    assert {one["provider"] for one in found["leftovers"]} == {"digitalocean"}
    everywhere = {one["kind"] for one in found["leftovers"] if one["region"] == "global"}
    assert everywhere == {"firewall", "ssh_key", "tag"}
    droplet = next(one for one in found["leftovers"] if one["kind"] == "droplet")
    assert (droplet["name"], droplet["region"], droplet["part"]) == ("d", "lon1", "droplet")
    assert droplet["why"] == "a s-1vcpu-1gb, costs the same as when it is on"
    assert found["monthly_cost"] == 32.12
    assert found["could_not_look"] == []


def test_of_any_owner_and_of_none(ground: Ground) -> None:
    assert report(ground)["count"] == 0
    fill(ground)
    assert report(ground)["count"] == 9
    assert report(ground, "digitalocean/x")["count"] == 2
    assert report(ground, "digitalocean/y")["count"] == 0


def test_a_token_that_sees_no_tags_sees_nothing_and_says_so(ground: Ground) -> None:
    fill(ground)
    teams = ground.teams
    teams.add_token("blind", "main", ["droplet:read", "firewall:read"])
    with pytest.raises(AuthError):
        report(ground, token="blind")
    some = report(ground, token=f"{ground.token}-read-only")
    assert {kind for one in some["could_not_look"] for kind in one["kinds"]} == {
        "volume",
        "snapshot",
        "firewall",
        "load_balancer",
        "ssh_key",
    }
    assert {one["kind"] for one in some["leftovers"]} == {"droplet", "tag"}
