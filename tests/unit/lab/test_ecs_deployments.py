# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deployment controller by tables: what is started and stopped under minimum and maximum percent."""

from __future__ import annotations

import pytest
from lab.aws.ecs.deployments import (
    Decision,
    Rules,
    TaskView,
    breaker_threshold,
    decide,
    decide_daemon,
    delay_before_retry,
    is_steady,
)


def tasks(text: str) -> list[TaskView]:
    """`N` new, `O` old; lower case: still starting; `!` behind it: unhealthy; `-`: on a draining host."""
    found: list[TaskView] = []
    for letter in text:
        if letter == "!":
            found[-1] = TaskView(**{**vars(found[-1]), "healthy": False})
        elif letter == "-":
            found[-1] = TaskView(**{**vars(found[-1]), "evicted": True})
        else:
            deployment = "new" if letter.upper() == "N" else "old"
            found.append(TaskView(f"{letter}{len(found)}", deployment, letter.isupper(), host=f"h{len(found)}"))
    return found


@pytest.mark.parametrize(
    ("rules", "now", "start", "stop"),
    [
        pytest.param(Rules(3), "", 3, 0, id="first deployment"),
        pytest.param(Rules(3), "n", 2, 0, id="rest of it"),
        pytest.param(Rules(3), "NNN", 0, 0, id="done"),
        pytest.param(Rules(5), "NNN", 2, 0, id="scale out"),
        pytest.param(Rules(1), "NNN", 0, 2, id="scale in"),
        pytest.param(Rules(0), "NNN", 0, 3, id="scale to nothing"),
        pytest.param(Rules(3), "OOO", 3, 0, id="update 100/200: start first"),
        pytest.param(Rules(3), "OOONnn", 0, 1, id="one new runs: one old may go"),
        pytest.param(Rules(3), "OOONNN", 0, 3, id="all new run"),
        pytest.param(Rules(3), "OOON!N!N!", 0, 0, id="new ones are not healthy"),
        pytest.param(Rules(3), "oOO", 3, 1, id="an old one that starts serves nobody"),
        pytest.param(Rules(3, 50, 200), "OOO", 3, 1, id="update 50/200: stop one at once"),
        pytest.param(Rules(3, 50, 200), "OON", 2, 1, id="update 50/200: the next one"),
        pytest.param(Rules(2, 50, 100), "OO", 0, 1, id="update 50/100: stop first"),
        pytest.param(Rules(2, 50, 100), "O", 1, 0, id="then start"),
        pytest.param(Rules(4, 100, 125), "OOOO", 1, 0, id="one more at a time"),
        pytest.param(Rules(2), "NN-", 1, 0, id="draining host, minimum 100: replace first"),
        pytest.param(Rules(2), "NN-N", 0, 1, id="replaced: stop the drained one"),
        pytest.param(Rules(2, 0, 100), "NN-", 0, 1, id="draining host, minimum 0: stop at once"),
    ],
)
def test_replicas(rules: Rules, now: str, start: int, stop: int) -> None:
    decision = decide(rules, "new", tasks(now))
    assert (decision.start, len(decision.stop)) == (start, stop)


def test_scaling_in_takes_starting_tasks_first() -> None:
    assert decide(Rules(2), "new", tasks("NNn")).stop == ("n2",)


def test_percents_that_allow_nothing_are_noticed() -> None:
    assert decide(Rules(1, 100, 100), "new", tasks("O")) == Decision(stuck=True)
    assert not decide(Rules(2, 100, 200), "new", tasks("OO")).stuck


def test_a_deployment_given_up_moves_nothing() -> None:
    assert decide(Rules(3), "new", tasks("OOO"), failed=True) == Decision()
    assert len(decide(Rules(1), "new", tasks("OOO"), failed=True).stop) == 2


@pytest.mark.parametrize(
    ("hosts", "now", "start", "stop"),
    [(["h0", "h1"], "", 2, 0), (["h0", "h1"], "N", 1, 0), (["h0", "h1"], "ON", 0, 1), (["h1"], "N", 1, 1)],
)
def test_daemons(hosts: list[str], now: str, start: int, stop: int) -> None:
    decision = decide_daemon("new", hosts, tasks(now))
    assert (decision.start, len(decision.stop)) == (start, stop)


@pytest.mark.parametrize(
    ("now", "stopping", "verdict"),
    [("NN", 0, True), ("NN", 1, False), ("Nn", 0, False), ("NN!", 0, False), ("NO", 0, False), ("N", 0, False)],
)
def test_steady_state(now: str, stopping: int, verdict: bool) -> None:
    assert is_steady(2, "new", tasks(now), stopping) is verdict


@pytest.mark.parametrize(("desired", "threshold"), [(1, 3), (6, 3), (7, 4), (25, 13), (400, 200), (1000, 200)])
def test_the_circuit_breakers_threshold(desired: int, threshold: int) -> None:
    assert breaker_threshold(desired) == threshold


def test_tasks_that_keep_failing_are_started_ever_more_seldom() -> None:
    assert [delay_before_retry(failures, 3) for failures in (1, 2, 3, 4, 5, 50)] == [0, 0, 1, 2, 4, 60]
