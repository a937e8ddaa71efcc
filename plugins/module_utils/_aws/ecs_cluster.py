# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An ECS cluster with N registered instances and all that it needs: read, decide, apply, wait. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._module import Context, Outcome
from .._ownership import only_one
from .._parallel import gather
from .._plan import Live, Plan, apply, decide, keyed
from .api import Aws, Connection
from .cluster_network import INSTANCE_SECURITY_GROUP
from .cluster_ready import Readiness, connected_instances, described_instances
from .clusters import CLUSTER, read_cluster
from .ecs_cluster_handlers import cluster_handlers
from .ecs_cluster_lookup import look_up
from .ecs_cluster_options import ClusterOptions
from .ecs_cluster_result import to_result
from .ecs_cluster_teardown import ensure_absent
from .ecs_cluster_wanted import GRAPH, RULES, wanted
from .identity import ROLE, read_instance_profile, read_role
from .launch_templates import continued, read_launch_template, with_version_in_use
from .names import ClusterNames, cluster_mark
from .network import read_network
from .run import Run
from .scaling_groups import LEAVING_TAG, SCALING_GROUP, members, read_scaling_group
from .security_groups import find_security_groups, live_security_group


def ensure(context: Context) -> Outcome:
    """What the module does."""
    return ensure_present(context) if context.params["state"] == "present" else ensure_absent(context)


def ensure_present(context: Context) -> Outcome:
    """The cluster as its options say, with its instances ready."""
    options = ClusterOptions.from_params(context.params)
    aws = Aws(Connection.from_params(context.params))
    run = Run(aws, cluster_mark(options.name), context.deadline(), context.pace(), options.tags)
    found = read(run, options)
    resources = wanted(run, options, found, look_up(run, options, found))
    live = continued(resources, found)
    plan = decide(resources, live, GRAPH, RULES)
    if context.check_mode:
        registered: Sequence[dict[str, Any]] = registered_instances(run, options.name) if CLUSTER in live else []
        return Outcome(to_result(options.name, found, registered), plan)
    names = ClusterNames(options.name, aws.region)
    applied = apply(plan, cluster_handlers(run, names, live.get(ROLE)), live)
    with applied.then(f"wait for the instances of cluster {options.name}"):
        settled, registered = _settled(run, options.name, applied.live, plan, wait=context.params["wait"])
    return Outcome(to_result(options.name, settled, registered), plan)


def read(run: Run, options: ClusterOptions) -> Mapping[str, Live]:
    """All that there is of the cluster, by key.

    Raises:
        NotOursError: something of its name is somebody else's.
    """
    names, adopt = ClusterNames(options.name, run.aws.region), options.adopt
    reads: dict[str, Callable[[], dict[str, Live]]] = {
        "cluster": lambda: keyed(read_cluster(run, names.cluster, adopt=adopt)),
        "group": lambda: keyed(read_scaling_group(run, names.auto_scaling_group, adopt=adopt)),
        "template": lambda: keyed(read_launch_template(run, names.launch_template, adopt=adopt)),
        "role": lambda: keyed(read_role(run, names.role, adopt=adopt)),
        "profile": lambda: keyed(read_instance_profile(run, names.role, adopt=adopt)),
        "security_group": lambda: keyed(_security_group(run)),
        "network": lambda: {} if options.subnets else read_network(run),
    }
    live = {key: one for part in gather(reads).values() for key, one in part.items()}
    live = _with_instances(_with_subnets_in_order(live))
    return with_version_in_use(run, live, live.get(SCALING_GROUP), adopt=adopt)


def _security_group(run: Run) -> Live | None:
    by_id = {one["GroupId"]: one for one in find_security_groups(run, INSTANCE_SECURITY_GROUP)}
    group_id = only_one(by_id, f"the instances' security group of {run.mark.owner}")
    return (
        live_security_group(by_id[group_id], INSTANCE_SECURITY_GROUP, "instance_security_group") if group_id else None
    )


def _with_subnets_in_order(live: dict[str, Live]) -> dict[str, Live]:
    """The group's subnets in the order in which they are wanted: EC2 gives them in any."""
    group = live.get(SCALING_GROUP)
    if not group:
        return live
    keys = {one.id: one.key for one in live.values() if one.kind == "subnet"}
    ordered = sorted(group.spec["subnet_ids"], key=lambda subnet_id: (keys.get(subnet_id, ""), subnet_id))
    return {**live, SCALING_GROUP: replace(group, spec={**group.spec, "subnet_ids": ordered})}


def _with_instances(live: dict[str, Live]) -> dict[str, Live]:
    """The members of the group as resources of their own, so that they can be replaced."""
    instances, group = {}, live.get(SCALING_GROUP)
    leaving = group.spec["tags"].get(LEAVING_TAG) if group else None
    for member in members(group) if group else ():
        name, spec = member["instance_id"], {"template_version": member["template_version"]}
        instances[name] = Live(name, "instance", name, name, {**spec, **({"leaving": True} if name == leaving else {})})
    return {**live, **instances}


def _settled(
    run: Run, name: str, live: Mapping[str, Live], plan: Plan, *, wait: bool
) -> tuple[Mapping[str, Live], Sequence[dict[str, Any]]]:
    """The resources and the registered instances once all is ready; without ``wait``, as they are now."""
    if not wait:
        return live, registered_instances(run, name)
    fresh = not any(step.kind in {"auto_scaling_group", "instance"} for step in plan.steps)
    standing = Readiness(run, name, live[SCALING_GROUP], fresh=fresh).await_ready()
    group = standing.group or live[SCALING_GROUP]
    return _with_subnets_in_order({**live, SCALING_GROUP: group}), standing.registered


def registered_instances(run: Run, name: str) -> list[dict[str, Any]]:
    """The container instances that take tasks, in full."""
    return described_instances(run.aws, name, connected_instances(run.aws, name, settles=True))
