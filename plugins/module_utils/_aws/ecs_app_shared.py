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

from .._errors import NotFoundError
from .._parallel import gather
from .._plan import Live, Plan, Wanted, after, decide, dismantle
from .app_options import AppOptions
from .ecs_app import APP_GRAPH, list_services
from .ecs_app_read import Group, balancer_group, balancer_groups, ingress_rules, instances_groups
from .ecs_app_wanted import balancer_of, port_range, ports_behind, without_listeners_to
from .load_balancer_classic import find_classic, instance_port
from .load_balancer_v2 import describe_one
from .names import cluster_mark
from .run import Run
from .security_groups import OUR_RULE, allowed, rule_description
from .service import SERVICE
from .task_definition import describe

CLASSIC = ("classic_load_balancer",)


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
    """Those that a load balancer of the newer kinds leads to, by whatever listener or rule."""
    found = describe_one(run, "LoadBalancers", {"Names": [balancer]})
    if found is None:
        return set()
    request, doing = {"LoadBalancerArn": found["LoadBalancerArn"]}, f"look where load balancer {balancer} leads to"
    try:
        groups = run.aws.pages("elbv2", "DescribeTargetGroups", "TargetGroups", request, doing=doing)
    except NotFoundError:  # nowhere
        return set()
    return {one["TargetGroupArn"] for one in groups}


def shared_parts(run: Run, options: AppOptions, live: Mapping[str, Live], groups: Sequence[Group]) -> Plan:
    """The app's part of the load balancers that it shares, taken away.

    Args:
        live: everything that is the app's alone.
        groups: all security groups of the cluster.
    """
    ports = _Ports(run, options, live.get(SERVICE))
    above = replace(run, mark=cluster_mark(options.cluster))
    rules = _ways_to_tasks(run, options, ports, above, groups)
    listener = _classic_listener(options, live, ports, above, groups)
    return rules + after(listener, rules, CLASSIC) + _ways_to_listeners(live, above, groups)


def _ways_to_tasks(run: Run, options: AppOptions, ports: _Ports, above: Run, groups: Sequence[Group]) -> Plan:
    """The rules that let shared load balancers reach the app's tasks: those that we made, and that no other app needs.

    A run that was killed before it made the service left no word of its ports, but it described its rule.
    """
    plan = Plan()
    for group in balancer_groups(above, groups):
        balancer = balancer_of(group)
        rules = [
            replace(rule, key=f"{rule.key}/{group.id}")
            for instances in instances_groups(options.cluster, groups)
            for rule in ingress_rules(instances, group)
            if rule.attributes["description"].startswith(OUR_RULE)
        ]
        own = rule_description(run.mark)
        unused = [
            rule
            for rule in rules
            if (rule.attributes["description"] == own or _serves(rule, ports.own(balancer)))
            and not _serves(rule, ports.of_others(balancer))
        ]
        plan += dismantle(unused, APP_GRAPH)
    return plan


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


def _classic_listener(
    options: AppOptions, live: Mapping[str, Live], ports: _Ports, above: Run, groups: Sequence[Group]
) -> Plan:
    """The app's listener off a classic load balancer that it shares, unless another app uses it too."""
    for name in _shared_classic(options, live):
        balancer = find_classic(above, name)
        if balancer and above.mark.owns(balancer.spec["tags"]):
            own = ports.own(name) if SERVICE in live else _port_behind(options, balancer)
            return _without_listener(balancer, own - ports.of_others(name), balancer_group(above, groups, name))
    return Plan()


def _shared_classic(options: AppOptions, live: Mapping[str, Live]) -> set[str]:
    """Those that the service is behind; that which is given, if a run was killed before it made the service."""
    service, given = live.get(SERVICE), options.balancer
    if service is None:
        return {given.name} if given and given.classic and given.shared else set()
    behind = {one.get("load_balancer") for one in service.spec["load_balancers"]}
    own = {one.name for one in live.values() if one.kind == "classic_load_balancer"}
    return {name for name in behind - own if name}


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
    return closing + after(decide([wanted], {balancer.key: balancer}, APP_GRAPH), closing, CLASSIC)
