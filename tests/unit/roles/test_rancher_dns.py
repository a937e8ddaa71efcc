# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS records of Rancher's services, which outlive whoever made them, and the addresses that they have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from unit.roles.playing import playbook
from unit.roles.rancher_lab import API_KEY_FILE, TOKEN, RancherLab

ZONE = "example.com"
KEY = {"AWS_ACCESS_KEY_ID": "LABNOTASECRET0000001", "AWS_SECRET_ACCESS_KEY": "lab-not-a-secret-000001"}
AWS = "group/container.schedulers.aws"


def route53(lab: RancherLab) -> Any:
    return boto3.client("route53", endpoint_url=lab.addresses["aws"], region_name="eu-west-1")


def addresses(lab: RancherLab) -> dict[str, list[str]]:
    """The A records of the zone: name -> addresses."""
    client = route53(lab)
    (zone,) = client.list_hosted_zones()["HostedZones"]
    records = client.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    return {
        one["Name"].removesuffix(f".{ZONE}."): [value["Value"] for value in one["ResourceRecords"]]
        for one in records
        if one["Type"] == "A"
    }


@pytest.fixture
def zone(server: RancherLab, monkeypatch: pytest.MonkeyPatch) -> RancherLab:
    """A server that has a zone, and no hosts yet."""
    for name, value in KEY.items():
        monkeypatch.setenv(name, value)
    route53(server).create_hosted_zone(Name=ZONE, CallerReference=ZONE)
    return server


def role(lab: RancherLab, *stacks: str, tasks_from: str = "main", seconds: int = 30) -> dict[str, Any]:
    """The task that runs the role, which looks for the records of these stacks."""
    return {
        "ansible.builtin.import_role": {"name": "container.schedulers.rancher_dns", "tasks_from": tasks_from},
        "vars": {
            "rancher_dns_zone": ZONE,
            "rancher_dns_access_key": KEY["AWS_ACCESS_KEY_ID"],
            "rancher_dns_secret_key": KEY["AWS_SECRET_ACCESS_KEY"],
            "rancher_dns_verify": stacks,
            "rancher_dns_wait_sleep": 1,
            "rancher_dns_wait_timeout": seconds,
        },
        "module_defaults": {AWS: {"endpoint_url": lab.addresses["aws"]}},
    }


def publish(lab: RancherLab, folder: Path, *stacks: str) -> None:
    """Stacks with a service `web` each, and their records."""
    service = {"name": "web", "image": "nginx", "ports": ["80"]}
    made = [{"container.schedulers.rancher_stack": {"name": name, "services": [service]}} for name in stacks]
    code, said = lab.play(folder, *made, role(lab, *stacks))
    assert code == 0, said


def test_an_open_server_gets_no_key_of_aws(new_server: RancherLab, tmp_path: Path) -> None:
    """It would show it to whoever reaches it."""
    code, said = new_server.play(tmp_path, role(new_server, "Default"))
    assert code != 0
    assert "Access control of the Rancher server is off" in said


def test_the_walk_takes_the_records_of_every_stack_down(zone: RancherLab, tmp_path: Path) -> None:
    """Of blog, too, for which step_wordpress has made room, if that was walked."""
    zone.control("POST", "/rancher/hosts", {"name": "one", "project": "1a5"})
    publish(zone, tmp_path, "Default", "blog")
    assert set(addresses(zone)) == {"web.default.default", "web.blog.default"}

    given = {
        "rancher_server_url": zone.addresses["rancher"],
        "rancher_api_key_file": str(tmp_path / API_KEY_FILE),
        "rancher_zone": ZONE,
        "rancher_confirm": "rancher",
        "aws_endpoint_url": zone.addresses["aws"],
        "digitalocean_api_url": zone.addresses["digitalocean"],
        "digitalocean_settle_seconds": 0,
        "digitalocean_token": TOKEN,
    }
    code, said = playbook(tmp_path, "container.schedulers.rancher", given, "--tags", "step_teardown")
    assert code == 0, said
    assert addresses(zone) == {}


def test_a_record_has_the_address_that_the_label_of_a_host_says(zone: RancherLab, tmp_path: Path) -> None:
    labels = {"io.rancher.host.external_dns_ip": "203.0.113.77"}
    zone.control("POST", "/rancher/hosts", {"name": "one", "project": "1a5", "labels": labels})
    publish(zone, tmp_path, "Default")
    assert addresses(zone) == {"web.default.default": ["203.0.113.77"]}


def test_records_that_are_others_are_not_taken_for_those_that_should_be_there(zone: RancherLab, tmp_path: Path) -> None:
    zone.control("POST", "/rancher/hosts", {"name": "one", "project": "1a5"})
    publish(zone, tmp_path, "Default")
    record = {"zone": ZONE, "records": [{"name": "web.default.default", "type": "A", "values": ["203.0.113.1"]}]}
    changed = {"endpoint_url": zone.addresses["aws"], "region": "eu-west-1", **record}
    code, said = zone.play(tmp_path, {"container.schedulers.route53_records": changed})
    assert code == 0, said

    code, said = zone.play(tmp_path, role(zone, "Default", tasks_from="verify", seconds=2))
    assert code != 0
    assert "update record set web.default.default.example.com A (values)" in said
