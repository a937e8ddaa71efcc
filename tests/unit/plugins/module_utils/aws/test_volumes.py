# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes: made once whatever happens, never shrunk, never deleted in use, gone at the end."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._argspec import STATE, wait_options
from ansible_collections.container.schedulers.plugins.module_utils._aws import ebs_volume
from ansible_collections.container.schedulers.plugins.module_utils._aws.client_tokens import client_token
from ansible_collections.container.schedulers.plugins.module_utils._aws.ebs_volume import farewell, wanted_spec
from ansible_collections.container.schedulers.plugins.module_utils._aws.ebs_volume_options import VolumeOptions
from ansible_collections.container.schedulers.plugins.module_utils._aws.options import CONNECTION
from ansible_collections.container.schedulers.plugins.module_utils._aws.run import Run
from ansible_collections.container.schedulers.plugins.module_utils._aws.volumes import (
    SNAPSHOT,
    VOLUME,
    Snapshots,
    Volumes,
    find_volume,
)
from ansible_collections.container.schedulers.plugins.module_utils._clock import Deadline
from ansible_collections.container.schedulers.plugins.module_utils._compare import differences
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    BusyError,
    ConflictError,
    InputError,
    StateFailedError,
)
from ansible_collections.container.schedulers.plugins.module_utils._module import Context, Outcome
from ansible_collections.container.schedulers.plugins.module_utils._ownership import Mark
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Step, apply
from ansible_collections.container.schedulers.plugins.modules.ebs_volume import SPEC
from botocore.exceptions import ReadTimeoutError
from unit.returned import as_documented
from unit.scripted import Call, ScriptedAws, failure, scripted

OWNER = "kubernetes/one"
NOW = datetime.datetime.now(datetime.UTC)
LONG_AGO = NOW - datetime.timedelta(hours=1)
TAGS = {"container.schedulers/owner": OWNER, "container.schedulers/part": "data-volume", "Name": "mysql"}
WANTED: dict[str, Any] = {"zone": "eu-west-1c", "size": 10, "type": "gp3", "encrypted": True, "tags": TAGS}
LOST = ReadTimeoutError(endpoint_url="https://ec2")


def params(**given: Any) -> dict[str, Any]:
    every = SPEC.merge(STATE, wait_options(600), CONNECTION).options
    assert {*given} <= {*every}
    return {**{name: one.get("default") for name, one in every.items()}, **given}


def options(**given: Any) -> VolumeOptions:
    return VolumeOptions.from_params(params(**given))


def a_run(aws: ScriptedAws) -> Run:
    return Run(aws, Mark(OWNER), Deadline(aws.clock, 600))


def a_volume(volume_id: str = "vol-1", state: str = "available", **more: Any) -> dict[str, Any]:
    return {
        "VolumeId": volume_id,
        "State": state,
        "CreateTime": NOW,
        "AvailabilityZone": "eu-west-1c",
        "Size": 10,
        "VolumeType": "gp3",
        "Iops": 3000,
        "Encrypted": True,
        "Tags": [{"Key": key, "Value": value} for key, value in TAGS.items()],
        **more,
    }


def described(*volumes: Mapping[str, Any], times: int = 1) -> Call:
    return Call("ec2", "DescribeVolumes", {"Volumes": volumes}, times=times)


def live(**spec: Any) -> Live:
    return Live(VOLUME, "volume", "mysql", "vol-1", {**WANTED, "iops": 3000, **spec}, {"attachments": ()})


CREATE = Step("create", VOLUME, "volume", "mysql", WANTED)
DELETE = Step("delete", VOLUME, "volume", "mysql", live=live())


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"name": "a b"}, "name: 'a b' must be 1 to 128"),
        ({"name": "all*"}, "name: "),
        ({"cluster": "One"}, "cluster: 'One' must be"),
        ({"type": "gp3", "size": 0}, "size is 0, but has to be between 1 and 65536 GiB for a volume of type gp3"),
        ({"type": "gp3", "iops": 2999}, "iops is 2999, but has to be between 3000 and 80000"),
        ({"type": "st1", "iops": 3000}, "iops: a volume of type st1 has no iops of its own"),
        ({"type": "io1", "throughput": 125}, "throughput: a volume of type io1 has no throughput"),
        ({"encrypted": False, "kms_key": "arn"}, "kms_key: a volume with encrypted: false has no key"),
        ({"snapshot_id": "snap-shot"}, "snapshot_id: 'snap-shot' must look like snap-"),
        ({"kms_key": "alias/mine"}, "kms_key: 'alias/mine' must be the ARN of a KMS key"),
        ({"kms_key": "arn:aws:kms:eu-west-1:123456789012:alias/mine"}, "kms_key: "),
        ({"tags": {"aws:x": 1}}, "tags: "),
        ({"tags": {"Name": "x"}}, "tags: Name is the volume's own name"),
    ],
)
def test_what_cannot_work_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as refused:
        options(**{"name": "mysql", **given})

    assert refused.value.message.startswith(says)


def test_a_key_of_any_partition_and_any_tag_that_ec2_takes_can_be() -> None:
    key = "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    given = options(name="mysql", kms_key=key, tags={"team": "r&d"})
    assert (given.kms_key, given.tags) == (key, {"team": "r&d"})


def test_a_volume_belongs_to_its_cluster_or_to_itself() -> None:
    assert options(name="mysql", cluster="one").mark == Mark("kubernetes/one")
    assert options(name="mysql").mark == Mark("ebs/mysql")
    assert options(name="mysql").volume_tags() == {"ebs.csi.aws.com/cluster": "true"}
    assert options(name="mysql", cluster="one", tags={"a": 1}).volume_tags() == {
        "ebs.csi.aws.com/cluster": "true",
        "KubernetesCluster": "one",
        "kubernetes.io/cluster/one": "owned",
        "a": "1",
    }


@pytest.mark.parametrize(
    ("given", "there", "differs"),
    [
        ({}, live(), ()),
        ({"size": 10, "type": "gp3", "zone": "eu-west-1c", "encrypted": True}, live(), ()),
        ({"size": 11}, live(), ("size",)),
        ({"iops": 4000}, live(), ("iops",)),
        ({"type": "gp2"}, live(), ("type",)),
        ({"tags": {"new": "tag"}}, live(), ("tags.new",)),
    ],
)
def test_only_what_is_given_is_compared(given: dict[str, Any], there: Live, differs: tuple[str, ...]) -> None:
    with scripted() as aws:
        chosen = options(name="mysql", cluster="one", **given)
        run = Run(aws, chosen.mark, Deadline(aws.clock, 1), tags=chosen.tags)
        spec = wanted_spec(run, chosen, there)

    assert tuple(one.path for one in differences(spec, there.spec)) == differs


def test_a_new_one_is_gp3_and_encrypted() -> None:
    with scripted() as aws:
        spec = wanted_spec(a_run(aws), options(name="mysql", zone="eu-west-1c", size=10), None)

    assert (spec["type"], spec["encrypted"]) == ("gp3", True)


@pytest.mark.parametrize(
    ("given", "there", "says"),
    [
        ({"size": 9}, live(), "size: volume mysql has 10 GiB, and EBS cannot shrink it to 9"),
        ({"type": "io2"}, live(iops=None), "iops: a volume of type io2 needs it"),
        ({"type": "io2"}, live(type="gp2", iops=600), "iops: a volume of type io2 needs it"),
        ({"throughput": 200}, live(type="io2"), "throughput: a volume of type io2 has no"),
    ],
)
def test_what_does_not_fit_the_live_one_is_refused(given: dict[str, Any], there: Live, says: str) -> None:
    with scripted() as aws, pytest.raises(InputError) as refused:
        wanted_spec(a_run(aws), options(name="mysql", **given), there)

    assert refused.value.message.startswith(says)


@pytest.mark.parametrize(
    ("given", "there", "iops"),
    [
        ({"type": "io2"}, live(type="io1", iops=5000), 5000),
        ({"type": "gp3"}, live(type="io1", iops=5000), 5000),
        ({"type": "gp3"}, live(type="io1", iops=200), None),  # a gp3 has 3000 at least
        ({"type": "gp3"}, live(type="gp2", iops=6000), None),  # of a gp2, nobody has asked for them
        ({"type": "st1"}, live(iops=4000, size=200), None),
        ({"type": "gp3"}, live(iops=4000), None),
        ({"type": "gp3"}, live(type="io2", iops=6000), None),  # too many for 10 GiB
        ({"type": "gp3", "size": 12}, live(type="io2", iops=6000), 6000),
        ({"type": "io1", "size": 60}, live(), 3000),
    ],
)
def test_another_type_keeps_what_is_paid_for(given: dict[str, Any], there: Live, iops: int | None) -> None:
    """EC2 would go back to 3000."""
    with scripted() as aws:
        assert wanted_spec(a_run(aws), options(name="mysql", **given), there)["iops"] == iops


def test_an_io1_that_is_too_small_for_what_is_paid_for_needs_to_be_told() -> None:
    with scripted() as aws, pytest.raises(InputError, match="iops: a volume of type io1 needs it"):
        wanted_spec(a_run(aws), options(name="mysql", type="io1"), live())


def test_it_is_found_by_mark_and_name() -> None:
    sought = [
        {"Name": "tag:container.schedulers/owner", "Values": [OWNER]},
        {"Name": "tag:container.schedulers/part", "Values": ["data-volume"]},
        {"Name": "tag:Name", "Values": ["mysql"]},
    ]
    answer = {"Volumes": [a_volume("vol-0", "deleting"), a_volume()]}
    with scripted(Call("ec2", "DescribeVolumes", answer, {"Filters": sought})) as aws:
        found = find_volume(a_run(aws), "mysql")

    assert found is not None
    assert (found.id, found.spec["size"], found.spec["tags"]) == ("vol-1", 10, TAGS)


def test_two_of_one_name_are_an_error_that_lists_them() -> None:
    with scripted(described(a_volume(), a_volume("vol-2"))) as aws, pytest.raises(ConflictError, match="vol-1, vol-2"):
        find_volume(a_run(aws), "mysql")


def test_it_is_made_and_waited_for() -> None:
    with scripted(
        Call("ec2", "CreateVolume", a_volume(), {"Size": 10, "VolumeType": "gp3", "Encrypted": True}),
        described(a_volume(state="creating"), times=2),
        described(a_volume()),
    ) as aws:
        made = Volumes(a_run(aws)).create(CREATE, WANTED)

    assert (made.id, made.attributes["state"]) == ("vol-1", "available")


def test_without_waiting_a_look_is_enough() -> None:
    with scripted(Call("ec2", "CreateVolume", a_volume()), described(a_volume(state="creating"), times=2)) as aws:
        assert Volumes(a_run(aws), wait=False).create(CREATE, WANTED).attributes["state"] == "creating"


def test_a_create_whose_answer_was_lost_is_repeated_with_its_token() -> None:
    with scripted(
        Call("ec2", "CreateVolume", LOST), Call("ec2", "CreateVolume", a_volume()), described(a_volume(), times=2)
    ) as aws:
        Volumes(a_run(aws)).create(CREATE, WANTED)

    tokens = [params["ClientToken"] for operation, params in aws.made if operation == "create_volume"]
    assert len(tokens) == 2
    assert len({*tokens}) == 1


@pytest.mark.parametrize("ghost", [failure("InvalidVolume.NotFound"), {"Volumes": [a_volume("vol-0", "deleting")]}])
def test_a_token_of_a_deleted_volume_is_not_taken_for_a_new_one(ghost: Any) -> None:
    with scripted(
        Call("ec2", "CreateVolume", a_volume("vol-0", CreateTime=LONG_AGO)),
        Call("ec2", "DescribeVolumes", ghost, {"VolumeIds": ["vol-0"]}),
        Call("ec2", "CreateVolume", a_volume("vol-1")),
        described(a_volume(), times=2),
    ) as aws:
        made = Volumes(a_run(aws)).create(CREATE, WANTED)

    tokens = [params["ClientToken"] for operation, params in aws.made if operation == "create_volume"]
    assert made.id == "vol-1"
    assert len({*tokens}) == 2


def test_a_token_that_ec2_refuses_as_its_volume_is_deleted_is_followed_by_another() -> None:
    gone = "The client token you have provided is associated with a resource that is already deleted."
    with scripted(
        Call("ec2", "CreateVolume", failure("IdempotentParameterMismatch", gone)),
        Call("ec2", "CreateVolume", a_volume()),
        described(a_volume(), times=2),
    ) as aws:
        assert Volumes(a_run(aws)).create(CREATE, WANTED).id == "vol-1"
        tokens = {params["ClientToken"] for operation, params in aws.made if operation == "create_volume"}
    assert len(tokens) == 2


@pytest.mark.parametrize("seen", [0, 1])
def test_a_volume_with_a_key_that_may_not_be_used_does_not_stay(seen: int) -> None:
    missing = Call("ec2", "DescribeVolumes", failure("InvalidVolume.NotFound"), times=30)
    answered = Call("ec2", "CreateVolume", a_volume(state="creating", CreateTime=datetime.datetime.now(datetime.UTC)))
    aws = ScriptedAws((answered, *([described(a_volume(state="creating"))] * seen), missing))
    with pytest.raises(StateFailedError, match=r"had made volume vol-1, and has it no more.*Does the KMS key exist"):
        Volumes(a_run(aws)).create(CREATE, WANTED)


def test_tokens_follow_from_what_is_asked_for() -> None:
    assert client_token({"Size": 1}, 0) == client_token({"Size": 1}, 0)
    assert len({client_token({"Size": 1}, 0), client_token({"Size": 2}, 0), client_token({"Size": 1}, 1)}) == 3


def test_one_that_fails_fails_at_once() -> None:
    with (
        scripted(Call("ec2", "CreateVolume", a_volume()), described(a_volume(state="error"), times=2)) as aws,
        pytest.raises(StateFailedError, match="in state error"),
    ):
        Volumes(a_run(aws)).create(CREATE, WANTED)


def grow() -> Step:
    spec = {**WANTED, "size": 20}
    return Step("update", VOLUME, "volume", "mysql", spec, live(), differences(spec, live().spec))


def modification(state: str, **more: str) -> Call:
    return Call("ec2", "DescribeVolumesModifications", {"VolumesModifications": [{"ModificationState": state, **more}]})


def test_it_grows_and_can_be_used_while_it_is_optimised() -> None:
    step = grow()
    with scripted(
        Call("ec2", "ModifyVolume", {}, {"VolumeId": "vol-1", "Size": 20}),
        modification("modifying"),
        modification("optimizing"),
        described(a_volume(Size=20)),
    ) as aws:
        assert Volumes(a_run(aws)).update(step, step.spec, live()).spec["size"] == 20


def test_a_change_that_another_run_has_begun_is_waited_for() -> None:
    step = grow()
    with scripted(
        Call("ec2", "ModifyVolume", failure("IncorrectModificationState")),
        modification("optimizing"),
        described(a_volume(Size=20), times=2),
    ) as aws:
        Volumes(a_run(aws)).update(step, step.spec, live())


def test_another_change_is_not_taken_for_this_one() -> None:
    step = grow()
    with (
        scripted(
            Call("ec2", "ModifyVolume", failure("IncorrectModificationState")),
            modification("optimizing"),
            described(a_volume(Size=15)),
        ) as aws,
        pytest.raises(BusyError),
    ):
        Volumes(a_run(aws)).update(step, step.spec, live())


@pytest.mark.parametrize(("given", "why"), [({"StatusMessage": "no room"}, "no room"), ({}, "is 'failed'")])
def test_a_change_that_fails_says_why(given: dict[str, str], why: str) -> None:
    step = grow()
    with (
        scripted(Call("ec2", "ModifyVolume"), modification("failed", **given)) as aws,
        pytest.raises(StateFailedError, match=why),
    ):
        Volumes(a_run(aws)).update(step, step.spec, live())


def test_new_tags_are_no_modification() -> None:
    spec = {**WANTED, "tags": {**TAGS, "team": "blue"}}
    step = Step("update", VOLUME, "volume", "mysql", spec, live(), differences(spec, live().spec))
    with scripted(Call("ec2", "CreateTags", {}, {"Resources": ["vol-1"]}), described(a_volume())) as aws:
        Volumes(a_run(aws)).update(step, spec, live())


def ensured(monkeypatch: pytest.MonkeyPatch, *states: str, **given: Any) -> Outcome:
    """What the module says of a volume as it should be, that is in these states one after the other."""
    tags = {**TAGS, **options(name="mysql", cluster="one").volume_tags()}
    told = [{"Key": key, "Value": value} for key, value in tags.items()]
    with scripted(*(described(a_volume(state=one, Tags=told)) for one in states)) as aws:
        monkeypatch.setattr(ebs_volume, "Aws", lambda _connection: aws)
        context = Context(params(name="mysql", cluster="one", **given), clock=aws.clock)
        return as_documented(ebs_volume.ensure, ebs_volume.ensure(context))


@pytest.mark.parametrize(
    ("states", "wait"),
    [
        (["available"], True),
        (["creating", "creating", "available"], True),  # the run that made it was killed
        (["creating", "creating"], False),
    ],
)
def test_one_that_is_there_is_waited_for_too(monkeypatch: pytest.MonkeyPatch, states: list[str], wait: bool) -> None:
    outcome = ensured(monkeypatch, *states, wait=wait)

    assert outcome.plan is not None
    assert not outcome.plan.changed
    assert outcome.result["volume"]["state"] == states[-1]


def test_one_that_is_there_and_failed_is_not_taken_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StateFailedError, match="volume vol-1 is in state error"):
        ensured(monkeypatch, "error", "error")


def test_gone_means_gone() -> None:
    with scripted(
        Call("ec2", "DeleteVolume", {}, {"VolumeId": "vol-1"}),
        described(a_volume(state="deleting")),
        Call("ec2", "DescribeVolumes", failure("InvalidVolume.NotFound")),
    ) as aws:
        Volumes(a_run(aws)).delete(DELETE, live())


@pytest.mark.parametrize("check", [True, False])
def test_a_snapshot_that_is_not_there_is_refused_before_the_volume_is_made(
    check: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    zones = {"AvailabilityZones": [{"ZoneName": "eu-west-1c"}]}
    calls = (
        described(),
        Call("ec2", "DescribeAvailabilityZones", zones),
        Call("ec2", "DescribeSnapshots", failure("InvalidSnapshot.NotFound")),
    )
    with scripted(*calls) as aws:
        monkeypatch.setattr(ebs_volume, "Aws", lambda _connection: aws)
        given = params(name="mysql", state="present", zone="eu-west-1c", snapshot_id="snap-0a")
        with pytest.raises(InputError, match="snapshot_id: there is no snapshot snap-0a in eu-west-1"):
            ebs_volume.ensure(Context(given, check_mode=check, clock=aws.clock))


def snapshots(*ids: str) -> Call:
    return Call("ec2", "DescribeSnapshots", {"Snapshots": [{"SnapshotId": one} for one in ids]}, has_filters)


def has_filters(params: Mapping[str, Any]) -> bool:
    return "Filters" in params


TAKE = Step("create", SNAPSHOT, "snapshot", "mysql", {"volume": "vol-1", "tags": {}})


def test_a_snapshot_is_complete_before_the_volume_goes() -> None:
    with scripted(
        snapshots(),
        Call("ec2", "CreateSnapshot", {"SnapshotId": "snap-1"}, {"VolumeId": "vol-1"}),
        Call("ec2", "DescribeSnapshots", {"Snapshots": [{"State": "pending", "Progress": "10%"}]}),
        Call("ec2", "DescribeSnapshots", {"Snapshots": [{"State": "completed"}]}),
        Call("ec2", "DeleteVolume"),
        described(),
    ) as aws:
        run = a_run(aws)
        plan = farewell(run, live(), snapshot=True)
        applied = apply(plan, {"volume": Volumes(run), "snapshot": Snapshots(run)}, {VOLUME: live()})

    operations = [operation for operation, _params in aws.made]
    assert operations.index("delete_volume") > operations.index("describe_snapshots")
    assert applied.live[SNAPSHOT].id == "snap-1"


def test_a_snapshot_whose_answer_was_lost_is_looked_up_and_an_old_one_is_not_good_enough() -> None:
    with scripted(
        snapshots("snap-0"),
        Call("ec2", "CreateSnapshot", LOST),
        snapshots("snap-0", "snap-1"),
        Call("ec2", "DescribeSnapshots", {"Snapshots": [{"State": "completed"}]}),
    ) as aws:
        assert Snapshots(a_run(aws)).create(TAKE, TAKE.spec).id == "snap-1"


def test_a_snapshot_that_fails_keeps_the_volume() -> None:
    with (
        scripted(
            snapshots(),
            Call("ec2", "CreateSnapshot", {"SnapshotId": "snap-1"}),
            Call("ec2", "DescribeSnapshots", {"Snapshots": [{"State": "error", "StateMessage": "no key"}]}),
        ) as aws,
        pytest.raises(StateFailedError, match="no key"),
    ):
        Snapshots(a_run(aws)).create(TAKE, TAKE.spec)
