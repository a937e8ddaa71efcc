# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes or removes the hosted zone that the target works in: zone.py make|remove NAME [public|private VPC_REGION]."""

from __future__ import annotations

import sys
import time

import boto3


def make(name: str, kind: str) -> None:
    """A zone; a private one in a VPC of its own."""
    request: dict[str, object] = {"Name": name, "CallerReference": f"{name}-{time.time()}"}
    if kind == "private":
        vpc = boto3.client("ec2").create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
        request["HostedZoneConfig"] = {"PrivateZone": True}
        request["VPC"] = {"VPCRegion": boto3.session.Session().region_name, "VPCId": vpc}
    print(boto3.client("route53").create_hosted_zone(**request)["HostedZone"]["Id"])


def remove(name: str) -> None:
    """All zones of the name, with what is left in them and the VPCs of private ones."""
    route53, ec2 = boto3.client("route53"), boto3.client("ec2")
    for zone in route53.list_hosted_zones_by_name(DNSName=name)["HostedZones"]:
        if zone["Name"] != f"{name}.":
            continue
        vpcs = route53.get_hosted_zone(Id=zone["Id"]).get("VPCs", [])
        pages = route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone["Id"])
        doomed = [one for page in pages for one in page["ResourceRecordSets"] if one["Type"] not in ("NS", "SOA")]
        changes = [{"Action": "DELETE", "ResourceRecordSet": one} for one in doomed]
        if changes:
            route53.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch={"Changes": changes})
        route53.delete_hosted_zone(Id=zone["Id"])
        for vpc in vpcs:
            ec2.delete_vpc(VpcId=vpc["VPCId"])


if __name__ == "__main__":
    action, zone_name, *rest = sys.argv[1:]
    if action == "make":
        make(zone_name, rest[0] if rest else "public")
    else:
        remove(zone_name)
