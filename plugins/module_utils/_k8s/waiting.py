# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for objects: until they can be used, or until they are gone. By watches.

A wait for something that runs pods also follows these pods and what is said about them, so that it ends as soon as it
is clear that they never will run, and says why. PRIVATE.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from .._errors import SchedulersError, StateFailedError, WaitTimeoutError
from .._wait import wait_until
from .api import Api, Object
from .diagnosis import diagnose
from .explaining import explain
from .findings import Finding, View, latest_first
from .impatience import Impatience, is_replaced, pods_of, room_comes
from .kinds import EVENT, NODE, POD, SERVICE, VOLUME_CLAIM, Kind
from .objects import Object as AnyObject
from .objects import is_leaving, label_of, name_of, namespace_of, runs
from .ready import State, describe, state_of
from .run import Run
from .watching import LOOK, Feed, Scene

Thing = tuple[Kind, Object]
Judge = Callable[[AnyObject, Sequence[AnyObject]], State]  # of an object and the pods that it runs
Finder = Callable[[Api, Sequence[Object]], list[Finding]]
SHOWN = 5
FINDINGS_SAID = 3
RUN_PODS = frozenset({"DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "ReplicationController", "StatefulSet"})
TALKATIVE = RUN_PODS | {"PersistentVolumeClaim", "Service"}  # events tell how they are


@dataclass(frozen=True)
class Look:
    """What is still missing.

    Attributes:
        complete: everything was read.
        open: what is not ready, in words.
        failed: why one never will be.
        trouble: why news may be missing.
        events: what the cluster said lately, the latest first.
    """

    complete: bool
    open: tuple[str, ...] = ()
    failed: str | None = None
    trouble: str = ""
    events: tuple[str, ...] = ()
    objects: dict[str, Object] = field(default_factory=dict)

    def describe(self) -> str:
        """The state in a few words."""
        more = f"; and {len(self.open) - SHOWN} more" if len(self.open) > SHOWN else ""
        shown = "; ".join(self.open[:SHOWN]) + more
        return "; ".join(part for part in (shown, self.trouble) if part) or "nothing was read yet"


def by_itself(thing: AnyObject, _pods: Sequence[AnyObject]) -> State:
    """What an object says about itself."""
    return state_of(thing)


def wait_ready(run: Run, things: Sequence[Thing], judge: Judge = by_itself) -> dict[str, Object]:
    """Wait until objects can be used; the latest states of those that had to be waited for, by uid.

    Args:
        judge: the state of an object, where being usable is more than ``ready.state_of`` knows. It has to see the pods.

    Raises:
        StateFailedError: one never will be; ``details["diagnosis"]`` says why.
        WaitTimeoutError: one was not within the time.
    """
    waiting = [(kind, thing) for kind, thing in things if not judge(thing, ()).ready]
    if not waiting:
        return {}
    with Scene(run.api, [*feeds_of(waiting), *_talk(waiting, pods_needed=judge is not by_itself)]) as scene:
        watch = _Watch(run, scene, waiting, judge)
        try:
            return wait_until(
                watch.look,
                ready=lambda found: found.complete and not found.open,
                failed=lambda found: found.failed,
                describe=Look.describe,
                events=lambda found: found.events,
                deadline=scene.deadline(run.deadline),
                doing=f"wait for {_named(waiting)}",
                pace=LOOK,
            ).objects
        except (StateFailedError, WaitTimeoutError) as error:
            raise explained(error, watch.reasons(), instead=watch.given_up) from error


def explained(error: SchedulersError, findings: Sequence[Finding], *, instead: bool) -> SchedulersError:
    """The error of a wait with the reasons that a diagnosis has found.

    Args:
        instead: its own message is only a shorter form of them.
    """
    if findings:
        said = ". ".join(one.sentence() for one in findings[:FINDINGS_SAID])
        more = f" (and {len(findings) - FINDINGS_SAID} more, see diagnosis)" if len(findings) > FINDINGS_SAID else ""
        error.message = said + more if instead else f"{error.message}. {said}{more}"
    error.details["diagnosis"] = [one.facts() for one in findings]
    return error


def reasons(api: Api, things: Sequence[Object]) -> list[Finding]:
    """Why objects cannot be used, with everything that can be read about them."""
    runners = [one for one in things if one["kind"] in RUN_PODS]

    def chosen(pod: Object) -> bool:
        return bool(pods_of(runners, [pod]))

    places = dict.fromkeys(namespace_of(one) for one in things if one["kind"] in TALKATIVE)
    found = [one for place in places if place for one in explain(api, place, chosen)]
    mine = {label_of(one) for one in things}
    return [one for one in found if _concerns(one, mine, bool(runners))]


@contextmanager
def explaining(run: Run, things: Iterable[Object], find: Finder = reasons) -> Iterator[None]:
    """A wait for what these objects bring, if it runs out of time, also says why it does not come."""
    try:
        yield
    except WaitTimeoutError as error:
        explained(error, find(run.api, [*things]), instead=False)
        raise


class _Watch:
    """One wait: what it waits for, and what it has seen."""

    def __init__(self, run: Run, scene: Scene, waiting: Sequence[Thing], judge: Judge) -> None:
        self._run = run
        self._scene = scene
        self._waiting = waiting
        self._judge = judge
        self._impatience = Impatience()
        self.given_up = False
        self._uids = {thing["metadata"]["uid"] for _kind, thing in waiting}
        self._runners = [thing for _kind, thing in waiting if thing["kind"] in RUN_PODS]

    def look(self) -> Look:
        scene = self._scene
        if not scene.look():
            return Look(complete=False, trouble=scene.trouble())
        live = _by_uid(scene, self._waiting)
        open_things: list[str] = []
        failed = None
        for _kind, then in self._waiting:
            now = live.get(then["metadata"]["uid"])
            if now is None:
                open_things.append(f"{label_of(then)}: is gone")
                failed = failed or f"somebody deleted {label_of(then)}"
                continue
            state = self._state(now)
            failed = failed or (f"{label_of(now)}: {state.failed}" if state.failed else None)
            if not state.ready:
                open_things.append(describe_state(now, state))
        if open_things:
            failed = failed or self._hopeless(live)
        return Look(True, tuple(open_things), failed, scene.trouble(), self._said(live), live)

    def _state(self, thing: Object) -> State:
        """A claim whose class makes a volume for the first pod that uses it is all that it can be."""
        state = self._judge(thing, pods_of([thing], self._scene.objects(POD)))
        if state.ready or thing["kind"] != VOLUME_CLAIM.kind:
            return state
        view = View(events=self._scene.objects(EVENT))
        return State(ready=True, text=state.text) if view.events_of(thing, "WaitForFirstConsumer") else state

    def _hopeless(self, live: dict[str, Object]) -> str | None:
        view = self._view(live)
        now = self._run.deadline.clock.now()
        coming = room_comes(self._scene.objects(POD), view.events)
        found = self._impatience.hopeless(diagnose(view), now, room_comes=coming)
        self.given_up = found is not None
        return found.sentence() if found else None

    def _view(self, live: dict[str, Object]) -> View:
        mine = [live.get(one["metadata"]["uid"], one) for one in self._runners]
        things = list(live.values())
        return View(
            pods=[one for one in pods_of(mine, self._scene.objects(POD)) if not is_replaced(one)],
            events=self._scene.objects(EVENT),
            controllers=[one for one in mine if one["kind"] != POD.kind],
            claims=[one for one in things if one["kind"] == VOLUME_CLAIM.kind],
            services=[one for one in things if one["kind"] == SERVICE.kind],
        )

    def _said(self, live: dict[str, Object]) -> tuple[str, ...]:
        view = self._view(live)
        about = {*self._uids, *(one["metadata"]["uid"] for one in view.pods)}
        events = [one for one in view.events if (one.get("involvedObject") or {}).get("uid") in about]
        return tuple(str(one.get("message", "")).strip() for one in latest_first(events)[:SHOWN])

    def reasons(self) -> list[Finding]:
        """Why it was in vain."""
        live = _by_uid(self._scene, self._waiting)
        return reasons(self._run.api, [live.get(one["metadata"]["uid"], one) for _kind, one in self._waiting])


def _concerns(finding: Finding, mine: set[str], runs_pods: bool) -> bool:
    """Another app's troubles are not the reason, and neither are nodes for what runs on none."""
    if finding.code in ("not_created", "rollout_stuck", "load_balancer", "load_balancer_pending", "no_endpoints"):
        kind, _space, place = finding.object.partition(" ")
        named = (f"{one.partition(' ')[2]}-" for one in mine)
        return finding.object in mine or (kind == "ReplicaSet" and place.startswith(tuple(named)))
    return runs_pods or finding.object in mine


def describe_state(thing: Object, state: State) -> str:
    """The object and what a judge said of it."""
    return f"{label_of(thing)}: {state.text}" if state.text else describe(thing)


def wait_gone(run: Run, things: Sequence[Thing]) -> None:
    """Wait until objects are gone.

    Raises:
        WaitTimeoutError: one is still there; says what holds it, ``details["diagnosis"]`` which nodes do.
    """
    if not things:
        return
    with Scene(run.api, feeds_of(things)) as scene, explaining(run, [one for _kind, one in things], _held_by_nodes):

        def look() -> Look:
            complete = scene.look()
            left = _by_uid(scene, things)
            return Look(complete, tuple(_held(one) for one in left.values()), trouble=scene.trouble())

        wait_until(
            look,
            ready=lambda found: found.complete and not found.open,
            describe=Look.describe,
            deadline=scene.deadline(run.deadline),
            doing=f"wait until {_named(things)} {'is' if len(things) == 1 else 'are'} gone",
            hint="What has a finalizer goes when its controller has done its work: does that run? What does it say?",
            pace=LOOK,
        )


def _held_by_nodes(api: Api, things: Sequence[Object]) -> list[Finding]:
    """The nodes that do not end the pods of objects. What keeps pods from running keeps none from going."""
    runners = [one for one in things if one["kind"] in RUN_PODS]
    uids = {one["metadata"]["uid"] for one in runners}

    def is_held(pod: Object) -> bool:
        return is_leaving(pod) and (pod["metadata"]["uid"] in uids or any(runs(one, pod) for one in runners))

    try:
        places = dict.fromkeys(namespace_of(one) for one in runners)
        held = [pod for place in places for pod in api.list(POD, place).items if is_held(pod)]
        named = {(pod.get("spec") or {}).get("nodeName") for pod in held}
        nodes = [one for one in (api.list(NODE).items if held else ()) if name_of(one) in named]
    except SchedulersError:  # what has been seen of the objects themselves is told all the same
        return []
    return diagnose(View(pods=held, nodes=nodes))


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


def _talk(things: Iterable[Thing], *, pods_needed: bool) -> list[Feed]:
    """What to watch to hear why objects are not ready. Pure."""
    kinds = {POD: RUN_PODS - {POD.kind}, EVENT: TALKATIVE}
    found = [
        Feed(kind, namespace_of(thing), optional=not (pods_needed and kind == POD))
        for kind, talkers in kinds.items()
        for _own, thing in things
        if thing["kind"] in talkers
    ]
    return list(dict.fromkeys(found))


def _named(things: Sequence[Thing]) -> str:
    if len(things) == 1:
        return label_of(things[0][1])
    counts = Counter(kind.plural for kind, _thing in things)
    if len(things) <= SHOWN:
        return " and ".join(label_of(thing) for _kind, thing in things)
    return ", ".join(f"{count} {plural}" for plural, count in counts.items())
