# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Route 53 change batch: all of it or nothing. Pure: record sets and changes in, record sets out.

A record set is what the API calls ResourceRecordSet: a dictionary with Name, Type, TTL, ResourceRecords and so on.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any

RECORD_LIMIT = 1000
CHARACTER_LIMIT = 32000
RecordSet = Mapping[str, Any]
Key = tuple[str, str, str]


class BatchRefusedError(Exception):
    """The batch is wrong as a whole; `messages` in Route 53's words, one per wrong change."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("[" + ", ".join(messages) + "]")
        self.messages = messages


def normal_name(name: str) -> str:
    """Lower case, with a final dot; what is no letter, digit, hyphen, underscore or dot becomes its octal code."""
    lowered = re.sub(r"\\(\d{3})", lambda found: chr(int(found[1], 8)), name).lower().rstrip(".") + "."
    return "".join(char if re.match(r"[a-z0-9._-]", char) else f"\\{ord(char):03o}" for char in lowered)


def normalised(record_set: RecordSet) -> dict[str, Any]:
    return {**record_set, "Name": normal_name(record_set["Name"])}


def key_of(record_set: RecordSet) -> Key:
    return record_set["Name"], record_set["Type"], str(record_set.get("SetIdentifier") or "")


def order_of(record_set: RecordSet) -> tuple[list[str], str, str]:
    """The order of lists: by labels from the right, then type, then identifier."""
    return list(reversed(record_set["Name"].rstrip(".").split("."))), *key_of(record_set)[1:]


def applied(zone: str, current: Iterable[RecordSet], changes: Iterable[Mapping[str, Any]]) -> list[RecordSet]:
    """The record sets after the batch, or BatchRefusedError."""
    batch = [(change["Action"], normalised(change["ResourceRecordSet"])) for change in changes]
    _check_size(batch)
    records = {key_of(record): record for record in current}
    messages = [message for _unused, record in batch for message in _wrong_by_itself(zone, record)]
    messages += _twice(batch)
    for action, record in batch:
        message = _apply(zone, records, action, record)
        messages += [message] if message else []
    if messages:
        raise BatchRefusedError(messages)
    return list(records.values())


def _check_size(batch: list[tuple[str, dict[str, Any]]]) -> None:
    """An UPSERT counts twice."""
    count = characters = 0
    for action, record in batch:
        weight = 2 if action == "UPSERT" else 1
        count += weight * len(values_of(record))
        characters += weight * sum(map(len, values_of(record)))
    if count > RECORD_LIMIT:
        raise BatchRefusedError([f"Number of records limit of {RECORD_LIMIT} exceeded."])
    if characters > CHARACTER_LIMIT:
        raise BatchRefusedError([f"Number of characters limit of {CHARACTER_LIMIT} exceeded."])


def values_of(record: RecordSet) -> list[str]:
    return [one["Value"] for one in record.get("ResourceRecords") or []]


def _wrong_by_itself(zone: str, record: RecordSet) -> list[str]:
    name, kind = record["Name"], record["Type"]
    messages = []
    if name != zone and not name.endswith("." + zone):
        messages.append(f"RRSet with DNS name {name} is not permitted in zone {zone}")
    if kind == "CNAME" and name == zone:
        messages.append(f"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone}")
    values = values_of(record)
    messages += [f"Duplicate Resource Record: '{value}'" for value in sorted(set(values)) if values.count(value) > 1]
    if kind == "CNAME" and len(values) > 1:
        messages.append("InvalidInput: CNAME must have exactly one value")
    return messages + [message for value in values if (message := _wrong_value(kind, value))]


def _wrong_value(kind: str, value: str) -> str | None:
    problem = None
    if kind in ("A", "AAAA") and not _is_address(value, 4 if kind == "A" else 6):
        family = "IPv4" if kind == "A" else "IPv6"
        problem = f"{kind}RRDATAIllegal{family}Address (Value is not a valid {family} address)"
    elif kind in ("TXT", "SPF") and not re.fullmatch(r'\s*("([^"\\]|\\.)*"\s*)+', value):
        problem = "InvalidCharacterString (Value should be enclosed in quotation marks)"
    elif kind in ("CNAME", "NS", "PTR") and (not value.strip(".") or re.search(r"\s", value)):
        problem = "DomainNameEmpty (Value is not a valid domain name)"
    elif kind == "MX" and not re.fullmatch(r"\d+\s+\S+", value):
        problem = "MXRRDATANotTwoFields (Value must have two fields)"
    return f"Invalid Resource Record: 'FATAL problem: {problem} encountered with '{value}''" if problem else None


def _is_address(value: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(value).version == version
    except ValueError:
        return False


def _twice(batch: list[tuple[str, dict[str, Any]]]) -> list[str]:
    """One record set may be changed once in a batch, or deleted and then created."""
    actions: dict[Key, list[str]] = {}
    for action, record in batch:
        actions.setdefault(key_of(record), []).append(action)
    return [
        f"The request contains an invalid set of changes for a resource record set '{key[1]} {key[0]}'"
        for key, done in actions.items()
        if len(done) > 1 and done != ["DELETE", "CREATE"]
    ]


def _apply(zone: str, records: dict[Key, RecordSet], action: str, record: RecordSet) -> str | None:
    """Do one change to `records`; the message if it cannot be done."""
    key = key_of(record)
    label = (
        f"resource record set [name='{key[0]}', type='{key[1]}'"
        + (f", set identifier='{key[2]}'" if key[2] else "")
        + "]"
    )
    if action == "DELETE":
        return _delete(zone, records, key, record, label)
    if action == "CREATE" and key in records:
        return f"Tried to create {label} but it already exists"
    message = _conflict(zone, records, key)
    if message is None:
        records[key] = record
    return message


def _delete(zone: str, records: dict[Key, RecordSet], key: Key, record: RecordSet, label: str) -> str | None:
    if key not in records:
        return f"Tried to delete {label} but it was not found"
    if _shape(records[key]) != _shape(record):
        return f"Tried to delete {label} but the values provided do not match the current values"
    if key[0] == zone and key[1] in ("SOA", "NS"):
        least = "exactly one SOA" if key[1] == "SOA" else "at least one NS"
        return f"A HostedZone must contain {least} record for the zone itself."
    del records[key]
    return None


def _shape(record: RecordSet) -> dict[str, Any]:
    """What must be the same in a DELETE."""
    alias = record.get("AliasTarget")
    rest = {
        name: str(value)
        for name, value in record.items()
        if value not in (None, [], {}) and name not in _COMPARED_APART
    }
    if alias:
        alias = {
            **alias,
            "DNSName": normal_name(alias["DNSName"]),
            "EvaluateTargetHealth": str(alias.get("EvaluateTargetHealth")).lower(),
        }
    return {**rest, "AliasTarget": alias, "ResourceRecords": sorted(values_of(record))}


_COMPARED_APART = ("AliasTarget", "ResourceRecords")


def _conflict(zone: str, records: Mapping[Key, RecordSet], key: Key) -> str | None:
    name, kind, identifier = key
    others = [other for other in records if other[0] == name and other != key]
    if kind == "CNAME" and any(other[1] != "CNAME" for other in others):
        return (
            f"RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other records "
            f"with the same DNS name in zone {zone}"
        )
    if kind != "CNAME" and any(other[1] == "CNAME" for other in others):
        return (
            f"RRSet of type {kind} with DNS name {name} is not permitted because a conflicting RRSet of type CNAME "
            f"with the same DNS name already exists in zone {zone}"
        )
    if any(other[1] == kind and bool(other[2]) is not bool(identifier) for other in others):
        what = f"RRSet with DNS name {name}, type {kind}, SetIdentifier {identifier or 'null'}"
        return f"{what} conflicts with another of the same name"
    return None
