# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of objects of one owner: what belongs to it, and what has to be done for it to be as it should. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .._compare import Difference
from .._errors import InputError, NotFoundError
from .._ownership import OWNER
from .._plan import Live, Plan, Step
from .api import MANAGER, Api, Object
from .kinds import Kind
from .manifests import Manifest, prepared, refuse_twice, stratum
from .objects import changes, key_of, label_of, namespace_of, place_of, presentable
from .run import Run

Place = tuple[Kind, str]  # a kind and a namespace, empty for all of them

WORKERS = 16  # requests at a time: what one API server answers without queueing


@dataclass(frozen=True)
class Item:
    """One object as it should be."""

    key: str
    kind: Kind
    manifest: Manifest


@dataclass(frozen=True)
class Survey:
    """What is there, and what would become of it.

    Attributes:
        items: the objects as they should be.
        live: those that are there, by key.
        merged: what would become of them and of new ones, as far as the server can say.
        extra: what carries the owner's mark and is not in the set.
        kinds: of everything here, by key.
    """

    items: Sequence[Item]
    live: Mapping[str, Object] = field(default_factory=dict)
    merged: Mapping[str, Object] = field(default_factory=dict)
    extra: Sequence[Object] = ()
    kinds: Mapping[str, Kind] = field(default_factory=dict)


def items_of(run: Run, manifests: Iterable[Manifest], namespace: str, *, known_only: bool = False) -> list[Item]:
    """The manifests with their kinds, in their namespace and with the owner's mark.

    Args:
        known_only: leave out what the cluster does not know: there cannot be any of it.

    Raises:
        InputError: the cluster does not know a kind, or an object is described twice.
    """
    given = list(manifests)
    own = kinds_of_definitions(given)
    items = []
    for one in given:
        kind = _kind(run.api, own, one, known_only=known_only)
        if kind is None:
            continue
        manifest = prepared(one, namespaced=kind.namespaced, namespace=namespace, labels=run.owner.labels)
        items.append(Item(key_of(manifest), kind, manifest))
    refuse_twice((item.key, item.manifest) for item in items)
    return items


def _kind(api: Api, own: Mapping[tuple[str, str], Kind], manifest: Manifest, *, known_only: bool) -> Kind | None:
    named = (manifest["apiVersion"], manifest["kind"])
    try:
        return own[named] if named in own else api.kind(*named)
    except NotFoundError as error:
        if known_only:
            return None
        raise InputError(
            f"{label_of(manifest)}: {error.message}",
            hint="Check apiVersion and kind, or give the CustomResourceDefinition with it.",
        ) from error


def kinds_of_definitions(manifests: Iterable[Manifest]) -> dict[tuple[str, str], Kind]:
    """The kinds that definitions in the set will bring. Pure."""
    kinds = {}
    for one in manifests:
        spec = one.get("spec")
        if one["kind"] != "CustomResourceDefinition" or not isinstance(spec, Mapping):
            continue
        names, group = spec.get("names") or {}, spec.get("group", "")
        for version in spec.get("versions") or ():
            api_version = f"{group}/{version.get('name')}"
            kind = Kind(api_version, names.get("kind", ""), names.get("plural", ""), spec.get("scope") == "Namespaced")
            kinds[(api_version, kind.kind)] = kind
    return kinds


def places_of(items: Iterable[Item]) -> list[Place]:
    """Where the objects of a set live."""
    return list(dict.fromkeys((item.kind, namespace_of(item.manifest)) for item in items))


def decide(found: Survey) -> Plan:
    """What has to be made, changed and deleted. Pure."""
    steps = [step for item in found.items if (step := _step(item, found))]
    steps.sort(key=lambda step: stratum(step.kind))  # in the order in which they are carried out
    return Plan((*steps, *deletions(found.extra)))


def _step(item: Item, found: Survey) -> Step | None:
    live, merged = found.live.get(item.key), found.merged.get(item.key)
    kind, name = item.kind.kind, place_of(item.manifest)
    spec = presentable(merged if merged is not None else item.manifest)
    if live is None:
        return Step("create", item.key, kind, name, spec)
    differences = changes(live, merged) if merged is not None else ()
    if not differences and is_copy(live):  # put back by somebody, and equal: written once, it is known to be ours
        differences = (Difference("metadata.managedFields", "others", MANAGER),)
    return Step("update", item.key, kind, name, spec, as_live(live), differences) if differences else None


def is_copy(thing: Object) -> bool:
    """Whether somebody else has given an object our mark: the server notes who has written which field. Pure."""
    label = f"f:{OWNER}"
    labelled = {
        one.get("manager")
        for one in thing["metadata"].get("managedFields") or ()
        if label in ((one.get("fieldsV1") or {}).get("f:metadata") or {}).get("f:labels", {})
    }
    return bool(labelled) and MANAGER not in labelled


def as_live(thing: Object) -> Live:
    """An object as the engine knows it."""
    return Live(key_of(thing), str(thing["kind"]), place_of(thing), thing["metadata"]["uid"], presentable(thing))


def deletions(things: Iterable[Object]) -> list[Step]:
    """The steps that delete objects: what reacts to others first, what holds others last. Pure."""
    ordered = sorted(things, key=lambda one: (-stratum(one["kind"]), place_of(one)))
    return [Step("delete", key_of(one), one["kind"], place_of(one), live=as_live(one)) for one in ordered]
