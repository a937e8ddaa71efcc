# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do the same jobs by us, by today's modules and by plain boto3, by turns, and report side by side.

usage: PYTHONPATH=tests:tools python -m bench [--rounds N] [--only PART]...
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

from environment import CACHE, PROGRAMS, tool_environment
from lab_session import LabError

from bench import account, cluster, peers, report
from bench.account import complaint
from bench.ground import Ground
from bench.job import EMPTY, SIDES, Job
from bench.jobs import JOBS
from bench.measure import RunError, Sample, measure

FOLDER = CACHE / "bench"
LOG = FOLDER / "output.log"
GROUNDS: Mapping[str, Callable[[Path], AbstractContextManager[Ground]]] = {
    "account": account.running,
    "cluster": cluster.running,
}
"""One at a time, so that none costs the other's jobs anything."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit 0 when all was measured, and no call more was made than was promised; seconds may be as they are."""
    options = _options(arguments)
    jobs = [job for job in JOBS if not options.only or job.part in options.only]
    FOLDER.mkdir(parents=True, exist_ok=True)
    LOG.write_text("")
    try:
        peers.install()
        results: dict[tuple[str, str], dict[str, list[Sample]]] = {}
        for name in dict.fromkeys(job.ground for job in jobs):
            with GROUNDS[name](FOLDER / name) as ground:
                results |= _measure_all([job for job in jobs if job.ground == name], options.rounds, ground)
                nothing = [
                    measure(EMPTY, _environment("ours", ground), ground, LOG) for _round in range(options.rounds)
                ]
    except (RunError, LabError) as error:
        print(f"{error}\nThe output of all runs: {LOG}", file=sys.stderr)
        return 1
    (FOLDER / "report.md").write_text(report.markdown(results, options.rounds, nothing))
    (FOLDER / "report.json").write_text(json.dumps(report.document(results, options.rounds), indent=2) + "\n")
    print((FOLDER / "report.md").read_text())
    return 0 if report.keeps_counts(results) else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3, help="how often each side has its turn (default: 3)")
    parser.add_argument(
        "--only", action="append", choices=sorted({job.part for job in JOBS}), help="this part; can be repeated"
    )
    return parser.parse_args(arguments)


def _measure_all(
    jobs: Sequence[Job[Any]], rounds: int, ground: Ground
) -> dict[tuple[str, str], dict[str, list[Sample]]]:
    results: dict[tuple[str, str], dict[str, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    for number in range(1, rounds + 1):
        for job, side in _turns(jobs, number):
            print(f"round {number} of {rounds}: {job.title}, {side}", flush=True)
            ground.reset(job.settings)
            job.prepare(ground)
            for phase in job.phases:
                ready = partial(phase.ready, ground) if phase.ready else None
                sample = measure(phase.commands[side], _environment(side, ground), ground, LOG, ready)
                print(f"  {phase.name:12}{sample.wall:8.2f} s{sample.calls:6} calls", flush=True)
                wrong = complaint(partial(phase.check, ground))
                if wrong:
                    raise RunError(f"{side} did not do its job ({job.title}, {phase.name}): {wrong}")
                results[job.title, phase.name][side].append(sample)
    return results


def _turns(jobs: Sequence[Job[Any]], number: int) -> Iterator[tuple[Job[Any], str]]:
    """Who is measured in this round, each round beginning with another side."""
    first = number % len(SIDES)
    for job in jobs:
        for side in SIDES[first:] + SIDES[:first]:
            wanted = number == 1 or not (job.single or side in job.once)
            if wanted and side in job.phases[0].commands:
                yield job, side


def _environment(side: str, ground: Ground) -> dict[str, str]:
    programs = peers.PROGRAMS if side == "peers" else PROGRAMS
    path = f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    environment = tool_environment({**ground.exports, "PATH": path, "VIRTUAL_ENV": str(programs.parent)})
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # what Python compiles, it keeps, unless it is told not to
    return environment


if __name__ == "__main__":
    sys.exit(main())
