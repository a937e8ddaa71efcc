# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole of the module on a scripted AWS: unchanged, check mode on nothing, made, and taken down."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws import (
    ecs_cluster,
    ecs_cluster_info,
    ecs_cluster_teardown,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.ec2 import NOT_ENDING
from ansible_collections.container.schedulers.plugins.module_utils._aws.ecs_app import Traces
from ansible_collections.container.schedulers.plugins.module_utils._aws.launch_templates import template_data
from ansible_collections.container.schedulers.plugins.module_utils._aws.user_data import ecs_user_data
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    ConflictError,
    InputError,
    PartialError,
)
from ansible_collections.container.schedulers.plugins.module_utils._module import Context, Outcome
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live
from unit.ecs_cluster import OWNER, PART, marks, params
from unit.plugins.module_utils.aws.test_load_balancer_v2 import GROUP as TARGET_GROUP
from unit.returned import as_documented
from unit.scripted import Call, ScriptedAws, failure, scripted

NAME, ROLE = "ecs-web-instances", "ecs-web-eu-west-1-instances"
ARN = "arn:aws:ecs:eu-west-1:123456789012:cluster/web"
BASE = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"


def named(tags: list[dict[str, str]], name: str) -> list[dict[str, str]]:
    return [*tags, {"Key": "Name", "Value": name}]


def subnet(zone: str, cidr: str) -> dict[str, Any]:
    return {
        "SubnetId": f"subnet-{zone[-1]}",
        "VpcId": "vpc-1",
        "CidrBlock": cidr,
        "AvailabilityZone": zone,
        "Tags": named(marks(f"subnet-{zone}"), f"ecs-web-{zone}"),
    }


TEMPLATE = {
    "image_id": "ami-1",
    "root_device": "/dev/xvda",
    "more_volumes": {},
    "instance_type": "t3.small",
    "profile": ROLE,
    "security_group_ids": ["sg-1"],
    "public_ip": True,
    "user_data": ecs_user_data("web"),
    "metadata_hops": 1,
    "encrypted": True,
    "instance_tags": {OWNER: "ecs/web", PART: "instance", "Name": "ecs-web"},
}
CLUSTER = {
    "clusterName": "web",
    "clusterArn": ARN,
    "status": "ACTIVE",
    "activeServicesCount": 0,
    "runningTasksCount": 0,
    "pendingTasksCount": 0,
    "tags": [{"key": OWNER, "value": "ecs/web"}, {"key": PART, "value": "cluster"}],
}
GROUP: dict[str, Any] = {
    "AutoScalingGroupName": NAME,
    "MinSize": 1,
    "MaxSize": 1,
    "DesiredCapacity": 1,
    "VPCZoneIdentifier": "subnet-b,subnet-a",
    "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "2"},
    "Tags": named(marks("auto-scaling-group"), "ecs-web"),
    "Instances": [
        {
            "InstanceId": "i-1",
            "AvailabilityZone": "eu-west-1a",
            "LifecycleState": "InService",
            "InstanceType": "t3.small",
            "LaunchTemplate": {"Version": "1"},
        }
    ],
}
MEMBER = {
    "ec2InstanceId": "i-1",
    "containerInstanceArn": "ci-1",
    "status": "ACTIVE",
    "agentConnected": True,
    "runningTasksCount": 1,
}
MEMBERS = (
    Call("ecs", "ListContainerInstances", {"containerInstanceArns": ["ci-1"]}),
    Call("ecs", "DescribeContainerInstances", {"containerInstances": [MEMBER]}),
)
DESCRIBED_GROUP = Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": [GROUP]})
THERE = (
    Call("ecs", "DescribeClusters", {"clusters": [CLUSTER]}),
    DESCRIBED_GROUP,
    Call(
        "ec2",
        "DescribeLaunchTemplateVersions",
        {
            "LaunchTemplateVersions": [
                {"LaunchTemplateId": "lt-1", "VersionNumber": 2, "LaunchTemplateData": template_data(TEMPLATE)}
            ]
        },
    ),
    Call("iam", "GetRole", {"Role": {"RoleName": ROLE, "CreateDate": None, "Tags": marks("role")}}),
    Call("iam", "ListAttachedRolePolicies", {"AttachedPolicies": [{"PolicyArn": BASE}]}),
    Call(
        "iam",
        "GetInstanceProfile",
        {"InstanceProfile": {"Roles": [{"RoleName": ROLE}], "Tags": marks("instance-profile")}},
    ),
    Call(
        "ec2",
        "DescribeSecurityGroups",
        {
            "SecurityGroups": [
                {
                    "GroupId": "sg-1",
                    "GroupName": NAME,
                    "VpcId": "vpc-1",
                    "Tags": named(marks("instance-security-group"), NAME),
                }
            ]
        },
    ),
    Call(
        "ec2",
        "DescribeVpcs",
        {"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "Tags": named(marks("vpc"), "ecs-web")}]},
    ),
    Call(
        "ec2",
        "DescribeRouteTables",
        {
            "RouteTables": [
                {
                    "RouteTableId": "rtb-1",
                    "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"}],
                }
            ]
        },
    ),
    Call(
        "ec2",
        "DescribeSubnets",
        {"Subnets": [subnet("eu-west-1a", "10.0.0.0/20"), subnet("eu-west-1b", "10.0.16.0/20")]},
    ),
)
NOTHING = (
    Call("ecs", "DescribeClusters", {"clusters": []}),
    Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": []}),
    Call("ec2", "DescribeLaunchTemplateVersions", failure("InvalidLaunchTemplateName.NotFoundException")),
    Call("iam", "GetRole", failure("NoSuchEntity")),
    Call("iam", "GetInstanceProfile", failure("NoSuchEntity")),
    Call("ec2", "DescribeSecurityGroups", {"SecurityGroups": []}),
    Call("ec2", "DescribeVpcs", {"Vpcs": []}),
    Call(
        "ec2",
        "DescribeInstanceTypeOfferings",
        {"InstanceTypeOfferings": [{"Location": "eu-west-1a"}, {"Location": "eu-west-1b"}]},
    ),
    Call("ssm", "GetParameter", {"Parameter": {"Value": "ami-1"}}),
)
MADE = (
    Call("ecs", "CreateCluster", {"cluster": CLUSTER}),
    Call("iam", "CreateRole", {"Role": {"CreateDate": None}}),
    Call("iam", "AttachRolePolicy"),
    Call("iam", "CreateInstanceProfile"),
    Call("iam", "AddRoleToInstanceProfile"),
    Call("ec2", "CreateVpc", {"Vpc": {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}}),
    Call("ec2", "DescribeVpcs", {"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}]}),  # the only one
    Call("ec2", "CreateInternetGateway", {"InternetGateway": {"InternetGatewayId": "igw-1"}}),
    Call("ec2", "AttachInternetGateway"),
    Call("ec2", "CreateSubnet", {"Subnet": subnet("eu-west-1a", "10.0.0.0/20")}, {"AvailabilityZone": "eu-west-1a"}),
    Call("ec2", "CreateSubnet", {"Subnet": subnet("eu-west-1b", "10.0.16.0/20")}, {"AvailabilityZone": "eu-west-1b"}),
    Call("ec2", "DescribeRouteTables", {"RouteTables": [{"RouteTableId": "rtb-1"}]}),
    Call("ec2", "CreateRoute"),
    Call("ec2", "CreateSecurityGroup", {"GroupId": "sg-1"}),
    Call("ec2", "CreateLaunchTemplate", {"LaunchTemplate": {"LaunchTemplateId": "lt-1", "LatestVersionNumber": 1}}),
    Call("autoscaling", "CreateAutoScalingGroup", params={"VPCZoneIdentifier": "subnet-a,subnet-b"}),
)


@pytest.fixture
def ensure(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module's function on a scripted AWS."""

    def run(aws: ScriptedAws, *, check_mode: bool = False, **given: Any) -> Outcome:
        for module in (ecs_cluster, ecs_cluster_teardown, ecs_cluster_info):
            monkeypatch.setattr(module, "Aws", lambda _connection: aws)
        context = Context(params(**given), check_mode=check_mode, clock=aws.clock)
        return as_documented(ecs_cluster.ensure, ecs_cluster.ensure(context))

    return run


def test_a_finished_cluster_takes_twelve_calls_and_no_write(ensure: Any) -> None:
    with scripted(*THERE, *MEMBERS) as aws:
        outcome = ensure(aws, instance_type="t3.small", desired_count=1)
        assert len(aws.made) == 12
    assert not outcome.plan.changed
    assert outcome.result["cluster"] == {
        "name": "web",
        "arn": ARN,
        "status": "ACTIVE",
        "desired_count": 1,
        "registered_count": 1,
    }
    assert outcome.result["network"]["subnet_ids"] == ["subnet-a", "subnet-b"]
    assert outcome.result["outdated_instances"] == ["i-1"]


@pytest.mark.parametrize("wait", [True, False])
def test_a_new_cluster_is_made_and_waited_for(ensure: Any, wait: bool) -> None:
    not_yet = Call("ecs", "ListContainerInstances", failure("ClusterNotFoundException"))
    none = Call("ecs", "ListContainerInstances", {"containerInstanceArns": []})
    after = (*MEMBERS, DESCRIBED_GROUP) if wait else (not_yet, none)
    with scripted(*NOTHING, *MADE, *after) as aws:
        outcome = ensure(aws, wait=wait)
    assert len(outcome.plan.steps) == 11
    assert outcome.result["launch_template"]["id"] == "lt-1"
    assert len(outcome.result["instances"]) == wait


def test_check_mode_on_nothing_only_reads(ensure: Any) -> None:
    with scripted(*NOTHING) as aws:
        outcome = ensure(aws, check_mode=True)
    assert outcome.plan.sentences()[0] == f"create role {ROLE}"
    assert outcome.result["cluster"]["arn"] is None


def test_a_template_that_was_changed_for_nothing_is_not_deployed(ensure: Any) -> None:
    """A run with another instance_type was killed, and the next one is about something else."""
    newest = template_data({**TEMPLATE, "instance_type": "t3.large"})
    versions = [
        Call("ec2", "DescribeLaunchTemplateVersions", {"LaunchTemplateVersions": [one]}, {"Versions": [asked]})
        for asked, one in {
            "$Latest": {"LaunchTemplateId": "lt-1", "VersionNumber": 3, "LaunchTemplateData": newest},
            "2": {"LaunchTemplateId": "lt-1", "VersionNumber": 2, "LaunchTemplateData": template_data(TEMPLATE)},
        }.items()
    ]
    there = [one for one in THERE if one.operation != "DescribeLaunchTemplateVersions"]
    with scripted(*there, *versions, *MEMBERS) as aws:
        outcome = ensure(aws, check_mode=True, desired_count=5)
    assert outcome.plan.sentences() == ["update auto scaling group ecs-web-instances (max_size, desired_count)"]


def test_check_mode_on_a_cluster_shows_its_instances(ensure: Any) -> None:
    with scripted(*THERE, *MEMBERS) as aws:
        outcome = ensure(aws, check_mode=True, replace_outdated=True)
    assert outcome.plan.sentences() == ["update instance i-1 (template_version)"]
    assert [one["instance_id"] for one in outcome.result["instances"]] == ["i-1"]


@pytest.mark.parametrize(
    ("given", "sentences"),
    [
        ({}, ["update instance i-1 (leaving)"]),
        ({"replace_outdated": True}, ["update instance i-1 (template_version, leaving)"]),
    ],
)
def test_an_instance_that_a_killed_run_has_drained_gets_tasks_again_or_goes(
    ensure: Any, given: dict[str, Any], sentences: list[str]
) -> None:
    tags = [*GROUP["Tags"], {"Key": "container.schedulers/leaving", "Value": "i-1"}]
    drained = Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": [{**GROUP, "Tags": tags}]})
    there = (drained if one is DESCRIBED_GROUP else one for one in THERE)
    with scripted(*there, *MEMBERS) as aws:
        outcome = ensure(aws, check_mode=True, **given)
    assert outcome.plan.sentences() == sentences


def test_bad_input_ends_before_the_first_call(ensure: Any) -> None:
    with scripted() as aws, pytest.raises(InputError):
        ensure(aws, min_size=2, max_size=1)


def test_a_wait_that_fails_says_what_was_made(ensure: Any) -> None:
    with (
        scripted(
            *NOTHING,
            *MADE,
            Call("ecs", "ListContainerInstances", {"containerInstanceArns": []}),
            Call("autoscaling", "DescribeScalingActivities", {"Activities": [{"StatusCode": "Failed"}]}),
        ) as aws,
        pytest.raises(PartialError) as caught,
    ):
        ensure(aws, wait_timeout=0)
    assert len(caught.value.details["steps_done"]) == 11
    assert caught.value.details["step_failed"] == "wait for the instances of cluster web"


def tags_of(**resources: str) -> list[dict[str, str]]:
    """Resources with our mark, and one of another cluster."""
    found = [{"ResourceId": "vpc-9", "ResourceType": "vpc", "Key": OWNER, "Value": "ecs/other"}]
    for resource, kind in resources.items():
        part = "instance-security-group" if resource == "sg_1" else "x"
        one = {"ResourceId": resource.replace("_", "-"), "ResourceType": kind}
        found += [{**one, "Key": OWNER, "Value": "ecs/web"}, {**one, "Key": PART, "Value": part}]
    return found


def tags(**resources: str) -> Call:
    return Call("ec2", "DescribeTags", {"Tags": tags_of(**resources)})


ALL = {
    "vpc_1": "vpc",
    "igw_1": "internet-gateway",
    "subnet_a": "subnet",
    "sg_1": "security-group",
    "sg_2": "security-group",
    "lt_1": "launch-template",
    "i_1": "instance",
    "vol_1": "volume",
}
NO_INSTANCES = Call("ec2", "DescribeInstances", {"Reservations": []})
NO_GROUP = Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": []})
NAMED = (THERE[0], DESCRIBED_GROUP, THERE[3], THERE[5])
DELETES = (
    Call("autoscaling", "DeleteAutoScalingGroup"),
    NO_INSTANCES,
    Call("ecs", "DeleteCluster"),
    Call("ec2", "DeleteLaunchTemplate", params={"LaunchTemplateId": "lt-1"}),
    Call("ec2", "DeleteSubnet", params={"SubnetId": "subnet-a"}),
    Call("ec2", "DeleteSecurityGroup", params={"GroupId": "sg-1"}),
    Call("ec2", "DeleteSecurityGroup", params={"GroupId": "sg-2"}),
    Call("ec2", "DetachInternetGateway", params={"VpcId": "vpc-1"}),
    Call("ec2", "DeleteInternetGateway"),
    Call("ec2", "DeleteVpc"),
    Call("iam", "RemoveRoleFromInstanceProfile"),
    Call("iam", "DeleteInstanceProfile"),
    Call("iam", "DetachRolePolicy"),
    Call("iam", "DeleteRole"),
)


@pytest.fixture(autouse=True)
def no_apps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apps have tests of their own."""
    monkeypatch.setattr(ecs_cluster_teardown, "trace_apps", lambda _run, _cluster: Traces())
    monkeypatch.setattr(ecs_cluster_teardown, "find_apps", lambda _run, _traces, _balancers: [])


def test_a_teardown_takes_all_that_has_the_mark(ensure: Any) -> None:
    with scripted(*NAMED, tags(**ALL), NO_INSTANCES, *DELETES, NO_GROUP, tags()) as aws:
        outcome = ensure(aws, state="absent")
        order = [operation for operation, _params in aws.made]
    assert order.index("delete_auto_scaling_group") < order.index("delete_cluster")
    assert order.index("delete_vpc") < order.index("delete_role")
    assert len(outcome.plan.steps) == 10
    assert outcome.result["cluster"]["arn"] is None


def test_a_teardown_in_check_mode_only_reads(ensure: Any) -> None:
    with scripted(*NAMED, tags(**ALL), NO_INSTANCES) as aws:
        assert ensure(aws, state="absent", check_mode=True).plan.changed


def test_instances_of_others_in_the_network_are_an_error(ensure: Any) -> None:
    in_vpc = {"Filters": [{"Name": "vpc-id", "Values": ["vpc-1"]}, NOT_ENDING]}
    theirs = {
        "Reservations": [{"Instances": [{"InstanceId": "i-9"}, {"InstanceId": "i-1", "Tags": marks("instance")}]}]
    }
    refused = pytest.raises(ConflictError, match=r"has instances that are not the cluster's: i-9\.")
    with refused, scripted(*NAMED, tags(**ALL), Call("ec2", "DescribeInstances", theirs, in_vpc)) as aws:
        ensure(aws, state="absent")


def marked_instance(*more: dict[str, str]) -> tuple[Call, Call]:
    """An instance with our mark that is no member of the group, and is there."""
    own = [{"Key": OWNER, "Value": "ecs/web"}, {"Key": PART, "Value": "instance"}, *more]
    found = [{"ResourceId": "i-2", "ResourceType": "instance", **pair} for pair in own]
    alive = {"Reservations": [{"Instances": [{"InstanceId": "i-2"}]}]}
    marked = Call("ec2", "DescribeTags", {"Tags": [*tags_of(**ALL), *found]})
    return marked, Call("ec2", "DescribeInstances", alive)


def test_an_instance_that_the_group_has_given_up_goes_too(ensure: Any) -> None:
    looks = marked_instance({"Key": "aws:autoscaling:groupName", "Value": "ecs-web-instances"})
    with scripted(*NAMED, *looks, NO_INSTANCES) as aws:
        assert "delete instance i-2" in ensure(aws, state="absent", check_mode=True).plan.sentences()


def test_an_instance_that_was_started_like_one_of_ours_is_not_ended(ensure: Any) -> None:
    """By hand, from our launch template for example: that gives it our tags, but none of EC2's own."""
    refused = pytest.raises(ConflictError, match=r"no auto scaling group has started: i-2\.")
    with refused, scripted(*NAMED, *marked_instance()) as aws:
        ensure(aws, state="absent")


GONE = (Call("ecs", "DescribeClusters", {"clusters": []}), NO_GROUP, *NOTHING[3:5])


def test_a_second_teardown_finds_tags_of_the_dead_and_changes_nothing(ensure: Any) -> None:
    looks = (
        Call("ec2", "DescribeVpcs", {"Vpcs": []}),
        Call("ec2", "DescribeInternetGateways", {"InternetGateways": []}),
        Call("ec2", "DescribeSubnets", {"Subnets": []}),
        Call("ec2", "DescribeSecurityGroups", {"SecurityGroups": []}),
        Call("ec2", "DescribeLaunchTemplates", {"LaunchTemplates": []}),
        NO_INSTANCES,
    )
    with scripted(*GONE, tags(**ALL), *looks) as aws:
        assert not ensure(aws, state="absent").plan.changed


def test_leftovers_without_a_cluster_are_removed(ensure: Any) -> None:
    alive = {"Reservations": [{"Instances": [{"InstanceId": "i-1"}]}]}
    with scripted(
        *GONE,
        tags(subnet_a="subnet", i_1="instance"),
        Call("ec2", "DescribeSubnets", {"Subnets": [{"SubnetId": "subnet-a"}]}),
        Call("ec2", "DescribeInstances", alive),
        Call("ec2", "TerminateInstances", params={"InstanceIds": ["i-1"]}),
        NO_INSTANCES,
        Call("ec2", "DeleteSubnet"),
        NO_GROUP,
        tags(i_1="instance"),
    ) as aws:
        assert ensure(aws, state="absent").plan.sentences() == ["delete instance i-1", "delete subnet subnet-a"]


def test_what_is_left_in_the_end_is_an_error_that_names_it(ensure: Any) -> None:
    with (
        scripted(
            *GONE,
            tags(subnet_a="subnet"),
            Call("ec2", "DescribeSubnets", {"Subnets": [{"SubnetId": "subnet-a"}]}, times=2),
            Call("ec2", "DeleteSubnet"),
            DESCRIBED_GROUP,
            tags(subnet_a="subnet"),
        ) as aws,
        pytest.raises(PartialError, match=f"subnet subnet-a, auto scaling group {NAME}"),
    ):
        ensure(aws, state="absent", wait_timeout=0)


def test_what_the_tagging_api_learns_of_later_is_named_in_the_end(ensure: Any) -> None:
    """The security group says that there was to be a load balancer; what goes with it was too new to be listed."""
    secured = [
        {"ResourceId": "sg-3", "ResourceType": "security-group", "Key": key, "Value": value}
        for key, value in ((OWNER, "ecs/web"), (PART, "load-balancer-security-group/late"))
    ]
    arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web-late/1"
    listed = {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": [{"Key": OWNER, "Value": "ecs/web"}]}]}
    late = {**TARGET_GROUP, "TargetGroupArn": arn, "TargetGroupName": "web-late", "LoadBalancerArns": []}
    looks = (
        Call("ec2", "DescribeTags", {"Tags": secured}),
        Call("ec2", "DescribeSecurityGroups", {"SecurityGroups": [{"GroupId": "sg-3"}]}),
        Call("ec2", "DeleteSecurityGroup"),
        NO_GROUP,
        tags(),
        Call("resourcegroupstaggingapi", "GetResources", listed),
        Call("elbv2", "DescribeTargetGroups", {"TargetGroups": [late]}),
        Call("elbv2", "DescribeTags", {"TagDescriptions": [{"ResourceArn": arn, "Tags": marks("target-group")}]}),
    )
    with scripted(*GONE, *looks) as aws, pytest.raises(PartialError, match="target group web-late"):
        ensure(aws, state="absent", wait_timeout=0)


def service(name: str) -> Live:
    return Live(f"service/{name}", "service", name, f"arn/{name}", {}, {"raw": {"serviceName": name}})


@pytest.mark.parametrize("force", [False, True])
def test_services_of_others_are_deleted_by_force_only(
    ensure: Any, monkeypatch: pytest.MonkeyPatch, force: bool
) -> None:
    monkeypatch.setattr(ecs_cluster_teardown, "find_apps", lambda _run, _traces, _balancers: [service("ours")])
    monkeypatch.setattr(
        ecs_cluster_teardown, "list_services", lambda _run, _cluster: [service("ours"), service("theirs")]
    )
    busy = Call("ecs", "DescribeClusters", {"clusters": [{**CLUSTER, "activeServicesCount": 2}]})
    with scripted(busy, NO_GROUP, *NOTHING[3:5], tags()) as aws:
        if force:
            plan = ensure(aws, state="absent", force=True, check_mode=True).plan
            assert {step.name for step in plan.steps} == {"ours", "theirs", "web"}
        else:
            with pytest.raises(ConflictError, match=r"did not make: theirs\. .*force: true"):
                ensure(aws, state="absent")


@pytest.mark.parametrize(
    ("force", "running", "group", "refused"),
    [
        (False, 1, "family:batch", True),
        (False, 1, "service:gone", False),  # one that was deleted by a run that was killed, and drains
        (True, 1, "family:batch", False),
        (False, 0, "", False),
    ],
)
def test_tasks_that_no_service_has_started_go_by_force_only(
    ensure: Any, monkeypatch: pytest.MonkeyPatch, force: bool, running: int, group: str, refused: bool
) -> None:
    """They are listed only if there are more than those of our services."""
    ours = Live("service/ours", "service", "ours", "arn/ours", {}, {"raw": {"runningCount": 2, "pendingCount": 1}})
    monkeypatch.setattr(ecs_cluster_teardown, "find_apps", lambda _run, _traces, _balancers: [ours])
    counts = {"activeServicesCount": 1, "runningTasksCount": 2 + running, "pendingTasksCount": 1}
    looks = [
        Call("ecs", "ListTasks", {"taskArns": ["arn:task/web/1", "arn:task/web/2"]}, {"cluster": "web"}),
        Call(
            "ecs",
            "DescribeTasks",
            {
                "tasks": [
                    {"taskArn": "arn:task/web/1", "group": "service:ours"},
                    {"taskArn": "arn:task/web/2", "group": group},
                ]
            },
        ),
    ]
    busy = Call("ecs", "DescribeClusters", {"clusters": [{**CLUSTER, **counts}]})
    with scripted(busy, NO_GROUP, *NOTHING[3:5], tags(), *(looks if running and not force else ())) as aws:
        if refused:
            with pytest.raises(ConflictError, match=r"no service has started: 2 \(family:batch\)\. .*force: true"):
                ensure(aws, state="absent")
        else:
            assert ensure(aws, state="absent", force=force, check_mode=True).plan.changed


@pytest.mark.parametrize(
    ("machine", "refused"),
    [("mi-0123", True), ("i-9", True), ("i-1", False), ("i-2", False)],  # external, theirs, of the group, replaced
)
def test_instances_of_others_are_deregistered_by_force_only(ensure: Any, machine: str, refused: bool) -> None:
    more = Call("ecs", "DescribeClusters", {"clusters": [{**CLUSTER, "registeredContainerInstancesCount": 3}]})
    described = {"containerInstances": [{"ec2InstanceId": machine}]}
    mine = [{"InstanceId": "i-2", "Tags": [{"Key": "container.schedulers/owner", "Value": "ecs/web"}]}]
    looks = [
        Call("ecs", "ListContainerInstances", {"containerInstanceArns": ["arn/1"]}),
        Call("ecs", "DescribeContainerInstances", described),
    ]
    if machine in ("i-9", "i-2"):
        found = [{"Instances": mine}] if machine == "i-2" else []
        looks.append(Call("ec2", "DescribeInstances", {"Reservations": found}))
    with scripted(more, DESCRIBED_GROUP, *NOTHING[3:5], tags(), *looks) as aws:
        if refused:
            with pytest.raises(ConflictError, match=rf"did not make: {machine}\. .*force: true"):
                ensure(aws, state="absent", check_mode=True)
        else:
            ensure(aws, state="absent", check_mode=True)


def test_info_lists_clusters_with_their_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = {
        "InstanceId": "i-1",
        "InstanceType": "t3.small",
        "ImageId": "ami-1",
        "Placement": {"AvailabilityZone": "eu-west-1a"},
        "PrivateIpAddress": "10.0.0.4",
        "PublicIpAddress": "203.0.113.4",
    }
    with scripted(
        Call("ecs", "ListClusters", {"clusterArns": [ARN]}),
        Call(
            "ecs",
            "DescribeClusters",
            {"clusters": [{**CLUSTER, "runningTasksCount": 1}, {**CLUSTER, "status": "INACTIVE"}]},
        ),
        *MEMBERS,
        Call("ec2", "DescribeInstances", {"Reservations": [{"Instances": [machine]}]}),
    ) as aws:
        monkeypatch.setattr(ecs_cluster_info, "Aws", lambda _connection: aws)
        found = ecs_cluster_info.cluster_info(Context(params(name=None)))
    assert found.plan is None
    (cluster,) = found.result["clusters"]
    assert (cluster["owner"], cluster["running_tasks"]) == ("ecs/web", 1)
    assert cluster["instances"][0]["public_ip"] == "203.0.113.4"


def test_info_of_a_cluster_that_goes_away_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(
        Call("ecs", "DescribeClusters", {"clusters": [{**CLUSTER, "tags": []}]}, {"clusters": ["web"]}),
        Call("ecs", "ListContainerInstances", failure("ClusterNotFoundException")),
    ) as aws:
        monkeypatch.setattr(ecs_cluster_info, "Aws", lambda _connection: aws)
        found = ecs_cluster_info.cluster_info(Context(params(name=["web"])))
    assert found.result["clusters"][0]["owner"] is None
    assert found.result["clusters"][0]["instances"] == []


def test_info_of_nothing_is_an_empty_list(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(Call("ecs", "ListClusters", {"clusterArns": []})) as aws:
        monkeypatch.setattr(ecs_cluster_info, "Aws", lambda _connection: aws)
        assert ecs_cluster_info.cluster_info(Context(params(name=None))).result == {"clusters": []}
