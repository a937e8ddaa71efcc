# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Upgrades inside a service: unit by unit the old containers stop and new ones take their places. The old ones stay,
stopped, until the upgrade is finished or rolled back.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from lab.rancher.context import Context
from lab.rancher.errors import invalid
from lab.rancher.ports import Port, parse_all
from lab.rancher.reconcile import Reconciler, Unit
from lab.rancher.store import Resource

if TYPE_CHECKING:
    from lab.rancher.server import RancherServer

_FINE = (None, "healthy", "updating-healthy")


class Upgrades:
    """The processes upgrade, finishupgrade, rollback, cancelupgrade (and those that undo or go on with them)."""

    def __init__(self, server: RancherServer, reconciler: Reconciler) -> None:
        self._server = server
        self._store = server.store
        self._reconciler = reconciler
        self._next_batch: dict[str, float] = {}

    def install(self) -> None:
        for process in ("upgrade", "continueupgrade", "rollback"):
            self._server.processes.on_work("service", process, lambda _service: False)
        self._server.processes.on_work("service", "finishupgrade", self.finish)

    # Asking for one

    def ask(self, _context: Context, service: Resource, body: dict[str, Any]) -> None:
        if not self._server.processes.find(service, "upgrade"):
            raise invalid("ActionNotAvailable", "action")
        strategy = body.get("inServiceStrategy")
        if strategy is None:
            if body.get("toServiceStrategy") is None:
                raise invalid("MissingRequired", "inServiceStrategy")
            raise NotImplementedError("an upgrade to another service")
        if strategy.get("startFirst") and service["retainIp"]:
            raise invalid("InvalidOption", None, "StartFirst option can't be used for service with retainIp field set")
        self.begin(service, strategy)

    def begin(self, service: Resource, strategy: dict[str, Any]) -> None:
        main = strategy.get("launchConfig") or service["launchConfig"]
        second = strategy.get("secondaryLaunchConfigs")
        before = list(service["secondaryLaunchConfigs"] or [])
        after = before if not second else _merged(before, second)
        self._keep_ports(service, main)
        version = str(uuid.uuid4())
        new_main = {**main, "version": version}
        service["upgrade"] = {
            "type": "serviceUpgrade",
            "inServiceStrategy": {
                "type": "inServiceUpgradeStrategy",
                "batchSize": int(strategy.get("batchSize") or 1),
                "intervalMillis": int(strategy.get("intervalMillis") or 2000),
                "startFirst": bool(strategy.get("startFirst")),
                "launchConfig": new_main,
                "previousLaunchConfig": service["launchConfig"],
                "secondaryLaunchConfigs": after,
                "previousSecondaryLaunchConfigs": before,
            },
            "toServiceStrategy": None,
        }
        running = service.state not in ("inactive",)
        service["launchConfig"], service["secondaryLaunchConfigs"] = new_main, after
        service["upgradeVersion"] = version
        service["upgradeRuns"] = running
        self._next_batch.pop(service.id, None)
        self._server.processes.start(service, "upgrade")

    def _keep_ports(self, service: Resource, config: dict[str, Any]) -> None:
        """A port that is left to the server stays the one that it has picked before."""
        before = {
            (port.private, port.protocol): port for port in parse_all((service["launchConfig"] or {}).get("ports"))
        }
        kept: list[str] = []
        for port in parse_all(config.get("ports")):
            old = before.get((port.private, port.protocol))
            public = port.public or (
                old.public if old else self._server.parts["services"].pick_port(str(service.project))
            )
            kept.append(str(Port(public, port.private, port.protocol, port.address)))
        if kept:
            config["ports"] = kept

    # Going on, at every step

    def step(self, service: Resource) -> None:
        if service.process in ("upgrade", "continueupgrade"):
            self._replace(service, str(service["upgradeVersion"]))
        elif service.process == "rollback":
            self._roll_back(service)

    def _replace(self, service: Resource, version: str) -> None:
        process = str(service.process)
        if not service["upgradeRuns"]:
            self._server.processes.finish(service, process)
            return
        units = self._reconciler.units(service)
        old = [unit for unit in units.values() if not self._is_new(unit, version)]
        new_ones_fine = self._new_ones_fine(service, version)
        if not new_ones_fine:
            return
        if not old:
            self._server.processes.finish(service, process)
            return
        now = self._server.world.clock.now()
        if self._next_batch.get(service.id, now) > now:
            return
        strategy = service["upgrade"]["inServiceStrategy"]
        quick = self._server.world.settings.rancher_process_seconds == 0
        self._next_batch[service.id] = now + (0 if quick else int(strategy["intervalMillis"]) / 1000)
        for unit in sorted(old, key=lambda unit: unit.index)[: int(strategy["batchSize"])]:
            self._set_aside(service, unit)

    def _is_new(self, unit: Unit, version: str) -> bool:
        return all(one["upgradeVersion"] == version for one in unit.containers.values())

    def _new_ones_fine(self, service: Resource, version: str) -> bool:
        """Are the units that this upgrade has replaced (or begun to) complete, running and healthy?"""
        units = self._reconciler.units(service)
        wanted = self._reconciler.wanted(service, units)
        complete = fine = True
        for index, host in wanted.items():
            unit = units.get(index)
            if unit is not None and not self._is_new(unit, version):
                continue
            unit = unit or Unit(index, str(uuid.uuid4()))
            made = self._reconciler.fill(service, unit, self._place_of_old(service, index) or host)
            complete &= made
            fine &= all(one["healthState"] in _FINE for one in unit.containers.values())
        if complete:
            service.error = None
        return complete and fine

    def _place_of_old(self, service: Resource, index: int) -> Resource | None:
        """The new unit goes where the old one was, if that host is still there."""
        for one in self._reconciler.instances(service):
            if one["index"] == index and not one["managed"]:
                host = self._store.get("host", one["hostId"])
                if host is not None and not host.gone:
                    return host
        return None

    def _set_aside(self, service: Resource, unit: Unit) -> None:
        for one in unit.containers.values():
            one["managed"] = False
            for expose in self._store.live("serviceExposeMap", instanceId=one.id):
                expose["managed"] = False
            if self._server.processes.find(one, "stop"):
                self._server.processes.start(one, "stop")

    # The ends

    def finish(self, service: Resource) -> None:
        """The old containers go for good."""
        for one in self._reconciler.instances(service):
            if not one["managed"]:
                self._server.parts["instances"].end(one)
        service["upgrade"] = service["upgradeVersion"] = None
        for one in self._reconciler.managed(service):
            one["upgradeVersion"] = None

    def _roll_back(self, service: Resource) -> None:
        """Old containers take their places back, new ones go."""
        strategy = (service["upgrade"] or {}).get("inServiceStrategy")
        if strategy:
            service["launchConfig"] = strategy["previousLaunchConfig"]
            service["secondaryLaunchConfigs"] = strategy["previousSecondaryLaunchConfigs"]
        version = service["upgradeVersion"]
        old = [one for one in self._reconciler.instances(service) if not one["managed"]]
        places = {one["index"] for one in old}
        for one in self._reconciler.managed(service):
            if one["index"] in places and one["upgradeVersion"] == version:
                self._server.parts["instances"].end(one)
        for one in old:
            one["managed"] = True
            for expose in self._store.live("serviceExposeMap", instanceId=one.id):
                expose["managed"] = True
        service["upgrade"] = service["upgradeVersion"] = None
        if not service["upgradeRuns"] or self._reconciler.settle(service):
            self._server.processes.finish(service, "rollback")


def _merged(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sidekicks that the upgrade names are replaced or added, the others stay."""
    named = {one["name"]: one for one in after}
    kept = [named.pop(one["name"], one) for one in before]
    return [*kept, *named.values()]
