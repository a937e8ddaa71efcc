# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Teams and their tokens. Each team has its own things, and sees no others: to it they do not exist."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lab.account import DIGITALOCEAN_TOKEN
from lab.digitalocean.errors import not_found, unauthorized

Thing = dict[str, Any]
MAIN = "main"
ALL_SCOPES = frozenset({"*"})


@dataclass(frozen=True)
class Token:
    """Whose it is and what it allows: scopes as DigitalOcean names them (droplet:read), or * for all."""

    team: str
    scopes: frozenset[str] = ALL_SCOPES

    def may(self, scope: str) -> bool:
        return bool(self.scopes & {"*", scope})


@dataclass
class Team:
    """A team's things, by id. Things are kept as the API shows them; what only the lab knows is kept beside."""

    name: str
    uuid: str
    numbers: Iterator[int]
    droplets: dict[int, Thing] = field(default_factory=dict)
    actions: dict[int, Thing] = field(default_factory=dict)
    keys: dict[int, Thing] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    firewalls: dict[str, Thing] = field(default_factory=dict)
    volumes: dict[str, Thing] = field(default_factory=dict)
    snapshots: dict[str, Thing] = field(default_factory=dict)
    load_balancers: dict[str, Thing] = field(default_factory=dict)
    reserved_ips: dict[str, Thing] = field(default_factory=dict)
    domains: dict[str, list[Thing]] = field(default_factory=dict)
    projects: dict[str, Thing] = field(default_factory=dict)
    vpcs: dict[str, Thing] = field(default_factory=dict)

    def number(self) -> int:
        """A new id, of which no other team has one."""
        return next(self.numbers)

    def keep_tag(self, name: str) -> str:
        """A tag as it was first written: it is made if there is none, and its case does not make it another one."""
        known = next((one for one in self.tags if one.lower() == name.lower()), name)
        self.tags.add(known)
        return known

    def tagged(self, tag: str) -> list[Thing]:
        """Everything that carries a tag."""
        kinds = (self.droplets, self.volumes, self.snapshots)
        return [thing for kind in kinds for thing in kind.values() if tag in thing["tags"]]


def get(things: dict[Any, Thing], key: object) -> Thing:
    """One of a team's things by its id; ids in paths are texts.

    Raises:
        DigitalOceanError: 404.
    """
    thing = things.get(key)
    if thing is None and isinstance(key, str) and key.isdigit():
        thing = things.get(int(key))
    if thing is None:
        raise not_found()
    return thing


class Teams:
    """All teams and tokens."""

    def __init__(self) -> None:
        self.numbers = itertools.count(512_000_001)
        self.reset()

    def reset(self) -> None:
        """Empty teams. Numbers go on: what is gone never comes back under its old id."""
        self.teams: dict[str, Team] = {}
        self.tokens = {
            DIGITALOCEAN_TOKEN: Token(MAIN),
            f"{DIGITALOCEAN_TOKEN}-other-team": Token("other"),
            f"{DIGITALOCEAN_TOKEN}-read-only": Token(MAIN, frozenset({"account:read", "droplet:read", "tag:read"})),
        }

    def add_token(self, token: str, team: str, scopes: list[str]) -> None:
        self.tokens[token] = Token(team, frozenset(scopes) or ALL_SCOPES)

    def team(self, name: str) -> Team:
        if name not in self.teams:
            number = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"team-{name}.lab.invalid"))
            self.teams[name] = Team(name, number, self.numbers)
        return self.teams[name]

    def token(self, authorization: str) -> Token:
        """The token in an Authorization header.

        Raises:
            DigitalOceanError: 401.
        """
        kind, _unused, value = authorization.partition(" ")
        token = self.tokens.get(value.strip())
        if kind.lower() != "bearer" or token is None:
            raise unauthorized()
        return token
