# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VPCs. Every region that is used has a default one, which cannot be deleted."""

from __future__ import annotations

import ipaddress
import uuid

from lab.digitalocean import catalogue
from lab.digitalocean.ask import NO_CONTENT, Ask, json_body, listed
from lab.digitalocean.errors import conflict, forbidden, unprocessable
from lab.digitalocean.teams import Thing, get
from lab.messages import Answer


def for_droplet(ask: Ask, region: str) -> Thing:
    """The VPC that a create names, or the default one of the region."""
    wanted = ask.body.get("vpc_uuid")
    if not wanted:
        return _default(ask, region)
    vpc = ask.team.vpcs.get(wanted)
    if vpc is None or vpc["region"] != region:
        raise unprocessable("Invalid VPC UUID provided for Droplet creation.")
    return vpc


def create(ask: Ask) -> Answer:
    name, region = ask.text("name"), ask.text("region")
    if region not in catalogue.REGIONS:
        raise unprocessable("region is invalid")
    if any(one["name"] == name for one in ask.team.vpcs.values()):
        raise unprocessable("name must be unique")
    given = ask.body.get("ip_range")
    if given and any(_overlap(given, one["ip_range"]) for one in ask.team.vpcs.values()):
        raise unprocessable("This range/size overlaps with another VPC network in your account")
    return json_body({"vpc": _make(ask, name, region, given or "", default=False)}, 201)


def list_all(ask: Ask) -> Answer:
    return listed(ask, "vpcs", list(ask.team.vpcs.values()))


def show(ask: Ask) -> Answer:
    return json_body({"vpc": get(ask.team.vpcs, ask.path[0])})


def delete(ask: Ask) -> Answer:
    vpc = get(ask.team.vpcs, ask.path[0])
    if vpc["default"]:
        raise forbidden("Can not delete default VPCs")
    if any(one["vpc_uuid"] == vpc["id"] for one in ask.team.droplets.values()):
        raise conflict("Can not delete VPC with members")
    del ask.team.vpcs[vpc["id"]]
    return NO_CONTENT


def _default(ask: Ask, region: str) -> Thing:
    there = next((one for one in ask.team.vpcs.values() if one["region"] == region and one["default"]), None)
    return there or _make(ask, f"default-{region}", region, "", default=True)


def _make(ask: Ask, name: str, region: str, ip_range: str, *, default: bool) -> Thing:
    taken = [one["ip_range"] for one in ask.team.vpcs.values()]
    free = (str(one) for one in ipaddress.ip_network("10.96.0.0/12").subnets(new_prefix=20))
    vpc: Thing = {
        "id": str(uuid.uuid4()),
        "urn": "",
        "name": name,
        "description": "",
        "region": region,
        "ip_range": ip_range or next(one for one in free if not any(_overlap(one, other) for other in taken)),
        "created_at": ask.date(),
        "default": default,
    }
    vpc["urn"] = f"do:vpc:{vpc['id']}"
    ask.team.vpcs[vpc["id"]] = vpc
    return vpc


def _overlap(one: str, other: str) -> bool:
    try:
        return ipaddress.ip_network(one).overlaps(ipaddress.ip_network(other))
    except (TypeError, ValueError) as error:
        raise unprocessable("ip_range is invalid") from error
