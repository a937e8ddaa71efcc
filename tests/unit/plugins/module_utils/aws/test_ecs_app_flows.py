# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flows of an app, call by call: what a run reads, what it writes, and above all what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws import (
    ecs_app_absent,
    ecs_app_info,
    ecs_app_present,
)
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    ConflictError,
    InputError,
    NotOursError,
    PartialError,
)
from ansible_collections.container.schedulers.plugins.module_utils._module import Context, Outcome
from unit.ecs_app import (
    ACCOUNT,
    BEGINNING,
    CLASSIC_ATTRIBUTES,
    classic,
    definition,
    deployment,
    described,
    event,
    params,
    security_group,
    service,
    upper_mark,
)
from unit.returned import as_documented
from unit.scripted import Call, ScriptedAws, failure, scripted

LATER = BEGINNING + timedelta(seconds=60)
NO_CLUSTER = failure("ClusterNotFoundException", "Cluster not found.")
UNKNOWN = failure("ClientException", "Unable to describe task definition.")
WEB: dict[str, Any] = {"image": "httpd", "memory": 64, "ports": [{"container_port": 80, "host_port": 80}]}
CLASSIC = {"type": "classic", "name": "one-lb"}
BEHIND = {"loadBalancers": [{"loadBalancerName": "one-lb", "containerName": "web", "containerPort": 80}]}

Flow = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Flow:
    """Runs a module's function against scripted calls, and checks that it made all of them and no others."""

    def play(*calls: Call, check: bool = False, warn: Callable[[str], None] = print, **given: Any) -> Outcome:
        with scripted(*calls) as aws:

            def connect(_connection: object) -> ScriptedAws:
                return aws

            for flow in (ecs_app_present, ecs_app_absent, ecs_app_info):
                monkeypatch.setattr(flow, "Aws", connect)
            context = Context(params(**given), check_mode=check, warn=warn, clock=aws.clock)
            return as_documented(ecs_app_present.ensure, ecs_app_present.ensure(context))

    return play


def services(*found: dict[str, Any]) -> Call:
    return Call("ecs", "DescribeServices", {"services": list(found)})


def scales(*limits: tuple[int, int]) -> Call:
    targets = [{"ResourceId": "service/one/web", "MinCapacity": low, "MaxCapacity": high} for low, high in limits]
    return Call("application-autoscaling", "DescribeScalableTargets", {"ScalableTargets": targets})


NO_SCALING = scales()
NO_SERVICE = (services(), Call("ecs", "DescribeClusters", {"clusters": [{"status": "ACTIVE"}]}))


def revision(number: int = 1, **container: Any) -> Call:
    return Call("ecs", "DescribeTaskDefinition", described(number, **container))


NO_REVISION = Call("ecs", "DescribeTaskDefinition", UNKNOWN)
TASKS = (Call("ecs", "ListTasks", {"taskArns": []}),)
INSTANCES = security_group("sg-instances", "instance-security-group")


def rule_at(port: int, described: str = "container.schedulers: web") -> dict[str, Any]:
    """The rule that lets the load balancer reach a port of the instances."""
    source = {"GroupId": "sg-lb", "Description": described}
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": [source]}


RULE = rule_at(80)
OPEN: dict[str, Any] = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def balancer_group() -> dict[str, Any]:
    group = security_group("sg-lb", "load-balancer-security-group/one-lb", "web", IpPermissions=[OPEN])
    return {**group, "Tags": [*group["Tags"], {"Key": "Name", "Value": group["GroupName"]}]}


def groups(*found: dict[str, Any]) -> Call:
    return Call("ec2", "DescribeSecurityGroups", {"SecurityGroups": list(found)})


def live_balancer(app: str = "web", **given: Any) -> tuple[Call, ...]:
    return (
        Call("elb", "DescribeLoadBalancers", {"LoadBalancerDescriptions": [classic(**given)]}),
        Call("elb", "DescribeTags", {"TagDescriptions": [{"Tags": upper_mark("load-balancer", app)}]}),
        Call("elb", "DescribeLoadBalancerAttributes", dict(CLASSIC_ATTRIBUTES)),
    )


def in_service(count: int) -> Call:
    states = [{"State": "InService"}] * count
    return Call("elb", "DescribeInstanceHealth", {"InstanceStates": states})


def test_an_app_on_no_cluster_is_an_error(run: Flow) -> None:
    with pytest.raises(InputError, match="cluster: one does not exist in eu-west-1"):
        run(Call("ecs", "DescribeServices", NO_CLUSTER), **WEB)


@pytest.mark.parametrize("clusters", [[], [{"status": "INACTIVE"}]])
def test_a_cluster_that_was_deleted_is_none(run: Flow, clusters: list[dict[str, Any]]) -> None:
    """ECS can still be asked for its services."""
    with pytest.raises(InputError, match="cluster: one does not exist in eu-west-1"):
        run(services(), Call("ecs", "DescribeClusters", {"clusters": clusters}), **WEB)


def test_a_check_on_nothing_says_what_would_be_made(run: Flow) -> None:
    warnings: list[str] = []
    groups_and_balancer = (groups(), Call("elb", "DescribeLoadBalancers", failure("LoadBalancerNotFound")))
    # the other reads run at the same time as the one that finds no cluster
    outcome = run(
        Call("ecs", "DescribeServices", NO_CLUSTER),
        *groups_and_balancer,
        Call("logs", "DescribeLogGroups", {"logGroups": []}),
        check=True,
        warn=warnings.append,
        load_balancer=CLASSIC,
        log={"retention_days": 7},
        **WEB,
    )
    assert outcome.plan
    assert outcome.plan.sentences()[-1] == "create service web"
    # what ECS refuses of an app is in its task definition, most of all, and is to be known before anything costs
    first = {step.kind: "task-definition" in step.needs for step in outcome.plan.steps}
    assert (first["log_group"], first["load_balancer_security_group"]) == (True, True)
    assert warnings == ["cluster: one does not exist in eu-west-1 yet; this is what would be done once it does"]
    assert outcome.result["service"]["status"] is None


def test_a_new_app(run: Flow) -> None:
    outcome = run(
        *NO_SERVICE,
        NO_REVISION,
        Call("ecs", "RegisterTaskDefinition", {"taskDefinition": definition()}),
        Call("ecs", "CreateService", {"service": service(runningCount=0, deployments=[deployment(runningCount=0)])}),
        services(service()),
        *TASKS,
        **WEB,
    )
    assert outcome.plan
    assert outcome.plan.sentences() == ["create task definition one-web", "create service web"]
    assert outcome.result["service"]["running_count"] == 2
    assert outcome.result["tasks"] == []


def test_a_new_service_whose_tasks_cannot_be_asked_for_yet(run: Flow) -> None:
    outcome = run(
        *NO_SERVICE,
        NO_REVISION,
        Call("ecs", "RegisterTaskDefinition", {"taskDefinition": definition()}),
        Call("ecs", "CreateService", {"service": service(runningCount=0, deployments=[deployment(runningCount=0)])}),
        Call("ecs", "ListTasks", failure("ServiceNotFoundException", "Service not found.")),
        *TASKS,
        **WEB,
        wait=False,
    )
    assert outcome.result["tasks"] == []


def test_a_changed_number_of_tasks_is_not_taken_for_reached_by_an_answer_from_before(run: Flow) -> None:
    changed = service(desiredCount=5, deployments=[deployment(desiredCount=5, updatedAt=LATER)])
    done = service(
        desiredCount=5, runningCount=5, deployments=[deployment(desiredCount=5, runningCount=5, updatedAt=LATER)]
    )
    outcome = run(
        services(service()),
        revision(),
        NO_SCALING,
        Call("ecs", "UpdateService", {"service": changed}, {"desiredCount": 5}),
        services(service()),
        services(done),
        *TASKS,
        desired_count=5,
    )
    assert outcome.result["service"]["running_count"] == 5


def test_nothing_to_do_is_two_calls(run: Flow) -> None:
    outcome = run(services(service()), revision(), **WEB)
    assert outcome.plan
    assert not outcome.plan.changed
    assert outcome.result["tasks"] is None


def test_nothing_to_do_behind_a_load_balancer_is_seven_calls(run: Flow) -> None:
    calls = (
        services(service(**BEHIND)),
        revision(),
        groups({**INSTANCES, "IpPermissions": [RULE]}, balancer_group()),
        *live_balancer(),
        in_service(2),
    )
    assert len(calls) == 7
    outcome = run(*calls, load_balancer=CLASSIC, **WEB)
    assert outcome.plan
    assert not outcome.plan.changed
    assert outcome.result["url"] == "http://one-lb.elb.example/"
    assert outcome.result["load_balancer"] == {"name": "one-lb", "dns_name": "one-lb.elb.example", "zone_id": "Z1"}


def test_an_unchanged_app_that_is_not_ready_is_waited_for(run: Flow) -> None:
    rolling = service(runningCount=1, deployments=[deployment(runningCount=1, rolloutState="IN_PROGRESS")])
    outcome = run(services(rolling), revision(), services(service()), **WEB)
    assert outcome.plan
    assert not outcome.plan.changed


def test_a_port_that_the_draining_of_another_app_keeps_is_waited_for(run: Flow) -> None:
    """The shared load balancer drains for 300 seconds, as the app says whose port it looks at."""
    shared = {**balancer_group(), "Tags": [*upper_mark("load-balancer-security-group/one-lb", "")]}
    shared["Tags"].append({"Key": "Name", "Value": shared["GroupName"]})
    port_taken = event("was unable to place a task because (container-instance 1) is already using a port.", 20)
    events = [port_taken, event("has begun draining connections on 1 tasks.", 15)]
    rolling = service(
        **BEHIND, runningCount=1, deployments=[deployment(runningCount=1, rolloutState="IN_PROGRESS")], events=events
    )
    listeners = [
        {"Listener": {"Protocol": "HTTP", "LoadBalancerPort": port, "InstanceProtocol": "HTTP", "InstancePort": port}}
        for port in (80, 8080)
    ]
    check = {**classic()["HealthCheck"], "Target": "HTTP:8080/"}
    balancer, tags, _attributes = live_balancer("", ListenerDescriptions=listeners, HealthCheck=check)
    draining = {"Enabled": True, "Timeout": 300}
    attributes = {"CrossZoneLoadBalancing": {"Enabled": True}, "ConnectionDraining": draining}
    outcome = run(
        services(rolling),
        revision(),
        groups({**INSTANCES, "IpPermissions": [RULE]}, shared),
        *(balancer, tags, Call("elb", "DescribeLoadBalancerAttributes", {"LoadBalancerAttributes": attributes})),
        *[services(rolling)] * 20,
        services(service(**BEHIND)),
        in_service(2),
        load_balancer={**CLASSIC, "shared": True},
        **WEB,
    )
    assert outcome.result["service"]["running_count"] == 2


SCALING_API = "application-autoscaling"


@pytest.mark.parametrize(("least", "most", "desired"), [(6, 10, 6), (0, 0, 0)])
def test_another_range_is_waited_for(run: Flow, least: int, most: int, desired: int) -> None:
    """Application Auto Scaling moves the service, a moment after it was told."""
    target = {"ResourceId": "service/one/web", "MinCapacity": 2, "MaxCapacity": 4}
    full: dict[str, Any] = {"desiredCount": desired, "runningCount": desired}
    outcome = run(
        services(service()),
        revision(),
        Call(SCALING_API, "DescribeScalableTargets", {"ScalableTargets": [target]}),
        Call(SCALING_API, "DescribeScalingPolicies", {"ScalingPolicies": []}),
        Call(SCALING_API, "RegisterScalableTarget", {}, {"MinCapacity": least, "MaxCapacity": most}),
        Call(SCALING_API, "PutScalingPolicy"),
        services(service()),  # not yet
        services(service(desiredCount=desired)),
        services(service(**full, deployments=[deployment(**full)])),
        *TASKS,
        scaling={"min": least, "max": most},
    )
    assert outcome.result["service"]["desired_count"] == desired
    assert outcome.result["service"]["running_count"] == desired


def test_after_a_range_that_moves_nothing_the_app_is_looked_at_again(run: Flow) -> None:
    """Meanwhile the scaling before may have done something."""
    outcome = run(
        services(service(desiredCount=3, runningCount=3, deployments=[deployment(runningCount=3)])),
        revision(),
        Call(SCALING_API, "DescribeScalableTargets", {"ScalableTargets": []}),
        Call(SCALING_API, "RegisterScalableTarget"),
        Call(SCALING_API, "PutScalingPolicy"),
        services(service()),
        *TASKS,
        scaling={"min": 1, "max": 4},
    )
    assert outcome.result["service"]["desired_count"] == 2


def test_without_waiting_the_app_is_as_it_is(run: Flow) -> None:
    rolling = service(runningCount=1)
    assert run(services(rolling), revision(), wait=False, **WEB).result["service"]["running_count"] == 1


def test_another_image_is_another_revision_and_the_oldest_one_goes(run: Flow) -> None:
    arns = [f"{ACCOUNT}:task-definition/one-web:{number}" for number in (1, 2, 3)]
    later = deployment("ecs-svc/2", taskDefinition=f"{ACCOUNT}:task-definition/one-web:4")
    using = {"taskDefinition": arns[2], "deployments": [deployment(taskDefinition=arns[2])]}
    outcome = run(
        services(service(**using)),
        revision(3),
        Call("ecs", "ListTaskDefinitions", {"taskDefinitionArns": arns}),
        Call("ecs", "DescribeTaskDefinition", described(1), {"taskDefinition": arns[0]}),
        Call("ecs", "RegisterTaskDefinition", {"taskDefinition": definition(4)}),
        Call("ecs", "UpdateService", {"service": service(deployments=[later])}, {"desiredCount": None}),
        Call("ecs", "DeregisterTaskDefinition", {}, {"taskDefinition": arns[0]}),
        Call("ecs", "DeleteTaskDefinitions", {}, {"taskDefinitions": arns[:1]}),
        services(service(deployments=[later])),
        *TASKS,
        image="httpd:2",
        keep_revisions=3,
    )
    assert outcome.plan
    assert outcome.plan.sentences() == [
        "update task definition one-web (containers[web].image)",
        "update service web (task_definition)",
        "delete task definition one-web:1",
    ]


def test_the_oldest_revision_goes_although_the_new_one_never_runs(run: Flow) -> None:
    arns = [f"{ACCOUNT}:task-definition/one-web:{number}" for number in (1, 2, 3)]
    before = {"taskDefinition": arns[2], "deployments": [deployment(taskDefinition=arns[2])]}
    new = {"taskDefinition": f"{ACCOUNT}:task-definition/one-web:4", "runningCount": 0}
    failed = deployment("ecs-svc/2", rolloutState="FAILED", rolloutStateReason="tasks failed to start", **new)
    with pytest.raises(PartialError, match="tasks failed to start") as raised:
        run(
            services(service(**before)),
            revision(3),
            Call("ecs", "ListTaskDefinitions", {"taskDefinitionArns": arns}),
            Call("ecs", "DescribeTaskDefinition", described(1), {"taskDefinition": arns[0]}),
            Call("ecs", "RegisterTaskDefinition", {"taskDefinition": definition(4)}),
            Call("ecs", "UpdateService", {"service": service(deployments=[failed])}),
            Call("ecs", "DeregisterTaskDefinition", {}, {"taskDefinition": arns[0]}),
            Call("ecs", "DeleteTaskDefinitions", {}, {"taskDefinitions": arns[:1]}),
            services(service(deployments=[failed])),
            image="broken:2",
            keep_revisions=3,
        )
    assert "delete task definition one-web:1" in raised.value.details["steps_done"]


@pytest.mark.parametrize("state", ["COMPLETED", "FAILED"])
def test_a_revision_to_go_back_to_that_no_deployment_tells_stays_until_the_app_is_ready(run: Flow, state: str) -> None:
    """Of revision 3 no task runs yet, of 1 no task is left: 1 may be the last of which a deployment was completed."""
    arns = [f"{ACCOUNT}:task-definition/one-web:{number}" for number in (1, 2, 3)]
    failing = deployment(taskDefinition=arns[2], rolloutState="IN_PROGRESS", runningCount=0)
    new = {"taskDefinition": f"{ACCOUNT}:task-definition/one-web:4", "rolloutState": state}
    later = deployment("ecs-svc/2", **new, rolloutStateReason="tasks failed to start")
    calls = (
        services(service(taskDefinition=arns[2], deployments=[failing])),
        revision(3),
        Call("ecs", "ListTaskDefinitions", {"taskDefinitionArns": arns}),
        Call("ecs", "DescribeTaskDefinition", described(1), {"taskDefinition": arns[0]}),
        Call("ecs", "RegisterTaskDefinition", {"taskDefinition": definition(4)}),
        Call("ecs", "UpdateService", {"service": service(deployments=[later])}),
        services(service(deployments=[later])),
    )
    if state == "FAILED":
        with pytest.raises(PartialError, match="tasks failed to start"):
            run(*calls, image="httpd:2", keep_revisions=3)
        return
    gone = (
        Call("ecs", "DeregisterTaskDefinition", {}, {"taskDefinition": arns[0]}),
        Call("ecs", "DeleteTaskDefinitions", {}, {"taskDefinitions": arns[:1]}),
    )
    plan = run(*calls, *gone, *TASKS, image="httpd:2", keep_revisions=3).plan
    assert plan
    assert plan.sentences()[-1] == "delete task definition one-web:1"


@pytest.mark.parametrize(
    ("running", "given", "goes"),
    [
        ({}, {"wait": False}, False),
        ({}, {"wait": True}, True),
        ({}, {"wait": False, "circuit_breaker": {"enable": True, "rollback": False}}, True),
        ({"deploymentConfiguration": {}}, {"wait": False}, True),
        ({"deploymentConfiguration": {}}, {"wait": False, "circuit_breaker": {"enable": True}}, False),
    ],
)
def test_without_a_wait_it_stays_unless_ecs_goes_back_to_none(
    run: Flow, running: dict[str, Any], given: dict[str, Any], goes: bool
) -> None:
    arns = [f"{ACCOUNT}:task-definition/one-web:{number}" for number in (1, 2, 3)]
    failing = deployment(taskDefinition=arns[2], rolloutState="IN_PROGRESS", runningCount=0)
    plan = run(
        services(service(taskDefinition=arns[2], deployments=[failing], **running)),
        revision(3),
        Call("ecs", "ListTaskDefinitions", {"taskDefinitionArns": arns}),
        Call("ecs", "DescribeTaskDefinition", described(1), {"taskDefinition": arns[0]}),
        check=True,
        image="httpd:2",
        keep_revisions=3,
        **given,
    ).plan
    assert plan
    assert ("delete task definition one-web:1" in plan.sentences()) is goes


IN_USE = f"{ACCOUNT}:task-definition/one-web:1"


def after_a_rollback(image: str = "broken") -> tuple[Call, ...]:
    """The service uses revision 1; revision 2 is the latest."""
    return (
        services(service()),
        Call("ecs", "DescribeTaskDefinition", described(2, image=image), {"taskDefinition": "one-web"}),
        Call("ecs", "DescribeTaskDefinition", described(1), {"taskDefinition": IN_USE}),
    )


@pytest.mark.parametrize(
    ("given", "sentences"),
    [
        ({}, []),
        ({"desired_count": 0}, ["update service web (desired_count)"]),
        (
            {"environment": {"COLOUR": "red"}},
            [
                "update task definition one-web (containers[web].environment.COLOUR)",
                "update service web (task_definition)",
            ],
        ),
    ],
)
def test_a_revision_that_the_service_does_not_use_is_not_continued(
    run: Flow, given: dict[str, Any], sentences: list[str]
) -> None:
    """It was rolled back, or ECS has refused to deploy it."""
    no_others = Call("ecs", "ListTaskDefinitions", {"taskDefinitionArns": []}, times=int("environment" in given))
    outcome = run(*after_a_rollback(), no_others, check=True, **given)
    assert outcome.plan
    assert outcome.plan.sentences() == sentences


def test_what_comes_after_a_rollback_is_made_of_the_revision_in_use(run: Flow) -> None:
    def registered(given: Any) -> bool:
        (container,) = given["containerDefinitions"]
        return bool(container["image"] == "httpd" and container["memory"] == 128)

    later = deployment("ecs-svc/2", taskDefinition=f"{ACCOUNT}:task-definition/one-web:3")
    rolled = service(deployments=[later])
    run(
        *after_a_rollback(),
        Call("ecs", "ListTaskDefinitions", {"taskDefinitionArns": []}),
        Call("ecs", "RegisterTaskDefinition", {"taskDefinition": definition(3, memory=128)}, registered),
        Call("ecs", "DescribeTaskDefinition", described(2, image="broken"), {"taskDefinition": "one-web:2"}),  # a twin?
        Call("ecs", "UpdateService", {"service": rolled}, {"taskDefinition": later["taskDefinition"]}),
        services(rolled),
        *TASKS,
        memory=128,
    )


def test_a_revision_that_a_killed_run_has_registered_is_deployed(run: Flow) -> None:
    outcome = run(*after_a_rollback("httpd:2"), check=True, image="httpd:2")
    assert outcome.plan
    assert outcome.plan.sentences() == ["update service web (task_definition)"]


def test_new_tags_do_not_deploy_a_latest_revision_of_the_same_content(run: Flow) -> None:
    outcome = run(*after_a_rollback("httpd"), check=True, tags={"team": "a"})
    assert outcome.plan
    assert outcome.plan.sentences() == ["update task definition one-web (tags.team)", "update service web (tags.team)"]


def test_a_revision_in_use_that_somebody_else_registered_is_not_continued(run: Flow) -> None:
    theirs = Call("ecs", "DescribeTaskDefinition", described(1, tags=False), {"taskDefinition": IN_USE})
    with pytest.raises(NotOursError, match="task definition one-web:1 exists"):
        run(services(service()), revision(2), theirs)


@pytest.mark.parametrize(
    ("latest", "sentences"),
    [
        (NO_REVISION, []),  # all of them are deregistered: a service goes on with the one that it has
        (revision(2), ["update service web (task_definition)"]),  # the one in use is deleted
    ],
)
def test_a_revision_in_use_may_be_deregistered_or_deleted(run: Flow, latest: Call, sentences: list[str]) -> None:
    gone = described(1)
    gone["taskDefinition"]["status"] = "INACTIVE"
    in_use = UNKNOWN if sentences else gone
    its_own = Call("ecs", "DescribeTaskDefinition", in_use, {"taskDefinition": IN_USE})
    outcome = run(services(service()), latest, its_own, check=True)
    assert outcome.plan
    assert outcome.plan.sentences() == sentences


def test_another_family_is_continued_by_itself(run: Flow) -> None:
    other = described(7)
    other["taskDefinition"] = definition(7, "another")
    outcome = run(
        services(service()),
        Call("ecs", "DescribeTaskDefinition", other, {"taskDefinition": "another"}),
        check=True,
        family="another",
    )
    assert outcome.plan
    assert outcome.plan.sentences() == ["update service web (task_definition)"]


def test_a_deployment_that_fails_says_what_was_done_and_why(run: Flow) -> None:
    failing = deployment(rolloutState="FAILED", rolloutStateReason="tasks failed to start.")
    with pytest.raises(PartialError, match="the deployment failed: tasks failed to start") as raised:
        run(
            services(service()),
            revision(),
            NO_SCALING,
            NO_LOGS,
            Call("ecs", "UpdateService", {"service": service()}, {"desiredCount": 3}),
            services(service(deployments=[failing], events=[event("deployment failed: tasks failed to start.")])),
            desired_count=3,
        )
    assert raised.value.details["steps_done"] == ["update service web (desired_count)"]
    assert raised.value.details["last_events"] == ["deployment failed: tasks failed to start."]


@pytest.mark.parametrize("count", [3, 21])
def test_a_number_of_tasks_that_scaling_would_move_back_is_refused(run: Flow, count: int) -> None:
    with pytest.raises(InputError, match=f"web scales between 4 and 20 tasks, .* leave it at {count}") as refused:
        run(services(service()), scales((4, 20)), desired_count=count)
    assert str(refused.value.hint).endswith(" --resource-id service/one/web")


@pytest.mark.parametrize(
    ("count", "asked"),
    [
        (2, ()),  # as it is
        (0, ()),  # ends all tasks: scaling has no metric then, and does nothing
        (4, (scales((4, 20)),)),
        (20, (scales((4, 20)),)),
    ],
)
def test_a_number_of_tasks_within_the_limits_of_scaling_is_taken(
    run: Flow, count: int, asked: tuple[Call, ...]
) -> None:
    outcome = run(services(service()), *asked, revision(), check=True, desired_count=count)
    assert outcome.plan
    assert outcome.plan.changed is (count != 2)


def test_who_may_not_look_at_scaling_may_change_the_number_of_tasks_and_is_warned(run: Flow) -> None:
    warnings: list[str] = []
    denied = Call("application-autoscaling", "DescribeScalableTargets", failure("AccessDeniedException"))
    outcome = run(services(service()), denied, revision(), check=True, warn=warnings.append, desired_count=5)
    assert outcome.plan
    assert outcome.plan.sentences() == ["update service web (desired_count)"]
    assert warnings[0].startswith("If web scales by itself, 5 tasks may not be what stays: ")


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize(("providers", "says"), [([], "gpu or spot, but none at all"), (["spot"], "gpu, but spot")])
def test_an_unknown_capacity_provider_is_refused_before_anything_is_made(
    run: Flow, there: bool, providers: list[str], says: str
) -> None:
    found = {"clusterName": "one", "status": "ACTIVE", "capacityProviders": providers}
    strategy = [{"capacity_provider": "spot"}, {"capacity_provider": "gpu"}]
    with pytest.raises(InputError, match=f"capacity_provider_strategy: cluster one has no capacity provider {says}"):
        run(
            services(*[service()] * there),
            Call("ecs", "DescribeClusters", {"clusters": [found]}),
            capacity_provider_strategy=strategy,
            **WEB,
        )


def test_capacity_providers_that_a_service_has_are_not_looked_up(run: Flow) -> None:
    there = {"capacityProviderStrategy": [{"capacityProvider": "spot", "weight": 1}]}
    outcome = run(
        services(service(**there)),
        revision(),
        capacity_provider_strategy=[{"capacity_provider": "spot"}],
        **WEB,
    )
    assert outcome.plan
    assert not outcome.plan.changed


def test_a_classic_load_balancer_needs_the_instances_security_group(run: Flow) -> None:
    with pytest.raises(InputError, match="cluster one has no security group of its own"):
        run(*NO_SERVICE, NO_REVISION, groups(), *live_balancer(), load_balancer=CLASSIC, **WEB)


def test_a_new_load_balancer_needs_the_clusters_subnets(run: Flow) -> None:
    with pytest.raises(InputError, match="has no auto scaling group ecs-one-instances to take subnets from"):
        run(
            *NO_SERVICE,
            NO_REVISION,
            groups(INSTANCES),
            Call("elb", "DescribeLoadBalancers", failure("LoadBalancerNotFound")),
            Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": []}),
            load_balancer=CLASSIC,
            **WEB,
        )


@pytest.mark.parametrize("there", [True, False])
def test_subnets_of_another_vpc_are_refused_before_any_change(run: Flow, there: bool) -> None:
    """A load balancer that is there would be moved by a call that comes after others."""
    elsewhere = [{"SubnetId": "subnet-9", "VpcId": "vpc-2", "AvailabilityZone": "eu-west-1a"}]
    missing = Call("elb", "DescribeLoadBalancers", failure("LoadBalancerNotFound"))
    with pytest.raises(InputError, match=r"load_balancer.subnets: the instances are in vpc-1, but subnet-9 in vpc-2"):
        run(
            *NO_SERVICE,
            NO_REVISION,
            groups(INSTANCES),
            *(live_balancer() if there else [missing]),
            Call("ec2", "DescribeSubnets", {"Subnets": elsewhere}),
            load_balancer={**CLASSIC, "subnets": ["subnet-9"]},
            **WEB,
        )


def test_a_load_balancer_in_one_zone_cannot_be_moved_within_it(run: Flow) -> None:
    beside = [{"SubnetId": one, "VpcId": "vpc-1", "AvailabilityZone": "eu-west-1a"} for one in ("subnet-1", "subnet-9")]
    with pytest.raises(InputError, match=r"load_balancer.subnets: one-lb has to leave eu-west-1a before"):
        run(
            *NO_SERVICE,
            NO_REVISION,
            groups(INSTANCES),
            *live_balancer(Subnets=["subnet-1"]),
            Call("ec2", "DescribeSubnets", {"Subnets": beside[1:]}, {"SubnetIds": ["subnet-9"]}),
            Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": []}),
            Call("ec2", "DescribeSubnets", {"Subnets": beside}, {"SubnetIds": ["subnet-1", "subnet-9"]}),
            load_balancer={**CLASSIC, "subnets": ["subnet-9"]},
            **WEB,
        )


NO_CLASSIC = Call("elb", "DescribeLoadBalancers", failure("LoadBalancerNotFound"))
NO_GROUP = Call("elbv2", "DescribeTargetGroups", failure("TargetGroupNotFound"))
ONE_LB = "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/one-lb/1"
LEADS_NOWHERE = Call("elbv2", "DescribeTargetGroups", failure("TargetGroupNotFound"), {"LoadBalancerArn": ONE_LB})
IN_TWO_ZONES = (
    Call(
        "autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": [{"VPCZoneIdentifier": "subnet-1,subnet-2"}]}
    ),
    Call(
        "ec2",
        "DescribeSubnets",
        {"Subnets": [{"SubnetId": f"subnet-{one}", "AvailabilityZone": one, "VpcId": "vpc-1"} for one in ("1", "2")]},
    ),
)


def named_group(name: str) -> dict[str, Any]:
    """The security group of an own load balancer of this name."""
    return security_group(f"sg-{name}", f"load-balancer-security-group/{name}", "web", IpPermissions=[OPEN])


def test_a_load_balancer_of_another_type_that_a_killed_run_left_goes_first(run: Flow) -> None:
    """It has the same name, which the two kinds do not share, and the same security group."""
    outcome = run(
        *NO_SERVICE,
        NO_REVISION,
        groups(INSTANCES, balancer_group()),
        Call("elbv2", "DescribeLoadBalancers", failure("LoadBalancerNotFound")),
        NO_GROUP,
        *IN_TWO_ZONES,
        *live_balancer(),
        check=True,
        load_balancer={"type": "application", "name": "one-lb"},
        **WEB,
    )
    assert outcome.plan
    assert outcome.plan.sentences()[0] == "delete classic load balancer one-lb"
    assert "delete load balancer security group sg-lb-name" not in outcome.plan.sentences()
    gone = outcome.plan.steps[0].key
    made = [step for step in outcome.plan.steps if step.kind in ("load_balancer", "target_group")]
    assert len(made) == 2
    assert all(gone in step.needs for step in made)


NO_V2 = Call("elbv2", "DescribeLoadBalancers", failure("LoadBalancerNotFound"), {"Names": ["one-lb"]})


@pytest.mark.parametrize(("app", "looks"), [("web", (NO_CLASSIC, NO_V2)), ("", ())])
def test_a_target_group_that_a_killed_run_left_goes_before_a_classic_load_balancer_is_made(
    run: Flow, app: str, looks: tuple[Call, ...]
) -> None:
    """The security group that was made before tells to look for it: an own one, or the cluster's, of a shared one."""
    found = {"TargetGroupArn": GROUP_ARN, "TargetGroupName": "ecs-one-web", "VpcId": "vpc-1", "Protocol": "HTTP"}
    outcome = run(
        *NO_SERVICE,
        NO_REVISION,
        groups(INSTANCES, security_group("sg-lb", "load-balancer-security-group/one-lb", app)),
        NO_CLASSIC,
        *looks,
        *IN_TWO_ZONES,
        Call("elbv2", "DescribeTargetGroups", {"TargetGroups": [{**found, "LoadBalancerArns": []}]}),
        tags_of(GROUP_ARN, "target-group"),
        check=True,
        load_balancer=CLASSIC,
        **WEB,
    )
    assert outcome.plan
    assert outcome.plan.sentences()[0] == "delete target group ecs-one-web"
    balancer = next(step for step in outcome.plan.steps if step.kind == "classic_load_balancer")
    assert outcome.plan.steps[0].key in balancer.needs


def test_a_target_group_is_made_after_the_security_group_that_tells_to_look_for_it(run: Flow) -> None:
    """So an app with a classic load balancer, where no run has made a security group, costs no look for one."""
    no_balancer = Call("elbv2", "DescribeLoadBalancers", failure("LoadBalancerNotFound"))
    before = (*NO_SERVICE, NO_REVISION, groups(INSTANCES))
    plan = run(
        *before, no_balancer, NO_GROUP, *IN_TWO_ZONES, check=True, load_balancer={**CLASSIC, "type": "network"}, **WEB
    ).plan
    assert plan
    secured = next(step for step in plan.steps if step.kind == "load_balancer_security_group")
    assert secured.key in next(step for step in plan.steps if step.kind == "target_group").needs
    run(*before, NO_CLASSIC, *IN_TWO_ZONES, check=True, load_balancer=CLASSIC, **WEB)


def test_load_balancers_of_other_names_that_killed_runs_left_go_first(run: Flow) -> None:
    """With their security groups, and the rules for these, which are for the same port."""
    pairs = [{"GroupId": f"sg-{name}"} for name in ("before", "earlier")]
    outcome = run(
        *NO_SERVICE,
        NO_REVISION,
        groups(
            {**INSTANCES, "IpPermissions": [{**RULE, "UserIdGroupPairs": pairs}]},
            *map(named_group, ("before", "earlier")),
        ),
        Call("elb", "DescribeLoadBalancers", failure("LoadBalancerNotFound"), {"LoadBalancerNames": ["one-lb"]}),
        *IN_TWO_ZONES,
        Call("elb", "DescribeLoadBalancers", failure("LoadBalancerNotFound"), {"LoadBalancerNames": ["earlier"]}),
        *live_balancer(LoadBalancerName="before"),
        Call("elbv2", "DescribeLoadBalancers", failure("LoadBalancerNotFound"), {"Names": ["earlier"]}),
        NO_GROUP,
        check=True,
        load_balancer=CLASSIC,
        **WEB,
    )
    assert outcome.plan
    gone = [step for step in outcome.plan.steps if step.action == "delete"]
    assert sorted(step.sentence for step in gone) == [
        "delete classic load balancer before",
        "delete ingress rule of sg-before-name to tcp 80-80 of the instances",
        "delete ingress rule of sg-earlier-name to tcp 80-80 of the instances",
        "delete load balancer security group sg-before-name",
        "delete load balancer security group sg-earlier-name",
    ]
    balancer = next(step for step in outcome.plan.steps if step.sentence == "create classic load balancer one-lb")
    assert {step.key for step in gone} <= balancer.needs
    # it says for whom it is, should the run be killed before there is a service
    rule = next(step for step in outcome.plan.steps if step.sentence.startswith("create ingress rule"))
    assert rule.key in balancer.needs


def test_a_load_balancer_of_another_vpc_is_refused_before_any_change(run: Flow) -> None:
    with pytest.raises(InputError, match="load_balancer: one-lb is in VPC vpc-2"):
        run(*NO_SERVICE, NO_REVISION, groups(INSTANCES), *live_balancer(VPCId="vpc-2"), load_balancer=CLASSIC, **WEB)


def test_a_rule_for_the_port_before_goes(run: Flow) -> None:
    outcome = run(
        services(service(**BEHIND)),
        revision(),
        groups({**INSTANCES, "IpPermissions": [RULE, rule_at(8080)]}, balancer_group()),
        *live_balancer(),
        check=True,
        load_balancer=CLASSIC,
        **WEB,
    )
    assert outcome.plan
    assert outcome.plan.sentences() == ["delete ingress rule of sg-lb-name to tcp 8080-8080 of the instances"]


def test_a_rule_that_somebody_else_made_for_the_load_balancer_stays(run: Flow) -> None:
    outcome = run(
        services(service(**BEHIND)),
        revision(),
        groups({**INSTANCES, "IpPermissions": [RULE, rule_at(9100, "metrics")]}, balancer_group()),
        *live_balancer(),
        check=True,
        load_balancer=CLASSIC,
        **WEB,
    )
    assert outcome.plan
    assert outcome.plan.sentences() == []


def test_a_rule_for_the_port_before_stays_if_the_deployment_fails(run: Flow) -> None:
    """Tasks of before may still be reached through it, or again, after a rollback."""
    failing = deployment(rolloutState="FAILED", rolloutStateReason="tasks failed to start.")
    with pytest.raises(PartialError, match="the deployment failed: tasks failed to start") as raised:
        run(
            services(service(**BEHIND)),
            revision(),
            groups({**INSTANCES, "IpPermissions": [RULE, rule_at(8080)]}, balancer_group()),
            *live_balancer(),
            NO_SCALING,
            NO_LOGS,
            Call("ecs", "UpdateService", {"service": service(**BEHIND)}),
            services(service(deployments=[failing], **BEHIND)),
            load_balancer=CLASSIC,
            desired_count=3,
            **WEB,
        )
    assert raised.value.details["steps_done"] == ["update service web (desired_count)"]


def test_what_is_tidied_up_after_the_wait_is_among_what_was_done(run: Flow) -> None:
    with pytest.raises(PartialError) as raised:
        run(
            services(service(**BEHIND)),
            revision(),
            groups({**INSTANCES, "IpPermissions": [RULE, rule_at(8080)]}, balancer_group()),
            *live_balancer(),
            in_service(2),
            Call("ec2", "RevokeSecurityGroupIngress"),
            Call("ecs", "ListTasks", failure("AccessDeniedException")),
            load_balancer=CLASSIC,
            **WEB,
        )
    assert raised.value.details["steps_done"] == ["delete ingress rule of sg-lb-name to tcp 8080-8080 of the instances"]


@pytest.mark.parametrize(
    ("listens", "made_for", "others_port", "goes"),
    [
        ((80,), "web", 9090, True),
        ((80,), "web", 8080, False),  # another app is reached through it
        ((80, 8080), "web", None, False),  # an earlier listener leads there
        ((80,), "other", None, False),
    ],
)
def test_a_rule_for_the_port_before_goes_from_a_shared_load_balancer_too(
    run: Flow, listens: tuple[int, ...], made_for: str, others_port: int | None, goes: bool
) -> None:
    outcome = run(
        services(service(**BEHIND)),
        revision(),
        groups(reached_at(80, 8080, made_for=f"container.schedulers: {made_for}"), shared_group(80)),
        *live_balancer("", **listening_at(*listens)),
        *(others_at(others_port) if others_port else ()),
        check=True,
        load_balancer=SHARED,
        **WEB,
    )
    assert outcome.plan
    assert outcome.plan.sentences() == ["delete ingress rule of sg-lb-name to tcp 8080-8080 of the instances"] * goes


def test_a_rule_for_the_port_before_stays_if_another_app_has_come_to_need_it_meanwhile(run: Flow) -> None:
    outcome = run(
        services(service(**BEHIND)),
        revision(),
        groups(reached_at(80, 8080), shared_group(80)),
        *live_balancer("", **listening_at(80)),
        *others_at(9090),
        in_service(2),
        *others_at(8080),
        load_balancer=SHARED,
        **WEB,
    )
    assert outcome.plan
    assert outcome.plan.sentences() == []


def test_a_rule_for_the_port_before_stays_while_tasks_that_nobody_waits_for_are_on_the_move(run: Flow) -> None:
    outcome = run(
        services(service(**BEHIND)),
        revision(),
        groups(reached_at(80, 8080), shared_group(80)),
        *live_balancer("", **listening_at(80)),
        NO_SCALING,
        check=True,
        wait=False,
        load_balancer=SHARED,
        **{**WEB, "desired_count": 3},
    )
    assert outcome.plan
    assert outcome.plan.sentences() == ["update service web (desired_count)"]


def test_without_a_word_about_load_balancers_the_address_is_looked_up(run: Flow) -> None:
    balancer = live_balancer()[0]
    outcome = run(services(service(**BEHIND)), revision(), in_service(2), balancer)
    assert outcome.result["url"] == "http://one-lb.elb.example/"


NOTHING_MARKED = Call("resourcegroupstaggingapi", "GetResources", {"ResourceTagMappingList": []})
NO_REVISIONS = Call("ecs", "ListTaskDefinitions", {"taskDefinitionArns": []})
NO_LOGS = Call("logs", "DescribeLogGroups", {"logGroups": []}, {"logGroupNamePrefix": "/ecs/one/web"})
NO_TRACES = (NOTHING_MARKED, NO_SCALING, NO_LOGS)
# the look at the end
ALL_GONE = (services(service(status="INACTIVE")), *NO_TRACES, NO_REVISIONS, groups())


def test_no_app_is_left_alone(run: Flow) -> None:
    outcome = run(
        Call("ecs", "DescribeServices", NO_CLUSTER),
        *NO_TRACES,
        NO_REVISIONS,
        groups(),
        state="absent",
    )
    assert outcome.plan
    assert not outcome.plan.changed
    assert outcome.result["service"]["arn"] is None


def opening(port: int, made_for: str = "") -> dict[str, Any]:
    described = {"Description": f"container.schedulers: {made_for}"} if made_for else {}
    return {**OPEN, "FromPort": port, "ToPort": port, "IpRanges": [{**OPEN["IpRanges"][0], **described}]}


def shared_group(*ports: int, made_for: str = "") -> dict[str, Any]:
    """The security group of the shared load balancer, open at these ports."""
    openings = [opening(port, made_for) for port in ports]
    group = security_group("sg-lb", "load-balancer-security-group/one-lb", IpPermissions=openings)
    return {**group, "Tags": [*group["Tags"], {"Key": "Name", "Value": group["GroupName"]}]}


def reached_at(*ports: int, made_for: str = "container.schedulers: web") -> dict[str, Any]:
    """The instances' security group, which lets the load balancer in at these ports."""
    source = {"UserIdGroupPairs": [{"GroupId": "sg-lb", "Description": made_for}]}
    return {**INSTANCES, "IpPermissions": [{**RULE, "FromPort": port, "ToPort": port, **source} for port in ports]}


@pytest.mark.parametrize("shared", [True, False])
def test_the_way_from_a_shared_load_balancer_is_opened_once_more_when_there_is_the_service(
    run: Flow, shared: bool
) -> None:
    """It was another app's too, whose deletion knew of no service that would need it."""
    app = "" if shared else "web"
    order: list[str] = []
    group = shared_group(80)
    named = {**group, "Tags": [*group["Tags"], {"Key": "Name", "Value": group["GroupName"]}]}

    def made(step: str) -> Callable[[Any], bool]:
        def noted(_given: Any) -> bool:
            order.append(step)
            return True

        return noted

    again = Call("ec2", "AuthorizeSecurityGroupIngress", failure("InvalidPermission.Duplicate"), made("rule"))
    outcome = run(
        *NO_SERVICE,
        NO_REVISION,
        groups(reached_at(80), named if shared else balancer_group()),
        *live_balancer(app),
        *([Call("ecs", "ListServices", {"serviceArns": []}, times=2)] if shared else []),  # is another app at its port?
        Call("ecs", "RegisterTaskDefinition", {"taskDefinition": definition()}),
        Call("ecs", "CreateService", {"service": service(**BEHIND)}, made("service")),
        *([again] if shared else []),
        *TASKS,
        **WEB,
        load_balancer={**CLASSIC, "shared": shared},
        wait=False,
    )
    assert outcome.plan
    assert outcome.plan.sentences() == ["create task definition one-web", "create service web"]
    assert order == (["service", "rule"] if shared else ["service"])


def listed(*numbers: int) -> Call:
    arns = [f"{ACCOUNT}:task-definition/one-web:{number}" for number in numbers]
    return Call("ecs", "ListTaskDefinitions", {"taskDefinitionArns": arns}, {"status": "ACTIVE"})


def test_an_app_goes_with_its_part_of_a_shared_load_balancer(run: Flow) -> None:
    """Another app is behind the same load balancer, at another port: its listener stays."""
    other = service(serviceName="other", taskDefinition=f"{ACCOUNT}:task-definition/other:1", **BEHIND)
    ports = [{"containerPort": 80, "hostPort": 8080, "protocol": "tcp"}]
    listeners = [
        {"Listener": {"Protocol": "HTTP", "LoadBalancerPort": port, "InstanceProtocol": "HTTP", "InstancePort": port}}
        for port in (80, 8080)
    ]
    outcome = run(
        services(service(**BEHIND)),
        *NO_TRACES,
        listed(1),
        Call("ecs", "DescribeTaskDefinition", described(1), times=2),  # is it ours, and where does it log to?
        groups(reached_at(80, 8080, made_for="container.schedulers: before"), shared_group(80, 8080)),
        *live_balancer("", ListenerDescriptions=listeners),
        Call("ecs", "DescribeTaskDefinition", described(1), {"taskDefinition": service()["taskDefinition"]}),
        Call("ecs", "ListServices", {"serviceArns": ["web", "other"]}),
        services(service(**BEHIND), other),
        Call(
            "ecs",
            "DescribeTaskDefinition",
            described(1, portMappings=ports),
            {"taskDefinition": other["taskDefinition"]},
        ),
        Call("ecs", "DeleteService"),
        services(service(status="INACTIVE")),
        Call("ec2", "RevokeSecurityGroupIngress", {}, {"GroupId": "sg-lb", "IpPermissions": [opening(80)]}),
        Call("ec2", "RevokeSecurityGroupIngress", {}, {"GroupId": "sg-instances"}),
        Call("elb", "DeleteLoadBalancerListeners", {}, {"LoadBalancerPorts": [80]}),
        Call("elb", "ConfigureHealthCheck"),
        Call("ecs", "DeregisterTaskDefinition"),
        Call("ecs", "DeleteTaskDefinitions"),
        *ALL_GONE,
        state="absent",
    )
    assert outcome.plan
    # first what only the service tells: a run that is killed after it would leave its listener
    assert outcome.plan.sentences() == [
        "update load balancer security group sg-lb-name (ingress.tcp 80 from 0.0.0.0/0)",
        "update classic load balancer one-lb (listeners.80, health_check.target)",
        "delete ingress rule of sg-lb-name to tcp 80-80 of the instances",
        "delete service web",
        "delete task definition one-web:1",
    ]
    # and before the listener what only the listener tells
    closing, balancer, rule, gone, _definition = outcome.plan.steps
    assert closing.key in balancer.needs
    assert {closing.key, rule.key, balancer.key} <= gone.needs


@pytest.mark.parametrize("other_goes", [True, False])
def test_of_two_apps_that_go_at_the_same_time_the_later_takes_what_both_have_used(run: Flow, other_goes: bool) -> None:
    both = (groups(reached_at(80), shared_group(80)), *live_balancer("", **listening_at(80)))
    left = (
        Call("ecs", "ListServices", {"serviceArns": []}),
        Call("ec2", "RevokeSecurityGroupIngress", {}, {"GroupId": "sg-lb", "IpPermissions": [opening(80)]}),
        Call("ec2", "RevokeSecurityGroupIngress", {}, {"GroupId": "sg-instances"}),
        Call("elb", "DeleteLoadBalancerListeners", {}, {"LoadBalancerPorts": [80]}),
    )
    outcome = run(
        services(service(**BEHIND)),
        *NO_TRACES,
        listed(1),
        Call("ecs", "DescribeTaskDefinition", described(1), times=2),  # is it ours, and where does it log to?
        *both,
        Call("ecs", "DescribeTaskDefinition", described(1), {"taskDefinition": service()["taskDefinition"]}),
        *others_at(80),
        Call("ecs", "DeleteService"),
        services(service(status="INACTIVE")),
        Call("ecs", "DeregisterTaskDefinition"),
        Call("ecs", "DeleteTaskDefinitions"),
        *both,
        *(left if other_goes else others_at(80)),
        *ALL_GONE,
        state="absent",
    )
    assert outcome.plan
    shared = [
        "update load balancer security group sg-lb-name (ingress.tcp 80 from 0.0.0.0/0)",
        "update classic load balancer one-lb (listeners.80)",
        "delete ingress rule of sg-lb-name to tcp 80-80 of the instances",
    ]
    own = ["delete service web", "delete task definition one-web:1"]
    assert outcome.plan.sentences() == [*own, *(shared if other_goes else [])]


GROUP_ARN = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/ecs-one-web/1"
OTHERS_GROUP = GROUP_ARN.replace("web", "other")


def behind_v2(arn: str = GROUP_ARN) -> dict[str, Any]:
    return {"loadBalancers": [{"targetGroupArn": arn, "containerName": "web", "containerPort": 80}]}


def listening(*groups_behind: str) -> Call:
    """The listeners of a shared load balancer of the newer kinds, at ports from 80."""
    above = {"LoadBalancerArn": v2()["LoadBalancerArn"], "Protocol": "HTTP"}
    listeners = [
        {**above, "ListenerArn": f"l{at}", "Port": 80 + at, "DefaultActions": [{"TargetGroupArn": arn}]}
        for at, arn in enumerate(groups_behind)
    ]
    return Call("elbv2", "DescribeListeners", {"Listeners": listeners})


def leading_to(*groups_behind: str) -> tuple[Call, ...]:
    """To which target groups a shared load balancer leads, by its listeners and their rules."""
    found = {"TargetGroups": [{"TargetGroupArn": arn} for arn in groups_behind]}
    answer = found if groups_behind else failure("TargetGroupNotFound")
    return (
        Call("elbv2", "DescribeLoadBalancers", {"LoadBalancers": [v2()]}),
        Call("elbv2", "DescribeTargetGroups", answer, {"LoadBalancerArn": v2()["LoadBalancerArn"]}),
    )


BALANCING = ("resourcegroupstaggingapi", "ec2", "elbv2")


def behind_a_shared_one(group: dict[str, Any], *groups_behind: str) -> tuple[Call, ...]:
    """What a look at an app behind a shared load balancer of the newer kinds finds, but for its service.

    Args:
        group: the instances' security group.
    """
    found = {"TargetGroupArn": GROUP_ARN, "TargetGroupName": "ecs-one-web", "VpcId": "vpc-1", "Protocol": "HTTP"}
    tagged = {"ResourceARN": GROUP_ARN, "Tags": upper_mark("target-group")}
    return (
        Call("resourcegroupstaggingapi", "GetResources", {"ResourceTagMappingList": [tagged]}),
        NO_SCALING,
        NO_LOGS,
        NO_REVISIONS,
        groups(group, shared_group(80, 81)),
        Call(
            "elbv2",
            "DescribeTargetGroups",
            {"TargetGroups": [{**found, "LoadBalancerArns": [v2()["LoadBalancerArn"]]}]},
            {"TargetGroupArns": [GROUP_ARN]},
        ),
        tags_of(GROUP_ARN, "target-group"),
        listening(*groups_behind),
    )


def test_an_app_closes_its_ways_to_and_from_a_shared_load_balancer_of_the_newer_kinds(run: Flow) -> None:
    """A run was killed before it made the service."""
    outcome = run(
        services(),
        *behind_a_shared_one(reached_at(80), GROUP_ARN),
        Call("ecs", "ListServices", {"serviceArns": []}),
        check=True,
        state="absent",
    )
    assert outcome.plan
    rule, closing, deleted, _group = outcome.plan.steps
    assert rule.sentence == "delete ingress rule of sg-lb-name to tcp 80-80 of the instances"
    assert closing.sentence == "update load balancer security group sg-lb-name (ingress.tcp 80 from 0.0.0.0/0)"
    assert deleted.kind == "listener"
    assert {rule.key, closing.key} <= deleted.needs


def test_behind_none_an_app_leaves_a_shared_load_balancer_to_the_others(run: Flow) -> None:
    """Its ways to and from it go, too, and those that another app needs do not."""
    other = service(serviceName="other", taskDefinition=f"{ACCOUNT}:task-definition/other:1", **behind_v2(OTHERS_GROUP))
    outcome = run(
        services(service(**behind_v2())),
        revision(),
        *(
            call
            for call in behind_a_shared_one(reached_at(80, 81), GROUP_ARN, OTHERS_GROUP)
            if call.service in BALANCING
        ),
        Call("ecs", "ListServices", {"serviceArns": ["other"]}),
        services(other),
        *leading_to(GROUP_ARN, OTHERS_GROUP),
        Call("ecs", "DescribeTaskDefinition", described(1, portMappings=[{"containerPort": 80, "hostPort": 81}])),
        check=True,
        load_balancer={"type": "none"},
    )
    assert outcome.plan
    assert outcome.plan.sentences() == [
        "update service web (load_balancers[0])",
        "delete ingress rule of sg-lb-name to tcp 80-80 of the instances",
        "update load balancer security group sg-lb-name (ingress.tcp 80 from 0.0.0.0/0)",
        "delete listener 80 of one-lb",
        "delete target group ecs-one-web",
    ]


@pytest.mark.parametrize(
    ("made_for", "others", "led_to", "goes"),
    [
        # the other app is reached through it as well
        ("container.schedulers: web", OTHERS_GROUP, (GROUP_ARN, OTHERS_GROUP), False),
        # the other app is behind another load balancer
        ("container.schedulers: web", "elsewhere", (GROUP_ARN, OTHERS_GROUP), True),
        # the other app has moved away from here
        ("container.schedulers: other", "elsewhere", (GROUP_ARN, OTHERS_GROUP), True),
        # all listeners were deleted
        ("container.schedulers: web", OTHERS_GROUP, (), True),
    ],
)
def test_a_rule_for_dynamic_ports_goes_with_the_last_app_that_needs_it(
    run: Flow, made_for: str, others: str, led_to: tuple[str, ...], goes: bool
) -> None:
    dynamic = reached_at(80, made_for=made_for)
    dynamic["IpPermissions"][0] |= {"FromPort": 32768, "ToPort": 65535}
    ports = [{"containerPort": 80, "hostPort": 0, "protocol": "tcp"}]
    other = service(serviceName="other", taskDefinition=f"{ACCOUNT}:task-definition/other:1", **behind_v2(others))
    asks = not goes or made_for.endswith("other")  # whose port it is, if neither description nor load balancer tells
    outcome = run(
        services(service(**behind_v2())),
        *behind_a_shared_one(dynamic, GROUP_ARN),  # to the other's group leads a rule of a listener
        *leading_to(*led_to),
        revision(),  # where does it log to?
        *[Call("ecs", "DescribeTaskDefinition", described(1, portMappings=ports))] * asks,
        Call("ecs", "ListServices", {"serviceArns": ["other"]}),
        services(other),
        check=True,
        state="absent",
    )
    assert outcome.plan
    rules = [step for step in outcome.plan.steps if step.kind == "ingress_rule"]
    assert len(rules) == goes
    gone = next(step for step in outcome.plan.steps if step.kind == "service")
    assert {rule.key for rule in rules} <= gone.needs  # who else would know that the port was its?


def test_a_rule_that_somebody_else_made_stays(run: Flow) -> None:
    outcome = run(
        services(), *behind_a_shared_one(reached_at(80, made_for="by hand"), GROUP_ARN), check=True, state="absent"
    )
    assert outcome.plan
    assert "ingress_rule" not in {step.kind for step in outcome.plan.steps}


def test_an_own_load_balancer_is_no_shared_one(run: Flow) -> None:
    outcome = run(
        services(service(**BEHIND)),
        *NO_TRACES,
        NO_REVISIONS,
        revision(),
        groups({**INSTANCES, "IpPermissions": [RULE]}, balancer_group()),
        *live_balancer(),
        check=True,
        state="absent",
        load_balancer=CLASSIC,
    )
    assert outcome.plan
    assert [step.kind for step in outcome.plan.steps] == [
        "service",
        "classic_load_balancer",
        "ingress_rule",
        "load_balancer_security_group",
    ]


def v2(name: str = "one-lb") -> dict[str, Any]:
    arn = ONE_LB.replace("one-lb", name)
    found = {"LoadBalancerArn": arn, "LoadBalancerName": name, "DNSName": f"{name}.elb.example", "Type": "application"}
    return {**found, "Scheme": "internet-facing", "VpcId": "vpc-1", "AvailabilityZones": []}


def tags_of(arn: str, part: str) -> Call:
    tags = {"TagDescriptions": [{"ResourceArn": arn, "Tags": upper_mark(part)}]}
    return Call("elbv2", "DescribeTags", tags, {"ResourceArns": [arn]})


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (live_balancer(), "classic_load_balancer"),
        (
            (
                NO_CLASSIC,
                Call("elbv2", "DescribeLoadBalancers", {"LoadBalancers": [v2()]}),
                tags_of(v2()["LoadBalancerArn"], "load-balancer"),
                LEADS_NOWHERE,
            ),
            "load_balancer",
        ),
    ],
)
def test_a_load_balancer_that_no_list_shows_yet_is_found_by_its_security_group(
    run: Flow, found: tuple[Call, ...], kind: str
) -> None:
    """A run was killed a moment ago, and nothing is said but what the app is called."""
    outcome = run(
        services(),
        *NO_TRACES,
        NO_REVISIONS,
        groups(INSTANCES, balancer_group()),
        *found,
        NO_GROUP,
        check=True,
        state="absent",
    )
    assert outcome.plan
    assert [step.kind for step in outcome.plan.steps] == [kind, "load_balancer_security_group"]


def test_a_load_balancer_is_looked_up_though_its_target_group_is_listed(run: Flow) -> None:
    """The target group was made first: of the two it may be the only one that the tagging API knows."""
    arn = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/ecs-one-web/1"
    group = {"TargetGroupArn": arn, "TargetGroupName": "ecs-one-web", "LoadBalancerArns": [], "VpcId": "vpc-1"}
    outcome = run(
        services(),
        Call(
            "resourcegroupstaggingapi",
            "GetResources",
            {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": upper_mark("target-group")}]},
        ),
        NO_SCALING,
        NO_LOGS,
        NO_REVISIONS,
        groups(INSTANCES),
        NO_CLASSIC,
        Call("elbv2", "DescribeTargetGroups", {"TargetGroups": [{**group, "Protocol": "HTTP"}]}),
        Call("elbv2", "DescribeLoadBalancers", {"LoadBalancers": [v2()]}),
        tags_of(arn, "target-group"),
        tags_of(v2()["LoadBalancerArn"], "load-balancer"),
        LEADS_NOWHERE,
        check=True,
        state="absent",
        load_balancer={"type": "application", "name": "one-lb"},
    )
    assert outcome.plan
    assert [step.kind for step in outcome.plan.steps] == ["load_balancer", "target_group"]


def used_by_others() -> tuple[Call, ...]:
    """A look at an own load balancer, behind which others have put a target group, and a killed run one of ours."""
    arn = v2()["LoadBalancerArn"]
    behind = {
        f"arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/{name}/1": tags
        for name, tags in (("theirs", []), ("late", upper_mark("target-group")))
    }
    found = [{"TargetGroupArn": one, "TargetGroupName": one.split("/")[1]} for one in behind]
    descriptions = [{"ResourceArn": one, "Tags": tags} for one, tags in behind.items()]
    return (
        Call("elbv2", "DescribeLoadBalancers", {"LoadBalancers": [v2()]}),
        tags_of(arn, "load-balancer"),
        Call("elbv2", "DescribeTargetGroups", {"TargetGroups": found}, {"LoadBalancerArn": arn}),
        Call("elbv2", "DescribeTags", {"TagDescriptions": descriptions}, {"ResourceArns": [*behind]}),
    )


LISTED = {"ResourceARN": ONE_LB, "Tags": upper_mark("load-balancer")}
OTHERS_BEHIND = r"one-lb leads to target groups that are not of ecs/one: theirs\."


def test_a_load_balancer_that_others_have_come_to_use_stays_with_the_app(run: Flow) -> None:
    """Their listeners would go with it, and its rules."""
    with pytest.raises(ConflictError, match=OTHERS_BEHIND):
        run(
            services(),
            Call("resourcegroupstaggingapi", "GetResources", {"ResourceTagMappingList": [LISTED]}),
            NO_SCALING,
            NO_LOGS,
            NO_REVISIONS,
            groups(INSTANCES),
            *used_by_others(),
            state="absent",
        )


def test_it_stays_too_if_the_app_shall_be_behind_none(run: Flow) -> None:
    with pytest.raises(ConflictError, match=OTHERS_BEHIND):
        run(
            services(service(**behind_v2())),
            revision(),
            Call("resourcegroupstaggingapi", "GetResources", {"ResourceTagMappingList": [LISTED]}),
            groups(INSTANCES),
            *used_by_others(),
            load_balancer={"type": "none"},
        )


def test_it_stays_too_if_the_app_shall_be_behind_another_one(run: Flow) -> None:
    """It was made by a run that was killed before it made the service."""
    with pytest.raises(ConflictError, match=OTHERS_BEHIND):
        run(
            *NO_SERVICE,
            NO_REVISION,
            groups(INSTANCES, balancer_group()),
            NO_CLASSIC,
            NO_CLASSIC,
            NO_GROUP,
            *IN_TWO_ZONES,
            *used_by_others(),
            load_balancer={**CLASSIC, "name": "other-lb"},
            **WEB,
        )


def listening_at(*ports: int) -> dict[str, Any]:
    """The listeners of a shared classic load balancer, each to the same port of the instances."""
    return listening_to({port: port for port in ports})


def listening_to(ports: dict[int, int]) -> dict[str, Any]:
    """The same, by port of the load balancer."""
    one = {"Protocol": "HTTP", "InstanceProtocol": "HTTP"}
    listeners = [{"Listener": {**one, "LoadBalancerPort": at, "InstancePort": to}} for at, to in ports.items()]
    return {"ListenerDescriptions": listeners}


OTHER = service(serviceName="other", taskDefinition=f"{ACCOUNT}:task-definition/other:1", **BEHIND)


def others_at(port: int) -> tuple[Call, ...]:
    """Another app behind the same load balancer, reached through this port of the instances."""
    ports = [{"containerPort": 80, "hostPort": port, "protocol": "tcp"}]
    asked = {"taskDefinition": OTHER["taskDefinition"]}
    return (
        Call("ecs", "ListServices", {"serviceArns": ["other"]}),
        services(OTHER),
        Call("ecs", "DescribeTaskDefinition", described(1, portMappings=ports), asked),
    )


GOING = "update classic load balancer one-lb (listeners.80, health_check.target)"
CLOSING = "update load balancer security group sg-lb-name (ingress.tcp 80 from 0.0.0.0/0)"
SHARED = {**CLASSIC, "shared": True}


@pytest.mark.parametrize(
    ("found", "given", "others_port", "sentences"),
    [
        ((INSTANCES,), {"load_balancer": SHARED}, 8080, [GOING]),
        ((INSTANCES,), {"load_balancer": SHARED}, 80, []),  # another app is reached through it
        (
            (reached_at(80), shared_group(80, 8080)),  # nothing but the rule says whose it is
            {},
            8080,
            [CLOSING, GOING, "delete ingress rule of sg-lb-name to tcp 80-80 of the instances"],
        ),
        ((reached_at(80), shared_group(80, 8080)), {}, 80, []),
        ((INSTANCES, shared_group(80, made_for="web")), {}, 8080, [CLOSING, GOING]),  # or the way in to it
        ((INSTANCES, shared_group(80, made_for="web")), {}, 80, []),  # another app has it by now
    ],
)
def test_a_listener_of_an_app_that_never_had_a_service_goes_too(
    run: Flow, found: tuple[dict[str, Any], ...], given: dict[str, Any], others_port: int, sentences: list[str]
) -> None:
    """A run was killed between the shared load balancer and the service."""
    outcome = run(
        services(),
        *NO_TRACES,
        NO_REVISIONS,
        groups(*found),
        *live_balancer("", **listening_at(80, 8080)),
        *others_at(others_port),
        check=True,
        state="absent",
        **given,
    )
    assert outcome.plan
    assert outcome.plan.sentences() == sentences
    # until the listener is gone, the rule tells whose it is
    assert all(GOING not in sentences or outcome.plan.steps[1].key in one.needs for one in outcome.plan.steps[2:])


@pytest.mark.parametrize(
    ("balancer", "sentences"),
    [
        (live_balancer("", **listening_at(8080)), [CLOSING]),
        (live_balancer("", **listening_at(80, 8080)), []),  # another app has a listener there by now
        ((NO_CLASSIC, Call("elbv2", "DescribeLoadBalancers", failure("LoadBalancerNotFound"))), [CLOSING]),
        ((NO_CLASSIC, Call("elbv2", "DescribeLoadBalancers", {"LoadBalancers": [v2()]}), listening()), [CLOSING]),
        ((NO_CLASSIC, Call("elbv2", "DescribeLoadBalancers", {"LoadBalancers": [v2()]}), listening(OTHERS_GROUP)), []),
    ],
)
def test_a_way_in_that_was_opened_for_an_app_which_never_came_is_closed(
    run: Flow, balancer: tuple[Call, ...], sentences: list[str]
) -> None:
    """A run was killed before it made the listener."""
    heard = [call for call in balancer if call.answer == live_balancer("", **listening_at(80, 8080))[0].answer]
    outcome = run(
        services(),
        *NO_TRACES,
        NO_REVISIONS,
        groups(INSTANCES, shared_group(80, made_for="web")),
        *balancer,
        *(others_at(80) if heard else ()),
        check=True,
        state="absent",
    )
    assert outcome.plan
    assert outcome.plan.sentences() == sentences


def test_what_is_opened_for_an_app_is_described_with_its_name(run: Flow) -> None:
    outcome = run(
        services(service(**BEHIND)),
        revision(),
        groups(reached_at(80), shared_group(8080)),
        *live_balancer("", **listening_at(80, 8080)),
        Call("ec2", "AuthorizeSecurityGroupIngress", {}, {"IpPermissions": [opening(80, "web")]}),
        *TASKS,
        load_balancer=SHARED,
        wait=False,
        **WEB,
    )
    assert outcome.plan
    assert outcome.plan.sentences() == [
        "update load balancer security group sg-lb-name (ingress.tcp 80 from 0.0.0.0/0)"
    ]


NO_OTHERS = Call("ecs", "ListServices", {"serviceArns": []})


@pytest.mark.parametrize(
    ("ports", "others_port", "looks", "refused"),
    [
        ({80: 80}, 80, 3, True),  # to the very port that the app is to have itself
        ({80: 8080}, 8080, 3, True),
        ({80: 8080, 81: 8080}, 8080, 1, False),  # the other one has moved to 81, and 80 was left
        ({80: 8080}, 9090, 2, False),  # left by an app that has gone
    ],
)
def test_the_listener_at_which_another_app_is_reached_is_not_taken(
    run: Flow, ports: dict[int, int], others_port: int, looks: int, refused: bool
) -> None:
    found = (
        *NO_SERVICE,
        NO_REVISION,
        groups(reached_at(80, 8080), shared_group(80)),
        *live_balancer("", **listening_to(ports), **checked_at(others_port)),
    )
    told = "load_balancer: listener_port 80 of one-lb leads to app other"
    warnings: list[str] = []
    seen = (*found, *others_at(others_port) * looks)
    outcome = run(*seen, check=True, warn=warnings.append, load_balancer=SHARED, **WEB)
    assert outcome.plan
    assert warnings == ([f"{told}, and is refused unless that app goes before."] if refused else [])
    assert any("listeners.80" in one for one in outcome.plan.sentences()) == (ports[80] != 80)
    if refused:
        with pytest.raises(InputError, match=told):
            run(*found, *others_at(others_port) * 2, load_balancer=SHARED, **WEB)


def checked_at(port: int) -> dict[str, Any]:
    return {"HealthCheck": {**classic()["HealthCheck"], "Target": f"HTTP:{port}/"}}


def test_for_an_outlived_health_check_nobody_is_asked(run: Flow) -> None:
    """The last app has gone, and its listener with it."""
    outcome = run(
        *NO_SERVICE,
        NO_REVISION,
        groups(reached_at(80, 8080, made_for="container.schedulers: before"), shared_group(80, 8080)),
        *live_balancer("", **listening_at(80), **checked_at(8080)),
        NO_OTHERS,  # is another app at its own listener?
        check=True,
        load_balancer=SHARED,
        **WEB,
    )
    assert outcome.plan
    assert "update classic load balancer one-lb (health_check.target)" in outcome.plan.sentences()


@pytest.mark.parametrize(("others_port", "taken"), [(8080, False), (9090, True)])
def test_a_health_check_at_a_port_that_was_the_apps_is_anothers_by_now_or_is_taken_at_once(
    run: Flow, others_port: int, taken: bool
) -> None:
    """A run for another port was killed; its rule still says whose it was, whoever is there now."""
    outcome = run(
        *NO_SERVICE,
        NO_REVISION,
        groups(reached_at(80, 8080), shared_group(80, 8080)),
        *live_balancer("", **listening_at(80, 8080), **checked_at(8080)),
        *others_at(others_port),
        *others_at(others_port),  # is it at the app's own listener?
        check=True,
        load_balancer=SHARED,
        **WEB,
    )
    assert outcome.plan
    updates = [one for one in outcome.plan.sentences() if "health_check.target" in one]
    assert updates == (["update classic load balancer one-lb (health_check.target)"] if taken else [])


@pytest.mark.parametrize(("others_port", "taken"), [(8080, False), (9090, True)])
def test_the_health_check_of_a_shared_one_is_taken_over_from_an_app_that_never_had_a_service(
    run: Flow, others_port: int, taken: bool
) -> None:
    """Or no instance would be healthy for the others. The app's first run looks whether anybody is reached there."""
    outcome = run(
        *NO_SERVICE,
        NO_REVISION,
        groups(reached_at(80, 8080, made_for="container.schedulers: other"), shared_group(80, 8080)),
        *live_balancer("", **listening_at(80, 8080), **checked_at(8080)),
        *others_at(others_port),
        *others_at(others_port),  # is it at the app's own listener?
        check=True,
        load_balancer=SHARED,
        **WEB,
    )
    assert outcome.plan
    updates = [step.sentence for step in outcome.plan.steps if step.kind == "classic_load_balancer"]
    assert updates == (["update classic load balancer one-lb (health_check.target)"] if taken else [])


def test_a_service_that_another_run_is_about_to_make_keeps_its_health_check(run: Flow) -> None:
    first, *later = others_at(8080)
    outcome = run(
        *NO_SERVICE,
        NO_REVISION,
        groups(reached_at(80, 8080, made_for="container.schedulers: other"), shared_group(80, 8080)),
        *live_balancer("", **listening_at(80, 8080), **checked_at(8080)),
        Call("ecs", "ListServices", {"serviceArns": []}, times=2),
        first,
        *later,
        *others_at(8080),
        Call("ecs", "RegisterTaskDefinition", {"taskDefinition": definition()}),
        Call("ecs", "CreateService", {"service": service(**BEHIND)}),
        Call("ec2", "AuthorizeSecurityGroupIngress", failure("InvalidPermission.Duplicate")),
        *TASKS,
        load_balancer=SHARED,
        wait=False,
        **WEB,
    )
    assert outcome.plan
    assert outcome.plan.sentences() == ["create task definition one-web", "create service web"]


def test_an_earlier_listener_to_an_earlier_port_goes_with_the_app(run: Flow) -> None:
    """Its load balancer listened, and its tasks were reached, elsewhere before."""
    outcome = run(
        services(service(**BEHIND)),
        *NO_TRACES,
        NO_REVISIONS,
        groups(reached_at(80, 8081), shared_group(80, 8080, 8081)),
        *live_balancer("", **listening_at(80, 8080, 8081)),
        Call("ecs", "DescribeTaskDefinition", described(1), {"taskDefinition": service()["taskDefinition"]}, times=2),
        *others_at(8080),
        check=True,
        state="absent",
    )
    assert outcome.plan
    balancer = next(step for step in outcome.plan.steps if step.kind == "classic_load_balancer")
    assert sorted(balancer.spec["listeners"]) == ["8080"]
    assert len([step for step in outcome.plan.steps if step.kind == "ingress_rule"]) == 2


def test_what_does_not_go_away_is_named(run: Flow) -> None:
    left = service(status="ACTIVE")
    with pytest.raises(PartialError, match="still there: service web"):
        run(
            services(left),
            *NO_TRACES,
            NO_REVISIONS,
            groups(),
            Call("ecs", "DescribeTaskDefinition", described(1), times=2),
            Call("ecs", "DeleteService"),
            services(service(status="INACTIVE")),
            services(left),
            *NO_TRACES,
            NO_REVISIONS,
            groups(),
            state="absent",
            wait_timeout=0,
        )


def info(monkeypatch: pytest.MonkeyPatch, *calls: Call, name: str | None = None) -> list[dict[str, Any]]:
    with scripted(*calls) as aws:
        monkeypatch.setattr(ecs_app_info, "Aws", lambda _connection: aws)
        context = Context({**params(), "name": name}, clock=aws.clock)
        found = as_documented(ecs_app_info.look, ecs_app_info.look(context))
    assert found.plan is None
    apps: list[dict[str, Any]] = found.result["apps"]
    return apps


def test_all_apps_are_looked_at_together(monkeypatch: pytest.MonkeyPatch) -> None:
    task = {
        "taskArn": f"{ACCOUNT}:task/one/1",
        "lastStatus": "RUNNING",
        "group": "service:web",
        "taskDefinitionArn": f"{ACCOUNT}:task-definition/one-web:1",
        "containers": [{"networkBindings": [{"hostPort": 80}]}],
    }
    apps = info(
        monkeypatch,
        Call("ecs", "ListServices", {"serviceArns": ["web", "bare"]}),
        services(service(**BEHIND), service(serviceName="bare")),
        Call("ecs", "ListTasks", {"taskArns": ["1"]}, {"cluster": "one", "serviceName": None}),
        Call("ecs", "DescribeTasks", {"tasks": [task]}),
        live_balancer()[0],
    )
    assert [(one["name"], one["url"], len(one["tasks"])) for one in apps] == [
        ("bare", None, 0),
        ("web", "http://one-lb.elb.example/", 1),
    ]


@pytest.mark.parametrize("found", [[service()], []])
def test_one_app_is_looked_at(monkeypatch: pytest.MonkeyPatch, found: list[dict[str, Any]]) -> None:
    apps = info(monkeypatch, services(*found), *(TASKS if found else ()), name="web")
    assert len(apps) == len(found)


def test_no_cluster_has_no_apps(monkeypatch: pytest.MonkeyPatch) -> None:
    assert info(monkeypatch, Call("ecs", "ListServices", NO_CLUSTER)) == []
