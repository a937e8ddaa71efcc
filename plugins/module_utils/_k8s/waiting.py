# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for objects: until they can be used, or until they are gone. By watches. PRIVATE."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from .._wait import wait_until
from .api import Object
from .kinds import Kind
from .objects import label_of, name_of, namespace_of
from .ready import State, describe, state_of
from .run import Run
from .watching import LOOK, Feed, Scene

Thing = tuple[Kind, Object]
Judge = Callable[[Object], State]
SHOWN = 5


@dataclass(frozen=True)
class _Look:
    """What is still missing.

    Attributes:
        complete: everything was read.
        open: objects that are not ready.
        failed: why one never will be.
    """

    complete: bool
    open: tuple[str, ...] = ()
    failed: str | None = None
    trouble: str = ""
    objects: dict[str, Object] = field(default_factory=dict)

    def describe(self) -> str:
        """The state in a few words."""
        shown = "; ".join(self.open[:SHOWN]) + (
            f"; and {len(self.open) - SHOWN} more" if len(self.open) > SHOWN else ""
        )
        return "; ".join(part for part in (shown, self.trouble) if part) or "nothing was read yet"


def wait_ready(run: Run, things: Sequence[Thing], judge: Judge = state_of) -> dict[str, Object]:
    """Wait until objects can be used; the latest states of those that had to be waited for, by uid.

    Raises:
        StateFailedError: one never will be.
        WaitTimeoutError: one was not within the time.
    """
    waiting = [(kind, thing) for kind, thing in things if not judge(thing).ready]
    if not waiting:
        return {}
    with Scene(run.api, feeds_of(waiting)) as scene:

        def look() -> _Look:
            complete = scene.look()
            live = _by_uid(scene, waiting)
            states = [(thing, live.get(thing["metadata"]["uid"])) for _kind, thing in waiting]
            return _Look(
                complete,
                tuple(
                    describe(now) if now else f"{label_of(then)}: is gone"
                    for then, now in states
                    if not _ready(now, judge)
                ),
                next(
                    (f"{label_of(now)}: {failed}" for _then, now in states if now and (failed := judge(now).failed)),
                    None,
                ),
                scene.trouble(),
                live,
            )

        return wait_until(
            look,
            ready=lambda found: found.complete and not found.open,
            failed=lambda found: found.failed if found.complete else None,
            describe=_Look.describe,
            deadline=scene.deadline(run.deadline),
            doing=f"wait for {_named(waiting)}",
            pace=LOOK,
        ).value.objects


def _ready(thing: Object | None, judge: Judge) -> bool:
    return thing is not None and judge(thing).ready


def wait_gone(run: Run, things: Sequence[Thing]) -> None:
    """Wait until objects are gone.

    Raises:
        WaitTimeoutError: one is still there; says what holds it.
    """
    if not things:
        return
    with Scene(run.api, feeds_of(things)) as scene:

        def look() -> _Look:
            complete = scene.look()
            return _Look(
                complete, tuple(_held(one) for one in _by_uid(scene, things).values()), trouble=scene.trouble()
            )

        wait_until(
            look,
            ready=lambda found: found.complete and not found.open,
            describe=_Look.describe,
            deadline=scene.deadline(run.deadline),
            doing=f"wait until {_named(things)} {'is' if len(things) == 1 else 'are'} gone",
            pace=LOOK,
        )


def _held(thing: Object) -> str:
    finalizers = thing["metadata"].get("finalizers") or ()
    held = f"held by the finalizers {', '.join(finalizers)}" if finalizers else "still there"
    return f"{label_of(thing)}: {held}"


def _by_uid(scene: Scene, things: Iterable[Thing]) -> dict[str, Object]:
    wanted = {thing["metadata"]["uid"] for _kind, thing in things}
    kinds = dict.fromkeys(kind for kind, _thing in things)
    return {
        one["metadata"]["uid"]: one for kind in kinds for one in scene.objects(kind) if one["metadata"]["uid"] in wanted
    }


def feeds_of(things: Iterable[Thing]) -> list[Feed]:
    """What to watch to see these objects: one name, or all of a kind in a namespace where there are several. Pure."""
    places: dict[tuple[Kind, str], list[str]] = {}
    for kind, thing in things:
        places.setdefault((kind, namespace_of(thing)), []).append(name_of(thing))
    return [
        Feed(kind, namespace, fields=f"metadata.name={names[0]}" if len(names) == 1 else "")
        for (kind, namespace), names in places.items()
    ]


def _named(things: Sequence[Thing]) -> str:
    if len(things) == 1:
        return label_of(things[0][1])
    counts = Counter(kind.plural for kind, _thing in things)
    return ", ".join(f"{count} {plural}" for plural, count in counts.items())
