# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls on services: everything that can be set is kept and described back, what ECS refuses is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.models import EC2ContainerServiceBackend as Backend
from moto.ecs.responses import DESCRIBE_SERVICES_TAGS
from moto.ecs.responses import EC2ContainerServiceResponse as Response
from moto.elb.models import elb_backends
from moto.elbv2.models import elbv2_backends

from lab.aws.ecs import access
from lab.aws.ecs.calls import Original, at_most, cluster_of, fail, invalid, merged, missing, only_if_included, short
from lab.aws.ecs.clusters import MANAGED_PROVIDERS
from lab.aws.ecs.definitions import active_definition
from lab.aws.ecs.query import ExpressionError, matches
from lab.aws.ecs.resources import Service
from lab.aws.ecs.simulation import Simulation
from lab.aws.patching import replaces

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,255}")
_SERVICE_ROLE = "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
_ROLLS_OUT = (
    "loadBalancers",
    "serviceRegistries",
    "capacityProviderStrategy",
    "networkConfiguration",
    "platformVersion",
)
"""Parameters of UpdateService that start a new deployment, beside the task definition."""
_PLAIN = {
    "placementConstraints": "placement_constraints",
    "placementStrategy": "placement_strategy",
    "serviceRegistries": "service_registries",
    "loadBalancers": "load_balancers",
    "capacityProviderStrategy": "capacity_provider_strategy",
    "networkConfiguration": "network_configuration",
    "platformVersion": "platform_version",
    "healthCheckGracePeriodSeconds": "health_check_grace_period_seconds",
    "enableExecuteCommand": "enable_execute_command",
    "enableECSManagedTags": "enable_ecs_managed_tags",
    "propagateTags": "propagate_tags",
    "availabilityZoneRebalancing": "availability_zone_rebalancing",
}
"""Parameters of UpdateService that are kept as they are given."""


def install(simulation: Simulation) -> None:
    _create(simulation)
    _update(simulation)
    _delete(simulation)
    _describe(simulation)


def _create(simulation: Simulation) -> None:
    @replaces(Response, "create_service")
    def _create_service(_original: Original, handler: Any) -> Any:
        given = handler._get_params()
        cluster = cluster_of(handler)
        backend = handler.ecs_backend
        name = given.get("serviceName") or ""
        if not _NAME.fullmatch(name):
            raise invalid("The service name is not valid: 1 to 255 letters, digits, hyphens and underscores.")
        known = backend.services.get(f"{cluster.name}:{name}")
        if known is not None and known.status == "DRAINING":
            raise invalid("Unable to Start a service that is still Draining.")
        if known is not None and known.status == "ACTIVE":
            if known.created_with != _comparable(given):
                raise invalid("Creation of service was not idempotent.")
            return ActionResult({"service": known})
        definition = active_definition(backend, _required(given, "taskDefinition", "TaskDefinition"))
        _check_new(backend, given)
        _check(backend, given, definition)
        service = _new_service(simulation, backend, cluster, given, definition)
        simulation.replica.changes(service.arn, known)
        backend.services[f"{cluster.name}:{name}"] = service
        simulation.services.add(service, definition)
        return ActionResult({"service": service})


def _comparable(given: Mapping[str, Any]) -> dict[str, Any]:
    """What must be equal for a repeated CreateService to be taken as the same."""
    return {key: value for key, value in given.items() if key != "clientToken"}


def _new_service(
    simulation: Simulation, backend: Any, cluster: Any, given: Mapping[str, Any], definition: Any
) -> Service:
    strategy = given.get("schedulingStrategy") or "REPLICA"
    balancers = [dict(entry) for entry in given.get("loadBalancers") or ()]
    providers = _providers(cluster, given)
    name, account = given["serviceName"], simulation.world.account
    own_role = f"arn:aws:iam::{account}:{_SERVICE_ROLE}" if balancers else None
    service = Service(
        arn=f"arn:aws:ecs:{backend.region_name}:{account}:service/{cluster.name}/{name}",
        name=name,
        region_name=backend.region_name,
        cluster_name=cluster.name,
        cluster_arn=cluster.arn,
        task_definition=definition.arn,
        desired_count=0 if strategy == "DAEMON" else int(given.get("desiredCount") or 0),
        created_at=simulation.world.clock.utc(),
        created_by=f"arn:aws:iam::{account}:root",
        scheduling_strategy=strategy,
        deployment_configuration=_deployment_configuration(given.get("deploymentConfiguration") or {}, strategy),
        deployment_controller=given.get("deploymentController") or {"type": "ECS"},
        tags=merged(given.get("tags")),
        load_balancers=balancers,
        placement_constraints=given.get("placementConstraints") or [],
        placement_strategy=given.get("placementStrategy") or [],
        service_registries=given.get("serviceRegistries") or [],
        capacity_provider_strategy=providers,
        launch_type=None if providers else given.get("launchType") or "EC2",
        availability_zone_rebalancing=given.get("availabilityZoneRebalancing") or _rebalancing(given, strategy),
        enable_ecs_managed_tags=given.get("enableECSManagedTags") or False,
        enable_execute_command=given.get("enableExecuteCommand") or False,
        propagate_tags=given.get("propagateTags") or "NONE",
        health_check_grace_period_seconds=int(given.get("healthCheckGracePeriodSeconds") or 0) if balancers else None,
        network_configuration=given.get("networkConfiguration"),
        platform_version=given.get("platformVersion"),
        role_arn=_role_arn(account, given["role"]) if given.get("role") else own_role,
    )
    service.created_with = _comparable(given)
    return service


def _providers(cluster: Any, given: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The capacity provider strategy: the service's own, else the cluster's unless a launch type is given."""
    strategy = given.get("capacityProviderStrategy") or []
    if not strategy and not given.get("launchType"):
        strategy = cluster.default_capacity_provider_strategy or []
    return [{"weight": 0, "base": 0, **item} for item in strategy]


def _deployment_configuration(
    given: Mapping[str, Any], strategy: str, before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    daemon = strategy == "DAEMON"
    configuration = {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "maximumPercent": 100 if daemon else 200,
        "minimumHealthyPercent": 0 if daemon else 100,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
        **(before or {}),
        **given,
    }
    least, most = configuration["minimumHealthyPercent"], configuration["maximumPercent"]
    if not 0 <= least <= most:
        raise invalid("maximumPercent must be greater than or equal to minimumHealthyPercent.")
    if least == most == 100 and not daemon:
        raise invalid("Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.")
    return configuration


def _rebalancing(given: Mapping[str, Any], strategy: str) -> str:
    """ENABLED, unless the service is of a kind for which ECS does not do it."""
    classic = any(entry.get("loadBalancerName") for entry in given.get("loadBalancers") or ())
    most = (given.get("deploymentConfiguration") or {}).get("maximumPercent", 200)
    first = next(iter(given.get("placementStrategy") or ()), {"field": "attribute:ecs.availability-zone"})
    elsewhere = first.get("field") != "attribute:ecs.availability-zone"
    return "DISABLED" if classic or strategy == "DAEMON" or most <= 100 or elsewhere else "ENABLED"


def _role_arn(account: str, role: str) -> str:
    return role if role.startswith("arn:") else f"arn:aws:iam::{account}:role/{role}"


def _update(simulation: Simulation) -> None:
    @replaces(Response, "update_service")
    def _update_service(_original: Original, handler: Any) -> Any:
        given = {key: value for key, value in handler._get_params().items() if value is not None}
        backend, service = handler.ecs_backend, _service_of(handler)
        if service.status != "ACTIVE":
            raise fail("ServiceNotActiveException", "Service was not ACTIVE.")
        definition = service.primary.definition
        if given.get("taskDefinition"):
            definition = active_definition(backend, given["taskDefinition"])
        _check(backend, {"loadBalancers": service.load_balancers, **given}, definition)
        _check_rebalancing(service, given)
        simulation.replica.changes(service.arn, service)
        roll_out = bool(given.get("forceNewDeployment")) or definition.arn != service.task_definition
        roll_out |= any(key in given and given[key] != getattr(service, _PLAIN[key]) for key in _ROLLS_OUT)
        _apply(service, given, definition)
        if "desiredCount" in given and int(given["desiredCount"]) != service.desired_count:
            simulation.services.scale(service, int(given["desiredCount"]))
        if roll_out:
            simulation.services.deploy(service, definition)
        simulation.services.mark(service)
        only_if_included(handler, "TAGS", "UpdateServiceResponse.service.tags")
        return ActionResult({"service": service})


def _check_rebalancing(service: Service, given: Mapping[str, Any]) -> None:
    on = given.get("availabilityZoneRebalancing") or service.availability_zone_rebalancing
    most = {**service.deployment_configuration, **given.get("deploymentConfiguration", {})}["maximumPercent"]
    if on == "ENABLED" and most <= 100:
        message = "Availability Zone Rebalancing does not support maximumPercent <= 100 % as deployment configuration."
        raise invalid(message)


def _apply(service: Service, given: Mapping[str, Any], definition: Any) -> None:
    service.task_definition = definition.arn
    for key, attribute in _PLAIN.items():
        if key in given:
            setattr(service, attribute, given[key])
    if "deploymentConfiguration" in given:
        service.deployment_configuration = _deployment_configuration(
            given["deploymentConfiguration"], service.scheduling_strategy, service.deployment_configuration
        )


def _delete(simulation: Simulation) -> None:
    @replaces(Response, "delete_service")
    def _delete_service(_original: Original, handler: Any) -> Any:
        service = _service_of(handler)
        if service.status == "INACTIVE":
            raise fail("ServiceNotActiveException", "Service was not ACTIVE.")
        replica = service.scheduling_strategy == "REPLICA"
        if replica and service.desired_count > 0 and not handler._get_param("force"):
            raise invalid("The service cannot be stopped while it is scaled above 0.")
        if service.status == "ACTIVE":
            simulation.replica.changes(service.arn, service)
            simulation.services.delete(service)
        return ActionResult({"service": service})


def _describe(simulation: Simulation) -> None:
    @replaces(Response, "describe_services")
    def _describe_services(_original: Original, handler: Any) -> Any:
        at_most(handler._get_param("services") or [], 10, "Services")
        only_if_included(handler, "TAGS", DESCRIBE_SERVICES_TAGS)
        cluster = handler.ecs_backend._get_cluster(handler._get_param("cluster"))
        found, failures = [], []
        for name in handler._get_param("services"):
            arn = f"arn:aws:ecs:{handler.region}:{handler.current_account}:service/{cluster.name}/{short(name)}"
            known = handler.ecs_backend.services.get(f"{cluster.name}:{short(name)}")
            service = simulation.replica.shown(arn, known)
            if service is None:
                failures.append(missing(name if name.startswith("arn:") else arn))
            elif service not in found:
                found.append(service)
        return ActionResult({"services": found, "failures": failures})

    @replaces(Backend, "list_services")
    def _list_services(
        _original: Original, backend: Any, cluster: str, scheduling_strategy: Any = None, launch_type: Any = None
    ) -> list[str]:
        name = backend._get_cluster(cluster).name
        shown = [simulation.replica.shown(service.arn, service) for service in backend.services.values()]
        return sorted(
            service.arn
            for service in shown
            if service is not None
            and service.cluster_name == name
            and service.status != "INACTIVE"
            and scheduling_strategy in (None, service.scheduling_strategy)
            and launch_type in (None, service.launch_type)
        )


def _service_of(handler: Any) -> Service:
    cluster = cluster_of(handler)
    service: Service | None = handler.ecs_backend.services.get(f"{cluster.name}:{short(handler._get_param('service'))}")
    if service is None:
        raise fail("ServiceNotFoundException", "Service not found.")
    return service


def _required(given: Mapping[str, Any], key: str, label: str) -> str:
    if not given.get(key):
        raise invalid(f"{label} cannot be blank.")
    return str(given[key])


def _check(backend: Any, given: Mapping[str, Any], definition: Any) -> None:
    """Refuse what ECS refuses, for a new service or a changed one."""
    if int(given.get("desiredCount") or 0) < 0:
        raise invalid("desiredCount cannot be negative.")
    if given.get("healthCheckGracePeriodSeconds") and not given.get("loadBalancers"):
        raise invalid("Health check grace period is only valid for services configured to use load balancers")
    for entry in given.get("loadBalancers") or ():
        _check_balancer(backend, entry, definition)
    classic = any(entry.get("loadBalancerName") for entry in given.get("loadBalancers") or ())
    if classic and "deploymentCircuitBreaker" in (given.get("deploymentConfiguration") or {}):
        message = "Deployment circuit breaker feature is not supported with Classic Load Balancers."
        raise invalid(f"{message} Remove the Classic Load Balancer and try again.")
    for item in given.get("capacityProviderStrategy") or ():
        if item["capacityProvider"] not in backend.capacity_providers:
            raise invalid("The specified capacity provider was not found. Specify a valid name or ARN and try again.")
    _check_placement(given)


def _check_new(backend: Any, given: Mapping[str, Any]) -> None:
    """Refuse combinations of CreateService's parameters, and what is not simulated."""
    if given.get("schedulingStrategy") == "DAEMON" and given.get("desiredCount"):
        raise invalid("The daemon scheduling strategy does not support a desired count. Remove it and try again.")
    if given.get("launchType") and given.get("capacityProviderStrategy"):
        message = "Specifying both a launch type and capacity provider strategy is not supported."
        raise invalid(f"{message} Remove one and try again.")
    providers = {item["capacityProvider"] for item in given.get("capacityProviderStrategy") or ()}
    if given.get("launchType") == "FARGATE" or providers & set(MANAGED_PROVIDERS):
        raise fail("NotImplemented", "lab: Fargate is not simulated")
    if (given.get("deploymentController") or {"type": "ECS"})["type"] != "ECS":
        raise fail("NotImplemented", "lab: only the deployment controller ECS is simulated")
    if (given.get("deploymentConfiguration") or {}).get("strategy", "ROLLING") != "ROLLING":
        raise fail("NotImplemented", "lab: only the deployment strategy ROLLING is simulated")
    if given.get("role"):
        _check_role(backend.account_id, given)


def _check_role(account: str, given: Mapping[str, Any]) -> None:
    if not given.get("loadBalancers"):
        raise invalid("The role parameter is only valid for services configured to use load balancers.")
    if access.role_by_arn(account, _role_arn(account, given["role"]), "ecs.amazonaws.com") is None:
        message = "Unable to assume role and validate the load balancers configured for your service."
        raise invalid(f"{message} Please verify that the ECS service role being passed has the proper permissions.")


def _check_placement(given: Mapping[str, Any]) -> None:
    for rule in given.get("placementConstraints") or ():
        if rule["type"] == "memberOf":
            try:
                matches(rule.get("expression", ""), {})
            except ExpressionError as error:
                raise invalid(str(error)) from error
        elif rule.get("expression"):
            raise invalid(f"The placement constraint {rule['type']} takes no expression.")
    for rule in given.get("placementStrategy") or ():
        if rule["type"] == "binpack" and rule.get("field", "").lower() not in ("cpu", "memory"):
            raise invalid("The binpack placement strategy needs the field cpu or memory.")


def _check_balancer(backend: Any, entry: Mapping[str, Any], definition: Any) -> None:
    name, port = entry.get("containerName"), entry.get("containerPort")
    container = next((c for c in definition.container_definitions if c["name"] == name), None)
    if container is None:
        raise invalid(f"The container {name} does not exist in the task definition.")
    if not any(mapping.get("containerPort") == port for mapping in container["portMappings"]):
        raise invalid(f"The container {name} did not have a container port {port} defined.")
    account, region = backend.account_id, backend.region_name
    if entry.get("targetGroupArn"):
        group = elbv2_backends[account][region].target_groups.get(entry["targetGroupArn"])
        if group is None:
            raise invalid(f"The target group {entry['targetGroupArn']} does not exist.")
        if not group.load_balancer_arns:
            message = f"The target group with targetGroupArn {group.arn} does not have an associated load balancer."
            raise invalid(message)
        return
    balancer = elb_backends[account][region].load_balancers.get(entry.get("loadBalancerName"))
    if balancer is None:
        raise invalid(f"The load balancer {entry.get('loadBalancerName')} does not exist.")
    mapping = next(m for m in container["portMappings"] if m.get("containerPort") == port)
    if not mapping.get("hostPort"):
        raise invalid(
            "A Classic Load Balancer needs a container with a fixed host port: dynamic ports are not supported."
        )
