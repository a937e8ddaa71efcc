# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is needed little: the account, the catalogue, actions, projects, load balancers, reserved addresses."""

from __future__ import annotations

import uuid
from typing import Any

from lab.digitalocean import catalogue
from lab.digitalocean.ask import NO_CONTENT, Ask, json_body, listed
from lab.digitalocean.errors import DigitalOceanError, unprocessable
from lab.digitalocean.teams import Team, Thing, get
from lab.messages import Answer


def account(ask: Ask) -> Answer:
    team = ask.team
    return json_body(
        {
            "account": {
                "droplet_limit": ask.world.settings.droplet_limit,
                "floating_ip_limit": 5,
                "email": f"{team.name}@lab.invalid",
                "name": team.name,
                "uuid": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"user-{team.name}.lab.invalid")),
                "email_verified": True,
                "status": "active",
                "status_message": "",
                "team": {"uuid": team.uuid, "name": team.name},
            }
        }
    )


def regions(ask: Ask) -> Answer:
    return listed(ask, "regions", catalogue.regions())


def sizes(ask: Ask) -> Answer:
    return listed(ask, "sizes", catalogue.sizes())


def images(ask: Ask) -> Answer:
    kinds = {"distribution": "base", "application": "snapshot"}
    wanted = ask.query.get("type")
    if ask.query.get("private") == "true":
        return listed(ask, "images", [])
    found = [one for one in catalogue.images() if wanted is None or one["type"] == kinds.get(wanted)]
    return listed(ask, "images", found)


def image(ask: Ask) -> Answer:
    found = catalogue.find_image(ask.path[0])
    return json_body({"image": get({ask.path[0]: found} if found else {}, ask.path[0])})


def actions(ask: Ask) -> Answer:
    return listed(ask, "actions", list(ask.team.actions.values())[::-1])


def action(ask: Ask) -> Answer:
    return json_body({"action": get(ask.team.actions, ask.path[0])})


# Projects


def list_projects(ask: Ask) -> Answer:
    _default_project(ask)
    return listed(ask, "projects", [_project(one) for one in ask.team.projects.values()])


def create_project(ask: Ask) -> Answer:
    _default_project(ask)
    name = ask.text("name")
    if any(one["name"] == name for one in ask.team.projects.values()):
        raise DigitalOceanError(409, "conflict", "name is already in use")
    return json_body({"project": _project(_make_project(ask, name, default=False))}, 201)


def show_project(ask: Ask) -> Answer:
    return json_body({"project": _project(_find_project(ask))})


def delete_project(ask: Ask) -> Answer:
    project = _find_project(ask)
    if project["resources"]:
        raise DigitalOceanError(412, "precondition_failed", "cannot delete a project with resources")
    if project["is_default"]:
        raise DigitalOceanError(412, "precondition_failed", "cannot delete the default project")
    del ask.team.projects[project["id"]]
    return NO_CONTENT


def assign(ask: Ask) -> Answer:
    project, urns = _find_project(ask), ask.body.get("resources") or []
    for urn in urns:
        if not isinstance(urn, str) or urn.count(":") != 2:
            raise unprocessable(f"{urn} is not a valid urn")
        for other in ask.team.projects.values():
            other["resources"] = [one for one in other["resources"] if one != urn]
        project["resources"].append(urn)
    return json_body({"resources": [_resource(ask, urn) for urn in urns]})


def project_resources(ask: Ask) -> Answer:
    urns = _find_project(ask)["resources"]
    return listed(ask, "resources", [_resource(ask, urn) for urn in urns if _exists(ask.team, urn)])


def _find_project(ask: Ask) -> Thing:
    default = _default_project(ask)
    return default if ask.path[0] == "default" else get(ask.team.projects, ask.path[0])


def _default_project(ask: Ask) -> Thing:
    there = next((one for one in ask.team.projects.values() if one["is_default"]), None)
    return there or _make_project(ask, "first-project", default=True)


def _make_project(ask: Ask, name: str, *, default: bool) -> Thing:
    project: Thing = {
        "id": str(uuid.uuid4()),
        "owner_uuid": ask.team.uuid,
        "owner_id": 258992,
        "name": name,
        "description": ask.body.get("description") or "",
        "purpose": ask.body.get("purpose") or "Just trying out DigitalOcean",
        "environment": ask.body.get("environment") or "Development",
        "is_default": default,
        "created_at": ask.date(),
        "updated_at": ask.date(),
        "resources": [],
    }
    ask.team.projects[project["id"]] = project
    return project


def _project(project: Thing) -> Thing:
    return {name: value for name, value in project.items() if name != "resources"}


def _resource(ask: Ask, urn: str) -> Thing:
    return {"urn": urn, "assigned_at": ask.date(), "links": {}, "status": "assigned"}


def _exists(team: Team, urn: str) -> bool:
    kind, number = urn.split(":")[1:]
    return kind != "droplet" or int(number) in team.droplets


# Load balancers. They are kept and shown; nothing answers at their addresses.


def create_balancer(ask: Ask) -> Answer:
    body: Any = ask.body
    name, region = ask.text("name"), ask.text("region")
    if body.get("tag") and body.get("droplet_ids"):
        raise unprocessable("droplet_ids and tag are mutually exclusive")
    if not body.get("forwarding_rules"):
        raise unprocessable("must specify at least one forwarding rule")
    if any(one["name"] == name for one in ask.team.load_balancers.values()):
        raise unprocessable("Load balancer name is already in use")
    balancer: Thing = {
        "id": str(uuid.uuid4()),
        "name": name,
        "ip": "",
        "size_unit": body.get("size_unit") or 1,
        "status": "new",
        "created_at": ask.date(),
        "forwarding_rules": body["forwarding_rules"],
        "health_check": body.get("health_check") or {},
        "sticky_sessions": body.get("sticky_sessions") or {"type": "none"},
        "region": catalogue.region(region),
        "tag": body.get("tag") or "",
        "droplet_ids": list(body.get("droplet_ids") or ()),
    }
    ask.team.load_balancers[balancer["id"]] = balancer
    answer = json_body({"load_balancer": balancer}, 202)
    balancer.update(status="active", ip=f"198.51.100.{len(ask.team.load_balancers)}")  # seen by whoever looks again
    return answer


def list_balancers(ask: Ask) -> Answer:
    return listed(ask, "load_balancers", list(ask.team.load_balancers.values()))


def show_balancer(ask: Ask) -> Answer:
    return json_body({"load_balancer": get(ask.team.load_balancers, ask.path[0])})


def delete_balancer(ask: Ask) -> Answer:
    del ask.team.load_balancers[get(ask.team.load_balancers, ask.path[0])["id"]]
    return NO_CONTENT


# Reserved addresses


def reserve(ask: Ask) -> Answer:
    droplet_id = ask.body.get("droplet_id")
    droplet = get(ask.team.droplets, droplet_id) if droplet_id else None
    region = droplet["region"]["slug"] if droplet else ask.text("region")
    address = f"198.51.100.{100 + len(ask.team.reserved_ips)}"
    made: Thing = {"ip": address, "region": catalogue.region(region), "droplet": droplet, "locked": False}
    ask.team.reserved_ips[address] = made
    return json_body({"reserved_ip": made}, 202)


def list_reserved(ask: Ask) -> Answer:
    return listed(ask, "reserved_ips", list(ask.team.reserved_ips.values()))


def release(ask: Ask) -> Answer:
    del ask.team.reserved_ips[get(ask.team.reserved_ips, ask.path[0])["ip"]]
    return NO_CONTENT
