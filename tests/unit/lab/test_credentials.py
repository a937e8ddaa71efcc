# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every family of services refuses bad credentials in its own words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from lab.credentials import allowed

CALLS: dict[str, Callable[[Any], Any]] = {
    "ec2": lambda client: client.describe_vpcs(),
    "ecs": lambda client: client.list_clusters(),
    "iam": lambda client: client.list_roles(),
    "sts": lambda client: client.get_caller_identity(),
    "elbv2": lambda client: client.describe_load_balancers(),
    "route53": lambda client: client.list_hosted_zones(),
    "eks": lambda client: client.list_clusters(),
    "s3": lambda client: client.list_buckets(),
}
JSON = ("ecs", "eks")
UNKNOWN_KEY = {"aws_access_key_id": "LABNOTASECRET9999999"}
WRONG_SECRET = {"aws_secret_access_key": "lab-not-a-secret-999999"}


def expected(service: str, ec2: str, s3: str, of_json: str, query: str) -> str:
    return {"ec2": ec2, "s3": s3}.get(service, of_json if service in JSON else query)


@pytest.mark.parametrize("service", CALLS)
def test_each_service_accepts_the_lab_key(lab: Any, service: str) -> None:
    assert CALLS[service](lab.client(service))["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize("service", CALLS)
def test_unknown_key(lab: Any, refused: Any, service: str) -> None:
    client = lab.client(service, **UNKNOWN_KEY)
    code = expected(service, "AuthFailure", "InvalidAccessKeyId", "UnrecognizedClientException", "InvalidClientTokenId")
    answer = refused(code, CALLS[service], client=client)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == {"ec2": 401}.get(service, 400 if service in JSON else 403)


@pytest.mark.parametrize("service", CALLS)
def test_expired_token(lab: Any, refused: Any, service: str) -> None:
    client = lab.client(service, aws_session_token="lab-not-a-secret-expired")
    code = expected(service, "RequestExpired", "ExpiredToken", "ExpiredTokenException", "ExpiredToken")
    refused(code, CALLS[service], client=client)


@pytest.mark.parametrize("service", CALLS)
def test_wrong_secret(lab: Any, refused: Any, service: str) -> None:
    client = lab.client(service, **WRONG_SECRET)
    code = expected(
        service, "AuthFailure", "SignatureDoesNotMatch", "InvalidSignatureException", "SignatureDoesNotMatch"
    )
    refused(code, CALLS[service], client=client)


@pytest.mark.parametrize("service", ["ec2", "ecs", "iam"])
def test_no_credentials(lab: Any, refused: Any, service: str) -> None:
    config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
    client = boto3.client(service, region_name="us-east-1", endpoint_url=lab.url, config=config)
    query = "MissingAuthenticationToken"
    refused(
        expected(service, "MissingParameter", "AccessDenied", f"{query}Exception", query), CALLS[service], client=client
    )


def test_region_that_is_none(lab: Any, refused: Any) -> None:
    refused("AuthFailure", CALLS["ec2"], client=lab.client("ec2", region="mars-north-1"))


def test_foreign_session_token_with_the_lab_key(lab: Any, refused: Any) -> None:
    client = lab.client("sts", aws_session_token="lab-not-a-secret-token")
    refused("InvalidClientTokenId", client.get_caller_identity)


def test_users_may_do_what_their_policies_allow(lab: Any, refused: Any) -> None:
    iam = lab.client("iam")
    iam.create_user(UserName="u")
    statement = {"Effect": "Allow", "Action": ["ecs:List*", "ec2:DescribeVpcs"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=policy)
    key = iam.create_access_key(UserName="u")["AccessKey"]
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    assert lab.client("ecs", **keys).list_clusters()["clusterArns"] == []
    refused("AccessDeniedException", lab.client("ecs", **keys).create_cluster, clusterName="c")
    lab.client("ec2", **keys).describe_vpcs()
    refused("UnauthorizedOperation", lab.client("ec2", **keys).create_vpc, CidrBlock="10.0.0.0/16")
    refused("AccessDenied", lab.client("iam", **keys).list_roles)
    lab.client("sts", **keys).get_caller_identity()


OWN = {"Key": "owner", "Value": "me"}
TAGGED = {"StringEquals": {"aws:ResourceTag/owner": "me"}}
ASKED = {"StringEquals": {"aws:RequestTag/owner": "me"}}


def limited(lab: Any, *statements: dict[str, Any]) -> dict[str, str]:
    """The keys of a user who may do what the statements allow."""
    iam = lab.client("iam")
    iam.create_user(UserName="limited")
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]})
    iam.put_user_policy(UserName="limited", PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName="limited")["AccessKey"]
    return {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}


def test_volumes_are_judged_by_their_tags(lab: Any, refused: Any) -> None:
    volumes, instances = "arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:*:*:instance/*"
    keys = limited(
        lab,
        {"Action": "ec2:CreateVolume", "Resource": volumes, "Condition": ASKED},
        {"Action": ["ec2:AttachVolume", "ec2:DeleteVolume"], "Resource": volumes, "Condition": TAGGED},
        {
            "Action": "ec2:AttachVolume",
            "Resource": instances,
            "Condition": {"StringEquals": {"aws:ResourceTag/a": "b"}},
        },
        {"Action": "ec2:CreateTags", "Resource": volumes, "Condition": TAGGED},
    )
    ec2, boss = lab.client("ec2", **keys), lab.client("ec2")
    place = {"AvailabilityZone": "us-east-1a", "Size": 1}
    tags = [{"ResourceType": "volume", "Tags": [OWN]}]
    refused("UnauthorizedOperation", ec2.create_volume, **place)
    own = ec2.create_volume(**place, TagSpecifications=tags)["VolumeId"]
    other = boss.create_volume(**place)["VolumeId"]
    run = {"ImageId": boss.describe_images(Owners=["amazon"])["Images"][0]["ImageId"], "MinCount": 1, "MaxCount": 1}
    instance = boss.run_instances(**run)["Instances"][0]["InstanceId"]
    to = {"InstanceId": instance, "Device": "/dev/sdf"}
    refused("UnauthorizedOperation", ec2.attach_volume, VolumeId=own, **to)  # the instance is somebody else's
    boss.create_tags(Resources=[instance], Tags=[{"Key": "a", "Value": "b"}])
    refused("UnauthorizedOperation", ec2.attach_volume, VolumeId=other, **to)
    refused("UnauthorizedOperation", ec2.create_tags, Resources=[other], Tags=[OWN])
    refused("UnauthorizedOperation", ec2.delete_volume, VolumeId=other)
    ec2.create_tags(Resources=[own], Tags=[{"Key": "more", "Value": "yes"}])
    ec2.delete_volume(VolumeId=own)


def test_load_balancers_are_judged_by_their_tags(ground: Any, refused: Any) -> None:
    lab = ground.lab
    gateway = ground.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ground.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=ground.vpc)
    keys = limited(
        lab,
        {"Action": ["elasticloadbalancing:CreateLoadBalancer"], "Resource": "*", "Condition": ASKED},
        {
            "Action": ["elasticloadbalancing:CreateListener", "elasticloadbalancing:AddTags"],
            "Resource": "arn:aws:elasticloadbalancing:*:*:loadbalancer/*",
            "Condition": TAGGED,
        },
        {"Action": "elasticloadbalancing:CreateLoadBalancerListeners", "Resource": "*", "Condition": TAGGED},
    )
    elb, elbv2, boss = lab.client("elb", **keys), lab.client("elbv2", **keys), lab.client("elbv2")
    made = {"Type": "network", "Subnets": ground.subnets}
    refused("AccessDenied", elbv2.create_load_balancer, Name="n", **made)
    own = elbv2.create_load_balancer(Name="own", Tags=[OWN], **made)["LoadBalancers"][0]["LoadBalancerArn"]
    other = boss.create_load_balancer(Name="other", **made)["LoadBalancers"][0]["LoadBalancerArn"]
    group = boss.create_target_group(Name="t", Protocol="TCP", Port=80, VpcId=ground.vpc)["TargetGroups"][0]
    forward = [{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}]
    listener = {"Protocol": "TCP", "Port": 80, "DefaultActions": forward}
    refused("AccessDenied", elbv2.create_listener, LoadBalancerArn=other, **listener)
    refused("AccessDenied", elbv2.add_tags, ResourceArns=[other], Tags=[OWN])
    elbv2.create_listener(LoadBalancerArn=own, **listener)
    classic = {"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 80}
    for name, tags in (("mine", [OWN]), ("yours", [])):
        lab.client("elb").create_load_balancer(
            LoadBalancerName=name, Listeners=[classic], Subnets=ground.subnets, **({"Tags": tags} if tags else {})
        )
    more = [{**classic, "LoadBalancerPort": 81}]
    refused("AccessDenied", elb.create_load_balancer_listeners, LoadBalancerName="yours", Listeners=more)
    elb.create_load_balancer_listeners(LoadBalancerName="mine", Listeners=more)


def test_assumed_roles_work_with_their_token_only(lab: Any, refused: Any) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = lab.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    arn = "arn:aws:iam::aws:policy/AmazonECS_FullAccess"
    lab.client("iam").attach_role_policy(RoleName="r", PolicyArn=arn)
    got = lab.client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    keys = {"aws_access_key_id": got["AccessKeyId"], "aws_secret_access_key": got["SecretAccessKey"]}
    refused("UnrecognizedClientException", lab.client("ecs", **keys).list_clusters)
    keys["aws_session_token"] = got["SessionToken"]
    lab.client("ecs", **keys).list_clusters()
    refused("AccessDenied", lab.client("iam", **keys).create_user, UserName="x")


@pytest.mark.parametrize(
    ("statement", "verdict"),
    [
        ({"Effect": "Allow", "Action": "*"}, True),
        ({"Effect": "Allow", "Action": "ecs:list*"}, True),
        ({"Effect": "Allow", "Action": ["ec2:*"]}, False),
        ({"Effect": "Allow", "NotAction": "iam:*"}, True),
        ([{"Effect": "Allow", "Action": "*"}, {"Effect": "Deny", "Action": "ecs:*"}], False),
    ],
)
def test_allowed(statement: object, verdict: bool) -> None:
    assert allowed([json.dumps({"Statement": statement})], "ecs:ListClusters") is verdict
