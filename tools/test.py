# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make test`: run the stages, three at a time, tell how each one went, and end with the line "N passed, N failed".

A stage that fails does not stop the others. One that ran no test at all counts as one failed test.

usage: test.py [STAGE ...]    by default all that `make test` means
"""

from __future__ import annotations

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Final, NoReturn

from environment import ROOT
from stage_log import LOGS, StageLog, stop_all
from stages import CONTROL_PLANE, STAGES, Stage, Tally

_AT_ONCE: Final = 3  # on two processors: they wait much of their time


def main(names: list[str]) -> int:
    """Run the named stages; the exit status says whether every test passed."""
    known = [stage.name for stage in STAGES]
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"There is no stage {' or '.join(unknown)}; there are: {', '.join(known)}.", file=sys.stderr)
        return 2
    chosen = [stage for stage in STAGES if stage.name in (names or known)]
    LOGS.mkdir(parents=True, exist_ok=True)
    total = _run_all([CONTROL_PLANE]) if any(stage.needs_control_plane for stage in chosen) else Tally()
    total += _run_all(chosen)
    _say(f"{total.passed} passed, {total.failed} failed")
    return 0 if total.failed == 0 else 1


def _run_all(stages: list[Stage]) -> Tally:
    total = Tally()
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        running = [pool.submit(_run, stage) for stage in stages]
        try:
            for future in as_completed(running):
                total += future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            stop_all()
            raise
    return total


def _run(stage: Stage) -> Tally:
    log = StageLog(stage.name, seconds=60 * stage.minutes)
    _say(f"{stage.name:<12} started, log in {log.path.relative_to(ROOT)}")
    started = time.monotonic()
    tally = _tally(stage, log)
    seconds = time.monotonic() - started
    text = f"{stage.name:<12} {tally.passed} passed, {tally.failed} failed, {seconds:.0f} s"
    if tally.failed:
        text = "\n".join([text, "-" * 8, *log.complaints, "-" * 8])
    _say(text)
    return tally


def _tally(stage: Stage, log: StageLog) -> Tally:
    try:
        tally = stage.run(log)
    except Exception as error:
        log.complain(f"The stage broke off: {type(error).__name__}: {error}")
        return Tally(failed=1)
    if tally == Tally():
        log.complain("The stage ran no test at all.")
        return Tally(failed=1)
    return tally


def _say(text: str) -> None:
    """In one piece: the stages' threads speak at the same time."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _interrupt(signal_number: int, _frame: object) -> NoReturn:
    """A plain `kill` ends what was started, as Ctrl-C does."""
    sys.exit(128 + signal_number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    os.chdir(ROOT)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
