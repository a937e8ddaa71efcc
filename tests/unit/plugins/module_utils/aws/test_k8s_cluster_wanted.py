# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a cluster, its settings, and the resources that they mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.control_plane import CONTROL_PLANE
from ansible_collections.container.schedulers.plugins.module_utils._aws.images import Image
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_cluster_lookup import look_up
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_cluster_wanted import (
    GRAPH,
    RULES,
    Scene,
    first_subnet,
    settings,
    wanted,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.launch_templates import LAUNCH_TEMPLATE
from ansible_collections.container.schedulers.plugins.module_utils._aws.node_group import UNJOINED
from ansible_collections.container.schedulers.plugins.module_utils._aws.scaling_groups import SCALING_GROUP
from ansible_collections.container.schedulers.plugins.module_utils._errors import InputError
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Wanted, decide
from unit.k8s_cluster import a_run, options
from unit.scripted import Call, failure, scripted

ZONE = "eu-west-1c"
IMAGE = Image("ami-1", "x86_64", "/dev/xvda", 8)
IMAGE_OF_TWO = Image("ami-1", "x86_64", "/dev/xvda", 8, {"/dev/sdb": 20})
MADE: dict[str, Any] = {
    "zone": ZONE,
    "instance_type": "t3.medium",
    "version": "1.36.4",
    "pod_network": "flannel",
    "pod_cidr": "10.50.0.0/16",
    "service_cidr": "10.60.0.0/16",
}
INSTANCE = Live(CONTROL_PLANE, "control_plane", "c", "i-1", MADE)
TEMPLATE = Live(
    LAUNCH_TEMPLATE,
    "launch_template",
    "t",
    "lt-1",
    {"image_id": "ami-1", "instance_type": "t3.medium"},
    {"version": "3"},
)


def plan_of(live: dict[str, Live], **given: Any) -> dict[str, Wanted]:
    chosen = options(**given)
    with scripted() as aws:
        run = a_run(aws, tags=chosen.tags)
        made_with = settings(chosen, live, "eu-west-1")
        return {one.key: one for one in wanted(Scene(run, chosen, live, made_with, {"x86_64": IMAGE_OF_TWO}))}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"name": "No"}, "name: 'No' must be 1 to 63"),
        ({"name": "-a"}, "name: "),
        ({"node_count": 0}, "node_count is 0, but has to be at least 1"),
        ({"volume_size": 9}, "volume_size is 9, but has to be between 10 and 16384 GiB"),
        ({"version": "1.20.0"}, "version: '1.20.0' is not supported"),
        ({"version": "1.36"}, "version: '1.36' is not supported"),
        ({"control_plane_type": "large"}, "control_plane_type: 'large' is no instance type"),
        ({"node_type": "large"}, "node_type: 'large' is no instance type"),
        ({"ami": "latest"}, "ami: 'latest' must be the id of an image"),
        ({"ami": "ami-1", "node_type": "t4g.small", "control_plane_type": "t3.large"}, "ami: one image cannot serve"),
        ({"cidr": "172.20.0.0/15"}, "cidr: '172.20.0.0/15' must be an IPv4 range between /16 and /24"),
        ({"cidr": "172.20.0.1/16"}, "cidr: '172.20.0.1/16' is no address range"),
        ({"pod_cidr": "fd00::/16"}, "pod_cidr: 'fd00::/16' must be an IPv4 range"),
        ({"service_cidr": "10.0.0.0/8"}, "service_cidr: '10.0.0.0/8' must be"),
        ({"allowed_cidrs": ["all"]}, "allowed_cidrs: 'all' is no address range"),
        ({"tags": {"KubernetesCluster": "x"}}, "tags: KubernetesCluster says whose a thing is"),
        ({"tags": {"kubernetes.io/cluster/one": "shared"}}, "tags: kubernetes.io/cluster/one says whose"),
        ({"pod_cidr": "224.0.0.0/16"}, "pod_cidr: no machine can have an address of"),
        ({"node_policies": ["x"]}, "node_policies: 'x' must be the ARN of a policy"),
    ],
)
def test_what_cannot_work_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as refused:
        options(**given)

    assert refused.value.message.startswith(says)


@pytest.mark.parametrize(
    ("given", "live", "says"),
    [
        ({}, {}, "zone: cluster one is not there yet"),
        ({"zone": "eu-central-1a"}, {}, "zone: 'eu-central-1a' is no availability zone of eu-west-1"),
        ({"zone": "eu-west-1"}, {}, "zone: 'eu-west-1' is no availability zone"),
        ({"zone": "eu-west-1a"}, {CONTROL_PLANE: INSTANCE}, f"zone: cluster one is in {ZONE}"),
        ({"control_plane_type": "t3.large"}, {CONTROL_PLANE: INSTANCE}, "control_plane_type: that of cluster one is"),
        (
            {"zone": ZONE, "pod_cidr": "10.244.0.0/22", "node_count": 4},
            {},
            "node_count is 4, but pod_cidr 10.244.0.0/22 has room for 3 nodes",
        ),
        ({"zone": ZONE, "pod_cidr": "172.20.0.0/20"}, {}, "cidr: 172.20.0.0/16 overlaps with pod_cidr 172.20.0.0/20"),
        ({"zone": ZONE, "service_cidr": "10.244.0.0/20"}, {}, "pod_cidr: 10.244.0.0/16 overlaps with service_cidr"),
    ],
)
def test_what_does_not_fit_together_is_refused(given: dict[str, Any], live: dict[str, Live], says: str) -> None:
    with pytest.raises(InputError) as refused:
        settings(options(**given), live, "eu-west-1")

    assert refused.value.message.startswith(says)


def test_a_new_cluster_is_that_of_the_chapter() -> None:
    made_with = settings(options(zone=ZONE), {}, "eu-west-1")

    assert (made_with.cidr, made_with.subnet_cidr, made_with.api_address) == (
        "172.20.0.0/16",
        "172.20.0.0/24",
        "172.20.0.9",
    )
    assert (made_with.version, made_with.pod_network) == ("1.36.4", "routes")


def test_what_a_cluster_was_made_with_need_not_be_said_again() -> None:
    made_with = settings(options(), {CONTROL_PLANE: INSTANCE}, "eu-west-1")

    assert (made_with.zone, made_with.pod_network, made_with.pod_cidr) == (ZONE, "flannel", "10.50.0.0/16")


@pytest.mark.parametrize(("cidr", "subnet"), [("172.20.0.0/16", "172.20.0.0/24"), ("10.1.2.0/24", "10.1.2.0/24")])
def test_the_subnet_is_a_24_if_there_is_room(cidr: str, subnet: str) -> None:
    assert first_subnet(cidr) == subnet


def test_everything_new_carries_mark_and_tags() -> None:
    for one in plan_of({}, zone=ZONE, tags={"team": "blue"}).values():
        tags = one.spec.get("tags") or one.spec.get("instance_tags")
        if tags is None:
            assert one.kind in {"internet_gateway", "ingress_rule", "address_association"}
            continue
        assert tags["container.schedulers/owner"] == "kubernetes/one"
        assert tags["KubernetesCluster"] == "one"
        assert tags["kubernetes.io/cluster/one"] == "owned"
        assert tags["team"] == "blue"


def test_the_driver_is_told_the_tags_by_which_a_teardown_finds_its_volumes_and_it_may_attach_them() -> None:
    addons = settings(options(zone=ZONE), {}, "eu-west-1").addons("eu-west-1", "kubernetes/one")
    driver = next(
        one for one in addons if (one["kind"], one["metadata"]["name"]) == ("Deployment", "ebs-csi-controller")
    )
    (told,) = [one for one in driver["spec"]["template"]["spec"]["containers"][0]["args"] if "--extra-tags=" in one]

    assert {"container.schedulers/owner=kubernetes/one", "KubernetesCluster=one"} <= {
        *told.removeprefix("--extra-tags=").split(",")
    }


@pytest.mark.parametrize(("live", "written"), [({}, False), ({CONTROL_PLANE: INSTANCE}, None)])
def test_nobody_believes_what_a_control_plane_has_published_that_is_gone(
    live: dict[str, Live], written: bool | None
) -> None:
    resources = plan_of(live, zone=ZONE)

    assert {one.spec["written"] for one in resources.values() if one.kind == "parameter"} == {written}
    assert "parameter" in GRAPH["control_plane"]  # and not after the next one has begun to publish


def test_secrets_are_encrypted_and_the_rest_is_not() -> None:
    found = {one.name: one.spec["secret"] for one in plan_of({}, zone=ZONE).values() if one.kind == "parameter"}

    assert found == {
        "/kubernetes/one/join": True,
        "/kubernetes/one/admin": True,
        "/kubernetes/one/progress": False,
        "/kubernetes/one/node-progress": False,
    }


@pytest.mark.parametrize(
    ("given", "opened"),
    [
        ({}, ["tcp 6443 from 0.0.0.0/0"]),
        ({"allowed_cidrs": ["10.0.0.0/8"]}, ["tcp 6443 from 10.0.0.0/8"]),
        ({"allowed_cidrs": []}, []),
    ],
)
def test_from_outside_only_the_api_can_be_reached(given: dict[str, Any], opened: list[str]) -> None:
    resources = plan_of({}, zone=ZONE, **given)

    assert [*resources["security-group-control-plane"].spec["ingress"]] == opened
    assert resources["security-group-nodes"].spec["ingress"] is None


@pytest.mark.parametrize(
    ("rules", "instances", "opened"),
    [
        ([], [], ["tcp 6443 from 0.0.0.0/0"]),  # the run that made it ended before it opened it
        (["tcp 6443 from 10.0.0.0/8"], [], None),
        ([], [INSTANCE], None),  # somebody has shut it
    ],
)
def test_a_group_that_was_never_opened_is_opened(
    rules: list[str], instances: list[Live], opened: list[str] | None
) -> None:
    key = "security-group-control-plane"
    group = Live(key, "security_group", "", "sg-1", {"ingress": dict.fromkeys(rules, "allowed")})
    ingress = plan_of({key: group, **{one.key: one for one in instances}}, zone=ZONE)[key].spec["ingress"]

    assert (ingress if ingress is None else [*ingress]) == opened


def test_instances_are_safe() -> None:
    resources = plan_of({}, zone=ZONE)

    for one in (resources[CONTROL_PLANE], resources[LAUNCH_TEMPLATE]):
        assert (one.spec["metadata_hops"], one.spec["encrypted"], one.spec["key_name"]) == (1, True, None)
        assert one.spec["more_volumes"] == {"/dev/sdb": 20}
    assert resources[CONTROL_PLANE].spec["private_ip"] == "172.20.0.9"


def test_an_existing_cluster_is_not_managed_where_nothing_is_said() -> None:
    resources = plan_of({CONTROL_PLANE: INSTANCE, LAUNCH_TEMPLATE: TEMPLATE, SCALING_GROUP: TEMPLATE})

    assert "image_id" not in resources[CONTROL_PLANE].spec
    assert resources[CONTROL_PLANE].spec["instance_type"] is None
    assert resources[LAUNCH_TEMPLATE].spec["image_id"] is None
    assert resources[SCALING_GROUP].spec["desired_count"] is None


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"version": "1.35.0"}, "version"),
        ({"pod_network": "routes"}, "pod_network"),
        ({"pod_cidr": "10.51.0.0/16"}, "pod_cidr"),
        ({"service_cidr": "10.61.0.0/16"}, "service_cidr"),
    ],
)
def test_what_is_fixed_cannot_be_changed(given: dict[str, Any], field: str) -> None:
    live = {CONTROL_PLANE: INSTANCE, LAUNCH_TEMPLATE: TEMPLATE}
    resources = plan_of(live, **given)

    with pytest.raises(InputError, match=f"{field} of control plane .* cannot be changed"):
        decide([resources[CONTROL_PLANE]], live, GRAPH, RULES)


def test_outdated_nodes_are_replaced_only_if_that_is_wanted() -> None:
    live = {"i-2": Live("i-2", "node", "i-2", "i-2", {"template_version": "1"}), CONTROL_PLANE: INSTANCE}

    assert "i-2" not in plan_of(live)
    assert "i-2" in plan_of(live, replace_outdated=True)


def test_nodes_that_never_joined_are_replaced_in_any_case() -> None:
    failed = Live("i-2", UNJOINED, "i-2", "i-2", {"template_version": "1", "boot": "failed"})
    good = Live("i-3", "node", "i-3", "i-3", {"template_version": "1"})
    live = {"i-2": failed, "i-3": good, CONTROL_PLANE: INSTANCE}
    resources = plan_of(live)

    assert "i-3" not in resources
    assert decide([resources["i-2"]], live, GRAPH, RULES).sentences() == ["update unjoined node i-2 (boot)"]


def test_nodes_that_never_joined_go_before_others_which_wait_until_the_group_is_complete() -> None:
    failed = Live("i-2", UNJOINED, "i-2", "i-2", {"template_version": "1", "boot": "failed"})
    outdated = Live("i-1", "node", "i-1", "i-1", {"template_version": "1"})
    live = {"i-1": outdated, "i-2": failed, CONTROL_PLANE: INSTANCE}
    resources = plan_of(live, replace_outdated=True)
    steps = decide([resources["i-1"], resources["i-2"]], live, GRAPH, RULES).steps

    assert [(one.key, {*one.needs}) for one in steps] == [("i-2", set()), ("i-1", {"i-2"})]


def test_nodes_that_go_with_a_smaller_group_are_not_replaced() -> None:
    nodes = {one: Live(one, "node", one, one, {"template_version": "1"}) for one in ("i-1", "i-2")}
    members = [{"instance_id": one, "template_version": "1", "lifecycle": "InService"} for one in nodes]
    group = Live(SCALING_GROUP, "auto_scaling_group", "", "", {"template_version": "2"}, {"instances": members})
    resources = plan_of({**nodes, SCALING_GROUP: group, CONTROL_PLANE: INSTANCE}, node_count=1, replace_outdated=True)

    assert "i-1" not in resources  # it is the one that goes
    assert "i-2" in resources


# what is looked up


def looked_up(*calls: Call, live: dict[str, Live] | None = None, **given: Any) -> dict[str, Image]:
    chosen, there = options(**{"zone": ZONE, **given}), live or {}
    with scripted(*calls) as aws:
        return look_up(a_run(aws), chosen, there, settings(chosen, there, "eu-west-1"))


def offered(*zones: str, times: int = 1) -> Call:
    found = [{"Location": one} for one in zones]
    return Call("ec2", "DescribeInstanceTypeOfferings", {"InstanceTypeOfferings": found}, times=times)


def size(cpus: int, memory: int) -> Call:
    found = {"VCpuInfo": {"DefaultVCpus": cpus}, "MemoryInfo": {"SizeInMiB": memory}}
    return Call("ec2", "DescribeInstanceTypes", {"InstanceTypes": [found]})


SNAPSHOT = {
    "Architecture": "x86_64",
    "RootDeviceName": "/dev/xvda",
    "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 25}}],
}
DEBIAN = Call(
    "ssm", "GetParameter", {"Parameter": {"Value": "ami-1"}}, {"Name": "/aws/service/debian/release/13/latest/amd64"}
)


def test_a_new_cluster_gets_debian() -> None:
    assert looked_up(DEBIAN, offered(ZONE, times=2), size(2, 4096)) == {"x86_64": IMAGE}


def test_a_cluster_as_it_should_be_costs_nothing() -> None:
    assert looked_up(live={CONTROL_PLANE: INSTANCE, LAUNCH_TEMPLATE: TEMPLATE}) == {}


def test_another_architecture_needs_another_image() -> None:
    arm = Call(
        "ssm",
        "GetParameter",
        {"Parameter": {"Value": "ami-2"}},
        {"Name": "/aws/service/debian/release/13/latest/arm64"},
    )
    live = {CONTROL_PLANE: INSTANCE, LAUNCH_TEMPLATE: TEMPLATE}

    assert [*looked_up(arm, offered(ZONE), live=live, node_type="m7g.large")] == ["arm64"]


@pytest.mark.parametrize(
    ("calls", "given", "says"),
    [
        ((DEBIAN, offered(ZONE, times=2), size(1, 4096)), {}, "control_plane_type: t3.medium has 1 CPUs and 4096 MiB"),
        ((DEBIAN, offered(ZONE, times=2), size(2, 1024)), {}, "control_plane_type: t3.medium has 2 CPUs and 1024 MiB"),
        (
            (DEBIAN, offered("eu-west-1a", times=2), size(2, 4096)),
            {},
            f"zone: there is no t3.medium in {ZONE}, but in eu-west-1a",
        ),
        ((DEBIAN, offered(times=2), size(2, 4096)), {}, "control_plane_type: there is no 't3.medium' in eu-west-1"),
        (
            (
                DEBIAN,
                offered(ZONE, times=2),
                size(2, 4096),
                Call("ec2", "DescribeKeyPairs", failure("InvalidKeyPair.NotFound")),
            ),
            {"key_name": "mine"},
            "key_name: there is no key pair 'mine'",
        ),
        (
            (
                DEBIAN,
                offered(ZONE, times=2),
                size(2, 4096),
                Call("iam", "GetPolicy", failure("NoSuchEntity", status=404)),
            ),
            {"node_policies": ["arn:aws:iam::aws:policy/X"]},
            "node_policies: there is no policy arn:aws:iam::aws:policy/X",
        ),
        (
            (DEBIAN, offered(ZONE, times=2), Call("ec2", "DescribeInstanceTypes", failure("InvalidInstanceType"))),
            {},
            "control_plane_type: there is no 't3.medium'",
        ),
    ],
)
def test_what_is_not_there_is_refused(calls: tuple[Call, ...], given: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as refused:
        looked_up(*calls, **given)

    assert refused.value.message.startswith(says)


@pytest.mark.parametrize(
    ("call", "given", "says"),
    [
        (Call("ec2", "DescribeKeyPairs", failure("InvalidKeyPair.NotFound")), {"key_name": "x"}, "no key pair 'x'"),
        (
            Call("ec2", "DescribeImages", {"Images": [SNAPSHOT]}, {"ImageIds": ["ami-1"]}),
            {"volume_size": 20},
            "volume_size: 20 GiB is less than the 25 of ami-1",
        ),
    ],
)
def test_what_an_existing_cluster_is_given_is_looked_up_before_its_template_has_it(
    call: Call, given: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        looked_up(call, live={CONTROL_PLANE: INSTANCE, LAUNCH_TEMPLATE: TEMPLATE}, **given)


def test_what_the_template_has_is_not_looked_up_again() -> None:
    template = replace(TEMPLATE, spec={**TEMPLATE.spec, "key_name": "x", "volume_size": 30})
    live = {CONTROL_PLANE: INSTANCE, LAUNCH_TEMPLATE: template}

    assert looked_up(live=live, key_name="x", volume_size=30) == {}
