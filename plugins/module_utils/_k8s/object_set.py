# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of objects of one owner: read them, decide what has to be done, do it.

All decisions are made from what the server says would become of each object (a dry run of the very call that changes
it), before the first change: a manifest that it refuses stops the run while nothing is half done. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .._errors import AuthError, InputError, NotFoundError, NotOursError
from .._ownership import OWNER
from .._parallel import gather
from .._plan import Live, Plan, Step
from .api import Api, Object, Written
from .kinds import NAMESPACE, Kind
from .manifests import Manifest, prepared, refuse_twice, stratum
from .namespaces import wait_until_usable
from .objects import (
    changes,
    controller_of,
    is_leaving,
    key_of,
    label_of,
    labels_of,
    name_of,
    namespace_of,
    place_of,
    presentable,
)
from .run import Run
from .settled import is_settled
from .waiting import wait_gone

Place = tuple[Kind, str]  # a kind and a namespace, empty for all of them

WORKERS = 16  # requests at a time: what one API server answers without queueing
SERVED_TWICE = frozenset({"/Endpoints", "/Event", "events.k8s.io/Event", "discovery.k8s.io/EndpointSlice"})


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


def survey(
    run: Run,
    items: Sequence[Item],
    *,
    adopt: bool = False,
    force: bool = False,
    prune: Iterable[Place] = (),
    known: Iterable[tuple[Kind, Object]] | None = None,
) -> Survey:
    """Look at everything that the set is about.

    Args:
        adopt: take over objects that nobody owns.
        force: take over fields that other managers own.
        prune: kinds and namespaces in which to look for objects of the owner that are not in the set.
        known: what is there, where that was read already: everything that has one of the names, and is ours or adopted.

    Raises:
        NotOursError: an object exists and is somebody else's.
        ConflictError: another manager owns a field that has another value.
        InputError: the server refuses a manifest.
    """
    wait_until_usable(run, _namespaces(items))
    if known is None:
        marked = _marked(run, places_of(items), prune)
    else:
        marked = {key_of(thing): (kind, thing) for kind, thing in known}
    live = {key: thing for key, (_kind, thing) in marked.items()}
    fresh = {namespace_of(item.manifest) for item in items} & {
        name_of(item.manifest) for item in items if item.kind == NAMESPACE
    }
    asked = [item for item in items if not (item.key in live and is_settled(live[item.key], item.manifest))]
    tried = gather({item.key: partial(_try, run, item, force, fresh) for item in asked}, workers=WORKERS)
    unknown = [item for item in asked if item.key not in live and (found := tried[item.key]) and not found.created]
    seen = gather({item.key: partial(_look, run, item, adopt) for item in unknown}, workers=WORKERS)
    live |= {key: thing for key, thing in seen.items() if thing}
    leaving = _gone(run, items, live)
    live = {key: thing for key, thing in live.items() if key not in leaving}
    wanted = {item.key for item in items}
    settled = {item.key: live[item.key] for item in items if item.key in live and item.key not in tried}
    return Survey(
        items,
        {key: thing for key, thing in live.items() if key in wanted},
        {**settled, **{key: found.object for key, found in tried.items() if found and key not in leaving}},
        [thing for key, thing in live.items() if key not in wanted],
        {**{key: kind for key, (kind, _thing) in marked.items()}, **{item.key: item.kind for item in items}},
    )


def _namespaces(items: Iterable[Item]) -> dict[str, bool]:
    """The namespaces that the set uses; true for those that are part of it."""
    used = {namespace_of(item.manifest): False for item in items if item.kind.namespaced}
    return {**used, **{name_of(item.manifest): True for item in items if item.kind == NAMESPACE}}


def places_of(items: Iterable[Item]) -> list[Place]:
    """Where the objects of a set live."""
    return list(dict.fromkeys((item.kind, namespace_of(item.manifest)) for item in items))


def _marked(run: Run, places: Iterable[Place], others: Iterable[Place] = ()) -> dict[str, tuple[Kind, Object]]:
    """What carries the owner's mark, by key, but for what a controller made from something of ours.

    Args:
        places: to be read.
        others: to be read where that is allowed.
    """
    wide = dict.fromkeys(others)
    own = [place for place in places if place not in wide and (place[0], "") not in wide]
    reads: dict[Place, Callable[[], list[Object]]] = {
        **{place: partial(_list, run, *place) for place in own},
        **{place: partial(_list_if_allowed, run, *place) for place in wide if _key(place[0]) not in SERVED_TWICE},
    }
    named = {f"{_key(kind)} {namespace}": (kind, namespace) for kind, namespace in reads}
    found = gather({name: reads[place] for name, place in named.items()}, workers=WORKERS)
    return {
        key_of(thing): (named[name][0], thing)
        for name, things in found.items()
        for thing in things
        if not controller_of(thing)
    }


def _key(kind: Kind) -> str:
    return f"{kind.group}/{kind.kind}"


def _list(run: Run, kind: Kind, namespace: str) -> list[Object]:
    try:
        return run.api.list(kind, namespace, labels=run.owner.selector).items
    except NotFoundError:  # the kind's definition is not there (yet)
        return []


def _list_if_allowed(run: Run, kind: Kind, namespace: str) -> list[Object]:
    try:
        return _list(run, kind, namespace)
    except AuthError as error:
        if error.code != "Forbidden":
            raise
        run.warn(f"{kind.plural} of {run.owner.name} are not looked for: {error.message}")
        return []


def _try(run: Run, item: Item, force: bool, fresh: set[str]) -> Written | None:
    """What the server would make of the manifest; None if it cannot say yet, as namespace or kind come with the set."""
    try:
        return run.api.apply(item.kind, item.manifest, force=force, dry_run=True)
    except NotFoundError as error:
        namespace = namespace_of(item.manifest)
        missing = f'namespaces "{namespace}" not found' in error.message
        if missing and namespace not in fresh:
            raise InputError(
                f"namespace {namespace} does not exist",
                hint="Put a Namespace into the manifests, or choose another one.",
            ) from error
        return None


def _look(run: Run, item: Item, adopt: bool) -> Object | None:
    """An object that is there without the owner's mark: whose is it?"""
    thing = run.api.get(item.kind, name_of(item.manifest), namespace_of(item.manifest))
    if thing is not None:
        require_ours(run, thing, adopt=adopt)
    return thing


def require_ours(run: Run, thing: Object, *, adopt: bool = False) -> None:
    """Refuse to touch what does not carry the owner's mark.

    Raises:
        NotOursError: it is somebody else's, or nobody's and ``adopt`` is not set.
    """
    whose = labels_of(thing).get(OWNER, "")
    if run.owner.owns(labels_of(thing)) or (adopt and not whose):
        return
    told = f"belongs to {whose}" if whose else "was not made by this task"
    hint = "Choose another name" + ("." if whose else ", or set adopt: true to take it over.")
    raise NotOursError(f"{label_of(thing)} exists and {told}", hint=hint)


def _gone(run: Run, items: Iterable[Item], live: Mapping[str, Object]) -> set[str]:
    """The objects of the set that are on their way out, once they are gone: what is applied to one goes with it.

    A run that was killed while it deleted them leaves such.
    """
    leaving = {item.key: item.kind for item in items if is_leaving(live.get(item.key))}
    if not run.check_mode:
        wait_gone(run, [(kind, live[key]) for key, kind in leaving.items()])
    return {*leaving}


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
    return Step("update", item.key, kind, name, spec, as_live(live), differences) if differences else None


def as_live(thing: Object) -> Live:
    """An object as the engine knows it."""
    return Live(key_of(thing), str(thing["kind"]), place_of(thing), thing["metadata"]["uid"], presentable(thing))


def deletions(things: Iterable[Object]) -> list[Step]:
    """The steps that delete objects: what reacts to others first, what holds others last. Pure."""
    ordered = sorted(things, key=lambda one: (-stratum(one["kind"]), place_of(one)))
    return [Step("delete", key_of(one), one["kind"], place_of(one), live=as_live(one)) for one in ordered]


def survey_removal(run: Run, items: Sequence[Item] = (), others: Iterable[Place] = ()) -> Survey:
    """Look at what has to go: the objects of a set, and what else of the owner is in some places.

    Raises:
        NotOursError: an object of the set is somebody else's.
    """
    marked = _marked(run, places_of(items), others)
    missing = {item.key: partial(_look, run, item, adopt=False) for item in items if item.key not in marked}
    gather(missing, workers=WORKERS)
    wanted = {item.key for item in items}
    doomed = {key: one for key, one in marked.items() if others or key in wanted}
    return Survey(
        (), extra=[thing for _kind, thing in doomed.values()], kinds={key: kind for key, (kind, _one) in doomed.items()}
    )


def all_places(api: Api, namespaces: Iterable[str] = ("",)) -> list[Place]:
    """Every kind that the cluster can list and delete: two requests, whatever it has installed."""
    kinds = [
        kind
        for root in ("/api", "/apis")
        for kind in _discovered(api.call("GET", root, accept=_AGGREGATED, doing="look up what the cluster knows"))
    ]
    return [(kind, place) for kind in kinds for place in (namespaces if kind.namespaced else ("",))]


_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


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
