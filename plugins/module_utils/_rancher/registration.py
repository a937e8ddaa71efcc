# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command with which a machine joins an environment. Its token lets anything join, so it is a secret. PRIVATE."""

from __future__ import annotations

from typing import Any

from .._errors import NotFoundError
from .._plan import Live, Spec, Step, Wanted
from .._wait import wait_until
from .api import Object
from .environments import Run
from .errors import denied
from .ready import describe, why_never_ready

TOKEN = "registration_token"  # noqa: S105 - key and kind in a plan


def wanted_token(run: Run) -> Wanted:
    """The token of the environment: one serves any number of hosts."""
    return Wanted(TOKEN, TOKEN, run.environment.name, {})


def read_token(run: Run) -> Live | None:
    """The token that is there.

    Raises:
        AuthError: the API key is that of a member whom Rancher shows none.
    """
    doing = f"look for the registration token of environment {run.environment.name}"
    try:
        found = run.rancher.list(run.path("registrationtokens"), {"state": "active"}, doing=doing)
    except NotFoundError as error:
        if run.rancher.schema("registrationToken", project=run.environment.id):
            raise
        raise denied("Rancher shows it no registration tokens", error.code, doing=doing) from error
    return live_token(run, found[0]) if found else None


def live_token(run: Run, token: Object) -> Live:
    """A token as it is."""
    told = {"command": token.get("command"), "image": token.get("image"), "url": token.get("registrationUrl")}
    return Live(TOKEN, TOKEN, run.environment.name, token["id"], {}, {"told": told})


def registration(live: Live | None) -> dict[str, Any] | None:
    """What a machine has to run to join."""
    return live.attributes["told"] if live else None


class RegistrationTokens:
    """Registration tokens of an environment."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, step: Step, spec: Spec) -> Live:
        """Ready once Rancher has put the command together."""
        run, path = self._run, self._run.path("registrationtokens")

        def any_token() -> Object | None:
            found = run.rancher.list(path, doing=step.sentence)
            return found[0] if found else None

        made = run.rancher.create(path, dict(spec), any_token, doing=step.sentence)
        ready = wait_until(
            lambda: run.rancher.get(made["links"]["self"], doing=step.sentence),
            ready=lambda token: token.get("state") == "active" and bool(token.get("command")),
            failed=why_never_ready,
            describe=describe,
            deadline=run.deadline,
            doing=step.sentence,
            pace=run.pace,
        )
        return live_token(run, ready)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        """A token has nothing that could be changed."""
        del step, spec
        return live

    def delete(self, step: Step, live: Live) -> None:
        raise ValueError(f"{step.sentence}: other hosts may still need {live.id}")
