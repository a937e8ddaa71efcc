# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Live objects by watches: what ends a watch does not end a wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._clock import Deadline, SystemClock
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    AuthError,
    SchedulersError,
    StateFailedError,
    WaitTimeoutError,
)
from ansible_collections.container.schedulers.plugins.module_utils._k8s import transport, watching
from ansible_collections.container.schedulers.plugins.module_utils._k8s.api import Api
from ansible_collections.container.schedulers.plugins.module_utils._k8s.kinds import CONFIG_MAP, DEPLOYMENT, EVENT, POD
from ansible_collections.container.schedulers.plugins.module_utils._k8s.ready import State
from ansible_collections.container.schedulers.plugins.module_utils._k8s.run import Owner, Run
from ansible_collections.container.schedulers.plugins.module_utils._k8s.waiting import feeds_of, wait_gone, wait_ready
from ansible_collections.container.schedulers.plugins.module_utils._k8s.watching import Feed, Scene
from unit.api_server import Call, Cut, Silence, Status, api_server, events, listing, thing

PODS = "/api/v1/namespaces/shop/pods"
WATCH = {"watch": "1"}


def until(scene: Scene, holds: Callable[[], bool]) -> None:
    """Real time passes here, as threads of their own do the work; a test that would wait for ever fails instead."""
    clock = SystemClock()
    deadline = clock.now() + 120
    while not holds():
        assert clock.now() < deadline
        scene.rest(0.05)


def run_of(api: Api, seconds: float = 120.0) -> Run:
    return Run(api, Owner("test", "a"), Deadline(SystemClock(), seconds))


def ready_pod(name: str = "a", ready: str = "True", version: str = "11") -> dict[str, Any]:
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]}
    return thing("Pod", name, spec={"nodeName": "n"}, status=status, metadata={"resourceVersion": version})


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "FIRST_PAUSE", 0.001)


def test_a_scene_follows_what_happens() -> None:
    changes = events(
        ("MODIFIED", ready_pod()), ("ADDED", ready_pod("b", version="12")), ("DELETED", ready_pod("a", version="13"))
    )
    with (
        api_server(
            Call("GET", PODS, changes, query={**WATCH, "resourceVersion": "10"}),
            Call("GET", PODS, listing(ready_pod(ready="False", version="5"))),
        ) as server,
        Scene(server.api(), [Feed(POD, "shop")]) as scene,
    ):
        until(scene, lambda: [one["metadata"]["name"] for one in scene.objects(POD)] == ["b"])


@pytest.mark.parametrize(
    "trouble",
    [
        events(hold=False),
        events(("BOOKMARK", ready_pod(version="10")), hold=False),
        Cut(),
        Status(503),
        Status(401, "Unauthorized"),
        Status(429),
    ],
    ids=["ended", "bookmark", "cut", "unavailable", "expired token", "throttled"],
)
def test_a_watch_that_ends_is_opened_again_where_it_ended(trouble: Any) -> None:
    with (
        api_server(
            Call("GET", PODS, trouble, query={**WATCH, "resourceVersion": "10"}),
            Call("GET", PODS, events(("MODIFIED", ready_pod())), query={**WATCH, "resourceVersion": "10"}),
            Call("GET", PODS, listing(ready_pod(ready="False", version="5"))),
        ) as server,
        Scene(server.api(), [Feed(POD, "shop")]) as scene,
    ):
        until(scene, lambda: bool(scene.objects(POD)) and scene.objects(POD)[0]["metadata"]["resourceVersion"] == "11")


class _Pauses(threading.Event):
    """Notes how long is paused, and does not."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0.0)
        return self.is_set()


@pytest.mark.parametrize("lists", [True, False], ids=["listing", "watching"])
def test_a_server_that_is_back_after_long_is_found_within_a_second(lists: bool) -> None:
    away = Call("GET", PODS, Status(503), times=12) if lists else Call("GET", PODS, Cut(), query=WATCH, times=12)
    with api_server(
        away,
        Call("GET", PODS, events(("MODIFIED", ready_pod())), query=WATCH),
        Call("GET", PODS, listing(ready_pod(ready="False", version="5"))),
    ) as server:
        begun = server.clock.now()
        scene = Scene(server.api(), [Feed(POD, "shop")])
        scene.closing = pauses = _Pauses()
        with scene:
            until(scene, lambda: bool(scene.look() and scene.objects(POD)[0]["metadata"]["resourceVersion"] == "11"))
    assert len(pauses.seconds) == 12
    assert max(pauses.seconds) <= 1.0
    assert server.clock.now() == begun  # nothing pauses beside it


def test_a_watch_that_does_not_begin_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than once, maybe: on a busy machine the second one does not begin in so short a time either."""
    monkeypatch.setattr(transport, "HEADER_SECONDS", 0.2)
    with (
        api_server(
            Call("GET", PODS, Silence(), query=WATCH),
            Call("GET", PODS, events(("MODIFIED", ready_pod())), query=WATCH, times=0),
            Call("GET", PODS, listing(ready_pod(ready="False", version="5"))),
        ) as server,
        Scene(server.api(), [Feed(POD, "shop")]) as scene,
    ):
        until(scene, lambda: bool(scene.look() and scene.objects(POD)[0]["metadata"]["resourceVersion"] == "11"))


@pytest.mark.parametrize("trouble", [Status(410, "Expired"), events(("ERROR", Status(410, "Expired").body()))])
def test_a_version_that_was_forgotten_means_reading_the_list_again(trouble: Any) -> None:
    with (
        api_server(
            Call("GET", PODS, trouble, query={**WATCH, "resourceVersion": "10"}),
            Call("GET", PODS, events(), query={**WATCH, "resourceVersion": "20"}),
            Call("GET", PODS, listing(ready_pod(ready="False", version="5"))),
            Call("GET", PODS, listing(ready_pod(), version="20")),
        ) as server,
        Scene(server.api(), [Feed(POD, "shop")]) as scene,
    ):
        until(scene, lambda: bool(scene.objects(POD)) and scene.objects(POD)[0]["metadata"]["resourceVersion"] == "11")
        until(scene, lambda: len(server.paths("GET")) == 4)  # the list is seen before the watch is asked for


def test_a_list_that_a_server_has_no_more_ends_the_wait() -> None:
    """Nothing is left to begin anew."""
    with (
        api_server(Call("GET", PODS, Status(410, "Gone", "no more"))) as server,
        Scene(server.api(), [Feed(POD, "shop")]) as scene,
        pytest.raises(SchedulersError, match="no more"),
    ):
        until(scene, scene.look)


def test_no_right_ends_the_wait() -> None:
    with (
        api_server(
            Call("GET", PODS, Status(403, "Forbidden", "no"), times=watching.REFUSALS),
            Call("GET", "/readyz", "ok", times=watching.REFUSALS),
        ) as server,
        Scene(server.api(), [Feed(POD, "shop")]) as scene,
        pytest.raises(AuthError),
    ):
        until(scene, scene.look)


def test_no_right_to_what_is_only_nice_to_know_means_not_to_know() -> None:
    with (
        api_server(
            Call("GET", PODS, Status(403, "Forbidden", "no"), times=watching.REFUSALS),
            Call("GET", "/readyz", "ok", times=watching.REFUSALS),
        ) as server,
        Scene(server.api(), [Feed(POD, "shop", optional=True)]) as scene,
    ):
        until(scene, scene.look)
        assert scene.objects(POD) == []


def test_what_may_be_listed_and_not_watched_is_not_taken_for_what_is() -> None:
    with (
        api_server(
            Call("GET", PODS, Status(403, "Forbidden", "cannot watch"), query=WATCH, times=0),
            Call("GET", PODS, listing(ready_pod()), times=0),
            Call("GET", "/readyz", "ok", times=0),
        ) as server,
        Scene(server.api(), [Feed(POD, "shop", optional=True)]) as scene,
    ):
        until(scene, lambda: scene.trouble() != "" and scene.objects(POD) == [])


def test_events_that_may_be_listed_and_not_watched_are_kept() -> None:
    """They have happened, and stay true."""
    path = "/api/v1/namespaces/shop/events"
    with (
        api_server(
            Call("GET", path, Status(403, "Forbidden", "cannot watch"), query=WATCH, times=0),
            Call("GET", path, listing(thing("Event", "a")), times=0),
            Call("GET", "/readyz", "ok", times=0),
        ) as server,
        Scene(server.api(), [Feed(EVENT, "shop", optional=True)]) as scene,
    ):
        until(scene, lambda: scene._feeds[0]._error is not None)
        assert len(scene.objects(EVENT)) == 1


def test_a_wait_that_has_to_see_the_pods_ends_if_it_may_not() -> None:
    waits = thing("Deployment", "a", "shop", spec={"replicas": 1}, metadata={"resourceVersion": "11"})
    deployments = "/apis/apps/v1/namespaces/shop/deployments"
    with (
        api_server(
            Call("GET", PODS, Status(403, "Forbidden", "cannot watch"), query=WATCH, times=0),
            Call("GET", PODS, listing(), times=0),
            Call("GET", "/readyz", "ok", times=0),
            Call("GET", deployments, events(), query=WATCH, times=0),
            Call("GET", deployments, listing(waits), times=0),
            Call("GET", "/api/v1/namespaces/shop/events", events(), query=WATCH, times=0),
            Call("GET", "/api/v1/namespaces/shop/events", listing(), times=0),
        ) as server,
        pytest.raises(AuthError, match="Could not watch the pods: cannot watch"),
    ):
        wait_ready(run_of(server.api(), 5), [(DEPLOYMENT, waits)], lambda _thing, pods: State(bool(pods)))


def test_what_is_ready_already_costs_nothing() -> None:
    with api_server() as server:
        assert wait_ready(run_of(server.api()), [(POD, ready_pod())]) == {}


def test_waiting_until_ready() -> None:
    waits = ready_pod(ready="False")
    with api_server(
        Call("GET", PODS, events(("MODIFIED", ready_pod())), query={**WATCH, "fieldSelector": "metadata.name=a"}),
        Call("GET", PODS, listing(waits), query={"fieldSelector": "metadata.name=a"}),
        # the wait may be over before these are made
        Call("GET", "/api/v1/namespaces/shop/events", events(), query=WATCH, times=0),
        Call("GET", "/api/v1/namespaces/shop/events", listing(), times=0),
    ) as server:
        found = wait_ready(run_of(server.api()), [(POD, waits)])
    assert found["uid-a"]["metadata"]["resourceVersion"] == "11"


def test_what_somebody_deletes_never_becomes_ready() -> None:
    waits = ready_pod(ready="False")
    with (
        api_server(
            Call("GET", PODS, events(("DELETED", ready_pod())), query=WATCH),
            Call("GET", PODS, listing(waits), times=0),
            Call("GET", "/api/v1/namespaces/shop/events", events(), query=WATCH, times=0),
            *(
                Call("GET", path, listing(), times=0)
                for path in (
                    "/api/v1/namespaces/shop/events",
                    "/api/v1/namespaces/shop/persistentvolumeclaims",
                    "/api/v1/namespaces/shop/services",
                    "/api/v1/pods",
                    "/api/v1/nodes",
                    "/api/v1/persistentvolumes",
                    "/api/v1/replicationcontrollers",
                    "/apis/apps/v1/deployments",
                    "/apis/apps/v1/replicasets",
                    "/apis/apps/v1/statefulsets",
                    "/apis/apps/v1/daemonsets",
                    "/apis/batch/v1/jobs",
                    "/apis/batch/v1/cronjobs",
                    "/apis/storage.k8s.io/v1/storageclasses",
                )
            ),
        ) as server,
        pytest.raises(StateFailedError, match="somebody deleted Pod shop/a") as caught,
    ):
        wait_ready(run_of(server.api()), [(POD, waits)])
    assert caught.value.details["diagnosis"] == []


def test_waiting_until_gone() -> None:
    maps, gone = "/api/v1/namespaces/shop/configmaps", thing("ConfigMap", "a", metadata={"resourceVersion": "11"})
    with api_server(
        Call("GET", maps, events(("DELETED", gone)), query=WATCH),
        Call("GET", maps, listing(thing("ConfigMap", "a"))),
    ) as server:
        wait_gone(run_of(server.api()), [(CONFIG_MAP, thing("ConfigMap", "a"))])


def test_what_does_not_go_is_named_with_what_holds_it() -> None:
    maps, held = "/api/v1/namespaces/shop/configmaps", thing("ConfigMap", "a", metadata={"finalizers": ["x/y"]})
    with (
        api_server(Call("GET", maps, events(), query=WATCH, times=0), Call("GET", maps, listing(held))) as server,
        pytest.raises(WaitTimeoutError, match=r"ConfigMap shop/a: held by the finalizers x/y\. What has a finalizer"),
    ):
        wait_gone(run_of(server.api(), 2), [(CONFIG_MAP, held)])  # all of it passes; the list is read in a moment


def test_several_of_a_kind_are_watched_together() -> None:
    one, two = thing("Deployment", "a"), thing("Deployment", "b")
    assert feeds_of([(DEPLOYMENT, one)]) == [Feed(DEPLOYMENT, "shop", fields="metadata.name=a")]
    assert feeds_of([(DEPLOYMENT, one), (DEPLOYMENT, two)]) == [Feed(DEPLOYMENT, "shop")]
