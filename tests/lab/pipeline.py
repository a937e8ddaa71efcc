# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to one request to a provider: it is named, noted, harmed if a fault says so, and answered."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from lab.faults import ANSWERS, Faults, Rule
from lab.journal import Entry, Journal
from lab.messages import Answer, Backend, Call, ConnectionCutError, Request
from lab.world import World

log = logging.getLogger("lab")
_REMEMBERED_READS = 300
_AFTERWARDS = ("reset_after", "delay", "pause_after")


class Pipeline:
    """Answers requests. One at a time inside a backend (moto is not thread-safe); waiting is done outside the lock."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.journal = Journal()
        self.faults = Faults()
        self._remembering = threading.Lock()
        self._last_reads: OrderedDict[tuple[str, str, bytes], Answer] = OrderedDict()

    def answer(self, backend: Backend, request: Request) -> Answer:
        started = time.monotonic()
        call = backend.name(request)
        entry = self.journal.begin(call, self.world.clock.now())
        rule = self.faults.match(call, entry.number)
        try:
            answer = self._with_fault(backend, call, entry, rule) if rule else self._work(backend, call)
            entry.status, entry.error = answer.status, backend.error_code(answer)
            return answer
        finally:
            entry.ms = round((time.monotonic() - started) * 1000, 2)
            log.info("%d %s %d %s %.1f ms", entry.number, call.name, entry.status, entry.fault, entry.ms)

    def reset(self) -> None:
        self.journal.clear()
        self.faults.replace([])
        self._last_reads.clear()

    def _with_fault(self, backend: Backend, call: Call, entry: Entry, rule: Rule) -> Answer:
        entry.fault = rule.kind
        if rule.kind in ANSWERS:
            return backend.fault(call, rule)
        if rule.kind == "reset_before":
            raise ConnectionCutError
        if rule.kind == "stale" and call.is_read:
            return self._last_reads.get(_question(call)) or self._work(backend, call)
        if rule.kind in ("hang", "pause_before"):
            released = self.faults.hold(entry.number, call, "before")
            if rule.kind == "hang" or not released:
                raise ConnectionCutError
        answer = self._work(backend, call, rule.kind)
        if answer.unheard is not None and rule.kind in _AFTERWARDS:
            return replace(answer, takeover=partial(self._after_the_talk, answer.unheard, call, entry, rule))
        self._afterwards(call, entry, rule)
        return answer

    def _afterwards(self, call: Call, entry: Entry, rule: Rule) -> None:
        if rule.kind == "reset_after":
            raise ConnectionCutError
        if rule.kind == "delay":
            time.sleep(rule.seconds)
        if rule.kind == "pause_after" and not self.faults.hold(entry.number, call, "after"):
            raise ConnectionCutError

    def _after_the_talk(
        self, talk: Callable[[socket.socket], bytes], call: Call, entry: Entry, rule: Rule, client: socket.socket
    ) -> None:
        unheard = talk(client)
        self._afterwards(call, entry, rule)
        client.sendall(unheard)

    def _work(self, backend: Backend, call: Call, fault: str = "") -> Answer:
        try:
            answer = self._alone(backend, call, fault) if backend.alone else backend.work(call)
        except ConnectionCutError:
            raise
        except NotImplementedError as error:
            answer = backend.broken(call, "NotImplemented", f"lab: {call.name} is not simulated ({error})")
        except Exception as error:
            log.exception("%s broke the lab", call.name)
            answer = backend.broken(call, "LabFailure", f"lab: {call.name} broke the simulation: {error!r}")
        if call.is_read and answer.status < 300 and answer.takeover is None:
            self._remember(call, answer)
        return answer

    def _alone(self, backend: Backend, call: Call, fault: str) -> Answer:
        with self.world.lock:
            try:
                self.world.step()
                self.world.call, self.world.fault = call, fault
                answer = backend.work(call)
                self.world.call = None
                self.world.step()
                return answer
            finally:
                self.world.call, self.world.fault = None, ""

    def _remember(self, call: Call, answer: Answer) -> None:
        with self._remembering:
            self._last_reads[_question(call)] = answer
            self._last_reads.move_to_end(_question(call))
            if len(self._last_reads) > _REMEMBERED_READS:
                self._last_reads.popitem(last=False)


def _question(call: Call) -> tuple[str, str, bytes]:
    return call.name, call.request.path + "?" + call.request.query, call.request.body
