# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names: what users may give, and what services take."""

from __future__ import annotations

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.names import (
    CLUSTER_NAME_LIMIT,
    ClusterNames,
    app_mark,
    checked_name,
    cluster_mark,
    derived_name,
)
from ansible_collections.container.schedulers.plugins.module_utils._errors import InputError


def test_marks_tell_clusters_from_apps() -> None:
    assert cluster_mark("web").tags("vpc") == {
        "container.schedulers/owner": "ecs/web",
        "container.schedulers/part": "vpc",
    }
    assert app_mark("web", "shop").tags("service")["container.schedulers/app"] == "shop"


@pytest.mark.parametrize("name", ["web", "Our-Awesome_Cluster-1", "a" * 10])
def test_good_names_pass(name: str) -> None:
    assert checked_name("name", name, 10 + len("Our-Awesome_")) == name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "must consist of"),
        ("a b", "must consist of"),
        ("ü", "must consist of"),
        ("a" * 11, "11 characters, 10 are"),
    ],
)
def test_bad_names_are_refused_with_the_option(name: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        checked_name("name", name, 10)
    assert caught.value.sentence().startswith("name: ")


@pytest.mark.parametrize(
    ("words", "limit", "plain", "expected"),
    [
        (("ecs", "web"), 32, False, "ecs-web"),
        (("ecs", "a_b"), 32, False, "ecs-a_b"),
        (("ecs", "a_b"), 32, True, "ecs-a-b-"),
        (("ecs", "a" * 40), 20, False, "ecs-aaaaaaa-"),
    ],
)
def test_derived_names_fit(words: tuple[str, ...], limit: int, plain: bool, expected: str) -> None:
    name = derived_name(*words, limit=limit, plain=plain)
    assert name.startswith(expected)
    assert len(name) <= limit


def test_names_that_were_shortened_alike_stay_apart() -> None:
    one, other = (derived_name("ecs", "a" * 40 + end, limit=32) for end in "xy")
    assert one != other
    assert derived_name("a_b", limit=32, plain=True) != derived_name("a.b", limit=32, plain=True)


def test_a_cluster_with_the_longest_name_has_names_that_aws_takes() -> None:
    cluster = "n" * CLUSTER_NAME_LIMIT
    names = ClusterNames(cluster, "eu-west-1")
    limits = {
        cluster_mark(cluster).owner: 255,  # a value of a filter
        names.role: 64,
        names.launch_template: 128,
        names.auto_scaling_group: 255,
        names.security_group: 255,
        names.network: 255,
        names.subnet("eu-west-1a"): 255,
    }
    assert all(len(name) <= limit for name, limit in limits.items())


def test_the_role_is_another_one_in_each_region() -> None:
    assert ClusterNames("web", "eu-west-1").role != ClusterNames("web", "eu-west-2").role
