# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stacks: made empty for a list of services, or from the files of a user or a catalog template. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._compare import differences
from .._errors import BusyError
from .._ownership import require_ours
from .._plan import Live, Rule, Spec, Step
from .._wait import wait_for
from .api import Object
from .compose import comparable
from .dialect import DIALECTS
from .environments import Run
from .marks import tags_of
from .ready import is_going
from .removal import remove
from .stack_content import Content
from .upgrades import UPGRADE_STATES, UPGRADED, UpgradePolicy, refuse_taken_back, resume_upgrade, upgrade
from .veil import Veil

STACK = "stack"  # key and kind in a plan, and part in the mark
STACK_RULE = Rule(immutable=frozenset({"system"}), subset=frozenset())
GOING_BACK = ("canceled-upgrade", "canceling-upgrade", "rolling-back")
CONTENT_FIELDS = frozenset({"docker_compose", "rancher_compose", "answers", "template"})


def live_stack(stack: Object, veil: Veil, content: Content | None, *, finish: bool = True) -> Live:
    """A stack of the API, with its content as that which it is compared with."""
    hidden = content.secret_names if content else frozenset()
    left = stack.get("state") in UPGRADE_STATES and (finish or stack["state"] != UPGRADED)
    spec = {
        "description": stack.get("description") or "",
        "system": bool(stack.get("system")),
        "template": stack.get("externalId") or "",
        "docker_compose": comparable("docker_compose", stack.get("dockerCompose"), veil, hidden),
        "rancher_compose": comparable("rancher_compose", stack.get("rancherCompose"), veil, hidden),
        "answers": veil.hide_some({name: str(one) for name, one in (stack.get("environment") or {}).items()}, hidden),
        "upgrade": str(stack["state"]) if left else "none",
    }
    return Live(STACK, STACK, stack["name"], stack["id"], spec, {"raw": stack})


class Stacks:
    """The stack of a run.

    Args:
        content: what it is made from, None for one that is only a name for services.
    """

    def __init__(self, run: Run, policy: UpgradePolicy, veil: Veil, content: Content | None) -> None:
        self._run = run
        self._policy = policy
        self._veil = veil
        self._content = content

    def create(self, step: Step, spec: Spec) -> Live:
        """A name is taken until the stack before it is gone, so this may have to wait."""
        run, doing = self._run, step.sentence
        body: dict[str, Any] = {
            "name": step.name,
            "description": spec["description"],
            "startOnCreate": True,
            **(self._content.body() if self._content else {}),
        }
        if spec.get("system") and not run.rancher.is_v1:
            body["system"] = True
        collection = DIALECTS[run.rancher.version].stacks

        def attempt() -> Object | None:
            try:
                return run.rancher.create(run.path(collection), body, lambda: self._named(step), doing=doing)
            except BusyError:
                return None

        made = wait_for(
            attempt,
            missing="the stack of this name that was deleted is still being removed",
            deadline=run.deadline,
            doing=doing,
            pace=run.pace,
        )
        return self._live(made)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        run, doing = self._run, step.sentence
        changed = {one.field for one in step.differences}
        stack: Object = live.attributes["raw"]
        if changed & (CONTENT_FIELDS | {"upgrade"}):
            stack = self._at_rest(stack, doing, again=bool(changed & CONTENT_FIELDS))
        if self._content and self._differs(stack, spec):
            stack = upgrade(run, stack, self._content.body(), self._policy, doing=doing)
            if self._differs(stack, spec):
                refuse_taken_back(stack, doing=doing)
        if "description" in changed:
            stack = run.rancher.update(stack, {"description": spec["description"]}, doing=doing)
        return self._live(stack)

    def delete(self, step: Step, live: Live) -> None:
        """Its services and their containers go with it; named volumes stay."""
        run = self._run
        remove(run.rancher, [live.attributes["raw"]], doing=step.sentence, deadline=run.deadline, pace=run.pace)

    def _at_rest(self, stack: Object, doing: str, *, again: bool) -> Object:
        """Out of an upgrade of an earlier run: back, if that one still runs and leads elsewhere, else to its end."""
        if stack["state"] not in UPGRADE_STATES:
            return stack
        back = stack["state"] in GOING_BACK or (again and stack["state"] == "upgrading")
        return resume_upgrade(self._run, stack, "rollback" if back else "finish", self._policy, doing=doing)

    def _differs(self, stack: Object, spec: Spec) -> bool:
        """Whether it is made from something else: after an upgrade was taken back it is, whatever was seen before."""
        wanted = {name: spec[name] for name in CONTENT_FIELDS}
        return bool(differences(wanted, self._live(stack).spec, subset=STACK_RULE.subset))

    def _named(self, step: Step) -> Object | None:
        run = self._run
        for one in find_stacks(run, step.name, doing=step.sentence):
            if is_going(one):
                raise BusyError("it is being removed")
            require_ours(run.mark(step.name), tags_of(one.get("description")), step.label)
            return one
        return None

    def _live(self, stack: Object) -> Live:
        return live_stack(stack, self._veil, self._content, finish=self._policy.finish)


def find_stacks(run: Run, name: str, *, doing: str) -> list[Object]:
    """The stacks of a name; Rancher sees to it that there is one at most."""
    found = run.rancher.list(run.path(DIALECTS[run.rancher.version].stacks), {"name": name}, doing=doing)
    return [one for one in found if one.get("name") == name]


def stack_id_of(service: Mapping[str, Any]) -> str:
    """The stack that a service belongs to. Pure."""
    return str(service.get("stackId") or service.get("environmentId") or "")
