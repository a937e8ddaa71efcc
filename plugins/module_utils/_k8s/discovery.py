# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that a cluster has to offer: where there may be objects of an owner that nobody has named. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .api import Api
from .kinds import Kind
from .object_set import Place

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


def all_places(api: Api, namespaces: Iterable[str] = ("",)) -> list[Place]:
    """Every kind that the cluster can list and delete: two requests, whatever it has installed."""
    kinds = [
        kind
        for root in ("/api", "/apis")
        for kind in _discovered(api.call("GET", root, accept=_AGGREGATED, doing="look up what the cluster knows"))
    ]
    return [(kind, place) for kind in kinds for place in (namespaces if kind.namespaced else ("",))]


def _discovered(answer: Mapping[str, Any]) -> Iterable[Kind]:
    for group in answer.get("items") or ():
        name = (group.get("metadata") or {}).get("name", "")
        taken: set[str] = set()
        for version in group.get("versions") or ():  # the preferred one comes first
            api_version = f"{name}/{version['version']}" if name else version["version"]
            for one in version.get("resources") or ():
                kind = (one.get("responseKind") or {}).get("kind", "")
                if kind and kind not in taken and {"list", "delete"} <= {*one.get("verbs", ())}:
                    taken.add(kind)
                    yield Kind(api_version, kind, one["resource"], one.get("scope") == "Namespaced")
