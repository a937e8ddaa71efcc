# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains and their records."""

from __future__ import annotations

from typing import Any

from lab.digitalocean.ask import NO_CONTENT, Ask, json_body, listed
from lab.digitalocean.errors import not_found, unprocessable
from lab.digitalocean.teams import Thing
from lab.messages import Answer

TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "SOA", "SRV", "TXT")
NAME_SERVERS = ("ns1.digitalocean.com", "ns2.digitalocean.com", "ns3.digitalocean.com")


def create(ask: Ask) -> Answer:
    name = ask.text("name").lower()
    if "." not in name or name in ask.team.domains:
        raise unprocessable(f"Domain '{name}': name is invalid or has already been taken.")
    records = [_record(ask, {"type": "SOA", "name": "@", "data": "1800", "ttl": 1800})]
    records += [_record(ask, {"type": "NS", "name": "@", "data": server, "ttl": 1800}) for server in NAME_SERVERS]
    if ask.body.get("ip_address"):
        records.append(_record(ask, {"type": "A", "name": "@", "data": ask.body["ip_address"]}))
    ask.team.domains[name] = records
    return json_body({"domain": {"name": name, "ttl": None, "zone_file": None}}, 201)


def list_all(ask: Ask) -> Answer:
    return listed(ask, "domains", [_shown(name) for name in ask.team.domains])


def show(ask: Ask) -> Answer:
    _records(ask)
    return json_body({"domain": _shown(ask.path[0])})


def delete(ask: Ask) -> Answer:
    _records(ask)
    if ask.world.fault != "swallow":
        del ask.team.domains[ask.path[0]]
    return NO_CONTENT


def create_record(ask: Ask) -> Answer:
    records = _records(ask)
    record = _record(ask, ask.body)
    records.append(record)
    return json_body({"domain_record": record}, 201)


def list_records(ask: Ask) -> Answer:
    name, kind = ask.query.get("name"), ask.query.get("type")
    domain = ask.path[0]
    found = [
        one
        for one in _records(ask)
        if kind in (None, one["type"]) and name in (None, domain if one["name"] == "@" else f"{one['name']}.{domain}")
    ]
    return listed(ask, "domain_records", found)


def show_record(ask: Ask) -> Answer:
    return json_body({"domain_record": _one(ask)})


def change_record(ask: Ask) -> Answer:
    record = _one(ask)
    record.update(_record(ask, {**record, **ask.body}), id=record["id"])
    return json_body({"domain_record": record})


def delete_record(ask: Ask) -> Answer:
    record = _one(ask)
    if ask.world.fault != "swallow":
        _records(ask).remove(record)
    return NO_CONTENT


def _records(ask: Ask) -> list[Thing]:
    if ask.path[0] not in ask.team.domains:
        raise not_found()
    return ask.team.domains[ask.path[0]]


def _one(ask: Ask) -> Thing:
    record = next((one for one in _records(ask) if str(one["id"]) == ask.path[1]), None)
    if record is None:
        raise not_found()
    return record


def _record(ask: Ask, given: Any) -> Thing:
    kind = given.get("type")
    if kind not in TYPES:
        raise unprocessable("Record type is invalid")
    if not given.get("data"):
        raise unprocessable("Data can't be blank")
    if kind in ("MX", "SRV") and given.get("priority") is None:
        raise unprocessable("Priority can't be blank")
    return {
        "id": ask.team.number(),
        "type": kind,
        "name": given.get("name") or "@",
        "data": given["data"],
        **{name: given.get(name) for name in ("priority", "port", "weight", "flags", "tag")},
        "ttl": given.get("ttl") or 1800,
    }


def _shown(name: str) -> Thing:
    return {"name": name, "ttl": 1800, "zone_file": f"$ORIGIN {name}.\n"}
