# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of what is left: "nothing" and "could not ask" are never taken for each other."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._errors import AuthError, UnreachableError
from ansible_collections.container.schedulers.plugins.module_utils._leftovers import Leftover, Place, State, look
from ansible_collections.container.schedulers.plugins.module_utils._ownership import Mark


def leftover(identifier: str, cost: float | None = 0.0, kind: str = "volume", provider: str = "aws") -> Leftover:
    tags = {**Mark("ecs/web", "shop").tags("data"), "Name": "disk"}
    return Leftover(provider, kind, identifier, "eu-west-1", tags, State("available", "20 GiB", cost))


def place(*found: Leftover, kind: str = "volume", error: Exception | None = None) -> Place:
    def find() -> Iterable[Leftover]:
        yield from found
        if error:
            raise error

    return Place((kind,), find)


def test_a_leftover_as_it_is_returned() -> None:
    assert look({"a": place(leftover("vol-1", 1.76))}).to_result()["leftovers"] == [
        {
            "provider": "aws",
            "kind": "volume",
            "id": "vol-1",
            "name": "disk",
            "owner": "ecs/web",
            "app": "shop",
            "part": "data",
            "region": "eu-west-1",
            "state": "available",
            "why": "20 GiB",
            "monthly_cost": 1.76,
        }
    ]


def test_names() -> None:
    nameless = Leftover("aws", "vpc", "vpc-1", "eu-west-1", {}, State("available"))
    assert nameless.to_result()["name"] == "vpc-1"
    named = Leftover("aws", "role", "arn", "global", {"Name": "tag"}, State("available"), "its-name")
    assert named.to_result()["name"] == "its-name"


def test_the_dearest_comes_first_and_the_unknown_is_counted_apart() -> None:
    report = look(
        {"a": place(leftover("b", 1.1), leftover("a", None), leftover("d", 20.25)), "z": place(leftover("c"))}
    )
    result = report.to_result()
    assert [one["id"] for one in result["leftovers"]] == ["d", "b", "a", "c"]
    assert (result["count"], result["monthly_cost"], result["unpriced"]) == (4, 21.35, 1)


def test_nothing_left() -> None:
    result = look({"a": place(), "b": place(kind="vpc")}).to_result()
    assert result == {
        "leftovers": [],
        "count": 0,
        "monthly_cost": 0.0,
        "unpriced": 0,
        "looked_at": ["volume", "vpc"],
        "could_not_look": [],
    }


def test_a_place_that_refuses_is_named_and_hides_nothing_else() -> None:
    result = look(
        {
            "a": place(leftover("half", 1), kind="role", error=AuthError("denied", doing="list roles")),
            "b": place(leftover("v")),
        }
    ).to_result()
    assert [one["id"] for one in result["leftovers"]] == ["v"]
    assert result["looked_at"] == ["volume"]
    assert result["could_not_look"] == [{"kinds": ["role"], "why": "Could not list roles: denied."}]


def test_nobody_could_look_anywhere() -> None:
    with pytest.raises(UnreachableError, match="first"):
        look({"a": place(error=UnreachableError("first")), "b": place(error=AuthError("second"))})


def test_what_is_found_twice_is_told_once_by_the_first() -> None:
    report = look(
        {"a": place(leftover("v", 1)), "b": place(leftover("v", None), leftover("v", None, provider="other"))}
    )
    assert [one.state.monthly_cost for one in report.leftovers] == [1, None]
