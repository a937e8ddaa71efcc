# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSM, CloudWatch Logs, Application Auto Scaling, the tagging API, paging, eventual consistency."""

from __future__ import annotations

import json
from typing import Any

import pytest

TARGET = {"ServiceNamespace": "ecs", "ResourceId": "service/c/s", "ScalableDimension": "ecs:service:DesiredCount"}
TRACKING = {
    "TargetValue": 50.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
}


def test_recommended_image_is_json(lab: Any) -> None:
    ssm = lab.client("ssm")
    name = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended"
    document = json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    assert document["image_id"] == ssm.get_parameter(Name=f"{name}/image_id")["Parameter"]["Value"]


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id", "099720109477"),
        ("/aws/service/debian/release/13/latest/amd64", "136693071363"),
    ],
)
def test_images_of_distributions(lab: Any, name: str, owner: str) -> None:
    image = lab.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    found = lab.client("ec2").describe_images(ImageIds=[image], Owners=[owner])["Images"][0]
    assert found["Architecture"] == ("arm64" if "arm64" in name else "x86_64")


def test_log_groups(lab: Any, refused: Any) -> None:
    logs = lab.client("logs")
    logs.create_log_group(logGroupName="/app", tags={"owner": "me"})
    refused("InvalidParameterException", logs.put_retention_policy, logGroupName="/app", retentionInDays=8)
    logs.put_retention_policy(logGroupName="/app", retentionInDays=7)
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:/app"
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"owner": "me"}
    refused("ResourceNotFoundException", logs.list_tags_for_resource, resourceArn=arn + "s")
    logs.delete_log_group(logGroupName="/app")
    logs.create_log_group(logGroupName="/app")
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {}


@pytest.fixture
def scaling(lab: Any) -> Any:
    ecs = lab.client("ecs")
    ecs.create_cluster(clusterName="c")
    container = {"name": "a", "image": "nginx", "memory": 32}
    ecs.register_task_definition(family="f", containerDefinitions=[container])
    ecs.create_service(cluster="c", serviceName="s", taskDefinition="f", desiredCount=0)
    return lab.client("application-autoscaling")


def test_scalable_target_needs_its_service_and_sound_bounds(scaling: Any, refused: Any) -> None:
    register = scaling.register_scalable_target
    unknown = {**TARGET, "ResourceId": "service/none/s"}
    refused("ValidationException", register, **unknown, MinCapacity=1, MaxCapacity=2)
    refused("ValidationException", register, **TARGET, MinCapacity=3, MaxCapacity=2)
    refused("ValidationException", register, **TARGET, MaxCapacity=2)
    refused("ValidationException", register, **TARGET, MinCapacity=1, MaxCapacity=2, Tags={"owner": " "})
    arn = register(**TARGET, MinCapacity=1, MaxCapacity=2, Tags={"owner": "me"})["ScalableTargetARN"]
    refused("ValidationException", register, **TARGET, MaxCapacity=4, Tags={"owner": "me"})
    assert register(**TARGET, MaxCapacity=4)["ScalableTargetARN"] == arn
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"owner": "me"}


def test_scaling_policy_goes_with_its_target(lab: Any, scaling: Any, refused: Any) -> None:
    policy = {
        **TARGET,
        "PolicyName": "cpu",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": TRACKING,
    }
    refused("ObjectNotFoundException", scaling.put_scaling_policy, **policy)
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=2)
    first = scaling.put_scaling_policy(**policy)["PolicyARN"]
    assert scaling.put_scaling_policy(**policy)["PolicyARN"] == first
    assert len(lab.client("cloudwatch").describe_alarms()["MetricAlarms"]) == 2
    scaling.deregister_scalable_target(**TARGET)
    assert scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == []
    assert lab.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    refused("ObjectNotFoundException", scaling.deregister_scalable_target, **TARGET)


def tagged(lab: Any, **more: Any) -> set[str]:
    api = lab.client("resourcegroupstaggingapi")
    pages = api.get_paginator("get_resources").paginate(TagFilters=[{"Key": "owner", "Values": ["me"]}], **more)
    return {one["ResourceARN"].split(":", 2)[2] for page in pages for one in page["ResourceTagMappingList"]}


def test_tagging_api_finds_what_it_finds_on_aws(ground: Any) -> None:
    lab, ec2 = ground.lab, ground.ec2
    tags = [{"Key": "owner", "Value": "me"}]
    lower = [{"key": "owner", "value": "me"}]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.create_tags(Resources=[ground.vpc, ground.template, address], Tags=tags)
    ground.create(DesiredCapacity=0, Tags=[{**tags[0], "PropagateAtLaunch": False}])
    lab.client("iam").tag_role(RoleName="r", Tags=tags)
    lab.client("logs").create_log_group(logGroupName="/app", tags={"owner": "me"})
    ecs = lab.client("ecs")
    ecs.create_cluster(clusterName="c", tags=lower)
    container = {"name": "a", "image": "nginx", "memory": 32}
    ecs.register_task_definition(family="f", containerDefinitions=[container], tags=lower)
    ecs.create_service(cluster="c", serviceName="s", taskDefinition="f", desiredCount=0, tags=lower)
    elbv2 = lab.client("elbv2")
    group = elbv2.create_target_group(Name="t", Protocol="HTTP", Port=80, VpcId=ground.vpc, Tags=tags)
    group_arn = group["TargetGroups"][0]["TargetGroupArn"].split(":", 2)[2]
    zone = lab.client("route53").create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    zone_id = zone.rsplit("/", 1)[1]
    lab.client("route53").change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone_id, AddTags=tags)
    here = "us-east-1:123456789012"
    assert tagged(lab) == {
        f"ec2:{here}:vpc/{ground.vpc}",
        f"ec2:{here}:launch-template/{ground.template}",
        f"ec2:{here}:elastic-ip/{address}",
        f"logs:{here}:log-group:/app",
        f"ecs:{here}:cluster/c",
        f"ecs:{here}:service/c/s",
        f"ecs:{here}:task-definition/f:1",
        f"route53:::hostedzone/{zone_id}",
        group_arn,
    }
    assert tagged(lab, ResourceTypeFilters=["logs:log-group"]) == {f"logs:{here}:log-group:/app"}
    assert tagged(lab, ResourcesPerPage=2) == tagged(lab)


def test_the_tagging_api_learns_late_of_what_comes_and_goes_if_that_is_switched_on(lab: Any) -> None:
    logs = lab.client("logs")
    lab.settings(tagging_seconds=20)
    logs.create_log_group(logGroupName="/app", tags={"owner": "me"})
    logs.create_log_group(logGroupName="/not/ours", tags={"owner": "you"})
    assert tagged(lab) == set()
    lab.advance(21)
    assert len(tagged(lab)) == 1
    logs.delete_log_group(logGroupName="/app")
    logs.delete_log_group(logGroupName="/not/ours")
    assert len(tagged(lab)) == 1
    assert tagged(lab, ResourceTypeFilters=["ec2:vpc"]) == set()
    lab.advance(21)
    assert tagged(lab) == set()


def test_lists_come_in_pages(lab: Any) -> None:
    ec2, iam = lab.client("ec2"), lab.client("iam")
    for number in range(6):
        ec2.create_internet_gateway()
        iam.create_user(UserName=f"u{number}")
    pages = ec2.get_paginator("describe_internet_gateways").paginate(PaginationConfig={"PageSize": 5})
    assert [len(page["InternetGateways"]) for page in pages] == [5, 1]
    first = iam.list_users(MaxItems=4)
    assert (len(first["Users"]), first["IsTruncated"]) == (4, True)
    rest = iam.list_users(MaxItems=4, Marker=first["Marker"])
    assert (len(rest["Users"]), rest["IsTruncated"]) == (2, False)


def test_new_things_are_not_seen_at_once(ground: Any, refused: Any) -> None:
    lab, ec2, iam = ground.lab, ground.ec2, ground.lab.client("iam")
    lab.settings(consistency_seconds=20)
    lab.advance(21)
    vpc = ec2.create_vpc(CidrBlock="10.5.0.0/16")["Vpc"]["VpcId"]
    refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=[vpc])
    refused("InvalidVpcID.NotFound", ec2.create_subnet, VpcId=vpc, CidrBlock="10.5.1.0/24")
    assert vpc not in {one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"]}
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName="late", AssumeRolePolicyDocument=document)
    refused("NoSuchEntity", iam.get_role, RoleName="late")
    assert "late" not in {role["RoleName"] for role in iam.list_roles()["Roles"]}
    iam.create_instance_profile(InstanceProfileName="late")
    iam.add_role_to_instance_profile(InstanceProfileName="late", RoleName="late")
    run = {"ImageId": ground.image, "InstanceType": "t3.small", "MinCount": 1, "MaxCount": 1}
    refused("InvalidParameterValue", ec2.run_instances, IamInstanceProfile={"Name": "late"}, **run)
    lab.advance(21)
    iam.get_role(RoleName="late")
    made = ec2.run_instances(IamInstanceProfile={"Name": "late"}, **run)["Instances"][0]["InstanceId"]
    refused("InvalidInstanceID.NotFound", ec2.describe_instances, InstanceIds=[made])
    assert ec2.describe_instances()["Reservations"] == []
    lab.advance(21)
    assert ec2.describe_instances(InstanceIds=[made])["Reservations"]
    assert vpc in {one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"]}


def test_tags_of_scalable_targets(scaling: Any, refused: Any) -> None:
    arn = scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=2)["ScalableTargetARN"]
    scaling.tag_resource(ResourceARN=arn, Tags={"a": "1", "b": "2"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"b": "2"}
    refused("ResourceNotFoundException", scaling.list_tags_for_resource, ResourceARN=arn + "x")
    assert scaling.describe_scaling_activities(ServiceNamespace="ecs")["ScalingActivities"] == []


def test_hosted_zones_are_tagged_by_the_tagging_api(lab: Any) -> None:
    api, zones = lab.client("resourcegroupstaggingapi"), lab.client("route53")
    zone = zones.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"].rsplit("/", 1)[1]
    arn = f"arn:aws:route53:::hostedzone/{zone}"
    api.tag_resources(ResourceARNList=[arn], Tags={"owner": "me", "more": "x"})
    api.untag_resources(ResourceARNList=[arn], TagKeys=["more"])
    found = zones.list_tags_for_resource(ResourceType="hostedzone", ResourceId=zone)
    assert found["ResourceTagSet"]["Tags"] == [{"Key": "owner", "Value": "me"}]
