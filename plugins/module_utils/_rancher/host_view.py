# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts as one thing, whichever API tells of them.

``/v1`` knows machines, which a driver makes, and hosts, which appear once the agent on a machine has registered. With
``/v2-beta`` a host is there from the start. Both are put together here, by the machine that a host runs on. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from .._parallel import gather
from .api import Object
from .environments import Run
from .ready import failure_of, is_going
from .veil import is_secret

PROVISIONING_STATES = ("requested", "provisioning", "provisioned", "registering", "activating")
READY_AGENT = (None, "", "active")
GIVEN_UP = "disconnected"
# Rancher 1.0 and 1.1 never give an agent up: there, a host whose machine is gone is reconnecting for ever
LOST_AGENT = ("reconnecting", "disconnecting", GIVEN_UP)
RESTING_STATES = ("deactivating", "inactive")


@dataclass(frozen=True)
class HostView:
    """One host.

    Attributes:
        host: as a host; None for a machine of /v1 that has not registered yet.
        machine: as a machine of /v1; None if there is none, or none is shown.
    """

    name: str
    host: Object | None
    machine: Object | None = None

    @property
    def id(self) -> str:
        """The id of the host, or of its machine."""
        return str((self.host or self.machine or {}).get("id"))

    @property
    def state(self) -> str:
        """What Rancher's pages would show."""
        if self.host is None:
            return str((self.machine or {}).get("state"))
        agent = self.host.get("agentState")
        return str(agent if self.host.get("state") == "active" and agent else self.host.get("state"))

    @property
    def labels(self) -> dict[str, str]:
        """The labels of host and machine: those of a new host arrive with its agent."""
        return {**((self.machine or {}).get("labels") or {}), **((self.host or {}).get("labels") or {})}

    @property
    def message(self) -> str:
        """What Rancher says about it, such as how far the driver is."""
        parts = (self.host, self.machine)
        return next((str(one["transitioningMessage"]) for one in parts if one and one.get("transitioningMessage")), "")

    @property
    def driver(self) -> str | None:
        """The machine driver that made it, None for a host that came by itself, or if that is not told."""
        parts = (self.machine, self.host)
        return next((str(one["driver"]) for one in parts if one and one.get("driver")), None)

    @property
    def is_ready(self) -> bool:
        """Whether containers can run on it."""
        if self.host is None or (self.machine or {}).get("state") in ("creating", "bootstrapping"):
            return False
        return self.host.get("state") == "active" and self.host.get("agentState") in READY_AGENT

    @property
    def is_lost(self) -> bool:
        """Whether its agent does not answer: the machine is off, or gone, or cut off."""
        return (self.host or {}).get("agentState") in LOST_AGENT

    @property
    def is_there(self) -> bool:
        """Whether its agent is, on a host that has joined, resting or not."""
        return self.is_ready or ((self.host or {}).get("state") == "inactive" and not self.is_lost)

    @property
    def is_active(self) -> bool | None:
        """Whether new containers may be put on it; None if it is no host yet."""
        return None if self.host is None else self.host.get("state") not in RESTING_STATES

    @property
    def is_going(self) -> bool:
        """Whether it is being removed."""
        parts = [one for one in (self.host, self.machine) if one]
        return all(map(is_going, parts))

    @property
    def machine_id(self) -> str | None:
        """The id of the machine that it runs on, also where that is not shown."""
        known = self.machine["id"] if self.machine else (self.host or {}).get("physicalHostId")
        return str(known) if known else None

    @property
    def is_provisioning(self) -> bool:
        """Whether driver or agent are still at it."""
        if self.failure or self.is_going:
            return False
        return self.host is None or self.host.get("state") in PROVISIONING_STATES

    @property
    def failure(self) -> str | None:
        """Why it can never become ready, or None."""
        for one in (self.machine, self.host):
            reason = failure_of(one) if one else None
            if reason:
                return f"host {self.name} failed: {reason.split(' failed: ', 1)[-1]}"
        return None

    @property
    def loss(self) -> str | None:
        """What to say of a host that the server has given up, or None."""
        if (self.host or {}).get("agentState") != GIVEN_UP:
            return None
        return f"host {self.name} ({self.id}) is disconnected: its machine is gone, or off"

    def config(self, driver: str) -> Mapping[str, Any]:
        """The settings of the driver, as far as they are told, and are no secrets: a server may echo a token."""
        field = f"{driver}Config"
        parts = (self.machine, self.host)
        told: Mapping[str, Any] = next((one[field] for one in parts if one and one.get(field)), {})
        return {name: value for name, value in told.items() if not is_secret(name)}

    def describe(self) -> str:
        """The state in a few words."""
        said = f" ({self.message})" if self.message and not self.is_ready else ""
        return f"{self.name} is {self.state}{said}"


def host_views(hosts: Iterable[Object], machines: Iterable[Object] = ()) -> list[HostView]:
    """All hosts, and machines that are none yet. Pure."""
    known = {one["id"]: one for one in machines}
    views = [HostView(name_of(one), one, known.pop(str(one.get("physicalHostId")), None)) for one in hosts]
    views += [HostView(str(one["name"]), None, one) for one in known.values()]
    return sorted(views, key=lambda view: (view.name, view.id))


def meant(views: Sequence[HostView], names: Sequence[str]) -> list[HostView]:
    """The hosts of these names, without those whose place has been taken. Pure."""
    replaced = replaced_hosts(views)
    return [view for view in views if view.name in names and not view.is_going and view not in replaced]


def replaced_hosts(views: Sequence[HostView]) -> list[HostView]:
    """Hosts that are lost while another of their name is there: a machine that was made anew joins as a new host.

    Pure.
    """
    there = {view.name for view in views if view.is_there}
    return [view for view in views if view.name in there and view.is_lost and not view.is_going]


def name_of(host: Object) -> str:
    """What a host is called: the name that a user gave it in Rancher, or its own. Pure."""
    return str(host.get("hostname") or host.get("name") or host["id"]).split(".", 1)[0]


def read_hosts(run: Run) -> list[HostView]:
    """All hosts of the environment, and what is on its way to be one."""
    found = gather(host_reads(run, f"list the hosts of environment {run.environment.name}"))
    return host_views(found["hosts"], found.get("machines", ()))


def host_reads(run: Run, doing: str) -> dict[str, Callable[[], Any]]:
    """What tells of hosts: with their addresses, as a host of ``/v1`` does not say what its agent's is."""
    reads: dict[str, Callable[[], Any]] = {}
    reads["hosts"] = partial(run.rancher.list, run.path("hosts"), {"include": "ipAddresses"}, doing=doing)
    if run.rancher.is_v1:
        reads["machines"] = partial(run.rancher.list, run.path("machines"), doing=doing)
    return reads
