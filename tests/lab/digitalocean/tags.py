# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags: made by hand or on the fly, and there until they are deleted."""

from __future__ import annotations

from collections.abc import Iterator

from lab.digitalocean.ask import NO_CONTENT, TAG, Ask, json_body, listed
from lab.digitalocean.errors import not_found, unprocessable
from lab.digitalocean.teams import Thing, get
from lab.messages import Answer


def create(ask: Ask) -> Answer:
    name = ask.text("name")
    if not TAG.fullmatch(name):
        raise unprocessable(f"{name} is not a valid tag name")
    return json_body({"tag": _shown(ask, ask.team.keep_tag(name))}, 201)


def list_all(ask: Ask) -> Answer:
    return listed(ask, "tags", [_shown(ask, name) for name in sorted(ask.team.tags)])


def show(ask: Ask) -> Answer:
    return json_body({"tag": _shown(ask, _name(ask))})


def delete(ask: Ask) -> Answer:
    name = _name(ask)
    if ask.world.fault == "swallow":
        return NO_CONTENT
    ask.team.tags.discard(name)
    for thing in ask.team.tagged(name):
        thing["tags"] = [one for one in thing["tags"] if one != name]
    for firewall in ask.team.firewalls.values():
        firewall["tags"] = [one for one in firewall["tags"] if one != name]
    return NO_CONTENT


def tag(ask: Ask) -> Answer:
    name = _name(ask)
    for thing in _resources(ask):
        thing["tags"] = [*thing["tags"], *([] if name in thing["tags"] else [name])]
    return NO_CONTENT


def untag(ask: Ask) -> Answer:
    name = _name(ask)
    for thing in _resources(ask):
        thing["tags"] = [one for one in thing["tags"] if one != name]
    return NO_CONTENT


def _name(ask: Ask) -> str:
    if ask.path[0] not in ask.team.tags:
        raise not_found()
    return ask.path[0]


def _resources(ask: Ask) -> Iterator[Thing]:
    kinds = {"droplet": ask.team.droplets, "volume": ask.team.volumes, "volume_snapshot": ask.team.snapshots}
    for resource in ask.body.get("resources") or ():
        number, kind = resource.get("resource_id"), resource.get("resource_type")
        if kind not in kinds or not isinstance(number, str):
            raise unprocessable("resource_type or resource_id is invalid: ids are strings")
        yield get(kinds[kind], number)  # type: ignore[arg-type]


def _shown(ask: Ask, name: str) -> Thing:
    counts = {
        "droplets": sum(name in one["tags"] for one in ask.team.droplets.values()),
        "volumes": sum(name in one["tags"] for one in ask.team.volumes.values()),
        "volume_snapshots": sum(name in one["tags"] for one in ask.team.snapshots.values()),
        "images": 0,
        "databases": 0,
    }
    each = {kind: {"count": count} for kind, count in counts.items()}
    return {"name": name, "resources": {"count": sum(counts.values()), **each}}
