# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a pod, told what time it is: pulled, started, ready, crashed, started again, ended."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from lab.kubernetes.kubelet import words
from lab.kubernetes.kubelet.life import Container, Life
from lab.kubernetes.kubelet.programs import Ending, Forever
from lab.kubernetes.kubelet.status import quality, status
from lab.kubernetes.kubelet.words import Event

Object = dict[str, Any]


@dataclass
class Around:
    """Surroundings of which everything can be said."""

    exits: dict[str, list[int]] = field(default_factory=dict)
    """Container -> the codes with which it ends, start by start; then it runs for ever."""
    failing: set[str] = field(default_factory=set)
    missing: str | None = None
    blocked: Event | None = None
    delay: float = 0
    started: list[str] = field(default_factory=list)

    def obstacle(self, pod: Object) -> Event | None:
        return self.blocked

    def config_error(self, pod: Object, container: Object) -> str | None:
        return self.missing

    def start(self, life: Life, container: Container, now: float) -> Ending | Forever:
        self.started.append(container.name)
        container.id = f"containerd://{life.uid}/{container.name}/{life.starts}"
        codes = self.exits.get(container.name, [])
        return Ending(codes.pop(0), now + 1) if codes else Forever()

    def probe(self, life: Life, container: Container, kind: str) -> str | None:
        return "HTTP probe failed with statuscode: 503" if kind in self.failing else None

    def ready_delay(self, pod: Object) -> float:
        return self.delay

    def start_delay(self, pod: Object) -> float:
        return 0


def pod(*containers: Object, init: tuple[Object, ...] = (), **spec: Any) -> Object:
    named = [{"name": "c", "image": "nginx", **container} for container in containers or ({},)]
    inits = [{"image": "busybox", **container} for container in init]
    return {
        "metadata": {"name": "p", "namespace": "n", "uid": "u"},
        "spec": {"containers": named, **({"initContainers": inits} if inits else {}), **spec},
        "status": {},
    }


def lived(around: Around, document: Object, until: float = 0) -> Life:
    """The life after it was looked at whenever it wanted to be."""
    life = Life(document, around, 0)
    life.advance(0)
    while life.due is not None and life.due <= until:
        life.advance(life.due)
    return life


def shown(life: Life, now: float = 0) -> Object:
    return status(life, lambda moment: f"t{moment:g}", now, "10.0.0.1", "10.244.0.2")


def reasons(life: Life) -> list[str]:
    return [event.reason for event in life.events]


def test_a_pod_runs_and_is_ready_at_once() -> None:
    life = lived(Around(), pod())
    document = shown(life)
    assert document["phase"] == "Running"
    assert document["podIP"] == "10.244.0.2"
    container = document["containerStatuses"][0]
    assert (container["ready"], container["started"], container["restartCount"]) == (True, True, 0)
    assert container["image"] == "docker.io/library/nginx:latest"
    assert container["state"] == {"running": {"startedAt": "t0"}}
    assert {one["type"]: one["status"] for one in document["conditions"]} == {
        "PodReadyToStartContainers": "True", "Initialized": "True", "Ready": "True", "ContainersReady": "True",
    }  # fmt: skip
    assert reasons(life) == ["Pulled", "Created", "Started"]


def test_an_image_that_does_not_exist_is_tried_for_longer_and_longer() -> None:
    life = lived(Around(), pod({"image": "nginx:does-not-exist"}))
    waiting = shown(life)["containerStatuses"][0]["state"]["waiting"]
    assert waiting["reason"] == "ErrImagePull"
    assert "docker.io/library/nginx:does-not-exist: not found" in waiting["message"]
    life = lived(Around(), pod({"image": "nginx:does-not-exist"}), until=12)
    waiting = shown(life)["containerStatuses"][0]["state"]["waiting"]
    assert waiting["reason"] == "ImagePullBackOff"
    assert waiting["message"].startswith('Back-off pulling image "nginx:does-not-exist": ErrImagePull: rpc error')
    assert reasons(life).count("Pulling") == 2
    assert shown(life)["phase"] == "Pending"
    assert life.due == 12 + 20


@pytest.mark.parametrize(
    ("image", "policy", "reason"),
    [("Nginx:1", "Always", "InvalidImageName"), ("x/does-not-exist", "Never", "ErrImageNeverPull")],
)
def test_what_can_never_be_pulled_says_so(image: str, policy: str, reason: str) -> None:
    life = lived(Around(), pod({"image": image, "imagePullPolicy": policy}), until=30)
    assert shown(life)["containerStatuses"][0]["state"]["waiting"]["reason"] == reason
    assert [event.message for event in life.events].count(f"Error: {reason}") == 1


def test_a_program_that_ends_is_started_again_after_pauses_that_double() -> None:
    around = Around(exits={"c": [1, 1, 1]})
    life = lived(around, pod(), until=2)
    container = shown(life)["containerStatuses"][0]
    assert container["restartCount"] == 1
    assert container["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert container["state"]["waiting"]["message"] == "back-off 10s restarting failed container=c pod=p_n(u)"
    assert container["lastState"]["terminated"]["exitCode"] == 1
    assert shown(life)["phase"] == "Running"
    life = lived(Around(exits={"c": [1, 1, 1]}), pod(), until=100)
    container = shown(life)["containerStatuses"][0]
    assert container["restartCount"] == 3
    assert container["ready"]
    assert container["state"] == {"running": {"startedAt": "t33"}}


def test_each_start_has_an_id_of_its_own() -> None:
    life = lived(Around(exits={"c": [1]}), pod())
    first = life.containers[0].id
    life.advance(1)
    life.advance(1)
    assert life.containers[0].id != first


def test_init_containers_run_one_after_the_other_and_then_the_others() -> None:
    around = Around(exits={"a": [0], "b": [0]})
    document = pod(init=({"name": "a"}, {"name": "b"}))
    life = lived(around, document)
    assert around.started == ["a"]
    assert shown(life)["containerStatuses"][0]["state"]["waiting"]["reason"] == "PodInitializing"
    conditions = {one["type"]: one for one in shown(life)["conditions"]}
    assert conditions["Initialized"]["message"] == "containers with incomplete status: [a b]"
    life = lived(Around(exits={"a": [0], "b": [0]}), document, until=5)
    assert shown(life)["phase"] == "Running"
    assert [one["state"]["terminated"]["exitCode"] for one in shown(life)["initContainerStatuses"]] == [0, 0]


def test_a_failing_init_container_keeps_the_pod_pending() -> None:
    life = lived(Around(exits={"a": [3] * 9}), pod(init=({"name": "a"},)), until=5)
    assert shown(life)["phase"] == "Pending"
    assert shown(life)["initContainerStatuses"][0]["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert life.containers[1].program is None


def test_a_sidecar_keeps_running_beside_the_others() -> None:
    life = lived(Around(), pod(init=({"name": "s", "restartPolicy": "Always"},)))
    document = shown(life)
    assert document["phase"] == "Running"
    assert document["initContainerStatuses"][0]["ready"]


@pytest.mark.parametrize(("code", "phase"), [(0, "Succeeded"), (4, "Failed")])
def test_a_pod_that_is_not_restarted_ends(code: int, phase: str) -> None:
    life = lived(Around(exits={"c": [code]}), pod(restartPolicy="Never"), until=5)
    document = shown(life)
    assert document["phase"] == phase
    assert document["containerStatuses"][0]["state"]["terminated"]["exitCode"] == code
    assert life.due is None


def test_a_probe_that_fails_keeps_the_container_unready_until_it_passes() -> None:
    around = Around(failing={"readiness"})
    life = lived(around, pod({"readinessProbe": {"httpGet": {"port": 80}, "periodSeconds": 3}}), until=3)
    assert not shown(life)["containerStatuses"][0]["ready"]
    assert shown(life)["containerStatuses"][0]["started"]
    assert {event.message for event in life.events if event.reason == "Unhealthy"} == {
        "Readiness probe failed: HTTP probe failed with statuscode: 503"
    }
    around.failing.clear()
    life.advance(6)
    assert shown(life)["containerStatuses"][0]["ready"]


def test_a_failed_liveness_probe_kills_and_restarts() -> None:
    around = Around(failing={"liveness"})
    probe = {"httpGet": {"port": 80}, "periodSeconds": 2, "failureThreshold": 2}
    life = lived(around, pod({"livenessProbe": probe}), until=3)
    assert "Killing" in reasons(life)
    assert around.started == ["c", "c"]
    assert life.containers[0].last is not None
    assert life.containers[0].last["exitCode"] == 137


def test_readiness_can_be_delayed() -> None:
    life = lived(Around(delay=30), pod())
    assert not shown(life)["containerStatuses"][0]["ready"]
    assert life.due == 30


def test_what_the_pod_refers_to_must_be_there() -> None:
    around = Around(missing='secret "s" not found')
    life = lived(around, pod(), until=30)
    assert shown(life)["containerStatuses"][0]["state"]["waiting"] == {
        "reason": "CreateContainerConfigError", "message": 'secret "s" not found',
    }  # fmt: skip
    assert reasons(life).count("Failed") == 1
    assert 10 <= (life.due or 0) - 25 <= 15  # after two more tries
    around.missing = None
    life.advance(life.due or 0)
    assert shown(life)["phase"] == "Running"


def test_an_image_without_a_command_needs_one() -> None:
    life = lived(Around(), pod({"image": "no-command:1"}), until=13)
    waiting = shown(life)["containerStatuses"][0]["state"]["waiting"]
    assert waiting["reason"] == "CreateContainerError"
    tries = [one.message for one in life.events if one.reason == "Failed"]
    assert len({*tries}) == 2  # containerd names a container that it did not make, and another one at the next try
    assert tries[-1] == f"Error: {waiting['message']}"
    assert re.fullmatch(
        r'failed to generate container "[0-9a-f]{64}" spec: failed to generate spec: no command specified',
        waiting["message"],
    )
    for given in ({"command": ["sleep"]}, {"args": ["sleep"]}):
        assert shown(lived(Around(), pod({"image": "no-command:1", **given})))["phase"] == "Running"


def test_volumes_come_first() -> None:
    blocked = Event("Warning", "FailedMount", "MountVolume.SetUp failed")
    around = Around(blocked=blocked)
    life = lived(around, pod(), until=6)
    assert "podIP" not in shown(life)
    assert life.events == [blocked]
    around.blocked = None
    life.advance(life.due or 0)
    assert shown(life)["podIP"] == "10.244.0.2"


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, "Burstable"),
    ],
)
def test_quality_of_service(resources: Object, expected: str) -> None:
    assert quality(pod({"resources": resources})) == expected


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("russmckendrick/cluster", "docker.io/russmckendrick/cluster:latest"),
        ("ghcr.io/a/b:1", "ghcr.io/a/b:1"),
        ("localhost:5000/a", "localhost:5000/a:latest"),
        ("nginx@sha256:" + "0" * 64, "docker.io/library/nginx@sha256:" + "0" * 64),
    ],
)
def test_names_of_images_are_completed_as_containerd_does(image: str, expected: str) -> None:
    assert words.reference(image) == expected


@pytest.mark.parametrize(("seconds", "expected"), [(10, "10s"), (80, "1m20s"), (300, "5m0s")])
def test_back_off_is_said_in_go_s_way(seconds: int, expected: str) -> None:
    assert words.restarting(seconds, "c", "p") == f"back-off {expected} restarting failed container=c pod=p"
