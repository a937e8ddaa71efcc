# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own count sees everything, and nothing that it made itself."""

from __future__ import annotations

from typing import Any

TAGS = [{"Key": "owner", "Value": "me"}]


def count(lab: Any) -> dict[str, int]:
    return dict(lab.control("GET", "/inventory")["by_kind"])


def test_an_untouched_account_is_empty(lab: Any) -> None:
    for service, call in (("ec2", "describe_vpcs"), ("iam", "list_roles"), ("ssm", "describe_parameters")):
        getattr(lab.client(service), call)()
    assert count(lab) == {}


def test_everything_is_counted_with_its_name_and_tags(ground: Any) -> None:
    lab, ec2 = ground.lab, ground.ec2
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=ground.vpc)
    ec2.create_route_table(VpcId=ground.vpc)
    ec2.create_key_pair(KeyName="k")
    ec2.create_volume(Size=1, AvailabilityZone="us-east-1a")
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}
    group = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [ground.vpc]}])["SecurityGroups"]
    named = next(one for one in group if one["GroupName"] != "default")["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=named, IpPermissions=[rule])
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.create_nat_gateway(SubnetId=ground.subnets[0], AllocationId=address)
    ground.create(DesiredCapacity=1, Tags=[{**TAGS[0], "PropagateAtLaunch": False}])
    listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}
    lab.client("elb").create_load_balancer(LoadBalancerName="c", Listeners=[listener], Subnets=ground.subnets)
    balancer = lab.client("elbv2").create_load_balancer(Name="a", Subnets=ground.subnets, Tags=TAGS)
    lab.client("elbv2").create_target_group(Name="t", Protocol="HTTP", Port=80, VpcId=ground.vpc)
    lab.client("logs").create_log_group(logGroupName="/app")
    lab.client("ssm").put_parameter(Name="/mine", Value="v", Type="String")
    zone = lab.client("route53").create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    record = {"Name": "www.example.com", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    lab.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    found = count(lab)
    interfaces = found.pop("network-interface")
    assert interfaces == 1 + 1 + 2 + 2, "an instance, the NAT gateway, two balancers in two subnets"
    assert found == {
        "auto-scaling-group": 1,
        "classic-load-balancer": 1,
        "elastic-ip": 1,
        "hosted-zone": 1,
        "iam-instance-profile": 1,
        "iam-role": 1,
        "instance": 1,
        "internet-gateway": 1,
        "key-pair": 1,
        "launch-template": 1,
        "load-balancer": 1,
        "log-group": 1,
        "nat-gateway": 1,
        "record-set": 1,
        "route-table": 1,
        "security-group": 1,
        "security-group-rule": 1,
        "ssm-parameter": 1,
        "subnet": 2,
        "target-group": 1,
        "volume": 2,
        "vpc": 1,
    }
    items = lab.control("GET", "/inventory")["items"]
    by_kind = {item["kind"]: item for item in items}
    assert by_kind["auto-scaling-group"]["tags"] == {"owner": "me"}
    assert by_kind["load-balancer"]["tags"] == {"owner": "me"}
    assert by_kind["load-balancer"]["id"] == balancer["LoadBalancers"][0]["LoadBalancerArn"]
    assert by_kind["iam-role"]["name"] == "r"


def test_other_regions_count_too(lab: Any) -> None:
    lab.client("ec2", region="eu-central-1").create_vpc(CidrBlock="10.0.0.0/16")
    assert count(lab) == {"vpc": 1}


def test_what_was_deleted_is_not_counted(ground: Any) -> None:
    ground.create(DesiredCapacity=1)
    ground.asg.delete_auto_scaling_group(AutoScalingGroupName="a", ForceDelete=True)
    assert {"instance", "volume", "network-interface", "auto-scaling-group"}.isdisjoint(count(ground.lab))


def test_the_rest_is_counted_too(lab: Any) -> None:
    document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    lab.client("iam").create_policy(PolicyName="p", PolicyDocument=document)
    lab.client("iam").create_user(UserName="u")
    lab.client("iam").create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
    lab.client("s3").create_bucket(Bucket="b-1")
    lab.client("secretsmanager").create_secret(Name="s", SecretString="lab-not-a-secret-000002")
    role = "arn:aws:iam::123456789012:role/r"
    lab.client("eks").create_cluster(name="k", roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-1"]})
    lab.client("autoscaling").create_launch_configuration(
        LaunchConfigurationName="old", ImageId="ami-1", InstanceType="t3.small"
    )
    alarm = {"Namespace": "n", "MetricName": "m", "Period": 60, "EvaluationPeriods": 1, "Statistic": "Average"}
    lab.client("cloudwatch").put_metric_alarm(
        AlarmName="x", Threshold=1, ComparisonOperator="GreaterThanThreshold", **alarm
    )
    kinds = ("cloudwatch-alarm", "eks-cluster", "iam-policy", "iam-user", "launch-configuration", "s3-bucket", "secret")
    assert count(lab) == dict.fromkeys(kinds, 1)
