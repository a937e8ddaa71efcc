# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of apps start from: the module's options, a run on a scripted AWS, and live things as AWS gives them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.container.schedulers.plugins.module_utils._argspec import STATE, wait_options
from ansible_collections.container.schedulers.plugins.module_utils._aws.app_argspec import APP
from ansible_collections.container.schedulers.plugins.module_utils._aws.app_options import AppOptions
from ansible_collections.container.schedulers.plugins.module_utils._aws.names import app_mark
from ansible_collections.container.schedulers.plugins.module_utils._aws.options import CONNECTION
from ansible_collections.container.schedulers.plugins.module_utils._aws.run import Run
from ansible_collections.container.schedulers.plugins.module_utils._clock import Deadline
from ansible_collections.container.schedulers.plugins.module_utils._ownership import APP as APP_TAG
from ansible_collections.container.schedulers.plugins.module_utils._ownership import OWNER, PART
from unit.scripted import ScriptedAws

ACCOUNT = "arn:aws:ecs:eu-west-1:123456789012"
BEGINNING = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def params(**given: Any) -> dict[str, Any]:
    """The options as AnsibleModule hands them over, for app web of cluster one."""
    arguments = APP.merge(STATE, wait_options(600), CONNECTION).to_kwargs()["argument_spec"]
    result = ArgumentSpecValidator(arguments).validate({"name": "web", "cluster": "one", **given})
    assert not result.error_messages, result.error_messages
    validated: dict[str, Any] = result.validated_parameters
    return validated


def options(**given: Any) -> AppOptions:
    """The checked options, with the family that a new app gets."""
    return AppOptions.from_params(params(**given)).with_family(None)


def a_run(aws: ScriptedAws, seconds: float = 600, **tags: str) -> Run:
    """A run for app web of cluster one, on the clock of its AWS."""
    return Run(aws, app_mark("one", "web"), Deadline(aws.clock, seconds), tags=tags)


def mark(part: str, app: str = "web") -> dict[str, str]:
    """The mark of something of an app, or, with an empty name, of the cluster."""
    return {OWNER: "ecs/one", PART: part, **({APP_TAG: app} if app else {})}


def ecs_mark(part: str, app: str = "web") -> list[dict[str, str]]:
    """The mark as ECS gives tags."""
    return [{"key": key, "value": value} for key, value in mark(part, app).items()]


def upper_mark(part: str, app: str = "web") -> list[dict[str, str]]:
    """The mark as all other services give tags."""
    return [{"Key": key, "Value": value} for key, value in mark(part, app).items()]


def definition(revision: int = 1, family: str = "one-web", **container: Any) -> dict[str, Any]:
    """A task definition as DescribeTaskDefinition gives it, with all that ECS fills in."""
    filled = {
        "name": "web",
        "image": "httpd",
        "cpu": 0,
        "memory": 64,
        "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}],
        "essential": True,
        "environment": [],
        "mountPoints": [],
        "volumesFrom": [],
        "systemControls": [],
    }
    return {
        "taskDefinitionArn": f"{ACCOUNT}:task-definition/{family}:{revision}",
        "family": family,
        "revision": revision,
        "status": "ACTIVE",
        "networkMode": "bridge",
        "containerDefinitions": [{**filled, **container}],
        "volumes": [],
        "placementConstraints": [],
        "requiresCompatibilities": ["EC2"],
        "requiresAttributes": [{"name": "com.amazonaws.ecs.capability.docker-remote-api.1.18"}],
    }


def described(revision: int = 1, tags: bool = True, **container: Any) -> dict[str, Any]:
    """The whole answer of DescribeTaskDefinition."""
    own = ecs_mark("task-definition") if tags else []
    return {"taskDefinition": definition(revision, **container), "tags": own}


def deployment(identifier: str = "ecs-svc/1", **given: Any) -> dict[str, Any]:
    """A deployment that is completed."""
    return {
        "id": identifier,
        "status": "PRIMARY",
        "taskDefinition": f"{ACCOUNT}:task-definition/one-web:1",
        "desiredCount": 2,
        "runningCount": 2,
        "pendingCount": 0,
        "failedTasks": 0,
        "rolloutState": "COMPLETED",
        "createdAt": BEGINNING,
        "updatedAt": BEGINNING,
        **given,
    }


def service(**given: Any) -> dict[str, Any]:
    """A service that is ready, as DescribeServices gives it."""
    return {
        "serviceArn": f"{ACCOUNT}:service/one/web",
        "serviceName": "web",
        "status": "ACTIVE",
        "desiredCount": 2,
        "runningCount": 2,
        "pendingCount": 0,
        "taskDefinition": f"{ACCOUNT}:task-definition/one-web:1",
        "schedulingStrategy": "REPLICA",
        "deploymentConfiguration": {
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        },
        "placementConstraints": [],
        "placementStrategy": [],
        "loadBalancers": [],
        "deployments": [deployment()],
        "events": [],
        "tags": ecs_mark("service"),
        **given,
    }


def event(message: str, seconds: float = 10) -> dict[str, Any]:
    """Something that ECS says so many seconds after the deployment began."""
    return {"id": message, "message": f"(service web) {message}", "createdAt": BEGINNING + timedelta(seconds=seconds)}


def classic(name: str = "one-lb", **given: Any) -> dict[str, Any]:
    """A classic load balancer as DescribeLoadBalancers gives it, made by the defaults for port 80."""
    listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstanceProtocol": "HTTP", "InstancePort": 80}
    return {
        "LoadBalancerName": name,
        "DNSName": f"{name}.elb.example",
        "CanonicalHostedZoneNameID": "Z1",
        "Scheme": "internet-facing",
        "VPCId": "vpc-1",
        "Subnets": ["subnet-2", "subnet-1"],
        "SecurityGroups": ["sg-lb"],
        "ListenerDescriptions": [{"Listener": listener, "PolicyNames": []}],
        "HealthCheck": {
            "Target": "HTTP:80/",
            "Interval": 10,
            "Timeout": 5,
            "HealthyThreshold": 2,
            "UnhealthyThreshold": 3,
        },
        **given,
    }


CLASSIC_ATTRIBUTES: Mapping[str, Any] = {
    "LoadBalancerAttributes": {
        "CrossZoneLoadBalancing": {"Enabled": True},
        "ConnectionDraining": {"Enabled": True, "Timeout": 30},
    }
}


def security_group(identifier: str, part: str, app: str = "", **given: Any) -> dict[str, Any]:
    """A security group as DescribeSecurityGroups gives it."""
    return {
        "GroupId": identifier,
        "GroupName": f"{identifier}-name",
        "VpcId": "vpc-1",
        "IpPermissions": [],
        "Tags": upper_mark(part, app),
        **given,
    }
