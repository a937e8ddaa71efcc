# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloud firewalls, and whom they let in."""

from __future__ import annotations

import ipaddress
import re
import uuid
from typing import Any

from lab.digitalocean.ask import NO_CONTENT, Ask, json_body, listed
from lab.digitalocean.errors import conflict, unprocessable
from lab.digitalocean.teams import Team, Thing, get
from lab.messages import Answer

CLIENTS = (ipaddress.ip_address("203.0.113.250"), ipaddress.ip_address("127.0.0.1"))
"""The user of the lab, as somebody on the internet, and as who is at this computer."""
PROTOCOLS = ("tcp", "udp", "icmp")
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9.-]+")


def admits(team: Team, droplet: Thing, port: int) -> bool:
    """Whether the user of the lab reaches a TCP port of a droplet. Without any firewall everything is open."""
    mine = [
        one
        for one in team.firewalls.values()
        if droplet["id"] in one["droplet_ids"] or {*one["tags"]} & {*droplet["tags"]}
    ]
    return not mine or any(_lets_in(rule, port) for one in mine for rule in one["inbound_rules"])


def _lets_in(rule: dict[str, Any], port: int) -> bool:
    if rule["protocol"] != "tcp" or not _covers(str(rule["ports"]), port):
        return False
    networks = [ipaddress.ip_network(one, strict=False) for one in rule["sources"].get("addresses", ())]
    return any(client in network for client in CLIENTS for network in networks)


def _covers(ports: str, port: int) -> bool:
    first, _unused, last = ports.partition("-")
    return ports == "0" or int(first) <= port <= int(last or first)


def create(ask: Ask) -> Answer:
    fields = _fields(ask)
    if any(one["name"] == fields["name"] for one in ask.team.firewalls.values()):
        raise conflict("duplicate name")
    firewall: Thing = {
        "id": str(uuid.uuid4()),
        "status": "succeeded",
        "created_at": ask.date(),
        "pending_changes": [],
        **fields,
    }
    ask.team.firewalls[firewall["id"]] = firewall
    return json_body({"firewall": firewall}, 202)


def list_all(ask: Ask) -> Answer:
    return listed(ask, "firewalls", list(ask.team.firewalls.values()))


def show(ask: Ask) -> Answer:
    return json_body({"firewall": get(ask.team.firewalls, ask.path[0])})


def replace(ask: Ask) -> Answer:
    firewall = get(ask.team.firewalls, ask.path[0])
    fields = _fields(ask)
    if any(one["name"] == fields["name"] and one is not firewall for one in ask.team.firewalls.values()):
        raise conflict("duplicate name")
    firewall.update(fields)
    return json_body({"firewall": firewall})


def delete(ask: Ask) -> Answer:
    firewall = get(ask.team.firewalls, ask.path[0])
    if ask.world.fault != "swallow":
        del ask.team.firewalls[firewall["id"]]
    return NO_CONTENT


def add(ask: Ask) -> Answer:
    """Droplets, tags or rules."""
    firewall = get(ask.team.firewalls, ask.path[0])
    for name, given in _parts(ask).items():
        firewall[name] = [*firewall[name], *(one for one in given if one not in firewall[name])]
    return NO_CONTENT


def remove(ask: Ask) -> Answer:
    """Droplets, tags or rules."""
    firewall = get(ask.team.firewalls, ask.path[0])
    for name, given in _parts(ask).items():
        firewall[name] = [one for one in firewall[name] if one not in given]
    return NO_CONTENT


def _parts(ask: Ask) -> dict[str, list[Any]]:
    parts: dict[str, list[Any]] = {}
    for name in ("droplet_ids", "tags", "inbound_rules", "outbound_rules"):
        given = ask.body.get(name) or []
        parts[name] = [_rule(one, name) for one in given] if name.endswith("rules") else list(given)
    return parts


def _fields(ask: Ask) -> dict[str, Any]:
    name = ask.text("name")
    fields = {"name": name, **_parts(ask)}
    if not NAME.fullmatch(name):
        raise unprocessable("name must begin with a letter or digit, and have letters, digits, periods and dashes only")
    if not fields["inbound_rules"] and not fields["outbound_rules"]:
        raise unprocessable("must have at least one rule")
    for tag in fields["tags"]:
        if tag not in ask.team.tags:
            raise unprocessable(f"tag {tag} does not exist")
    for droplet in fields["droplet_ids"]:
        get(ask.team.droplets, droplet)
    return fields


def _rule(rule: dict[str, Any], direction: str) -> dict[str, Any]:
    """A rule as the API keeps it: all ports are "0"."""
    if rule.get("protocol") not in PROTOCOLS:
        raise unprocessable("protocol must be one of tcp, udp, icmp")
    peers = "sources" if direction.startswith("inbound") else "destinations"
    if not any((rule.get(peers) or {}).values()):
        raise unprocessable(f"{peers} can't be blank")
    for address in rule[peers].get("addresses") or ():
        try:
            ipaddress.ip_network(address, strict=False)
        except ValueError as error:
            raise unprocessable(f"{address} is not a valid address") from error
    if any(not isinstance(one, int) for one in rule[peers].get("droplet_ids") or ()):
        raise unprocessable("droplet_ids must be integers")
    ports = str(rule.get("ports") or "")
    if rule["protocol"] != "icmp" and not ports:
        raise unprocessable("ports can't be blank")
    return {
        "protocol": rule["protocol"],
        "ports": "0" if ports in ("all", "") else ports,
        peers: rule[peers],
    }
