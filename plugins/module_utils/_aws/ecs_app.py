# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an app on an ECS cluster consists of, what of it needs what, and how all of it is found again by its mark.

Both the deletion of one app and the teardown of a whole cluster take their list from here. The tagging API knows most
of what we made, but it lags behind in both directions; so what it names is looked up before it counts, and what has a
name of its own, or is named by what is found without it, is looked up by that name as well. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from .._batches import batched
from .._errors import NotFoundError
from .._ownership import APP, OWNER
from .._parallel import gather
from .._plan import Handler, Live, Rule
from .api import from_tags
from .app_options import default_log_group
from .load_balancer_classic import CLASSIC_RULE, ClassicLoadBalancers, describe_classic, find_classic
from .load_balancer_v2 import (
    V2_RULES,
    Listeners,
    LoadBalancers,
    TargetGroups,
    describe_one,
    listeners_of,
    live_balancer,
    live_group,
    live_listener,
    name_in,
    tags_of,
)
from .log_group import LogGroups, describe_log_group, live_log_group, log_groups_below
from .run import Run
from .security_groups import SECURITY_GROUP_RULE, IngressRules, SecurityGroups, rule_description
from .service import SERVICE_RULE, Services, live_service, read_service
from .service_scaling import ServiceScaling, find_scaling
from .task_definition import TASK_DEFINITION_RULE, TaskDefinitions, describe, family_of, find_revisions

OWNER_PREFIX = "ecs/"
SERVICES_AT_ONCE = 10  # names in one DescribeServices
LISTED_AT_ONCE = 100  # services on one page of ListServices
MARKED_TYPES = [
    "ecs:task-definition",
    "elasticloadbalancing:loadbalancer",
    "elasticloadbalancing:targetgroup",
    "logs:log-group",
]

# kind -> the kinds that it needs
APP_GRAPH: Mapping[str, tuple[str, ...]] = {
    "log_group": (),
    "task_definition": (),
    "load_balancer_security_group": (),
    "ingress_rule": ("load_balancer_security_group",),
    # a rule says for which app it was made, and so whose the listener of a shared one is
    "classic_load_balancer": ("load_balancer_security_group", "ingress_rule"),
    "load_balancer": ("load_balancer_security_group", "target_group"),  # it goes first, as it uses the target group
    "target_group": ("load_balancer_security_group",),  # which tells, after a run that was killed, to look for it
    "listener": ("load_balancer", "target_group"),
    "service": ("task_definition", "log_group", "classic_load_balancer", "target_group", "listener", "ingress_rule"),
    "service_scaling": ("service",),
}
APP_RULES: Mapping[str, Rule] = {
    "classic_load_balancer": CLASSIC_RULE,
    "load_balancer_security_group": SECURITY_GROUP_RULE,
    "service": SERVICE_RULE,
    "task_definition": TASK_DEFINITION_RULE,
    **V2_RULES,
}


def app_handlers(run: Run, balancers: Run | None = None) -> dict[str, Handler]:
    """The handlers of all kinds of ``APP_GRAPH``.

    Args:
        balancers: another mark for load balancers and their security groups: the cluster's, if they are shared.
    """
    above = balancers or run
    return {
        "log_group": LogGroups(run),
        "task_definition": TaskDefinitions(run),
        "load_balancer_security_group": SecurityGroups(above, rule_description(run.mark)),
        "ingress_rule": IngressRules(run),
        "classic_load_balancer": ClassicLoadBalancers(above),
        "load_balancer": LoadBalancers(above),
        "target_group": TargetGroups(run),
        "listener": Listeners(run),
        "service": Services(run, run.mark.owner.removeprefix(OWNER_PREFIX)),
        "service_scaling": ServiceScaling(run),
    }


@dataclass(frozen=True)
class Names:
    """What an app's things may be called: for what the tagging API does not know yet."""

    families: frozenset[str] = frozenset()
    balancers: frozenset[str] = frozenset()
    target_groups: frozenset[str] = frozenset()
    log_groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Marked:
    """What the tagging API says is ours: names or ARNs by kind, with their tags."""

    definitions: dict[str, dict[str, str]] = field(default_factory=dict)
    classic: dict[str, dict[str, str]] = field(default_factory=dict)
    balancers: dict[str, dict[str, str]] = field(default_factory=dict)
    groups: dict[str, dict[str, str]] = field(default_factory=dict)
    logs: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Traces:
    """What a first look finds of apps, and what that leads to.

    Attributes:
        log_groups: those that are there, whoever made them, by name.
    """

    services: Sequence[Live] = ()
    marked: _Marked = field(default_factory=_Marked)
    scaling: Sequence[Live] = ()
    log_groups: Mapping[str, Any] = field(default_factory=dict)


def trace_apps(run: Run, cluster: str) -> Traces:
    """The first look at all apps of a cluster."""
    reads: dict[str, Callable[[], Any]] = {
        "services": lambda: [live for live in list_services(run, cluster) if run.mark.same_owner(live.spec["tags"])],
        "marked": lambda: _marked(run, {OWNER: run.mark.owner}),
        "scaling": lambda: find_scaling(run, cluster),
        "log_groups": lambda: {
            one["logGroupName"]: one for one in log_groups_below(run, default_log_group(cluster, ""))
        },
    }
    return Traces(**gather(reads))


def find_apps(run: Run, traces: Traces, balancers: Collection[str]) -> list[Live]:
    """Everything of all apps of the cluster, and the load balancers that they share.

    Security groups and their rules are not among it: who takes a cluster down finds those with the rest of EC2.

    Args:
        balancers: the names of the load balancers: each has a security group, made before it, that says so.
    """
    return _all(run, traces, Names(balancers=frozenset(balancers), log_groups=frozenset(traces.log_groups)))


def is_behind(traces: Traces, found: Iterable[Live], balancers: Collection[str]) -> bool:
    """Whether there may be more that the tagging API does not list yet. Pure.

    It did not list all that was found, or not even a load balancer was found that there is a security group for.

    Args:
        balancers: as for ``find_apps``, which brings what was found.
    """
    marked, there = traces.marked, [*found]
    names = {one.name for one in there if one.kind in ("classic_load_balancer", "load_balancer")}
    arns = {arn for one in there if one.kind == "task_definition" for arn in one.attributes["active"]}
    arns |= {one.id for one in there if one.kind in ("load_balancer", "target_group")}
    arns |= {one.name for one in there if one.kind in ("classic_load_balancer", "log_group")}
    listed = {*marked.definitions, *marked.classic, *marked.balancers, *marked.groups, *marked.logs}
    return not (arns <= listed and names >= {*balancers})


def find_listed(run: Run) -> list[Live]:
    """What the tagging API lists of all apps of the cluster, and what is still there of it."""
    return _all(run, Traces(marked=_marked(run, {OWNER: run.mark.owner})), Names())


def find_app(run: Run, cluster: str, names: Names) -> list[Live]:
    """Everything of the app that the run's mark names, but for the security group of its load balancer.

    Raises:
        NotOursError: a service of its name was made by somebody else.
    """
    name = run.mark.app
    reads: dict[str, Callable[[], Any]] = {
        "services": lambda: _service(run, cluster, name),
        "marked": lambda: _marked(run, {OWNER: run.mark.owner, APP: name}),
        "scaling": lambda: find_scaling(run, cluster, name),
    }
    return _all(run, Traces(**gather(reads)), names)


def find_balancers(run: Run) -> list[Live]:
    """The load balancers, target groups and listeners of the app that the run's mark names."""
    marked = _marked(run, {OWNER: run.mark.owner, APP: run.mark.app})
    only = _Marked(classic=marked.classic, balancers=marked.balancers, groups=marked.groups)
    return _all(run, Traces(marked=only), Names())


def find_named_balancers(run: Run, names: Names) -> list[Live]:
    """The same by their names, as soon as they are made."""
    return _all(run, Traces(), names)


def list_services(run: Run, cluster: str) -> list[Live]:
    """All active services of a cluster, whoever made them; none if there is no such cluster."""
    doing = f"list the services of cluster {cluster}"
    try:
        arns = run.aws.pages(
            "ecs", "ListServices", "serviceArns", {"cluster": cluster, "maxResults": LISTED_AT_ONCE}, doing=doing
        )
    except NotFoundError:
        return []

    def describe(batch: list[str]) -> list[Any]:
        request = {"cluster": cluster, "services": batch, "include": ["TAGS"]}
        services: list[Any] = run.aws.call("ecs", "DescribeServices", request, doing=doing)["services"]
        return services

    pages = gather({batch[0]: partial(describe, batch) for batch in batched(arns, SERVICES_AT_ONCE)})
    services = [service for page in pages.values() for service in page if service["status"] == "ACTIVE"]
    return [live_service(service, f"service/{service['serviceName']}") for service in services]


def _service(run: Run, cluster: str, name: str) -> list[Live]:
    try:
        live = read_service(run, cluster, name, adopt=False, going=True)
    except NotFoundError:  # the cluster is gone, and its services with it
        return []
    return [live] if live else []


def _marked(run: Run, tags: Mapping[str, str]) -> _Marked:
    request = {
        "TagFilters": [{"Key": key, "Values": [value]} for key, value in tags.items()],
        "ResourceTypeFilters": MARKED_TYPES,
    }
    doing = f"look for what belongs to {run.mark.owner}"
    found = run.aws.pages("resourcegroupstaggingapi", "GetResources", "ResourceTagMappingList", request, doing=doing)
    return sorted_out({one["ResourceARN"]: from_tags(one["Tags"]) for one in found})


def sorted_out(tags: Mapping[str, dict[str, str]]) -> _Marked:
    """ARNs of all services by what an app can have. Pure."""
    marked = _Marked()
    for arn, own in tags.items():
        service, resource = arn.split(":", 5)[2::3]
        kind, _slash, name = resource.partition("/")
        if service == "ecs" and kind == "task-definition":
            marked.definitions[arn] = own
        elif service == "elasticloadbalancing" and kind == "targetgroup":
            marked.groups[arn] = own
        elif service == "elasticloadbalancing" and kind == "loadbalancer":
            if "/" in name:
                marked.balancers[arn] = own
            else:
                marked.classic[name] = own
        elif service == "logs" and resource.startswith("log-group:"):
            marked.logs[resource.removeprefix("log-group:").removesuffix(":*")] = own
    return marked


def _all(run: Run, traces: Traces, names: Names) -> list[Live]:
    services, marked = traces.services, traces.marked
    used = {family_of(service.spec["task_definition"]) for service in services}
    families = {*map(family_of, marked.definitions), *used, *names.families}
    groups = {*marked.groups, *_target_groups(services)}
    logs = {*marked.logs, *names.log_groups}
    looks: dict[str, Callable[[], Iterable[Live | None]]] = {
        **{f"family {one}": partial(_revisions, run, one, marked) for one in families},
        **{f"log {one}": partial(_log, run, one, marked.logs.get(one), traces.log_groups.get(one)) for one in logs},
        **{
            f"logs of {one.name}": partial(_logs_of, run, one, logs)
            for one in services
            if one.spec["task_definition"] not in marked.definitions
        },
        **{
            f"classic {one}": partial(_classic, run, one, marked.classic.get(one))
            for one in {*marked.classic, *names.balancers}
        },
        **{f"balancer {one}": partial(_balancer, run, {"LoadBalancerArns": [one]}) for one in marked.balancers},
        **{f"group {one}": partial(_group, run, {"TargetGroupArns": [one]}) for one in groups},
    }
    found = [live for lives in gather(looks).values() for live in lives if live]
    there = {live.name for live in found if live.kind in ("classic_load_balancer", "load_balancer", "target_group")}
    late = {
        **{f"balancer {one}": partial(_balancer, run, {"Names": [one]}) for one in names.balancers - there},
        **{f"group {one}": partial(_group, run, {"Names": [one]}) for one in names.target_groups - there},
    }
    found += [live for lives in gather(late).values() for live in lives if live]
    doomed = {live.id for live in found if live.kind == "load_balancer"}
    return [
        *services,
        *traces.scaling,
        *(live for live in found if live.kind != "listener" or live.spec["load_balancer"] not in doomed),
    ]


def _target_groups(services: Iterable[Live]) -> set[str]:
    """The ARNs of those that lead to the services."""
    behind = [one for service in services for one in service.spec["load_balancers"]]
    return {one["target_group"] for one in behind if "target_group" in one}


def _revisions(run: Run, family: str, marked: _Marked) -> list[Live | None]:
    return [find_revisions(run, family, [arn for arn in marked.definitions if family_of(arn) == family])]


def _log(
    run: Run, name: str, tags: Mapping[str, str] | None, seen: Mapping[str, Any] | None = None
) -> list[Live | None]:
    found = seen or describe_log_group(run, name)
    if tags is not None:
        return [Live(f"log-group/{name}", "log_group", name, name)] if found else []
    live = live_log_group(run, found) if found else None
    return [replace(live, key=f"log-group/{name}")] if live and run.mark.covers(live.spec["tags"]) else []


def _logs_of(run: Run, service: Live, known: Collection[str]) -> list[Live | None]:
    """The log groups that the containers of a service write to."""
    definition = describe(run, service.spec["task_definition"], f"look where service {service.name} logs to")
    options = [one["log"].get("options", {}) for one in definition.spec["containers"]] if definition else []
    names = {one["awslogs-group"] for one in options if "awslogs-group" in one} - {*known}
    return [live for name in sorted(names) for live in _log(run, name, None)]


def _classic(run: Run, name: str, tags: Mapping[str, str] | None) -> list[Live | None]:
    if tags is not None:
        found = describe_classic(run, name)
        return [Live(f"classic-load-balancer/{name}", "classic_load_balancer", name, name)] if found else []
    live = find_classic(run, name)
    return [replace(live, key=f"classic-load-balancer/{name}")] if live and run.mark.covers(live.spec["tags"]) else []


def _balancer(run: Run, request: Mapping[str, Any]) -> list[Live | None]:
    found = describe_one(run, "LoadBalancers", request)
    if found is None:
        return []
    arn = found["LoadBalancerArn"]
    tags = tags_of(run, [arn])[arn]
    return [live_balancer(found, tags, f"load-balancer/{arn}")] if run.mark.covers(tags) else []


def _group(run: Run, request: Mapping[str, Any]) -> list[Live | None]:
    """The target group, and the listeners that lead to it: nothing else could use those."""
    found = describe_one(run, "TargetGroups", request)
    if found is None:
        return []
    arn = found["TargetGroupArn"]
    tags = tags_of(run, [arn])[arn]
    if not run.mark.covers(tags):
        return []
    group = live_group(found, {}, tags, f"target-group/{arn}")
    listeners = [
        live_listener(one, name_in(above), {}, f"listener/{one['ListenerArn']}")
        for above in found["LoadBalancerArns"]
        for one in listeners_of(run, above)
    ]
    return [group, *(one for one in listeners if one.spec["target_group"] == arn)]
