# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of a cluster as plain data: their names, what of them is worth showing, and secret. Pure. PRIVATE."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._compare import Difference, differences
from .._redact import HIDDEN

Object = Mapping[str, Any]

# what the server writes into every object, and nobody declares
NOISE = frozenset({"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"})
NOISY_ANNOTATIONS = frozenset({"kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision"})
SECRET_FIELDS = ("data", "stringData")
TEMPLATE_HASH = "pod-template-hash"  # a label that the Deployment controller gives
FINISHED = frozenset({"Succeeded", "Failed"})  # phases of a pod that takes no room any more


def name_of(thing: Object) -> str:
    """The name."""
    return str(thing["metadata"]["name"])


def namespace_of(thing: Object) -> str:
    """The namespace, empty for what lives in none."""
    return str(thing["metadata"].get("namespace") or "")


def labels_of(thing: Object) -> Mapping[str, str]:
    """The labels."""
    return thing["metadata"].get("labels") or {}


def group_of(thing: Object) -> str:
    """The API group, empty for the core."""
    return str(thing["apiVersion"]).rpartition("/")[0]


def key_of(thing: Object) -> str:
    """What tells an object from all others of a cluster, whatever version of its API it is written in."""
    return "/".join((group_of(thing), str(thing["kind"]), namespace_of(thing), name_of(thing)))


def label_of(thing: Object) -> str:
    """The object in words: "Deployment shop/web"."""
    return f"{thing['kind']} {place_of(thing)}"


def place_of(thing: Object) -> str:
    """Namespace and name, or the name alone."""
    return "/".join(part for part in (namespace_of(thing), name_of(thing)) if part)


def is_leaving(thing: Object | None) -> bool:
    """Whether an object is there and is being deleted."""
    return bool(thing and thing["metadata"].get("deletionTimestamp"))


def controller_of(thing: Object) -> Mapping[str, Any] | None:
    """The reference to what controls an object, such as the ReplicaSet of a pod."""
    owners = thing["metadata"].get("ownerReferences") or ()
    return next((one for one in owners if one.get("controller")), None)


def claims_of(pod: Object) -> list[str]:
    """The names of the claims that a pod uses: those that it names, and those that are made for it alone."""
    volumes = (pod.get("spec") or {}).get("volumes") or ()
    named = [one["persistentVolumeClaim"]["claimName"] for one in volumes if one.get("persistentVolumeClaim")]
    return [*named, *(f"{name_of(pod)}-{one['name']}" for one in volumes if one.get("ephemeral"))]


def runs(thing: Object, pod: Object) -> bool:
    """Whether a pod is the thing's own. Its labels do not tell: those of others may have the same.

    A Deployment's pods are those of its ReplicaSets, which are called after it and the hash that these pods carry.
    """
    above = controller_of(pod)
    if above is None:
        return False
    if above.get("uid") == thing["metadata"].get("uid"):
        return True
    called = (namespace_of(thing), "Deployment", f"{name_of(thing)}-{labels_of(pod).get(TEMPLATE_HASH)}")
    return above.get("kind") == "ReplicaSet" and called == (namespace_of(pod), thing["kind"], above.get("name"))


def conditions_of(thing: Object) -> dict[str, Mapping[str, Any]]:
    """The conditions in its status, by type."""
    return {one["type"]: one for one in (thing.get("status") or {}).get("conditions") or () if "type" in one}


def is_true(thing: Object, condition: str) -> bool:
    """Whether a condition holds; one that is not told of does not."""
    return conditions_of(thing).get(condition, {}).get("status") == "True"


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether labels have all that a selector asks for."""
    return all(labels.get(name) == value for name, value in selector.items())


def declared(thing: Object) -> dict[str, Any]:
    """The object without what the server adds and without its status: what a manifest could say."""
    plain = {name: value for name, value in thing.items() if name != "status"}
    metadata = {name: value for name, value in thing["metadata"].items() if name not in NOISE}
    annotations = {
        name: value for name, value in (metadata.get("annotations") or {}).items() if name not in NOISY_ANNOTATIONS
    }
    metadata.pop("annotations", None)
    return {**plain, "metadata": {**metadata, **({"annotations": annotations} if annotations else {})}}


def changes(before: Object, after: Object) -> tuple[Difference, ...]:
    """What differs between two states of an object, without noise, and without the values of Secrets."""
    old, new = declared(before), declared(after)
    gone: dict[str, Any] = {name: {} for name, value in old.items() if name not in new and isinstance(value, Mapping)}
    found = differences({**gone, **new}, old, subset=())
    if new.get("kind") != "Secret":
        return found
    return tuple(_hidden(one) for one in found)


def _hidden(one: Difference) -> Difference:
    if one.field not in SECRET_FIELDS:
        return one
    before = None if one.before is None else HIDDEN
    after = None if one.after is None else f"{HIDDEN} (another one)" if before else HIDDEN
    return Difference(one.path, before, after)


def presentable(thing: Object) -> dict[str, Any]:
    """What a manifest could say, without the values of Secrets."""
    plain = declared(thing)
    if plain.get("kind") == "Secret":
        for field in SECRET_FIELDS:
            if plain.get(field):
                plain[field] = dict.fromkeys(plain[field], HIDDEN)
    return plain


def secrets_in(things: Iterable[Object]) -> Iterator[str]:
    """The secret values in manifests: as they are written, and what they stand for."""
    for thing in things:
        if (thing.get("kind") or "Secret") != "Secret":  # what has no kind yet may become one
            continue
        for value in _values(thing.get("stringData")):
            yield from _written(value)
        for value in _values(thing.get("data")):
            yield from _written(value)
            try:
                yield base64.b64decode(str(value), validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                continue


def _written(value: Any) -> Iterator[str]:
    """A value as text; what should be text and is not, with each value in it, as results show these one by one."""
    yield str(value)
    if isinstance(value, (Mapping, list)):
        for one in _values(value):
            yield from _written(one)


def _values(field: Any) -> Iterable[Any]:
    """The values of a mapping; what else somebody wrote there, as it is."""
    if isinstance(field, Mapping):
        return field.values()
    return field if isinstance(field, list) else [field] if field else ()
