# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All cases of the flows, and the workers that go through them: each a process with a lab of its own."""

from __future__ import annotations

import itertools
import multiprocessing
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.queues import SimpleQueue
from pathlib import Path

from faults import programs, trials
from faults.flow import Flow
from faults.flows import FLOWS, NAIVE
from faults.injections import INJECTIONS
from faults.laboratory import Laboratory, running_laboratories
from faults.trials import Case, PreparationError, Undisturbed, Verdict

SELF_TEST = "naive"
_BATCH = 12
_ALL_FLOWS = {**FLOWS, SELF_TEST: NAIVE}

_laboratory: Laboratory  # each worker's own


def cases_of(name: str, undisturbed: Undisturbed) -> list[Case]:
    """Every injection at every call of the flow."""
    flow = _ALL_FLOWS[name]
    calls = flow.picks(undisturbed.calls)
    return [Case(name, one, call) for one in flow.injections or INJECTIONS for call in INJECTIONS[one].where(calls)]


def sample_of(cases: Sequence[Case], count: int) -> list[Case]:
    """So many of them: flows and injections take turns, and so do the calls. The same ones each time.

    Once around, every flow and every injection has had its turn; what comes first matters, as time may run out.
    """
    flows = list(dict.fromkeys(case.flow for case in cases))
    chosen: dict[Case, None] = {}
    for turn in itertools.count():
        if len(chosen) >= min(count, len(cases)) or turn > 10 * count:
            break
        flow = flows[turn % len(flows)]
        injection = list(INJECTIONS)[(turn + turn // len(flows) // len(INJECTIONS)) % len(INJECTIONS)]
        fitting = [case for case in cases if case.flow == flow and case.injection == injection]
        if fitting:
            chosen[fitting[7 * turn % len(fitting)]] = None
    return list(chosen)


@dataclass(frozen=True)
class Matrix:
    """Workers that wait for work."""

    pool: ProcessPoolExecutor

    def learn(self, flows: Iterable[str]) -> Mapping[str, Undisturbed | str]:
        """What each flow does undisturbed, or why it cannot even do that."""
        running = {flow: self.pool.submit(_learn, flow) for flow in flows}
        return {flow: future.result() for flow, future in running.items()}

    def run(
        self, cases: Sequence[Case], known: Mapping[str, Undisturbed | str], until: float | None = None
    ) -> Iterator[Verdict]:
        """Verdicts as they come; no case is begun after the moment ``until``."""
        futures = [self.pool.submit(_run_batch, batch, known, until) for batch in _batches(cases)]
        for future in as_completed(futures):
            yield from future.result()


@contextmanager
def running_matrix(workers: int, folder: Path) -> Iterator[Matrix]:
    """So many workers, each with its lab, for as long as they are needed."""
    context = multiprocessing.get_context("spawn")
    with running_laboratories(workers, folder) as laboratories:
        free: SimpleQueue[Laboratory] = context.SimpleQueue()
        for laboratory in laboratories:
            free.put(laboratory)
        pool = ProcessPoolExecutor(workers, context, _move_in, (free,))
        try:
            yield Matrix(pool)
        finally:  # nothing is under way any more, unless this run was interrupted
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in multiprocessing.active_children():
                worker.kill()


def _batches(cases: Sequence[Case]) -> list[list[Case]]:
    """Cases that start from the same base, a few at a time."""
    by_base: dict[str, list[Case]] = {}
    for case in cases:
        flow = _ALL_FLOWS[case.flow]
        by_base.setdefault(repr((flow.base, flow.settings)), []).append(case)
    return [alike[first : first + _BATCH] for alike in by_base.values() for first in range(0, len(alike), _BATCH)]


def _move_in(free: SimpleQueue[Laboratory]) -> None:
    global _laboratory  # noqa: PLW0603  # what a worker is given once and keeps
    _laboratory = free.get()
    programs.preload()


def _learn(flow: str) -> Undisturbed | str:
    try:
        return trials.learn(_ALL_FLOWS[flow], _laboratory)
    except PreparationError as error:
        return str(error)


def _run_batch(batch: list[Case], known: Mapping[str, Undisturbed | str], until: float | None) -> list[Verdict]:
    verdicts: list[Verdict] = []
    stands = False
    for case in batch:
        if until is not None and time.monotonic() > until:
            break
        flow, undisturbed = _ALL_FLOWS[case.flow], known[case.flow]
        assert isinstance(undisturbed, Undisturbed)
        verdict = _run_case(case, flow, undisturbed, fresh=not stands)
        stands = verdict.passed
        verdicts.append(verdict)
    if stands and verdicts:
        verdicts[-1] = _raze(_ALL_FLOWS[batch[0].flow], verdicts[-1])
    return verdicts


def _run_case(case: Case, flow: Flow, undisturbed: Undisturbed, *, fresh: bool) -> Verdict:
    try:
        if fresh:
            _laboratory.reset(flow.settings)
            trials.prepare(flow.base, _laboratory)
        return trials.attempt(case, flow, undisturbed, _laboratory)
    except PreparationError as error:
        return Verdict(case, astray=(f"before the injection: {error}",))


def _raze(flow: Flow, last: Verdict) -> Verdict:
    """Take the base down too; what then is left is said with the last case of the batch."""
    if not flow.raze:
        return last
    try:
        left = trials.prepare(flow.raze, _laboratory)
    except PreparationError as error:
        return replace(last, astray=(*last.astray, f"after the batch: {error}"))
    return replace(last, leftovers=tuple(f"{count} x {thing}" for thing, count in sorted(left.items())))
