# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An ECS cluster and everything of it, gone: apps first, then instances, the network last, and a look at the end.

What belongs to the cluster is found by its mark, not through the cluster: a run that was killed half-way, in either
direction, leaves nothing that the next one does not find. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._errors import ConflictError
from .._module import Context, Outcome
from .._parallel import gather
from .._plan import Live, apply, dismantle
from .api import Aws, Connection, from_tags
from .cluster_network import INSTANCE_SECURITY_GROUP
from .cluster_ready import connected_instances, described_instances
from .clusters import read_cluster
from .ec2 import instances_of
from .ecs_app import app_handlers, find_apps, find_listed, is_behind, list_services, trace_apps
from .ecs_app_wanted import BALANCER_GROUP_KIND, group_part
from .ecs_cluster_handlers import cluster_handlers
from .ecs_cluster_result import to_result
from .ecs_cluster_wanted import GRAPH, base_policy
from .identity import ROLE, read_instance_profile, read_role
from .load_balancer_v2 import refuse_others_behind
from .marked import EC2_KINDS, await_gone, marked_resources, really_there, refuse_copies
from .names import CLUSTER_NAME_LIMIT, ClusterNames, checked_name, cluster_mark
from .run import Run
from .scaling_groups import read_scaling_group
from .service_ready import described_tasks
from .vpcs import refuse_foreign_instances

KINDS = {**EC2_KINDS, "security-group": BALANCER_GROUP_KIND}
PART_KINDS = {INSTANCE_SECURITY_GROUP: "instance_security_group"}


def ensure_absent(context: Context) -> Outcome:
    """No cluster, and nothing left of it."""
    name, force = checked_name("name", context.params["name"], CLUSTER_NAME_LIMIT), context.params["force"]
    aws = Aws(Connection.from_params(context.params))
    run = Run(aws, cluster_mark(name), context.deadline(), context.pace())
    names, adopt = ClusterNames(name, aws.region), context.params["adopt"]
    found = find_all(run, names, adopt=adopt)
    live = found.live
    services = [*_foreign_services(run, live, names, force=force)]
    if not force:
        _refuse_foreign_tasks(run, live, names)
        _refuse_foreign_instances(run, live, names)
        refuse_others_behind(run, live.values())
    refuse_copies(run, live.values())
    for vpc in (one for one in live.values() if one.kind == "vpc"):
        refuse_foreign_instances(run, vpc.id)
    plan = dismantle([*live.values(), *services], GRAPH)
    if plan.changed and not context.check_mode:
        role = next((one for one in live.values() if one.kind == "role"), None)
        handlers = {**app_handlers(run), **cluster_handlers(run, names, role, force=force)}
        applied = apply(plan, handlers, live)
        doing = f"look whether anything is left of cluster {name}"
        with applied.then(doing):
            await_gone(run, lambda: _left(run, names, behind=found.behind), doing)
    return Outcome(to_result(name, {}, []), plan)


@dataclass(frozen=True)
class Found:
    """Everything of a cluster and of its apps.

    Attributes:
        behind: whether there may be more, which the tagging API does not list yet.
    """

    live: Mapping[str, Live]
    behind: bool


def find_all(run: Run, names: ClusterNames, *, adopt: bool) -> Found:
    """Everything of the cluster and of its apps.

    Raises:
        NotOursError: the cluster, or something that is found by its name, is somebody else's.
    """
    reads: dict[str, Callable[[], Any]] = {
        "cluster": lambda: read_cluster(run, names.cluster, adopt=adopt),
        "group": lambda: read_scaling_group(run, names.auto_scaling_group, adopt=adopt, departing=True),
        "role": lambda: read_role(run, names.role, adopt=adopt, expected=[base_policy(run.aws.region)]),
        "profile": lambda: read_instance_profile(run, names.role, adopt=adopt),
        "marked": lambda: marked_resources(run, KINDS, PART_KINDS),
        "traces": lambda: trace_apps(run, names.cluster),
    }
    found = gather(reads)
    marked, traces = found.pop("marked"), found.pop("traces")
    named = {one.key: one for one in found.values() if one}
    balancers = _balancer_names(marked)
    parts = gather(
        {
            "own": lambda: _there(run, named, marked),
            "apps": lambda: find_apps(run, traces, balancers),
        }
    )
    live = {**named, **{one.key: one for part in parts.values() for one in part}}
    return Found(live, is_behind(traces, parts["apps"], balancers))


def _balancer_names(marked: Sequence[Live]) -> set[str]:
    """How the load balancers of the cluster are called, by the parts of their security groups."""
    parts = {str(one.spec["part"]) for one in marked if one.kind == BALANCER_GROUP_KIND}
    return {part.removeprefix(group_part("")) for part in parts if part.startswith(group_part(""))}


def _there(run: Run, named: Mapping[str, Live], marked: Sequence[Live]) -> list[Live]:
    """What of the marked is there, but for the members of the group."""
    members = {one["instance_id"] for group in named.values() for one in group.attributes.get("instances", ())}
    # the role is the last to go: while it is there so is the rest, but for instances that were replaced before
    doubtful = [one for one in marked if one.kind == "instance" or ROLE not in named]
    gone = {one.id for one in doubtful} - {one.id for one in really_there(run, doubtful, known=members)}
    return [one for one in marked if one.id not in gone | members]


def _cluster(live: Mapping[str, Live]) -> Live | None:
    return next((one for one in live.values() if one.kind == "cluster"), None)


def _foreign_services(run: Run, live: Mapping[str, Live], names: ClusterNames, *, force: bool) -> list[Live]:
    """Services that are nobody's or somebody else's; they are listed only if there are more than ours.

    Raises:
        ConflictError: there are some, and ``force`` is not set.
    """
    cluster = _cluster(live)
    ours = {one.id for one in live.values() if one.kind == "service"}
    if not cluster or cluster.attributes["services"] <= len(ours):
        return []
    foreign = [one for one in list_services(run, names.cluster) if one.id not in ours]
    if foreign and not force:
        raise ConflictError(
            f"cluster {names.cluster} has services that ecs_cluster_app did not make: "
            f"{', '.join(sorted(one.name for one in foreign))}",
            hint="Delete them first, or set force: true to have them deleted.",
        )
    return foreign


def _refuse_foreign_tasks(run: Run, live: Mapping[str, Live], names: ClusterNames) -> None:
    """Refuse to end tasks that somebody runs without a service; listed only if there are more than our services have.

    Raises:
        ConflictError: there are some.
    """
    cluster = _cluster(live)
    services = [one.attributes["raw"] for one in live.values() if one.kind == "service"]
    ours = sum(service.get("runningCount", 0) + service.get("pendingCount", 0) for service in services)
    if not cluster or cluster.attributes["tasks"] <= ours:
        return
    tasks = described_tasks(run, {"cluster": names.cluster}, doing=f"list the tasks of cluster {names.cluster}")
    # not those of a service that an earlier run has deleted, and that drains
    groups = {task["taskArn"].rpartition("/")[2]: task.get("group", "") for task in tasks}
    foreign = [f"{task} ({group})" for task, group in sorted(groups.items()) if not group.startswith("service:")]
    if foreign:
        raise ConflictError(
            f"cluster {names.cluster} has tasks that no service has started: {', '.join(foreign)}",
            hint="Stop them first, or set force: true to have them end with their instances.",
        )


def _refuse_foreign_instances(run: Run, live: Mapping[str, Live], names: ClusterNames) -> None:
    """Refuse to take a cluster away from instances that somebody else has registered; listed only if there are more.

    Raises:
        ConflictError: there are some.
    """
    cluster = _cluster(live)
    members = {one["instance_id"] for group in live.values() for one in group.attributes.get("instances", ())}
    members |= {one.id for one in live.values() if one.kind == "instance"}
    if not cluster or cluster.attributes["registered"] <= len(members):
        return
    arns = connected_instances(run.aws, names.cluster)  # of those that are lost, ECS has to be told by nobody
    ids = {one["ec2InstanceId"] for one in described_instances(run.aws, names.cluster, arns)} - members
    foreign = sorted(ids - _ours(run, [one for one in ids if one.startswith("i-")]))
    if foreign:
        raise ConflictError(
            f"cluster {names.cluster} has instances that ecs_cluster did not make: {', '.join(foreign)}",
            hint="Deregister them first, or set force: true to have that done.",
        )


def _ours(run: Run, ids: list[str]) -> set[str]:
    """Those of the instances that carry our mark: replaced, or on their way out."""
    instances = instances_of(run.aws, ids, f"look whose instances are in {run.mark.owner}")
    return {one["InstanceId"] for one in instances if run.mark.same_owner(from_tags(one.get("Tags")))}


def _left(run: Run, names: ClusterNames, *, behind: bool) -> list[Live]:
    """What is still there of the cluster, and of its apps what the tagging API has learnt of since the first look."""
    group = read_scaling_group(run, names.auto_scaling_group, adopt=True, departing=True)
    # instances were waited for one by one; they, too, stay visible for a while
    marked = [one for one in marked_resources(run, KINDS, PART_KINDS) if one.kind != "instance"]
    late = find_listed(run) if behind else []
    return [*really_there(run, marked), *([group] if group else []), *late]
