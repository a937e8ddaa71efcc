# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left in AWS: every kind, to the last page, without what is gone already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws import leftovers_ec2, prices
from ansible_collections.container.schedulers.plugins.module_utils._aws.leftovers import places
from ansible_collections.container.schedulers.plugins.module_utils._aws.leftovers_services import is_marked
from ansible_collections.container.schedulers.plugins.module_utils._aws.leftovers_tagged import Named
from ansible_collections.container.schedulers.plugins.module_utils._leftovers import Leftover, State, look
from ansible_collections.container.schedulers.plugins.module_utils._ownership import OWNER
from unit.scripted import Call, failure, scripted

MINE = [{"Key": OWNER, "Value": "ecs/web"}]
LOWER = ({"key": OWNER, "value": "ecs/web"},)
ANY = {"Filters": [{"Name": "tag-key", "Values": [OWNER]}]}
ARN = "arn:aws:{}:eu-west-1:123456789012:{}"


def found_in(place: str, *calls: Call, owner: str = "") -> list[Leftover]:
    with scripted(*calls) as aws:
        answered = list(places(aws, owner)[place].find())
    found = [one for one in answered if isinstance(one, Leftover)]
    assert found == answered  # nothing was refused
    return found


def summary(found: list[Leftover]) -> list[tuple[str, str, str, float | None]]:
    return [(one.kind, one.id, one.state.name, one.state.monthly_cost) for one in found]


def tagged(*resources: tuple[str, str], **answer: Any) -> Call:
    tags = [{"ResourceId": one, "ResourceType": kind, "Key": OWNER, "Value": "ecs/web"} for one, kind in resources]
    return Call("ec2", "DescribeTags", {"Tags": tags, **answer})


# EC2


def test_an_empty_account_costs_one_call() -> None:
    assert found_in("ec2", tagged()) == []


def test_only_kinds_with_a_mark_are_looked_at_and_tags_of_what_is_gone_are_not_believed() -> None:
    found = found_in(
        "ec2",
        tagged(("vpc-1", "vpc"), ("vpc-gone", "vpc"), NextToken="more"),
        Call(
            "ec2",
            "DescribeTags",
            {"Tags": [{"ResourceId": "vol-1", "ResourceType": "volume", "Key": OWNER, "Value": "ecs/web"}]},
            {"NextToken": "more"},
        ),
        Call("ec2", "DescribeVpcs", {"Vpcs": [{"VpcId": "vpc-1", "State": "available", "Tags": MINE}]}, ANY),
        Call(
            "ec2",
            "DescribeVolumes",
            {"Volumes": [{"VolumeId": "vol-1", "State": "available", "Size": 20, "VolumeType": "gp3", "Tags": MINE}]},
            ANY,
        ),
    )
    assert summary(found) == [("volume", "vol-1", "available", 1.76), ("vpc", "vpc-1", "available", 0.0)]
    assert found[0].tags == {OWNER: "ecs/web"}


@pytest.mark.parametrize("kind", sorted(leftovers_ec2.KINDS))
def test_every_kind_can_be_asked_for(kind: str) -> None:
    one = leftovers_ec2.KINDS[kind]
    assert found_in("ec2", tagged(("x", kind)), Call("ec2", one.operation, {one.items: []})) == []


def test_a_kind_that_refuses_hides_no_other() -> None:
    denied = failure("UnauthorizedOperation", "You are not authorized: ec2:DescribeNatGateways", 403)
    with scripted(
        tagged(("vpc-1", "vpc"), ("nat-1", "natgateway")),
        Call("ec2", "DescribeNatGateways", denied),
        Call("ec2", "DescribeVpcs", {"Vpcs": [{"VpcId": "vpc-1", "State": "available", "Tags": MINE}]}),
    ) as aws:
        report = look({"ec2": places(aws, "")["ec2"]}).to_result()
    assert [one["id"] for one in report["leftovers"]] == ["vpc-1"]
    assert [one["kinds"] for one in report["could_not_look"]] == [["nat_gateway"]]
    assert "ec2:DescribeNatGateways" in report["could_not_look"][0]["why"]
    assert "volume" in report["looked_at"]
    assert "nat_gateway" not in report["looked_at"]


def test_one_owner_only() -> None:
    mine = {"Filters": [{"Name": f"tag:{OWNER}", "Values": ["ecs/web"]}]}
    tags = tagged(("eni-1", "network-interface"))
    filters = {"Filters": [{"Name": "key", "Values": [OWNER]}, {"Name": "value", "Values": ["ecs/web"]}]}
    found = found_in(
        "ec2",
        Call("ec2", "DescribeTags", tags.answer, filters),
        Call(
            "ec2",
            "DescribeNetworkInterfaces",
            {"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1", "Status": "in-use", "TagSet": MINE}]},
            mine,
        ),
        owner="ecs/web",
    )
    assert summary(found) == [("network_interface", "eni-1", "in-use", 0.0)]
    assert found[0].tags == {OWNER: "ecs/web"}


def test_a_kind_that_nobody_knows_yet_is_told_all_the_same() -> None:
    found = found_in("ec2", tagged(("vpce-1", "vpc-endpoint"), ("sgr-1", "security-group-rule")))
    assert summary(found) == [("vpc_endpoint", "vpce-1", "unknown", None)]


def test_instances_of_all_reservations() -> None:
    def instance(identifier: str, state: str) -> dict[str, Any]:
        return {"InstanceId": identifier, "State": {"Name": state}, "InstanceType": "t3.small", "Tags": MINE}

    pages = [[instance("i-1", "running"), instance("i-2", "terminated")], [instance("i-3", "stopped")]]
    answer = {"Reservations": [{"Instances": one} for one in pages]}
    found = found_in("ec2", tagged(("i-1", "instance")), Call("ec2", "DescribeInstances", answer))
    assert summary(found) == [("instance", "i-1", "running", 16.64), ("instance", "i-3", "stopped", 0.0)]


def with_address(owner: str) -> dict[str, Any]:
    return {
        "State": {"Name": "running"},
        "InstanceType": "t3.small",
        "NetworkInterfaces": [{"Association": {"IpOwnerId": owner}}],
    }


@pytest.mark.parametrize(
    ("judge", "item", "state"),
    [
        (leftovers_ec2.instance_state, with_address("amazon"), State("running", "a t3.small that is running", 20.29)),
        (
            leftovers_ec2.instance_state,
            with_address("123456789012"),
            State("running", "a t3.small that is running", 16.64),
        ),
        (
            leftovers_ec2.instance_state,
            {"State": {"Name": "pending"}, "InstanceType": "x9.mega"},
            State("pending", "a x9.mega that is pending", None),
        ),
        (leftovers_ec2.volume_state, {"State": "deleting"}, None),
        (
            leftovers_ec2.volume_state,
            {"State": "in-use", "Size": 8, "VolumeType": "io9", "Attachments": [{"InstanceId": "i-1"}]},
            State("in-use", "8 GiB of io9, attached to i-1", None),
        ),
        (
            leftovers_ec2.snapshot_state,
            {"State": "completed", "VolumeSize": 10},
            State("completed", "of a volume of 10 GiB", 0.5),
        ),
        (
            leftovers_ec2.address_state,
            {"PublicIp": "192.0.2.1"},
            State("not associated", "192.0.2.1, used by nothing", 3.65),
        ),
        (
            leftovers_ec2.address_state,
            {"PublicIp": "192.0.2.1", "AssociationId": "a", "NetworkInterfaceId": "eni-1"},
            State("associated", "192.0.2.1, used by eni-1", 3.65),
        ),
        (leftovers_ec2.nat_gateway_state, {"State": "deleted"}, None),
        (leftovers_ec2.nat_gateway_state, {"State": "available"}, State("available", "paid for by the hour", 35.04)),
    ],
)
def test_how_things_are(judge: Any, item: Mapping[str, Any], state: State | None) -> None:
    assert judge(item) == state


# services


def test_auto_scaling_groups() -> None:
    group = {"AutoScalingGroupName": "g", "DesiredCapacity": 2, "Tags": MINE, "Status": "Delete in progress"}
    found = found_in(
        "autoscaling",
        Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": [group], "NextToken": "n"}, ANY),
        Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": []}, {**ANY, "NextToken": "n"}),
    )
    assert summary(found) == [("auto_scaling_group", "g", "delete in progress", 0.0)]


@pytest.mark.parametrize(("word", "kind"), [("Role", "role"), ("InstanceProfile", "instance_profile")])
def test_iam_is_asked_for_tags_of_what_is_named_like_ours(word: str, kind: str) -> None:
    def listed(*names: str, **answer: Any) -> dict[str, Any]:
        return {f"{word}s": [{f"{word}Name": name} for name in names], **answer}

    def asked(name: str, tags: Any) -> Call:
        return Call("iam", f"Get{word}", {word: {"Arn": f"arn:{name}", "Tags": tags}}, {f"{word}Name": name})

    found = found_in(
        f"{kind.replace('_', ' ')}s",
        Call("iam", f"List{word}s", listed("AWSServiceRoleForECS", "ecs-a", IsTruncated=True, Marker="m")),
        Call("iam", f"List{word}s", listed("ecs-b", "ecs-c", IsTruncated=False), {"Marker": "m"}),
        asked("ecs-a", MINE),
        asked("ecs-b", []),
        asked("ecs-c", [{"Key": "a", "Value": "b"}]),
    )
    assert summary(found) == [(kind, "arn:ecs-a", "available", 0.0)]
    assert (found[0].name, found[0].region) == ("ecs-a", "global")


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        ("ecs/web", ["ecs-web-eu-west-1-instances"]),
        ("kubernetes/web", ["kubernetes-web-eu-west-1-control-plane", "kubernetes-web-eu-west-1-nodes"]),
        ("rancher/1a5", []),
    ],
)
def test_roles_of_a_cluster_of_the_same_name_in_another_region_are_in_use(owner: str, names: list[str]) -> None:
    there = [f"{one}-{region}" for one in ("ecs-web", "kubernetes-web") for region in ("eu-west-1", "us-east-1")]
    roles = [f"{one}-{what}" for one in there for what in ("instances", "control-plane", "nodes")]
    tags = [{"Key": OWNER, "Value": owner}]
    found = found_in(
        "roles",
        Call("iam", "ListRoles", {"Roles": [{"RoleName": one} for one in roles]}),
        *(Call("iam", "GetRole", {"Role": {"Arn": f"arn:{one}", "Tags": tags}}, {"RoleName": one}) for one in names),
        owner=owner,
    )

    assert [one.name for one in found] == names


def cluster(name: str, status: str = "ACTIVE", tags: Any = LOWER) -> dict[str, Any]:
    arn = ARN.format("ecs", f"cluster/{name}")
    return {
        "clusterArn": arn,
        "clusterName": name,
        "status": status,
        "registeredContainerInstancesCount": 2,
        "tags": tags,
    }


def service(name: str, status: str = "ACTIVE", tags: Any = LOWER) -> dict[str, Any]:
    return {
        "serviceArn": f"arn:{name}",
        "serviceName": name,
        "status": status,
        "tags": tags,
        "desiredCount": 3,
        "runningCount": 1,
    }


def test_clusters_and_their_services() -> None:
    services = [service("a"), service("b", "DRAINING"), service("c", "INACTIVE"), service("d", tags=[])]
    found = found_in(
        "ecs",
        Call("ecs", "ListClusters", {"clusterArns": ["1", "2", "3"]}),
        Call(
            "ecs",
            "DescribeClusters",
            {"clusters": [cluster("web"), cluster("gone", "INACTIVE"), cluster("foreign", tags=[])]},
            {"clusters": ["1", "2", "3"], "include": ["TAGS"]},
        ),
        Call("ecs", "ListServices", {"serviceArns": [str(one) for one in range(14)]}),
        Call("ecs", "DescribeServices", {"services": services}, lambda params: len(params["services"]) == 10),
        Call("ecs", "DescribeServices", {"services": []}, lambda params: len(params["services"]) == 4),
    )
    assert [(one.kind, one.name, one.state) for one in found] == [
        ("cluster", "web", State("active", "has 2 instances")),
        ("service", "a", State("active", "wants 3 tasks, has 1")),
        ("service", "b", State("draining", "wants 3 tasks, has 1")),
    ]


@pytest.mark.parametrize("kind", ["Role", "InstanceProfile"])
def test_what_iam_still_lists_and_does_not_find_is_gone(kind: str) -> None:
    listed = {f"{kind}s": [{f"{kind}Name": name} for name in ("ecs-gone", "ecs-there")], "IsTruncated": False}
    gone = failure("NoSuchEntity", "The role with name ecs-gone cannot be found.", 404)
    found = found_in(
        "roles" if kind == "Role" else "instance profiles",
        Call("iam", f"List{kind}s", listed),
        Call("iam", f"Get{kind}", gone, {f"{kind}Name": "ecs-gone"}),
        Call("iam", f"Get{kind}", {kind: {"Arn": "arn:there", "Tags": MINE}}, {f"{kind}Name": "ecs-there"}),
    )
    assert [one.id for one in found] == ["arn:there"]


@pytest.mark.parametrize("goes", ["ListServices", "DescribeServices"])
def test_a_cluster_that_goes_between_two_calls_hides_no_other(goes: str) -> None:
    missing = failure("ClusterNotFoundException", "Cluster not found.")
    calls = {
        "ListServices": Call("ecs", "ListServices", {"serviceArns": ["s"]}),
        "DescribeServices": Call("ecs", "DescribeServices", {"services": []}),
    }
    calls[goes] = Call("ecs", goes, missing)
    found = found_in(
        "ecs",
        Call("ecs", "ListClusters", {"clusterArns": ["1"]}),
        Call("ecs", "DescribeClusters", {"clusters": [cluster("web")]}),
        *list(calls.values())[: 1 if goes == "ListServices" else 2],
    )
    assert [one.name for one in found] == ["web"]


def test_classic_load_balancers_are_asked_for_tags_twenty_at_once() -> None:
    names = [f"lb-{number}" for number in range(21)]
    tags = [{"LoadBalancerName": name, "Tags": MINE if name == "lb-20" else []} for name in names]
    found = found_in(
        "classic load balancers",
        Call(
            "elb", "DescribeLoadBalancers", {"LoadBalancerDescriptions": [{"LoadBalancerName": one} for one in names]}
        ),
        Call("elb", "DescribeTags", {"TagDescriptions": tags[:20]}, {"LoadBalancerNames": names[:20]}),
        Call("elb", "DescribeTags", {"TagDescriptions": tags[20:]}, {"LoadBalancerNames": names[20:]}),
    )
    assert summary(found) == [("classic_load_balancer", "lb-20", "active", 20.44)]


@pytest.mark.parametrize(("kind", "cost"), [("application", 18.4), ("network", 18.4), ("gateway", None)])
def test_load_balancers(kind: str, cost: float | None) -> None:
    balancer = {"LoadBalancerArn": "arn:1", "LoadBalancerName": "lb", "Type": kind, "State": {"Code": "active"}}
    found = found_in(
        "load balancers",
        Call("elbv2", "DescribeLoadBalancers", {"LoadBalancers": [balancer]}),
        Call("elbv2", "DescribeTags", {"TagDescriptions": [{"ResourceArn": "arn:1", "Tags": MINE}]}),
    )
    assert summary(found) == [("load_balancer", "arn:1", "active", cost)]


def test_target_groups() -> None:
    groups = [{"TargetGroupArn": one, "TargetGroupName": one} for one in ("arn:1", "arn:2")]
    tags = [{"ResourceArn": "arn:1", "Tags": MINE}, {"ResourceArn": "arn:2", "Tags": []}]
    found = found_in(
        "target groups",
        Call("elbv2", "DescribeTargetGroups", {"TargetGroups": groups}),
        Call("elbv2", "DescribeTags", {"TagDescriptions": tags}),
    )
    assert summary(found) == [("target_group", "arn:1", "available", 0.0)]


def test_a_load_balancer_that_goes_between_two_calls_hides_no_other() -> None:
    balancers = [{"LoadBalancerName": one} for one in ("gone", "a")]
    tags = [{"LoadBalancerName": "a", "Tags": MINE}]
    found = found_in(
        "classic load balancers",
        Call("elb", "DescribeLoadBalancers", {"LoadBalancerDescriptions": balancers}),
        Call("elb", "DescribeTags", failure("LoadBalancerNotFound"), {"LoadBalancerNames": ["gone", "a"]}),
        Call("elb", "DescribeTags", failure("LoadBalancerNotFound"), {"LoadBalancerNames": ["gone"]}),
        Call("elb", "DescribeTags", {"TagDescriptions": tags}, {"LoadBalancerNames": ["a"]}),
    )

    assert [one.id for one in found] == ["a"]


# the tagging API


@pytest.mark.parametrize(
    ("arn", "parts", "elsewhere"),
    [
        (ARN.format("ec2", "volume/vol-1"), ("ec2", "volume", "vol-1"), True),
        (ARN.format("ecs", "cluster/web"), ("ecs", "cluster", "web"), True),
        (ARN.format("ecs", "service/web/shop"), ("ecs", "service", "web/shop"), False),
        (ARN.format("ecs", "task-definition/shop:3"), ("ecs", "task-definition", "shop:3"), False),
        (ARN.format("logs", "log-group:/ecs/web/shop:*"), ("logs", "log-group", "/ecs/web/shop"), False),
        (ARN.format("elasticloadbalancing", "loadbalancer/lb"), ("elasticloadbalancing", "loadbalancer", "lb"), True),
        ("arn:aws:s3:::bucket", ("s3", "", "bucket"), False),
        ("arn:aws:iam::123456789012:instance-profile/p", ("iam", "instance-profile", "p"), True),
        ("arn:aws:iam::123456789012:policy/p", ("iam", "policy", "p"), False),
        (ARN.format("sns", "topic"), ("sns", "", "topic"), False),
    ],
)
def test_parts_of_an_arn(arn: str, parts: tuple[str, str, str], elsewhere: bool) -> None:
    named = Named.of(arn, {})
    assert (named.service, named.kind, named.name) == parts
    assert named.asked_elsewhere() is elsewhere


def named(*arns: str, token: str = "") -> Call:
    answer = {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": MINE} for arn in arns], "PaginationToken": token}
    return Call("resourcegroupstaggingapi", "GetResources", answer)


def test_what_the_tagging_api_names_is_looked_at_and_what_is_gone_is_not_told() -> None:
    definitions = [ARN.format("ecs", f"task-definition/shop:{number}") for number in range(1, 5)]
    targets = [ARN.format("application-autoscaling", f"scalable-target/{number}") for number in (1, 2)]
    logs = [ARN.format("logs", f"log-group:/ecs/web/{name}") for name in ("shop", "gone")]
    services = [ARN.format("ecs", f"service/{name}") for name in ("other/shop", "other/gone", "gone/mail")]

    def definition(number: int, answer: Any) -> Call:
        return Call("ecs", "DescribeTaskDefinition", answer, {"taskDefinition": definitions[number]})

    group = {"logGroupName": "/ecs/web/shop", "storedBytes": 5}
    found = found_in(
        "tagging",
        named(*definitions, *targets, token="t"),
        named(*logs, *services, "arn:aws:s3:::bucket", ARN.format("ec2", "vpc/vpc-1")),
        definition(0, {"taskDefinition": {"status": "ACTIVE"}}),
        definition(1, {"taskDefinition": {"status": "INACTIVE"}}),
        definition(2, {"taskDefinition": {"status": "DELETE_IN_PROGRESS"}}),
        definition(3, failure("ClientException", "Unable to describe task definition.")),
        Call(
            "application-autoscaling",
            "DescribeScalableTargets",
            {"ScalableTargets": [{"ScalableTargetARN": targets[0], "ResourceId": "service/web/shop"}]},
        ),
        Call(
            "logs",
            "DescribeLogGroups",
            {"logGroups": [{"logGroupName": "/ecs/web/shopping"}, group]},
            {"logGroupNamePrefix": "/ecs/web/shop"},
        ),
        Call("logs", "DescribeLogGroups", {"logGroups": []}, {"logGroupNamePrefix": "/ecs/web/gone"}),
        Call(
            "ecs",
            "DescribeServices",
            {"services": [service("shop", "DRAINING")]},
            {"cluster": "other", "services": services[:2]},
        ),
        Call("ecs", "DescribeServices", failure("ClusterNotFoundException"), {"cluster": "gone"}),
    )
    assert summary(found) == [
        ("task_definition", definitions[0], "active", 0.0),
        ("task_definition", definitions[1], "inactive", 0.0),
        ("service_scaling", targets[0], "registered", 0.0),
        ("log_group", logs[0], "available", None),
        ("service", services[0], "draining", 0.0),
        ("s3", "arn:aws:s3:::bucket", "unknown", None),
    ]


def test_services_are_asked_about_ten_at_a_time() -> None:
    services = {f"app-{number}": ARN.format("ecs", f"service/other/app-{number}") for number in range(12)}
    batches = [list(services)[:10], list(services)[10:]]
    answers = [
        Call(
            "ecs",
            "DescribeServices",
            {"services": [service(name, "ACTIVE") for name in batch]},
            {"services": [services[name] for name in batch]},
        )
        for batch in batches
    ]
    found = found_in("tagging", named(*services.values()), *answers)
    assert [one.id for one in found] == [*services.values()]


def test_a_service_that_refuses_hides_nothing_else_that_the_tagging_api_names() -> None:
    logs = [ARN.format("logs", f"log-group:/ecs/web/{name}") for name in ("shop", "mail")]
    definition = ARN.format("ecs", "task-definition/shop:1")
    with scripted(
        named(*logs, definition),
        Call("logs", "DescribeLogGroups", failure("AccessDeniedException", "not authorized", 400), times=2),
        Call("ecs", "DescribeTaskDefinition", {"taskDefinition": {"status": "ACTIVE"}}),
    ) as aws:
        report = look({"tagging": places(aws, "")["tagging"]}).to_result()
    assert [one["id"] for one in report["leftovers"]] == [definition]
    assert [one["kinds"] for one in report["could_not_look"]] == [["log_group"]]
    assert "log_group" not in report["looked_at"]
    assert "parameter" in report["looked_at"]


@pytest.mark.parametrize(
    ("owner", "filters"), [("", {"Key": OWNER}), ("ecs/web", {"Key": OWNER, "Values": ["ecs/web"]})]
)
def test_the_tagging_api_is_asked_for_the_owner(owner: str, filters: dict[str, Any]) -> None:
    call = Call("resourcegroupstaggingapi", "GetResources", {"ResourceTagMappingList": []}, {"TagFilters": [filters]})
    assert found_in("tagging", call, owner=owner) == []


# what controllers of Kubernetes clusters have left

CLUSTER = [{"Key": "kubernetes.io/cluster/one", "Value": "owned"}]
OTHER = [{"Key": "kubernetes.io/cluster/other", "Value": "owned"}]
VPCS = Call("ec2", "DescribeVpcs", {"Vpcs": [{"VpcId": "vpc-1", "Tags": [{"Key": OWNER, "Value": "kubernetes/one"}]}]})
NETWORKS = {"a": "vpc-1", "b": "vpc-1", "c": "vpc-1", "of another cluster called one": "vpc-2"}
SERVICES = (
    Call(
        "elb",
        "DescribeLoadBalancers",
        {"LoadBalancerDescriptions": [{"LoadBalancerName": name, "VPCId": vpc} for name, vpc in NETWORKS.items()]},
    ),
    Call(
        "elb",
        "DescribeTags",
        {
            "TagDescriptions": [
                {"LoadBalancerName": "a", "Tags": CLUSTER},
                {"LoadBalancerName": "b", "Tags": OTHER},
                {"LoadBalancerName": "c", "Tags": []},
            ]
        },
        {"LoadBalancerNames": ["a", "b", "c"]},
    ),
    Call(
        "elbv2",
        "DescribeLoadBalancers",
        {"LoadBalancers": [{"LoadBalancerArn": "arn", "LoadBalancerName": "d", "VpcId": "vpc-1"}]},
    ),
    Call("elbv2", "DescribeTags", {"TagDescriptions": [{"ResourceArn": "arn", "Tags": CLUSTER}]}),
    Call("elbv2", "DescribeTargetGroups", {"TargetGroups": []}),
    Call(
        "ec2",
        "DescribeSecurityGroups",
        {"SecurityGroups": [{"GroupId": "sg-1", "GroupName": "k8s-elb-a"}, {"GroupId": "sg-2", "GroupName": "ours"}]},
        {
            "Filters": [
                {"Name": "tag:kubernetes.io/cluster/one", "Values": ["owned"]},
                {"Name": "vpc-id", "Values": ["vpc-1"]},
            ]
        },
    ),
)
LEFT = [
    ("classic_load_balancer", "a", "active", 20.44),
    ("load_balancer", "arn", "active", 18.4),
    ("security_group", "sg-1", "active", 0.0),
]


def test_what_services_of_a_cluster_have_left_is_found_by_the_tag_of_its_controllers() -> None:
    found = found_in("services of kubernetes clusters", VPCS, *SERVICES, owner="kubernetes/one")

    assert summary(found) == LEFT
    assert {one.tags[OWNER] for one in found} == {"kubernetes/one"}


def test_without_an_owner_the_clusters_are_found_by_the_marks_of_their_networks() -> None:
    filters = {"Filters": [{"Name": f"tag:{OWNER}", "Values": ["kubernetes/*"]}]}
    vpcs = Call("ec2", "DescribeVpcs", VPCS.answer, filters)

    assert summary(found_in("services of kubernetes clusters", vpcs, *SERVICES)) == LEFT


def test_a_cluster_without_a_network_has_no_services() -> None:
    none = Call("ec2", "DescribeVpcs", {"Vpcs": []})

    assert found_in("services of kubernetes clusters", none, owner="kubernetes/one") == []


def test_another_scheduler_has_no_services_of_kubernetes() -> None:
    assert found_in("services of kubernetes clusters", owner="ecs/web") == []


# all of it


NOTHING = [
    tagged(),
    Call("ec2", "DescribeVpcs", {"Vpcs": []}),  # of Kubernetes clusters
    Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": []}),
    Call("iam", "ListInstanceProfiles", {"InstanceProfiles": []}),
    Call("ecs", "ListClusters", {"clusterArns": []}),
    Call("elb", "DescribeLoadBalancers", {"LoadBalancerDescriptions": []}),
    Call("elbv2", "DescribeLoadBalancers", {"LoadBalancers": []}),
    Call("elbv2", "DescribeTargetGroups", {"TargetGroups": []}),
    named(),
]


def test_an_empty_account_takes_ten_calls() -> None:
    with scripted(*NOTHING, Call("iam", "ListRoles", {"Roles": []})) as aws:
        report = look(places(aws, "")).to_result()
    assert (report["count"], report["could_not_look"]) == (0, [])
    assert {"instance", "volume", "role", "cluster", "log_group"} <= {*report["looked_at"]}


def test_an_api_that_refuses_is_named() -> None:
    refused = Call("iam", "ListRoles", failure("AccessDenied", "not authorized to perform: iam:ListRoles", 403))
    with scripted(*NOTHING, refused) as aws:
        report = look(places(aws, "")).to_result()
    assert [one["kinds"] for one in report["could_not_look"]] == [["role"]]
    assert "iam:ListRoles" in report["could_not_look"][0]["why"]
    assert "role" not in report["looked_at"]


@pytest.mark.parametrize(
    ("tags", "owner", "marked"),
    [
        ({OWNER: "ecs/web"}, "", True),
        ({OWNER: "ecs/web"}, "ecs/web", True),
        ({OWNER: "ecs/web"}, "ecs/we", False),
        ({"Name": "ecs/web"}, "", False),
        ({}, "ecs/web", False),
    ],
)
def test_mark(tags: dict[str, str], owner: str, marked: bool) -> None:
    assert is_marked(tags, owner) is marked


def test_prices_that_are_not_known_are_not_guessed() -> None:
    assert prices.instance("x9.mega", public_address=True) is None
    assert prices.volume("io9", 10) is None
    assert prices.hourly(None) is None
    assert prices.volume("gp3", 30) == 2.64
