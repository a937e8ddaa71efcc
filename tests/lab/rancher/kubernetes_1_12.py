# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Rancher 1.6 brings: Kubernetes 1.12, as far as it answers other than the control plane of today behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from lab.messages import Answer, Request, json_answer

_VERSION = {"major": "1", "minor": "12", "gitVersion": "v1.12.10", "gitTreeState": "clean", "platform": "linux/amd64"}
SERVED = {
    "admissionregistration.k8s.io": ("v1beta1",),
    "apiextensions.k8s.io": ("v1beta1",),
    "apiregistration.k8s.io": ("v1", "v1beta1"),
    "apps": ("v1", "v1beta1", "v1beta2"),
    "authentication.k8s.io": ("v1", "v1beta1"),
    "authorization.k8s.io": ("v1", "v1beta1"),
    "autoscaling": ("v1", "v2beta1", "v2beta2"),
    "batch": ("v1", "v1beta1"),
    "certificates.k8s.io": ("v1beta1",),
    "coordination.k8s.io": ("v1beta1",),
    "events.k8s.io": ("v1beta1",),
    "extensions": ("v1beta1",),
    "networking.k8s.io": ("v1",),
    "policy": ("v1beta1",),
    "rbac.authorization.k8s.io": ("v1", "v1beta1"),
    "scheduling.k8s.io": ("v1beta1",),
    "storage.k8s.io": ("v1", "v1beta1"),
}
"""Groups with their versions. Of these there are those that the server behind has, too."""
_NEWER = ("/livez", "/readyz")
_APPLY = "application/apply-patch+yaml"


def answer(request: Request, path: str, get: Callable[[str], Any]) -> Answer | None:
    """Its answer; None where the server behind gives the same.

    Args:
        get: asks the server behind.
    """
    root, *below = path.strip("/").split("/")
    if path == "/version":
        return json_answer(_VERSION)
    if path in _NEWER or (root == "apis" and not _is_served(*below[:2])):
        return Answer(404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})
    if root in ("api", "apis") and not below:  # always a list of groups: all at once came later
        return json_answer(_without_newer(get(path)))
    if root == "apis" and len(below) == 1:
        return json_answer(_group(get(path)))
    return _refusal(request)


def _is_served(group: str = "", version: str = "") -> bool:
    return not group or (group in SERVED and (not version or version in SERVED[group]))


def _without_newer(groups: dict[str, Any]) -> dict[str, Any]:
    """A list of groups; that of the core has none."""
    known = [_group(one) for one in groups.get("groups", ())]
    return {**groups, **({"groups": [one for one in known if one["versions"]]} if "groups" in groups else {})}


def _group(group: dict[str, Any]) -> dict[str, Any]:
    versions = [one for one in group["versions"] if _is_served(group["name"], one["version"])]
    return {**group, "versions": versions, "preferredVersion": next(iter(versions), None)}


def _refusal(request: Request) -> Answer | None:
    """Of an apply, by its router, which looks at the type of the body; of a dry run, an alpha feature that is off."""
    if request.method == "PATCH" and request.headers.get("content-type", "").partition(";")[0] == _APPLY:
        return _status(415, "UnsupportedMediaType", "415: Unsupported Media Type")
    if request.method in ("POST", "PUT", "PATCH", "DELETE") and "dryRun" in parse_qs(request.query):
        return _status(400, "BadRequest", "the dryRun alpha feature is disabled")
    return None


def _status(code: int, reason: str, message: str) -> Answer:
    said = {"status": "Failure", "message": message, "reason": reason, "details": {}, "code": code}
    return json_answer({"kind": "Status", "apiVersion": "v1", "metadata": {}, **said}, code)
