# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Route 53: batches are atomic, lists are in order, changes take time, a caller reference is used once."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.route53.models import FakeZone, RecordSet, Route53Backend
from moto.route53.responses import Route53

from lab import dns_batch
from lab.aws.patching import AwsError, aws_error, replaces
from lab.world import World

Original = Callable[..., Any]
_PAGE = 300


def install(world: World) -> None:
    changes = Changes(world)
    _zones(changes)
    _records(changes)
    _lists()

    @replaces(Route53, "get_change")
    def _get_change(_original: Original, response: Any) -> Any:
        return ActionResult({"ChangeInfo": changes.info(response._get_param("Id"))})


class Changes:
    """Every change by its id, PENDING for `dns_seconds`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._made: dict[str, tuple[float, str]] = {}
        world.on_reset(self._made.clear)

    def record(self, zone_id: str) -> dict[str, Any]:
        change_id = "C" + secrets.token_hex(10).upper()
        self._made[change_id] = (self._world.clock.now(), zone_id)
        return self.info(change_id)

    def info(self, change_id: str) -> dict[str, Any]:
        change_id = change_id.removeprefix("/change/")
        if change_id not in self._made:
            message = f"A change with the specified change ID does not exist: {change_id}"
            raise aws_error("route53", "NoSuchChange", message, 404)
        at = self._made[change_id][0]
        moment = self._world.clock.utc()
        return {"Id": f"/change/{change_id}", "Status": self._status(at), "SubmittedAt": moment.replace(microsecond=0)}

    def refuse_second(self, zone_id: str) -> None:
        """Route 53 sometimes wants one change after the other; a setting makes that always."""
        pending = any(zone == zone_id and self._status(at) == "PENDING" for at, zone in self._made.values())
        if pending and self._world.settings.dns_one_change_at_a_time:
            message = "The request was rejected because Route 53 was still processing a prior request."
            raise aws_error("route53", "PriorRequestNotComplete", message, 400)

    def _status(self, at: float) -> str:
        return "PENDING" if self._world.clock.now() - at < self._world.settings.dns_seconds else "INSYNC"


def _zones(changes: Changes) -> None:
    @replaces(Route53Backend, "create_hosted_zone")
    def _create_hosted_zone(original: Original, backend: Any, name: str, *arguments: Any, **options: Any) -> Any:
        reference = options.get("caller_reference")
        if any(zone.caller_reference == reference for zone in backend.zones.values()):
            message = "A hosted zone has already been created with the specified caller reference."
            raise aws_error("route53", "HostedZoneAlreadyExists", message, 409)
        zone = original(backend, dns_batch.normal_name(name), *arguments, **options)
        for record in zone.rrsets:  # moto keeps the SOA's value in another shape
            record.records = [value["Value"] if isinstance(value, dict) else value for value in record.records]
        return zone

    for name in ("create_hosted_zone", "delete_hosted_zone"):

        @replaces(Route53, name)
        def _registered(original: Original, response: Any) -> Any:
            answer = original(response)
            zone = answer._result.get("HostedZone")
            answer._result["ChangeInfo"] = changes.record(zone.resource_id if zone else response._get_param("Id"))
            return answer


def _records(changes: Changes) -> None:
    @replaces(Route53, "change_resource_record_sets")
    def _change_resource_record_sets(_original: Original, response: Any) -> Any:
        zone = response.backend.get_hosted_zone(response._get_param("HostedZoneId"))
        changes.refuse_second(zone.resource_id)
        wanted = [_plain(change) for change in response._get_param("ChangeBatch.Changes") or []]
        for change in wanted:
            _check_form(change)
        try:
            records = dns_batch.applied(dns_batch.normal_name(zone.name), map(_as_dict, zone.rrsets), wanted)
        except dns_batch.BatchRefusedError as error:
            raise aws_error("route53", "InvalidChangeBatch", str(error), 400) from error
        zone.rrsets = [_as_record(record) for record in records]
        return ActionResult({"ChangeInfo": changes.record(zone.resource_id)})


def _plain(change: Any) -> dict[str, Any]:
    """moto's request parser gives dictionaries of its own kind."""
    return {"Action": change["Action"], "ResourceRecordSet": dict(change["ResourceRecordSet"])}


def _check_form(change: dict[str, Any]) -> None:
    record = change["ResourceRecordSet"]
    if change["Action"] not in ("CREATE", "UPSERT", "DELETE"):
        raise aws_error("route53", "InvalidInput", f"Invalid action: {change['Action']}")
    values = record.get("TTL") is not None and bool(record.get("ResourceRecords"))
    if values is bool(record.get("AliasTarget")):
        what = "but found more than one" if values else "but found none"
        identifier = record.get("SetIdentifier", "null")
        raise aws_error(
            "route53",
            "InvalidInput",
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or "
            f"TrafficPolicyInstanceId], {what} in Change with [Action={change['Action']}, Name={record['Name']}, "
            f"Type={record['Type']}, SetIdentifier={identifier}]",
        )


_FIELDS = {
    "Name": "name",
    "Type": "type",
    "TTL": "ttl",
    "SetIdentifier": "set_identifier",
    "Weight": "weight",
    "Region": "region",
    "HealthCheckId": "health_check_id",
    "AliasTarget": "alias_target",
    "Failover": "failover",
    "GeoLocation": "geo_location",
    "MultiValueAnswer": "multi_value_answer",
}


def _as_dict(record: RecordSet) -> dict[str, Any]:
    found = {field: getattr(record, attribute) for field, attribute in _FIELDS.items()}
    found["ResourceRecords"] = [{"Value": value} for value in record.records or []]
    return {field: value for field, value in found.items() if value not in (None, [])}


def _as_record(record: dns_batch.RecordSet) -> RecordSet:
    return RecordSet({**record, "ResourceRecords": dns_batch.values_of(record)})


def _lists() -> None:
    @replaces(FakeZone, "get_record_sets")
    def _get_record_sets(_original: Original, zone: Any, _start_type: Any, _start_name: Any) -> Any:
        return sorted(zone.rrsets, key=lambda record: dns_batch.order_of(_as_dict(record)))

    @replaces(Route53, "list_resource_record_sets")
    def _list_resource_record_sets(_original: Original, response: Any) -> Any:
        zone = response.backend.get_hosted_zone(response._get_param("HostedZoneId"))
        name, kind = response._get_param("StartRecordName"), response._get_param("StartRecordType")
        if kind and not name:
            raise AwsError("route53", "InvalidInput", "The input is not valid", 400)
        identifier = response._get_param("StartRecordIdentifier") or ""
        limit = min(response._get_int_param("MaxItems", _PAGE), _PAGE)
        start = {"Name": dns_batch.normal_name(name or ""), "Type": kind or "", "SetIdentifier": identifier}
        found = [
            record
            for record in zone.get_record_sets(None, None)
            if not name or dns_batch.order_of(_as_dict(record)) >= dns_batch.order_of(start)
        ]
        after = found[limit] if len(found) > limit else None
        result = {"ResourceRecordSets": found[:limit], "IsTruncated": after is not None, "MaxItems": limit}
        if after is not None:
            result.update(
                NextRecordName=after.name, NextRecordType=after.type, NextRecordIdentifier=after.set_identifier
            )
        return ActionResult(result)

    @replaces(Route53, "list_hosted_zones_by_name")
    def _list_hosted_zones_by_name(_original: Original, response: Any) -> Any:
        """All zones from that name on, not only the ones so called: who takes the first must look at its name."""
        name, zone_id = response._get_param("DNSName"), response._get_param("HostedZoneId")
        limit = response._get_int_param("MaxItems", 100)
        zones = sorted(response.backend.zones.values(), key=lambda zone: (_reversed(zone.name), zone.resource_id))
        start = (_reversed(dns_batch.normal_name(name)), zone_id or "") if name else ([], "")
        found = [zone for zone in zones if (_reversed(zone.name), zone.resource_id) >= start]
        after = found[limit] if len(found) > limit else None
        result = {"DNSName": name, "HostedZones": found[:limit], "IsTruncated": after is not None, "MaxItems": limit}
        if after is not None:
            result.update(NextDNSName=after.name, NextHostedZoneId=after.resource_id)
        return ActionResult(result)


def _reversed(name: str) -> list[str]:
    return list(reversed(dns_batch.normal_name(name).rstrip(".").split(".")))
