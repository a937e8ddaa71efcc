# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The volumes of claims that are gone: their driver deletes them later, and is paid for until then. PRIVATE."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from .._errors import AuthError
from .api import FORBIDDEN, Object
from .kinds import NAMESPACE, VOLUME, VOLUME_CLAIM
from .objects import name_of, namespace_of
from .run import Run
from .waiting import wait_gone

Claim = tuple[str, str]  # namespace and name, which is empty for all claims of the namespace


def claims_of(things: Iterable[Mapping[str, Any]]) -> set[Claim]:
    """The claims that go when these objects go. Pure."""
    given = list(things)
    claims = {(namespace_of(one), name_of(one)) for one in given if one["kind"] == VOLUME_CLAIM.kind}
    return claims | {(name_of(one), "") for one in given if one["kind"] == NAMESPACE.kind}


def wait_until_deleted(run: Run, claims: Collection[Claim], *, just_now: bool) -> None:
    """Wait until no volume of these claims is left that goes with its claim; if the cluster goes first, it stays.

    Args:
        just_now: claims were deleted by this run; else it may have been an earlier one, that was killed.

    Raises:
        WaitTimeoutError: one is still there.
    """
    if not claims:
        return
    try:
        volumes = run.api.list(VOLUME).items
    except AuthError as error:  # volumes are in no namespace: not everybody may see them
        if error.code != FORBIDDEN:
            raise
        if just_now:
            run.warn(f"The claims are deleted, and it is not waited until their volumes are: {error.message}")
        return
    wait_gone(run, [(VOLUME, one) for one in volumes if goes_with(one, claims)])


def goes_with(volume: Object, claims: Collection[Claim]) -> bool:
    """Whether a volume belongs to one of the claims, and is deleted with it. Pure."""
    spec = volume["spec"]
    claim = spec.get("claimRef") or {}
    meant = {(claim.get("namespace"), claim.get("name")), (claim.get("namespace"), "")}
    return spec.get("persistentVolumeReclaimPolicy") == "Delete" and not meant.isdisjoint(claims)
