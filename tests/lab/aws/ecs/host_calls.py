# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls on container instances: lists understand the query language, draining and deregistering have effects."""

from __future__ import annotations

import json
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.ecs.models import EC2ContainerServiceBackend as Backend
from moto.ecs.responses import EC2ContainerServiceResponse as Response
from moto.ecs.responses import format_attributes

from lab.aws.ecs.calls import Original, at_most, cluster_of, fail, invalid, missing, only_if_included, short
from lab.aws.ecs.query import ExpressionError, matches
from lab.aws.ecs.resources import ContainerInstance
from lab.aws.ecs.simulation import Simulation
from lab.aws.patching import replaces


def install(simulation: Simulation) -> None:
    _list_and_describe()
    _change(simulation)
    _attributes()
    _tags()


def _list_and_describe() -> None:
    @replaces(Response, "list_container_instances")
    def _list_container_instances(_original: Original, handler: Any) -> Any:
        cluster, status = cluster_of(handler), handler._get_param("status")
        expression = handler._get_param("filter")
        try:
            arns = sorted(
                host.arn
                for host in _hosts(handler, cluster).values()
                if status in (None, host.status) and (not expression or matches(expression, _facts(host)))
            )
        except ExpressionError as error:
            raise invalid(str(error)) from error
        return ActionResult({"containerInstanceArns": arns})

    @replaces(Response, "describe_container_instances")
    def _describe_container_instances(_original: Original, handler: Any) -> Any:
        cluster, names = cluster_of(handler), handler._get_param("containerInstances") or []
        at_most(names, 100, "Container instances")
        only_if_included(
            handler, "TAGS", "DescribeContainerInstancesResponse.containerInstances.ContainerInstance.tags", []
        )
        found, failures = _find(handler, cluster, names)
        return ActionResult({"containerInstances": found, "failures": failures})


def _facts(host: ContainerInstance) -> dict[str, str | None]:
    """What the cluster query language may ask about."""
    return {
        **host.attributes,
        "agentConnected": str(host.agent_connected).lower(),
        "agentVersion": host.version_info["agentVersion"],
        "ec2InstanceId": host.ec2_instance_id,
        "registeredAt": host.registered_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "runningTasksCount": str(host.running_tasks_count),
        "status": host.status,
    }


def _change(simulation: Simulation) -> None:
    @replaces(Response, "update_container_instances_state")
    def _update_container_instances_state(_original: Original, handler: Any) -> Any:
        cluster, names = cluster_of(handler), handler._get_param("containerInstances") or []
        status = handler._get_param("status")
        if status not in ("ACTIVE", "DRAINING"):
            raise invalid("Container instance status should be one of [ACTIVE, DRAINING]")
        at_most(names, 10, "Container instances")
        found, failures = _find(handler, cluster, names)
        for host in found:
            simulation.hosts.set_status(host, status)
        _show_attributes(
            handler, "UpdateContainerInstancesStateResponse.containerInstances.ContainerInstance.attributes"
        )
        return ActionResult({"containerInstances": found, "failures": failures})

    @replaces(Response, "deregister_container_instance")
    def _deregister_container_instance(_original: Original, handler: Any) -> Any:
        cluster = cluster_of(handler)
        host = _hosts(handler, cluster).get(short(handler._get_param("containerInstance") or ""))
        if host is None:
            raise invalid("The referenced container instance was not found.")
        if host.tasks_here and not handler._get_param("force"):
            raise invalid("Found running tasks on the instance.")
        simulation.hosts.remove(host, "Container instance deregistration forced by user.")
        _show_attributes(handler, "DeregisterContainerInstanceResponse.containerInstance.attributes")
        return ActionResult({"containerInstance": host})

    @replaces(Response, "register_container_instance")
    def _register_container_instance(_original: Original, handler: Any) -> Any:
        """For clients that play the agent: the instance must exist, its identity document is taken as it is."""
        cluster = cluster_of(handler)
        try:
            instance_id = json.loads(handler._get_param("instanceIdentityDocument") or "")["instanceId"]
        except (ValueError, KeyError, TypeError) as error:
            raise fail("ClientException", "The instance identity document is not valid.") from error
        instance = ec2_backends[handler.current_account][handler.region].get_instance(instance_id)
        host = simulation.hosts.register(handler.ecs_backend, cluster, instance, {})
        simulation.instances.adopt(instance, host)
        return ActionResult({"containerInstance": host})


def _attributes() -> None:
    @replaces(Backend, "put_attributes")
    def _put_attributes(_original: Original, backend: Any, cluster_name: str, attributes: Any = None) -> None:
        for host, attribute in _targets(backend, cluster_name, attributes):
            host.attributes[attribute["name"]] = attribute.get("value")

    @replaces(Backend, "delete_attributes")
    def _delete_attributes(_original: Original, backend: Any, cluster_name: str, attributes: Any = None) -> None:
        for host, attribute in _targets(backend, cluster_name, attributes):
            host.attributes.pop(attribute["name"], None)


def _targets(backend: Any, cluster_name: str, attributes: Any) -> list[tuple[ContainerInstance, Any]]:
    known = backend.container_instances.get(backend._get_cluster(cluster_name).name, {})
    found = []
    for attribute in attributes or []:
        host = known.get(short(attribute.get("targetId") or ""))
        if host is None:
            raise fail("TargetNotFoundException", f"Could not find {attribute.get('targetId')}")
        found.append((host, attribute))
    return found


def _tags() -> None:
    @replaces(Backend, "_get_resource")
    def _get_resource(original: Original, backend: Any, arn: str, parsed: dict[str, str]) -> Any:
        """moto's tag calls do not know container instances, and look for tasks the slow way."""
        if parsed["service"] not in ("container-instance", "task"):
            return original(backend, arn, parsed)
        kinds = backend.container_instances if parsed["service"] == "container-instance" else backend.tasks
        for things in kinds.values():
            for thing in things.values():
                if arn in (getattr(thing, "task_arn", None), getattr(thing, "arn", None)):
                    return thing
        raise invalid("The specified resource was not found.")


def _show_attributes(handler: Any, path: str) -> None:
    handler.RESPONSE_KEY_PATH_TO_TRANSFORMER[path] = format_attributes


def _hosts(handler: Any, cluster: Any) -> dict[str, ContainerInstance]:
    known: dict[str, ContainerInstance] = handler.ecs_backend.container_instances.get(cluster.name, {})
    return known


def _find(handler: Any, cluster: Any, names: list[str]) -> tuple[list[ContainerInstance], list[dict[str, str]]]:
    known = _hosts(handler, cluster)
    arn = cluster.arn.replace(":cluster/", ":container-instance/") + "/"
    found = [known[short(name)] for name in names if short(name) in known]
    return found, [missing(arn + short(name)) for name in names if short(name) not in known]
