# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One app on an ECS cluster as its options say: read, decide, apply, wait. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from .._errors import InputError
from .._module import Context, Outcome
from .._plan import Live, Plan, Step, Wanted, after, apply, decide, dismantle
from .api import Aws, Connection
from .app_options import AppOptions
from .ecs_app import APP_GRAPH, APP_RULES, app_handlers
from .ecs_app_absent import ensure_absent
from .ecs_app_read import Found, NoClusterError, read
from .ecs_app_result import Front, fronts_of, tasks_of, to_result, url_of
from .ecs_app_shared import (
    Ports,
    others_listener,
    outlived_rules,
    shared_parts,
    unserved_ports,
    without_needed,
)
from .ecs_app_wanted import sharing, wanted_app
from .ecs_cluster_options import shared_tags
from .load_balancer_classic import LOAD_BALANCER, health_behind_classic
from .load_balancer_v2 import health_in_group, refuse_others_behind
from .names import app_mark
from .run import Run
from .security_groups import IngressRules, is_ours
from .service import SERVICE, live_service
from .service_judgement import Health, Service, goal_of
from .service_ready import wait_ready
from .service_scaling import SCALING
from .task_definition import find_old_revisions

SERVICE_SECONDS = 15.0  # for another app's run to make its service, once its load balancer is there
BALANCER_KINDS = ("classic_load_balancer", "load_balancer", "target_group")
BEHIND_DEFINITION = ("log_group", "load_balancer_security_group", "target_group")


def ensure(context: Context) -> Outcome:
    """What the module does."""
    return ensure_present(context) if context.params["state"] == "present" else ensure_absent(context)


def ensure_present(context: Context) -> Outcome:
    """The app as its options say, running, and healthy at its load balancer."""
    options = AppOptions.from_params(context.params)
    aws = Aws(Connection.from_params(context.params))
    mark = app_mark(options.cluster, options.name)
    tags = shared_tags(context.params["tags"] or {})
    run = Run(aws, mark, context.deadline(), context.pace(), tags, context.warn)
    found = _found(context, run, options)
    refuse_others_behind(run, (*found.stale, *found.abandoned))
    options = found.options
    unserved = unserved_ports(run, options, found.live, 0.0 if context.check_mode else SERVICE_SECONDS)
    wanted = wanted_app(run, options, found.live, found.place, unserved)
    _refuse_listener(context, others_listener(run, options, found.live, wanted))
    abandoned = dismantle(found.abandoned, APP_GRAPH)
    decided = decide(wanted, found.live, APP_GRAPH, APP_RULES)
    # ECS refuses more in a task definition than anybody else does, and it costs nothing: so it comes first
    registered = Plan(tuple(step for step in decided.steps if step.kind == "task_definition"))
    decided = after(decided, registered, BEHIND_DEFINITION)
    # once the wanted one is there, nobody looks for one of another kind with its name, or for a target group, any more
    plan = abandoned + after(decided, abandoned, BALANCER_KINDS)
    old_revisions = _old_revisions(run, found, plan)
    tidying = _tidying(run, found, plan, wanted, wait=context.params["wait"])
    if not _may_go_back(found):
        plan += after(old_revisions, plan, ("task_definition",))
    elif context.params["wait"]:  # else the one to go back to may still be needed when the run ends
        tidying = old_revisions + tidying
    if context.check_mode:
        return Outcome(_result(run, options, found.live), plan + _left_to_others(run, found) + tidying)
    handlers = app_handlers(run, sharing(run, options))
    applied = apply(plan, handlers, found.live)
    with applied.then(f"wait for service {options.name}"):
        _reopen(run, options, plan, [applied.live[one.key] for one in wanted if one.kind == "ingress_rule"])
        live = _settled(run, options, applied.live, plan) if context.params["wait"] else applied.live
        tidying = _left_to_others(run, found) + _looked_at_again(run, options, tidying)
        plan += tidying
        tidied = apply(tidying, handlers, live)
        with tidied.then(f"look at service {options.name}"):
            return Outcome(_result(run, options, tidied.live, look=plan.changed), plan)


def _left_to_others(run: Run, found: Found) -> Plan:
    """What the app has of load balancers that it shares, taken away if it is to be behind none."""
    if not found.groups:
        return Plan()
    service = found.live.get(SERVICE)
    live = {one.key: one for one in (*found.stale, *([service] if service else []))}
    return shared_parts(run, found.options, live, found.groups, Ports(run, found.options, service))


def _looked_at_again(run: Run, options: AppOptions, tidying: Plan) -> Plan:
    """Without the rules of a shared load balancer that another app has come to need while this one was waited for."""
    if not options.shares_balancer:
        return tidying
    rules = [step.live for step in tidying.steps if step.kind == "ingress_rule" and step.live]
    unused = {one.key for one in without_needed(run, options, rules)}
    return Plan(tuple(step for step in tidying.steps if step.kind != "ingress_rule" or step.key in unused))


def _reopen(run: Run, options: AppOptions, plan: Plan, rules: Sequence[Live]) -> None:
    """The way from a shared load balancer to a service that has moved there once more: a run that took another app
    away, or moved it, may have closed it, if it looked before this one was there."""
    if options.shares_balancer and any(step.kind == "service" and _places(step) for step in plan.steps):
        for one in rules:
            IngressRules(run).create(Step("create", one.key, one.kind, one.name), one.spec)


def _refuse_listener(context: Context, told: str | None) -> None:
    """In check mode, an earlier task of the play may be about to take the other app away."""
    if told and not context.check_mode:
        raise InputError(told, hint="Each app that shares a load balancer needs a listener_port of its own.")
    if told:
        context.warn(f"{told}, and is refused unless that app goes before.")


def _found(context: Context, run: Run, options: AppOptions) -> Found:
    try:
        return read(run, options)
    except NoClusterError as error:
        if not context.check_mode:
            raise
        context.warn(f"{error.message} yet; this is what would be done once it does")
        return Found(options.with_family(None), {})


def _tidying(run: Run, found: Found, plan: Plan, wanted: Collection[Wanted], *, wait: bool) -> Plan:
    """What the app does not need any more, deleted once its tasks are settled elsewhere: until then, those of before
    are reached through it, and after a failure they are again."""
    stale = [*found.stale]
    if wait or not any(step.kind == "service" for step in plan.steps):  # else tasks are on the move when the run ends
        stale += _unused_rules(run, found, wanted)
    return dismantle(stale, APP_GRAPH)


def _old_revisions(run: Run, found: Found, plan: Plan) -> Plan:
    """The revisions that a new one pushes out. No task is of them, so they wait for none to be settled: who registers
    one revision after the other, and none that ever runs, is not left with all of them."""
    if not any(step.kind == "task_definition" and step.live and _registers(step.differences) for step in plan.steps):
        return Plan()
    service = found.live.get(SERVICE)
    in_use = [one["taskDefinition"] for one in service.attributes["raw"]["deployments"]] if service else []
    old = find_old_revisions(run, str(found.options.family), found.options.keep_revisions - 1, in_use)
    return dismantle([old] if old else [], APP_GRAPH)


def _may_go_back(found: Found) -> bool:
    """Whether ECS would go back, should the new deployment fail, to a revision that no deployment tells any more: the
    last that was completed, of which no task is left while another one keeps failing."""
    service = found.live.get(SERVICE)
    if service is None:
        return False
    breaker = found.options.service.get("circuit_breaker") or service.spec["circuit_breaker"]
    states = [one.get("rolloutState") for one in service.attributes["raw"]["deployments"]]
    return breaker["enable"] and breaker["rollback"] and "COMPLETED" not in states


def _places(step: Step) -> bool:
    """Whether tasks are started where none of the service may have been before."""
    return step.action == "create" or bool(
        {"task_definition", "load_balancers"} & {one.field for one in step.differences}
    )


def _unused_rules(run: Run, found: Found, wanted: Collection[Wanted]) -> list[Live]:
    """The rules that let a load balancer reach the app's tasks where they were before."""
    if found.options.shares_balancer:
        return outlived_rules(run, found.options, found.live, wanted)
    keys = {one.key for one in wanted}
    rules = [one for one in found.live.values() if one.kind == "ingress_rule" and one.key not in keys]
    return [one for one in rules if is_ours(one.attributes["description"])]


def _registers(differences: Sequence[Any]) -> bool:
    return any(one.field != "tags" for one in differences)


def _settled(run: Run, options: AppOptions, live: Mapping[str, Live], plan: Plan) -> dict[str, Live]:
    """The resources once the service is ready."""
    service: Service = live[SERVICE].attributes["raw"]
    done = {step.key for step in plan.steps}
    started = bool(done & {SERVICE, SCALING})
    goal = goal_of(options.cluster, service, started=started, drain_seconds=_drain_seconds(options, live))
    if options.scaling and SCALING in done:  # what has just been registered moves the service, but not at once
        goal = replace(goal, desired=None, least=options.scaling.min, most=options.scaling.max)
    settled = wait_ready(run, goal, service, health=_health(run, service))
    return {**live, SERVICE: live_service(settled)}


def _drain_seconds(options: AppOptions, live: Mapping[str, Live]) -> float:
    """How long the load balancer keeps a task that is stopped; on a shared classic one another app may have said."""
    if options.balancer is None:
        return 0.0
    above = live[LOAD_BALANCER].spec if LOAD_BALANCER in live else {}
    return float(above.get("draining_seconds", options.balancer.deregistration_delay))


def _health(run: Run, service: Service) -> Callable[[], Health] | None:
    """What asks the service's load balancer about its tasks."""
    for one in service.get("loadBalancers") or ():
        if one.get("loadBalancerName"):
            return partial(health_behind_classic, run, one["loadBalancerName"])
        return partial(health_in_group, run, one["targetGroupArn"])
    return None


def _result(run: Run, options: AppOptions, live: Mapping[str, Live], *, look: bool = False) -> dict[str, Any]:
    """The result; ``look``: with the tasks as they are now, for two more calls."""
    there = live.get(SERVICE)
    service: Service | None = there.attributes["raw"] if there else None
    tasks = tasks_of(run, options.cluster, options.name, settles=True) if look and service else None
    return to_result(options.name, options.cluster, service, front=_front(run, options, live, service), tasks=tasks)


def _front(run: Run, options: AppOptions, live: Mapping[str, Live], service: Service | None) -> Front | None:
    if options.balancer is None:
        return fronts_of(run, [service], {}).get(options.name) if service else None
    above = live.get(LOAD_BALANCER)
    if above is None:
        return None
    address = above.attributes["address"]
    return Front(above.name, address, above.attributes["zone_id"], url_of(address, options.balancer.listener_port))
