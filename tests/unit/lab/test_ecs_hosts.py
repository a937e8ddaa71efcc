# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances that join a cluster, and those that do not, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from unit.lab.ecs_ground import EcsGround


@pytest.fixture
def ground(lab: Any) -> EcsGround:
    return EcsGround(lab)


def test_an_instance_boots_runs_its_user_data_and_registers(ground: EcsGround) -> None:
    (instance_id,) = ground.launch()
    (host,) = ground.until(ground.registered)
    assert host["ec2InstanceId"] == instance_id
    assert (host["status"], host["agentConnected"]) == ("ACTIVE", True)
    attributes = {item["name"]: item.get("value") for item in host["attributes"]}
    assert attributes["ecs.instance-type"] == "t3.small"
    assert attributes["ecs.availability-zone"] == "us-east-1a"
    assert "com.amazonaws.ecs.capability.logging-driver.awslogs" in attributes
    resources = {
        item["name"]: item.get("integerValue") or item.get("stringSetValue") for item in host["remainingResources"]
    }
    assert resources["CPU"] == 2048
    assert 0.9 * 2048 < resources["MEMORY"] < 2048
    assert resources["PORTS"] == ["22", "2375", "2376", "51678", "51679"]
    assert ground.ecs.describe_clusters(clusters=["demo"])["clusters"][0]["registeredContainerInstancesCount"] == 1
    assert "Registered container instance with cluster!" in ground.console(instance_id)


def test_booting_takes_its_time(ground: EcsGround) -> None:
    ground.lab.settings(boot_seconds=10_000)  # so that the seconds of a busy machine do not count
    (instance_id,) = ground.launch()

    def state() -> str:
        found = ground.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
        return str(found["State"]["Name"])

    assert state() == "pending"
    ground.lab.advance(4900)
    assert state() == "pending"
    ground.lab.advance(200)
    ground.until(lambda: state() == "running")
    ground.lab.advance(3000)
    assert ground.registered() == []
    ground.lab.advance(2000)
    ground.until(ground.registered)


CONFIG = "#!/bin/bash\nset -eu\ncat >/etc/ecs/ecs.config <<END\n{}\nEND\n"


def test_the_agents_configuration_counts(ground: EcsGround) -> None:
    lines = (
        'ECS_CLUSTER=demo\nECS_INSTANCE_ATTRIBUTES={"stack": "prod"}\nECS_RESERVED_MEMORY=500\n'
        'ECS_CONTAINER_INSTANCE_TAGS={"owner": "me"}\nECS_RESERVED_PORTS=[9000]'
    )
    (host,) = ground.hosts(1, user_data=CONFIG.format(lines))
    assert {"name": "stack", "value": "prod"} in host["attributes"]
    assert host["tags"] == [{"key": "owner", "value": "me"}]
    resources = {item["name"]: item for item in host["registeredResources"]}
    assert resources["MEMORY"]["integerValue"] == 1945 - 500
    assert "9000" in resources["PORTS"]["stringSetValue"]


def test_without_a_cluster_name_the_agent_makes_the_default_one(ground: EcsGround) -> None:
    ground.launch(user_data="")
    ground.until(lambda: "default" in str(ground.ecs.list_clusters()) and ground.registered("default"))
    assert ground.registered() == []


def no_route(ground: EcsGround) -> None:
    ground.ec2.delete_route(RouteTableId=ground.table, DestinationCidrBlock="0.0.0.0/0")


def no_gateway_elsewhere(ground: EcsGround) -> None:
    for association in ground.ec2.describe_route_tables(RouteTableIds=[ground.table])["RouteTables"][0]["Associations"]:
        ground.ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])


def no_policy(ground: EcsGround) -> None:
    for policy in ground.iam.list_attached_role_policies(RoleName="hosts")["AttachedPolicies"]:
        ground.iam.detach_role_policy(RoleName="hosts", PolicyArn=policy["PolicyArn"])


def other_trust(ground: EcsGround) -> None:
    document = ground.iam.get_role(RoleName="hosts")["Role"]["AssumeRolePolicyDocument"]
    document["Statement"][0]["Principal"]["Service"] = "lambda.amazonaws.com"
    ground.iam.update_assume_role_policy(RoleName="hosts", PolicyDocument=str(document).replace("'", '"'))


def no_egress(ground: EcsGround) -> None:
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ground.ec2.revoke_security_group_egress(GroupId=ground.group_id, IpPermissions=[everything])


def no_cluster(ground: EcsGround) -> None:
    ground.ecs.delete_cluster(cluster="demo")


def nothing(_ground: EcsGround) -> None:
    pass


@pytest.mark.parametrize(
    ("breakage", "changes", "reason"),
    [
        (no_route, {}, "has no default route"),
        (no_gateway_elsewhere, {}, "has no default route"),
        (no_egress, {}, "no security group of the instance lets port 443 out"),
        (no_policy, {}, "is not authorized to perform: ecs:DiscoverPollEndpoint"),
        (other_trust, {}, "the instance has no profile with a role for EC2"),
        (no_cluster, {}, "Cluster not found. (ECS_CLUSTER=demo)"),
        (nothing, {"IamInstanceProfile": {}}, "the instance has no profile with a role for EC2"),
        (nothing, {"MetadataOptions": {"HttpEndpoint": "disabled"}}, "the instance metadata service is disabled"),
        (nothing, {"user_data": "#!/bin/sh\necho ECS_CLUSTER=dmeo >/etc/ecs/ecs.config"}, "(ECS_CLUSTER=dmeo)"),
        (nothing, {"user_data": "#!/bin/sh\nsystemctl disable --now ecs"}, "was stopped or disabled by the user data"),
    ],
)
def test_why_an_instance_does_not_join(
    ground: EcsGround, breakage: Callable[[EcsGround], None], changes: dict[str, Any], reason: str
) -> None:
    breakage(ground)
    (instance_id,) = ground.launch(**changes)
    ground.until(lambda: reason in ground.console(instance_id))
    if breakage is not no_cluster:
        assert ground.registered() == []


def test_an_image_without_the_agent_never_joins_unless_it_is_installed(ground: EcsGround) -> None:
    plain = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    image = ground.lab.client("ssm").get_parameter(Name=plain)["Parameter"]["Value"]
    script = "#!/bin/bash\necho ECS_CLUSTER=demo > /etc/ecs/ecs.config\n"
    (instance_id,) = ground.launch(user_data=script, ImageId=image)
    ground.until(lambda: f"there is no ECS agent in the image {image}" in ground.console(instance_id))
    ground.launch(user_data=f"{script}dnf install -y ecs-init\nsystemctl enable --now ecs\n", ImageId=image)
    ground.until(ground.registered)


def test_the_agent_tries_again(ground: EcsGround) -> None:
    no_route(ground)
    (instance_id,) = ground.launch()
    ground.until(lambda: "no default route" in ground.console(instance_id))
    ground.ec2.create_route(RouteTableId=ground.table, DestinationCidrBlock="0.0.0.0/0", GatewayId=ground.gateway)
    ground.lab.advance(6)
    assert len(ground.registered()) == 1


def test_a_terminated_instance_is_no_container_instance_any_more(ground: EcsGround) -> None:
    (host,) = ground.hosts(1)
    ground.ec2.terminate_instances(InstanceIds=[host["ec2InstanceId"]])
    assert ground.registered() == []
    scratch = ground.lab.world.settings.scratch / "instances"
    assert list(scratch.iterdir()) == []


def test_a_stopped_instance_loses_its_agent_and_comes_back(ground: EcsGround) -> None:
    (host,) = ground.hosts(1)
    ground.ec2.stop_instances(InstanceIds=[host["ec2InstanceId"]])
    assert ground.registered()[0]["agentConnected"] is False
    ground.ec2.start_instances(InstanceIds=[host["ec2InstanceId"]])
    again = ground.until(lambda: next((h for h in ground.registered() if h["agentConnected"]), None))
    assert again["containerInstanceArn"] == host["containerInstanceArn"]


def test_lists_understand_the_query_language(ground: EcsGround, refused: Any) -> None:
    hosts = ground.hosts(2)
    listed = ground.ecs.list_container_instances

    def count(expression: str, **options: Any) -> int:
        return len(listed(cluster="demo", filter=expression, **options)["containerInstanceArns"])

    assert count("agentConnected == true and attribute:ecs.instance-type == t3.small") == 2
    assert count("attribute:ecs.availability-zone == us-east-1b") == 1
    assert count(f"ec2InstanceId == {hosts[0]['ec2InstanceId']}", status="ACTIVE") == 1
    assert count("registeredAt < 2001-01-01T00:00") == 0
    refused("InvalidParameterException", listed, cluster="demo", filter="agentConnected ==")


def test_attributes_and_tags_can_be_changed(ground: EcsGround, refused: Any) -> None:
    (host,) = ground.hosts(1)
    arn = host["containerInstanceArn"]
    target = {"targetType": "container-instance", "targetId": arn}
    ground.ecs.put_attributes(cluster="demo", attributes=[{"name": "stack", "value": "blue", **target}])
    assert {"name": "stack", "value": "blue"} in ground.registered()[0]["attributes"]
    ground.ecs.delete_attributes(cluster="demo", attributes=[{"name": "stack", **target}])
    assert "stack" not in str(ground.registered()[0]["attributes"])
    ground.ecs.tag_resource(resourceArn=arn, tags=[{"key": "owner", "value": "me"}])
    assert ground.registered()[0]["tags"] == [{"key": "owner", "value": "me"}]
    stray = {"name": "stack", "value": "blue", "targetId": arn + "x"}
    refused("TargetNotFoundException", ground.ecs.put_attributes, cluster="demo", attributes=[stray])


def test_deregistering(ground: EcsGround, refused: Any) -> None:
    (host,) = ground.hosts(1)
    ground.define()
    ground.serve(count=1)
    ground.steady()
    arn = host["containerInstanceArn"]
    deregister = ground.ecs.deregister_container_instance
    refused("InvalidParameterException", deregister, cluster="demo", containerInstance=arn)
    gone = deregister(cluster="demo", containerInstance=arn, force=True)["containerInstance"]
    assert gone["status"] == "INACTIVE"
    assert ground.registered() == []
    assert ground.tasks(status="STOPPED")[0]["stoppedReason"] == "Container instance deregistration forced by user."
    refused("InvalidParameterException", deregister, cluster="demo", containerInstance=arn)


def test_describing_what_is_not_there(ground: EcsGround, refused: Any) -> None:
    answer = ground.ecs.describe_container_instances(cluster="demo", containerInstances=["0" * 32])
    assert answer["failures"][0]["reason"] == "MISSING"
    refused("ClusterNotFoundException", ground.ecs.list_container_instances, cluster="other")
