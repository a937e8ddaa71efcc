# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets leave nothing behind, and innocent words stay whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._redact import HIDDEN, Redactor

CANARY = "lab-not-a-secret-000001"


@pytest.mark.parametrize(
    "value",
    [
        CANARY,
        f"Could not log in with {CANARY}, nor with {CANARY}.",
        [CANARY],
        (CANARY, {"a": CANARY}),
        {CANARY},
        frozenset({CANARY}),
        {"a": {"b": [{"c": f"x{CANARY}x"}]}},
        {CANARY: 1},
        {"diff": {"before": {}, "after": {"container.environment.KEY": CANARY}}},
    ],
)
@pytest.mark.parametrize("secrets", [[CANARY], [[CANARY]], [{"k": [CANARY, None, 5]}], [None, "", CANARY]])
def test_nothing_of_a_secret_is_left(value: Any, secrets: list[Any]) -> None:
    shown = Redactor(secrets).value(value)
    assert CANARY not in json.dumps(shown)
    assert HIDDEN in json.dumps(shown)


@pytest.mark.parametrize("value", [None, True, 0, 1.5, "", "subnet", [], {}, {"a": [1, None]}])
def test_the_rest_is_untouched(value: Any) -> None:
    assert Redactor([CANARY, ""]).value(value) == value


def test_a_short_secret_does_not_tear_words_apart() -> None:
    redactor = Redactor(["t", "abcd"])
    assert redactor.text("subnet abcdef") == "subnet abcdef"
    assert redactor.value({"state": "t", "abcd": "subnet"}) == {"state": HIDDEN, HIDDEN: "subnet"}


def test_the_longest_secret_first() -> None:
    assert Redactor(["secret", "secret-and-more"]).text("it is secret-and-more") == f"it is {HIDDEN}"


def test_each_line_of_a_key_file() -> None:
    key = "-----BEGIN KEY-----\nMIIBOgIBAAJB\nab\n-----END KEY-----"
    redactor = Redactor([key])
    assert redactor.text("bad line 'MIIBOgIBAAJB' in key") == f"bad line '{HIDDEN}' in key"
    assert "MIIB" not in redactor.text(key)
    assert redactor.text("about") == "about"  # the line "ab" is too short to be one


def test_a_line_of_blanks_is_no_secret() -> None:
    assert Redactor(["some\n          \nlines"]).text("a          b") == "a          b"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"secret_key": "x"}, {"secret_key": HIDDEN}),
        ({"Secret_Key": "x"}, {"Secret_Key": HIDDEN}),
        ({"password": 12345}, {"password": HIDDEN}),
        ({"token": ["a", "b"]}, {"token": [HIDDEN, HIDDEN]}),
        ({"token": ""}, {"token": ""}),
        ({"token": None, "password": True}, {"token": None, "password": True}),
        ({"token": {"name": "deploy", "value": CANARY}}, {"token": {"name": "deploy", "value": HIDDEN}}),
        ({"deep": [{"client_secret": "x"}]}, {"deep": [{"client_secret": HIDDEN}]}),
        ({"next_token": "x", "key": "y", 5: "z"}, {"next_token": "x", "key": "y", 5: "z"}),
    ],
)
def test_fields_that_are_secret_by_their_name(value: Any, shown: Any) -> None:
    assert Redactor([CANARY]).value(value) == shown
