# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An ECS cluster and everything of it, gone: apps first, then instances, the network last, and a look at the end.

What belongs to the cluster is found by its mark, not through the cluster: a run that was killed half-way, in either
direction, leaves nothing that the next one does not find. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial

from .._errors import ConflictError
from .._module import Context, Outcome
from .._ownership import OWNER, PART
from .._parallel import gather
from .._plan import Live, apply, dismantle
from .._wait import wait_until
from .api import Aws, Connection, tag_filter
from .cluster_network import INSTANCE_SECURITY_GROUP
from .clusters import read_cluster
from .ecs_app import app_handlers, find_apps, list_services
from .ecs_cluster_handlers import cluster_handlers
from .ecs_cluster_result import to_result
from .ecs_cluster_wanted import GRAPH, base_policy
from .identity import ROLE, read_instance_profile, read_role
from .names import CLUSTER_NAME_LIMIT, ClusterNames, checked_name, cluster_mark
from .run import Run
from .scaling_groups import instances_alive, read_scaling_group

# EC2's word for a kind of resource -> ours; whatever else has our mark (volumes, network interfaces) goes with these
EC2_KINDS = {
    "vpc": "vpc",
    "internet-gateway": "internet_gateway",
    "subnet": "subnet",
    "security-group": "load_balancer_security_group",
    "launch-template": "launch_template",
    "instance": "instance",
}
LOOKS = {
    "vpc": "DescribeVpcs",
    "internet_gateway": "DescribeInternetGateways",
    "subnet": "DescribeSubnets",
    "load_balancer_security_group": "DescribeSecurityGroups",
    "instance_security_group": "DescribeSecurityGroups",
    "launch_template": "DescribeLaunchTemplates",
    "instance": "DescribeInstances",
}
DESCRIBED_BY = {
    "DescribeVpcs": ("Vpcs", "VpcId"),
    "DescribeInternetGateways": ("InternetGateways", "InternetGatewayId"),
    "DescribeSubnets": ("Subnets", "SubnetId"),
    "DescribeSecurityGroups": ("SecurityGroups", "GroupId"),
    "DescribeLaunchTemplates": ("LaunchTemplates", "LaunchTemplateId"),
}
PART_KINDS = {INSTANCE_SECURITY_GROUP: "instance_security_group"}


def ensure_absent(context: Context) -> Outcome:
    """No cluster, and nothing left of it."""
    name, force = checked_name("name", context.params["name"], CLUSTER_NAME_LIMIT), context.params["force"]
    aws = Aws(Connection.from_params(context.params))
    run = Run(aws, cluster_mark(name), context.deadline(), context.pace())
    names, adopt = ClusterNames(name, aws.region), context.params["adopt"]
    live = find_all(run, names, adopt=adopt)
    services = [*_foreign_services(run, live, names, force=force)]
    plan = dismantle([*live.values(), *services], GRAPH)
    if plan.changed and not context.check_mode:
        role = next((one for one in live.values() if one.kind == "role"), None)
        handlers = {**app_handlers(run), **cluster_handlers(run, names, role, force=force)}
        applied = apply(plan, handlers, live)
        with applied.then(f"look whether anything is left of cluster {name}"):
            _await_gone(run, names)
    return Outcome(to_result(name, {}, []), plan)


def find_all(run: Run, names: ClusterNames, *, adopt: bool) -> dict[str, Live]:
    """Everything of the cluster and of its apps.

    Raises:
        NotOursError: the cluster, or something that is found by its name, is somebody else's.
    """
    found = gather(
        {
            "own": lambda: _own(run, names, adopt=adopt),
            "apps": lambda: {one.key: one for one in find_apps(run, names.cluster)},
        }
    )
    return {**found["own"], **found["apps"]}


def _own(run: Run, names: ClusterNames, *, adopt: bool) -> dict[str, Live]:
    """Everything of the cluster itself."""
    reads: dict[str, Callable[[], list[Live | None]]] = {
        "cluster": lambda: [read_cluster(run, names.cluster, adopt=adopt)],
        "group": lambda: [read_scaling_group(run, names.auto_scaling_group, adopt=adopt, departing=True)],
        "role": lambda: [read_role(run, names.role, adopt=adopt, expected=[base_policy(run.aws.region)])],
        "profile": lambda: [read_instance_profile(run, names.role, adopt=adopt)],
        "marked": lambda: [*marked_resources(run)],
    }
    found = gather(reads)
    marked = [one for one in found.pop("marked") if one]
    named = {one.key: one for part in found.values() for one in part if one}
    members = {one["instance_id"] for group in named.values() for one in group.attributes.get("instances", ())}
    # the role is the last to go: while it is there so is the rest, but for instances that were replaced before
    doubtful = [one for one in marked if one.kind == "instance" or ROLE not in named]
    gone = {one.id for one in doubtful} - {one.id for one in really_there(run, doubtful, known=members)}
    return {**named, **{one.key: one for one in marked if one.id not in gone | members}}


def marked_resources(run: Run) -> list[Live]:
    """What carries our mark in EC2, by its tags: one call, whatever it is and wherever. Some of it may be gone."""
    request = {"Filters": [{"Name": "key", "Values": [OWNER, PART]}]}
    tags = run.aws.pages("ec2", "DescribeTags", "Tags", request, doing=f"look for all that belongs to {run.mark.owner}")
    kinds = {one["ResourceId"]: one["ResourceType"] for one in tags if run.mark.owns_part({one["Key"]: one["Value"]})}
    parts = {one["ResourceId"]: one["Value"] for one in tags if one["Key"] == PART}
    vpcs = [one for one, kind in kinds.items() if kind == "vpc"]
    vpc_id = vpcs[0] if len(vpcs) == 1 else None
    found = []
    for resource, kind in kinds.items():
        ours = PART_KINDS.get(parts.get(resource, "")) or EC2_KINDS.get(kind)
        if ours:
            spec = {"vpc_id": vpc_id} if ours == "internet_gateway" else {}
            found.append(Live(resource, ours, resource, resource, spec))
    return found


def really_there(run: Run, marked: list[Live], *, known: Collection[str] = ()) -> list[Live]:
    """Without what is gone: EC2 says that tags of deleted resources stay visible for a while.

    Args:
        known: ids that need no look.
    """
    filters = {"Filters": tag_filter({OWNER: run.mark.owner})}
    doing = f"look for what is left of {run.mark.owner}"

    def look(operation: str) -> set[str]:
        if operation == "DescribeInstances":
            return {*instances_alive(run)}
        items, name = DESCRIBED_BY[operation]
        return {one[name] for one in run.aws.pages("ec2", operation, items, filters, doing=doing)}

    operations = {LOOKS[one.kind] for one in marked if one.id not in known}
    there = {one for ids in gather({one: partial(look, one) for one in operations}).values() for one in ids}
    return [one for one in marked if one.id in there or one.id in known]


def _foreign_services(run: Run, live: Mapping[str, Live], names: ClusterNames, *, force: bool) -> list[Live]:
    """Services that are nobody's or somebody else's; they are listed only if there are more than ours.

    Raises:
        ConflictError: there are some, and ``force`` is not set.
    """
    cluster = next((one for one in live.values() if one.kind == "cluster"), None)
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


def _await_gone(run: Run, names: ClusterNames) -> None:
    """A look, and more of them while lists are behind.

    Raises:
        WaitTimeoutError: something is left; the message says what.
    """

    def left() -> list[Live]:
        group = read_scaling_group(run, names.auto_scaling_group, adopt=True, departing=True)
        # instances were waited for one by one; they, too, stay visible for a while
        marked = [one for one in marked_resources(run) if one.kind != "instance"]
        return [*really_there(run, marked), *([group] if group else [])]

    wait_until(
        left,
        ready=lambda found: not found,
        describe=lambda found: ", ".join(f"{one.kind.replace('_', ' ')} {one.name}" for one in found),
        deadline=run.deadline,
        doing=f"look whether anything is left of cluster {names.cluster}",
        pace=run.pace,
    )
