# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a service's containers what the service says: one unit per number or per host, each with its sidekicks."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lab.rancher.images import image_of, starts_once
from lab.rancher.placement import PlacementError, is_global
from lab.rancher.ports import parse_all
from lab.rancher.store import Resource

if TYPE_CHECKING:
    from lab.rancher.server import RancherServer

WORKING = ("activating", "active", "updating-active", "restarting")
_PRIMARY = "io.rancher.service.primary.launch.config"
_RETRY_SECONDS = 5.0
_RESTING = ("deactivating", "inactive")


@dataclass
class Unit:
    """One copy of a service: a container for each launch configuration, all on one host."""

    index: int
    uuid: str
    containers: dict[str, Resource] = field(default_factory=dict)
    """By the name of the launch configuration; the primary one is "". """

    @property
    def host_id(self) -> str | None:
        return next((str(one["hostId"]) for one in self.containers.values() if one["hostId"]), None)


class Reconciler:
    """Looks at one service after the other, at every step of the world."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server
        self._store = server.store
        self._retries: dict[str, float] = {}

    # What there is

    def instances(self, service: Resource) -> list[Resource]:
        """All containers of a service, also those that an upgrade has put aside."""
        return self._store.live("instance", serviceId=service.id)

    def managed(self, service: Resource) -> list[Resource]:
        return [one for one in self.instances(service) if one["managed"]]

    def units(self, service: Resource) -> dict[int, Unit]:
        found: dict[int, Unit] = {}
        for one in self.managed(service):
            unit = found.setdefault(one["index"], Unit(one["index"], str(one["deploymentUnitUuid"])))
            unit.containers[one["unit"]] = one
        return found

    # What there should be

    def wanted(self, service: Resource, units: Mapping[int, Unit]) -> dict[int, Resource | None]:
        """Numbers of units, each with the host that it must be on (None: any)."""
        main = service["launchConfig"] or {}
        if is_global(main):
            return self._one_per_host(service, main, units)
        return dict.fromkeys(range(1, self._scale(service) + 1))

    def _one_per_host(
        self, service: Resource, main: Mapping[str, Any], units: Mapping[int, Unit]
    ) -> dict[int, Resource | None]:
        """A host that was deactivated gets no unit any more, and keeps the one that it has."""
        placement = self._server.parts["instances"].placement
        hosts = placement.fitting(str(service.project), main.get("labels") or {})
        by_host = {unit.host_id: index for index, unit in units.items() if unit.host_id}
        resting = {one.id: one for one in self._store.live("host", accountId=service.project) if one.state in _RESTING}
        found: dict[int, Resource | None] = {
            index: resting[host_id] for host_id, index in by_host.items() if host_id in resting
        }
        for host in hosts:
            index = by_host.get(host.id)
            if index is None:
                index = next(
                    number for number in range(1, 10_000) if number not in found and number not in by_host.values()
                )
            found[index] = host
        return found

    def _scale(self, service: Resource) -> int:
        policy = service["scalePolicy"]
        if not policy:
            return int(service["scale"] if service["scale"] is not None else 1)
        hosts = len(self._server.parts["hosts"].usable(str(service.project)))
        least, most, by = (int(policy.get(name) or 1) for name in ("min", "max", "increment"))
        return max(least, min(most, least + max(hosts - least, 0) // by * by))

    # Making it so

    def step(self, service: Resource) -> None:
        if service.state == "upgraded" and service["upgradeRuns"]:
            self.settle(service)
        if service.state not in WORKING or (
            service.process is not None and service.process not in ("activate", "update", "restart")
        ):
            return
        settled = self.settle(service)
        if settled and service.process in ("activate", "update"):
            self._server.processes.finish(service, service.process)
        elif not settled and service.state == "active":
            self._server.processes.start(service, "update", 0)

    def settle(self, service: Resource) -> bool:
        """Do what can be done now; is everything as it should be?"""
        units = self.units(service)
        wanted = self.wanted(service, units)
        settled = self._cut(units, wanted)
        for index, host in wanted.items():
            settled &= self.fill(service, units.get(index) or Unit(index, str(uuid.uuid4())), host)
        if settled:
            service.error = None
        return settled

    def _cut(self, units: Mapping[int, Unit], wanted: Mapping[int, Resource | None]) -> bool:
        """Units that are too many, or on the wrong host."""
        settled = True
        for index, unit in units.items():
            host = wanted.get(index)
            if index in wanted and (host is None or unit.host_id in (None, host.id)):
                continue
            settled = False
            for one in unit.containers.values():
                self._server.parts["instances"].end(one)
        return settled

    def fill(self, service: Resource, unit: Unit, host: Resource | None) -> bool:
        """Missing containers are made, stopped ones started again. True: the unit is complete and runs."""
        configs = named_configs(service)
        missing = [name for name in configs if name not in unit.containers]
        broken = [name for name, one in unit.containers.items() if one.state == "error"]
        if broken:
            self._explain(service, str(unit.containers[broken[0]].error))
        if missing or broken:
            if self._may_try(service, broken):
                self._make(service, unit, [*missing, *broken], host)
            return False
        running = [self._runs(one) for one in unit.containers.values()]  # all are to be started
        return all(running)

    def _may_try(self, service: Resource, broken: list[str]) -> bool:
        """What has failed is tried again after a pause."""
        now = self._server.world.clock.now()
        if broken and self._retries.setdefault(service.id, now + _RETRY_SECONDS) > now:
            return False
        self._retries.pop(service.id, None)
        return True

    def _make(self, service: Resource, unit: Unit, names: list[str], only: Resource | None) -> None:
        instances = self._server.parts["instances"]
        configs = {name: self._told(service, config) for name, config in named_configs(service).items()}
        host = self._store.get("host", unit.host_id) or only
        broken = [unit.containers.pop(name) for name in names if name in unit.containers]
        if host is None or unit.host_id is None:
            try:
                host = instances.placement.choose(str(service.project), list(configs.values()), only)
            except PlacementError:
                if broken:  # still no place: they stay as they are, with the reason
                    return
                host = None
        for one in broken:
            instances.end(one)
        for name in names:
            self._container(service, unit, name, configs[name], host)

    def _told(self, service: Resource, config: Mapping[str, Any]) -> dict[str, Any]:
        """Labels may speak of ${stack_name} and ${service_name}."""
        stack = self._store.need("environment", service["environmentId"])
        labels = {
            name: str(value).replace("${stack_name}", stack.name).replace("${service_name}", service.name)
            for name, value in (config.get("labels") or {}).items()
        }
        return {**config, "labels": labels}

    def _explain(self, service: Resource, message: str) -> None:
        """A service shows the error in whatever state it is, and is worked on all the same, until a pass goes well."""
        service.error = message

    def _container(
        self, service: Resource, unit: Unit, name: str, config: Mapping[str, Any], host: Resource | None
    ) -> Resource:
        stack = self._store.need("environment", service["environmentId"])
        mark = "-" if self._server.era == "1.6" else "_"
        words = [stack.name, service.name, *([name] if name else []), str(unit.index)]
        labels = {
            "io.rancher.stack.name": stack.name,
            "io.rancher.stack_service.name": f"{stack.name}/{service.name}" + (f"/{name}" if name else ""),
            "io.rancher.service.deployment.unit": unit.uuid,
            "io.rancher.service.launch.config": name or _PRIMARY,
            "io.rancher.project.name": stack.name,
            "io.rancher.project_service.name": f"{stack.name}/{service.name}",
        }
        service["createIndex"] = int(service["createIndex"] or 0) + 1
        made: Resource = self._server.parts["instances"].create(
            str(service.project),
            mark.join(words),
            config,
            labels=labels,
            serviceId=service.id,
            index=unit.index,
            unit=name,
            managed=True,
            system=bool(service["system"]),
            upgradeVersion=service["upgradeVersion"],
            deploymentUnitUuid=unit.uuid,
            createIndex=service["createIndex"],
            hostId=host.id if host else None,
            publishedPorts=[str(port) for port in parse_all(config.get("ports"))],
            systemContainer="LoadBalancerAgent" if service.kind == "loadBalancerService" else None,
        )
        made["requestedIpAddress"] = config.get("requestedIpAddress")
        sources = config.get("dataVolumesFromLaunchConfigs") or ()
        made["volumesFromUnits"] = ["" if source == service.name else source for source in sources]
        expose = self._store.create(
            "serviceExposeMap",
            accountId=service.project,
            serviceId=service.id,
            instanceId=made.id,
            managed=True,
            state="active",
        )
        expose["name"] = name or None
        return made

    def _runs(self, instance: Resource) -> bool:
        if instance.state == "running":
            return True
        if instance.state == "stopped" and not instance["removeWhenStopped"]:
            if starts_once(instance.fields) and instance["startCount"]:
                return True
            self._server.processes.start(instance, "start")
        return False

    # Processes of services

    def drain(self, service: Resource) -> bool:
        """Deactivate: all containers stop."""
        waiting = False
        for one in self.managed(service):
            if self._server.processes.find(one, "stop"):
                self._server.processes.start(one, "stop")
            waiting |= one.state != "stopped"
        return self._again(service, "deactivate", self.drain, waiting)

    def empty(self, service: Resource) -> bool:
        """Remove: all containers go, and the links from and to it."""
        for one in self.instances(service):
            self._server.parts["instances"].end(one)
        for field_ in ("serviceId", "consumedServiceId"):
            for link in self._store.live("serviceConsumeMap", **{field_: service.id}):
                self._server.parts["cleaner"].remove(link)
        waiting = any(
            not one.fields.get("removed") for one in self._store.all("instance") if one["serviceId"] == service.id
        )
        return self._again(service, "remove", self.empty, waiting)

    def restart(self, service: Resource) -> bool:
        for one in self.managed(service):
            if self._server.processes.find(one, "restart"):
                self._server.processes.start(one, "restart")
        return True

    def _again(self, service: Resource, process: str, work: Any, waiting: bool) -> bool:
        """Look again at the next step, while the process goes on."""
        if not waiting:
            return True

        def look() -> None:
            if service.process == process and work(service):
                self._server.processes.finish(service, process)

        self._server.agenda.after(0, look)
        return False


def named_configs(service: Resource) -> dict[str, dict[str, Any]]:
    """Launch configurations by name; the primary one is "". One without an image takes no container."""
    found = {"": service["launchConfig"] or {}}
    found |= {str(one["name"]): one for one in service["secondaryLaunchConfigs"] or ()}
    return {name: config for name, config in found.items() if image_of(config) and image_of(config) != "rancher/none"}
