# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody has put into a cluster: all objects of all kinds, but for what the control plane makes by itself."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.kubernetes.client import Client, Object
from lab.world import Item

_KINDS = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_COME_AND_GO = {
    "bindings", "controllerrevisions", "csinodes", "csistoragecapacities", "endpoints", "endpointslices", "events",
    "leases", "nodes", "volumeattachments",
}  # fmt: skip
"""What controllers write down for themselves; nodes are instances, and counted as such."""
_IN_EVERY_NAMESPACE = {("serviceaccounts", "default"), ("configmaps", "kube-root-ca.crt")}
_BOOTSTRAP_TOKEN = "bootstrap-token-"


@dataclass
class Inventory:
    """Of one cluster. What is there when it is made is what kubeadm made, and does not count."""

    client: Client
    _given: frozenset[str] = field(default=frozenset(), init=False)

    def __post_init__(self) -> None:
        self._given = frozenset(item.id for item in self.items())

    def items(self) -> Iterator[Item]:
        """Kind and name, labels as tags; of a Secret also a digest of what it keeps, which nobody can turn back."""
        secrets = {one["metadata"]["uid"]: one for one in self.client.get("/api/v1/secrets")["items"]}
        for path, kind in self._kinds():
            for one in self.client.request("GET", path, accept=_METADATA)["items"] or ():
                metadata = one["metadata"]
                if metadata["uid"] in self._given or _is_by_itself(kind, metadata):
                    continue
                tags = dict(metadata.get("labels") or {})
                if metadata["uid"] in secrets:
                    tags["lab.invalid/digest"] = _digest(secrets[metadata["uid"]])
                name = "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
                yield Item(f"kubernetes-{kind}", metadata["uid"], name, tags)

    def _kinds(self) -> Iterator[tuple[str, str]]:
        """(path of the list, plural) of all that can be listed and deleted, in the version that its group prefers."""
        for root in ("/api", "/apis"):
            for group in self.client.request("GET", root, accept=_KINDS)["items"]:
                name = group["metadata"].get("name", "")
                version = group["versions"][0]
                base = f"/apis/{name}/{version['version']}" if name else f"/api/{version['version']}"
                for resource in version["resources"]:
                    if {"list", "delete"} <= {*resource["verbs"]} and resource["resource"] not in _COME_AND_GO:
                        yield f"{base}/{resource['resource']}", resource["resource"]


def _is_by_itself(kind: str, metadata: Mapping[str, Any]) -> bool:
    """Did a controller make it, for another object or because each namespace has one?"""
    name = metadata["name"]
    return (
        any(owner.get("controller") for owner in metadata.get("ownerReferences") or ())
        or (kind, name) in _IN_EVERY_NAMESPACE
        or (kind == "secrets" and name.startswith(_BOOTSTRAP_TOKEN))
    )


def _digest(secret: Object) -> str:
    content = hashlib.sha256()
    for name, value in sorted((secret.get("data") or {}).items()):
        content.update(name.encode() + b"\0" + base64.b64decode(value) + b"\0")
    return content.hexdigest()[:16]
