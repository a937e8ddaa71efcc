# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP proxy that stands for the internet between a client and the lab: DNS, load balancers, public addresses.

Use it as an ordinary forward proxy (`GET http://NAME/path`). The name is looked up among the lab's load balancers, DNS
records and instances; listener, rules, security groups and targets decide what is answered, and by whom, turn by turn.
A connection that would fail becomes 502 (refused, no such name) or 504 (nobody answers), with the reason in a sentence.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from moto.ec2.models import ec2_backends
from moto.elb.models import elb_backends
from moto.elbv2.models import elbv2_backends
from moto.route53.models import route53_backends

from lab import containers
from lab.aws.ecs import access
from lab.aws.ecs.launch import program_of
from lab.aws.ecs.simulation import Simulation, simulation_of
from lab.aws.ecs.targets import HEALTHY, UNHEALTHY
from lab.http_server import HttpServer
from lab.messages import Answer, Request
from lab.world import World

log = logging.getLogger("lab")
CLIENT = "203.0.113.250/32"
"""Whose requests these are, for security groups: somebody on the internet."""
LOOPBACK = "127.0.0.1/32"
"""A rule for the machine that the lab runs on lets its user in as well."""


def install(world: World) -> None:
    proxy = Proxy(world)
    server = HttpServer(proxy.answer)
    world.addresses["proxy"] = server.url
    threading.Thread(target=server.serve_forever, args=(0.05,), name="lab-proxy", daemon=True).start()

    def stop() -> None:
        server.shutdown()
        server.server_close()

    world.on_stop(stop)


class NoAnswerError(Exception):
    """The client gets no answer from the lab's network: status and sentence of the proxy."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True)
class Visit:
    """One HTTP request on its way."""

    method: str
    host: str
    port: int
    path: str
    query: str
    request: Request


class Proxy:
    """Finds who answers a request, and gives the answer."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._simulation: Simulation = simulation_of(world)
        self._turns: dict[str, Iterator[int]] = {}

    def answer(self, request: Request) -> Answer:
        with self._world.lock:
            self._world.step()
            try:
                return self._route(_visit(request))
            except NoAnswerError as failure:
                return _html(failure.status, f"<h1>{failure.status}</h1>\n<p>lab proxy: {failure.sentence}</p>\n")
            except Exception as error:
                log.exception("%s %s broke the lab", request.method, request.path)
                return _html(500, f"<p>lab proxy: the request broke the simulation: {error!r}</p>\n")

    def _route(self, visit: Visit) -> Answer:
        name = self._resolve(visit.host)
        for region, backend in elb_backends[self._world.account].items():
            for balancer in backend.load_balancers.values():
                if balancer.dns_name.lower() == name:
                    return self._classic(visit, region, balancer)
        for region, backend in elbv2_backends[self._world.account].items():
            for balancer in backend.load_balancers.values():
                if balancer.dns_name.lower() == name:
                    return self._balanced(visit, region, balancer)
        return self._instance(visit, name)

    # Names

    def _resolve(self, name: str) -> str:
        """Follow the lab's own DNS: aliases, CNAMEs, A records."""
        name = name.lower().rstrip(".")
        for _unused in range(8):
            target = self._record(name)
            if target is None:
                return name
            name = target.lower().rstrip(".").removeprefix("dualstack.")
        raise NoAnswerError(502, f"the DNS records of {name} lead in a circle")

    def _record(self, name: str) -> str | None:
        for zone in route53_backends[self._world.account]["aws"].zones.values():
            for record in zone.rrsets:
                wanted = record.name.lower().rstrip(".").replace("\\052", "*")
                if record.type in ("A", "CNAME") and fnmatchcase(name, wanted):
                    alias = record.alias_target or {}
                    values = [alias["DNSName"]] if alias.get("DNSName") else list(record.records or ())
                    if values and values[0] != name:
                        return str(self._pick(f"dns {record.name}", values))
        return None

    # Load balancers

    def _classic(self, visit: Visit, region: str, balancer: Any) -> Answer:
        listener = next((one for one in balancer.listeners if int(one.load_balancer_port) == visit.port), None)
        if listener is None:
            raise NoAnswerError(
                502, f"connection refused: load balancer {balancer.name} has no listener on port {visit.port}"
            )
        self._admit(region, balancer.security_groups, visit.port, f"load balancer {balancer.name}")
        healthy = [
            instance_id
            for instance_id in balancer.instance_ids
            if self._simulation.health.of_instance(balancer, region, instance_id).state == HEALTHY
        ]
        if not healthy:
            return _html(503, "Service Unavailable: Back-end server is at capacity\n")
        return self._beyond(
            visit, region, balancer, self._pick(balancer.dns_name, healthy), int(listener.instance_port)
        )

    def _balanced(self, visit: Visit, region: str, balancer: Any) -> Answer:
        listener = next((one for one in balancer.listeners.values() if int(one.port) == visit.port), None)
        if listener is None:
            raise NoAnswerError(
                502, f"connection refused: load balancer {balancer.name} has no listener on port {visit.port}"
            )
        if balancer.security_groups:
            self._admit(region, balancer.security_groups, visit.port, f"load balancer {balancer.name}")
        for action in _actions(listener, visit):
            if action["Type"] == "fixed-response":
                fixed = action["FixedResponseConfig"]
                return _html(int(fixed["StatusCode"]), fixed.get("MessageBody", ""))
            if action["Type"] == "redirect":
                return _redirect(visit, action["RedirectConfig"])
            if action["Type"] == "forward":
                return self._forward(visit, region, balancer, action)
        return _html(503, "<h1>503 Service Temporarily Unavailable</h1>\n")

    def _forward(self, visit: Visit, region: str, balancer: Any, action: dict[str, Any]) -> Answer:
        arns = [group["TargetGroupArn"] for group in action.get("ForwardConfig", {}).get("TargetGroups", ())]
        arn = self._pick(balancer.dns_name, [action["TargetGroupArn"]] if action.get("TargetGroupArn") else arns)
        group = elbv2_backends[self._world.account][region].target_groups[arn]
        verdicts = {
            (target["Id"], int(target["Port"])): self._simulation.health.of_target(
                group, target["Id"], int(target["Port"])
            ).state
            for target in group.targets.values()
            if target["Id"].startswith("i-")
        }
        targets = [target for target, state in verdicts.items() if state == HEALTHY]
        if not targets:  # an ALB or NLB without any healthy target tries the unhealthy ones
            targets = [target for target, state in verdicts.items() if state == UNHEALTHY]
        if not targets and balancer.type == "network":
            raise NoAnswerError(502, f"connection reset: load balancer {balancer.name} has no target for it")
        if not targets:
            return _html(503, "<h1>503 Service Temporarily Unavailable</h1>\n")
        return self._beyond(visit, region, balancer, *self._pick(arn, targets))

    def _beyond(self, visit: Visit, region: str, balancer: Any, instance_id: str, port: int) -> Answer:
        """From the balancer to its target."""
        if not self._simulation.health.reaches(balancer, region, instance_id, port):
            return _html(504, "<h1>504 Gateway Time-out</h1>\n")
        return self._container(visit, instance_id, port)

    def _pick(self, name: str, choices: list[Any]) -> Any:
        """The next in turn."""
        return choices[next(self._turns.setdefault(name, itertools.count())) % len(choices)]

    # Instances and containers

    def _instance(self, visit: Visit, name: str) -> Answer:
        for region, backend in ec2_backends[self._world.account].items():
            for instance in backend.all_instances():
                if instance.state == "running" and name in (instance.public_ip, instance.public_dns_name):
                    groups = [group.id for group in instance.security_groups]
                    self._admit(region, groups, visit.port, f"instance {instance.id}")
                    return self._container(visit, instance.id, visit.port)
        raise NoAnswerError(
            502, f"cannot resolve host {visit.host}: no load balancer, record or instance has this name"
        )

    def _container(self, visit: Visit, instance_id: str, port: int) -> Answer:
        for server in self._world.servers:
            if server.listens(instance_id, port):
                asked = Request(
                    visit.method, visit.path, visit.query, {**visit.request.headers, "host": _host(visit)},
                    visit.request.body,
                )  # fmt: skip
                answer = server.answer(instance_id, port, asked)
                if answer is not None:
                    return answer
        entry = self._simulation.tasks.listening.get((instance_id, port))
        if entry is None:
            raise NoAnswerError(502, f"connection refused: nothing listens on port {port} of {instance_id}")
        task, container, container_port = entry
        program = program_of(container)
        if not containers.listens(program, container_port):
            raise NoAnswerError(502, f"connection refused: {container.image} does not listen on port {container_port}")
        page = containers.page(program, visit.path)
        line = containers.access_line(CLIENT.partition("/")[0], visit.method, visit.path, page)
        self._simulation.tasks.write_log(task, container, line)
        return Answer(page.status, page.content, {"Content-Type": page.content_type})

    def _admit(self, region: str, group_ids: Iterable[str], port: int, who: str) -> None:
        backend = ec2_backends[self._world.account][region]
        groups = [backend.get_security_group_from_id(group_id) for group_id in group_ids]
        if not access.admits([group for group in groups if group], port, (), (CLIENT, LOOPBACK)):
            raise NoAnswerError(504, f"timed out: no security group of {who} lets clients in on port {port}")


def _visit(request: Request) -> Visit:
    """Where the client wants to go: an absolute URL, or the Host header of a plain request."""
    if request.method == "CONNECT":
        raise NoAnswerError(501, "only http is simulated, not https")
    target = request.path if "://" in request.path else f"http://{request.headers.get('host', '')}{request.path}"
    url = urlsplit(target)
    if not url.hostname:
        raise NoAnswerError(400, "the request names no host")
    return Visit(request.method, url.hostname, url.port or 80, url.path or "/", request.query, request)


def _host(visit: Visit) -> str:
    return visit.host if visit.port == 80 else f"{visit.host}:{visit.port}"


def _actions(listener: Any, visit: Visit) -> list[dict[str, Any]]:
    """The actions of the first rule that fits, in order of priority; the default ones if none does."""
    rules = sorted(listener._non_default_rules.values(), key=lambda rule: int(rule.priority))
    for rule in rules:
        if all(_meets(condition, visit) for condition in rule.conditions):
            return [_data(action) for action in rule.actions]
    return [_data(action) for action in listener.default_actions]


def _data(action: Any) -> dict[str, Any]:
    data: dict[str, Any] = getattr(action, "data", action)
    return data


def _meets(condition: dict[str, Any], visit: Visit) -> bool:
    field = condition["Field"]
    config = condition.get({"path-pattern": "PathPatternConfig", "host-header": "HostHeaderConfig"}.get(field, ""), {})
    values = condition.get("Values") or config.get("Values") or []
    subject = {"path-pattern": visit.path, "host-header": visit.host.lower()}.get(field)
    return subject is not None and any(fnmatchcase(subject, value) for value in values)


def _redirect(visit: Visit, config: dict[str, Any]) -> Answer:
    parts = {
        "protocol": "http",
        "host": visit.host,
        "port": str(visit.port),
        "path": visit.path.lstrip("/"),
        "query": visit.query,
    }
    wanted = {key: config.get(key.capitalize()) or f"#{{{key}}}" for key in parts}
    wanted["path"] = config.get("Path") or "/#{path}"
    for key, value in parts.items():
        wanted = {name: text.replace(f"#{{{key}}}", value) for name, text in wanted.items()}
    query = f"?{wanted['query']}" if wanted["query"] else ""
    place = f"{wanted['protocol'].lower()}://{wanted['host']}:{wanted['port']}{wanted['path']}{query}"
    return Answer(int(config["StatusCode"].removeprefix("HTTP_")), b"", {"Location": place})


def _html(status: int, body: str) -> Answer:
    return Answer(status, body.encode(), {"Content-Type": "text/html; charset=utf-8"})
