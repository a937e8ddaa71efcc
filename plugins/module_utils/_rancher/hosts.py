# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of an environment: made by a machine driver of the server, labelled, and really removed. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any, cast

from .._errors import ConflictError
from .._ownership import Mark
from .._plan import Live, Rule, Spec, Step
from .._wait import wait_until
from .api import Object
from .dialect import DIALECTS
from .environments import Run
from .host_options import HostOptions
from .host_removal import remove_host
from .host_view import HostView, read_hosts
from .names import number_of
from .ready import describe, failure_of

HOST = "host"
SETTING = "setting"
SWITCHED = {"activate": "active", "deactivate": "inactive"}
API_HOST = "api.host"  # the address that agents are told to register at
HOST_GRAPH: Mapping[str, tuple[str, ...]] = {
    SETTING: (),
    "registration_token": (SETTING,),
    "failed_host": (SETTING,),
    HOST: (SETTING,),
}
HOST_RULES = {HOST: Rule(immutable=frozenset({"driver", "config"}), subset=frozenset({"labels", "config"}))}


def host_mark(run: Run) -> Mark:
    """Whose the hosts of an environment are."""
    return run.mark()


def host_key(name: str) -> str:
    """The key of a host in a plan."""
    return f"host/{name}"


def live_host(view: HostView, driver: str) -> Live:
    """A host as it is."""
    spec = {
        "driver": view.driver or driver,
        "labels": view.labels,
        "active": view.is_active,
        "config": view.config(driver),
    }
    return Live(host_key(view.name), HOST, view.name, view.id, spec, {"view": view})


class Hosts:
    """Hosts that a machine driver makes, and what is left of those that it could not make.

    Args:
        config: the driver's settings, complete, secrets among them.
    """

    def __init__(self, run: Run, options: HostOptions, config: Mapping[str, Any]) -> None:
        self._run = run
        self._options = options
        self._config = config

    def create(self, step: Step, spec: Spec) -> Live:
        """Names of machines are not unique: a second one of the same name would be a second bill.

        So after a lost answer the host is looked for among hosts and machines before it is asked for again. And of two
        runs that ask for it at the same moment, each sees what was made before its own: the later one gives in.
        """
        run, options = self._run, self._options
        dialect = DIALECTS[run.rancher.version]
        body: dict[str, Any] = {
            dialect.host_name: step.name,
            f"{options.driver}Config": dict(self._config),
            "labels": dict(spec["labels"]),
            **options.engine,
        }
        made = run.rancher.create(run.path(dialect.hosts), body, lambda: self._named(step.name), doing=step.sentence)
        mine = self._live(step.name, made)
        first = self._named(step.name)
        if first is None or first["id"] == made["id"]:
            return mine
        self.delete(step, mine)
        return self._live(step.name, first)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        """Its labels, where those that others have set stay, and whether new containers may be put on it."""
        view: HostView = live.attributes["view"]
        host = view.host or self._registered(step)
        differing = {one.field for one in step.differences}
        if "labels" in differing:
            labels = {**(host.get("labels") or {}), **spec["labels"]}
            host = self._run.rancher.update(host, {"labels": labels}, doing=step.sentence)
        if "active" in differing:
            host = self._switched(host, step, "activate" if spec["active"] else "deactivate")
        return live_host(HostView(view.name, host, view.machine), self._options.driver)

    def delete(self, step: Step, live: Live) -> None:
        """With all that is in it, and its machine."""
        remove_host(self._run, live.attributes["view"], doing=step.sentence)

    def _switched(self, host: Object, step: Step, action: str) -> Object:
        """A host offers the action once it has come to rest."""
        rancher = self._run.rancher

        def look() -> Object:
            found = rancher.get(host["links"]["self"], doing=step.sentence)
            with suppress(ConflictError):  # it has moved on since the look: the next one tells where it is
                if action in (found.get("actions") or {}):
                    return rancher.act(found, action, doing=step.sentence)
            if found.get("state") != SWITCHED[action]:
                rancher.require_action(found, action, doing=step.sentence)
            return found

        return wait_until(
            look,
            ready=lambda found: found.get("state") == SWITCHED[action],
            failed=failure_of,
            describe=describe,
            deadline=self._run.deadline,
            doing=step.sentence,
            pace=self._run.pace,
        )

    def _named(self, name: str) -> Object | None:
        """The first that was made of ours with the name; in /v1, its machine."""
        mark = host_mark(self._run)
        found = [
            view.machine or view.host
            for view in read_hosts(self._run)
            if view.name == name and mark.owns(view.labels) and not view.is_going
        ]
        return min((one for one in found if one), key=lambda one: number_of(one["id"]), default=None)

    def _live(self, name: str, made: Object) -> Live:
        """A host that was just made; in /v1, its machine."""
        view = HostView(name, None, made) if self._run.rancher.is_v1 else HostView(name, made)
        return live_host(view, self._options.driver)

    def _registered(self, step: Step) -> Object:
        """The host that a machine becomes: only then are there labels to change."""
        found = wait_until(
            partial(_find_view, self._run, step.name),
            ready=lambda view: view is not None and view.host is not None,
            failed=lambda view: view.failure if view else f"host {step.name} was removed",
            describe=lambda view: view.describe() if view else "gone",
            hint="One that never joins may not reach the server at its setting api.host.",
            deadline=self._run.deadline,
            doing=step.sentence,
            pace=self._run.pace,
        )
        return cast("HostView", found).host or {}


def _find_view(run: Run, name: str) -> HostView | None:
    return next((view for view in read_hosts(run) if view.name == name), None)


class Settings:
    """Settings of the server."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, step: Step, spec: Spec) -> Live:
        return self._set(step, spec)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        return self._set(step, {**live.spec, **spec})

    def delete(self, step: Step, live: Live) -> None:
        """A setting cannot go; without a value it is as good as gone."""
        self._set(step, {**live.spec, "value": ""})

    def _set(self, step: Step, spec: Spec) -> Live:
        rancher = self._run.rancher
        setting = {"links": {"self": rancher.path("settings", step.name)}}
        rancher.update(setting, {"value": spec["value"]}, doing=step.sentence)
        return live_setting(step.name, spec["value"])


def live_setting(name: str, value: str) -> Live:
    """A setting as it is."""
    return Live(f"setting/{name}", SETTING, name, name, {"value": value})
