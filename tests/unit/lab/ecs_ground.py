# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network, a role and a cluster in which container instances can live; each part can be left out or broken."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, TypeVar

from unit.waiting import eventually

AMI = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
POLICY = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
T = TypeVar("T")
_images: list[str] = []


def _image(lab: Any) -> str:
    """The ECS image, looked up once: the parameter store is slow to load after each reset."""
    if not _images:
        _images.append(lab.client("ssm").get_parameter(Name=AMI)["Parameter"]["Value"])
    return _images[0]


class EcsGround:
    """`lab` is the RunningLab of conftest.py."""

    def __init__(self, lab: Any) -> None:
        self.lab = lab
        self.ec2, self.ecs, self.iam = lab.client("ec2"), lab.client("ecs"), lab.client("iam")
        self.image = _image(lab)
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [self._subnet(number, zone) for number, zone in ((1, "a"), (2, "b"))]
        self._way_out()
        self.balancer_group = self.group("balancer", {"CidrIp": "0.0.0.0/0"})
        self.group_id = self.group("hosts", {"GroupId": self.balancer_group})
        self.role("hosts", "ec2.amazonaws.com")
        self.iam.attach_role_policy(RoleName="hosts", PolicyArn=POLICY)
        self.iam.create_instance_profile(InstanceProfileName="hosts")
        self.iam.add_role_to_instance_profile(InstanceProfileName="hosts", RoleName="hosts")
        self.ecs.create_cluster(clusterName="demo")

    def _subnet(self, number: int, zone: str) -> str:
        cidr, zone = f"10.0.{number}.0/24", f"us-east-1{zone}"
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr, AvailabilityZone=zone)
        return str(made["Subnet"]["SubnetId"])

    def _way_out(self) -> None:
        self.gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=self.gateway, VpcId=self.vpc)
        self.table = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        self.ec2.create_route(RouteTableId=self.table, DestinationCidrBlock="0.0.0.0/0", GatewayId=self.gateway)
        for subnet in self.subnets:
            self.ec2.associate_route_table(RouteTableId=self.table, SubnetId=subnet)

    def group(self, name: str, source: dict[str, str]) -> str:
        """A security group that lets TCP in from the source (CidrIp or GroupId)."""
        made: str = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)["GroupId"]
        peer = {"IpRanges": [source]} if "CidrIp" in source else {"UserIdGroupPairs": [source]}
        rule = {"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535, **peer}
        self.ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=[rule])
        return made

    def role(self, name: str, service: str, *allowed: str) -> str:
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        arn: str = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        if allowed:
            statement = {"Effect": "Allow", "Action": list(allowed), "Resource": "*"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            self.iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=policy)
        return arn

    def launch(self, count: int = 1, user_data: str | None = None, **changes: Any) -> list[str]:
        """Instances of the ECS image, spread over the subnets; they join `demo` unless something is changed."""
        script = "#!/bin/bash\necho ECS_CLUSTER=demo >> /etc/ecs/ecs.config\n" if user_data is None else user_data
        ids = []
        for number in range(count):
            nic = {
                "DeviceIndex": 0,
                "SubnetId": self.subnets[number % 2],
                "AssociatePublicIpAddress": True,
                "Groups": [self.group_id],
            }
            given: dict[str, Any] = {
                "ImageId": self.image,
                "InstanceType": "t3.small",
                "MinCount": 1,
                "MaxCount": 1,
                "UserData": script,
                "IamInstanceProfile": {"Name": "hosts"},
                "NetworkInterfaces": [nic],
                **changes,
            }
            ids.append(self.ec2.run_instances(**given)["Instances"][0]["InstanceId"])
        return ids

    def hosts(self, count: int, **changes: Any) -> list[dict[str, Any]]:
        """So many more container instances."""
        wanted = len(self.registered()) + count
        self.launch(count, **changes)
        return self.until(lambda: found if len(found := self.registered()) == wanted else None)

    def registered(self, cluster: str = "demo") -> list[dict[str, Any]]:
        arns = self.ecs.list_container_instances(cluster=cluster)["containerInstanceArns"]
        if not arns:
            return []
        described = self.ecs.describe_container_instances(cluster=cluster, containerInstances=arns, include=["TAGS"])
        return list(described["containerInstances"])

    def console(self, instance_id: str) -> str:
        output = self.ec2.get_console_output(InstanceId=instance_id).get("Output") or ""
        return output if "\n" in output else base64.b64decode(output).decode()

    def define(self, family: str = "web", **changes: Any) -> str:
        """A revision of a definition with one container on port 80; `container` changes the container."""
        container = {
            "name": "web",
            "image": "httpd:2.4",
            "memory": 100,
            "portMappings": [{"containerPort": 80}],
            **changes.pop("container", {}),
        }
        made = self.ecs.register_task_definition(family=family, containerDefinitions=[container], **changes)
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def serve(self, name: str = "web", definition: str = "web", count: int = 2, **changes: Any) -> dict[str, Any]:
        given = {"cluster": "demo", "serviceName": name, "taskDefinition": definition, "desiredCount": count, **changes}
        return dict(self.ecs.create_service(**given)["service"])

    def update(self, name: str = "web", **changes: Any) -> dict[str, Any]:
        return dict(self.ecs.update_service(cluster="demo", service=name, **changes)["service"])

    def service(self, name: str = "web", **options: Any) -> dict[str, Any]:
        return dict(self.ecs.describe_services(cluster="demo", services=[name], **options)["services"][0])

    def events(self, name: str = "web") -> list[str]:
        """Oldest first."""
        return [event["message"] for event in reversed(self.service(name)["events"])]

    def tasks(self, name: str = "web", status: str = "RUNNING") -> list[dict[str, Any]]:
        arns = self.ecs.list_tasks(cluster="demo", serviceName=name, desiredStatus=status)["taskArns"]
        return list(self.ecs.describe_tasks(cluster="demo", tasks=arns)["tasks"]) if arns else []

    def steady(self, name: str = "web", running: int | None = None) -> dict[str, Any]:
        """The service, once its only deployment is complete and everything runs."""

        def look() -> dict[str, Any] | None:
            service = self.service(name)
            # of a service behind a classic load balancer the state is not told
            complete = [one.get("rolloutState", "COMPLETED") for one in service["deployments"]] == ["COMPLETED"]
            wanted = service["desiredCount"] if running is None else running
            full = service["runningCount"] == wanted and service["pendingCount"] == 0
            return service if complete and full else None

        return self.until(look)

    def until(self, look: Callable[[], T | None], limit: float = 120.0) -> T:
        """What `look` finds, asked for again and again; user data takes real time."""
        return eventually(look, "it never came", limit, pause=0.01)
