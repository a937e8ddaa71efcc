# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kubernetes cluster and everything of it, gone: what its services have, nodes, network, and a look at the end.

While the API server answers, services are deleted there, so that the controllers take away what they made. What they
made is looked for by its tag as well, for a cluster that does not answer. Data volumes stay unless it is said. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .._clock import Deadline
from .._cluster_api import ClusterApi, Connect
from .._errors import NotOursError, SchedulersError
from .._module import Context, Outcome
from .._ownership import OWNER, PART
from .._parallel import gather
from .._plan import Graph, Handler, Live, Spec, Step, apply, dismantle, keyed
from .addresses import ADDRESS, find_addresses
from .api import Aws, Connection, from_tags, tag_filter
from .k8s_access import KUBECONFIG, Access, leads_elsewhere, read_kubeconfig
from .k8s_cluster_handlers import Tools, cluster_handlers
from .k8s_cluster_read import identity_reads, read_security_groups
from .k8s_cluster_ready import Standing
from .k8s_cluster_result import to_result
from .k8s_cluster_wanted import GRAPH as PRESENT_GRAPH
from .k8s_parameters import read_parameters
from .kubernetes_names import KubernetesNames, checked_cluster_name, kubernetes_mark
from .load_balancer_classic import ClassicLoadBalancers
from .load_balancer_v2 import LoadBalancers, TargetGroups
from .marked import EC2_KINDS, await_gone, marked_resources, really_there, refuse_copies
from .run import Run
from .scaling_groups import SCALING_GROUP, read_scaling_group
from .security_groups import SecurityGroups
from .service_balancers import GRAPH as BALANCER_GRAPH
from .service_balancers import find_service_balancers
from .volumes import Volumes
from .vpcs import refuse_foreign_instances

KINDS = {**EC2_KINDS, "instance": "control_plane"}  # instances of the group are the group's
SERVICE_SECONDS = 300.0  # for the controllers to take away a load balancer, before it is done without them
GRAPH: Graph = {
    **PRESENT_GRAPH,
    **BALANCER_GRAPH,
    # security groups name one another in their rules, and those of nodes name those of load balancers
    "security_group": ("vpc", "service_security_group"),
    "volume": (),
    "control_plane": (*PRESENT_GRAPH["control_plane"], "volume"),
    "auto_scaling_group": ("launch_template", "ingress_rule", "subnet", "default_route", "parameter", "volume"),
    # while a teardown is not through, its user can still get in
    "kubeconfig": (),
    "vpc": ("role", "kubeconfig"),
    "cluster_service": ("control_plane", "auto_scaling_group", *BALANCER_GRAPH),
    "cluster_claim": ("control_plane", "auto_scaling_group"),
}


def ensure_absent(context: Context, connect: Connect) -> Outcome:
    """No cluster, and nothing left of it."""
    name = checked_cluster_name("name", context.params["name"])
    aws = Aws(Connection.from_params(context.params))
    run = Run(aws, kubernetes_mark(name), context.deadline(), context.pace())
    names, path = KubernetesNames(name, aws.region), Path(context.params["kubeconfig"]).expanduser()
    access, delete_data = Access(run, name, connect, context.hide), context.params["delete_data"]
    found = find_all(run, names, path)
    volumes, up = find_volumes(run), any(one.kind == "control_plane" for one in found)
    inside = _inside(context, access, delete_data=delete_data) if up else []
    doomed = [*found, *inside, *(volumes if delete_data else ())]
    plan = dismantle(doomed, GRAPH)
    if plan.changed and not context.check_mode:
        tools = Tools(run, names, access, path)
        handlers = {**cluster_handlers(tools), **_farewells(run, access)}
        applied = apply(plan, handlers, {one.key: one for one in doomed})
        doing = f"look whether anything is left of cluster {name}"
        with applied.then(doing):
            await_gone(run, lambda: _left(run, names, _vpcs(found)), doing)
    kept = [] if delete_data else [{"id": one.id, "name": one.name, **one.spec} for one in volumes]
    return Outcome(to_result(name, {}, Standing(None), path, kept), plan)


def find_all(run: Run, names: KubernetesNames, kubeconfig: Path) -> list[Live]:
    """Everything of the cluster in AWS but its data volumes, and its entries in the user's kubeconfig.

    Raises:
        NotOursError: something that is found by its name is somebody else's.
        ConflictError: somebody else has instances in its network.
    """
    reads: dict[str, Callable[[], Mapping[str, Live]]] = {
        "group": lambda: keyed(read_scaling_group(run, names.auto_scaling_group, departing=True)),
        "addresses": lambda: _addresses(run),
        "parameters": lambda: read_parameters(run, names.cluster),
        "rules": lambda: {key: one for key, one in read_security_groups(run).items() if one.kind == "ingress_rule"},
        "kubeconfig": lambda: keyed(_own_kubeconfig(kubeconfig, names.cluster, run.aws.region)),
        "marked": lambda: {one.key: one for one in _marked(run)},
        **identity_reads(run, names),
    }
    found = {key: one for part in gather(reads).values() for key, one in part.items()}
    if KUBECONFIG in found and leads_elsewhere(found[KUBECONFIG], found.get(ADDRESS)):
        del found[KUBECONFIG]
    vpc = next((one for one in found.values() if one.kind == "vpc"), None)
    if vpc:
        refuse_foreign_instances(run, vpc.id)
    members = found[SCALING_GROUP].attributes["instances"] if SCALING_GROUP in found else ()
    of_group = {one["instance_id"] for one in members}
    kept = [one for key, one in found.items() if key not in of_group]
    refuse_copies(run, kept)
    return [*kept, *find_service_balancers(run.aws, names.cluster, _vpcs(kept))]


def _vpcs(found: Iterable[Live]) -> set[str]:
    return {one.id for one in found if one.kind == "vpc"}


def _own_kubeconfig(path: Path, cluster: str, region: str) -> Live | None:
    """The cluster's entries, if it is not a cluster of another region that has them."""
    try:
        return read_kubeconfig(path, cluster, region)
    except NotOursError:
        return None


def find_volumes(run: Run) -> list[Live]:
    """Data volumes of the cluster: those that were made for it, and those that its driver has made for claims."""
    filters = tag_filter({OWNER: run.mark.owner})
    doing = f"look for the data volumes of {run.mark.owner}"
    found = run.aws.pages("ec2", "DescribeVolumes", "Volumes", {"Filters": filters}, doing=doing)
    # the root of an instance goes with it
    data = [one for one in found if from_tags(one.get("Tags")).get(PART) != "volume"]
    return [_volume(one) for one in data if one["State"] not in ("deleting", "deleted")]


def _volume(volume: Mapping[str, Any]) -> Live:
    name = from_tags(volume.get("Tags")).get("Name", volume["VolumeId"])
    spec = {"size": volume["Size"], "zone": volume["AvailabilityZone"]}
    return Live(volume["VolumeId"], "volume", name, volume["VolumeId"], spec)


def _marked(run: Run) -> list[Live]:
    return really_there(run, marked_resources(run, KINDS, {}))


def _addresses(run: Run) -> dict[str, Live]:
    """All addresses, also of runs that did not know of each other; the control plane's by the key that others use."""
    found = find_addresses(run)
    return {one.key: one for one in (*found[:1], *(replace(one, key=one.id) for one in found[1:]))}


def _inside(context: Context, access: Access, *, delete_data: bool) -> list[Live]:
    """What has to be deleted through the API server, if it answers."""
    try:
        api = access.api()
        services, claims = api.load_balancer_services(), api.claims() if delete_data else ()
    except SchedulersError as error:
        context.warn(f"The API server cannot be asked, so load balancers are looked for by their tags: {error.message}")
        return []
    return [
        *(Live(f"service {one}", "cluster_service", one, one) for one in services),
        *(Live(f"claim {one}", "cluster_claim", one, one) for one in claims),
    ]


def _farewells(run: Run, access: Access) -> dict[str, Handler]:
    """The handlers of what only a teardown deals with."""
    deadline = Deadline(run.deadline.clock, min(SERVICE_SECONDS, run.deadline.left()))
    return {
        "cluster_service": _Inside(lambda api, name: api.delete_service(name, deadline, run.pace), access),
        "cluster_claim": _Inside(lambda api, name: api.delete_claim(name), access),
        "service_classic_load_balancer": ClassicLoadBalancers(run),
        "service_load_balancer": LoadBalancers(run),
        "service_target_group": TargetGroups(run),
        "service_security_group": SecurityGroups(run),
        "volume": Volumes(run),
    }


class _Inside:
    """Things within the cluster. One that does not go in time stops nothing: its part in AWS is found by its tag."""

    def __init__(self, delete: Callable[[ClusterApi, str], None], access: Access) -> None:
        self._delete = delete
        self._access = access

    def create(self, step: Step, spec: Spec) -> Live:
        raise NotImplementedError(f"{step.label}: a teardown makes nothing")

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        raise NotImplementedError(f"{step.label}: a teardown changes nothing")

    def delete(self, _step: Step, live: Live) -> None:
        try:
            self._delete(self._access.api(), live.name)
        except SchedulersError:
            return


def _left(run: Run, names: KubernetesNames, vpcs: Collection[str]) -> list[Live]:
    group = read_scaling_group(run, names.auto_scaling_group, departing=True)
    # instances were waited for one by one; they, too, stay visible for a while
    marked = [one for one in marked_resources(run, KINDS, {}) if one.kind != "control_plane"]
    balancers = find_service_balancers(run.aws, names.cluster, vpcs)
    return [*really_there(run, marked), *balancers, *([group] if group else [])]
