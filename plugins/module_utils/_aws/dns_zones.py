# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one hosted zone that is meant, and what is in it, read with the fewest calls. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._errors import ConflictError, InputError, NotFoundError
from .._parallel import gather
from .._plan import Live
from .api import Aws
from .dns_names import bare_id, canonical_name, refuse_bad_name
from .dns_records import live_record

VPC_ID = re.compile(r"vpc-[0-9a-f]+")
PAGE = 300  # the most that ListResourceRecordSets gives at once
READERS = 2  # Route 53 answers five requests a second, for the whole account


@dataclass(frozen=True)
class ZoneChoice:
    """Which zone the user means: an id, or a name and what tells zones of one name apart."""

    id: str = ""
    name: str = ""
    private: bool | None = None
    vpc_id: str = ""

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> ZoneChoice:
        """The choice that a module's options make.

        Raises:
            InputError: it cannot be.
        """
        name = canonical_name(params["zone"] or "")
        if params["zone"] is not None:
            refuse_bad_name(name, "zone")
        if params["vpc_id"] and params["private_zone"] is False:
            raise InputError("vpc_id and private_zone: false exclude one another", hint="Only private zones have VPCs.")
        if params["vpc_id"] and not VPC_ID.fullmatch(params["vpc_id"]):
            raise InputError(f"vpc_id: {params['vpc_id']!r} must look like vpc-0123456789abcdef0")
        return cls(bare_id(params["zone_id"] or ""), name, params["private_zone"], params["vpc_id"] or "")

    @property
    def label(self) -> str:
        """The zone in words, with all that it was looked for by."""
        kind = {None: "hosted zone", True: "private hosted zone", False: "public hosted zone"}[self.private]
        return f"{kind} {self.name or self.id}" + (f" of VPC {self.vpc_id}" if self.vpc_id else "")


@dataclass(frozen=True)
class Zone:
    """A hosted zone: its id, its name, and how many record sets it has."""

    id: str
    name: str
    size: int


def find_zone(aws: Aws, choice: ZoneChoice) -> Zone | None:
    """The zone, or None if there is none.

    Raises:
        ConflictError: several zones are what the user named.
    """
    if choice.id:
        return _zone_by_id(aws, choice.id)
    zones = [zone for zone in _zones_of_name(aws, choice.name) if _fits(aws, zone, choice)]
    if len(zones) > 1:
        ids = ", ".join(sorted(bare_id(zone["Id"]) for zone in zones))
        raise ConflictError(
            f"there are {len(zones)} hosted zones {choice.name}: {ids}",
            hint="Give zone_id, or tell them apart by private_zone or vpc_id.",
        )
    return next(map(_zone, zones), None)


def read_records(aws: Aws, zone: Zone, names: frozenset[str] | None) -> dict[str, Live]:
    """The zone's record sets by key: those of the given names at least, all where None is given.

    A small zone is read as a whole. Of a large one only the names are read, if that takes fewer calls.
    """
    pages = -(-zone.size // PAGE)
    if names is not None and len(names) < pages:
        reads = {name: _reader(aws, zone, name) for name in sorted(names)}
        found = [record for records in gather(reads, workers=READERS).values() for record in records]
    else:
        found = list(_records(aws, zone.id, {}))
    return {one.key: one for one in map(live_record, found)}


def _zone(answer: Mapping[str, Any]) -> Zone:
    return Zone(bare_id(answer["Id"]), canonical_name(answer["Name"]), answer.get("ResourceRecordSetCount", 0))


def _zone_by_id(aws: Aws, zone_id: str) -> Zone | None:
    try:
        answer = aws.call("route53", "GetHostedZone", {"Id": zone_id}, doing=f"look at the hosted zone {zone_id}")
    except NotFoundError:
        return None
    return _zone(answer["HostedZone"])


def _zones_of_name(aws: Aws, name: str) -> Iterator[Mapping[str, Any]]:
    """The list is sorted by name, and starts with the first one asked for."""
    following: dict[str, Any] = {"DNSName": name}
    while following:
        answer = aws.call("route53", "ListHostedZonesByName", following, doing=f"look for the hosted zone {name}")
        for zone in answer["HostedZones"]:
            if canonical_name(zone["Name"]) != name:
                return
            yield zone
        following = (
            {"DNSName": answer["NextDNSName"], "HostedZoneId": answer["NextHostedZoneId"]}
            if answer["IsTruncated"]
            else {}
        )


def _fits(aws: Aws, zone: Mapping[str, Any], choice: ZoneChoice) -> bool:
    private = zone.get("Config", {}).get("PrivateZone", False)
    if choice.private is not None and private is not choice.private:
        return False
    if not choice.vpc_id:
        return True
    if not private:
        return False
    zone_id = bare_id(zone["Id"])
    answer = aws.call("route53", "GetHostedZone", {"Id": zone_id}, doing=f"look at the hosted zone {zone_id}")
    return any(vpc["VPCId"] == choice.vpc_id for vpc in answer.get("VPCs", ()))


def _reader(aws: Aws, zone: Zone, name: str) -> Callable[[], list[Mapping[str, Any]]]:
    def read() -> list[Mapping[str, Any]]:
        found = []
        for record in _records(aws, zone.id, {"StartRecordName": f"{name}."}):
            if canonical_name(record["Name"]) != name:
                break
            found.append(record)
        return found

    return read


def _records(aws: Aws, zone_id: str, start: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Record sets from a name on, to the last page, as far as they are asked for."""
    following: Mapping[str, Any] | None = start
    while following is not None:
        request = {"HostedZoneId": zone_id, "MaxItems": str(PAGE), **following}
        answer = aws.call("route53", "ListResourceRecordSets", request, doing=f"list the record sets of {zone_id}")
        yield from answer["ResourceRecordSets"]
        following = _next_page(answer)


def _next_page(answer: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if not answer["IsTruncated"]:
        return None
    given = {
        "StartRecordName": answer.get("NextRecordName"),
        "StartRecordType": answer.get("NextRecordType"),
        "StartRecordIdentifier": answer.get("NextRecordIdentifier"),
    }
    return {name: value for name, value in given.items() if value}
