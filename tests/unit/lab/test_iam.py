# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM refuses what AWS refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

ALLOW = {"Effect": "Allow", "Action": "ecs:ListClusters", "Resource": "*"}
TRUST = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}


def document(statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def iam(lab: Any) -> Any:
    return lab.client("iam")


def test_broken_trust_policy_is_refused(iam: Any, refused: Any) -> None:
    for broken in ("{", "{}"):
        refused("MalformedPolicyDocument", iam.create_role, RoleName="r", AssumeRolePolicyDocument=broken)


def test_managed_policies_of_aws_can_be_attached(iam: Any, refused: Any) -> None:
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=document(TRUST))
    arn = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
    iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    refused("DeleteConflict", iam.delete_role, RoleName="r")
    refused("NoSuchEntity", iam.attach_role_policy, RoleName="r", PolicyArn=arn + "x")
    iam.detach_role_policy(RoleName="r", PolicyArn=arn)
    iam.delete_role(RoleName="r")


def test_reset_forgets_attachments_of_managed_policies(lab: Any, iam: Any) -> None:
    test_managed_policies_of_aws_can_be_attached(iam, lambda *_unused, **__: None)
    lab.control("POST", "/reset")
    arn = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 0


def test_attached_policy_stays(iam: Any, refused: Any) -> None:
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=document(TRUST))
    arn = iam.create_policy(PolicyName="p", PolicyDocument=document(ALLOW))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    refused("DeleteConflict", iam.delete_policy, PolicyArn=arn)
    iam.detach_role_policy(RoleName="r", PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)


def test_service_linked_role_exists_once(iam: Any, refused: Any) -> None:
    name = "ecs.amazonaws.com"
    role = iam.create_service_linked_role(AWSServiceName=name)["Role"]["RoleName"]
    refused("InvalidInput", iam.create_service_linked_role, AWSServiceName=name)
    refused("UnmodifiableEntity", iam.delete_role, RoleName=role)


def test_inline_policies_hold_their_role(iam: Any, refused: Any) -> None:
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=document(TRUST))
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=document(ALLOW))
    refused("DeleteConflict", iam.delete_role, RoleName="r")
    iam.delete_role_policy(RoleName="r", PolicyName="p")
    refused("NoSuchEntity", iam.delete_role_policy, RoleName="r", PolicyName="p")
    iam.delete_role(RoleName="r")
    refused("NoSuchEntity", iam.delete_role, RoleName="r")


def test_policy_with_more_versions_stays(iam: Any, refused: Any) -> None:
    arn = iam.create_policy(PolicyName="p", PolicyDocument=document(ALLOW))["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(ALLOW), SetAsDefault=True)
    refused("DeleteConflict", iam.delete_policy, PolicyArn=arn)
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.delete_policy(PolicyArn=arn)
