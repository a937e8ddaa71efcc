# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out processes: the state meanwhile, some time, the work, the state afterwards."""

from __future__ import annotations

from collections.abc import Callable

from lab.aws.ecs.agenda import Agenda
from lab.rancher.errors import invalid
from lab.rancher.states import Process, processes_of
from lab.rancher.store import Resource, Store

Work = Callable[[Resource], bool | None]
"""Does what a process is for; False = it is not done yet, and whoever finds it done calls finish()."""
Listener = Callable[[Resource], None]
IN_PROGRESS = "In Progress"


class ProcessFailedError(Exception):
    """The work of a process cannot be done; the message is what the resource shows."""


class Processes:
    """Knows which process may start, and moves resources through it."""

    def __init__(self, store: Store, agenda: Agenda, era: Callable[[], str], seconds: Callable[[], float]) -> None:
        self._store = store
        self._agenda = agenda
        self._era = era
        self._seconds = seconds
        self._work: dict[tuple[str, str], Work] = {}
        self._listeners: dict[str, list[Listener]] = {}
        self._then: dict[tuple[str, str], str] = {}

    def on_work(self, base: str, process: str, work: Work, then: str | None = None) -> None:
        """What `process` does to things of this base type, and which process follows."""
        self._work[base, process] = work
        if then:
            self._then[base, process] = then

    def follow(self, base: str, process: str, then: str) -> None:
        self._then[base, process] = then

    def on_change(self, base: str, listener: Listener) -> None:
        """`listener` is told whenever a thing of this base type has come into another state."""
        self._listeners.setdefault(base, []).append(listener)

    def find(self, resource: Resource, name: str) -> Process | None:
        """The process of this name, if the resource's state lets it start."""
        process = processes_of(resource.base, self._era()).get(name)
        return process if process is not None and resource.state in process.starts else None

    def start(self, resource: Resource, name: str, seconds: float | None = None) -> None:
        process = self.find(resource, name)
        if process is None:
            raise invalid("ActionNotAvailable", "action", f"{name} is not possible while {resource.state}")
        resource.state = process.starts[resource.state]
        resource.process, resource.message, resource.error = name, IN_PROGRESS, None
        self._tell(resource)
        pause = self._seconds() if seconds is None else seconds
        self._agenda.after(pause, lambda: self._run(resource, name))

    def _run(self, resource: Resource, name: str) -> None:
        if resource.process != name:
            return  # another process has overtaken it
        work = self._work.get((resource.base, name))
        try:
            done = work(resource) if work else None
        except ProcessFailedError as failure:
            self.fail(resource, str(failure))
            return
        if done is not False:
            self.finish(resource, name)

    def finish(self, resource: Resource, name: str) -> None:
        """The work is done."""
        if resource.process != name:
            return
        process = processes_of(resource.base, self._era())[name]
        resource.state = process.ends[resource.state]
        resource.process = resource.message = None
        if resource.state == "removed":
            resource.fields.update(self._store.stamp("removed"))
        self._tell(resource)
        then = self._then.get((resource.base, name))
        if then and self.find(resource, then):
            self.start(resource, then)

    def fail(self, resource: Resource, message: str) -> None:
        """The process has failed: the resource goes to `error` where its type has that, and says why."""
        resource.process = None
        process = self.find(resource, "error")
        if process is not None:
            resource.state = process.ends[process.starts[resource.state]]
        resource.message = resource.error = message
        self._tell(resource)

    def _tell(self, resource: Resource) -> None:
        for listener in self._listeners.get(resource.base, ()):
            listener(resource)
