# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One app gone from its cluster, with everything that was only its own, and a look at the end. PRIVATE."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from .._module import Context, Outcome
from .._parallel import gather
from .._plan import Live, Plan, Step, Wanted, apply, decide, dismantle
from .._wait import wait_until
from .api import SLOW_DELETES, Aws, Connection
from .app_options import AppOptions
from .ecs_app import APP_GRAPH, Names, app_handlers, find_app, list_services
from .ecs_app_read import Group, app_groups, balancer_group, ingress_rules, instances_groups, security_groups
from .ecs_app_result import to_result
from .ecs_app_wanted import (
    BALANCER_GROUP_KIND,
    balancer_of,
    ports_behind,
    target_group_name,
    without_listeners_to,
)
from .load_balancer_classic import find_classic, instance_port
from .names import app_mark, cluster_mark
from .run import Run
from .security_groups import allowed
from .service import SERVICE
from .task_definition import describe


def ensure_absent(context: Context) -> Outcome:
    """No app, and nothing left of it. What it shared with others stays."""
    options = AppOptions.from_params(context.params)
    aws = Aws(Connection.from_params(context.params))
    run = Run(aws, app_mark(options.cluster, options.name), context.deadline(), context.pace())
    groups = security_groups(run)
    live = _find(run, options, groups)
    shared = _listener_removal(run, options, live, groups) + _way_to_listeners(run, options, live, groups)
    # once the service is gone nobody knows any more which of the listeners was its own
    plan = shared + _after(dismantle(live.values(), APP_GRAPH), shared)
    if plan.changed and not context.check_mode:
        applied = apply(plan, app_handlers(run), live)
        with applied.then(f"look whether anything is left of app {options.name}"):
            _await_gone(run, options)
    return Outcome(to_result(options.name, options.cluster, None, front=None, tasks=[]), plan)


def _after(plan: Plan, first: Plan) -> Plan:
    """A plan whose service and listeners go after all of another one is done."""
    keys = frozenset(step.key for step in first.steps)
    last = ("service", "listener", "classic_load_balancer")
    return Plan(tuple(replace(step, needs=step.needs | keys) if step.kind in last else step for step in plan.steps))


def _find(run: Run, options: AppOptions, groups: Sequence[Group]) -> dict[str, Live]:
    own = app_groups(run, groups)
    return {one.key: one for one in (*find_app(run, options.cluster, _names(options, own)), *own)}


def _names(options: AppOptions, groups: Sequence[Live]) -> Names:
    """What the app's things are called, if an earlier run made them so late that the tagging API does not know them.

    Args:
        groups: the security groups of its own load balancers, each of which is made before the load balancer.
    """
    given = options.balancer if options.balancer and options.balancer.type != "none" else None
    balancers = {balancer_of(one) for one in groups if one.kind == BALANCER_GROUP_KIND}
    balancers |= {given.name} if given and not given.shared else set()
    grouped = not given.classic if given else bool(balancers)
    return Names(
        families=frozenset({str(options.with_family(None).family)}),
        balancers=frozenset(balancers),
        target_groups=frozenset({target_group_name(options)} if grouped else ()),
        log_groups=frozenset({options.log.group} if options.log else ()),
    )


def _way_to_listeners(run: Run, options: AppOptions, live: Mapping[str, Live], groups: Sequence[Group]) -> Plan:
    """The ways in to the app's listeners at load balancers of the newer kinds that it shares, closed."""
    ports: dict[str, set[str]] = {}
    for one in live.values():
        if one.kind == "listener":
            ports.setdefault(one.spec["load_balancer"].split("/")[-2], set()).add(str(one.spec["port"]))
    plan = Plan()
    for balancer, theirs in ports.items():
        plan += _closing(balancer_group(_of_cluster(run, options), groups, balancer), theirs)
    return plan


def _of_cluster(run: Run, options: AppOptions) -> Run:
    return replace(run, mark=cluster_mark(options.cluster))


def _closing(group: Live | None, ports: Collection[str], rules: Iterable[Live] = ()) -> Plan:
    """The ways in that a shared load balancer has for an app, closed.

    Args:
        group: its security group.
        ports: what it listens on for the app alone.
        rules: let it reach the app alone.
    """
    if group is None:
        return Plan()
    prefixes = tuple(f"tcp {port} from " for port in ports)
    kept = allowed(text for text in group.spec["ingress"] if not text.startswith(prefixes))
    wanted = Wanted(f"{group.key}/{group.id}", group.kind, group.name, {"ingress": kept})
    apart = [replace(rule, key=f"{wanted.key}/{rule.key}") for rule in rules]
    return decide([wanted], {wanted.key: group}, APP_GRAPH) + dismantle(apart, APP_GRAPH)


def _listener_removal(run: Run, options: AppOptions, live: Mapping[str, Live], groups: Sequence[Group]) -> Plan:
    """The app's listener off a classic load balancer that it shares, unless another app uses it too."""
    for name in _shared_balancers(options, live):
        above = find_classic(run, name)
        if above and cluster_mark(options.cluster).owns(above.spec["tags"]):
            return _without_listener(run, options, live.get(SERVICE), above, groups)
    return Plan()


def _shared_balancers(options: AppOptions, live: Mapping[str, Live]) -> set[str]:
    """Those that the service is behind; that which is given, if a run was killed before it made the service."""
    service, given = live.get(SERVICE), options.balancer
    if service is None:
        return {given.name} if given and given.classic and given.shared else set()
    behind = {one.get("load_balancer") for one in service.spec["load_balancers"]}
    own = {one.name for one in live.values() if one.kind == "classic_load_balancer"}
    return {name for name in behind - own if name}


def _without_listener(
    run: Run, options: AppOptions, service: Live | None, above: Live, groups: Sequence[Group]
) -> Plan:
    """The listener goes after the ways in to it: once it is gone nobody knows any more which these were."""
    ports = _host_ports(run, service, above.name) if service else _port_behind(options, above)
    others = [
        one
        for one in list_services(run, options.cluster)
        if one.name != options.name
        and any(behind.get("load_balancer") == above.name for behind in one.spec["load_balancers"])
    ]
    looks = gather({one.name: partial(_host_ports, run, one, above.name) for one in others})
    unused = ports - {port for theirs in looks.values() for port in theirs}
    wanted = without_listeners_to(above, unused)
    if wanted is None:
        return Plan()
    gone = {*above.spec["listeners"]} - {*wanted.spec["listeners"]}
    group = balancer_group(_of_cluster(run, options), groups, above.name)
    closing = _closing(group, gone, _rules_for(options, group, unused, groups) if group else ())
    return closing + _after(decide([wanted], {above.key: above}, APP_GRAPH), closing)


def _rules_for(options: AppOptions, group: Live, host_ports: Collection[int], groups: Sequence[Group]) -> list[Live]:
    """The rules that let a load balancer reach these ports of the instances."""
    rules = [
        rule for instances in instances_groups(options.cluster, groups) for rule in ingress_rules(instances, group)
    ]
    return [rule for rule in rules if rule.spec["first"] == rule.spec["last"] and rule.spec["first"] in host_ports]


def _port_behind(options: AppOptions, above: Live) -> set[int]:
    """The port of the instances that the listener at the given port leads to."""
    listener = above.spec["listeners"].get(str(options.balancer.listener_port)) if options.balancer else None
    return {instance_port(listener)} if listener else set()


def _host_ports(run: Run, service: Live, balancer: str) -> set[int]:
    """The ports of the instances through which a service is reached from a classic load balancer."""
    definition = describe(run, service.spec["task_definition"], f"look at the ports of service {service.name}")
    behind = [one for one in service.spec["load_balancers"] if one.get("load_balancer") == balancer]
    return ports_behind(definition.spec, behind) if definition else set()


def _await_gone(run: Run, options: AppOptions) -> None:
    wait_until(
        lambda: _find(run, options, security_groups(run)),
        ready=lambda left: not left,
        describe=lambda left: "still there: " + ", ".join(_label(one) for one in left.values()),
        deadline=run.deadline,
        doing=f"look whether anything is left of app {options.name}",
        hint=SLOW_DELETES,
        pace=run.pace,
    )


def _label(live: Live) -> str:
    return Step("delete", live.key, live.kind, live.name).label
