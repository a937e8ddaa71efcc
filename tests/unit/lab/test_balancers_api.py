# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The APIs of classic, application and network load balancers behave as on AWS."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest


class Site:
    """A public VPC with two subnets, and what is needed to balance something in it."""

    def __init__(self, ground: Any) -> None:
        self.lab, self.ec2, self.ground = ground.lab, ground.ec2, ground
        self.elb, self.elbv2 = ground.lab.client("elb"), ground.lab.client("elbv2")
        self.gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=self.gateway, VpcId=ground.vpc)

    def classic(self, name: str = "classic", port: int = 80, **changes: Any) -> str:
        listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": port}
        arguments = {"Listeners": [listener], "Subnets": self.ground.subnets, "SecurityGroups": [self.ground.group]}
        return str(self.elb.create_load_balancer(LoadBalancerName=name, **{**arguments, **changes})["DNSName"])

    def balancer(self, name: str = "alb", **changes: Any) -> dict[str, Any]:
        arguments = {"Subnets": self.ground.subnets, "SecurityGroups": [self.ground.group]}
        return dict(self.elbv2.create_load_balancer(Name=name, **{**arguments, **changes})["LoadBalancers"][0])

    def group(self, name: str = "tg", **changes: Any) -> str:
        arguments = {"Protocol": "HTTP", "Port": 80, "VpcId": self.ground.vpc}
        created = self.elbv2.create_target_group(Name=name, **{**arguments, **changes})
        return str(created["TargetGroups"][0]["TargetGroupArn"])

    def listen(self, balancer: str, group: str, port: int = 80) -> str:
        action = {"Type": "forward", "TargetGroupArn": group}
        arguments = {"LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": port, "DefaultActions": [action]}
        return str(self.elbv2.create_listener(**arguments)["Listeners"][0]["ListenerArn"])

    def instance(self) -> str:
        arguments = {"ImageId": self.ground.image, "InstanceType": "t3.small", "SubnetId": self.ground.subnets[0]}
        made = self.ec2.run_instances(MinCount=1, MaxCount=1, **arguments)["Instances"][0]["InstanceId"]
        self.lab.advance(120, steps=4)
        return str(made)

    def targets(self, group: str) -> list[tuple[str, int]]:
        found = self.elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return sorted((one["Target"]["Id"], one["Target"]["Port"]) for one in found)


@pytest.fixture
def site(ground: Any) -> Site:
    return Site(ground)


def test_classic_created_again_is_the_same_but_not_with_other_listeners(site: Site, refused: Any) -> None:
    first = site.classic()
    assert site.classic() == first
    refused("DuplicateLoadBalancerName", site.classic, port=81)
    assert len(site.elb.describe_load_balancers()["LoadBalancerDescriptions"]) == 1


def test_application_created_again_is_the_same_but_not_with_another_scheme(site: Site, refused: Any) -> None:
    first = site.balancer()
    assert site.balancer()["LoadBalancerArn"] == first["LoadBalancerArn"]
    refused("DuplicateLoadBalancerName", site.balancer, Scheme="internal")
    assert len(site.elbv2.describe_load_balancers()["LoadBalancers"]) == 1


@pytest.mark.parametrize("kind", ["classic", "application"])
def test_balancers_hold_their_network_for_a_while_after_delete(site: Site, refused: Any, kind: str) -> None:
    site.lab.settings(eni_release_seconds=30)
    arn = site.balancer()["LoadBalancerArn"] if kind == "application" else site.classic()
    ec2, ground = site.ec2, site.ground
    refused("DependencyViolation", ec2.delete_security_group, GroupId=ground.group)
    refused("DependencyViolation", ec2.detach_internet_gateway, InternetGatewayId=site.gateway, VpcId=ground.vpc)
    if kind == "application":
        site.elbv2.delete_load_balancer(LoadBalancerArn=arn)
    else:
        site.elb.delete_load_balancer(LoadBalancerName="classic")
    refused("DependencyViolation", ec2.delete_security_group, GroupId=ground.group)
    refused("DependencyViolation", ec2.delete_subnet, SubnetId=ground.subnets[0])
    site.lab.advance(31)
    ec2.delete_security_group(GroupId=ground.group)
    ec2.delete_subnet(SubnetId=ground.subnets[0])
    ec2.detach_internet_gateway(InternetGatewayId=site.gateway, VpcId=ground.vpc)


def test_a_balancer_needs_a_sound_network(site: Site, refused: Any) -> None:
    ec2, subnets = site.ec2, site.ground.subnets
    refused("SubnetNotFound", site.classic, Subnets=["subnet-00000000000000000"])
    refused("InvalidSecurityGroup", site.balancer, SecurityGroups=["sg-00000000000000000"])
    refused("ValidationError", site.balancer, Subnets=subnets[:1])
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    refused("InvalidConfigurationRequest", site.balancer, SecurityGroups=[group])
    refused("InvalidConfigurationRequest", site.classic, SecurityGroups=[group])
    lonely = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    refused("InvalidSubnet", site.classic, Subnets=[lonely], SecurityGroups=[group])
    refused("InvalidSubnet", site.classic, Subnets=[lonely, subnets[0]])


def test_balancers_tell_the_hosted_zone_of_their_dns_name(site: Site) -> None:
    site.classic()
    (found,) = site.elb.describe_load_balancers()["LoadBalancerDescriptions"]
    assert found["CanonicalHostedZoneNameID"].startswith("Z")
    assert site.balancer()["CanonicalHostedZoneId"].startswith("Z")


def test_classic_works_on_what_exists(site: Site, refused: Any) -> None:
    instances = [{"InstanceId": "i-00000000000000000"}]
    register = site.elb.register_instances_with_load_balancer
    refused("LoadBalancerNotFound", register, LoadBalancerName="none", Instances=instances)
    site.classic()
    refused("InvalidInstance", register, LoadBalancerName="classic", Instances=instances)
    site.elb.delete_load_balancer(LoadBalancerName="none")


def test_classic_listeners_are_deleted_one_by_one(site: Site) -> None:
    ports = [{"Protocol": "HTTP", "LoadBalancerPort": port, "InstancePort": 80} for port in (80, 81, 82)]
    site.classic(Listeners=ports)
    site.elb.delete_load_balancer_listeners(LoadBalancerName="classic", LoadBalancerPorts=[80, 81])
    found = site.elb.describe_load_balancers()["LoadBalancerDescriptions"][0]["ListenerDescriptions"]
    assert [one["Listener"]["LoadBalancerPort"] for one in found] == [82]


def test_listener_port_is_unique_and_the_same_create_returns_it(site: Site, refused: Any) -> None:
    balancer, group, other = site.balancer()["LoadBalancerArn"], site.group(), site.group("other")
    assert site.listen(balancer, group) == site.listen(balancer, group)
    refused("DuplicateListener", site.listen, balancer=balancer, group=other)


def test_target_group_created_again_is_the_same(site: Site, refused: Any) -> None:
    assert site.group() == site.group()
    refused("DuplicateTargetGroupName", site.group, Port=81)
    refused("ValidationError", site.group, name="b", VpcId="vpc-00000000000000000")


def test_target_group_serves_one_balancer_of_its_vpc(site: Site, refused: Any) -> None:
    group = site.group()
    first, second = (site.balancer(name)["LoadBalancerArn"] for name in ("one", "two"))
    listener = site.listen(first, group)
    refused("TargetGroupAssociationLimit", site.listen, balancer=second, group=group)
    refused("ResourceInUse", site.elbv2.delete_target_group, TargetGroupArn=group)
    site.elbv2.delete_listener(ListenerArn=listener)
    assert site.elbv2.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]["LoadBalancerArns"] == []
    site.listen(second, group)
    vpc = site.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    refused("InvalidConfigurationRequest", site.listen, balancer=first, group=site.group("far", VpcId=vpc))
    refused("IncompatibleProtocols", site.listen, balancer=first, group=site.group("tcp", Protocol="TCP"))


def test_one_instance_is_many_targets(site: Site) -> None:
    group, instance = site.group(), site.instance()
    targets = [{"Id": instance, "Port": port} for port in (32768, 32769)]
    site.elbv2.register_targets(TargetGroupArn=group, Targets=targets)
    assert site.targets(group) == [(instance, 32768), (instance, 32769)]
    site.elbv2.deregister_targets(TargetGroupArn=group, Targets=targets[:1])
    assert site.targets(group) == [(instance, 32769)]
    site.elbv2.deregister_targets(TargetGroupArn=group, Targets=targets[:1])


def test_target_drains_before_it_goes(site: Site) -> None:
    site.lab.settings(deregistration_seconds=20)
    group, instance = site.group(), site.instance()
    site.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    site.elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    found = site.elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert [one["TargetHealth"]["State"] for one in found] == ["draining"]
    site.lab.advance(21)
    assert site.targets(group) == []


def test_targets_must_exist_and_a_terminated_instance_is_none(site: Site, refused: Any) -> None:
    group, instance = site.group(), site.instance()
    register = site.elbv2.register_targets
    refused("InvalidTarget", register, TargetGroupArn=group, Targets=[{"Id": "i-00000000000000000"}])
    register(TargetGroupArn=group, Targets=[{"Id": instance}])
    site.ec2.terminate_instances(InstanceIds=[instance])
    assert site.targets(group) == []
    refused("InvalidTarget", register, TargetGroupArn=group, Targets=[{"Id": instance}])


def test_network_balancer_needs_no_groups_and_one_subnet(site: Site) -> None:
    arguments = {"Name": "nlb", "Type": "network", "Subnets": site.ground.subnets[:1]}
    balancer = site.elbv2.create_load_balancer(**arguments)["LoadBalancers"][0]
    assert balancer["Type"] == "network"
    group = site.group("tcp", Protocol="TCP")
    action = {"Type": "forward", "TargetGroupArn": group}
    arn = balancer["LoadBalancerArn"]
    site.elbv2.create_listener(LoadBalancerArn=arn, Protocol="TCP", Port=80, DefaultActions=[action])


def test_unknown_balancers_are_not_found_and_protected_ones_stay(site: Site, refused: Any) -> None:
    arn = site.balancer()["LoadBalancerArn"]
    refused("LoadBalancerNotFound", site.elbv2.describe_load_balancers, Names=["alb", "none"])
    attribute = {"Key": "deletion_protection.enabled", "Value": "true"}
    site.elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[attribute])
    refused("OperationNotPermitted", site.elbv2.delete_load_balancer, LoadBalancerArn=arn)


def holders(site: Site, group: str) -> set[str]:
    """The subnets with an interface that is in the group."""
    filters = [{"Name": "group-id", "Values": [group]}]
    found = site.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    return {interface["SubnetId"] for interface in found}


def test_subnets_must_be_in_different_zones_of_one_vpc(site: Site, refused: Any) -> None:
    subnets = [site.ground.subnets[0], same_zone(site)]
    refused("InvalidConfigurationRequest", site.balancer, Subnets=subnets)
    refused("InvalidConfigurationRequest", site.classic, Subnets=subnets)


def test_a_balancer_wants_eight_free_addresses_in_each_subnet(site: Site, refused: Any) -> None:
    made = site.ec2.create_subnet(VpcId=site.ground.vpc, CidrBlock="10.0.9.0/28", AvailabilityZone="us-east-1c")
    small = [site.ground.subnets[0], made["Subnet"]["SubnetId"]]  # of 16 addresses, AWS keeps 5
    for number in range(4):
        site.balancer(f"alb-{number}", Subnets=small)
    answer = refused("InvalidSubnet", site.balancer, name="alb-4", Subnets=small)
    assert "ELB requires at least 8 free IP addresses" in answer["Error"]["Message"]
    refused("InvalidSubnet", site.classic, Subnets=small)


@pytest.mark.parametrize("kind", ["classic", "application"])
def test_interfaces_follow_groups_and_subnets(site: Site, kind: str) -> None:
    group = site.ec2.create_security_group(GroupName="other", Description="d", VpcId=site.ground.vpc)["GroupId"]
    third = site.ec2.create_subnet(VpcId=site.ground.vpc, CidrBlock="10.0.8.0/24", AvailabilityZone="us-east-1c")
    third_id = third["Subnet"]["SubnetId"]
    first, second = site.ground.subnets
    if kind == "classic":
        site.classic()
        site.elb.apply_security_groups_to_load_balancer(LoadBalancerName="classic", SecurityGroups=[group])
        assert (holders(site, site.ground.group), holders(site, group)) == (set(), {first, second})
        site.elb.attach_load_balancer_to_subnets(LoadBalancerName="classic", Subnets=[third_id])
        site.elb.detach_load_balancer_from_subnets(LoadBalancerName="classic", Subnets=[second])
    else:
        arn = site.balancer()["LoadBalancerArn"]
        site.elbv2.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[group])
        assert (holders(site, site.ground.group), holders(site, group)) == (set(), {first, second})
        site.elbv2.set_subnets(LoadBalancerArn=arn, Subnets=[first, third_id])
    assert holders(site, group) == {first, third_id}


def same_zone(site: Site) -> str:
    """A subnet beside the first one."""
    made = site.ec2.create_subnet(VpcId=site.ground.vpc, CidrBlock="10.0.7.0/24", AvailabilityZone="us-east-1a")
    return str(made["Subnet"]["SubnetId"])


def test_a_classic_balancer_moves_within_a_zone_by_way_of_another(site: Site, refused: Any) -> None:
    site.classic()
    other, (first, second) = same_zone(site), site.ground.subnets
    attach = partial(site.elb.attach_load_balancer_to_subnets, LoadBalancerName="classic")
    detach = partial(site.elb.detach_load_balancer_from_subnets, LoadBalancerName="classic")
    answer = refused("InvalidConfigurationRequest", attach, Subnets=[other])
    assert answer["Error"]["Message"] == "ELB cannot be attached to multiple subnets in the same AZ."
    refused("SubnetNotFound", attach, Subnets=["subnet-00000000000000000"])
    refused("InvalidConfigurationRequest", detach, Subnets=[first, second])
    site.lab.settings(consistency_seconds=20)
    detach(Subnets=[first])
    refused("InvalidConfigurationRequest", attach, Subnets=[other])
    site.lab.advance(21)
    assert {*attach(Subnets=[other])["Subnets"]} == {other, second}
    assert holders(site, site.ground.group) == {other, second}


def test_other_balancers_are_set_to_subnets_that_they_could_have_been_made_in(site: Site, refused: Any) -> None:
    other, (first, second) = same_zone(site), site.ground.subnets
    move = partial(site.elbv2.set_subnets, LoadBalancerArn=site.balancer()["LoadBalancerArn"])
    refused("SubnetNotFound", move, Subnets=[first, "subnet-00000000000000000"])
    refused("InvalidConfigurationRequest", move, Subnets=[first, other])
    refused("ValidationError", move, Subnets=[first])
    move(Subnets=[other, second])
    assert holders(site, site.ground.group) == {other, second}


def test_a_network_balancer_leaves_a_zone_before_it_takes_another_subnet_of_it(site: Site, refused: Any) -> None:
    other, second = same_zone(site), site.ground.subnets[1]
    move = partial(site.elbv2.set_subnets, LoadBalancerArn=site.balancer("nlb", Type="network")["LoadBalancerArn"])
    answer = refused("InvalidConfigurationRequest", move, Subnets=[other, second])
    assert "already associated with the load balancer" in answer["Error"]["Message"]
    move(Subnets=[second])
    move(Subnets=[other, second])
    assert holders(site, site.ground.group) == {other, second}


def test_target_of_another_vpc_is_refused(site: Site, refused: Any) -> None:
    vpc = site.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    targets = [{"Id": site.instance()}]
    register = site.elbv2.register_targets
    refused("InvalidTarget", register, TargetGroupArn=site.group("far", VpcId=vpc), Targets=targets)


def test_a_terminated_instance_leaves_its_classic_balancer(site: Site) -> None:
    site.classic()
    instance = site.instance()
    instances = [{"InstanceId": instance}]
    site.elb.register_instances_with_load_balancer(LoadBalancerName="classic", Instances=instances)
    site.ec2.terminate_instances(InstanceIds=[instance])
    assert site.elb.describe_load_balancers()["LoadBalancerDescriptions"][0]["Instances"] == []


def test_members_of_a_group_join_and_leave_its_balancers(site: Site) -> None:
    site.classic()
    target_group, ground = site.group(), site.ground
    ground.create(DesiredCapacity=2, LoadBalancerNames=["classic"], TargetGroupARNs=[target_group])
    ground.wait_in_service(2)
    ids = sorted(member["InstanceId"] for member in ground.members())
    assert [target for target, _unused in site.targets(target_group)] == ids
    found = site.elb.describe_load_balancers()["LoadBalancerDescriptions"][0]["Instances"]
    assert sorted(one["InstanceId"] for one in found) == ids
    ground.asg.suspend_processes(AutoScalingGroupName="a", ScalingProcesses=["AddToLoadBalancer"])
    ground.asg.set_desired_capacity(AutoScalingGroupName="a", DesiredCapacity=3)
    ground.wait_in_service(3)
    assert len(site.targets(target_group)) == 2
    ground.asg.set_desired_capacity(AutoScalingGroupName="a", DesiredCapacity=0)
    ground.wait_in_service(0)
    assert site.targets(target_group) == []
