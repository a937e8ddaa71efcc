# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DigitalOcean's API v2 as a backend of the lab: who asks, how often, what for; then the table of routes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from lab.digitalocean.ask import JSON, Ask, json_body
from lab.digitalocean.droplets import Droplets
from lab.digitalocean.errors import DigitalOceanError, forbidden, not_found, too_many_requests, unauthorized
from lab.digitalocean.limits import Limits
from lab.digitalocean.lives import Lives
from lab.digitalocean.routes import Routes
from lab.digitalocean.teams import MAIN, Team, Teams
from lab.faults import Rule
from lab.messages import Answer, Call, Request
from lab.world import Item, World

SERVICE = "digitalocean"


def install(world: World) -> None:
    backend = DigitalOcean(world)
    world.backends[SERVICE] = backend
    world.on_step(backend.lives.step)
    world.on_reset(backend.reset)
    world.on_stop(backend.lives.reset)
    world.on_inventory(backend.inventory)
    world.on_control("POST", SERVICE, backend.control)
    world.on_control("GET", SERVICE, backend.console)


class DigitalOcean:
    """All teams of the lab's DigitalOcean."""

    alone = True

    def __init__(self, world: World) -> None:
        self._world = world
        self.teams = Teams()
        self.lives = Lives(world, self.teams)
        self._limits = Limits(world)
        self._routes = Routes(Droplets(self.lives))

    def name(self, request: Request) -> Call:
        route, _unused = self._routes.find(request.method, request.path)
        action = route.action if route else f"{request.method} {request.path}"
        return Call(SERVICE, action, "", SERVICE, _document(request.body) or {}, 1, request)

    def work(self, call: Call) -> Answer:
        headers: dict[str, str] = {}
        try:
            answer = self._answer(call, headers)
        except DigitalOceanError as error:
            headers.update(error.headers)
            answer = _refusal(error.status, error.code, error.message)
        return Answer(answer.status, answer.body, {**answer.headers, **headers})

    def fault(self, call: Call, rule: Rule) -> Answer:
        if rule.kind == "throttle":
            error = too_many_requests("API rate limit exceeded.", {"retry-after": "1"})
            answer = _refusal(error.status, error.code, error.message)
            return Answer(answer.status, answer.body, {**answer.headers, **error.headers})
        if rule.kind in ("deny", "expire"):
            error = forbidden() if rule.kind == "deny" else unauthorized()
            return _refusal(error.status, error.code, error.message)
        return _refusal(rule.status, rule.code, rule.message)

    def broken(self, call: Call, code: str, message: str) -> Answer:
        return _refusal(501, code, message)

    def error_code(self, answer: Answer) -> str:
        document = _document(answer.body) if answer.status >= 400 else None
        return str((document or {}).get("id", "")) or (f"HTTP {answer.status}" if answer.status >= 400 else "")

    def _answer(self, call: Call, headers: dict[str, str]) -> Answer:
        request = call.request
        authorization = request.headers.get("authorization", "")
        token = self.teams.token(authorization)
        headers.update(self._limits.count(authorization, call.action))
        route, path = self._routes.find(request.method, request.path)
        if route is None:
            raise not_found()
        if not token.may(route.scope):
            raise forbidden()
        document = _document(request.body)
        if document is None and request.method in ("POST", "PUT", "PATCH"):
            raise DigitalOceanError(400, "bad_request", "The request body is not valid JSON.")
        url = f"http://{request.headers.get('host', '')}{request.path}"
        query = dict(parse_qsl(request.query))
        return route.handler(Ask(self._world, self.teams.team(token.team), token, path, query, document or {}, url))

    def reset(self) -> None:
        self.lives.reset()
        self.teams.reset()
        self._limits.reset()

    def control(self, request: Request) -> object:
        """POST /_lab/digitalocean {"token": ..., "team": ..., "scopes": [...]}: one more token."""
        document = _document(request.body) or {}
        token, team, scopes = document["token"], document.get("team", MAIN), document.get("scopes", [])
        self.teams.add_token(str(token), str(team), list(scopes))
        return {"team": self.teams.team(str(team)).uuid, "scopes": scopes or ["*"]}

    def console(self, request: Request) -> object:
        """GET /_lab/digitalocean/ID: what the droplet's user data wrote, and what its system has booted with."""
        number = int(request.path.rstrip("/").rpartition("/")[2])
        machine = self.lives.machine(number)
        system = {"cgroups": machine.cgroups, "iptables": machine.iptables} if machine else {}
        return {"console": self.lives.console(number), **system}

    def inventory(self) -> Iterator[Item]:
        for team in self.teams.teams.values():
            yield from _items(team)


def _items(team: Team) -> Iterator[Item]:
    kinds: dict[str, dict[Any, dict[str, Any]]] = {
        "droplet": team.droplets,
        "ssh-key": team.keys,
        "firewall": team.firewalls,
        "do-volume": team.volumes,
        "do-snapshot": team.snapshots,
        "do-load-balancer": team.load_balancers,
        "reserved-ip": team.reserved_ips,
        "do-vpc": {key: one for key, one in team.vpcs.items() if not one["default"]},
        "project": {key: one for key, one in team.projects.items() if not one["is_default"]},
    }
    for kind, things in kinds.items():
        for key, thing in things.items():
            tags = dict.fromkeys(thing.get("tags", ()), "")
            yield Item(kind, str(key), str(thing.get("name", key)), tags)
    yield from (Item("domain", name, name) for name in team.domains)
    yield from (Item("do-tag", name, name) for name in sorted(team.tags))


def _document(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body or b"null")
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _refusal(status: int, code: str, message: str) -> Answer:
    number = str(uuid.uuid4())
    answer = json_body({"id": code, "message": message, "request_id": number}, status)
    return Answer(answer.status, answer.body, {**JSON, "x-request-id": number})
