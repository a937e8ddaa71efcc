# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Launch templates, instances and auto scaling groups behave as on AWS."""

from __future__ import annotations

import base64
from collections import Counter
from typing import Any


def test_members_get_everything_the_template_says(ground: Any) -> None:
    ground.create()
    ground.wait_in_service(3)
    instance = ground.instances()[0]
    assert instance["IamInstanceProfile"]["Arn"].endswith(":instance-profile/p")
    assert instance["MetadataOptions"]["HttpTokens"] == "required"
    assert [group["GroupId"] for group in instance["SecurityGroups"]] == [ground.group]
    assert instance["PublicIpAddress"]
    tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
    assert tags.items() >= {"owner": "me", "run": "1", "aws:autoscaling:groupName": "a"}.items()
    filters = [{"Name": "attachment.instance-id", "Values": [instance["InstanceId"]]}]
    volumes = ground.ec2.describe_volumes(Filters=filters)["Volumes"]
    assert [(v["Size"], v["VolumeType"], v["Encrypted"], v["Iops"]) for v in volumes] == [(33, "gp3", True, 4000)]
    assert {tag["Key"] for tag in volumes[0]["Tags"]} == {"owner"}
    script = ground.ec2.describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="userData")
    assert base64.b64decode(script["UserData"]["Value"]) == b"#!/bin/sh\necho hello\n"


def test_members_are_spread_over_the_subnets(ground: Any) -> None:
    ground.create(DesiredCapacity=4)
    ground.wait_in_service(4)
    assert sorted(Counter(instance["SubnetId"] for instance in ground.instances()).values()) == [2, 2]


def test_a_group_of_the_same_name_is_refused_and_loses_nothing(ground: Any, refused: Any) -> None:
    ground.create()
    refused("AlreadyExists", ground.create)
    assert len(ground.members()) == 3


def test_capacity_stays_within_its_bounds(ground: Any, refused: Any) -> None:
    ground.create()
    refused("ValidationError", ground.asg.set_desired_capacity, AutoScalingGroupName="a", DesiredCapacity=5)
    refused("ValidationError", ground.asg.update_auto_scaling_group, AutoScalingGroupName="a", DesiredCapacity=9)
    refused("ValidationError", ground.create, AutoScalingGroupName="b", DesiredCapacity=5)
    refused("ValidationError", ground.asg.set_desired_capacity, AutoScalingGroupName="unknown", DesiredCapacity=1)
    ground.asg.update_auto_scaling_group(AutoScalingGroupName="a", MaxSize=2)
    ground.wait_in_service(2)
    assert ground.described()["DesiredCapacity"] == 2


def test_scaling_down_takes_the_members_away_and_spares_the_protected(ground: Any) -> None:
    ground.create()
    ground.wait_in_service(3)
    kept = ground.members()[0]["InstanceId"]
    ground.asg.set_instance_protection(AutoScalingGroupName="a", InstanceIds=[kept], ProtectedFromScaleIn=True)
    ground.asg.set_desired_capacity(AutoScalingGroupName="a", DesiredCapacity=1)
    ground.wait_in_service(1)
    assert ground.members()[0]["InstanceId"] == kept


def test_a_terminated_member_is_noticed_after_a_while_and_replaced(ground: Any) -> None:
    ground.create()
    ground.wait_in_service(3)
    ground.lab.settings(asg_seconds=30)
    lost = ground.members()[0]["InstanceId"]
    ground.ec2.terminate_instances(InstanceIds=[lost])
    assert lost in {member["InstanceId"] for member in ground.members()}
    ground.lab.advance(31, steps=3)
    assert any(member["LifecycleState"] == "Terminating" for member in ground.members())
    ground.lab.advance(31, steps=3)
    ground.wait_in_service(3)
    assert lost not in {member["InstanceId"] for member in ground.members()}
    assert any(lost in activity["Description"] for activity in ground.activities())


def test_an_unhealthy_member_is_replaced_unless_suspended(ground: Any) -> None:
    ground.create(DesiredCapacity=1)
    ground.wait_in_service(1)
    sick = ground.members()[0]["InstanceId"]
    ground.asg.suspend_processes(AutoScalingGroupName="a", ScalingProcesses=["ReplaceUnhealthy"])
    ground.asg.set_instance_health(InstanceId=sick, HealthStatus="Unhealthy")
    assert [member["InstanceId"] for member in ground.members()] == [sick]
    ground.asg.resume_processes(AutoScalingGroupName="a", ScalingProcesses=["ReplaceUnhealthy"])
    ground.wait_in_service(1)
    assert [member["InstanceId"] for member in ground.members()] != [sick]


def test_suspended_launch_launches_nothing(ground: Any) -> None:
    ground.create(DesiredCapacity=0)
    ground.asg.suspend_processes(AutoScalingGroupName="a", ScalingProcesses=["Launch"])
    ground.asg.set_desired_capacity(AutoScalingGroupName="a", DesiredCapacity=2)
    ground.lab.advance(60, steps=3)
    assert ground.members() == []


def test_activities_tell_what_was_done_and_why_it_failed(ground: Any) -> None:
    ground.ec2.create_launch_template_version(
        LaunchTemplateId=ground.template, SourceVersion="1", LaunchTemplateData={"KeyName": "none"}
    )
    ground.create(DesiredCapacity=1)
    failed = ground.activities()[0]
    assert (failed["StatusCode"], failed["Progress"]) == ("Failed", 100)
    assert failed["StatusMessage"] == "The key pair 'none' does not exist Launching EC2 instance failed."
    assert len(ground.activities()) == 1, "tried again without waiting"
    ground.ec2.create_key_pair(KeyName="none")
    ground.lab.advance(20)
    ground.wait_in_service(1)
    newest = ground.activities()[0]
    assert newest["StatusCode"] == "Successful"
    assert newest["Description"].startswith("Launching a new EC2 instance: i-")


def test_delete_refuses_with_members_and_force_takes_its_time(ground: Any, refused: Any) -> None:
    ground.create()
    ground.wait_in_service(3)
    ids = [member["InstanceId"] for member in ground.members()]
    refused("ResourceInUse", ground.asg.delete_auto_scaling_group, AutoScalingGroupName="a")
    ground.lab.settings(asg_seconds=20)
    ground.asg.delete_auto_scaling_group(AutoScalingGroupName="a", ForceDelete=True)
    assert ground.described()["Status"] == "Delete in progress"
    refused("AlreadyExists", ground.create)
    ground.lab.advance(21, steps=2)
    assert ground.described() == {}
    found = ground.ec2.describe_instances(InstanceIds=ids)["Reservations"]
    assert {i["State"]["Name"] for r in found for i in r["Instances"]} == {"terminated"}
    refused("ValidationError", ground.asg.delete_auto_scaling_group, AutoScalingGroupName="a")


def test_terminate_in_group_with_and_without_decrement(ground: Any, refused: Any) -> None:
    ground.create(DesiredCapacity=2, MinSize=1)
    ground.wait_in_service(2)
    for decrement, left in ((False, 2), (True, 1)):
        ground.asg.terminate_instance_in_auto_scaling_group(
            InstanceId=ground.members()[0]["InstanceId"], ShouldDecrementDesiredCapacity=decrement
        )
        ground.wait_in_service(left)
    refused(
        "ValidationError",
        ground.asg.terminate_instance_in_auto_scaling_group,
        InstanceId=ground.members()[0]["InstanceId"],
        ShouldDecrementDesiredCapacity=True,
    )


def test_instance_refresh_replaces_all_members(ground: Any, refused: Any) -> None:
    ground.create(DesiredCapacity=2)
    ground.wait_in_service(2)
    before = {member["InstanceId"] for member in ground.members()}
    refresh = ground.asg.start_instance_refresh(AutoScalingGroupName="a")["InstanceRefreshId"]
    for _unused in range(20):
        status = ground.asg.describe_instance_refreshes(AutoScalingGroupName="a")["InstanceRefreshes"][0]
        if status["Status"] == "Successful":
            break
        ground.lab.advance(1)
    assert (status["Status"], status["InstanceRefreshId"]) == ("Successful", refresh)
    assert before.isdisjoint({member["InstanceId"] for member in ground.members()})
    refused("ActiveInstanceRefreshNotFound", ground.asg.cancel_instance_refresh, AutoScalingGroupName="a")


def test_unknown_template_subnet_and_target_group_are_refused(ground: Any, refused: Any) -> None:
    refused("ValidationError", ground.create, LaunchTemplate={"LaunchTemplateName": "unknown"})
    refused("ValidationError", ground.create, VPCZoneIdentifier="subnet-00000000000000000")
    arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/x/0123456789abcdef"
    refused("ValidationError", ground.create, TargetGroupARNs=[arn])


def test_metrics_collection_can_be_disabled(ground: Any) -> None:
    ground.create(DesiredCapacity=0)
    ground.asg.enable_metrics_collection(AutoScalingGroupName="a", Granularity="1Minute", Metrics=["GroupMinSize"])
    ground.asg.disable_metrics_collection(AutoScalingGroupName="a")
    assert ground.described()["EnabledMetrics"] == []


def test_members_keep_the_version_they_were_launched_from(ground: Any) -> None:
    ground.create(DesiredCapacity=1)
    ground.wait_in_service(1)
    ground.ec2.create_launch_template_version(
        LaunchTemplateId=ground.template, SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.medium"}
    )
    assert ground.members()[0]["LaunchTemplate"]["Version"] == "1"


def test_a_group_that_is_going_is_left_alone(ground: Any, refused: Any) -> None:
    ground.create(DesiredCapacity=1)
    ground.wait_in_service(1)
    ground.lab.settings(asg_seconds=60)
    ground.asg.delete_auto_scaling_group(AutoScalingGroupName="a", ForceDelete=True)
    refused("ValidationError", ground.asg.set_desired_capacity, AutoScalingGroupName="a", DesiredCapacity=1)
    refused("ValidationError", ground.asg.delete_auto_scaling_group, AutoScalingGroupName="a", ForceDelete=True)


def test_what_names_no_group_or_member_is_refused(ground: Any, refused: Any) -> None:
    tag = {
        "ResourceId": "none",
        "ResourceType": "auto-scaling-group",
        "Key": "k",
        "Value": "v",
        "PropagateAtLaunch": True,
    }
    refused("ValidationError", ground.asg.create_or_update_tags, Tags=[tag])
    refused("ValidationError", ground.asg.describe_scaling_activities, AutoScalingGroupName="none")
    unknown = {"InstanceId": "i-00000000000000000", "HealthStatus": "Unhealthy"}
    refused("ValidationError", ground.asg.set_instance_health, **unknown)
    refused("ValidationError", ground.create, MinSize=3, MaxSize=2)


def test_only_one_refresh_at_a_time_and_it_can_be_cancelled(ground: Any, refused: Any) -> None:
    ground.create(DesiredCapacity=1)
    ground.wait_in_service(1)
    ground.lab.settings(boot_seconds=600)
    ground.asg.start_instance_refresh(AutoScalingGroupName="a")
    refused("InstanceRefreshInProgress", ground.asg.start_instance_refresh, AutoScalingGroupName="a")
    ground.asg.cancel_instance_refresh(AutoScalingGroupName="a")
    found = ground.asg.describe_instance_refreshes(AutoScalingGroupName="a")["InstanceRefreshes"]
    assert [one["Status"] for one in found] == ["Cancelled"]
