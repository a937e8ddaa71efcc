# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the options of an app ask for, given what is there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.ecs_app import APP_GRAPH, APP_RULES
from ansible_collections.container.schedulers.plugins.module_utils._aws.ecs_app_wanted import (
    BALANCER_GROUP,
    BALANCER_GROUP_KIND,
    NOWHERE,
    Place,
    ports_behind,
    wanted_app,
    without_listeners_to,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.load_balancer_classic import (
    LOAD_BALANCER,
    normalised,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.security_groups import live_security_group
from ansible_collections.container.schedulers.plugins.module_utils._aws.service import SERVICE, live_service
from ansible_collections.container.schedulers.plugins.module_utils._errors import InputError
from ansible_collections.container.schedulers.plugins.module_utils._ownership import APP, OWNER, PART
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Plan, Ref, Wanted, decide
from unit.ecs_app import CLASSIC_ATTRIBUTES, a_run, classic, mark, options, security_group, service
from unit.scripted import ScriptedAws

PLACE = Place("vpc-1", "sg-instances", ("subnet-1", "subnet-2"))
WEB: dict[str, Any] = {"image": "httpd", "memory": 64, "ports": [{"container_port": 80, "host_port": 80}]}
CLASSIC = {"type": "classic", "name": "one-lb"}
SHARED = {**CLASSIC, "shared": True}


def wanted(live: Mapping[str, Live] | None = None, place: Place = PLACE, **given: Any) -> dict[str, Wanted]:
    run = a_run(ScriptedAws(()), team="a")
    return {one.key: one for one in wanted_app(run, options(**given), live or {}, place)}


def plan(live: Mapping[str, Live] | None = None, **given: Any) -> Plan:
    return decide(wanted(live, **given).values(), live or {}, APP_GRAPH, APP_RULES)


HTTP = {"Protocol": "HTTP", "InstanceProtocol": "HTTP"}


def live_classic(app: str = "web", **given: Any) -> Live:
    attributes = CLASSIC_ATTRIBUTES["LoadBalancerAttributes"]
    spec = normalised(classic(**given), attributes, {**mark(LOAD_BALANCER, app), "team": "a"})
    return Live(LOAD_BALANCER, "classic_load_balancer", "one-lb", "one-lb", spec, {"address": "x.example"})


def live_group(*permissions: dict[str, Any], app: str = "web") -> Live:
    group = security_group("sg-lb", f"{BALANCER_GROUP}/one-lb", app, IpPermissions=list(permissions))
    return live_security_group(group, BALANCER_GROUP, BALANCER_GROUP_KIND)


def test_an_app_without_anything_is_a_definition_and_a_service() -> None:
    assert plan(**WEB).sentences() == ["create task definition one-web", "create service web"]


def test_everything_of_an_app_carries_its_mark_and_the_users_tags() -> None:
    everything = wanted(**WEB, log={}, load_balancer=CLASSIC)
    for one in everything.values():
        if one.kind != "ingress_rule":  # belongs to the load balancer's security group
            tags = one.spec["tags"]
            assert (tags[OWNER], tags[APP], tags["team"]) == ("ecs/one", "web", "a")
            assert tags[PART]


def test_what_is_made_comes_in_the_order_of_need() -> None:
    everything = plan(**WEB, log={}, load_balancer={"type": "application"}, scaling={"min": 1, "max": 2})
    kinds = [step.kind for step in everything.steps]
    assert sorted(kinds) == sorted(
        [
            "task_definition",
            "log_group",
            "load_balancer_security_group",
            "target_group",
            "ingress_rule",
            "load_balancer",
            "listener",
            "service",
            "service_scaling",
        ]
    )
    assert kinds[-3:] == ["listener", "service", "service_scaling"]


@pytest.mark.parametrize(
    ("given", "count"), [({}, 1), ({"desired_count": 3}, 3), ({"scaling": {"min": 2, "max": 4}}, 2)]
)
def test_a_new_service_gets_tasks(given: dict[str, Any], count: int) -> None:
    assert wanted(**WEB, **given)[SERVICE].spec["desired_count"] == count


BREAKER = {"enable": True, "rollback": True}
OFF = {"enable": False, "rollback": True}


@pytest.mark.parametrize(
    ("given", "breaker"),
    [
        ({}, BREAKER),
        ({"circuit_breaker": OFF}, OFF),
        ({"load_balancer": {"type": "application"}}, BREAKER),
        ({"load_balancer": {"type": "none"}}, BREAKER),
        ({"load_balancer": CLASSIC}, None),
        ({"load_balancer": CLASSIC, "circuit_breaker": OFF}, None),
    ],
)
def test_ecs_gives_up_what_keeps_failing_but_not_behind_a_classic_load_balancer(
    given: dict[str, Any], breaker: dict[str, bool] | None
) -> None:
    assert wanted(**WEB, **given)[SERVICE].spec["circuit_breaker"] == breaker


def test_a_circuit_breaker_that_nobody_speaks_of_stays_as_it_is() -> None:
    off = service(deploymentConfiguration={"deploymentCircuitBreaker": {"enable": False, "rollback": False}})
    live = {SERVICE: live_service(off)}
    assert wanted(live, **WEB)[SERVICE].spec["circuit_breaker"] is None
    assert wanted(live, **WEB, circuit_breaker=BREAKER)[SERVICE].spec["circuit_breaker"] == BREAKER


def test_what_is_behind_a_classic_load_balancer_has_no_circuit_breaker_to_switch_on() -> None:
    behind = [{"loadBalancerName": "one-lb", "containerName": "web", "containerPort": 80}]
    live = {SERVICE: live_service(service(loadBalancers=behind))}
    assert wanted(live, **WEB)[SERVICE].spec["circuit_breaker"] is None
    with pytest.raises(InputError, match=r"^circuit_breaker: ECS has none .* classic load balancer"):
        wanted(live, **WEB, circuit_breaker=BREAKER)


def test_an_existing_service_keeps_the_tasks_that_somebody_gave_it() -> None:
    live = {SERVICE: live_service(service(desiredCount=7))}
    assert "desired_count" not in wanted(live, **WEB)[SERVICE].spec


def test_the_live_percents_count_where_none_are_given() -> None:
    live = {
        SERVICE: live_service(service(deploymentConfiguration={"minimumHealthyPercent": 50, "maximumPercent": 100}))
    }
    wanted(live, **WEB)
    with pytest.raises(InputError, match="both 100"):
        wanted(live, **WEB, minimum_healthy_percent=100)


@pytest.mark.parametrize(
    ("port", "first", "last"),
    [({"container_port": 80, "host_port": 8080}, 8080, 8080), ({"container_port": 80}, 32768, 65535)],
)
def test_the_instances_let_the_load_balancer_in_where_it_needs_to(port: dict[str, Any], first: int, last: int) -> None:
    rule = wanted(**{**WEB, "ports": [port]}, load_balancer={"type": "network"})[f"ingress-rule/{first}-{last}"]
    assert rule.spec == {
        "group_id": "sg-instances",
        "source_group_id": Ref(BALANCER_GROUP),
        "protocol": "tcp",
        "first": first,
        "last": last,
    }


def test_the_load_balancer_lets_in_who_may_reach_it() -> None:
    group = wanted(**WEB, load_balancer={**CLASSIC, "allowed_cidrs": ["10.0.0.0/8", "::/0"], "listener_port": 8080})
    assert list(group[BALANCER_GROUP].spec["ingress"]) == ["tcp 8080 from 10.0.0.0/8", "tcp 8080 from ::/0"]


def test_on_a_shared_one_others_stay_let_in() -> None:
    said = {"CidrIp": "0.0.0.0/0", "Description": "container.schedulers: other"}
    others = {"IpProtocol": "tcp", "FromPort": 90, "ToPort": 90, "IpRanges": [said]}
    live = {BALANCER_GROUP: live_group(others, app="")}
    shared = wanted(live, **WEB, load_balancer=SHARED)[BALANCER_GROUP]
    own = wanted(live, **WEB, load_balancer=CLASSIC)[BALANCER_GROUP]
    assert list(shared.spec["ingress"]) == ["tcp 80 from 0.0.0.0/0", "tcp 90 from 0.0.0.0/0"]
    assert list(own.spec["ingress"]) == ["tcp 80 from 0.0.0.0/0"]


@pytest.mark.parametrize(
    "opened_for",
    [
        {"IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "the office"}]},
        {"UserIdGroupPairs": [{"GroupId": "sg-9"}]},
    ],
)
def test_a_listener_that_somebody_else_has_made_at_a_classic_load_balancer_stays(opened_for: dict[str, Any]) -> None:
    """Ours of before is told by what was opened for it."""
    spoken = {80: ("HTTP", 80), 8080: ("HTTP", 81), 443: ("HTTPS", 80), 9000: ("HTTP", 9001)}
    found = [
        {"Listener": {**HTTP, "Protocol": protocol, "LoadBalancerPort": port, "InstancePort": led_to}}
        for port, (protocol, led_to) in spoken.items()
    ]
    said = {"CidrIp": "0.0.0.0/0", "Description": "container.schedulers: web"}
    opened = [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [said]} for port in (80, 8080)]
    theirs = {"IpProtocol": "tcp", "FromPort": 9000, "ToPort": 9009, **opened_for}
    live = {LOAD_BALANCER: live_classic(ListenerDescriptions=found), BALANCER_GROUP: live_group(*opened, theirs)}
    listeners = wanted(live, **WEB, load_balancer={**CLASSIC, "listener_port": 81})[LOAD_BALANCER].spec["listeners"]
    assert listeners == {"81": "HTTP to HTTP 80", "443": "HTTPS to HTTP 80", "9000": "HTTP to HTTP 9001"}


def test_the_own_listener_goes_of_which_a_killed_run_has_closed_the_port() -> None:
    """The same run would have made the app's other listener, to another port of the instances."""
    listener = {**HTTP, "LoadBalancerPort": 80, "InstancePort": 8000}
    said = {"CidrIp": "0.0.0.0/0", "Description": "container.schedulers: web"}
    live = {
        LOAD_BALANCER: live_classic(ListenerDescriptions=[{"Listener": listener}]),
        BALANCER_GROUP: live_group({"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "IpRanges": [said]}),
    }
    ports = [{"container_port": 80, "host_port": 8001}]
    found = wanted(live, **{**WEB, "ports": ports}, load_balancer={**CLASSIC, "listener_port": 8080})
    assert found[LOAD_BALANCER].spec["listeners"] == {"8080": "HTTP to HTTP 8001"}


@pytest.mark.parametrize("balancer", [CLASSIC, SHARED])
def test_what_somebody_else_has_opened_at_another_port_stays_open(balancer: dict[str, Any]) -> None:
    said = {"CidrIp": "10.0.0.0/8", "Description": "the office"}
    others = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [said]}
    live = {BALANCER_GROUP: live_group(others, {**others, "FromPort": 80, "ToPort": 80})}
    found = wanted(live, **WEB, load_balancer=balancer)[BALANCER_GROUP].spec["ingress"]
    assert list(found) == ["tcp 443 from 10.0.0.0/8", "tcp 80 from 0.0.0.0/0"]


def test_on_a_shared_one_the_own_port_is_closed_to_who_may_not_reach_it_any_more() -> None:
    own, others, span = (
        {"IpProtocol": "tcp", "FromPort": first, "ToPort": last, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        for first, last in ((80, 80), (8080, 8080), (80, 90))
    )
    live = {BALANCER_GROUP: live_group(own, others, span, app="")}
    narrowed = {**SHARED, "allowed_cidrs": ["203.0.113.0/24"]}
    assert list(wanted(live, **WEB, load_balancer=narrowed)[BALANCER_GROUP].spec["ingress"]) == [
        "tcp 80 from 203.0.113.0/24",
        "tcp 80-90 from 0.0.0.0/0",
        "tcp 8080 from 0.0.0.0/0",
    ]


def test_a_shared_one_is_the_clusters_and_keeps_the_tags_of_who_made_it() -> None:
    new = wanted(**WEB, load_balancer=SHARED)[LOAD_BALANCER].spec["tags"]
    there = wanted({LOAD_BALANCER: live_classic("")}, **WEB, load_balancer=SHARED)[LOAD_BALANCER].spec["tags"]
    assert new == {OWNER: "ecs/one", PART: LOAD_BALANCER, "team": "a"}
    assert there == {OWNER: "ecs/one", PART: LOAD_BALANCER}


def test_subnets_are_the_clusters_for_a_new_load_balancer_only() -> None:
    live = {LOAD_BALANCER: live_classic()}
    assert wanted(**WEB, load_balancer=CLASSIC)[LOAD_BALANCER].spec["subnets"] == ("subnet-1", "subnet-2")
    assert wanted(live, **WEB, load_balancer=CLASSIC)[LOAD_BALANCER].spec["subnets"] is None
    given = {**CLASSIC, "subnets": ["subnet-9", "subnet-8"]}
    assert wanted(live, **WEB, load_balancer=given)[LOAD_BALANCER].spec["subnets"] == ["subnet-8", "subnet-9"]


@pytest.mark.parametrize(
    ("kind", "behind"),
    [
        ("classic", [{"load_balancer": "one-lb", "container": "web", "port": 80}]),
        ("network", [{"target_group": Ref("target-group", "arn"), "container": "web", "port": 80}]),
        ("none", []),
    ],
)
def test_the_service_knows_what_is_before_it(kind: str, behind: list[Any]) -> None:
    given = wanted(**WEB, load_balancer={"type": kind, "name": "one-lb"})
    assert given[SERVICE].spec["load_balancers"] == behind


def test_without_a_word_about_load_balancers_the_one_that_is_there_stays() -> None:
    assert wanted(**WEB)[SERVICE].spec["load_balancers"] is None


def test_a_load_balancer_of_another_vpc_is_refused() -> None:
    live = {LOAD_BALANCER: live_classic(VPCId="vpc-2")}
    with pytest.raises(InputError, match=r"load_balancer: one-lb is in VPC vpc-2, the instances .* are in vpc-1"):
        wanted(live, **WEB, load_balancer=CLASSIC)


def test_a_service_does_not_leave_its_classic_load_balancer() -> None:
    behind = [{"loadBalancerName": "old", "containerName": "web", "containerPort": 80}]
    live = {SERVICE: live_service(service(loadBalancers=behind))}
    with pytest.raises(InputError, match=r"service web is behind old .* which ECS cannot change to one-lb"):
        wanted(live, **WEB, load_balancer=CLASSIC)


def test_a_check_needs_no_cluster() -> None:
    given = decide(wanted(place=NOWHERE, **WEB, load_balancer=CLASSIC).values(), {}, APP_GRAPH, APP_RULES)
    assert "(vpc_id of the cluster, known once it is made)" in str(given.diff())


def test_listeners_that_nobody_uses_go() -> None:
    live = live_classic("")
    gone = without_listeners_to(live, {80})
    assert gone
    assert gone.spec == {"listeners": {}}
    assert without_listeners_to(live, {8080}) is None


def test_the_health_check_does_not_stay_with_a_listener_that_goes() -> None:
    listeners = [
        {"Listener": {"Protocol": "HTTP", "LoadBalancerPort": port, "InstanceProtocol": "HTTP", "InstancePort": port}}
        for port in (80, 8080)
    ]
    live = live_classic("", ListenerDescriptions=listeners)
    first, second = without_listeners_to(live, {80}), without_listeners_to(live, {8080})
    assert first
    assert first.spec["health_check"]["target"] == "TCP:8080"
    assert second
    assert "health_check" not in second.spec


def test_the_ports_behind_a_load_balancer() -> None:
    spec = {"containers": [{"name": "web", "ports": [{"container_port": 80, "host_port": 8080}]}]}
    assert ports_behind(spec, [{"container": "web", "port": 80}]) == {8080}
    assert ports_behind(spec, [{"container": "web", "port": 81}]) == set()
    assert ports_behind(spec, [{"container": "db", "port": 80}]) == set()
