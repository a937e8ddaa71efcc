# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An app as the modules return it: the same keys whether there is an app or not. PRIVATE."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from .._errors import NotFoundError
from .._parallel import gather
from .api import from_tags
from .load_balancer_v2 import listeners_of
from .run import Run
from .service_ready import Service, described_tasks, latest_events, primary_of
from .task_definition import family_of, revision_of

NAMED_AT_ONCE = 20  # load balancers in one DescribeLoadBalancers
HTTP_PORT = 80


def to_result(
    name: str, cluster: str, service: Service | None, *, url: str | None, tasks: Sequence[Mapping[str, Any]] | None
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
        "url": url,
        "tasks": None if tasks is None else [_task(task) for task in tasks],
        "events": latest_events(there),
    }


def _definition(arn: str | None) -> dict[str, Any]:
    if not arn:
        return {"arn": None, "family": None, "revision": None}
    return {"arn": arn, "family": family_of(arn), "revision": revision_of(arn)}


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


def tasks_of(run: Run, cluster: str, service: str | None = None) -> list[dict[str, Any]]:
    """The tasks of a service, or of the whole cluster."""
    request = {"cluster": cluster, **({"serviceName": service} if service else {})}
    doing = f"look at the tasks of {'service ' + service if service else 'cluster ' + cluster}"
    return described_tasks(run, request, doing=doing)


def urls_of(run: Run, services: Iterable[Service], host_ports: Mapping[str, Collection[int]]) -> dict[str, str]:
    """Where services answer, by name, as their load balancers say it.

    Args:
        host_ports: ports of the instances by service, which tell the listeners of a shared classic one apart.
    """
    balanced = {one["serviceName"]: one["loadBalancers"][0] for one in services if one.get("loadBalancers")}
    classic = {name: one["loadBalancerName"] for name, one in balanced.items() if one.get("loadBalancerName")}
    grouped = {name: one["targetGroupArn"] for name, one in balanced.items() if one.get("targetGroupArn")}
    balancers, groups = _classic(run, {*classic.values()}), _group_urls(run, {*grouped.values()})
    urls = {name: _classic_url(balancers.get(one), host_ports.get(name, ())) for name, one in classic.items()}
    urls |= {name: groups.get(one) for name, one in grouped.items()}
    return {name: url for name, url in urls.items() if url}


def _classic_url(balancer: Mapping[str, Any] | None, host_ports: Collection[int]) -> str | None:
    if balancer is None:
        return None
    listeners = [one["Listener"] for one in balancer["ListenerDescriptions"]]
    leading = [one for one in listeners if one["InstancePort"] in host_ports] or listeners
    return url_of(balancer["DNSName"], leading[0]["LoadBalancerPort"]) if len(leading) == 1 else None


def _classic(run: Run, names: Collection[str]) -> dict[str, dict[str, Any]]:
    found = _listed(run, "elb", "DescribeLoadBalancers", "LoadBalancerDescriptions", {"LoadBalancerNames": names})
    return {one["LoadBalancerName"]: one for one in found}


def _group_urls(run: Run, arns: Collection[str]) -> dict[str, str]:
    """Where the listeners are that lead to target groups, by target group."""
    groups = _listed(run, "elbv2", "DescribeTargetGroups", "TargetGroups", {"TargetGroupArns": arns})
    above = {arn for one in groups if one["TargetGroupArn"] in arns for arn in one["LoadBalancerArns"]}
    balancers = _listed(run, "elbv2", "DescribeLoadBalancers", "LoadBalancers", {"LoadBalancerArns": above})
    addresses = {one["LoadBalancerArn"]: one["DNSName"] for one in balancers if one["LoadBalancerArn"] in above}
    listeners = gather({arn: partial(listeners_of, run, arn) for arn in addresses})
    return {
        action["TargetGroupArn"]: url_of(addresses[arn], listener["Port"])
        for arn, all_of_it in listeners.items()
        for listener in all_of_it
        for action in listener["DefaultActions"]
        if action.get("TargetGroupArn")
    }


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
