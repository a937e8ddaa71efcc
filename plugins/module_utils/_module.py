# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge between Ansible and everything else: the only file that knows AnsibleModule.

It checks libraries, gives the module's function a context, turns its outcome into a result with ``changed`` and
``diff`` from the plan, and has the one ``except`` that turns an error into a failed task. PRIVATE.
"""

from __future__ import annotations

import json
import os
import signal
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ._argspec import ArgumentSpec, Library, missing_library
from ._checks import LONGEST_WAIT, seconds
from ._clock import ENDING, Clock, Deadline, SystemClock
from ._errors import InputError, Interruption, SchedulersError, as_ours
from ._plan import Plan
from ._proxy import secrets_in
from ._redact import Redactor
from ._wait import Pace

try:
    from ansible.module_utils.secrets import register_secrets
except ImportError:  # before ansible-core 2.22
    register_secrets = None

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Context:
    """What a module's function may know of the run.

    Attributes:
        params: the module's options.
        check_mode: decide, but do not apply.
        warn: adds a warning to the result.
        clock: time, for everything that waits.
        hide: takes secret values that no option is marked for, such as those within a manifest.
    """

    params: Mapping[str, Any]
    check_mode: bool = False
    warn: Callable[[str], None] = lambda _text: None
    clock: Clock = field(default_factory=SystemClock)
    hide: Callable[[Iterable[Any]], None] = lambda _secrets: None

    def deadline(self) -> Deadline:
        """The moment until which this task may wait."""
        return Deadline(self.clock, seconds("wait_timeout", self.params["wait_timeout"], 0, LONGEST_WAIT))

    def pace(self) -> Pace:
        """The seconds between two looks."""
        return Pace(cap=seconds("wait_sleep", self.params["wait_sleep"]))


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
    libraries: Sequence[Library] | Callable[[Mapping[str, Any]], Sequence[Library]] = (),
) -> None:
    """The whole of a module's ``main``.

    Args:
        libraries: what the module needs, or a function that says so from the options.
    """
    redactor = Redactor()
    module = _module(spec, redactor)
    hide = partial(_hide, module, redactor)
    hide([*spec.secrets(module.params), *secrets_in(os.environ)])
    missing = missing_library(libraries(module.params) if callable(libraries) else libraries)
    if missing:
        module.fail_json(msg=missing)
    _end_on_signals()
    context = Context(module.params, module.check_mode, lambda text: module.warn(redactor.text(text)), hide=hide)
    started = context.clock.now()
    try:
        outcome = run(context)
        _ignore_signals()  # the work is done: its result must come out whole
    except (Exception, Interruption) as error:
        failure = redactor.value(_failure(as_ours(error)))
        if ENDING.reason:
            _log(module, failure)
        module.fail_json(**failure, **_waited(context, started))
    result = _success(outcome, module.check_mode, module._diff)
    module.exit_json(**redactor.value(result), **_waited(context, started))


def _module(spec: ArgumentSpec, redactor: Redactor) -> AnsibleModule:
    """Ansible's part. It knows what to hide before it reports refused options and writes all options to the syslog."""

    class Module(AnsibleModule):  # type: ignore[misc]
        def _load_params(self) -> None:
            super()._load_params()
            wrong = spec.misplaced(self.params)
            if wrong:
                self.params.clear()  # not to be told in the result: nobody knows yet which of them are secret
                self.fail_json(msg=InputError(wrong).sentence())
            _hide(self, redactor, spec.secrets_within(self.params))

    return Module(supports_check_mode=True, **spec.to_kwargs())


def _hide(module: AnsibleModule, redactor: Redactor, secrets: Iterable[Any]) -> None:
    """From the result, and from Ansible's own part of it, which has the options."""
    redactor.add(secrets)
    if register_secrets:
        register_secrets(redactor.long_values())
    else:
        module.no_log_values.update(redactor.long_values())


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
    # shown where ANSIBLE_DISPLAY_TRACEBACK asks for it; left to itself, Ansible would take its own, with all secrets
    result["exception"] = traceback.format_exc()
    return result


def _log(module: AnsibleModule, failure: Mapping[str, Any]) -> None:
    """To the syslog: the signal has ended Ansible's worker too, so that nobody may be there to read the result."""
    told = {name: failure[name] for name in ("msg", "step_failed", "steps_done") if name in failure}
    module.log(json.dumps(told))  # ASCII in one line: what a syslog refuses would end the module without a result


def _waited(context: Context, started: float) -> dict[str, float]:
    """How long it took, as ``wait_timeout`` counts, of a run that may wait."""
    if context.check_mode or not context.params.get("wait"):
        return {}
    return {"waited_seconds": round(context.clock.now() - started, 1)}


def _end_on_signals() -> None:
    """SIGINT and SIGTERM end the run with a result, and a line in the syslog, that say what was made."""

    def end(number: int, _frame: object) -> None:
        _ignore_signals()  # once is enough: a second one must not cut short the report of the first
        reason = f"the run was ended by {signal.Signals(number).name}"
        ENDING.tell(reason)
        raise Interruption(reason)

    for number in ENDING_SIGNALS:
        signal.signal(number, end)


def _ignore_signals() -> None:
    for number in ENDING_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
