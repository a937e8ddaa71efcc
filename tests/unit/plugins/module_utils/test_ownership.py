# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mark: what carries it, what may be touched, and that an ambiguous name is an error."""

from __future__ import annotations

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._errors import ConflictError, NotOursError
from ansible_collections.container.schedulers.plugins.module_utils._ownership import (
    APP,
    OWNER,
    PART,
    Mark,
    only_one,
    owner_of,
    require_ours,
)

CLUSTER = Mark("ecs/web")
SHOP = Mark("ecs/web", "shop")


def test_tags() -> None:
    assert CLUSTER.tags("vpc") == {OWNER: "ecs/web", PART: "vpc"}
    assert SHOP.tags("service") == {OWNER: "ecs/web", PART: "service", APP: "shop"}


@pytest.mark.parametrize(
    ("tags", "cluster", "shop", "part_of_owner"),
    [
        ({}, False, False, False),
        ({"Name": "ecs/web"}, False, False, False),
        ({OWNER: "ecs/web"}, True, False, True),
        ({OWNER: "ecs/web", PART: "other"}, True, False, True),
        ({OWNER: "ecs/web", APP: "shop"}, False, True, True),
        ({OWNER: "ecs/web", APP: "blog"}, False, False, True),
        ({OWNER: "ecs/web2"}, False, False, False),
        ({OWNER: "k8s/web"}, False, False, False),
        ({APP: "shop"}, False, False, False),
    ],
)
def test_whose(tags: dict[str, str], cluster: bool, shop: bool, part_of_owner: bool) -> None:
    assert (CLUSTER.owns(tags), SHOP.owns(tags), CLUSTER.same_owner(tags)) == (cluster, shop, part_of_owner)


def test_owner_of() -> None:
    assert owner_of({OWNER: "ecs/web"}) == "ecs/web"
    assert owner_of({}) == ""


def test_ours_may_be_touched() -> None:
    require_ours(SHOP, SHOP.tags("service"), "service shop")


def test_nobodys_may_be_adopted_when_told_to() -> None:
    require_ours(CLUSTER, {"Name": "x"}, "vpc web", adopt=True)
    with pytest.raises(NotOursError) as failed:
        require_ours(CLUSTER, {"Name": "x"}, "vpc web")
    assert str(failed.value) == (
        "vpc web exists and was not made by container.schedulers. "
        "Choose another name, or set adopt: true to take it over."
    )


@pytest.mark.parametrize("adopt", [False, True])
def test_somebody_elses_is_never_taken(adopt: bool) -> None:
    with pytest.raises(NotOursError, match=r"belongs to k8s/web\. Choose another name\.$"):
        require_ours(CLUSTER, {OWNER: "k8s/web"}, "vpc web", adopt=adopt)
    with pytest.raises(NotOursError):
        require_ours(CLUSTER, SHOP.tags("service"), "service shop", adopt=adopt)


def test_only_one() -> None:
    assert only_one([], "vpc") is None
    assert only_one(["vpc-1"], "vpc") == "vpc-1"
    with pytest.raises(ConflictError, match="vpc web is there 2 times: vpc-1, vpc-2"):
        only_one(["vpc-2", "vpc-1"], "vpc web")
