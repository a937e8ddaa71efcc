# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ECS cluster itself."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.clusters import Clusters, read_cluster
from ansible_collections.container.schedulers.plugins.module_utils._compare import Difference
from ansible_collections.container.schedulers.plugins.module_utils._errors import NotOursError
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Step
from unit.ecs_cluster import OWNER, PART, a_run
from unit.scripted import Call, failure, scripted

ARN = "arn:aws:ecs:eu-west-1:123456789012:cluster/web"
CLUSTER: dict[str, Any] = {
    "clusterName": "web",
    "clusterArn": ARN,
    "status": "ACTIVE",
    "activeServicesCount": 2,
    "tags": [{"key": OWNER, "value": "ecs/web"}, {"key": PART, "value": "cluster"}],
    "settings": [{"name": "containerInsights", "value": "disabled"}],
}
STEP = Step("create", "cluster", "cluster", "web")
LIVE = Live("cluster", "cluster", "web", "web", {"container_insights": "disabled", "tags": {}}, {"arn": ARN})


@pytest.mark.parametrize("clusters", [[], [{**CLUSTER, "status": "INACTIVE"}]])
def test_a_deleted_cluster_is_none(clusters: list[Any]) -> None:
    with scripted(Call("ecs", "DescribeClusters", {"clusters": clusters})) as aws:
        assert read_cluster(a_run(aws), "web") is None


def test_a_cluster_is_read_with_its_settings() -> None:
    with scripted(Call("ecs", "DescribeClusters", {"clusters": [CLUSTER]})) as aws:
        live = read_cluster(a_run(aws), "web")
    assert live is not None
    assert (live.spec["container_insights"], live.value("services"), live.value("arn")) == ("disabled", 2, ARN)


@pytest.mark.parametrize(
    ("tags", "whose"), [([], "was not made by"), ([{"key": OWNER, "value": "ecs/x"}], "belongs to ecs/x")]
)
def test_a_cluster_that_is_not_ours_says_whose_it_is(tags: list[Any], whose: str) -> None:
    with (
        scripted(Call("ecs", "DescribeClusters", {"clusters": [{**CLUSTER, "tags": tags}]})) as aws,
        pytest.raises(NotOursError, match=whose),
    ):
        read_cluster(a_run(aws), "web")


@pytest.mark.parametrize(
    ("spec", "settings"),
    [({}, []), ({"container_insights": "enabled"}, [{"name": "containerInsights", "value": "enabled"}])],
)
def test_a_cluster_is_made_with_its_settings(spec: dict[str, Any], settings: list[Any]) -> None:
    with scripted(Call("ecs", "CreateCluster", {"cluster": CLUSTER}, {"settings": settings})) as aws:
        assert Clusters(a_run(aws)).create(STEP, {**spec, "tags": {}}).id == "web"


def test_creating_what_somebody_else_has_made_meanwhile_is_an_error() -> None:
    answer = {"cluster": {**CLUSTER, "tags": []}}
    with (
        scripted(
            Call("ecs", "CreateCluster", answer), Call("ecs", "DescribeClusters", {"clusters": [answer["cluster"]]})
        ) as aws,
        pytest.raises(NotOursError),
    ):
        Clusters(a_run(aws)).create(STEP, {"tags": {}})


@pytest.mark.parametrize(("field", "operation"), [("container_insights", "UpdateCluster"), ("tags.a", "TagResource")])
def test_an_update_says_what_differs(field: str, operation: str) -> None:
    step = Step("update", "cluster", "cluster", "web", {}, LIVE, (Difference(field, 1, 2),))
    with scripted(Call("ecs", operation)) as aws:
        spec = {"container_insights": "enabled", "tags": {"a": "b"}}
        assert Clusters(a_run(aws)).update(step, spec, LIVE).spec == spec


def test_a_cluster_that_is_gone_is_deleted() -> None:
    with scripted(Call("ecs", "DeleteCluster", failure("ClusterNotFoundException"))) as aws:
        Clusters(a_run(aws)).delete(STEP, LIVE)


@pytest.mark.parametrize(("force", "which"), [(False, "agentConnected == false"), (True, None)])
def test_instances_that_were_lost_are_deregistered(force: bool, which: str | None) -> None:
    with scripted(
        Call("ecs", "DeleteCluster", failure("ClusterContainsContainerInstancesException")),
        Call("ecs", "ListContainerInstances", {"containerInstanceArns": ["a"]}, {"filter": which}),
        Call("ecs", "DeregisterContainerInstance", params={"containerInstance": "a", "force": True}),
        Call("ecs", "DeleteCluster", failure("ClusterContainsTasksException")),
        Call("ecs", "DeleteCluster"),
    ) as aws:
        Clusters(a_run(aws), force=force).delete(STEP, LIVE)
