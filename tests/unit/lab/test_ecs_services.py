# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services over the API: what they say while they come up, roll, fail, shrink and go."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from unit.lab.ecs_ground import EcsGround

FIXED = {"portMappings": [{"containerPort": 80, "hostPort": 80}]}
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


@pytest.fixture
def ground(lab: Any) -> EcsGround:
    return EcsGround(lab)


@pytest.fixture
def web(ground: EcsGround) -> EcsGround:
    """Two hosts, and two steady tasks on them."""
    ground.hosts(2)
    ground.define()
    ground.serve()
    ground.steady()
    return ground


def test_a_service_comes_up_step_by_step(ground: EcsGround) -> None:
    ground.hosts(2)
    ground.lab.settings(task_seconds=1000)  # so that the seconds of a busy machine do not count
    ground.define()
    created = ground.serve()
    assert (created["runningCount"], created["deployments"][0]["rolloutState"]) == (0, "IN_PROGRESS")
    ground.lab.advance(500)
    service = ground.service()
    assert (service["runningCount"], service["pendingCount"]) == (0, 2)
    assert {task["lastStatus"] for task in ground.tasks()} == {"PENDING"}
    cluster = ground.ecs.describe_clusters(clusters=["demo"])["clusters"][0]
    assert (cluster["pendingTasksCount"], cluster["activeServicesCount"]) == (2, 1)
    ground.lab.advance(501)
    service = ground.steady()
    assert service["deployments"][0]["rolloutStateReason"].endswith("completed.")
    assert {task["availabilityZone"] for task in ground.tasks()} == {"us-east-1a", "us-east-1b"}
    started, completed, steady = ground.events()
    assert started.startswith("(service web) has started 2 tasks: (task ")
    assert completed == f"(service web) (deployment {service['deployments'][0]['id']}) deployment completed."
    assert steady == "(service web) has reached a steady state."
    ground.ecs.get_waiter("services_stable").wait(cluster="demo", services=["web"])


@pytest.mark.parametrize(("least", "most", "desired"), [(6, 10, 6), (0, 0, 0), (0, 1, 1), (1, 4, 2)])
def test_a_scalable_target_moves_its_service_into_its_range(
    web: EcsGround, least: int, most: int, desired: int
) -> None:
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/demo/web",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    before = web.service()
    web.lab.client("application-autoscaling").register_scalable_target(**target, MinCapacity=least, MaxCapacity=most)
    web.lab.advance(2)
    after = web.steady(running=desired)
    assert after["desiredCount"] == desired
    assert after["deployments"][0]["id"] == before["deployments"][0]["id"]


def test_a_running_task_is_described_in_full(web: EcsGround) -> None:
    task = web.tasks()[0]
    (container,) = task["containers"]
    assert (task["lastStatus"], task["desiredStatus"], task["group"]) == ("RUNNING", "RUNNING", "service:web")
    assert task["startedBy"] == web.service()["deployments"][0]["id"]
    assert len(container["runtimeId"]) == 64
    assert container["networkBindings"] == [
        {"bindIP": "0.0.0.0", "containerPort": 80, "hostPort": 32768, "protocol": "tcp"}
    ]
    assert (container["memory"], container["imageDigest"][:7], container["lastStatus"]) == ("100", "sha256:", "RUNNING")
    assert {"startedAt", "pullStartedAt", "createdAt", "connectivity"} <= task.keys()


def test_scaling_out_in_and_to_nothing(web: EcsGround) -> None:
    assert web.update(desiredCount=4)["runningCount"] == 2
    assert web.steady()["runningCount"] == 4
    assert sorted(len(host) for host in by_host(web)) == [2, 2]
    web.update(desiredCount=1)
    assert web.steady()["runningCount"] == 1
    web.update(desiredCount=0)
    assert web.steady()["runningCount"] == 0
    assert web.tasks() == []
    stopped = web.tasks(status="STOPPED")
    assert len(stopped) == 4
    assert stopped[0]["stopCode"] == "ServiceSchedulerInitiated"
    assert stopped[0]["stoppedReason"].startswith("Scaling activity initiated by (deployment ecs-svc/")
    assert stopped[0]["containers"][0]["exitCode"] == 137
    assert len(web.service()["deployments"]) == 1
    web.lab.advance(3700)
    assert web.tasks(status="STOPPED") == []


def by_host(ground: EcsGround) -> list[list[str]]:
    hosts: dict[str, list[str]] = {}
    for task in ground.tasks():
        hosts.setdefault(task["containerInstanceArn"], []).append(task["taskArn"])
    return list(hosts.values())


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ({"memory": 64000}, "has insufficient memory available."),
        ({"cpu": 9000}, "has insufficient CPU units available."),
        ({"portMappings": [{"containerPort": 22, "hostPort": 22}]}, "is already using a port required by your task."),
        ({"image": "1.dkr.ecr.eu-west-1.amazonaws.com/a", "memory": 64000}, "has insufficient memory available."),
        ({"logConfiguration": {"logDriver": "splunk"}}, "is missing an attribute required by your task."),
    ],
)
def test_what_cannot_be_placed_says_so(ground: EcsGround, container: dict[str, Any], words: str) -> None:
    (host,) = ground.hosts(1)
    ground.define(container=container)
    ground.serve(count=1)
    (event,) = ground.until(ground.events)
    name = host["containerInstanceArn"].rpartition("/")[2]
    assert event == (
        "(service web) was unable to place a task because no container instance met all of its requirements. "
        f"The closest matching (container-instance {name}) {words} "
        "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
    )
    assert ground.service()["runningCount"] == 0


def test_what_cannot_be_placed_is_said_again(ground: EcsGround) -> None:
    ground.define()
    ground.serve(count=1)
    ground.until(ground.events)
    ground.lab.advance(130, steps=13)
    assert len(ground.events()) == 3
    ground.update(desiredCount=2)
    assert len(ground.until(lambda: e if len(e := ground.events()) > 3 else None)) == 4


def test_without_hosts_a_service_waits_for_one(ground: EcsGround) -> None:
    ground.define()
    ground.serve(count=1)
    assert "Reason: No Container Instances were found in your cluster." in ground.events()[0]
    ground.hosts(1)
    ground.steady()


def test_a_fixed_port_needs_one_host_for_each_task(ground: EcsGround) -> None:
    ground.hosts(1)
    ground.define(container=FIXED)
    ground.serve(count=2)
    ground.until(lambda: "is already using a port required by your task" in str(ground.events()))
    assert ground.service()["runningCount"] == 1
    ground.hosts(1)
    ground.steady()


def test_an_update_rolls_within_its_percents(ground: EcsGround) -> None:
    ground.hosts(3)
    first = ground.define(container=FIXED)
    ground.serve(count=3, deploymentConfiguration={"minimumHealthyPercent": 50, "maximumPercent": 200})
    ground.steady()
    second = ground.define(container={**FIXED, "image": "httpd:2.5"})
    ground.lab.settings(task_seconds=10)
    updated = ground.update(taskDefinition="web")
    assert [d["taskDefinition"] for d in updated["deployments"]] == [second, first]
    assert [d["status"] for d in updated["deployments"]] == ["PRIMARY", "ACTIVE"]
    lowest = 3
    for _unused in range(60):
        ground.lab.advance(2)
        service = ground.service()
        lowest = min(lowest, service["runningCount"])
        if len(service["deployments"]) == 1 and service["runningCount"] == 3:
            break
    assert lowest == 2
    assert {task["taskDefinitionArn"] for task in ground.tasks()} == {second}
    ground.steady()


def test_only_what_matters_starts_a_deployment(web: EcsGround) -> None:
    before = web.service()["deployments"][0]["id"]
    web.update(taskDefinition="web", desiredCount=2, deploymentConfiguration={"maximumPercent": 150})
    service = web.steady()
    assert service["deployments"][0]["id"] == before
    assert service["deploymentConfiguration"]["maximumPercent"] == 150
    assert service["deploymentConfiguration"]["minimumHealthyPercent"] == 100
    web.update(forceNewDeployment=True)
    assert web.steady()["deployments"][0]["id"] != before


def test_percents_that_block_are_told(ground: EcsGround) -> None:
    ground.hosts(1)
    ground.define()
    ground.serve(count=1, deploymentConfiguration={"minimumHealthyPercent": 100, "maximumPercent": 150})
    ground.steady()
    ground.update(forceNewDeployment=True)
    ground.until(lambda: "was unable to stop or start tasks during a deployment" in str(ground.events()))


def test_tasks_are_only_spread_anew_where_there_may_be_more_of_them(web: EcsGround, refused: Any) -> None:
    narrow = {"minimumHealthyPercent": 50, "maximumPercent": 100}
    assert web.service()["availabilityZoneRebalancing"] == "ENABLED"
    refused("InvalidParameterException", web.update, deploymentConfiguration=narrow)
    web.update(deploymentConfiguration=narrow, availabilityZoneRebalancing="DISABLED")
    assert web.service()["deploymentConfiguration"]["maximumPercent"] == 100


def test_the_circuit_breaker_rolls_back(web: EcsGround) -> None:
    good = web.service()["taskDefinition"]
    bad = web.define(container={"image": "example/does-not-exist"})
    web.update(taskDefinition=bad, deploymentConfiguration=BREAKER)
    service = web.until(lambda: s if (s := web.service())["taskDefinition"] == good else None)
    web.steady()
    events = web.events()
    failed = next(event for event in events if event.endswith("deployment failed: tasks failed to start."))
    assert any(
        event.startswith("(service web) rolling back to deployment ecs-svc/")
        for event in events[events.index(failed) :]
    )
    assert len(web.tasks()) == 2
    stopped = next(task for task in web.tasks(status="STOPPED") if task["taskDefinitionArn"] == bad)
    reason = "CannotPullContainerError: Error response from daemon: pull access denied for example/does-not-exist"
    assert stopped["stoppedReason"].startswith(reason)
    assert stopped["stopCode"] == "TaskFailedToStart"
    assert stopped["containers"][0]["reason"] == stopped["stoppedReason"]
    listed = web.ecs.list_service_deployments(cluster="demo", service="web")["serviceDeployments"]
    assert [deployment["status"] for deployment in listed] == ["SUCCESSFUL", "ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]
    arns = [deployment["serviceDeploymentArn"] for deployment in listed]
    described = web.ecs.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"]
    assert described[1]["deploymentCircuitBreaker"] == {"status": "TRIGGERED", "failureCount": 3, "threshold": 3}
    assert service["status"] == "ACTIVE"


def test_a_first_deployment_has_nothing_to_roll_back_to(ground: EcsGround) -> None:
    ground.hosts(1)
    ground.define(container={"image": "example/app:does-not-exist"})
    ground.serve(count=1, deploymentConfiguration=BREAKER)
    deployment = ground.until(
        lambda: d if (d := ground.service()["deployments"][0])["rolloutState"] == "FAILED" else None
    )
    assert deployment["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."
    assert deployment["failedTasks"] == 3
    ground.lab.advance(100, steps=10)
    assert len(ground.tasks(status="STOPPED")) == 3


def test_without_the_breaker_it_is_tried_ever_more_seldom(ground: EcsGround) -> None:
    ground.hosts(1)
    ground.define(container={"image": "example/crash-loop"})
    ground.serve(count=1)
    ground.until(lambda: "is unable to consistently start tasks successfully" in str(ground.events()))
    ground.lab.advance(120, steps=120)
    stopped = ground.tasks(status="STOPPED")
    assert 4 < len(stopped) < 15
    assert stopped[0]["stoppedReason"] == "Essential container in task exited"
    assert stopped[0]["stopCode"] == "EssentialContainerExited"
    assert stopped[0]["containers"][0]["exitCode"] == 1
    assert ground.service()["deployments"][0]["rolloutState"] == "IN_PROGRESS"


def test_a_lost_host_is_noticed_and_its_tasks_come_back(web: EcsGround) -> None:
    victim = web.tasks()[0]
    (host,) = [h for h in web.registered() if h["containerInstanceArn"] == victim["containerInstanceArn"]]
    web.ec2.terminate_instances(InstanceIds=[host["ec2InstanceId"]])
    web.steady()
    assert len(by_host(web)) == 1
    (stopped,) = web.tasks(status="STOPPED")
    assert stopped["stoppedReason"] == f"Host EC2 (instance {host['ec2InstanceId']}) terminated."


def test_draining_moves_tasks_to_other_hosts(web: EcsGround) -> None:
    arn = web.tasks()[0]["containerInstanceArn"]
    web.ecs.update_container_instances_state(cluster="demo", containerInstances=[arn], status="DRAINING")
    web.until(lambda: arn not in {task["containerInstanceArn"] for task in web.tasks()})
    web.steady()
    host = next(host for host in web.registered() if host["containerInstanceArn"] == arn)
    assert (host["status"], host["runningTasksCount"]) == ("DRAINING", 0)
    web.update(desiredCount=4)
    web.steady()
    assert len(by_host(web)) == 1
    web.ecs.update_container_instances_state(cluster="demo", containerInstances=[arn], status="ACTIVE")
    web.update(desiredCount=6)
    web.steady()
    assert len(by_host(web)) == 2


def test_the_last_host_cannot_be_drained_at_minimum_100(ground: EcsGround) -> None:
    (host,) = ground.hosts(1)
    ground.define()
    ground.serve(count=1)
    ground.steady()
    arn = host["containerInstanceArn"]
    ground.ecs.update_container_instances_state(cluster="demo", containerInstances=[arn], status="DRAINING")
    ground.lab.advance(60, steps=10)
    assert len(ground.tasks()) == 1
    ground.update(deploymentConfiguration={"minimumHealthyPercent": 0})
    ground.until(lambda: not ground.tasks())


def test_a_daemon_runs_once_on_each_host(ground: EcsGround) -> None:
    ground.hosts(2)
    ground.define()
    created = ground.ecs.create_service(
        cluster="demo", serviceName="web", taskDefinition="web", schedulingStrategy="DAEMON"
    )["service"]
    assert created["deploymentConfiguration"]["maximumPercent"] == 100
    ground.until(lambda: ground.service()["runningCount"] == 2)
    ground.hosts(1)
    ground.until(lambda: ground.service()["runningCount"] == 3)
    assert len(by_host(ground)) == 3
    ground.update(forceNewDeployment=True)
    assert ground.steady()["desiredCount"] == 3


def test_placement_as_the_service_wants_it(ground: EcsGround) -> None:
    ground.hosts(2)
    ground.define()
    ground.serve("packed", count=4, placementStrategy=[{"type": "binpack", "field": "memory"}])
    ground.steady("packed")
    assert len({task["containerInstanceArn"] for task in ground.tasks("packed")}) == 1
    ground.serve("apart", count=3, placementConstraints=[{"type": "distinctInstance"}])
    ground.until(lambda: "unable to place a task" in str(ground.events("apart")))
    assert ground.service("apart")["runningCount"] == 2


def test_a_capacity_provider_limits_the_hosts(ground: EcsGround) -> None:
    """Only instances of its auto scaling group count."""
    ground.hosts(1)
    data = {"ImageId": ground.image, "InstanceType": "t3.small", "IamInstanceProfile": {"Name": "hosts"}}
    ground.ec2.create_launch_template(LaunchTemplateName="hosts", LaunchTemplateData=data)
    asg = ground.lab.client("autoscaling")
    template = {"LaunchTemplateName": "hosts"}
    asg.create_auto_scaling_group(
        AutoScalingGroupName="hosts", MinSize=0, MaxSize=1, LaunchTemplate=template, VPCZoneIdentifier=ground.subnets[0]
    )
    arn = asg.describe_auto_scaling_groups()["AutoScalingGroups"][0]["AutoScalingGroupARN"]
    ground.ecs.create_capacity_provider(name="hosts", autoScalingGroupProvider={"autoScalingGroupArn": arn})
    strategy = [{"capacityProvider": "hosts", "weight": 1}]
    ground.ecs.put_cluster_capacity_providers(
        cluster="demo", capacityProviders=["hosts"], defaultCapacityProviderStrategy=strategy
    )
    ground.define()
    service = ground.serve(count=1)
    assert service["capacityProviderStrategy"] == [{"capacityProvider": "hosts", "weight": 1, "base": 0}]
    assert "launchType" not in service
    assert "No Container Instances were found in your capacity provider" in ground.events()[0]


def test_crashed_and_stopped_tasks_are_replaced(web: EcsGround) -> None:
    first, second = web.tasks()
    stopped = web.ecs.stop_task(cluster="demo", task=first["taskArn"], reason="because")["task"]
    assert (stopped["desiredStatus"], stopped["stoppedReason"]) == ("STOPPED", "because")
    web.lab.control("POST", f"/containers/{second['taskArn'].rpartition('/')[2]}/kill")
    web.steady()
    reasons = {task["stoppedReason"] for task in web.tasks(status="STOPPED")}
    assert reasons == {"because", "Essential container in task exited"}
    assert not {task["taskArn"] for task in web.tasks()} & {first["taskArn"], second["taskArn"]}


def test_a_container_that_is_not_essential_may_end(ground: EcsGround) -> None:
    ground.hosts(1)
    sidecar = {"name": "once", "image": "crash", "memory": 50, "essential": False}
    main = {"name": "web", "image": "httpd", "memory": 50}
    ground.ecs.register_task_definition(family="web", containerDefinitions=[main, sidecar])
    ground.serve(count=1)
    ground.steady()
    (task,) = ground.tasks()
    assert [(c["name"], c["lastStatus"], c.get("exitCode")) for c in task["containers"]] == [
        ("web", "RUNNING", None),
        ("once", "STOPPED", 1),
    ]


@pytest.mark.parametrize(
    ("command", "verdict"),
    [("curl -f http://localhost/ || exit 1", "HEALTHY"), ("curl -f http://localhost/missing || exit 1", "UNHEALTHY")],
)
def test_container_health_checks(ground: EcsGround, command: str, verdict: str) -> None:
    ground.hosts(1)
    ground.define(container={"healthCheck": {"command": ["CMD-SHELL", command]}})
    ground.serve(count=1, deploymentConfiguration=BREAKER)
    if verdict == "HEALTHY":
        ground.steady()
        assert ground.tasks()[0]["healthStatus"] == "HEALTHY"
    else:
        ground.until(lambda: ground.service()["deployments"][0]["rolloutState"] == "FAILED")
        assert ground.tasks(status="STOPPED")[0]["stoppedReason"] == "Task failed container health checks"


def test_deleting(web: EcsGround, refused: Any) -> None:
    delete = web.ecs.delete_service
    refused("InvalidParameterException", delete, cluster="demo", service="web")
    refused("ClusterContainsContainerInstancesException", web.ecs.delete_cluster, cluster="demo")
    for host in web.registered():
        web.ec2.terminate_instances(InstanceIds=[host["ec2InstanceId"]])
    refused("ClusterContainsServicesException", web.ecs.delete_cluster, cluster="demo")
    assert delete(cluster="demo", service="web", force=True)["service"]["status"] in ("DRAINING", "INACTIVE")
    web.until(lambda: web.service()["status"] == "INACTIVE")
    assert web.service()["deployments"] == []
    assert web.ecs.list_services(cluster="demo")["serviceArns"] == []
    refused("ServiceNotActiveException", delete, cluster="demo", service="web")
    refused("ServiceNotActiveException", web.update, desiredCount=1)
    refused("ServiceNotFoundException", delete, cluster="demo", service="other")
    assert web.ecs.delete_cluster(cluster="demo")["cluster"]["status"] == "INACTIVE"
    assert web.ecs.list_clusters()["clusterArns"] == []
    assert web.ecs.describe_clusters(clusters=["demo"])["clusters"][0]["status"] == "INACTIVE"
    error = refused("ClusterNotFoundException", web.serve)
    assert error["Error"]["Message"] == "The referenced cluster was inactive."
    assert web.ecs.create_cluster(clusterName="demo")["cluster"]["status"] == "ACTIVE"


def test_a_deleted_service_can_be_made_again_when_it_has_drained(web: EcsGround, refused: Any) -> None:
    web.lab.settings(task_seconds=1)
    web.ecs.delete_service(cluster="demo", service="web", force=True)
    web.until(lambda: web.service()["status"] == "INACTIVE")
    web.serve()
    web.lab.advance(5, steps=5)
    web.steady()
    assert web.events()[0].startswith("(service web) has started 2 tasks")


def test_reads_lag_behind_changes_if_that_is_switched_on(ground: EcsGround, refused: Any) -> None:
    lab, ecs = ground.lab, ground.ecs
    ground.define()
    lab.settings(consistency_seconds=20)
    lab.advance(21)
    named = {"cluster": "demo", "services": ["web"]}
    made = ground.serve(count=0)
    assert [one["reason"] for one in ecs.describe_services(**named)["failures"]] == ["MISSING"]
    assert ecs.list_services(cluster="demo")["serviceArns"] == []
    refused("ServiceNotFoundException", ecs.list_tasks, cluster="demo", serviceName="web")
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/demo/web",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    register = partial(lab.client("application-autoscaling").register_scalable_target, MinCapacity=0, MaxCapacity=2)
    refused("ValidationException", register, **target)
    lab.advance(21)
    register(**target)
    assert ground.steady(running=0)["deployments"][0]["id"] == made["deployments"][0]["id"]
    assert ecs.list_tasks(cluster="demo", serviceName="web")["taskArns"] == []
    ground.define(container={"memory": 200})
    changed = ground.update(taskDefinition="web:2", desiredCount=3)
    before = ground.service()
    assert (before["desiredCount"], before["taskDefinition"]) == (0, made["taskDefinition"])
    assert [one["id"] for one in before["deployments"]] == [made["deployments"][0]["id"]]
    lab.advance(21)
    assert ground.service()["deployments"][0]["id"] == changed["deployments"][0]["id"]
    ecs.delete_service(cluster="demo", service="web", force=True)
    lab.advance(21)
    ground.serve(count=0)
    assert ground.service()["status"] == "INACTIVE"
    ecs.create_cluster(clusterName="late")
    refused("ClusterNotFoundException", ecs.list_container_instances, cluster="late")
    assert ecs.describe_clusters(clusters=["late"])["clusters"] == []
    lab.advance(21)
    assert ecs.list_container_instances(cluster="late")["containerInstanceArns"] == []
    assert ecs.describe_clusters(clusters=["late"])["clusters"]
