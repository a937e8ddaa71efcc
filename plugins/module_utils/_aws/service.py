# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECS services: compared in full, and updated with nothing but what differs.

An update that says more than it has to is not harmless: repeating the load balancer starts a new deployment, repeating
the number of tasks takes back what an autoscaler did. PRIVATE.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from .._errors import InputError, NotFoundError, SchedulersError
from .._ownership import require_ours
from .._plan import Live, Rule, Spec, Step
from .._retry import create_once
from .._wait import wait_for, wait_until
from .api import SETTLING_SECONDS, ecs_tags, from_tags
from .app_options import in_one_order, placement_strategy
from .ec2 import awaited
from .run import Run
from .service_judgement import Service
from .service_ready import describe_service

SERVICE = "service"  # key in a plan, and part in the mark
SERVICE_RULE = Rule(immutable=frozenset({"scheduling"}))

REBALANCING = "availabilityZoneRebalancing"
ZONE = "attribute:ecs.availability-zone"
DRAINING = "DRAINING"  # deleted, but tasks of it still run
NOT_IDEMPOTENT = re.compile(r"not idempotent", re.IGNORECASE)
STILL_DRAINING = re.compile(r"still draining", re.IGNORECASE)


def normalised(service: Service) -> dict[str, Any]:
    """A live service as a spec, with ECS's defaults filled in. Pure."""
    deployment = service.get("deploymentConfiguration") or {}
    breaker = deployment.get("deploymentCircuitBreaker") or {}
    return {
        "scheduling": service.get("schedulingStrategy") or "REPLICA",
        "task_definition": service["taskDefinition"],
        "desired_count": service["desiredCount"],
        "minimum_healthy_percent": deployment.get("minimumHealthyPercent", 100),
        "maximum_percent": deployment.get("maximumPercent", 200),
        "circuit_breaker": {"enable": breaker.get("enable", False), "rollback": breaker.get("rollback", False)},
        "placement_constraints": in_one_order(
            {"type": one["type"], "expression": one.get("expression") or ""}
            for one in service.get("placementConstraints") or ()
        ),
        "placement_strategy": [
            placement_strategy(one["type"], one.get("field") or "") for one in service.get("placementStrategy") or ()
        ],
        "capacity_provider_strategy": in_one_order(
            {
                "capacity_provider": one["capacityProvider"],
                "weight": one.get("weight") or 0,
                "base": one.get("base") or 0,
            }
            for one in service.get("capacityProviderStrategy") or ()
        ),
        "load_balancers": [_balancer(one) for one in service.get("loadBalancers") or ()],
        "health_check_grace_period": service.get("healthCheckGracePeriodSeconds") or 0,
        "tags": from_tags(service.get("tags")),
    }


def _balancer(one: Mapping[str, Any]) -> dict[str, Any]:
    return {field: one[parameter] for field, parameter in BALANCER_FIELDS.items() if one.get(parameter)}


def behind_classic(balancers: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one of the load balancers of a service is a classic one."""
    return any("load_balancer" in one for one in balancers)


def circuit_breaker(
    given: Mapping[str, bool] | None, balancers: Sequence[Mapping[str, Any]], *, new: bool
) -> Mapping[str, bool] | None:
    """The circuit breaker that a service should have; None: not managed. Pure.

    Args:
        given: what the user says of it.
        balancers: the load balancers that the service is behind; ECS has none behind a classic one.
        new: there is no such service yet.

    Raises:
        InputError: it is wanted behind a classic load balancer.
    """
    if not behind_classic(balancers):
        return given or ({"enable": True, "rollback": True} if new else None)
    if given and given["enable"]:
        raise InputError(
            "circuit_breaker: ECS has none for a service behind a classic load balancer",
            hint="Leave it out, or use a load balancer of type application or network.",
        )
    return None


def may_rebalance(spec: Spec) -> bool:
    """Whether ECS can move the tasks of a service so that all zones have as many. Pure.

    A new service is given this unless it cannot be; an update that leaves no way for it is refused as long as it is on.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html
    """
    first = next(iter(spec["placement_strategy"]), {"type": "spread", "field": ZONE})
    bound = any(ZONE in one["expression"] for one in spec["placement_constraints"])
    return spec["maximum_percent"] > 100 and (first["type"], first["field"]) == ("spread", ZONE) and not bound


def refuse_new_classic_balancer(name: str, live: Spec, after: Sequence[Mapping[str, Any]]) -> None:
    """ECS changes the target groups of a service, but never its classic load balancer.

    Raises:
        InputError: the wanted one differs.
    """
    before: Sequence[Mapping[str, Any]] = live["load_balancers"]
    if before != after and behind_classic([*before, *after]):
        raise InputError(
            f"load_balancer: service {name} is behind {_said(before)}, which ECS cannot change to {_said(after)}, as "
            f"one of them is a classic load balancer",
            hint="Delete the app first, with state: absent.",
        )


def _said(balancers: Sequence[Mapping[str, Any]]) -> str:
    behind = [
        f"{one.get('load_balancer') or 'a target group'} (container {one['container']}, port {one['port']})"
        for one in balancers
    ]
    return " and ".join(behind) or "no load balancer"


def read_service(run: Run, cluster: str, name: str, *, adopt: bool, going: bool = False) -> Live | None:
    """The service, unless it is gone.

    Args:
        going: also one of ours that is deleted, and whose tasks have not all stopped yet.

    Raises:
        NotFoundError: there is no such cluster.
        NotOursError: a service of this name was made by somebody else.
    """
    try:
        service = describe_service(run, cluster, name)
    except NotFoundError as error:
        if error.code:  # ECS's own: it is the cluster that does not exist
            raise
        return None
    tags = from_tags(service.get("tags"))
    if service["status"] != "ACTIVE":
        return live_service(service) if going and service["status"] == DRAINING and run.mark.owns(tags) else None
    require_ours(run.mark, tags, f"service {name} of cluster {cluster}", adopt=adopt)
    return live_service(service)


def active_cluster(run: Run, cluster: str) -> Mapping[str, Any] | None:
    """The cluster for a service to be made on, as the API gives it."""
    answer = run.aws.call("ecs", "DescribeClusters", {"clusters": [cluster]}, doing=f"look for cluster {cluster}")
    return next((one for one in answer["clusters"] if one["status"] == "ACTIVE"), None)


def refuse_unknown_providers(strategy: Sequence[Mapping[str, Any]], cluster: Mapping[str, Any]) -> None:
    """Refuse capacity providers that the cluster does not have. Pure.

    Raises:
        InputError: there is one.
    """
    known = cluster.get("capacityProviders") or ()
    unknown = [one["capacity_provider"] for one in strategy if one["capacity_provider"] not in known]
    if unknown:
        raise InputError(
            f"capacity_provider_strategy: cluster {cluster['clusterName']} has no capacity provider "
            f"{' or '.join(unknown)}, but {', '.join(sorted(known)) or 'none at all'}"
        )


def live_service(service: Service, key: str = SERVICE) -> Live:
    """A service of DescribeServices."""
    arn = service["serviceArn"]
    return Live(key, "service", service["serviceName"], arn, normalised(service), {"raw": service})


class Services:
    """Services of one cluster."""

    def __init__(self, run: Run, cluster: str) -> None:
        self._run = run
        self._cluster = cluster

    def create(self, step: Step, spec: Spec) -> Live:
        """A name is taken until the service before it has stopped its last task, so this may have to wait."""
        request = {
            "cluster": self._cluster,
            "serviceName": step.name,
            "schedulingStrategy": spec["scheduling"],
            "enableECSManagedTags": True,
            "propagateTags": "SERVICE",
            "tags": ecs_tags(spec["tags"]),
            **rendered(spec, spec),
        }
        if not spec.get("capacity_provider_strategy"):
            request["launchType"] = "EC2"

        def find() -> Live | None:
            return read_service(self._run, self._cluster, step.name, adopt=False)

        def attempt() -> Live | None:
            try:
                return create_once(lambda: self._created(request, step, find), find, self._run.aws.policy)
            except SchedulersError as error:
                if STILL_DRAINING.search(error.message):
                    return None
                raise

        return wait_for(
            attempt,
            missing="the service of this name that was deleted is still draining",
            deadline=self._run.deadline,
            doing=step.sentence,
            pace=self._run.pace,
        )

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        changed = {one.field for one in step.differences}
        if "tags" in changed:
            tags = {"resourceArn": live.id, "tags": ecs_tags(spec["tags"])}
            self._run.aws.call("ecs", "TagResource", tags, doing=step.sentence)
        fields = rendered({**live.spec, **spec}, changed)
        if not fields:
            return live
        request = {"cluster": self._cluster, "service": step.name, **fields}
        if "capacity_provider_strategy" in changed:
            request["forceNewDeployment"] = True  # tasks move to another provider by a deployment only
        if live.attributes["raw"].get(REBALANCING) == "ENABLED" and not may_rebalance({**live.spec, **spec}):
            request[REBALANCING] = "DISABLED"
        answer = self._run.aws.call("ecs", "UpdateService", request, doing=step.sentence, settles=True)
        return live_service(answer["service"])

    def delete(self, step: Step, live: Live) -> None:
        """ECS scales down to nothing and drains connections: the service is gone once it is INACTIVE.

        Its last tasks may be stopping still.
        """
        service = live.attributes["raw"]
        name = service["serviceName"]
        request = {"cluster": self._cluster, "service": name, "force": True}
        deadline, pace = self._run.deadline, self._run.pace
        if service["status"] != DRAINING:
            self._run.aws.delete("ecs", "DeleteService", request, doing=step.sentence, deadline=deadline, pace=pace)

        def look() -> Service:
            try:
                return describe_service(self._run, self._cluster, name)
            except NotFoundError:
                return {"status": "INACTIVE"}

        wait_until(
            look,
            ready=lambda service: service["status"] == "INACTIVE",
            describe=lambda service: f"{service['status']}, {service.get('runningCount', 0)} tasks still run",
            deadline=deadline,
            doing=step.sentence,
            pace=pace,
        )

    def _created(self, request: Mapping[str, Any], step: Step, find: Callable[[], Live | None]) -> Live:
        try:
            answer = self._run.aws.call("ecs", "CreateService", request, doing=step.sentence, settles=True)
        except SchedulersError as error:
            # ECS's way of saying that the name is taken: another run's service may not be shown yet, or the inactive
            # one before it in its place
            there = NOT_IDEMPOTENT.search(error.message) and awaited(self._run, find, SETTLING_SECONDS, "service")
            if not there:
                raise
            return there
        return live_service(answer["service"])


def _filled(rules: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    return [{name: value for name, value in rule.items() if value} for rule in rules]


def _providers(providers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    names = {"capacity_provider": "capacityProvider"}
    return [{names.get(name, name): value for name, value in one.items()} for one in providers]


def _balancers(balancers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{BALANCER_FIELDS[field]: value for field, value in one.items()} for one in balancers]


def _same(value: Any) -> Any:
    return value


BALANCER_FIELDS = {
    "load_balancer": "loadBalancerName",
    "target_group": "targetGroupArn",
    "container": "containerName",
    "port": "containerPort",
}
# field of the spec -> the API's name, and how its value is said
PARAMETERS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "task_definition": ("taskDefinition", _same),
    "desired_count": ("desiredCount", _same),
    "placement_constraints": ("placementConstraints", _filled),
    "placement_strategy": ("placementStrategy", _filled),
    "capacity_provider_strategy": ("capacityProviderStrategy", _providers),
    "load_balancers": ("loadBalancers", _balancers),
    "health_check_grace_period": ("healthCheckGracePeriodSeconds", _same),
}
# these travel together: ECS takes a deployment configuration as a whole; but behind a classic load balancer it refuses
# one in which there is a circuit breaker, even one that is switched off
DEPLOYMENT = {
    "minimum_healthy_percent": "minimumHealthyPercent",
    "maximum_percent": "maximumPercent",
    "circuit_breaker": "deploymentCircuitBreaker",
}


def rendered(spec: Spec, fields: Collection[str]) -> dict[str, Any]:
    """The parameters of CreateService and UpdateService that say these fields of a spec. Pure."""
    request = {
        parameter: say(spec[field])
        for field, (parameter, say) in PARAMETERS.items()
        if field in fields and field in spec
    }
    if {*fields} & {*DEPLOYMENT}:
        refused = {"circuit_breaker"} if behind_classic(spec.get("load_balancers", ())) else set()
        request["deploymentConfiguration"] = {
            parameter: spec[field] for field, parameter in DEPLOYMENT.items() if field in spec and field not in refused
        }
    return request
