# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may reach what: rules for address ranges are the group's own, rules for groups are somebody else's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.names import CLUSTER_NAME_LIMIT, cluster_mark
from ansible_collections.container.schedulers.plugins.module_utils._aws.security_groups import (
    IngressRules,
    Opening,
    SecurityGroups,
    allowed,
    find_security_groups,
    live_security_group,
    openings,
    rule_description,
    source_openings,
)
from ansible_collections.container.schedulers.plugins.module_utils._compare import Difference
from ansible_collections.container.schedulers.plugins.module_utils._errors import NotOursError
from ansible_collections.container.schedulers.plugins.module_utils._ownership import Mark
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Step
from unit.ecs_cluster import a_run, marks
from unit.scripted import Call, failure, scripted

HTTP = "tcp 80 from 10.0.0.0/8"
HTTPS = "tcp 443 from ::/0"
SPEC = {"vpc_id": "vpc-1", "ingress": allowed([HTTP]), "tags": {}}
STEP = Step("create", "instance-security-group", "instance_security_group", "ecs-web-instances", SPEC)
GROUP: dict[str, Any] = {
    "GroupId": "sg-1",
    "GroupName": "ecs-web-instances",
    "VpcId": "vpc-1",
    "Tags": marks("instance-security-group"),
    "IpPermissions": [
        {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
        {
            "IpProtocol": "tcp",
            "FromPort": 32768,
            "ToPort": 65535,
            "UserIdGroupPairs": [{"GroupId": "sg-2", "Description": "by hand"}],
        },
        {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
    ],
}
CREATED = Call("ec2", "CreateSecurityGroup", {"GroupId": "sg-1"})


@pytest.mark.parametrize(
    "text",
    [
        HTTP,
        HTTPS,
        "udp 1000-2000 from 0.0.0.0/0",
        "icmp -1 from 0.0.0.0/0",
        "icmp 8--1 from 10.0.0.0/8",
        "icmp 0--1 from 10.0.0.0/8",
        "icmp 3-4 from 10.0.0.0/8",
        "icmpv6 -1 from ::/0",
    ],
)
def test_an_opening_is_what_its_text_says(text: str) -> None:
    assert str(Opening.parse(text)) == text


def test_other_text_is_no_opening() -> None:
    with pytest.raises(ValueError, match="is no opening"):
        Opening.parse("everything")


def test_openings_are_made_and_read_alike() -> None:
    texts = [HTTPS, HTTP, "icmp -1 from 0.0.0.0/0", "icmp 8--1 from 0.0.0.0/0"]
    assert openings([Opening.parse(one).permission() for one in texts]) == allowed(texts)
    assert openings(GROUP["IpPermissions"]) == allowed([HTTP, "-1 0-65535 from ::/0"])


def test_a_live_group_shows_its_own_rules_only() -> None:
    live = live_security_group(GROUP, STEP.key, STEP.kind)
    assert (live.id, live.spec["vpc_id"]) == ("sg-1", "vpc-1")
    assert all("sg-2" not in text for text in live.spec["ingress"])
    spec = {"group_id": "sg-1", "source_group_id": "sg-2", "protocol": "tcp", "first": 32768, "last": 65535}
    assert source_openings(GROUP, "sg-2") == [(spec, "by hand")]


def test_groups_are_found_by_their_mark() -> None:
    with scripted(Call("ec2", "DescribeSecurityGroups", {"SecurityGroups": [GROUP]})) as aws:
        assert find_security_groups(a_run(aws), "instance-security-group") == [GROUP]


def test_a_group_is_made_with_its_rules() -> None:
    with scripted(CREATED, Call("ec2", "AuthorizeSecurityGroupIngress", params={"GroupId": "sg-1"})) as aws:
        made = SecurityGroups(a_run(aws)).create(STEP, SPEC)
    assert (made.id, made.spec) == ("sg-1", SPEC)


def test_a_group_that_was_made_meanwhile_is_used() -> None:
    with scripted(
        Call("ec2", "CreateSecurityGroup", failure("InvalidGroup.Duplicate")),
        Call("ec2", "DescribeSecurityGroups", {"SecurityGroups": []}),
        Call("ec2", "DescribeSecurityGroups", {"SecurityGroups": [GROUP]}),
    ) as aws:
        assert SecurityGroups(a_run(aws)).create(STEP, SPEC).id == "sg-1"


def test_a_group_of_somebody_else_is_left_alone() -> None:
    with (
        scripted(
            Call("ec2", "CreateSecurityGroup", failure("InvalidGroup.Duplicate")),
            Call("ec2", "DescribeSecurityGroups", {"SecurityGroups": [{**GROUP, "Tags": []}]}),
        ) as aws,
        pytest.raises(NotOursError, match="was not made by"),
    ):
        SecurityGroups(a_run(aws)).create(STEP, SPEC)


def test_a_description_is_as_long_as_ec2_takes_it() -> None:
    def short(given: Mapping[str, Any]) -> bool:
        return len(given["Description"]) == 255

    with scripted(Call("ec2", "CreateSecurityGroup", {"GroupId": "sg-1"}, short)) as aws:
        run = replace(a_run(aws), mark=cluster_mark("a" * CLUSTER_NAME_LIMIT))
        SecurityGroups(run).create(STEP, {**SPEC, "ingress": {}})


def test_an_update_opens_shuts_and_tags() -> None:
    live = live_security_group(GROUP, STEP.key, STEP.kind)
    wanted = {"vpc_id": "vpc-1", "ingress": allowed([HTTP, HTTPS]), "tags": {"a": "b"}}
    step = Step(
        "update",
        STEP.key,
        STEP.kind,
        STEP.name,
        wanted,
        live,
        (Difference("ingress.x", 1, 2), Difference("tags.a", 1, 2)),
    )
    with scripted(
        Call("ec2", "AuthorizeSecurityGroupIngress", params={"IpPermissions": [Opening.parse(HTTPS).permission()]}),
        Call("ec2", "RevokeSecurityGroupIngress", params={"GroupId": "sg-1"}),
        Call("ec2", "CreateTags", params={"Resources": ["sg-1"]}),
    ) as aws:
        assert SecurityGroups(a_run(aws)).update(step, wanted, live).spec["ingress"] == wanted["ingress"]


def test_an_opening_that_somebody_has_closed_does_not_keep_the_others_open() -> None:
    live = Live(STEP.key, STEP.kind, STEP.name, "sg-1", {**SPEC, "ingress": allowed([HTTP, HTTPS])})
    step = Step("update", STEP.key, STEP.kind, STEP.name, {"ingress": {}}, live, (Difference("ingress.x", 1, 2),))

    def closed(text: str, answer: Any) -> Call:
        params = {"IpPermissions": [Opening.parse(text).permission()]}
        return Call("ec2", "RevokeSecurityGroupIngress", answer, params)

    with scripted(closed(HTTP, failure("InvalidPermission.NotFound")), closed(HTTPS, {})) as aws:
        SecurityGroups(a_run(aws)).update(step, step.spec, live)


def test_a_rule_that_came_meanwhile_does_not_keep_out_the_others() -> None:
    spec = {**SPEC, "ingress": allowed([HTTP, HTTPS])}
    with scripted(
        CREATED,
        Call("ec2", "AuthorizeSecurityGroupIngress", failure("InvalidPermission.Duplicate"), times=2),
        Call("ec2", "AuthorizeSecurityGroupIngress"),
    ) as aws:
        SecurityGroups(a_run(aws)).create(STEP, spec)


def test_an_update_of_tags_leaves_rules_alone() -> None:
    live = Live(STEP.key, STEP.kind, STEP.name, "sg-1", SPEC)
    step = Step("update", STEP.key, STEP.kind, STEP.name, SPEC, live, (Difference("tags.a", 1, 2),))
    with scripted(Call("ec2", "CreateTags")) as aws:
        SecurityGroups(a_run(aws)).update(step, {**SPEC, "tags": {"a": "b"}}, live)


def test_a_group_in_use_is_deleted_once_it_is_not() -> None:
    with scripted(
        Call("ec2", "DeleteSecurityGroup", failure("DependencyViolation")), Call("ec2", "DeleteSecurityGroup")
    ) as aws:
        SecurityGroups(a_run(aws)).delete(STEP, Live(STEP.key, STEP.kind, STEP.name, "sg-1"))


SOURCE = {"group_id": "sg-1", "source_group_id": "sg-2", "protocol": "tcp", "first": 80, "last": 80}


@pytest.mark.parametrize("answer", [{}, failure("InvalidPermission.Duplicate")])
def test_a_rule_for_a_group_is_there_afterwards(answer: Any) -> None:
    described = {"GroupId": "sg-2", "Description": "container.schedulers: ecs/web"}
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [described]}
    asked = {"GroupId": "sg-1", "IpPermissions": [rule]}
    with scripted(Call("ec2", "AuthorizeSecurityGroupIngress", answer, asked)) as aws:
        assert IngressRules(a_run(aws)).create(STEP, SOURCE).spec == SOURCE


def test_a_changed_rule_is_made_before_the_old_one_goes() -> None:
    live = Live("rule", "ingress_rule", "r", "sg-1", SOURCE)
    with scripted(
        Call("ec2", "AuthorizeSecurityGroupIngress"),
        Call("ec2", "RevokeSecurityGroupIngress", failure("InvalidPermission.NotFound")),
    ) as aws:
        IngressRules(a_run(aws)).update(STEP, {**SOURCE, "last": 81}, live)
        assert [operation for operation, _params in aws.made] == [
            "authorize_security_group_ingress",
            "revoke_security_group_ingress",
        ]


def test_a_description_is_no_longer_than_ec2_takes() -> None:
    assert len(rule_description(Mark("ecs/one", "a" * 255))) == 255
