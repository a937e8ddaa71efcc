# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a Kubernetes cluster that no other scheduler has: address, control plane, parameters, boot, access."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.addresses import (
    ADDRESS,
    ADDRESS_ASSOCIATION,
    AddressAssociations,
    Addresses,
    read_address,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.control_plane import (
    CONTROL_PLANE,
    ControlPlanes,
    read_control_plane,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_access import (
    KUBECONFIG,
    LATER,
    Access,
    Kubeconfigs,
    await_booted,
    read_kubeconfig,
    wanted_kubeconfig,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_parameters import (
    Parameters,
    Progress,
    read_parameters,
)
from ansible_collections.container.schedulers.plugins.module_utils._compare import differences
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    ConflictError,
    NotFoundError,
    NotOursError,
    SchedulersError,
    StateFailedError,
    WaitTimeoutError,
)
from ansible_collections.container.schedulers.plugins.module_utils._kubeconfig import load, save
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Step
from botocore.exceptions import ReadTimeoutError
from unit.k8s_cluster import ADMIN, FakeCluster, a_run, marks
from unit.scripted import Call, ScriptedAws, failure, scripted

LOST = ReadTimeoutError(endpoint_url="https://aws")
TAGS = {one["Key"]: one["Value"] for one in marks(ADDRESS)}
EIP = {"AllocationId": "eipalloc-1", "PublicIp": "192.0.2.9", "Tags": marks(ADDRESS)}


def addresses(*found: dict[str, Any], times: int = 1) -> Call:
    return Call("ec2", "DescribeAddresses", {"Addresses": found}, times=times)


def step(action: Any, kind: str, spec: dict[str, Any], live: Live | None = None, key: str = "") -> Step:
    changed = differences(spec, live.spec) if live else ()
    return Step(action, key or kind, kind, "it", spec, live, changed)


# the address


def test_an_address_is_found_with_what_it_is_associated_with() -> None:
    with scripted(addresses({**EIP, "InstanceId": "i-1"})) as aws:
        live = read_address(a_run(aws))

    assert live[ADDRESS].value("public_ip") == "192.0.2.9"
    assert live[ADDRESS_ASSOCIATION].spec == {"allocation": "eipalloc-1", "instance": "i-1"}


def test_there_may_be_none_and_two_are_an_error() -> None:
    with scripted(addresses()) as aws:
        assert read_address(a_run(aws)) == {}
    with scripted(addresses(EIP, {**EIP, "AllocationId": "eipalloc-2"})) as aws, pytest.raises(ConflictError):
        read_address(a_run(aws))


def test_an_address_is_allocated_once_though_the_answer_was_lost() -> None:
    with scripted(addresses(), Call("ec2", "AllocateAddress", LOST), addresses(EIP, times=2)) as aws:
        made = Addresses(a_run(aws), lambda: 0.0).create(step("create", "address", {"tags": TAGS}), {"tags": TAGS})

    assert made.id == "eipalloc-1"


@pytest.mark.parametrize(
    ("made", "others", "kept", "released"),
    [
        ("eipalloc-1", {}, "eipalloc-1", None),
        ("eipalloc-1", {"eipalloc-2": {}}, "eipalloc-1", None),  # the other run gives up its own
        ("eipalloc-2", {"eipalloc-1": {}}, "eipalloc-1", "eipalloc-2"),
        ("eipalloc-1", {"eipalloc-2": {"InstanceId": "i-1"}}, "eipalloc-2", "eipalloc-1"),
    ],
)
def test_of_two_runs_that_allocate_an_address_one_gives_its_own_up(
    made: str, others: dict[str, dict[str, Any]], kept: str, released: str | None
) -> None:
    """Neither has made the role, which tells who may: a run before them was killed."""
    mine, theirs = {**EIP, "AllocationId": made}, [{**EIP, "AllocationId": one, **more} for one, more in others.items()]
    release = [Call("ec2", "ReleaseAddress", {}, {"AllocationId": released})] if released else []
    with scripted(addresses(), Call("ec2", "AllocateAddress", mine), addresses(*theirs, mine), *release) as aws:
        used = Addresses(a_run(aws), lambda: 0.0).create(step("create", "address", {"tags": TAGS}), {"tags": TAGS})

    assert used.id == kept


def test_an_address_that_another_run_has_allocated_meanwhile_is_used() -> None:
    with scripted(addresses(EIP)) as aws:
        used = Addresses(a_run(aws), lambda: 0.0).create(step("create", "address", {"tags": TAGS}), {"tags": TAGS})

    assert used.id == "eipalloc-1"


def test_another_run_may_be_allocating_it() -> None:
    with scripted(addresses(times=2), addresses(EIP)) as aws:
        made = Addresses(a_run(aws), lambda: 10.0).create(step("create", "address", {"tags": TAGS}), {"tags": TAGS})

    assert made.id == "eipalloc-1"


def test_an_address_is_associated_and_again_with_another_instance() -> None:
    spec = {"allocation": "eipalloc-1", "instance": "i-2"}
    request = {"AllocationId": "eipalloc-1", "InstanceId": "i-2", "AllowReassociation": True}
    live = Live(ADDRESS_ASSOCIATION, "address_association", "it", "eipalloc-1", {**spec, "instance": "i-1"})
    with scripted(Call("ec2", "AssociateAddress", {}, request)) as aws:
        AddressAssociations(a_run(aws)).update(step("update", "address_association", spec, live), spec, live)


def test_an_address_is_retagged_and_released() -> None:
    live = Live(ADDRESS, "address", "192.0.2.9", "eipalloc-1", {"tags": TAGS})
    with scripted(
        Call("ec2", "CreateTags", {}, {"Resources": ["eipalloc-1"]}),
        Call("ec2", "ReleaseAddress", failure("InvalidIPAddress.InUse")),
        Call("ec2", "ReleaseAddress", {}, {"AllocationId": "eipalloc-1"}),
    ) as aws:
        handler = Addresses(a_run(aws), lambda: 0.0)
        handler.update(step("update", "address", {"tags": {"a": "b"}}, live), {"tags": {"a": "b"}}, live)
        handler.delete(step("delete", "address", {}, live), live)


# the control plane

SPEC: dict[str, Any] = {
    "zone": "eu-west-1c",
    "instance_type": "t3.medium",
    "version": "1.36.4",
    "image_id": "ami-1",
    "root_device": "/dev/xvda",
    "more_volumes": {},
    "volume_size": 30,
    "encrypted": True,
    "metadata_hops": 1,
    "profile": "p",
    "security_group_ids": ["sg-1"],
    "subnet_id": "subnet-1",
    "private_ip": "172.20.0.9",
    "address": "192.0.2.9",
    "tags": {"Name": "c"},
}
CREATE = Step("create", CONTROL_PLANE, "control_plane", "c", SPEC)
BOOT = "#!/bin/bash\n" + "echo long\n" * 1000


def instance(state: str = "running", instance_id: str = "i-1", **more: Any) -> dict[str, Any]:
    return {
        "InstanceId": instance_id,
        "InstanceType": "t3.medium",
        "Placement": {"AvailabilityZone": "eu-west-1c"},
        "State": {"Name": state},
        "PrivateIpAddress": "172.20.0.9",
        "Tags": marks(CONTROL_PLANE, Name="c", **{"container.schedulers/version": "1.36.4"}),
        **more,
    }


def described(*instances: dict[str, Any], times: int = 1) -> Call:
    return Call("ec2", "DescribeInstances", {"Reservations": [{"Instances": list(instances)}]}, times=times)


def ran(instance_id: str = "i-1") -> Call:
    return Call("ec2", "RunInstances", {"Instances": [{"InstanceId": instance_id}]})


def made(aws: ScriptedAws) -> Live:
    return ControlPlanes(a_run(aws), lambda address: f"{BOOT}# {address}\n").create(CREATE, SPEC)


def test_what_the_cluster_was_made_with_stands_in_its_tags() -> None:
    with scripted(described(instance())) as aws:
        live = read_control_plane(a_run(aws))

    assert live is not None
    assert (live.id, live.spec["version"], live.spec["zone"], live.spec["pod_cidr"]) == (
        "i-1",
        "1.36.4",
        "eu-west-1c",
        None,
    )


def test_two_control_planes_are_an_error() -> None:
    with scripted(described(instance(), instance(instance_id="i-2"))) as aws, pytest.raises(ConflictError):
        read_control_plane(a_run(aws))


def test_it_is_started_at_its_address_and_compressed_user_data_knows_the_public_one() -> None:
    with scripted(ran(), described(instance("pending")), described(instance())) as aws:
        assert made(aws).id == "i-1"
        request = next(params for operation, params in aws.made if operation == "run_instances")

    (interface,) = request["NetworkInterfaces"]
    assert (interface["SubnetId"], interface["PrivateIpAddress"]) == ("subnet-1", "172.20.0.9")
    assert "AssociatePublicIpAddress" not in interface
    assert gzip.decompress(request["UserData"]).decode().endswith("# 192.0.2.9\n")
    assert request["MetadataOptions"] == {
        "HttpEndpoint": "enabled",
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 1,
        "InstanceMetadataTags": "disabled",  # whatever the account's default is: our keys could not be shown there
    }
    assert request["BlockDeviceMappings"][0]["Ebs"]["Encrypted"]


def test_a_lost_answer_starts_no_second_one() -> None:
    with scripted(Call("ec2", "RunInstances", LOST), ran(), described(instance())) as aws:
        made(aws)
        tokens = [params["ClientToken"] for operation, params in aws.made if operation == "run_instances"]

    assert len(tokens) == 2
    assert len({*tokens}) == 1


def test_the_address_of_one_that_is_ending_is_waited_for() -> None:
    taken = failure("InvalidIPAddress.InUse", "Address 172.20.0.9 is in use.")
    with scripted(Call("ec2", "RunInstances", taken, times=2), ran(), described(instance())) as aws:
        assert made(aws).id == "i-1"


def test_an_address_that_somebody_keeps_is_said() -> None:
    taken = failure("InvalidIPAddress.InUse", "Address 172.20.0.9 is in use.")
    with scripted(Call("ec2", "RunInstances", taken)) as aws, pytest.raises(WaitTimeoutError, match="is in use"):
        ControlPlanes(a_run(aws, seconds=0), lambda _address: BOOT).create(CREATE, SPEC)


def test_one_that_an_earlier_run_has_ended_is_not_taken_for_a_new_one() -> None:
    with scripted(ran("i-0"), described(instance("terminated", "i-0")), ran(), described(instance())) as aws:
        assert made(aws).id == "i-1"
        tokens = {params["ClientToken"] for operation, params in aws.made if operation == "run_instances"}

    assert len(tokens) == 2


def test_a_token_of_one_that_is_terminated_is_followed_by_another() -> None:
    used_up = Call("ec2", "RunInstances", failure("IdempotentInstanceTerminated"))
    with scripted(used_up, ran(), described(instance())) as aws:
        assert made(aws).id == "i-1"
        tokens = {params["ClientToken"] for operation, params in aws.made if operation == "run_instances"}

    assert len(tokens) == 2


def test_one_that_ends_while_it_starts_says_why() -> None:
    dying = instance("shutting-down", StateReason={"Message": "Client.VolumeLimitExceeded"})
    with (
        scripted(ran(), described(instance("pending")), described(dying)) as aws,
        pytest.raises(StateFailedError, match=r"i-1 is shutting-down: Client\.VolumeLimitExceeded"),
    ):
        made(aws)


def test_it_gives_up_when_all_answers_are_old() -> None:
    calls = [one for _unused in range(20) for one in (ran("i-0"), described(instance("terminated", "i-0")))]
    with scripted(*calls) as aws, pytest.raises(SchedulersError, match="terminated, 20 times"):
        made(aws)


def test_it_is_retagged_and_terminated() -> None:
    live = Live(CONTROL_PLANE, "control_plane", "c", "i-1", {"tags": {}}, {"volumes": ["vol-root"]})
    with scripted(
        Call("ec2", "CreateTags", {}, {"Resources": ["vol-root"]}),
        Call("ec2", "CreateTags", {}, {"Resources": ["i-1"]}),
        Call("ec2", "TerminateInstances", {}, {"InstanceIds": ["i-1"]}),
        described(instance("shutting-down")),
        described(),
    ) as aws:
        handler = ControlPlanes(a_run(aws), lambda _address: "")
        handler.update(step("update", "control_plane", {"tags": {"a": "b"}}, live), {"tags": {"a": "b"}}, live)
        handler.delete(step("delete", "control_plane", {}, live), live)


# the parameters

JOIN = "/kubernetes/one/join"
JOIN_TAGS = {one["Key"]: one["Value"] for one in marks("parameter-join")}


def parameters(*names: str, version: int = 1) -> Call:
    found = [{"Name": one, "Type": "SecureString", "Version": version} for one in names]
    return Call("ssm", "DescribeParameters", {"Parameters": found})


def tagged(tags: list[dict[str, str]]) -> Call:
    return Call("ssm", "ListTagsForResource", {"TagList": tags}, {"ResourceId": JOIN})


@pytest.mark.parametrize(("version", "written"), [(1, False), (2, True)])
def test_parameters_are_read_with_their_tags(version: int, written: bool) -> None:
    with scripted(parameters(JOIN, version=version), tagged(marks("parameter-join"))) as aws:
        live = read_parameters(a_run(aws), "one")["parameter-join"]

    assert live.spec == {"secret": True, "written": written, "tags": JOIN_TAGS}


def test_that_of_somebody_else_is_left_alone() -> None:
    refused = pytest.raises(NotOursError, match=rf"{JOIN} .*Choose another name\.$")
    with refused, scripted(parameters(JOIN), tagged([])) as aws:
        read_parameters(a_run(aws), "one")


def test_one_that_goes_meanwhile_is_gone() -> None:
    gone = Call("ssm", "ListTagsForResource", failure("InvalidResourceId"), {"ResourceId": JOIN})
    with scripted(parameters(JOIN), gone) as aws:
        assert read_parameters(a_run(aws), "one") == {}


def test_a_secret_is_made_empty_and_encrypted() -> None:
    spec = {"secret": True, "tags": JOIN_TAGS}
    create = Step("create", "parameter-join", "parameter", JOIN, spec)
    put = Call("ssm", "PutParameter", {}, {"Name": JOIN, "Type": "SecureString", "Value": "pending"})
    with scripted(put) as aws:
        assert Parameters(a_run(aws)).create(create, spec).id == JOIN


def test_what_an_instance_has_written_is_not_written_over() -> None:
    spec = {"secret": True, "tags": JOIN_TAGS}
    create = Step("create", "parameter-join", "parameter", JOIN, spec)
    taken = Call("ssm", "PutParameter", failure("ParameterAlreadyExists"), lambda given: "Overwrite" not in given)
    with scripted(taken, parameters(JOIN), tagged(marks("parameter-join"))) as aws:
        assert Parameters(a_run(aws)).create(create, spec).id == JOIN


def test_what_a_control_plane_that_is_gone_has_written_is_taken_back() -> None:
    live = Live("parameter-join", "parameter", JOIN, JOIN, {"secret": True, "written": True, "tags": JOIN_TAGS})
    spec = {"secret": True, "written": False, "tags": JOIN_TAGS}
    with scripted(Call("ssm", "PutParameter", {}, {"Name": JOIN, "Value": "pending", "Overwrite": True})) as aws:
        Parameters(a_run(aws)).update(step("update", "parameter", spec, live), spec, live)


def test_a_parameter_is_retagged_and_deleted() -> None:
    live = Live("parameter-join", "parameter", JOIN, JOIN, {"secret": True, "tags": {}})
    with scripted(
        Call("ssm", "AddTagsToResource", {}, {"ResourceId": JOIN}),
        Call("ssm", "DeleteParameter", failure("ParameterNotFound"), {"Name": JOIN}),
    ) as aws:
        handler = Parameters(a_run(aws))
        spec = {"secret": True, "tags": {"a": "b"}}
        handler.update(step("update", "parameter", spec, live), spec, live)
        handler.delete(step("delete", "parameter", {}, live), live)


@pytest.mark.parametrize(
    ("value", "progress"),
    [
        ("pending", Progress()),
        ("[]", Progress()),
        (json.dumps({"instance": "i-1", "state": "running", "step": "x", "more": 1}), Progress("i-1", "running", "x")),
    ],
)
def test_progress_is_what_an_instance_says(value: str, progress: Progress) -> None:
    assert Progress.parse(value) == progress


def test_a_failure_has_a_step_and_the_end_of_the_log() -> None:
    progress = Progress("i-1", "failed", "install packages", "E: no route\n\nE: giving up\n")

    assert (
        progress.failure() == "i-1 failed at the step 'install packages'; its log ends with: E: no route | E: giving up"
    )
    assert Progress("i-1", "running").failure() is None


# the boot


def progress(state: str, instance_id: str = "i-1", **more: str) -> Call:
    told = json.dumps({"instance": instance_id, "state": state, "step": "install packages", **more})
    return Call("ssm", "GetParameter", {"Parameter": {"Value": told}}, {"Name": "/kubernetes/one/progress"})


def test_the_boot_is_waited_for() -> None:
    earlier = progress("failed", "i-0")
    with scripted(described(instance(), times=3), earlier, progress("running"), progress("done")) as aws:
        await_booted(a_run(aws), "one")


def test_a_boot_that_fails_ends_the_wait_at_once() -> None:
    with (
        scripted(described(instance()), progress("failed", log="E: no route")) as aws,
        pytest.raises(StateFailedError, match=r"i-1 failed at the step 'install packages'; .*terminate it"),
    ):
        await_booted(a_run(aws), "one")


def test_a_control_plane_that_is_gone_ends_it_too() -> None:
    with scripted(described(), progress("running")) as aws, pytest.raises(StateFailedError, match="is gone"):
        await_booted(a_run(aws), "one")


def test_a_control_plane_that_somebody_has_stopped_is_not_waited_for() -> None:
    stopped = {**instance(), "State": {"Name": "stopped"}}
    with (
        scripted(described(stopped), progress("running")) as aws,
        pytest.raises(StateFailedError, match=r"its control plane, i-1, is stopped\. Start it"),
    ):
        await_booted(a_run(aws, seconds=0), "one")


def test_a_boot_that_takes_too_long_says_how_far_it_is() -> None:
    with (
        scripted(described(instance()), progress("running")) as aws,
        pytest.raises(WaitTimeoutError, match="last seen: the step 'install packages'"),
    ):
        await_booted(a_run(aws, seconds=0), "one")


# access

PUBLISHED = Call("ssm", "GetParameter", {"Parameter": {"Value": ADMIN}}, {"Name": "/kubernetes/one/admin"})
PENDING = Call("ssm", "GetParameter", {"Parameter": {"Value": "pending"}}, {"Name": "/kubernetes/one/admin"})


def access(aws: ScriptedAws, hidden: list[Any] | None = None) -> Access:
    return Access(a_run(aws), "one", FakeCluster().connect, (hidden if hidden is not None else []).extend)


def test_the_credentials_are_hidden_and_lead_to_the_public_address() -> None:
    hidden: list[Any] = []
    with scripted(PUBLISHED, addresses(EIP)) as aws:
        document = access(aws, hidden).document()

    assert document is not None
    cluster = {"server": "https://192.0.2.9:6443", "certificate-authority-data": "Q0E="}
    assert document["clusters"][0] == {"name": "aws_one", "cluster": cluster}
    assert base64.b64encode(b"a very secret key").decode() in hidden


@pytest.mark.parametrize("calls", [(PENDING, addresses(EIP)), (PUBLISHED, addresses())])
def test_without_credentials_or_address_there_is_no_way(calls: tuple[Call, ...]) -> None:
    with scripted(*calls) as aws, pytest.raises(NotFoundError, match="has published no credentials yet"):
        access(aws).api()


def test_the_way_is_looked_for_once() -> None:
    with scripted(PUBLISHED, addresses(EIP)) as aws:
        way = access(aws)
        assert way.api() is way.api()


def kubeconfig_step(path: Path, action: Any = "create", *, current: bool = True) -> Step:
    return Step(action, KUBECONFIG, "kubeconfig", "aws_one", {"current": current or None})


def test_the_kubeconfig_is_written_once_the_boot_is_through(tmp_path: Path) -> None:
    path = tmp_path / "config"
    with scripted(described(instance()), progress("done"), PUBLISHED, addresses(EIP)) as aws:
        create = kubeconfig_step(path)
        live = Kubeconfigs(a_run(aws), access(aws), "one", path).create(create, create.spec)

    assert live.spec["address"] == "192.0.2.9"
    assert load(path)["current-context"] == "aws_one"


def test_whichever_context_is_current_stays_if_that_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "config"
    save(path, {"clusters": [{"name": "other", "cluster": {}}], "current-context": "other"})
    with scripted(described(instance()), progress("done"), PUBLISHED, addresses(EIP)) as aws:
        create = kubeconfig_step(path, current=False)
        Kubeconfigs(a_run(aws), access(aws), "one", path).update(create, create.spec, Live("", "", "", ""))

    assert load(path)["current-context"] == "other"


def test_a_control_plane_that_is_up_and_silent_is_an_error(tmp_path: Path) -> None:
    with scripted(described(instance()), progress("done"), PENDING, addresses(EIP)) as aws:
        create = kubeconfig_step(tmp_path)
        with pytest.raises(ConflictError, match="has published no credentials"):
            Kubeconfigs(a_run(aws), access(aws), "one", tmp_path / "config").create(create, create.spec)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "config"
    with scripted() as aws, pytest.raises(SchedulersError, match="cannot be"):
        Kubeconfigs(a_run(aws), access(aws), "one", path).delete(kubeconfig_step(path), Live("", "", "aws_one", ""))


def test_the_second_time_nothing_differs_and_a_changed_key_does(tmp_path: Path) -> None:
    path = tmp_path / "config"
    with scripted(PUBLISHED, addresses(EIP)) as aws:
        document = access(aws).document()
    assert document is not None
    assert read_kubeconfig(path, "one", "eu-west-1") is None
    save(path, document)
    live = read_kubeconfig(path, "one", "eu-west-1")
    assert live is not None

    same = {**wanted_kubeconfig("one", document, current=True).spec, "address": "192.0.2.9"}
    later = {**wanted_kubeconfig("one", None, current=False).spec, "address": "192.0.2.9"}
    assert differences(same, live.spec) == ()
    assert [(one.path, one.after) for one in differences(later, live.spec)] == [("entry", LATER)]


def test_entries_of_a_cluster_of_the_same_name_elsewhere_are_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "config"
    with scripted(PUBLISHED, addresses(EIP)) as aws:
        document = access(aws).document()
    assert document is not None
    save(path, document)
    with pytest.raises(NotOursError, match="that of cluster one in eu-west-1"):
        read_kubeconfig(path, "one", "us-east-1")
    for one in document["contexts"]:
        del one["context"]["extensions"]
    save(path, document)
    assert read_kubeconfig(path, "one", "us-east-1")  # it does not say where its cluster is


def test_only_our_entries_go(tmp_path: Path) -> None:
    path = tmp_path / "config"
    save(path, {"users": [{"name": "aws_one"}, {"name": "other"}]})
    with scripted() as aws:
        Kubeconfigs(a_run(aws), access(aws), "one", path).delete(kubeconfig_step(path), Live("", "", "aws_one", ""))

    assert [one["name"] for one in load(path)["users"]] == ["other"]
