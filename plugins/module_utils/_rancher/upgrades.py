# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In-service upgrades: begun, waited for, finished or rolled back, and those that an earlier run left half-way.

Services and stacks have the same states and actions for it. Which action leads on is never guessed from the state
alone: Rancher offers an action only while it can be carried out, and ``/v1`` and ``/v2-beta`` offer different ones.
PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from .._clock import Deadline
from .._errors import ConflictError, SchedulersError, StateFailedError, WaitTimeoutError
from .._wait import wait_until
from .api import Object
from .environments import Run
from .patience import Patience
from .ready import describe, is_settled, label_of

Goal = Literal["finish", "rollback"]
Launch = Mapping[str, Any]

UPGRADED = "upgraded"
UPGRADE_STATES = frozenset(
    {
        "upgrading",
        UPGRADED,
        "canceling-upgrade",
        "canceled-upgrade",
        "rolling-back",
        "canceling-rollback",
        "canceled-rollback",
        "finishing-upgrade",
    }
)
# what leads to the goal, the straightest first
LEADING: Mapping[Goal, tuple[str, ...]] = {
    "finish": ("finishupgrade", "continueupgrade"),
    "rollback": ("rollback", "cancelupgrade", "finishupgrade"),
}
# under way to where nobody needs to be asked again, although Rancher would let the way be left
UNDER_WAY = frozenset({"finishing-upgrade", "rolling-back", "canceling-upgrade", "canceling-rollback"})
RESTING = frozenset({UPGRADED, "canceled-upgrade", "canceled-rollback"})  # until somebody is asked to go on
STACK_TYPES = ("stack", "environment")
UPGRADABLE = ("active", "inactive")
ROLLBACK_SECONDS = 300.0


@dataclass(frozen=True)
class UpgradePolicy:
    """How to upgrade.

    Attributes:
        finish: delete the old containers once the new ones are healthy; else that is left to a later run.
        on_failed: what to do with an upgrade that does not succeed.
    """

    batch_size: int = 1
    interval_seconds: float = 2.0
    start_first: bool = False
    finish: bool = True
    on_failed: Literal["rollback", "leave"] = "rollback"

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> UpgradePolicy:
        """As the module's options say."""
        given = {name: value for name, value in (params.get("upgrade") or {}).items() if value is not None}
        return cls(**given, on_failed=params.get("on_failed_upgrade") or "rollback")

    def strategy(self, launch: Launch, secondary: Any) -> dict[str, Any]:
        """The body of a service's upgrade action: always the whole of what its containers are started from."""
        return {
            "inServiceStrategy": {
                "batchSize": self.batch_size,
                "intervalMillis": int(self.interval_seconds * 1000),
                "startFirst": self.start_first,
                "launchConfig": dict(launch),
                "secondaryLaunchConfigs": list(secondary or ()),
            }
        }


@dataclass(frozen=True)
class Settlement:
    """How an upgrade that is under way or done, but not finished, should end.

    Attributes:
        goal: None if there is none, or if it ends by itself.
        launch: the launchConfig that the service has when it has ended.
    """

    goal: Goal | None
    launch: Launch


def settlement(service: Mapping[str, Any], wanted: Callable[[Launch], bool]) -> Settlement:
    """What to do about an upgrade of an earlier run. Pure.

    What leads to what is wanted is taken to its end. What does not is taken back if it still runs, as it may be stuck
    on containers that never get healthy, and finished if it has succeeded.
    """
    launch: Launch = service.get("launchConfig") or {}
    strategy = (service.get("upgrade") or {}).get("inServiceStrategy") or {}
    new: Launch = strategy.get("launchConfig") or launch
    old: Launch = strategy.get("previousLaunchConfig") or launch
    state = service.get("state")
    if state == "upgrading":
        return Settlement("finish", new) if wanted(new) else Settlement("rollback", old)
    if state == UPGRADED:
        back = wanted(old) and not wanted(new)
        return Settlement("rollback", old) if back else Settlement("finish", new)
    if state in ("canceled-upgrade", "canceling-upgrade"):
        return Settlement("rollback", old)
    if state in ("canceled-rollback", "canceling-rollback"):
        return Settlement("finish", launch)
    return Settlement(None, old if state == "rolling-back" else launch)


def next_action(thing: Mapping[str, Any], goal: Goal) -> str | None:
    """What leads on to the goal: an action, the empty string to wait, None if there is no upgrade any more. Pure."""
    if thing.get("state") not in UPGRADE_STATES:
        return None
    if thing["state"] in UNDER_WAY:
        return ""
    offered = thing.get("actions") or {}
    return next((action for action in LEADING[goal] if action in offered), "")


def end_upgrade(run: Run, thing: Object, goal: Goal, *, doing: str, deadline: Deadline | None = None) -> Object:
    """Take an upgrade to its end, from wherever it is.

    Raises:
        SchedulersError: it cannot be, or not in time.
    """

    def step() -> tuple[Object, list[Object]]:
        now = run.rancher.get(thing["links"]["self"], doing=doing)
        behind = _services_behind(run, now, doing=doing) if goal == "rollback" else []
        for one in behind or [now]:
            _lead(run, one, goal, doing=doing)
        return now, behind

    until = deadline or run.deadline
    patience = Patience(until.clock)
    now, _behind = wait_until(
        step,
        ready=lambda seen: not seen[1] and next_action(seen[0], goal) is None,
        failed=lambda seen: patience.failure(seen[0]) if goal == "finish" else None,
        describe=lambda seen: "; ".join(map(describe, [seen[0], *seen[1]])),
        deadline=until,
        doing=doing,
        pace=run.pace,
    )
    return now


def _lead(run: Run, thing: Object, goal: Goal, *, doing: str) -> None:
    action = next_action(thing, goal)
    if action:
        with suppress(ConflictError):  # it has moved on since the look: the next look tells where
            run.rancher.act(thing, action, doing=doing)
    elif thing.get("state") in RESTING:
        run.rancher.require_action(thing, *LEADING[goal], doing=doing)


def _services_behind(run: Run, thing: Object, *, doing: str) -> list[Object]:
    """The services of a stack that have to be rolled back one by one: Rancher's rollback of a stack waits for those
    that still upgrade, which may be for ever, and passes over those whose upgrade was cancelled.

    While the stack itself upgrades, they are left to it: it would upgrade them again.
    """
    if thing.get("type") not in STACK_TYPES or thing.get("state") == "upgrading":
        return []
    services = run.rancher.list(thing["links"]["services"], doing=doing)
    return [one for one in services if one.get("state") in UPGRADE_STATES]


def resume_upgrade(run: Run, thing: Object, goal: Goal, policy: UpgradePolicy, *, doing: str) -> Object:
    """Take an upgrade of an earlier run to its end; one that still runs and does not succeed is one's own.

    Raises:
        SchedulersError: as ``upgrade`` does.
    """
    try:
        return end_upgrade(run, thing, goal, doing=doing)
    except (StateFailedError, WaitTimeoutError) as error:
        if thing["state"] == "upgrading" and goal == "finish" and policy.on_failed == "rollback":
            _roll_back(run, thing, error, doing)
        raise


def _begin(run: Run, thing: Object, body: Mapping[str, Any], *, doing: str) -> Object:
    """Ask for an upgrade once it is offered: not while Rancher puts a container back or restarts, which passes.

    Raises:
        AuthError: it is never offered to this API key.
        SchedulersError: it is not offered in time.
    """
    looks, patience = iter([thing]), Patience(run.deadline.clock)

    def step() -> tuple[Object, bool]:
        """What there is, and whether it was asked."""
        now = next(looks, None) or run.rancher.get(thing["links"]["self"], doing=doing)
        if "upgrade" in (now.get("actions") or {}):
            with suppress(ConflictError):  # it has moved on since the look: the next look tells where
                return run.rancher.act(now, "upgrade", body, doing=doing), True
        elif is_settled(now, UPGRADABLE):
            run.rancher.require_action(now, "upgrade", doing=doing)
        return now, False

    now, _asked = wait_until(
        step,
        ready=lambda seen: seen[1],
        failed=lambda seen: patience.why_never_ready(seen[0]),
        describe=lambda seen: describe(seen[0]),
        deadline=run.deadline,
        doing=doing,
        hint="Rancher upgrades what is active.",
        pace=run.pace,
    )
    return now


def upgrade(run: Run, thing: Object, body: Mapping[str, Any], policy: UpgradePolicy, *, doing: str) -> Object:
    """Upgrade a service or a stack, wait until the new containers are healthy, and finish.

    Raises:
        StateFailedError: it failed; it was rolled back if the policy says so.
        WaitTimeoutError: the same, in time.
    """
    now = _begin(run, thing, body, doing=doing)
    begun = now.get("state") in UPGRADE_STATES

    def has_ended(one: Object) -> bool:
        """Upgraded; or finished by somebody else, once it was seen to have begun."""
        nonlocal begun
        ended = begun and one.get("state") not in UPGRADE_STATES
        begun = begun or one.get("state") in UPGRADE_STATES
        return ended or is_settled(one, (UPGRADED,))

    try:
        now = wait_until(
            lambda: run.rancher.get(thing["links"]["self"], doing=doing),
            ready=has_ended,
            failed=Patience(run.deadline.clock).failure,
            describe=describe,
            deadline=run.deadline,
            doing=doing,
            pace=run.pace,
        )
    except (StateFailedError, WaitTimeoutError) as error:
        if policy.on_failed == "rollback":
            _roll_back(run, now, error, doing)
        raise
    return end_upgrade(run, now, "finish", doing=doing) if policy.finish else now


def refuse_taken_back(thing: Object, *, doing: str) -> NoReturn:
    """An upgrade has ended, and what it should have brought is not there.

    Raises:
        ConflictError: always.
    """
    raise ConflictError(
        f"the upgrade of {label_of(thing)} was taken back, or replaced, by another run",
        doing=doing,
        hint="See who else declares it, then run the task again.",
    )


def _roll_back(run: Run, thing: Object, error: SchedulersError, doing: str) -> None:
    """Back to what ran before; with time of its own, as that of the run may be used up."""
    deadline = Deadline(run.deadline.clock, ROLLBACK_SECONDS)
    label = label_of(thing)
    try:
        end_upgrade(run, thing, "rollback", doing=doing, deadline=deadline)
    except SchedulersError as second:
        error.hint = (
            f"Rolling {label} back failed, too: {second.message}. Run the task again, or look at it in Rancher."
        )
        return
    error.message += f"; {label} was rolled back and runs as before"
    error.details["rolled_back"] = True
