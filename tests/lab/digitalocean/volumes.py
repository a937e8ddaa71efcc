# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Block storage volumes and their snapshots."""

from __future__ import annotations

import re
import uuid

from lab.digitalocean import catalogue
from lab.digitalocean.ask import NO_CONTENT, Ask, json_body, listed
from lab.digitalocean.errors import conflict, unprocessable
from lab.digitalocean.teams import Thing, get
from lab.messages import Answer

NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")


def create(ask: Ask) -> Answer:
    name, region, size = ask.text("name"), ask.text("region"), ask.body.get("size_gigabytes")
    if not NAME.fullmatch(name):
        raise unprocessable("name must begin with a letter and may only contain lower case letters, digits and hyphens")
    if region not in catalogue.REGIONS:
        raise unprocessable("region is invalid")
    if not isinstance(size, int) or not 1 <= size <= 16_384:
        raise unprocessable("size_gigabytes must be between 1 and 16384")
    if any(one["name"] == name and one["region"]["slug"] == region for one in ask.team.volumes.values()):
        raise conflict("Volume with the given name already exists in this region")
    volume: Thing = {
        "id": str(uuid.uuid4()),
        "region": catalogue.region(region),
        "droplet_ids": [],
        "name": name,
        "description": ask.body.get("description") or "",
        "size_gigabytes": size,
        "created_at": ask.date(),
        "filesystem_type": ask.body.get("filesystem_type") or "",
        "filesystem_label": ask.body.get("filesystem_label") or "",
        "tags": ask.tags(),
    }
    ask.team.volumes[volume["id"]] = volume
    return json_body({"volume": volume}, 201)


def list_all(ask: Ask) -> Answer:
    name, region = ask.query.get("name"), ask.query.get("region")
    found = [
        one
        for one in ask.team.volumes.values()
        if name in (None, one["name"]) and region in (None, one["region"]["slug"])
    ]
    return listed(ask, "volumes", found)


def show(ask: Ask) -> Answer:
    return json_body({"volume": ask.shown(get(ask.team.volumes, ask.path[0]))})


def delete(ask: Ask) -> Answer:
    volume = get(ask.team.volumes, ask.path[0])
    if volume["droplet_ids"]:
        raise conflict("attached volume cannot be deleted")
    if ask.world.fault != "swallow":
        del ask.team.volumes[volume["id"]]
    return NO_CONTENT


def act(ask: Ask) -> Answer:
    """Attach or detach; done at once."""
    volume = get(ask.team.volumes, ask.path[0])
    kind, droplet = ask.text("type"), get(ask.team.droplets, ask.body.get("droplet_id"))
    if kind == "attach":
        if volume["droplet_ids"]:
            raise unprocessable("Volume is already attached")
        if droplet["region"]["slug"] != volume["region"]["slug"]:
            raise unprocessable("Volume and droplet are in different regions")
        volume["droplet_ids"] = [droplet["id"]]
        droplet["volume_ids"] = [*droplet["volume_ids"], volume["id"]]
    elif kind == "detach":
        if droplet["id"] not in volume["droplet_ids"]:
            raise unprocessable("Attachment not found")
        volume["droplet_ids"] = []
        droplet["volume_ids"] = [one for one in droplet["volume_ids"] if one != volume["id"]]
    else:
        raise NotImplementedError(f"volume action {kind}")
    action: Thing = {
        "id": ask.team.number(),
        "status": "completed",
        "type": f"{kind}_volume",
        "started_at": ask.date(),
        "completed_at": ask.date(),
        "resource_id": None,
        "resource_type": "backend",
        "region": volume["region"],
        "region_slug": volume["region"]["slug"],
    }
    ask.team.actions[action["id"]] = action
    return json_body({"action": action}, 202)


def snapshot(ask: Ask) -> Answer:
    volume = get(ask.team.volumes, ask.path[0])
    made: Thing = {
        "id": str(uuid.uuid4()),
        "name": ask.text("name"),
        "resource_id": volume["id"],
        "resource_type": "volume",
        "regions": [volume["region"]["slug"]],
        "min_disk_size": volume["size_gigabytes"],
        "size_gigabytes": max(1, volume["size_gigabytes"] // 10),
        "created_at": ask.date(),
        "tags": ask.tags(),
    }
    ask.team.snapshots[made["id"]] = made
    return json_body({"snapshot": made}, 201)


def list_snapshots(ask: Ask) -> Answer:
    kind = ask.query.get("resource_type")
    found = [one for one in ask.team.snapshots.values() if kind in (None, one["resource_type"])]
    return listed(ask, "snapshots", found)


def show_snapshot(ask: Ask) -> Answer:
    return json_body({"snapshot": ask.shown(get(ask.team.snapshots, ask.path[0]))})


def delete_snapshot(ask: Ask) -> Answer:
    made = get(ask.team.snapshots, ask.path[0])
    if ask.world.fault != "swallow":
        del ask.team.snapshots[made["id"]]
    return NO_CONTENT
