# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One injection from beginning to end: prepare, disturb, run again, compare with an undisturbed run, take down."""

from __future__ import annotations

import fnmatch
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from faults.flow import Flow
from faults.injections import INJECTIONS, Injection, Scene
from faults.laboratory import Call, Inventory, Laboratory, without_random
from faults.permissions import not_granted
from faults.programs import Outcome, Running, Task


class PreparationError(Exception):
    """A run that nothing disturbed did not do what it should."""


@dataclass(frozen=True)
class Case:
    """One cell of the matrix."""

    flow: str
    injection: str
    call: Call

    def __str__(self) -> str:
        return f"--flow {self.flow} --injection {self.injection} --call {self.call}"


@dataclass(frozen=True)
class Undisturbed:
    """What a flow does when nothing goes wrong."""

    calls: tuple[Call, ...]
    afterwards: Inventory
    steps: frozenset[str]


@dataclass(frozen=True)
class Verdict:
    """What became of a case.

    Attributes:
        hit: the call was made and disturbed.
        may_miss: it need not be: it only reads, or the flow lists it.
        astray: why it did not converge; empty: it did.
        duplicates: what there is more of than after an undisturbed run.
        leftovers: what is still there after it was taken down.
        story: how the runs ended, one by one.
    """

    case: Case
    hit: bool = True
    may_miss: bool = False
    astray: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()
    story: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        return not (self.astray or self.duplicates or self.leftovers)

    @property
    def passed(self) -> bool:
        return self.hit and self.is_clean

    @property
    def failed(self) -> bool:
        """Not to pass is no failure where the call was not reached, and need not be."""
        return not self.is_clean or not (self.hit or self.may_miss)


@dataclass
class _Findings:
    """Gathered while a case goes on."""

    astray: list[str] = field(default_factory=list)
    duplicates: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()
    story: list[str] = field(default_factory=list)

    def complain(self, text: str) -> None:
        if text:
            self.astray.append(text)


@dataclass(frozen=True)
class Ground:
    """What there was before the base, and with it."""

    empty: Inventory
    with_base: Inventory


def lay_ground(flow: Flow, laboratory: Laboratory) -> Ground:
    """An empty lab, and in it the base of the flow."""
    laboratory.reset(flow.settings)
    return Ground(laboratory.inventory(), prepare(flow.base, laboratory))


def learn(flow: Flow, ground: Ground, laboratory: Laboratory) -> Undisturbed:
    """Run the flow as it is meant to be: which calls it makes, what it leaves. The ground is then as it was.

    Raises:
        PreparationError: it does not even work undisturbed.
    """
    prepare(flow.before, laboratory)
    laboratory.forget_calls()
    outcome = _succeed(flow.act, laboratory)
    undisturbed = Undisturbed(tuple(laboratory.calls()), laboratory.inventory(), _told([outcome]))
    unlisted = not_granted(undisturbed.calls, flow.permissions) if flow.permissions else []
    if unlisted:
        raise PreparationError(f"no permission for {', '.join(unlisted)} in {' and '.join(flow.permissions)}")
    laboratory.forget_calls()
    again = _succeed(flow.act, laboratory)
    over_budget([undisturbed.calls, laboratory.calls()], flow.budget)
    if again.changed:
        raise PreparationError(f"{flow.act}, run again, changed something: {again}")
    _expect(prepare(flow.undo, laboratory), ground.with_base, "after undo")
    return undisturbed


def over_budget(runs: Iterable[Sequence[Call]], budget: Iterable[int]) -> None:
    """Hold a run and the one after it against the numbers of calls that they may make.

    Raises:
        PreparationError: one of them makes more.
    """
    for which, calls, most in zip(("first", "second"), runs, budget, strict=False):
        if len(calls) > most:
            raise PreparationError(f"the {which} run made {len(calls)} calls, more than the {most} of its budget")


def raze(flow: Flow, ground: Ground, laboratory: Laboratory) -> None:
    """Take the base down, too.

    Raises:
        PreparationError: something is left.
    """
    if flow.raze:
        _expect(prepare(flow.raze, laboratory), ground.empty, "after everything was taken down")


def prepare(tasks: Iterable[Task], laboratory: Laboratory) -> Inventory:
    """Run tasks that nothing disturbs; what there is then."""
    for task in tasks:
        _succeed(task, laboratory)
    return laboratory.inventory()


def attempt(case: Case, flow: Flow, undisturbed: Undisturbed, laboratory: Laboratory) -> Verdict:
    """The whole life of one case. Finds the flow's base, and leaves it again if nothing was wrong."""
    started = time.monotonic()
    injection, findings = INJECTIONS[case.injection], _Findings()
    with_base = laboratory.inventory()
    prepare(flow.before, laboratory)
    data = [laboratory.data()]
    outcomes, hit = _disturb(case, injection, flow.act, laboratory)
    data.append(laboratory.data())
    findings.story += [f"disturbed: {one}" for one in outcomes]
    if hit and not (_is_one_of(flow.needless, case.call.name) and all(one.ok for one in outcomes)):
        findings.complain(injection.judgement(outcomes))
    if injection.reruns:
        _converge(injection, flow, outcomes, undisturbed, laboratory, findings)
        data.append(laboratory.data())
    for before, after in pairwise(data):
        findings.complain(_replaced(before, after, flow.renewed))
    _take_down(flow, with_base, laboratory, findings)
    return Verdict(
        case,
        hit,
        not case.call.is_write or _is_one_of(flow.unsteady, case.call.name),
        tuple(findings.astray),
        findings.duplicates,
        findings.leftovers,
        tuple(findings.story),
        time.monotonic() - started,
    )


def _is_one_of(patterns: Iterable[str], name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, one) for one in patterns)


def _disturb(case: Case, injection: Injection, task: Task, laboratory: Laboratory) -> tuple[list[Outcome], bool]:
    laboratory.forget_calls()
    if injection.fault:
        laboratory.break_at(case.call, injection.fault)
    changed = replace(task, options={**task.options, **injection.options})
    try:
        outcomes = injection.happening(Scene(laboratory, changed))
    finally:
        laboratory.mend()
        laboratory.release()
    return outcomes, laboratory.was_hit() or not injection.fault


def _converge(
    injection: Injection,
    flow: Flow,
    disturbed: list[Outcome],
    undisturbed: Undisturbed,
    laboratory: Laboratory,
    findings: _Findings,
) -> None:
    again = _run(flow.act, laboratory, findings, "again")
    if not again.ok:
        findings.complain(f"the next run failed: {again}")
    elif any(one.ok for one in disturbed):
        findings.complain(f"after a success, the next run changed something: {again}" if again.changed else "")
    elif again.changed:
        third = _run(flow.act, laboratory, findings, "and again")
        findings.complain("" if third.ok and not third.changed else f"the run after the next: {third}")
    if injection.tells_steps and again.ok:
        under_way = frozenset(without_random(step) for one in disturbed for step in one.under_way)
        told = _told([*disturbed, again]) - flow.optional
        findings.complain(_difference(told, undisturbed.steps - flow.optional, under_way))
    found = laboratory.inventory()
    findings.duplicates = _more(found, undisturbed.afterwards)
    missing = _more(undisturbed.afterwards, found)
    findings.complain(f"missing: {', '.join(missing)}" if missing else "")


def _take_down(flow: Flow, with_base: Inventory, laboratory: Laboratory, findings: _Findings) -> None:
    for task in flow.undo:
        outcome = _run(task, laboratory, findings, "taken down")
        if not outcome.ok:
            findings.complain(f"taking down failed: {outcome}")
    found = laboratory.inventory()
    findings.leftovers = _more(found, with_base)
    lost = _more(with_base, found)
    findings.complain(f"taken down with it: {', '.join(lost)}" if lost else "")


def _run(task: Task, laboratory: Laboratory, findings: _Findings, when: str) -> Outcome:
    outcome = Running(task, laboratory.exports).outcome()
    findings.story.append(f"{when}: {outcome}")
    return outcome


def _succeed(task: Task, laboratory: Laboratory) -> Outcome:
    outcome = Running(task, laboratory.exports).outcome()
    if not outcome.ok:
        raise PreparationError(f"{task}: {outcome}")
    return outcome


def _expect(found: Inventory, expected: Inventory, when: str) -> None:
    more, less = _more(found, expected), _more(expected, found)
    if more or less:
        raise PreparationError(
            f"{when}: too much: {', '.join(more) or 'nothing'}; lost: {', '.join(less) or 'nothing'}"
        )


def _more(these: Inventory, those: Inventory) -> tuple[str, ...]:
    surplus: Counter[str] = these - those
    return tuple(f"{count} x {thing}" for thing, count in sorted(surplus.items()))


def _replaced(before: Mapping[str, frozenset[str]], after: Mapping[str, frozenset[str]], renewed: Iterable[str]) -> str:
    """What held data and is another one now: a volume made anew, a Secret with another password."""
    found = [
        words
        for words in sorted(before)
        if before[words] - after.get(words, set())
        and after.get(words, set()) - before[words]
        and not _is_one_of(renewed, words)
    ]
    return f"replaced: {', '.join(found)}" if found else ""


def _told(outcomes: Iterable[Outcome]) -> frozenset[str]:
    """All the steps that runs say they have done."""
    return frozenset(without_random(step) for one in outcomes for step in one.steps)


def _difference(told: frozenset[str], done: frozenset[str], under_way: frozenset[str]) -> str:
    unsaid = sorted(done - told - under_way)
    invented = sorted(one for one in told - done if not _is_the_rest(one, under_way))
    parts = [f"done, and not said: {', '.join(unsaid)}"] if unsaid else []
    parts += [f"said beyond an undisturbed run's steps: {', '.join(invented)}"] if invented else []
    return "; ".join(parts)


def _is_the_rest(step: str, under_way: frozenset[str]) -> bool:
    """Whether a step is what one that broke off has left to do: of a batch, or "update role a" of "create role a"."""
    whole = step.replace("update ", "create ", 1).partition(" (")[0]
    alike = any(one.split()[:2] == step.split()[:2] for one in under_way)
    return alike or whole in under_way or step.startswith("delete stale ")
