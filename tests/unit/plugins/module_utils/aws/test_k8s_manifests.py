# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What instances may do, and what a cluster gets besides kubeadm's parts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_addons import (
    CLOUD_CONTROLLER_VERSIONS,
    cloud_controller,
    flannel,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_addons_ebs import ebs_driver
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_policies import (
    control_plane_policy,
    node_policy,
)

ALL = [
    *cloud_controller("one", "1.36.4", "10.244.0.0/16", routes=True),
    *flannel("10.244.0.0/16"),
    *ebs_driver("eu-west-1", "one", {"b": "2", "a": "1"}),
]
NONE: Mapping[str, str] = MappingProxyType({})
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
# those of these minors that have an image in registry.k8s.io: promoted with kubernetes/k8s.io 9796 and before
CLOUD_CONTROLLERS = {"v1.34.0", "v1.34.2", "v1.34.3", "v1.35.0", "v1.35.2", "v1.36.1"}


def actions(policy: Mapping[str, Any]) -> set[str]:
    return {action for one in policy["Statement"] for action in one["Action"]}


def named(kind: str, name: str) -> dict[str, Any]:
    return next(one for one in ALL if (one["kind"], one["metadata"]["name"]) == (kind, name))


def test_nodes_may_read_what_they_join_with_and_say_why_they_could_not() -> None:
    statements = node_policy("eu-west-1", "one")["Statement"]

    assert [(one["Action"], one["Resource"]) for one in statements] == [
        (["ssm:GetParameter"], ["arn:aws:ssm:eu-west-1:*:parameter/kubernetes/one/join"]),
        (["ssm:PutParameter"], ["arn:aws:ssm:eu-west-1:*:parameter/kubernetes/one/node-progress"]),
    ]


def test_the_control_plane_writes_its_own_parameters_and_reads_none() -> None:
    policy = control_plane_policy("eu-west-1", "one")
    own = next(one["Resource"] for one in policy["Statement"] if one["Action"] == ["ssm:PutParameter"])

    assert [one.rpartition("/")[2] for one in own] == ["join", "admin", "progress"]
    assert "ssm:GetParameter" not in actions(policy)


def test_the_first_load_balancer_of_an_account_is_made_with_the_rights_of_the_control_plane() -> None:
    """As long as ELB has no role of its own: what AWS lists for CreateLoadBalancer and CreateTargetGroup."""
    looks = ("AccountAttributes", "Addresses", "InternetGateways", "SecurityGroups", "Subnets", "Vpcs")
    wanted = {"iam:CreateServiceLinkedRole", *(f"ec2:Describe{one}" for one in looks)}
    assert wanted <= {*actions(control_plane_policy("eu-west-1", "one"))}


def test_what_is_changed_has_to_carry_a_tag() -> None:
    looks = ("Describe", "kms:DescribeKey", "iam:CreateServiceLinkedRole", "ssm:PutParameter")
    for statement in control_plane_policy("eu-west-1", "one")["Statement"]:
        if [one for one in statement["Action"] if not any(look in one for look in looks)]:
            assert statement.get("Condition"), statement
        assert "*" not in statement["Action"]
        assert not [one for one in statement["Action"] if one.endswith(":*")]


def allowed(
    action: str, resource: str, *, tags: Mapping[str, str] = NONE, asked: Mapping[str, str] = NONE, by: str = ""
) -> bool:
    """Whether IAM would let the control plane: on what has these tags, asking for those, as part of making it."""
    known = {
        **{f"aws:ResourceTag/{key}": value for key, value in tags.items()},
        **{f"aws:RequestTag/{key}": value for key, value in asked.items()},
        f"{action.partition(':')[0]}:CreateAction": by,
    }
    return any(
        action in one["Action"]
        and any(fnmatchcase(resource, pattern) for pattern in one["Resource"])
        and all(
            known.get(key) in ([wanted] if isinstance(wanted, str) else wanted)
            for key, wanted in one.get("Condition", {}).get("StringEquals", {}).items()
        )
        for one in control_plane_policy("eu-west-1", "one")["Statement"]
    )


BALANCER = "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/net/a/1"
VOLUME, INSTANCE = "arn:aws:ec2:eu-west-1:1:volume/vol-1", "arn:aws:ec2:eu-west-1:1:instance/i-1"
OURS, THEIRS = {"KubernetesCluster": "one"}, {"KubernetesCluster": "other"}


@pytest.mark.parametrize("made", ["CreateLoadBalancer", "CreateTargetGroup", "CreateListener"])
def test_load_balancers_are_tagged_when_they_are_made(made: str) -> None:
    assert allowed("elasticloadbalancing:AddTags", BALANCER, asked=OURS, by=made)
    assert not allowed("elasticloadbalancing:AddTags", BALANCER, asked=THEIRS, by=made)


def test_no_load_balancer_of_others_can_be_declared_to_be_the_clusters() -> None:
    assert allowed("elasticloadbalancing:AddTags", BALANCER, tags=OURS)
    assert not allowed("elasticloadbalancing:AddTags", BALANCER, tags=THEIRS, asked=OURS)
    assert not allowed("elasticloadbalancing:AddTags", BALANCER, asked=OURS)


@pytest.mark.parametrize("made", ["CreateLoadBalancer", "CreateTargetGroup"])
def test_what_is_made_for_a_load_balancer_is_the_clusters(made: str) -> None:
    assert allowed(f"elasticloadbalancing:{made}", BALANCER, asked=OURS)
    assert not allowed(f"elasticloadbalancing:{made}", BALANCER, asked=THEIRS)


def test_load_balancers_of_others_get_no_listener() -> None:
    """The resource of CreateListener is the load balancer: a tag that is asked for says nothing about it."""
    create = "elasticloadbalancing:CreateListener"

    assert allowed(create, BALANCER, tags=OURS, asked=OURS)
    assert not allowed(create, BALANCER, tags=THEIRS, asked=OURS)
    assert not allowed(create, BALANCER, asked=OURS)
    assert not allowed(create, BALANCER, tags=OURS, asked=THEIRS)


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("targetgroup/a/1", "RegisterTargets"),
        ("targetgroup/a/1", "DeregisterTargets"),
        ("targetgroup/a/1", "ModifyTargetGroup"),
        ("targetgroup/a/1", "DeleteTargetGroup"),
        ("listener/net/a/1/2", "ModifyListener"),
        ("listener/net/a/1/2", "DeleteListener"),
        ("loadbalancer/net/a/1", "ModifyLoadBalancerAttributes"),
        ("loadbalancer/net/a/1", "DeleteLoadBalancer"),
        ("loadbalancer/a", "CreateLoadBalancerListeners"),
        ("loadbalancer/a", "RegisterInstancesWithLoadBalancer"),
    ],
)
def test_what_belongs_to_load_balancers_of_others_stays_as_it_is(kind: str, action: str) -> None:
    resource = f"arn:aws:elasticloadbalancing:eu-west-1:1:{kind}"

    assert allowed(f"elasticloadbalancing:{action}", resource, tags=OURS)
    assert not allowed(f"elasticloadbalancing:{action}", resource, tags=THEIRS, asked=OURS)


DRIVER = {"ebs.csi.aws.com/cluster": "true"}


@pytest.mark.parametrize("action", ["AttachVolume", "DetachVolume", "ModifyVolume", "DeleteVolume"])
def test_the_driver_changes_volumes_of_its_own_cluster_only(action: str) -> None:
    volumes = ({**DRIVER, **OURS}, {**DRIVER, **THEIRS}, DRIVER, OURS)

    assert [allowed(f"ec2:{action}", VOLUME, tags=tags) for tags in volumes] == [True, False, False, False]


def test_the_driver_makes_volumes_for_its_own_cluster_only() -> None:
    assert allowed("ec2:CreateVolume", VOLUME, asked={**DRIVER, **OURS})
    assert not allowed("ec2:CreateVolume", VOLUME, asked={**DRIVER, **THEIRS})
    assert not allowed("ec2:CreateVolume", VOLUME, asked=DRIVER)
    assert allowed("ec2:CreateTags", VOLUME, asked=OURS, by="CreateVolume")
    assert not allowed("ec2:CreateTags", VOLUME, asked=OURS)


@pytest.mark.parametrize("action", ["AttachVolume", "DetachVolume"])
def test_volumes_are_attached_to_instances_of_the_cluster_only(action: str) -> None:
    assert allowed(f"ec2:{action}", INSTANCE, tags=OURS)
    assert not allowed(f"ec2:{action}", INSTANCE, tags=THEIRS)
    assert not allowed(f"ec2:{action}", INSTANCE)


def test_nobody_in_the_cluster_reaches_snapshots() -> None:
    snapshot = "arn:aws:ec2:eu-west-1::snapshot/snap-1"

    assert not [one for one in actions(control_plane_policy("eu-west-1", "one")) if "Snapshot" in one]
    assert not allowed("ec2:CreateVolume", snapshot, asked={**DRIVER, **OURS})


@pytest.mark.parametrize("region", ["eu-west-1", "cn-north-1"])
def test_volumes_may_have_a_key_of_ones_own_and_the_key_is_for_volumes_alone(region: str) -> None:
    """What AWS asks of who makes or attaches such a volume: "Requirements for Amazon EBS encryption"."""
    statements = [one for one in control_plane_policy(region, "one")["Statement"] if "key/*" in one["Resource"][0]]
    found = {action: one["Condition"] for one in statements for action in one["Action"]}
    service = f"ec2.{region}.amazonaws.com{'.cn' if region == 'cn-north-1' else ''}"
    through_ec2 = {"StringEquals": {"kms:ViaService": service}}

    assert found == {
        **{f"kms:{one}": through_ec2 for one in ("Decrypt", "GenerateDataKeyWithoutPlaintext", "ReEncrypt*")},
        "kms:CreateGrant": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    }


def test_policies_fit_into_a_role_and_follow_the_partition() -> None:
    policy = control_plane_policy("cn-north-1", "a" * 63)

    assert len(json.dumps(policy, separators=(",", ":"))) <= 10240
    assert "arn:aws:" not in json.dumps(policy)


def test_images_are_pinned() -> None:
    pods = [one["spec"]["template"]["spec"] for one in ALL if one["kind"] in ("DaemonSet", "Deployment")]
    images = [container["image"] for pod in pods for container in (*pod["containers"], *pod.get("initContainers", ()))]

    assert len(images) == 12
    assert not [one for one in images if ":" not in one or one.endswith(":latest")]


def test_the_default_storage_class_is_encrypted_and_waits_for_its_pod() -> None:
    (storage,) = [one for one in ALL if one["kind"] == "StorageClass"]

    assert storage["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}
    assert storage["parameters"]["encrypted"] == "true"
    assert storage["volumeBindingMode"] == "WaitForFirstConsumer"


def test_only_the_control_plane_runs_what_needs_aws() -> None:
    for kind, name in (("DaemonSet", "aws-cloud-controller-manager"), ("Deployment", "ebs-csi-controller")):
        pod = named(kind, name)["spec"]["template"]["spec"]
        assert pod["nodeSelector"] == {CONTROL_PLANE: ""}
        assert pod["hostNetwork"]
        assert CONTROL_PLANE in [one["key"] for one in pod["tolerations"]]


def test_volumes_of_the_driver_carry_the_tags() -> None:
    pod = named("Deployment", "ebs-csi-controller")["spec"]["template"]["spec"]

    assert {"--extra-tags=a=1,b=2", "--k8s-tag-cluster-id=one"} <= {*pod["containers"][0]["args"]}


def test_the_driver_may_ask_how_many_volumes_a_type_of_instance_takes() -> None:
    """Its own table of types, which it falls back to without the right, will go."""
    assert allowed("ec2:DescribeInstanceTypes", "*")


@pytest.mark.parametrize(("routes", "flag"), [(True, "true"), (False, "false")])
@pytest.mark.parametrize("minor", CLOUD_CONTROLLER_VERSIONS)
def test_the_cloud_controller_follows_version_and_network(minor: str, routes: bool, flag: str) -> None:
    manifests = cloud_controller("one", f"{minor}.9", "10.244.0.0/16", routes=routes)
    container = manifests[-1]["spec"]["template"]["spec"]["containers"][0]

    assert container["image"].endswith(f":{CLOUD_CONTROLLER_VERSIONS[minor]}")
    assert f"--configure-cloud-routes={flag}" in container["args"]


@pytest.mark.parametrize("minor", CLOUD_CONTROLLER_VERSIONS)
def test_the_cloud_controller_has_an_image_and_is_not_newer_than_the_api_server(minor: str) -> None:
    version = CLOUD_CONTROLLER_VERSIONS[minor]
    behind = int(minor.split(".")[1]) - int(version.split(".")[1])

    assert version in CLOUD_CONTROLLERS
    assert behind in (0, 1)  # https://kubernetes.io/releases/version-skew-policy/


def test_every_account_has_the_roles_that_are_bound_to_it() -> None:
    accounts = {one["metadata"]["name"] for one in ALL if one["kind"] == "ServiceAccount"}
    roles = {one["metadata"]["name"] for one in ALL if one["kind"] == "ClusterRole"}
    bindings = [one for one in ALL if one["kind"] == "ClusterRoleBinding"]

    assert {one["roleRef"]["name"] for one in bindings} == roles
    assert {subject["name"] for one in bindings for subject in one["subjects"]} == accounts
