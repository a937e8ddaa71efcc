# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an app has of load balancers that it shares with others, taken away: its listener, the ways to it and from it.

What others need stays, and so does a rule that we did not make. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

from .._parallel import gather
from .._plan import Live, Plan, Wanted, after, decide, dismantle
from .app_options import AppOptions
from .ec2 import awaited
from .ecs_app import APP_GRAPH, list_services
from .ecs_app_read import Group, balancer_group, balancer_groups, ingress_rules, instances_groups
from .ecs_app_wanted import balancer_of, ingress_key, port_range, ports_behind, without_listeners_to
from .load_balancer_classic import LOAD_BALANCER, find_classic, instance_port
from .load_balancer_v2 import describe_one, groups_behind, listeners_of, name_in
from .names import cluster_mark
from .run import Run
from .security_groups import Opening, allowed, is_ours, rule_description
from .service import SERVICE
from .task_definition import describe

CLASSIC = ("classic_load_balancer",)


class Ports:
    """The ports of the instances through which services are reached from a load balancer, 0 for dynamic ones.

    They are asked for when it matters, and once.

    Attributes:
        spared: whether something of the app's was left because another app needs it.
    """

    def __init__(self, run: Run, options: AppOptions, service: Live | None) -> None:
        self._run = run
        self._options = options
        self._service = service
        self._services = cache(partial(list_services, run, options.cluster))
        self._target_groups = cache(partial(_target_groups, run))
        self.own = cache(self._own)
        self.of_others = cache(self._of_others)
        self.spared = False

    def are_free(self, balancer: str, ports: tuple[int, int]) -> bool:
        """Whether no other app needs these ports, first and last."""
        needed = ports in {port_range(one) for one in self.of_others(balancer)}
        self.spared |= needed
        return not needed

    def once_more(self) -> Ports:
        """For another look at the other apps, with what is known of the app, whose service may be gone by now."""
        later = Ports(self._run, self._options, None)
        later.own = self.own
        return later

    def _own(self, balancer: str) -> set[int]:
        return self._of(self._service, balancer) if self._service else set()

    def apps_at(self, balancer: str, port: int) -> list[str]:
        """The other apps that are reached through a port."""
        return sorted(name for name, theirs in self._by_app(balancer).items() if port in theirs)

    def _of_others(self, balancer: str) -> set[int]:
        return {port for theirs in self._by_app(balancer).values() for port in theirs}

    def _by_app(self, balancer: str) -> dict[str, set[int]]:
        others = [one for one in self._services() if one.name != self._options.name]
        return gather({one.name: partial(self._of, one, balancer) for one in others})

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
    groups = groups_behind(run, found["LoadBalancerArn"]) if found else ()
    return {one["TargetGroupArn"] for one in groups}


def shared_parts(
    run: Run, options: AppOptions, live: Mapping[str, Live], groups: Sequence[Group], ports: Ports
) -> Plan:
    """The app's part of the load balancers that it shares, taken away.

    Args:
        live: everything that is the app's alone.
        groups: all security groups of the cluster.
    """
    above = replace(run, mark=cluster_mark(options.cluster))
    rules = _ways_to_tasks(run, options, ports, above, groups)
    classic = _shared_classic(run, options, live, above, groups)
    listeners = Plan()
    for name, balancer in classic.items():
        group = balancer_group(above, groups, name)
        own = ports.own(name) | _reached_at(run, options, groups, group)
        own |= _ports_behind(balancer, _listened_on(run, options, live, name, group))
        unused = {port for port in own if ports.are_free(name, port_range(port))}
        listeners += _without_listener(run, balancer, unused, group)
    # without a service, only the rule tells whose a classic listener is
    return listeners + after(rules, listeners, ("ingress_rule",)) + _ways_in(run, live, above, groups, classic)


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
    if checked not in map(instance_port, balancer.spec["listeners"].values()):
        return {checked}
    rule = live.get(ingress_key(checked, checked))
    is_own = rule is not None and _is_for(run, rule)  # then no other run is about to need it; another app may by now

    def served() -> bool | None:
        return checked in Ports(run, options, None).of_others(balancer.name) or None

    there = awaited(run, served, 0.0 if is_own else seconds, "service")
    return set() if there else {checked}


def others_listener(run: Run, options: AppOptions, live: Mapping[str, Live], wanted: Collection[Wanted]) -> str | None:
    """That the port of a shared classic load balancer is the one at which another app is reached, and nowhere else: a
    listener leads to one port, so that it would be taken away from that app, and back by its next run."""
    balancer, given = live.get(LOAD_BALANCER), options.balancer
    if not (balancer and given and given.classic and given.shared):
        return None
    port, listeners = str(given.listener_port), balancer.spec["listeners"]
    there = listeners.get(port)
    own = next(one.spec["listeners"][port] for one in wanted if one.key == LOAD_BALANCER)
    if there is None or [*listeners.values()].count(there) > 1 or (there == own and SERVICE in live):
        return None
    apps = Ports(run, options, None).apps_at(balancer.name, instance_port(there))
    return f"load_balancer: listener_port {port} of {balancer.name} leads to app {', '.join(apps)}" if apps else None


def outlived_rules(run: Run, options: AppOptions, live: Mapping[str, Live], wanted: Collection[Wanted]) -> list[Live]:
    """The rules that let a shared load balancer reach the app's tasks where they were before, if no other app is there
    and no listener leads there any more."""
    keys = {one.key for one in wanted}
    listeners = [text for one in wanted for text in one.spec.get("listeners", {}).values()]
    led_to = {*map(instance_port, listeners)}
    old = [
        one
        for key, one in live.items()
        if one.kind == "ingress_rule" and key not in keys and _is_for(run, one) and not _serves(one, led_to)
    ]
    return without_needed(run, options, old)


def without_needed(run: Run, options: AppOptions, rules: Sequence[Live]) -> list[Live]:
    """Those of the rules from the load balancer to the instances that no other app needs at this moment."""
    if not (rules and options.balancer):
        return []
    others = Ports(run, options, None).of_others(options.balancer.name)
    return [one for one in rules if not _serves(one, others)]


def _ways_to_tasks(run: Run, options: AppOptions, ports: Ports, above: Run, groups: Sequence[Group]) -> Plan:
    """The rules that let shared load balancers reach the app's tasks: those we made that no other app needs."""
    plan = Plan()
    for group in balancer_groups(above, groups):
        balancer = balancer_of(group)
        unused = [
            rule
            for rule in _made_rules(options, groups, group)
            if (_is_for(run, rule) or _serves(rule, ports.own(balancer)))
            and ports.are_free(balancer, (rule.spec["first"], rule.spec["last"]))
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
        if is_ours(rule.attributes["description"])
    ]


def _is_for(run: Run, rule: Live) -> bool:
    """Whether a rule was made for the app: a run that was killed before it made the service has left no other word."""
    return bool(rule.attributes["description"] == rule_description(run.mark))


def _opened_for(run: Run, group: Live) -> list[str]:
    """The ways in to a load balancer that were opened for the app."""
    own = rule_description(run.mark)
    return [text for text, described in group.attributes["described"].items() if described == own]


def _serves(rule: Live, host_ports: Collection[int]) -> bool:
    return (rule.spec["first"], rule.spec["last"]) in {port_range(port) for port in host_ports}


def _ways_in(run: Run, live: Mapping[str, Live], above: Run, groups: Sequence[Group], classic: Collection[str]) -> Plan:
    """The ways in to the app's listeners, closed, but for those at classic load balancers.

    Args:
        classic: the names of these.
    """
    ports: dict[str, set[str]] = {}
    for one in live.values():
        if one.kind == "listener":
            ports.setdefault(name_in(one.spec["load_balancer"]), set()).add(str(one.spec["port"]))
    plan = Plan()
    for group in balancer_groups(above, groups):
        name = balancer_of(group)
        theirs = ports.get(name, set())
        if name not in classic:
            # a run that was killed has opened what there is no listener for
            unheard = _ports_of(_opened_for(run, group)) - theirs
            others = _ports_listened_on(run, name) - theirs if unheard else set()
            plan += _closing(group, theirs | (unheard - others))
    return plan


def _ports_listened_on(run: Run, balancer: str) -> set[str]:
    """By a load balancer of the newer kinds."""
    found = describe_one(run, "LoadBalancers", {"Names": [balancer]})
    return {str(one["Port"]) for one in listeners_of(run, found["LoadBalancerArn"])} if found else set()


def _ports_of(openings: Iterable[str]) -> set[str]:
    return {str(Opening.parse(text).first) for text in openings}


def _closing(group: Live | None, ports: Collection[str]) -> Plan:
    """The ways in that a shared load balancer has for an app, closed.

    Args:
        group: its security group.
        ports: what it listens on for the app alone.
    """
    if group is None or not ports:
        return Plan()
    prefixes = tuple(f"tcp {port} from " for port in ports)
    kept = allowed(text for text in group.spec["ingress"] if not text.startswith(prefixes))
    wanted = Wanted(f"{group.key}/{group.id}", group.kind, group.name, {"ingress": kept})
    return decide([wanted], {wanted.key: group}, APP_GRAPH)


def _shared_classic(
    run: Run, options: AppOptions, live: Mapping[str, Live], above: Run, groups: Sequence[Group]
) -> dict[str, Live]:
    """The classic load balancers that may have something for the app, by name: those that the service is behind, or
    that which is given, and those that rules say it of."""
    service, given = live.get(SERVICE), options.balancer
    names = {
        balancer_of(group)
        for group in balancer_groups(above, groups)
        if _opened_for(run, group) or _reached_at(run, options, groups, group)
    }
    if service:
        behind = {one.get("load_balancer") for one in service.spec["load_balancers"]}
        names |= {name for name in behind if name}
    elif given and given.classic and given.shared:
        names |= {given.name}
    own = {one.name for one in live.values() if one.kind == "classic_load_balancer"}
    newer = {name_in(one.spec["load_balancer"]) for one in live.values() if one.kind == "listener"}
    found = {name: find_classic(above, name) for name in sorted(names - own - newer)}
    return {
        name: replace(one, key=f"{one.key}/{name}")
        for name, one in found.items()
        if one and above.mark.owns(one.spec["tags"])
    }


def _reached_at(run: Run, options: AppOptions, groups: Sequence[Group], group: Live | None) -> set[int]:
    """The ports of the instances that were opened to a load balancer for the app; those that ECS picks are not among
    them, as no classic one could lead to those.

    Args:
        group: the security group of the load balancer.
    """
    rules = _made_rules(options, groups, group) if group else ()
    found = [one.spec for one in rules if _is_for(run, one)]
    return {one["first"] for one in found if one["first"] == one["last"]}


def _listened_on(
    run: Run, options: AppOptions, live: Mapping[str, Live], balancer: str, group: Live | None
) -> set[str]:
    """The ports of a load balancer that were opened for the app, and that which is given if there is no service."""
    given = options.balancer
    named = {str(given.listener_port)} if given and given.name == balancer and SERVICE not in live else set()
    return named | (_ports_of(_opened_for(run, group)) if group else set())


def _ports_behind(balancer: Live, listener_ports: Collection[str]) -> set[int]:
    """The ports of the instances that a classic load balancer leads to from these of its own."""
    listeners = balancer.spec["listeners"]
    return {instance_port(listeners[port]) for port in listener_ports if port in listeners}


def _without_listener(run: Run, balancer: Live, unused: Collection[int], group: Live | None) -> Plan:
    """The listener goes after the ways in to it: once it is gone nobody may know any more which these were."""
    wanted = without_listeners_to(balancer, unused)
    kept = {*(wanted or balancer).spec["listeners"]}
    opened = _ports_of(_opened_for(run, group)) if group else set()
    closing = _closing(group, ({*balancer.spec["listeners"]} | opened) - kept)
    return closing + after(decide([wanted] if wanted else [], {balancer.key: balancer}, APP_GRAPH), closing, CLASSIC)
