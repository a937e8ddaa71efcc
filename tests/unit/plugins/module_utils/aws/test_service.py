# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services: everything that is given is compared, and an update says nothing but what differs."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.service import (
    SERVICE,
    SERVICE_RULE,
    Services,
    live_service,
    may_rebalance,
    normalised,
    read_service,
    refuse_new_classic_balancer,
    rendered,
)
from ansible_collections.container.schedulers.plugins.module_utils._compare import Difference, differences
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    InputError,
    NotFoundError,
    NotOursError,
    SchedulersError,
)
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Step, Wanted, decide
from unit.ecs_app import ACCOUNT, a_run, ecs_mark, mark, options, service
from unit.scripted import Call, failure, scripted

LIVE = live_service(service())
SPEC = normalised(service())
CREATE = Step("create", SERVICE, "service", "web", SPEC)


def paths(live: dict[str, Any], **wanted: Any) -> list[str]:
    return [one.path for one in differences(wanted, normalised(service(**live)))]


@pytest.mark.parametrize(
    ("live", "wanted", "path"),
    [
        # what the modules of today never compare
        ({}, {"minimum_healthy_percent": 50}, "minimum_healthy_percent"),
        ({}, {"maximum_percent": 150}, "maximum_percent"),
        ({}, {"circuit_breaker": {"enable": True, "rollback": False}}, "circuit_breaker.rollback"),
        (
            {"deploymentConfiguration": {}},
            {"circuit_breaker": {"enable": True, "rollback": True}},
            "circuit_breaker.enable",
        ),
        ({}, {"placement_constraints": [{"type": "distinctInstance", "expression": ""}]}, "placement_constraints[0]"),
        ({}, {"placement_strategy": [{"type": "random", "field": ""}]}, "placement_strategy[0]"),
        (
            {"capacityProviderStrategy": [{"capacityProvider": "a", "weight": 1}]},
            {"capacity_provider_strategy": [{"capacity_provider": "a", "weight": 2, "base": 0}]},
            "capacity_provider_strategy[0].weight",
        ),
        ({"healthCheckGracePeriodSeconds": 5}, {"health_check_grace_period": 10}, "health_check_grace_period"),
        ({}, {"desired_count": 3}, "desired_count"),
        ({}, {"task_definition": f"{ACCOUNT}:task-definition/one-web:2"}, "task_definition"),
        ({}, {"tags": {"team": "a"}}, "tags.team"),
        ({"schedulingStrategy": "DAEMON"}, {"scheduling": "REPLICA"}, "scheduling"),
    ],
)
def test_a_difference_is_seen_and_named(live: dict[str, Any], wanted: dict[str, Any], path: str) -> None:
    assert path in paths(live, **wanted)


@pytest.mark.parametrize(
    ("live", "wanted"),
    [
        ({}, {"desired_count": None}),  # left to whoever changes it
        ({"deploymentConfiguration": None}, {"minimum_healthy_percent": 100, "maximum_percent": 200}),
        ({}, {"task_definition": f"{ACCOUNT}:task-definition/one-web:1"}),
        (
            {"placementStrategy": [{"type": "spread", "field": "host"}, {"type": "binpack", "field": "MEMORY"}]},
            {"placement_strategy": [{"type": "spread", "field": "instanceId"}, {"type": "binpack", "field": "memory"}]},
        ),
        (
            {"placementConstraints": [{"type": "distinctInstance"}]},
            {"placement_constraints": [{"type": "distinctInstance", "expression": ""}]},
        ),
        (
            {"loadBalancers": [{"loadBalancerName": "lb", "containerName": "web", "containerPort": 80}]},
            {"load_balancers": [{"load_balancer": "lb", "container": "web", "port": 80}]},
        ),
        ({"tags": [*ecs_mark("service"), {"key": "aws:x", "value": "y"}]}, {"tags": mark("service")}),
    ],
)
def test_what_ecs_fills_in_is_no_difference(live: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert paths(live, **wanted) == []


@pytest.mark.parametrize(
    ("field", "one", "other", "parameter"),
    [
        (
            "placement_constraints",
            {"type": "memberOf", "expression": "attribute:a exists"},
            {"type": "distinctInstance"},
            "placementConstraints",
        ),
        (
            "capacity_provider_strategy",
            {"capacity_provider": "spot"},
            {"capacity_provider": "on-demand", "base": 1},
            "capacityProviderStrategy",
        ),
    ],
)
def test_an_order_that_means_nothing_is_no_difference(
    field: str, one: dict[str, Any], other: dict[str, Any], parameter: str
) -> None:
    """Another capacity provider would start all tasks anew."""
    given = options(**{field: [one, other]}).service
    said = rendered(given, {field})[parameter]
    assert paths({parameter: said}, **options(**{field: [other, one]}).service) == []
    assert paths({parameter: said[::-1]}, **given) == []
    assert paths({parameter: said[1:]}, **given) != []


def test_a_daemon_cannot_become_a_replica() -> None:
    live = live_service(service(schedulingStrategy="DAEMON"))
    wanted = Wanted(SERVICE, "service", "web", {"scheduling": "REPLICA"})
    with pytest.raises(InputError, match="scheduling of service web is 'DAEMON' and cannot be changed"):
        decide([wanted], {SERVICE: live}, {}, {"service": SERVICE_RULE})


CLASSIC = [{"load_balancer": "lb", "container": "web", "port": 80}]
GROUP = [{"target_group": "arn", "container": "web", "port": 80}]


@pytest.mark.parametrize(("before", "after"), [(CLASSIC, []), ([], CLASSIC), (CLASSIC, GROUP)])
def test_a_classic_load_balancer_stays(before: list[Any], after: list[Any]) -> None:
    with pytest.raises(InputError, match=r"load_balancer: service web is behind .* which ECS cannot change to"):
        refuse_new_classic_balancer("web", {"load_balancers": before}, after)


@pytest.mark.parametrize(("before", "after"), [(CLASSIC, CLASSIC), ([], GROUP), (GROUP, [])])
def test_other_load_balancers_may_change(before: list[Any], after: list[Any]) -> None:
    refuse_new_classic_balancer("web", {"load_balancers": before}, after)


@pytest.mark.parametrize(
    ("fields", "request_"),
    [
        ({"desired_count"}, {"desiredCount": 2}),
        ({"tags"}, {}),
        (
            {"maximum_percent"},
            {
                "deploymentConfiguration": {
                    "minimumHealthyPercent": 100,
                    "maximumPercent": 200,
                    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
                }
            },
        ),
        ({"load_balancers"}, {"loadBalancers": []}),
    ],
)
def test_an_update_says_what_differs(fields: set[str], request_: dict[str, Any]) -> None:
    assert rendered(SPEC, fields) == request_


def test_behind_a_classic_load_balancer_the_circuit_breaker_is_not_spoken_of() -> None:
    request = rendered({**SPEC, "load_balancers": CLASSIC}, {"maximum_percent"})
    assert request == {"deploymentConfiguration": {"minimumHealthyPercent": 100, "maximumPercent": 200}}


def test_everything_is_said_in_ecs_words() -> None:
    spec = {
        "placement_constraints": [{"type": "distinctInstance", "expression": ""}],
        "placement_strategy": [{"type": "spread", "field": "instanceId"}],
        "capacity_provider_strategy": [{"capacity_provider": "a", "weight": 1, "base": 0}],
        "load_balancers": GROUP,
        "health_check_grace_period": 10,
    }
    assert rendered(spec, spec) == {
        "placementConstraints": [{"type": "distinctInstance"}],
        "placementStrategy": [{"type": "spread", "field": "instanceId"}],
        "capacityProviderStrategy": [{"capacityProvider": "a", "weight": 1, "base": 0}],
        "loadBalancers": [{"targetGroupArn": "arn", "containerName": "web", "containerPort": 80}],
        "healthCheckGracePeriodSeconds": 10,
    }


def described(**given: Any) -> Call:
    return Call("ecs", "DescribeServices", {"services": [service(**given)]}, {"cluster": "one", "services": ["web"]})


def test_a_service_is_read() -> None:
    with scripted(described()) as aws:
        assert read_service(a_run(aws), "one", "web", adopt=False) == LIVE


@pytest.mark.parametrize("answer", [{"services": []}, {"services": [service(status="INACTIVE")]}])
def test_a_service_that_is_gone_is_none(answer: dict[str, Any]) -> None:
    with scripted(Call("ecs", "DescribeServices", answer)) as aws:
        assert read_service(a_run(aws), "one", "web", adopt=False) is None


def test_no_cluster_is_not_no_service() -> None:
    call = Call("ecs", "DescribeServices", failure("ClusterNotFoundException", "Cluster not found."))
    with scripted(call) as aws, pytest.raises(NotFoundError):
        read_service(a_run(aws), "one", "web", adopt=False)


@pytest.mark.parametrize(
    ("tags", "adopt", "sentence"),
    [
        ([], False, "service web of cluster one exists and was not made by container.schedulers"),
        (ecs_mark("service", "other"), True, "belongs to app other of ecs/one"),
    ],
)
def test_a_service_of_somebody_else_is_left_alone(tags: list[Any], adopt: bool, sentence: str) -> None:
    with scripted(described(tags=tags)) as aws, pytest.raises(NotOursError, match=sentence):
        read_service(a_run(aws), "one", "web", adopt=adopt)


def test_a_service_is_created_with_its_mark() -> None:
    def complete(given: Any) -> bool:
        return bool(
            given["serviceName"] == "web"
            and given["tags"] == ecs_mark("service")
            and given["launchType"] == "EC2"
            and given["schedulingStrategy"] == "REPLICA"
            and given["desiredCount"] == 2
            and given["propagateTags"] == "SERVICE"
        )

    with scripted(Call("ecs", "CreateService", {"service": service()}, complete)) as aws:
        assert Services(a_run(aws), "one").create(CREATE, SPEC) == LIVE


def test_with_capacity_providers_there_is_no_launch_type() -> None:
    spec = {**SPEC, "capacity_provider_strategy": [{"capacity_provider": "a", "weight": 1, "base": 0}]}
    call = Call("ecs", "CreateService", {"service": service()}, lambda given: "launchType" not in given)
    with scripted(call) as aws:
        Services(a_run(aws), "one").create(CREATE, spec)


@pytest.mark.parametrize(
    "answer",
    [
        failure("InvalidParameterException", "Creation of service was not idempotent."),
        failure("ServerException", "oops", 500),
    ],
)
def test_a_service_that_is_there_by_now_is_used(answer: Exception) -> None:
    with scripted(Call("ecs", "CreateService", answer), described()) as aws:
        assert Services(a_run(aws), "one").create(CREATE, SPEC) == LIVE


NAME_TAKEN = Call(
    "ecs", "CreateService", failure("InvalidParameterException", "Creation of service was not idempotent.")
)


@pytest.mark.parametrize("stale", [{"services": []}, {"services": [service(status="INACTIVE")]}])
def test_a_service_that_another_run_made_is_awaited(stale: dict[str, Any]) -> None:
    """It is not shown yet, or the one of its name that was deleted is shown in its place."""
    with scripted(NAME_TAKEN, Call("ecs", "DescribeServices", stale, times=9), described()) as aws:
        assert Services(a_run(aws), "one").create(CREATE, SPEC) == LIVE


def test_a_name_taken_by_nobody_that_can_be_seen_is_an_error() -> None:
    gone = Call("ecs", "DescribeServices", {"services": []}, times=23)  # for a minute
    with scripted(NAME_TAKEN, gone) as aws, pytest.raises(SchedulersError, match="not idempotent"):
        Services(a_run(aws), "one").create(CREATE, SPEC)


def test_the_service_before_is_given_the_time_to_drain() -> None:
    draining = failure("InvalidParameterException", "Unable to Start a service that is still Draining.")
    with scripted(
        Call("ecs", "CreateService", draining, times=2), Call("ecs", "CreateService", {"service": service()})
    ) as aws:
        assert Services(a_run(aws), "one").create(CREATE, SPEC) == LIVE


def test_other_refusals_are_passed_on() -> None:
    refused = Call("ecs", "CreateService", failure("InvalidParameterException", "Unknown capacity provider."))
    with scripted(refused) as aws, pytest.raises(SchedulersError, match="Unknown capacity provider"):
        Services(a_run(aws), "one").create(CREATE, SPEC)


def update(*fields: str, **spec: Any) -> Step:
    return Step(
        "update", SERVICE, "service", "web", {**SPEC, **spec}, LIVE, tuple(Difference(one, 1, 2) for one in fields)
    )


def test_an_update_is_one_call_with_what_differs() -> None:
    step = update("desired_count", desired_count=3)
    expected = {"cluster": "one", "service": "web", "desiredCount": 3}
    with scripted(
        Call("ecs", "UpdateService", {"service": service(desiredCount=3)}, lambda given: given == expected)
    ) as aws:
        assert Services(a_run(aws), "one").update(step, step.spec, LIVE).spec["desired_count"] == 3


def test_tags_need_no_update() -> None:
    step = update("tags.team", tags={"team": "a"})
    tags = {"resourceArn": LIVE.id, "tags": [{"key": "team", "value": "a"}]}
    with scripted(Call("ecs", "TagResource", {}, tags)) as aws:
        assert Services(a_run(aws), "one").update(step, step.spec, LIVE) == LIVE


def test_another_capacity_provider_takes_a_deployment() -> None:
    step = update("capacity_provider_strategy[0]", capacity_provider_strategy=[])
    call = Call(
        "ecs", "UpdateService", {"service": service()}, {"forceNewDeployment": True, "capacityProviderStrategy": []}
    )
    with scripted(call) as aws:
        Services(a_run(aws), "one").update(step, step.spec, LIVE)


BINPACK = [{"type": "binpack", "field": "memory"}]
SPREAD = [{"type": "spread", "field": "attribute:ecs.availability-zone"}, *BINPACK]
BOUND = [{"type": "memberOf", "expression": "attribute:ecs.availability-zone == eu-west-1a"}]


@pytest.mark.parametrize(
    ("spec", "may"),
    [
        ({}, True),
        ({"maximum_percent": 150}, True),
        ({"placement_strategy": SPREAD}, True),
        ({"maximum_percent": 100}, False),
        ({"placement_strategy": BINPACK}, False),
        ({"placement_constraints": BOUND}, False),
    ],
)
def test_zones_can_be_evened_out_where_tasks_may_move(spec: dict[str, Any], may: bool) -> None:
    assert may_rebalance({**SPEC, **spec}) is may


@pytest.mark.parametrize(("before", "said"), [("ENABLED", "DISABLED"), ("DISABLED", None)])
def test_an_update_that_leaves_no_way_for_it_switches_it_off(before: str, said: str | None) -> None:
    step = update("maximum_percent", maximum_percent=100)
    live = live_service(service(availabilityZoneRebalancing=before))
    call = Call(
        "ecs", "UpdateService", {"service": service()}, lambda given: given.get("availabilityZoneRebalancing") == said
    )
    with scripted(call) as aws:
        Services(a_run(aws), "one").update(step, step.spec, live)


DELETE = Step("delete", SERVICE, "service", "web", live=LIVE)


@pytest.mark.parametrize("last", [{"services": [service(status="INACTIVE")]}, {"services": []}])
def test_a_service_is_gone_when_it_is_inactive(last: dict[str, Any]) -> None:
    with scripted(
        Call("ecs", "DeleteService", {}, {"cluster": "one", "service": "web", "force": True}),
        described(status="DRAINING"),
        Call("ecs", "DescribeServices", last),
    ) as aws:
        Services(a_run(aws), "one").delete(DELETE, LIVE)


def test_a_service_that_is_going_already_is_waited_for() -> None:
    going = read_going(service(status="DRAINING"))
    assert going is not None
    with scripted(described(status="DRAINING"), described(status="INACTIVE")) as aws:
        Services(a_run(aws), "one").delete(DELETE, going)


def test_what_has_gone_and_what_is_somebody_elses_to_wait_for_is_not() -> None:
    assert read_going(service(status="INACTIVE")) is None
    assert read_going(service(status="DRAINING", tags=[])) is None


def read_going(found: dict[str, Any]) -> Live | None:
    with scripted(Call("ecs", "DescribeServices", {"services": [found]})) as aws:
        return read_service(a_run(aws), "one", "web", adopt=False, going=True)


def test_a_service_of_a_cluster_that_is_gone_is_gone() -> None:
    gone = failure("ClusterNotFoundException", "Cluster not found.")
    with scripted(Call("ecs", "DeleteService", gone), Call("ecs", "DescribeServices", gone)) as aws:
        Services(a_run(aws), "one").delete(DELETE, LIVE)
