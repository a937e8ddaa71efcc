# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The volumes of claims that are gone: their driver deletes them later, and is paid for until then. PRIVATE."""

from __future__ import annotations

from collections.abc import Collection

from .._errors import AuthError
from .api import FORBIDDEN, Object
from .kinds import VOLUME
from .run import Run
from .waiting import wait_gone

Claim = tuple[str, str]  # namespace and name


def wait_until_deleted(run: Run, claims: Collection[Claim]) -> None:
    """Wait until no volume of these claims is left that goes with its claim; if the cluster goes first, it stays.

    Raises:
        WaitTimeoutError: one is still there.
    """
    try:
        volumes = run.api.list(VOLUME).items
    except AuthError as error:  # volumes are in no namespace: not everybody may see them
        if error.code != FORBIDDEN:
            raise
        return
    wait_gone(run, [(VOLUME, one) for one in volumes if goes_with(one, claims)])


def goes_with(volume: Object, claims: Collection[Claim]) -> bool:
    """Whether a volume belongs to one of the claims, and is deleted with it. Pure."""
    spec = volume["spec"]
    claim = spec.get("claimRef") or {}
    return (
        spec.get("persistentVolumeReclaimPolicy") == "Delete" and (claim.get("namespace"), claim.get("name")) in claims
    )
