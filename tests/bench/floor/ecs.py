# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The floor of the ECS job: plain boto3, one process, the fewest calls that make, check or remove the same things.

It looks first and makes what is missing, so a second run writes nothing. Unlike a tool that others rely on, it never
compares, never finds a half-made thing by its mark, and does not recover from anything.

usage: ecs.py up|down NAME
"""

from __future__ import annotations

import base64
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import ClientError

POLICY = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
AMI = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
ZONES = ("us-east-1a", "us-east-1b")
COUNT = 3
POLL_SECONDS = 0.5

session = boto3.session.Session()
iam, ec2, ecs, ssm, elb, autoscaling = (
    session.client(name) for name in ("iam", "ec2", "ecs", "ssm", "elb", "autoscaling")
)


def up(name: str) -> None:
    if not role_is_there(name):
        make_role(name)
    network = find_network(name) or make_network(name)
    if not found(ec2.describe_launch_template_versions, LaunchTemplateName=name, Versions=["$Latest"]):
        make_launch_template(name, network["instance_group"])
    if not found(elb.describe_load_balancers, LoadBalancerNames=[name]):
        make_balancer(name, network)
    cluster_is_there = any(one["status"] == "ACTIVE" for one in ecs.describe_clusters(clusters=[name])["clusters"])
    if not cluster_is_there:
        ecs.create_cluster(clusterName=name)
    if not autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]:
        make_instances(name, network["subnets"])
    if not found(ecs.describe_task_definition, taskDefinition=f"{name}-web"):
        register_task_definition(name)
    wait(lambda: connected_instances(name) == COUNT)
    service = find_service(name) if cluster_is_there else {}
    if not service:
        service = make_service(name)
    if not is_ready(service):
        wait(lambda: is_ready(find_service(name)))


def role_is_there(name: str) -> bool:
    profile = found(iam.get_instance_profile, InstanceProfileName=f"{name}-instance")
    if not profile or not profile["InstanceProfile"]["Roles"]:
        return False
    return bool(iam.list_attached_role_policies(RoleName=f"{name}-instance")["AttachedPolicies"])


def make_role(name: str) -> None:
    role = f"{name}-instance"
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
    iam.attach_role_policy(RoleName=role, PolicyArn=POLICY)
    iam.create_instance_profile(InstanceProfileName=role)
    iam.add_role_to_instance_profile(InstanceProfileName=role, RoleName=role)


def find_network(name: str) -> dict[str, Any]:
    """The ids of the network's parts; nothing if there is no such network."""
    named = [{"Name": "tag:Name", "Values": [name]}]
    vpcs = ec2.describe_vpcs(Filters=named)["Vpcs"]
    if not vpcs:
        return {}
    inside = [{"Name": "vpc-id", "Values": [vpcs[0]["VpcId"]]}]
    attached = [{"Name": "attachment.vpc-id", "Values": [vpcs[0]["VpcId"]]}]
    gateways = ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]
    tables = ec2.describe_route_tables(Filters=[*inside, *named])["RouteTables"]
    subnets = ec2.describe_subnets(Filters=inside)["Subnets"]
    groups = {group["GroupName"]: group for group in ec2.describe_security_groups(Filters=inside)["SecurityGroups"]}
    return {
        "vpc": vpcs[0]["VpcId"],
        "gateway": gateways[0]["InternetGatewayId"],
        "table": tables[0]["RouteTableId"],
        "subnets": [subnet["SubnetId"] for subnet in subnets],
        "balancer_group": groups[f"{name}-balancer"]["GroupId"],
        "instance_group": groups[f"{name}-instance"]["GroupId"],
    }


def make_network(name: str) -> dict[str, Any]:
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16", TagSpecifications=tags("vpc", name))["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway(TagSpecifications=tags("internet-gateway", name))
    gateway_id = gateway["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway_id)
    table = ec2.create_route_table(VpcId=vpc, TagSpecifications=tags("route-table", name))["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway_id)
    subnets = []
    for number, zone in enumerate(ZONES):
        cidr = f"10.20.{number}.0/24"
        subnet = ec2.create_subnet(
            VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone, TagSpecifications=tags("subnet", name)
        )["Subnet"]["SubnetId"]
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        subnets.append(subnet)
    balancer_group = make_group(vpc, f"{name}-balancer", {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]})
    instance_group = make_group(vpc, f"{name}-instance", {"UserIdGroupPairs": [{"GroupId": balancer_group}]})
    return {
        "vpc": vpc,
        "gateway": gateway_id,
        "table": table,
        "subnets": subnets,
        "balancer_group": balancer_group,
        "instance_group": instance_group,
    }


def make_group(vpc: str, name: str, source: dict[str, Any]) -> str:
    group: str = ec2.create_security_group(VpcId=vpc, GroupName=name, Description=name)["GroupId"]
    permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, **source}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    return group


def make_launch_template(name: str, group: str) -> None:
    script = f"#!/bin/bash\necho ECS_CLUSTER={name} >> /etc/ecs/ecs.config\n"
    ec2.create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={
            "ImageId": ssm.get_parameter(Name=AMI)["Parameter"]["Value"],
            "InstanceType": "t3.small",
            "IamInstanceProfile": {"Name": f"{name}-instance"},
            "MetadataOptions": {"HttpTokens": "required"},
            # a public address asked for here saves the change of each subnet
            "NetworkInterfaces": [{"DeviceIndex": 0, "AssociatePublicIpAddress": True, "Groups": [group]}],
            "UserData": base64.b64encode(script.encode()).decode(),
        },
    )


def make_balancer(name: str, network: dict[str, Any]) -> None:
    elb.create_load_balancer(
        LoadBalancerName=name,
        Subnets=network["subnets"],
        SecurityGroups=[network["balancer_group"]],
        Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}],
    )
    check = {"Target": "HTTP:80/", "Interval": 30, "Timeout": 5, "UnhealthyThreshold": 2, "HealthyThreshold": 2}
    elb.configure_health_check(LoadBalancerName=name, HealthCheck=check)


def make_instances(name: str, subnets: list[str]) -> None:
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={"LaunchTemplateName": name, "Version": "$Latest"},
        MinSize=COUNT,
        MaxSize=COUNT,
        VPCZoneIdentifier=",".join(subnets),
    )


def register_task_definition(name: str) -> None:
    container = {
        "name": "web",
        "image": "russmckendrick/cluster",
        "memory": 32,
        "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}],
    }
    ecs.register_task_definition(family=f"{name}-web", containerDefinitions=[container])


def make_service(name: str) -> dict[str, Any]:
    service: dict[str, Any] = ecs.create_service(
        cluster=name,
        serviceName="web",
        taskDefinition=f"{name}-web",
        desiredCount=COUNT,
        deploymentConfiguration={"minimumHealthyPercent": 50, "maximumPercent": 200},
        loadBalancers=[{"loadBalancerName": name, "containerName": "web", "containerPort": 80}],
    )["service"]
    return service


def connected_instances(name: str) -> int:
    """How many instances are in the cluster, with an agent that answers."""
    arns = ecs.list_container_instances(cluster=name, filter="agentConnected == true", status="ACTIVE")
    return len(arns["containerInstanceArns"])


def find_service(name: str) -> dict[str, Any]:
    """The service as it is now; nothing if there is none."""
    services: list[dict[str, Any]] = ecs.describe_services(cluster=name, services=["web"])["services"]
    return next((service for service in services if service["status"] == "ACTIVE"), {})


def is_ready(service: dict[str, Any]) -> bool:
    deployments = service.get("deployments", [])
    rolled_out = len(deployments) == 1 and not deployments[0]["pendingCount"]  # a classic balancer: no rolloutState
    return rolled_out and service["runningCount"] == COUNT


def down(name: str) -> None:
    found(ecs.delete_service, cluster=name, service="web", force=True)
    found(autoscaling.delete_auto_scaling_group, AutoScalingGroupName=name, ForceDelete=True)
    found(elb.delete_load_balancer, LoadBalancerName=name)
    found(ec2.delete_launch_template, LaunchTemplateName=name)
    definition = found(ecs.describe_task_definition, taskDefinition=f"{name}-web")
    if definition:
        ecs.deregister_task_definition(taskDefinition=definition["taskDefinition"]["taskDefinitionArn"])
    network = find_network(name)
    wait(lambda: instances_are_gone(name))
    wait(lambda: done(ecs.delete_cluster, cluster=name))
    if network:
        wait(lambda: done(ec2.delete_security_group, GroupId=network["instance_group"]))
        wait(lambda: done(ec2.delete_security_group, GroupId=network["balancer_group"]))
        for subnet in network["subnets"]:
            wait(partial(done, ec2.delete_subnet, SubnetId=subnet))
        ec2.delete_route_table(RouteTableId=network["table"])
        ec2.detach_internet_gateway(VpcId=network["vpc"], InternetGatewayId=network["gateway"])
        ec2.delete_internet_gateway(InternetGatewayId=network["gateway"])
        ec2.delete_vpc(VpcId=network["vpc"])
    role = f"{name}-instance"
    found(iam.remove_role_from_instance_profile, InstanceProfileName=role, RoleName=role)
    found(iam.delete_instance_profile, InstanceProfileName=role)
    found(iam.detach_role_policy, RoleName=role, PolicyArn=POLICY)
    found(iam.delete_role, RoleName=role)


def instances_are_gone(name: str) -> bool:
    return not autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]


def tags(kind: str, name: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]


def found(call: Callable[..., Any], **request: Any) -> Any:
    """The answer, or nothing if what the call names is not there."""
    try:
        return call(**request)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if "NotFound" in code or "NotActive" in code or code in ("NoSuchEntity", "ClientException", "ValidationError"):
            return None
        raise


def done(call: Callable[..., Any], **request: Any) -> bool:
    """Whether the thing could be deleted, or is gone; not while something uses it."""
    try:
        found(call, **request)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("DependencyViolation", "InvalidGroup.InUse") or "Contains" in str(error):
            return False
        raise
    return True


def wait(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not ready():
        if time.monotonic() > deadline:
            sys.exit("not ready after 300 seconds")
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    {"up": up, "down": down}[sys.argv[1]](sys.argv[2])
