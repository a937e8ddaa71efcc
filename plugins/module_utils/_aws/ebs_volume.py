# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One EBS volume: read, decide, apply, wait. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .._errors import ConflictError, InputError, NotFoundError
from .._module import Context, Outcome
from .._plan import Graph, Handler, Live, Plan, Step, Wanted, apply, decide, dismantle
from .api import Aws, Connection
from .ebs_volume_options import DEFAULT_TYPE, IOPS, IOPS_PER_GIBIBYTE, NEEDS_IOPS, VolumeOptions
from .run import Run
from .volumes import SNAPSHOT, USABLE, VOLUME, VOLUME_RULES, Snapshots, Volumes, find_volume

GRAPH: Graph = {"volume": ()}


def ensure(context: Context) -> Outcome:
    """What the module does."""
    options = VolumeOptions.from_params(context.params)
    aws = Aws(Connection.from_params(context.params))
    run = Run(aws, options.mark, context.deadline(), context.pace(), options.volume_tags())
    there = find_volume(run, options.name)
    if context.params["state"] == "present":
        return _ensure_present(context, run, options, there)
    return _ensure_absent(context, run, options, there)


def _ensure_present(context: Context, run: Run, options: VolumeOptions, there: Live | None) -> Outcome:
    live = {VOLUME: there} if there else {}
    if not there:
        _check_new(run, options)
    plan = decide([Wanted(VOLUME, "volume", options.name, wanted_spec(run, options, there))], live, GRAPH, VOLUME_RULES)
    if not context.check_mode:
        live = dict(apply(plan, _handlers(context, run), live).live)
        if not plan.changed:
            live = {VOLUME: _usable(context, run, live[VOLUME])}
    return Outcome(to_result(options.name, live.get(VOLUME)), plan)


def _usable(context: Context, run: Run, there: Live) -> Live:
    """A volume with nothing left to do once it can be used: the run that made it may have ended before it could."""
    if there.attributes["state"] in USABLE:
        return there
    volumes = Volumes(run, wait=context.params["wait"])
    return volumes.usable(there.id, there.name, f"wait until volume {there.name} can be used")


def _ensure_absent(context: Context, run: Run, options: VolumeOptions, there: Live | None) -> Outcome:
    if not there:
        return Outcome(to_result(options.name, None), Plan())
    _check_unused(there)
    plan = farewell(run, there, snapshot=context.params["snapshot"])
    taken: Live | None = None
    if not context.check_mode:
        taken = apply(plan, _handlers(context, run), {VOLUME: there}).live.get(SNAPSHOT)
    return Outcome(to_result(options.name, None, taken), plan)


def wanted_spec(run: Run, options: VolumeOptions, there: Live | None) -> dict[str, Any]:
    """The volume as it should be. What is not given has a default on a new one, and stays on one that is there.

    Raises:
        InputError: a number does not fit the type, or the volume would have to shrink.
    """
    live = there.spec if there else {}
    kind = options.type or live.get("type") or DEFAULT_TYPE
    options.check_limits(kind)
    if there and options.size is not None and options.size < live["size"]:
        raise InputError(
            f"size: volume {options.name} has {live['size']} GiB, and EBS cannot shrink it to {options.size}"
        )
    iops = _iops(options, live, kind)
    if kind in NEEDS_IOPS and not iops and live.get("type") != kind:
        raise InputError(f"iops: a volume of type {kind} needs it")
    return {
        "zone": options.zone,
        "size": options.size,
        "type": options.type if there else kind,
        "iops": iops,
        "throughput": options.throughput,
        "encrypted": options.encrypted if there or options.encrypted is not None else True,
        "kms_key": options.kms_key,
        "snapshot": options.snapshot_id,
        "tags": run.tags_for(VOLUME, options.name),
    }


def _iops(options: VolumeOptions, live: Mapping[str, Any], kind: str) -> int | None:
    """What is given; else, of another type, what is paid for now, if that can have as many: EC2 would take 3000."""
    before = live.get("type")
    if options.iops is not None or before == kind or before not in IOPS or kind not in IOPS:
        return options.iops
    least, most = IOPS[kind]
    there, size = live["iops"] or 0, options.size or live["size"]
    return there if least <= there <= min(most, IOPS_PER_GIBIBYTE[kind] * size) else None


def farewell(run: Run, there: Live, *, snapshot: bool) -> Plan:
    """The plan that deletes a volume, after a snapshot of it if that is wanted. Pure."""
    deleted = dismantle([there], GRAPH)
    if not snapshot:
        return deleted
    spec = {"volume": there.id, "tags": run.tags_for(SNAPSHOT, there.name)}
    taken = Step("create", SNAPSHOT, "snapshot", there.name, spec)
    return Plan((taken, *(replace(step, needs=frozenset({SNAPSHOT})) for step in deleted.steps)))


def to_result(name: str, volume: Live | None, snapshot: Live | None = None) -> dict[str, Any]:
    """The volume as the module returns it: the same keys whether it is there or not. Pure."""
    spec: Mapping[str, Any] = volume.spec if volume else {}
    attributes: Mapping[str, Any] = volume.attributes if volume else {}
    fields = ("zone", "size", "type", "iops", "throughput", "encrypted", "kms_key")
    return {
        "volume": {
            "id": volume.id if volume else None,
            "name": name,
            "state": attributes.get("state"),
            **{field: spec.get(field) for field in fields},
            "tags": dict(spec.get("tags", {})),
            "attachments": [
                {"instance_id": one["InstanceId"], "device": one["Device"], "state": one["State"]}
                for one in attributes.get("attachments", ())
            ],
        },
        "snapshot_id": snapshot.id if snapshot else None,
    }


def _handlers(context: Context, run: Run) -> dict[str, Handler]:
    return {"volume": Volumes(run, wait=context.params["wait"]), "snapshot": Snapshots(run)}


def _check_new(run: Run, options: VolumeOptions) -> None:
    """What a new volume must be told.

    Raises:
        InputError: something is missing, or the zone or the snapshot is not one of the region.
    """
    if options.zone is None:
        raise InputError(f"zone: volume {options.name} is not there yet, and a new one needs a zone")
    if options.size is None and options.snapshot_id is None:
        raise InputError(f"size: volume {options.name} is not there yet, and a new one needs a size or a snapshot_id")
    check_zone(run.aws, options.zone)
    if options.snapshot_id:
        _check_snapshot(run.aws, options.snapshot_id)


def _check_snapshot(aws: Aws, snapshot_id: str) -> None:
    try:
        aws.call("ec2", "DescribeSnapshots", {"SnapshotIds": [snapshot_id]}, doing=f"look up snapshot {snapshot_id}")
    except NotFoundError as error:
        raise InputError(f"snapshot_id: there is no snapshot {snapshot_id} in {aws.region}") from error


def check_zone(aws: Aws, zone: str) -> None:
    """Refuse a zone that is not there.

    Raises:
        InputError: the region has no such zone.
    """
    doing = f"look up the zones of {aws.region}"
    found = aws.call("ec2", "DescribeAvailabilityZones", {}, doing=doing)["AvailabilityZones"]
    zones = sorted(one["ZoneName"] for one in found)
    if zone not in zones:
        raise InputError(f"zone: {zone!r} is not in {aws.region}, which has {', '.join(zones)}")


def _check_unused(volume: Live) -> None:
    users = [f"{one['InstanceId']} as {one['Device']}" for one in volume.attributes["attachments"]]
    if users:
        raise ConflictError(
            f"volume {volume.name} ({volume.id}) is in use: attached to {', '.join(users)}",
            hint="Stop what uses it first.",
        )
