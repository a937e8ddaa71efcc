# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Launch templates: what is written is what is read, and a change is a new version."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.launch_templates import (
    TEMPLATE_RULE,
    LaunchTemplates,
    continued,
    read_launch_template,
    template_data,
    template_spec,
    with_version_in_use,
)
from ansible_collections.container.schedulers.plugins.module_utils._errors import NotOursError
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Step, Wanted, decide
from unit.ecs_cluster import OWNER, PART, a_run
from unit.scripted import Call, failure, scripted

SPEC: dict[str, Any] = {
    "image_id": "ami-1",
    "root_device": "/dev/xvda",
    "more_volumes": {"/dev/sdb": 20},
    "instance_type": "t3.small",
    "profile": "p",
    "security_group_ids": ["sg-1"],
    "public_ip": True,
    "user_data": "#!/bin/sh\n",
    "metadata_hops": 1,
    "encrypted": True,
    "volume_size": 40,
    "volume_kms_key": "arn:aws:kms:eu-west-1:123456789012:key/1",
    "key_name": "k",
    "instance_tags": {OWNER: "ecs/web", PART: "instance"},
}
STEP = Step("create", "launch-template", "launch_template", "ecs-web-instances", SPEC)
LIVE = Live(STEP.key, STEP.kind, STEP.name, "lt-1", SPEC, {"version": "3"})


def version(number: int, spec: dict[str, Any]) -> dict[str, Any]:
    return {"LaunchTemplateId": "lt-1", "VersionNumber": number, "LaunchTemplateData": template_data(spec)}


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"public_ip": False},
        {"volume_size": None, "volume_kms_key": None, "key_name": None},
        {"encrypted": False},
        {"more_volumes": {}},
    ],
)
def test_what_is_written_is_what_is_read(changed: dict[str, Any]) -> None:
    spec = {**SPEC, **changed}
    assert template_spec(template_data(spec)) == spec


def test_every_volume_of_the_image_is_encrypted_and_goes_with_the_instance() -> None:
    disks = {one["DeviceName"]: one["Ebs"] for one in template_data(SPEC)["BlockDeviceMappings"]}
    safe = {"Encrypted": True, "DeleteOnTermination": True, "KmsKeyId": SPEC["volume_kms_key"]}
    assert disks == {
        "/dev/xvda": {**safe, "VolumeType": "gp3", "VolumeSize": 40},
        "/dev/sdb": {**safe, "VolumeSize": 20},
    }


def test_volumes_are_read_in_whatever_order() -> None:
    data = template_data(SPEC)
    assert template_spec({**data, "BlockDeviceMappings": data["BlockDeviceMappings"][::-1]}) == SPEC
    plain = {"DeviceName": "/dev/sdc", "Ebs": {}}
    assert not template_spec({**data, "BlockDeviceMappings": [*data["BlockDeviceMappings"], plain]})["encrypted"]


def test_an_empty_template_of_somebody_can_be_read() -> None:
    assert template_spec({})["image_id"] is None


def test_metadata_without_a_token_is_a_difference() -> None:
    data = {**template_data(SPEC), "MetadataOptions": {"HttpTokens": "optional", "HttpPutResponseHopLimit": 1}}
    assert template_spec(data)["metadata_hops"] is None


def test_volumes_are_told_from_instances() -> None:
    kinds = {one["ResourceType"]: one["Tags"] for one in template_data(SPEC)["TagSpecifications"]}
    assert {"Key": PART, "Value": "volume"} in kinds["volume"]
    assert {"Key": PART, "Value": "instance"} in kinds["instance"]


def test_the_newest_version_is_read() -> None:
    answer = {"LaunchTemplateVersions": [version(3, SPEC)]}
    with scripted(Call("ec2", "DescribeLaunchTemplateVersions", answer, {"Versions": ["$Latest"]})) as aws:
        live = read_launch_template(a_run(aws), "ecs-web-instances")
    assert live is not None
    assert (live.id, live.attributes["version"], live.spec) == ("lt-1", "3", SPEC)


def test_a_template_whose_version_is_not_listed_yet_is_waited_for() -> None:
    later = Call("ec2", "DescribeLaunchTemplateVersions", {"LaunchTemplateVersions": [version(1, SPEC)]})
    with scripted(Call("ec2", "DescribeLaunchTemplateVersions", {"LaunchTemplateVersions": []}, times=2), later) as aws:
        live = read_launch_template(a_run(aws), "ecs-web-instances")
    assert live is not None
    assert live.id == "lt-1"


def test_no_template_is_none() -> None:
    missing = failure("InvalidLaunchTemplateName.NotFoundException")
    with scripted(Call("ec2", "DescribeLaunchTemplateVersions", missing)) as aws:
        assert read_launch_template(a_run(aws), "x") is None


def test_a_strangers_template_is_left_alone() -> None:
    answer = {"LaunchTemplateVersions": [version(1, {**SPEC, "instance_tags": {}})]}
    with scripted(Call("ec2", "DescribeLaunchTemplateVersions", answer)) as aws, pytest.raises(NotOursError):
        read_launch_template(a_run(aws), "x")


def test_a_template_is_made() -> None:
    answer = {"LaunchTemplate": {"LaunchTemplateId": "lt-1", "LatestVersionNumber": 1}}
    with scripted(Call("ec2", "CreateLaunchTemplate", answer, {"LaunchTemplateData": template_data(SPEC)})) as aws:
        made = LaunchTemplates(a_run(aws)).create(STEP, SPEC)
    assert (made.id, made.value("version")) == ("lt-1", "1")


def test_a_template_that_another_run_made_is_used() -> None:
    with scripted(
        Call("ec2", "CreateLaunchTemplate", failure("InvalidLaunchTemplateName.AlreadyExistsException")),
        Call("ec2", "DescribeLaunchTemplateVersions", {"LaunchTemplateVersions": [version(1, SPEC)]}),
    ) as aws:
        assert LaunchTemplates(a_run(aws)).create(STEP, SPEC).id == "lt-1"


def test_a_change_is_a_new_version_with_all_of_the_data() -> None:
    wanted = {"instance_type": "t3.large"}
    tokens = set()
    for _time in range(2):
        with scripted(
            Call(
                "ec2",
                "CreateLaunchTemplateVersion",
                {"LaunchTemplateVersion": {"VersionNumber": 4}},
                {"LaunchTemplateData": template_data({**SPEC, **wanted})},
            )
        ) as aws:
            changed = LaunchTemplates(a_run(aws)).update(STEP, wanted, LIVE)
            tokens.add(aws.made[0][1]["ClientToken"])
        assert (changed.value("version"), changed.spec["image_id"]) == ("4", "ami-1")
    assert len(tokens) == 1  # the same change twice is one version


def test_other_tags_are_given_to_what_was_started_before_too() -> None:
    """And to the template itself. Volumes that somebody has attached are none of ours."""
    wanted = {"instance_tags": {**SPEC["instance_tags"], "team": "blue"}}
    (step,) = decide([Wanted(STEP.key, STEP.kind, STEP.name, wanted)], {STEP.key: LIVE}, {}).steps
    disks = [
        {"DeviceName": device, "Ebs": {"VolumeId": volume, "DeleteOnTermination": ours}}
        for device, volume, ours in (("/dev/xvda", "vol-root", True), ("/dev/xvdba", "vol-data", False))
    ]
    started = {"Reservations": [{"Instances": [{"InstanceId": "i-1", "BlockDeviceMappings": disks}]}]}
    tags = [{"Key": "team", "Value": "blue"}]
    with scripted(
        Call("ec2", "DescribeInstances", started),
        Call("ec2", "CreateTags", {}, {"Resources": ["lt-1"], "Tags": tags}),
        Call("ec2", "CreateTags", {}, {"Resources": ["i-1"], "Tags": tags}),
        Call("ec2", "CreateTags", {}, {"Resources": ["vol-root"], "Tags": tags}),
        Call("ec2", "CreateLaunchTemplateVersion", {"LaunchTemplateVersion": {"VersionNumber": 4}}),
    ) as aws:
        LaunchTemplates(a_run(aws, team="blue")).update(step, wanted, LIVE)
        assert aws.made[-1][0] == "create_launch_template_version"  # a run that is killed before begins again


def test_a_deleted_template_is_gone() -> None:
    with scripted(Call("ec2", "DeleteLaunchTemplate", params={"LaunchTemplateId": "lt-1"})) as aws:
        LaunchTemplates(a_run(aws)).delete(STEP, LIVE)


# a version that the group does not use


GROUP = Live("auto-scaling-group", "auto_scaling_group", "g", "g", {"template_id": "lt-1", "template_version": "2"})
NEWEST = {STEP.key: LIVE}
IN_USE = {**SPEC, "instance_type": "t3.large"}


def asked(number: str, answer: Any) -> Call:
    return Call("ec2", "DescribeLaunchTemplateVersions", answer, {"Versions": [number]})


@pytest.mark.parametrize(
    "group",
    [
        None,
        replace(GROUP, spec={"template_id": "lt-1", "template_version": "3"}),
        replace(GROUP, spec={"template_id": "lt-1", "template_version": "$Latest"}),
        replace(GROUP, spec={"template_id": "lt-0", "template_version": "2"}),  # a template that was there before
        replace(GROUP, spec={"template_id": None, "template_version": None}),  # of an adopted group without any
    ],
)
def test_the_newest_version_is_all_that_is_read_if_no_other_is_in_use(group: Live | None) -> None:
    with scripted() as aws:
        assert with_version_in_use(a_run(aws), NEWEST, group) == NEWEST


def test_a_version_in_use_that_is_gone_does_not_count() -> None:
    with scripted(asked("2", failure("InvalidLaunchTemplateId.VersionNotFound"))) as aws:
        assert with_version_in_use(a_run(aws), NEWEST, GROUP) == NEWEST


@pytest.mark.parametrize(
    ("wanted", "number", "changed"),
    [
        ({}, "2", False),  # nobody wants what the newest one has
        ({"instance_type": "t3.large"}, "2", False),
        ({"instance_type": "t3.small"}, "3", False),  # a run that was killed before the group took it has made it
        ({"instance_type": "t3.micro"}, "2", True),
    ],
)
def test_the_version_in_use_is_continued_unless_the_newest_is_what_is_wanted(
    wanted: dict[str, Any], number: str, changed: bool
) -> None:
    resources = [Wanted(STEP.key, STEP.kind, STEP.name, {"profile": "p", "volume_size": None, **wanted})]
    with scripted(asked("2", {"LaunchTemplateVersions": [version(2, IN_USE)]})) as aws:
        live = continued(resources, with_version_in_use(a_run(aws), NEWEST, GROUP))

    assert live[STEP.key].value("version") == number
    assert decide(resources, live, {}, {STEP.kind: TEMPLATE_RULE}).changed is changed
