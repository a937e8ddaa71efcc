# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and values in one spelling, record sets as plans, plans as batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.dns_batches import batches
from ansible_collections.container.schedulers.plugins.module_utils._aws.dns_names import (
    absolute_name,
    canonical_name,
    refuse_bad_name,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.dns_records import (
    change_of,
    decide_absent,
    decide_present,
    live_record,
    to_result,
    unwanted_keys,
    wanted_records,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.dns_values import (
    canonical_value,
    canonical_values,
)
from ansible_collections.container.schedulers.plugins.module_utils._errors import ConflictError, InputError
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Plan

ZONE = "example.com"


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("www.example.com.", "www.example.com"),
        ("WWW.Example.COM", "www.example.com"),
        (r"\052.example.com.", "*.example.com"),
        ("*.example.com", "*.example.com"),
        (r"a\100b.example.com", "a@b.example.com"),
        (r"a\056b.example.com", r"a\056b.example.com"),
        (r"a\134b.example.com", r"a\134b.example.com"),
        (r"a\040b.example.com", r"a\040b.example.com"),
        (".", ""),
    ],
)
def test_names_in_one_spelling(name: str, canonical: str) -> None:
    assert canonical_name(name) == canonical
    assert canonical_name(canonical) == canonical


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("@", ZONE),
        ("", ZONE),
        ("example.com", ZONE),
        ("Example.com.", ZONE),
        ("www", "www.example.com"),
        ("WWW", "www.example.com"),
        ("a.b", "a.b.example.com"),
        ("www.example.com", "www.example.com"),
        ("www.example.com.", "www.example.com"),
        ("*", "*.example.com"),
        (r"\052.example.com.", "*.example.com"),
        ("notexample.com", "notexample.com.example.com"),
        ("_dmarc", "_dmarc.example.com"),
    ],
)
def test_names_relative_to_the_zone_and_in_full(name: str, full: str) -> None:
    assert absolute_name(name, ZONE) == full


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("www.example.org.", "does not belong to the zone example.com"),
        ("www..example.com", "is not a name"),
        (".www", "is not a name"),
        ("a b", "is not a name"),
        ("x" * 64, "is not a name"),
        (".".join(["x" * 60] * 5), "has 316 characters; a name has at most 253"),
        ("bücher", "Write it as xn--"),
    ],
)
def test_what_is_no_name(name: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        absolute_name(name, ZONE)


def test_an_empty_zone_is_no_name() -> None:
    with pytest.raises(InputError, match="zone: '' is not a name"):
        refuse_bad_name("", "zone")


LONG = "x" * 600


@pytest.mark.parametrize(
    ("kind", "value", "canonical"),
    [
        ("A", " 192.0.2.1 ", "192.0.2.1"),
        ("AAAA", "2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("CNAME", "Web.Example.com", "web.example.com."),
        ("CNAME", "web.example.com.", "web.example.com."),
        ("NS", "ns1.example.com", "ns1.example.com."),
        ("MX", "010  Mail.example.com", "10 mail.example.com."),
        ("MX", "0 .", "0 ."),
        ("SRV", "1 2 5269 xmpp.example.com", "1 2 5269 xmpp.example.com."),
        ("CAA", '0  issue "letsencrypt.org"', '0 issue "letsencrypt.org"'),
        ("DS", "60485 5 1 2BB183AF", "60485 5 1 2BB183AF"),
        ("TXT", "v=spf1 mx -all", '"v=spf1 mx -all"'),
        ("TXT", '"v=spf1 mx -all"', '"v=spf1 mx -all"'),
        ("TXT", ' "a"  "b" ', '"a" "b"'),
        ("TXT", '"a""b"', '"\\"a\\"\\"b\\""'),  # two strings without a space between them are none
        ("TXT", 'say "hi"', '"say \\"hi\\""'),
        ("TXT", r'"say \"hi\""', '"say \\"hi\\""'),
        ("TXT", "back\\slash", '"back\\\\slash"'),
        ("TXT", r'"back\\slash"', '"back\\\\slash"'),
        ("TXT", "é", r'"\303\251"'),
        ("TXT", r'"\303\251"', r'"\303\251"'),
        ("TXT", "", '""'),
        ("TXT", '""', '""'),
        ("TXT", '"', '"\\""'),
        ("TXT", LONG, f'"{"x" * 255}" "{"x" * 255}" "{"x" * 90}"'),
        ("TXT", f'"{LONG}"', f'"{"x" * 255}" "{"x" * 255}" "{"x" * 90}"'),
        ("SPF", "v=spf1 -all", '"v=spf1 -all"'),
    ],
)
def test_values_in_one_spelling(kind: str, value: str, canonical: str) -> None:
    assert canonical_value(kind, value) == canonical
    assert canonical_value(kind, canonical) == canonical


def test_values_have_no_order_and_no_copies() -> None:
    assert canonical_values("A", ["192.0.2.2", "192.0.2.1", "192.0.2.2"]) == ["192.0.2.1", "192.0.2.2"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("A", "300.0.0.1"),
        ("A", "2001:db8::1"),
        ("A", "web.example.com"),
        ("AAAA", "192.0.2.1"),
        ("A", ""),
        ("CNAME", "a b"),
        ("MX", "mail.example.com"),
        ("MX", "ten mail.example.com"),
        ("MX", "70000 mail.example.com"),
        ("SRV", "1 2 xmpp.example.com"),
    ],
)
def test_values_that_cannot_be(kind: str, value: str) -> None:
    with pytest.raises(ValueError):
        canonical_value(kind, value)


def option(name: str = "www", kind: str = "A", *values: str, **others: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "values": list(values) or None, **others}


ALIAS = {"dns_name": "LB-1.eu-west-1.elb.amazonaws.com.", "zone_id": "ZLB", "evaluate_target_health": False}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([option()], "records: www.example.com A has neither. Give values or alias."),
        ([option("www", "A", "192.0.2.1", alias=ALIAS)], "has both. Give values or alias."),
        ([option(alias={**ALIAS, "dns_name": ""})], "has an alias without dns_name or zone_id"),
        ([option(alias={**ALIAS, "zone_id": " "})], "has an alias without dns_name or zone_id"),
        ([option(alias=ALIAS, ttl=5)], "has alias and ttl. An alias has the TTL of its target."),
        ([option("www", "A", "192.0.2.1", ttl=-1)], "has ttl -1. 0 to 2147483647 can be."),
        ([option("www", "A", "192.0.2.1", weight=256, set_identifier="x")], "has weight 256. 0 to 255 can be."),
        ([option("www", "A", "192.0.2.1", weight=1)], "has weight and no set_identifier"),
        ([option("www", "A", "x")], "records: www.example.com A has a value that cannot be: .* 'x'"),
        (
            [{"name": "www", "type": "NS", "values": "a.org,b.org"}],
            "www.example.com NS has values as a text with a comma. Give a list.",
        ),
        ([option("www", "CNAME", "a.org", "b.org")], "www.example.com CNAME has 2 values. A CNAME has one."),
        ([option("@", "CNAME", "a.org")], "example.com CNAME is the zone itself. Use an alias"),
        (
            [option("www", "A", "192.0.2.1"), option("WWW.example.com.", "A", "192.0.2.2")],
            "records: www.example.com A is given twice. Give all its values in one entry.",
        ),
    ],
)
def test_record_sets_that_cannot_be(options: list[dict[str, Any]], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        wanted_records(options, ZONE)


def test_a_value_in_a_list_may_have_a_comma() -> None:
    (wanted,) = wanted_records([option("www", "HTTPS", "1 . alpn=h2,h3")], ZONE)
    assert wanted.spec["values"] == ["1 . alpn=h2,h3"]


@pytest.mark.parametrize("values", ["v=spf1 include:a.com,b", ["v=spf1 include:a.com,b"]])
def test_a_text_is_one_value(values: Any) -> None:
    (wanted,) = wanted_records([{"name": "www", "type": "TXT", "values": values}], ZONE)
    assert wanted.spec["values"] == ['"v=spf1 include:a.com,b"']


@pytest.mark.parametrize("value", [None, True, ["a"]])
def test_a_value_is_a_text(value: Any) -> None:
    with pytest.raises(InputError, match=r"records: www.example.com TXT values\[1\] is .* and must be text"):
        wanted_records([{"name": "www", "type": "TXT", "values": ["a", value]}], ZONE)


@pytest.mark.parametrize("kind", ["NS", "SOA"])
def test_what_the_zone_needs_cannot_be_deleted(kind: str) -> None:
    with pytest.raises(InputError, match="belongs to the zone itself and cannot be deleted"):
        unwanted_keys([option("@", kind)], ZONE)
    assert unwanted_keys([option("sub", kind)], ZONE) == {f"sub.example.com {kind}"}


def record(name: str, kind: str, *values: str, **others: Any) -> dict[str, Any]:
    """A record set as Route 53 gives it."""
    content: dict[str, Any] = {"TTL": 300, "ResourceRecords": [{"Value": value} for value in values]} if values else {}
    return {"Name": name, "Type": kind, **content, **others}


def lives(*records: Mapping[str, Any]) -> dict[str, Live]:
    return {one.key: one for one in map(live_record, records)}


APEX = (record("example.com.", "NS", "ns-1.example.net."), record("example.com.", "SOA", "ns-1. host. 1 2 3 4 5"))


def present(options: list[dict[str, Any]], live: Mapping[str, Live], *, purge: bool = False) -> Plan:
    return decide_present(wanted_records(options, ZONE), live, ZONE, purge=purge)


def changes(plan: Plan) -> list[dict[str, Any]]:
    return [change_of(step) for step in plan.steps]


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        (option("www", "A", "192.0.2.1"), record("www.example.com.", "A", "192.0.2.1")),
        (option("www", "A", "192.0.2.2", "192.0.2.1"), record("www.example.com.", "A", "192.0.2.1", "192.0.2.2")),
        (option("*", "CNAME", "Web.example.com"), record(r"\052.example.com.", "CNAME", "web.example.com")),
        (option("www", "TXT", "a b"), record("www.example.com.", "TXT", '"a b"')),
        (option("www", "A", "192.0.2.1"), record("www.example.com.", "A", "192.0.2.1", TTL=7)),
        (option("www", "A", "192.0.2.1", ttl=7), record("www.example.com.", "A", "192.0.2.1", TTL=7)),
        (
            option(alias=ALIAS),
            record(
                "www.example.com.",
                "A",
                AliasTarget={
                    "DNSName": "lb-1.eu-west-1.elb.amazonaws.com.",
                    "HostedZoneId": "ZLB",
                    "EvaluateTargetHealth": False,
                },
            ),
        ),
        (
            option(alias={**ALIAS, "dns_name": " lb.example.org ", "zone_id": " /hostedzone/ZLB"}),
            record(
                "www.example.com.",
                "A",
                AliasTarget={"DNSName": "lb.example.org.", "HostedZoneId": "ZLB", "EvaluateTargetHealth": False},
            ),
        ),
        (
            option("www", "A", "192.0.2.1", set_identifier="a", weight=1),
            record("www.example.com.", "A", "192.0.2.1", SetIdentifier="a", Weight=1),
        ),
        (
            option("www", "A", "192.0.2.1", set_identifier="a"),
            record("www.example.com.", "A", "192.0.2.1", SetIdentifier="a", Region="eu-west-1"),
        ),
    ],
)
def test_what_is_as_wanted_is_left_alone(wanted: dict[str, Any], there: dict[str, Any]) -> None:
    assert not present([wanted], lives(*APEX, there)).changed


def test_a_new_record_set() -> None:
    plan = present([option("www", "A", "192.0.2.1")], lives(*APEX))
    assert plan.sentences() == ["create record set www.example.com A"]
    assert plan.diff()["after"] == {"record set www.example.com A": {"ttl": 300, "values": ["192.0.2.1"]}}
    assert changes(plan) == [
        {"Action": "CREATE", "ResourceRecordSet": record("www.example.com.", "A", "192.0.2.1")},
    ]


def test_a_new_alias_and_a_new_weighted_one() -> None:
    plan = present(
        [option(alias=ALIAS), option("api", "CNAME", "a.org", set_identifier="one of two", weight=0, ttl=9)],
        lives(*APEX),
    )
    api, www = (change["ResourceRecordSet"] for change in changes(plan))
    assert www == {
        "Name": "www.example.com.",
        "Type": "A",
        "AliasTarget": {
            "DNSName": "lb-1.eu-west-1.elb.amazonaws.com.",
            "HostedZoneId": "ZLB",
            "EvaluateTargetHealth": False,
        },
    }
    assert api == record("api.example.com.", "CNAME", "a.org.", TTL=9, SetIdentifier="one of two", Weight=0)


def test_a_new_one_of_several_needs_a_weight() -> None:
    with pytest.raises(InputError, match=r"www.example.com A b is new and has no weight"):
        present([option("www", "A", "192.0.2.1", set_identifier="b")], lives(*APEX))


def test_another_value_replaces_the_old_one_and_keeps_the_rest() -> None:
    there = record("www.example.com.", "A", "192.0.2.1", TTL=60, HealthCheckId="h")
    plan = present([option("www", "A", "192.0.2.9")], lives(there))
    assert plan.sentences() == ["update record set www.example.com A (values)"]
    assert changes(plan) == [
        {"Action": "UPSERT", "ResourceRecordSet": {**there, "ResourceRecords": [{"Value": "192.0.2.9"}]}}
    ]


def test_values_become_an_alias_and_back() -> None:
    there = record("www.example.com.", "A", "192.0.2.1")
    to_alias = change_of(present([option(alias=ALIAS)], lives(there)).steps[0])["ResourceRecordSet"]
    assert {*to_alias} == {"Name", "Type", "AliasTarget"}
    back = present([option("www", "A", "192.0.2.1")], lives(to_alias))
    assert changes(back) == [{"Action": "UPSERT", "ResourceRecordSet": there}]


def test_the_diff_says_what_goes_as_well_as_what_comes() -> None:
    there = record("www.example.com.", "A", "192.0.2.1")
    alias = {"dns_name": "lb-1.eu-west-1.elb.amazonaws.com", "zone_id": "ZLB", "evaluate_target_health": False}
    valued, aliased = (
        {"values": ["192.0.2.1"], "ttl": 300, "alias": None},
        {"values": None, "ttl": None, "alias": alias},
    )
    to_alias = present([option(alias=ALIAS)], lives(there))
    back = present([option("www", "A", "192.0.2.1")], lives(change_of(to_alias.steps[0])["ResourceRecordSet"]))
    for plan, before, after in ((to_alias, valued, aliased), (back, aliased, valued)):
        label = "record set www.example.com A"
        assert plan.diff() == {"before": {label: before}, "after": {label: after}}


def test_absent_needs_name_and_type_only_and_deletes_what_is_there() -> None:
    there = record(r"\052.example.com.", "TXT", '"a"', TTL=77, HealthCheckId="h")
    plan = decide_absent(unwanted_keys([option("*", "TXT")], ZONE), lives(*APEX, there))
    assert changes(plan) == [{"Action": "DELETE", "ResourceRecordSet": there}]
    assert plan.diff()["before"] == {"record set *.example.com TXT": {"ttl": 77, "values": ['"a"']}}
    assert not decide_absent(unwanted_keys([option("*", "TXT")], ZONE), lives(*APEX)).changed


WEIGHTED = [
    record("www.example.com.", "A", "192.0.2.1", SetIdentifier="a", Weight=1),
    record("www.example.com.", "A", "192.0.2.2", SetIdentifier="b b", Weight=2),
]


def test_one_of_several_is_deleted_by_its_identifier() -> None:
    plan = decide_absent(unwanted_keys([option("www", "A", set_identifier="b b")], ZONE), lives(*WEIGHTED))
    assert changes(plan) == [{"Action": "DELETE", "ResourceRecordSet": WEIGHTED[1]}]


def test_which_of_several_is_meant_has_to_be_said() -> None:
    with pytest.raises(
        ConflictError, match=r"www.example.com A cannot be told from www.example.com A a, www.example.com A b b"
    ):
        decide_absent(unwanted_keys([option("www", "A")], ZONE), lives(*WEIGHTED))
    with pytest.raises(ConflictError, match="Give the set_identifier of the one that is meant"):
        present([option("www", "A", "192.0.2.1")], lives(*WEIGHTED))
    with pytest.raises(ConflictError, match=r"www.example.com A a cannot be told from www.example.com A"):
        present(
            [option("www", "A", "192.0.2.1", set_identifier="a", weight=1)],
            lives(record("www.example.com.", "A", "192.0.2.1")),
        )


def test_nothing_can_be_beside_a_cname() -> None:
    there = lives(record("www.example.com.", "CNAME", "a.org"), record("txt.example.com.", "TXT", '"x"'))
    with pytest.raises(ConflictError, match=r"www.example.com cannot have CNAME and A. Delete what is there first"):
        present([option("www", "A", "192.0.2.1")], there)
    with pytest.raises(ConflictError, match=r"txt.example.com cannot have CNAME and TXT"):
        present([option("txt", "CNAME", "a.org")], there)
    with pytest.raises(ConflictError, match=r"new.example.com cannot have CNAME and A, TXT"):
        present([option("new", "CNAME", "a.org"), option("new", "A", "192.0.2.1"), option("new", "TXT", "x")], there)
    assert present([option("other", "A", "192.0.2.1")], there).changed


def test_purge_deletes_what_is_not_listed_but_not_the_zones_own() -> None:
    there = lives(
        *APEX,
        record("www.example.com.", "CNAME", "a.org"),
        record("old.example.com.", "A", "192.0.2.1"),
        record("sub.example.com.", "NS", "ns.example.org."),
        record("kept.example.com.", "A", "192.0.2.1"),
    )
    options = [option("www", "A", "192.0.2.1"), option("kept", "A", "192.0.2.1")]
    plan = present(options, there, purge=True)
    assert plan.sentences() == [
        "delete record set old.example.com A",
        "delete record set sub.example.com NS",
        "delete record set www.example.com CNAME",
        "create record set www.example.com A",
    ]
    after = lives(*APEX, *(change["ResourceRecordSet"] for change in changes(present(options, {}))))
    assert not present(options, after, purge=True).changed


def test_what_others_have_written_wrongly_can_be_read_replaced_and_deleted() -> None:
    there = lives(record("www.example.com.", "MX", "mail.example.com"))
    assert to_result(there["www.example.com MX"])["values"] == ["mail.example.com"]
    assert present([option("www", "MX", "1 mail.example.com")], there).changed
    assert decide_absent({"www.example.com MX"}, there).changed


def test_results_have_always_the_same_shape() -> None:
    assert to_result(live_record(record(r"\052.example.com.", "A", "192.0.2.1", SetIdentifier="a", Weight=3))) == {
        "name": "*.example.com",
        "type": "A",
        "set_identifier": "a",
        "ttl": 300,
        "values": ["192.0.2.1"],
        "alias": None,
        "weight": 3,
    }
    assert to_result(live_record(record("x.example.com.", "A", AliasTarget={
        "DNSName": "lb.", "HostedZoneId": "Z", "EvaluateTargetHealth": True,
    }))) == {
        "name": "x.example.com",
        "type": "A",
        "set_identifier": None,
        "ttl": None,
        "values": None,
        "alias": {"dns_name": "lb", "zone_id": "Z", "evaluate_target_health": True},
        "weight": None,
    }  # fmt: skip


def sizes(plan: Plan) -> list[int]:
    return [len(batch) for batch in batches(plan.steps)]


def test_batches_are_as_large_as_the_api_allows() -> None:
    thousand = [option(f"host-{number:04}", "A", f"10.0.{number // 256}.{number % 256}") for number in range(1001)]
    created = present(thousand, {})
    assert sizes(created) == [1000, 1]
    there = lives(*(change["ResourceRecordSet"] for change in changes(created)))
    assert sizes(present([{**one, "ttl": 60} for one in thousand], there)) == [500, 500, 1]  # an UPSERT counts twice
    assert sizes(decide_absent({*there}, there)) == [1000, 1]
    assert sizes(present([option(f"host-{number}", alias=ALIAS) for number in range(1001)], {})) == [1000, 1]
    assert sizes(Plan()) == []


def test_many_values_and_long_ones_count() -> None:
    ten = [f"192.0.2.{number}" for number in range(10)]
    assert sizes(present([option(f"host-{number}", "A", *ten) for number in range(101)], {})) == [100, 1]
    long = "x" * 250  # 252 characters with its quotes, of 32,000
    assert sizes(present([option(f"host-{number:03}", "TXT", long) for number in range(130)], {})) == [126, 4]


def test_changes_of_one_name_stay_in_one_batch() -> None:
    there = lives(*(record(f"host-{number:04}.example.com.", "CNAME", "a.org") for number in range(600)))
    plan = present([option(f"host-{number:04}", "A", "192.0.2.1") for number in range(600)], there, purge=True)
    for batch in batches(plan.steps):
        assert [step.action for step in batch] == ["delete", "create"] * (len(batch) // 2)
    assert sizes(plan) == [1000, 200]
