# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls on clusters and capacity providers: creating again changes nothing, deleting what is in use is refused."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.models import EC2ContainerServiceBackend as Backend
from moto.ecs.responses import DESCRIBE_CLUSTERS_TAGS
from moto.ecs.responses import EC2ContainerServiceResponse as Response

from lab.aws.ecs.calls import Original, at_most, fail, invalid, missing, only_if_included, short
from lab.aws.ecs.simulation import Simulation
from lab.aws.patching import replaces

MANAGED_PROVIDERS = ("FARGATE", "FARGATE_SPOT")


def install(simulation: Simulation) -> None:
    _create(simulation)
    _describe(simulation)
    _delete()
    _capacity_providers()
    _associations()


def _create(simulation: Simulation) -> None:
    @replaces(Backend, "create_cluster")
    def _create_cluster(original: Original, backend: Any, cluster_name: str, *arguments: Any, **options: Any) -> Any:
        known = backend.clusters.get(cluster_name)
        if known is not None and known.status == "ACTIVE":
            return known
        if not cluster_name.replace("-", "").replace("_", "").isalnum() or len(cluster_name) > 255:
            raise invalid("Invalid cluster name: 1 to 255 letters, digits, hyphens and underscores.")
        cluster = original(backend, cluster_name, *arguments, **options)
        cluster.capacity_providers = cluster.capacity_providers or []
        cluster.default_capacity_provider_strategy = cluster.default_capacity_provider_strategy or []
        cluster.tags = cluster.tags or []
        _check_providers(backend, cluster.capacity_providers)
        simulation.world.born(f"cluster/{cluster_name}")
        return cluster


def _describe(simulation: Simulation) -> None:
    @replaces(Response, "describe_clusters")
    def _describe_clusters(_original: Original, handler: Any) -> Any:
        names = handler._get_param("clusters") or ["default"]
        at_most(names, 100, "Clusters")
        backend = handler.ecs_backend
        new = simulation.world.is_new
        found = [None if new(f"cluster/{short(name)}") else backend.clusters.get(short(name)) for name in names]
        only_if_included(handler, "TAGS", DESCRIBE_CLUSTERS_TAGS, otherwise=[])
        only_if_included(handler, "SETTINGS", "DescribeClustersResponse.clusters.Cluster.settings", otherwise=[])
        arn = f"arn:aws:ecs:{backend.region_name}:{backend.account_id}:cluster/"
        failures = [missing(arn + short(name)) for name, cluster in zip(names, found, strict=True) if cluster is None]
        described = [cluster for cluster in found if cluster is not None]
        for cluster in described:
            _count(backend, cluster, "STATISTICS" in (handler._get_param("include") or []))
        return ActionResult({"clusters": described, "failures": failures})

    @replaces(Backend, "list_clusters")
    def _list_clusters(_original: Original, backend: Any) -> list[str]:
        return [cluster.arn for cluster in backend.clusters.values() if cluster.status == "ACTIVE"]

    @replaces(Backend, "_get_cluster")
    def _get_cluster(original: Original, backend: Any, name: str) -> Any:
        return original(backend, name or "default")


def _count(backend: Any, cluster: Any, statistics: bool) -> None:
    hosts = backend.container_instances.get(cluster.name, {})
    tasks = backend.tasks.get(cluster.name, {}).values()
    services = [s for s in backend.services.values() if s.cluster_name == cluster.name]
    active = [service for service in services if service.status == "ACTIVE"]
    cluster.registered_container_instances_count = len(hosts)
    cluster.running_tasks_count = sum(task.last_status == "RUNNING" for task in tasks)
    cluster.pending_tasks_count = sum(task.starting for task in tasks)
    cluster.active_services_count = len(active)
    counts = {
        "runningEC2TasksCount": cluster.running_tasks_count,
        "pendingEC2TasksCount": cluster.pending_tasks_count,
        "activeEC2ServiceCount": len(active),
        "drainingEC2ServiceCount": sum(service.status == "DRAINING" for service in services),
    }
    cluster.statistics = [{"name": name, "value": str(value)} for name, value in counts.items()] if statistics else []


def _delete() -> None:
    @replaces(Backend, "delete_cluster")
    def _delete_cluster(original: Original, backend: Any, name: str) -> Any:
        cluster = backend._get_cluster(name)
        if cluster.status != "ACTIVE":
            return cluster
        if backend.container_instances.get(cluster.name):
            message = "The Cluster cannot be deleted while Container Instances are active or draining."
            raise fail("ClusterContainsContainerInstancesException", message)
        if any(s.cluster_name == cluster.name and s.status != "INACTIVE" for s in backend.services.values()):
            raise fail("ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")
        if any(task.last_status != "STOPPED" for task in backend.tasks.get(cluster.name, {}).values()):
            raise fail("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
        _count(backend, cluster, statistics=False)
        return original(backend, name)


def _capacity_providers() -> None:
    @replaces(Backend, "create_capacity_provider")
    def _create_capacity_provider(original: Original, backend: Any, name: str, *arguments: Any) -> Any:
        if name in backend.capacity_providers:
            message = f"A capacity provider with the specified name already exists: {name}"
            raise fail("ClientException", message)
        provider = original(backend, name, *arguments)
        provider.tags = provider.tags or []
        return provider

    @replaces(Backend, "delete_capacity_provider")
    def _delete_capacity_provider(original: Original, backend: Any, name_or_arn: str) -> Any:
        provider = _provider(backend, name_or_arn)
        users = [c for c in backend.clusters.values() if c.status == "ACTIVE" and provider.name in c.capacity_providers]
        if users:
            message = "The capacity provider cannot be deleted because it is associated with cluster"
            raise fail("ResourceInUseException", f"{message} {users[0].name}.")
        provider = original(backend, name_or_arn)
        provider.status, provider.update_status = "INACTIVE", "DELETE_COMPLETE"
        return provider

    @replaces(Backend, "update_capacity_provider")
    def _update_capacity_provider(original: Original, backend: Any, name_or_arn: str, details: Any) -> Any:
        _provider(backend, name_or_arn)
        return original(backend, name_or_arn, details)

    @replaces(Response, "describe_capacity_providers")
    def _describe_capacity_providers(original: Original, handler: Any) -> Any:
        only_if_included(handler, "TAGS", "DescribeCapacityProvidersResponse.capacityProviders.CapacityProvider.tags")
        if handler._get_param("capacityProviders"):
            return original(handler)
        return ActionResult(
            {"capacityProviders": list(handler.ecs_backend.capacity_providers.values()), "failures": []}
        )


def _associations() -> None:
    @replaces(Backend, "put_cluster_capacity_providers")
    def _put_cluster_capacity_providers(
        original: Original, backend: Any, name: str, providers: Any, strategy: Any
    ) -> Any:
        _check_providers(backend, providers or [])
        strays = [
            item["capacityProvider"] for item in strategy or [] if item["capacityProvider"] not in (providers or [])
        ]
        if strays:
            raise invalid(
                f"The capacity provider {strays[0]} of the default strategy is not associated with the cluster."
            )
        cluster = backend._get_cluster(name)
        _refuse_detaching(backend, cluster, set(cluster.capacity_providers) - set(providers or []))
        return original(backend, name, providers, strategy)


def _check_providers(backend: Any, names: list[str]) -> None:
    for name in names:
        if name not in MANAGED_PROVIDERS and name not in backend.capacity_providers:
            message = (
                f"The specified capacity provider '{name}' was not found. Specify a valid name or ARN and try again."
            )
            raise invalid(message)


def _refuse_detaching(backend: Any, cluster: Any, removed: set[str]) -> None:
    for service in backend.services.values():
        used = {item["capacityProvider"] for item in service.capacity_provider_strategy}
        if service.cluster_name == cluster.name and service.status == "ACTIVE" and used & removed:
            message = "The specified capacity provider is in use and cannot be removed."
            raise fail("ResourceInUseException", message)


def _provider(backend: Any, name_or_arn: str) -> Any:
    provider = backend._get_provider(name_or_arn)
    if provider is None:
        message = "The specified capacity provider does not exist. Specify a valid name or ARN and try again."
        raise fail("ClientException", message)
    return provider
