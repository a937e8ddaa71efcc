# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options and their constraints stay together when specs are put together."""

from __future__ import annotations

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._argspec import STATE, ArgumentSpec, wait_options

LOGIN = ArgumentSpec(
    {"user": {"type": "str"}, "password": {"type": "str", "no_log": True}}, required_together=(("user", "password"),)
)


def test_merge_keeps_options_and_constraints_of_all() -> None:
    other = ArgumentSpec(
        {"token": {"type": "str", "no_log": True}},
        mutually_exclusive=(("token", "user"),),
        required_one_of=(("token", "user"),),
        required_if=(("state", "present", ("token",)),),
        required_by={"token": ("user",)},
    )
    merged = STATE.merge(LOGIN, other).to_kwargs()
    assert list(merged["argument_spec"]) == ["state", "user", "password", "token"]
    assert merged["required_together"] == [("user", "password")]
    assert merged["mutually_exclusive"] == [("token", "user")]
    assert merged["required_one_of"] == [("token", "user")]
    assert merged["required_if"] == [("state", "present", ("token",))]
    assert merged["required_by"] == {"token": ("user",)}


def test_merge_of_nothing_is_the_same() -> None:
    assert STATE.merge() is STATE


def test_an_option_has_one_definition() -> None:
    with pytest.raises(ValueError, match="options defined twice: password, user"):
        LOGIN.merge(LOGIN)


def test_wait_options_have_the_modules_own_time_out() -> None:
    assert wait_options(1200).options["wait_timeout"]["default"] == 1200


def test_secrets_at_any_depth() -> None:
    spec = ArgumentSpec(
        {
            "name": {"type": "str"},
            "password": {"type": "str", "no_log": True},
            "registry": {"type": "dict", "options": {"auth": {"type": "dict", "options": LOGIN.options}}},
            "users": {"type": "list", "elements": "dict", "options": LOGIN.options},
            "tokens": {"type": "list", "elements": "str", "no_log": True},
            "key": {"type": "str", "no_log": False},
        }
    )
    params = {
        "name": "n",
        "password": "p0",
        "registry": {"auth": {"user": "u", "password": "p1"}},
        "users": [{"user": "u", "password": "p2"}, {"user": "v", "password": None}],
        "tokens": ["t1", "t2"],
        "key": "k",
    }
    assert spec.secrets(params) == ["p0", "p1", "p2", ["t1", "t2"]]
    assert spec.secrets({}) == []


def test_secrets_within_an_option_by_any_of_its_names() -> None:
    config = ArgumentSpec(
        {"config": {"type": "raw", "aliases": ["file"]}}, finders={"config": lambda given: [given[0]]}
    )
    spec = LOGIN.merge(config)
    assert spec.secrets({"password": "p", "config": ["c", "d"]}) == ["p", "c"]
    assert spec.secrets_within({"password": 5, "file": ["f"]}) == ["f"]
    assert spec.secrets_within({}) == []
    assert "finders" not in spec.to_kwargs()
