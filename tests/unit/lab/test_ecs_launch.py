# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container needs before it starts: images, log groups, secrets, and the rights to them."""

from __future__ import annotations

from typing import Any

import pytest
from lab import containers
from lab.containers import Program
from unit.lab.ecs_ground import EcsGround


@pytest.fixture
def ground(lab: Any) -> EcsGround:
    made = EcsGround(lab)
    made.hosts(1)
    return made


def awslogs(**options: str) -> dict[str, Any]:
    given = {"awslogs-group": "web", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "app", **options}
    return {"logConfiguration": {"logDriver": "awslogs", "options": given}}


def failure(ground: EcsGround) -> str:
    """Why the service's task did not start."""
    (task, *_unused) = ground.until(lambda: ground.tasks(status="STOPPED"))
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["containers"][0]["reason"] == task["stoppedReason"]
    return str(task["stoppedReason"])


def test_a_containers_log_goes_to_its_group(ground: EcsGround) -> None:
    ground.lab.advance(4 * 3600)
    logs = ground.lab.client("logs")
    logs.create_log_group(logGroupName="web")
    ground.define(container=awslogs())
    ground.serve(count=1)
    ground.steady()
    (task,) = ground.tasks()
    stream = f"app/web/{task['taskArn'].rpartition('/')[2]}"
    lines = logs.get_log_events(logGroupName="web", logStreamName=stream)["events"]
    assert lines[0]["message"] == f"httpd: started on {task['containers'][0]['runtimeId'][:12]}"


def test_a_missing_log_group_fails_the_task(ground: EcsGround) -> None:
    ground.define(container=awslogs())
    ground.serve(count=1)
    assert failure(ground) == (
        "CannotStartContainerError: Error response from daemon: failed to initialize logging driver: failed to create "
        "Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist."
    )


def test_a_log_stream_has_no_colon_in_its_name(ground: EcsGround) -> None:
    ground.lab.client("logs").create_log_group(logGroupName="web")
    ground.define(container=awslogs(**{"awslogs-stream-prefix": "a:b"}))
    ground.serve(count=1)
    assert "failed to create Cloudwatch log stream: InvalidParameterException: 1 validation error" in failure(ground)


def test_the_agent_makes_the_group_only_if_its_role_may(ground: EcsGround) -> None:
    ground.define(container=awslogs(**{"awslogs-create-group": "true"}))
    ground.serve(count=1)
    assert "is not authorized to perform: logs:CreateLogGroup" in failure(ground)
    role = ground.role("tasks", "ecs-tasks.amazonaws.com", "logs:*")
    ground.define(container=awslogs(**{"awslogs-create-group": "true"}), executionRoleArn=role)
    ground.update(taskDefinition="web")
    ground.steady()
    assert ground.lab.client("logs").describe_log_groups()["logGroups"][0]["logGroupName"] == "web"


def test_secrets_need_a_role_that_may_and_must_exist(ground: EcsGround) -> None:
    role = ground.role("tasks", "ecs-tasks.amazonaws.com")
    secret = {"secrets": [{"name": "PASSWORD", "valueFrom": "/web/password"}]}
    ground.define(container=secret, executionRoleArn=role)
    ground.serve(count=1)
    assert "is not authorized to perform: ssm:GetParameters" in failure(ground)
    ground.role("reader", "ecs-tasks.amazonaws.com", "ssm:GetParameters", "secretsmanager:GetSecretValue")
    ground.define(container=secret, executionRoleArn=role.replace("tasks", "reader"))
    ground.update(taskDefinition="web")
    reasons = ground.until(
        lambda: found if "invalid parameters" in (found := str(ground.tasks(status="STOPPED"))) else None
    )
    assert "Fetching secret data from SSM Parameter Store in us-east-1: invalid parameters: /web/password" in reasons
    ground.lab.client("ssm").put_parameter(Name="/web/password", Value="lab-not-a-secret-000001", Type="SecureString")
    ground.update(forceNewDeployment=True)
    ground.steady()


def test_secrets_of_the_secrets_manager(ground: EcsGround) -> None:
    role = ground.role("reader", "ecs-tasks.amazonaws.com", "secretsmanager:GetSecretValue")
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:web-AbCdEf"
    ground.define(container={"secrets": [{"name": "PASSWORD", "valueFrom": arn}]}, executionRoleArn=role)
    ground.serve(count=1)
    assert "Secrets Manager can't find the specified secret." in failure(ground)
    made = ground.lab.client("secretsmanager").create_secret(Name="web", SecretString="lab-not-a-secret-000001")
    secret = {"secrets": [{"name": "PASSWORD", "valueFrom": f"{made['ARN']}:key::"}]}
    ground.define(container=secret, executionRoleArn=role)
    ground.update(taskDefinition="web")
    ground.steady()


def test_an_execution_role_must_trust_ecs(ground: EcsGround) -> None:
    role = ground.role("other", "lambda.amazonaws.com", "ssm:GetParameters")
    ground.define(container={"secrets": [{"name": "P", "valueFrom": "p"}]}, executionRoleArn=role)
    ground.serve(count=1)
    assert failure(ground).startswith(f"ECS was unable to assume the role '{role}'")


def test_a_single_task_with_overrides(ground: EcsGround) -> None:
    ground.define()
    run = ground.ecs.run_task
    overrides = {"containerOverrides": [{"name": "web", "command": ["sh", "-c", "exit 4"]}]}
    (task,) = run(cluster="demo", taskDefinition="web", overrides=overrides, startedBy="me")["tasks"]
    assert (task["lastStatus"], task["group"], task["startedBy"]) == ("PROVISIONING", "family:web", "me")

    def ended() -> dict[str, Any] | None:
        (found,) = ground.ecs.describe_tasks(cluster="demo", tasks=[task["taskArn"]])["tasks"]
        return dict(found) if found["lastStatus"] == "STOPPED" else None

    stopped = ground.until(ended)
    assert stopped["containers"][0]["exitCode"] == 4
    assert stopped["overrides"]["containerOverrides"] == overrides["containerOverrides"]


@pytest.mark.parametrize(
    ("container", "reason"),
    [
        ({"memory": 64000}, "RESOURCE:MEMORY"),
        ({"cpu": 9000}, "RESOURCE:CPU"),
        ({"portMappings": [{"containerPort": 22, "hostPort": 22}]}, "RESOURCE:PORTS"),
    ],
)
def test_a_single_task_that_fits_nowhere(ground: EcsGround, container: dict[str, Any], reason: str) -> None:
    ground.define(container=container)
    (host,) = ground.registered()
    expected = [{"arn": host["containerInstanceArn"], "reason": reason}]
    assert ground.ecs.run_task(cluster="demo", taskDefinition="web")["failures"] == expected
    start = ground.ecs.start_task
    hosts = [host["containerInstanceArn"]]
    assert start(cluster="demo", taskDefinition="web", containerInstances=hosts)["failures"] == expected


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("httpd", None),
        ("httpd:2.4", None),
        ("registry.example.com:5000/team/app@sha256:" + "0" * 64, None),
        ("team/does-not-exist:1", "pull access denied for team/does-not-exist"),
        ("httpd:does-not-exist", "manifest for httpd:does-not-exist not found"),
        ("UPPER/case", "invalid reference format"),
        ("a//b", "invalid reference format"),
    ],
)
def test_which_images_can_be_pulled(image: str, words: str | None) -> None:
    error = containers.pull_error(image)
    assert error is None if words is None else words in str(error)


def test_pages_carry_the_host_name() -> None:
    assert (
        "<h1>Hello from 0123456789ab</h1>"
        in containers.page(Program("russmckendrick/cluster", "0123456789ab"), "/").body
    )
    script = "/bin/sh -c \"echo '<html> <title>Amazon ECS Sample App</title>' > htdocs/index.html && httpd-foreground\""
    sample = Program("httpd:2.4", "0123456789ab", ("sh", "-c", script), (80,))
    assert containers.exit_code(sample) is None
    assert "Amazon ECS Sample App" in containers.page(sample, "/").body
    assert "0123456789ab" in containers.page(Program("a/b", "0123456789ab"), "/anything").body
    assert containers.page(sample, "/missing").status == 404
    assert not containers.listens(sample, 8080)
    assert containers.listens(Program("a/b", "h", ports=(8080,)), 8080)
