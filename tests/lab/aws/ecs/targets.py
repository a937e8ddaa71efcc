# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load balancers as ECS uses them: tasks come and go as targets, and a target is healthy only if something answers.

Something answers when a container listens on that port of that instance, the instance's security groups let the
balancer in, the balancer has a listener for it and reaches that zone, and the path of the health check is answered as
it is expected to be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from moto.ec2.models import ec2_backends
from moto.elb.models import elb_backends
from moto.elbv2.models import elbv2_backends

from lab import containers
from lab.aws.ecs import access
from lab.aws.ecs.launch import program_of
from lab.aws.ecs.resources import Container, Service, Task
from lab.messages import Request
from lab.world import Server, World

Listening = Mapping[tuple[str, int], tuple[Task, Container, int]]
UNUSED, UNHEALTHY, INITIAL, HEALTHY = "unused", "unhealthy", "initial", "healthy"
_OTHER_ZONE = "Target is in an Availability Zone that is not enabled for the load balancer"


@dataclass(frozen=True)
class Verdict:
    """What a health check says of one target, in the words of ELBv2."""

    state: str
    reason: str | None = None
    description: str | None = None

    @property
    def is_final(self) -> bool:
        """Whether ECS stops a task for it: also one in a zone that the balancer is not in, says its own event."""
        return self.state == UNHEALTHY or self.description == _OTHER_ZONE


@dataclass
class _Record:
    good: bool
    since: float
    state: str = INITIAL


class Health:
    """Judges targets, and lets a change of verdict take the time that health checks take."""

    def __init__(self, world: World, listening: Listening) -> None:
        self._world = world
        self._listening = listening
        self._records: dict[tuple[str, str, int], _Record] = {}

    def clear(self) -> None:
        self._records.clear()

    def forget(self, balancer: str, instance_id: str, port: int) -> None:
        self._records.pop((balancer, instance_id, port), None)

    def of_target(self, group: Any, instance_id: str, port: int) -> Verdict:
        """The health of an instance's port in a target group."""
        unused = self._unused(group, instance_id)
        if unused is not None:
            return unused
        path = group.health_check_path or "/" if (group.health_check_protocol or "").startswith("HTTP") else None
        check_port = port if group.health_check_port in (None, "traffic-port") else int(group.health_check_port)
        expected = (getattr(group, "matcher", None) or {}).get("HttpCode", "200")
        probe = self._probe_of(_balancers(group)[0], group.region_name)
        problem = self._ask(probe, instance_id, check_port, path, expected)
        return self._settled((group.arn, instance_id, port), problem)

    def of_instance(self, balancer: Any, region: str, instance_id: str) -> Verdict:
        """The health of an instance behind a classic load balancer."""
        protocol, port, path = _classic_check(balancer)
        probe = self._probe_of(balancer, region)
        problem = self._ask(probe, instance_id, port, path if protocol.startswith("HTTP") else None, "200")
        return self._settled((balancer.name, instance_id, port), problem)

    def reaches(self, balancer: Any, region: str, instance_id: str, port: int) -> bool:
        """Do the instance's security groups let the balancer in on the port?"""
        probe = self._probe_of(balancer, region)
        instance = probe.backend.get_instance(instance_id)
        return access.admits(instance.security_groups, port, probe.groups, probe.networks)

    def _unused(self, group: Any, instance_id: str) -> Verdict | None:
        balancers = _balancers(group)
        if not balancers:
            return Verdict(
                UNUSED, "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
            )
        zones = {subnet.availability_zone for balancer in balancers for subnet in _subnets(balancer, group.ec2_backend)}
        instance = group.ec2_backend.get_instance(instance_id)
        if instance.availability_zone not in zones:
            return Verdict(UNUSED, "Target.NotInUse", _OTHER_ZONE)
        return None

    def _probe_of(self, balancer: Any, region: str) -> _Probe:
        backend = ec2_backends[self._world.account][region]
        networks = [subnet.cidr_block for subnet in _subnets(balancer, backend)]
        return _Probe(balancer.security_groups or [], networks, backend)

    def _ask(self, probe: _Probe, instance_id: str, port: int, path: str | None, expected: str) -> Verdict | None:
        """The problem, or None if the target answers as it should."""
        instance = probe.backend.get_instance(instance_id)
        if instance.state != "running":
            return Verdict(UNUSED, "Target.InvalidState", f"Target is in the {instance.state} state")
        if not access.admits(instance.security_groups, port, probe.groups, probe.networks):
            return Verdict(UNHEALTHY, "Target.Timeout", "Request timed out")
        server = next((one for one in self._world.servers if one.listens(instance_id, port)), None)
        if server is not None:
            return None if path is None else _judged(server, instance_id, port, path, expected)
        entry = self._listening.get((instance_id, port))
        if entry is None or not containers.listens(program_of(entry[1]), entry[2]):
            return Verdict(UNHEALTHY, "Target.FailedHealthChecks", "Health checks failed")
        if path is not None:
            status = containers.page(program_of(entry[1]), path).status
            if not _expects(expected, status):
                text = f"Health checks failed with these codes: [{status}]"
                return Verdict(UNHEALTHY, "Target.ResponseCodeMismatch", text)
        return None

    def _settled(self, key: tuple[str, str, int], problem: Verdict | None) -> Verdict:
        if problem is not None and problem.state == UNUSED:
            return problem
        now, good = self._world.clock.now(), problem is None
        record = self._records.setdefault(key, _Record(good, now))
        if record.good is not good:
            record.good, record.since = good, now
        if now - record.since >= self._world.settings.health_seconds:
            record.state = HEALTHY if good else UNHEALTHY
        if record.state == INITIAL:
            return Verdict(INITIAL, "Elb.InitialHealthChecking", "Initial health checks in progress")
        if record.state == HEALTHY:
            return Verdict(HEALTHY)
        return problem or Verdict(UNHEALTHY, "Target.FailedHealthChecks", "Health checks failed")


def _judged(server: Server, instance_id: str, port: int, path: str, expected: str) -> Verdict | None:
    """Ask what is no container of ECS for the page of the health check."""
    answer = server.answer(instance_id, port, Request("GET", path, "", {"user-agent": "ELB-HealthChecker/2.0"}, b""))
    if answer is None:
        return Verdict(UNHEALTHY, "Target.FailedHealthChecks", "Health checks failed")
    if not _expects(expected, answer.status):
        text = f"Health checks failed with these codes: [{answer.status}]"
        return Verdict(UNHEALTHY, "Target.ResponseCodeMismatch", text)
    return None


@dataclass(frozen=True)
class _Probe:
    """From where a health check comes."""

    groups: Iterable[str]
    networks: Iterable[str]
    backend: Any


class Balancing:
    """Puts a service's tasks behind its load balancers and takes them out again."""

    def __init__(self, world: World, health: Health) -> None:
        self._world = world
        self._health = health

    def attach(self, task: Task) -> list[str]:
        """Register the task; the names of the balancers, as events have them."""
        names = []
        for entry in task.service.load_balancers if task.service else ():
            port = host_port(task, entry)
            group, balancer = self._find(entry, task.region_name)
            if group is not None:
                group.register([{"Id": task.host_instance.ec2_instance_id, "Port": port}])
            elif balancer is not None:
                if task.host_instance.ec2_instance_id not in balancer.instance_ids:
                    self._elb(task.region_name).register_instances(balancer.name, [task.host_instance.ec2_instance_id])
            else:
                continue
            names.append(event_name(entry))
        return names

    def detach(self, task: Task, still_used: Callable[[Task, Mapping[str, Any]], bool]) -> list[str]:
        """Deregister the task; an instance stays with a classic balancer while another task needs it there."""
        names, instance_id = [], task.host_instance.ec2_instance_id
        for entry in task.service.load_balancers if task.service else ():
            port = host_port(task, entry)
            group, balancer = self._find(entry, task.region_name)
            if group is not None and _has_target(group, instance_id, port):
                group.deregister([{"Id": instance_id, "Port": port}])
                self._health.forget(group.arn, instance_id, port)
            elif balancer is not None and instance_id in balancer.instance_ids and not still_used(task, entry):
                self._elb(task.region_name).deregister_instances(balancer.name, [instance_id])
                self._health.forget(balancer.name, instance_id, _classic_check(balancer)[1])
            else:
                continue
            names.append(event_name(entry))
        return names

    def drain_seconds(self, task: Task) -> float:
        """How long connections to the task are given to end."""
        delays = [0.0]
        for entry in task.service.load_balancers if task.service else ():
            group, balancer = self._find(entry, task.region_name)
            if group is not None:
                delays.append(float(group.attributes.get("deregistration_delay.timeout_seconds", 300)))
            elif balancer is not None and balancer.attributes["connection_draining"].get("enabled"):
                delays.append(float(balancer.attributes["connection_draining"].get("timeout", 300)))
        return min(max(delays), self._world.settings.deregistration_seconds)

    def check(self, task: Task) -> list[tuple[Mapping[str, Any], int, Verdict]]:
        """The verdict of each of the task's load balancers."""
        found: list[tuple[Mapping[str, Any], int, Verdict]] = []
        for entry in task.service.load_balancers if task.service else ():
            port, instance_id = host_port(task, entry), task.host_instance.ec2_instance_id
            group, balancer = self._find(entry, task.region_name)
            if group is not None:
                found.append((entry, port, self._health.of_target(group, instance_id, port)))
            elif balancer is not None:
                verdict = self._health.of_instance(balancer, task.region_name, instance_id)
                found.append((entry, port, verdict))
        return found

    def _find(self, entry: Mapping[str, Any], region: str) -> tuple[Any, Any]:
        """The target group or else the classic balancer; what was deleted meanwhile is None."""
        if entry.get("targetGroupArn"):
            return elbv2_backends[self._world.account][region].target_groups.get(entry["targetGroupArn"]), None
        return None, self._elb(region).load_balancers.get(entry.get("loadBalancerName"))

    def _elb(self, region: str) -> Any:
        return elb_backends[self._world.account][region]


def event_name(entry: Mapping[str, Any]) -> str:
    if entry.get("targetGroupArn"):
        return f"target-group {entry['targetGroupArn']}"
    return f"elb {entry['loadBalancerName']}"


def host_port(task: Task, entry: Mapping[str, Any]) -> int:
    """The port of the host behind which the balanced container listens; 0 before the task has run."""
    for container in task.containers:
        for binding in container.network_bindings if container.name == entry["containerName"] else ():
            if binding["containerPort"] == entry["containerPort"]:
                return int(binding["hostPort"])
    return 0


def balanced(service: Service) -> bool:
    return bool(service.load_balancers)


def _has_target(group: Any, instance_id: str, port: int) -> bool:
    return any(target["Id"] == instance_id and int(target["Port"]) == port for target in group.targets.values())


def _balancers(group: Any) -> list[Any]:
    """The load balancers which send requests to the target group."""
    known = elbv2_backends[group.account_id][group.region_name].load_balancers
    return [known[arn] for arn in group.load_balancer_arns if arn in known]


def _subnets(balancer: Any, backend: Any) -> list[Any]:
    return [backend.get_subnet(getattr(subnet, "id", subnet)) for subnet in balancer.subnets]


def _classic_check(balancer: Any) -> tuple[str, int, str]:
    """Protocol, port, path; without a check of its own, a classic balancer connects to its first instance port."""
    target = balancer.health_check.target if balancer.health_check else f"TCP:{balancer.listeners[0].instance_port}"
    found = re.fullmatch(r"(?P<protocol>[A-Z]+):(?P<port>\d+)(?P<path>/.*)?", target)
    if found is None:
        return "TCP", 0, "/"
    return found["protocol"], int(found["port"]), found["path"] or "/"


def _expects(expected: str, status: int) -> bool:
    """`200`, `200,301`, `200-399`."""
    for part in expected.split(","):
        first, _unused, last = part.partition("-")
        if int(first) <= status <= int(last or first):
            return True
    return False
