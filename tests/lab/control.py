# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own API under /_lab: reset, faults, journal, clock, settings, inventory."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from lab.faults import Rule, RuleError
from lab.messages import Answer, Request, json_answer
from lab.pipeline import Pipeline

PREFIX = "/_lab"
log = logging.getLogger("lab")


class Control:
    """Answers requests whose path begins with /_lab."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._world = pipeline.world
        self._routes: dict[tuple[str, str], Callable[[Request], object]] = {
            ("GET", "/"): lambda _unused: self._status(),
            ("POST", "/reset"): lambda _unused: self._reset(),
            ("GET", "/faults"): lambda _unused: pipeline.faults.describe(),
            ("POST", "/faults"): self._set_faults,
            ("POST", "/faults/release"): lambda _unused: {"released": pipeline.faults.release()},
            ("GET", "/journal"): lambda request: {"entries": pipeline.journal.entries(**_selection(request))},
            ("DELETE", "/journal"): lambda _unused: self._clear_journal(),
            ("GET", "/stats"): lambda request: pipeline.journal.stats(**_selection(request)),
            ("POST", "/clock"): self._advance,
            ("GET", "/settings"): lambda _unused: self._settings(),
            ("POST", "/settings"): self._change_settings,
            ("GET", "/inventory"): lambda _unused: self._inventory(),
        }

    def answer(self, request: Request) -> Answer:
        path = request.path.removeprefix(PREFIX).rstrip("/") or "/"
        first = path.split("/")[1]
        route = self._routes.get((request.method, path)) or self._world.controls.get((request.method, first))
        if route is None:
            known = sorted(f"{method} {PREFIX}{path}" for method, path in self._routes)
            return json_answer({"error": f"no such control: {request.method} {request.path}", "controls": known}, 404)
        try:
            return json_answer(route(request))
        except (RuleError, ValueError, TypeError) as error:
            return json_answer({"error": str(error)}, 400)
        except Exception as error:
            log.exception("%s %s failed", request.method, request.path)
            return json_answer({"error": f"the lab is broken: {error!r}"}, 500)

    def _status(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "what": "a simulation of AWS, DigitalOcean and Rancher for tests; nothing here exists or costs money",
            "account": self._world.account,
            "addresses": self._world.addresses,
            "warnings": self._world.warnings,
            "clock": self._world.clock.now(),
            "requests": self._pipeline.journal.stats()["requests"],
        }

    def _reset(self) -> dict[str, Any]:
        self._pipeline.faults.release(drop=True)
        with self._world.lock:
            self._world.reset()
            self._pipeline.reset()
        return {"reset": True}

    def _set_faults(self, request: Request) -> dict[str, Any]:
        document = _json(request)
        self._pipeline.faults.replace(
            [Rule.parse(rule) for rule in (document if isinstance(document, list) else [document])]
        )
        return self._pipeline.faults.describe()

    def _clear_journal(self) -> dict[str, Any]:
        self._pipeline.journal.clear()
        return {"cleared": True}

    def _advance(self, request: Request) -> dict[str, Any]:
        """{"advance": seconds, "steps": n}: in n steps, so that what follows on something gets its turn."""
        document = _json(request)
        seconds, steps = float(document["advance"]), int(document.get("steps", 1))
        for _unused in range(steps):
            with self._world.lock:
                self._world.clock.advance(seconds / steps)
                self._world.step()
        return {"now": self._world.clock.now()}

    def _settings(self) -> dict[str, Any]:
        return {name: str(value) if name == "scratch" else value for name, value in vars(self._world.settings).items()}

    def _change_settings(self, request: Request) -> dict[str, Any]:
        with self._world.lock:
            self._world.settings = self._world.settings.changed(_json(request))
        return self._settings()

    def _inventory(self) -> dict[str, Any]:
        items = [dataclasses.asdict(item) for item in self._world.inventory()]
        counts: dict[str, int] = {}
        for item in items:
            counts[item["kind"]] = counts.get(item["kind"], 0) + 1
        return {"count": len(items), "by_kind": dict(sorted(counts.items())), "items": items}


def _json(request: Request) -> Any:
    try:
        return json.loads(request.body or b"{}")
    except ValueError as error:
        raise ValueError(f"the body is not JSON: {error}") from error


def _selection(request: Request) -> dict[str, Any]:
    query = dict(parse_qsl(request.query))
    return {"since": int(query.get("since", 0)), "agent": query.get("agent", "")}
