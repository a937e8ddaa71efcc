# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load balancers of a stand-alone cluster: names as AWS gives them, and a proxy that answers for them.

A cluster in the lab's AWS has no use for this: there the real cloud controller makes real load balancers.
"""

from __future__ import annotations

import hashlib
import html
import ipaddress
import logging
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from lab.http_server import HttpServer
from lab.kubernetes.client import Client, Object
from lab.kubernetes.informer import Change, Informer
from lab.kubernetes.kubelet.agent import event_document
from lab.kubernetes.kubelet.words import Event
from lab.kubernetes.network import Network, RefusedError, Visit
from lab.messages import Answer, Request

log = logging.getLogger("lab")
FINALIZER = "service.kubernetes.io/load-balancer-cleanup"
KIND = "service.beta.kubernetes.io/aws-load-balancer-type"
CLIENTS = ("203.0.113.250", "127.0.0.1")
"""Whose requests these are, for source ranges: somebody on the internet, and the user of this machine."""


def host_name(service: Object, region: str) -> str:
    """The DNS name which AWS would give: of a classic load balancer, or of an NLB if the annotation asks for one."""
    uid = service["metadata"]["uid"]
    name = ("a" + uid.replace("-", ""))[:32]
    digits = int(hashlib.sha256(uid.encode()).hexdigest(), 16)
    if (service["metadata"].get("annotations") or {}).get(KIND) == "nlb":
        return f"{name}-{digits % 16**16:016x}.elb.{region}.amazonaws.com"
    return f"{name}-{digits % 10**9 + 10**9}.{region}.elb.amazonaws.com"


class Balancers:
    """Hears of every service; works in the agent's writers."""

    def __init__(
        self, client: Client, informer: Informer, later: Callable[[Callable[[], None], str], None], region: str
    ) -> None:
        self._client = client
        self._informer = informer
        self._later = later
        self._region = region

    def take(self, change: Change) -> None:
        service = change.now
        if change.kind != "services" or service is None:
            return
        wanted = service["spec"].get("type") == "LoadBalancer" and not service["metadata"].get("deletionTimestamp")
        there = bool(service.get("status", {}).get("loadBalancer", {}).get("ingress"))
        held = FINALIZER in (service["metadata"].get("finalizers") or ())
        if wanted and not there:
            self._later(lambda: self._make(service), f"service {change.key}")
        elif held and not wanted:
            self._later(lambda: self._remove(service), f"service {change.key}")

    def _make(self, service: Object) -> None:
        path = _path(service)
        self._say(service, "EnsuringLoadBalancer", "Ensuring load balancer")
        if FINALIZER not in (service["metadata"].get("finalizers") or ()):
            finalizers = [*(service["metadata"].get("finalizers") or ()), FINALIZER]
            self._client.patch(path, {"metadata": {"finalizers": finalizers}})
        ingress = [{"hostname": host_name(service, self._region)}]
        self._client.patch(f"{path}/status", {"status": {"loadBalancer": {"ingress": ingress}}})
        self._say(service, "EnsuredLoadBalancer", "Ensured load balancer")

    def _remove(self, service: Object) -> None:
        path = _path(service)
        self._say(service, "DeletingLoadBalancer", "Deleting load balancer")
        self._client.patch(f"{path}/status", {"status": {"loadBalancer": {"ingress": None}}})
        finalizers = [one for one in service["metadata"].get("finalizers") or () if one != FINALIZER]
        self._client.patch(path, {"metadata": {"finalizers": finalizers or None}})
        self._say(service, "DeletedLoadBalancer", "Deleted load balancer")

    def _say(self, service: Object, reason: str, message: str) -> None:
        about = {**service, "kind": "Service", "apiVersion": "v1"}
        document = event_document(about, Event("Normal", reason, message), "service-controller")
        self._client.create(f"/api/v1/namespaces/{service['metadata']['namespace']}/events", document)


class Proxy:
    """An HTTP forward proxy that knows the names of the cluster's load balancers, and nothing else."""

    def __init__(self, informer: Informer, network: Network) -> None:
        self._informer = informer
        self._network = network
        self._server = HttpServer(self.answer)

    @property
    def url(self) -> str:
        return self._server.url

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="lab-proxy", daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: Request) -> Answer:
        target = request.path if "://" in request.path else f"http://{request.headers.get('host', '')}{request.path}"
        url = urlsplit(target)
        service = self._find(url.hostname or "")
        if service is None:
            return _html(502, f"cannot resolve host {url.hostname}: no load balancer has this name")
        if not admits(service):
            return _html(504, "timed out: the service's source ranges let no clients in")
        path = (url.path or "/") + (f"?{request.query}" if request.query else "")
        visit = Visit(request.method, path, request.headers, request.body, CLIENTS[0])
        try:
            page = self._network.to_service(service, url.port or 80, visit)
        except RefusedError as refused:
            if "no ready endpoints" in str(refused):
                return _html(503, "Service Unavailable: Back-end server is at capacity")
            return _html(502, str(refused))
        return Answer(page.status, page.content, {"Content-Type": page.content_type, **dict(page.headers)})

    def _find(self, name: str) -> Object | None:
        for service in self._informer.all("services"):
            for ingress in service.get("status", {}).get("loadBalancer", {}).get("ingress") or ():
                if ingress.get("hostname", "").lower() == name.lower():
                    return service
        return None


def admits(service: Object) -> bool:
    """Do the service's source ranges let the lab's clients in?"""
    ranges = service["spec"].get("loadBalancerSourceRanges") or ["0.0.0.0/0"]
    networks = [ipaddress.ip_network(one, strict=False) for one in ranges]
    return any(ipaddress.ip_address(client) in network for network in networks for client in CLIENTS)


def _path(service: Object) -> str:
    return f"/api/v1/namespaces/{service['metadata']['namespace']}/services/{service['metadata']['name']}"


def _html(status: int, sentence: str) -> Answer:
    return Answer(status, f"<p>lab proxy: {html.escape(sentence)}</p>\n".encode(), {"Content-Type": "text/html"})
