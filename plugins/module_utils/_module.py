# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge between Ansible and everything else: the only file that knows AnsibleModule.

It checks libraries, gives the module's function a context, turns its outcome into a result with ``changed`` and
``diff`` from the plan, and has the one ``except`` that turns an error into a failed task. PRIVATE.
"""

from __future__ import annotations

import signal
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ._argspec import ArgumentSpec, Library
from ._clock import Clock, Deadline, SystemClock
from ._errors import InterruptedRunError, SchedulersError
from ._plan import Plan
from ._redact import Redactor
from ._wait import Pace


@dataclass(frozen=True)
class Context:
    """What a module's function may know of the run.

    Attributes:
        params: the module's options.
        check_mode: decide, but do not apply.
        warn: adds a warning to the result.
        clock: time, for everything that waits.
    """

    params: Mapping[str, Any]
    check_mode: bool = False
    warn: Callable[[str], None] = lambda _text: None
    clock: Clock = field(default_factory=SystemClock)

    def deadline(self) -> Deadline:
        """The moment until which this task may wait."""
        return Deadline(self.clock, float(self.params["wait_timeout"]))

    def pace(self) -> Pace:
        """The seconds between two looks."""
        return Pace(cap=float(self.params["wait_sleep"]))


@dataclass(frozen=True)
class Outcome:
    """What a module's function brings back.

    Attributes:
        result: the module's own return values.
        plan: what was, or in check mode would be, done. None for modules that only look.
        diff: the diff, where it says more than the plan's own.
    """

    result: Mapping[str, Any]
    plan: Plan | None = None
    diff: Mapping[str, Any] | None = None


def run_module(
    spec: ArgumentSpec,
    run: Callable[[Context], Outcome],
    *,
    libraries: Sequence[Library] = (),
) -> None:
    """The whole of a module's ``main``."""
    module = AnsibleModule(supports_check_mode=True, **spec.to_kwargs())
    redactor = Redactor(spec.secrets(module.params))
    _require(module, libraries)
    _end_on_signals()
    context = Context(module.params, module.check_mode, lambda text: module.warn(redactor.text(text)))
    try:
        outcome = run(context)
    except SchedulersError as error:
        module.fail_json(**redactor.value(_failure(error)))
    except Exception as error:  # a defect of ours: one sentence, and the traceback only at -vvv
        text = (
            f"Unexpected {type(error).__name__}: {error}. This is a defect of container.schedulers; please report it."
        )
        module.fail_json(msg=redactor.text(text), exception=redactor.text(traceback.format_exc()))
    else:
        module.exit_json(**redactor.value(_success(outcome, module.check_mode, module._diff)))


def _success(outcome: Outcome, check_mode: bool, wants_diff: bool) -> dict[str, Any]:
    plan = outcome.plan or Plan()
    result: dict[str, Any] = {**outcome.result, "changed": plan.changed}
    if outcome.plan is not None:
        result["steps_planned" if check_mode else "steps_done"] = plan.sentences()
        if wants_diff:
            result["diff"] = outcome.diff or plan.diff()
    return result


def _failure(error: SchedulersError) -> dict[str, Any]:
    result = {**error.details, "msg": error.sentence(), "changed": bool(error.details.get("steps_done"))}
    if error.code:
        result["error_code"] = error.code
    return result


def _require(module: AnsibleModule, libraries: Sequence[Library]) -> None:
    for library in libraries:
        try:
            found = metadata.version(library.name)
        except metadata.PackageNotFoundError:
            module.fail_json(msg=missing_required_lib(f"{library.name} >= {library.version}"))
        if _release(found) < _release(library.version):
            module.fail_json(
                msg=f"{library.name} {found} is too old: {library.version} or newer is needed by this module, "
                f"in the Python that runs it."
            )


def _release(version: str) -> tuple[int, ...]:
    """The numbers at the start of a version: enough to compare releases, without another library."""
    numbers = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)


def _end_on_signals() -> None:
    """SIGINT and SIGTERM end the run with a result that says what was made, instead of silently."""

    def end(number: int, _frame: object) -> None:
        # once is enough: a second signal must not cut short the report of the first
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise InterruptedRunError(
            f"the run was ended by {signal.Signals(number).name}",
            hint="Run the same task again to converge, or with state: absent to remove what was made.",
        )

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
