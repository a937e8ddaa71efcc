# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a case of the crash matrix counts as, what a run may cost, and that a fault comes about at its call only."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from xml.etree import ElementTree

import pytest
from faults.injections import INJECTIONS
from faults.laboratory import AGENT, Call, rule_at
from faults.report import Check, Tally, failure, tally, write_junit
from faults.trials import Case, PreparationError, Verdict, over_budget
from lab.faults import Faults, Rule
from lab.messages import Call as LabCall
from lab.messages import Request

CASE = Case("a-flow", "kill-after", Call("ec2.CreateVpc", 2, is_write=True))
REACHED, DUPLICATE = Verdict(CASE), Verdict(CASE, duplicates=("1 x vpc",))
MISSED, MAY_MISS = Verdict(CASE, hit=False), Verdict(CASE, hit=False, may_miss=True)


@pytest.mark.parametrize(
    ("verdict", "counts"),
    [
        (REACHED, Tally(passed=1, failed=0, not_reached=0)),
        (DUPLICATE, Tally(passed=0, failed=1, not_reached=0)),
        (MISSED, Tally(passed=0, failed=1, not_reached=0)),
        (MAY_MISS, Tally(passed=0, failed=0, not_reached=1)),
        (Verdict(CASE, hit=False, may_miss=True, astray=("x",)), Tally(passed=0, failed=1, not_reached=0)),
    ],
)
def test_a_case_that_was_never_disturbed_has_not_passed(verdict: Verdict, counts: Tally) -> None:
    assert tally([verdict], []) == counts


def test_the_last_line_is_the_one_that_programs_read() -> None:
    counted = tally([REACHED, MISSED, MAY_MISS], [Check("one"), Check("two", "broken")])
    assert str(counted).splitlines() == ["1 not reached", "2 passed, 2 failed"]
    assert "not reached" in failure(MISSED)


def test_junit_skips_what_was_not_reached(tmp_path: Path) -> None:
    write_junit(tmp_path / "junit.xml", [REACHED, MISSED, MAY_MISS], [Check("one")])
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "skipped": "1",
    }
    assert [[found.tag for found in test] for test in suite] == [[], ["failure"], ["skipped"], []]


@pytest.mark.parametrize(
    ("budget", "trouble"),
    [
        ((), ""),
        ((3,), ""),
        ((3, 2), ""),
        ((2, 2), "the first run made 3 calls, more than the 2"),
        ((3, 1), "the second run made 2 calls, more than the 1"),
    ],
)
def test_a_call_too_many_is_a_failure_of_the_undisturbed_run(budget: tuple[int, ...], trouble: str) -> None:
    runs = [[CASE.call] * 3, [CASE.call] * 2]
    with pytest.raises(PreparationError, match=trouble) if trouble else nullcontext():
        over_budget(runs, budget)


@pytest.mark.parametrize("injection", [name for name, one in INJECTIONS.items() if one.fault])
@pytest.mark.parametrize("nth", [1, 3])
def test_the_fault_comes_about_at_its_call(injection: str, nth: int) -> None:
    faults = Faults()
    faults.replace([Rule.parse(rule_at(Call("ec2.CreateVpc", nth, is_write=True), INJECTIONS[injection].fault))])
    request = Request("POST", "/", "", {"user-agent": f"Boto3 {AGENT}"}, b"")
    sent = LabCall("ec2", "CreateVpc", "us-east-1", "ec2", {}, 1, request)
    hits = [bool(faults.match(sent, number)) for number in range(1, nth + 1)]
    assert hits == [False] * (nth - 1) + [True]
