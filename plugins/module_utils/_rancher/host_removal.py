# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts on their way out, with the machines that they run on.

A host that is still being made cannot simply be deleted. Rancher forgets a machine whose driver is at work: what that
has asked the cloud for then stays there, and is billed. And an agent that was just started makes a host again. So
driver and agent are let finish first.

And deleting a host kills what runs on it. Newer servers can evacuate it first: containers are stopped in good order,
and services start new ones on other hosts. PRIVATE.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from .._clock import Deadline
from .._errors import ConflictError
from .._retry import Effect
from .._wait import wait_until
from .api import Object
from .environments import Run
from .host_view import READY_AGENT, HostView, read_hosts
from .ready import describe
from .removal import remove

IN_THE_MAKING = ("requested", "creating", "created", "bootstrapping")
JOINING_SECONDS = 60.0  # an agent that has not reported by then may never do
EVACUATING_SECONDS = 300.0  # what has not ended by then ends with its host
RUNNING_STATES = frozenset({"starting", "running", "updating-running", "restarting", "migrating", "stopping"})


def remove_host(run: Run, view: HostView, *, doing: str) -> None:
    """Emptied, deactivated, deleted, and looked at until host and machine are gone.

    Rancher refuses to delete an active host; and its machine may be taken down only afterwards.
    """
    machine = _made(run, view, doing)
    grown = _joined(run, view, doing) if view.is_provisioning else view
    if grown.host:
        _evacuate(run, grown.host, doing)
    remove(
        run.rancher,
        [one for one in (grown.host, machine) if one],
        doing=doing,
        deadline=run.deadline,
        pace=run.pace,
        first=("deactivate",),
        hint="Run the task again; what Rancher cannot delete may have to be deleted at the cloud.",
    )


def _made(run: Run, view: HostView, doing: str) -> Object | None:
    """The machine once its driver is done with it, None if there is none (any more)."""
    if not view.machine_id or not view.driver:
        return None
    # /v2-beta does not show machines; the /v1 of the same server does
    link = f"/v1/projects/{run.environment.id}/machines/{view.machine_id}"
    return wait_until(
        partial(run.rancher.find, link, doing=doing),
        ready=lambda machine: machine is None or machine.get("state") not in IN_THE_MAKING,
        describe=lambda machine: describe(machine) if machine else "gone",
        deadline=run.deadline,
        doing=doing,
        hint="It is still being made, and would stay at the cloud. Run the task again.",
        pace=run.pace,
    )


def _joined(run: Run, view: HostView, doing: str) -> HostView:
    """The host once its agent has reported, or without one if that does not come about."""
    patience = Deadline(run.deadline.clock, JOINING_SECONDS)
    seen = wait_until(
        lambda: next((one for one in read_hosts(run) if one.machine_id == view.machine_id), None),
        ready=lambda one: one is None or not one.is_provisioning or patience.passed(),
        deadline=run.deadline,
        doing=doing,
        pace=run.pace,
    )
    return seen or replace(view, host=None)


def _evacuate(run: Run, host: Object, doing: str) -> None:
    """Have what runs on the host leave it, if the server can do that, and the host's agent is there to do it.

    The server answers at once, with a host that is as active as before: only its containers tell how far it is.
    """
    possible = "evacuate" in (host.get("actions") or {}) and host.get("agentState") in READY_AGENT
    if not possible or not _running_on(run, host, doing):
        return
    try:
        run.rancher.act(host, "evacuate", doing=doing, effect=Effect.IDEMPOTENT)
    except ConflictError:  # it has moved on, and is in no state for it any more: then it is just deleted
        return
    patience = Deadline(run.deadline.clock, min(EVACUATING_SECONDS, run.deadline.left() / 2))
    wait_until(
        partial(_running_on, run, host, doing),
        ready=lambda found: not found or patience.passed(),
        describe=lambda found: "; ".join(map(describe, found)),
        deadline=run.deadline,
        doing=doing,
        hint="Run the task again.",
        pace=run.pace,
    )


def _running_on(run: Run, host: Object, doing: str) -> list[Object]:
    """The containers that Rancher has put on the host. Its own stay, and what others have started comes back."""
    found = run.rancher.list(host["links"]["instances"], doing=doing)
    ours = [one for one in found if not any(one.get(sign) for sign in ("system", "systemContainer", "nativeContainer"))]
    return [one for one in ours if one.get("state") in RUNNING_STATES]
