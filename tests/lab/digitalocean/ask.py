# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request as a handler sees it, and answers as DigitalOcean writes them: JSON, pages, nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from lab.digitalocean.errors import unprocessable
from lab.digitalocean.teams import Team, Thing, Token
from lab.messages import Answer
from lab.world import World

PER_PAGE, MOST_PER_PAGE = 20, 200
NO_CONTENT = Answer(204, b"")
TAG = re.compile(r"[a-zA-Z0-9_\-:]{1,255}")
JSON = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True)
class Ask:
    """A request that was let in.

    Attributes:
        path: what stood in the places of the path, in order.
        url: the address asked, without its query, as the links to other pages need it.
    """

    world: World
    team: Team
    token: Token
    path: tuple[str, ...]
    query: Mapping[str, str]
    body: Mapping[str, Any]
    url: str

    def now(self) -> float:
        return self.world.clock.now()

    def date(self) -> str:
        return self.world.clock.utc().strftime("%Y-%m-%dT%H:%M:%SZ")

    def text(self, name: str) -> str:
        """A field of the body that has to be a text."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise unprocessable(f"{name} can't be blank" if not value else f"{name} is invalid")
        return value

    def tags(self) -> list[str]:
        """The body's tags, checked; they are made on the fly."""
        tags = self.body.get("tags") or []
        if not isinstance(tags, list):
            raise unprocessable("tags must be an array")
        for tag in tags:
            if not isinstance(tag, str) or not TAG.fullmatch(tag):
                raise unprocessable(f"{tag} is not a valid tag name")
        return list(dict.fromkeys(map(self.team.keep_tag, tags)))

    def shown(self, thing: Thing) -> Thing:
        """A thing as this token may see it: without tag:read nothing has tags."""
        return thing if self.token.may("tag:read") or "tags" not in thing else {**thing, "tags": []}


Handler = Callable[[Ask], Answer]


def json_body(document: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(document).encode(), JSON)


def listed(ask: Ask, key: str, things: Sequence[Thing]) -> Answer:
    """One page of a list."""
    if ask.world.fault == "empty":
        things = []
    page, size = _whole(ask.query.get("page"), 1), min(MOST_PER_PAGE, _whole(ask.query.get("per_page"), PER_PAGE))
    last = max(1, -(-len(things) // size))
    shown = [ask.shown(thing) for thing in things[(page - 1) * size : page * size]]
    return json_body({key: shown, "links": _links(ask, page, last), "meta": {"total": len(things)}})


def _links(ask: Ask, page: int, last: int) -> dict[str, Any]:
    if last == 1:
        return {}
    pages: dict[str, int] = {}
    if page > 1:
        pages |= {"first": 1, "prev": page - 1}
    if page < last:
        pages |= {"next": page + 1, "last": last}
    others = {name: value for name, value in ask.query.items() if name != "page"}
    return {"pages": {name: f"{ask.url}?{urlencode({**others, 'page': number})}" for name, number in pages.items()}}


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() and int(text) > 0 else default
