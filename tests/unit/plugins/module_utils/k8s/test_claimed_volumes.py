# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which volumes are waited for once claims are deleted."""

from __future__ import annotations

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._k8s.claimed_volumes import claims_of, goes_with

CLAIM = {"namespace": "shop", "name": "wordpress-site"}


@pytest.mark.parametrize(
    ("policy", "claim", "expected"),
    [
        ("Delete", CLAIM, True),
        ("Retain", CLAIM, False),
        ("Delete", {**CLAIM, "namespace": "other"}, False),
        ("Delete", {**CLAIM, "name": "wordpress-database"}, False),
        ("Delete", None, False),
    ],
)
def test_only_volumes_that_go_with_their_claim(policy: str, claim: dict[str, str] | None, expected: bool) -> None:
    volume = {"spec": {"persistentVolumeReclaimPolicy": policy, **({"claimRef": claim} if claim else {})}}
    assert goes_with(volume, [("shop", "wordpress-site")]) is expected


def test_with_a_namespace_go_all_its_claims() -> None:
    doomed = [
        {"kind": "Namespace", "metadata": {"name": "shop"}},
        {"kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "other"}},
        {"kind": "Secret", "metadata": {"name": "keys", "namespace": "third"}},
    ]
    claims = claims_of(doomed)
    assert claims == {("shop", ""), ("other", "data")}
    spec = {"persistentVolumeReclaimPolicy": "Delete"}
    assert goes_with({"spec": {**spec, "claimRef": CLAIM}}, claims)
    assert not goes_with({"spec": {**spec, "claimRef": {**CLAIM, "namespace": "other"}}}, claims)
