# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECS's answers: what is kept, what is filled in, what is refused."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def ecs(lab: Any) -> Any:
    client = lab.client("ecs")
    client.create_cluster(clusterName="demo")
    return client


def container(**changes: Any) -> dict[str, Any]:
    return {"name": "web", "image": "httpd", "memory": 100, "portMappings": [{"containerPort": 80}], **changes}


def define(ecs: Any, **changes: Any) -> dict[str, Any]:
    given = {"family": "web", "containerDefinitions": [container(**changes.pop("container", {}))], **changes}
    return dict(ecs.register_task_definition(**given)["taskDefinition"])


def serve(ecs: Any, **changes: Any) -> dict[str, Any]:
    given = {"cluster": "demo", "serviceName": "web", "taskDefinition": "web", "desiredCount": 1, **changes}
    return dict(ecs.create_service(**given)["service"])


def test_defaults_of_a_task_definition(ecs: Any) -> None:
    log = {"logDriver": "awslogs", "options": {"awslogs-group": "g"}}
    check = {"command": ["CMD", "true"]}
    definition = define(ecs, container={"logConfiguration": log, "healthCheck": check}, volumes=[{"name": "v"}])
    assert definition["containerDefinitions"] == [
        {
            "name": "web",
            "image": "httpd",
            "cpu": 0,
            "memory": 100,
            "portMappings": [{"containerPort": 80, "hostPort": 0, "protocol": "tcp"}],
            "essential": True,
            "environment": [],
            "mountPoints": [],
            "volumesFrom": [],
            "systemControls": [],
            "logConfiguration": {**log, "secretOptions": []},
            "healthCheck": {**check, "interval": 30, "timeout": 5, "retries": 3},
        }
    ]
    assert definition["volumes"] == [{"name": "v", "host": {}}]
    assert (definition["networkMode"], definition["status"], definition["revision"]) == ("bridge", "ACTIVE", 1)
    assert definition["placementConstraints"] == []
    assert definition["compatibilities"] == ["EXTERNAL", "EC2"]
    assert {"name": "com.amazonaws.ecs.capability.logging-driver.awslogs"} in definition["requiresAttributes"]
    assert {"registeredAt", "registeredBy"} <= definition.keys()


def test_tags_are_described_only_on_request(ecs: Any) -> None:
    tags = [{"key": "owner", "value": "me"}]
    answer = ecs.register_task_definition(family="web", containerDefinitions=[container()], tags=tags)
    assert answer["tags"] == tags
    assert "tags" not in ecs.describe_task_definition(taskDefinition="web")
    assert ecs.describe_task_definition(taskDefinition="web", include=["TAGS"])["tags"] == tags
    assert serve(ecs, tags=tags)["tags"] == tags
    assert "tags" not in ecs.describe_services(cluster="demo", services=["web"])["services"][0]
    assert ecs.describe_services(cluster="demo", services=["web"], include=["TAGS"])["services"][0]["tags"] == tags
    assert "tags" not in ecs.update_service(cluster="demo", service="web", desiredCount=2)["service"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"family": "no blanks"}, "Family contains invalid characters."),
        ({"containerDefinitions": []}, "Container list cannot be empty."),
        ({"container": {"name": "a b"}}, "Container.name contains invalid characters."),
        ({"container": {"image": ""}}, "Container.image should not be null or empty."),
        ({"container": {"image": "a b"}}, "Container.image contains invalid characters."),
        ({"container": {"memory": 0}}, "At least one of 'memory' or 'memoryReservation' must be specified."),
        ({"container": {"memory": 5}}, "'memory' must be at least 6."),
        ({"container": {"memoryReservation": 200}}, "'memory' must be greater than or equal to 'memoryReservation'."),
        ({"container": {"portMappings": [{"containerPort": 80, "hostPort": 65536}]}}, "Invalid 'hostPort' setting"),
        ({"container": {"essential": False}}, "at least one container must be essential"),
        ({"containerDefinitions": [container(), container()]}, "Container names must be unique"),
        ({"container": {"secrets": [{"name": "S", "valueFrom": "s"}]}}, "a value for 'executionRoleArn'"),
        (
            {"container": {"secrets": [{"name": "S", "valueFrom": "s"}], "environment": [{"name": "S", "value": "x"}]}},
            "environment variables set on the container, such as 'S'",
        ),
        ({"container": {"logConfiguration": {"logDriver": "awslogs"}}}, "requires options: awslogs-group"),
    ],
)
def test_task_definitions_that_are_refused(ecs: Any, refused: Any, changes: dict[str, Any], words: str) -> None:
    error = refused("ClientException", define, ecs=ecs, **changes)
    assert words in error["Error"]["Message"]


def test_a_reservation_alone_is_enough(ecs: Any) -> None:
    only_soft = [{"name": "web", "image": "httpd", "memoryReservation": 100}]
    ecs.register_task_definition(family="soft", containerDefinitions=only_soft, requiresCompatibilities=["EC2"])


def test_revisions(ecs: Any, refused: Any) -> None:
    arns = [define(ecs)["taskDefinitionArn"] for _unused in range(3)]
    listed = ecs.list_task_definitions
    assert listed(familyPrefix="web")["taskDefinitionArns"] == arns
    assert listed(familyPrefix="web", sort="DESC")["taskDefinitionArns"] == arns[::-1]
    assert "deregisteredAt" in ecs.deregister_task_definition(taskDefinition=arns[2])["taskDefinition"]
    assert listed(status="INACTIVE")["taskDefinitionArns"] == [arns[2]]
    assert ecs.describe_task_definition(taskDefinition="web")["taskDefinition"]["revision"] == 2
    error = refused("ClientException", serve, ecs=ecs, taskDefinition=arns[2])
    assert error["Error"]["Message"] == "TaskDefinition is inactive"
    assert ecs.delete_task_definitions(taskDefinitions=arns[1:])["failures"][0]["arn"] == arns[1]
    assert define(ecs)["revision"] == 4
    refused("ClientException", ecs.describe_task_definition, taskDefinition="other")
    assert ecs.list_task_definition_families(status="ACTIVE")["families"] == ["web"]
    assert ecs.list_task_definition_families(status="INACTIVE")["families"] == []


def test_defaults_of_a_service(ecs: Any) -> None:
    define(ecs)
    service = serve(ecs)
    assert service["deploymentConfiguration"] == {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }
    defaults = {
        "deploymentController": {"type": "ECS"},
        "schedulingStrategy": "REPLICA",
        "propagateTags": "NONE",
        "enableECSManagedTags": False,
        "enableExecuteCommand": False,
        "launchType": "EC2",
        "availabilityZoneRebalancing": "ENABLED",
        "placementConstraints": [],
        "placementStrategy": [],
        "loadBalancers": [],
        "serviceRegistries": [],
        "status": "ACTIVE",
    }
    assert {key: service[key] for key in defaults} == defaults
    assert "healthCheckGracePeriodSeconds" not in service
    assert {"createdAt", "createdBy"} <= service.keys()


def test_everything_that_is_given_is_described(ecs: Any) -> None:
    define(ecs)
    given = {
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "maximumPercent": 150,
            "minimumHealthyPercent": 50,
            "strategy": "ROLLING",
            "bakeTimeInMinutes": 0,
        },
        "placementConstraints": [{"type": "memberOf", "expression": "attribute:ecs.instance-type =~ t3.*"}],
        "placementStrategy": [{"type": "spread", "field": "instanceId"}],
        "propagateTags": "SERVICE",
        "enableECSManagedTags": True,
        "enableExecuteCommand": True,
        "availabilityZoneRebalancing": "DISABLED",
    }
    serve(ecs, **given)
    described = ecs.describe_services(cluster="demo", services=["web"])["services"][0]
    assert {key: described[key] for key in given} == given
    changes = {"placementStrategy": [], "propagateTags": "NONE", "enableExecuteCommand": False}
    changed = ecs.update_service(cluster="demo", service="web", **changes)["service"]
    assert {key: changed[key] for key in given} == {**given, **changes}


def test_creating_twice(ecs: Any, refused: Any) -> None:
    define(ecs)
    first = serve(ecs, clientToken="t")
    assert serve(ecs, clientToken="t")["createdAt"] == first["createdAt"]
    error = refused("InvalidParameterException", serve, ecs=ecs, desiredCount=2)
    assert error["Error"]["Message"] == "Creation of service was not idempotent."
    ecs.tag_resource(resourceArn=first["clusterArn"], tags=[{"key": "owner", "value": "me"}])
    ecs.create_cluster(clusterName="demo")
    cluster = ecs.describe_clusters(clusters=["demo"], include=["TAGS"])["clusters"][0]
    assert cluster["tags"] == [{"key": "owner", "value": "me"}]


@pytest.mark.parametrize(
    ("code", "changes", "words"),
    [
        ("ClusterNotFoundException", {"cluster": "other"}, "Cluster not found."),
        ("InvalidParameterException", {"serviceName": "no blanks"}, "not valid"),
        ("ClientException", {"taskDefinition": "other"}, "Unable to describe task definition."),
        ("InvalidParameterException", {"desiredCount": -1}, "cannot be negative"),
        ("InvalidParameterException", {"schedulingStrategy": "DAEMON"}, "does not support a desired count"),
        (
            "InvalidParameterException",
            {"healthCheckGracePeriodSeconds": 5},
            "Health check grace period is only valid for services configured to use load balancers",
        ),
        (
            "InvalidParameterException",
            {"loadBalancers": [{"loadBalancerName": "x", "containerName": "other", "containerPort": 80}]},
            "The container other does not exist in the task definition.",
        ),
        (
            "InvalidParameterException",
            {"loadBalancers": [{"loadBalancerName": "x", "containerName": "web", "containerPort": 81}]},
            "The container web did not have a container port 81 defined.",
        ),
        (
            "InvalidParameterException",
            {"loadBalancers": [{"loadBalancerName": "x", "containerName": "web", "containerPort": 80}]},
            "The load balancer x does not exist.",
        ),
        (
            "InvalidParameterException",
            {"loadBalancers": [{"targetGroupArn": "arn:x", "containerName": "web", "containerPort": 80}]},
            "The target group arn:x does not exist.",
        ),
        (
            "InvalidParameterException",
            {"deploymentConfiguration": {"maximumPercent": 100}},
            "Both maximumPercent and minimumHealthyPercent cannot be 100",
        ),
        (
            "InvalidParameterException",
            {"placementConstraints": [{"type": "memberOf", "expression": "nonsense"}]},
            "Invalid expression",
        ),
        (
            "InvalidParameterException",
            {"placementConstraints": [{"type": "distinctInstance", "expression": "attribute:a exists"}]},
            "distinctInstance takes no expression",
        ),
    ],
)
def test_services_that_are_refused(ecs: Any, refused: Any, code: str, changes: dict[str, Any], words: str) -> None:
    define(ecs)
    assert words in refused(code, serve, ecs=ecs, **changes)["Error"]["Message"]


def test_lists_and_their_limits(ecs: Any, refused: Any) -> None:
    define(ecs)
    names = [f"web-{number:02}" for number in range(12)]
    for name in names:
        serve(ecs, serviceName=name, desiredCount=0)
    page = ecs.list_services(cluster="demo")
    assert len(page["serviceArns"]) == 10
    assert len(ecs.list_services(cluster="demo", nextToken=page["nextToken"])["serviceArns"]) == 2
    assert len(ecs.list_services(cluster="demo", maxResults=100)["serviceArns"]) == 12
    refused("InvalidParameterException", ecs.describe_services, cluster="demo", services=names[:11])
    refused("InvalidParameterException", ecs.describe_services, cluster="demo", services=[])
    answer = ecs.describe_services(cluster="demo", services=["web-01", "other"])
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING"]


def test_clusters_without_anything(ecs: Any, refused: Any) -> None:
    cluster = ecs.describe_clusters(clusters=["demo"])["clusters"][0]
    assert (cluster["capacityProviders"], cluster["defaultCapacityProviderStrategy"]) == ([], [])
    assert (cluster["tags"], cluster["settings"], cluster["statistics"]) == ([], [], [])
    included = ecs.describe_clusters(clusters=["demo"], include=["SETTINGS", "STATISTICS"])["clusters"][0]
    assert included["settings"] == [{"name": "containerInsights", "value": "disabled"}]
    assert {"name": "activeEC2ServiceCount", "value": "0"} in included["statistics"]
    assert ecs.describe_clusters(clusters=["other"])["failures"][0]["reason"] == "MISSING"
    refused("ClusterNotFoundException", ecs.delete_cluster, cluster="other")
    refused("InvalidParameterException", ecs.create_cluster, clusterName="no blanks")


def test_capacity_providers(ecs: Any, refused: Any) -> None:
    given = {"name": "hosts", "autoScalingGroupProvider": {"autoScalingGroupArn": "arn:x"}}
    ecs.create_capacity_provider(**given)
    refused("ClientException", ecs.create_capacity_provider, **given)
    put = ecs.put_cluster_capacity_providers
    put(cluster="demo", capacityProviders=["hosts"], defaultCapacityProviderStrategy=[])
    refused("ResourceInUseException", ecs.delete_capacity_provider, capacityProvider="hosts")
    other = {"cluster": "demo", "capacityProviders": ["other"], "defaultCapacityProviderStrategy": []}
    refused("InvalidParameterException", put, **other)
    put(cluster="demo", capacityProviders=[], defaultCapacityProviderStrategy=[])
    assert ecs.delete_capacity_provider(capacityProvider="hosts")["capacityProvider"]["status"] == "INACTIVE"
    refused("ClientException", ecs.delete_capacity_provider, capacityProvider="hosts")


def test_running_single_tasks_needs_hosts(ecs: Any, refused: Any) -> None:
    define(ecs)
    error = refused("InvalidParameterException", ecs.run_task, cluster="demo", taskDefinition="web")
    assert error["Error"]["Message"] == "No Container Instances were found in your cluster."
    refused("InvalidParameterException", ecs.run_task, cluster="demo", taskDefinition="web", count=11)
    refused("InvalidParameterException", ecs.describe_tasks, cluster="demo", tasks=[])
    assert ecs.describe_tasks(cluster="demo", tasks=["0" * 32])["failures"][0]["reason"] == "MISSING"
    refused("InvalidParameterException", ecs.stop_task, cluster="demo", task="0" * 32)
    refused("ServiceNotFoundException", ecs.list_tasks, cluster="demo", serviceName="other")


def test_what_is_not_simulated_says_so(ecs: Any, refused: Any) -> None:
    define(ecs)
    refused("NotImplemented", serve, ecs=ecs, launchType="FARGATE")
    refused("NotImplemented", serve, ecs=ecs, deploymentController={"type": "EXTERNAL"})
    refused("NotImplemented", serve, ecs=ecs, deploymentConfiguration={"strategy": "BLUE_GREEN"})
    define(ecs, networkMode="awsvpc")
    refused("NotImplemented", serve, ecs=ecs)
