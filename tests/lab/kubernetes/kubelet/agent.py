# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kubelets of all nodes that are kept alive: they see pods, let them live, and report their status."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import http.client
import ipaddress
import logging
import queue
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from lab.kubernetes.client import STRATEGIC, ApiError, Client, Object
from lab.kubernetes.informer import Change, Informer, key_of
from lab.kubernetes.kubelet import folders
from lab.kubernetes.kubelet.life import Life
from lab.kubernetes.kubelet.status import status
from lab.kubernetes.kubelet.surroundings import Here
from lab.kubernetes.kubelet.words import Event
from lab.kubernetes.settings import MANAGED

log = logging.getLogger("lab")
WRITERS = 4
IDLE_SECONDS = 5.0
FIRST_PAUSES, LONGEST_PAUSE = (0.1, 0.3), 1.0


class Clock:
    """Kubelet seconds: they pass `speed` times faster than real ones."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._origin = time.monotonic()
        self._born = datetime.datetime.now(datetime.UTC)

    def now(self) -> float:
        return (time.monotonic() - self._origin) * self._speed

    def real(self, seconds: float) -> float:
        return seconds / self._speed

    def stamp(self, moment: float) -> str:
        return (self._born + datetime.timedelta(seconds=self.real(moment))).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(eq=False)
class Entry:
    """A pod that this agent has taken on."""

    key: str
    life: Life
    host_ip: str
    pod_ip: str
    folder: Path
    reported: Object = field(default_factory=dict)
    stopping: bool = False


class Agent:
    """Watches through the informer, decides in one thread, writes in a few others."""

    def __init__(self, client: Client, informer: Informer, here: Here, clock: Clock, pods: Path) -> None:
        self._client = client
        self._informer = informer
        self._here = here
        self._clock = clock
        self._pods = pods
        self._entries: dict[str, Entry] = {}
        self._addresses: dict[str, int] = {}
        self._writers: list[queue.Queue[Callable[[], None] | None]] = [queue.Queue() for _unused in range(WRITERS)]
        self._listeners: list[Callable[[Change], None]] = []

    def on_change(self, listener: Callable[[Change], None]) -> None:
        """`listener` hears of every change too, in the agent's thread: it must be quick."""
        self._listeners.append(listener)

    def start(self) -> None:
        for number, jobs in enumerate(self._writers):
            threading.Thread(target=_work, args=(jobs,), name=f"lab-writer-{number}", daemon=True).start()
        threading.Thread(target=self._run, name="lab-kubelet", daemon=True).start()

    def stop(self) -> None:
        for jobs in self._writers:
            jobs.put(None)
        for entry in list(self._entries.values()):
            self._end_programs(entry)

    def life_of(self, key: str) -> Life | None:
        """The life of the pod `namespace/name`."""
        entry = self._entries.get(key)
        return entry.life if entry else None

    def key_at(self, address: str) -> str | None:
        """The pod that has this address."""
        return next((entry.key for entry in list(self._entries.values()) if entry.pod_ip == address), None)

    def later(self, job: Callable[[], None], key: str = "") -> None:
        """Do `job` in a writer's thread; jobs with the same key one after the other."""
        number = int(hashlib.sha256(key.encode()).hexdigest(), 16) % WRITERS
        self._writers[number].put(job)

    # The loop

    def _run(self) -> None:
        while True:
            try:
                change = self._informer.changes.get(timeout=self._patience())
            except queue.Empty:
                change = Change("", "", None, None)
            if change is None:
                return
            try:
                self._take(change)
                self._advance_due()
            except Exception:
                log.exception("the kubelet stumbled over %s %s", change.kind, change.key)

    def _patience(self) -> float:
        now = self._clock.now()
        dues = [entry.life.due for entry in self._entries.values() if entry.life.due is not None]
        return self._clock.real(max(0.0, min(dues) - now)) if dues else IDLE_SECONDS

    def _take(self, change: Change) -> None:
        if change.kind == "pods":
            self._take_pod(change)
        elif change.kind == "nodes" and change.now is not None and _managed(change.now):
            if change.before is None or not _managed(change.before) or _range(change.now) != _range(change.before):
                for pod in self._informer.all("pods"):
                    if pod["spec"].get("nodeName") == change.key:
                        self._take_pod(Change("pods", key_of(pod), pod, None))
        elif change.kind == "volumeattachments":
            self._wake_waiting()
        for listener in self._listeners:
            listener(change)

    def _take_pod(self, change: Change) -> None:
        entry = self._entries.get(change.key)
        pod = change.now
        if entry is not None and (pod is None or pod["metadata"]["uid"] != entry.life.uid):
            self._forget(entry)
            entry = None
        if pod is None:
            return
        node = self._informer.get("nodes", pod["spec"].get("nodeName") or "")
        if node is None or not _managed(node):
            return
        if entry is None:
            if pod["metadata"].get("deletionTimestamp"):
                self._delete(pod)
                return
            if pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
                return
            entry = self._adopt(change.key, pod, node)
            if entry is None:
                return
        changed = _wishes(entry.life.pod) != _wishes(pod)
        entry.life.pod = pod
        if pod["metadata"].get("deletionTimestamp"):
            self._stop(entry)
        elif changed or not entry.reported:
            self._advance(entry)

    def _adopt(self, key: str, pod: Object, node: Object) -> Entry | None:
        host_ip = next(
            (one["address"] for one in node["status"].get("addresses") or () if one["type"] == "InternalIP"),
            "127.0.0.1",
        )
        if pod["spec"].get("hostNetwork"):
            pod_ip = host_ip
        elif _range(node):
            pod_ip = self._address(node)
        else:
            return None  # its node has no addresses yet; it comes again with them
        folder = self._pods / key.replace("/", "_")
        shutil.rmtree(folder, ignore_errors=True)
        entry = Entry(key, Life(pod, self._here, self._clock.now()), host_ip, pod_ip, folder)
        self._entries[key] = entry
        self._here.enter(entry.life, folder, pod_ip)
        return entry

    def _address(self, node: Object) -> str:
        name, network = node["metadata"]["name"], ipaddress.ip_network(_range(node))
        number = self._addresses.get(name, 1) + 1
        if number >= network.num_addresses - 1:
            number = 2
        self._addresses[name] = number
        return str(network[number])

    def _advance_due(self) -> None:
        now = self._clock.now()
        for entry in list(self._entries.values()):
            if entry.life.due is not None and entry.life.due <= now and not entry.stopping:
                self._advance(entry)

    def _wake_waiting(self) -> None:
        for entry in list(self._entries.values()):
            if not entry.life.prepared and not entry.stopping:
                self._advance(entry)

    def _advance(self, entry: Entry) -> None:
        now = self._clock.now()
        entry.life.advance(now)
        for container in entry.life.containers:
            if not container.running:
                folders.close(entry.folder / container.name)
        document = status(entry.life, self._clock.stamp, now, entry.host_ip, entry.pod_ip)
        events = entry.life.take()
        if _settled(document) != _settled(entry.reported):
            entry.reported = document
            uid = entry.life.uid
            self.later(lambda: self._report(entry.key, uid, document), entry.key)
        for event in events:
            self._announce(entry.life.pod, event)

    def _report(self, key: str, uid: str, document: Object) -> None:
        path = f"{_path(key)}/status"
        self._client.patch(path, {"metadata": {"uid": uid}, "status": document}, STRATEGIC)

    # Endings

    def _stop(self, entry: Entry) -> None:
        if entry.stopping:
            return
        entry.stopping = True
        entry.life.due = None
        for container in entry.life.containers:
            if container.running:
                message = f"Stopping container {container.name}"
                self._announce(entry.life.pod, Event("Normal", "Killing", message, container.field))
        self._end_programs(entry)
        pod, delay = entry.life.pod, self._clock.real(self._here.stop_delay(entry.life.pod))
        if delay:
            timer = threading.Timer(delay, lambda: self._delete(pod))
            timer.daemon = True
            timer.start()
        else:
            self._delete(pod)

    def _end_programs(self, entry: Entry) -> None:
        for container in entry.life.containers:
            kill = getattr(container.program, "kill", None)
            if kill:
                kill()
            folders.close(entry.folder / container.name)

    def _delete(self, pod: Object) -> None:
        key, uid = key_of(pod), pod["metadata"]["uid"]
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}}
        self.later(lambda: self._client.delete(_path(key), options), key)

    def _forget(self, entry: Entry) -> None:
        self._end_programs(entry)
        self._entries.pop(entry.key, None)
        self._here.leave(entry.life)
        shutil.rmtree(entry.folder, ignore_errors=True)

    # Events

    def _announce(self, pod: Object, event: Event) -> None:
        document = event_document(pod, event, "kubelet", pod["spec"].get("nodeName", ""))
        path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/events"
        self.later(lambda: self._post_event(path, document), "events")

    def _post_event(self, path: str, document: Object) -> None:
        """The same event again is counted, as kubelets do."""
        name = document["metadata"]["name"]
        if self._client.create(path, document) is None:
            known = self._client.get(f"{path}/{name}")
            change = {"count": known.get("count", 1) + 1, "lastTimestamp": document["lastTimestamp"]}
            self._client.patch(f"{path}/{name}", change)


def event_document(about: Object, event: Event, component: str, host: str = "") -> Object:
    """An Event; the same about the same has the same name."""
    metadata = about["metadata"]
    digest = hashlib.sha256("\0".join((metadata["uid"], *event)).encode()).hexdigest()[:16]
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    reference: dict[str, Any] = {
        "apiVersion": about.get("apiVersion", "v1"),
        "kind": about.get("kind", "Pod"),
        "name": metadata["name"],
        "namespace": metadata.get("namespace"),
        "uid": metadata["uid"],
        "resourceVersion": metadata.get("resourceVersion"),
    }
    if event.field:
        reference["fieldPath"] = event.field
    return {
        "metadata": {"name": f"{metadata['name']}.{digest}", "namespace": metadata.get("namespace", "default")},
        "involvedObject": reference,
        "type": event.type,
        "reason": event.reason,
        "message": event.message,
        "source": {"component": component, **({"host": host} if host else {})},
        "reportingComponent": component,
        "reportingInstance": host,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }


def _work(jobs: queue.Queue[Callable[[], None] | None]) -> None:
    while (job := jobs.get()) is not None:
        _until_done(job)


def _until_done(job: Callable[[], None]) -> None:
    """While the API server is away, it is tried again and again, as kubelets do: a status is reported once only."""
    for pause in chain(FIRST_PAUSES, repeat(LONGEST_PAUSE)):
        try:
            job()
        except ApiError as error:
            if error.status < 500 and error.status != 429:
                log.debug("not written: %s", error)
                return
        except (OSError, http.client.HTTPException) as error:
            log.debug("not written yet: %s", error)
        except Exception:
            log.exception("a write failed")
            return
        else:
            return
        time.sleep(pause)


def _path(key: str) -> str:
    namespace, _unused, name = key.partition("/")
    return f"/api/v1/namespaces/{namespace}/pods/{name}"


def _managed(node: Object) -> bool:
    return MANAGED in (node["metadata"].get("labels") or {})


def _range(node: Object) -> str:
    return str(node["spec"].get("podCIDR") or "")


def _wishes(pod: Object) -> tuple[Any, ...]:
    """What others may change in a pod and its kubelet obeys."""
    metadata = pod["metadata"]
    conditions = {one["type"]: one["status"] for one in pod.get("status", {}).get("conditions") or ()}
    gates = [conditions.get(gate["conditionType"]) for gate in pod["spec"].get("readinessGates") or ()]
    return metadata.get("annotations"), metadata.get("generation"), gates


def _settled(document: Object) -> Object:
    """The status without what changes by itself."""
    with contextlib.suppress(KeyError):
        conditions = [
            {name: value for name, value in one.items() if name != "lastTransitionTime"}
            for one in document["conditions"]
        ]
        return {**document, "conditions": conditions}
    return document
