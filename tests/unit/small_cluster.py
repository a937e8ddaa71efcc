# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster in a dictionary, behind a real HTTP server: for whole flows of modules without a control plane.

It keeps objects, answers lists and watches, and applies manifests by laying them over what is there, without what the
last manifest said and this one does not. Controllers are what a test gives it: a function that is called with every
object that was written, and may change it or write others. It knows nothing of schemas, defaults or several owners of
fields: what depends on those is tested against a real API server.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import itertools
import json
import re
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from ansible_collections.container.schedulers.plugins.module_utils._k8s.api import Api
from ansible_collections.container.schedulers.plugins.module_utils._k8s.kinds import KINDS, Kind
from ansible_collections.container.schedulers.plugins.module_utils._k8s.login import Login
from ansible_collections.container.schedulers.plugins.module_utils._k8s.transport import Transport
from ansible_collections.container.schedulers.plugins.module_utils._retry import RetryPolicy
from unit.clock import FakeClock

Object = dict[str, Any]
PATH = re.compile(
    r"^(?P<base>/api/v1|/apis/[^/]+/[^/]+)(/namespaces/(?P<namespace>[^/]+)(?=/))?/(?P<plural>[a-z]+)"
    r"(/(?P<name>[^/]+)(/(?P<sub>[a-z]+))?)?$"
)
BY_PLURAL = {(one.base, one.plural): one for one in KINDS.values()}
Command = Callable[[str, str, list[str], str], tuple[str, str, int | None]]
"""(pod, container, words, input) -> (output, errors, exit code); without a code the connection breaks instead."""


class SmallCluster:
    """One cluster."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.objects: dict[tuple[str, str, str], Object] = {}
        self.applied: dict[str, Object] = {}  # by uid
        self.written: list[tuple[str, str]] = []
        self.requests: list[tuple[str, str]] = []
        self.controllers: Callable[[SmallCluster, Object], None] = lambda _cluster, _thing: None
        self.command: Command = lambda _pod, _container, _words, _input: ("", "", 0)
        self.refuse: Callable[[str, str, Any], tuple[int, Object] | None] = lambda _method, _path, _body: None
        self.logs = ""
        self.clock = FakeClock()
        self.news = threading.Condition(threading.RLock())
        self.history: list[tuple[int, str, Object]] = []
        self._numbers = itertools.count(1)
        cluster = self

        class Handler(_Handler):
            pass

        Handler.cluster = cluster
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        if tls:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def api(self) -> Api:
        """A client whose pauses take no time."""
        return Api(Transport(Login(self.url), 10.0), RetryPolicy(clock=self.clock, random=lambda: 0.0))

    def put(self, thing: Object, event: str = "") -> Object:
        """Keep an object as it is given; whoever watches hears of it."""
        with self.news:
            key = (thing["kind"], thing["metadata"].get("namespace", ""), thing["metadata"]["name"])
            there = self.objects.get(key)
            thing = copy.deepcopy(thing)
            metadata = thing["metadata"]
            metadata["uid"] = there["metadata"]["uid"] if there else f"uid-{next(self._numbers)}"
            metadata["resourceVersion"] = str(next(self._numbers))
            metadata.setdefault("creationTimestamp", f"2026-01-01T00:00:{len(self.objects):02d}Z")
            self.objects[key] = thing
            self.history.append((int(metadata["resourceVersion"]), event or ("MODIFIED" if there else "ADDED"), thing))
            self.news.notify_all()
            return thing

    def write(self, thing: Object) -> Object:
        """Keep what a client wrote, and let the controllers see it."""
        with self.news:
            before = self.get(thing["kind"], thing["metadata"]["name"], thing["metadata"].get("namespace", ""))
            changed = before is None or before.get("spec") != thing.get("spec")
            thing["metadata"]["generation"] = (before or thing)["metadata"].get("generation", 0) + int(changed)
            self.written.append((thing["kind"], thing["metadata"]["name"]))
            kept = self.put(thing)
            self.controllers(self, kept)
            return self.objects.get(
                (kept["kind"], kept["metadata"].get("namespace", ""), kept["metadata"]["name"]), kept
            )

    def get(self, kind: str, name: str, namespace: str = "default") -> Object | None:
        return self.objects.get((kind, namespace, name)) or self.objects.get((kind, "", name))

    def remove(self, kind: str, name: str, namespace: str = "default") -> None:
        with self.news:
            for place in (namespace, ""):
                thing = self.objects.pop((kind, place, name), None)
                if thing:
                    gone = copy.deepcopy(thing)
                    gone["metadata"]["resourceVersion"] = str(next(self._numbers))
                    self.history.append((int(gone["metadata"]["resourceVersion"]), "DELETED", gone))
                    self.news.notify_all()
                    for other in [one for one in self.objects.values() if _owned(one, thing["metadata"]["uid"])]:
                        self.remove(other["kind"], other["metadata"]["name"], other["metadata"].get("namespace", ""))

    def expire(self, path: str, after: str) -> None:
        """Refuse this path from when an object of this kind was written: the credentials are accepted no more."""
        status = {"kind": "Status", "reason": "Unauthorized", "message": "Unauthorized"}

        def refuse(method: str, asked: str, _body: Any) -> tuple[int, Object] | None:
            written = after in {kind for kind, _name in self.written}
            return (401, status) if written and method == "GET" and asked == path else None

        self.refuse = refuse

    def close(self) -> None:
        with self.news:
            self.clock.time += 1e9
            self.news.notify_all()
        self._http.shutdown()
        self._http.server_close()


def _owned(thing: Object, uid: str) -> bool:
    return any(one.get("uid") == uid for one in thing["metadata"].get("ownerReferences") or ())


def overlaid(below: Any, above: Any) -> Any:
    """One value laid over another; None takes away."""
    if isinstance(below, dict) and isinstance(above, Mapping):
        found = {**below}
        for name, value in above.items():
            if value is None:
                found.pop(name, None)
            else:
                found[name] = overlaid(found.get(name), value)
        return found
    return copy.deepcopy(above)


def without(below: Any, before: Any, now: Any) -> Any:
    """A value without what its owner said before and says no more."""
    if not isinstance(below, dict) or not isinstance(before, dict) or not isinstance(now, dict):
        return below
    return {
        name: without(value, before.get(name), now.get(name))
        for name, value in below.items()
        if name not in before or name in now
    }


def _managed(there: Object, manager: str, body: Object) -> list[Object]:
    """Who has written which label, with one more writer."""
    others = [one for one in there["metadata"]["managedFields"] if one["manager"] != manager]
    return [*others, labelled(manager, body["metadata"].get("labels") or {})]


def labelled(manager: str, labels: Mapping[str, str]) -> Object:
    """The note that somebody has written these labels."""
    fields: Object = {"f:metadata": {"f:labels": {f"f:{name}": {} for name in labels}}}
    return {"manager": manager, "operation": "Apply", "fieldsV1": fields}


def selected(thing: Object, query: Mapping[str, str]) -> bool:
    """Whether an object fits label and field selectors."""
    labels, metadata = thing["metadata"].get("labels") or {}, thing["metadata"]
    for term in re.split(r",(?![^(]*\))", query.get("labelSelector", "")):
        if " in (" in term:
            name, _in, values = term.partition(" in (")
            if labels.get(name) not in values.rstrip(")").split(","):
                return False
        elif term and labels.get(term.partition("=")[0]) != term.partition("=")[2]:
            return False
    fields = {"metadata.name": metadata["name"], "spec.nodeName": (thing.get("spec") or {}).get("nodeName")}
    return all(
        fields.get(name) == value
        for name, value in (one.split("=") for one in query.get("fieldSelector", "").split(",") if one)
    )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cluster: SmallCluster

    def do(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
        self.cluster.requests.append((self.command, parts.path))
        refused = self.cluster.refuse(self.command, parts.path, body)
        found = PATH.match(parts.path)
        kind = BY_PLURAL.get((found["base"], found["plural"])) if found else None
        if refused:
            self._send(*refused)
        elif parts.path == "/readyz":
            self._send(200, "ok")
        elif not found or not kind:
            self._send(404, _status(404, "NotFound", f"no {parts.path}"))
        elif self.headers.get("Upgrade") == "websocket":
            self._exec(str(found["name"]), parse_qsl(parts.query))
        elif query.get("watch"):
            self._watch(kind, found["namespace"] or "", query)
        else:
            self._send(*self._act(kind, found, query, body))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do  # noqa: N815

    def _act(self, kind: Kind, found: re.Match[str], query: dict[str, str], body: Any) -> tuple[int, Any]:
        namespace, name = found["namespace"] or "", found["name"] or ""
        with self.cluster.news:
            if found["sub"] == "log":
                return 200, self.cluster.logs
            if found["sub"] == "eviction":
                self.cluster.remove("Pod", name, namespace)
                return 201, {}
            there = self.cluster.objects.get((kind.kind, namespace, name))
            if self.command == "GET":
                return self._read(kind, namespace, name, query)
            if self.command == "POST":
                key = (kind.kind, namespace, body["metadata"]["name"])
                if namespace and not self.cluster.get("Namespace", namespace, ""):
                    return 404, _status(404, "NotFound", f'namespaces "{namespace}" not found')
                if key in self.cluster.objects:
                    return 409, _status(409, "AlreadyExists", "it exists")
                return 201, body if query.get("dryRun") else self.cluster.write(body)
            if self.command == "PATCH":
                return self._patch(kind, namespace, there, query, body)
            return self._delete(kind, namespace, name, there)

    def _read(self, kind: Kind, namespace: str, name: str, query: dict[str, str]) -> tuple[int, Any]:
        if name:
            there = self.cluster.objects.get((kind.kind, namespace, name))
            return (200, there) if there else (404, _status(404, "NotFound", f"{name} not found"))
        items = [
            one
            for (of_kind, place, _name), one in sorted(self.cluster.objects.items())
            if of_kind == kind.kind and namespace in ("", place) and selected(one, query)
        ]
        version = max([number for number, _event, _thing in self.cluster.history], default=0)
        return 200, {"items": items, "metadata": {"resourceVersion": str(version)}}

    def _patch(
        self, kind: Kind, namespace: str, there: Object | None, query: dict[str, str], body: Any
    ) -> tuple[int, Any]:
        if there is None and "force" not in query:
            return 404, _status(404, "NotFound", "not found")
        if namespace and kind.kind != "Namespace" and not self.cluster.get("Namespace", namespace, ""):
            return 404, _status(404, "NotFound", f'namespaces "{namespace}" not found')
        version = body.get("metadata", {}).pop("resourceVersion", None)
        if version and there and version != there["metadata"]["resourceVersion"]:
            return 409, _status(409, "Conflict", "the object has been modified; please apply your changes again")
        before = self.cluster.applied.get(there["metadata"]["uid"], {}) if there and "force" in query else {}
        merged = overlaid(without(there, before, body), body) if there else copy.deepcopy(body)
        if there and there["metadata"].get("managedFields"):
            merged["metadata"]["managedFields"] = _managed(there, query["fieldManager"], body)
        if query.get("dryRun"):
            return (200 if there else 201), merged
        kept = there if there and merged == there else self.cluster.write(merged)
        if "force" in query:
            self.cluster.applied[kept["metadata"]["uid"]] = copy.deepcopy(body)
        return (200 if there else 201), kept

    def _delete(self, kind: Kind, namespace: str, name: str, there: Object | None) -> tuple[int, Any]:
        if there is None:
            return 404, _status(404, "NotFound", "not found")
        if there["metadata"].get("finalizers"):
            self.cluster.put(overlaid(there, {"metadata": {"deletionTimestamp": "now"}}))
        else:
            self.cluster.remove(kind.kind, name, namespace)
        return 200, {}

    def _watch(self, kind: Kind, namespace: str, query: dict[str, str]) -> None:
        seen = int(query["resourceVersion"])
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            while self.cluster.clock.time < 1e9:
                with self.cluster.news:
                    fresh = [one for one in self.cluster.history if one[0] > seen]
                    if not fresh:
                        self.cluster.news.wait(0.2)
                        continue
                seen = fresh[-1][0]
                for _number, event, thing in fresh:
                    if (
                        thing["kind"] == kind.kind
                        and namespace in ("", thing["metadata"].get("namespace"))
                        and selected(thing, query)
                    ):
                        line = json.dumps({"type": event, "object": thing}).encode() + b"\n"
                        self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
                self.wfile.flush()
        except OSError:
            pass
        self.close_connection = True

    def _exec(self, pod: str, query: list[tuple[str, str]]) -> None:
        """The server's side of a WebSocket with the channels of `kubectl exec`."""
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.send_header("Sec-WebSocket-Protocol", "v5.channel.k8s.io")
        self.end_headers()
        words = [value for name, value in query if name == "command"]
        options = dict(query)
        given = self._input() if options.get("stdin") == "1" else ""
        output, error, code = self.cluster.command(pod, options.get("container", ""), words, given)
        for channel, text in ((1, output), (2, error)):
            if text:
                self._frame(bytes([channel]) + text.encode())
        self.close_connection = True
        if code is None:
            return
        status: Object = {"status": "Success"}
        if code:
            causes = [{"reason": "ExitCode", "message": str(code)}]
            status = {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}
        self._frame(b"\x03" + json.dumps(status).encode())

    def _frame(self, content: bytes) -> None:
        length = bytes([len(content)]) if len(content) < 126 else b"\x7e" + struct.pack(">H", len(content))
        self.wfile.write(b"\x82" + length + content)
        self.wfile.flush()

    def _input(self) -> str:
        given = b""
        while True:
            head = self.rfile.read(2)
            length = head[1] & 127
            if length == 126:
                length = struct.unpack(">H", self.rfile.read(2))[0]
            mask, masked = self.rfile.read(4), self.rfile.read(length)
            content = bytes(byte ^ mask[index % 4] for index, byte in enumerate(masked))
            if content[:1] == b"\xff":
                return given.decode()
            given += content[1:]

    def _send(self, status: int, body: Any) -> None:
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: pytest shows what fails."""


def _status(code: int, reason: str, message: str) -> Object:
    return {"kind": "Status", "code": code, "reason": reason, "message": message}


def running(cluster: SmallCluster, thing: Object) -> None:
    """Controllers that make everything usable at once."""
    spec, metadata = thing.get("spec") or {}, thing["metadata"]
    if thing["kind"] in ("Deployment", "ReplicationController"):
        wanted = spec.get("replicas", 1)
        for number in range(wanted):
            _pod(cluster, thing, number)
        _fewer(cluster, thing, wanted)
        counts = dict.fromkeys(("replicas", "readyReplicas", "availableReplicas", "updatedReplicas"), wanted)
        cluster.put({**thing, "status": {"observedGeneration": metadata["generation"], **counts}})
    elif thing["kind"] == "Service" and spec.get("type") == "LoadBalancer":
        cluster.put({**thing, "status": {"loadBalancer": {"ingress": [{"hostname": "lb.example.com"}]}}})
    elif thing["kind"] == "PersistentVolumeClaim":
        cluster.put({**thing, "status": {"phase": "Bound"}})


def crashing_soon(app: str) -> Callable[[SmallCluster, Object], None]:
    """Controllers that make everything usable, while the pods of an app end again and again a moment later."""

    def controllers(cluster: SmallCluster, thing: Object) -> None:
        running(cluster, thing)
        for pod in [one for one in cluster.objects.values() if one["kind"] == "Pod"]:
            if pod["metadata"]["labels"].get("app") == app:
                waits = {"ready": False, "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
                states = [{**one, **waits} for one in pod["status"]["containerStatuses"]]
                status = {"conditions": [], "containerStatuses": states}
                cluster.put(overlaid(pod, {"spec": {"nodeName": "n"}, "status": status}))

    return controllers


def _pod(cluster: SmallCluster, owner: Object, number: int) -> None:
    name, namespace = f"{owner['metadata']['name']}-{number}", owner["metadata"]["namespace"]
    template = owner["spec"]["template"]
    there = cluster.get("Pod", name, namespace)
    if there and (
        owner["kind"] == "ReplicationController" or there["spec"]["containers"] == template["spec"]["containers"]
    ):
        return
    metadata = {**template["metadata"], "name": name, "namespace": namespace}
    runner = owner
    if owner["kind"] == "Deployment":
        digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]
        metadata["labels"] = {**metadata["labels"], "pod-template-hash": digest}
        runner = _replica_set(cluster, owner, digest)
    metadata["ownerReferences"] = _controlled_by(runner)
    states = [
        {"name": one["name"], "ready": True, "state": {"running": {"startedAt": "now"}}, "containerID": f"lab://{name}"}
        for one in template["spec"]["containers"]
    ]
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": states}
    cluster.put({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"], "status": status})


def _replica_set(cluster: SmallCluster, deployment: Object, digest: str) -> Object:
    name, namespace = f"{deployment['metadata']['name']}-{digest}", deployment["metadata"]["namespace"]
    metadata = {"name": name, "namespace": namespace, "ownerReferences": _controlled_by(deployment)}
    made = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": {}}
    return cluster.get("ReplicaSet", name, namespace) or cluster.put(made)


def _controlled_by(thing: Object) -> list[Object]:
    reference = {"kind": thing["kind"], "name": thing["metadata"]["name"], "uid": thing["metadata"]["uid"]}
    return [{**reference, "apiVersion": thing["apiVersion"], "controller": True}]


def _fewer(cluster: SmallCluster, owner: Object, wanted: int) -> None:
    above = owner["metadata"]["uid"]
    sets = [one for one in cluster.objects.values() if one["kind"] == "ReplicaSet" and _owned(one, above)]
    uids = {above, *(one["metadata"]["uid"] for one in sets)}
    for kind, namespace, name in list(cluster.objects):
        thing = cluster.objects[(kind, namespace, name)]
        if kind == "Pod" and any(_owned(thing, uid) for uid in uids) and int(name.rpartition("-")[2]) >= wanted:
            cluster.remove(kind, name, namespace)


@contextmanager
def small_cluster(*namespaces: str, tls: ssl.SSLContext | None = None) -> Iterator[SmallCluster]:
    """A cluster with the namespace "default" and others, for one test."""
    cluster = SmallCluster(tls)
    for name in ("default", *namespaces):
        cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    try:
        yield cluster
    finally:
        cluster.close()
