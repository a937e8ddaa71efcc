# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an app has of load balancers that it shares with others, taken away: its listener, the ways to it and from it.

What others need stays, and so does a rule that we did not make. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

from .._parallel import gather
from .._plan import Live, Plan, Wanted, decide, dismantle
from .app_options import AppOptions
from .ec2 import awaited
from .ecs_app import APP_GRAPH, list_services
from .ecs_app_read import Group, balancer_group, balancer_groups, ingress_rules, instances_groups
from .ecs_app_wanted import balancer_of, ingress_key, port_range, ports_behind, without_listeners_to
from .load_balancer_classic import LOAD_BALANCER, find_classic, instance_port
from .load_balancer_v2 import describe_one, listeners_of
from .names import cluster_mark
from .run import Run
from .security_groups import OUR_RULE, allowed, rule_description
from .service import SERVICE
from .task_definition import describe


class _Ports:
    """The ports of the instances through which services are reached from a load balancer, 0 for dynamic ones.

    They are asked for when it matters, and once.
    """

    def __init__(self, run: Run, options: AppOptions, service: Live | None) -> None:
        self._run = run
        self._app = options.name
        self._service = service
        self._services = cache(partial(list_services, run, options.cluster))
        self._target_groups = cache(partial(_target_groups, run))
        self.own = cache(self._own)
        self.of_others = cache(self._of_others)

    def _own(self, balancer: str) -> set[int]:
        return self._of(self._service, balancer) if self._service else set()

    def _of_others(self, balancer: str) -> set[int]:
        others = [one for one in self._services() if one.name != self._app]
        looks = gather({one.name: partial(self._of, one, balancer) for one in others})
        return {port for theirs in looks.values() for port in theirs}

    def _of(self, service: Live, balancer: str) -> set[int]:
        behind = [one for one in service.spec["load_balancers"] if self._is_at(one, balancer)]
        if not behind:
            return set()
        definition = describe(
            self._run, service.spec["task_definition"], f"look at the ports of service {service.name}"
        )
        return ports_behind(definition.spec, behind) if definition else set()

    def _is_at(self, behind: Mapping[str, Any], balancer: str) -> bool:
        group = behind.get("target_group")
        return group in self._target_groups(balancer) if group else behind.get("load_balancer") == balancer


def _target_groups(run: Run, balancer: str) -> set[str]:
    """Those that a load balancer of the newer kinds leads to."""
    found = describe_one(run, "LoadBalancers", {"Names": [balancer]})
    listeners = listeners_of(run, found["LoadBalancerArn"]) if found else ()
    return {str(action.get("TargetGroupArn")) for one in listeners for action in one.get("DefaultActions") or ()}


def shared_parts(run: Run, options: AppOptions, live: Mapping[str, Live], groups: Sequence[Group]) -> Plan:
    """The app's part of the load balancers that it shares, taken away.

    Args:
        live: everything that is the app's alone.
        groups: all security groups of the cluster.
    """
    ports = _Ports(run, options, live.get(SERVICE))
    above = replace(run, mark=cluster_mark(options.cluster))
    listeners = _classic_listeners(run, options, live, ports, above, groups=groups)
    # without a service, only the rule tells whose a classic listener is
    rules = after(_ways_to_tasks(run, options, ports, above, groups), listeners, ("ingress_rule",))
    return listeners + rules + _ways_to_listeners(live, above, groups)


def unserved_ports(run: Run, options: AppOptions, live: Mapping[str, Live], seconds: float) -> set[int]:
    """The port that the health check of a shared classic load balancer looks at, if nobody is reached through it.

    A run that was killed before it made its service has left it, and nothing would ever be healthy. Only an app that
    has no service yet asks.

    Args:
        seconds: for which another run may still be making the service.
    """
    balancer, given = live.get(LOAD_BALANCER), options.balancer
    if SERVICE in live or not (balancer and given and given.classic and given.shared):
        return set()
    checked = instance_port(balancer.spec["health_check"]["target"])
    rule = live.get(ingress_key(checked, checked))
    if checked not in map(instance_port, balancer.spec["listeners"].values()) or (rule and _is_for(run, rule)):
        return {checked}

    def served() -> bool | None:
        return checked in _Ports(run, options, None).of_others(balancer.name) or None

    there = awaited(run, served, seconds, "service") or served()
    return set() if there else {checked}


def after(plan: Plan, first: Plan, kinds: Collection[str] = ("service", "listener", "classic_load_balancer")) -> Plan:
    """A plan whose steps of these kinds come after all of another one is done."""
    keys = frozenset(step.key for step in first.steps)
    return Plan(tuple(replace(step, needs=step.needs | keys) if step.kind in kinds else step for step in plan.steps))


def _ways_to_tasks(run: Run, options: AppOptions, ports: _Ports, above: Run, groups: Sequence[Group]) -> Plan:
    """The rules that let shared load balancers reach the app's tasks: those we made that no other app needs."""
    plan = Plan()
    for group in balancer_groups(above, groups):
        balancer = balancer_of(group)
        unused = [
            rule
            for rule in _made_rules(options, groups, group)
            if (_is_for(run, rule) or _serves(rule, ports.own(balancer)))
            and not _serves(rule, ports.of_others(balancer))
        ]
        plan += dismantle(unused, APP_GRAPH)
    return plan


def _made_rules(options: AppOptions, groups: Sequence[Group], group: Live) -> list[Live]:
    """The rules that we made so that a shared load balancer reaches the instances.

    Args:
        group: the security group of the load balancer.
    """
    return [
        replace(rule, key=f"{rule.key}/{group.id}")
        for instances in instances_groups(options.cluster, groups)
        for rule in ingress_rules(instances, group)
        if rule.attributes["description"].startswith(OUR_RULE)
    ]


def _is_for(run: Run, rule: Live) -> bool:
    """Whether a rule was made for the app: a run that was killed before it made the service has left no other word."""
    return bool(rule.attributes["description"] == rule_description(run.mark))


def _serves(rule: Live, host_ports: Collection[int]) -> bool:
    return (rule.spec["first"], rule.spec["last"]) in {port_range(port) for port in host_ports}


def _ways_to_listeners(live: Mapping[str, Live], above: Run, groups: Sequence[Group]) -> Plan:
    """The ways in to the app's listeners at load balancers of the newer kinds, closed."""
    ports: dict[str, set[str]] = {}
    for one in live.values():
        if one.kind == "listener":
            ports.setdefault(one.spec["load_balancer"].split("/")[-2], set()).add(str(one.spec["port"]))
    plan = Plan()
    for balancer, theirs in ports.items():
        plan += _closing(balancer_group(above, groups, balancer), theirs)
    return plan


def _closing(group: Live | None, ports: Collection[str]) -> Plan:
    """The ways in that a shared load balancer has for an app, closed.

    Args:
        group: its security group.
        ports: what it listens on for the app alone.
    """
    if group is None:
        return Plan()
    prefixes = tuple(f"tcp {port} from " for port in ports)
    kept = allowed(text for text in group.spec["ingress"] if not text.startswith(prefixes))
    wanted = Wanted(f"{group.key}/{group.id}", group.kind, group.name, {"ingress": kept})
    return decide([wanted], {wanted.key: group}, APP_GRAPH)


def _classic_listeners(
    run: Run, options: AppOptions, live: Mapping[str, Live], ports: _Ports, above: Run, *, groups: Sequence[Group]
) -> Plan:
    """The app's listeners off the classic load balancers that it shares, unless another app uses them too."""
    made_for = {
        balancer_of(group): {
            rule.spec["first"]
            for rule in _made_rules(options, groups, group)
            if _is_for(run, rule) and rule.spec["first"] == rule.spec["last"]
        }
        for group in balancer_groups(above, groups)
    }
    plan = Plan()
    for name in sorted(_shared_classic(options, live, made_for)):
        balancer = find_classic(above, name)
        if balancer and above.mark.owns(balancer.spec["tags"]):
            own = made_for.get(name, set()) | (ports.own(name) if SERVICE in live else _port_behind(options, balancer))
            balancer = replace(balancer, key=f"{balancer.key}/{name}")
            plan += _without_listener(balancer, own - ports.of_others(name), balancer_group(above, groups, name))
    return plan


def _shared_classic(options: AppOptions, live: Mapping[str, Live], made_for: Mapping[str, Collection[int]]) -> set[str]:
    """Those that may have a listener for the app: by its service, or, if a run was killed before it made the service,
    by the options and by rules.

    Args:
        made_for: ports of the instances, by load balancer, that were opened to it for the app.
    """
    service, given = live.get(SERVICE), options.balancer
    opened = {name for name, ports in made_for.items() if ports}
    if service is None:
        return opened | ({given.name} if given and given.classic and given.shared else set())
    behind = {one.get("load_balancer") for one in service.spec["load_balancers"]}
    own = {one.name for one in live.values() if one.kind == "classic_load_balancer"}
    return opened | {name for name in behind - own if name}


def _port_behind(options: AppOptions, balancer: Live) -> set[int]:
    """The port of the instances that the listener at the given port leads to."""
    listener = balancer.spec["listeners"].get(str(options.balancer.listener_port)) if options.balancer else None
    return {instance_port(listener)} if listener else set()


def _without_listener(balancer: Live, unused: Collection[int], group: Live | None) -> Plan:
    """The listener goes after the ways in to it: once it is gone nobody knows any more which these were."""
    wanted = without_listeners_to(balancer, unused)
    if wanted is None:
        return Plan()
    closing = _closing(group, {*balancer.spec["listeners"]} - {*wanted.spec["listeners"]})
    return closing + after(decide([wanted], {balancer.key: balancer}, APP_GRAPH), closing)
