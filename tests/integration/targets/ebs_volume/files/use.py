# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Uses volumes: attach NAME VOLUME ZONE prints the instance, remove NAME removes instances and snapshots."""

from __future__ import annotations

import sys
from collections.abc import Callable

import boto3

ec2 = boto3.client("ec2")


def attach(name: str, volume: str, zone: str) -> None:
    """An instance of that name in the zone, with the volume attached."""
    image = boto3.client("ssm").get_parameter(Name="/aws/service/debian/release/13/latest/amd64")["Parameter"]["Value"]
    instance = ec2.run_instances(
        ImageId=image,
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        Placement={"AvailabilityZone": zone},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}],
    )["Instances"][0]["InstanceId"]
    ec2.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1})
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/xvdba")
    print(instance)


def remove(name: str) -> None:
    """All instances of that name, and the snapshots of the cluster of that name."""
    found = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": [name]}])["Reservations"]
    ids = [instance["InstanceId"] for one in found for instance in one["Instances"]]
    if ids:
        ec2.terminate_instances(InstanceIds=ids)
        ec2.get_waiter("instance_terminated").wait(InstanceIds=ids, WaiterConfig={"Delay": 1})
    mine = [{"Name": "tag:KubernetesCluster", "Values": [name]}]
    for snapshot in ec2.describe_snapshots(OwnerIds=["self"], Filters=mine)["Snapshots"]:
        ec2.delete_snapshot(SnapshotId=snapshot["SnapshotId"])


if __name__ == "__main__":
    uses: dict[str, Callable[..., None]] = {"attach": attach, "remove": remove}
    uses[sys.argv[1]](*sys.argv[2:])
