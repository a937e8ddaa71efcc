# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles and instance profiles: filled in full, taken over from a run that was faster, and never a stranger's."""

from __future__ import annotations

import datetime
from typing import Any

import boto3
import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.identity import (
    InstanceProfiles,
    Roles,
    attached,
    partition,
    read_instance_profile,
    read_role,
    role_age,
    trust_policy,
)
from ansible_collections.container.schedulers.plugins.module_utils._compare import Difference
from ansible_collections.container.schedulers.plugins.module_utils._errors import NotOursError, SchedulersError
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Step
from unit.ecs_cluster import a_run, marks
from unit.scripted import Call, failure, scripted

MADE = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
ROLE: dict[str, Any] = {"RoleName": "r", "CreateDate": MADE, "Tags": marks("role")}
PROFILE: dict[str, Any] = {"InstanceProfileName": "p", "Roles": [{"RoleName": "r"}], "Tags": marks("instance-profile")}
TAGS = {"a": "b"}
RETAGGED = (Difference("tags.a", None, "b"),)


def a_step(kind: str, name: str, differences: tuple[Difference, ...] = ()) -> Step:
    return Step("create", kind, kind, name, differences=differences)


def live_role(*policies: str) -> Live:
    return Live("role", "role", "r", "r", {"policies": attached(policies), "tags": {}}, {"created": MADE})


def live_profile(role: str | None) -> Live:
    return Live("instance-profile", "instance_profile", "p", "p", {"role": role, "tags": {}})


def policies(*arns: str) -> Call:
    return Call("iam", "ListAttachedRolePolicies", {"AttachedPolicies": [{"PolicyArn": arn} for arn in arns]})


@pytest.mark.parametrize("name", boto3.session.Session().get_available_partitions())
def test_every_region_has_its_partition(name: str) -> None:
    regions = boto3.session.Session().get_available_regions("ec2", partition_name=name)
    assert {partition(one) for one in regions} == {name}
    assert all(("amazonaws.com.cn" in trust_policy(one)) is (name == "aws-cn") for one in regions)


def test_a_role_that_is_not_there_takes_one_call() -> None:
    with scripted(Call("iam", "GetRole", failure("NoSuchEntity", status=404))) as aws:
        assert read_role(a_run(aws), "r") is None


def test_a_role_is_read_with_its_policies() -> None:
    with scripted(Call("iam", "GetRole", {"Role": ROLE}), policies("b", "a")) as aws:
        role = read_role(a_run(aws), "r")
    assert role is not None
    assert role.spec["policies"] == attached(["a", "b"])
    assert role_age(role) > 0


def test_nothing_is_no_seconds_old() -> None:
    assert role_age(None) == 0.0


def test_a_strangers_role_is_an_error_unless_adopted() -> None:
    answer = {"Role": {**ROLE, "Tags": []}}
    with scripted(Call("iam", "GetRole", answer, times=2), policies()) as aws:
        with pytest.raises(NotOursError, match="role r exists"):
            read_role(a_run(aws), "r")
        assert read_role(a_run(aws), "r", adopt=True)


def test_the_run_that_made_the_role_knows_it() -> None:
    with scripted(
        Call("iam", "CreateRole", {"Role": ROLE}),
        Call("iam", "AttachRolePolicy", failure("NoSuchEntity", status=404)),
        Call("iam", "AttachRolePolicy", params={"PolicyArn": "a"}),
    ) as aws:
        roles = Roles(a_run(aws))
        role = roles.create(a_step("role", "r"), {"policies": attached(["a"]), "tags": TAGS})
    assert roles.made_here == {"r"}
    assert role.attributes["created"] == MADE


def test_a_role_that_another_run_made_is_completed() -> None:
    with scripted(
        Call("iam", "CreateRole", failure("EntityAlreadyExists", status=409)),
        Call("iam", "GetRole", {"Role": ROLE}),
        policies("a"),
        Call("iam", "AttachRolePolicy", params={"PolicyArn": "b"}),
    ) as aws:
        roles = Roles(a_run(aws))
        roles.create(a_step("role", "r"), {"policies": attached(["a", "b"]), "tags": TAGS})
    assert not roles.made_here


def test_a_role_is_updated_in_what_differs() -> None:
    with scripted(
        Call("iam", "AttachRolePolicy", params={"PolicyArn": "b"}),
        Call("iam", "DetachRolePolicy", failure("NoSuchEntity"), {"PolicyArn": "a"}),
        Call("iam", "TagRole", params={"Tags": [{"Key": "a", "Value": "b"}]}),
    ) as aws:
        spec = {"policies": attached(["b"]), "tags": TAGS}
        assert Roles(a_run(aws)).update(a_step("role", "r", RETAGGED), spec, live_role("a")).spec == spec


def test_an_update_of_policies_leaves_tags_alone() -> None:
    with scripted(Call("iam", "AttachRolePolicy")) as aws:
        Roles(a_run(aws)).update(a_step("role", "r"), {"policies": attached(["a"])}, live_role())


def test_a_role_goes_after_its_policies() -> None:
    with scripted(
        Call("iam", "DetachRolePolicy", params={"PolicyArn": "a"}),
        Call("iam", "DeleteRole", failure("DeleteConflict", status=409)),
        policies("b"),
        Call("iam", "DetachRolePolicy", params={"PolicyArn": "b"}),
        Call("iam", "ListRolePolicies", {"PolicyNames": ["c"]}),
        Call("iam", "DeleteRolePolicy", params={"PolicyName": "c"}),
        Call("iam", "DeleteRole"),
    ) as aws:
        Roles(a_run(aws)).delete(a_step("role", "r"), live_role("a"))


@pytest.mark.parametrize("answer", [{}, failure("NoSuchEntity", status=404)])
def test_a_role_with_the_expected_policies_goes_in_two_calls(answer: Any) -> None:
    with scripted(
        Call("iam", "GetRole", {"Role": ROLE}), Call("iam", "DetachRolePolicy"), Call("iam", "DeleteRole", answer)
    ) as aws:
        run = a_run(aws)
        role = read_role(run, "r", expected=["a"])
        assert role is not None
        Roles(run).delete(a_step("role", "r"), role)


@pytest.mark.parametrize(("roles", "expected"), [([{"RoleName": "r"}], "r"), ([], None)])
def test_a_profile_is_read_with_its_role(roles: list[Any], expected: str | None) -> None:
    with scripted(Call("iam", "GetInstanceProfile", {"InstanceProfile": {**PROFILE, "Roles": roles}})) as aws:
        profile = read_instance_profile(a_run(aws), "p")
    assert profile is not None
    assert profile.spec["role"] == expected


def test_a_profile_is_made_with_its_role_in_it() -> None:
    with scripted(Call("iam", "CreateInstanceProfile"), Call("iam", "AddRoleToInstanceProfile")) as aws:
        made = InstanceProfiles(a_run(aws)).create(a_step("instance_profile", "p"), {"role": "r", "tags": TAGS})
    assert made.spec["role"] == "r"


def test_a_profile_that_another_run_made_is_used() -> None:
    with scripted(
        Call("iam", "CreateInstanceProfile", failure("EntityAlreadyExists", status=409)),
        Call("iam", "GetInstanceProfile", {"InstanceProfile": PROFILE}),
    ) as aws:
        InstanceProfiles(a_run(aws)).create(a_step("instance_profile", "p"), {"role": "r", "tags": TAGS})


@pytest.mark.parametrize("there", ["r", "other", None])
def test_a_profile_that_holds_a_role_already_is_looked_at(there: str | None) -> None:
    roles = [{"RoleName": there}] if there else []
    with scripted(
        Call("iam", "AddRoleToInstanceProfile", failure("LimitExceeded", status=409)),
        Call("iam", "GetInstanceProfile", {"InstanceProfile": {**PROFILE, "Roles": roles}}),
    ) as aws:
        profiles, step = InstanceProfiles(a_run(aws)), a_step("instance_profile", "p")
        if there == "r":
            assert profiles.update(step, {"role": "r"}, live_profile(None)).spec["role"] == "r"
        else:
            with pytest.raises(SchedulersError, match="LimitExceeded"):
                profiles.update(step, {"role": "r"}, live_profile(None))


def test_another_role_makes_room_and_tags_are_set() -> None:
    with scripted(
        Call("iam", "TagInstanceProfile"),
        Call("iam", "RemoveRoleFromInstanceProfile", params={"RoleName": "old"}),
        Call("iam", "AddRoleToInstanceProfile", params={"RoleName": "r"}),
    ) as aws:
        step = a_step("instance_profile", "p", RETAGGED)
        InstanceProfiles(a_run(aws)).update(step, {"role": "r", "tags": TAGS}, live_profile("old"))


@pytest.mark.parametrize("role", ["r", None])
def test_a_profile_is_emptied_before_it_goes(role: str | None) -> None:
    emptied = [Call("iam", "RemoveRoleFromInstanceProfile", failure("NoSuchEntity"))] if role else []
    with scripted(*emptied, Call("iam", "DeleteInstanceProfile")) as aws:
        InstanceProfiles(a_run(aws)).delete(a_step("instance_profile", "p"), live_profile(role))
