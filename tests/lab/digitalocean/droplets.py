# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Droplets: create, list, look, delete, act."""

from __future__ import annotations

import re
from typing import Any

from lab.digitalocean import catalogue, vpcs
from lab.digitalocean.ask import NO_CONTENT, Ask, json_body, listed
from lab.digitalocean.errors import DigitalOceanError, not_found, unprocessable
from lab.digitalocean.keys import find_key
from lab.digitalocean.lives import ENDINGS, Lives
from lab.digitalocean.teams import Thing, get
from lab.messages import Answer

NAME = re.compile(r"^[a-zA-Z0-9]?[a-z0-9A-Z.\-]*[a-z0-9A-Z]$")
MOST_NAMES = 10
MOST_USER_DATA = 64 * 1024


class Droplets:
    """The handlers; what becomes of a droplet between requests is told in lives.py."""

    def __init__(self, lives: Lives) -> None:
        self._lives = lives

    def create(self, ask: Ask) -> Answer:
        names = _names(ask)
        template = _template(ask)
        _check_limit(ask, len(names))
        made, links = [], []
        volumes = list(ask.body.get("volumes") or ())
        for name in names:
            droplet: Thing = {"id": ask.team.number(), "name": name, **template}
            droplet["networks"] = {"v4": [], "v6": []}
            droplet["tags"] = list(template["tags"])
            droplet["volume_ids"] = volumes
            ask.team.droplets[droplet["id"]] = droplet
            self._lives.begin(ask.team, droplet, str(ask.body.get("user_data") or ""))
            action = self._lives.act(ask.team, droplet, "create", ask.world.settings.droplet_boot_seconds)
            for volume in volumes:
                get(ask.team.volumes, volume)["droplet_ids"] = [droplet["id"]]
            made.append(ask.shown(droplet))
            links.append({"id": action["id"], "rel": "create", "href": f"{_root(ask)}/actions/{action['id']}"})
        shown = {"droplets": made} if "names" in ask.body else {"droplet": made[0]}
        return json_body({**shown, "links": {"actions": links}}, 202)

    def list(self, ask: Ask) -> Answer:
        found = [one for one in ask.team.droplets.values() if self._lives.is_listed(one["id"])]
        name, tag, kind = (ask.query.get(option) for option in ("name", "tag_name", "type"))
        if tag and (name or kind):
            raise unprocessable(f"{'name' if name else 'type'} and tag_name cannot be used together")
        if tag:
            found = [one for one in found if tag in one["tags"]]
        else:  # those with GPUs are told to who asks for them only
            found = [one for one in found if ("gpu_info" in one["size"]) == (kind == "gpus")]
        if name and not ask.world.settings.droplet_name_filter_ignored:
            found = [one for one in found if one["name"].lower() == name.lower()]
        return listed(ask, "droplets", found)

    def show(self, ask: Ask) -> Answer:
        return json_body({"droplet": ask.shown(get(ask.team.droplets, ask.path[0]))})

    def destroy(self, ask: Ask) -> Answer:
        self._destroy(ask, get(ask.team.droplets, ask.path[0]))
        return NO_CONTENT

    def destroy_by_tag(self, ask: Ask) -> Answer:
        tag = ask.query.get("tag_name")
        if not tag:
            raise unprocessable("tag_name is required")
        if not ask.token.may("tag:read"):
            raise DigitalOceanError(403, "forbidden", "You are not authorized to perform this operation")
        for droplet in [one for one in ask.team.droplets.values() if tag in one["tags"]]:
            self._destroy(ask, droplet)
        return NO_CONTENT

    def act(self, ask: Ask) -> Answer:
        droplet = get(ask.team.droplets, ask.path[0])
        kind = ask.text("type")
        if self._lives.pending(ask.team, droplet["id"]):
            raise unprocessable("Droplet already has a pending event.")
        if kind == "rename":
            droplet["name"] = _name(ask.text("name"))
        elif kind == "snapshot":
            self._snapshot(ask, droplet)
        elif kind not in ENDINGS:
            raise NotImplementedError(f"action {kind}")
        action = self._lives.act(ask.team, droplet, kind, ask.world.settings.droplet_action_seconds)
        return json_body({"action": action}, 201)

    def actions(self, ask: Ask) -> Answer:
        droplet = get(ask.team.droplets, ask.path[0])
        mine = [one for one in ask.team.actions.values() if one["resource_id"] == droplet["id"]]
        return listed(ask, "actions", mine[::-1])

    def show_action(self, ask: Ask) -> Answer:
        get(ask.team.droplets, ask.path[0])
        action = get(ask.team.actions, ask.path[1])
        if str(action["resource_id"]) != ask.path[0]:
            raise not_found()
        return json_body({"action": action})

    def associated(self, ask: Ask) -> Answer:
        """What destroy_with_associated_resources would take along."""
        droplet = get(ask.team.droplets, ask.path[0])
        snapshots = [one for one in ask.team.snapshots.values() if one["resource_id"] == str(droplet["id"])]
        volumes = [one for one in ask.team.volumes.values() if droplet["id"] in one["droplet_ids"]]
        addresses = [
            {"id": one["ip"], "name": one["ip"], "cost": "5.00"}
            for one in ask.team.reserved_ips.values()
            if (one["droplet"] or {}).get("id") == droplet["id"]
        ]
        return json_body(
            {
                "reserved_ips": addresses,
                "floating_ips": addresses,
                "snapshots": [
                    {"id": one["id"], "name": one["name"], "cost": f"{one['size_gigabytes'] * 0.06:.2f}"}
                    for one in snapshots
                ],
                "volumes": [
                    {"id": one["id"], "name": one["name"], "cost": f"{one['size_gigabytes'] * 0.1:.2f}"}
                    for one in volumes
                ],
                "volume_snapshots": [],
            }
        )

    def _destroy(self, ask: Ask, droplet: Thing) -> None:
        if self._lives.pending(ask.team, droplet["id"]):
            if droplet["status"] == "new" and ask.world.settings.droplet_new_delete_ignored:
                return
            raise unprocessable("Droplet already has a pending event.")
        if ask.world.fault != "swallow":
            self._lives.doom(droplet["id"])

    def _snapshot(self, ask: Ask, droplet: Thing) -> None:
        number = str(ask.team.number())
        ask.team.snapshots[number] = {
            "id": number,
            "name": ask.text("name"),
            "resource_id": str(droplet["id"]),
            "resource_type": "droplet",
            "regions": [droplet["region"]["slug"]],
            "min_disk_size": droplet["disk"],
            "size_gigabytes": 2.5,
            "created_at": ask.date(),
            "tags": [],
        }
        droplet["snapshot_ids"] = [*droplet["snapshot_ids"], int(number)]


def _names(ask: Ask) -> list[str]:
    if "names" not in ask.body:
        return [_name(ask.text("name"))]
    names = ask.body["names"]
    if not isinstance(names, list) or not names:
        raise unprocessable("names can't be blank")
    if len(names) > MOST_NAMES:
        raise unprocessable(f"You can only create {MOST_NAMES} droplets at a time.")
    return [_name(name) for name in names]


def _name(name: object) -> str:
    if not isinstance(name, str) or len(name) > 255 or not NAME.fullmatch(name):
        raise unprocessable("Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)")
    return name


def _template(ask: Ask) -> dict[str, Any]:
    """The fields that all droplets of a request share, checked."""
    body = ask.body
    size, image = body.get("size"), catalogue.find_image(body.get("image"))
    region = body.get("region") or "nyc3"
    if not catalogue.has_size(size):
        raise unprocessable("You specified an invalid size for Droplet creation.")
    if image is None:
        raise unprocessable("You specified an invalid image for Droplet creation.")
    if region not in catalogue.REGIONS:
        raise unprocessable("You specified an invalid region for Droplet creation.")
    described = catalogue.size(str(size))
    if region not in described["regions"]:
        raise unprocessable("Size is not available in this region.")
    if described["disk"] < image["min_disk_size"]:
        raise unprocessable("The image needs a larger disk than this size has.")
    for key in body.get("ssh_keys") or ():
        if find_key(ask.team, str(key)) is None:
            raise unprocessable(f"{key} are invalid key identifiers for Droplet creation.")
    if len(str(body.get("user_data") or "").encode()) > MOST_USER_DATA:
        raise unprocessable("User data is too long (maximum is 64 KiB)")
    for volume in body.get("volumes") or ():
        get(ask.team.volumes, volume)
    vpc = vpcs.for_droplet(ask, str(region))
    return {
        "memory": described["memory"],
        "vcpus": described["vcpus"],
        "disk": described["disk"],
        "locked": False,
        "status": "new",
        "kernel": None,
        "created_at": ask.date(),
        "features": _features(body),
        "backup_ids": [],
        "next_backup_window": None,
        "snapshot_ids": [],
        "image": image,
        "volume_ids": [],
        "size": described,
        "size_slug": size,
        "networks": {},
        "region": catalogue.region(str(region)),
        "tags": ask.tags(),
        "vpc_uuid": vpc["id"],
    }


def _features(body: Any) -> list[str]:
    wanted = {"monitoring": "monitoring", "ipv6": "ipv6", "backups": "backups"}
    agent = [] if body.get("with_droplet_agent") is False else ["droplet_agent"]
    return [*agent, "private_networking", *(feature for option, feature in wanted.items() if body.get(option))]


def _check_limit(ask: Ask, more: int) -> None:
    if len(ask.team.droplets) + more > ask.world.settings.droplet_limit:
        raise unprocessable("creating this/these droplet(s) will exceed your droplet limit")


def _root(ask: Ask) -> str:
    return ask.url.partition("/v2/")[0] + "/v2"
