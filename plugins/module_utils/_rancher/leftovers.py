# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where to look at a Rancher server for what is left: nothing there costs anything, but it is in the way.

The droplets under it, which cost, are DigitalOcean's to tell. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from .._clock import Deadline, SystemClock
from .._leftovers import Leftover, Place, State
from .api import Object, Rancher
from .dialect import DIALECTS
from .environments import Environment, Run, live_environment
from .host_view import read_hosts
from .marks import tags_of

PROVIDER = "rancher"
EVERYWHERE = "global"
Finder = Callable[[Rancher], Iterator[Leftover]]


def places(rancher: Rancher, owner: str) -> dict[str, Place]:
    """All places of a server, as far as the API key can see."""
    return {f"rancher {kind}s": Place((kind,), partial(_find, find, rancher, owner)) for kind, find in KINDS.items()}


def _find(find: Finder, rancher: Rancher, owner: str) -> Iterator[Leftover]:
    """What has a mark, of this owner or of any."""
    for one in find(rancher):
        whose = one.to_result()["owner"]
        if whose == owner if owner else whose:
            yield one


def _environments(rancher: Rancher) -> list[Environment]:
    """All of the server, to an administrator; to anybody else those that he is a member of."""
    listed = rancher.list(rancher.path("projects"), {"all": "true"}, doing="look for environments that are left")
    return [live_environment(one) for one in listed]


def _described(kind: str, things: Iterable[Object], place: str, why: str) -> Iterator[Leftover]:
    """Things that carry their mark in their description."""
    for one in things:
        tags = tags_of(str(one.get("description") or ""))
        name = str(one.get("name") or "")
        yield Leftover(PROVIDER, kind, str(one["id"]), place, tags, State(str(one.get("state")), why), name)


def _own_environments(rancher: Rancher) -> Iterator[Leftover]:
    raw = [dict(one.raw) for one in _environments(rancher)]
    yield from _described("environment", raw, EVERYWHERE, "with all that is in it")


def _hosts(rancher: Rancher) -> Iterator[Leftover]:
    for environment in _environments(rancher):
        for one in read_hosts(Run(rancher, environment, Deadline(SystemClock(), 0))):
            why = f"its {one.driver} machine is paid for there" if one.driver else "came by itself"
            yield Leftover(PROVIDER, "host", one.id, environment.name, one.labels, State(one.state, why), one.name)


def _stacks(rancher: Rancher) -> Iterator[Leftover]:
    yield from _in_environments(rancher, "stack", DIALECTS[rancher.version].stacks)


def _services(rancher: Rancher) -> Iterator[Leftover]:
    yield from _in_environments(rancher, "service", "services")


def _in_environments(rancher: Rancher, kind: str, collection: str) -> Iterator[Leftover]:
    for environment in _environments(rancher):
        path = rancher.path(collection, project=environment.id)
        things = rancher.list(path, doing=f"look for {kind}s that are left in environment {environment.name}")
        yield from _described(kind, things, environment.name, f"in environment {environment.name}")


def _api_keys(rancher: Rancher) -> Iterator[Leftover]:
    keys = rancher.list(rancher.path("apikeys"), doing="look for API keys that are left")
    yield from _described("api_key", keys, EVERYWHERE, "opens the server to whoever has it")


KINDS: Mapping[str, Finder] = {
    "environment": _own_environments,
    "host": _hosts,
    "stack": _stacks,
    "service": _services,
    "api_key": _api_keys,
}
