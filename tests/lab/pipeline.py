# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to one AWS request: it is named, noted, harmed if a fault says so, and answered."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable

from lab.aws.patching import AwsError
from lab.errors import error_answer, error_code
from lab.faults import Faults, Rule
from lab.journal import Entry, Journal
from lab.messages import Answer, Call, ConnectionCutError, Request
from lab.naming import name_call
from lab.world import World

log = logging.getLogger("lab")
_REMEMBERED_READS = 300


class Pipeline:
    """Answers AWS requests. One at a time inside moto (it is not thread-safe); waiting is done outside the lock."""

    def __init__(self, world: World, moto: Callable[[Request], Answer]) -> None:
        self.world = world
        self.journal = Journal()
        self.faults = Faults()
        self._moto = moto
        self._last_reads: OrderedDict[tuple[str, str, bytes], Answer] = OrderedDict()

    def answer(self, request: Request) -> Answer:
        started = time.monotonic()
        call = name_call(request)
        entry = self.journal.begin(call, self.world.clock.now())
        rule = self.faults.match(call, entry.number)
        try:
            answer = self._with_fault(call, entry, rule) if rule else self._work(call)
            entry.status, entry.error = answer.status, error_code(answer)
            return answer
        finally:
            entry.ms = round((time.monotonic() - started) * 1000, 2)
            log.info("%d %s %d %s %.1f ms", entry.number, call.name, entry.status, entry.fault, entry.ms)

    def reset(self) -> None:
        self.journal.clear()
        self.faults.replace([])
        self._last_reads.clear()

    def _with_fault(self, call: Call, entry: Entry, rule: Rule) -> Answer:
        entry.fault = rule.kind
        if rule.kind in ("throttle", "error"):
            return error_answer(call, rule.error(call))
        if rule.kind == "reset_before":
            raise ConnectionCutError
        if rule.kind == "stale" and call.is_read:
            return self._last_reads.get(_question(call)) or self._work(call)
        if rule.kind in ("hang", "pause_before"):
            released = self.faults.hold(entry.number, call, "before")
            if rule.kind == "hang" or not released:
                raise ConnectionCutError
        answer = self._work(call)
        if rule.kind == "reset_after":
            raise ConnectionCutError
        if rule.kind == "delay":
            time.sleep(rule.seconds)
        if rule.kind == "pause_after" and not self.faults.hold(entry.number, call, "after"):
            raise ConnectionCutError
        return answer

    def _work(self, call: Call) -> Answer:
        with self.world.lock:
            try:
                self.world.step()
                self.world.call = call
                answer = self._checked(call)
                self.world.call = None
                self.world.step()
            except AwsError as error:
                answer = error_answer(call, error)
            except NotImplementedError as error:
                answer = _lab_error(call, "NotImplemented", f"is not simulated ({error})")
            except Exception as error:
                log.exception("%s broke the lab", call.name)
                answer = _lab_error(call, "LabFailure", f"broke the simulation: {error!r}")
            finally:
                self.world.call = None
            if call.is_read and answer.status < 300:
                self._remember(call, answer)
            return answer

    def _checked(self, call: Call) -> Answer:
        for check in self.world.checks:
            answer = check(call)
            if answer is not None:
                return answer
        return self._moto(call.request)

    def _remember(self, call: Call, answer: Answer) -> None:
        self._last_reads[_question(call)] = answer
        self._last_reads.move_to_end(_question(call))
        if len(self._last_reads) > _REMEMBERED_READS:
            self._last_reads.popitem(last=False)


def _lab_error(call: Call, code: str, what: str) -> Answer:
    """501: AWS clients do not try that again, and show the line."""
    return error_answer(call, AwsError(call.service, code, f"lab: {call.name} {what}", 501))


def _question(call: Call) -> tuple[str, str, bytes]:
    return call.name, call.request.path + "?" + call.request.query, call.request.body
