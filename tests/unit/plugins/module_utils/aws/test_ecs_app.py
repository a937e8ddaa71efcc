# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything of an app is found again: by what the tagging API says, looked up, and by what the options say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.ecs_app import (
    APP_GRAPH,
    Names,
    app_handlers,
    find_app,
    find_apps,
    find_balancers,
    is_behind,
    list_services,
    sorted_out,
    trace_apps,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.names import cluster_mark
from ansible_collections.container.schedulers.plugins.module_utils._errors import NotOursError
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, dismantle
from unit.ecs_app import (
    ACCOUNT,
    CLASSIC_ATTRIBUTES,
    a_run,
    classic,
    described,
    mark,
    service,
    upper_mark,
)
from unit.plugins.module_utils.aws.test_load_balancer_v2 import ABOVE, GROUP, ON_80
from unit.scripted import Call, ScriptedAws, failure, scripted

ELB = "arn:aws:elasticloadbalancing:eu-west-1:123456789012"
REVISION = f"{ACCOUNT}:task-definition/one-web:1"
LOGS = "/ecs/one/web"
NO_CLUSTER = failure("ClusterNotFoundException", "Cluster not found.")


def tagging(*found: tuple[str, str, str]) -> Call:
    """What the tagging API knows: ARN, part, app."""
    known = [{"ResourceARN": arn, "Tags": upper_mark(part, app)} for arn, part, app in found]
    return Call("resourcegroupstaggingapi", "GetResources", {"ResourceTagMappingList": known})


def scaling(*found: str) -> Call:
    targets = [{"ResourceId": one, "MinCapacity": 1, "MaxCapacity": 2} for one in found]
    return Call("application-autoscaling", "DescribeScalableTargets", {"ScalableTargets": targets})


def revisions(family: str, active: list[str], inactive: list[str] | None = None) -> list[Call]:
    """Those that are not active are listed only where the tagging API knows of some."""
    lists = {"ACTIVE": active} | ({} if inactive is None else {"INACTIVE": inactive})
    return [
        Call("ecs", "ListTaskDefinitions", {"taskDefinitionArns": arns}, {"familyPrefix": family, "status": status})
        for status, arns in lists.items()
    ]


NO_SERVICE = Call("ecs", "DescribeServices", {"services": []})
NO_CLASSIC = Call("elb", "DescribeLoadBalancers", failure("LoadBalancerNotFound"))


def test_arns_are_sorted_out_by_what_an_app_can_have() -> None:
    found = sorted_out(
        {
            REVISION: {"a": "1"},
            f"{ELB}:loadbalancer/one-lb": {"a": "2"},
            f"{ELB}:loadbalancer/app/one-lb/1": {"a": "3"},
            f"{ELB}:targetgroup/one-web/1": {"a": "4"},
            f"{ELB}:listener/app/one-lb/1/2": {"a": "5"},
            f"arn:aws:logs:eu-west-1:123456789012:log-group:{LOGS}:*": {"a": "6"},
            "arn:aws:ec2:eu-west-1:123456789012:security-group/sg-1": {"a": "7"},
            f"{ACCOUNT}:service/one/web": {"a": "8"},
        }
    )
    assert found.definitions == {REVISION: {"a": "1"}}
    assert found.classic == {"one-lb": {"a": "2"}}
    assert found.balancers == {f"{ELB}:loadbalancer/app/one-lb/1": {"a": "3"}}
    assert found.groups == {f"{ELB}:targetgroup/one-web/1": {"a": "4"}}
    assert found.logs == {LOGS: {"a": "6"}}


def test_an_app_that_is_gone_leaves_nothing_to_find() -> None:
    calls = (Call("ecs", "DescribeServices", NO_CLUSTER), tagging(), scaling(), *revisions("one-web", []))
    with scripted(*calls) as aws:
        assert find_app(a_run(aws), "one", Names(families=frozenset({"one-web"}))) == []


def test_what_the_tagging_api_still_lists_is_looked_up() -> None:
    """A second deletion must not find what the first has deleted."""
    stale = tagging(
        (REVISION, "task-definition", "web"),
        (f"{ELB}:loadbalancer/one-lb", "load-balancer", "web"),
        (ABOVE["LoadBalancerArn"], "load-balancer", "web"),
        (GROUP["TargetGroupArn"], "target-group", "web"),
        (f"arn:aws:logs:eu-west-1:123456789012:log-group:{LOGS}", "log-group", "web"),
    )
    calls = (
        NO_SERVICE,
        stale,
        scaling(),
        *revisions("one-web", [], []),
        NO_CLASSIC,
        Call("elbv2", "DescribeLoadBalancers", failure("LoadBalancerNotFound")),
        Call("elbv2", "DescribeTargetGroups", failure("TargetGroupNotFound")),
        Call("logs", "DescribeLogGroups", {"logGroups": []}),
    )
    with scripted(*calls) as aws:
        assert find_app(a_run(aws), "one", Names()) == []


def test_what_the_tagging_api_does_not_know_yet_is_found_by_name() -> None:
    names = Names(
        frozenset({"one-web"}), frozenset({"one-lb"}), frozenset({"one-web"}), frozenset({LOGS, "/of/somebody/else"})
    )
    other_logs = {"logGroups": [{"logGroupName": "/of/somebody/else", "arn": "else"}]}
    calls = (
        NO_SERVICE,
        tagging(),
        scaling(),
        *revisions("one-web", []),
        NO_CLASSIC,
        Call(
            "logs",
            "DescribeLogGroups",
            {"logGroups": [{"logGroupName": LOGS, "arn": "a"}]},
            {"logGroupNamePrefix": LOGS},
        ),
        Call("logs", "DescribeLogGroups", other_logs),
        Call("logs", "ListTagsForResource", {"tags": mark("log-group")}, {"resourceArn": "a"}),
        Call("logs", "ListTagsForResource", {"tags": {}}, {"resourceArn": "else"}),
        Call("elbv2", "DescribeLoadBalancers", {"LoadBalancers": [ABOVE]}, {"Names": ["one-lb"]}),
        Call("elbv2", "DescribeTargetGroups", {"TargetGroups": [GROUP]}, {"Names": ["one-web"]}),
        *(
            Call(
                "elbv2",
                "DescribeTags",
                {"TagDescriptions": [{"ResourceArn": arn, "Tags": upper_mark(part)}]},
                {"ResourceArns": [arn]},
            )
            for arn, part in ((ABOVE["LoadBalancerArn"], "load-balancer"), (GROUP["TargetGroupArn"], "target-group"))
        ),
        Call("elbv2", "DescribeListeners", {"Listeners": [ON_80]}),
    )
    with scripted(*calls) as aws:
        found = find_app(a_run(aws), "one", names)
    # the listener goes with its load balancer
    assert sorted(one.kind for one in found) == ["load_balancer", "log_group", "target_group"]


def test_an_app_takes_its_own_from_a_shared_load_balancer() -> None:
    other = {**ON_80, "ListenerArn": "other", "DefaultActions": [{"TargetGroupArn": "other"}]}
    tags = {"TagDescriptions": [{"ResourceArn": GROUP["TargetGroupArn"], "Tags": upper_mark("target-group")}]}
    calls = (
        tagging((GROUP["TargetGroupArn"], "target-group", "web")),
        Call("elbv2", "DescribeTargetGroups", {"TargetGroups": [GROUP]}),
        Call("elbv2", "DescribeTags", tags),
        Call("elbv2", "DescribeListeners", {"Listeners": [other, ON_80]}),
    )
    with scripted(*calls) as aws:
        found = find_balancers(a_run(aws))
    assert [step.sentence for step in dismantle(found, APP_GRAPH).steps] == [
        "delete listener 80 of one-lb",
        "delete target group one-web",
    ]


@pytest.mark.parametrize("items", ["LoadBalancers", "TargetGroups"])
def test_what_lost_its_mark_is_left_alone(items: str) -> None:
    one = ABOVE if items == "LoadBalancers" else GROUP
    arn = one["LoadBalancerArn" if items == "LoadBalancers" else "TargetGroupArn"]
    calls = (
        tagging((arn, "any", "web")),
        Call("elbv2", f"Describe{items}", {items: [one]}),
        Call("elbv2", "DescribeTags", {"TagDescriptions": [{"ResourceArn": arn, "Tags": []}]}),
    )
    with scripted(*calls) as aws:
        assert find_balancers(a_run(aws)) == []


def test_a_service_of_somebody_else_is_refused() -> None:
    theirs = Call("ecs", "DescribeServices", {"services": [service(tags=[])]})
    with scripted(theirs, tagging(), scaling()) as aws, pytest.raises(NotOursError):
        find_app(a_run(aws), "one", Names())


def all_apps(aws: ScriptedAws, *balancers: str) -> tuple[list[Live], bool]:
    """All that is found of all apps, and whether there may be more."""
    run = replace(a_run(aws), mark=cluster_mark("one"))
    traces = trace_apps(run, "one")
    found = find_apps(run, traces, balancers)
    return found, is_behind(traces, found, balancers)


def test_everything_of_all_apps_of_a_cluster_is_found() -> None:
    services = [service(), service(serviceName="theirs", tags=[])]
    calls = (
        Call("ecs", "ListServices", {"serviceArns": ["1", "2"]}, {"maxResults": 100}),
        Call("ecs", "DescribeServices", {"services": services}),
        tagging((REVISION, "task-definition", "web"), (f"{ELB}:loadbalancer/shared", "load-balancer", "")),
        scaling("service/one/web", "service/other/web"),
        logs(prefix="/ecs/one/"),
        *revisions("one-web", [REVISION]),
        Call("elb", "DescribeLoadBalancers", {"LoadBalancerDescriptions": [classic("shared")]}),
    )
    with scripted(*calls) as aws:
        found, behind = all_apps(aws)
    assert not behind
    assert [step.sentence for step in dismantle(found, APP_GRAPH).steps] == [
        "delete service scaling of web",
        "delete service web",
        "delete classic load balancer shared",
        "delete task definition one-web:1",
    ]


def logs(*groups: str, prefix: str) -> Call:
    found = [{"logGroupName": one, "arn": f"arn{one}"} for one in groups]
    return Call("logs", "DescribeLogGroups", {"logGroups": found}, {"logGroupNamePrefix": prefix})


def log_tags(group: str, tags: dict[str, str]) -> Call:
    return Call("logs", "ListTagsForResource", {"tags": tags}, {"resourceArn": f"arn{group}"})


def v2_tags(arn: str, part: str, app: str = "web") -> Call:
    tags = {"TagDescriptions": [{"ResourceArn": arn, "Tags": upper_mark(part, app)}]}
    return Call("elbv2", "DescribeTags", tags, {"ResourceArns": [arn]})


BEHIND_V2 = {
    "loadBalancers": [{"targetGroupArn": GROUP["TargetGroupArn"], "containerName": "web", "containerPort": 80}]
}
TO_CUSTOM: dict[str, Any] = {"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/custom"}}}


def test_a_service_tells_what_the_tagging_api_does_not_know_yet() -> None:
    """The load balancer is shared; what it has for the app is the app's."""
    calls = (
        Call("ecs", "DescribeServices", {"services": [service(**BEHIND_V2)]}),
        tagging(),
        scaling(),
        *revisions("one-web", [REVISION]),
        Call("ecs", "DescribeTaskDefinition", described(**TO_CUSTOM), times=2),
        logs("/custom", prefix="/custom"),
        log_tags("/custom", mark("log-group")),
        Call(
            "elbv2", "DescribeTargetGroups", {"TargetGroups": [GROUP]}, {"TargetGroupArns": [GROUP["TargetGroupArn"]]}
        ),
        v2_tags(GROUP["TargetGroupArn"], "target-group"),
        Call("elbv2", "DescribeListeners", {"Listeners": [ON_80]}),
    )
    with scripted(*calls) as aws:
        found = find_app(a_run(aws), "one", Names())
    assert sorted(one.kind for one in found) == ["listener", "log_group", "service", "target_group", "task_definition"]


def test_a_cluster_finds_its_apps_though_the_tagging_api_knows_none_yet() -> None:
    """By its services, the security groups of its load balancers, and how its log groups begin."""
    names = ("classic-lb", "one-lb")
    ours, theirs = ("/ecs/one/web", "/ecs/one/old"), "/ecs/one/theirs"
    calls = (
        Call("ecs", "ListServices", {"serviceArns": ["1"]}),
        Call("ecs", "DescribeServices", {"services": [service(**BEHIND_V2)]}),
        tagging(),
        scaling(),
        logs(*ours, theirs, prefix="/ecs/one/"),
        *(log_tags(one, mark("log-group")) for one in ours),
        log_tags(theirs, {}),
        *revisions("one-web", [REVISION]),
        Call("ecs", "DescribeTaskDefinition", described(), times=2),
        Call(
            "elb", "DescribeLoadBalancers", {"LoadBalancerDescriptions": [classic()]}, {"LoadBalancerNames": [names[0]]}
        ),
        Call("elb", "DescribeTags", {"TagDescriptions": [{"Tags": upper_mark("load-balancer")}]}),
        Call("elb", "DescribeLoadBalancerAttributes", dict(CLASSIC_ATTRIBUTES)),
        Call("elb", "DescribeLoadBalancers", failure("LoadBalancerNotFound"), {"LoadBalancerNames": [names[1]]}),
        Call("elbv2", "DescribeLoadBalancers", {"LoadBalancers": [ABOVE]}, {"Names": [names[1]]}),
        v2_tags(ABOVE["LoadBalancerArn"], "load-balancer", ""),
        Call("elbv2", "DescribeTargetGroups", {"TargetGroups": [GROUP]}),
        v2_tags(GROUP["TargetGroupArn"], "target-group"),
        Call("elbv2", "DescribeListeners", {"Listeners": [ON_80]}),
    )
    with scripted(*calls) as aws:
        found, behind = all_apps(aws, *names)
    assert behind
    assert sorted((one.kind, one.name) for one in found) == [
        ("classic_load_balancer", "classic-lb"),
        ("load_balancer", "one-lb"),
        ("log_group", "/ecs/one/old"),
        ("log_group", "/ecs/one/web"),
        ("service", "web"),
        ("target_group", "one-web"),
        ("task_definition", "one-web:1"),
    ]
    assert len({one.key for one in found}) == len(found)


def test_a_listed_log_group_with_the_clusters_name_needs_no_look_of_its_own() -> None:
    calls = (
        Call("ecs", "ListServices", {"serviceArns": []}),
        tagging(("arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/one/web", "log-group", "web")),
        scaling(),
        logs("/ecs/one/web", prefix="/ecs/one/"),
    )
    with scripted(*calls) as aws:
        found, behind = all_apps(aws)
    assert [one.name for one in found] == ["/ecs/one/web"]
    assert not behind


def test_a_load_balancer_that_was_never_made_may_have_a_target_group_that_is_not_listed_yet() -> None:
    calls = (
        Call("ecs", "ListServices", {"serviceArns": []}),
        tagging(),
        scaling(),
        logs(prefix="/ecs/one/"),
        Call("elb", "DescribeLoadBalancers", failure("LoadBalancerNotFound")),
        Call("elbv2", "DescribeLoadBalancers", failure("LoadBalancerNotFound"), {"Names": ["one-lb"]}),
    )
    with scripted(*calls) as aws:
        assert all_apps(aws, "one-lb") == ([], True)


def test_services_are_described_ten_at_a_time() -> None:
    arns = [str(number) for number in range(25)]
    with scripted(
        Call("ecs", "ListServices", {"serviceArns": arns}),
        Call("ecs", "DescribeServices", {"services": [service()]}, lambda given: len(given["services"]) == 10, times=2),
        Call("ecs", "DescribeServices", {"services": [service(status="INACTIVE")]}, {"services": arns[20:]}),
    ) as aws:
        assert [one.name for one in list_services(a_run(aws), "one")] == ["web", "web"]


def test_a_cluster_that_is_gone_has_no_services() -> None:
    with scripted(Call("ecs", "ListServices", NO_CLUSTER)) as aws:
        assert list_services(a_run(aws), "one") == []


def test_every_kind_has_a_handler() -> None:
    run = a_run(ScriptedAws(()))
    assert {*app_handlers(run)} == {*APP_GRAPH}
