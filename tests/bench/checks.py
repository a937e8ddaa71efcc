# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a side must have reached, asked of the account itself: a fast run that did not do the job counts for nothing.

Each check returns what is wrong, and an empty text when all is well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.account import Account

INSTANCES = 3


def ecs_is_up(account: Account, cluster: str) -> str:
    """Three instances joined, three tasks of one finished deployment run, and the load balancer sends them traffic."""
    ecs, elb = account.client("ecs"), account.client("elb")
    instances = ecs.list_container_instances(cluster=cluster, status="ACTIVE")["containerInstanceArns"]
    if len(instances) != INSTANCES:
        return f"{len(instances)} instances are in the cluster, not {INSTANCES}"
    services = ecs.describe_services(cluster=cluster, services=["web"])["services"]
    if not services or services[0]["runningCount"] != INSTANCES or len(services[0]["deployments"]) != 1:
        return f"the service does not run its {INSTANCES} tasks"
    balancers = elb.describe_load_balancers()["LoadBalancerDescriptions"]
    if len(balancers) != 1:
        return f"there are {len(balancers)} load balancers, not one"
    states = elb.describe_instance_health(LoadBalancerName=balancers[0]["LoadBalancerName"])["InstanceStates"]
    healthy = sum(state["State"] == "InService" for state in states)
    return "" if healthy == INSTANCES else f"{healthy} instances are in service at the load balancer, not {INSTANCES}"


def droplets_are_up(account: Account, count: int) -> str:
    """So many droplets, each once, and active."""
    droplets = account.droplets()
    active = {droplet["name"] for droplet in droplets if droplet["status"] == "active"}
    return (
        "" if len(active) == len(droplets) == count else f"{len(active)} of {count} are active, {len(droplets)} exist"
    )


def no_droplet_is_left(account: Account) -> str:
    """No droplet; today's module leaves the key and the tag, as it did not make them for the droplets."""
    droplets = account.droplets()
    return f"{len(droplets)} droplets are left" if droplets else ""


def rancher_is_healthy(account: Account) -> bool:
    """The app and its load balancer are active and healthy. The server has services of its own beside them."""
    services = [one for one in account.rancher("services") if not one["system"]]
    return len(services) == 2 and all(one["state"] == "active" and one["healthState"] == "healthy" for one in services)


def rancher_is_up(account: Account, image: str) -> str:
    """Three hosts, a container of the image on each, and the load balancer gives the app's page."""
    hosts = {one["id"] for one in account.rancher("hosts") if one["state"] == "active"}
    if len(hosts) != INSTANCES or not rancher_is_healthy(account):
        return f"{len(hosts)} of {INSTANCES} hosts are active, or the app and its load balancer are not healthy"
    containers = [one for one in account.rancher("containers") if one["imageUuid"] == f"docker:{image}"]
    if {one["hostId"] for one in containers if one["state"] == "running"} != hosts or len(containers) != INSTANCES:
        return f"{image} does not run once on every host"
    balancer = next(one for one in account.rancher("loadbalancerservices"))
    endpoint = balancer["publicEndpoints"][0]
    return (
        "" if account.answers(f"http://{endpoint['ipAddress']}:{endpoint['port']}/") else "the load balancer is silent"
    )


def nothing_is_left(account: Account) -> str:
    """Nothing that would be billed or in the way of the next one."""
    left = [f"{item['kind']} {item['id']}" for item in account.control("GET", "/inventory")["items"]]
    return f"left behind: {', '.join(left)}" if left else ""


def records_are_there(account: Account, zone: str, records: Sequence[Mapping[str, Any]]) -> str:
    """All address records of the zone, with their values, and no others."""
    route53 = account.client("route53")
    zone_id = route53.list_hosted_zones_by_name(DNSName=zone)["HostedZones"][0]["Id"]
    pages = route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone_id)
    live = {
        record["Name"]: [value["Value"] for value in record["ResourceRecords"]]
        for page in pages
        for record in page["ResourceRecordSets"]
        if record["Type"] == "A"
    }
    wanted = {f"{record['name']}.{zone}.": record["values"] for record in records}
    right = sum(live.get(name) == values for name, values in wanted.items())
    return "" if right == len(live) == len(wanted) else f"{right} of {len(wanted)} are right, {len(live)} are there"
