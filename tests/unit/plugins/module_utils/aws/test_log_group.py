# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log group of an app: made with its mark, kept for as long as it should be, gone with the app."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.log_group import (
    LOG_GROUP,
    LogGroups,
    read_log_group,
)
from ansible_collections.container.schedulers.plugins.module_utils._compare import differences
from ansible_collections.container.schedulers.plugins.module_utils._errors import NotOursError
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Step
from unit.ecs_app import a_run, mark
from unit.scripted import Call, failure, scripted

NAME = "/ecs/one/web"
ARN = f"arn:aws:logs:eu-west-1:123456789012:log-group:{NAME}"
SPEC: dict[str, Any] = {"retention_days": 30, "tags": mark(LOG_GROUP)}
LIVE = Live(LOG_GROUP, "log_group", NAME, ARN, SPEC)
LISTED = Call(
    "logs",
    "DescribeLogGroups",
    {
        "logGroups": [
            {"logGroupName": f"{NAME}-2", "arn": "other:*"},
            {"logGroupName": NAME, "arn": f"{ARN}:*", "retentionInDays": 30},
        ]
    },
    {"logGroupNamePrefix": NAME},
)
CREATE = Step("create", LOG_GROUP, "log_group", NAME, SPEC)
RETAINED = Call("logs", "PutRetentionPolicy", {}, {"logGroupName": NAME, "retentionInDays": 30})


def tags(of: dict[str, str]) -> Call:
    return Call("logs", "ListTagsForResource", {"tags": of}, {"resourceArn": ARN})


def test_it_is_found_by_its_whole_name() -> None:
    with scripted(LISTED, tags(mark(LOG_GROUP))) as aws:
        assert read_log_group(a_run(aws), NAME, adopt=False) == LIVE


def test_there_may_be_none() -> None:
    with scripted(Call("logs", "DescribeLogGroups", {"logGroups": []})) as aws:
        assert read_log_group(a_run(aws), NAME, adopt=False) is None


def test_that_of_somebody_else_is_left_alone() -> None:
    with scripted(LISTED, tags({})) as aws, pytest.raises(NotOursError, match=f"log group {NAME} exists"):
        read_log_group(a_run(aws), NAME, adopt=False)


def test_it_is_made_with_its_mark() -> None:
    created = Call("logs", "CreateLogGroup", {}, {"logGroupName": NAME, "tags": mark(LOG_GROUP)})
    with scripted(created, RETAINED) as aws:
        assert LogGroups(a_run(aws)).create(CREATE, SPEC).name == NAME


def test_one_that_another_run_has_made_is_used() -> None:
    taken = Call("logs", "CreateLogGroup", failure("ResourceAlreadyExistsException"))
    with scripted(taken, LISTED, tags(mark(LOG_GROUP)), RETAINED) as aws:
        assert LogGroups(a_run(aws)).create(CREATE, SPEC) == LIVE


@pytest.mark.parametrize(
    ("changes", "call"),
    [
        ({"retention_days": 14}, Call("logs", "PutRetentionPolicy", {}, {"retentionInDays": 14})),
        ({"tags": {"a": "b"}}, Call("logs", "TagResource", {}, {"resourceArn": ARN, "tags": {"a": "b"}})),
    ],
)
def test_an_update_does_what_differs(changes: dict[str, Any], call: Call) -> None:
    step = Step("update", LOG_GROUP, "log_group", NAME, {**SPEC, **changes}, LIVE, differences(changes, SPEC))
    with scripted(call) as aws:
        LogGroups(a_run(aws)).update(step, step.spec, LIVE)


def test_it_is_deleted_by_name() -> None:
    with scripted(Call("logs", "DeleteLogGroup", {}, {"logGroupName": NAME})) as aws:
        LogGroups(a_run(aws)).delete(Step("delete", LOG_GROUP, "log_group", NAME, live=LIVE), LIVE)
