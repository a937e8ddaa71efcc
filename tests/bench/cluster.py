# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kubernetes cluster of the lab's as the benchmark uses it: a real API server, whose nodes and pods are simulated."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lab.kubernetes.client import Client
from lab_session import running_kubernetes

from bench.job import NAME

SPEED = 10
"""Kubelet seconds in a real one, such as the pauses between probes."""
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_CORE, _APPS = f"/api/v1/namespaces/{NAME}", f"/apis/apps/v1/namespaces/{NAME}"
_KINDS = {
    "deployments": _APPS,
    "services": _CORE,
    "pods": _CORE,
    "secrets": _CORE,
    "configmaps": _CORE,
    "persistentvolumeclaims": _CORE,
}
_OF_EVERY_NAMESPACE = frozenset({"kube-root-ca.crt"})


@contextmanager
def running(state: Path) -> Iterator[Cluster]:
    """A cluster with room for everything."""
    with running_kubernetes(state, "--nodes=3", "--cpu=4", f"--speed={SPEED}") as exports:
        yield Cluster(exports)


@dataclass(frozen=True)
class Cluster:
    """One cluster, and the environment that points a program at it."""

    exports: Mapping[str, str]

    def reset(self, settings: Mapping[str, float]) -> None:
        """An empty namespace: who was here before has left nothing. What pods need in it is there."""
        self._control("POST", "/settings", {"ready_seconds": SPEED * settings.get("ready_seconds", 0)})
        self._client.create("/api/v1/namespaces", {"metadata": {"name": NAME}})
        while self._client.find(f"{_CORE}/serviceaccounts/default") is None:
            time.sleep(0.05)

    def forget_calls(self) -> None:
        self._control("DELETE", "/journal")

    def calls(self) -> list[dict[str, Any]]:
        return list(self._control("GET", "/journal")["entries"])

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """What there is of a kind in the namespace."""
        found = self._client.get(f"{_KINDS[kind]}/{kind}")["items"]
        return [one for one in found if one["metadata"]["name"] not in _OF_EVERY_NAMESPACE]

    def everything(self) -> list[str]:
        """All that somebody has made there."""
        return [f"{kind} {one['metadata']['name']}" for kind in _KINDS for one in self.objects(kind)]

    @cached_property
    def _client(self) -> Client:
        """Not the administrator, whose requests are counted."""
        return Client(Path(self.exports["LAB_KUBECONFIG"]).with_name("lab.kubeconfig"))

    def _control(self, method: str, path: str, document: object = None) -> Any:
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(self.exports["LAB_KUBERNETES_CONTROL"] + path, data=body, method=method)
        with _DIRECT.open(request, timeout=60) as answer:
            return json.load(answer)
