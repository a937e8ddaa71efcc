# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""RunInstances, launch template versions and EBS volumes: what is checked, and what an instance is given."""

from __future__ import annotations

from typing import Any

import pytest


def run(ground: Any, **changes: Any) -> list[dict[str, Any]]:
    arguments = {"ImageId": ground.image, "InstanceType": "t3.small", "MinCount": 1, "MaxCount": 1}
    if "LaunchTemplate" in changes:
        arguments = {"MinCount": 1, "MaxCount": 1}
    return list(ground.ec2.run_instances(**{**arguments, **changes})["Instances"])


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("InvalidParameterValue", {"InstanceType": "t99.huge"}),
        ("InvalidKeyPair.NotFound", {"KeyName": "unknown"}),
        ("InvalidParameterValue", {"IamInstanceProfile": {"Name": "unknown"}}),
        ("InvalidParameterValue", {"IamInstanceProfile": {"Arn": "arn:aws:iam::123456789012:instance-profile/x"}}),
        ("InvalidAMIID.NotFound", {"ImageId": "ami-00000000000000000"}),
        ("InvalidParameterValue", {"InstanceType": "t4g.small"}),
        ("InvalidGroup.NotFound", {"SecurityGroupIds": ["sg-00000000000000000"]}),
    ],
)
def test_bad_arguments_are_refused_and_nothing_is_made(
    ground: Any, refused: Any, code: str, changes: dict[str, Any]
) -> None:
    refused(code, run, ground=ground, SubnetId=ground.subnets[0], **changes)
    assert ground.ec2.describe_instances()["Reservations"] == []
    assert ground.ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_group_of_another_vpc_is_refused(ground: Any, refused: Any) -> None:
    vpc = ground.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ground.ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    refused("InvalidParameter", run, ground=ground, SubnetId=subnet, SecurityGroupIds=[ground.group])


def test_a_profile_without_a_role_is_refused(ground: Any, refused: Any) -> None:
    ground.lab.client("iam").create_instance_profile(InstanceProfileName="empty")
    refused("InvalidParameterValue", run, ground=ground, IamInstanceProfile={"Name": "empty"})


@pytest.mark.parametrize(
    ("default", "options", "works"),
    [
        (False, {}, True),
        (False, {"InstanceMetadataTags": "enabled"}, False),
        (True, {}, False),
        (True, {"HttpTokens": "required"}, False),
        (True, {"InstanceMetadataTags": "disabled"}, True),
    ],
)
def test_tags_that_are_shown_to_an_instance_have_no_slash(
    ground: Any, refused: Any, default: bool, options: dict[str, str], works: bool
) -> None:
    ground.lab.settings(ec2_metadata_tags=default)
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "a/b", "Value": "c"}]}]
    data = {"ImageId": ground.image, "InstanceType": "t3.small", "TagSpecifications": tags, "MetadataOptions": options}
    ground.ec2.create_launch_template(LaunchTemplateName="tagged", LaunchTemplateData=data)
    given = {"LaunchTemplate": {"LaunchTemplateName": "tagged"}, "SubnetId": ground.subnets[0]}
    if works:
        run(ground, **given)
    else:
        answer = refused("InvalidParameterValue", run, ground=ground, **given)
        assert "'a/b' is not a valid tag key" in answer["Error"]["Message"]


def test_every_instance_of_a_run_has_its_profile(ground: Any) -> None:
    instances = run(ground, MinCount=1, MaxCount=3, IamInstanceProfile={"Name": "p"}, SubnetId=ground.subnets[0])
    assert len(instances) == 3
    found = ground.ec2.describe_instances()["Reservations"][0]["Instances"]
    assert all(instance["IamInstanceProfile"]["Arn"].endswith("/p") for instance in found)


def image_of_two(ground: Any) -> str:
    """An image with a volume beside its root, neither encrypted."""
    root, more = (
        ground.ec2.create_snapshot(
            VolumeId=ground.ec2.create_volume(AvailabilityZone="us-east-1a", Size=size)["VolumeId"]
        )["SnapshotId"]
        for size in (8, 20)
    )
    disks = [
        {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": root}},
        {"DeviceName": "/dev/sdb", "Ebs": {"SnapshotId": more, "VolumeSize": 20}},
    ]
    registered = {"Name": "two", "Architecture": "x86_64", "RootDeviceName": "/dev/xvda"}
    return str(ground.ec2.register_image(**registered, BlockDeviceMappings=disks)["ImageId"])


def test_an_image_brings_all_its_volumes_as_it_says_unless_told_otherwise(ground: Any, refused: Any) -> None:
    named = {"Name": "none", "RootDeviceName": "/dev/xvda"}
    refused("InvalidBlockDeviceMapping", ground.ec2.register_image, **named)
    image = image_of_two(ground)
    mappings = ground.ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"]
    assert {one["DeviceName"]: one["Ebs"]["VolumeSize"] for one in mappings} == {"/dev/xvda": 8, "/dev/sdb": 20}

    def volumes(**changes: Any) -> dict[str, tuple[int, bool, bool]]:
        [started] = run(ground, ImageId=image, **changes)
        [held] = ground.ec2.describe_instances(InstanceIds=[started["InstanceId"]])["Reservations"]
        attached = {one["DeviceName"]: one["Ebs"] for one in held["Instances"][0]["BlockDeviceMappings"]}
        found = {one["VolumeId"]: one for one in ground.ec2.describe_volumes()["Volumes"]}
        disks = {device: (found[one["VolumeId"]], one["DeleteOnTermination"]) for device, one in attached.items()}
        return {device: (disk["Size"], disk["Encrypted"], goes) for device, (disk, goes) in disks.items()}

    assert volumes() == {"/dev/xvda": (8, False, True), "/dev/sdb": (20, False, False)}
    safe = {"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 20, "Encrypted": True, "DeleteOnTermination": True}}
    assert volumes(BlockDeviceMappings=[safe])["/dev/sdb"] == (20, True, True)
    nothing = {"ImageId": image, "BlockDeviceMappings": [{"DeviceName": "/dev/sdc", "Ebs": {"Encrypted": True}}]}
    ground.ec2.create_launch_template(LaunchTemplateName="nothing", LaunchTemplateData=nothing)
    refused("MissingParameter", run, ground=ground, LaunchTemplate={"LaunchTemplateName": "nothing"})


def test_interfaces_and_root_volumes_go_with_the_instance_other_volumes_stay(ground: Any) -> None:
    mapping = {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 5}}
    instance = run(ground, SubnetId=ground.subnets[0], BlockDeviceMappings=[mapping])[0]["InstanceId"]
    assert len(ground.ec2.describe_volumes()["Volumes"]) == 2
    ground.ec2.terminate_instances(InstanceIds=[instance])
    ground.ec2.terminate_instances(InstanceIds=[instance])
    assert [volume["Size"] for volume in ground.ec2.describe_volumes()["Volumes"]] == [5]
    assert ground.ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_run_from_a_template(ground: Any, refused: Any) -> None:
    instance = run(ground, LaunchTemplate={"LaunchTemplateName": "all-of-it"}, SubnetId=ground.subnets[0])[0]
    assert instance["InstanceType"] == "t3.small"
    for template, code in (
        ({"LaunchTemplateName": "unknown"}, "InvalidLaunchTemplateName.NotFoundException"),
        ({"LaunchTemplateId": "lt-00000000000000000"}, "InvalidLaunchTemplateId.NotFound"),
        ({"LaunchTemplateName": "all-of-it", "Version": "7"}, "InvalidLaunchTemplateId.VersionNotFound"),
    ):
        refused(code, run, ground=ground, LaunchTemplate=template)


def test_template_version_builds_on_its_source(ground: Any) -> None:
    ground.ec2.create_launch_template_version(
        LaunchTemplateId=ground.template, SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.large"}
    )
    ask = ground.ec2.describe_launch_template_versions
    old, new = (
        ask(LaunchTemplateId=ground.template, Versions=[version])["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        for version in ("1", "2")
    )
    assert new == {**old, "InstanceType": "t3.large"}


def test_template_tags_are_not_its_data(ground: Any) -> None:
    tags = [{"ResourceType": "launch-template", "Tags": [{"Key": "k", "Value": "v"}]}]
    ground.ec2.create_launch_template(
        LaunchTemplateName="tagged", LaunchTemplateData=ground.data(), TagSpecifications=tags
    )
    found = ground.ec2.describe_launch_templates(LaunchTemplateNames=["tagged"])["LaunchTemplates"][0]
    assert found["Tags"] == [{"Key": "k", "Value": "v"}]
    version = ground.ec2.describe_launch_template_versions(LaunchTemplateName="tagged")["LaunchTemplateVersions"][0]
    kinds = {one["ResourceType"] for one in version["LaunchTemplateData"]["TagSpecifications"]}
    assert kinds == {"instance", "volume"}


def test_list_of_templates_loses_none(ground: Any, refused: Any) -> None:
    for number in range(20):
        ground.ec2.create_launch_template(LaunchTemplateName=f"many-{number}", LaunchTemplateData={"ImageId": "ami-1"})
    assert len(ground.ec2.describe_launch_templates()["LaunchTemplates"]) == 21
    pages = ground.ec2.get_paginator("describe_launch_templates").paginate(PaginationConfig={"PageSize": 8})
    assert [len(page["LaunchTemplates"]) for page in pages] == [8, 8, 5]
    unknown = "InvalidLaunchTemplateId.NotFound"
    refused(unknown, ground.ec2.describe_launch_templates, LaunchTemplateIds=["lt-00000000000000000"])


def test_template_is_deleted_once(ground: Any, refused: Any) -> None:
    ground.ec2.delete_launch_template(LaunchTemplateId=ground.template)
    refused("InvalidLaunchTemplateId.NotFound", ground.ec2.delete_launch_template, LaunchTemplateId=ground.template)
    name = "InvalidLaunchTemplateName.NotFoundException"
    refused(name, ground.ec2.delete_launch_template, LaunchTemplateName="all-of-it")


def test_volumes(ground: Any, refused: Any) -> None:
    ec2 = ground.ec2
    refused("InvalidZone.NotFound", ec2.create_volume, Size=1, AvailabilityZone="us-east-1z")
    refused("InvalidParameterValue", ec2.create_volume, Size=99999, AvailabilityZone="us-east-1a", VolumeType="gp2")
    here, there = (ec2.create_volume(Size=1, AvailabilityZone=f"us-east-1{zone}")["VolumeId"] for zone in "ab")
    instance = run(ground, SubnetId=ground.subnets[0])[0]["InstanceId"]
    attach = ec2.attach_volume
    refused("InvalidVolume.ZoneMismatch", attach, VolumeId=there, InstanceId=instance, Device="/dev/sdg")
    attach(VolumeId=here, InstanceId=instance, Device="/dev/sdg")
    refused("VolumeInUse", attach, VolumeId=here, InstanceId=instance, Device="/dev/sdh")
    other = ec2.create_volume(Size=1, AvailabilityZone="us-east-1a")["VolumeId"]
    refused("InvalidParameterValue", attach, VolumeId=other, InstanceId=instance, Device="/dev/sdg")
    refused("VolumeInUse", ec2.delete_volume, VolumeId=here)
    ec2.detach_volume(VolumeId=here)
    refused("IncorrectState", ec2.detach_volume, VolumeId=here)
    ec2.delete_volume(VolumeId=here)


def test_a_volume_of_another_type_has_the_speed_that_this_starts_with(ground: Any) -> None:
    ec2 = ground.ec2
    made = ec2.create_volume(Size=200, AvailabilityZone="us-east-1a", VolumeType="io1", Iops=5000)["VolumeId"]

    def changed(**to: Any) -> tuple[Any, Any]:
        ec2.modify_volume(VolumeId=made, **to)
        found = ec2.describe_volumes(VolumeIds=[made])["Volumes"][0]
        return found.get("Iops"), found.get("Throughput")

    assert changed(Size=300) == (5000, None)
    assert changed(VolumeType="io2") == (3000, None)
    assert changed(VolumeType="gp2") == (900, None)
    assert changed(VolumeType="gp3", Iops=4000) == (4000, 125)
    assert changed(VolumeType="st1") == (None, None)


def test_an_interface_that_is_to_stay_stays(ground: Any) -> None:
    nic = {"DeviceIndex": 0, "SubnetId": ground.subnets[0], "Groups": [ground.group], "DeleteOnTermination": False}
    instance = run(ground, NetworkInterfaces=[nic])[0]["InstanceId"]
    ground.ec2.terminate_instances(InstanceIds=[instance])
    interfaces = ground.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert [interface["Status"] for interface in interfaces] == ["available"]
    ground.ec2.delete_network_interface(NetworkInterfaceId=interfaces[0]["NetworkInterfaceId"])


def test_without_an_image_nothing_starts(ground: Any, refused: Any) -> None:
    refused("MissingParameter", ground.ec2.run_instances, MinCount=1, MaxCount=1, InstanceType="t3.small")


def test_template_turns_monitoring_on(ground: Any) -> None:
    data = {**ground.data(), "Monitoring": {"Enabled": True}}
    ground.ec2.create_launch_template(LaunchTemplateName="watched", LaunchTemplateData=data)
    instance = run(ground, LaunchTemplate={"LaunchTemplateName": "watched"}, SubnetId=ground.subnets[0])[0]
    assert instance["Monitoring"]["State"] == "enabled"


def test_a_terminated_instance_takes_no_volume(ground: Any, refused: Any) -> None:
    instance = run(ground, SubnetId=ground.subnets[0])[0]["InstanceId"]
    ground.ec2.terminate_instances(InstanceIds=[instance])
    volume = ground.ec2.create_volume(Size=1, AvailabilityZone="us-east-1a")["VolumeId"]
    attach = ground.ec2.attach_volume
    refused("IncorrectState", attach, VolumeId=volume, InstanceId=instance, Device="/dev/sdg")


def test_a_volume_has_so_much_speed_for_its_size(lab: Any, refused: Any) -> None:
    ec2, place = lab.client("ec2"), {"AvailabilityZone": "us-east-1a"}
    told = refused("InvalidParameterValue", ec2.create_volume, **place, Size=20, VolumeType="gp3", Iops=15000)
    assert told["Error"]["Message"] == "Iops to volume size ratio of 750.000000 is too high; maximum is 500"
    ec2.create_volume(**place, Size=1, VolumeType="gp3", Iops=3000)
    made = ec2.create_volume(**place, Size=40, VolumeType="gp3", Iops=4000)["VolumeId"]
    refused("InvalidParameterValue", ec2.modify_volume, VolumeId=made, VolumeType="io1")  # would have 3000
    refused("InvalidParameterValue", ec2.modify_volume, VolumeId=made, Iops=20001)
    ec2.modify_volume(VolumeId=made, VolumeType="io1", Iops=4000, Size=80)
