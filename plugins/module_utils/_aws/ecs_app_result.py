# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An app as the modules return it: the same keys whether there is an app or not. PRIVATE."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from .._errors import NotFoundError
from .._parallel import gather
from .api import from_tags
from .load_balancer_v2 import listeners_of
from .run import Run
from .service_judgement import Service, latest_events, primary_of
from .service_ready import described_tasks
from .task_definition import family_of, revision_of

NAMED_AT_ONCE = 20  # load balancers in one DescribeLoadBalancers
HTTP_PORT = 80


@dataclass(frozen=True)
class Front:
    """The load balancer before an app.

    Attributes:
        zone_id: the hosted zone of its DNS name, for records that are aliases of it.
        url: where the app answers, None if that cannot be told.
    """

    name: str
    dns_name: str
    zone_id: str | None
    url: str | None


def to_result(
    name: str, cluster: str, service: Service | None, *, front: Front | None, tasks: Sequence[Mapping[str, Any]] | None
) -> dict[str, Any]:
    """An app by its live service. Pure."""
    there: Service = service or {}
    deployment = primary_of(there)
    return {
        "service": {
            "name": name,
            "cluster": cluster,
            "arn": there.get("serviceArn"),
            "status": there.get("status"),
            "desired_count": there.get("desiredCount", 0),
            "running_count": there.get("runningCount", 0),
            "pending_count": there.get("pendingCount", 0),
            "tags": from_tags(there.get("tags")),
        },
        "task_definition": _definition(there.get("taskDefinition")),
        "deployment": {
            "id": deployment.get("id"),
            "rollout_state": deployment.get("rolloutState"),
            "rollout_state_reason": deployment.get("rolloutStateReason"),
            "failed_tasks": deployment.get("failedTasks", 0),
        },
        "url": front.url if front else None,
        "load_balancer": _load_balancer(front) if front else None,
        "tasks": None if tasks is None else [_task(task) for task in tasks],
        "events": latest_events(there),
    }


def _definition(arn: str | None) -> dict[str, Any]:
    if not arn:
        return {"arn": None, "family": None, "revision": None}
    return {"arn": arn, "family": family_of(arn), "revision": revision_of(arn)}


def _load_balancer(front: Front) -> dict[str, Any]:
    return {"name": front.name, "dns_name": front.dns_name, "zone_id": front.zone_id}


def _task(task: Mapping[str, Any]) -> dict[str, Any]:
    containers = task.get("containers", ())
    return {
        "arn": task["taskArn"],
        "container_instance_arn": task.get("containerInstanceArn"),
        "status": task.get("lastStatus"),
        "health": task.get("healthStatus"),
        "revision": revision_of(task["taskDefinitionArn"]),
        "images": [one["image"] for one in containers if one.get("image")],
        "host_ports": sorted(
            {binding["hostPort"] for one in containers for binding in one.get("networkBindings") or ()}
        ),
    }


def url_of(address: str, port: int) -> str:
    """Where an app answers. Pure."""
    return f"http://{address}/" if port == HTTP_PORT else f"http://{address}:{port}/"


def tasks_of(run: Run, cluster: str, service: str | None = None, *, settles: bool = False) -> list[dict[str, Any]]:
    """The tasks of a service, or of the whole cluster.

    Args:
        settles: the service may have been made moments ago, and not be known everywhere yet.
    """
    request = {"cluster": cluster, **({"serviceName": service} if service else {})}
    doing = f"look at the tasks of {'service ' + service if service else 'cluster ' + cluster}"
    return described_tasks(run, request, doing=doing, settles=settles)


def fronts_of(run: Run, services: Iterable[Service], host_ports: Mapping[str, Collection[int]]) -> dict[str, Front]:
    """The load balancers before services, by the name of the service.

    Args:
        host_ports: ports of the instances by service, which tell the listeners of a shared classic one apart.
    """
    balanced = {one["serviceName"]: one["loadBalancers"][0] for one in services if one.get("loadBalancers")}
    classic = {name: one["loadBalancerName"] for name, one in balanced.items() if one.get("loadBalancerName")}
    grouped = {name: one["targetGroupArn"] for name, one in balanced.items() if one.get("targetGroupArn")}
    balancers, groups = _classic(run, {*classic.values()}), _group_fronts(run, {*grouped.values()})
    fronts = {
        name: _classic_front(balancers[one], host_ports.get(name, ()))
        for name, one in classic.items()
        if one in balancers
    }
    return fronts | {name: groups[one] for name, one in grouped.items() if one in groups}


def _classic_front(balancer: Mapping[str, Any], host_ports: Collection[int]) -> Front:
    address = balancer["DNSName"]
    listeners = [one["Listener"] for one in balancer["ListenerDescriptions"]]
    leading = [one for one in listeners if one["InstancePort"] in host_ports] or listeners
    url = url_of(address, leading[0]["LoadBalancerPort"]) if len(leading) == 1 else None
    return Front(balancer["LoadBalancerName"], address, balancer.get("CanonicalHostedZoneNameID"), url)


def _classic(run: Run, names: Collection[str]) -> dict[str, dict[str, Any]]:
    found = _listed(run, "elb", "DescribeLoadBalancers", "LoadBalancerDescriptions", {"LoadBalancerNames": names})
    return {one["LoadBalancerName"]: one for one in found}


def _group_fronts(run: Run, arns: Collection[str]) -> dict[str, Front]:
    """The load balancers before target groups, by target group."""
    groups = _listed(run, "elbv2", "DescribeTargetGroups", "TargetGroups", {"TargetGroupArns": arns})
    above = {one["TargetGroupArn"]: one["LoadBalancerArns"] for one in groups if one["TargetGroupArn"] in arns}
    wanted = {arn for balancers in above.values() for arn in balancers}
    found = _listed(run, "elbv2", "DescribeLoadBalancers", "LoadBalancers", {"LoadBalancerArns": wanted})
    balancers = {one["LoadBalancerArn"]: one for one in found if one["LoadBalancerArn"] in wanted}
    listeners = gather({arn: partial(listeners_of, run, arn) for arn in balancers})
    return {
        group: _group_front(balancers[arn], group, listeners[arn])
        for group, theirs in above.items()
        for arn in theirs
        if arn in balancers
    }


def _group_front(balancer: Mapping[str, Any], group: str, listeners: Iterable[Mapping[str, Any]]) -> Front:
    address = balancer["DNSName"]
    ports = [
        one["Port"]
        for one in listeners
        if any(action.get("TargetGroupArn") == group for action in one["DefaultActions"])
    ]
    url = url_of(address, ports[-1]) if ports else None
    return Front(balancer["LoadBalancerName"], address, balancer.get("CanonicalHostedZoneId"), url)


def _listed(
    run: Run, api: str, operation: str, items: str, names: Mapping[str, Collection[str]]
) -> list[dict[str, Any]]:
    """Load balancers or target groups by name or ARN; all there are, if that is the shorter way."""
    ((field, wanted),) = names.items()
    if not wanted:
        return []
    list_them = partial(run.aws.pages, api, operation, items, doing="look at the load balancers of services")
    try:
        return list_them({field: sorted(wanted)} if len(wanted) <= NAMED_AT_ONCE else {})
    except NotFoundError:  # one of them is gone, for which the API refuses to say anything about the others
        return list_them({})
