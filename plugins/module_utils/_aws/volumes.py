# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EBS volumes that hold data, and the snapshot that may be taken before one goes.

A volume is made once, by its client token. PRIVATE.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from functools import partial
from typing import Any

from .._errors import BusyError, NotFoundError, StateFailedError
from .._ownership import only_one
from .._plan import Live, Rule, Spec, Step
from .._retry import create_once
from .._wait import Acceptor, failure, success, wait_until
from .api import from_tags, tag_filter, tag_specifications
from .client_tokens import made_once
from .ec2 import awaited, retag
from .run import Run

VOLUME = "data-volume"  # key of a plan, and part in the mark
SNAPSHOT = "snapshot"
VOLUME_RULES: Mapping[str, Rule] = {"volume": Rule(immutable=frozenset({"zone", "encrypted", "kms_key", "snapshot"}))}
FIELDS = {
    "zone": "AvailabilityZone",
    "size": "Size",
    "type": "VolumeType",
    "iops": "Iops",
    "throughput": "Throughput",
    "encrypted": "Encrypted",
    "kms_key": "KmsKeyId",
    "snapshot": "SnapshotId",
}
MODIFIABLE = ("size", "type", "iops", "throughput")
USABLE = frozenset({"available", "in-use"})
STATES = USABLE | {"creating"}
GONE = frozenset({"deleting", "deleted"})
MODIFIED = (  # what EC2 optimises for hours can be used already
    Acceptor("ModificationState", "optimizing"),
    Acceptor("ModificationState", "completed"),
    Acceptor("ModificationState", "failed", "failure", why="StatusMessage"),
)
COMPLETE = (
    Acceptor("State", "completed"),
    Acceptor("State", "error", "failure", why="StateMessage || 'it failed'"),
)
FRESH_SECONDS = 15.0  # a volume younger than this may not be in all lists yet
KEY_HINT = "Does the KMS key exist, and may it be used with these credentials? EC2 finds that out afterwards only."
MISSING_LOOKS = 5  # in a row: as long as a list may be behind


def find_volume(run: Run, name: str) -> Live | None:
    """The volume of this name that carries our mark.

    Raises:
        ConflictError: there are several.
    """
    filters = tag_filter({**run.mark.tags(VOLUME), "Name": name})
    doing = f"look for volume {name}"
    found = run.aws.pages("ec2", "DescribeVolumes", "Volumes", {"Filters": filters}, doing=doing)
    by_id = {one["VolumeId"]: one for one in found if one["State"] not in GONE}
    volume_id = only_one(by_id, f"volume {name} of {run.mark.owner}")
    return live_volume(by_id[volume_id], name) if volume_id else None


def live_volume(volume: Mapping[str, Any], name: str) -> Live:
    """A volume of DescribeVolumes."""
    spec = {ours: volume.get(theirs) for ours, theirs in FIELDS.items()}
    attributes = {"state": volume["State"], "attachments": tuple(volume.get("Attachments", ()))}
    return Live(VOLUME, "volume", name, volume["VolumeId"], {**spec, "tags": from_tags(volume.get("Tags"))}, attributes)


class Volumes:
    """Volumes with spec ``{zone, size, type, iops, throughput, encrypted, kms_key, snapshot, tags}``.

    Args:
        wait: whether each step ends only when the volume can be used, or is gone.
    """

    def __init__(self, run: Run, *, wait: bool = True) -> None:
        self._run = run
        self._wait = wait

    def create(self, step: Step, spec: Spec) -> Live:
        request = {
            **{theirs: spec[ours] for ours, theirs in FIELDS.items() if spec.get(ours) is not None},
            "TagSpecifications": tag_specifications("volume", spec["tags"]),
        }

        def make(token: dict[str, str]) -> Live | None:
            answer = self._run.aws.call("ec2", "CreateVolume", {**request, **token}, doing=step.sentence)
            there = self._exists(step, answer)
            return self.usable(answer["VolumeId"], step.name, step.sentence) if there else None

        return made_once(request, make, otherwise="EC2 answers with volumes that are deleted", doing=step.sentence)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        changed = {one.field for one in step.differences}
        if changed & {*MODIFIABLE}:
            self._modify(step, spec, live)
        if "tags" in changed:
            retag(self._run, step, spec["tags"], live.id)
        return self.usable(live.id, step.name, step.sentence)

    def delete(self, step: Step, live: Live) -> None:
        """Ends with a look: a volume is ``deleting`` for a while."""
        run = self._run
        run.aws.delete(
            "ec2", "DeleteVolume", {"VolumeId": live.id}, doing=step.sentence, deadline=run.deadline, pace=run.pace
        )
        wait_until(
            lambda: self._look(step.sentence, live.id),
            ready=lambda volume: volume is None or not self._wait,
            describe=lambda volume: f"{live.id} is {volume['State']}" if volume else "gone",
            hint="AWS deletes it by itself from here on. Run the same task again to see it gone.",
            deadline=run.deadline,
            doing=step.sentence,
            pace=run.pace,
        )

    def _exists(self, step: Step, answer: Mapping[str, Any]) -> bool:
        """Whether an answer is about a volume that is there; one made a moment ago may take another moment.

        Raises:
            StateFailedError: it was made for this very request, and did not stay.
        """
        age = (datetime.datetime.now(datetime.UTC) - answer["CreateTime"]).total_seconds()
        find = partial(self._look, step.sentence, answer["VolumeId"])
        found = awaited(self._run, find, max(0.0, FRESH_SECONDS - age), "volume")
        if found is None and age < FRESH_SECONDS:
            raise StateFailedError(_vanished(answer["VolumeId"]), doing=step.sentence, hint=KEY_HINT)
        return found is not None and found["State"] not in GONE

    def _modify(self, step: Step, spec: Spec, live: Live) -> None:
        request = {"VolumeId": live.id, **{FIELDS[one]: spec[one] for one in MODIFIABLE if spec.get(one) is not None}}
        try:
            self._run.aws.call("ec2", "ModifyVolume", request, doing=step.sentence)
        except BusyError:  # a change is under way: perhaps the same one, of a run that was killed
            self._await_modified(step, live.id)
            now = self._look(step.sentence, live.id) or {}
            if any(now.get(FIELDS[one]) != spec[one] for one in MODIFIABLE if spec.get(one) is not None):
                raise
            return
        self._await_modified(step, live.id)

    def _await_modified(self, step: Step, volume_id: str) -> None:
        """Until the new size can be used."""
        request, modified = {"VolumeIds": [volume_id]}, success(MODIFIED)

        def look() -> Mapping[str, Any]:
            answer = self._run.aws.call(
                "ec2", "DescribeVolumesModifications", request, doing=step.sentence, settles=True
            )
            newest: Mapping[str, Any] = max(answer["VolumesModifications"], key=lambda one: str(one.get("StartTime")))
            return newest

        wait_until(
            look,
            ready=lambda change: modified(change) or not self._wait,
            failed=failure(MODIFIED),
            describe=lambda change: f"the change is {change['ModificationState']}",
            hint="AWS goes on by itself. Run the same task again, or raise wait_timeout.",
            deadline=self._run.deadline,
            doing=step.sentence,
            pace=self._run.pace,
        )

    def usable(self, volume_id: str, name: str, doing: str) -> Live:
        """The volume once it can be used."""
        missing = 0

        def look() -> dict[str, Any]:
            nonlocal missing
            found = self._look(doing, volume_id)
            missing = 0 if found else missing + 1
            return found or {"State": "missing"}

        def failed(volume: Mapping[str, Any]) -> str | None:
            if volume["State"] == "error":
                return f"volume {volume_id} is in state error"
            return _vanished(volume_id) if missing == MISSING_LOOKS else None

        volume = wait_until(
            look,
            ready=lambda volume: volume["State"] in (USABLE if self._wait else STATES),
            failed=failed,
            describe=lambda volume: f"{volume_id} is {volume['State']}",
            hint=KEY_HINT,
            deadline=self._run.deadline,
            doing=doing,
            pace=self._run.pace,
        )
        return live_volume(volume, name)

    def _look(self, doing: str, volume_id: str) -> dict[str, Any] | None:
        try:
            found = self._run.aws.call("ec2", "DescribeVolumes", {"VolumeIds": [volume_id]}, doing=doing)
        except NotFoundError:
            return None
        volume: dict[str, Any] | None = next((one for one in found["Volumes"] if one["State"] != "deleted"), None)
        return volume


def _vanished(volume_id: str) -> str:
    return f"EC2 had made volume {volume_id}, and has it no more"


class Snapshots:
    """Snapshots with spec ``{volume, tags}``, complete when ``create`` ends.

    One that an earlier run took is not good enough: the volume may have been written to since. Nothing tells: EC2 knows
    attachments only as long as they last, and CloudTrail and CloudWatch are behind. A second one is incremental.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, step: Step, spec: Spec) -> Live:
        known = self._taken(step, spec["volume"])
        request = {
            "VolumeId": spec["volume"],
            "Description": f"Volume {step.name} of {self._run.mark.owner}",
            "TagSpecifications": tag_specifications("snapshot", spec["tags"]),
        }

        def create() -> str:
            return str(self._run.aws.call("ec2", "CreateSnapshot", request, doing=step.sentence)["SnapshotId"])

        def find() -> str | None:
            return next(iter(self._taken(step, spec["volume"]) - known), None)

        snapshot_id = create_once(create, find, self._run.aws.policy)
        self._await_complete(step, snapshot_id)
        return Live(step.key, step.kind, step.name, snapshot_id, spec)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        raise NotImplementedError(f"{step.label}: a snapshot never changes")

    def delete(self, step: Step, live: Live) -> None:
        run = self._run
        run.aws.delete("ec2", "DeleteSnapshot", {"SnapshotId": live.id}, doing=step.sentence, deadline=run.deadline)

    def _taken(self, step: Step, volume_id: str) -> set[str]:
        filters = [{"Name": "volume-id", "Values": [volume_id]}, *tag_filter(self._run.mark.tags(SNAPSHOT))]
        request = {"Filters": filters, "OwnerIds": ["self"]}
        found = self._run.aws.pages("ec2", "DescribeSnapshots", "Snapshots", request, doing=step.sentence)
        return {one["SnapshotId"] for one in found}

    def _await_complete(self, step: Step, snapshot_id: str) -> None:
        def look() -> Mapping[str, Any]:
            request = {"SnapshotIds": [snapshot_id]}
            answer = self._run.aws.call("ec2", "DescribeSnapshots", request, doing=step.sentence, settles=True)
            snapshot: Mapping[str, Any] = answer["Snapshots"][0]
            return snapshot

        wait_until(
            look,
            ready=success(COMPLETE),
            failed=failure(COMPLETE),
            describe=lambda snapshot: f"{snapshot_id} is {snapshot['State']}, {snapshot.get('Progress', '0%')}",
            hint="A snapshot of much data takes long. Raise wait_timeout.",
            deadline=self._run.deadline,
            doing=step.sentence,
            pace=self._run.pace,
        )
