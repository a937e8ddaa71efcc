# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""external-dns: keeps A records of a Route 53 zone as the published services of its environment are. It asks the lab's
AWS with the keys that it was given, beside the world's time, and takes nothing along when it goes.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.containers import Page
from lab.rancher.images import image_of
from lab.rancher.runtime import Running
from lab.rancher.server import RancherServer
from lab.rancher.store import Resource

log = logging.getLogger("lab")
_IMAGE = "rancher/external-dns"
_PORT = 1000
_INTERVAL = 5.0
_HOST_LABEL = "io.rancher.host.external_dns_ip"
_TEMPLATE = "%{{service_name}}.%{{stack_name}}.%{{environment_name}}"
Records = dict[str, list[str]]
"""Name -> addresses."""


def install(server: RancherServer) -> ExternalDns:
    dns = ExternalDns(server)
    server.on_step(dns.step)
    return dns


@dataclass
class Agent:
    """One running container of this image."""

    due: float = 0.0
    busy: bool = False
    problem: str | None = None
    written: Records = field(default_factory=dict)


class ExternalDns:
    """All external-dns containers of one server."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server
        self._agents: dict[str, Agent] = {}

    def equip(self, instance: Resource, running: Running) -> None:
        if image_of(instance.fields).startswith(_IMAGE):
            agent = self._agents[instance.id] = Agent()
            running.responders[_PORT] = lambda _visit: _health(agent)

    def step(self) -> None:
        """Let those that are due, or whose records have become others, go to work."""
        now = self._server.world.clock.now()
        for instance_id, agent in list(self._agents.items()):
            instance = self._server.store.get("instance", instance_id)
            if instance is None or instance_id not in self._server.parts["instances"].running:
                del self._agents[instance_id]
            elif not agent.busy:
                wanted = self._wanted(instance)
                if wanted != agent.written or (agent.problem and agent.due <= now):
                    agent.busy, agent.due = True, now + _INTERVAL
                    threading.Thread(
                        target=self._work, args=(instance, agent, wanted), name="lab-external-dns", daemon=True
                    ).start()

    # What there should be

    def _wanted(self, instance: Resource) -> Records:
        """Each service with published ports: the addresses of the hosts on which its containers run."""
        environment = instance["environment"] or {}
        found: Records = {}
        for service in self._server.store.live("service", accountId=instance.project):
            addresses = self._addresses(service)
            if addresses:
                found[self._name(service, environment)] = addresses
        return found

    def _addresses(self, service: Resource) -> list[str]:
        points = self._server.parts["instances"].endpoints(service=service)
        hosts = {point["hostId"]: point["ipAddress"] for point in points}
        labels = {host_id: self._server.store.need("host", host_id)["labels"] or {} for host_id in hosts}
        return sorted({str(labels[host_id].get(_HOST_LABEL) or address) for host_id, address in hosts.items()})

    def _name(self, service: Resource, environment: Mapping[str, str]) -> str:
        """Old versions write everything in small letters, newer ones also put a hyphen for what a name cannot have."""
        stack = self._server.store.need("environment", service["environmentId"])
        project = self._server.store.need("project", service.project)
        names = {"service_name": service.name, "stack_name": stack.name, "environment_name": project.name}
        if self._server.era == "1.6":
            names = {key: re.sub(r"[^A-Za-z0-9-]", "-", name) for key, name in names.items()}
        name = environment.get("NAME_TEMPLATE") or _TEMPLATE
        for key, value in names.items():
            name = name.replace("%{{" + key + "}}", value)
        return f"{name}.{environment.get('ROOT_DOMAIN', '').rstrip('.')}.".lower()

    # Making it so

    def _work(self, instance: Resource, agent: Agent, wanted: Records) -> None:
        problem: str | None = None
        try:
            self._change(dict(instance["environment"] or {}), wanted, agent.written)
        except Exception as error:  # whatever AWS or its client says no with
            problem = str(error)
            log.info("external-dns: %s", error)
        with self._server.world.lock:
            agent.busy, agent.problem = False, problem
            if problem is None:
                agent.written = wanted
                self._tell(instance, wanted)

    def _tell(self, instance: Resource, wanted: Records) -> None:
        """The names are shown with the services."""
        for service in self._server.store.live("service", accountId=instance.project):
            name = self._name(service, instance["environment"] or {})
            if name in wanted:
                service["fqdn"] = name.rstrip(".")

    def _change(self, environment: Mapping[str, str], wanted: Records, before: Records) -> None:
        import boto3  # noqa: PLC0415  (half a second, and only who uses it waits)

        route53 = boto3.client(
            "route53",
            endpoint_url=self._server.world.addresses["aws"],
            region_name=environment.get("AWS_REGION") or "us-east-1",
            aws_access_key_id=environment.get("AWS_ACCESS_KEY"),
            aws_secret_access_key=environment.get("AWS_SECRET_KEY"),
        )
        zone = environment.get("ROUTE53_ZONE_ID") or _zone(route53, environment.get("ROOT_DOMAIN", ""))
        ttl = int(environment.get("TTL") or 300)
        changes = [_upsert(name, addresses, ttl) for name, addresses in wanted.items()]
        for name in before.keys() - wanted.keys():
            changes += [_delete(one) for one in _existing(route53, zone, name)]
        if changes:
            route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def _zone(route53: Any, domain: str) -> str:
    name = domain.rstrip(".") + "."
    found = [one for one in route53.list_hosted_zones_by_name(DNSName=name)["HostedZones"] if one["Name"] == name]
    if len(found) != 1:
        raise ValueError(f"there are {len(found)} hosted zones {name}")
    return str(found[0]["Id"])


def _existing(route53: Any, zone: str, name: str) -> list[dict[str, Any]]:
    page = route53.list_resource_record_sets(HostedZoneId=zone, StartRecordName=name, StartRecordType="A", MaxItems="1")
    return [one for one in page["ResourceRecordSets"] if one["Name"] == name and one["Type"] == "A"]


def _upsert(name: str, addresses: list[str], ttl: int) -> dict[str, Any]:
    values = [{"Value": address} for address in addresses]
    return {"Action": "UPSERT", "ResourceRecordSet": {"Name": name, "Type": "A", "TTL": ttl, "ResourceRecords": values}}


def _delete(record: dict[str, Any]) -> dict[str, Any]:
    return {"Action": "DELETE", "ResourceRecordSet": record}


def _health(agent: Agent) -> Page:
    return Page(500, f"{agent.problem}\n", "text/plain") if agent.problem else Page(200, "OK\n", "text/plain")
