# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input gets one sentence that names the option, before anything is read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.app_options import AppOptions, check_percents
from ansible_collections.container.schedulers.plugins.module_utils._aws.balancer_options import balanced_port
from ansible_collections.container.schedulers.plugins.module_utils._errors import InputError
from unit.ecs_app import options, params

CLASSIC = {"type": "classic"}
ALB = {"type": "application"}
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"name": "a b"}, r"name: 'a b' must consist of letters, digits, hyphens and underscores"),
        ({"name": "x" * 256}, "name: .* has 256 characters, 255 are allowed"),
        ({"cluster": ""}, "cluster: '' must consist"),
        ({"family": "ä"}, "family: 'ä' must consist"),
        ({"container_name": "a.b"}, "container_name: 'a.b' must consist"),
        ({"memory": 5}, "memory: 5 MiB is too little for a container, which has 6 or more"),
        ({"memory": 0}, "memory: 0 MiB is too little"),
        ({"memory_reservation": 3}, "memory_reservation: 3 MiB is too little"),
        ({"memory": 64, "memory_reservation": 65}, "memory_reservation: 65 MiB is more than memory, 64 MiB"),
        ({"cpu": -1}, "cpu is -1, but has to be between 0 and 2147483647"),
        ({"cpu": 2**31}, "cpu is 2147483648, but has to be between 0"),
        ({"memory": 9999999999999999999}, "memory is 9999999999999999999, but has to be between 0 and 2147483647"),
        ({"image": "nginx latest"}, "image: 'nginx latest' is no image"),
        ({"image": "nginx\n"}, "is no image"),
        ({"image": ""}, "image: '' is no image"),
        ({"image": "nginx@sha256:1"}, "is no image"),
        ({"environment": {"": "x"}}, "environment: '' is no name of a variable"),
        ({"environment": {"A=B": "x"}}, "environment: 'A=B' is no name of a variable"),
        ({"secrets": {"": SECRET}}, "secrets: '' is no name of a variable"),
        (
            {"ports": [{"container_port": 80, "host_port": 65536}]},
            "host_port is 65536, but has to be between 0 and 655",
        ),
        ({"ports": [{"container_port": 0}]}, "container_port is 0, but has to be between 1 and 65535"),
        ({"ports": [{"container_port": 80, "host_port": 22}]}, "host_port 22 is in use on every instance"),
        (
            {"ports": [{"container_port": 80, "host_port": 8080}, {"container_port": 81, "host_port": 8080}]},
            "host_port 8080 is used twice, by container ports 80 and 81",
        ),
        ({"environment": {"DEBUG": True}}, "environment: DEBUG is True and must be text. Quote it"),
        ({"secrets": {"DB": 12}}, "secrets: DB is not the ARN of an SSM parameter"),
        ({"secrets": {"DB": None}}, "secrets: DB is not the ARN"),
        ({"secrets": {"DB": "/shop/db"}}, "secrets: DB is not the ARN"),
        ({"secrets": {"DB": "arn:aws:s3:::bucket/db"}}, "secrets: DB is not the ARN"),
        ({"secrets": {"DB": SECRET}, "environment": {"DB": "x"}}, "secrets: DB would be in environment too"),
        ({"health_check": {"command": "CMD-SHELL curl -f x || exit 1"}}, "has CMD-SHELL and not one line after it"),
        ({"health_check": {"command": ["true"]}}, "health_check: command must begin with CMD, CMD-SHELL or NONE"),
        ({"health_check": {"command": ["CMD", "x"], "retries": 11}}, "retries is 11, but has to be between 1 and 10"),
        ({"task_role": "web"}, "task_role: 'web' is not the ARN of an IAM role"),
        ({"execution_role": "arn:aws:iam::1:user/x"}, "execution_role: .* is not the ARN of an IAM role"),
        (
            {"minimum_healthy_percent": 100, "maximum_percent": 100},
            "minimum_healthy_percent and maximum_percent are both 100",
        ),
        ({"minimum_healthy_percent": 101}, "minimum_healthy_percent is 101, but has to be between 0 and 100"),
        ({"maximum_percent": 99}, "maximum_percent is 99, but has to be between 100"),
        (
            {"capacity_provider_strategy": [{"capacity_provider": "a", "weight": 1001}]},
            "capacity_provider_strategy: weight is 1001, but has to be between 0 and 1000",
        ),
        (
            {"capacity_provider_strategy": [{"capacity_provider": "a", "base": -1}]},
            "capacity_provider_strategy: base is -1, but has to be between 0 and 100000",
        ),
        ({"desired_count": -1}, "desired_count is -1, but has to be at least 0"),
        ({"keep_revisions": 0}, "keep_revisions is 0, but has to be at least 1"),
        ({"placement_constraints": [{"type": "memberOf"}]}, "type memberOf needs an expression"),
        (
            {"placement_constraints": [{"type": "memberOf", "expression": "garbage ("}]},
            r"'garbage \(' is no expression",
        ),
        ({"placement_constraints": [{"type": "memberOf", "expression": "(attribute:a exists"}]}, "is no expression"),
        (
            {"placement_constraints": [{"type": "distinctInstance", "expression": "attribute:a exists"}]},
            "placement_constraints: type distinctInstance has no expression",
        ),
        ({"placement_strategy": [{"type": "random", "field": "cpu"}]}, "type random has no field"),
        ({"placement_strategy": [{"type": "binpack", "field": "disk"}]}, "binpack has field cpu or memory, not 'disk'"),
        ({"placement_strategy": [{"type": "spread"}]}, "type spread needs a field"),
        ({"log": {"group": "a b"}}, "log: group 'a b' may have"),
        ({"log": {"stream_prefix": "a:b"}}, "log: stream_prefix 'a:b' has a colon or an asterisk"),
        ({"log": {"stream_prefix": "*"}}, "log: stream_prefix '\\*' has a colon or an asterisk"),
        ({"scaling": {"min": 3, "max": 2}}, "scaling: min 3 is more than max 2"),
        ({"scaling": {"min": -1, "max": 2}}, "scaling: min is -1"),
        ({"scaling": {"min": 1, "max": 2, "cpu_percent": 101}}, "scaling: cpu_percent is 101"),
        ({"load_balancer": {**ALB, "name": "under_score"}}, "name 'under_score' must be at most 32"),
        ({"load_balancer": {**ALB, "name": "x" * 33}}, "must be at most 32"),
        ({"load_balancer": {**ALB, "name": "internal-web"}}, "must be at most 32"),
        ({"load_balancer": {**ALB, "listener_port": 70000}}, "listener_port is 70000"),
        ({"load_balancer": {**ALB, "healthy_threshold": 1}}, "healthy_threshold is 1, but has to be between 2 and 10"),
        ({"load_balancer": {**ALB, "interval": 5}}, "timeout 5 must be less than interval 5"),
        ({"load_balancer": {**ALB, "health_check_path": "x"}}, "health_check_path 'x' must begin with a slash"),
        (
            {"load_balancer": {**ALB, "allowed_cidrs": ["fe80::1%eth0"]}},
            "allowed_cidrs: 'fe80::1%eth0' names an interface",
        ),
        (
            {"load_balancer": {**ALB, "allowed_cidrs": ["10.0.0.1/8"]}},
            "allowed_cidrs: '10.0.0.1/8' is no address range .*host bits set",
        ),
        ({"load_balancer": {**ALB, "allowed_cidrs": ["all"]}}, "allowed_cidrs: 'all' is no address range"),
        ({"load_balancer": {**ALB, "grace_period": -1}}, "grace_period is -1"),
        ({"load_balancer": {"type": "none", "grace_period": 9}}, "grace_period: there is none without a load balancer"),
        (
            {"load_balancer": CLASSIC, "health_check": {"command": ["CMD", "x"]}},
            "health_check: ECS has none .* behind a classic load balancer",
        ),
        ({"load_balancer": {**ALB, "deregistration_delay": 3601}}, "deregistration_delay is 3601"),
    ],
)
def test_bad_input_is_named(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        AppOptions.from_params(params(**given))


@pytest.mark.parametrize(
    "arn",
    [
        SECRET,
        f"{SECRET}:password::",  # one key of it
        "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/db",
        "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/db",
        "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:db",
    ],
)
def test_secrets_are_arns(arn: str) -> None:
    assert options(secrets={"DB": arn}).container["secrets"] == {"DB": arn}


def test_a_secret_given_by_mistake_is_not_repeated() -> None:
    with pytest.raises(InputError) as raised:
        options(secrets={"DB": "hunter2"})
    assert "hunter2" not in f"{raised.value.message} {raised.value.hint}"


@pytest.mark.parametrize(("lowest", "highest"), [(0, 100), (50, 200), (100, 101), (99, 100)])
def test_percents_that_leave_room(lowest: int, highest: int) -> None:
    check_percents(lowest, highest)


def test_the_minimum_is_not_above_the_maximum() -> None:
    with pytest.raises(InputError, match="minimum_healthy_percent: 100 is more than maximum_percent, 99"):
        check_percents(100, 99)


def test_one_host_port_may_serve_two_protocols() -> None:
    ports = [{"container_port": 53, "host_port": 53, "protocol": protocol} for protocol in ("udp", "tcp")]
    assert [port["protocol"] for port in options(ports=ports).container["ports"]] == ["tcp", "udp"]


def test_two_ports_may_both_be_picked_by_ecs() -> None:
    ports = [{"container_port": 80}, {"container_port": 81}]
    assert [port["host_port"] for port in options(ports=ports).container["ports"]] == [0, 0]


def test_what_is_not_given_is_not_there() -> None:
    assert options().container == {}
    assert options().service == {}
    assert (options().log, options().balancer, options().scaling) == (None, None, None)


def test_what_is_given_empty_is_there() -> None:
    given = options(environment={}, command=[], ports=[], placement_constraints=[])
    assert given.container == {"environment": {}, "command": [], "ports": []}
    assert given.service["placement_constraints"] == []


def test_numbers_in_the_environment_become_text() -> None:
    assert options(environment={"PORT": 80, "COLOUR": "red"}).container["environment"] == {
        "PORT": "80",
        "COLOUR": "red",
    }


def test_names_are_made_of_cluster_and_app() -> None:
    given = options(log={}, load_balancer=CLASSIC)
    assert given.family == "one-web"
    assert given.log
    assert (given.log.group, given.log.stream_prefix, given.log.retention_days) == ("/ecs/one/web", "web", 30)
    assert given.balancer
    assert given.balancer.name == "ecs-one-web"


def test_a_shared_load_balancer_is_named_after_the_cluster() -> None:
    balancer = options(load_balancer={**CLASSIC, "shared": True}).balancer
    assert balancer
    assert balancer.name == "ecs-one"


def test_a_subnet_that_is_given_twice_is_one() -> None:
    balancer = options(load_balancer={**ALB, "subnets": ["subnet-b", "subnet-a", "subnet-b"]}).balancer
    assert balancer
    assert balancer.subnets == ("subnet-a", "subnet-b")


@pytest.mark.parametrize(
    ("given", "live", "family"), [(None, None, "one-web"), (None, "old", "old"), ("mine", "old", "mine")]
)
def test_the_family_is_the_given_one_or_stays(given: str | None, live: str | None, family: str) -> None:
    assert AppOptions.from_params(params(family=given)).with_family(live).family == family


def test_placement_strategies_have_one_spelling() -> None:
    given = options(placement_strategy=[{"type": "spread", "field": "host"}, {"type": "binpack", "field": "MEMORY"}])
    assert [one["field"] for one in given.service["placement_strategy"]] == ["instanceId", "memory"]


PORTS = [
    {"container_port": 80, "host_port": 80, "protocol": "tcp"},
    {"container_port": 81, "host_port": 0, "protocol": "tcp"},
    {"container_port": 82, "host_port": 0, "protocol": "udp"},
]


@pytest.mark.parametrize(
    ("balancer", "ports", "sentence"),
    [
        (ALB, PORTS, "container_port must be one of ports, 80, 81, 82"),
        (ALB, [], "container_port must be one of ports, of which there are none"),
        ({**ALB, "container_port": 90}, PORTS, "container_port 90 is not one of ports, 80, 81, 82"),
        ({**CLASSIC, "container_port": 81}, PORTS, "type classic needs a fixed host_port"),
        ({**ALB, "container_port": 82}, PORTS, "container_port 82 is udp, not tcp"),
    ],
)
def test_a_load_balancer_needs_a_port_that_it_can_reach(
    balancer: dict[str, Any], ports: list[dict[str, Any]], sentence: str
) -> None:
    given = options(load_balancer=balancer).balancer
    assert given
    with pytest.raises(InputError, match=sentence):
        balanced_port(given, ports)


def test_the_only_port_need_not_be_named() -> None:
    given = options(load_balancer=CLASSIC).balancer
    assert given
    assert balanced_port(given, PORTS[:1]) == PORTS[0]
