# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The crash matrix: every way to disturb a run, at every API call of every flow. Ends with "N passed, N failed"."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from faults import report
from faults.flows import FLOWS
from faults.injections import INJECTIONS
from faults.laboratory import Call, LaboratoryError
from faults.matrix import SELF_TEST, Matrix, cases_of, running_matrix, sample_of
from faults.report import Check
from faults.trials import Case, Undisturbed, Verdict

_FOLDER = Path(__file__).resolve().parents[2] / ".cache" / "faults"
_PROGRESS_SECONDS = 15

# what has to be found in the naive program when this is done to it at the call that makes its VPC
_NAIVE_CALL = Call("ec2.CreateVpc", 1, is_write=True)
_NAIVE_FINDINGS: Mapping[str, set[str]] = {
    "throttle": set(),
    "kill-before": set(),
    "cut-after": {"duplicates", "leftovers"},
    "overtaken": {"duplicates", "leftovers"},
    "sigterm": {"astray"},
}


def main(arguments: Sequence[str]) -> int:
    """Go through the cases that the arguments ask for; the exit status says whether all passed."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a plain kill stops the labs too, as Ctrl-C does
    started = time.monotonic()
    folder = _FOLDER / str(time.time_ns())
    try:
        with running_matrix(options.workers, folder) as matrix:
            checks, verdicts = _go(matrix, options, started)
    except LaboratoryError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.junit:
        report.write_junit(options.junit, verdicts, checks)
    if verdicts:
        print(f"\n{report.table(verdicts)}\n")
    tally = report.tally(verdicts, checks)
    print(f"{time.monotonic() - started:.0f} seconds")
    print(tally, flush=True)
    return 0 if tally.passed and not tally.failed else 1


def _go(matrix: Matrix, options: argparse.Namespace, started: float) -> tuple[list[Check], list[Verdict]]:
    checks, verdicts = [], []
    if options.selftest or not (options.flow or options.injection or options.call):
        checks.append(_told(_self_test(matrix)))
    if not options.selftest:
        known = matrix.learn(options.flow or FLOWS)
        checks += [
            _told(Check(f"{flow} undisturbed", one if isinstance(one, str) else "")) for flow, one in known.items()
        ]
        cases = [case for flow, one in known.items() if isinstance(one, Undisturbed) for case in cases_of(flow, one)]
        cases = [case for case in cases if _is_meant(case, options)]
        chosen = sample_of(cases, options.sample) if options.sample else cases
        until = started + options.seconds if options.seconds else None
        verdicts = list(_told_on_the_way(matrix.run(chosen, known, until), len(chosen)))
    return checks, verdicts


def _self_test(matrix: Matrix) -> Check:
    """The matrix has to find the mistakes of the naive program, and no others."""
    known = matrix.learn([SELF_TEST])
    if isinstance(known[SELF_TEST], str):
        return Check("self test", str(known[SELF_TEST]))
    cases = [Case(SELF_TEST, injection, _NAIVE_CALL) for injection in _NAIVE_FINDINGS]
    troubles = []
    for verdict in matrix.run(cases, known):
        found = {name for name in ("astray", "duplicates", "leftovers") if getattr(verdict, name)}
        if found != _NAIVE_FINDINGS[verdict.case.injection] or not verdict.hit:
            troubles.append(f"expected {_NAIVE_FINDINGS[verdict.case.injection]}\n{report.failure(verdict)}")
    return Check("self test", "\n".join(troubles))


def _is_meant(case: Case, options: argparse.Namespace) -> bool:
    return (not options.injection or case.injection in options.injection) and (
        not options.call or str(case.call) in options.call
    )


def _told(check: Check) -> Check:
    print(f"{check.name}: {check.trouble or 'passed'}", flush=True)
    return check


def _told_on_the_way(verdicts: Iterable[Verdict], total: int) -> Iterator[Verdict]:
    """Failures and what was not reached at once, and now and then how far it is."""
    failed, shown = 0, time.monotonic()
    for number, verdict in enumerate(verdicts, 1):
        yield verdict
        if verdict.failed:
            failed += 1
            print(report.failure(verdict), flush=True)
        elif not verdict.hit:
            print(f"NOT REACHED {verdict.case}", flush=True)
        if time.monotonic() - shown > _PROGRESS_SECONDS:
            shown = time.monotonic()
            print(f"{number} of {total} injections, {failed} failed", flush=True)


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:12} {injection.meaning}" for name, injection in INJECTIONS.items())
    parser = argparse.ArgumentParser(
        prog="faults",
        description=__doc__,
        epilog=f"injections:\n{listed}\n\nflows:\n  {', '.join(FLOWS)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--flow", action="append", choices=FLOWS, metavar="NAME", help="only this flow (may be repeated)")
    add(
        "--injection", action="append", choices=INJECTIONS, metavar="KIND", help="only this injection (may be repeated)"
    )
    add("--call", action="append", metavar="CALL", help="only at this call, such as ecs.CreateService:1")
    add("--sample", type=int, nargs="?", const=75, metavar="N", help="so many cases, of all flows and injections")
    add("--seconds", type=float, metavar="S", help="begin no case later than this")
    add("--workers", type=int, default=4, metavar="N", help="processes with a lab each (default: %(default)s)")
    add("--junit", type=Path, metavar="FILE", help="write the results as JUnit's XML")
    add("--selftest", action="store_true", help="only look whether the matrix finds mistakes")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
