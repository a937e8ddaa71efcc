# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same client token twice is one thing; with other arguments it is an error."""

from __future__ import annotations

from typing import Any


def launch(ground: Any, **changes: Any) -> str:
    arguments = {
        "ImageId": ground.image,
        "InstanceType": "t3.small",
        "MinCount": 1,
        "MaxCount": 1,
        "SubnetId": ground.subnets[0],
        "ClientToken": "token-1",
    }
    return str(ground.ec2.run_instances(**{**arguments, **changes})["Instances"][0]["InstanceId"])


def test_run_instances(ground: Any, refused: Any) -> None:
    first = launch(ground)
    assert launch(ground) == first
    assert launch(ground, ClientToken="token-2") != first
    refused("IdempotentParameterMismatch", launch, ground=ground, InstanceType="t3.medium")
    assert len(ground.ec2.describe_instances()["Reservations"]) == 2


def test_a_token_whose_instance_or_volume_is_gone_is_used_up(ground: Any, refused: Any) -> None:
    first = launch(ground)
    ground.ec2.terminate_instances(InstanceIds=[first])
    refused("IdempotentInstanceTerminated", launch, ground=ground)
    arguments = {"AvailabilityZone": "us-east-1a", "Size": 1, "ClientToken": "v"}
    ground.ec2.delete_volume(VolumeId=ground.ec2.create_volume(**arguments)["VolumeId"])
    refused("IdempotentParameterMismatch", ground.ec2.create_volume, **arguments)


def test_token_is_forgotten_after_a_day(ground: Any) -> None:
    first = launch(ground)
    ground.lab.advance(24 * 3600 + 1)
    assert launch(ground) != first


def test_volumes_and_templates(ground: Any, refused: Any) -> None:
    arguments = {"AvailabilityZone": "us-east-1a", "ClientToken": "v"}
    create = ground.ec2.create_volume
    assert create(Size=1, **arguments)["VolumeId"] == create(Size=1, **arguments)["VolumeId"]
    refused("IdempotentParameterMismatch", create, Size=2, **arguments)
    make = ground.ec2.create_launch_template
    data = {"LaunchTemplateName": "twice", "ClientToken": "t", "LaunchTemplateData": {"ImageId": "ami-1"}}
    assert make(**data)["LaunchTemplate"] == make(**data)["LaunchTemplate"]


def test_refused_call_does_not_use_its_token_up(ground: Any, refused: Any) -> None:
    refused("InvalidKeyPair.NotFound", launch, ground=ground, KeyName="late")
    ground.ec2.create_key_pair(KeyName="late")
    launch(ground, KeyName="late")
