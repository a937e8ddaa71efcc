# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes: when they are ready, why not, and how they go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_access import Access
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_cluster_handlers import (
    Tools,
    cluster_handlers,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_cluster_ready import Readiness, Standing
from ansible_collections.container.schedulers.plugins.module_utils._aws.node_group import (
    UNJOINED,
    Departures,
    NodeGroups,
    Nodes,
    surplus,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.scaling_groups import (
    SCALING_GROUP,
    read_scaling_group,
)
from ansible_collections.container.schedulers.plugins.module_utils._compare import differences
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    AuthError,
    StateFailedError,
    UnreachableError,
    WaitTimeoutError,
)
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Step
from unit.k8s_cluster import ADMIN, NAMES, FakeCluster, a_run, group, marks, node
from unit.scripted import Call, ScriptedAws, scripted


def groups(*found: dict[str, Any], times: int = 1) -> Call:
    return Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": found}, times=times)


def told(value: str = "pending", times: int = 1) -> Call:
    parameter = {"Parameter": {"Value": value}}
    return Call("ssm", "GetParameter", parameter, {"Name": "/kubernetes/one/node-progress"}, times=times)


def activities(*found: dict[str, str], times: int = 1) -> Call:
    return Call("autoscaling", "DescribeScalingActivities", {"Activities": found}, times=times)


def readiness(aws: ScriptedAws, cluster: FakeCluster, seconds: float = 900) -> Readiness:
    return Readiness(a_run(aws, seconds), "one", NAMES.auto_scaling_group, lambda: cluster)


FAILED = json.dumps({"instance": "i-2", "state": "failed", "step": "join the cluster", "log": "wrong token"})


def test_a_cluster_that_is_ready_takes_one_look() -> None:
    with scripted(groups(group("i-1", "i-2"))) as aws:
        standing = readiness(aws, FakeCluster([node("i-0"), node("i-1"), node("i-2")])).await_ready()

    assert standing.usable == {"i-1", "i-2"}
    assert str(standing) == "2 of 2 nodes are ready"


@pytest.mark.parametrize(
    "before",
    [
        [node("i-1")],
        [node("i-1"), node("i-2", ready=False)],
        [node("i-1"), node("i-2", initialised=False)],
        UnreachableError("connection refused"),
    ],
)
def test_it_waits_for_each_instance_to_become_a_node_that_takes_pods(before: Any) -> None:
    with scripted(groups(group("i-1", "i-2"), times=2), told()) as aws:
        readiness(aws, FakeCluster(before, [node("i-1"), node("i-2")])).await_ready()


def test_it_waits_for_names_and_for_instances_that_are_not_there_yet() -> None:
    calls = (groups(group("i-1", desired=2)), groups(group("i-1", "i-2"), times=2), told(times=2))
    with scripted(*calls) as aws:
        readiness(aws, FakeCluster([node("i-1"), node("i-2")], dns=["", "CoreDNS: 0 of 2", ""])).await_ready()


@pytest.mark.parametrize(
    ("known", "remedy"),
    [([node("i-1")], "The next run replaces it"), ([node("i-1"), node("i-2", ready=False)], "Terminate it, and run")],
)
def test_a_node_that_cannot_join_ends_the_wait_at_once(known: list[Any], remedy: str) -> None:
    with (
        scripted(groups(group("i-1", "i-2")), told(FAILED)) as aws,
        pytest.raises(StateFailedError, match=f"node cannot join: i-2 failed at the step 'join the cluster'.*{remedy}"),
    ):
        readiness(aws, FakeCluster(known)).await_ready()


def test_what_an_instance_that_is_gone_has_said_does_not_count() -> None:
    with scripted(groups(group("i-1", desired=2)), told(FAILED), groups(group("i-1", "i-3"))) as aws:
        readiness(aws, FakeCluster([node("i-1"), node("i-3")])).await_ready()


def test_aws_that_starts_no_instances_ends_it_too() -> None:
    refusal = {"StatusCode": "Failed", "StatusMessage": "You have requested more vCPU capacity than your limit"}
    calls = (groups(group("i-1", desired=2), times=20), told(times=20), activities(refusal))
    aws = ScriptedAws(calls)
    with pytest.raises(StateFailedError, match="AWS does not start instances: You have requested"):
        readiness(aws, FakeCluster([node("i-1")])).await_ready()
    assert not aws.unexpected


def test_an_api_server_whose_instance_is_stopped_is_not_waited_for() -> None:
    instance = {"InstanceId": "i-0", "InstanceType": "t3.medium", "Placement": {"AvailabilityZone": "eu-west-1c"}}
    found = [{"Instances": [{**instance, "State": {"Name": "stopped"}}]}]
    stopped = Call("ec2", "DescribeInstances", {"Reservations": found})
    calls = (groups(group("i-1"), times=20), told(times=20), activities(), stopped)
    aws = ScriptedAws(calls)
    with pytest.raises(StateFailedError, match="its control plane, i-0, is stopped"):
        readiness(aws, FakeCluster(UnreachableError("connection refused"))).await_ready()
    assert not aws.unexpected


def test_a_wait_that_is_too_long_says_what_is_missing() -> None:
    slow = {"StatusCode": "InProgress", "Description": "Launching"}
    cluster = FakeCluster(
        [node("i-1", ready=False, problem="cni plugin not initialized"), node("i-2", initialised=False)]
    )
    with (
        scripted(groups(group("i-1", "i-2")), told(), activities(slow)) as aws,
        pytest.raises(WaitTimeoutError) as late,
    ):
        readiness(aws, cluster, seconds=0).await_ready()

    assert "0 of 2 nodes are ready; node-i-1: cni plugin not initialized" in late.value.message
    assert "node-i-2: not initialised by the cloud controller" in late.value.message
    assert late.value.details["last_events"] == ["InProgress: Launching"]


def test_a_wait_that_is_too_long_says_why_the_pods_of_the_cluster_itself_do_not_run() -> None:
    cluster = FakeCluster([node("i-1", initialised=False)])
    cluster.ill = ["The image of Pod kube-system/aws-cloud-controller-manager cannot be pulled"]
    with (
        scripted(groups(group("i-1")), told(), activities({"StatusCode": "InProgress", "Description": "x"})) as aws,
        pytest.raises(WaitTimeoutError) as late,
    ):
        readiness(aws, cluster, seconds=0).await_ready()

    assert f"not initialised by the cloud controller; {cluster.ill[0]}" in late.value.message
    assert late.value.details["last_events"] == ["InProgress: x", *cluster.ill]


def test_a_server_that_does_not_answer_is_not_asked_for_more() -> None:
    cluster = FakeCluster(UnreachableError("connection refused"))
    cluster.ill = ["something"]
    instance = Call("ec2", "DescribeInstances", {"Reservations": []})
    with (
        scripted(groups(group("i-1")), told(), activities(), instance) as aws,
        pytest.raises(WaitTimeoutError, match="the API server does not answer: connection refused") as late,
    ):
        readiness(aws, cluster, seconds=0).await_ready()

    assert "something" not in late.value.message


def test_credentials_that_are_refused_are_not_waited_for() -> None:
    with scripted(groups(group("i-1"))) as aws, pytest.raises(AuthError):
        readiness(aws, FakeCluster(AuthError("no"))).await_ready()


def test_no_group_is_not_ready() -> None:
    assert Standing(None).wanted == 0
    assert Standing(None).instances == frozenset()


# how they go


def live_group(*members: str, version: str = "1", **of: tuple[str, str]) -> Live:
    found = group(*members, version=version)
    for one in found["Instances"]:
        one["LaunchTemplate"]["Version"], one["LifecycleState"] = of.get(
            one["InstanceId"].replace("-", ""), ("1", "InService")
        )
    with scripted(groups(found)) as aws:
        live = read_scaling_group(a_run(aws), NAMES.auto_scaling_group)
    assert live is not None
    return live


@pytest.mark.parametrize(
    ("live", "count", "leaving"),
    [
        (live_group("i-1", "i-2"), 2, []),
        (live_group("i-1", "i-2"), 3, []),
        (live_group("i-1", "i-2", "i-3"), 1, ["i-1", "i-2"]),
        (live_group("i-1", "i-2", i2=("0", "InService")), 1, ["i-2"]),
        (live_group("i-1", "i-2", i2=("1", "Pending")), 1, ["i-2"]),
        (live_group("i-1", "i-2", i2=("1", "Terminating")), 1, []),
    ],
)
def test_outdated_ones_go_first_and_those_not_in_service(live: Live, count: int, leaving: list[str]) -> None:
    assert surplus(live, count) == leaving


def sized(count: int) -> dict[str, Any]:
    return {"min_size": count, "max_size": count, "desired_count": count}


def terminated(instance: str, *, decrement: bool) -> tuple[Call, ...]:
    alive = {"Reservations": [{"Instances": [{"InstanceId": instance}]}]}
    return (
        Call(
            "autoscaling",
            "TerminateInstanceInAutoScalingGroup",
            {},
            {"InstanceId": instance, "ShouldDecrementDesiredCapacity": decrement},
        ),
        Call("ec2", "DescribeInstances", alive),
        Call("ec2", "DescribeInstances", {"Reservations": []}),
    )


def test_a_group_that_shrinks_empties_each_node_before() -> None:
    live, cluster = live_group("i-1", "i-2", "i-3"), FakeCluster([node("i-1"), node("i-3")])
    step = Step(
        "update", SCALING_GROUP, "auto_scaling_group", live.name, sized(1), live, differences(sized(1), live.spec)
    )
    smaller = Call(
        "autoscaling", "UpdateAutoScalingGroup", {}, lambda given: {*given} == {"AutoScalingGroupName", "MinSize"}
    )
    final = Call("autoscaling", "UpdateAutoScalingGroup", {}, {"MinSize": 1, "MaxSize": 1, "DesiredCapacity": 1})
    calls = (smaller, *terminated("i-1", decrement=True), *terminated("i-2", decrement=True), final)
    with scripted(*calls) as aws:
        run = a_run(aws)
        NodeGroups(run, Departures(run, lambda: cluster)).update(step, step.spec, live)
        order = [operation for operation, _params in aws.made if operation != "describe_instances"]

    assert cluster.done == [("drain", "node-i-1"), ("delete node", "node-i-1")]  # i-2 never was a node
    assert order == [
        "update_auto_scaling_group",
        *["terminate_instance_in_auto_scaling_group"] * 2,
        "update_auto_scaling_group",
    ]


def test_a_group_that_grows_asks_no_api_server() -> None:
    live = live_group("i-1")
    step = Step(
        "update", SCALING_GROUP, "auto_scaling_group", live.name, sized(3), live, differences(sized(3), live.spec)
    )

    def nobody() -> FakeCluster:
        raise AssertionError("asked")

    with scripted(Call("autoscaling", "UpdateAutoScalingGroup", {}, {"DesiredCapacity": 3})) as aws:
        run = a_run(aws)
        NodeGroups(run, Departures(run, nobody)).update(step, step.spec, live)


def test_without_a_word_about_their_number_no_node_is_taken_away() -> None:
    """Somebody has lowered the desired capacity a moment ago, and AWS has not chosen yet."""
    live = live_group("i-1", "i-2")
    fewer = Live(live.key, live.kind, live.name, live.id, {**live.spec, "desired_count": 1}, live.attributes)
    spec = {"template_id": "lt-1", "template_version": "2"}
    step = Step("update", SCALING_GROUP, "auto_scaling_group", live.name, spec, fewer, differences(spec, live.spec))
    with scripted(Call("autoscaling", "UpdateAutoScalingGroup", {}, lambda given: "MinSize" not in given)) as aws:
        run = a_run(aws)
        NodeGroups(run, Departures(run, lambda: pytest.fail("asked"))).update(step, spec, fewer)


def test_nothing_is_terminated_if_a_node_cannot_be_emptied() -> None:
    class Stuck(FakeCluster):
        def drain(self, *_arguments: Any) -> None:
            raise WaitTimeoutError("shop/web on node-i-1")

    live = live_group("i-1", "i-2")
    step = Step(
        "update", SCALING_GROUP, "auto_scaling_group", live.name, sized(1), live, differences(sized(1), live.spec)
    )
    with scripted(Call("autoscaling", "UpdateAutoScalingGroup")) as aws:
        run = a_run(aws)
        groups_of_nodes = NodeGroups(run, Departures(run, lambda: Stuck([node("i-1")])))
        with pytest.raises(WaitTimeoutError):
            groups_of_nodes.update(step, step.spec, live)


def test_a_node_that_stays_is_not_replaced() -> None:
    live = Live("i-1", "node", "i-1", "i-1", {"template_version": "1", "leaving": True})
    spec = {"leaving": False}
    step = Step("update", "i-1", "node", "i-1", spec, live, differences(spec, live.spec))
    cluster = FakeCluster([node("i-1", leaving=True), node("i-2")])
    with scripted() as aws:
        kept = Nodes(Departures(a_run(aws), lambda: cluster), lambda: pytest.fail("waited")).update(step, spec, live)

    assert (cluster.done, kept.spec["leaving"]) == ([("uncordon", "node-i-1")], False)


def test_a_node_is_replaced_and_the_others_wait_for_the_new_one() -> None:
    live, ready = Live("i-1", "node", "i-1", "i-1", {"template_version": "1"}), []
    step = Step("update", "i-1", "node", "i-1", {"template_version": "2"}, live)
    cluster = FakeCluster([node("i-1")])
    with scripted(*terminated("i-1", decrement=False)) as aws:
        nodes = Nodes(Departures(a_run(aws), lambda: cluster), lambda: ready.append(True))
        assert nodes.update(step, step.spec, live).spec == {"template_version": "2"}

    assert (cluster.done[0], ready) == (("drain", "node-i-1"), [True])


def test_nodes_that_never_joined_do_not_wait_for_one_another() -> None:
    lives = [Live(one, UNJOINED, one, one, {"template_version": "1", "boot": "failed"}) for one in ("i-1", "i-2")]
    address = {"AllocationId": "eipalloc-1", "PublicIp": "192.0.2.9", "Tags": marks("address")}
    published = (
        Call("ssm", "GetParameter", {"Parameter": {"Value": ADMIN}}),
        Call("ec2", "DescribeAddresses", {"Addresses": [address]}),
    )
    with scripted(*published, *terminated("i-1", decrement=False), *terminated("i-2", decrement=False)) as aws:
        run = a_run(aws)
        tools = Tools(run, NAMES, Access(run, "one", FakeCluster([node("i-0")]).connect, lambda _values: None), Path())
        handler = cluster_handlers(tools)[UNJOINED]
        for live in lives:
            step = Step("update", live.key, UNJOINED, live.name, {"boot": "done"}, live)
            handler.update(step, step.spec, live)
