# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the matrix found: a table to read, and JUnit's XML for machines."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from faults.trials import Verdict


@dataclass(frozen=True)
class Check:
    """A test that is no injection: what was wrong, if anything was."""

    name: str
    trouble: str = ""

    @property
    def passed(self) -> bool:
        return not self.trouble


NOT_REACHED = "not reached: the run did not make this call, so that nothing was disturbed"
_COLUMNS = ("flow", "injections", "not reached", "converged", "duplicates", "leftovers", "seconds each")


def table(verdicts: Sequence[Verdict]) -> str:
    """A row for each flow. The columns of duplicates and leftovers have to be zero."""
    flows = list(dict.fromkeys(verdict.case.flow for verdict in verdicts))
    rows = [_row(flow, [one for one in verdicts if one.case.flow == flow]) for flow in flows]
    if len(rows) > 1:
        rows.append(_row("all", verdicts))
    lines = [_COLUMNS, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_COLUMNS))]
    return "\n".join(
        "  ".join(cell.rjust(width) if column else cell.ljust(width) for column, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(line, widths, strict=True)) for line in lines)
    )


def _row(name: str, verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    return (
        name,
        str(len(verdicts)),
        str(sum(not one.hit for one in verdicts)),
        str(sum(not one.astray for one in verdicts)),
        str(sum(bool(one.duplicates) for one in verdicts)),
        str(sum(bool(one.leftovers) for one in verdicts)),
        f"{sum(one.seconds for one in verdicts) / max(len(verdicts), 1):.1f}",
    )


def failure(verdict: Verdict) -> str:
    """Everything about a case that failed; its first line replays it."""
    found = [] if verdict.hit else [NOT_REACHED]
    found += [f"did not converge: {text}" for text in verdict.astray]
    found += [f"duplicate: {text}" for text in verdict.duplicates]
    found += [f"leftover: {text}" for text in verdict.leftovers]
    lines = [textwrap.indent(text, "    ") for text in (*found, *verdict.story)]
    return "\n".join([f"FAILED {verdict.case}", *lines])


@dataclass(frozen=True)
class Tally:
    """How the tests ended. One that was not reached, and need not be, has shown nothing either way."""

    passed: int
    failed: int
    not_reached: int

    def __str__(self) -> str:
        """What was not reached has a line of its own: the last one is read by programs."""
        return f"{self.not_reached} not reached\n{self.passed} passed, {self.failed} failed"


def tally(verdicts: Sequence[Verdict], checks: Sequence[Check]) -> Tally:
    passed = sum(one.passed for one in checks) + sum(one.passed for one in verdicts)
    failed = sum(not one.passed for one in checks) + sum(one.failed for one in verdicts)
    return Tally(passed, failed, len(checks) + len(verdicts) - passed - failed)


def write_junit(path: Path, verdicts: Sequence[Verdict], checks: Sequence[Check]) -> None:
    """One test case for each injection and for each check."""
    counts = tally(verdicts, checks)
    suite = ElementTree.Element("testsuite", name="faults", errors="0", skipped=str(counts.not_reached))
    suite.set("tests", str(len(verdicts) + len(checks)))
    suite.set("failures", str(counts.failed))
    for verdict in verdicts:
        name = f"{verdict.case.injection} at {verdict.case.call}"
        test = ElementTree.SubElement(suite, "testcase", classname=verdict.case.flow, name=name)
        test.set("time", f"{verdict.seconds:.2f}")
        if verdict.failed:
            ElementTree.SubElement(test, "failure", message=str(verdict.case)).text = failure(verdict)
        elif not verdict.hit:
            ElementTree.SubElement(test, "skipped", message=NOT_REACHED)
    for check in checks:
        test = ElementTree.SubElement(suite, "testcase", classname="faults", name=check.name)
        if not check.passed:
            ElementTree.SubElement(test, "failure", message=check.trouble)
    ElementTree.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
