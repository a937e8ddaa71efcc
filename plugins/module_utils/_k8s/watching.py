# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Live objects, kept up to date by watches: what waits look at instead of asking again and again.

A watch may end at any time, the server may restart, forget the version that was asked for, or let a token expire. None
of that ends a wait: the list is read again and the watch goes on, until the wait's own deadline. PRIVATE.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType

from .._clock import Clock, Deadline
from .._errors import AnswerLostError, AuthError, SchedulersError, ThrottledError, UnreachableError
from .._wait import Pace
from .api import Api, Object, Watch
from .errors import ExpiredError
from .kinds import EVENT, Kind

PASSING = (AnswerLostError, UnreachableError, ThrottledError)  # a restart looks like this
REFUSALS = 4  # in a row: a server that has just started refuses while it still reads its roles
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0  # a server that is back is found within a second
SETTLE_SECONDS = 0.02  # changes come in flocks: look at them together
LOOK = Pace(first=1.0, factor=1.5, cap=5.0)  # between two looks, where nothing happens


@dataclass(frozen=True)
class Feed:
    """Objects to be kept up to date.

    Attributes:
        optional: if they may not be read, there are none.
    """

    kind: Kind
    namespace: str = ""
    labels: str = ""
    fields: str = ""
    optional: bool = False


class Scene:
    """The objects of several feeds as they are now. Use it as a context.

    Args:
        api: the cluster.
        feeds: what to watch.
    """

    def __init__(self, api: Api, feeds: Iterable[Feed]) -> None:
        self._feeds = [_Follower(self, api, feed) for feed in dict.fromkeys(feeds)]
        self._news = threading.Condition()
        self._fresh = True
        self.closing = threading.Event()

    def __enter__(self) -> Scene:
        for one in self._feeds:
            one.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        for one in self._feeds:
            one.close()

    def objects(self, kind: Kind) -> list[Object]:
        """The objects of a kind, of all its feeds.

        Raises:
            SchedulersError: the objects cannot be read, and trying again is useless.
        """
        found: list[Object] = []
        for one in self._feeds:
            if one.feed.kind == kind:
                found.extend(one.objects())
        return found

    def look(self) -> bool:
        """Whether all feeds have been read at least once.

        Raises:
            SchedulersError: a feed cannot be read, and trying again is useless.
        """
        return all(one.known() for one in self._feeds)

    def trouble(self) -> str:
        """Why news may be missing; empty if none are."""
        return next((one.trouble for one in self._feeds if one.trouble), "")

    def changed(self) -> None:
        """Something happened: whoever waits looks again."""
        with self._news:
            self._fresh = True
            self._news.notify_all()

    def rest(self, seconds: float) -> None:
        """Wait until something happens, or the seconds have passed."""
        with self._news:
            if not self._fresh:
                self._news.wait(seconds)
            if self._fresh:
                self._news.wait(min(SETTLE_SECONDS, seconds))
            self._fresh = False

    def deadline(self, deadline: Deadline) -> Deadline:
        """The same deadline for ``wait_until``, whose pauses end when something happens."""
        return Deadline(_SceneClock(deadline.clock, self.rest), deadline.seconds, deadline.started)


@dataclass(frozen=True)
class _SceneClock:
    clock: Clock
    rest: Callable[[float], None]

    def now(self) -> float:
        return self.clock.now()

    def sleep(self, seconds: float) -> None:
        self.rest(seconds)


class _Follower:
    """One feed: a thread that lists, watches, and starts again when it has to."""

    def __init__(self, scene: Scene, api: Api, feed: Feed) -> None:
        self.feed = feed
        self.trouble = ""
        self._scene = scene
        self._api = api.once()  # it tries again itself, as long as the wait goes on
        self._lock = threading.Lock()
        self._objects: dict[str, Object] | None = None
        self._error: SchedulersError | None = None
        self._version = ""
        self._refused = 0
        self._watch: Watch | None = None
        self._thread = threading.Thread(target=self._follow, daemon=True, name=f"watch {feed.kind.plural}")

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        watch = self._watch
        if watch:
            watch.close()

    def known(self) -> bool:
        with self._lock:
            if self._error and not self.feed.optional:
                raise self._error
            return self._objects is not None or self._error is not None

    def objects(self) -> list[Object]:
        with self._lock:
            if self._error and not self.feed.optional:
                raise self._error
            return list((self._objects or {}).values())

    def _follow(self) -> None:
        pause = FIRST_PAUSE
        while not self._scene.closing.is_set():
            try:
                self._once()
                pause = FIRST_PAUSE
            except Exception as error:
                # whatever it is, it belongs to the thread that waits
                if self._scene.closing.is_set():
                    return
                if not self._goes_on(error):
                    return
                self._scene.closing.wait(pause)
                pause = min(LONGEST_PAUSE, pause * 2)

    def _goes_on(self, error: Exception) -> bool:
        """Whether to try again after an error; else it is kept for whoever looks."""
        if isinstance(error, ExpiredError) and self._version:
            self._version = ""
            return True
        self._refused = self._refused + 1 if isinstance(error, AuthError) else 0
        passing = isinstance(error, (*PASSING, json.JSONDecodeError)) or 0 < self._refused < REFUSALS
        with self._lock:
            self.trouble = str(error)
            if not passing:
                self._error = error if isinstance(error, SchedulersError) else SchedulersError(repr(error))
                if self.feed.kind != EVENT:  # what may not be watched would stay for ever as it was listed once
                    self._objects = None
        self._scene.changed()
        return passing

    def _once(self) -> None:
        if not self._version:
            self._list()
        feed = self.feed
        watch = self._api.watch(feed.kind, feed.namespace, self._version, labels=feed.labels, fields=feed.fields)
        self._watch = watch
        try:
            self._well()
            for kind, thing in watch.events():
                self._note(kind, thing)
        finally:
            watch.close()
            self._watch = None

    def _list(self) -> None:
        feed = self.feed
        listing = self._api.list(feed.kind, feed.namespace, labels=feed.labels, fields=feed.fields)
        with self._lock:
            self._objects = {one["metadata"]["uid"]: one for one in listing.items}
            self._version = listing.version
        self._well()
        self._scene.changed()

    def _well(self) -> None:
        self.trouble = ""
        self._refused = 0

    def _note(self, kind: str, thing: Object) -> None:
        metadata = thing["metadata"]
        with self._lock:
            self._version = metadata["resourceVersion"]
            if kind == "BOOKMARK" or self._objects is None:
                return
            if kind == "DELETED":
                self._objects.pop(metadata["uid"], None)
            else:
                self._objects[metadata["uid"]] = thing
        self._scene.changed()
