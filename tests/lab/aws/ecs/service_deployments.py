# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ListServiceDeployments and DescribeServiceDeployments: the history of a service's deployments, which moto lacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.responses import EC2ContainerServiceResponse as Response

from lab.aws.ecs.calls import at_most, cluster_of, fail, missing, short
from lab.aws.ecs.deployments import breaker_threshold
from lab.aws.ecs.resources import Deployment, Service
from lab.aws.ecs.simulation import Simulation
from lab.aws.patching import adds


def install(_simulation: Simulation) -> None:
    @adds(Response, "list_service_deployments")
    def _list_service_deployments(handler: Any) -> Any:
        cluster, wanted = cluster_of(handler), handler._get_param("status") or []
        service = handler.ecs_backend.services.get(f"{cluster.name}:{short(handler._get_param('service'))}")
        if service is None:
            raise fail("ServiceNotFoundException", "Service not found.")
        all_of_it = [_described(service, deployment) for deployment in reversed(service.history)]
        return ActionResult({"serviceDeployments": [d for d in all_of_it if not wanted or d["status"] in wanted]})

    @adds(Response, "describe_service_deployments")
    def _describe_service_deployments(handler: Any) -> Any:
        arns = handler._get_param("serviceDeploymentArns") or []
        at_most(arns, 20, "Service deployments")
        known = {d["serviceDeploymentArn"]: d for d in _all(handler.ecs_backend)}
        return ActionResult(
            {
                "serviceDeployments": [known[arn] for arn in arns if arn in known],
                "failures": [missing(arn) for arn in arns if arn not in known],
            }
        )


def _all(backend: Any) -> Iterator[dict[str, Any]]:
    for service in backend.services.values():
        for deployment in service.history:
            yield _described(service, deployment)


def _described(service: Service, deployment: Deployment) -> dict[str, Any]:
    number = deployment.id.partition("/")[2]
    revision = service.arn.replace(":service/", ":service-revision/") + f"/{number}"
    breaker = service.deployment_configuration["deploymentCircuitBreaker"]
    return {
        "serviceDeploymentArn": service.arn.replace(":service/", ":service-deployment/") + f"/{number}",
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "createdAt": deployment.created_at,
        "startedAt": deployment.created_at,
        "updatedAt": deployment.updated_at,
        "finishedAt": deployment.finished_at,
        "targetServiceRevisionArn": revision,
        "targetServiceRevision": {
            "arn": revision,
            "requestedTaskCount": deployment.desired_count,
            "runningTaskCount": deployment.running_count,
            "pendingTaskCount": deployment.pending_count,
        },
        "status": _status(service, deployment),
        "statusReason": deployment.rollout_state_reason,
        "deploymentConfiguration": service.deployment_configuration,
        "deploymentCircuitBreaker": {
            "status": _breaker(deployment, breaker["enable"]),
            "failureCount": deployment.failed_tasks,
            "threshold": breaker_threshold(service.desired_count),
        },
    }


def _status(service: Service, deployment: Deployment) -> str:
    undone = next((d for d in service.history if d.rollback_of == deployment.id), None)
    if undone is not None:
        return "ROLLBACK_SUCCESSFUL" if undone.progress == "COMPLETED" else "ROLLBACK_IN_PROGRESS"
    if deployment.progress == "COMPLETED":
        return "SUCCESSFUL"
    if deployment.progress == "FAILED":
        return "ROLLBACK_FAILED"
    return "IN_PROGRESS" if deployment.status == "PRIMARY" else "STOPPED"


def _breaker(deployment: Deployment, enabled: bool) -> str:
    if not enabled:
        return "DISABLED"
    states = {"FAILED": "TRIGGERED", "COMPLETED": "MONITORING_COMPLETE"}
    return states.get(deployment.progress, "MONITORING")
