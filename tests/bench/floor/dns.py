# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The floor of the DNS job: plain boto3, whole zone read once, as many changes in a request as Route 53 allows.

usage: dns.py FILE (JSON: the zone's name, and its record sets)
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3

BATCH = 1000  # Route 53's limit for creates; an upsert would count twice

route53 = boto3.session.Session().client("route53")


def ensure(zone: str, records: list[Mapping[str, Any]]) -> None:
    zone_id = zone_id_of(zone)
    pages = route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone_id)
    live = {record["Name"]: record for page in pages for record in page["ResourceRecordSets"] if record["Type"] == "A"}
    wanted = [as_route53_has_it(zone, record) for record in records]
    changes = [
        {"Action": "CREATE", "ResourceRecordSet": record} for record in wanted if record != live.get(record["Name"])
    ]
    for start in range(0, len(changes), BATCH):
        batch = {"Changes": changes[start : start + BATCH]}
        change = route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch)["ChangeInfo"]
        while route53.get_change(Id=change["Id"])["ChangeInfo"]["Status"] != "INSYNC":
            time.sleep(0.5)


def zone_id_of(zone: str) -> str:
    zones = route53.list_hosted_zones_by_name(DNSName=zone, MaxItems="1")["HostedZones"]
    return next(str(one["Id"]) for one in zones if one["Name"] == f"{zone}.")


def as_route53_has_it(zone: str, record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Name": f"{record['name']}.{zone}.",
        "Type": record["type"],
        "TTL": record["ttl"],
        "ResourceRecords": [{"Value": value} for value in record["values"]],
    }


if __name__ == "__main__":
    ensure(**json.loads(Path(sys.argv[1]).read_text()))
