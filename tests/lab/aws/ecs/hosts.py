# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Container instances: how an EC2 instance becomes one, drains, loses its agent, and goes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from moto.autoscaling.models import autoscaling_backends
from moto.ecs.models import ecs_backends

from lab.aws.ecs.resources import AGENT_PORTS, CAPABILITIES, ContainerInstance, capacity_of, new_id
from lab.aws.ecs.scheduler import Host
from lab.aws.ecs.services import Services
from lab.aws.ecs.tasks import Tasks
from lab.world import World

AGENT_VERSION = {"agentVersion": "1.99.0", "agentHash": "0a1b2c3d", "dockerVersion": "DockerVersion: 25.0.13"}


class Hosts:
    """The account's container instances; kept where moto keeps its own, by region, cluster and id."""

    def __init__(self, world: World, tasks: Tasks, services: Services) -> None:
        self._world = world
        self._tasks = tasks
        self._services = services

    def register(self, backend: Any, cluster: Any, instance: Any, config: Mapping[str, str]) -> ContainerInstance:
        """The agent on `instance` says hello to the cluster; saying it again changes nothing."""
        known = self.of_instance(instance.region_name, instance.id)
        if known is not None and known.cluster_name == cluster.name:
            known.agent_connected = True
            self._services.mark_cluster(known.region_name, known.cluster_name)
            return known
        cpu, memory = capacity_of(instance.instance_type)
        memory -= int(config.get("ECS_RESERVED_MEMORY") or 0)
        ports = (*AGENT_PORTS, *_list(config.get("ECS_RESERVED_PORTS")))
        attributes = {**_attributes(instance), **_mapping(config.get("ECS_INSTANCE_ATTRIBUTES"))}
        host = Host(new_id(), instance.availability_zone, cpu, memory, {(p, "tcp") for p in ports}, attributes)
        region = instance.region_name
        host_instance = ContainerInstance(
            arn=f"arn:aws:ecs:{region}:{backend.account_id}:container-instance/{cluster.name}/{host.id}",
            ec2_instance_id=instance.id,
            cluster_name=cluster.name,
            region_name=region,
            host=host,
            registered_cpu=cpu,
            registered_memory=memory,
            registered_at=self._world.clock.utc(),
            version_info=dict(AGENT_VERSION),
            tags=_tags(instance, config),
            capacity_provider_name=_provider(backend, cluster, instance),
            reserved_ports=ports,
        )
        backend.container_instances.setdefault(cluster.name, {})[host.id] = host_instance
        self._services.mark_cluster(region, cluster.name)
        return host_instance

    def disconnect(self, host: ContainerInstance, reason: str) -> None:
        """The instance has stopped: its tasks are gone, the registration stays."""
        host.agent_connected = False
        for task in list(host.tasks_here.values()):
            self._tasks.lose(task, reason)
        self._services.mark_cluster(host.region_name, host.cluster_name)

    def remove(self, host: ContainerInstance, reason: str) -> None:
        """The instance is no container instance any more."""
        self.disconnect(host, reason)
        host.status = "INACTIVE"
        ecs_backends[self._world.account][host.region_name].container_instances[host.cluster_name].pop(host.id, None)

    def set_status(self, host: ContainerInstance, status: str) -> None:
        host.status = status
        host.version += 1
        for task in host.tasks_here.values():
            if task.service is not None:
                self._services.mark(task.service)
        self._services.mark_cluster(host.region_name, host.cluster_name)

    def of_instance(self, region: str, instance_id: str) -> ContainerInstance | None:
        return next((host for host in self._in_region(region) if host.ec2_instance_id == instance_id), None)

    def _in_region(self, region: str) -> Iterator[ContainerInstance]:
        for hosts in ecs_backends[self._world.account][region].container_instances.values():
            yield from hosts.values()


def _attributes(instance: Any) -> dict[str, str | None]:
    architecture = {"x86_64": "x86_64", "arm64": "arm64"}.get(instance.architecture, "x86_64")
    return {
        **dict.fromkeys(CAPABILITIES),
        "ecs.ami-id": instance.image_id,
        "ecs.availability-zone": instance.availability_zone,
        "ecs.cpu-architecture": architecture,
        "ecs.instance-type": instance.instance_type,
        "ecs.os-family": "LINUX",
        "ecs.os-type": "linux",
        "ecs.subnet-id": instance.subnet_id,
        "ecs.vpc-id": instance.vpc_id,
    }


def _tags(instance: Any, config: Mapping[str, str]) -> list[dict[str, str]]:
    tags = _mapping(config.get("ECS_CONTAINER_INSTANCE_TAGS"))
    if config.get("ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM") == "ec2_instance":
        own = {tag["key"]: tag["value"] for tag in instance.get_tags() if not tag["key"].startswith("aws:")}
        tags = {**own, **tags}
    return [{"key": key, "value": value or ""} for key, value in tags.items()]


def _provider(backend: Any, cluster: Any, instance: Any) -> str | None:
    """The cluster's capacity provider whose auto scaling group the instance belongs to."""
    for name in cluster.capacity_providers or []:
        provider = backend.capacity_providers.get(name)
        arn = provider.auto_scaling_group_provider["autoScalingGroupArn"] if provider else ""
        group_name = arn.rpartition("autoScalingGroupName/")[2]
        group = autoscaling_backends[backend.account_id][backend.region_name].autoscaling_groups.get(group_name)
        if group is not None and any(state.instance.id == instance.id for state in group.instance_states):
            return str(name)
    return None


def _mapping(text: str | None) -> dict[str, str | None]:
    """A JSON object in ecs.config; anything else there counts as nothing, as with the agent."""
    try:
        document = json.loads(text or "{}")
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in document.items()} if isinstance(document, dict) else {}


def _list(text: str | None) -> list[int]:
    return [int(part) for part in (text or "").strip("[] ").split(",") if part.strip().isdigit()]
