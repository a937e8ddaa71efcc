# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters from nothing to nothing: what is read, decided, done and waited for, and what is left alone."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws import (
    k8s_cluster,
    k8s_cluster_info,
    k8s_cluster_teardown,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_boot import node_script
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_cluster import ensure
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_cluster_info import cluster_info
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_cluster_options import DEFAULTS
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_cluster_wanted import Settings
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_parameters import PARAMETERS
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_policies import (
    control_plane_policy,
    node_policy,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.launch_templates import template_data
from ansible_collections.container.schedulers.plugins.module_utils._clock import Deadline
from ansible_collections.container.schedulers.plugins.module_utils._cluster_api import Node
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    ConflictError,
    InputError,
    NotOursError,
    PartialError,
    UnreachableError,
    WaitTimeoutError,
)
from ansible_collections.container.schedulers.plugins.module_utils._kubeconfig import load, save
from ansible_collections.container.schedulers.plugins.module_utils._module import Context, Outcome
from ansible_collections.container.schedulers.plugins.module_utils._wait import Pace
from unit.k8s_cluster import ADMIN, NAMES, FakeCluster, group, marks, node, params
from unit.returned import as_documented
from unit.scripted import Call, ScriptedAws, failure, scripted

ZONE = "eu-west-1c"
VPC, SUBNET, IGW = "vpc-1", "subnet-1", "igw-1"
SIDES = ("control-plane", "nodes")
NOW = datetime.datetime.now(datetime.UTC)
MADE_WITH = Settings(
    "one",
    ZONE,
    DEFAULTS.version,
    DEFAULTS.cidr,
    "172.20.0.0/24",
    DEFAULTS.pod_network,
    DEFAULTS.pod_cidr,
    DEFAULTS.service_cidr,
)
IN_TAGS = {
    "container.schedulers/version": DEFAULTS.version,
    "container.schedulers/pod-network": DEFAULTS.pod_network,
    "container.schedulers/pod-cidr": DEFAULTS.pod_cidr,
    "container.schedulers/service-cidr": DEFAULTS.service_cidr,
}
NAME = "kubernetes-one"
INSTANCE = {
    "InstanceId": "i-0",
    "InstanceType": "t3.medium",
    "Placement": {"AvailabilityZone": ZONE},
    "State": {"Name": "running"},
    "LaunchTime": NOW - datetime.timedelta(hours=2),
    "PrivateIpAddress": "172.20.0.9",
    "PublicIpAddress": "192.0.2.9",
    "VpcId": VPC,
    "Tags": marks("control-plane", Name=f"{NAME}-control-plane", **IN_TAGS),
}
WORKER = {**INSTANCE, "InstanceId": "i-1", "Tags": marks("instance")}
TEMPLATE = template_data(
    {
        "image_id": "ami-1",
        "root_device": "/dev/xvda",
        "more_volumes": {},
        "instance_type": "t3.medium",
        "profile": NAMES.role("nodes"),
        "security_group_ids": ["sg-nodes"],
        "public_ip": True,
        "user_data": node_script(MADE_WITH.boot()),
        "metadata_hops": 1,
        "encrypted": True,
        "volume_size": 30,
        "instance_tags": {one["Key"]: one["Value"] for one in marks("instance", Name=f"{NAME}-nodes")},
    }
)
ADDRESS = {
    "AllocationId": "eipalloc-1",
    "PublicIp": "192.0.2.9",
    "InstanceId": "i-0",
    "Tags": marks("address", Name=NAME),
}
HERE = {"name": "container.schedulers", "extension": {"region": "eu-west-1"}}


def only(name: str, value: str) -> Any:
    """A predicate: a filter or a name of this value is among what is asked for."""
    return lambda given: value in json.dumps(given, default=str) and name in json.dumps(given, default=str)


def reservations(*instances: dict[str, Any]) -> dict[str, Any]:
    return {"Reservations": [{"Instances": [one]} for one in instances]}


def security_groups() -> list[dict[str, Any]]:
    rules: dict[str, list[dict[str, Any]]] = {
        side: [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": f"sg-{one}"}]} for one in SIDES] for side in SIDES
    }
    rules["control-plane"].append(
        {"IpProtocol": "tcp", "FromPort": 6443, "ToPort": 6443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    )
    return [
        {
            "GroupId": f"sg-{side}",
            "GroupName": f"{NAME}-{side}",
            "VpcId": VPC,
            "IpPermissions": rules[side],
            "Tags": marks(f"security-group-{side}", Name=f"{NAME}-{side}"),
        }
        for side in SIDES
    ]


def identity(*, inline: bool = True) -> list[Call]:
    documents = {"control-plane": control_plane_policy, "nodes": node_policy}
    calls = []
    for side in SIDES:
        name = NAMES.role(side)
        role = {"Role": {"RoleName": name, "CreateDate": NOW, "Tags": marks(f"role-{side}")}}
        profile = {"Roles": [{"RoleName": name}], "Tags": marks(f"instance-profile-{side}")}
        document = documents[side]("eu-west-1", "one")
        calls += [
            Call("iam", "GetRole", role, {"RoleName": name}),
            Call("iam", "ListAttachedRolePolicies", {"AttachedPolicies": []}, {"RoleName": name}),
            Call("iam", "GetRolePolicy", {"PolicyDocument": document if inline else None}, {"RoleName": name}),
            Call("iam", "GetInstanceProfile", {"InstanceProfile": profile}, {"InstanceProfileName": name}),
        ]
    return calls


def parameters(*, written: bool = False) -> list[Call]:
    names = {f"/kubernetes/one/{word}": word for word in PARAMETERS}
    kinds = {"join": "SecureString", "admin": "SecureString"}
    version = 2 if written else 1
    found = [{"Name": name, "Type": kinds.get(word, "String"), "Version": version} for name, word in names.items()]
    return [
        Call("ssm", "DescribeParameters", {"Parameters": found}),
        *(
            Call("ssm", "ListTagsForResource", {"TagList": marks(f"parameter-{word}")}, {"ResourceId": name})
            for name, word in names.items()
        ),
    ]


NETWORK = [
    Call(
        "ec2", "DescribeVpcs", {"Vpcs": [{"VpcId": VPC, "CidrBlock": DEFAULTS.cidr, "Tags": marks("vpc", Name=NAME)}]}
    ),
    Call(
        "ec2",
        "DescribeRouteTables",
        {
            "RouteTables": [
                {
                    "RouteTableId": "rtb-1",
                    "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": IGW, "State": "active"}],
                    "Tags": marks("default-route", Name=NAME),
                }
            ]
        },
    ),
    Call(
        "ec2",
        "DescribeSubnets",
        {
            "Subnets": [
                {
                    "SubnetId": SUBNET,
                    "VpcId": VPC,
                    "CidrBlock": "172.20.0.0/24",
                    "AvailabilityZone": ZONE,
                    "Tags": marks(f"subnet-{ZONE}", Name=f"{NAME}-{ZONE}", **{"kubernetes.io/role/elb": "1"}),
                }
            ]
        },
    ),
]
PUBLISHED = Call("ssm", "GetParameter", {"Parameter": {"Value": ADMIN}}, {"Name": "/kubernetes/one/admin"})


def addresses(times: int = 1) -> Call:
    return Call("ec2", "DescribeAddresses", {"Addresses": [ADDRESS]}, times=times)


def groups(found: dict[str, Any], times: int = 1) -> Call:
    return Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": [found]}, times=times)


def node_told(value: str = "pending") -> Call:
    return Call("ssm", "GetParameter", {"Parameter": {"Value": value}}, {"Name": "/kubernetes/one/node-progress"})


def told_ever(*values: str) -> Call:
    versions = [{"Value": one} for one in ("pending", *values)]
    return Call("ssm", "GetParameterHistory", {"Parameters": versions}, {"Name": "/kubernetes/one/node-progress"})


def there(found: dict[str, Any], *told: str) -> list[Call]:
    """A cluster that is up, as it is read."""
    version = {"LaunchTemplateId": "lt-1", "VersionNumber": 1, "LaunchTemplateData": TEMPLATE}
    return [
        Call("ec2", "DescribeInstances", reservations(INSTANCE)),
        groups(found),
        Call("ec2", "DescribeLaunchTemplateVersions", {"LaunchTemplateVersions": [version]}),
        Call("ec2", "DescribeSecurityGroups", {"SecurityGroups": security_groups()}),
        *NETWORK,
        addresses(2),
        *parameters(),
        *identity(),
        PUBLISHED,
        told_ever(*told),
    ]


@contextmanager
def aws_for(monkeypatch: pytest.MonkeyPatch, *calls: Call) -> Iterator[ScriptedAws]:
    with scripted(*calls) as aws:
        for module in (k8s_cluster, k8s_cluster_teardown, k8s_cluster_info):
            monkeypatch.setattr(module, "Aws", lambda _connection: aws)
        yield aws


class Flow:
    """Runs the module's function against a script.

    Attributes:
        warnings, hidden: what it said, and what it kept to itself.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._monkeypatch = monkeypatch
        self.kubeconfig = folder / "config"
        self.warnings: list[str] = []
        self.hidden: list[Any] = []

    def __call__(self, cluster: FakeCluster, *calls: Call, check_mode: bool = False, **given: Any) -> Outcome:
        with aws_for(self._monkeypatch, *calls) as aws:
            options = params(kubeconfig=str(self.kubeconfig), **given)
            context = Context(options, check_mode, warn=self.warnings.append, hide=self.hidden.extend, clock=aws.clock)
            return as_documented(ensure, ensure(context, cluster.connect))


@pytest.fixture
def flow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Flow:
    return Flow(monkeypatch, tmp_path)


def with_kubeconfig(flow: Flow) -> None:
    save(
        flow.kubeconfig,
        {
            "clusters": [
                {
                    "name": "aws_one",
                    "cluster": {"server": "https://192.0.2.9:6443", "certificate-authority-data": "Q0E="},
                }
            ],
            "users": [
                {
                    "name": "aws_one",
                    "user": {
                        "client-certificate-data": "Q0VSVA==",
                        "client-key-data": "YSB2ZXJ5IHNlY3JldCBrZXk=",
                    },
                }
            ],
            "contexts": [
                {"name": "aws_one", "context": {"cluster": "aws_one", "user": "aws_one", "extensions": [HERE]}}
            ],
            "current-context": "aws_one",
        },
    )


READY = FakeCluster([node("i-0"), node("i-1")])
EMPTY = [
    Call("ec2", "DescribeInstances", {"Reservations": []}),
    Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": []}),
    Call("ec2", "DescribeLaunchTemplateVersions", failure("InvalidLaunchTemplateName.NotFoundException")),
    Call("ec2", "DescribeSecurityGroups", {"SecurityGroups": []}),
    Call("ec2", "DescribeVpcs", {"Vpcs": []}),
    Call("ec2", "DescribeAddresses", {"Addresses": []}),
    Call("ssm", "DescribeParameters", {"Parameters": []}),
    Call("iam", "GetRole", failure("NoSuchEntity", status=404), times=2),
    Call("iam", "GetInstanceProfile", failure("NoSuchEntity", status=404), times=2),
]
SIZES = {"InstanceTypes": [{"VCpuInfo": {"DefaultVCpus": 2}, "MemoryInfo": {"SizeInMiB": 4096}}]}
LOOK_UPS = [
    Call("ssm", "GetParameter", {"Parameter": {"Value": "ami-1"}}),
    Call("ec2", "DescribeInstanceTypeOfferings", {"InstanceTypeOfferings": [{"Location": ZONE}]}, times=2),
    Call("ec2", "DescribeInstanceTypes", SIZES),
]


def test_a_check_on_an_empty_account_plans_everything(flow: Flow) -> None:
    outcome = flow(READY, *EMPTY, *LOOK_UPS, check_mode=True, zone=ZONE)

    assert outcome.plan is not None
    sentences = outcome.plan.sentences()
    assert len(sentences) == 24
    assert sentences[-1] == "create kubeconfig aws_one"
    assert outcome.result["cluster"]["endpoint"] is None
    assert "BEGIN" not in json.dumps(outcome.plan.diff())


def test_without_waiting_the_kubeconfig_is_left_to_a_later_run(flow: Flow) -> None:
    outcome = flow(READY, *EMPTY, *LOOK_UPS, check_mode=True, zone=ZONE, wait=False)

    assert outcome.plan is not None
    assert "create kubeconfig aws_one" not in outcome.plan.sentences()


def test_a_cluster_as_it_should_be_is_unchanged_and_looked_at(flow: Flow) -> None:
    with_kubeconfig(flow)
    outcome = flow(READY, *there(group("i-1")), groups(group("i-1")), node_count=1)

    assert outcome.plan is not None
    assert outcome.plan.sentences() == []
    assert outcome.result["nodes"][0]["ready"]
    assert outcome.result["cluster"]["endpoint"] == "https://192.0.2.9:6443"
    assert outcome.result["kubeconfig"] == {"path": str(flow.kubeconfig), "context": "aws_one"}
    assert "YSB2ZXJ5IHNlY3JldCBrZXk=" not in json.dumps(outcome.result)
    assert "YSB2ZXJ5IHNlY3JldCBrZXk=" in flow.hidden


def test_the_diff_of_a_new_cluster_has_the_beginning_of_its_boot_script_only(flow: Flow) -> None:
    outcome = flow(READY, *EMPTY, *LOOK_UPS, check_mode=True, zone=ZONE)
    assert outcome.plan is not None
    after = outcome.plan.diff()["after"]
    script = next(one["user_data"] for name, one in after.items() if name.startswith("launch template"))
    assert "KUBERNETES_VERSION=" in script
    assert len(script) < 1000


def test_a_cluster_that_nobody_can_reach_is_not_waited_for(flow: Flow) -> None:
    with pytest.raises(InputError, match=r"allowed_cidrs: without any, nobody can reach the API server"):
        flow(READY, allowed_cidrs=[])


def test_a_kubeconfig_that_cannot_be_written_is_refused_by_a_check_too(flow: Flow) -> None:
    flow.kubeconfig = Path("/proc/nope/config")
    with pytest.raises(InputError, match=r"kubeconfig: /proc/nope/config cannot be written"):
        flow(READY, *EMPTY, *LOOK_UPS, check_mode=True, zone=ZONE)


def test_with_nothing_but_its_name_it_is_unchanged_too(flow: Flow) -> None:
    with_kubeconfig(flow)
    outcome = flow(READY, *there(group("i-1")), check_mode=True)

    assert outcome.plan is not None
    assert outcome.plan.sentences() == []


def test_a_template_that_was_changed_for_nothing_is_not_deployed(flow: Flow) -> None:
    """A run with another node_type was killed, and the next one is about something else."""
    with_kubeconfig(flow)
    version = {"LaunchTemplateId": "lt-1", "VersionNumber": 2}
    newest = {**version, "LaunchTemplateData": {**TEMPLATE, "InstanceType": "t3.xlarge"}}
    latest = Call(
        "ec2", "DescribeLaunchTemplateVersions", {"LaunchTemplateVersions": [newest]}, {"Versions": ["$Latest"]}
    )
    outcome = flow(READY, latest, *there(group("i-1")), check_mode=True)

    assert outcome.plan is not None
    assert outcome.plan.sentences() == []


def test_a_kubeconfig_that_is_missing_is_all_that_is_written(flow: Flow) -> None:
    done = json.dumps({"instance": "i-0", "state": "done", "step": "up"})
    progress = Call("ssm", "GetParameter", {"Parameter": {"Value": done}}, {"Name": "/kubernetes/one/progress"})
    again = (Call("ec2", "DescribeInstances", reservations(INSTANCE)), progress, PUBLISHED, addresses())
    outcome = flow(READY, *there(group("i-1")), *again, groups(group("i-1")))

    assert outcome.plan is not None
    assert outcome.plan.sentences() == ["create kubeconfig aws_one"]
    assert load(flow.kubeconfig)["current-context"] == "aws_one"


def test_a_wait_that_fails_says_what_was_done(flow: Flow) -> None:
    with_kubeconfig(flow)
    activities = Call("autoscaling", "DescribeScalingActivities", {"Activities": []})
    resized = Call("autoscaling", "UpdateAutoScalingGroup")
    calls = (*there(group("i-1")), resized, groups(group("i-1", desired=3)), node_told(), activities)

    with pytest.raises(PartialError) as partial:
        flow(FakeCluster([node("i-1")]), *calls, node_count=3, wait_timeout=0)

    assert partial.value.details["steps_done"][0].startswith("update auto scaling group")
    assert "1 of 3 nodes are ready" in partial.value.message


FAILED = json.dumps({"instance": "i-1", "state": "failed", "step": "install packages", "log": "no route"})


@pytest.mark.parametrize(
    ("cluster", "sentences"),
    [
        (FakeCluster([node("i-0")]), ["update unjoined node i-1 (boot)"]),
        (FakeCluster([node("i-0"), node("i-1", ready=False)]), []),  # it may have had pods
        (FakeCluster(UnreachableError("refused")), []),  # who knows
    ],
)
def test_a_node_whose_boot_failed_is_replaced_if_it_never_joined(
    flow: Flow, cluster: FakeCluster, sentences: list[str]
) -> None:
    with_kubeconfig(flow)
    outcome = flow(cluster, *there(group("i-1"), FAILED), check_mode=True)

    assert outcome.plan is not None
    assert outcome.plan.sentences() == sentences


def test_of_several_whose_boot_failed_each_is_replaced_although_the_last_has_had_the_last_word(flow: Flow) -> None:
    with_kubeconfig(flow)
    calls = there(group("i-1", "i-2", "i-3"), FAILED, FAILED.replace("i-1", "i-2"))
    cluster = FakeCluster([node("i-0"), node("i-3")])

    assert planned(flow(cluster, *calls, check_mode=True)) == [
        "update unjoined node i-1 (boot)",
        "update unjoined node i-2 (boot)",
    ]


def launched(instance: str, minutes: float) -> dict[str, Any]:
    return {**WORKER, "InstanceId": instance, "LaunchTime": NOW - datetime.timedelta(minutes=minutes)}


@pytest.mark.parametrize(
    ("known", "sentences"),
    [
        ([node("i-0")], ["update unjoined node i-2 (boot)", "update unjoined node i-3 (boot)"]),
        ([node("i-0"), node("i-2", ready=False)], ["update unjoined node i-3 (boot)"]),
    ],
)
def test_a_node_that_has_said_nothing_is_replaced_once_its_boot_has_had_its_time(
    flow: Flow, known: list[Node], sentences: list[str]
) -> None:
    """Or as soon as it is older than its control plane, which is another one then than it has been told to trust."""
    with_kubeconfig(flow)
    found = reservations(INSTANCE, launched("i-1", 10), launched("i-2", 50), launched("i-3", 130))
    calls = (*there(group("i-1", "i-2", "i-3")), Call("ec2", "DescribeInstances", found))

    assert planned(flow(FakeCluster(known), *calls, check_mode=True)) == sentences


def test_nodes_that_are_older_than_their_control_plane_are_replaced_at_once(flow: Flow) -> None:
    with_kubeconfig(flow)
    new = {**INSTANCE, "LaunchTime": NOW - datetime.timedelta(minutes=5)}
    found = reservations(new, launched("i-1", 6), launched("i-2", 4))
    calls = [Call("ec2", "DescribeInstances", reservations(new)), *there(group("i-1", "i-2"))[1:]]
    outcome = flow(FakeCluster([node("i-0")]), *calls, Call("ec2", "DescribeInstances", found), check_mode=True)

    assert planned(outcome) == ["update unjoined node i-1 (boot)"]


@pytest.mark.parametrize(
    ("written", "wait", "nodes"),
    [
        (True, True, ["update unjoined node i-1 (boot)"]),
        (True, False, []),  # nobody can be asked yet: left to a later run
        (False, True, []),  # it never was up, so they still wait for it
    ],
)
def test_once_the_control_plane_is_lost_its_nodes_are_replaced_too(
    flow: Flow, written: bool, wait: bool, nodes: list[str]
) -> None:
    with_kubeconfig(flow)
    kept = ("DescribeInstances", "DescribeParameters", "ListTagsForResource", "GetParameter", "GetParameterHistory")
    calls = [one for one in there(group("i-1")) if one.operation not in kept]
    calls.remove(addresses(2))
    calls += [Call("ec2", "DescribeInstances", {"Reservations": []}), addresses(), *parameters(written=written)]
    looked_up = [replace(one, times=1) for one in LOOK_UPS]
    outcome = flow(FakeCluster(), *calls, *looked_up, check_mode=True, zone=ZONE, wait=wait)

    assert [one for one in planned(outcome) if " node " in one] == nodes


@pytest.mark.parametrize(
    ("minutes", "wait", "nodes"),
    [
        (6, True, ["update unjoined node i-1 (boot)"]),
        (6, False, []),  # nobody can be asked yet: left to a later run
        (4, True, []),  # made after the control plane, as in a first run
    ],
)
def test_a_run_that_was_killed_after_it_had_made_another_control_plane_is_gone_on_with(
    flow: Flow, minutes: int, wait: bool, nodes: list[str]
) -> None:
    new = {**INSTANCE, "LaunchTime": NOW - datetime.timedelta(minutes=5)}
    kept = ("DescribeInstances", "DescribeParameters", "ListTagsForResource", "GetParameter")
    calls = [one for one in there(group("i-1")) if one.operation not in kept]
    alive = [Call("ec2", "DescribeInstances", reservations(new, launched("i-1", minutes)))] if wait else []
    outcome = flow(
        FakeCluster(),
        Call("ec2", "DescribeInstances", reservations(new)),
        *calls,
        *parameters(written=False),
        Call("ssm", "GetParameter", {"Parameter": {"Value": "pending"}}, {"Name": "/kubernetes/one/admin"}),
        *alive,
        check_mode=True,
        wait=wait,
    )

    assert [one for one in planned(outcome) if " node " in one] == nodes


def test_without_the_right_to_see_what_nodes_have_told_the_last_one_is_known(flow: Flow) -> None:
    with_kubeconfig(flow)
    calls = [one for one in there(group("i-1")) if one.operation != "GetParameterHistory"]
    denied = Call("ssm", "GetParameterHistory", failure("AccessDeniedException"))
    outcome = flow(FakeCluster([node("i-0")]), *calls, denied, node_told(FAILED), check_mode=True)

    assert planned(outcome) == ["update unjoined node i-1 (boot)"]


def shrunk_in_part() -> dict[str, Any]:
    """A group that a run has begun to make smaller, and was killed before it had emptied a node."""
    return {**group("i-1", "i-2"), "MinSize": 1}


@pytest.mark.parametrize(
    ("given", "sentences"),
    [
        ({}, ["update node i-1 (leaving)"]),
        ({"node_count": 2}, ["update auto scaling group kubernetes-one-nodes (min_size)", "update node i-1 (leaving)"]),
        ({"node_count": 1}, ["update auto scaling group kubernetes-one-nodes (max_size, desired_count)"]),  # goes on
    ],
)
def test_a_node_that_was_to_go_and_stays_takes_pods_again(
    flow: Flow, given: dict[str, Any], sentences: list[str]
) -> None:
    with_kubeconfig(flow)
    cluster = FakeCluster([node("i-0"), node("i-1", leaving=True), node("i-2")])
    outcome = flow(cluster, *there(shrunk_in_part()), check_mode=True, **given)

    assert outcome.plan is not None
    assert outcome.plan.sentences() == sentences


def test_a_failure_of_an_instance_that_is_gone_is_nobodys(flow: Flow) -> None:
    with_kubeconfig(flow)
    outcome = flow(FakeCluster(UnreachableError("asked")), *there(group("i-2"), FAILED), check_mode=True)

    assert outcome.plan is not None
    assert not outcome.plan.changed


def test_without_waiting_one_look_is_taken(flow: Flow) -> None:
    with_kubeconfig(flow)
    silent = FakeCluster(UnreachableError("refused"))
    outcome = flow(silent, *there(group("i-1")), groups(group("i-1")), wait=False)

    assert [one["ready"] for one in outcome.result["nodes"]] == [False]


def with_strange_kubeconfig(flow: Flow, server: str) -> dict[str, Any]:
    """Entries of the cluster's name that somebody has written by hand."""
    with_kubeconfig(flow)
    document = load(flow.kubeconfig)
    del document["contexts"][0]["context"]["extensions"]
    document["clusters"][0]["cluster"]["server"] = server
    save(flow.kubeconfig, document)
    return document


def test_entries_of_its_name_that_lead_elsewhere_are_not_overwritten(flow: Flow) -> None:
    with_strange_kubeconfig(flow, "https://198.51.100.1:6443")
    calls = [one for one in there(group("i-1")) if one not in (PUBLISHED, told_ever())]
    without_document = [addresses() if one.operation == "DescribeAddresses" else one for one in calls]

    with pytest.raises(NotOursError, match=r"the context aws_one in .* leads to 198\.51\.100\.1"):
        flow(READY, *without_document, node_count=1)


def test_entries_that_lead_to_it_are_its_own_whoever_wrote_them(flow: Flow) -> None:
    with_strange_kubeconfig(flow, "https://192.0.2.9:6443")
    outcome = flow(READY, *there(group("i-1")), check_mode=True)

    assert outcome.plan is not None
    assert outcome.plan.sentences() == ["update kubeconfig aws_one (entry)"]


@pytest.mark.parametrize(("asked", "steps"), [(None, 0), (False, 0), (True, 1)])
def test_a_user_who_has_moved_to_another_cluster_is_moved_back_only_if_asked(
    flow: Flow, asked: bool | None, steps: int
) -> None:
    with_kubeconfig(flow)
    save(flow.kubeconfig, {**load(flow.kubeconfig), "current-context": "another"})
    outcome = flow(READY, *there(group("i-1")), check_mode=True, set_context=asked)

    assert len(planned(outcome)) == steps


# absent


def tag(resource: str, kind: str, part: str) -> list[dict[str, str]]:
    return [
        {"ResourceId": resource, "ResourceType": kind, **pair}
        for pair in marks(part)
        if pair["Key"].startswith("container.schedulers/")
    ]


MARKED = [
    *tag(VPC, "vpc", "vpc"),
    *tag(IGW, "internet-gateway", "internet-gateway"),
    *tag(SUBNET, "subnet", f"subnet-{ZONE}"),
    *(one for side in SIDES for one in tag(f"sg-{side}", "security-group", f"security-group-{side}")),
    *tag("lt-1", "launch-template", "launch-template"),
    *tag("i-0", "instance", "control-plane"),
    *tag("i-1", "instance", "instance"),
    *tag("vol-gone", "volume", "volume"),
]
NO_BALANCERS = [
    Call("elb", "DescribeLoadBalancers", {"LoadBalancerDescriptions": []}),
    Call("elbv2", "DescribeLoadBalancers", {"LoadBalancers": []}),
    Call("elbv2", "DescribeTargetGroups", {"TargetGroups": []}),
    Call("ec2", "DescribeSecurityGroups", {"SecurityGroups": []}, only("tag:kubernetes.io/cluster/one", "owned")),
]
DATA = {
    "VolumeId": "vol-1",
    "Size": 5,
    "AvailabilityZone": ZONE,
    "State": "available",
    "Tags": marks("claim", Name="data"),
}
ROOT = {"VolumeId": "vol-0", "Size": 30, "AvailabilityZone": ZONE, "State": "in-use", "Tags": marks("volume")}
BY_OWNER = only("tag:container.schedulers/owner", "kubernetes/one")
IDS = [
    Call("ec2", "DescribeVpcs", {"Vpcs": [{"VpcId": VPC}]}),
    Call("ec2", "DescribeInternetGateways", {"InternetGateways": [{"InternetGatewayId": IGW}]}),
    Call("ec2", "DescribeSubnets", {"Subnets": [{"SubnetId": SUBNET}]}),
    Call("ec2", "DescribeLaunchTemplates", {"LaunchTemplates": [{"LaunchTemplateId": "lt-1"}]}),
]
DEPARTING = [
    groups(group("i-1")),
    addresses(),
    *parameters(),
    *NO_BALANCERS,
    *identity(),
    Call("ec2", "DescribeSecurityGroups", {"SecurityGroups": security_groups()}, BY_OWNER, times=2),
    Call("ec2", "DescribeTags", {"Tags": MARKED}),
    *IDS,
    Call("ec2", "DescribeInstances", reservations(INSTANCE, WORKER), BY_OWNER),
    Call("ec2", "DescribeInstances", reservations(INSTANCE, WORKER), only("vpc-id", VPC)),
    Call("ec2", "DescribeVolumes", {"Volumes": [DATA, ROOT]}),
]


def planned(outcome: Outcome) -> list[str]:
    assert outcome.plan is not None
    return outcome.plan.sentences()


def test_what_would_go_begins_with_services_and_ends_with_roles(flow: Flow) -> None:
    with_kubeconfig(flow)
    cluster = FakeCluster()
    cluster.services = ["shop/web"]
    outcome = flow(cluster, *DEPARTING, PUBLISHED, addresses(), check_mode=True, state="absent")
    sentences = planned(outcome)

    assert sentences[0] == "delete cluster service shop/web"
    assert sentences[-1].startswith("delete role")
    assert sentences.index("delete vpc vpc-1") < sentences.index("delete kubeconfig aws_one")
    assert not [one for one in sentences if "vol-" in one or "data" in one or "i-1" in one]
    assert outcome.plan is not None
    assert outcome.plan.diff()["before"][f"subnet {SUBNET}"] == {"part": f"subnet-{ZONE}"}
    assert outcome.result["kept_volumes"] == [{"id": "vol-1", "name": "data", "size": 5, "zone": ZONE}]


def test_data_goes_only_if_it_is_said(flow: Flow) -> None:
    cluster = FakeCluster()
    cluster.volumes = ["shop/data"]
    sentences = planned(
        flow(cluster, *DEPARTING, PUBLISHED, addresses(), check_mode=True, state="absent", delete_data=True)
    )

    assert "delete volume data" in sentences
    assert "delete cluster claim shop/data" in sentences


def test_a_cluster_that_does_not_answer_is_taken_down_all_the_same(flow: Flow) -> None:
    pending = Call("ssm", "GetParameter", {"Parameter": {"Value": "pending"}})
    sentences = planned(flow(FakeCluster(), *DEPARTING, pending, addresses(), check_mode=True, state="absent"))

    assert "delete control plane i-0" in sentences
    assert "so load balancers are looked for by their tags" in flow.warnings[0]


def test_all_addresses_of_the_cluster_are_released_and_its_own_is_known(flow: Flow) -> None:
    """Two runs had allocated one each."""
    with_kubeconfig(flow)
    spare = {**ADDRESS, "AllocationId": "eipalloc-0", "PublicIp": "192.0.2.8"}
    spare.pop("InstanceId", None)
    both = Call("ec2", "DescribeAddresses", {"Addresses": [spare, {**ADDRESS, "InstanceId": "i-0"}]}, times=2)
    cluster = FakeCluster()
    cluster.services = ["shop/web"]
    calls = [one for one in DEPARTING if one.operation != "DescribeAddresses"]
    sentences = planned(flow(cluster, *calls, PUBLISHED, both, check_mode=True, state="absent"))

    assert [one for one in sentences if "address" in one] == ["delete address 192.0.2.9", "delete address 192.0.2.8"]
    assert sentences[0] == "delete cluster service shop/web"


def test_instances_of_others_in_the_network_are_an_error(flow: Flow) -> None:
    foreign = Call("ec2", "DescribeInstances", reservations(INSTANCE, {"InstanceId": "i-9"}), only("vpc-id", VPC))
    calls = [foreign if one is DEPARTING[-2] else one for one in DEPARTING[:-1]]

    with pytest.raises(ConflictError, match="instances that are not the cluster's: i-9"):
        flow(FakeCluster(), *calls, state="absent")


def test_an_instance_that_was_started_like_a_node_is_not_ended(flow: Flow) -> None:
    copied = [*MARKED, *tag("i-2", "instance", "instance")]
    calls = {
        "DescribeTags": Call("ec2", "DescribeTags", {"Tags": copied}),
        "DescribeInstances": Call(
            "ec2", "DescribeInstances", reservations(INSTANCE, WORKER, {**WORKER, "InstanceId": "i-2"}), BY_OWNER
        ),
    }
    looks = [calls.get(one.operation, one) for one in DEPARTING[:-2]]

    with pytest.raises(ConflictError, match=r"no auto scaling group has started: i-2\."):
        flow(FakeCluster(), *[one for one in looks if one not in NO_BALANCERS], DEPARTING[-2], state="absent")


def nothing() -> list[Call]:
    """Without a VPC, nobody is asked for load balancers."""
    return [
        Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": []}),
        Call("ec2", "DescribeTags", {"Tags": []}),
    ]


GONE = [
    *nothing(),
    Call("ec2", "DescribeAddresses", {"Addresses": []}),
    Call("ec2", "DescribeSecurityGroups", {"SecurityGroups": []}, BY_OWNER),
    Call("ssm", "DescribeParameters", {"Parameters": []}),
    Call("iam", "GetRole", failure("NoSuchEntity", status=404), times=2),
    Call("iam", "GetInstanceProfile", failure("NoSuchEntity", status=404), times=2),
]


def test_gone_twice_is_unchanged_and_names_what_was_kept(flow: Flow) -> None:
    outcome = flow(FakeCluster(), *GONE, Call("ec2", "DescribeVolumes", {"Volumes": [DATA]}), state="absent")

    assert planned(outcome) == []
    assert [one["id"] for one in outcome.result["kept_volumes"]] == ["vol-1"]


def test_entries_of_its_name_that_lead_elsewhere_stay(flow: Flow) -> None:
    document = with_strange_kubeconfig(flow, "https://198.51.100.1:6443")
    outcome = flow(FakeCluster(), *GONE, Call("ec2", "DescribeVolumes", {"Volumes": []}), state="absent")

    assert planned(outcome) == []
    assert load(flow.kubeconfig) == document


def test_data_that_was_kept_can_go_later(flow: Flow) -> None:
    calls = (
        *GONE,
        Call("ec2", "DescribeVolumes", {"Volumes": [DATA]}),
        Call("ec2", "DeleteVolume", {}, {"VolumeId": "vol-1"}),
        Call("ec2", "DescribeVolumes", failure("InvalidVolume.NotFound")),
        *nothing(),
    )

    assert planned(flow(FakeCluster(), *calls, state="absent", delete_data=True)) == ["delete volume data"]


OWNED = [{"Key": "kubernetes.io/cluster/one", "Value": "owned"}]
ARN = "arn:aws:elasticloadbalancing:eu-west-1:1:"
HALF_GONE = [
    *(one for one in GONE if one.operation != "DescribeTags"),
    Call("ec2", "DescribeTags", {"Tags": tag(VPC, "vpc", "vpc")}),
    IDS[0],
    Call("ec2", "DescribeInstances", {"Reservations": []}, only("vpc-id", VPC)),
    Call("ec2", "DescribeVolumes", {"Volumes": []}),
]
SECURITY = Call(
    "ec2",
    "DescribeSecurityGroups",
    {"SecurityGroups": [{"GroupId": "sg-9", "GroupName": "k8s-elb-a1"}]},
    {
        "Filters": [
            {"Name": "tag:kubernetes.io/cluster/one", "Values": ["owned"]},
            {"Name": "vpc-id", "Values": [VPC]},
        ]
    },
)


def balancers(vpc: str) -> list[Call]:
    """One of each kind, in this VPC."""
    return [
        Call("elb", "DescribeLoadBalancers", {"LoadBalancerDescriptions": [{"LoadBalancerName": "a1", "VPCId": vpc}]}),
        Call(
            "elbv2",
            "DescribeLoadBalancers",
            {"LoadBalancers": [{"LoadBalancerArn": f"{ARN}lb", "LoadBalancerName": "a2", "VpcId": vpc}]},
        ),
        Call(
            "elbv2",
            "DescribeTargetGroups",
            {"TargetGroups": [{"TargetGroupArn": f"{ARN}tg", "TargetGroupName": "a3", "VpcId": vpc}]},
        ),
    ]


def test_what_a_dead_cluster_has_left_of_its_services_is_found_by_its_tag(flow: Flow) -> None:
    calls = (
        *HALF_GONE,
        *balancers(VPC),
        Call("elb", "DescribeTags", {"TagDescriptions": [{"LoadBalancerName": "a1", "Tags": OWNED}]}),
        *(
            Call("elbv2", "DescribeTags", {"TagDescriptions": [{"ResourceArn": one, "Tags": OWNED}]}, only(one, ""))
            for one in (f"{ARN}lb", f"{ARN}tg")
        ),
        SECURITY,
    )

    assert planned(flow(FakeCluster(), *calls, check_mode=True, state="absent")) == [
        "delete service load balancer a2",
        "delete service classic load balancer a1",
        "delete service target group a3",
        "delete service security group k8s-elb-a1",
        "delete vpc vpc-1",
    ]


def test_load_balancers_of_a_cluster_of_the_same_name_in_another_network_stay(flow: Flow) -> None:
    look = [*balancers("vpc-of-eks"), Call("ec2", "DescribeSecurityGroups", {"SecurityGroups": []}, SECURITY.params)]
    calls = (*HALF_GONE, *look, Call("ec2", "DeleteVpc", {}, {"VpcId": VPC}), *nothing(), *look)

    assert planned(flow(FakeCluster(), *calls, state="absent")) == ["delete vpc vpc-1"]


def test_where_no_network_is_ours_no_load_balancer_is(flow: Flow) -> None:
    calls = (*GONE, Call("ec2", "DescribeVolumes", {"Volumes": []}))

    assert planned(flow(FakeCluster(), *calls, state="absent")) == []


def test_a_load_balancer_may_go_while_a_cluster_is_taken_down(flow: Flow) -> None:
    calls = (
        *HALF_GONE,
        balancers(VPC)[0],
        Call("elb", "DescribeTags", failure("LoadBalancerNotFound")),
        *NO_BALANCERS[1:],
    )

    assert planned(flow(FakeCluster(), *calls, check_mode=True, state="absent")) == ["delete vpc vpc-1"]


class Stubborn(FakeCluster):
    """Its load balancers do not go."""

    def delete_service(self, name: str, deadline: Deadline, pace: Pace) -> None:
        super().delete_service(name, deadline, pace)
        raise WaitTimeoutError("its load balancer is not gone yet")


def test_services_go_first_and_one_that_does_not_go_in_time_stops_nothing(flow: Flow) -> None:
    cluster = Stubborn()
    cluster.services, cluster.volumes = ["shop/web"], ["shop/data"]
    alive, ended = reservations(INSTANCE), reservations()
    calls = (
        *(one for one in GONE if one.operation not in ("DescribeTags", "DescribeAddresses")),
        Call("ec2", "DescribeTags", {"Tags": tag("i-0", "instance", "control-plane")}),
        Call("ec2", "DescribeInstances", alive, BY_OWNER),
        addresses(2),
        PUBLISHED,
        Call("ec2", "DescribeVolumes", {"Volumes": []}),
        Call("ec2", "TerminateInstances", {}, {"InstanceIds": ["i-0"]}),
        Call("ec2", "DescribeInstances", ended, BY_OWNER),
        Call("ec2", "ReleaseAddress", {}, {"AllocationId": "eipalloc-1"}),
        *nothing(),
    )
    sentences = planned(flow(cluster, *calls, state="absent", delete_data=True))

    assert sorted(cluster.done) == [("delete claim", "shop/data"), ("delete service", "shop/web")]
    assert sentences[-2:] == ["delete control plane i-0", "delete address 192.0.2.9"]


# info


def informed(monkeypatch: pytest.MonkeyPatch, *calls: Call, name: list[str] | None = None) -> list[dict[str, Any]]:
    with aws_for(monkeypatch, *calls) as aws:
        outcome = as_documented(cluster_info, cluster_info(Context({**params(), "name": name}, clock=aws.clock)))
    clusters: list[dict[str, Any]] = outcome.result["clusters"]
    return clusters


def test_clusters_are_known_by_their_instances(monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.dumps({"instance": "i-0", "state": "failed", "step": "install packages", "log": "x"})
    of_kops = {
        **WORKER,
        "Tags": [{"Key": "KubernetesCluster", "Value": "k"}, {"Key": "container.schedulers/owner", "Value": "o"}],
    }
    (cluster,) = informed(
        monkeypatch,
        Call("ec2", "DescribeInstances", reservations(WORKER, INSTANCE, of_kops)),
        Call("ssm", "GetParameter", {"Parameter": {"Value": told}}),
    )

    assert (cluster["name"], cluster["version"], cluster["vpc_id"]) == ("one", DEFAULTS.version, VPC)
    assert cluster["endpoint"] == "https://192.0.2.9:6443"
    assert cluster["boot"] == {"state": "failed", "step": "install packages"}
    assert cluster["control_plane"]["instance_id"] == "i-0"
    assert [one["instance_id"] for one in cluster["nodes"]] == ["i-1"]


def test_a_cluster_without_its_control_plane_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    (cluster,) = informed(
        monkeypatch,
        Call("ec2", "DescribeInstances", reservations(WORKER)),
        Call("ssm", "GetParameter", failure("ParameterNotFound")),
        name=["one"],
    )

    assert (cluster["endpoint"], cluster["control_plane"], cluster["boot"]["state"]) == (None, None, "pending")


def test_others_are_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert informed(monkeypatch, Call("ec2", "DescribeInstances", reservations(WORKER)), name=["two"]) == []
