# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Route 53's batches, lists and changes; the rules of a batch by tables, without a server."""

from __future__ import annotations

from typing import Any

import pytest
from lab import dns_batch

ZONE = "example.com."


def record(name: str, kind: str = "A", *values: str, **more: Any) -> dict[str, Any]:
    values = values or ("192.0.2.1",)
    return {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": v} for v in values], **more}


def change(action: str, *arguments: Any, **more: Any) -> dict[str, Any]:
    return {"Action": action, "ResourceRecordSet": record(*arguments, **more)}


WWW = record("www.example.com.")
ALIAS = {
    "Name": "alias.example.com.",
    "Type": "A",
    "AliasTarget": {"HostedZoneId": "Z1", "DNSName": "lb.example.net.", "EvaluateTargetHealth": False},
}


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("WWW.Example.COM", "www.example.com."),
        ("*.example.com.", "\\052.example.com."),
        ("\\052.example.com.", "\\052.example.com."),
        ("a_b-c.example.com", "a_b-c.example.com."),
    ],
)
def test_names_are_normalised(given: str, normal: str) -> None:
    assert dns_batch.normal_name(given) == normal


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([change("CREATE", "www.example.com", "A", "192.0.2.9")], "already exists"),
        ([change("DELETE", "www.example.com", "A", "192.0.2.9")], "do not match the current values"),
        ([change("DELETE", "www.example.com", "A", "192.0.2.1", TTL=61)], "do not match the current values"),
        ([change("DELETE", "none.example.com")], "was not found"),
        ([change("CREATE", "www.example.com", "CNAME", "x.example.com")], "conflicts with other records"),
        ([change("CREATE", "cname.example.com", "A")], "conflicting RRSet of type CNAME"),
        ([change("CREATE", "example.com", "CNAME", "x.example.net")], "not permitted at apex"),
        ([change("CREATE", "www.example.org")], "not permitted in zone example.com."),
        ([change("CREATE", "notexample.com")], "not permitted in zone example.com."),
        ([change("CREATE", "a.example.com", "A", "300.1.1.1")], "ARRDATAIllegalIPv4Address"),
        ([change("CREATE", "a.example.com", "AAAA", "192.0.2.1")], "not a valid IPv6"),
        ([change("CREATE", "a.example.com", "TXT", "bare")], "quotation marks"),
        ([change("CREATE", "a.example.com", "MX", "mail.example.com")], "two fields"),
        ([change("CREATE", "a.example.com", "CNAME", "not a name")], "valid domain name"),
        ([change("CREATE", "a.example.com", "CNAME", "x.example.net", "y.example.net")], "exactly one value"),
        ([change("CREATE", "a.example.com", "A", "192.0.2.1", "192.0.2.1")], "Duplicate Resource Record"),
        ([change("UPSERT", "a.example.com"), change("UPSERT", "A.example.com")], "invalid set of changes"),
        ([change("DELETE", "example.com", "NS", "ns.example.net")], "at least one NS"),
        ([change("CREATE", "www.example.com", SetIdentifier="one", Weight=1)], "conflicts with another"),
    ],
)
def test_wrong_batches(changes: list[dict[str, Any]], message: str) -> None:
    current = [WWW, record("cname.example.com.", "CNAME", "www.example.com"), record(ZONE, "NS", "ns.example.net")]
    good = change("CREATE", "good.example.com")
    with pytest.raises(dns_batch.BatchRefusedError, match=message):
        dns_batch.applied(ZONE, current, [good, *changes])


def test_sound_batches() -> None:
    changes = [
        change("DELETE", "WWW.example.com"),
        change("CREATE", "www.example.com", "A", "192.0.2.7"),
        change("UPSERT", "*.example.com", "TXT", '"a" "b"'),
        {"Action": "CREATE", "ResourceRecordSet": ALIAS},
    ]
    names = [one["Name"] for one in dns_batch.applied(ZONE, [WWW], changes)]
    assert names == ["www.example.com.", "\\052.example.com.", "alias.example.com."]
    assert dns_batch.applied(ZONE, [ALIAS], [{"Action": "DELETE", "ResourceRecordSet": ALIAS}]) == []


@pytest.mark.parametrize(("action", "fit"), [("CREATE", 1000), ("UPSERT", 500)])
def test_upserts_count_twice_towards_the_limit(action: str, fit: int) -> None:
    changes = [change(action, f"n{number}.example.com") for number in range(fit)]
    assert len(dns_batch.applied(ZONE, [], changes)) == fit
    with pytest.raises(dns_batch.BatchRefusedError, match="limit of 1000"):
        dns_batch.applied(ZONE, [], [*changes, change(action, "more.example.com")])


def test_values_have_a_limit_of_characters() -> None:
    text = '"' + "x" * 198 + '"'
    changes = [change("CREATE", f"n{number}.example.com", "TXT", text) for number in range(160)]
    dns_batch.applied(ZONE, [], changes)
    with pytest.raises(dns_batch.BatchRefusedError, match="limit of 32000"):
        dns_batch.applied(ZONE, [], [*changes, change("CREATE", "more.example.com", "TXT", text)])


class Zone:
    def __init__(self, lab: Any) -> None:
        self.lab, self.client = lab, lab.client("route53")
        self.id = self.client.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]

    def change(self, *changes: dict[str, Any]) -> str:
        batch = {"Changes": list(changes)}
        return str(self.client.change_resource_record_sets(HostedZoneId=self.id, ChangeBatch=batch)["ChangeInfo"]["Id"])

    def names(self, **start: Any) -> list[str]:
        found = self.client.list_resource_record_sets(HostedZoneId=self.id, **start)["ResourceRecordSets"]
        return [f"{one['Type']} {one['Name']}" for one in found]


@pytest.fixture
def zone(lab: Any) -> Zone:
    return Zone(lab)


def test_a_batch_is_all_or_nothing(zone: Zone, refused: Any) -> None:
    before = zone.names()
    answer = refused(
        "InvalidChangeBatch", zone.client.change_resource_record_sets, HostedZoneId=zone.id,
        ChangeBatch={"Changes": [change("CREATE", "a.example.com"), change("CREATE", "b.example.com", "A", "bad")]},
    )  # fmt: skip
    assert "bad" in answer["Error"]["Message"]
    assert zone.names() == before


def test_lists_are_in_order_and_in_pages(zone: Zone) -> None:
    names = ("b.example.com", "*.example.com", "a.b.example.com", "A.example.com")
    zone.change(*(change("CREATE", name) for name in names))
    wanted = ["NS example.com.", "SOA example.com.", "A \\052.example.com.", "A a.example.com.", "A b.example.com."]
    assert zone.names() == [*wanted, "A a.b.example.com."]
    pages = zone.client.get_paginator("list_resource_record_sets").paginate(
        HostedZoneId=zone.id, PaginationConfig={"PageSize": 2}
    )
    sizes = [len(page["ResourceRecordSets"]) for page in pages]
    assert sizes == [2, 2, 2]
    assert zone.names(StartRecordName="B.example.com") == ["A b.example.com.", "A a.b.example.com."]


def test_changes_take_their_time(zone: Zone, refused: Any) -> None:
    zone.lab.settings(dns_seconds=30)
    made = zone.change(change("UPSERT", "a.example.com"))
    assert zone.client.get_change(Id=made)["ChangeInfo"]["Status"] == "PENDING"
    zone.lab.advance(31)
    assert zone.client.get_change(Id=made)["ChangeInfo"]["Status"] == "INSYNC"
    refused("NoSuchChange", zone.client.get_change, Id="C000000000000")
    other = zone.client.create_hosted_zone(Name="example.org", CallerReference="2")["ChangeInfo"]
    assert other["Status"] == "PENDING"


def test_one_change_at_a_time_if_so_set(zone: Zone, refused: Any) -> None:
    zone.lab.settings(dns_seconds=30, dns_one_change_at_a_time=True)
    zone.lab.advance(31)
    zone.change(change("UPSERT", "a.example.com"))
    arguments = {"HostedZoneId": zone.id, "ChangeBatch": {"Changes": [change("UPSERT", "b.example.com")]}}
    refused("PriorRequestNotComplete", zone.client.change_resource_record_sets, **arguments)
    zone.lab.advance(31)
    zone.client.change_resource_record_sets(**arguments)


def test_caller_reference_is_used_once(zone: Zone, refused: Any) -> None:
    refused("HostedZoneAlreadyExists", zone.client.create_hosted_zone, Name="example.com", CallerReference="1")


def test_zones_by_name_start_at_the_name(zone: Zone) -> None:
    for number, name in enumerate(("example.org", "sub.example.com")):
        zone.client.create_hosted_zone(Name=name, CallerReference=f"more-{number}")
    answer = zone.client.list_hosted_zones_by_name(DNSName="sub.example.com")
    assert [one["Name"] for one in answer["HostedZones"]] == ["sub.example.com.", "example.org."]
    assert answer["IsTruncated"] is False


def test_zone_with_records_stays(zone: Zone, refused: Any) -> None:
    zone.change(change("UPSERT", "a.example.com"))
    refused("HostedZoneNotEmpty", zone.client.delete_hosted_zone, Id=zone.id)
    zone.change(change("DELETE", "a.example.com"))
    zone.client.delete_hosted_zone(Id=zone.id)
    refused("NoSuchHostedZone", zone.client.get_hosted_zone, Id=zone.id)


def test_neither_value_nor_alias_is_refused(zone: Zone, refused: Any) -> None:
    bare = {"Action": "CREATE", "ResourceRecordSet": {"Name": "a.example.com", "Type": "A"}}
    call = zone.client.change_resource_record_sets
    refused("InvalidInput", call, HostedZoneId=zone.id, ChangeBatch={"Changes": [bare]})


def test_alias_comes_back_as_it_was_given(zone: Zone) -> None:
    zone.change({"Action": "CREATE", "ResourceRecordSet": ALIAS})
    found = zone.client.list_resource_record_sets(HostedZoneId=zone.id)["ResourceRecordSets"]
    assert found[-1] == ALIAS
    zone.change({"Action": "DELETE", "ResourceRecordSet": ALIAS})
