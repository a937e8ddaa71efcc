# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Rancher server: its store, its time, and what its parts have registered.

A part has install(server): it says what creating, changing, linking to and acting on its types means, and what of a
resource is worked out when it is shown. `api.py` knows the grammar and nothing of any type.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lab.aws.ecs.agenda import Agenda
from lab.messages import Answer, Request
from lab.rancher.context import Context
from lab.rancher.processes import Processes
from lab.rancher.schema import V1, V2
from lab.rancher.states import processes_of
from lab.rancher.store import Resource, Store, base_of
from lab.world import World

log = logging.getLogger("lab")
PARTS = (
    "cleaner",
    "logins",
    "accounts",
    "settings",
    "keys",
    "hosts",
    "machines",
    "stacks",
    "services",
    "health",
    "balancing",
    "volumes",
    "instances",
    "terminal",
    "compose",
    "catalog",
    "convoy",
    "external_dns",
    "orchestration",
    "sites",
    "events",
)
"""In this order a fresh server is filled."""

Create = Callable[[Context, str, dict[str, Any]], Any]
"""Makes a resource, or answers a document where nothing is kept."""
Act = Callable[[Context, Resource, dict[str, Any]], Any]
Change = Callable[[Context, Resource, dict[str, Any]], None]
Show = Callable[[Context, Resource], dict[str, Any]]
Link = Callable[[Context, Resource], Iterable[Resource]]
Select = Callable[[Context, Resource, Mapping[str, str]], bool]
Route = Callable[[Request, str], Answer]
Socket = Callable[[Context, Request], Answer]
Check = Callable[[Context, dict[str, Any]], None]


class Handler:
    """An action that is no process: in which states it is offered (None: in all), and what it does."""

    def __init__(self, act: Act, states: frozenset[str] | None) -> None:
        self.act = act
        self.states = states


class RancherServer:
    """The state of one server. Everything happens under the world's lock."""

    def __init__(self, world: World, name: str, tag: str = "") -> None:
        self.world = world
        self.name = name
        self._tag = tag
        self.agenda = Agenda(world.clock)
        self.store = Store(world.clock.utc)
        self.processes = Processes(
            self.store, self.agenda, lambda: self.era, lambda: world.settings.rancher_process_seconds
        )
        self.creates: dict[str, Create] = {}
        self.checks: dict[str, list[Check]] = {}
        self.changes: dict[str, Change] = {}
        self.deletes: dict[str, Change] = {}
        self.actions: dict[tuple[str, str], Handler] = {}
        self.shows: dict[str, list[Show]] = {}
        self.links: dict[tuple[str, str], Link] = {}
        self.finders: dict[str, Callable[[str], Resource | None]] = {}
        self.lists: dict[str, Callable[[Context], list[dict[str, Any]]]] = {}
        self.selects: dict[str, Select] = {}
        self.routes: list[tuple[str, Route]] = []
        self.sockets: dict[str, Socket] = {}
        self.parts: dict[str, Any] = {}
        """What a part lets others use, by its name."""
        self._steps: list[Callable[[], None]] = []
        self._stops: list[Callable[[], None]] = []
        self.born = world.clock.now()
        self._fill()

    def _fill(self) -> None:
        for part in PARTS:
            self.parts[part] = importlib.import_module(f"lab.rancher.{part}").install(self)

    def clear(self) -> None:
        """A server as freshly installed."""
        for stop in self._stops:
            stop()
        self.__init__(self.world, self.name, self._tag)  # type: ignore[misc]

    @property
    def version(self) -> str:
        """As the setting rancher.server.version says it: by the image's tag, or as the lab is set."""
        return self._tag or self.world.settings.rancher_version

    @property
    def era(self) -> str:
        """1.1 stands for the servers without /v2-beta, 1.6 for those with it."""
        major, minor = [*self.version.lstrip("v").split("."), "0"][:2]
        return "1.6" if (int(major), int(minor)) >= (1, 2) else "1.1"

    @property
    def versions(self) -> tuple[str, ...]:
        return (V1, V2) if self.era == "1.6" else (V1,)

    # What parts register

    def on_create(self, kind: str, create: Create) -> None:
        self.creates[kind] = create

    def on_change(self, kind: str, change: Change) -> None:
        """After the fields of a PUT have been put in."""
        self.changes[kind] = change

    def on_delete(self, kind: str, delete: Change) -> None:
        """Instead of the process `remove`."""
        self.deletes[kind] = delete

    def on_action(self, kind: str, name: str, act: Act, states: Iterable[str] | None = None) -> None:
        self.actions[kind, name] = Handler(act, None if states is None else frozenset(states))

    def on_show(self, kind: str, show: Show) -> None:
        """`show` works out further fields when a thing of this base type is shown."""
        self.shows.setdefault(kind, []).append(show)

    def on_link(self, kind: str, name: str, link: Link) -> None:
        self.links[kind, name.lower()] = link

    def on_list(self, kind: str, items: Callable[[Context], list[dict[str, Any]]]) -> None:
        """Types whose objects are not in the store."""
        self.lists[kind] = items

    def on_select(self, kind: str, select: Select) -> None:
        """Which things of this kind a list with this query has, among those that the caller sees."""
        self.selects[kind] = select

    def on_find(self, kind: str, find: Callable[[str], Resource | None]) -> None:
        """Types that can be asked for by something else than their id."""
        self.finders[kind] = find

    def on_route(self, prefix: str, route: Route) -> None:
        """Paths beside the API's grammar (the catalog, websockets)."""
        self.routes.append((prefix, route))

    def on_socket(self, name: str, socket: Socket) -> None:
        """A type that is no list but a connection that stays open."""
        self.sockets[name] = socket

    def on_step(self, step: Callable[[], None]) -> None:
        self._steps.append(step)

    def on_stop(self, stop: Callable[[], None]) -> None:
        self._stops.append(stop)

    # What moves it

    def step(self) -> None:
        self.agenda.run_due()
        for step in self._steps:
            step()

    def stop(self) -> None:
        for stop in self._stops:
            stop()

    def handler(self, resource: Resource, name: str) -> Handler | None:
        """The action, if it is offered now."""
        found = self.actions.get((resource.kind, name)) or self.actions.get((base_of(resource.kind), name))
        if found is None or (found.states is not None and resource.state not in found.states):
            return None
        if name in processes_of(resource.base, self.era) and not self.processes.find(resource, name):
            return None
        return found
