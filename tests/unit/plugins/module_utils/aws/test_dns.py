# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which zone is meant, which calls it takes, and what happens when they go wrong."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws import dns
from ansible_collections.container.schedulers.plugins.module_utils._aws.api import Connection
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    AuthError,
    ConflictError,
    InputError,
    NotFoundError,
    PartialError,
    WaitTimeoutError,
)
from ansible_collections.container.schedulers.plugins.module_utils._module import Context, Outcome
from botocore.exceptions import ReadTimeoutError
from unit.clock import FakeClock
from unit.returned import as_documented
from unit.scripted import Call, failure, scripted

LOST = ReadTimeoutError(endpoint_url="http://127.0.0.1")


def zone(name: str = "example.com.", zone_id: str = "Z1", *, private: bool = False, size: int = 2) -> dict[str, Any]:
    return {
        "Id": f"/hostedzone/{zone_id}",
        "Name": name,
        "Config": {"PrivateZone": private},
        "ResourceRecordSetCount": size,
    }


def by_name(*zones: dict[str, Any], name: str = "example.com", following: dict[str, str] | None = None) -> Call:
    answer = {"HostedZones": zones, "IsTruncated": bool(following), **(following or {})}
    return Call("route53", "ListHostedZonesByName", answer, {"DNSName": name})


def record(name: str, value: str = "192.0.2.1", kind: str = "A") -> dict[str, Any]:
    return {"Name": name, "Type": kind, "TTL": 300, "ResourceRecords": [{"Value": value}]}


APEX = [record("example.com.", "ns-1.example.net.", "NS"), record("example.com.", "ns-1. host. 1 2 3 4 5", "SOA")]


def listed(*records: dict[str, Any], following: dict[str, str] | None = None, **params: Any) -> Call:
    answer = {"ResourceRecordSets": records, "IsTruncated": bool(following), **(following or {})}
    return Call("route53", "ListResourceRecordSets", answer, {"HostedZoneId": "Z1", "MaxItems": "300", **params})


def change(answer: Any = None, *actions: str) -> Call:
    accepted = {"ChangeInfo": {"Id": "/change/C1", "Status": "PENDING"}}
    return Call(
        "route53",
        "ChangeResourceRecordSets",
        answer or accepted,
        lambda params: (
            not actions
            or [f"{one['Action']} {one['ResourceRecordSet']['Name']}" for one in params["ChangeBatch"]["Changes"]]
            == list(actions)
        ),
    )


def looked(status: str = "INSYNC") -> Call:
    return Call("route53", "GetChange", {"ChangeInfo": {"Id": "/change/C1", "Status": status}}, {"Id": "C1"})


WWW = {"name": "www", "type": "A", "values": ["192.0.2.1"]}


class Task:
    """The module's options with their defaults, and the run of it against a script."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.clock = FakeClock()
        self.warnings: list[str] = []

    def __call__(self, *calls: Call, check_mode: bool = False, **options: Any) -> Outcome:
        params: dict[str, Any] = dict.fromkeys(("zone", "zone_id", "private_zone", "vpc_id", "purge_confirm"))
        params |= {**dict.fromkeys(Connection.__dataclass_fields__), "request_timeout": 60}
        params |= {"state": "present", "purge": False, "wait": True, "wait_timeout": 60, "wait_sleep": 10}
        params |= {"records": [WWW], **({} if "zone_id" in options else {"zone": "example.com"}), **options}
        with scripted(*calls, clock=self.clock) as aws:
            self.monkeypatch.setattr(dns, "Aws", lambda *_arguments, **_options: aws)
            context = Context(params, check_mode, self.warnings.append, self.clock)
            return as_documented(dns.ensure, dns.ensure(context))


@pytest.fixture
def task(monkeypatch: pytest.MonkeyPatch) -> Task:
    return Task(monkeypatch)


# which zone


def test_three_records_that_are_there_take_two_calls(task: Task) -> None:
    names = ["a", "b", "c"]
    outcome = task(
        by_name(zone(), zone("example.com.au.", "Z2")),
        listed(*APEX, *(record(f"{name}.example.com.") for name in names)),
        records=[{**WWW, "name": name} for name in names],
    )
    assert outcome.plan is not None
    assert not outcome.plan.changed
    assert (outcome.result["zone"], outcome.result["zone_id"]) == ("example.com", "Z1")
    assert [one["name"] for one in outcome.result["records"]] == ["a.example.com", "b.example.com", "c.example.com"]


def test_a_zone_by_its_id(task: Task) -> None:
    found = Call("route53", "GetHostedZone", {"HostedZone": zone()}, {"Id": "Z1"})
    outcome = task(found, listed(*APEX, record("www.example.com.")), zone_id="/hostedzone/Z1")
    assert outcome.result["zone"] == "example.com"


def test_a_zone_of_a_similar_name_is_another_zone(task: Task) -> None:
    with pytest.raises(NotFoundError, match=r"the hosted zone example\.com does not exist\. Make it first"):
        task(by_name(zone("example.com.au.")))


@pytest.mark.parametrize(
    ("options", "zone_id"),
    [({"private_zone": False}, "Z1"), ({"private_zone": True, "vpc_id": "vpc-2"}, "Z3"), ({"vpc_id": "vpc-1"}, "Z2")],
)
def test_zones_of_one_name_are_told_apart(task: Task, options: dict[str, Any], zone_id: str) -> None:
    zones = [zone(), zone(zone_id="Z2", private=True), zone(zone_id="Z3", private=True)]
    vpcs = {"Z2": "vpc-1", "Z3": "vpc-2"}
    looks = [
        Call("route53", "GetHostedZone", {"HostedZone": zones[1], "VPCs": [{"VPCId": vpcs[one]}]}, {"Id": one})
        for one in vpcs
        if "vpc_id" in options
    ]
    lists = Call(
        "route53",
        "ListResourceRecordSets",
        {"ResourceRecordSets": [record("www.example.com.")], "IsTruncated": False},
        {"HostedZoneId": zone_id},
    )
    assert task(by_name(*zones), *looks, lists, **options).result["zone_id"] == zone_id


def test_zones_that_cannot_be_told_apart_are_listed(task: Task) -> None:
    with pytest.raises(ConflictError, match=r"2 hosted zones example\.com: Z1, Z2\. Give zone_id"):
        task(by_name(zone(), zone(zone_id="Z2", private=True)))
    next_page = {"NextDNSName": "example.com.", "NextHostedZoneId": "Z3"}
    with pytest.raises(ConflictError, match=r"2 hosted zones example\.com: Z2, Z3\."):
        task(
            by_name(zone(zone_id="Z2", private=True), following=next_page),
            by_name(zone(zone_id="Z3", private=True), name="example.com."),
            private_zone=True,
        )


@pytest.mark.parametrize("check_mode", [False, True])
def test_absent_from_a_zone_that_is_not_there_is_done(task: Task, check_mode: bool) -> None:
    outcome = task(by_name(), state="absent", check_mode=check_mode)
    assert outcome.plan is not None
    assert not outcome.plan.changed
    assert outcome.result == {"zone": "example.com", "zone_id": "", "records": []}
    gone = Call("route53", "GetHostedZone", failure("NoSuchHostedZone", status=404))
    assert not task(gone, state="absent", zone_id="Z9", check_mode=check_mode).result["records"]


def test_check_mode_before_there_is_a_zone(task: Task) -> None:
    outcome = task(by_name(), check_mode=True)
    assert outcome.plan is not None
    assert outcome.plan.sentences() == ["create record set www.example.com A"]
    assert "does not exist yet" in task.warnings[0]


def test_an_id_of_no_zone_is_an_error_in_check_mode_too(task: Task) -> None:
    with pytest.raises(NotFoundError, match="the hosted zone Z9 does not exist"):
        task(Call("route53", "GetHostedZone", failure("NoSuchHostedZone", status=404)), zone_id="Z9", check_mode=True)


def test_a_zone_that_is_not_there_is_named_with_all_that_it_was_looked_for_by(task: Task) -> None:
    says = r"the private hosted zone example\.com of VPC vpc-0a does not exist"
    with pytest.raises(NotFoundError, match=says):
        task(by_name(zone()), zone="example.com", private_zone=True, vpc_id="vpc-0a", records=[WWW])
    with pytest.raises(InputError, match="vpc_id: 'nope' must look like vpc-"):
        task(zone="example.com", vpc_id="nope", records=[WWW])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"zone": "a b"}, "zone: 'a b' is not a name"),
        ({"zone": ""}, "zone: '' is not a name"),
        ({"private_zone": False, "vpc_id": "vpc-1"}, "vpc_id and private_zone: false exclude one another"),
        (
            {"purge": True, "purge_confirm": "example.org"},
            "purge_confirm is 'example.org', but the zone is example.com",
        ),
        ({"purge": True, "purge_confirm": "example.com", "state": "absent"}, "purge and state: absent exclude"),
        ({"wait_timeout": -1}, "wait_timeout is -1"),
        ({"wait_sleep": 0}, "wait_sleep is 0"),
        ({"records": [{"name": "www", "type": "A"}]}, "records: www.example.com A has neither"),
    ],
)
def test_bad_input_takes_no_call(task: Task, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        task(**options)


# which calls


def test_new_records_are_sent_at_once_and_waited_for(task: Task) -> None:
    outcome = task(
        by_name(zone()),
        listed(*APEX),
        change(None, "CREATE a.example.com.", "CREATE b.example.com."),
        looked("PENDING"),
        looked("PENDING"),
        looked(),
        records=[{**WWW, "name": name} for name in "ab"],
    )
    assert outcome.plan is not None
    assert outcome.plan.changed
    assert task.clock.slept == [0.5, 0.75]
    assert [one["values"] for one in outcome.result["records"]] == [["192.0.2.1"]] * 2


def test_no_wait_no_look(task: Task) -> None:
    task(by_name(zone()), listed(*APEX), change(), wait=False)
    task(by_name(zone()), listed(*APEX), change({"ChangeInfo": {"Id": "/change/C1", "Status": "INSYNC"}}))


def test_check_mode_changes_nothing(task: Task) -> None:
    outcome = task(
        by_name(zone()),
        listed(*APEX, record("www.example.com.", "192.0.2.9")),
        records=[WWW, {**WWW, "name": "new"}],
        check_mode=True,
    )
    assert outcome.plan is not None
    assert outcome.plan.sentences() == [
        "create record set new.example.com A",
        "update record set www.example.com A (values)",
    ]
    assert [one["values"] for one in outcome.result["records"]] == [["192.0.2.9"]]  # as they are now


def test_absent_deletes_in_one_batch(task: Task) -> None:
    outcome = task(
        by_name(zone()),
        listed(*APEX, record("www.example.com.", "192.0.2.9"), record(r"\052.example.com.")),
        change(None, r"DELETE \052.example.com.", "DELETE www.example.com."),
        looked(),
        state="absent",
        records=[{"name": name, "type": "A"} for name in ("www", "*", "never-there")],
    )
    assert outcome.result["records"] == []


def test_purge_reads_and_clears_the_whole_zone(task: Task) -> None:
    next_page = {"NextRecordName": "m.example.com.", "NextRecordType": "A", "NextRecordIdentifier": "x"}
    task(
        by_name(zone(size=10_000)),
        listed(*APEX, record("a.example.com."), following=next_page),
        listed(
            record("m.example.com."),
            StartRecordName="m.example.com.",
            StartRecordType="A",
            StartRecordIdentifier="x",
        ),
        change(None, "DELETE a.example.com.", "DELETE m.example.com."),
        looked(),
        records=[],
        purge=True,
        purge_confirm="Example.com.",
    )


def test_of_a_large_zone_only_the_names_are_read(task: Task) -> None:
    beside = record("zzz.example.com.")
    outcome = task(
        by_name(zone(size=901)),
        listed(record(r"\052.example.com."), beside, StartRecordName="*.example.com."),
        listed(beside, StartRecordName="gone.example.com."),
        listed(
            record("www.example.com."),
            following={"NextRecordName": "www.example.com.", "NextRecordType": "TXT"},
            StartRecordName="www.example.com.",
        ),
        listed(record("www.example.com.", '"x"', "TXT"), StartRecordName="www.example.com.", StartRecordType="TXT"),
        change(None, "CREATE gone.example.com."),
        looked(),
        records=[{**WWW, "name": name} for name in ("*", "gone", "www")],
    )
    assert len(outcome.result["records"]) == 3


def test_no_records_no_reads(task: Task) -> None:
    assert task(by_name(zone()), records=[]).result["records"] == []


# what can go wrong


def test_throttling_is_waited_out(task: Task) -> None:
    task(
        by_name(zone()),
        listed(*APEX),
        change(failure("PriorRequestNotComplete")),
        change(failure("Throttling", "Rate exceeded")),
        change(),
        looked(),
    )


TAKEN = failure("InvalidChangeBatch", "[Tried to create resource record set [...] but it already exists]")


def test_a_batch_whose_answer_was_lost_is_not_done_twice(task: Task) -> None:
    outcome = task(
        by_name(zone()), listed(*APEX), change(LOST), change(TAKEN), listed(*APEX, record("www.example.com."))
    )
    assert outcome.plan is not None
    assert outcome.plan.changed
    assert outcome.result["records"][0]["values"] == ["192.0.2.1"]


def test_another_run_was_faster_with_one_of_two(task: Task) -> None:
    task(
        by_name(zone()),
        listed(*APEX),
        change(TAKEN, "CREATE other.example.com.", "CREATE www.example.com."),
        listed(*APEX, record("www.example.com.")),
        change(None, "CREATE other.example.com."),
        looked(),
        records=[WWW, {**WWW, "name": "other"}],
    )


def test_a_refusal_that_has_nothing_to_do_with_others_is_told(task: Task) -> None:
    with pytest.raises(PartialError, match="but it already exists") as failed:
        task(by_name(zone()), listed(*APEX), change(TAKEN), listed(*APEX))
    assert failed.value.details == {"steps_done": [], "step_failed": "change 1 record sets of example.com"}


def test_a_zone_that_keeps_changing_ends_in_an_error(task: Task) -> None:
    with pytest.raises(PartialError, match="but it already exists"):
        task(
            by_name(zone()),
            listed(*APEX),
            change(TAKEN),
            listed(*APEX, record("www.example.com.", "192.0.2.7")),
            change(TAKEN),
            listed(*APEX),
            change(TAKEN),
        )


def test_what_was_done_before_a_batch_failed_is_told(task: Task) -> None:
    with pytest.raises(PartialError) as failed:
        task(
            by_name(zone()),
            listed(*APEX),
            change(),
            change(failure("AccessDenied", status=403)),
            records=[{**WWW, "name": f"host-{number:04}"} for number in range(1001)],
        )
    assert isinstance(failed.value.cause, AuthError)
    assert len(failed.value.details["steps_done"]) == 1000
    assert failed.value.details["step_failed"] == "change 1 record sets of example.com"


def test_a_wait_that_is_too_short_says_what_was_done(task: Task) -> None:
    with pytest.raises(PartialError, match=r"after 2 seconds; last seen: PENDING\. Route 53 has taken") as failed:
        task(by_name(zone()), listed(*APEX), change(), *[looked("PENDING")] * 4, wait_timeout=2)
    assert isinstance(failed.value.cause, WaitTimeoutError)
    assert failed.value.details["steps_done"] == ["create record set www.example.com A"]


def test_a_change_that_is_not_known_yet_is_looked_for_again(task: Task) -> None:
    task(by_name(zone()), listed(*APEX), change(), Call("route53", "GetChange", failure("NoSuchChange")), looked())
