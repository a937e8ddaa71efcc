# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results as a Markdown table for people, and as JSON with every single run."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from bench import peers
from bench.job import SIDES
from bench.jobs import TARGETS
from bench.measure import Sample
from bench.targets import WHOLE, Target

Results = Mapping[tuple[str, str], Mapping[str, Sequence[Sample]]]
"""(job, phase) -> side -> runs"""

QUANTITIES = {"wall": "wall s", "cpu": "CPU s", "calls": "API calls", "writes": "of them writes"}
COUNTS = ("calls", "writes")
"""Quantities that are not the machine's."""
ON_DEMAND = {"tasks": "tasks alone, wall s", "noticed": "s from ready to known"}
"""Reported where something was promised of them."""
WORDS = {**QUANTITIES, **ON_DEMAND}


@dataclass(frozen=True)
class Row:
    """One quantity of one phase of one job, and at most one target for it."""

    job: str
    phase: str
    quantity: str
    medians: Mapping[str, float]
    target: Target | None

    @property
    def reached(self) -> bool | None:
        return self.target.is_reached(self.medians) if self.target else None

    def cells(self) -> list[str]:
        ours, theirs = self.medians["ours"], self.medians.get("peers")
        verdict = "" if self.reached is None else "yes" if self.reached else "**NO**"
        return [
            f"{self.phase}, {WORDS[self.quantity]}",
            *(self._value(side) for side in SIDES),
            f"{ours / theirs:.3f}" if theirs else "",
            self.target.text if self.target else "",
            verdict,
        ]

    def _value(self, side: str) -> str:
        estimated = " (estimated)" if side == "peers" and self.target and self.target.estimate else ""
        return _number(self.medians.get(side), self.quantity) + estimated


def rows(results: Results) -> list[Row]:
    of_phases = [row for job, phase in results for row in _phase_rows(results, job, phase)]
    return of_phases + [
        row for job in dict.fromkeys(job for job, _phase in results) for row in _whole_rows(job, of_phases)
    ]


def _phase_rows(results: Results, job: str, phase: str) -> Iterator[Row]:
    wanted = [one for one in ON_DEMAND if {(job, phase, one), (job, WHOLE, one)} & TARGETS.keys()]
    for quantity in (*QUANTITIES, *wanted):
        medians = _medians(results[job, phase], quantity)
        for target in TARGETS.get((job, phase, quantity), (None,)):
            estimate = target.estimate if target else None
            smaller = _medians(results[estimate.job, phase], quantity) if estimate else {}
            theirs = {"peers": estimate.times * smaller["peers"]} if estimate else {}
            yield Row(job, phase, quantity, {**medians, **theirs}, target)


def _medians(sides: Mapping[str, Sequence[Sample]], quantity: str) -> Mapping[str, float]:
    measured = {side: [getattr(sample, quantity) for sample in samples] for side, samples in sides.items()}
    return {side: statistics.median(values) for side, values in measured.items() if None not in values}


def _whole_rows(job: str, of_phases: Sequence[Row]) -> Iterator[Row]:
    """The sums of what was promised of all phases together."""
    for quantity in WORDS:
        parts = {row.phase: row.medians for row in of_phases if (row.job, row.quantity) == (job, quantity)}.values()
        sums = {side: sum(one[side] for one in parts) for side in SIDES if all(side in one for one in parts)}
        for target in TARGETS.get((job, WHOLE, quantity), ()):
            yield Row(job, WHOLE, quantity, sums, target)


def markdown(results: Results, rounds: int, nothing: Sequence[Sample]) -> str:
    """The report.

    Args:
        nothing: runs of a playbook with one module that does nothing.
    """
    table = rows(results)
    head = ["", *SIDES, "ours / peers", "target", "reached"]
    parts = ["# Benchmark", verdict(table), _circumstances(rounds), _empty(nothing)]
    for job in dict.fromkeys(row.job for row in table):
        calls = [_calls(phase, sides["ours"]) for (its_job, phase), sides in results.items() if its_job == job]
        parts += [
            f"## {job}",
            _table(head, [row.cells() for row in table if row.job == job]),
            "Our API calls by action:\n\n" + "\n".join(calls),
        ]
    return "\n\n".join(parts) + "\n"


def verdict(table: Sequence[Row]) -> str:
    """One plain line on how many targets were reached, and which were not."""
    with_target = [row for row in table if row.target]
    missed = [row for row in with_target if not row.reached]
    text = f"{len(with_target) - len(missed)} of {len(with_target)} targets reached."
    if missed:
        names = (f"{row.job}, {row.phase}, {WORDS[row.quantity]} ({row.target.text})" for row in missed if row.target)
        text += f" **Missed: {'; '.join(names)}.**"
    return text


def keeps_counts(results: Results) -> bool:
    """Whether no target was missed by a count: seconds belong to the machine, but these are ours."""
    return not any(row.reached is False for row in rows(results) if row.quantity in COUNTS)


def document(results: Results, rounds: int) -> dict[str, Any]:
    """The same for programs."""
    return {
        "rounds": rounds,
        "circumstances": _circumstances(rounds),
        "rows": [
            {
                "job": row.job,
                "phase": row.phase,
                "quantity": row.quantity,
                "medians": row.medians,
                "target": row.target.text if row.target else None,
                "reached": row.reached,
            }
            for row in rows(results)
        ],
        "runs": [
            {"job": job, "phase": phase, "side": side, **vars(sample)}
            for (job, phase), sides in results.items()
            for side, samples in sides.items()
            for sample in samples
        ],
    }


def _circumstances(rounds: int) -> str:
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("ansible-core", "boto3", "kubernetes", "moto"))
    processors, load = os.cpu_count() or 1, os.getloadavg()[1]
    busy = " **The machine was busy with other things: its seconds vary.**" if load > processors + 1 else ""
    return (
        f"Medians of {rounds} rounds, the sides by turns against one lab on this machine: {processors} processors, "
        f"load {load:.1f}, Python {platform.python_version()}, {versions}.{busy} "
        f"peers: the collections of ansible {peers.ANSIBLE}, and for Rancher ansible.builtin.uri. "
        "floor: plain boto3, requests or kubectl. "
        "CPU seconds are the whole process tree's, without the lab."
    )


def _empty(nothing: Sequence[Sample]) -> str:
    wall = statistics.median(sample.wall for sample in nothing)
    tasks = statistics.median(sample.tasks or 0 for sample in nothing)
    return (
        f"A playbook with one module that does nothing takes {wall:.2f} s here, {tasks:.2f} s of them in its task, as "
        "Ansible packs it: the peers' cannot take less, and ours no less than the difference."
    )


def _calls(phase: str, samples: Sequence[Sample]) -> str:
    last = samples[-1]
    actions = sorted(last.by_action.items(), key=lambda pair: (-pair[1], pair[0]))
    return f"- {phase}, {last.calls}: " + ", ".join(f"{action} {count}" for action, count in actions)


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *lines))


def _number(value: float | None, quantity: str) -> str:
    if value is None:
        return ""
    return f"{value:g}" if quantity in COUNTS else f"{value:.2f}"
