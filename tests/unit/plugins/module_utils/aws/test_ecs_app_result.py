# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An app has the same shape in every result, and an address wherever one can be known."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.ecs_app_result import (
    Front,
    fronts_of,
    tasks_of,
    to_result,
    url_of,
)
from unit.ecs_app import ACCOUNT, a_run, classic, event, service
from unit.plugins.module_utils.aws.test_load_balancer_v2 import ABOVE, GROUP, ON_80
from unit.scripted import Call, failure, scripted

TASK: dict[str, Any] = {
    "taskArn": f"{ACCOUNT}:task/one/1",
    "containerInstanceArn": f"{ACCOUNT}:container-instance/one/1",
    "lastStatus": "RUNNING",
    "healthStatus": "HEALTHY",
    "group": "service:web",
    "taskDefinitionArn": f"{ACCOUNT}:task-definition/one-web:3",
    "containers": [{"image": "httpd", "networkBindings": [{"hostPort": 80}, {"hostPort": 80}]}, {"name": "starting"}],
}


def shape(value: Any) -> Any:
    return {key: shape(one) for key, one in value.items() if key != "tags"} if isinstance(value, dict) else ...


def test_the_shape_is_the_same_without_an_app() -> None:
    there = to_result("web", "one", service(), front=None, tasks=[TASK])
    gone = to_result("web", "one", None, front=None, tasks=[])
    assert shape(there) == shape(gone)


def test_an_app_in_full() -> None:
    result = to_result("web", "one", service(events=[event("has reached a steady state.")]), front=None, tasks=[TASK])
    assert result["service"]["running_count"] == 2
    assert result["task_definition"] == {
        "arn": f"{ACCOUNT}:task-definition/one-web:1",
        "family": "one-web",
        "revision": 1,
    }
    assert result["deployment"]["rollout_state"] == "COMPLETED"
    assert result["events"] == ["has reached a steady state."]
    assert result["tasks"] == [
        {
            "arn": TASK["taskArn"],
            "container_instance_arn": TASK["containerInstanceArn"],
            "status": "RUNNING",
            "health": "HEALTHY",
            "revision": 3,
            "images": ["httpd"],
            "host_ports": [80],
        }
    ]


def test_tasks_that_were_not_looked_at_are_null() -> None:
    assert to_result("web", "one", service(), front=None, tasks=None)["tasks"] is None


def test_what_a_record_can_be_an_alias_of_is_told() -> None:
    result = to_result("web", "one", service(), front=Front("one-lb", "x.example", "Z1", None), tasks=[])
    assert result["load_balancer"] == {"name": "one-lb", "dns_name": "x.example", "zone_id": "Z1"}
    assert result["url"] is None
    assert to_result("web", "one", service(), front=None, tasks=[])["load_balancer"] is None


@pytest.mark.parametrize(("port", "url"), [(80, "http://x.example/"), (8080, "http://x.example:8080/")])
def test_where_an_app_answers(port: int, url: str) -> None:
    assert url_of("x.example", port) == url


def test_tasks_are_described_a_hundred_at_a_time() -> None:
    arns = [str(number) for number in range(101)]
    with scripted(
        Call("ecs", "ListTasks", {"taskArns": arns}, {"cluster": "one", "serviceName": "web"}),
        Call("ecs", "DescribeTasks", {"tasks": [TASK]}, lambda given: len(given["tasks"]) == 100),
        Call("ecs", "DescribeTasks", {"tasks": [TASK]}, {"tasks": arns[100:]}),
    ) as aws:
        assert tasks_of(a_run(aws), "one", "web") == [TASK, TASK]


def behind(name: str = "one-lb", **given: Any) -> dict[str, Any]:
    return service(loadBalancers=[{"loadBalancerName": name, "containerName": "web", "containerPort": 80}], **given)


def listener(port: int, instance_port: int) -> dict[str, Any]:
    return {"Listener": {"LoadBalancerPort": port, "InstancePort": instance_port}}


def balancers(*found: dict[str, Any]) -> Call:
    return Call("elb", "DescribeLoadBalancers", {"LoadBalancerDescriptions": list(found)})


TWO = classic(ListenerDescriptions=[listener(80, 80), listener(8080, 9090)])


@pytest.mark.parametrize(
    ("balancer", "host_ports", "url"),
    [
        (classic(), {}, "http://one-lb.elb.example/"),
        (TWO, {"web": {9090}}, "http://one-lb.elb.example:8080/"),
        (TWO, {}, None),  # which of the two listeners is the app's cannot be told
        (classic(ListenerDescriptions=[]), {}, None),
    ],
)
def test_a_classic_load_balancer_says_where(
    balancer: dict[str, Any], host_ports: dict[str, Any], url: str | None
) -> None:
    with scripted(balancers(balancer)) as aws:
        assert fronts_of(a_run(aws), [behind()], host_ports) == {
            "web": Front("one-lb", "one-lb.elb.example", "Z1", url)
        }


def test_another_load_balancer_is_not_the_apps() -> None:
    with scripted(balancers(classic("another"))) as aws:
        assert fronts_of(a_run(aws), [behind()], {}) == {}


def test_a_load_balancer_that_is_gone_does_not_hide_the_others() -> None:
    gone = Call(
        "elb", "DescribeLoadBalancers", failure("LoadBalancerNotFound"), {"LoadBalancerNames": ["gone", "one-lb"]}
    )
    services = [behind(), behind("gone", serviceName="other")]
    with scripted(gone, balancers(classic())) as aws:
        assert {*fronts_of(a_run(aws), services, {})} == {"web"}


def test_many_load_balancers_are_listed_whole() -> None:
    services = [behind(f"lb-{number}", serviceName=f"app-{number}") for number in range(21)]
    listed = Call(
        "elb",
        "DescribeLoadBalancers",
        {"LoadBalancerDescriptions": [classic(f"lb-{number}") for number in range(21)]},
        lambda given: not given,
    )
    with scripted(listed) as aws:
        assert len(fronts_of(a_run(aws), services, {})) == 21


def test_the_newer_load_balancers_say_where() -> None:
    arn = GROUP["TargetGroupArn"]
    balanced = service(loadBalancers=[{"targetGroupArn": arn, "containerName": "web", "containerPort": 80}])
    with scripted(
        Call("elbv2", "DescribeTargetGroups", {"TargetGroups": [GROUP]}, {"TargetGroupArns": [arn]}),
        Call("elbv2", "DescribeLoadBalancers", {"LoadBalancers": [ABOVE]}),
        Call("elbv2", "DescribeListeners", {"Listeners": [ON_80, {**ON_80, "DefaultActions": [{"Type": "redirect"}]}]}),
    ) as aws:
        assert fronts_of(a_run(aws), [balanced, service(serviceName="bare")], {}) == {
            "web": Front("one-lb", "one-lb.elb.example", "Z2", "http://one-lb.elb.example/")
        }
