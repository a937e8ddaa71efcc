# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each stage of `make test` runs, and how its tests are counted.

A stage is a function from its log to a tally. One lint tool, one sanity test, one pytest case, one integration target,
one molecule scenario and one injected fault each count as one test.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree

from environment import CACHE, HOME, PROGRAMS, PYTHON, ROOT, tool_environment
from lab_session import running_kubernetes, running_lab
from stage_log import LOGS, StageLog

_ANSIBLE_TEST_TELLS: Final = (
    r"^(ERROR|FATAL|fatal|failed|ansible-test \w+ ran)"
    r'|^\s+"(assertion|msg)": "(?!All assertions passed)'  # of a task that failed
)
_DOC_REFERENCES: Final = ("--validate-collection-refs=all", "--disallow-unknown-collection-refs")
BRANCHES_TO_COVER: Final = 90.0  # per cent of module_utils


@dataclass(frozen=True)
class Tally:
    """How many tests of a stage passed and how many failed."""

    passed: int = 0
    failed: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.passed + other.passed, self.failed + other.failed)


@dataclass(frozen=True)
class Stage:
    """One row of the table below."""

    name: str
    run: Callable[[StageLog], Tally]
    minutes: int
    needs_control_plane: bool = False


def _lint(log: StageLog) -> Tally:
    commands = [
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy"],
        ["yamllint", "--strict", "."],
        ["shellcheck", *_shell_scripts()],
        ["ansible-lint"],
        ["antsibull-docs", "lint-collection-docs", "--plugin-docs", *_DOC_REFERENCES, "."],
        ["antsibull-changelog", "lint"],
    ]
    return sum((_one(log.run([str(PROGRAMS / argv[0]), *argv[1:]]).exit_code == 0) for argv in commands), Tally())


def _shell_scripts() -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in (*ROOT.glob("tools/*.sh"), ROOT / ".ci" / "run"))


def _sanity(log: StageLog) -> Tally:
    finished = log.run([str(PYTHON), "tools/run_ansible_test.py", "sanity"], telling=_ANSIBLE_TEST_TELLS)
    ran = len(re.findall(r'^Running sanity test "', finished.text, re.MULTILINE))
    return _listed_failures(finished.exit_code, finished.text, ran)


def _units(log: StageLog) -> Tally:
    report = LOGS / "coverage.json"
    report.unlink(missing_ok=True)
    measured = ["--cov", "--cov-report=term", f"--cov-report=json:{report}"]
    tally = _pytest(log, "units", ["tests/unit", "--ignore=tests/unit/roles", *measured])
    if not report.is_file():
        return tally + Tally(failed=1)
    totals = json.loads(report.read_text())["totals"]
    covered = 100 * totals.get("covered_branches", 0) / max(totals.get("num_branches", 0), 1)
    verdict = f"Branches of module_utils covered: {covered:.1f} %, wanted: {BRANCHES_TO_COVER:.0f} %"
    if covered < BRANCHES_TO_COVER:
        log.complain(verdict)
        return tally + Tally(failed=1)
    log.note(verdict)
    return tally + Tally(passed=1)


def _roles(log: StageLog) -> Tally:
    """Apart from the other units: they run ansible-playbook, which takes half as long again while it is measured."""
    return _pytest(log, "roles", ["tests/unit/roles"])


def _package(log: StageLog) -> Tally:
    with running_lab(CACHE / "test" / "lab-package") as lab:
        return _pytest(log, "package", ["tests/package"], tool_environment(lab.exports))


def _integration(log: StageLog) -> Tally:
    state = CACHE / "test"
    with running_lab(state / "lab-integration") as lab, running_kubernetes(state / "kubernetes") as cluster:
        command = [str(PYTHON), "tools/run_ansible_test.py", "integration", "--continue-on-error"]
        finished = log.run(command, tool_environment(lab.exports | cluster), telling=_ANSIBLE_TEST_TELLS)
    ran = len(set(re.findall(r"^Running (\S+) integration test", finished.text, re.MULTILINE)))
    return _listed_failures(finished.exit_code, finished.text, ran)


def _molecule(log: StageLog) -> Tally:
    tally = Tally()
    for left in (HOME / ".ansible" / "tmp").glob("molecule.*"):  # what a run that was killed has noted of its lab
        shutil.rmtree(left)
    for scenario in sorted(path.parent.name for path in ROOT.glob("molecule/*/molecule.yml")):
        with running_lab(CACHE / "test" / "lab-molecule") as lab:
            command = [str(PROGRAMS / "molecule"), "test", "--scenario-name", scenario]
            tally += _one(log.run(command, tool_environment(lab.exports)).exit_code == 0)
    return tally


def _faults(log: StageLog) -> Tally:
    return _closing_line(log, ["-m", "faults", "--sample"])


def _control_plane(log: StageLog) -> Tally:
    """Build the lab's Kubernetes, once for all clones: a quarter of an hour on two busy cores, or nothing to do."""
    return _one(log.run([str(PYTHON), "-m", "lab", "kubernetes", "build"], tool_environment()).exit_code == 0)


CONTROL_PLANE: Final = Stage("build", _control_plane, minutes=40)
STAGES: Final = (  # the long ones first, so that none is alone at the end
    Stage("integration", _integration, minutes=30, needs_control_plane=True),
    Stage("roles", _roles, minutes=30, needs_control_plane=True),
    Stage("units", _units, minutes=30, needs_control_plane=True),
    Stage("molecule", _molecule, minutes=30, needs_control_plane=True),
    Stage("faults", _faults, minutes=20),
    Stage("package", _package, minutes=20, needs_control_plane=True),
    Stage("sanity", _sanity, minutes=20),
    Stage("lint", _lint, minutes=15),
)


def _one(passed: bool) -> Tally:
    return Tally(passed=1) if passed else Tally(failed=1)


def _pytest(log: StageLog, name: str, arguments: list[str], environment: dict[str, str] | None = None) -> Tally:
    report = LOGS / f"{name}.xml"
    report.unlink(missing_ok=True)
    options = ["-q", f"--junitxml={report}", f"--basetemp={LOGS / f'tmp-{name}'}"]
    log.run([str(PYTHON), "-m", "pytest", *options, *arguments], environment)
    if not report.is_file():
        return Tally(failed=1)
    suites = ElementTree.parse(report).getroot().iter("testsuite")
    counts = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for suite in suites:
        for key in counts:
            counts[key] += int(suite.get(key, 0))
    failed = counts["failures"] + counts["errors"]
    return Tally(counts["tests"] - failed - counts["skipped"], failed)


def _listed_failures(exit_code: int, text: str, ran: int) -> Tally:
    """ansible-test names what failed at the end: 'The 2 sanity test(s) listed below (out of 24) failed'."""
    match = re.search(r"The (\d+) \w+ test\(s\) listed below", text)
    failed = int(match.group(1)) if match else int(exit_code != 0)
    return Tally(max(ran - failed, 0), failed)


def _closing_line(log: StageLog, arguments: list[str]) -> Tally:
    """A program of our own that says 'N passed, N failed' at its end."""
    finished = log.run([str(PYTHON), *arguments], tool_environment())
    found = re.findall(r"^(\d+) passed, (\d+) failed$", finished.text, re.MULTILINE)
    passed, failed = map(int, found[-1]) if found else (0, 1)
    return Tally(passed, failed or int(finished.exit_code != 0))
