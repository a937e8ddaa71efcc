# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A look at everything that an app's options speak of. Whatever can refuse the options, refuses them here. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from .._errors import AuthError, InputError, NotFoundError
from .._ownership import OWNER, PART, only_one
from .._parallel import gather
from .._plan import Live
from .api import from_tags, tag_filter
from .app_options import AppOptions
from .balancer_options import Balancer
from .cluster_network import (
    INSTANCE_SECURITY_GROUP,
    check_balancer_subnets,
    instance_subnets,
    refuse_change_within_zone,
)
from .ecs_app import OWNER_PREFIX, Names, find_balancers, find_named_balancers
from .ecs_app_wanted import (
    BALANCER_GROUP,
    BALANCER_GROUP_KIND,
    NOWHERE,
    Place,
    balancer_of,
    group_part,
    ingress_key,
    refuse_other_vpc,
    sharing,
    target_group_name,
)
from .load_balancer_classic import LOAD_BALANCER, read_classic
from .load_balancer_v2 import read_v2
from .log_group import LOG_GROUP, read_log_group
from .names import cluster_mark
from .run import Run
from .security_groups import live_security_group, source_openings
from .service import active_cluster, read_service, refuse_unknown_providers
from .service_scaling import SCALING, find_scaling, read_scaling
from .task_definition import family_of, read_continued

Group = Mapping[str, Any]  # a security group as DescribeSecurityGroups gives it


class NoClusterError(InputError):
    """The cluster that the app shall be on does not exist."""


@dataclass(frozen=True)
class Found:
    """What a look at everything brings.

    Attributes:
        options: completed by the family that the service has.
        live: the app's resources by key.
        place: where the instances of the cluster are.
        stale: what was the app's and is not wanted any more.
        groups: all security groups of the cluster, of an app that is to be behind no load balancer.
        abandoned: load balancers with all that goes with them, as a run wanted them that never got to make the service.
    """

    options: AppOptions
    live: Mapping[str, Live]
    place: Place = NOWHERE
    stale: tuple[Live, ...] = ()
    groups: tuple[Group, ...] = ()
    abandoned: tuple[Live, ...] = ()


def read(run: Run, options: AppOptions) -> Found:
    """Everything that the options speak of, as it is.

    Raises:
        InputError: there is no such cluster, or no way from the load balancer to its instances.
        NotOursError: something of a wanted name is somebody else's.
    """
    reads: dict[str, Callable[[], Any]] = {"app": partial(_service_and_definition, run, options)}
    if options.log:
        reads[LOG_GROUP] = partial(read_log_group, run, options.log.group, adopt=options.adopt)
    if options.scaling:
        reads[SCALING] = partial(read_scaling, run, options.cluster, options.name)
    if options.balancer:
        reads["balancing"] = partial(_balancing, run, options, options.balancer)
    found = gather(reads)
    completed, live = found.pop("app")
    around = found.pop("balancing", None) or Found(options, {})
    live |= around.live
    live |= {key: one for key, one in found.items() if one}
    return replace(around, options=completed, live=live)


def _service_and_definition(run: Run, options: AppOptions) -> tuple[AppOptions, dict[str, Live]]:
    service = _service(run, options)
    _refuse_outside_of_scaling(run, options, service)
    used = service.spec["task_definition"] if service else None
    completed = options.with_family(family_of(used) if used else None)
    definition = read_continued(run, completed, used)
    return completed, {live.key: live for live in (service, definition) if live}


def _refuse_outside_of_scaling(run: Run, options: AppOptions, service: Live | None) -> None:
    """Refuse a number of tasks that scaling from an earlier run would move back; asked only if the number changes.

    Without any task there is no CPU to track, so 0 stays 0.
    """
    count = options.service.get("desired_count")
    if service is None or count in (None, 0, service.spec["desired_count"]):
        return
    try:
        scaling = find_scaling(run, options.cluster, options.name)
    except AuthError as error:  # who has never scaled an app need not have the right to look
        run.warn(f"If {options.name} scales by itself, {count} tasks may not be what stays: {error.message}.")
        return
    for one in scaling:
        if not one.spec["min"] <= count <= one.spec["max"]:
            raise InputError(
                f"desired_count: {options.name} scales between {one.spec['min']} and {one.spec['max']} tasks, "
                f"which would not leave it at {count}",
                hint="Give other limits with scaling, or remove it: aws application-autoscaling "
                "deregister-scalable-target --service-namespace ecs --scalable-dimension ecs:service:DesiredCount "
                f"--resource-id {one.id}",
            )


def _service(run: Run, options: AppOptions) -> Live | None:
    nowhere = NoClusterError(f"cluster: {options.cluster} does not exist in {run.aws.region}")
    try:
        service = read_service(run, options.cluster, options.name, adopt=options.adopt)
    except NotFoundError as error:
        raise nowhere from error
    strategy = options.service.get("capacity_provider_strategy")
    if service and strategy in (None, service.spec["capacity_provider_strategy"]):
        return service
    # a cluster that was deleted can still be asked for its services for a while
    cluster = active_cluster(run, options.cluster)
    if cluster is None:
        raise nowhere
    refuse_unknown_providers(strategy or (), cluster)
    return service


def _balancing(run: Run, options: AppOptions, balancer: Balancer) -> Found:
    """The load balancer, and everything between it and the instances."""
    reads: dict[str, Callable[[], Any]] = {"groups": partial(security_groups, run)}
    if balancer.type == "none":
        reads["stale"] = partial(find_balancers, run)
    else:
        reads["balancer"] = partial(_read_balancer, run, options, balancer)
    found = gather(reads)
    groups = found["groups"]
    if balancer.type == "none":
        return Found(options, {}, stale=(*found["stale"], *app_groups(run, groups)), groups=tuple(groups))
    instances = _instances_group(options, groups)
    live: dict[str, Live] = dict(found["balancer"])
    refuse_other_vpc(balancer.name, live.get(LOAD_BALANCER), instances["VpcId"])
    group = balancer_group(sharing(run, options), groups, balancer.name)
    if group:
        live[BALANCER_GROUP] = group
        live |= {rule.key: rule for rule in ingress_rules(instances, group)}
    subnets: Sequence[str] = ()
    zones = 2 if balancer.type == "application" else 1
    there = live[LOAD_BALANCER].spec["subnets"] if LOAD_BALANCER in live else ()
    if {*(balancer.subnets or there)} != {*there}:
        check_balancer_subnets(run.aws, options.cluster, balancer.subnets, instances["VpcId"], zones=zones)
        refuse_change_within_zone(run.aws, balancer, there)
    elif LOAD_BALANCER not in live:
        subnets = instance_subnets(run.aws, options.cluster, zones=zones)
    place = Place(instances["VpcId"], instances["GroupId"], subnets)
    return Found(options, live, place, abandoned=_abandoned(run, options, balancer, groups, live))


def _abandoned(
    run: Run, options: AppOptions, balancer: Balancer, groups: Sequence[Group], live: Mapping[str, Live]
) -> tuple[Live, ...]:
    """The app's load balancers of other names or kinds than the wanted one.

    ECS moves no service from one to another, so if there is a service, it is refused elsewhere. Security groups tell
    the names, as each is made before its load balancer; a target group's name is known, and without any security group
    of a load balancer there is none.
    """
    own = app_groups(run, groups)
    names = {balancer_of(one) for one in own if one.kind == BALANCER_GROUP_KIND}
    kept = () if balancer.shared else (live[BALANCER_GROUP].id,) if BALANCER_GROUP in live else ()
    if LOAD_BALANCER in live and not balancer.shared:
        names -= {balancer.name}
    shared = balancer_groups(replace(run, mark=cluster_mark(options.cluster)), groups)
    grouped = balancer.classic and LOAD_BALANCER not in live and bool(names or shared)
    target_groups = frozenset({target_group_name(options)} if grouped else ())
    kind = "classic_load_balancer" if balancer.classic else "load_balancer"
    found = find_named_balancers(run, Names(balancers=frozenset(names), target_groups=target_groups))
    return (
        *(one for one in found if (one.kind, one.name) != (kind, balancer.name)),
        *(one for one in own if not {one.id, one.spec.get("source_group_id")} & {*kept}),
    )


def _read_balancer(run: Run, options: AppOptions, balancer: Balancer) -> dict[str, Live]:
    above, adopt = sharing(run, options), options.adopt
    if balancer.classic:
        live = read_classic(above, balancer.name, adopt=adopt)
        return {LOAD_BALANCER: live} if live else {}
    return read_v2(run, balancer, target_group_name(options), above.mark, adopt=adopt)


def security_groups(run: Run) -> list[Group]:
    """All security groups of the cluster and its apps, in one call."""
    doing = f"look for the security groups of {run.mark.owner}"
    filters = {"Filters": tag_filter({OWNER: run.mark.owner})}
    return run.aws.pages("ec2", "DescribeSecurityGroups", "SecurityGroups", filters, doing=doing)


def _instances_group(options: AppOptions, groups: Sequence[Group]) -> Group:
    ours = instances_groups(options.cluster, groups)
    group_id = only_one([one["GroupId"] for one in ours], f"the instances' security group of {options.cluster}")
    if group_id is None:
        raise InputError(
            f"load_balancer: cluster {options.cluster} has no security group of its own to let a load balancer in",
            hint="Make the cluster with container.schedulers.ecs_cluster.",
        )
    return ours[0]


def instances_groups(cluster: str, groups: Sequence[Group]) -> list[Group]:
    """The security groups that belong to the instances of the cluster."""
    mark = cluster_mark(cluster)
    tags = {one["GroupId"]: from_tags(one.get("Tags")) for one in groups}
    return [
        one
        for one in groups
        if mark.owns(tags[one["GroupId"]]) and tags[one["GroupId"]].get(PART) == INSTANCE_SECURITY_GROUP
    ]


def balancer_groups(above: Run, groups: Sequence[Group]) -> list[Live]:
    """The security groups of load balancers.

    Args:
        above: speaks for whom the load balancers belong to.
    """
    tagged = [(one, from_tags(one.get("Tags"))) for one in groups]
    return [
        live_security_group(one, BALANCER_GROUP, BALANCER_GROUP_KIND)
        for one, tags in tagged
        if above.mark.owns(tags) and tags.get(PART, "").startswith(group_part(""))
    ]


def balancer_group(above: Run, groups: Sequence[Group], balancer: str) -> Live | None:
    """The security group of one load balancer: see ``balancer_groups``."""
    found = {one.id: one for one in balancer_groups(above, groups) if balancer_of(one) == balancer}
    group_id = only_one(found, f"the security group of load balancer {balancer}")
    return found[group_id] if group_id else None


def app_groups(run: Run, groups: Sequence[Group]) -> list[Live]:
    """The security groups of the app's own load balancers, and the rules that let these reach the instances."""
    own = [
        live_security_group(one, f"{BALANCER_GROUP}/{one['GroupId']}", BALANCER_GROUP_KIND)
        for one in groups
        if run.mark.owns(from_tags(one.get("Tags")))
    ]
    cluster = run.mark.owner.removeprefix(OWNER_PREFIX)
    rules = [
        replace(rule, key=f"{rule.key}/{one.id}")
        for instances in instances_groups(cluster, groups)
        for one in own
        for rule in ingress_rules(instances, one)
    ]
    return [*own, *rules]


def ingress_rules(instances: Group, group: Live) -> list[Live]:
    """The rules of the instances' security group that let in what has this other group."""
    return [
        Live(
            ingress_key(rule["first"], rule["last"]),
            "ingress_rule",
            f"of {group.name} to {rule['protocol']} {rule['first']}-{rule['last']} of the instances",
            rule["group_id"],
            rule,
            {"description": description},
        )
        for rule, description in source_openings(instances, group.id)
    ]
