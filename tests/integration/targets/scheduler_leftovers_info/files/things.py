# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes or removes some things with the mark of an owner: things.py make|remove OWNER."""

from __future__ import annotations

import json
import sys

import boto3

MARK = "container.schedulers/owner"
NAME = "ecs-leftovers-test"


def roles(region: str) -> list[str]:
    """That of a cluster in this region, and that of one of the same name in another."""
    return [f"{NAME}-{one}-instances" for one in (region, f"not-{region}")]


def make(owner: str) -> None:
    """A network, volumes, an address, roles, a load balancer's target group, a log group, a task definition."""
    ec2, tags = boto3.client("ec2"), [{"Key": MARK, "Value": owner}, {"Key": "Name", "Value": NAME}]
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]

    def marked(kind: str) -> list[dict[str, object]]:
        return [{"ResourceType": kind, "Tags": tags}]

    vpc = ec2.create_vpc(CidrBlock="10.99.0.0/16", TagSpecifications=marked("vpc"))["Vpc"]["VpcId"]
    for size in (10, 20):
        ec2.create_volume(AvailabilityZone=zone, Size=size, VolumeType="gp3", TagSpecifications=marked("volume"))
    ec2.allocate_address(Domain="vpc", TagSpecifications=marked("elastic-ip"))
    trust = {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    }
    document = json.dumps({"Version": "2012-10-17", **trust})
    for role in roles(ec2.meta.region_name):
        boto3.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=document, Tags=tags)
    boto3.client("elbv2").create_target_group(Name=NAME, Protocol="HTTP", Port=80, VpcId=vpc, Tags=tags)
    boto3.client("logs").create_log_group(logGroupName=f"/{NAME}", tags={MARK: owner})
    boto3.client("ecs").register_task_definition(
        family=NAME,
        containerDefinitions=[{"name": "web", "image": "web", "memory": 32}],
        tags=[{"key": MARK, "value": owner}],
    )


def remove(owner: str) -> None:
    """All of it."""
    ec2, elbv2, ecs = boto3.client("ec2"), boto3.client("elbv2"), boto3.client("ecs")
    mine = [{"Name": f"tag:{MARK}", "Values": [owner]}]
    for group in elbv2.describe_target_groups()["TargetGroups"]:
        if group["TargetGroupName"] == NAME:
            elbv2.delete_target_group(TargetGroupArn=group["TargetGroupArn"])
    for volume in ec2.describe_volumes(Filters=mine)["Volumes"]:
        ec2.delete_volume(VolumeId=volume["VolumeId"])
    for address in ec2.describe_addresses(Filters=mine)["Addresses"]:
        ec2.release_address(AllocationId=address["AllocationId"])
    for vpc in ec2.describe_vpcs(Filters=mine)["Vpcs"]:
        ec2.delete_vpc(VpcId=vpc["VpcId"])
    iam = boto3.client("iam")
    there = {role["RoleName"] for role in iam.list_roles(MaxItems=1000)["Roles"]}
    for name in there & {*roles(ec2.meta.region_name)}:
        iam.delete_role(RoleName=name)
    logs = boto3.client("logs")
    for group in logs.describe_log_groups(logGroupNamePrefix=f"/{NAME}")["logGroups"]:
        logs.delete_log_group(logGroupName=group["logGroupName"])
    definitions = ecs.list_task_definitions(familyPrefix=NAME)["taskDefinitionArns"]
    for arn in definitions:
        ecs.deregister_task_definition(taskDefinition=arn)
    if definitions:
        ecs.delete_task_definitions(taskDefinitions=definitions)


if __name__ == "__main__":
    {"make": make, "remove": remove}[sys.argv[1]](sys.argv[2])
