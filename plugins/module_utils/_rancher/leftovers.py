# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where to look at a Rancher server for what is left: nothing there costs anything, but it is in the way.

The droplets under it, which cost, are DigitalOcean's to tell. PRIVATE.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from .._clock import Deadline, SystemClock
from .._leftovers import Leftover, Place, State
from .api import Object, Rancher
from .dialect import DIALECTS
from .environments import Environment, Run, list_projects, live_environment
from .host_view import read_hosts
from .marks import tags_of

PROVIDER = "rancher"
EVERYWHERE = "global"


class Server:
    """A server whose environments are listed once, for all places in them."""

    def __init__(self, rancher: Rancher) -> None:
        self.rancher = rancher
        self._lock = threading.Lock()  # the places are looked at at the same time
        self._environments: list[Environment] | None = None

    def environments(self) -> list[Environment]:
        """All of the server, to an administrator; to anybody else those that he is a member of."""
        with self._lock:
            if self._environments is None:
                listed = list_projects(self.rancher, doing="look for environments that are left")
                self._environments = [live_environment(one) for one in listed]
            return self._environments


Finder = Callable[[Server], Iterator[Leftover]]


def places(rancher: Rancher, owner: str) -> dict[str, Place]:
    """All places of a server, as far as the API key can see."""
    server = Server(rancher)
    return {f"rancher {kind}s": Place((kind,), partial(_find, find, server, owner)) for kind, find in KINDS.items()}


def _find(find: Finder, server: Server, owner: str) -> Iterator[Leftover]:
    """What has a mark, of this owner or of any."""
    yield from (one for one in find(server) if one.belongs_to(owner))


def _described(kind: str, things: Iterable[Object], place: str, why: str) -> Iterator[Leftover]:
    """Things that carry their mark in their description."""
    for one in things:
        tags = tags_of(str(one.get("description") or ""))
        name = str(one.get("name") or "")
        yield Leftover(PROVIDER, kind, str(one["id"]), place, tags, State(str(one.get("state")), why), name)


def _own_environments(server: Server) -> Iterator[Leftover]:
    raw = [dict(one.raw) for one in server.environments()]
    yield from _described("environment", raw, EVERYWHERE, "with all that is in it")


def _hosts(server: Server) -> Iterator[Leftover]:
    for environment in server.environments():
        for one in read_hosts(Run(server.rancher, environment, Deadline(SystemClock(), 0))):
            why = f"its {one.driver} machine is paid for there" if one.driver else "came by itself"
            yield Leftover(PROVIDER, "host", one.id, environment.name, one.labels, State(one.state, why), one.name)


def _stacks(server: Server) -> Iterator[Leftover]:
    yield from _in_environments(server, "stack", DIALECTS[server.rancher.version].stacks)


def _services(server: Server) -> Iterator[Leftover]:
    yield from _in_environments(server, "service", "services")


def _in_environments(server: Server, kind: str, collection: str) -> Iterator[Leftover]:
    for environment in server.environments():
        path = server.rancher.path(collection, project=environment.id)
        doing = f"look for {kind}s that are left in environment {environment.name}"
        things = server.rancher.list(path, doing=doing)
        yield from _described(kind, things, environment.name, f"in environment {environment.name}")


def _api_keys(server: Server) -> Iterator[Leftover]:
    rancher = server.rancher
    keys = rancher.list(rancher.path("apikeys"), doing="look for API keys that are left")
    yield from _described("api_key", keys, EVERYWHERE, "opens the server to whoever has it")


KINDS: Mapping[str, Finder] = {
    "environment": _own_environments,
    "host": _hosts,
    "stack": _stacks,
    "service": _services,
    "api_key": _api_keys,
}
