# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Telling services that have failed from those that Rancher tries again. PRIVATE."""

from __future__ import annotations

from .._clock import Clock
from .ready import Thing, failure_of, is_retried, removal_of

# Rancher tries a container again within seconds, and waits up to a minute for an address or an agent's answer: what
# still fails after two such rounds, is no hiccup
RETRIED_SECONDS = 120.0


class Patience:
    """How long each service has said that it fails, over the looks of one wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: dict[str, float] = {}

    def failure(self, thing: Thing) -> str | None:
        """Why the server gave up, or None; what it tries again has failed only if that lasts."""
        reason = failure_of(thing)
        if reason is None:
            self._since.pop(str(thing.get("id")), None)
            return None
        if not is_retried(thing):
            return reason
        now = self._clock.now()
        since = self._since.setdefault(str(thing.get("id")), now)
        return reason if now - since >= RETRIED_SECONDS else None

    def why_never_ready(self, *things: Thing) -> str | None:
        """Why one of them can never become ready, or None: it failed, or is being removed by somebody else."""
        # each is looked at, as each has a time of its own
        return next(iter([reason for one in things if (reason := removal_of(one) or self.failure(one))]), None)
