# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the instances of a Kubernetes cluster may do in AWS: the least that their work needs. Pure. PRIVATE.

The control plane runs the cloud controller manager and the controller of the EBS CSI driver; what they change has to
carry the cluster's tag. Nodes may read what they join with, and say why they could not.
https://github.com/kubernetes/cloud-provider-aws/blob/master/docs/prerequisites.md
https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/example-iam-policy.json
Conditions as in AWS's own ROSAKubeControllerPolicy (listeners) and AmazonEKSBlockStoragePolicy (attached volumes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .identity import domain, partition
from .k8s_parameters import ADMIN, JOIN, NODE_PROGRESS, PROGRESS, parameter_name
from .kubernetes_names import LEGACY_TAG

Document = dict[str, Any]
Statement = dict[str, Any]
ANY_BALANCER = ("listener", "listener-rule", "loadbalancer", "targetgroup")
CREATED = ("Listener", "LoadBalancer", "TargetGroup")


def control_plane_policy(region: str, cluster: str) -> Document:
    """For the role of the control plane."""
    parameters = _parameters(region, cluster, [JOIN, ADMIN, PROGRESS])
    return _document([*parameters, *_cloud(region, cluster), *_csi(region, cluster)])


def node_policy(region: str, cluster: str) -> Document:
    """For the role of the nodes."""
    return _document(
        [
            _allow(["ssm:GetParameter"], [_parameter(region, cluster, JOIN)]),
            *_parameters(region, cluster, [NODE_PROGRESS]),
        ]
    )


def _parameters(region: str, cluster: str, words: Sequence[str]) -> list[Statement]:
    return [_allow(["ssm:PutParameter"], [_parameter(region, cluster, word) for word in words])]


def _parameter(region: str, cluster: str, word: str) -> str:
    return f"arn:{partition(region)}:ssm:{region}:*:parameter{parameter_name(cluster, word)}"


def _cloud(region: str, cluster: str) -> list[Statement]:
    """The cloud controller manager: looks at everything, changes what is the cluster's, makes what will be."""
    ours = {"StringEquals": {f"aws:ResourceTag/{LEGACY_TAG}": cluster}}
    made_for_us = {"StringEquals": {f"aws:RequestTag/{LEGACY_TAG}": cluster}}
    # a tag makes a thing the cluster's, so it is for what is being made: else those of others could be given it
    as_made = {"elasticloadbalancing:CreateAction": [f"Create{one}" for one in CREATED]}
    balancers = [f"arn:{partition(region)}:elasticloadbalancing:{region}:*:{one}/*" for one in ANY_BALANCER]
    looks = ["AvailabilityZones", "InstanceTopology", "Instances", "Regions", "RouteTables", "SecurityGroups"]
    # an account's first load balancer comes before ELB's own role, so that ELB looks with the rights of who makes it:
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-permissions.html
    looks += ["AccountAttributes", "Addresses", "InternetGateways", "Subnets", "Vpcs"]
    return [
        _allow(
            [
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeTags",
                *(f"ec2:Describe{one}" for one in looks),
                "elasticloadbalancing:Describe*",
                "kms:DescribeKey",
            ],
            ["*"],
        ),
        _allow(
            ["iam:CreateServiceLinkedRole"],
            [f"arn:{partition(region)}:iam::*:role/aws-service-role/elasticloadbalancing.amazonaws.com/*"],
        ),
        _allow(
            [
                "ec2:AuthorizeSecurityGroupIngress",
                "ec2:CreateRoute",
                "ec2:DeleteRoute",
                "ec2:DeleteSecurityGroup",
                "ec2:ModifyInstanceAttribute",
                "ec2:RevokeSecurityGroupIngress",
            ],
            ["*"],
            ours,
        ),
        _allow(
            [
                f"elasticloadbalancing:{one}"
                for one in (
                    *("AddTags", "ApplySecurityGroupsToLoadBalancer", "AttachLoadBalancerToSubnets"),
                    *("ConfigureHealthCheck", "CreateLoadBalancerListeners", "CreateLoadBalancerPolicy"),
                    *("DeleteListener", "DeleteLoadBalancer", "DeleteLoadBalancerListeners", "DeleteTargetGroup"),
                    *("DeregisterInstancesFromLoadBalancer", "DeregisterTargets", "DetachLoadBalancerFromSubnets"),
                    *("ModifyListener", "ModifyLoadBalancerAttributes", "ModifyTargetGroup"),
                    *("ModifyTargetGroupAttributes", "RegisterInstancesWithLoadBalancer", "RegisterTargets"),
                    *("SetLoadBalancerPoliciesForBackendServer", "SetLoadBalancerPoliciesOfListener"),
                )
            ],
            balancers,
            ours,
        ),
        _allow(
            [f"elasticloadbalancing:Create{one}" for one in ("LoadBalancer", "TargetGroup")],
            balancers,
            made_for_us,
        ),
        # its resource is the load balancer: the tags that are asked for are the listener's, and say nothing about that
        _allow(
            ["elasticloadbalancing:CreateListener"],
            balancers,
            {"StringEquals": {**ours["StringEquals"], **made_for_us["StringEquals"]}},
        ),
        _allow(["ec2:CreateSecurityGroup"], [_ec2(region, "security-group")], made_for_us),
        _allow(["ec2:CreateSecurityGroup"], [_ec2(region, "vpc")], ours),
        _allow(
            ["ec2:CreateTags"],
            [_ec2(region, "security-group")],
            {"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup"}},
        ),
        _allow(["ec2:CreateTags"], [_ec2(region, "security-group")], ours),
        _allow(
            ["elasticloadbalancing:AddTags"],
            balancers,
            {"StringEquals": {**made_for_us["StringEquals"], **as_made}},
        ),
    ]


def _csi(region: str, cluster: str) -> list[Statement]:
    """The controller of the EBS CSI driver: volumes that it may touch carry the driver's own tag, and the cluster's.

    The former is on the volumes of all clusters, the latter also on the disks of the cluster's instances. It attaches
    them to the cluster's instances alone: a volume at another's would bring its own file system, or carry data away.
    There are no rights for snapshots, as nothing in the cluster takes any. Those for keys are used by EC2 for volumes
    alone, and only where the key's own policy leaves that to IAM:
    https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html
    """
    volumes, tags = _ec2(region, "volume"), {"ebs.csi.aws.com/cluster": "true", LEGACY_TAG: cluster}
    ours = {"StringEquals": {f"aws:ResourceTag/{key}": value for key, value in tags.items()}}
    made_for_us = {"StringEquals": {f"aws:RequestTag/{key}": value for key, value in tags.items()}}
    keys = [f"arn:{partition(region)}:kms:{region}:*:key/*"]
    looks = ("InstanceTypes", "Tags", "Volumes", "VolumesModifications", "VolumeStatus")
    return [
        _allow([f"ec2:Describe{one}" for one in looks], ["*"]),
        _allow(["ec2:CreateVolume"], [volumes], made_for_us),
        _allow(["ec2:CreateTags"], [volumes], {"StringEquals": {"ec2:CreateAction": "CreateVolume"}}),
        _allow([f"ec2:{one}Volume" for one in ("Attach", "Delete", "Detach", "Modify")], [volumes], ours),
        _allow(
            ["ec2:AttachVolume", "ec2:DetachVolume"],
            [_ec2(region, "instance")],
            {"StringEquals": {f"aws:ResourceTag/{LEGACY_TAG}": cluster}},
        ),
        _allow(
            ["kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncrypt*"],
            keys,
            {"StringEquals": {"kms:ViaService": f"ec2.{region}.{domain(region)}"}},
        ),
        _allow(["kms:CreateGrant"], keys, {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
    ]


def _ec2(region: str, kind: str) -> str:
    return f"arn:{partition(region)}:ec2:{region}:*:{kind}/*"


def _allow(actions: Sequence[str], resources: Sequence[str], condition: Mapping[str, Any] | None = None) -> Statement:
    statement = {"Effect": "Allow", "Action": sorted(actions), "Resource": list(resources)}
    return {**statement, "Condition": dict(condition)} if condition else statement


def _document(statements: Sequence[Statement]) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}
