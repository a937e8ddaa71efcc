# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes environments, changes them, and takes them down. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._errors import InputError, NotOursError
from .._plan import Live, Spec, Step
from .._retry import Effect
from .activation import activate
from .api import Object
from .environment_case import EnvironmentCase
from .environment_options import ORCHESTRATIONS
from .ready import why_never_ready
from .removal import remove


class Environments:
    """Environments of a server."""

    def __init__(self, case: EnvironmentCase) -> None:
        self._case = case

    def create(self, step: Step, spec: Spec) -> Live:
        """Names are not unique: of two runs that make it at the same moment, the later one gives in."""
        case = self._case
        body: dict[str, Any] = {"name": step.name, "description": spec["description"], **self._kind(spec)}
        if spec.get("members"):
            body["members"] = _as_sent(spec["members"])
        made = case.rancher.create(case.rancher.path("projects"), body, self._named, doing=step.sentence)
        mine = Live(step.key, step.kind, step.name, made["id"], spec, {"raw": made})
        ours = [one for one in case.all_named() if case.owns(one) and not why_never_ready(one)]
        if not ours or ours[0]["id"] == made["id"]:
            return mine
        self.delete(step, mine)
        return Live(step.key, step.kind, step.name, ours[0]["id"], spec, {"raw": ours[0]})

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        rancher, raw = self._case.rancher, live.attributes["raw"]
        changed = {one.field for one in step.differences}
        if "active" in changed:
            deadline, pace = self._case.deadline, self._case.pace
            raw = activate(rancher, raw, doing=step.sentence, deadline=deadline, pace=pace)
        if "description" in changed:
            raw = rancher.update(raw, {"description": spec["description"]}, doing=step.sentence)
        if "members" in changed:
            members = {"members": _as_sent(spec["members"])}
            rancher.act(raw, "setmembers", members, doing=step.sentence, effect=Effect.IDEMPOTENT)
        return Live(step.key, step.kind, step.name, live.id, spec, {"raw": raw})

    def delete(self, step: Step, live: Live) -> None:
        self.see_off(live.attributes["raw"], doing=step.sentence)

    def see_off(self, raw: Object, *, doing: str) -> None:
        """Deleted, unless it is on its way already, and looked at until it is gone."""
        case, first = self._case, ("deactivate",)
        remove(case.rancher, [raw], doing=doing, deadline=case.deadline, pace=case.pace, first=first)

    def _kind(self, spec: Spec) -> dict[str, Any]:
        """Rancher 1.0 and 1.1 say it by a switch, later ones by a template."""
        rancher, options = self._case.rancher, self._case.options
        orchestration = spec.get("orchestration") or ORCHESTRATIONS[0]
        if rancher.is_v1:
            return {one: one == orchestration for one in ORCHESTRATIONS[1:]}
        wanted = options.template or orchestration
        listed = self._case.templates()
        found = next((one for one in listed if str(one.get("name")).lower() == wanted.lower()), None)
        if found:
            return {"projectTemplateId": found["id"]}
        if wanted == ORCHESTRATIONS[0] and not options.template:
            return {}  # what an environment is without a template
        names = ", ".join(sorted(str(one.get("name")) for one in listed)) or "none"
        raise InputError(f"template: {wanted!r} does not exist; there are: {names}")

    def _named(self) -> Object | None:
        found = self._case.find()
        if found and not self._case.owns(found):
            raise NotOursError(f"environment {self._case.options.name} is somebody else's")
        return found


def _as_sent(members: Mapping[str, str]) -> list[dict[str, str]]:
    sent = []
    for identity, role in members.items():
        kind, _colon, number = identity.partition(":")
        sent.append({"externalIdType": kind, "externalId": number, "role": role})
    return sent
