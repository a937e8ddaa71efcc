# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2's network refuses what AWS refuses."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

AMI_PARAMETER = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"


class Network:
    """A VPC with a public subnet."""

    def __init__(self, ec2: Any) -> None:
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnet = ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        self.gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=self.gateway, VpcId=self.vpc)
        self.group = ec2.create_security_group(GroupName="g", Description="d", VpcId=self.vpc)["GroupId"]
        nic = {"DeviceIndex": 0, "SubnetId": self.subnet, "Groups": [self.group], "AssociatePublicIpAddress": True}
        self.nics = [nic]


@pytest.fixture
def ec2(lab: Any) -> Any:
    return lab.client("ec2")


@pytest.fixture
def image(lab: Any) -> str:
    return str(lab.client("ssm").get_parameter(Name=AMI_PARAMETER)["Parameter"]["Value"])


@pytest.fixture
def network(ec2: Any) -> Network:
    return Network(ec2)


@pytest.fixture
def instance(ec2: Any, network: Network, image: str) -> Any:
    arguments = {"ImageId": image, "InstanceType": "t3.small", "MinCount": 1, "MaxCount": 1}
    run = ec2.run_instances(NetworkInterfaces=network.nics, **arguments)
    return ec2.describe_instances(InstanceIds=[run["Instances"][0]["InstanceId"]])["Reservations"][0]["Instances"][0]


def test_dry_run_makes_nothing(ec2: Any, refused: Any) -> None:
    before = len(ec2.describe_vpcs()["Vpcs"])
    answer = refused("DryRunOperation", ec2.create_vpc, CidrBlock="10.9.0.0/16", DryRun=True)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert len(ec2.describe_vpcs()["Vpcs"]) == before


def test_public_addresses_stay_on_this_machine(instance: Any) -> None:
    networks = [ipaddress.ip_network("127.0.0.0/8")]
    assert any(ipaddress.ip_address(instance["PublicIpAddress"]) in network for network in networks)


def test_a_private_address_is_given_once(ec2: Any, instance: Any, network: Network, refused: Any) -> None:
    request = {"ImageId": instance["ImageId"], "InstanceType": "t3.small", "MinCount": 1, "MaxCount": 1}
    request |= {"SubnetId": network.subnet, "PrivateIpAddress": instance["PrivateIpAddress"]}
    refused("InvalidIPAddress.InUse", ec2.run_instances, **request)
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    again = ec2.run_instances(**request)["Instances"][0]
    assert again["PrivateIpAddress"] == instance["PrivateIpAddress"]


def test_instance_shows_the_groups_of_its_interface(instance: Any, network: Network) -> None:
    assert [group["GroupId"] for group in instance["SecurityGroups"]] == [network.group]


def test_deletes_in_the_wrong_order_are_refused_and_in_the_right_order_not(
    ec2: Any, network: Network, instance: Any, refused: Any
) -> None:
    refused("DependencyViolation", ec2.delete_security_group, GroupId=network.group)
    refused("DependencyViolation", ec2.delete_subnet, SubnetId=network.subnet)
    refused("DependencyViolation", ec2.detach_internet_gateway, InternetGatewayId=network.gateway, VpcId=network.vpc)
    refused("DependencyViolation", ec2.delete_internet_gateway, InternetGatewayId=network.gateway)
    refused("DependencyViolation", ec2.delete_vpc, VpcId=network.vpc)
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    interfaces = ec2.describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": [network.vpc]}])
    assert interfaces["NetworkInterfaces"] == []
    ec2.detach_internet_gateway(InternetGatewayId=network.gateway, VpcId=network.vpc)
    refused("DependencyViolation", ec2.delete_vpc, VpcId=network.vpc)
    ec2.delete_internet_gateway(InternetGatewayId=network.gateway)
    ec2.delete_subnet(SubnetId=network.subnet)
    refused("DependencyViolation", ec2.delete_vpc, VpcId=network.vpc)
    ec2.delete_security_group(GroupId=network.group)
    ec2.delete_vpc(VpcId=network.vpc)
    refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=[network.vpc])


def test_a_group_that_another_one_names_stays(ec2: Any, network: Network, refused: Any) -> None:
    other = ec2.create_security_group(GroupName="o", Description="d", VpcId=network.vpc)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": network.group}]}
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[rule])
    refused("DependencyViolation", ec2.delete_security_group, GroupId=network.group)
    ec2.revoke_security_group_ingress(GroupId=other, IpPermissions=[rule])
    ec2.delete_security_group(GroupId=network.group)


def test_the_default_group_stays(ec2: Any, network: Network, refused: Any) -> None:
    filters = [{"Name": "vpc-id", "Values": [network.vpc]}, {"Name": "group-name", "Values": ["default"]}]
    default = ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]
    refused("CannotDelete", ec2.delete_security_group, GroupId=default)


def test_security_group_rules(ec2: Any, network: Network, refused: Any) -> None:
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}
    missing = {"IpProtocol": "tcp", "FromPort": 81, "ToPort": 81, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}
    ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=[rule])
    for function, code, rules in (
        (ec2.authorize_security_group_ingress, "InvalidPermission.Duplicate", [rule]),
        (ec2.revoke_security_group_ingress, "InvalidPermission.NotFound", [missing]),
    ):
        refused(code, function, GroupId=network.group, IpPermissions=rules)
    unknown = {**rule, "UserIdGroupPairs": [{"GroupId": "sg-00000000000000000"}], "IpRanges": []}
    refused(
        "InvalidGroup.NotFound", ec2.authorize_security_group_ingress, GroupId=network.group, IpPermissions=[unknown]
    )


def test_a_description_makes_no_other_rule(ec2: Any, network: Network, refused: Any) -> None:
    def rule(**described: str) -> dict[str, Any]:
        source = {"GroupId": network.group, **described}
        return {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [source]}

    ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=[rule(Description="mine")])
    for described in ({}, {"Description": "yours"}):
        refused(
            "InvalidPermission.Duplicate",
            ec2.authorize_security_group_ingress,
            GroupId=network.group,
            IpPermissions=[rule(**described)],
        )
    found = ec2.describe_security_groups(GroupIds=[network.group])["SecurityGroups"][0]["IpPermissions"]
    assert [pair["Description"] for one in found for pair in one["UserIdGroupPairs"]] == ["mine"]
    ec2.revoke_security_group_ingress(GroupId=network.group, IpPermissions=[rule()])
    assert not ec2.describe_security_groups(GroupIds=[network.group])["SecurityGroups"][0]["IpPermissions"]


def test_subnet_leaves_its_route_table(ec2: Any, network: Network, refused: Any) -> None:
    tables = [ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"] for _unused in range(2)]
    ec2.associate_route_table(RouteTableId=tables[0], SubnetId=network.subnet)
    refused("Resource.AlreadyAssociated", ec2.associate_route_table, RouteTableId=tables[1], SubnetId=network.subnet)
    refused("DependencyViolation", ec2.delete_route_table, RouteTableId=tables[0])
    ec2.delete_subnet(SubnetId=network.subnet)
    ec2.delete_route_table(RouteTableId=tables[0])


def test_address_in_use_stays(ec2: Any, instance: Any, refused: Any) -> None:
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.associate_address(AllocationId=address, InstanceId=instance["InstanceId"])
    refused("InvalidIPAddress.InUse", ec2.release_address, AllocationId=address)
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    ec2.release_address(AllocationId=address)


def test_nat_gateway_holds_address_and_subnet_until_deleted(ec2: Any, network: Network, refused: Any) -> None:
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=network.subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
    refused("InvalidIPAddress.InUse", ec2.release_address, AllocationId=address)
    refused("DependencyViolation", ec2.delete_subnet, SubnetId=network.subnet)
    ec2.delete_nat_gateway(NatGatewayId=nat)
    ec2.release_address(AllocationId=address)
    ec2.delete_subnet(SubnetId=network.subnet)
    refused("NatGatewayNotFound", ec2.delete_nat_gateway, NatGatewayId="nat-00000000000000000")


def test_interface_in_use_stays(ec2: Any, instance: Any, refused: Any) -> None:
    interface = instance["NetworkInterfaces"][0]["NetworkInterfaceId"]
    refused("InvalidParameterValue", ec2.delete_network_interface, NetworkInterfaceId=interface)


def test_a_vpc_has_one_internet_gateway(ec2: Any, network: Network, refused: Any) -> None:
    other = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    refused("InvalidParameterValue", ec2.attach_internet_gateway, InternetGatewayId=other, VpcId=network.vpc)


def test_tag_filters(ec2: Any, network: Network) -> None:
    ec2.create_tags(Resources=[network.vpc, network.subnet], Tags=[{"Key": "owner", "Value": "me"}])
    for filters in ([{"Name": "tag:owner", "Values": ["me"]}], [{"Name": "tag-key", "Values": ["own*"]}]):
        assert [vpc["VpcId"] for vpc in ec2.describe_vpcs(Filters=filters)["Vpcs"]] == [network.vpc]
    tags = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [network.subnet]}])["Tags"]
    assert [(tag["Key"], tag["Value"], tag["ResourceType"]) for tag in tags] == [("owner", "me", "subnet")]


def test_interface_takes_groups_of_its_vpc_only(ec2: Any, network: Network, refused: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    foreign = ec2.create_security_group(GroupName="f", Description="d", VpcId=vpc)["GroupId"]
    for group in (foreign, "sg-00000000000000000"):
        refused("InvalidGroup.NotFound", ec2.create_network_interface, SubnetId=network.subnet, Groups=[group])


def test_tags_go_with_their_resource(ec2: Any, network: Network) -> None:
    ec2.create_tags(Resources=[network.vpc, network.subnet], Tags=[{"Key": "owner", "Value": "me"}])
    ec2.delete_subnet(SubnetId=network.subnet)
    found = ec2.describe_tags(Filters=[{"Name": "key", "Values": ["owner"]}])["Tags"]
    assert [tag["ResourceId"] for tag in found] == [network.vpc]
