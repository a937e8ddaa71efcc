# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health: containers are probed as their check says; services and stacks are as healthy as their containers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.rancher.images import starts_once
from lab.rancher.placement import is_global
from lab.rancher.runtime import Visit
from lab.rancher.store import Resource

if TYPE_CHECKING:
    from lab.rancher.server import RancherServer

HEALTHY, UNHEALTHY, INITIALIZING, DEGRADED = "healthy", "unhealthy", "initializing", "degraded"
STARTED_ONCE = "started-once"
_FINE = (None, HEALTHY, "updating-healthy")
_INTERVAL, _RISE, _FALL, _INITIALIZING_TIMEOUT = 2000, 2, 3, 60_000


def install(server: RancherServer) -> Checks:
    return Checks(server)


@dataclass
class Watch:
    """What is known of one container's checks."""

    started: float
    due: float
    passed: int = 0
    failed: int = 0


class Checks:
    """Probes running containers, every one at its own interval."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server
        self._watches: dict[str, Watch] = {}

    def begin(self, instance: Resource) -> None:
        check = instance["healthCheck"]
        if not check:
            instance["healthState"] = None
            return
        instance["healthState"] = INITIALIZING
        now = self._server.world.clock.now()
        watch = self._watches[instance.id] = Watch(started=now, due=now)
        self._later(instance, watch, at_once=self._server.world.settings.rancher_process_seconds == 0)

    def end(self, instance: Resource) -> None:
        self._watches.pop(instance.id, None)

    def _later(self, instance: Resource, watch: Watch, at_once: bool) -> None:
        """The next look: one interval after the last was due, also if the lab's time has jumped over that."""
        now = self._server.world.clock.now()
        interval = int(instance["healthCheck"].get("interval") or _INTERVAL) / 1000
        watch.due = now if at_once else watch.due + interval
        self._server.agenda.after(watch.due - now, lambda: self._probe(instance, watch))

    def _probe(self, instance: Resource, watch: Watch) -> None:
        if self._watches.get(instance.id) is not watch:
            return
        check = instance["healthCheck"]
        fresh = instance["healthState"] == INITIALIZING
        if self._passes(instance, check):
            watch.passed, watch.failed = watch.passed + 1, 0
            if watch.passed >= int(check.get("healthyThreshold") or _RISE):
                instance["healthState"] = HEALTHY
        else:
            watch.passed, watch.failed = 0, watch.failed + 1
            self._judge(instance, check, watch, fresh)
        half_way = instance["healthState"] == INITIALIZING and watch.passed > 0
        self._later(instance, watch, at_once=half_way and self._server.world.settings.rancher_process_seconds == 0)

    def _judge(self, instance: Resource, check: dict[str, Any], watch: Watch, fresh: bool) -> None:
        if fresh:
            timeout = int(check.get("initializingTimeout") or _INITIALIZING_TIMEOUT) / 1000
            if self._server.world.clock.now() - watch.started < timeout:
                return
        elif watch.failed < int(check.get("unhealthyThreshold") or _FALL):
            return
        instance["healthState"] = UNHEALTHY
        if (check.get("strategy") or "recreate") == "recreate" or self._quorum(instance, check):
            self._server.parts["instances"].end(instance)

    def _quorum(self, instance: Resource, check: dict[str, Any]) -> bool:
        """recreateOnQuorum: only if enough others are healthy."""
        if check.get("strategy") != "recreateOnQuorum":
            return False
        needed = int((check.get("recreateOnQuorumStrategyConfig") or {}).get("quorum") or 1)
        others = self._server.store.live("instance", serviceId=instance["serviceId"], healthState=HEALTHY)
        return len(others) >= needed

    def _passes(self, instance: Resource, check: dict[str, Any]) -> bool:
        """An HTTP request if there is a request line, else a connection."""
        network = self._server.parts["instances"].network
        port, line = int(check["port"]), str(check.get("requestLine") or "").replace('"', "")
        request = re.match(r"(\w+)\s+(\S+)", line)
        if request is None:
            return bool(network.alive(instance) and self._server.parts["instances"].running[instance.id].answers(port))
        page = network.visit(instance, port, Visit(request[2], request[1], client="10.42.0.1"))
        return page is not None and 200 <= page.status < 400


class ServiceHealth:
    """Sums containers up."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server

    def of_service(self, service: Resource) -> str:
        if service.kind in ("dnsService", "externalService", "kubernetesService"):
            return HEALTHY
        instances = self._server.store.live("instance", serviceId=service.id)
        states = [self._of_instance(one) for one in instances]
        counted = [state for state in states if state != STARTED_ONCE]
        if states and not counted:
            return STARTED_ONCE
        fine = counted.count(HEALTHY)
        if is_global(service["launchConfig"] or {}):
            complete = bool(counted) and fine == len(counted)
        else:
            complete = fine >= self._expected(service, states)
        return HEALTHY if complete else self._not_quite(counted, fine)

    def of_stack(self, stack: Resource) -> str:
        return self.summary(
            [self.of_service(one) for one in self._server.store.live("service", environmentId=stack.id)]
        )

    def summary(self, states: Sequence[str]) -> str:
        if all(state in (HEALTHY, STARTED_ONCE) for state in states):
            return HEALTHY
        for state in (INITIALIZING, DEGRADED, UNHEALTHY):
            if state in states:
                return DEGRADED if state == UNHEALTHY and HEALTHY in states else state
        return UNHEALTHY

    def _expected(self, service: Resource, states: Iterable[str]) -> int:
        configs = 1 + len(service["secondaryLaunchConfigs"] or ())
        scale = service["scale"] if service["scale"] is not None else 1
        policy = service["scalePolicy"]
        if policy:
            scale = int(policy.get("min") or 1)
        return int(scale) * configs - sum(state == STARTED_ONCE for state in states)

    def _not_quite(self, states: Sequence[str], fine: int) -> str:
        if INITIALIZING in states:
            return INITIALIZING
        return DEGRADED if fine else UNHEALTHY

    def _of_instance(self, instance: Resource) -> str:
        if instance.state == "stopped" and starts_once(instance.fields) and instance["startCount"]:
            return STARTED_ONCE
        if instance.state == "running" and instance["healthState"] in _FINE:
            return HEALTHY
        if instance["healthState"] == INITIALIZING and instance.state in ("running", "starting"):
            return INITIALIZING
        return UNHEALTHY
