# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All cases of the flows, and the workers that go through them: each a process with a lab of its own."""

from __future__ import annotations

import itertools
import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import TypeVar

from faults import programs, trials
from faults.flow import Flow
from faults.flows import FLOWS, NAIVE
from faults.injections import INJECTIONS
from faults.laboratory import Laboratory, running_laboratories
from faults.trials import Case, Ground, PreparationError, Undisturbed, Verdict

T = TypeVar("T")

SELF_TEST = "naive"
_BATCH, _LEARNT_TOGETHER = 12, 4
_ALL_FLOWS = {**FLOWS, SELF_TEST: NAIVE}

_laboratory: Laboratory  # each worker's own


def cases_of(name: str, undisturbed: Undisturbed) -> list[Case]:
    """Every injection at every call of the flow."""
    flow = _ALL_FLOWS[name]
    calls = flow.picks(undisturbed.calls)
    return [Case(name, one, call) for one in flow.injections or INJECTIONS for call in INJECTIONS[one].where(calls)]


def sample_of(cases: Sequence[Case], count: int) -> list[Case]:
    """So many of them: flows and injections take turns, and so do the calls. The same ones each time.

    Once around, every flow and every injection has had its turn; what comes first matters, as time may run out. A flow
    without the injection whose turn it is takes the next one that it has.
    """
    flows, injections = list(dict.fromkeys(case.flow for case in cases)), list(INJECTIONS)
    chosen: dict[Case, None] = {}
    for turn in itertools.count():
        if len(chosen) >= min(count, len(cases)) or turn > 10 * count:
            break
        flow = flows[turn % len(flows)]
        first = (turn + turn // len(flows) // len(injections)) % len(injections)
        fitting = _first_with(injections[first:] + injections[:first], [case for case in cases if case.flow == flow])
        chosen[fitting[7 * turn % len(fitting)]] = None
    return list(chosen)


def _first_with(injections: Iterable[str], cases: Sequence[Case]) -> list[Case]:
    """The cases of the first of these injections that there are any of."""
    found = ([case for case in cases if case.injection == injection] for injection in injections)
    return next(filter(None, found))


@dataclass(frozen=True)
class Matrix:
    """Workers that wait for work."""

    pool: ProcessPoolExecutor

    def learn(self, flows: Iterable[str]) -> Mapping[str, Undisturbed | str]:
        """What each flow does undisturbed, or why it cannot even do that."""
        batches = _alike(list(flows), lambda name: _base_of(name) if _ALL_FLOWS[name].base else name, _LEARNT_TOGETHER)
        running = [self.pool.submit(_learn, batch) for batch in batches]
        found = dict(item for future in running for item in future.result().items())
        return {flow: found[flow] for flow in flows}

    def run(
        self, cases: Sequence[Case], known: Mapping[str, Undisturbed | str], until: float | None = None
    ) -> Iterator[Verdict]:
        """Verdicts as they come; no case is begun after the moment ``until``."""
        batches = _alike(cases, lambda case: _base_of(case.flow), _BATCH)
        futures = [self.pool.submit(_run_batch, batch, known, until) for batch in batches]
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


def _base_of(flow: str) -> str:
    """What flows have in common that are run one after the other in one lab."""
    return repr((_ALL_FLOWS[flow].base, _ALL_FLOWS[flow].settings))


def _alike(things: Sequence[T], key: Callable[[T], str], most: int) -> list[list[T]]:
    """Those of the same key, a few at a time."""
    groups: dict[str, list[T]] = {}
    for one in things:
        groups.setdefault(key(one), []).append(one)
    return [group[first : first + most] for group in groups.values() for first in range(0, len(group), most)]


def _move_in(free: SimpleQueue[Laboratory]) -> None:
    global _laboratory  # noqa: PLW0603  # what a worker is given once and keeps
    _laboratory = free.get()
    programs.preload()


def _learn(names: Sequence[str]) -> dict[str, Undisturbed | str]:
    """Flows that share a base, which takes longer than they do themselves: a cluster, a server."""
    found: dict[str, Undisturbed | str] = {}
    ground: Ground | None = None
    for name in names:
        flow = _ALL_FLOWS[name]
        try:
            ground = ground or trials.lay_ground(flow, _laboratory)
            found[name] = trials.learn(flow, ground, _laboratory)
            if name == names[-1]:
                trials.raze(flow, ground, _laboratory)
        except PreparationError as error:
            found[name], ground = str(error), None
    return found


def _run_batch(batch: list[Case], known: Mapping[str, Undisturbed | str], until: float | None) -> list[Verdict]:
    verdicts: list[Verdict] = []
    stands = False
    for case in batch:
        if until is not None and time.monotonic() > until:
            break
        flow, undisturbed = _ALL_FLOWS[case.flow], known[case.flow]
        assert isinstance(undisturbed, Undisturbed)
        verdict = _run_case(case, flow, undisturbed, fresh=not stands)
        stands = verdict.is_clean
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
