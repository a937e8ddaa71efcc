# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load balancers that answer: who is healthy, who is asked, and what the client gets when nobody is there."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from typing import Any

import pytest
from unit.lab.ecs_ground import EcsGround

FIXED = {"image": "russmckendrick/cluster", "portMappings": [{"containerPort": 80, "hostPort": 80}]}


class Site(EcsGround):
    """Two hosts, and load balancers to put before them."""

    def __init__(self, lab: Any) -> None:
        super().__init__(lab)
        self.elb, self.elbv2 = lab.client("elb"), lab.client("elbv2")
        handler = urllib.request.ProxyHandler({"http": lab.world.addresses["proxy"]})
        self._opener = urllib.request.build_opener(handler)
        self.hosts(2)

    def get(self, url: str) -> tuple[int, str]:
        try:
            with self._opener.open(url, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def names(self, url: str, times: int = 4) -> set[str]:
        """The host names that answer."""
        return {re.findall(r"host name: (\w+)", self.get(url)[1])[0] for _unused in range(times)}

    def classic(self, **changes: Any) -> str:
        listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}
        given = {"LoadBalancerName": "old", "Listeners": [listener], "Subnets": self.subnets}
        made = self.elb.create_load_balancer(**given, SecurityGroups=[self.balancer_group], **changes)
        return f"http://{made['DNSName']}/"

    def application(self, path: str = "/", **changes: Any) -> str:
        given = {"Name": "new", "Subnets": self.subnets, "SecurityGroups": [self.balancer_group], **changes}
        (made,) = self.elbv2.create_load_balancer(**given)["LoadBalancers"]
        self.arn, name = made["LoadBalancerArn"], made["DNSName"]
        group = self.elbv2.create_target_group(
            Name="web", Protocol="HTTP", Port=80, VpcId=made["VpcId"], HealthCheckPath=path
        )
        self.targets = group["TargetGroups"][0]["TargetGroupArn"]
        forward = [{"Type": "forward", "TargetGroupArn": self.targets}]
        listener = self.elbv2.create_listener(
            LoadBalancerArn=self.arn, Protocol="HTTP", Port=80, DefaultActions=forward
        )
        self.listener = listener["Listeners"][0]["ListenerArn"]
        return f"http://{name}/"

    def behind_classic(self) -> list[dict[str, Any]]:
        return [{"loadBalancerName": "old", "containerName": "web", "containerPort": 80}]

    def behind_application(self) -> list[dict[str, Any]]:
        return [{"targetGroupArn": self.targets, "containerName": "web", "containerPort": 80}]

    def states(self) -> list[str]:
        found = self.elbv2.describe_target_health(TargetGroupArn=self.targets)["TargetHealthDescriptions"]
        return sorted(item["TargetHealth"]["State"] for item in found)

    def shut(self) -> None:
        """The hosts let nobody in."""
        group = self.ec2.describe_security_groups(GroupIds=[self.group_id])["SecurityGroups"][0]
        self.ec2.revoke_security_group_ingress(GroupId=self.group_id, IpPermissions=group["IpPermissions"])


@pytest.fixture
def site(lab: Any) -> Site:
    return Site(lab)


def test_the_chapters_load_balancer_rotates(site: Site) -> None:
    url = site.classic()
    assert site.get(url) == (503, "Service Unavailable: Back-end server is at capacity\n")
    site.define(container=FIXED)
    site.serve(loadBalancers=site.behind_classic())
    site.steady()
    assert "(service web) registered 2 instances in (elb old)" in site.events()
    assert "rolloutState" not in site.service()["deployments"][0]
    health = site.elb.describe_instance_health(LoadBalancerName="old")["InstanceStates"]
    assert [state["State"] for state in health] == ["InService", "InService"]
    tasks = {task["containers"][0]["runtimeId"][:12] for task in site.tasks()}
    assert site.names(url) == tasks
    site.update(desiredCount=0)
    site.steady()
    assert site.elb.describe_instance_health(LoadBalancerName="old")["InstanceStates"] == []
    assert site.get(url)[0] == 503


def test_an_application_balancer_knows_tasks_on_dynamic_ports(site: Site) -> None:
    url = site.application()
    site.define()
    site.serve(count=4, loadBalancers=site.behind_application())
    service = site.steady()
    assert service["healthCheckGracePeriodSeconds"] == 0
    assert site.states() == ["healthy"] * 4
    assert f"(service web) registered 4 targets in (target-group {site.targets})" in site.events()
    assert len(site.names(url, 8)) == 4
    assert site.names(url.replace(":80", "")) <= site.names(url, 8)


def test_targets_become_healthy_after_a_while(site: Site) -> None:
    site.lab.settings(health_seconds=30)
    site.application()
    site.define()
    site.serve(loadBalancers=site.behind_application())
    site.until(lambda: site.states() == ["initial", "initial"])
    assert site.service()["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    site.lab.advance(40, steps=10)
    assert site.states() == ["healthy", "healthy"]
    site.steady()


def test_a_shut_security_group_makes_targets_unhealthy(site: Site) -> None:
    url = site.application()
    site.define()
    site.serve(loadBalancers=site.behind_application(), healthCheckGracePeriodSeconds=1000)
    site.steady()
    site.shut()
    assert site.states() == ["unhealthy", "unhealthy"]
    (described, _unused) = site.elbv2.describe_target_health(TargetGroupArn=site.targets)["TargetHealthDescriptions"]
    assert described["TargetHealth"]["Reason"] == "Target.Timeout"
    assert site.get(url)[0] == 504


def test_a_task_in_a_zone_where_the_balancer_is_not_is_replaced(site: Site) -> None:
    site.application()
    site.define()
    site.serve(loadBalancers=site.behind_application())
    site.steady()
    third = site.ec2.create_subnet(VpcId=site.vpc, CidrBlock="10.0.9.0/24", AvailabilityZone="us-east-1c")
    arn = site.elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    before = {task["taskArn"] for task in site.tasks()}
    site.elbv2.set_subnets(LoadBalancerArn=arn, Subnets=[site.subnets[0], third["Subnet"]["SubnetId"]])
    assert sorted(site.states()) == ["healthy", "unused"]
    site.lab.advance(20, steps=10)
    assert len(before - {task["taskArn"] for task in site.tasks()}) == 1
    reason = "due to (reason Target is in an Availability Zone that is not enabled for the load balancer)"
    assert any(reason in event for event in site.events())


def test_a_task_that_fails_its_health_check_is_replaced(site: Site) -> None:
    site.application(path="/missing")
    site.define()
    site.serve(count=1, loadBalancers=site.behind_application(), healthCheckGracePeriodSeconds=600)
    site.until(lambda: site.states() == ["unhealthy"])
    first = site.tasks()[0]["taskArn"]
    site.lab.advance(500, steps=10)
    assert [task["taskArn"] for task in site.tasks()] == [first]
    site.lab.advance(200, steps=10)
    assert first not in [task["taskArn"] for task in site.tasks()]
    events = " ".join(site.events())
    assert "(port 32768) is unhealthy in (target-group " in events
    assert "due to (reason Health checks failed with these codes: [404])" in events
    assert site.service()["deployments"][0]["failedTasks"] >= 1


def test_a_stopped_task_is_drained_first(site: Site) -> None:
    site.lab.settings(deregistration_seconds=60)
    site.application()
    site.define()
    site.serve(loadBalancers=site.behind_application())
    site.steady()
    site.update(desiredCount=1)
    site.until(lambda: site.states() == ["draining", "healthy"])
    leaving = site.tasks(status="STOPPED")[0]
    assert leaving["lastStatus"] == "DEACTIVATING"
    there = {"cluster": "demo", "containerInstance": leaving["containerInstanceArn"]}
    assert site.ecs.list_tasks(**there, desiredStatus="STOPPED")["taskArns"] == [leaving["taskArn"]]
    assert sorted(host["runningTasksCount"] for host in site.registered()) == [0, 1]
    service = site.service()
    assert service["runningCount"] == 1
    order = [event.split(")", 1)[1].strip() for event in site.events()[-2:]]
    assert order[0] == "has begun draining connections on 1 tasks."
    assert order[1] == f"deregistered 1 targets in (target-group {site.targets})"
    site.lab.advance(70, steps=5)
    assert site.tasks(status="STOPPED")[0]["lastStatus"] == "STOPPED"
    assert site.states() == ["healthy"]


def test_a_target_group_without_a_balancer_is_refused(site: Site, refused: Any) -> None:
    site.application()
    site.elbv2.delete_listener(ListenerArn=site.listener)
    site.define()
    error = refused("InvalidParameterException", site.serve, loadBalancers=site.behind_application())
    assert "does not have an associated load balancer" in error["Error"]["Message"]


def test_a_classic_balancer_wants_a_fixed_port(site: Site, refused: Any) -> None:
    site.classic()
    site.define()
    refused("InvalidParameterException", site.serve, loadBalancers=site.behind_classic())


def test_there_is_no_circuit_breaker_behind_a_classic_balancer(site: Site, refused: Any) -> None:
    site.classic()
    site.define(container=FIXED)
    off = {"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}}
    refused("InvalidParameterException", site.serve, loadBalancers=site.behind_classic(), **off)
    site.serve(loadBalancers=site.behind_classic())
    refused("InvalidParameterException", site.update, **off)


def test_a_service_role_must_trust_ecs(site: Site, refused: Any) -> None:
    site.classic()
    site.define(container=FIXED)
    options: dict[str, Any] = {"loadBalancers": site.behind_classic(), "role": "services"}
    refused("InvalidParameterException", site.serve, **options)
    arn = site.role("services", "ecs.amazonaws.com")
    assert site.serve(**options)["roleArn"] == arn


def test_two_services_share_a_classic_balancer(site: Site) -> None:
    site.classic()
    site.define(container=FIXED)
    site.define("other", container={"portMappings": [{"containerPort": 80, "hostPort": 81}]})
    site.serve(loadBalancers=site.behind_classic())
    site.serve("other", "other", loadBalancers=site.behind_classic())
    site.steady()
    site.ecs.delete_service(cluster="demo", service="other", force=True)
    site.until(lambda: site.service("other")["status"] == "INACTIVE")
    assert len(site.elb.describe_instance_health(LoadBalancerName="old")["InstanceStates"]) == 2


def test_a_target_group_of_another_network_gets_no_targets(site: Site) -> None:
    vpc = site.ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        site.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.1.{n}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for n, zone in enumerate(("us-east-1a", "us-east-1b"))
    ]
    site.application(Subnets=subnets, SecurityGroups=[], Scheme="internal")
    site.define()
    site.serve(loadBalancers=site.behind_application())
    site.until(lambda: "failed to register targets with (error InvalidTarget" in str(site.events()))
    assert site.service()["deployments"][0]["rolloutState"] == "IN_PROGRESS"


def test_rules_redirects_and_fixed_answers(site: Site) -> None:
    url = site.application()
    site.define()
    site.serve(loadBalancers=site.behind_application())
    site.steady()
    fixed = {"StatusCode": "418", "ContentType": "text/plain", "MessageBody": "short and stout"}
    site.elbv2.create_rule(
        ListenerArn=site.listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/tea*"]}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": fixed}],
    )
    site.elbv2.create_rule(
        ListenerArn=site.listener,
        Priority=2,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": ["old.example.com"]}}],
        Actions=[{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_302", "Path": "/tea"}}],
    )
    assert site.get(url + "teapot") == (418, "short and stout")
    assert site.get(url + "missing")[0] == 404
    route53 = site.lab.client("route53")
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    name = url.split("/")[2]
    record = {"Name": "old.example.com", "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": name}]}
    changes = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=changes)
    assert site.get("http://old.example.com/") == (418, "short and stout")


def test_when_nobody_answers(site: Site) -> None:
    url = site.classic()
    name = url.split("/")[2]
    assert "has no listener on port 81" in site.get(f"http://{name}:81/")[1]
    status, text = site.get("http://nobody.example/")
    assert status == 502
    assert "cannot resolve host nobody.example" in text
    closed = site.group("closed", {"CidrIp": "198.51.100.7/32"})
    site.elb.apply_security_groups_to_load_balancer(LoadBalancerName="old", SecurityGroups=[closed])
    status, text = site.get(url)
    assert status == 504
    assert "no security group of load balancer old lets clients in on port 80" in text


def test_an_instance_answers_on_its_public_address(site: Site) -> None:
    site.define(container=FIXED)
    site.serve(count=2)
    site.steady()
    host = site.registered()[0]["ec2InstanceId"]
    found = site.ec2.describe_instances(InstanceIds=[host])["Reservations"][0]["Instances"][0]
    assert site.get(f"http://{found['PublicIpAddress']}/")[0] == 504
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 81, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    site.ec2.authorize_security_group_ingress(GroupId=site.group_id, IpPermissions=[rule])
    assert "Hello from" in site.get(f"http://{found['PublicIpAddress']}/")[1]
    assert "nothing listens on port 81" in site.get(f"http://{found['PublicIpAddress']}:81/")[1]


def test_every_page_is_a_line_in_the_containers_log(site: Site) -> None:
    url = site.application()
    logs = site.lab.client("logs")
    logs.create_log_group(logGroupName="web")
    options = {"awslogs-group": "web", "awslogs-stream-prefix": "app"}
    site.define(container={"logConfiguration": {"logDriver": "awslogs", "options": options}})
    site.serve(count=1, loadBalancers=site.behind_application())
    site.steady()
    site.get(url + "page")
    stream = logs.describe_log_streams(logGroupName="web")["logStreams"][0]["logStreamName"]
    lines = [event["message"] for event in logs.get_log_events(logGroupName="web", logStreamName=stream)["events"]]
    assert any('"GET /page HTTP/1.1" 200' in line for line in lines)
