# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing a droplet that exists: its tags, and whether it is powered on. PRIVATE."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from .._errors import BusyError, SchedulersError
from .._plan import Live, Spec, Step
from .._retry import Effect
from .._wait import wait_until
from .droplets import read_droplet
from .run import Run
from .tag import ensure_tag


class DropletHandler:
    """Updates single droplets; they are made and removed in batches."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, step: Step, spec: Spec) -> Live:
        raise NotImplementedError("droplets are made in batches")

    def delete(self, step: Step, live: Live) -> None:
        raise NotImplementedError("droplets are removed in batches")

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        fields = {one.field for one in step.differences}
        if "tags" in fields:
            for tag in spec["tags"]:
                if tag not in live.spec["tags"]:
                    self._tag(tag, live)
        if "status" in fields:
            self._power_on(step, live)
        return read_droplet(self._run.api, int(live.id)).to_live(live.key)

    def _tag(self, tag: str, live: Live) -> None:
        known = ensure_tag(self._run.api, tag)
        body = {"resources": [{"resource_id": live.id, "resource_type": "droplet"}]}
        doing = f"tag droplet {live.name} with {tag}"
        self._run.api.call("POST", f"tags/{known}/resources", body=body, doing=doing, effect=Effect.IDEMPOTENT)

    def _power_on(self, step: Step, live: Live) -> None:
        if live.spec["status"] != "off":
            raise SchedulersError(
                f"its status is {live.spec['status']}", doing=step.sentence, hint="It cannot be powered on as it is."
            )
        path, doing = f"droplets/{live.id}/actions", f"power on droplet {live.name}"
        asked: list[Any] = []

        def look() -> str:
            """What became of it. As long as something else is going on, it may be that an earlier run has asked."""
            if asked:
                return str(self._run.api.get(f"{path}/{asked[0]}", doing=doing)["action"]["status"])
            if read_droplet(self._run.api, int(live.id)).status == "active":
                return "completed"
            with suppress(BusyError):
                asked.append(self._run.api.call("POST", path, body={"type": "power_on"}, doing=doing)["action"]["id"])
            return "in-progress"

        wait_until(
            look,
            ready=lambda status: status == "completed",
            failed=lambda status: "DigitalOcean could not do it" if status == "errored" else None,
            deadline=self._run.deadline,
            doing=doing,
            pace=self._run.pace,
        )
