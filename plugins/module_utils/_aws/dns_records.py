# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record sets: what is wanted, what is there, what has to be changed. Pure.

A record set is identified by its name, its type and, where several share those, its identifier; values are its content.
PRIVATE.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from .._compare import Difference
from .._errors import ConflictError, InputError
from .._plan import Live, Plan, Step, Wanted, decide, dismantle
from .._texts import text
from .dns_names import absolute_name, bare_id, canonical_name
from .dns_values import TEXT_TYPES, canonical_value, canonical_values

KIND = "record_set"
GRAPH: dict[str, tuple[str, ...]] = {KIND: ()}  # what cannot be without another is changed in the same request
NEW_TTL = 300
MOST_SECONDS = 2**31 - 1
MOST_WEIGHT = 255
CONTENT = frozenset({"ResourceRecords", "AliasTarget", "TTL"})
ACTIONS = {"delete": "DELETE", "create": "CREATE", "update": "UPSERT"}

Options = Mapping[str, Any]  # an entry of the option ``records``
Record = Mapping[str, Any]  # a record set as Route 53 gives and takes it


def wanted_records(options: Iterable[Options], zone: str) -> list[Wanted]:
    """The record sets that should be there.

    Raises:
        InputError: one of them cannot be.
    """
    return [Wanted(key, KIND, key, _spec(option, key, zone)) for key, option in _by_key(options, zone).items()]


def unwanted_keys(options: Iterable[Options], zone: str) -> set[str]:
    """The record sets that should not be there. Name and type are enough.

    Raises:
        InputError: one of them cannot be, or belongs to the zone itself.
    """
    keys = {*_by_key(options, zone)}
    for key in keys:
        if _is_the_zones_own(key, zone):
            raise InputError(f"records: {key} belongs to the zone itself and cannot be deleted")
    return keys


def live_record(record: Record) -> Live:
    """A record set as it is. All that Route 53 says of it is kept in the attribute ``record``."""
    kind, identifier = record["Type"], record.get("SetIdentifier", "")
    key = _key(canonical_name(record["Name"]), kind, identifier)
    spec: dict[str, Any] = {name.lower(): record[name] for name in ("TTL", "Weight") if name in record}
    if "ResourceRecords" in record:
        spec["values"] = sorted({_lenient(kind, one["Value"]) for one in record["ResourceRecords"]})
    if "AliasTarget" in record:
        target = record["AliasTarget"]
        spec["alias"] = _alias(target["DNSName"], target["HostedZoneId"], target["EvaluateTargetHealth"])
    return Live(key, KIND, key, identifier, spec, {"record": record})


def decide_present(wanted: Collection[Wanted], live: Mapping[str, Live], zone: str, *, purge: bool) -> Plan:
    """The plan that makes the wanted record sets, and with ``purge`` deletes all others but the zone's own.

    Raises:
        ConflictError: what stays in the zone does not allow it.
    """
    keys = {want.key for want in wanted}
    doomed = {key for key in live if purge and key not in keys and not _is_the_zones_own(key, zone)}
    staying = {*live} - doomed
    _refuse_mixed_identifiers(keys, staying)
    _refuse_beside_cname(keys, staying)
    made = decide([_completed(want, live) for want in wanted], live, GRAPH)
    whole = Plan(tuple(map(_with_whole_fields, made.steps)))
    return _by_name(dismantle([live[key] for key in doomed], GRAPH) + whole)


def decide_absent(unwanted: Collection[str], live: Mapping[str, Live]) -> Plan:
    """The plan that deletes the unwanted record sets.

    Raises:
        ConflictError: several share name and type, and it is not said which of them is meant.
    """
    _refuse_mixed_identifiers(unwanted, {*live})
    return _by_name(dismantle([one for key, one in live.items() if key in unwanted], GRAPH))


def change_of(step: Step) -> dict[str, Any]:
    """The step as an entry of a change batch."""
    return {"Action": ACTIONS[step.action], "ResourceRecordSet": _record(step)}


def to_result(live: Live) -> dict[str, Any]:
    """A record set as the module returns it."""
    name, kind = _name_and_type(live.key)
    return {
        "name": name,
        "type": kind,
        "set_identifier": live.id or None,
        **{field: live.spec.get(field) for field in ("ttl", "values", "alias", "weight")},
    }


def name_of(key: str) -> str:
    """The name of the record set with this key."""
    return _name_and_type(key)[0]


def _key(name: str, kind: str, identifier: str | None) -> str:
    return " ".join(part for part in (name, kind, identifier) if part)


def _name_and_type(key: str) -> tuple[str, str]:
    name, kind = key.split(" ", 2)[:2]
    return name, kind


def _is_the_zones_own(key: str, zone: str) -> bool:
    return key in (f"{zone} NS", f"{zone} SOA")


def _by_key(options: Iterable[Options], zone: str) -> dict[str, Options]:
    found: dict[str, Options] = {}
    for option in options:
        key = _key(absolute_name(option["name"], zone), option["type"], option.get("set_identifier"))
        if key in found:
            raise InputError(f"records: {key} is given twice", hint="Give all its values in one entry.")
        found[key] = option
    return found


def _spec(option: Options, key: str, zone: str) -> dict[str, Any]:
    values, alias, ttl, weight = (option.get(name) for name in ("values", "alias", "ttl", "weight"))
    both = bool(values and alias)
    _refuse(both or not (values or alias), key, f"has {'both' if both else 'neither'}", "Give values or alias.")
    _refuse(bool(alias) and ttl is not None, key, "has alias and ttl", "An alias has the TTL of its target.")
    _refuse_beyond(ttl, MOST_SECONDS, key, "ttl")
    _refuse_beyond(weight, MOST_WEIGHT, key, "weight")
    nowhere = bool(alias and not (alias["dns_name"].strip(". ") and alias["zone_id"].strip()))
    _refuse(nowhere, key, "has an alias without dns_name or zone_id", "Give what both are.")
    alone = weight is not None and not option.get("set_identifier")
    _refuse(alone, key, "has weight and no set_identifier", "That tells record sets of one name and type apart.")
    if alias:
        return {"alias": _alias(**alias), "weight": weight}
    return {"values": _values(option["type"], values, key, zone), "ttl": ttl, "weight": weight}


def _values(kind: str, values: Any, key: str, zone: str) -> list[str]:
    # elsewhere in Ansible a comma parts values; here it may belong to one, and nobody can tell which is meant
    unclear = isinstance(values, str) and "," in values and kind not in TEXT_TYPES
    _refuse(unclear, key, "has values as a text with a comma", "Give a list.")
    given = values if isinstance(values, (list, tuple)) else [values]
    checked = [text(f"records: {key} values[{number}]", one) for number, one in enumerate(given)]
    try:
        found = canonical_values(kind, checked)
    except ValueError as error:
        raise InputError(f"records: {key} has a value that cannot be: {error}") from error
    if kind == "CNAME":
        _refuse(len(found) > 1, key, f"has {len(found)} values", "A CNAME has one.")
        _refuse(name_of(key) == zone, key, "is the zone itself", "Use an alias: a zone's own name cannot have a CNAME.")
    return found


def _alias(dns_name: str, zone_id: str, evaluate_target_health: bool) -> dict[str, Any]:
    return {
        "dns_name": canonical_name(dns_name.strip()),
        "zone_id": bare_id(zone_id.strip()),
        "evaluate_target_health": evaluate_target_health,
    }


def _lenient(kind: str, value: str) -> str:
    """What others have put into a zone is compared as it is, if it is not as it should be."""
    try:
        return canonical_value(kind, value)
    except ValueError:
        return value


def _refuse(refused: bool, key: str, what: str, hint: str) -> None:
    if refused:
        raise InputError(f"records: {key} {what}", hint=hint)


def _refuse_beyond(number: int | None, most: int, key: str, option: str) -> None:
    _refuse(number is not None and not 0 <= number <= most, key, f"has {option} {number}", f"0 to {most} can be.")


def _completed(want: Wanted, live: Mapping[str, Live]) -> Wanted:
    """With what a new record set has to have; an existing one keeps what is not given, but an alias has no TTL."""
    there = live.get(want.key)
    if there and ("ttl" in there.spec or "values" not in want.spec):
        return want
    if there is None and want.key.count(" ") > 1 and want.spec["weight"] is None:
        raise InputError(f"records: {want.key} is new and has no weight", hint="Give weight with set_identifier.")
    ttl = want.spec.get("ttl")
    spec = {**want.spec, "ttl": NEW_TTL if ttl is None else ttl} if "values" in want.spec else want.spec
    return Wanted(want.key, want.kind, want.name, spec)


def _with_whole_fields(step: Step) -> Step:
    """Values have no order, so what was first and is second now says nothing: all of them are named.

    So is what goes when values become an alias, or an alias values.
    """
    if step.live is None:
        return step
    live, spec = step.live.spec, step.spec
    going = ("alias",) if "values" in spec else ("values", "ttl")
    fields = dict.fromkeys([*(one.field for one in step.differences), *(name for name in going if name in live)])
    return replace(step, differences=tuple(Difference(name, live.get(name), spec.get(name)) for name in fields))


def _refuse_mixed_identifiers(keys: Iterable[str], staying: Iterable[str]) -> None:
    """Of one name and type there is one record set without identifier, or any number with one."""
    others: dict[tuple[str, str], list[str]] = {}
    for key in staying:
        others.setdefault(_name_and_type(key), []).append(key)
    for key in keys:
        identified = key.count(" ") > 1
        mixed = [other for other in others.get(_name_and_type(key), ()) if (other.count(" ") > 1) is not identified]
        if mixed:
            raise ConflictError(
                f"records: {key} cannot be told from {', '.join(sorted(mixed))}",
                hint="Give the set_identifier of the one that is meant, or delete the others first.",
            )


def _refuse_beside_cname(keys: Collection[str], staying: Collection[str]) -> None:
    types: dict[str, set[str]] = {}
    for key in {*keys, *staying}:
        name, kind = _name_and_type(key)
        types.setdefault(name, set()).add(kind)
    for key in keys:
        others = sorted(types[name_of(key)] - {"CNAME"})
        if others and "CNAME" in types[name_of(key)]:
            raise ConflictError(
                f"records: {name_of(key)} cannot have CNAME and {', '.join(others)}",
                hint="Delete what is there first; beside a CNAME there can be nothing else.",
            )


def _by_name(plan: Plan) -> Plan:
    """Changes of one name beside one another, deletions first: they go into one request, in this order."""
    order = [*ACTIONS]
    return Plan(tuple(sorted(plan.steps, key=lambda step: (name_of(step.key), order.index(step.action), step.key))))


def _record(step: Step) -> dict[str, Any]:
    old = step.live.attributes["record"] if step.live else {}
    if step.action == "delete":
        return dict(old)
    spec = step.spec
    if "alias" in spec:
        target = spec["alias"]
        content: dict[str, Any] = {
            "AliasTarget": {
                "DNSName": f"{target['dns_name']}.",
                "HostedZoneId": target["zone_id"],
                "EvaluateTargetHealth": target["evaluate_target_health"],
            }
        }
    else:
        content = {
            "ResourceRecords": [{"Value": value} for value in spec["values"]],
            "TTL": spec.get("ttl", old.get("TTL", NEW_TTL)),
        }
    if "weight" in spec:
        content["Weight"] = spec["weight"]
    name, kind, *identifier = step.key.split(" ", 2)
    identity = {"Name": f"{name}.", "Type": kind, **({"SetIdentifier": identifier[0]} if identifier else {})}
    # an UPSERT replaces all of the record set: a health check that somebody added is sent back as it is
    return {**identity, **{field: value for field, value in old.items() if field not in CONTENT}, **content}
