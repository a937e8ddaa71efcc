# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of one pod on its node: pulled, started, ready, crashed, started again, ended.

No I/O and no clock: advance() is told what time it is and asks its surroundings what happens. Seconds are the
kubelet's; the agent lets them pass faster than real ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from lab.containers import has_command
from lab.kubernetes.client import Object
from lab.kubernetes.kubelet import words
from lab.kubernetes.kubelet.words import Event

NORMAL, WARNING = "Normal", "Warning"
FIRST_BACK_OFF, LONGEST_BACK_OFF = 10.0, 300.0
RETRY_SECONDS = 2.0
"""How long until a volume that is missing is looked for again."""
SYNC_SECONDS = 12.5
"""How long until a pod that could not be brought up is tried again: 10 to 15 seconds."""
NOT_CREATED = ("CreateContainerConfigError", "CreateContainerError")
CREATING, INITIALIZING = "ContainerCreating", "PodInitializing"


class Program(Protocol):
    """A container's process."""

    def exit_code(self, now: float) -> int | None:
        """The code with which it ended, or None while it runs."""

    def next_look(self, now: float) -> float | None:
        """When it is worth asking again; None if it runs for ever."""


class Surroundings(Protocol):
    """What a pod finds on its node and in its cluster."""

    def obstacle(self, pod: Object) -> Event | None:
        """Why its volumes are not there yet."""

    def config_error(self, pod: Object, container: Object) -> str | None:
        """What its environment refers to and is missing."""

    def start(self, life: Life, container: Container, now: float) -> Program:
        """Start the container's program."""

    def probe(self, life: Life, container: Container, kind: str) -> str | None:
        """What a failed probe says, or None if it passes."""

    def ready_delay(self, pod: Object) -> float:
        """Seconds from start to readiness, beside the probe's own."""

    def start_delay(self, pod: Object) -> float:
        """Seconds that pulling the images takes."""


@dataclass(eq=False)
class Container:
    """One container of a pod, and what became of it."""

    spec: Object
    init: bool = False
    reason: str = CREATING
    """Why it waits; empty while it runs or has ended."""
    message: str = ""
    program: Program | None = None
    id: str = ""
    started_at: float = 0.0
    ended: Object | None = None
    last: Object | None = None
    restarts: int = 0
    ready: bool = False
    pull_failures: int = 0
    crashes: int = 0
    liveness_failures: int = 0
    due: float = 0.0

    @property
    def name(self) -> str:
        return str(self.spec["name"])

    @property
    def sidecar(self) -> bool:
        return self.init and self.spec.get("restartPolicy") == "Always"

    @property
    def running(self) -> bool:
        return self.program is not None

    @property
    def succeeded(self) -> bool:
        return self.ended is not None and self.ended["exitCode"] == 0

    @property
    def field(self) -> str:
        return f"spec.{'initContainers' if self.init else 'containers'}{{{self.name}}}"


@dataclass(eq=False)
class Life:
    """A pod that is bound to a node of the lab."""

    pod: Object
    surroundings: Surroundings
    born: float
    prepared: bool = False
    """Its volumes are there."""
    phase: str = "Pending"
    due: float | None = None
    """When something happens next by itself."""
    containers: list[Container] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    starts: int = 0
    _obstacle: Event | None = None

    def __post_init__(self) -> None:
        spec = self.pod["spec"]
        inits = spec.get("initContainers") or ()
        first = INITIALIZING if inits else CREATING
        self.containers = [Container(one, init=True, reason=INITIALIZING) for one in inits]
        self.containers += [Container(one, reason=first) for one in spec["containers"]]

    @property
    def uid(self) -> str:
        return str(self.pod["metadata"]["uid"])

    @property
    def title(self) -> str:
        """The pod as a kubelet's messages name it."""
        metadata = self.pod["metadata"]
        return f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"

    @property
    def mains(self) -> list[Container]:
        return [container for container in self.containers if not container.init]

    @property
    def initialized(self) -> bool:
        return self.prepared and all(
            container.running and container.ready if container.sidecar else container.succeeded
            for container in self.containers
            if container.init
        )

    @property
    def over(self) -> bool:
        return self.phase in ("Succeeded", "Failed")

    def advance(self, now: float) -> None:
        """Do everything that is due; `due` says when to come again."""
        self.due = None
        if self.over:
            return
        if not self.prepared and not self._prepare(now):
            return
        for container in self.containers:
            if container.running:
                self._look_at(container, now)
        before = -1
        while before != self.starts:  # a sidecar that has started lets the next ones start
            before = self.starts
            for container in self._wanted():
                if not container.running and self._restarts(container):
                    self._bring_up(container, now)
        self.phase = self._phase()

    def take(self) -> list[Event]:
        """The events since the last time."""
        events, self.events = self.events, []
        return events

    def _prepare(self, now: float) -> bool:
        obstacle = self.surroundings.obstacle(self.pod)
        if obstacle is not None:
            if obstacle != self._obstacle and obstacle.message:
                self.events.append(obstacle)
            self._obstacle = obstacle
            self._come_at(now + RETRY_SECONDS)
            return False
        started = self.born + self.surroundings.start_delay(self.pod)
        if started > now:
            self._come_at(started)
            return False
        self.prepared = True
        return True

    def _wanted(self) -> list[Container]:
        """Containers that should run now: init containers one after the other, then all others."""
        wanted = []
        for container in self.containers:
            if not container.init:
                break
            wanted.append(container)
            done = (container.running and container.ready) if container.sidecar else container.succeeded
            if not done:
                return wanted
        return wanted + self.mains

    def _restarts(self, container: Container) -> bool:
        """Does the restart policy want it to be started (again)?"""
        if container.ended is None:
            return True
        policy = self.pod["spec"].get("restartPolicy", "Always")
        if container.init and not container.sidecar:
            return not container.succeeded and policy != "Never"
        return container.sidecar or policy == "Always" or (policy == "OnFailure" and not container.succeeded)

    def _bring_up(self, container: Container, now: float) -> None:
        """Pull and start; or wait, and say why."""
        if container.due > now:
            self._come_at(container.due)
            return
        if not self._pull(container, now):
            return
        error = self.surroundings.config_error(self.pod, container.spec)
        if error is not None:
            if container.message != error:
                self._say(WARNING, "Failed", f"Error: {error}", container)
            self._wait(container, "CreateContainerConfigError", error, now + SYNC_SECONDS)
            return
        if not (container.spec.get("command") or container.spec.get("args") or has_command(container.spec["image"])):
            error = words.no_command(f"{self.uid} {container.name} {now}")
            self._say(WARNING, "Failed", f"Error: {error}", container)
            self._wait(container, "CreateContainerError", error, now + SYNC_SECONDS)
            return
        if container.ended is not None:
            container.last, container.ended = container.ended, None
            container.restarts += 1
        self.starts += 1
        container.reason = container.message = ""
        container.started_at, container.pull_failures, container.liveness_failures = now, 0, 0
        container.ready = False
        container.program = self.surroundings.start(self, container, now)
        self._say(NORMAL, "Created", "Container created", container)
        self._say(NORMAL, "Started", "Container started", container)
        self._look_at(container, now)

    def _pull(self, container: Container, now: float) -> bool:
        image, policy = container.spec["image"], container.spec.get("imagePullPolicy")
        invalid = words.invalid_image(image)
        if invalid is not None:
            if container.reason != "InvalidImageName":
                self._say(WARNING, "InspectFailed", invalid, container)
                self._say(WARNING, "Failed", "Error: InvalidImageName", container)
            self._wait(container, "InvalidImageName", invalid, now + FIRST_BACK_OFF)
            return False
        error = words.pull_error(image)
        if error is not None and policy == "Never":
            message = f"Container image {words.quoted(image)} is not present with pull policy of Never"
            if container.reason != "ErrImageNeverPull":
                self._say(WARNING, "ErrImageNeverPull", message, container)
                self._say(WARNING, "Failed", "Error: ErrImageNeverPull", container)
            self._wait(container, "ErrImageNeverPull", message, now + FIRST_BACK_OFF)
            return False
        if error is not None:
            self._pull_failed(container, image, error, now)
            return False
        if container.restarts == 0 and container.ended is None and container.reason not in NOT_CREATED:
            self._say(NORMAL, "Pulled", f"Container image {words.quoted(image)} already present on machine", container)
        return True

    def _pull_failed(self, container: Container, image: str, error: str, now: float) -> None:
        """ErrImagePull, then ImagePullBackOff for longer and longer, then again."""
        if container.reason == "ErrImagePull":
            pause = min(LONGEST_BACK_OFF, FIRST_BACK_OFF * 2 ** (container.pull_failures - 1))
            self._say(NORMAL, "BackOff", f"Back-off pulling image {words.quoted(image)}", container)
            self._say(WARNING, "Failed", "Error: ImagePullBackOff", container)
            self._wait(container, "ImagePullBackOff", words.backing_off(image, error), now + pause)
            return
        container.pull_failures += 1
        self._say(NORMAL, "Pulling", f"Pulling image {words.quoted(image)}", container)
        self._say(WARNING, "Failed", f"Failed to pull image {words.quoted(image)}: {error}", container)
        self._say(WARNING, "Failed", "Error: ErrImagePull", container)
        self._wait(container, "ErrImagePull", error, now + 1)

    def _look_at(self, container: Container, now: float) -> None:
        """A running container: has it ended, is it ready, does it live?"""
        if container.program is None:
            return
        code = container.program.exit_code(now)
        if code is not None:
            self._ended(container, code, now)
            return
        self._come_at(container.program.next_look(now))
        if container.init and not container.sidecar:
            return  # nobody asks whether it is ready: it has to end
        if self._liveness(container, now):
            container.ready = self._readiness(container, now)

    def _readiness(self, container: Container, now: float) -> bool:
        at = container.started_at + self.surroundings.ready_delay(self.pod)
        probe = container.spec.get("readinessProbe")
        if probe and not container.ready:
            at += float(probe.get("initialDelaySeconds") or 0)
        if at > now:
            self._come_at(at)
            return False
        if not self._started(container, now):
            return False
        if probe is None:
            return True
        self._come_at(now + float(probe.get("periodSeconds") or 10))
        output = self.surroundings.probe(self, container, "readiness")
        if output is not None:
            self._say(WARNING, "Unhealthy", f"Readiness probe failed: {output}", container)
        return output is None

    def _started(self, container: Container, now: float) -> bool:
        probe = container.spec.get("startupProbe")
        if probe is None or container.ready:
            return True
        output = self.surroundings.probe(self, container, "startup")
        if output is not None:
            self._say(WARNING, "Unhealthy", f"Startup probe failed: {output}", container)
            self._come_at(now + float(probe.get("periodSeconds") or 10))
        return output is None

    def _liveness(self, container: Container, now: float) -> bool:
        """False if the container had to be killed."""
        probe = container.spec.get("livenessProbe")
        if probe is None or container.started_at + float(probe.get("initialDelaySeconds") or 0) > now:
            return True
        self._come_at(now + float(probe.get("periodSeconds") or 10))
        output = self.surroundings.probe(self, container, "liveness")
        if output is None:
            container.liveness_failures = 0
            return True
        container.liveness_failures += 1
        self._say(WARNING, "Unhealthy", f"Liveness probe failed: {output}", container)
        if container.liveness_failures < int(probe.get("failureThreshold") or 3):
            return True
        self._say(NORMAL, "Killing", f"Container {container.name} failed liveness probe, will be restarted", container)
        self._ended(container, 137, now)
        return False

    def _ended(self, container: Container, code: int, now: float) -> None:
        container.ended = {
            "exitCode": code,
            "reason": "Completed" if code == 0 else "Error",
            "startedAt": container.started_at,
            "finishedAt": now,
            "containerID": container.id,
        }
        container.program, container.ready = None, False
        if not self._restarts(container):
            return
        container.crashes += 1
        if container.crashes == 1:
            container.due = now
            self._come_at(now)
            return
        pause = min(LONGEST_BACK_OFF, FIRST_BACK_OFF * 2 ** (container.crashes - 2))
        self._say(
            WARNING, "BackOff", f"Back-off restarting failed container {container.name} in pod {self.title}", container
        )
        text = words.restarting(int(pause), container.name, self.title)
        self._wait(container, "CrashLoopBackOff", text, now + pause)

    def _phase(self) -> str:
        if any(container.init and self._failed_for_good(container) for container in self.containers):
            return "Failed"
        mains = self.mains
        if all(container.ended is not None and not self._restarts(container) for container in mains):
            return "Succeeded" if all(container.succeeded for container in mains) else "Failed"
        return "Running" if self.initialized and any(main.running or main.ended for main in mains) else "Pending"

    def _failed_for_good(self, container: Container) -> bool:
        return container.ended is not None and not container.succeeded and not self._restarts(container)

    def _wait(self, container: Container, reason: str, message: str, until: float) -> None:
        container.reason, container.message, container.due = reason, message, until
        self._come_at(until)

    def _come_at(self, moment: float | None) -> None:
        if moment is not None:
            self.due = moment if self.due is None else min(self.due, moment)

    def _say(self, kind: str, reason: str, message: str, container: Container) -> None:
        self.events.append(Event(kind, reason, message, container.field))
