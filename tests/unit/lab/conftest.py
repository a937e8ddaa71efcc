# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab for the whole test session (it patches moto in place), empty again before each test."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from lab import server
from lab.account import ACCESS_KEY_ID, DIGITALOCEAN_TOKEN, SECRET_ACCESS_KEY
from lab.world import Settings, World

REGION = "us-east-1"
AMI_PARAMETER = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"


class RunningLab:
    """The lab as its users see it: AWS clients, the control API; and the world, to move time."""

    def __init__(self, lab: server.Lab) -> None:
        self.url = lab.url
        self.world: World = lab.world
        self._session = boto3.session.Session()  # one for all: it keeps the API models it has read
        self._clients: dict[str, Any] = {}

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client that does not retry; kept for later tests unless it has options of its own."""
        if options:
            return self._make(service, **options)
        if service not in self._clients:
            self._clients[service] = self._make(service)
        return self._clients[service]

    def _make(self, service: str, region: str = REGION, **options: Any) -> Any:
        config = Config(
            retries={"total_max_attempts": options.pop("attempts", 1)}, read_timeout=options.pop("timeout", 60)
        )
        keys = {"aws_access_key_id": ACCESS_KEY_ID, "aws_secret_access_key": SECRET_ACCESS_KEY, **options}
        return self._session.client(service, region_name=region, endpoint_url=self.url, config=config, **keys)

    def control(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_lab{path}", data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return {"status": error.code, **json.load(error)}

    def digitalocean(
        self, method: str, path: str, body: object = None, token: str = DIGITALOCEAN_TOKEN
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, document and headers of one call to the lab's DigitalOcean."""
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.world.addresses['digitalocean']}/v2/{path}"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, data, headers, method=method), timeout=60
            ) as answer:
                return answer.status, json.loads(answer.read() or b"null"), dict(answer.headers)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null"), dict(error.headers)

    def faults(self, *rules: dict[str, Any]) -> None:
        self.control("POST", "/faults", list(rules))

    def settings(self, **values: object) -> None:
        self.control("POST", "/settings", values)

    def advance(self, seconds: float, steps: int = 1) -> None:
        self.control("POST", "/clock", {"advance": seconds, "steps": steps})


class Ground:
    """Two subnets, a group, an instance profile, and a launch template that says everything a template can say."""

    def __init__(self, lab: Any) -> None:
        self.lab, self.ec2, self.asg = lab, lab.client("ec2"), lab.client("autoscaling")
        self.image = lab.client("ssm").get_parameter(Name=AMI_PARAMETER)["Parameter"]["Value"]
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")[
                "Subnet"
            ]["SubnetId"]
            for n, zone in ((1, "a"), (2, "b"))
        ]
        self.group = self.ec2.create_security_group(GroupName="g", Description="d", VpcId=self.vpc)["GroupId"]
        self._profile()
        self.template = self.ec2.create_launch_template(LaunchTemplateName="all-of-it", LaunchTemplateData=self.data())[
            "LaunchTemplate"
        ]["LaunchTemplateId"]

    def _profile(self) -> None:
        iam = self.lab.client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=document)
        iam.create_instance_profile(InstanceProfileName="p")
        iam.add_role_to_instance_profile(InstanceProfileName="p", RoleName="r")

    def data(self) -> dict[str, Any]:
        nic = {"DeviceIndex": 0, "AssociatePublicIpAddress": True, "Groups": [self.group]}
        disk = {"VolumeSize": 33, "VolumeType": "gp3", "Encrypted": True, "Iops": 4000, "DeleteOnTermination": True}
        tags = [{"Key": "owner", "Value": "me"}]
        return {
            "ImageId": self.image,
            "InstanceType": "t3.small",
            "UserData": base64.b64encode(b"#!/bin/sh\necho hello\n").decode(),
            "IamInstanceProfile": {"Name": "p"},
            "NetworkInterfaces": [nic],
            "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
            "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": disk}],
            "TagSpecifications": [{"ResourceType": kind, "Tags": tags} for kind in ("instance", "volume")],
        }

    def create(self, **changes: Any) -> None:
        arguments = {
            "AutoScalingGroupName": "a",
            "LaunchTemplate": {"LaunchTemplateId": self.template, "Version": "$Latest"},
            "MinSize": 0,
            "MaxSize": 4,
            "DesiredCapacity": 3,
            "VPCZoneIdentifier": ",".join(self.subnets),
            "Tags": [{"Key": "run", "Value": "1", "PropagateAtLaunch": True}],
        }
        self.asg.create_auto_scaling_group(**{**arguments, **changes})

    def described(self) -> dict[str, Any]:
        groups = self.asg.describe_auto_scaling_groups(AutoScalingGroupNames=["a"])["AutoScalingGroups"]
        return dict(groups[0]) if groups else {}

    def members(self) -> list[dict[str, Any]]:
        return list(self.described()["Instances"])

    def instances(self) -> list[dict[str, Any]]:
        ids = [member["InstanceId"] for member in self.members()]
        found = self.ec2.describe_instances(InstanceIds=ids)["Reservations"]
        return [instance for reservation in found for instance in reservation["Instances"]]

    def activities(self) -> list[dict[str, Any]]:
        return list(self.asg.describe_scaling_activities(AutoScalingGroupName="a")["Activities"])

    def wait_in_service(self, count: int) -> None:
        for _unused in range(60):
            states = [member["LifecycleState"] for member in self.members()]
            if states == ["InService"] * count:
                return
            self.lab.advance(1)
        raise AssertionError(f"wanted {count} InService, found {states}")


@pytest.fixture(scope="session")
def running_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    scratch: Path = tmp_path_factory.mktemp("lab")
    with server.build(Settings(scratch=scratch)) as lab:
        yield RunningLab(lab)


@pytest.fixture
def lab(running_lab: RunningLab) -> RunningLab:
    running_lab.control("POST", "/reset")
    return running_lab


@pytest.fixture
def ground(lab: RunningLab) -> Ground:
    return Ground(lab)


@pytest.fixture
def refused() -> Callable[..., Any]:
    """refused("Code", function, **arguments): the call fails with exactly that AWS error code; returns the error."""

    def check(code: str, function: Callable[..., Any], /, **arguments: Any) -> Any:
        with pytest.raises(ClientError) as caught:
            function(**arguments)
        assert caught.value.response["Error"]["Code"] == code, caught.value
        return caught.value.response

    return check
