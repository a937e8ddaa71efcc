# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at what a set of objects is about, before anything is done.

What would become of each object the server says itself (a dry run of the very call that changes it), before the first
change: a manifest that it refuses stops the run while nothing is half done. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from functools import partial

from .._errors import AuthError, InputError, NotFoundError, NotOursError
from .._ownership import OWNER
from .._parallel import gather
from .._texts import several
from .api import Object, Written
from .kinds import NAMESPACE, Kind
from .namespaces import wait_until_usable
from .object_set import WORKERS, Item, Place, Survey, is_copy, places_of
from .objects import controller_of, is_leaving, key_of, label_of, labels_of, name_of, namespace_of
from .run import Run
from .settled import is_settled
from .waiting import wait_gone

SHOWN = 5  # names of copies in a warning
SERVED_TWICE = frozenset({"/Endpoints", "/Event", "events.k8s.io/Event", "discovery.k8s.io/EndpointSlice"})


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
    namespaces = _namespaces(items)
    wait_until_usable(run, namespaces)
    marked = _marked(run, items, prune) if known is None else {key_of(thing): (kind, thing) for kind, thing in known}
    live = {key: thing for key, (_kind, thing) in marked.items()}
    unsettled = [item for item in items if item.key not in live or not is_settled(live[item.key], item.manifest)]
    tried = _dry_runs(run, unsettled, force, {name for name, in_set in namespaces.items() if in_set})
    live |= _unmarked(run, [item for item in unsettled if item.key not in live], tried, adopt)
    leaving = _gone(run, items, live)
    live = {key: thing for key, thing in live.items() if key not in leaving}
    merged = {key: found.object for key, found in tried.items() if found and key not in leaving}
    kinds = {key: kind for key, (kind, _thing) in marked.items()} | {item.key: item.kind for item in items}
    mine = {item.key: live[item.key] for item in items if item.key in live}
    extra = [thing for key, thing in live.items() if key not in mine]
    settled = {key: thing for key, thing in mine.items() if key not in tried}
    return Survey(items, mine, settled | merged, extra, kinds)


def _namespaces(items: Iterable[Item]) -> dict[str, bool]:
    """The namespaces that the set uses; true for those that are part of it."""
    used = {namespace_of(item.manifest): False for item in items if item.kind.namespaced}
    return {**used, **{name_of(item.manifest): True for item in items if item.kind == NAMESPACE}}


def _marked(
    run: Run,
    items: Iterable[Item],
    others: Iterable[Place] = (),
    names: Container[str] = (),
    needed: Container[Place] = (),
) -> dict[str, tuple[Kind, Object]]:
    """What carries the owner's mark, by key, but for what came by it from something of ours: a controller or somebody
    who made a copy gave it the same labels.

    Args:
        items: whose places are read.
        others: to be read where that is allowed.
        names: of what is no copy.
        needed: those of the others without which it is not known what there is.
    """
    wide, named_so = dict.fromkeys(others), {item.key for item in items}
    own = [place for place in places_of(items) if place not in wide and (place[0], "") not in wide]
    reads: dict[Place, Callable[[], list[Object]]] = {
        **{place: partial(_list, run, *place) for place in own},
        **{
            place: partial(_list if place in needed else _list_if_allowed, run, *place)
            for place in wide
            if _key(place[0]) not in SERVED_TWICE
        },
    }
    named = {f"{_key(kind)} {namespace}": (kind, namespace) for kind, namespace in reads}
    found = gather({name: reads[place] for name, place in named.items()}, workers=WORKERS)
    marked = {
        key_of(thing): (named[name][0], thing)
        for name, things in found.items()
        for thing in things
        if not controller_of(thing)
    }
    copies = {
        key: label_of(thing)
        for key, (_kind, thing) in marked.items()
        if key not in named_so and name_of(thing) not in names and is_copy(thing)
    }
    if copies and wide:  # else nothing that is not named would go anyway
        shown = several(sorted(copies.values()), SHOWN)
        run.warn(f"Somebody has copied these with the label of {run.owner.value}, and they stay: {shown}.")
    return {key: one for key, one in marked.items() if key not in copies}


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


def _dry_runs(run: Run, items: Iterable[Item], force: bool, brought: set[str]) -> dict[str, Written | None]:
    """What the server would make of manifests, by key.

    Args:
        brought: the namespaces that come with the set.
    """
    return gather({item.key: partial(_dry_run, run, item, force, brought) for item in items}, workers=WORKERS)


def _dry_run(run: Run, item: Item, force: bool, brought: set[str]) -> Written | None:
    """None if the server cannot say yet, as the namespace or the kind comes with the set."""
    try:
        return run.api.apply(item.kind, item.manifest, force=force, dry_run=True)
    except NotFoundError as error:
        namespace = namespace_of(item.manifest)
        missing = f'namespaces "{namespace}" not found' in error.message
        if missing and namespace not in brought:
            raise InputError(
                f"namespace {namespace} does not exist",
                hint="Put a Namespace into the manifests, or choose another one.",
            ) from error
        return None


def _unmarked(run: Run, items: Iterable[Item], tried: Mapping[str, Written | None], adopt: bool) -> dict[str, Object]:
    """The objects that are there and that no list by the owner's mark has shown, by key."""
    there = [item for item in items if (found := tried[item.key]) and not found.created]
    seen = gather({item.key: partial(_look, run, item, adopt) for item in there}, workers=WORKERS)
    return {key: thing for key, thing in seen.items() if thing}


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


def survey_removal(
    run: Run,
    items: Sequence[Item] = (),
    others: Collection[Place] = (),
    names: Container[str] = (),
    needed: Container[Place] = (),
) -> Survey:
    """Look at what has to go: the objects of a set, and what else of the owner is in some places.

    Args:
        names: those that the owner's own have there, whoever has written them last: a backup puts back what it kept.
        needed: places of which it has to be known what is in them; the others are read where that is allowed.

    Raises:
        NotOursError: an object of the set is somebody else's.
    """
    marked = _marked(run, items, others, names, needed)
    missing = {item.key: partial(_look, run, item, adopt=False) for item in items if item.key not in marked}
    gather(missing, workers=WORKERS)
    wanted = {item.key for item in items}
    doomed = {key: one for key, one in marked.items() if others or key in wanted}
    return Survey(
        (), extra=[thing for _kind, thing in doomed.values()], kinds={key: kind for key, (kind, _one) in doomed.items()}
    )
