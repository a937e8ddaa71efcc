# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every given field is compared in full, and the one that differs is named; an omitted one is not looked at."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._compare import Difference, differences

CASES: list[tuple[str, Any, Any, list[str]]] = [
    ("equal", {"a": 1, "b": "x"}, {"a": 1, "b": "x"}, []),
    ("an omitted option is not managed", {"a": None}, {"a": 5}, []),
    ("nor is one that is not mentioned", {}, {"a": 5}, []),
    ("a given one that is missing", {"a": 5}, {}, ["a"]),
    ("zero is a value", {"a": 0}, {"a": 3}, ["a"]),
    ("false is a value", {"a": False}, {"a": True}, ["a"]),
    ("true is not 1", {"a": True}, {"a": 1}, ["a"]),
    ("nor is 0 false", {"a": 0}, {"a": False}, ["a"]),
    ("1 and 1.0 are", {"a": 1}, {"a": 1.0}, []),
    ("text is not a number", {"a": "1"}, {"a": 1}, ["a"]),
    ("an empty list is a value", {"a": []}, {"a": ["x"]}, ["a[0]"]),
    # the errors of today's ECS modules
    ("changed environment value in a list of equal length", {"environment": [{"name": "COLOUR", "value": "red"}]},
     {"environment": [{"name": "COLOUR", "value": "blue"}]}, ["environment[COLOUR].value"]),
    ("changed element of a command", {"command": ["run", "--fast"]}, {"command": ["run", "--slow"]}, ["command[1]"]),
    ("reordered command", {"command": ["a", "b"]}, {"command": ["b", "a"]}, ["command[0]", "command[1]"]),
    ("changed port in a list of equal length", {"ports": [80, 443]}, {"ports": [80, 8443]}, ["ports[1]"]),
    ("one item more", {"ports": [80, 443]}, {"ports": [80]}, ["ports[1]"]),
    ("one item less", {"ports": [80]}, {"ports": [80, 443]}, ["ports[1]"]),
    ("task memory", {"memory": 1024}, {"memory": 512}, ["memory"]),
    ("minimum healthy percent", {"deployment": {"minimum": 50, "maximum": 200}},
     {"deployment": {"minimum": 100, "maximum": 200}}, ["deployment.minimum"]),
    ("a key that has to go", {"labels": {"a": "1"}}, {"labels": {"a": "1", "b": "2"}}, ["labels.b"]),
    ("a list and a tuple", {"a": ["x"]}, {"a": ("x",)}, []),
    ("a list instead of text", {"a": ["x"]}, {"a": "x"}, ["a"]),
    ("text is no list", {"a": "xy"}, {"a": "xz"}, ["a"]),
    ("deep inside", {"containers": [{"name": "web", "environment": {"A": "1"}}]},
     {"containers": [{"name": "web", "environment": {"A": "2"}}]}, ["containers[web].environment.A"]),
    ("an item is named as it will be", {"containers": [{"name": "new"}]}, {"containers": [{"name": "old"}]},
     ["containers[new].name"]),
    ("an item that has to go is named as it is", {"containers": []}, {"containers": [{"name": "old"}]},
     ["containers[old]"]),
    ("one item less before others", {"env": [{"name": "B", "value": "2"}, {"name": "C", "value": "3"}]},
     {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"}]}, ["env[A]"]),
    ("one item more before others", {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
     {"env": [{"name": "B", "value": "3"}]}, ["env[A]", "env[B].value"]),
    ("another order of named items", {"env": [{"name": "A"}, {"name": "B"}, {"name": "C"}]},
     {"env": [{"name": "B"}, {"name": "A"}]}, ["env[A].name", "env[B].name", "env[C]"]),
    ("items of one name", {"ports": [{"name": "a", "port": 1}]},
     {"ports": [{"name": "a", "port": 1}, {"name": "a", "port": 2}]}, ["ports[a]"]),
    ("tags of others are left alone", {"tags": {"a": "1"}}, {"tags": {"a": "1", "AmazonECSManaged": ""}}, []),
    ("our tags are not", {"tags": {"a": "1"}}, {"tags": {"a": "2", "b": "3"}}, ["tags.a"]),
    ("a tag that is missing", {"tags": {"a": "1"}}, {"tags": {}}, ["tags.a"]),
    ("no tags at all", {"tags": {"a": "1"}}, {}, ["tags"]),
    ("no tags wanted", {"tags": {}}, {"tags": {"b": "2"}}, []),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "live", "paths"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_differences(wanted: dict[str, Any], live: dict[str, Any], paths: list[str]) -> None:
    assert [one.path for one in differences(wanted, live)] == paths


@pytest.mark.parametrize(("wanted", "live"), [case[1:3] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_there_is_never_different_from_itself(wanted: dict[str, Any], live: dict[str, Any]) -> None:
    assert differences(wanted, wanted) == ()
    assert differences(live, live) == ()


def test_before_and_after() -> None:
    assert differences({"a": {"b": 2}}, {"a": {"b": 1}}) == (Difference("a.b", 1, 2),)
    assert differences({"a": {}}, {"a": {"b": 1}}) == (Difference("a.b", 1, None),)


def test_which_mappings_are_subsets_is_up_to_the_rule() -> None:
    assert differences({"labels": {}}, {"labels": {"b": "1"}}, subset=("labels",)) == ()
    assert len(differences({"tags": {}}, {"tags": {"b": "1"}}, subset=())) == 1


@pytest.mark.parametrize(
    ("path", "field"), [("a", "a"), ("a.b.c", "a"), ("a[0].b", "a"), ("a[x.y]", "a"), ("a.b[0]", "a")]
)
def test_field(path: str, field: str) -> None:
    assert Difference(path, None, None).field == field
